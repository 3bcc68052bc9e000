"""Values that are no single value of a type: comparisons of two, changes, sequences, and leaves taken as they are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from segctl.compile.reason.cells import MISSING, Answer, Cell, assignments
from segctl.compile.reason.cuts import Cut, is_within
from segctl.compile.reason.numbers import NAN
from segctl.compile.reason.selections import Events
from segctl.model.conditions import ChangedCondition, EventSelection, SequenceCondition, Step, ValueTest
from segctl.model.dataclass import dataclass
from segctl.model.times import EXACT_SECONDS, Duration

ORDERED = frozenset({"equals", "not_equals", "above", "at_least", "below", "at_most"})
"""Operators that compare two values."""


@dataclass(frozen=True, slots=True)
class AloneDomain:
    """A leaf of which nothing is known but its outcomes."""

    can_be_unknown: bool

    def takes(self, test: object) -> bool:
        """The leaf itself."""
        return test is None

    def cells(self, tests: Collection[object], extra: Iterable[Cut] = ()) -> list[Cell]:
        """True, false, perhaps unknown."""
        del tests, extra
        return [Cell(value=True), Cell(value=False), *([MISSING] if self.can_be_unknown else [])]

    def answers(self, test: object, cells: Sequence[Cell]) -> list[Answer]:
        """The outcomes."""
        del test
        return [None if cell.is_missing else cell.value is True for cell in cells]


@dataclass(frozen=True, slots=True)
class PairDomain:
    """How one value compares with another."""

    def takes(self, test: object) -> bool:
        """Comparisons."""
        return isinstance(test, ValueTest) and test.operator in ORDERED

    def cells(self, tests: Collection[object], extra: Iterable[Cut] = ()) -> list[Cell]:
        """Less, equal, more, not comparable, missing."""
        del tests, extra
        return [Cell(value="<"), Cell(value="="), Cell(value=">"), Cell(value=NAN), MISSING]

    def answers(self, test: object, cells: Sequence[Cell]) -> list[Answer]:
        """By the sign between them."""
        assert isinstance(test, ValueTest)
        signs = {
            "equals": "=", "not_equals": ("<", ">", NAN), "above": ">", "at_least": (">", "="), "below": "<",
            "at_most": ("<", "="),
        }  # fmt: skip
        fitting = signs[test.operator]
        return [None if cell.is_missing else cell.value in fitting for cell in cells]


@dataclass(frozen=True, slots=True)
class ChangesDomain:
    """Changes of one trait."""

    zone: str
    events: Events

    def takes(self, test: object) -> bool:
        """Any."""
        return isinstance(test, ChangedCondition)

    def cells(self, tests: Collection[object], extra: Iterable[Cut] = ()) -> list[Cell]:
        """Which changes there were."""
        del extra
        return [Cell(atoms=known) for known in assignments(list(tests), self.implies, lambda _one, _other: False)]

    def answers(self, test: object, cells: Sequence[Cell]) -> list[Answer]:
        """Whether there was this one."""
        return [cell.atoms[test] for cell in cells]

    def implies(self, one: object, other: object) -> bool:
        """A narrower change is also a wider one."""
        assert isinstance(one, ChangedCondition)
        assert isinstance(other, ChangedCondition)
        inner, outer = (self.events.ends(EventSelection((), change.window)) for change in (one, other))
        in_time = other.window is None or one.window == other.window
        in_time = in_time or (inner is not None and outer is not None and is_within(inner, outer))
        return in_time and other.old in (None, one.old) and other.new in (None, one.new)


@dataclass(frozen=True, slots=True)
class SequencesDomain:
    """Sequences of the same kinds."""

    events: Events

    def takes(self, test: object) -> bool:
        """Any."""
        return isinstance(test, SequenceCondition)

    def cells(self, tests: Collection[object], extra: Iterable[Cut] = ()) -> list[Cell]:
        """Which sequences there were."""
        del extra
        return [Cell(atoms=known) for known in assignments(list(tests), self.implies, lambda _one, _other: False)]

    def answers(self, test: object, cells: Sequence[Cell]) -> list[Answer]:
        """Whether there was this one."""
        return [cell.atoms[test] for cell in cells]

    def implies(self, one: object, other: object) -> bool:
        """A tighter sequence is also a looser one; the same events fulfil both."""
        assert isinstance(one, SequenceCondition)
        assert isinstance(other, SequenceCondition)
        if one == other:
            return True
        if one.start != "any" or other.start != "any" or len(one.steps) != len(other.steps):
            return False
        has_negative = any(step.negative for step in one.steps)
        is_tied = set(one.same) == set(other.same) if has_negative else set(one.same) >= set(other.same)
        return is_tied and all(self._is_tighter(a, b) for a, b in zip(one.steps, other.steps, strict=True))

    def _is_tighter(self, one: Step, other: Step) -> bool:
        if one.negative != other.negative:
            return False
        inner, outer = (
            EventSelection(self.events.kinds(s.events), s.window, self.events.filters(s.where)) for s in (one, other)
        )
        if one.negative:
            return one.within == other.within and self.events.is_part(outer, inner)
        return self.events.is_part(inner, outer) and _is_shorter(one.within, other.within)


def _is_shorter(one: Duration | None, other: Duration | None) -> bool:
    if other is None or one == other:
        return True
    if one is None or one.unit not in EXACT_SECONDS or other.unit not in EXACT_SECONDS:
        return False
    return one.amount * EXACT_SECONDS[one.unit] <= other.amount * EXACT_SECONDS[other.unit]
