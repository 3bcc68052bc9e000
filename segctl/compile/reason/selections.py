"""Which events are certainly among which others: kinds, windows and filters of two selections compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from segctl.compile.reason.cells import TooManyError
from segctl.compile.reason.cuts import Ends, event_ends, is_empty, is_within
from segctl.compile.reason.domains import domain_of
from segctl.model.conditions import EventSelection, PropertyTest, Test, ValueTest
from segctl.model.project import Project
from segctl.model.types import DATE, INTEGER, Kind, ValueType

_ORDERLESS = frozenset({"in", "not_in", "any_of", "all_of", "none_of"})


class Events:
    """Compares selections of a project's events.

    Args:
        project: Declared events, zone.
        today: Microseconds since 1970 before which no `as_of` is asked for.
    """

    def __init__(self, project: Project, today: int | None = None) -> None:
        self.project, self.today = project, today
        self.every = tuple(sorted(event.name for event in project.events))
        self.canonical = lru_cache(maxsize=None)(self._canonical)
        self.is_part = lru_cache(maxsize=None)(self._is_part)
        self.is_implied = lru_cache(maxsize=None)(self._is_implied)

    def _canonical(self, selection: EventSelection) -> EventSelection:
        """The same selection however it is written."""
        kinds = self.kinds(selection.events)
        return replace(selection, events=kinds, where=self.filters(selection.where))

    def kinds(self, kinds: Sequence[str]) -> tuple[str, ...]:
        """Event kinds in one order, ``*`` written out."""
        return self.every if "*" in kinds else tuple(sorted(set(kinds)))

    def filters(self, where: Sequence[PropertyTest]) -> tuple[PropertyTest, ...]:
        """Filters in one order, however they are written."""
        return tuple(sorted({replace(f, test=canonical_test(f.test)) for f in where}, key=repr))

    def ends(self, selection: EventSelection) -> Ends | None:
        """The window, up to `as_of`; None when a trait bounds it."""
        return event_ends(selection.window, self.project.timezone)

    def is_nothing(self, selection: EventSelection) -> bool:
        """No event can be selected."""
        return self.has_empty_window(selection) or any(self.is_impossible(selection.events, f) for f in selection.where)

    def has_empty_window(self, selection: EventSelection) -> bool:
        """No time lies in the window."""
        found = self.ends(selection)
        return found is not None and is_empty(found)

    def is_impossible(self, kinds: Sequence[str], filter_: PropertyTest) -> bool:
        """No value passes the filter."""
        of = self.type_of(self.kinds(kinds), filter_.property, filter_.path)
        domain = None if of is None else domain_of(of, self.project.timezone, self.today)
        if domain is None or not domain.takes(filter_.test) or _is_equality(filter_.test):
            return False
        try:
            return True not in domain.answers(filter_.test, domain.cells([filter_.test]))
        except TooManyError:
            return False

    def _is_part(self, inner: EventSelection, outer: EventSelection) -> bool:
        """Every event of one selection certainly belongs to the other; both in canonical form."""
        if inner == outer:
            return True
        if outer.latest is not None:
            same = replace(inner, latest=outer.latest) == outer
            return same and inner.latest is not None and inner.latest <= outer.latest
        return (
            set(inner.events) <= set(outer.events)
            and self.in_window(inner, outer)
            and self.is_implied(inner.events, inner.where, outer.where)
        )

    def in_window(self, inner: EventSelection, outer: EventSelection) -> bool:
        """The window of one selection certainly lies in that of the other."""
        if outer.window is None or inner.window == outer.window:
            return True
        one, other = self.ends(inner), self.ends(outer)
        return one is not None and other is not None and is_within(one, other)

    def _is_implied(
        self, kinds: tuple[str, ...], given: tuple[PropertyTest, ...], wanted: tuple[PropertyTest, ...]
    ) -> bool:
        """Events of these kinds that pass the given filters certainly pass the wanted ones."""
        return all(
            filter_ in given
            or self._follows(
                kinds, filter_, [f.test for f in given if (f.property, f.path) == (filter_.property, filter_.path)]
            )
            for filter_ in wanted
        )

    def _follows(self, kinds: tuple[str, ...], wanted: PropertyTest, given: list[Test]) -> bool:
        of = self.type_of(kinds, wanted.property, wanted.path)
        if of is None or not given:
            return False
        domain = domain_of(of, self.project.timezone, self.today)
        tests = [test for test in (*given, wanted.test) if domain.takes(test)]
        if wanted.test not in tests:
            return False
        try:
            cells = domain.cells(tests)
        except TooManyError:
            return False
        answers = [domain.answers(test, cells) for test in tests]
        return all(last is True for *first, last in zip(*answers, strict=True) if all(a is True for a in first))

    def type_of(self, kinds: Sequence[str], name: str, path: Sequence[str] = ()) -> ValueType | None:
        """Declared type of a property of these kinds, or of a part of an event's time."""
        if name.startswith("time."):
            return DATE if name == "time.date" else INTEGER
        for kind in kinds:
            event = self.project.event(kind)
            of = event.property_type(name) if event is not None else None
            if of is not None:
                return inside(of, path)
        return None


def inside(of: ValueType, path: Sequence[str]) -> ValueType | None:
    """The type of a field of nested structs, None when there is none."""
    for name in path:
        if of.kind is not Kind.STRUCT:
            return None
        found = dict(of.fields).get(name)
        if found is None:
            return None
        of = found
    return of


def _is_equality(test: Test) -> bool:
    return isinstance(test, ValueTest) and test.operator in ("equals", "in")


def canonical_test(test: Test) -> Test:
    """The same test however it is written: one of one is equality, and options have no order."""
    if not isinstance(test, ValueTest):
        return test
    if test.operator in ("in", "not_in") and len(test.operands) == 1 and not hasattr(test.operands[0], "name"):
        return replace(test, operator="equals" if test.operator == "in" else "not_equals")
    if test.operator in _ORDERLESS:
        return replace(test, operands=tuple(sorted(set(test.operands), key=repr)))
    return test
