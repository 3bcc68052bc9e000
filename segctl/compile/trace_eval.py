"""Rows one at a time: every IR node on one profile and its events, in plain Python.

Working form: exact numbers are scaled integers, instants microseconds since 1970, the rest as stored.
"""

from __future__ import annotations

import hashlib
import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

from segctl.compile import ir, trace_measures, trace_sequences
from segctl.compile.places.near import is_near
from segctl.compile.trace_rows import Answer, EventRow, ProfileRow
from segctl.compile.windows import anniversary_days, span, trait_bounds
from segctl.compile.zones import DAY, day_start, from_us, local_day, to_us, wall_clock
from segctl.model.times import Anniversary, Window
from segctl.model.types import Kind, ValueType, stored_column

Same = tuple[tuple[tuple[str, ValueType], ...], tuple[object, ...]]
"""Properties and the values that events must have in them."""

_COMPARE: dict[str, Callable[..., bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}


class Rows:
    """Evaluates IR nodes for one profile at one instant.

    Args:
        profile: Traits and list answers.
        events: All events (and trait changes) of the profile, in any order.
        as_of: Aware.
        zone: The project's zone.
        members: Whether the profile belongs to the segments that the condition refers to.
    """

    def __init__(
        self,
        profile: ProfileRow,
        events: Sequence[EventRow],
        *,
        as_of: datetime,
        zone: str,
        members: Mapping[str, bool],
    ) -> None:
        self.profile, self.members, self.zone = profile, members, zone
        self.as_of, self.now = as_of, to_us(as_of)
        self.events = sorted((e for e in events if to_us(e.ts) <= self.now), key=order)
        self._measured: dict[tuple[ir.Metric, Same | None], object] = {}

    # Predicates
    def truth(self, node: ir.Predicate, event: EventRow | None = None, same: Same | None = None) -> Answer:
        """True, false, or None for unknown; on an event row where one is given."""
        return Place(self, event, same).truth(node)

    def value(self, node: ir.Expression, event: EventRow | None = None, same: Same | None = None) -> object:
        """The value in working form, None when missing."""
        return Place(self, event, same).value(node)

    def fits(self, event: EventRow, kinds: Sequence[str], where: ir.Predicate | None) -> bool:
        """The event is of a kind and passes a filter; unknown is no match."""
        return event.kind in kinds and (where is None or self.truth(where, event) is True)

    def property(self, event: EventRow, name: str, of: ValueType) -> object:
        """A property of an event in working form."""
        found = event.values.get(stored_column(name, of), event.values.get(name))
        return working(found, of)

    def selected(self, metric: ir.Metric, same: Same | None = None) -> list[EventRow]:
        """The events a metric measures, in event order."""
        found = self.in_window(metric.kinds, metric.window, metric.bounds, metric.where)
        if same is not None:
            found = [e for e in found if self.has(e, same)]
        return found if metric.latest is None else found[-metric.latest :]

    def in_window(
        self,
        kinds: Sequence[str],
        window: Window | None,
        bounds: Sequence[tuple[str, ir.Expression]],
        where: ir.Predicate | None,
    ) -> list[EventRow]:
        """Events of some kinds in a window that pass a filter, in event order."""
        return [
            e
            for e in self.events
            if e.kind in kinds
            and (window is None or self.inside(to_us(e.ts), local_day(to_us(e.ts), self.zone), window, bounds) is True)
            and (where is None or self.truth(where, e) is True)
        ]

    def has(self, event: EventRow, same: Same) -> bool:
        """The event has these values in these properties."""
        return tuple(self.property(event, name, of) for name, of in same[0]) == same[1]

    def measured(self, metric: ir.Metric, same: Same | None = None) -> object:
        """A metric's value in working form."""
        key = (metric, same)
        if key not in self._measured:
            self._measured[key] = trace_measures.measure(self, metric, self.selected(metric, same))
        return self._measured[key]

    def inside(self, at: int, day: date, window: Window, bounds: Sequence[tuple[str, ir.Expression]]) -> Answer:
        """Whether an instant (of a local day) lies in a window; unknown where a bound is missing and could decide."""
        if isinstance(window, Anniversary):
            return (day.month, day.day) in anniversary_days(window, self.as_of, self.zone)
        answers: list[Answer] = [at in span(window, self.as_of, self.zone)]
        limits = dict(bounds)
        for bound in trait_bounds(window):
            limit = self.value(limits[bound.trait])
            answers.append(None if limit is None else self._beside(at, limit, bound.op, bound.date_op, bound.date_edge))
        return kleene_and(answers)

    def _beside(self, at: int, limit: object, op: str, date_op: str, edge: str) -> bool:
        if not isinstance(limit, date):
            return _COMPARE[op](at, limit)
        day = limit + timedelta(days=1) if edge == "next" else limit
        return _COMPARE[date_op](at, day_start(day, self.zone))

    def seen_values(self, node: ir.HasCommonValue) -> list[Same]:
        """The values of `same` in events that a metric inside selects."""
        metrics = dict.fromkeys(found for found in metrics_in(node.item))
        found: dict[tuple[object, ...], None] = {}
        for metric in metrics:
            for event in self.in_window(metric.kinds, metric.window, metric.bounds, metric.where):
                values = tuple(self.property(event, name, of) for name, of in node.same)
                if None not in values:
                    found[values] = None
        return [(node.same, values) for values in found]


class Place:
    """Where a node is evaluated: on the profile, on one of its events, or on an element of a list."""

    __slots__ = ("element", "event", "rows", "same")

    def __init__(self, rows: Rows, event: EventRow | None, same: Same | None, element: object = None) -> None:
        self.rows, self.event, self.same, self.element = rows, event, same, element

    def truth(self, node: ir.Predicate) -> Answer:  # noqa: C901 - one case a node
        """True, false, or None for unknown."""
        match node:
            case ir.Constant(answer):
                return answer
            case ir.And(items):
                return kleene_and([self.truth(i) for i in items])
            case ir.Or(items):
                return kleene_or([self.truth(i) for i in items])
            case ir.AtLeast(items, n):
                answers = [self.truth(i) for i in items]
                if answers.count(True) >= n:
                    return True
                return False if answers.count(True) + answers.count(None) < n else None
            case ir.Not(item):
                return kleene_not(self.truth(item))
            case ir.IfMissing(item, then):
                answer = self.truth(item)
                return then if answer is None else answer
            case ir.Exists(value):
                return self.value(value) is not None
            case ir.IsMember(segment):
                return self.rows.members[segment]
            case ir.InSample(salt, threshold):
                return place_in_sample(salt, self.rows.profile.profile_id) < threshold
            case ir.InList():
                return self.rows.profile.lists.get(node, False)
            case ir.HasSequence(sequence):
                return trace_sequences.match(self.rows, sequence).answer
            case ir.HasCommonValue(_, item):
                return kleene_or([self.rows.truth(item, same=same) for same in self.rows.seen_values(node)])
        return self._test(node)

    def _test(self, node: ir.Predicate) -> Answer:
        """Tests of one value; unknown when it is missing."""
        match node:
            case ir.Compare(op, left, right):
                one, other = self.value(left), self.value(right)
                return None if one is None or other is None else _COMPARE[op](one, other)
            case ir.In(of, options):
                return self._present(of, lambda value: value in [working(o, of.type) for o in options])
            case ir.FoldedIn(of, options):
                return self._present(of, lambda value: str(value).casefold() in options)
            case ir.TextTest(op, of, pattern, ignore_case):
                text, part = self.value(of), self.value(pattern)
                return None if text is None or part is None else text_test(op, str(text), str(part), ignore_case)
            case ir.InWindow(of, window, bounds):
                return self._in_window(of, window, bounds)
            case ir.ArrayTest(op, of, options):
                return self._present(of, lambda value: array_test(op, value, options, of.type))
            case ir.Near(place):
                return is_near(node, [self.value(of) for of in place])
            case ir.AnyElement(of, item):
                return self._present(of, lambda value: any(self.on(e).truth(item) is True for e in value))
        raise TypeError(f"no evaluation for {type(node).__name__}")

    def on(self, element: object) -> Place:
        """The same place, on an element of a list."""
        return Place(self.rows, self.event, self.same, element)

    def _present(self, of: ir.Expression, test: Callable[[Any], bool]) -> Answer:
        value = self.value(of)
        return None if value is None else test(value)

    def _in_window(self, of: ir.Expression, window: Window, bounds: Sequence[tuple[str, ir.Expression]]) -> Answer:
        value = self.value(of)
        if value is None:
            return None
        if isinstance(value, date):
            return self.rows.inside(day_start(value, self.rows.zone), value, window, bounds)
        at = int(value)  # type: ignore[call-overload]  # an instant in microseconds
        return self.rows.inside(at, local_day(at, self.rows.zone), window, bounds)

    def value(self, node: ir.Expression) -> object:  # noqa: C901 - one case a node
        """The value in working form, None when missing."""
        match node:
            case ir.Literal(value, of):
                return working(value, of)
            case ir.StoredTrait(name, of):
                return working(self.rows.profile.traits.get(name), of)
            case ir.EventProperty(name, of):
                return None if self.event is None else self.rows.property(self.event, name, of)
            case ir.EventTime():
                return None if self.event is None else to_us(self.event.ts)
            case ir.EventTimePart(part, _):
                return None if self.event is None else time_part(part, to_us(self.event.ts), self.rows.zone)
            case ir.Element(of):
                return working(self.element, of)
            case ir.StructField(of, field, field_type):
                struct = self.value(of)
                return working(struct.get(field), field_type) if isinstance(struct, Mapping) else None
            case ir.Size(of):
                elements = self.value(of)
                return len(elements) if isinstance(elements, Sequence) else None
            case ir.MetricValue(metric):
                return self.rows.measured(metric, self.same)
            case ir.Colleagues():
                return len(self.rows.profile.colleagues.get(node, ()))
            case ir.Score():
                return self.rows.profile.scores.get(node)
            case ir.OfProfile(of):
                return Place(self.rows, self.event, None, self.element).value(of)
            case ir.Real(of):
                return as_real(self.value(of), of.type)
            case ir.DaysSince(of):
                at = self._instant(of)
                return None if at is None else float(self.rows.now - at) / float(DAY)
            case ir.YearsSince(of):
                at = self._instant(of)
                return None if at is None else self._years(self.value(of), at)
            case ir.Arithmetic(function, operands):
                return calculate(function, [self.value(o) for o in operands])
        raise TypeError(f"no evaluation for {type(node).__name__}")

    def _instant(self, of: ir.Expression) -> int | None:
        value = self.value(of)
        if value is None:
            return None
        return day_start(value, self.rows.zone) if isinstance(value, date) else int(value)  # type: ignore[call-overload]  # an instant in microseconds

    def _years(self, value: object, at: int) -> float:
        day = value if isinstance(value, date) else local_day(at, self.rows.zone)
        return float(completed_years(day, local_day(self.rows.now, self.rows.zone)))


def order(event: EventRow) -> tuple[datetime, str, str]:
    """Event order everywhere: time, source, event id."""
    return event.ts, event.source, event.event_id


def kleene_and(answers: Sequence[Answer]) -> Answer:
    """False if one is false, else unknown if one is unknown, else true."""
    return False if False in answers else None if None in answers else True


def kleene_or(answers: Sequence[Answer]) -> Answer:
    """True if one is true, else unknown if one is unknown, else false."""
    return True if True in answers else None if None in answers else False


def kleene_not(answer: Answer) -> Answer:
    """Not of unknown is unknown."""
    return None if answer is None else not answer


def working(value: object, of: ValueType) -> object:
    """A physical value with its instants as microseconds."""
    return to_us(value) if of.kind is Kind.TIME and isinstance(value, datetime) else value


def text_test(op: str, value: str, pattern: str, ignore_case: bool) -> bool:
    """A test on text."""
    text = value.casefold() if ignore_case else value
    if op == "matches":
        return _compiled(pattern).search(text) is not None
    part = pattern.casefold() if ignore_case else pattern
    match op:
        case "eq":
            return text == part
        case "contains":
            return part in text
        case "starts_with":
            return text.startswith(part)
    return text.endswith(part)


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    # Python's `$` also stands before a final newline; engines mean the very end.
    strict = pattern if pattern.startswith(("(?m", "(?im")) else re.sub(r"(?<!\\)((?:\\\\)*)\$", r"\1\\Z", pattern)
    return re.compile(strict, re.ASCII)


def array_test(op: str, value: object, options: Sequence[object], of: ValueType) -> bool:
    """Any, all or none of the options stand in a list."""
    elements = [working(e, of.element) for e in value] if isinstance(value, Sequence) and of.element else []
    stands = [option in elements for option in options]
    return all(stands) if op == "all" else any(stands) if op == "any" else not any(stands)


def time_part(part: str, us: int, zone: str) -> int | date:
    """Month, weekday (Monday 1), hour or the local date of an instant."""
    wall = wall_clock(us, zone)
    parts = {"month": wall.month, "weekday": wall.isoweekday(), "hour": wall.hour}
    return parts[part] if part in parts else wall.date()


def as_real(value: object, of: ValueType) -> float | None:
    """An exact number as a float: its scaled integer divided by the scale."""
    if not isinstance(value, int | float):
        return None
    return float(value) / float(10**of.scale) if of.scale else float(value)


def completed_years(born: date, today: date) -> int:
    """An age; 29 February has its anniversary on 28 February in common years."""
    birthday = (born.month, born.day)
    if birthday == (2, 29) and (today.month, today.day) == (2, 28) and (today + timedelta(days=1)).day == 1:
        birthday = (2, 28)
    return today.year - born.year - ((today.month, today.day) < birthday)


def calculate(function: str, values: Sequence[object]) -> float | None:
    """One step of a formula; missing in, missing out, but for coalesce."""
    numbers = [float(v) for v in values if isinstance(v, int | float)]
    if function == "coalesce":
        return numbers[0] if numbers else None
    return None if len(numbers) < len(values) else _FUNCTIONS[function](*numbers)


def _rounded(value: float) -> float:
    whole = float(int(abs(value)))
    away = whole + 1.0 if abs(value) - whole >= 0.5 else whole
    return -away if value < 0 else away


_FUNCTIONS: dict[str, Callable[..., float | None]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": lambda left, right: left / right if right else None,
    "neg": operator.neg,
    "min": lambda *values: min(values),
    "max": lambda *values: max(values),
    "abs": abs,
    "round": _rounded,
}


def place_in_sample(salt: str, profile_id: str) -> int:
    """First 63 bits of SHA-256(salt, 0x1F, profile_id)."""
    digest = hashlib.sha256(salt.encode() + b"\x1f" + profile_id.encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def metrics_in(node: object) -> Iterator[ir.Metric]:
    """The metrics of a node, outermost first; inside a common value those that are taken for it."""
    from segctl.compile.plan import parts

    if isinstance(node, ir.Metric):
        yield node
    if isinstance(node, ir.Metric | ir.OfProfile):
        return
    for part in parts(node):
        yield from metrics_in(part)


def instant(us: int) -> datetime:
    """Microseconds as an aware time."""
    return from_us(us).astimezone(UTC)
