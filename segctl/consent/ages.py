"""Since when contact points stand as they do, and who is to be left out of every evaluation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from segctl.consent.ledger import Ints, Ledger, Rows
from segctl.consent.shapes import ENDS, Role
from segctl.consent.verdicts import (
    LONG_AGO,
    Bools,
    Given,
    Question,
    blocks_of,
    declarations_of,
    latest_of,
    reasons_of,
    table_of,
)
from segctl.model.consent import CONSENT_CODES

OUTSIDE = (Role.OBJECTED_PROFILING, Role.RESTRICTED, Role.ERASED)
"""Whoever has one of them is profiled for nothing."""
_CODE = {name: number for number, name in enumerate(CONSENT_CODES, start=1)}
_OBJECTED = {
    "objected_marketing": Role.OBJECTED_MARKETING,
    "objected_profiling": Role.OBJECTED_PROFILING,
    "objected_general": Role.OBJECTED_GENERAL,
}


def kept_out(ledger: Ledger, points: list[bytes], question: Question) -> Bools:
    """For each point whether it objects to profiling, is restricted or erased, and nothing has lifted that since."""
    rows, roles = _known(ledger, points, question)
    blocks = blocks_of(rows, roles, len(points), question)
    found = np.zeros(len(points), np.bool_)
    for role in OUTSIDE:
        if role in blocks:
            found |= blocks[role] > LONG_AGO
    return found


def beginnings(
    ledger: Ledger, points: list[bytes], question: Question, codes: Ints, *, later: Callable[[int], int]
) -> Ints:
    """For each point the instant since when its reason holds; `LONG_AGO` where nothing began it.

    Args:
        ledger: Read before.
        points: As given to `verdicts`.
        question: Likewise.
        codes: What `verdicts` said of consent.
        later: The instant at which what was given or used last at another one is stale; far away without a limit.
    """
    rows, roles = _known(ledger, points, question)
    count, table, moment = len(points), table_of(ledger, question), question.moment
    is_end = (roles >= ENDS[0]) & (roles <= ENDS[-1])
    ended = latest_of(rows, is_end, count)
    is_alive = rows.at > ended[rows.points]
    given = declarations_of(rows, roles, is_alive, table, moment)
    used = latest_of(rows, roles == Role.USED, count)
    reasons = reasons_of(given, used, moment)
    asked = latest_of(rows, is_alive & (roles == Role.REQUEST), count)
    found = np.full(count, LONG_AGO)
    for code, since in (
        (0, _newest(given, given.at, reasons == 0, count)),
        (_CODE["denied"], ended), (_CODE["withdrawn"], ended), (_CODE["tcf_malformed"], ended),
        (_CODE["tcf_denied"], ended), (_CODE["notice_old"], _newest(given, given.at, reasons > 0, count)),
        (_CODE["pending"], asked), (_CODE["lapsed"], np.where(asked > LONG_AGO, asked + moment.confirm_span, LONG_AGO)),
    ):  # fmt: skip
        found = np.where(codes == code, since, found)
    blocks = blocks_of(rows, roles, count, question)
    for name, role in _OBJECTED.items():
        if role in blocks:
            found = np.where(codes == _CODE[name], blocks[role], found)
    over = (codes == _CODE["stale"]) | (codes == _CODE["expired"])
    # What was given last to run out ended it; of those that nothing was given to, the row that says it is over.
    ran_out = np.isin(reasons, (_CODE["stale"], _CODE["expired"])) & over[given.points]
    active = np.maximum(given.at, used[given.points])
    ends = given.expires.copy()
    for at in np.flatnonzero(ran_out):
        ends[at] = min(int(ends[at]), later(int(active[at])))
    last = _newest(given, ends, ran_out, count)
    return np.where(over, np.where(last > LONG_AGO, last, ended), found)


def _known(ledger: Ledger, points: list[bytes], question: Question) -> tuple[Rows, Ints]:
    """The rows that say something about the use, with what they do to it."""
    found = ledger.rows(points)
    roles = table_of(ledger, question).roles[found.codes]
    known = (roles != Role.NOTHING) & (found.at <= question.moment.now)
    return Rows(found.points[known], found.at[known], found.expires[known], found.codes[known]), roles[known]


def _newest(given: Given, at: Ints, which: Bools, count: int) -> Ints:
    found = np.full(count, LONG_AGO)
    np.maximum.at(found, given.points[which], at[which])
    return found
