"""What stands against a use, for any number of contact points at once.

Only the newest denial matters, and what was given after it: at the same instant the denial wins. Of several
declarations one that is sound suffices. Every rule is a maximum or an existence over a point's rows, so neither their
order nor how they were split into files makes a difference, and a further denial never allows anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segctl.consent.ledger import Ints, Ledger, Rows
from segctl.consent.shapes import BLOCKS, ENDS, NOTHING, Judged, Role, basis_of, judged
from segctl.model.consent import CONSENT_CODES, RECORDED_BASES, SUPPRESSION_CODES, ConsentRules, Purpose, Use

Bools = NDArray[np.bool_]
LONG_AGO = np.iinfo(np.int64).min
EEA = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK EU EEA".split()  # noqa: SIM905 - a row of codes reads better so
)

_CODE = {name: number for number, name in enumerate(CONSENT_CODES, start=1)}
_SUPPRESSION = {name: number for number, name in enumerate(SUPPRESSION_CODES, start=1)}
MERGED, MALFORMED, NO_POINT = _CODE["merged"], _CODE["malformed"], _CODE["no_point"]
MERGED_SUPPRESSION = _SUPPRESSION["merged"]
_ENDED = {
    Role.DENIED: _CODE["denied"], Role.WITHDRAWN: _CODE["withdrawn"], Role.EXPIRED: _CODE["expired"],
    Role.TCF_MALFORMED: _CODE["tcf_malformed"], Role.TCF_DENIED: _CODE["tcf_denied"],
}  # fmt: skip
_OBJECTIONS = (Role.OBJECTED_MARKETING, Role.OBJECTED_PROFILING, Role.OBJECTED_GENERAL)
_SUPPRESSED = {
    Role.ERASED: _SUPPRESSION["erased"], Role.RESTRICTED: _SUPPRESSION["restricted"],
    Role.SUPPRESSED: _SUPPRESSION["suppressed"], Role.COMPLAINED: _SUPPRESSION["complained"],
    Role.BOUNCED: _SUPPRESSION["bounced"],
}  # fmt: skip
_ANY = Purpose("", channels=())


@dataclass(frozen=True, slots=True)
class Moment:
    """When a decision is made, in microseconds.

    Attributes:
        now: Rows after it are not known yet.
        confirm_from: Requests since then can still be confirmed.
        confirm_span: Time between request and confirmation.
        stale_before: What was given or used last before then is stale; `LONG_AGO` without a limit.
        bounces_from: Soft bounces since then count.
    """

    now: int
    confirm_from: int
    confirm_span: int
    stale_before: int
    bounces_from: int


@dataclass(frozen=True, slots=True)
class Question:
    """A use, and everything that the project says about it.

    Attributes:
        purpose: As declared; None for an unknown one.
        bound: Purposes that the destination may be used for; None when no destination is asked about.
    """

    use: Use
    purpose: Purpose | None
    purposes: Mapping[str, Purpose]
    rules: ConsentRules
    bound: tuple[str, ...] | None
    moment: Moment

    @property
    def is_ads(self) -> bool:
        """Goes to an advertising network, where consent alone will do."""
        return self.use.channel == "ads" or dict(self.use.recipient).get("class") == "ads"


def verdicts(ledger: Ledger, points: list[bytes], question: Question) -> tuple[Ints, Ints]:
    """For each point the number of its reason in `CONSENT_CODES` and in `SUPPRESSION_CODES`, from 1; 0 for none."""
    table = table_of(ledger, question)
    found = ledger.rows(points)
    roles = table.roles[found.codes]
    is_known = (roles != Role.NOTHING) & (found.at <= question.moment.now)
    rows = Rows(found.points[is_known], found.at[is_known], found.expires[is_known], found.codes[is_known])
    roles = roles[is_known]
    blocks = blocks_of(rows, roles, len(points), question)
    status, lifted_by = _status(rows, roles, table, len(points), question)
    reasons = [np.full(len(points), code) for code in _against_use(question)]
    for role in _OBJECTIONS:
        since = blocks.get(role)
        if since is not None:
            name = CONSENT_CODES[_OBJECTIONS.index(role)]
            reasons.append(np.where((since > LONG_AGO) & (since >= lifted_by), _CODE[name], 0))
    consent = _first([*reasons, status])
    suppression = _first(
        [np.where(blocks[role] > LONG_AGO, code, 0) for role, code in _SUPPRESSED.items() if role in blocks]
        or [np.zeros(len(points), np.int64)]
    )
    return consent, suppression


# --- What speaks against the use itself ---------------------------------------------------------------------
def _against_use(question: Question) -> list[int]:
    use, purpose = question.use, question.purpose
    if use.purpose is None:
        return [_CODE["no_purpose"]]
    if purpose is None:
        return [_CODE["unknown_purpose"]]
    found = []
    if question.bound is not None and not any(_is_within(purpose.name, name) for name in question.bound):
        found.append("not_bound")
    if use.channel not in purpose.channels:
        found.append("wrong_channel")
    bases = basis_of(purpose, is_ads=question.is_ads)
    if not bases:
        found.append("ads_basis")
    elif bases == ("legitimate_interest",) and not purpose.lia_ref:
        found.append("no_lia")
    recipient = dict(use.recipient)
    country = recipient.get("country")
    if country is not None and country.upper() not in EEA and not recipient.get("transfer"):
        found.append("transfer")
    return [_CODE[name] for name in found]


def _is_within(name: str, above: str) -> bool:
    return name == above or name.startswith(f"{above}.")


# --- Shapes in the light of the use -------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Table:
    """`Judged` by columns; position = code of the shape."""

    roles: Ints
    consent: Bools
    soft: Bools
    soft_facts: Bools
    notice_old: Bools
    proof: Bools
    own: Bools
    confirmed: Bools
    signals: Bools
    recipient: Bools


def table_of(ledger: Ledger, question: Question) -> Table:
    """What each shape of the ledger means for the use."""
    purpose = question.purpose or _ANY
    # Nothing can be given for a purpose that nobody declared, but much can be said against it.
    every = [judged(shape, question.use, purpose, question.purposes, question.rules) for shape in ledger.shapes]
    every = every or [NOTHING]
    allowed = basis_of(purpose, is_ads=question.is_ads)

    def column(values: list[bool]) -> Bools:
        return np.array(values, np.bool_)

    def has(one: Judged, basis: str) -> bool:
        return basis in one.bases and basis in allowed

    return Table(
        np.array([one.role for one in every], np.int64),
        column([has(one, "consent") for one in every]),
        column([has(one, "soft_opt_in") for one in every]),
        column([one.soft_opt_in for one in every]),
        column([one.notice_is_old for one in every]),
        column([one.has_proof for one in every]),
        column([one.is_own for one in every]),
        column([one.is_confirmed for one in every]),
        column([one.signals for one in every]),
        column([one.is_for_recipient for one in every]),
    )


# --- What blocks whatever was given -------------------------------------------------------------------------
def blocks_of(rows: Rows, roles: Ints, count: int, question: Question) -> dict[int, Ints]:
    """By role the time since when it blocks each point; `LONG_AGO` where it does not, no entry where nowhere."""
    present = set(np.unique(roles).tolist())
    found: dict[int, Ints] = {}
    for role in BLOCKS:
        if role not in present:
            continue
        target = Role.BOUNCED if role == Role.BOUNCED_SOFTLY else Role(role)
        lifted = latest_of(rows, roles == Role.LIFTS + target, count)
        mine = roles == role
        if role == Role.BOUNCED_SOFTLY:
            mine &= (rows.at > question.moment.bounces_from) & (rows.at >= lifted[rows.points])
            often = np.bincount(rows.points[mine], minlength=count) >= question.rules.soft_bounces
            mine &= often[rows.points]
        since = latest_of(rows, mine, count)
        since = np.where(since >= lifted, since, LONG_AGO)
        found[target] = np.maximum(since, found[target]) if target in found else since
    return found


# --- What was given -----------------------------------------------------------------------------------------
def _status(rows: Rows, roles: Ints, table: Table, count: int, question: Question) -> tuple[Ints, Ints]:
    """Reason of each point, and since when a declaration of the person herself holds that lifts older objections."""
    status = np.full(count, _CODE["unknown"])
    is_end = (roles >= ENDS[0]) & (roles <= ENDS[-1])
    ended = latest_of(rows, is_end, count)
    if is_end.any():
        status = _end_codes(rows, roles, is_end, ended, status)
    is_alive = rows.at > ended[rows.points]
    given = declarations_of(rows, roles, is_alive, table, question.moment)
    status = _waiting(rows, roles, is_alive, status, question.moment)
    reasons = reasons_of(given, latest_of(rows, roles == Role.USED, count), question.moment)
    worst = np.zeros(count, np.int64)
    np.maximum.at(worst, given.points, reasons)
    status = np.where(worst > 0, worst, status)
    sound = reasons == 0
    status[given.points[sound]] = 0
    if _needs_no_row(question):
        # Whoever has taken it back is left alone until a sound declaration follows.
        status = np.where(ended > LONG_AGO, status, 0)
    lifted_by = np.full(count, LONG_AGO)
    own = sound & given.is_own
    np.maximum.at(lifted_by, given.points[own], given.began[own])
    return status, lifted_by


def _needs_no_row(question: Question) -> bool:
    if question.purpose is None:
        return False
    bases = set(basis_of(question.purpose, is_ads=question.is_ads)) - set(RECORDED_BASES)
    if question.purpose.lia_ref is None:
        bases.discard("legitimate_interest")
    return bool(bases)


def _end_codes(rows: Rows, roles: Ints, is_end: Bools, ended: Ints, status: Ints) -> Ints:
    newest = is_end & (rows.at == ended[rows.points])
    role = np.full(len(status), np.iinfo(np.int64).max)
    np.minimum.at(role, rows.points[newest], roles[newest])
    for one, code in _ENDED.items():
        status = np.where(role == one, code, status)
    return status


def _waiting(rows: Rows, roles: Ints, is_alive: Bools, status: Ints, moment: Moment) -> Ints:
    """Requests that nobody confirmed, and confirmations of nothing."""
    count = len(status)
    asked = latest_of(rows, is_alive & (roles == Role.REQUEST), count)
    confirmed = _has(rows.points[is_alive & (roles == Role.CONFIRM)], count)
    status = np.where(confirmed, _CODE["unproven"], status)
    waiting = np.where(asked >= moment.confirm_from, _CODE["pending"], _CODE["lapsed"])
    return np.where(asked > LONG_AGO, waiting, status)


@dataclass(frozen=True, slots=True)
class Given:
    """Declarations: what was granted at once, and requests with their confirmation."""

    points: Ints
    began: Ints
    at: Ints
    expires: Ints
    consent: Bools
    soft: Bools
    soft_facts: Bools
    notice_old: Bools
    proof: Bools
    is_own: Bools
    signals: Bools
    recipient: Bools


def declarations_of(rows: Rows, roles: Ints, is_alive: Bools, table: Table, moment: Moment) -> Given:
    """What was given and has not ended since."""
    granted = np.flatnonzero(is_alive & (roles == Role.GRANT))
    asked, confirmed = _confirmed(rows, roles, is_alive, moment)
    first, last = np.concatenate([granted, asked]), np.concatenate([granted, confirmed])
    a, b = rows.codes[first], rows.codes[last]
    is_pair = np.arange(len(first)) >= len(granted)
    return Given(
        rows.points[first],
        rows.at[first],
        rows.at[last],
        np.minimum(rows.expires[first], rows.expires[last]),
        table.consent[a],
        table.soft[a],
        table.soft_facts[a],
        # The notice was shown with the request; the link in the mail shows none.
        table.notice_old[a],
        table.proof[a] | table.proof[b],
        table.own[a] & table.own[b] & (is_pair | table.confirmed[a]) & (table.proof[a] | table.proof[b]),
        table.signals[a] | table.signals[b],
        table.recipient[a],
    )


def _confirmed(rows: Rows, roles: Ints, is_alive: Bools, moment: Moment) -> tuple[Ints, Ints]:
    """Positions of requests and of the confirmations that came for them in time."""
    chosen = np.flatnonzero(is_alive & ((roles == Role.REQUEST) | (roles == Role.CONFIRM)))
    if not (roles[chosen] == Role.CONFIRM).any():
        return chosen[:0], chosen[:0]
    is_confirm = roles[chosen] == Role.CONFIRM
    # At one instant the request comes first, and among equals the code decides, not the order of arrival.
    order = np.lexsort((rows.codes[chosen], is_confirm, rows.at[chosen], rows.points[chosen]))
    chosen, is_confirm = chosen[order], is_confirm[order]
    before = np.maximum.accumulate(np.where(is_confirm, -1, np.arange(len(chosen))))
    pairs = np.flatnonzero(is_confirm & (before >= 0))
    asked, confirmed = chosen[before[pairs]], chosen[pairs]
    fits = (rows.points[asked] == rows.points[confirmed]) & (
        rows.at[confirmed] - rows.at[asked] <= moment.confirm_span
    )  # fmt: skip
    return asked[fits], confirmed[fits]


def reasons_of(given: Given, used: Ints, moment: Moment) -> Ints:
    """What is wrong with each declaration, 0 when it is sound."""
    active = np.maximum(given.at, used[given.points])
    by_soft = given.soft & given.soft_facts
    checks = (
        (~given.consent & ~given.soft, "basis"),
        (~given.consent & ~by_soft, "soft_opt_in"),
        (given.expires <= moment.now, "expired"),
        (active < moment.stale_before, "stale"),
        (given.notice_old, "notice_old"),
        (~given.proof, "unproven"),
        (~given.signals, "signals"),
        (~given.recipient, "recipient"),
    )
    return np.select([failed for failed, _ in checks], [_CODE[name] for _, name in checks], 0).astype(np.int64)


def latest_of(rows: Rows, which: Bools, count: int) -> Ints:
    """The newest time of chosen rows by point."""
    found = np.full(count, LONG_AGO)
    np.maximum.at(found, rows.points[which], rows.at[which])
    return found


def _has(points: Ints, count: int) -> Bools:
    found = np.zeros(count, np.bool_)
    found[points] = True
    return found


def _first(reasons: list[Ints]) -> Ints:
    """Of several reasons the one that comes first in its tuple; 0 where there is none."""
    ranked = np.stack([np.where(codes == 0, 255, codes) for codes in reasons]).min(axis=0)
    return np.where(ranked == 255, 0, ranked).astype(np.int64)


def least_permissive(codes: Ints, lengths: Ints, *, empty: int, merged: int) -> Ints:
    """Codes of rows from codes of their points: the first point's own, else `merged` when another one denies.

    Args:
        codes: Of all points, row by row.
        lengths: Number of points of each row.
        empty: Code of a row without points.
        merged: Code of a row of which only another point than the first denies.
    """
    found = np.full(len(lengths), empty)
    filled = np.flatnonzero(lengths)
    if not len(filled):
        return found
    starts = np.concatenate(([0], np.cumsum(lengths)[:-1]))[filled]
    first = codes[starts]
    others = np.maximum.reduceat(codes, starts)
    found[filled] = np.where(first != 0, first, np.where(others != 0, merged, 0))
    return found
