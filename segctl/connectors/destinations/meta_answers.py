"""What the Graph API answers: counts of a call, and errors that only their own codes tell apart."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from segctl.connectors.destinations.base import NotNowError, Row, Trouble, UnknownOutcomeError
from segctl.connectors.destinations.mailing import Json, within
from segctl.connectors.destinations.ways_in import closed_audience
from segctl.connectors.http import outcomes
from segctl.connectors.http.reasons import cleaner, words_of
from segctl.model.destinations import Destination

if TYPE_CHECKING:
    from segctl.connectors.http.exchange import Answer

TOO_OFTEN = frozenset({4, 17, 32, 613, 80_003, 80_004})
NO_ENTRY = frozenset({10, 102, 190, 200, 294})
CLOSED = frozenset({1_713_230, 1_487_301, 1_487_366})
"""Subcodes (and codes) of audiences that are flagged, not shared with the account, or deleted."""
USAGE = "x-business-use-case-usage"


def received(
    answer: Json, rows: Sequence[Row], people: Sequence[Mapping[str, str]]
) -> tuple[dict[str, Trouble], str | None, dict[str, int]]:
    """Troubles, note and counts of a success.

    Args:
        answer: Body; it counts invalid rows, and shows samples of what was invalid in them.
        rows: Those sent, in order.
        people: What was told of each.

    Raises:
        UnknownOutcomeError: The answer counts nothing.
    """
    count, invalid = within(answer, "num_received"), _number(within(answer, "num_invalid_entries"))
    if not isinstance(count, int):
        raise UnknownOutcomeError("the answer does not say how many rows it took")
    if count == 0:
        none = Trouble("rejected", "Meta took none of the rows", "none_received")
        return {row.key: none for row in rows}, None, {"received": 0}
    samples = json.dumps(within(answer, "invalid_entry_samples") or {}, ensure_ascii=False)
    bad = Trouble("invalid", "Meta cannot read what identifies the person", "invalid_entry")
    if invalid >= len(rows):
        return {row.key: bad for row in rows}, None, {"invalid": invalid}
    found = {}
    if invalid:
        found = {
            row.key: bad
            for row, keys in zip(rows, people, strict=True)
            if any(len(value) > 8 and value in samples for value in keys.values())
        }
    notes = []
    if count < len(rows):
        notes.append(f"Meta counts {count:,} of {len(rows):,} rows")
    if invalid > len(found):
        notes.append(f"{invalid - len(found):,} rows could not be read, Meta does not say which")
    return found, "; ".join(notes) or None, {"received": count, "invalid": invalid}


def problem(destination: Destination, answer: Answer, rows: Sequence[Row], *, now: datetime) -> Exception:
    """What to raise for an answer that is no success.

    Args:
        destination: As declared.
        answer: As it came; its status says little, 400 stands for nearly everything.
        rows: Hidden in the service's words.
        now: Present time, aware.
    """
    error = within(answer.value, "error")
    code, subcode = _number(within(error, "code")), _number(within(error, "error_subcode"))
    words = [str(within(error, name)) for name in ("error_user_msg", "message") if within(error, name)]
    why = words_of(words[0], rows) if words else None
    reason = f"answered {answer.status}" + (f", error {code}" if code else "") + (f": {why}" if why else "")
    if CLOSED & {code, subcode}:
        return closed_audience(destination, answer.url.rpartition("/users")[0].rpartition("/")[2] or "?", why)
    if code in TOO_OFTEN:
        return NotNowError(reason, wait_s=_regained_s(answer))
    if code in NO_ENTRY:
        return outcomes.forbidden(destination.name, answer.url, answer.status, why)
    # After a failure of the server nobody knows; a refusal that passes has taken nothing.
    if within(error, "is_transient") is True and answer.status < 500:
        return NotNowError(reason, wait_s=_regained_s(answer))
    found = outcomes.of_answer(destination.name, answer, now=now, clean=cleaner(rows))
    assert found is not None
    return found


def _regained_s(answer: Answer) -> float | None:
    """Seconds until calls are allowed again, from the header that counts them in minutes."""
    try:
        usage = json.loads(answer.headers.get(USAGE, ""))
        minutes = [item.get("estimated_time_to_regain_access") or 0 for items in usage.values() for item in items]
    except (ValueError, AttributeError, TypeError):
        return None
    return max(minutes) * 60.0 if any(minutes) else None


def _number(value: Json) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
