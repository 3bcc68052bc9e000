"""Sequences and followers, one profile at a time, with the events that matched."""

from __future__ import annotations

from collections.abc import Sequence

from segctl.compile import ir
from segctl.compile.trace_rows import EventRow, RowsAsked
from segctl.compile.zones import shifted, to_us
from segctl.model.dataclass import dataclass
from segctl.model.times import Duration
from segctl.model.types import ValueType


@dataclass(frozen=True, slots=True)
class Match:
    """The best assignment of events to steps.

    Attributes:
        answer: All steps hold.
        events: Events of the positive steps that hold, in order; of the longest attempt when there is no match.
        failed_step: 0-based step that nothing fulfilled in the longest attempt, None for a match.
        blocked_by: The event that breaks that step, where it is a `then_not`.
    """

    answer: bool
    events: tuple[EventRow, ...] = ()
    failed_step: int | None = None
    blocked_by: EventRow | None = None


def follower(rows: RowsAsked, event: EventRow, wanted: ir.Followed) -> EventRow | None:
    """The first event that follows in the sense of a sequence's `then`, None without one."""
    return next(
        (
            later
            for later in rows.events
            if _is_later(later, event)
            and _within(rows, event, later, wanted.within)
            and rows.fits(later, wanted.kinds, wanted.where)
            and tied(rows, event, later, wanted.same)
        ),
        None,
    )


def tied(rows: RowsAsked, event: EventRow, other: EventRow, same: Sequence[tuple[str, ValueType]]) -> bool:
    """Both share every property; a missing value ties with nothing."""
    return all(
        (value := rows.property(event, name, of)) is not None and value == rows.property(other, name, of)
        for name, of in same
    )


def match(rows: RowsAsked, sequence: ir.Sequence) -> Match:
    """Whether some events fulfil all steps, and how far the longest attempt comes."""
    best = Match(answer=False, failed_step=0)
    for start in candidates(rows, sequence):
        found = _go_on(rows, sequence, 1, start, (start,))
        if found.answer:
            return found
        if (found.failed_step or 0) > (best.failed_step or 0):
            best = found
    return best


def candidates(rows: RowsAsked, sequence: ir.Sequence) -> list[EventRow]:
    """The events that may be step 1."""
    first = sequence.steps[0]
    found = rows.in_window(first.kinds, first.window, first.bounds, first.where)
    if sequence.start == "any" or not found:
        return found
    return [found[0 if sequence.start == "first" else -1]]


def _go_on(rows: RowsAsked, sequence: ir.Sequence, at: int, start: EventRow, matched: tuple[EventRow, ...]) -> Match:
    """The steps from `at` on, after the events matched so far."""
    if at == len(sequence.steps):
        return Match(answer=True, events=matched)
    step, previous = sequence.steps[at], matched[-1]
    if step.negative:
        return _without(rows, sequence, at, start, matched)
    best = Match(answer=False, events=matched, failed_step=at)
    for event in rows.events:
        if (
            _is_later(event, previous)
            and _within(rows, previous, event, step.within)
            and rows.fits(event, step.kinds, step.where)
            and tied(rows, start, event, sequence.same)
            and _open_gaps_hold(rows, sequence, at, start, previous, event)
        ):
            found = _go_on(rows, sequence, at + 1, start, (*matched, event))
            if found.answer:
                return found
            if (found.failed_step or 0) > (best.failed_step or 0):
                best = found
    return best


def _without(rows: RowsAsked, sequence: ir.Sequence, at: int, start: EventRow, matched: tuple[EventRow, ...]) -> Match:
    """A `then_not`; without `within` and before a later positive step, that step's event decides it."""
    step, previous = sequence.steps[at], matched[-1]
    is_open = step.within is None and any(not later.negative for later in sequence.steps[at + 1 :])
    if is_open:
        return _go_on(rows, sequence, at + 1, start, matched)
    if step.within is not None and deadline(rows, previous, step.within) > rows.now:
        return Match(answer=False, events=matched, failed_step=at)
    blocking = _standing(rows, sequence, step, start, previous)
    if blocking is not None:
        return Match(answer=False, events=matched, failed_step=at, blocked_by=blocking)
    return _go_on(rows, sequence, at + 1, start, matched)


def _open_gaps_hold(
    rows: RowsAsked, sequence: ir.Sequence, at: int, start: EventRow, previous: EventRow, event: EventRow
) -> bool:
    """The `then_not` steps without `within` right before this step find nothing before its event."""
    for step in reversed(sequence.steps[1:at]):
        if not step.negative:
            return True
        if step.within is None and _standing(rows, sequence, step, start, previous, before=event) is not None:
            return False
    return True


def _standing(
    rows: RowsAsked,
    sequence: ir.Sequence,
    step: ir.Step,
    start: EventRow,
    previous: EventRow,
    *,
    before: EventRow | None = None,
) -> EventRow | None:
    """The first event that a `then_not` forbids, None without one."""
    return next(
        (
            e
            for e in rows.events
            if e is not previous
            and e.ts >= previous.ts
            and (before is None or _is_later(before, e))
            and _within(rows, previous, e, step.within)
            and rows.fits(e, step.kinds, step.where)
            and tied(rows, start, e, sequence.same)
        ),
        None,
    )


def deadline(rows: RowsAsked, event: EventRow, within: Duration) -> int:
    """The last instant of a length that begins with an event, in microseconds."""
    return shifted(to_us(event.ts), within, 1, rows.zone)


def _within(rows: RowsAsked, event: EventRow, other: EventRow, within: Duration | None) -> bool:
    return within is None or to_us(other.ts) <= deadline(rows, event, within)


def _is_later(event: EventRow, than: EventRow) -> bool:
    return (event.ts, event.source, event.event_id) > (than.ts, than.source, than.event_id)
