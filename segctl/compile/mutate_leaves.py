"""Leaves of definitions changed in one place each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Literal, TypeGuard, TypeVar

from segctl.compile.mutate_tests import changed_tests
from segctl.compile.mutate_times import duration_variants, window_variants
from segctl.model import conditions as c
from segctl.model.project import RELATED, Definitions
from segctl.model.times import Window
from segctl.model.types import INTEGER, REAL, TEXT, TIME, Kind, ValueType

T = TypeVar("T")
_PERIODS: tuple[Literal["days", "weeks", "months", "years"], ...] = ("days", "weeks", "months", "years")
_NEVER_MISSING = (c.Count, c.Periods)
_OTHER_STATUSES: dict[str, tuple[c.ConsentStatus, ...]] = {
    "confirmed": ("requested", "withdrawn"), "requested": ("confirmed", "none"), "withdrawn": ("confirmed", "objected"),
    "objected": ("withdrawn",),
}  # fmt: skip
_AGGREGATES: dict[str, Literal["sum", "average", "min", "max", "distinct"]] = {
    "sum": "max", "average": "max", "min": "max", "max": "min",
}  # fmt: skip


def leaf_variants(leaf: c.Condition, definitions: Definitions) -> Iterator[c.Condition]:
    """The leaf with each change in turn."""
    match leaf:
        case c.TraitCondition():
            of = trait_type(leaf, definitions)
            yield from (replace(leaf, test=test) for test in changed_tests(leaf.test, of))
            if _trait_can_miss(leaf, definitions):
                yield from (replace(leaf, missing=missing) for missing in _missing_variants(leaf.missing))
        case c.ChangedCondition():
            yield from _changed_variants(leaf)
        case c.EventCondition():
            yield from _event_variants(leaf, definitions)
        case c.SequenceCondition():
            yield from _sequence_variants(leaf, definitions)
        case c.RelatedCondition():
            yield from _related_variants(leaf, definitions)
        case c.ColleaguesCondition(test=test):
            yield from (replace(leaf, test=t) for t in changed_tests(test, INTEGER, countable=True) if _is_value(t))
            yield replace(leaf, others_only=not leaf.others_only)
        case c.NearCondition():
            yield from _near_variants(leaf)
        case c.ConsentCondition():
            yield from _consent_variants(leaf)
        case c.SampleCondition(percent):
            yield from (replace(leaf, percent=p) for p in (percent - 1, percent + 1) if 0 < p < Decimal(100))


def _near_variants(leaf: c.NearCondition) -> Iterator[c.Condition]:
    for amount in (leaf.within.amount - 1, leaf.within.amount + 1):
        if amount > 0:
            yield replace(leaf, within=replace(leaf.within, amount=amount))
    yield from (replace(leaf, missing=missing) for missing in _missing_variants(leaf.missing))


def trait_type(leaf: c.TraitCondition, definitions: Definitions) -> ValueType:
    """The type of the value that a condition tests, inside structs too."""
    trait = definitions.trait(leaf.trait)
    found = trait.type if trait is not None else TEXT
    for name in leaf.path:
        found = dict(found.fields)[name]
    return found


def _missing_variants(missing: c.Missing | None) -> tuple[c.Missing, ...]:
    others: dict[str | None, c.Missing] = {None: "match", "match": "no_match", "no_match": "match", "error": "no_match"}
    return (others[missing],)


def _trait_can_miss(leaf: c.TraitCondition, definitions: Definitions) -> bool:
    computed = definitions.computed.get(leaf.trait)
    if isinstance(leaf.test, c.ValueTest) and leaf.test.operator == "exists":
        return False
    return computed is None or computed.measure is None or measure_can_miss(computed.measure)


def measure_can_miss(measure: c.Measure) -> bool:
    """True where no events leave the measure without a value; nothing is a fact for counts and sums."""
    if isinstance(measure, c.Aggregate):
        return measure.function not in ("sum", "distinct")
    return not isinstance(measure, _NEVER_MISSING)


def _changed_variants(leaf: c.ChangedCondition) -> Iterator[c.Condition]:
    if leaf.old is not None:
        yield replace(leaf, old=None)
    if leaf.new is not None:
        yield replace(leaf, new=None)
    if leaf.window is not None:
        yield from (replace(leaf, window=window) for window in window_variants(leaf.window, of_events=True))
        yield replace(leaf, window=None)


def _consent_variants(leaf: c.ConsentCondition) -> Iterator[c.Condition]:
    yield from (replace(leaf, status=status) for status in _OTHER_STATUSES.get(leaf.status, ("confirmed",)))
    if leaf.window is not None:
        yield from (replace(leaf, window=window) for window in window_variants(leaf.window, of_events=True))
        yield replace(leaf, window=None)


def smallest_radius(leaf: c.NearCondition) -> int:
    """One unit of a radius, in millimetres."""
    return replace(leaf.within, amount=Decimal(1)).millimetres


# --- Events -----------------------------------------------------------------------------------------------
def _event_variants(leaf: c.EventCondition, definitions: Definitions) -> Iterator[c.Condition]:
    kinds = leaf.selection.events
    for selection in selection_variants(leaf.selection, leaf.measure, definitions):
        yield replace(leaf, selection=selection)
    for measure in _measure_variants(leaf.measure, kinds, definitions):
        yield replace(leaf, measure=measure)
    for test in changed_tests(
        leaf.test, measure_type(leaf.measure, kinds, definitions), countable=_counts(leaf.measure)
    ):
        yield replace(leaf, test=test)
    if measure_can_miss(leaf.measure):
        yield from (replace(leaf, missing=missing) for missing in _missing_variants(leaf.missing))


def _counts(measure: c.Measure) -> bool:
    """True for whole numbers that are never negative."""
    is_distinct = isinstance(measure, c.Aggregate) and measure.function == "distinct"
    return isinstance(measure, c.Count | c.Periods) or is_distinct


def selection_variants(
    selection: c.EventSelection, measure: c.Measure, definitions: Definitions
) -> Iterator[c.EventSelection]:
    """Other events selected: kinds, window, filter, how many of the newest."""
    for kinds in _fewer(selection.events, [*_named(selection.where), *_measured(measure)], definitions):
        yield replace(selection, events=kinds)
    if selection.window is not None:
        yield from (replace(selection, window=window) for window in window_variants(selection.window, of_events=True))
        yield replace(selection, window=None)
    for where in where_variants(selection.where, selection.events, definitions):
        yield replace(selection, where=where)
    if selection.latest is not None:
        yield from (replace(selection, latest=n) for n in (selection.latest - 1, selection.latest + 1) if n >= 1)
        yield replace(selection, latest=None)


def where_variants(
    where: tuple[c.PropertyTest, ...], kinds: tuple[str, ...], definitions: Definitions
) -> Iterator[tuple[c.PropertyTest, ...]]:
    """The filter with one entry left out, and with one changed."""
    for number, entry in enumerate(where):
        before, after = where[:number], where[number + 1 :]
        yield (*before, *after)
        of = property_type(entry, kinds, definitions)
        for test in changed_tests(entry.test, of):
            yield (*before, replace(entry, test=test), *after)


def property_type(entry: c.PropertyTest, kinds: tuple[str, ...], definitions: Definitions) -> ValueType:
    """The type of a property that a filter tests."""
    if entry.property.startswith("time."):
        return INTEGER if entry.property != "time.date" else ValueType(Kind.DATE)
    found = _declared(entry.property, kinds, definitions)
    for name in entry.path:
        found = dict(found.fields)[name]
    return found


def _declared(name: str, kinds: tuple[str, ...], definitions: Definitions) -> ValueType:
    """The type of a property of events, or of rows where the kind says so."""
    table = definitions.project.table(kinds[0].removeprefix(RELATED)) if kinds[0].startswith(RELATED) else None
    if table is not None:
        return table.property_type(name) or TEXT
    for event in definitions.project.events:
        if (event.name in kinds or kinds == ("*",)) and (of := event.property_type(name)) is not None:
            return of
    return TEXT


def measure_type(measure: c.Measure, kinds: tuple[str, ...], definitions: Definitions) -> ValueType:
    """The type of what is measured."""
    match measure:
        case c.Count() | c.Periods():
            return INTEGER
        case c.Aggregate(function, of):
            if function in ("distinct", "average"):
                return INTEGER if function == "distinct" else REAL
            return _declared(of, kinds, definitions)
        case c.EdgeValue(_, of) | c.MostFrequent(of):
            return _declared(of, kinds, definitions)
        case c.EdgeTime():
            return TIME
        case c.Share():
            return ValueType(Kind.REAL, unit="share")
    return REAL


def _measure_variants(measure: c.Measure, kinds: tuple[str, ...], definitions: Definitions) -> Iterator[c.Measure]:
    match measure:
        case c.Count(c.FollowedBy() as followed):
            yield c.Count()
            yield from (c.Count(other) for other in _followed_variants(followed, definitions))
        case c.Aggregate(function) if function in _AGGREGATES:
            yield replace(measure, function=_AGGREGATES[function])
        case c.Periods(unit):
            place = _PERIODS.index(unit)
            yield c.Periods(_PERIODS[place + 1] if place + 1 < len(_PERIODS) else _PERIODS[place - 1])
        case c.Share(where):
            yield from (c.Share(other) for other in where_variants(where, kinds, definitions) if other)
        case c.EdgeTime(edge) | c.EdgeValue(edge):
            yield replace(measure, edge="last" if edge == "first" else "first")
        case c.MostFrequent(of, path):
            yield c.EdgeValue("last", of, path)
        case c.Gap(function):
            yield c.Gap("max" if function != "max" else "average")


def _followed_variants(followed: c.FollowedBy, definitions: Definitions) -> Iterator[c.FollowedBy]:
    needed = [*_named(followed.where), *followed.same]
    yield from (replace(followed, events=kinds) for kinds in _fewer(followed.events, needed, definitions))
    yield from (replace(followed, same=same) for same in _without_one(followed.same))
    yield from (
        replace(followed, where=where) for where in where_variants(followed.where, followed.events, definitions)
    )
    if followed.within is not None:
        yield from (replace(followed, within=within) for within in duration_variants(followed.within, least=0))
        yield replace(followed, within=None)


def _fewer(kinds: tuple[str, ...], needed: Sequence[str], definitions: Definitions) -> Iterator[tuple[str, ...]]:
    """One kind less, where the others have all the properties that are asked for."""
    for others in _without_one(kinds) if len(kinds) > 1 else ():
        declared = {name for kind in map(definitions.project.event, others) if kind for name, _ in kind.properties}
        if declared.issuperset(needed):
            yield others


def _named(where: tuple[c.PropertyTest, ...]) -> list[str]:
    return [entry.property for entry in where if not entry.property.startswith("time.")]


def _measured(measure: c.Measure) -> list[str]:
    """Properties that a measure reads of the events it measures."""
    match measure:
        case c.Count(c.FollowedBy(same=same)):
            return list(same)
        case c.Share(where):
            return _named(where)
    of = getattr(measure, "of", None)
    return [of] if isinstance(of, str) else []


def _without_one(values: tuple[T, ...]) -> Iterator[tuple[T, ...]]:
    return ((*values[:n], *values[n + 1 :]) for n in range(len(values)))


# --- Related rows -----------------------------------------------------------------------------------------
def _related_variants(leaf: c.RelatedCondition, definitions: Definitions) -> Iterator[c.Condition]:
    table = (RELATED + leaf.selection.table,)
    for where in where_variants(leaf.selection.where, table, definitions):
        yield replace(leaf, selection=replace(leaf.selection, where=where))
    for measure in _measure_variants(leaf.measure, table, definitions):
        yield replace(leaf, measure=measure)
    of = measure_type(leaf.measure, table, definitions)
    yield from (replace(leaf, test=test) for test in changed_tests(leaf.test, of, countable=_counts(leaf.measure)))
    if measure_can_miss(leaf.measure):
        yield from (replace(leaf, missing=missing) for missing in _missing_variants(leaf.missing))


def _is_value(test: c.Test) -> TypeGuard[c.ValueTest]:
    return isinstance(test, c.ValueTest)


# --- Sequences --------------------------------------------------------------------------------------------
def _sequence_variants(leaf: c.SequenceCondition, definitions: Definitions) -> Iterator[c.Condition]:
    steps = leaf.steps
    for number, step in enumerate(steps):
        before, after = steps[:number], steps[number + 1 :]
        for other in _step_variants(step, leaf.same, definitions, is_first=number == 0):
            yield replace(leaf, steps=(*before, other, *after))
        if number > 0 and len(steps) > 2:
            yield replace(leaf, steps=(*before, *after))
    yield from (replace(leaf, same=same) for same in _without_one(leaf.same))
    others: dict[str, Literal["first", "last", "any"]] = {"first": "last", "last": "first"}
    if leaf.start in others:
        yield replace(leaf, start=others[leaf.start])


def _step_variants(
    step: c.Step, same: tuple[str, ...], definitions: Definitions, *, is_first: bool
) -> Iterator[c.Step]:
    needed = [*_named(step.where), *same]
    yield from (replace(step, events=kinds) for kinds in _fewer(step.events, needed, definitions))
    yield from (replace(step, where=where) for where in where_variants(step.where, step.events, definitions))
    if step.window is not None:
        yield from _windows(step, step.window, lambda window: replace(step, window=window))
    if not is_first:
        yield replace(step, negative=not step.negative)
    if step.within is not None:
        yield from (replace(step, within=within) for within in duration_variants(step.within, least=0))
        yield replace(step, within=None)


def _windows(step: c.Step, window: Window, made: Callable[[Window], c.Step]) -> Iterator[c.Step]:
    yield from (made(other) for other in window_variants(window, of_events=True))
    yield replace(step, window=None)
