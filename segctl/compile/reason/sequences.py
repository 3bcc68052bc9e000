"""Sequences that nobody can complete, however events come."""

from __future__ import annotations

from segctl.compile.reason.cuts import Cut, is_at_or_before
from segctl.compile.reason.selections import Events
from segctl.model.conditions import EventSelection, SequenceCondition, Step
from segctl.model.dataclass import dataclass
from segctl.model.times import EXACT_SECONDS, Duration

_SECOND = 1_000_000
_SHORTEST = {"months": 28 * 86_400, "years": 365 * 86_400}
_LONGEST = {"months": 31 * 86_400, "years": 366 * 86_400}


@dataclass(frozen=True, slots=True)
class Hopeless:
    """Why a sequence is never complete.

    Attributes:
        step: Number of the step that is to blame, from 0.
        why: In a sentence without a full stop.
    """

    step: int
    why: str


def hopeless(sequence: SequenceCondition, events: Events) -> Hopeless | None:
    """The step at which every try must fail; None when some history fulfils the sequence, as far as is known."""
    start = _earliest(sequence.steps[0], events)
    for at, step in enumerate(sequence.steps):
        if step.negative and step.within is not None and start is not None:
            deadline = Cut("now", -_seconds(step.within, _SHORTEST) * _SECOND, 1)
            if is_at_or_before(deadline, start, events.today):
                why = f"the first step's window begins less than {step.within} ago, so this time has never passed"
                return Hopeless(at, why)
        before = sequence.steps[at - 1] if at else None
        if before is not None and before.negative and not step.negative and _is_forbidden(step, before, events):
            return Hopeless(at, f"the step before forbids this event for {before.within or 'all the time in between'}")
    return None


def _earliest(step: Step, events: Events) -> Cut | None:
    ends = events.ends(EventSelection(step.events, step.window, step.where))
    return None if ends is None else ends[0]


def _is_forbidden(step: Step, before: Step, events: Events) -> bool:
    """The event must come within a time in which the negative step wants none of it."""
    if before.within is None or step.within is None:
        return False
    if _seconds(step.within, _LONGEST) > _seconds(before.within, _SHORTEST):
        return False
    wanted, forbidden = (
        EventSelection(events.kinds(each.events), None, events.filters(each.where)) for each in (step, before)
    )
    return events.is_part(wanted, forbidden)


def _seconds(length: Duration, calendar: dict[str, int]) -> int:
    return length.amount * (EXACT_SECONDS.get(length.unit) or calendar[length.unit])
