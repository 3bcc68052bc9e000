"""What of a segment says nothing, says it twice, or can never hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

from segctl.compile.prune import leaves
from segctl.compile.reason.formulas import Formula, negated
from segctl.compile.reason.theory import Theory
from segctl.compile.reason.variables import Reader
from segctl.model.conditions import (
    All,
    AnyOf,
    ChangedCondition,
    Condition,
    Count,
    EdgeTime,
    EventCondition,
    EventSelection,
    ListCondition,
    NoneOf,
    Not,
    SampleCondition,
    SegmentCondition,
    SegmentDefinition,
    SequenceCondition,
    TraitCondition,
    ValueTest,
)
from segctl.model.dataclass import dataclass
from segctl.model.project import Definitions
from segctl.model.times import OlderThan, WithinLast, WithinNext

Kind = Literal["never", "branch_never", "always", "leaf_never", "leaf_always", "duplicate", "redundant", "unreachable"]
Path = tuple[int, ...]
_MOST_BRANCHES = 40
"""Larger segments are only asked whether they can hold at all."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is certain of one condition, whatever the data are.

    Attributes:
        kind: ``never``: the segment has no members, since this contradicts `beside`; ``branch_never``: likewise, a
            branch of an `any`; ``always``: everybody is a member; ``leaf_never`` and ``leaf_always``: the leaf on its
            own; ``duplicate``: stands there already; ``redundant``: taking it out changes nobody's membership;
            ``unreachable``: likewise, a branch of an `any`.
        segment: Whose condition it is.
        condition: The condition.
        beside: The one that makes it so, where it is a single one.
    """

    kind: Kind
    segment: SegmentDefinition
    condition: Condition
    beside: Condition | None = None


class Analyst:
    """Looks at the segments of a project one by one.

    Args:
        definitions: All of them.
        today: Microseconds since 1970 before which no `as_of` is asked for.
    """

    def __init__(self, definitions: Definitions, today: int | None = None) -> None:
        self.definitions = definitions
        self.reader = Reader(definitions, today)
        self._alone: dict[Condition, Kind | None] = {}
        self._topics: dict[str, frozenset[str]] = {}

    def verdicts(self, segment: SegmentDefinition) -> list[Verdict]:
        """Everything that is certain of a segment's condition; nothing is said twice."""
        every = leaves(segment.where)
        alone = [(leaf, found) for leaf in every if (found := self.alone(leaf)) is not None]
        if alone:
            # What else follows from a condition that never or always holds is no fault of its own.
            return [Verdict(found, segment, leaf) for leaf, found in alone]
        topics = [self.topics(leaf) for leaf in every]
        shared = {topic for topic, times in Counter(t for found in topics for t in found).items() if times > 1}
        if not shared:
            return []
        return list(self._together(segment, shared, len(every)))

    def alone(self, leaf: Condition) -> Kind | None:
        """Whether a leaf never or always holds on its own."""
        if _is_plain(leaf):
            return None
        if leaf not in self._alone:
            theory = Theory(self.reader)
            holds = theory.true(leaf)
            self._alone[leaf] = (
                "leaf_never" if theory.never(holds) else "leaf_always" if theory.never(negated(holds)) else None
            )
        return self._alone[leaf]

    def _together(self, segment: SegmentDefinition, shared: set[str], size: int) -> Iterator[Verdict]:
        theory = Theory(self.reader)
        whole = theory.true(segment.where)
        if theory.never(whole):
            pair = _contradiction(segment.where, theory)
            yield Verdict("never", segment, *(pair or (segment.where,)))
            return
        if theory.never(negated(whole)):
            yield Verdict("always", segment, segment.where)
            return
        if size <= _MOST_BRANCHES:
            yield from _Pruning(self, theory, segment, shared).verdicts()

    def topics(self, leaf: Condition) -> frozenset[str]:
        """What a leaf speaks of; leaves that share nothing say nothing of one another."""
        match leaf:
            case TraitCondition(trait):
                computed = self.definitions.computed.get(trait)
                if computed is not None and isinstance(computed.selection, EventSelection):
                    return self._kinds(computed.selection.events)
                return frozenset({f"trait {trait}"})
            case EventCondition(EventSelection(events)):
                return self._kinds(events)
            case SequenceCondition(steps):
                return frozenset().union(*(self._kinds(step.events) for step in steps))
            case ChangedCondition(trait):
                return frozenset({f"changes {trait}"})
            case SegmentCondition(name):
                return self._of_segment(name)
            case SampleCondition(_, salt):
                return frozenset({f"sample {salt}"})
            case ListCondition(name):
                return frozenset({f"list {name}"})
        return frozenset({repr(leaf)})

    def _kinds(self, events: Sequence[str]) -> frozenset[str]:
        return frozenset(f"event {kind}" for kind in self.reader.events.kinds(events))

    def _of_segment(self, name: str) -> frozenset[str]:
        found = self._topics.get(name)
        if found is None:
            self._topics[name] = frozenset({f"segment {name}"})
            segment = self.definitions.segments.get(name)
            below = leaves(segment.where) if segment is not None else ()
            found = self._topics[name] = self._topics[name].union(*(self.topics(leaf) for leaf in below))
        return found


