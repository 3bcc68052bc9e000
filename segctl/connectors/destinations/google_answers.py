"""What the Data Manager API answers: the state of a request, row by row where it says so, and its errors."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from segctl.connectors.destinations.base import BatchRefusedError, NotNowError, Row, Sent, Trouble, place
from segctl.connectors.destinations.jobs import Job
from segctl.connectors.destinations.mailing import Json, listed, within
from segctl.connectors.http import outcomes
from segctl.connectors.http.reasons import cleaner, words_of

if TYPE_CHECKING:
    from segctl.connectors.http.exchange import Answer

WAIT_S = 60.0
GOES_ON = frozenset({None, "", "REQUEST_STATUS_UNKNOWN", "PROCESSING"})
_PREFIX = re.compile(r"PROCESSING_(?:ERROR|WARNING)_(?:REASON_)?")
_NEVER = frozenset({"INVALID_FORMAT", "DENIED_CONSENT", "NO_CONSENT", "UNKNOWN_CONSENT"})
"""Reasons that the same row meets again; the others may pass."""
_MEMBER = re.compile(r"audience_?members\[(\d+)\]", re.IGNORECASE)
_SECONDS = re.compile(r"(\d+(?:\.\d+)?)s")


def state(body: Json, job: Job) -> Sent:
    """How a request stands.

    Args:
        body: Answer of `requestStatus:retrieve`; every request of ours has one destination.
        job: The request.
    """
    entry = next(iter(listed(body, "requestStatusPerDestination")), None)
    word = within(entry, "requestStatus")
    if word in GOES_ON:
        return Sent(job.troubles(), job=str(job), wait_s=WAIT_S)
    places = job.places()[0]
    errors = _counts(within(entry, "errorInfo", "errorCounts"))
    troubles = job.troubles()
    for reason, _, indices in errors:
        rows = places if word == "FAILED" else [places[at] for at in indices if 0 <= at < len(places)]
        troubles |= {place(at): _trouble(reason) for at in rows}
    if word == "FAILED" and not errors:
        troubles |= {place(at): _trouble("FAILED") for at in places}
    return Sent(troubles, note=_note(entry, word, errors), counts=_numbers(entry, errors))


def _counts(value: Json) -> list[tuple[str, int, list[int]]]:
    """Reason, number of rows and the indices that are told; numbers come as text (int64 in JSON)."""
    found = []
    for item in value if isinstance(value, list) else []:
        reason = _PREFIX.sub("", str(within(item, "reason") or "UNSPECIFIED"))
        indices = [int(at) for at in listed(item, "recordIndices")]
        found.append((reason, _number(within(item, "recordCount")), indices))
    return found


def _trouble(reason: str) -> Trouble:
    words = reason.replace("_", " ").lower()
    return Trouble("invalid" if reason in _NEVER else "rejected", f"Google says: {words}", reason)


def _note(entry: Json, word: str, errors: Sequence[tuple[str, int, list[int]]]) -> str | None:
    """Match rate, and rows that are refused without a word on which."""
    found = []
    rate = within(entry, "audienceMembersIngestionStatus", "userDataIngestionStatus", "uploadMatchRateRange")
    if rate and not rate.endswith(("UNKNOWN", "NOT_ELIGIBLE")):
        found.append(f"match rate {rate.removeprefix('MATCH_RATE_RANGE_').replace('_', ' ').lower()} %")
    if word != "FAILED":
        nameless = [(reason, count - len(at)) for reason, count, at in errors if count > len(at)]
        found += [f"{count:,} rows refused as {reason}, Google does not say which" for reason, count in nameless]
    warnings = _counts(within(entry, "warningInfo", "warningCounts"))
    found += [f"{count:,} rows with the warning {reason}" for reason, count, _ in warnings]
    return "; ".join(found) or None


def _numbers(entry: Json, errors: Sequence[tuple[str, int, list[int]]]) -> dict[str, int]:
    found = {f"refused {reason}": count for reason, count, _ in errors}
    for status, data in (
        ("audienceMembersIngestionStatus", "userDataIngestionStatus"),
        ("audienceMembersRemovalStatus", "userDataRemovalStatus"),
    ):
        for name, said in (("received", "recordCount"), ("identifiers", "userIdentifierCount")):
            value = within(entry, status, data, said)
            if value is not None:
                found[name] = _number(value)
    return found


def _number(value: Json) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        return 0


def problem(destination: str, answer: Answer, rows: Sequence[Row], *, now: datetime) -> Exception | None:
    """What to raise for an answer; None for a success.

    Args:
        destination: Its name.
        answer: As it came.
        rows: Those sent, in order: errors point at members by index.
        now: Present time, aware.
    """
    found = outcomes.of_answer(destination, answer, now=now, clean=cleaner(rows))
    details = listed(answer.value, "error", "details")
    if isinstance(found, NotNowError):
        quota = " ".join(str(within(detail, "metadata", "quota_limit") or "") for detail in details)
        if "perday" in quota.replace("_", "").replace(" ", "").lower():
            return NotNowError(found.reason, is_daily=True)
        delay = next((d for d in (within(detail, "retryDelay") for detail in details) if d), "")
        seconds = _SECONDS.fullmatch(str(delay))
        return NotNowError(found.reason, wait_s=found.wait_s or (float(seconds[1]) if seconds else None))
    if not isinstance(found, BatchRefusedError) or found.is_size:
        return found
    reasons: dict[str, str] = {}
    for violation in (item for detail in details for item in listed(detail, "fieldViolations")):
        pointed = _MEMBER.search(str(within(violation, "field") or ""))
        if pointed and int(pointed[1]) < len(rows):
            row = rows[int(pointed[1])]
            reasons.setdefault(row.key, words_of(str(within(violation, "description") or ""), [row]))
    if reasons:
        code = str(within(answer.value, "error", "status") or answer.status)
        return BatchRefusedError(found.reason, code=code, rows=reasons)
    # Not about members, so no other rows would pass: the list, the account, the terms, a date.
    return outcomes.refused(destination, answer.url, answer.status, found.reason)
