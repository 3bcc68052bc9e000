"""Why a profile is in a segment or not: `explain`'s own evaluator, a row at a time, on the IR.

Standard library only. It answers like every engine and keeps what decided: values, event rows, and what is
missing. `trace_times.next_change` tells when the answer can change if nothing else happens.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from typing import Literal as OneOf
from zoneinfo import ZoneInfo

from segctl.compile import ir, trace_measures, trace_sequences
from segctl.compile.plan import parts
from segctl.compile.trace_eval import Rows, instant
from segctl.compile.trace_rows import Answer, Branch, EventRow, LeafTrace, ProfileRow, Trace, TracedValue
from segctl.model.types import Kind, ValueType

__all__ = ["Answer", "Branch", "EventRow", "LeafTrace", "ProfileRow", "Trace", "TracedValue", "trace"]

EVENTS_SHOWN = 10
Comparison = OneOf["eq", "ne", "lt", "le", "gt", "ge"]
_NEEDS = {
    "eq": "needs exactly",
    "ne": "must not be",
    "lt": "needs less than",
    "le": "needs at most",
    "gt": "needs more than",
    "ge": "needs at least",
}
_FLIPPED: dict[str, Comparison] = {"eq": "eq", "ne": "ne", "lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}
_NEGATED: dict[str, Comparison] = {"eq": "ne", "ne": "eq", "lt": "ge", "le": "gt", "gt": "le", "ge": "lt"}


def trace(
    segment: ir.LoweredSegment,
    profile: ProfileRow,
    events: Sequence[EventRow],
    *,
    as_of: datetime,
    zone: str,
    members: Mapping[str, bool],
    limit: int = EVENTS_SHOWN,
) -> Trace:
    """The answer for one profile in all its parts.

    Args:
        segment: Lowered.
        profile: Traits at as_of and list answers.
        events: All its events and the changes of its traits, in any order; those after as_of are ignored.
        as_of: Aware.
        zone: The project's zone.
        members: Whether the profile belongs to each segment that this one refers to.
        limit: Event rows kept for each leaf.

    Raises:
        KeyError: A segment that is referred to is not in `members`.
    """
    rows = Rows(profile, events, as_of=as_of, zone=zone, members=members)
    leaves = tuple(_leaf(rows, leaf, limit) for leaf in segment.leaves)
    tree = _tree(rows, segment.where, segment.leaves, iter(range(len(segment.leaves))))
    return Trace(segment.name, profile.profile_id, rows.truth(segment.where), tree, leaves)


def _tree(rows: Rows, node: ir.Predicate, leaves: Sequence[ir.Leaf], order: Iterator[int]) -> Branch:
    """The shape of a condition; leaves are met in reading order."""
    answer = rows.truth(node)
    if node in (leaf.predicate for leaf in leaves):
        return Branch("leaf", answer, leaf=_place(node, leaves, order))
    match node:
        case ir.And(items) | ir.Or(items) | ir.AtLeast(items, _):
            word = "all" if isinstance(node, ir.And) else "any"
            word = f"any at_least {node.n}" if isinstance(node, ir.AtLeast) else word
            return Branch(word, answer, tuple(_tree(rows, item, leaves, order) for item in items))
        case ir.Not(item):
            return Branch("not", answer, (_tree(rows, item, leaves, order),))
    return Branch("leaf", answer)


def _place(node: ir.Predicate, leaves: Sequence[ir.Leaf], order: Iterator[int]) -> int:
    """The next leaf in reading order with this predicate; the first one where order does not help."""
    index = next(order, None)
    if index is not None and leaves[index].predicate == node:
        return index
    return next(i for i, leaf in enumerate(leaves) if leaf.predicate == node)


def _leaf(rows: Rows, leaf: ir.Leaf, limit: int) -> LeafTrace:
    answer = rows.truth(leaf.predicate)
    events = _deciding(rows, leaf.predicate)
    return LeafTrace(
        path=leaf.path,
        text=leaf.text,
        line=leaf.line,
        answer=answer,
        values=tuple(_values(rows, leaf.predicate)),
        events=tuple(events[-limit:]) if limit else (),
        event_count=len(events),
        missing=None if answer is True else _missing(rows, leaf.predicate),
    )


# --- What decided ------------------------------------------------------------------------------------------
def _values(rows: Rows, node: object) -> Iterator[TracedValue]:
    """Metrics and traits that a predicate reads on the profile, each once."""
    for expression in dict.fromkeys(_read(node)):
        if isinstance(expression, ir.MetricValue):
            name, of = metric_words(expression.metric), expression.metric.type
        else:
            name, of = _dotted(expression), expression.type
        yield TracedValue(name, _physical(rows.value(expression), of), of)


def _read(node: object) -> Iterator[ir.Expression]:
    """Expressions over the profile, outermost struct field first; event rows and single values of `same` aside."""
    match node:
        case ir.MetricValue() | ir.StoredTrait() | ir.StructField():
            yield node
        case ir.HasCommonValue() | ir.HasSequence():
            return
        case _:
            for part in parts(node):
                yield from _read(part)


def _deciding(rows: Rows, node: object) -> list[EventRow]:
    """Event rows that decide a predicate, in event order."""
    found: dict[int, EventRow] = {}
    for part in _decided_by_events(node):
        if isinstance(part, ir.Sequence):
            matched = trace_sequences.match(rows, part)
            events = [*matched.events, *([matched.blocked_by] if matched.blocked_by else [])]
        else:
            events = trace_measures.deciding(rows, part, rows.selected(part))
        found |= {id(event): event for event in events}
    positions = {id(event): at for at, event in enumerate(rows.events)}
    return sorted(found.values(), key=lambda event: positions[id(event)])


def _decided_by_events(node: object) -> Iterator[ir.Metric | ir.Sequence]:
    if isinstance(node, ir.Metric | ir.Sequence):
        yield node
        return
    for part in parts(node):
        yield from _decided_by_events(part)


# --- What is missing ---------------------------------------------------------------------------------------
def _missing(rows: Rows, node: ir.Predicate) -> str | None:
    """What would be needed, in a few words; None where there is nothing to add to the condition's own text."""
    match node:
        case ir.IfMissing(item, _):
            return _missing(rows, item)
        case ir.Compare():
            return _needed(rows, node)
        case ir.Not(ir.Compare() as item):
            return _needed(rows, ir.Compare(_NEGATED[item.op], item.left, item.right))
        case ir.HasSequence(sequence):
            return _missing_step(trace_sequences.match(rows, sequence), sequence, rows.zone)
        case ir.HasCommonValue(same, _):
            return f"no one value of {', '.join(name for name, _ in same)} fulfils all"
    absent = [value.name for value in _values(rows, node) if value.value is None]
    if absent and rows.truth(node) is None:
        return f"{_listed(absent)} missing"
    read = [f"{value.name} is {_shown(value.value, value.type, rows.zone)}" for value in _values(rows, node)]
    return "; ".join(read) or None


