"""Random definitions over the whole language, bound as `compile/definitions.py` would bind them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeVar

import strategies_consents
import strategies_related
from oracle_data import World
from oracle_windows import first_day_of, local_day
from strategies_data import CALENDAR, CALENDRIC, EXACT, Dice, events, people, project

from segctl.compile.formula import formula_type
from segctl.model import conditions as c
from segctl.model import times as t
from segctl.model.project import Definitions, Project
from segctl.model.types import DATE, INTEGER, REAL, TEXT, TIME, Kind, ValueType

COMPARING = ("equals", "not_equals", "above", "at_least", "below", "at_most", "between", "in", "not_in", "exists")
TEXT_OPERATORS = (
    "equals",
    "not_equals",
    "in",
    "not_in",
    "contains",
    "not_contains",
    "starts_with",
    "ends_with",
    "matches",
    "exists",
)
PATTERNS = (
    "a",
    "^a",
    "b$",
    "^$",
    "a+b",
    "a|b",
    "[ab]b",
    "^.b",
    "a.b",
    "\\.",
    "^a?b{1,2}$",
    "(a|b)+",
    "[^a]",
    "\\d",
    "^\\s",
    "\\w",
    "%|_",
)
MEASURES = (
    "count", "followed", "number", "extreme", "distinct", "periods", "share", "edge", "value", "frequent", "gap",
)  # fmt: skip
Leaf = TypeVar("Leaf", c.EventCondition, c.TraitCondition)
SIMPLE = (Kind.TEXT, Kind.INTEGER, Kind.MONEY, Kind.NUMBER, Kind.BOOLEAN, Kind.DATE, Kind.TIME)
LISTS = {("cities", None): frozenset({"a", "ß", "x"}), ("vips", "mail"): frozenset({"0@x", "2@x", "3@x"})}


class Author:
    """Writes random conditions about one project."""

    def __init__(self, dice: Dice, of: Project) -> None:
        self.dice, self.project = dice, of
        self.computed: dict[str, c.ComputedTrait] = {}
        self.segments: dict[str, c.SegmentDefinition] = {}

    # Names
    def traits(self, *kinds: Kind) -> list[tuple[str, ValueType]]:
        """Stored and computed traits of some kinds, all when none is named."""
        stored = [(x.name, x.type) for x in self.project.traits]
        made = [(x.name, x.type) for x in self.computed.values()]
        return [(name, of) for name, of in (*stored, *made) if not kinds or of.kind in kinds]

    def kinds(self) -> tuple[str, ...]:
        """One kind, several, or all."""
        if self.dice.chance(0.1):
            return ("*",)
        return tuple(k.name for k in self.dice.some(self.project.events, 1, 1 if self.dice.chance(0.7) else 3))

    def properties(self, kinds: Sequence[str], *wanted: Kind) -> list[tuple[str, tuple[str, ...], ValueType]]:
        """Properties (and fields of structs) that the kinds do not disagree about: name, path, type."""
        found: dict[str, set[ValueType]] = {}
        declared = [(kind.name, kind.properties) for kind in self.project.events if "*" in kinds or kind.name in kinds]
        tables = ((f"related:{table.name}", table.properties) for table in self.project.related)
        declared += [(name, properties) for name, properties in tables if name in kinds]
        for _, properties in declared:
            for name, of in properties:
                found.setdefault(name, set()).add(of)
        whole = [(name, (), next(iter(types))) for name, types in found.items() if len(types) == 1]
        inner = [(name, path, of) for name, _, struct in whole for path, of in fields_inside(struct)]
        return [x for x in (*whole, *inner) if not wanted or x[2].kind in wanted]

    # Times
    def length(self) -> t.Duration:
        """A length of a window."""
        return self.dice.one((*EXACT, *EXACT, *CALENDRIC, *CALENDAR))

    def point(self) -> t.TimePoint:
        """A point in time of any form."""
        dice = self.dice
        match dice.random.randrange(7):
            case 0:
                return t.Instant(dice.instant())
            case 1:
                return t.LocalTime(dice.instant().astimezone(dice.zone).replace(tzinfo=None, microsecond=0, fold=0))
            case 2:
                return t.LocalDay(dice.clock.today + timedelta(days=dice.random.randint(-9, 9)))
            case 3:
                return t.RelativeDay(dice.one((-1, 0, 1)))
            case 4 | 5:
                return (
                    t.RelativeTime(dice.one((*EXACT, *CALENDRIC)), dice.one((-1, -1, -1, 1)))
                    if dice.chance(0.85)
                    else t.RelativeTime(None)
                )
        named = self.traits(Kind.TIME, Kind.DATE)
        return t.TraitTime(dice.one(named)[0]) if named else t.RelativeDay(0)

    def window(self, *, of_events: bool = False) -> t.Window:
        """A window of any kind."""
        dice = self.dice
        match dice.random.randrange(3 if dice.chance(0.3) else 8):
            case 0 | 1:
                return t.WithinLast(self.length())
            case 2:
                return t.OlderThan(self.length())
            case 3:
                return t.WithinLast(self.length()) if of_events else t.WithinNext(self.length())
            case 4:
                return t.Between(self.point(), self.point())
            case 5:
                return t.Since(self.point()) if dice.chance(0.5) else t.Before(self.point())
            case 6:
                unit = dice.one(("day", "week", "month", "quarter", "year"))
                if dice.chance(0.5):
                    return t.During(t.RelativePeriod(unit, dice.one((-1, 0, 0, 1))))
                return t.During(self.named_period(unit))
        length = dice.one((*[x for x in EXACT if x.unit in ("days", "weeks")], *CALENDAR[:3]))
        return t.Anniversary(length, dice.one(("within_next", "within_last")))

    def named_period(self, unit: Any) -> t.NamedPeriod:
        """The period around some day near today."""
        return t.NamedPeriod(unit, first_day_of(unit, local_day(self.dice.instant(), self.dice.zone)))

    # Tests
    def operand(self, of: ValueType) -> c.Operand:
        """A literal of a type, or a trait it can be compared with."""
        if self.dice.chance(0.12):
            fitting = [name for name, other in self.traits() if comparable(of, other)]
            if fitting:
                return c.TraitOperand(self.dice.one(fitting))
        return self.dice.value(of, missing=0)

    def test(self, of: ValueType) -> c.Test:
        """One operator that fits a type."""
        dice = self.dice
        match of.kind:
            case Kind.TEXT:
                return self.text_test()
            case Kind.BOOLEAN:
                return self.value_test(dice.one(("equals", "not_equals", "exists")), of)
            case Kind.DATE | Kind.TIME:
                if dice.chance(0.3):
                    return self.value_test(dice.one(("equals", "not_equals", "in", "not_in", "exists")), of)
                return self.window()
            case Kind.LIST:
                return self.list_test(of)
            case Kind.STRUCT:
                return self.value_test("exists", of)
        return self.value_test(dice.one(COMPARING), of)

    def value_test(self, operator: Any, of: ValueType) -> c.ValueTest:
        """An operator with operands."""
        if operator == "exists":
            return c.ValueTest("exists", (self.dice.chance(0.6),))
        count = {"between": 2, "in": self.dice.random.randint(1, 3), "not_in": self.dice.random.randint(1, 3)}.get(
            operator, 1
        )
        operands = [self.operand(of) for _ in range(count)]
        return c.ValueTest(operator, tuple(dict.fromkeys(operands)) if operator != "between" else tuple(operands))

    def text_test(self) -> c.ValueTest:
        """A test of a text."""
        operator = self.dice.one(TEXT_OPERATORS)
        if operator == "matches":
            return c.ValueTest("matches", (self.dice.one(PATTERNS),), ignore_case=self.dice.chance(0.2))
        if operator in ("in", "not_in") and self.dice.chance(0.2):
            return c.ValueTest(operator, (c.ListOperand("cities"),), ignore_case=self.dice.chance(0.2))
        made = self.value_test(operator, TEXT)
        return made if operator == "exists" else replace(made, ignore_case=self.dice.chance(0.3))

    def list_test(self, of: ValueType) -> c.ValueTest:
        """A test of a list."""
        assert of.element is not None
        dice, element = self.dice, of.element
        operator = dice.one(("any_of", "all_of", "none_of", "size", "any_element", "exists"))
        if operator in ("any_of", "all_of", "none_of") and element.kind is not Kind.STRUCT:
            values = dict.fromkeys(dice.value(element, 0) for _ in range(dice.random.randint(1, 3)))
            return c.ValueTest(operator, tuple(values))
        if operator == "any_element":
            fields = dice.some(tuple(fields_inside(element)), 1, 2) or [((), element)]
            tests = ((".".join(path), self.test(inner)) for path, inner in fields)
            return c.ValueTest("any_element", element=tuple(tests))
        if operator == "exists":
            return self.value_test("exists", of)
        number = dice.one(("equals", "at_least", "below", "in"))
        return c.ValueTest("size", element=(("", c.ValueTest(number, (dice.one((0, 1, 2)),))),))

    def where(self, kinds: Sequence[str]) -> tuple[c.PropertyTest, ...]:
        """None, one or two property tests, each property once."""
        tests = [self.property_test(kinds) for _ in range(self.dice.one((0, 0, 0, 1, 1, 2)))]
        return tuple({(x.property, x.path): x for x in tests}.values())

    def property_test(self, kinds: Sequence[str]) -> c.PropertyTest:
        """A test of a property, or of a part of the local time."""
        options = self.properties(kinds)
        if kinds[0].startswith("related:"):
            options = options or [("p0", (), TEXT)]
        elif self.dice.chance(0.15) or not options:
            return self.time_test()
        name, path, of = self.dice.one(options)
        return c.PropertyTest(name, self.test(of), path)

    def time_test(self) -> c.PropertyTest:
        """A test of a part of the event's local time."""
        part = self.dice.one(("month", "weekday", "hour", "date"))
        if part == "date":
            return c.PropertyTest("time.date", self.test(DATE))
        local = self.dice.instant().astimezone(self.dice.zone)
        value = {"month": local.month, "weekday": local.isoweekday(), "hour": local.hour}[part]
        return c.PropertyTest(
            f"time.{part}", c.ValueTest(self.dice.one(("equals", "not_equals", "at_most", "above")), (value,))
        )

    # Events
    def selection(self, kinds: tuple[str, ...] | None = None) -> c.EventSelection:
        """Kinds with window, filter and perhaps only the newest."""
        chosen = kinds or self.kinds()
        window = self.window(of_events=True) if self.dice.chance(0.5) else None
        return c.EventSelection(chosen, window, self.where(chosen), self.dice.one((None, None, None, 1, 2, 3)))

    def measure(self, kinds: Sequence[str], among: Sequence[str] = MEASURES) -> tuple[c.Measure, ValueType]:
        """A measure (of some sorts) and the type of what it gives."""
        dice = self.dice
        numbers = self.properties(kinds, Kind.INTEGER, Kind.MONEY, Kind.NUMBER)
        ordered = self.properties(kinds, Kind.INTEGER, Kind.MONEY, Kind.NUMBER, Kind.DATE, Kind.TIME)
        simple = self.properties(kinds, *SIMPLE)
        match dice.one(among):
            case "followed":
                return c.Count(self.followed_by(kinds)), INTEGER
            case "number" if numbers:
                name, path, of = dice.one(numbers)
                function = dice.one(("sum", "sum", "average"))
                return c.Aggregate(function, name, path), (replace(REAL, unit=of.unit) if function == "average" else of)
            case "extreme" if ordered:
                name, path, of = dice.one(ordered)
                return c.Aggregate(dice.one(("min", "max")), name, path), of
            case "distinct" if simple:
                name, path, _ = dice.one(simple)
                return c.Aggregate("distinct", name, path), INTEGER
            case "periods":
                return c.Periods(dice.one(("days", "weeks", "months", "years"))), INTEGER
            case "share":
                tests = self.where(kinds) or (self.property_test(kinds),)
                return c.Share(tests), replace(REAL, unit="share")
            case "edge":
                return c.EdgeTime(dice.one(("first", "last"))), TIME
            case "value" if simple:
                name, path, of = dice.one(simple)
                return c.EdgeValue(dice.one(("first", "last")), name, path), of
            case "frequent" if simple:
                name, path, of = dice.one(simple)
                return c.MostFrequent(name, path), of
            case "gap":
                return c.Gap(dice.one(("average", "max", "last"))), replace(REAL, unit="days")
        return c.Count(), INTEGER

    def followed_by(self, kinds: Sequence[str]) -> c.FollowedBy:
        """A follower, perhaps tied."""
        followers = self.kinds()
        both = {name for name, path, of in self.properties(kinds, *SIMPLE) if not path} & {
            name for name, path, of in self.properties(followers, *SIMPLE) if not path
        }
        agreed = {name for name, _, _ in self.properties((*kinds, *followers))} & both
        same = tuple(sorted(agreed))[:1] if self.dice.chance(0.4) else ()
        return c.FollowedBy(followers, self.where(followers), same, self.within())

    def within(self) -> t.Duration | None:
        """A length between two events."""
        return self.dice.one((None, *EXACT, *EXACT, t.Duration(0, "seconds"), t.Duration(1, "months")))

    def event_condition(self, kinds: tuple[str, ...] | None = None) -> c.EventCondition:
        """A measure that passes a test."""
        selection = self.selection(kinds)
        measure, of = self.measure(selection.events)
        if isinstance(measure, c.EdgeTime):
            return c.EventCondition(selection, measure, self.window(of_events=True), self.missing())
        if isinstance(measure, c.Gap):
            operator = self.dice.one(("above", "at_least", "below", "at_most"))
            return c.EventCondition(selection, measure, c.ValueTest(operator, (self.dice.one(EXACT),)), self.missing())
        if not can_be_missing(measure):
            return c.EventCondition(selection, measure, self.number_test(of))
        is_value = isinstance(measure, c.EdgeValue | c.MostFrequent)
        test = self.test(of) if is_value or not of.is_numeric else self.value_test(self.dice.one(COMPARING), of)
        return c.EventCondition(selection, measure, test, None if is_exists(test) else self.missing())

    def number_test(self, of: ValueType) -> c.ValueTest:
        """A test of what is never missing."""
        return self.value_test(self.dice.one(COMPARING[:-1]), of)

    def missing(self) -> c.Missing | None:
        """A rule for unknown."""
        return (
            self.dice.one((None, None, None, None, None, None, "match", "no_match"))
            if self.dice.chance(0.97)
            else "error"
        )

    def sequence(self) -> c.SequenceCondition:
        """Two to four steps; short, since the oracle tries every assignment."""
        dice = self.dice
        steps = []
        for number in range(dice.one((2, 2, 3, 4))):
            kinds = self.kinds()
            where = self.where(kinds) if dice.chance(0.5) else ()
            window = self.window(of_events=True) if number == 0 and dice.chance(0.5) else None
            steps.append(
                c.Step(kinds, where, number > 0 and dice.chance(0.4), window, self.within() if number else None)
            )
        every = tuple(dict.fromkeys(k for s in steps for k in s.events))
        tied = [name for name, path, of in self.properties(every, *SIMPLE) if not path]
        shared = [n for n in tied if all(n in {x for x, _, _ in self.properties(s.events)} for s in steps)]
        same = tuple(dice.some(shared, 1, 2)) if shared and dice.chance(0.4) else ()
        return c.SequenceCondition(tuple(steps), dice.one(("first", "last", "any")), same)

    def same_all(self) -> c.Condition:
        """Event leaves tied to one value, perhaps beside other leaves."""
        kinds = (self.dice.one(self.project.events).name,)
        names = [name for name, path, _ in self.properties(kinds, *SIMPLE) if not path]
        positive = c.EventCondition(
            replace(self.selection(kinds), latest=None), c.Count(), c.ValueTest("at_least", (self.dice.one((1, 1, 2)),))
        )
        items: list[c.Condition] = [positive]
        for _ in range(self.dice.random.randint(0, 2)):
            leaf = without_error(self.event_condition(kinds))
            items.append(c.Not(leaf) if self.dice.chance(0.3) else leaf)
        if self.dice.chance(0.3):
            items.append(without_error(self.trait_condition()))
        if self.dice.chance(0.2):
            items.append(c.AnyOf((without_error(self.event_condition(kinds)), without_error(self.trait_condition()))))
        return c.All(tuple(items), tuple(self.dice.some(names, 1, 2)))

    # Conditions
    def trait_condition(self) -> c.TraitCondition:
        """A test of a trait or of a field of a struct."""
        name, of = self.dice.one(self.traits())
        path: tuple[str, ...] = ()
        if of.kind is Kind.STRUCT and self.dice.chance(0.8):
            path, of = self.dice.one(tuple(fields_inside(of)))
        test = self.test(of)
        return c.TraitCondition(name, test, path, None if is_exists(test) else self.missing())

    def changed(self) -> c.Condition:
        """A change of a stored trait."""
        stored = [x for x in self.project.traits if x.type.kind in SIMPLE]
        if not stored:
            return self.trait_condition()
        chosen = self.dice.one(stored)
        old, new = (self.dice.value(chosen.type, 0.5) for _ in range(2))
        return c.ChangedCondition(chosen.name, old, new, self.window(of_events=True) if self.dice.chance(0.6) else None)

    def leaf(self) -> c.Condition:
        """One leaf of any kind."""
        roll = self.dice.random.random()
        if self.project.related and self.dice.chance(0.1):
            return strategies_related.leaf(self)
        if self.project.purposes and self.dice.beside.random() < 0.08:
            return strategies_consents.leaf(self)
        if roll < 0.28:
            return self.trait_condition()
        if roll < 0.62:
            return self.event_condition()
        if roll < 0.78:
            return self.sequence()
        if roll < 0.85:
            return self.changed()
        if roll < 0.91:
            return self.same_all()
        if roll < 0.94:
            return c.SampleCondition(
                Decimal(self.dice.one(("0.1", "10", "33.3", "50", "100"))), self.dice.one(("s", "ä"))
            )
        if roll < 0.96:
            return c.ListCondition("vips", "mail", "email")
        return c.SegmentCondition(self.dice.one(tuple(self.segments))) if self.segments else self.trait_condition()

    def condition(self, depth: int = 0) -> c.Condition:
        """A tree of conditions."""
        roll = self.dice.random.random()
        if depth >= 3 or roll < (0.1, 0.5, 0.8)[depth]:
            return self.leaf()
        items = tuple(self.condition(depth + 1) for _ in range(self.dice.one((1, 2, 2, 3))))
        match self.dice.random.randrange(5):
            case 0 | 1:
                return c.All(items)
            case 2:
                return c.AnyOf(items, self.dice.random.randint(1, len(items)))
            case 3:
                return c.NoneOf(items)
        return c.Not(items[0])

    def keep(self) -> c.Keep | None:
        """A ranking now and then."""
        ranking = self.traits(Kind.INTEGER, Kind.MONEY, Kind.NUMBER, Kind.REAL, Kind.DATE, Kind.TIME)
        groups = self.traits(Kind.TEXT, Kind.BOOLEAN, Kind.INTEGER, Kind.DATE)
        if not ranking or self.dice.chance(0.6):
            return None
        count, percent = (
            (self.dice.random.randint(1, 3), None)
            if self.dice.chance(0.5)
            else (None, Decimal(self.dice.one(("1", "20", "33.3", "50", "100"))))
        )
        per = self.dice.one(groups)[0] if groups and self.dice.chance(0.4) else None
        return c.Keep(
            self.dice.one(("top", "bottom")),
            self.dice.one(ranking)[0],
            count,
            percent,
            per,
            per is not None and self.dice.chance(0.5),
        )

    def formula(self, depth: int = 0) -> c.Formula:
        """Arithmetic over numbers and times."""
        dice = self.dice
        numeric = [n for n, _ in self.traits(Kind.INTEGER, Kind.MONEY, Kind.NUMBER, Kind.REAL)]
        moments = [n for n, _ in self.traits(Kind.DATE, Kind.TIME)]
        if depth >= 2 or dice.chance(0.2):
            if moments and dice.chance(0.3):
                return c.Call(dice.one(("days_since", "years_since")), (c.TraitValue(dice.one(moments)),))
            if numeric and dice.chance(0.7):
                return c.TraitValue(dice.one(numeric))
            return c.Number(Decimal(dice.one(("0", "1", "2", "0.5", "100", "0.1"))))
        function = dice.one(("+", "-", "*", "/", "/", "neg", "min", "max", "abs", "round", "coalesce"))
        count = (
            1
            if function in ("neg", "abs", "round")
            else dice.random.randint(2, 3)
            if function in ("min", "max", "coalesce")
            else 2
        )
        return c.Call(function, tuple(self.formula(depth + 1) for _ in range(count)))

    def compute(self, name: str) -> None:
        """One more computed trait."""
        if self.dice.chance(0.3):
            types = dict(self.traits())
            while not isinstance(of := formula_type(made := self.formula(), types), ValueType):
                continue
            self.computed[name] = c.ComputedTrait(name, of, formula=made)
            return
        if self.project.related and self.dice.chance(0.15):
            rows, measure, of = strategies_related.rows_measure(self)
            self.computed[name] = c.ComputedTrait(name, of, rows, measure)
            return
        selection = self.selection()
        measure, of = self.measure(selection.events)
        self.computed[name] = c.ComputedTrait(name, of, selection, measure)


