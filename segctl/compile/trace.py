"""Why a profile is in a segment or not: `explain`'s own evaluator, a row at a time, on the IR.

Standard library only. It answers like every engine and keeps what decided: values, event rows, and what is
missing. `trace_times.next_change` tells when the answer can change if nothing else happens.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Literal as OneOf

from segctl.compile import ir, trace_measures, trace_sequences
from segctl.compile.plan import parts
from segctl.compile.trace_eval import Rows, instant
from segctl.compile.trace_places import distances, missing_distance
from segctl.compile.trace_rows import Answer, Branch, EventRow, LeafTrace, ProfileRow, Trace, TracedValue
from segctl.compile.words_trace import TraceWords
from segctl.model.project import Language
from segctl.model.types import Kind, ValueType

__all__ = ["Answer", "Branch", "EventRow", "LeafTrace", "ProfileRow", "Trace", "TracedValue", "trace"]

EVENTS_SHOWN = 10
Comparison = OneOf["eq", "ne", "lt", "le", "gt", "ge"]
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
    language: Language = "en",
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
        language: Of what is missing, and of the names of measures.

    Raises:
        KeyError: A segment that is referred to is not in `members`.
    """
    rows = Rows(profile, events, as_of=as_of, zone=zone, members=members)
    words = TraceWords(zone, language)
    leaves = tuple(_leaf(rows, leaf, limit, words) for leaf in segment.leaves)
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


def _leaf(rows: Rows, leaf: ir.Leaf, limit: int, words: TraceWords) -> LeafTrace:
    answer = rows.truth(leaf.predicate)
    events = _deciding(rows, leaf.predicate)
    return LeafTrace(
        path=leaf.path,
        text=leaf.text,
        line=leaf.line,
        answer=answer,
        values=tuple(_values(rows, leaf.predicate, words)),
        events=tuple(events[-limit:]) if limit else (),
        event_count=len(events),
        missing=None if answer is True else _missing(rows, leaf.predicate, words),
    )


# --- What decided ------------------------------------------------------------------------------------------
def _values(rows: Rows, node: object, words: TraceWords) -> Iterator[TracedValue]:
    """Metrics and traits that a predicate reads on the profile, each once."""
    yield from distances(rows, node, words)
    for expression in dict.fromkeys(_read(node)):
        if isinstance(expression, ir.MetricValue):
            name, of = words.metric(expression.metric), expression.metric.type
        elif isinstance(expression, ir.Score):
            name, of = words.score(expression), expression.type
        elif isinstance(expression, ir.Colleagues):
            name, of = words.colleagues(expression), expression.type
        else:
            name, of = words.named(expression), expression.type
        yield TracedValue(name, _physical(rows.value(expression), of), of)


def _read(node: object) -> Iterator[ir.Expression]:
    """Expressions over the profile, outermost struct field first; event rows and single values of `same` aside."""
    match node:
        case ir.MetricValue() | ir.StoredTrait() | ir.StructField() | ir.Colleagues():
            yield node
        case ir.Score(of):
            yield node
            yield from _read(of)
        case ir.HasCommonValue() | ir.HasSequence():
            return
        case _:
            for part in parts(node):
                yield from _read(part)


def _deciding(rows: Rows, node: object) -> list[EventRow]:
    """Event rows that decide a predicate, in event order, and the colleagues that count, behind them."""
    found: dict[int, EventRow] = {}
    counted: list[EventRow] = []
    for part in _decided_by_events(node):
        if isinstance(part, ir.Colleagues):
            counted += rows.profile.colleagues.get(part, ())
            continue
        if isinstance(part, ir.Sequence):
            matched = trace_sequences.match(rows, part)
            events = [*matched.events, *([matched.blocked_by] if matched.blocked_by else [])]
        else:
            events = trace_measures.deciding(rows, part, rows.selected(part))
        found |= {id(event): event for event in events}
    positions = {id(event): at for at, event in enumerate(rows.events)}
    return [*sorted(found.values(), key=lambda event: positions[id(event)]), *counted]


def _decided_by_events(node: object) -> Iterator[ir.Metric | ir.Sequence | ir.Colleagues]:
    if isinstance(node, ir.Metric | ir.Sequence | ir.Colleagues):
        yield node
        return
    for part in parts(node):
        yield from _decided_by_events(part)


# --- What is missing ---------------------------------------------------------------------------------------
def _missing(rows: Rows, node: ir.Predicate, words: TraceWords) -> str | None:
    """What would be needed, in a few words; None where there is nothing to add to the condition's own text."""
    match node:
        case ir.IfMissing(item, _):
            return _missing(rows, item, words)
        case ir.Compare():
            return _needed(rows, node, words)
        case ir.Not(ir.Compare() as item):
            return _needed(rows, ir.Compare(_NEGATED[item.op], item.left, item.right), words)
        case ir.HasSequence(sequence):
            return _missing_step(trace_sequences.match(rows, sequence), sequence, words)
        case ir.Near():
            return missing_distance(rows, node, words)
        case ir.HasCommonValue(same, _):
            return words.say("no_common", ", ".join(name for name, _ in same))
    values = list(_values(rows, node, words))
    absent = [value.name for value in values if value.value is None]
    if absent and rows.truth(node) is None:
        return words.absent(absent)
    return "; ".join(words.say("is", value.name, words.value(value.value, value.type)) for value in values) or None


def _needed(rows: Rows, node: ir.Compare, words: TraceWords) -> str:
    """``2, needs at least 3``; or which value is missing."""
    op, left, right = node.op, node.left, node.right
    if isinstance(left, ir.Literal):
        op, left, right = _FLIPPED[op], right, left
    found, wanted = rows.value(left), rows.value(right)
    if found is None or wanted is None:
        return words.absent([v.name for v in _values(rows, node, words) if v.value is None])
    there = words.value(_physical(found, left.type), left.type)
    return f"{there}, {words.say(op, words.value(_physical(wanted, right.type), right.type))}"


def _missing_step(found: trace_sequences.Match, sequence: ir.Sequence, words: TraceWords) -> str | None:
    """Which step of a sequence nothing fulfilled."""
    if found.failed_step is None:
        return None
    step, number = sequence.steps[found.failed_step], found.failed_step + 1
    if found.blocked_by is not None:
        return words.say("blocked", number, found.blocked_by.kind, words.moment(found.blocked_by.ts))
    return words.say("waiting" if step.negative else "no_step", number, words.kinds(step.kinds))


def _physical(value: object, of: ValueType) -> object:
    """Working form to physical form: instants become aware times again."""
    return instant(value) if of.kind is Kind.TIME and isinstance(value, int) else value
