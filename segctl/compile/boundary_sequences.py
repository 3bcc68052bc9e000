"""Events on both sides of the bounds of a sequence, for proposed tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from segctl.compile.boundaries import Clock, around, instants, middle
from segctl.compile.boundary_events import Candidate, Event, Events, template
from segctl.compile.mutate_leaves import property_type
from segctl.compile.zones import DAY, SECOND, shifted
from segctl.model import conditions as c
from segctl.model.project import Definitions

_HOUR = 3600 * SECOND
_Made = Callable[[dict[int, Event | None]], Events]


def sequence_candidates(
    leaf: c.SequenceCondition, definitions: Definitions, clock: Clock, *, base: int
) -> Iterator[Candidate]:
    """The whole sequence, each step left out, late, too early, at the end of its time, with another tie."""
    start = middle(leaf.steps[0].window, clock)
    times = _step_times(leaf.steps, base if start is None else start, clock)
    ties = dict.fromkeys(leaf.same, "tie")

    def made(changes: dict[int, Event | None]) -> Events:
        events: Events = {}
        for number, step in enumerate(leaf.steps):
            change = changes.get(number, {})
            if change is None or (step.negative and number not in changes):
                continue
            plain = template(step.events[0], step.where, definitions, clock)
            event = {"at": clock.text(times[number]), **plain, **ties, **change}
            events.setdefault(step.events[0], []).append({k: v for k, v in event.items() if v is not None})
        return events

    yield "no_events", {}
    yield "whole", made({})
    if leaf.steps[0].window is not None:
        for label, us in instants(leaf.steps[0].window, clock):
            yield label, made({0: {"at": clock.text(us)}})
    for number, step in enumerate(leaf.steps):
        word = f"step_{number + 1}"
        if not step.negative:
            yield f"without_{word}", made({number: None})
        if number:
            yield from _step_candidates(word, number, step, leaf, times, clock, made)
        for kind in step.events[1:4]:
            events, at = made({number: None}), clock.text(times[number])
            yield f"{word}_as_{kind}", {**events, kind: [*events.get(kind, []), {"at": at, **ties}]}
        yield from _step_filters(word, number, step, definitions, clock, made)


def _step_filters(
    word: str, number: int, step: c.Step, definitions: Definitions, clock: Clock, made: _Made
) -> Iterator[Candidate]:
    for entry in step.where:
        if not entry.property.startswith("time.") and not entry.path:
            of = property_type(entry, step.events, definitions)
            for label, value in around(entry.test, of, clock):
                yield f"{word}_{entry.property}_{label}", made({number: {entry.property: value}})


def _step_times(steps: Sequence[c.Step], start: int, clock: Clock) -> list[int]:
    """An instant for each step, each inside its `within`."""
    times = [start]
    for step in steps[1:]:
        previous = times[-1]
        length = _HOUR if step.within is None else shifted(previous, step.within, 1, clock.zone) - previous
        step_on = min(length // 2, _HOUR) or length
        times.append(previous + max(step_on, SECOND))
    return times


def _step_candidates(
    word: str,
    number: int,
    step: c.Step,
    leaf: c.SequenceCondition,
    times: Sequence[int],
    clock: Clock,
    made: _Made,
) -> Iterator[Candidate]:
    previous = times[number - 1]
    yield f"{word}_there", made({number: {}})
    yield f"{word}_at_once", made({number: {"at": clock.text(previous)}})
    yield f"{word}_before", made({number: {"at": clock.text(previous - SECOND)}})
    if step.within is not None:
        end = shifted(previous, step.within, 1, clock.zone)
        for label, us in (("end", end), ("end_less_1s", end - SECOND), ("end_plus_1s", end + SECOND)):
            yield f"{word}_{label}", made({number: {"at": clock.text(us)}})
        yield f"{word}_late", made({number: {"at": clock.text(end + max((end - previous) // 2, SECOND))}})
    yield f"{word}_in_the_future", made({number: {"at": clock.text(clock.now + DAY)}})
    for name in leaf.same:
        yield f"{word}_other_{name}", made({number: {name: "another"}})