def fields_inside(of: ValueType) -> Iterator[tuple[tuple[str, ...], ValueType]]:
    """All fields of a struct and of the structs in it, with the way to them."""
    for name, inner in of.fields:
        yield (name,), inner
        yield from (((name, *path), deeper) for path, deeper in fields_inside(inner))


def without_error(leaf: Leaf) -> Leaf:
    """`missing: error` does not stand under `same`."""
    return replace(leaf, missing=None) if leaf.missing == "error" else leaf


def can_be_missing(measure: c.Measure) -> bool:
    """Missing of no events."""
    if isinstance(measure, c.Aggregate):
        return measure.function not in ("sum", "distinct")
    return not isinstance(measure, c.Count | c.Periods)


def is_exists(test: c.Test) -> bool:
    """Never unknown, so no rule for missing belongs to it."""
    return isinstance(test, c.ValueTest) and test.operator == "exists"


def comparable(one: ValueType, other: ValueType) -> bool:
    """Both numbers of one unit, or the same simple type."""
    if one.is_numeric and other.is_numeric:
        return one.unit == other.unit
    return one.kind == other.kind and one.kind in SIMPLE


def world(seed: int, segments: int = 6) -> World:
    """One example: a project, its data, its computed traits and segments."""
    dice = Dice(seed)
    of = project(dice)
    of = replace(of, related=strategies_related.tables(dice), colleagues=strategies_related.groups(of))
    of = replace(of, purposes=strategies_consents.PURPOSES)
    author = Author(dice, of)
    for number in range(dice.random.randint(0, 5)):
        author.compute(f"x{number}")
    for number in range(segments):
        name = f"s{number}"
        author.segments[name] = c.SegmentDefinition(name, author.condition(), author.keep())
    profiles = people(dice, of)
    definitions = Definitions(of, author.segments, author.computed)
    happened = events(dice, of, profiles)
    rows = strategies_related.rows(dice, of, profiles)
    said = strategies_consents.consents(dice, of, profiles)
    return World(definitions, profiles, happened, dice.as_of, LISTS, rows, said)
