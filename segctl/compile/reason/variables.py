"""What a leaf asks about: one variable for each thing that has a value, whoever asks for it."""

from __future__ import annotations

from dataclasses import replace

from segctl.compile.reason import numbers
from segctl.compile.reason.cuts import span_us
from segctl.compile.reason.domains import Domain, MomentDomain, NumberDomain, domain_of
from segctl.compile.reason.histories import ORDERED, ChangesDomain, PairDomain, SequencesDomain
from segctl.compile.reason.selections import Events, canonical_test
from segctl.model.conditions import (
    Aggregate,
    ChangedCondition,
    Condition,
    Count,
    EdgeTime,
    EdgeValue,
    EventCondition,
    EventSelection,
    Gap,
    ListCondition,
    Measure,
    MostFrequent,
    Periods,
    SampleCondition,
    SegmentCondition,
    SequenceCondition,
    Share,
    Test,
    TraitCondition,
    TraitOperand,
    ValueTest,
)
from segctl.model.project import Definitions
from segctl.model.types import Kind

_HOUR, _DAY = 3_600_000_000, 86_400_000_000
_PERIOD_DAYS = {"days": 1, "weeks": 7, "months": 28, "years": 365}


class Variable:
    """Something that has one value for each profile; each is made once by a reader and equals only itself.

    Attributes:
        kind: ``trait``, ``event``, ``pair``, ``changed``, ``sequence``, ``sample``, ``alone``.
        of: What tells it from others of its kind.
    """

    __slots__ = ("kind", "of")

    def __init__(self, kind: str, of: object) -> None:
        self.kind, self.of = kind, of

    @property
    def measured(self) -> tuple[EventSelection, Measure]:
        """Selection and measure of an event variable."""
        assert isinstance(self.of, tuple)
        return self.of


Asked = tuple[Variable, object]
"""A variable, and the test that is made of it."""


