"""The oracle on one profile: conditions, measures and sequences exactly as `language.md` words them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from oracle_data import Answer, Event, Profile, World, consent_at, event_leaves, live_records, trait_at, trait_changes
from oracle_places import near
from oracle_related import rows_of
from oracle_values import (
    DAY_US,
    EDGE,
    NEGATED,
    age,
    aggregate,
    calculate,
    comes_before,
    compared,
    folded,
    gap,
    inside,
    key,
    microseconds,
    real,
    rewritten,
    sample_place,
    type_inside,
)
from oracle_windows import Clock, first_day_of, kleene_and, kleene_not, kleene_or, local_day, shifted

from segctl.model import conditions as c
from segctl.model import times
from segctl.model.project import EventKind, RelatedTable
from segctl.model.types import DATE, INTEGER, REAL, TEXT, TIME, ValueType


class Person:
    """Answers conditions for one profile at one instant."""

    def __init__(self, world: World, profile: Profile, members: Mapping[str, frozenset[str]]) -> None:
        self.world, self.profile, self.members = world, profile, members
        self.zone = ZoneInfo(world.project.timezone)
        self.clock = Clock(world.as_of, self.zone, self.trait)
        mine = (e for e in world.events if e.subject in profile.subjects and e.ts <= world.as_of)
        self.events = sorted(mine, key=lambda e: e.order)
        self.met_forbidden_unknown = False
        self.everybody: Sequence[Person] = (self,)

    @property
    def exists(self) -> bool:
        """A live record or an event at or before as_of."""
        return bool(live_records(self.profile.records, self.world.as_of)) or bool(self.events)

    # Values
    def trait_type(self, name: str) -> ValueType:
        """Declared type of a stored or computed trait."""
        computed = self.world.definitions.computed.get(name)
        stored = self.world.project.trait(name)
        assert computed or stored
        return computed.type if computed else stored.type

    def trait(self, name: str) -> Any:
        """The value of a stored or computed trait."""
        computed = self.world.definitions.computed.get(name)
        if computed is None:
            return trait_at(self.profile.records, name, self.world.as_of, self.world.rule(name))
        if isinstance(computed.formula, c.Score):
            return self.score(computed.formula)
        if computed.formula is not None:
            return self.formula(computed.formula)
        assert computed.selection is not None
        assert computed.measure is not None
        return self.measure(self.select(computed.selection), computed.measure)

    def place_value(self, of: c.PlaceTrait) -> Any:
        """What a trait says of the profile's place."""
        return inside(self.trait(of.trait), of.path)

    def score(self, of: c.Score) -> int | None:
        """One more than so many groups as profiles with a worse value fill, counted one by one."""
        ranked = [p for p in self.everybody if of.beside is None or p.trait(of.beside.trait) is not None]
        values = [value for p in ranked if (value := p.trait(of.of.trait)) is not None]
        mine = self.trait(of.of.trait)
        if mine is None or (of.beside is not None and self.trait(of.beside.trait) is None):
            return None
        worse = sum(value < mine if of.best == "high" else value > mine for value in values)
        return 1 + of.groups * worse // len(values)

    def formula(self, formula: c.Formula) -> float | None:
        """Float arithmetic; missing in, missing out, but for coalesce."""
        match formula:
            case c.Number(value):
                return float(value)
            case c.TraitValue(trait):
                return real(self.trait(trait), self.trait_type(trait))
            case c.Call("days_since", (c.TraitValue(trait),)):
                moment = self.trait(trait)
                return None if moment is None else microseconds(self.world.as_of - self.clock.instant(moment)) / DAY_US
            case c.Call("years_since", (c.TraitValue(trait),)):
                moment = self.trait(trait)
                return None if moment is None else float(age(local_day(moment, self.zone), self.clock.today))
            case c.Call(function, operands):
                return calculate(function, [self.formula(o) for o in operands])
        raise TypeError(formula)

    def property_of(self, event: Event, name: str, path: Sequence[str] = ()) -> Any:
        """A property of an event or a part of its local time; missing when its kind does not declare it."""
        if name.startswith("time."):
            local = event.ts.astimezone(self.zone)
            parts = {"month": local.month, "weekday": local.isoweekday(), "hour": local.hour, "date": local.date()}
            return parts[name.removeprefix("time.")]
        kind = self.kind(event.kind)
        assert kind is not None
        return None if kind.property_type(name) is None else inside(event.properties.get(name), path)

    def kind(self, name: str) -> EventKind | RelatedTable | None:
        """The declared kind of events; ``related:NAME`` is a table."""
        table = name.removeprefix("related:")
        return self.world.project.event(name) if table == name else self.world.project.table(table)

    def property_type(self, kinds: Sequence[str], name: str, path: Sequence[str] = ()) -> ValueType:
        """Declared type of a property in these kinds."""
        if name.startswith("time."):
            return DATE if name == "time.date" else INTEGER
        declared = [self.kind(kind) for kind in self.kinds(kinds)]
        found = [t for kind in declared if kind is not None and (t := kind.property_type(name)) is not None]
        return type_inside(found[0], path) if found else TEXT

    def operand(self, operand: c.Operand) -> tuple[Any, ValueType | None]:
        """Value and type of the right-hand side."""
        if isinstance(operand, c.TraitOperand):
            return self.trait(operand.trait), self.trait_type(operand.trait)
        if isinstance(operand, times.Duration):
            return times.EXACT_SECONDS[operand.unit] * operand.amount / 86_400, REAL
        return operand, None

    # Tests
    def passes(self, value: Any, value_type: ValueType, test: c.Test) -> Answer:
        """One operator on one value; unknown when it is missing."""
        if not isinstance(test, c.ValueTest):
            return None if value is None else self.clock.holds(test, value)
        if test.operator == "exists":
            return (value is not None) == test.operands[0]
        if test.operator in NEGATED:
            return kleene_not(self.passes(value, value_type, rewritten(test, NEGATED[test.operator])))
        if value is None:
            return None
        if test.operator == "size":
            return self.passes(len(value), INTEGER, test.element[0][1])
        if test.operator == "any_element":
            assert value_type.element is not None
            return any(self.element_fits(element, value_type.element, test) for element in value)
        if test.operator == "between":
            low, high = test.operands
            at_least, at_most = rewritten(test, "at_least", low), rewritten(test, "at_most", high)
            return kleene_and(self.passes(value, value_type, at_least), self.passes(value, value_type, at_most))
        options = [pair for o in test.operands for pair in self.options(o)]
        if test.operator in ("any_of", "all_of"):
            stands = [self.in_list(value, option, test) for option, _ in options]
            return any(stands) if test.operator == "any_of" else all(stands)
        return kleene_or(*(compared(value, value_type, option, kind, test) for option, kind in options))

    def options(self, operand: c.Operand) -> Iterator[tuple[Any, ValueType | None]]:
        """The values an operand stands for: many for a list file."""
        if isinstance(operand, c.ListOperand):
            yield from ((text, None) for text in sorted(self.world.lists[operand.name, None]))
        else:
            yield self.operand(operand)

    def in_list(self, elements: list[Any], option: Any, test: c.ValueTest) -> bool:
        """Whether an option stands among a list's elements."""
        return any(folded(element, test) == folded(option, test) for element in elements)

    def element_fits(self, element: Any, element_type: ValueType, test: c.ValueTest) -> bool:
        """All tests hold on one and the same element; unknown is no match."""
        return all(
            self.passes(
                inside(element, name.split(".") if name else ()),
                type_inside(element_type, name.split(".") if name else ()),
                part,
            )
            is True
            for name, part in test.element
        )

    def fits(self, event: Event, kinds: Sequence[str], where: Sequence[c.PropertyTest]) -> bool:
        """The event's kind is among these and every test of `where` is true; unknown is no match."""
        if event.kind not in self.kinds(kinds):
            return False
        return all(
            self.passes(self.property_of(event, t.property, t.path), self.test_type(event, t), t.test) is True
            for t in where
        )

    def test_type(self, event: Event, test: c.PropertyTest) -> ValueType:
        """Type of what a test of `where` looks at; any will do for a property that is missing."""
        missing = self.property_of(event, test.property, test.path) is None
        return TEXT if missing else self.property_type((event.kind,), test.property, test.path)

    def kinds(self, kinds: Sequence[str]) -> tuple[str, ...]:
        """`"*"` is every declared kind."""
        return tuple(e.name for e in self.world.project.events) if "*" in kinds else tuple(kinds)

    # Events
    def select(
        self, selection: c.EventSelection | c.RelatedSelection, among: Sequence[Event] | None = None
    ) -> list[Event]:
        """Kinds, then window, then `where`, then only the newest `latest` of those; of a table the live rows."""
        if isinstance(selection, c.RelatedSelection):
            rows = rows_of(self.world.rows, selection.table, self.profile.subjects, self.world.as_of)
            return [row for row in rows if self.fits(row, (row.kind,), selection.where)]
        window = selection.window
        chosen = [
            e
            for e in (self.events if among is None else among)
            if (window is None or self.clock.holds(window, e.ts) is True)
            and self.fits(e, selection.events, selection.where)
        ]
        return chosen if selection.latest is None else chosen[-selection.latest :]

    def measure(self, chosen: list[Event], measure: c.Measure) -> Any:
        """The measure's value; None when missing."""
        match measure:
            case c.Count(None):
                return len(chosen)
            case c.Count(c.FollowedBy() as follower):
                return sum(any(self.follows(e, f, follower) for f in self.events) for e in chosen)
            case c.Periods(unit):
                return len({first_day_of(unit, local_day(e.ts, self.zone)) for e in chosen})
            case c.Share(where):
                fitting = sum(self.fits(e, (e.kind,), where) for e in chosen)
                return fitting / len(chosen) if chosen else None
            case c.EdgeTime(edge):
                return chosen[EDGE[edge]].ts if chosen else None
            case c.EdgeValue(edge, of, path):
                return self.property_of(chosen[EDGE[edge]], of, path) if chosen else None
            case c.Gap(function):
                return gap([e.ts for e in chosen], function)
            case c.MostFrequent(of, path):
                values = [v for e in chosen if (v := self.property_of(e, of, path)) is not None]
                newest_first = list(reversed(values))
                return max(newest_first, key=values.count) if values else None
            case c.Aggregate(function, of, path):
                values = [v for e in chosen if (v := self.property_of(e, of, path)) is not None]
                kinds = sorted({e.kind for e in chosen if self.property_of(e, of, path) is not None})
                return aggregate(function, values, self.property_type(kinds, of, path) if kinds else INTEGER)
        raise TypeError(measure)

    def follows(self, event: Event, other: Event, follower: c.FollowedBy) -> bool:
        """In the sense of a sequence's `then`."""
        return (
            self.fits(other, follower.events, follower.where)
            and self.tied(event, other, follower.same)
            and other.order > event.order
            and self.within(event, other, follower.within)
        )

    def within(self, event: Event, other: Event, length: times.Duration | None) -> bool:
        """The other event lies within a length of the event, included at its end."""
        return length is None or other.ts <= shifted(event.ts, length, 1, self.zone)

    def tied(self, event: Event, other: Event, same: Sequence[str]) -> bool:
        """Both share every property; a missing value ties with nothing."""
        return all(
            self.property_of(event, name) is not None and self.property_of(event, name) == self.property_of(other, name)
            for name in same
        )

    # Sequences
    def sequence(self, sequence: c.SequenceCondition) -> bool:
        """Some assignment of events to the positive steps fulfils every step."""
        first, *later = sequence.steps
        candidates = self.select(c.EventSelection(first.events, first.window, first.where))
        if sequence.start != "any" and candidates:
            candidates = [candidates[EDGE[sequence.start]]]
        fitting = [[e for e in self.events if self.fits(e, s.events, s.where)] for s in later if not s.negative]
        choices = itertools.product(candidates, *fitting)
        return any(self.assignment_holds(sequence, later, list(chosen)) for chosen in choices)

    def assignment_holds(self, sequence: c.SequenceCondition, later: Sequence[c.Step], chosen: list[Event]) -> bool:
        """`then` after the previous positive step's event and in time; `then_not` free of fitting events."""
        start, previous, rest = chosen[0], chosen[0], chosen[1:]
        for step in later:
            if step.negative:
                if not self.nothing_stands(sequence, step, start, previous, rest[0] if rest else None):
                    return False
            else:
                event = rest.pop(0)
                in_time = event.order > previous.order and self.within(previous, event, step.within)
                if not in_time or not self.tied(start, event, sequence.same):
                    return False
                previous = event
        return True

    def nothing_stands(
        self, sequence: c.SequenceCondition, step: c.Step, start: Event, previous: Event, following: Event | None
    ) -> bool:
        """No other fitting event from the previous event's instant on, in the step's own time."""
        if step.within is not None and shifted(previous.ts, step.within, 1, self.zone) > self.world.as_of:
            return False
        return not any(
            self.fits(e, step.events, step.where)
            and e is not previous
            and e.ts >= previous.ts
            and self.tied(start, e, sequence.same)
            and (self.within(previous, e, step.within) if step.within else comes_before(e, following))
            for e in self.events
        )

    # Conditions
    def answer(self, condition: c.Condition, among: Sequence[Event] | None = None) -> Answer:
        """True, false, or None for unknown; `among` restricts the event leaves (for `same`)."""
        match condition:
            case c.All(items, ()):
                return kleene_and(*(self.answer(i, among) for i in items))
            case c.All(items, same):
                return self.common_value(items, same)
            case c.AnyOf(items, at_least):
                answers = [self.answer(i, among) for i in items]
                if answers.count(True) >= at_least:
                    return True
                return False if answers.count(True) + answers.count(None) < at_least else None
            case c.NoneOf(items):
                return kleene_and(*(kleene_not(self.answer(i, among)) for i in items))
            case c.Not(item):
                return kleene_not(self.answer(item, among))
            case c.TraitCondition(trait, test, path, missing):
                value, value_type = inside(self.trait(trait), path), type_inside(self.trait_type(trait), path)
                return self.ruled(self.passes(value, value_type, test), missing)
            case c.EventCondition(selection, measure, test, missing):
                value = self.measure(self.select(selection, among), measure)
                return self.ruled(self.passes(value, self.measure_type(selection, measure), test), missing)
            case c.RelatedCondition(rows, measure, test, missing):
                value = self.measure(self.select(rows), measure)
                return self.ruled(self.passes(value, self.row_measure_type(rows, measure), test), missing)
            case c.ColleaguesCondition(_, test):
                return self.passes(len(self.colleagues(condition)), INTEGER, test)
            case c.ChangedCondition():
                return self.changed(condition)
            case c.SequenceCondition():
                return self.sequence(condition)
            case c.NearCondition():
                return self.ruled(near(condition, self.place_value, self.world.lists), condition.missing)
            case c.SegmentCondition(segment):
                return self.profile.profile_id in self.members[segment]
            case c.ConsentCondition(purpose, channel, status, window):
                person, world = self.profile.profile_id, self.world
                state, since = consent_at(world, person, purpose, channel, world.as_of)
                in_time = True if window is None else self.passes(since, TIME, window)
                return kleene_and(state == status, in_time)
            case c.SampleCondition(percent, salt):
                return sample_place(salt, self.profile.profile_id) * 100 < percent * 2**64
            case c.ListCondition(name, column, identifier):
                listed = self.world.lists[name, column]
                return any(kind == identifier and value in listed for kind, value in self.profile.identifiers)
        raise TypeError(condition)

    def colleagues(self, condition: c.ColleaguesCondition) -> list[Person]:
        """Profiles of the population with the same value that meet the condition; it is asked of everybody."""
        shared = self.trait(condition.trait)
        met = [p for p in self.everybody if condition.where is None or p.answer(condition.where) is True]
        alike = [p for p in met if shared is not None and p.trait(condition.trait) == shared]
        return [p for p in alike if p is not self or not condition.others_only]

    def row_measure_type(self, rows: c.RelatedSelection, measure: c.Measure) -> ValueType:
        """Type of what a measure of rows gives."""
        return self.measure_type(c.EventSelection((f"related:{rows.table}",)), measure)

    def ruled(self, answer: Answer, missing: c.Missing | None) -> Answer:
        """`missing:` turns unknown into true or false before any surrounding `not`, or fails the segment."""
        if answer is not None or missing is None:
            return answer
        if missing == "error":
            self.met_forbidden_unknown = True
            return None
        return missing == "match"

    def measure_type(self, selection: c.EventSelection, measure: c.Measure) -> ValueType:
        """Type of what a measure gives."""
        match measure:
            case c.Count() | c.Periods() | c.Aggregate("distinct"):
                return INTEGER
            case c.EdgeTime():
                return TIME
            case c.Aggregate("sum" | "min" | "max") | c.EdgeValue() | c.MostFrequent():
                return self.property_type(selection.events, measure.of, measure.path)
        return REAL

    def common_value(self, items: Sequence[c.Condition], same: Sequence[str]) -> Answer:
        """The items hold for one and the same value, of those seen in events that a leaf selects."""
        leaves = [leaf for item in items for leaf in event_leaves(item)]
        seen = {
            key(values)
            for leaf in leaves
            for e in self.select(leaf.selection)
            if None not in (values := [self.property_of(e, name) for name in same])
        }
        answers = []
        for values in sorted(seen, key=repr):
            among = [e for e in self.events if key(self.property_of(e, name) for name in same) == values]
            answers.append(kleene_and(*(self.answer(item, among) for item in items)))
        return kleene_or(*answers) if answers else False

    def changed(self, condition: c.ChangedCondition) -> bool:
        """The history of a stored trait has such a change in the window; having none is a fact."""
        return any(
            at <= self.world.as_of
            and (condition.window is None or self.clock.holds(condition.window, at) is True)
            and (condition.old is None or old == condition.old)
            and (condition.new is None or new == condition.new)
            for at, old, new in trait_changes(self.profile.records, condition.trait, self.world.rule(condition.trait))
        )
