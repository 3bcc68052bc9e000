"""Measures: what is computed of the selected events, in conditions with a test and in computed traits without."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, cast

from segctl.compile.bind import forms
from segctl.compile.bind.names import Resolved, find_kinds, find_property
from segctl.compile.bind.operators import OPERATORS, TEST_KEYS, bind_test
from segctl.compile.bind.scope import Scope, describe_type
from segctl.compile.bind.times import TIME_OPERATORS, bind_window, duration, length_after
from segctl.compile.bind.where import bind_where
from segctl.compile.source import Mapping, Node, Scalar
from segctl.compile.suggest import one_of
from segctl.model.conditions import (
    Aggregate,
    Count,
    EdgeTime,
    EdgeValue,
    FollowedBy,
    Gap,
    Measure,
    MostFrequent,
    Operand,
    Periods,
    Share,
    Test,
    ValueTest,
)
from segctl.model.dataclass import dataclass
from segctl.model.types import INTEGER, REAL, TIME, Kind, ValueType

AGGREGATES = ("sum", "average", "min", "max", "distinct")
VALUES = ("first_value", "last_value", "most_frequent")
PERIODS = ("days", "weeks", "months", "years")
EDGES = ("first", "last")
MEASURES = ("count", *AGGREGATES, *PERIODS, "share", *EDGES, *VALUES, "gap")
GAPS = ("average", "max", "last")

_OWN_KEYS = {
    "count": ("followed_by",), "share": ("where",), "gap": ("of",),
    **dict.fromkeys((*AGGREGATES, *VALUES), ("of",)),
}  # fmt: skip
_GAP_OPERATORS = ("above", "at_least", "below", "at_most", "between")
_ORDERED = (Kind.INTEGER, Kind.NUMBER, Kind.MONEY, Kind.DATE, Kind.TIME)
_NUMERIC = (Kind.INTEGER, Kind.NUMBER, Kind.MONEY)
_GAP_DAYS = ValueType(Kind.REAL, unit="days")


@dataclass(frozen=True, slots=True)
class BoundMeasure:
    """A measure with the type of what it gives.

    Attributes:
        measure: What is computed.
        name: The word in the language.
        type: Type of the result.
    """

    measure: Measure
    name: str
    type: ValueType = INTEGER


def can_be_missing(measure: Measure) -> bool:
    """True for measures that are missing of no events."""
    if isinstance(measure, Aggregate):
        return measure.function not in ("sum", "distinct")
    return not isinstance(measure, Count | Periods)


def bind_measure(
    key: Scalar, value: Node, kinds: tuple[str, ...] | None, scope: Scope
) -> tuple[BoundMeasure, Test] | None:
    """A measure and its test, as conditions have it.

    Args:
        key: The measure's name.
        value: What stands under it.
        kinds: Event kinds, None when they are unknown.
        scope: Where problems go.
    """
    if key.text == "count" and isinstance(value, Scalar) and value.is_plain and value.text == "0":
        return BoundMeasure(Count(), "count"), ValueTest("equals", (0,))
    if isinstance(value, Scalar) and not value.is_null:
        _report_bare(key, value, scope)
        return None
    node = forms.mapping(value, scope, f"`{key.text}`", hint=_example(key.text))
    if node is None or not _check_own_keys(node, key.text, scope):
        return None
    bound = measure_of(key, node, kinds, scope)
    if bound is None:
        return None
    test = _test(node, bound, scope)
    return None if test is None else (bound, test)


def bind_trait_measure(key: Scalar, value: Node, kinds: tuple[str, ...] | None, scope: Scope) -> BoundMeasure | None:
    """A measure without a test, as computed traits have it."""
    name = key.text
    if name in EDGES or name == "gap":
        word = "time" if name in EDGES else None
        options = (word,) if word else GAPS
        written = forms.choice(value, options, scope, f"`{name}` of a trait")
        if written is None:
            return None
        return _edge(name) if name in EDGES else _gap(written)
    node = forms.mapping(value, scope, f"`{name}`", hint=f"write `{name}: {_trait_example(name)}`")
    if node is None:
        return None
    operators = [inner for inner, _ in node.entries if inner.text in OPERATORS]
    if operators:
        message = f"a trait has a value, no test: `{operators[0].text}` belongs to conditions"
        scope.error("SEG262", message, operators[0].location, hint="delete it, and test the trait in a segment")
        return None
    own = _OWN_KEYS.get(name, ())
    return measure_of(key, node, kinds, scope) if forms.check_keys(node, own, scope, f"`{name}`") else None


def measure_of(key: Scalar, node: Mapping, kinds: tuple[str, ...] | None, scope: Scope) -> BoundMeasure | None:
    """The measure of a mapping, whatever test stands beside it."""
    name = key.text
    if name == "count":
        return _count(node, kinds, scope)
    if name in PERIODS:
        unit = cast("Literal['days', 'weeks', 'months', 'years']", name)
        return BoundMeasure(Periods(unit), name)
    if name == "share":
        where_node = forms.required(node, "where", scope, "`share`", example="where: {coupon: {exists: true}}")
        where = bind_where(where_node, kinds, scope) if where_node is not None else None
        return None if not where else BoundMeasure(Share(where), name, ValueType(Kind.REAL, unit="share"))
    if name in EDGES:
        return _edge(name)
    of = forms.required(node, "of", scope, f"`{name}`", example="of: average" if name == "gap" else "of: value")
    if of is None:
        return None
    if name == "gap":
        function = forms.choice(of, GAPS, scope, "gap")
        return None if function is None else _gap(function)
    found = find_property(of, kinds, scope) if kinds is not None else None
    return None if found is None else _of_property(name, found, of, scope)


def _edge(name: str) -> BoundMeasure:
    return BoundMeasure(EdgeTime(cast("Literal['first', 'last']", name)), name, TIME)


def _gap(function: str) -> BoundMeasure:
    return BoundMeasure(Gap(cast("Literal['average', 'max', 'last']", function)), "gap", _GAP_DAYS)


def _of_property(name: str, found: Resolved, node: Node, scope: Scope) -> BoundMeasure | None:
    wanted: tuple[Kind, ...] | None = None
    if name in ("sum", "average"):
        wanted = _NUMERIC
    elif name in ("min", "max"):
        wanted = _ORDERED
    if found.type.kind in (Kind.LIST, Kind.STRUCT) or (wanted is not None and found.type.kind not in wanted):
        can = "numbers" if wanted == _NUMERIC else "numbers, dates and times" if wanted else "single values"
        message = f"`{name}` is for {can}; `{found.name}` is {describe_type(found.type)}"
        scope.error("SEG243", message, node.location)
        return None
    if name == "distinct":
        return BoundMeasure(Aggregate("distinct", found.name, found.path), name)
    if name == "average":
        return BoundMeasure(Aggregate("average", found.name, found.path), name, replace(REAL, unit=found.type.unit))
    if name in AGGREGATES:
        function = cast("Literal['sum', 'min', 'max']", name)
        return BoundMeasure(Aggregate(function, found.name, found.path), name, found.type)
    if name == "most_frequent":
        return BoundMeasure(MostFrequent(found.name, found.path), name, found.type)
    edge = cast("Literal['first', 'last']", name.removesuffix("_value"))
    return BoundMeasure(EdgeValue(edge, found.name, found.path), name, found.type)


def _count(node: Mapping, kinds: tuple[str, ...] | None, scope: Scope) -> BoundMeasure | None:
    value = node.get("followed_by")
    if value is None:
        return BoundMeasure(Count(), "count")
    follower = _followed_by(value, kinds, scope)
    return None if follower is None else BoundMeasure(Count(follower), "count")


def _followed_by(value: Node, followed: tuple[str, ...] | None, scope: Scope) -> FollowedBy | None:
    node = forms.mapping(value, scope, "`followed_by`", hint="write `{event: email_opened, within: 7 days}`")
    if node is None:
        return None
    ok = forms.check_keys(node, ("event", "where", "same", "within"), scope, "`followed_by`")
    event = forms.required(node, "event", scope, "`followed_by`", example="event: NAME")
    kinds = find_kinds(event, scope) if event is not None else None
    where = bind_where(node.get("where"), kinds, scope)
    tied = tuple(group for group in (followed, kinds) if group is not None)
    same = bind_same(node.get("same"), tied, scope)
    within_node = node.get("within")
    within = length_after(within_node, scope) if within_node is not None else None
    if kinds is None or where is None or same is None or (within_node is not None and within is None) or not ok:
        return None
    return FollowedBy(kinds, where, same, within)


def bind_same(node: Node | None, groups: tuple[tuple[str, ...], ...], scope: Scope) -> tuple[str, ...] | None:
    """Properties that tie events together: every group of kinds must have each of them, with one type.

    Args:
        node: The value of `same`, None without it.
        groups: Kinds of each step or leaf that is tied.
        scope: Where problems go.
    """
    if node is None:
        return ()
    listed = forms.names(node, scope, "`same`")
    if listed is None:
        return None
    kept = [item.text.strip() for item in listed if _ties(item, groups, scope)]
    return tuple(kept) if len(kept) == len(listed) else None


def _ties(item: Scalar, groups: tuple[tuple[str, ...], ...], scope: Scope) -> bool:
    known: ValueType | None = None
    for kinds in groups:
        found = find_property(item, kinds, scope)
        if found is None:
            return False
        if found.path or found.type.kind in (Kind.LIST, Kind.STRUCT):
            message = f"`{item.text}` is no single value of the event; `same` compares whole properties"
            scope.error("SEG252", message, item.location)
            return False
        if known is not None and known != found.type:
            message = f"`{item.text}` is {describe_type(known)} in one event and {describe_type(found.type)} in another"
            scope.error("SEG238", message, item.location)
            return False
        known = found.type
    return True


def _check_own_keys(node: Mapping, name: str, scope: Scope) -> bool:
    own = _OWN_KEYS.get(name, ())
    unknown = [key for key, _ in node.entries if key.text not in TEST_KEYS and key.text not in own]
    if name in (*AGGREGATES, *VALUES) and len(unknown) == 1 and node.get("of") is None and len(node.entries) <= 2:
        key = unknown[0]
        scope.error("SEG211", f"`{name}` has no `of`", key.location, hint=f"write `{{of: {key.text[:40]}, …}}`")
        return False
    return True


def _test(node: Mapping, bound: BoundMeasure, scope: Scope) -> Test | None:
    own = _OWN_KEYS.get(bound.name, ())
    what = f"`{bound.name}`"
    has_operator = any(key.text in OPERATORS for key, _ in node.entries)
    if bound.name == "count" and node.get("followed_by") is not None and not has_operator:
        return ValueTest("at_least", (1,)) if forms.check_keys(node, own, scope, what) else None
    if bound.name in EDGES:
        return _edge_test(node, what, scope)
    if bound.name == "gap":
        return bind_test(node, bound.type, scope, what, extra=own, allowed=_GAP_OPERATORS, read=_gap_operand)
    allowed: tuple[str, ...] | None = None
    if bound.name in ("count", "distinct", *PERIODS):
        allowed = ("equals", "not_equals", "in", "not_in", *_GAP_OPERATORS)
    elif bound.name not in VALUES and bound.type.is_numeric:
        allowed = ("equals", "not_equals", "in", "not_in", *_GAP_OPERATORS, "exists")
    return bind_test(node, bound.type, scope, what, extra=own, allowed=allowed)


def _edge_test(node: Mapping, what: str, scope: Scope) -> Test | None:
    operators = [(key, value) for key, value in node.entries if key.text in TIME_OPERATORS]
    if not forms.check_keys(node, (*TIME_OPERATORS, "exists"), scope, what):
        return None
    if node.get("exists") is not None:
        return bind_test(node, TIME, scope, what)
    if len(operators) != 1:
        found = one_of(key.text for key, _ in operators)
        message = f"{what} has several operators: {found}" if operators else f"{what} has no operator"
        scope.error("SEG214", message, node.location, hint="write `{within_last: 30 days}`")
        return None
    return bind_window(*operators[0], scope, of_events=True)


def _gap_operand(node: Node, _of: ValueType, scope: Scope) -> Operand | None:
    if isinstance(node, Scalar) and node.is_plain and node.text.replace(".", "").isdigit():
        hint = f"write `{node.text} days`"
        scope.error("SEG233", f"`{node.text}` has no unit; a gap is a duration", node.location, hint=hint)
        return None
    length = duration(node, scope)
    if length is None:
        return None
    if length.calendar or length.unit in ("months", "years"):
        message = f"`{length}` has no fixed length; a gap is compared in exact units"
        scope.error("SEG233", message, node.location, hint="use seconds, minutes, hours, days or weeks")
        return None
    return length


def _report_bare(key: Scalar, value: Scalar, scope: Scope) -> None:
    name, written = key.text, value.text.strip()[:40]
    if name in (*AGGREGATES, *VALUES) and not written.replace(".", "").isdigit():
        scope.error("SEG212", f"`{name}` is a mapping", value.location, hint=f"write `{{of: {written}, at_least: …}}`")
        return
    if name in EDGES or name in ("gap", "share"):
        forms.wrong_form(value, scope, f"`{name}` is a mapping", hint=_example(name))
        return
    message = f"`{name}: {written}` does not say whether at least, at most or exactly {written} is meant"
    hint = f"write `{name}: {{at_least: {written}}}` or `{name}: {{equals: {written}}}`"
    scope.error("SEG242", message, value.location, hint=hint)


def _example(name: str) -> str:
    examples = {
        "count": "{at_least: 3}",
        "share": "{where: {coupon: {exists: true}}, at_least: 50 %}",
        "gap": "{of: average, at_least: 30 days}",
        **dict.fromkeys(EDGES, "{within_last: 30 days}"),
        **dict.fromkeys(PERIODS, "{at_least: 3}"),
        **dict.fromkeys(VALUES, "{of: category, equals: Sneaker}"),
        "distinct": "{of: product_id, at_least: 3}",
    }
    return f"write `{name}: {examples.get(name, '{of: value, at_least: 100}')}`"


def _trait_example(name: str) -> str:
    if name == "share":
        return "{where: {coupon: {exists: true}}}"
    return "{of: value}" if name in (*AGGREGATES, *VALUES) else "{}"
