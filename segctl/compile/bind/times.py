"""Time operators, the one set for event windows, time traits and `first` and `last`."""

from __future__ import annotations

from typing import Literal

from segctl.compile import timewords
from segctl.compile.bind import forms
from segctl.compile.bind.names import find_operand
from segctl.compile.bind.scope import Scope, describe_type
from segctl.compile.source import ListNode, Mapping, Node, Scalar
from segctl.model.times import (
    EXACT_SECONDS,
    Anniversary,
    Before,
    Between,
    Duration,
    During,
    LocalDay,
    OlderThan,
    RelativeTime,
    Since,
    TimePoint,
    TraitTime,
    Window,
    WithinLast,
    WithinNext,
)
from segctl.model.types import Kind

TIME_OPERATORS = (
    "within_last", "older_than", "within_next", "between", "since", "before", "during", "anniversary",
)  # fmt: skip


def bind_window(operator: Scalar, value: Node, scope: Scope, *, of_events: bool) -> Window | None:
    """The window a time operator says.

    Args:
        operator: The key, one of `TIME_OPERATORS`.
        value: What stands under it.
        scope: Where problems go.
        of_events: Events end at as_of, so nothing can lie ahead of it.
    """
    match operator.text:
        case "within_last" | "older_than":
            length = duration(value, scope)
            make = WithinLast if operator.text == "within_last" else OlderThan
            return None if length is None else make(length)
        case "within_next":
            return _within_next(operator, value, scope, of_events=of_events)
        case "between":
            return _between(value, scope)
        case "since" | "before":
            point = _point(value, scope)
            if point is None:
                return None
            return Since(point) if operator.text == "since" else Before(point)
        case "during":
            return _during(value, scope)
        case _:
            return _anniversary(value, scope)


def duration(node: Node, scope: Scope, *, least: int = 1) -> Duration | None:
    """A duration such as ``7 days``."""
    written = forms.text(node, scope, "a duration such as `7 days`")
    if written is None or not isinstance(node, Scalar):
        return None
    found = timewords.parse_duration(written, minimum=least)
    if isinstance(found, timewords.Problem):
        scope.error("SEG233", found.message, node.location, hint=found.hint)
        return None
    return found


def length_after(node: Node, scope: Scope) -> Duration | None:
    """The `within` of a step or follower: it counts from an event, so whole calendar days have no meaning."""
    found = duration(node, scope, least=0)
    if found is None or not found.calendar:
        return found
    hint = f"write `{found.amount} {found.unit}`, counted from the event"
    scope.error("SEG233", "`within` counts from an event, not from midnight", node.location, hint=hint)
    return None


def _within_next(operator: Scalar, value: Node, scope: Scope, *, of_events: bool) -> Window | None:
    if of_events:
        message = "`within_next` finds no events: those after `as_of` do not exist"
        hint = "use `within_last`, or `within_next` on a time trait"
        scope.error("SEG241", message, operator.location, hint=hint)
        return None
    length = duration(value, scope)
    return None if length is None else WithinNext(length)


def _between(value: Node, scope: Scope) -> Window | None:
    hint = "write `[2026-01-01, 2026-03-31]` or `[1 day ago, 2 hours ago]`"
    bounds = forms.items(value, scope, "`between`", hint=hint)
    if bounds is None:
        return None
    if len(bounds) != 2:
        scope.error("SEG212", f"`between` has two bounds, not {len(bounds)}", value.location, hint=hint)
        return None
    start, end = (_point(bound, scope) for bound in bounds)
    if start is None or end is None:
        return None
    if _is_reversed(start, end):
        hint = "exchange the bounds"
        scope.warn("SEG247", "`between` ends before it starts, so nothing lies in it", value.location, hint=hint)
    return Between(start, end)


def _is_reversed(start: TimePoint, end: TimePoint) -> bool:
    if isinstance(start, LocalDay) and isinstance(end, LocalDay):
        return start.day > end.day
    if isinstance(start, RelativeTime) and isinstance(end, RelativeTime):
        from_now, until = _seconds(start), _seconds(end)
        return from_now is not None and until is not None and from_now > until
    return False


def _seconds(point: RelativeTime) -> int | None:
    if point.duration is None:
        return 0
    unit = EXACT_SECONDS.get(point.duration.unit)
    return None if unit is None else point.sign * point.duration.amount * unit


def _point(node: Node, scope: Scope) -> TimePoint | None:
    if isinstance(node, Mapping):
        found = find_operand(node, scope)
        if found is None:
            return None
        if found[1].kind not in (Kind.DATE, Kind.TIME):
            message = f"`{found[0]}` is {describe_type(found[1])}, not a date or time"
            scope.error("SEG244", message, node.entries[0][1].location)
            return None
        return TraitTime(found[0])
    if isinstance(node, ListNode):
        forms.wrong_form(node, scope, "a single time stands here", hint="`between` takes two")
        return None
    written = forms.text(node, scope, "a time such as `2026-11-21` or `2 hours ago`")
    if written is None:
        return None
    point = timewords.parse_time_point(written)
    if isinstance(point, timewords.Problem):
        scope.error("SEG232", point.message, node.location, hint=point.hint)
        return None
    return point


def _during(value: Node, scope: Scope) -> Window | None:
    written = forms.text(value, scope, "a calendar period such as `2026-W47` or `previous month`")
    if written is None:
        return None
    period = timewords.parse_period(written)
    if isinstance(period, timewords.Problem):
        scope.error("SEG234", period.message, value.location, hint=period.hint)
        return None
    return During(period)


def _anniversary(value: Node, scope: Scope) -> Window | None:
    hint = "write `{within_next: 7 calendar days}`"
    node = forms.mapping(value, scope, "`anniversary`", hint=hint)
    if node is None or not forms.check_keys(node, ("within_next", "within_last"), scope, "`anniversary`"):
        return None
    if len(node.entries) != 1:
        scope.error("SEG214", "`anniversary` takes one of `within_next` and `within_last`", node.location, hint=hint)
        return None
    key, length_node = node.entries[0]
    length = duration(length_node, scope)
    if length is None:
        return None
    if length.unit in ("seconds", "minutes", "hours"):
        message = f"`{length}` are not whole days; an anniversary is a day"
        scope.error("SEG233", message, length_node.location, hint=hint)
        return None
    direction: Literal["within_next", "within_last"] = "within_next" if key.text == "within_next" else "within_last"
    return Anniversary(length, direction)
