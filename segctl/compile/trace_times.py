"""When the answer can change if nothing else happens, for `explain --until`.

Every node gives a sound lower bound of the instant at which its own answer can change: windows that move,
ages, events and records dated ahead, calendar words, the deadlines of `then_not`. The earliest of them is
tried, and so on, until the answer really is another one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

from segctl.compile import ir
from segctl.compile.plan import Node, parts, walk
from segctl.compile.trace_eval import Place, Rows, Same, instant
from segctl.compile.trace_flips import FOREVER, next_flip
from segctl.compile.trace_ranges import stays_until
from segctl.compile.trace_rows import Answer, EventRow, ProfileRow
from segctl.compile.trace_sequences import deadline
from segctl.compile.zones import day_start, to_us
from segctl.model.dataclass import dataclass
from segctl.model.times import Window

MOST_STEPS, MOST_SMALL_STEPS, SMALL_STEP = 5_000, 50, 1_000_000
_AGEING = (ir.DaysSince, ir.YearsSince)


@dataclass(frozen=True, slots=True)
class NextChange:
    """The next instant at which the answer is another one.

    Attributes:
        at: Aware, UTC.
        answer: From then on.
        is_exact: False when the search was given up: the answer stays the same at least until `at`.
    """

    at: datetime
    answer: Answer
    is_exact: bool = True


def next_change(
    segment: ir.LoweredSegment,
    profile: ProfileRow,
    events: Sequence[EventRow],
    *,
    as_of: datetime,
    zone: str,
    members: Mapping[str, bool],
    until: datetime | None = None,
) -> NextChange | None:
    """When a profile's answer changes if nothing else happens; None when it never does (before `until`).

    Args:
        segment: Lowered. Its `keep`, the segments it refers to and the colleagues it counts depend on others and
            are taken as they are.
        profile: With the trait values that become valid later.
        events: All its events and trait changes, those dated ahead of as_of included.
        as_of: Aware.
        zone: The project's zone.
        members: Whether the profile belongs to each segment that this one refers to.
        until: Where to stop looking.
    """
    last = FOREVER if until is None else to_us(until)
    now = to_us(as_of)
    before = _rows(profile, events, now, zone, members).truth(segment.where)
    small_steps = 0
    for _ in range(MOST_STEPS):
        was, now = now, _Due(_rows(profile, events, now, zone, members), events).earliest(segment.where)
        if now > last or now == FOREVER:
            return None
        answer = _rows(profile, events, now, zone, members).truth(segment.where)
        if answer is not before:
            return NextChange(instant(now), answer)
        # A bound that creeps is one that no proof gets beyond, such as an age compared with another age.
        small_steps = small_steps + 1 if now - was < SMALL_STEP else 0
        if small_steps == MOST_SMALL_STEPS:
            break
    return NextChange(instant(now), before, is_exact=False)


def due_at(
    segment: ir.LoweredSegment,
    profile: ProfileRow,
    events: Sequence[EventRow],
    *,
    as_of: datetime,
    zone: str,
    members: Mapping[str, bool],
) -> datetime | None:
    """A sound lower bound of the instant at which the answer can change; None when it cannot."""
    due = _Due(_rows(profile, events, to_us(as_of), zone, members), events).earliest(segment.where)
    return None if due == FOREVER else instant(due)


def _rows(profile: ProfileRow, events: Sequence[EventRow], now: int, zone: str, members: Mapping[str, bool]) -> Rows:
    """The evaluator at an instant, with the trait values that are valid by then."""
    valid = [traits for at, traits in profile.later if to_us(at) <= now]
    then = replace(profile, traits=valid[-1]) if valid else profile
    return Rows(then, events, as_of=instant(now), zone=zone, members=members)


class _Due:
    """Lower bounds after one instant, `FOREVER` where nothing can change."""

    def __init__(self, rows: Rows, events: Sequence[EventRow]) -> None:
        self.rows, self.now, self.events = rows, rows.now, events

    def earliest(self, node: ir.Predicate) -> int:
        """The earliest of all bounds, the next trait value included."""
        later = [us for at, _ in self.rows.profile.later if (us := to_us(at)) > self.now]
        return min((self.predicate(node), *later))

    def predicate(self, node: ir.Predicate, event: EventRow | None = None, same: Same | None = None) -> int:
        """The instant at which a predicate's answer can change."""
        match node:
            case ir.And(items) | ir.Or(items) | ir.AtLeast(items, _):
                return min((self.predicate(i, event, same) for i in items), default=FOREVER)
            case ir.Not(item) | ir.IfMissing(item, _):
                return self.predicate(item, event, same)
            case ir.InWindow(value, window, bounds):
                within = [self.expression(e, event, same) for e in (value, *(bound for _, bound in bounds))]
                return min((*within, self._window(value, window, event, same)))
            case ir.HasSequence(sequence):
                return self.sequence(sequence)
            case ir.HasCommonValue(_, item):
                metrics = (self.metric(m) for m in dict.fromkeys(x for x in walk(item) if isinstance(x, ir.Metric)))
                tests = (self.predicate(item, event, one) for one in self.rows.seen_values(node))
                return min((*metrics, *tests), default=FOREVER)
            case ir.AnyElement():
                return self._elements(node, Place(self.rows, event, same))
        read = min((self.expression(e, event, same) for e in _expressions(node)), default=FOREVER)
        if any(isinstance(x, _AGEING) for x in walk(node)):
            read = min(read, stays_until(self.rows, node, event, same))
        return read

    def _elements(self, node: ir.AnyElement, place: Place) -> int:
        """A test inside a list moves with the windows that its elements enter and leave."""
        found = self.expression(node.value, place.event, place.same)
        elements = place.value(node.value)
        for element in elements if isinstance(elements, Sequence) else ():
            found = min(found, self._on_element(node.item, place.on(element)))
        return found

    def _on_element(self, node: Node, place: Place) -> int:
        if isinstance(node, ir.AnyElement):
            return self._elements(node, place)
        found = FOREVER
        if isinstance(node, ir.InWindow):
            found = self._flip(node.window, place.value(node.value))
        for part in parts(node):
            below = self.expression(part, place.event, place.same) if isinstance(part, ir.Expression) else None
            found = min(found, self._on_element(part, place) if below is None else below)
        return found

    def _window(self, value: ir.Expression, window: Window, event: EventRow | None, same: Same | None) -> int:
        return self._flip(window, self.rows.value(value, event, same))

    def _flip(self, window: Window, found: object) -> int:
        if found is None:
            return FOREVER
        at = day_start(found, self.rows.zone) if isinstance(found, date) else int(found)  # type: ignore[call-overload]  # an instant in microseconds
        return next_flip(window, at, self.now, self.rows.zone)

    def expression(self, node: ir.Expression, event: EventRow | None = None, same: Same | None = None) -> int:
        """The instant at which a value can change; ages grow all the time and are left to whoever compares them."""
        if isinstance(node, ir.MetricValue):
            return self.metric(node.metric)
        if isinstance(node, ir.Score):
            return FOREVER  # it depends on others, who are taken as they are
        return min((self.expression(e, event, same) for e in _expressions(node)), default=FOREVER)

    def metric(self, metric: ir.Metric) -> int:
        """The instant at which a metric can change: an event comes, enters or leaves, or passes a filter."""
        bounds = (self.expression(bound) for _, bound in metric.bounds)
        own = self._events(metric.kinds, metric.window, metric.where)
        shared = self._events(metric.kinds, None, metric.measure.where)
        followed = metric.measure.followed
        then = FOREVER if followed is None else self._events(followed.kinds, None, followed.where)
        return min((own, shared, then, *bounds))

    def sequence(self, sequence: ir.Sequence) -> int:
        """The instant at which a sequence can change: as for metrics, or a `then_not` has waited long enough."""
        found = FOREVER
        for step in sequence.steps:
            found = min((found, *(self.expression(bound) for _, bound in step.bounds)))
            found = min(found, self._events(step.kinds, step.window, step.where))
            if step.negative and step.within is not None:
                found = min(found, self._deadline(sequence, step))
        return found

    def _deadline(self, sequence: ir.Sequence, step: ir.Step) -> int:
        assert step.within is not None, "an open step has no deadline"
        kinds = {kind for s in sequence.steps if not s.negative for kind in s.kinds}
        ends = (deadline(self.rows, e, step.within) for e in self.rows.events if e.kind in kinds)
        return min((end for end in ends if end > self.now), default=FOREVER)

    def _events(self, kinds: Sequence[str], window: Window | None, where: ir.Predicate | None) -> int:
        """The instant at which the events of some kinds that lie in a window and pass a filter can become others."""
        found = FOREVER
        for event in self.events:
            if event.kind not in kinds:
                continue
            at = to_us(event.ts)
            if at > self.now:
                found = min(found, at)
                continue
            passing = FOREVER if where is None else self.predicate(where, event)
            found = min(found, passing)
            if window is not None and (passing < FOREVER or where is None or self.rows.truth(where, event) is True):
                found = min(found, next_flip(window, at, self.now, self.rows.zone))
        return found


def _expressions(node: object) -> Iterator[ir.Expression]:
    """The expressions directly inside a node."""
    for part in parts(node):
        if isinstance(part, ir.Expression):
            yield part
