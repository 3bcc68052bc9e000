"""`same` over an `all`: which conditions may stand below one tied value."""

from __future__ import annotations

from decimal import Decimal

from segctl.compile.bind.measures import bind_same, can_be_missing
from segctl.compile.bind.scope import Scope
from segctl.compile.prune import leaves as all_leaves
from segctl.compile.source import Mapping, Node
from segctl.model.conditions import (
    All,
    AnyOf,
    ChangedCondition,
    ColleaguesCondition,
    Condition,
    EventCondition,
    NoneOf,
    Not,
    RelatedCondition,
    SequenceCondition,
    TraitCondition,
    ValueTest,
)

_MOST_APART = 5
_OUT = "delete it, or move the condition out of this `all`"


def bind_same_of_all(
    bound: tuple[Condition, ...], same_node: Node, node: Mapping, scope: Scope
) -> tuple[str, ...] | None:
    """Properties whose one value ties the conditions together.

    Args:
        bound: Conditions of the `all`.
        same_node: What stands under `same`.
        node: The `all` itself, for places.
        scope: Names in reach; problems go there.

    Returns:
        None when something is wrong, which is then reported.
    """
    leaves = [leaf for item in bound for leaf in _event_leaves(item)]
    same = bind_same(same_node, tuple(dict.fromkeys(leaf.selection.events for leaf in leaves)), scope)
    if not any(_is_positive(item) for item in bound):
        why = "without an event that must exist, there is no value that all could share"
        hint = "add an event condition that needs at least one event"
        message = "`same` needs an event condition that is positive"
        scope.error("SEG252", message, same_node.location, why=why, hint=hint)
        return None
    apart = [leaf for item in bound for leaf in all_leaves(item) if _reads_other_events(leaf, scope)]
    if len(apart) > _MOST_APART:
        # Each is decided true, false and unknown beside the tied value: three cases more for every one.
        message = f"`same` stands over {len(apart)} conditions that read other events, {_MOST_APART} at most"
        scope.error("SEG252", message, same_node.location, hint="move them out of this `all`")
        return None
    strict = [leaf for leaf in leaves if leaf.missing == "error"]
    for leaf in strict:
        message = "`missing: error` cannot stand under `same`"
        why = "a value is missing for most of the values that are tried"
        scope.error("SEG245", message, leaf.location or node.location, why=why, hint=_OUT)
    return None if strict else same


def _reads_other_events(leaf: Condition, scope: Scope) -> bool:
    is_computed = isinstance(leaf, TraitCondition) and leaf.trait in scope.computed
    reads = SequenceCondition | ChangedCondition | RelatedCondition | ColleaguesCondition
    return is_computed or isinstance(leaf, reads)


def _event_leaves(item: Condition) -> list[EventCondition]:
    match item:
        case EventCondition():
            return [item]
        case All(items) | AnyOf(items) | NoneOf(items):
            return [leaf for inner in items for leaf in _event_leaves(inner)]
        case Not(inner):
            return _event_leaves(inner)
        case _:
            return []


def _is_positive(item: Condition) -> bool:
    """True when the condition cannot hold without an event."""
    match item:
        case EventCondition():
            return _needs_an_event(item)
        case All(items):
            return any(_is_positive(inner) for inner in items)
        case AnyOf(items, at_least):
            return sum(not _is_positive(inner) for inner in items) < at_least
        case _:
            return False


def _needs_an_event(leaf: EventCondition) -> bool:
    if can_be_missing(leaf.measure):
        return leaf.missing != "match"
    return not (isinstance(leaf.test, ValueTest) and holds_for_zero(leaf.test))


def holds_for_zero(test: ValueTest) -> bool:
    """True when a count of none passes the test; an operand that is a trait is taken as not passing."""
    operands = [operand for operand in test.operands if isinstance(operand, int | Decimal)]
    if len(operands) != len(test.operands) or not operands:
        return False
    first, last = operands[0], operands[-1]
    match test.operator:
        case "equals":
            return first == 0
        case "not_equals":
            return first != 0
        case "in":
            return 0 in operands
        case "not_in":
            return 0 not in operands
        case "above":
            return first < 0
        case "at_least":
            return first <= 0
        case "below":
            return first > 0
        case "at_most":
            return first >= 0
        case _:
            return first <= 0 <= last