class _Pruning:
    """Takes out one branch after another, as long as nobody's membership changes."""

    def __init__(self, analyst: Analyst, theory: Theory, segment: SegmentDefinition, shared: set[str]) -> None:
        self.analyst, self.theory, self.segment, self.shared = analyst, theory, segment, shared
        self.whole = theory.true(segment.where)
        self.gone: set[Path] = set()

    def verdicts(self) -> Iterator[Verdict]:
        """Outer branches first; of two equal ones the later one is told."""
        groups: list[tuple[Path, Condition]] = [((), self.segment.where)]
        while groups:
            path, group = groups.pop(0)
            items = children(group)
            for at in reversed(range(len(items))):
                verdict = self._judged(group, items, path, at)
                if verdict is not None:
                    self.gone.add((*path, at))
                    yield verdict
            groups += [((*path, at), item) for at, item in enumerate(items) if (*path, at) not in self.gone]

    def _judged(self, group: Condition, items: Sequence[Condition], path: Path, at: int) -> Verdict | None:
        item = items[at]
        left = [other for n, other in enumerate(items) if n != at and (*path, n) not in self.gone]
        is_plain = isinstance(group, All | AnyOf | NoneOf) and not (isinstance(group, All) and group.same)
        if not left or not is_plain or not self._may_follow(item):
            return None
        if isinstance(group, AnyOf) and group.at_least > 1:
            return None
        rest = _pruned(self.segment.where, (), self.gone | {(*path, at)})
        formula = self.theory.true(rest)
        if not (self.theory.implies(self.whole, formula) and self.theory.implies(formula, self.whole)):
            return None
        return self._named(group, item, left)

    def _may_follow(self, item: Condition) -> bool:
        return any(self.analyst.topics(leaf) & self.shared for leaf in leaves(item))

    def _named(self, group: Condition, item: Condition, left: Sequence[Condition]) -> Verdict:
        """Why the branch says nothing."""
        twin = next((other for other in left if other == item), None)
        if twin is not None:
            return Verdict("duplicate", self.segment, item, twin)
        here = self.theory.true(item)
        if isinstance(group, All):
            beside = next((other for other in left if self.theory.implies(self.theory.true(other), here)), None)
            return Verdict("redundant", self.segment, item, beside)
        beside = next((other for other in left if self.theory.implies(here, self.theory.true(other))), None)
        if self.theory.never(here):
            return Verdict("branch_never", self.segment, *(_contradiction(item, self.theory) or (item,)))
        kind: Kind = "redundant" if isinstance(group, NoneOf) else "unreachable"
        return Verdict(kind, self.segment, item, beside)


def children(condition: Condition) -> tuple[Condition, ...]:
    """The conditions right below one; none for leaves."""
    if isinstance(condition, All | AnyOf | NoneOf):
        return condition.items
    return (condition.item,) if isinstance(condition, Not) else ()


def _pruned(condition: Condition, path: Path, gone: set[Path]) -> Condition:
    """The condition without the branches at some paths; at least one of each group is left."""
    if not any(other[: len(path)] == path for other in gone):
        return condition
    kept = tuple(
        _pruned(item, (*path, at), gone) for at, item in enumerate(children(condition)) if (*path, at) not in gone
    )
    if isinstance(condition, All | AnyOf | NoneOf):
        return replace(condition, items=kept)
    return replace(condition, item=kept[0]) if isinstance(condition, Not) else condition


def _contradiction(condition: Condition, theory: Theory) -> tuple[Condition, Condition] | None:
    """Two conditions that must both hold and cannot, the later one first."""
    demands = list(_demands(condition, theory))[:_MOST_BRANCHES]
    for at, (later, one) in enumerate(demands):
        for earlier, other in demands[:at]:
            if theory.never(one, other):
                return later, earlier
    return None


def _demands(condition: Condition, theory: Theory) -> Iterator[tuple[Condition, Formula]]:
    """Everything that must hold where the condition does."""
    if isinstance(condition, All) and not condition.same:
        for item in condition.items:
            yield from _demands(item, theory)
    elif isinstance(condition, NoneOf):
        yield from ((item, theory.false(item)) for item in condition.items)
    else:
        yield condition, theory.true(condition)


def _is_plain(leaf: Condition) -> bool:
    """True for the everyday leaves that some people pass and others do not."""
    match leaf:
        case EventCondition(EventSelection(_, window, _, None), Count(), ValueTest(operator, (int(n),))):
            is_possible = n >= (1 if operator in ("at_least", "below") else 0)
            return is_possible and isinstance(window, WithinLast | OlderThan | None)
        case EventCondition(EventSelection(_, None), EdgeTime(), WithinLast()):
            return True
        case TraitCondition(_, ValueTest(operator)):
            return operator in ("equals", "not_equals", "in", "not_in", "exists")
        case TraitCondition(_, WithinLast() | OlderThan() | WithinNext()):
            return True
    return isinstance(leaf, SegmentCondition | ListCondition)