def _needed(rows: Rows, node: ir.Compare) -> str:
    """``2, needs at least 3``; or which value is missing."""
    op, left, right = node.op, node.left, node.right
    if isinstance(left, ir.Literal):
        op, left, right = _FLIPPED[op], right, left
    found, wanted = rows.value(left), rows.value(right)
    if found is None or wanted is None:
        absent = [v.name for v in _values(rows, node) if v.value is None]
        return f"{_listed(absent)} missing" if absent else "a value is missing"
    return f"{_shown(found, left.type, rows.zone)}, {_NEEDS[op]} {_shown(wanted, right.type, rows.zone)}"


def _missing_step(found: trace_sequences.Match, sequence: ir.Sequence, zone: str) -> str | None:
    """Which step of a sequence nothing fulfilled."""
    if found.failed_step is None:
        return None
    step = sequence.steps[found.failed_step]
    name = " or ".join(step.kinds)
    if found.blocked_by is not None:
        blocker = found.blocked_by
        return f"step {found.failed_step + 1}: `{blocker.kind}` at {_local(blocker.ts, zone)} prevents it"
    if step.negative:
        return f"step {found.failed_step + 1}: the time without `{name}` has not passed yet"
    return f"step {found.failed_step + 1}: no fitting `{name}`"


def metric_words(metric: ir.Metric) -> str:
    """``count of order_completed``, ``sum of value of order_completed``."""
    kinds = " or ".join(metric.kinds)
    measured = f" of {_dotted(metric.measure.of)}" if metric.measure.of is not None else ""
    return f"{metric.measure.function.replace('_', ' ')}{measured} of {kinds}"


def _dotted(node: ir.Expression) -> str:
    match node:
        case ir.StructField(of, field, _):
            return f"{_dotted(of)}.{field}"
        case ir.StoredTrait(name, _) | ir.EventProperty(name, _):
            return name
        case ir.EventTimePart(part, _):
            return f"time.{part}"
    return "value"


def _listed(names: Sequence[str]) -> str:
    joined = ", ".join(f"`{name}`" for name in dict.fromkeys(names))
    return f"{joined} {'is' if len(set(names)) == 1 else 'are'}"


def _physical(value: object, of: ValueType) -> object:
    """Working form to physical form: instants become aware times again."""
    return instant(value) if of.kind is Kind.TIME and isinstance(value, int) else value


def _local(at: datetime, zone: str) -> str:
    with suppress(OverflowError):  # the last hours of the year 9999 have no local time
        at = at.astimezone(ZoneInfo(zone))
    return at.isoformat(sep=" ", timespec="seconds")


def _shown(value: object, of: ValueType, zone: str) -> str:
    """A value as people write it; times are those of a zone."""
    if value is None:
        return "missing"
    at = _physical(value, of)
    if isinstance(at, datetime):
        return _local(at, zone)
    if isinstance(value, float):
        return f"{value:.6g}"
    if of.scale and isinstance(value, int):
        return f"{Decimal(value).scaleb(-of.scale)}{f' {of.unit}' if of.unit else ''}"
    return f"{value} {of.unit}" if of.unit else str(value)
