"""What is measured of events, and traits as expressions: metrics, sequences, formulas."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Literal, cast

from segctl.compile import ir
from segctl.compile.lower_tests import Names, conjunction, inside, lower_test, real, window_bounds
from segctl.model import conditions as c
from segctl.model.project import RELATED, Definitions
from segctl.model.times import Anniversary, Window
from segctl.model.types import DATE, INTEGER, REAL, TEXT, TIME, Kind, ValueType

Lists = Mapping[tuple[str, str | None], Collection[str]]

TIME_PARTS = {"time.month": INTEGER, "time.weekday": INTEGER, "time.hour": INTEGER, "time.date": DATE}
_SHARE = ValueType(Kind.REAL, unit="share")
_DAYS = ValueType(Kind.REAL, unit="days")


class Lowering:
    """Looks names up in the definitions and lowers what refers to events.

    Args:
        definitions: Bound; every name in them resolves.
        lists: Texts of list files by (name, None), for ``{list: name}`` under `in`.
    """

    def __init__(self, definitions: Definitions, lists: Lists) -> None:
        self.project = definitions.project
        self.computed = definitions.computed
        self.lists = lists
        self.names = Names(self.trait, self.texts)
        self._stored = {trait.name: trait for trait in self.project.traits}
        self._events = {event.name: event for event in self.project.event_kinds}
        self._tables = {RELATED + table.name: table for table in self.project.related}

    def texts(self, name: str) -> Collection[str]:
        """The texts of a list file.

        Raises:
            KeyError: Nobody has read the file.
        """
        return self.lists[name, None]

    def trait(self, name: str) -> ir.Expression:
        """A stored trait's value, or how a computed one is computed."""
        stored = self._stored.get(name)
        if stored is not None:
            return ir.StoredTrait(name, stored.type)
        computed = self.computed[name]
        if computed.formula is not None:
            return self.formula(computed.formula)
        if computed.selection is None or computed.measure is None:
            raise ValueError(f"`{name}` has neither a formula nor a measure")
        if isinstance(computed.selection, c.RelatedSelection):
            return ir.MetricValue(self.rows_metric(computed.selection, computed.measure))
        return ir.MetricValue(self.metric(computed.selection, computed.measure))

    def formula(self, formula: c.Formula) -> ir.Expression:
        """Float arithmetic; exact traits become real numbers first."""
        match formula:
            case c.Number(value):
                return ir.Literal(float(value), REAL)
            case c.TraitValue(trait):
                return real(self.trait(trait))
            case c.Score(of, groups, best, beside):
                other = None if beside is None else self.trait(beside.trait)
                return ir.Score(self.trait(of.trait), groups, best, other)
            case c.Call("days_since", (c.TraitValue(trait),)):
                return ir.DaysSince(self.trait(trait))
            case c.Call("years_since", (c.TraitValue(trait),)):
                return ir.YearsSince(self.trait(trait))
            case c.Call(function, operands):
                name = cast("Literal['+', '-', '*', '/', 'neg', 'min', 'max', 'abs', 'round', 'coalesce']", function)
                return ir.Arithmetic(name, tuple(self.formula(operand) for operand in operands))

    # --- Metrics -------------------------------------------------------------------------------------------
    def metric(self, selection: c.EventSelection, measure: c.Measure) -> ir.Metric:
        """A measure over selected events; equal questions give equal metrics."""
        kinds = self.kinds(selection.events)
        lowered, of = self.measure(measure, kinds)
        window, where = _span_and_filter(selection.window, self.where(selection.where, kinds))
        bounds = window_bounds(window, self.names)
        return ir.Metric(kinds, lowered, of, window, where, selection.latest, bounds)

    def rows_metric(self, selection: c.RelatedSelection, measure: c.Measure) -> ir.Metric:
        """A measure over the selected rows of a related table."""
        kinds = (RELATED + selection.table,)
        lowered, of = self.measure(measure, kinds)
        return ir.Metric(kinds, lowered, of, where=self.where(selection.where, kinds))

    def changes(self, condition: c.ChangedCondition) -> ir.Metric:
        """How many changes of a stored trait's history fit."""
        of = self._stored[condition.trait].type
        ends = [(end, value) for end, value in (("old", condition.old), ("new", condition.new)) if value is not None]
        tests = [
            lower_test(ir.EventProperty(end, of), c.ValueTest("equals", (value,)), self.names) for end, value in ends
        ]
        window, where = _span_and_filter(condition.window, conjunction(tests) if tests else None)
        kinds = (f"trait:{condition.trait}",)
        return ir.Metric(kinds, ir.Measure("count"), INTEGER, window, where, bounds=window_bounds(window, self.names))

    def measure(self, measure: c.Measure, kinds: tuple[str, ...]) -> tuple[ir.Measure, ValueType]:
        """The measure and the type of what it gives."""
        match measure:
            case c.Count(followed):
                return ir.Measure("count", followed=self.followed(followed) if followed else None), INTEGER
            case c.Periods(unit):
                return ir.Measure(unit), INTEGER
            case c.Share(where):
                return ir.Measure("share", where=self.where(where, kinds)), _SHARE
            case c.EdgeTime(edge):
                return ir.Measure("first_time" if edge == "first" else "last_time"), TIME
            case c.Gap("average"):
                return ir.Measure("gap_average"), _DAYS
            case c.Gap(function):
                return ir.Measure("gap_max" if function == "max" else "gap_last"), _DAYS
            case c.EdgeValue(edge, of, path):
                value = self.property(kinds, of, path)
                return ir.Measure("first_value" if edge == "first" else "last_value", value), value.type
            case c.MostFrequent(of, path):
                value = self.property(kinds, of, path)
                return ir.Measure("most_frequent", value), value.type
            case c.Aggregate(name, of, path):
                value = self.property(kinds, of, path)
                return ir.Measure(name, value), _aggregate_type(name, value.type)

    def followed(self, follower: c.FollowedBy) -> ir.Followed:
        """The later event that must exist."""
        kinds = self.kinds(follower.events)
        return ir.Followed(kinds, self.where(follower.where, kinds), self.same(follower.same, kinds), follower.within)

    def sequence(self, condition: c.SequenceCondition) -> ir.Sequence:
        """The steps with their kinds and filters."""
        steps = []
        for step in condition.steps:
            kinds = self.kinds(step.events)
            window, where = _span_and_filter(step.window, self.where(step.where, kinds))
            bounds = window_bounds(window, self.names)
            steps.append(ir.Step(kinds, where, step.negative, window, step.within, bounds))
        return ir.Sequence(tuple(steps), condition.start, self.same(condition.same, steps[0].kinds))

    # --- Properties ----------------------------------------------------------------------------------------
    def kinds(self, events: Sequence[str]) -> tuple[str, ...]:
        """Event kinds in order of name; ``*`` is every declared one."""
        return tuple(sorted((event.name for event in self.project.events) if "*" in events else set(events)))

    def same(self, properties: Sequence[str], kinds: Sequence[str]) -> tuple[tuple[str, ValueType], ...]:
        """Tying properties with their types."""
        return tuple((name, self.property(kinds, name).type) for name in properties)

    def property(self, kinds: Sequence[str], name: str, path: Sequence[str] = ()) -> ir.Expression:
        """A property of events of these kinds, or a part of their local time."""
        if name in TIME_PARTS and not path:
            part = cast("Literal['month', 'weekday', 'hour', 'date']", name.removeprefix("time."))
            return ir.EventTimePart(part, TIME_PARTS[name])
        declared = (self._events.get(kind) or self._tables.get(kind) for kind in kinds)
        types = (one.property_type(name) for one in declared if one is not None)
        of = next((found for found in types if found is not None), TEXT)
        return inside(ir.EventProperty(name, of), path)

    def where(self, tests: Sequence[c.PropertyTest], kinds: Sequence[str]) -> ir.Predicate | None:
        """All tests on the event row, in order of property so that equal filters are equal nodes."""
        if not tests:
            return None
        ordered = sorted(tests, key=lambda test: (test.property, test.path))
        return conjunction(
            [lower_test(self.property(kinds, test.property, test.path), test.test, self.names) for test in ordered]
        )


def _span_and_filter(window: Window | None, where: ir.Predicate | None) -> tuple[Window | None, ir.Predicate | None]:
    """An anniversary is no span of instants, so it becomes a test of the event row's time."""
    if not isinstance(window, Anniversary):
        return window, where
    day = ir.InWindow(ir.EventTime(), window)
    return None, day if where is None else ir.And((day, where))


def _aggregate_type(name: str, of: ValueType) -> ValueType:
    if name == "distinct":
        return INTEGER
    return replace(REAL, unit=of.unit) if name == "average" else of