class Reader:
    """Reads leaves as questions about variables.

    Args:
        definitions: What names stand for.
        today: Microseconds since 1970 before which no `as_of` is asked for; None for all.
    """

    def __init__(self, definitions: Definitions, today: int | None = None) -> None:
        self.definitions, self.today = definitions, today
        self.zone = definitions.project.timezone
        self.events = Events(definitions.project, today)
        self._variables: dict[tuple[str, object], Variable] = {}
        self._domains: dict[Variable, Domain | None] = {}
        self._read: dict[int, tuple[Condition, Asked]] = {}

    def variable(self, kind: str, of: object) -> Variable:
        """The one variable of a kind and its name."""
        key = (kind, of)
        found = self._variables.get(key)
        if found is None:
            found = self._variables[key] = Variable(kind, of)
        return found

    def read(self, leaf: Condition) -> Asked:
        """What a leaf asks, its rule for missing values aside."""
        found = self._read.get(id(leaf))
        if found is None:
            # Kept with the leaf, whose number is then nobody else's.
            found = self._read[id(leaf)] = (leaf, self._asked(leaf))
        return found[1]

    def _asked(self, leaf: Condition) -> Asked:
        match leaf:
            case TraitCondition():
                found = self._trait(leaf)
            case EventCondition(EventSelection() as selection, measure, test):
                found = self.measured(selection, measure, test)
            case ChangedCondition(trait):
                return self.variable("changed", trait), leaf
            case SequenceCondition(steps):
                shape = tuple((step.negative, self.events.kinds(step.events)) for step in steps if not step.negative)
                return self.variable("sequence", (len(steps), shape)), leaf
            case SampleCondition(percent, salt):
                return self.variable("sample", salt), ValueTest("below", (percent,))
            case _:
                found = None
        return found or (self.variable("alone", _bare(leaf)), None)

    def measured(self, selection: EventSelection, measure: Measure, test: Test) -> Asked | None:
        """What is asked of events; None when it cannot be told apart."""
        variable = self.variable("event", (self.events.canonical(selection), self._canonical(measure)))
        test = canonical_test(test)
        domain = self.domain(variable)
        return (variable, test) if domain is not None and domain.takes(test) else None

    def _canonical(self, measure: Measure) -> Measure:
        if isinstance(measure, Share):
            return replace(measure, where=self.events.filters(measure.where))
        if isinstance(measure, Count) and measure.followed_by is not None:
            after = measure.followed_by
            after = replace(after, events=self.events.kinds(after.events), where=self.events.filters(after.where))
            return Count(replace(after, same=tuple(sorted(set(after.same)))))
        return measure

    def _trait(self, leaf: TraitCondition) -> Asked | None:
        computed = self.definitions.computed.get(leaf.trait)
        if computed is not None and computed.measure is not None and isinstance(computed.selection, EventSelection):
            return self.measured(computed.selection, computed.measure, leaf.test)
        pair = self._pair(leaf)
        if pair is not None:
            return pair
        variable = self.variable("trait", (leaf.trait, leaf.path))
        test = canonical_test(leaf.test)
        domain = self.domain(variable)
        return (variable, test) if domain is not None and domain.takes(test) else None

    def _pair(self, leaf: TraitCondition) -> Asked | None:
        """One trait compared with another: less, equal or more."""
        test = leaf.test
        if not isinstance(test, ValueTest) or test.operator not in ORDERED or test.ignore_case:
            return None
        other = test.operands[0]
        return (
            (self.variable("pair", (leaf.trait, leaf.path, other.trait)), test)
            if isinstance(other, TraitOperand)
            else None
        )

    def domain(self, variable: Variable) -> Domain | None:
        """Everything a variable's value can be; None when nothing is known of it."""
        if variable not in self._domains:
            self._domains[variable] = self._domain(variable)
        return self._domains[variable]

    def _domain(self, variable: Variable) -> Domain | None:
        match variable.kind:
            case "event":
                return self._measure_domain(*variable.measured)
            case "sample":
                return NumberDomain(numbers.Numbers(0, 100, can_be_missing=False))
            case "pair":
                return PairDomain()
            case "changed":
                return ChangesDomain(self.zone, self.events)
            case "sequence":
                return SequencesDomain(self.events)
            case "trait":
                return self._trait_domain(variable)
        return None

    def _trait_domain(self, variable: Variable) -> Domain | None:
        assert isinstance(variable.of, tuple)
        name, path = variable.of
        found = self.definitions.trait(name)
        if found is None:
            return None
        of = found.type
        for part in path:
            fields = dict(of.fields)
            if part not in fields:
                return None
            of = fields[part]
        return domain_of(of, self.zone, self.today, can_be_nan=name in self.definitions.computed)

    def _measure_domain(self, selection: EventSelection, measure: Measure) -> Domain | None:
        nothing = self.events.is_nothing(selection)
        match measure:
            case Count() | Periods() | Aggregate("distinct"):
                most = 0 if nothing else self.most(selection, measure)
                return NumberDomain(numbers.Numbers(0, most, 0, can_be_missing=False))
            case Share():
                return NumberDomain(numbers.Numbers(0, 1), is_real=True)
            case Gap():
                return NumberDomain(numbers.Numbers(0), is_real=True)
            case EdgeTime():
                inside = self.events.ends(selection)
                return MomentDomain(self.zone, self.today, (None, None) if inside is None else inside)
            case Aggregate("average"):
                return NumberDomain(numbers.Numbers(), is_real=True)
            case Aggregate() | EdgeValue() | MostFrequent():
                of = self.events.type_of(selection.events, measure.of, measure.path)
                if of is None:
                    return None
                domain = domain_of(of, self.zone, self.today)
                if isinstance(measure, Aggregate) and measure.function == "sum" and isinstance(domain, NumberDomain):
                    return replace(domain, of=replace(domain.of, can_be_missing=False))
                return domain
        return None

    def most(self, selection: EventSelection, measure: Measure) -> int | None:
        """The largest number that can come out of a selection."""
        limits = [selection.latest] if selection.latest is not None else []
        ends = self.events.ends(selection)
        if isinstance(measure, Periods) and ends is not None:
            longest = span_us(ends)
            if longest is not None:
                # Both ends may lie inside a period, and a day may have but 23 hours.
                limits.append((longest + 3 * _HOUR) // (_PERIOD_DAYS[measure.unit] * _DAY) + 2)
        if isinstance(measure, Aggregate):
            of = self.events.type_of(selection.events, measure.of, measure.path)
            if of is not None and of.kind is Kind.BOOLEAN:
                limits.append(2)
        return min(limits) if limits else None


def _bare(leaf: Condition) -> Condition:
    return replace(leaf, missing=None) if isinstance(leaf, TraitCondition | EventCondition) else leaf


def is_never_unknown(leaf: Condition) -> bool:
    """True for leaves that are true or false for everybody."""
    return isinstance(leaf, SegmentCondition | ListCondition | SampleCondition | SequenceCondition | ChangedCondition)
