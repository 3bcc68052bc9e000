"""The plan: everything a selection of segments asks, arranged so that work is shared."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import fields
from functools import cache
from typing import cast

from segctl.compile import ir
from segctl.compile.consents import SINCE, Consent, consent_column, consents_of
from segctl.model.dataclass import dataclass
from segctl.model.project import RELATED

HISTORY = "trait:"
"""Prefix of the pseudo event kind that holds a trait's changes."""

Node = ir.Expression | ir.Predicate | ir.Metric | ir.Measure | ir.Followed | ir.Step | ir.Sequence


@dataclass(frozen=True, slots=True)
class Output:
    """One column of the answers.

    Attributes:
        name: Column name: ``segment:NAME``, ``leaf:NAME:I``, ``value:TRAIT``, or what the caller chose.
        ask: A predicate (Boolean, null = unknown) or an expression (its physical form).
    """

    name: str
    ask: ir.Predicate | ir.Expression


@dataclass(frozen=True, slots=True)
class Plan:
    """Segments in order of reference, further outputs, and what they need.

    Attributes:
        segments: Each after the segments it refers to. Their columns are called ``segment:NAME``, are
            null-free and already ranked by `keep`.
        outputs: Further columns.
        metrics: Every distinct metric, grouped by its kinds, widest need first known to the engine; metrics
            inside `commons` are not among them.
        traits: Stored traits that must be columns of the profiles.
        consents: Purposes and channels whose consents must be, see `compile/consents.py`.
        consent_ages: Those of which it is asked when their state began.
        samples: Salts of samples.
        lists: List look-ups.
        histories: Traits whose changes are asked.
        tables: Related tables whose rows are asked.
        colleagues: Every distinct number of colleagues.
        places: Every distinct question about places.
        scores: Every distinct score; what is below one is asked in a plan of its own.
        sequences: Every distinct sequence.
        commons: Every distinct test for one and the same value.
    """

    segments: tuple[ir.LoweredSegment, ...]
    outputs: tuple[Output, ...]
    metrics: tuple[tuple[tuple[str, ...], tuple[ir.Metric, ...]], ...]
    traits: tuple[str, ...]
    samples: tuple[str, ...]
    lists: tuple[ir.InList, ...]
    histories: tuple[str, ...]
    places: tuple[ir.Near, ...] = ()
    scores: tuple[ir.Score, ...] = ()
    sequences: tuple[ir.Sequence, ...] = ()
    commons: tuple[ir.HasCommonValue, ...] = ()
    tables: tuple[str, ...] = ()
    colleagues: tuple[ir.Colleagues, ...] = ()
    consents: tuple[Consent, ...] = ()
    consent_ages: tuple[Consent, ...] = ()


def plan(segments: Iterable[ir.LoweredSegment], outputs: Iterable[Output] = ()) -> Plan:
    """Arrange segments and outputs into one plan.

    Args:
        segments: All segments asked for *and* all they refer to, in any order; references form no cycle.
        outputs: Further columns; they may refer to the segments.
    """
    ordered = _by_reference(tuple(segments))
    further = tuple(outputs)
    needs = _Needs()
    for segment in ordered:
        for root in roots(segment):
            needs.add(root)
    for output in further:
        needs.add(output.ask)
    return Plan(
        segments=ordered,
        outputs=further,
        metrics=_grouped(needs.metrics),
        traits=tuple(sorted(name for name in needs.traits if consent_column(name) is None)),
        samples=tuple(sorted(needs.samples)),
        lists=tuple(needs.lists),
        histories=tuple(sorted(needs.histories)),
        places=tuple(needs.places),
        scores=tuple(needs.scores),
        sequences=tuple(needs.sequences),
        commons=tuple(needs.commons),
        tables=tuple(sorted(needs.tables)),
        colleagues=tuple(needs.colleagues),
        consents=consents_of(needs.traits),
        consent_ages=consents_of(name for name in needs.traits if name.endswith(SINCE)),
    )


def roots(segment: ir.LoweredSegment) -> tuple[ir.Predicate | ir.Expression, ...]:
    """What decides a segment: its predicate and the values its `keep` reads."""
    if segment.keep is None:
        return (segment.where,)
    ranked = (segment.keep.by,) if segment.keep.per is None else (segment.keep.by, segment.keep.per)
    return (segment.where, *ranked)


def parts(node: Hashable) -> Iterator[Node]:
    """The nodes directly inside a node, in the order they are written."""
    for name in _node_fields(type(node)):
        yield from _nodes_in(getattr(node, name))


def walk(node: Node) -> Iterator[Node]:
    """A node and all nodes below it, outermost first."""
    yield node
    for part in parts(node):
        yield from walk(part)


def references(segment: ir.LoweredSegment) -> tuple[str, ...]:
    """Names of the segments a segment refers to, each once, in reading order."""
    found = (node.segment for root in roots(segment) for node in walk(root) if isinstance(node, ir.IsMember))
    return tuple(dict.fromkeys(found))


class _Needs:
    """Collects what nodes need; equal things once, in order of appearance."""

    def __init__(self) -> None:
        self.metrics: dict[ir.Metric, None] = {}
        self.places: dict[ir.Near, None] = {}
        self.scores: dict[ir.Score, None] = {}
        self.sequences: dict[ir.Sequence, None] = {}
        self.commons: dict[ir.HasCommonValue, None] = {}
        self.lists: dict[ir.InList, None] = {}
        self.traits: set[str] = set()
        self.samples: set[str] = set()
        self.histories: set[str] = set()
        self.tables: set[str] = set()
        self.colleagues: dict[ir.Colleagues, None] = {}
        self._seen: dict[int, object] = {}

    def add(self, node: Node, *, inside_common: bool = False) -> None:
        """Take a node and all below it."""
        # Shared nodes are the rule (computed traits); the memory of objects spares walking and hashing them again.
        if id(node) in self._seen and not inside_common:
            return
        if not inside_common:
            self._seen[id(node)] = node
        if isinstance(node, ir.Score):
            self._take_score(node)
            return
        self._take(node, inside_common=inside_common)
        # Metrics of a common value are taken per value; what their own conditions ask of the profile is not.
        outside = (ir.Metric, ir.Sequence, ir.OfProfile)
        below = isinstance(node, ir.HasCommonValue) or (inside_common and not isinstance(node, outside))
        for part in parts(node):
            self.add(part, inside_common=below)

    def _take_score(self, node: ir.Score) -> None:
        """A score is made of everybody's values before all else; their data are needed, their metrics are not."""
        self.scores.setdefault(node)
        inner = _Needs()
        for part in parts(node):
            inner.add(part)
        self.lists |= inner.lists
        self.traits |= inner.traits
        self.samples |= inner.samples
        self.histories |= inner.histories
        self.tables |= inner.tables

    def _take(self, node: Node, *, inside_common: bool) -> None:
        match node:
            case ir.Metric():
                self.histories.update(kind[len(HISTORY) :] for kind in node.kinds if kind.startswith(HISTORY))
                self.tables.update(kind[len(RELATED) :] for kind in node.kinds if kind.startswith(RELATED))
                if not inside_common:
                    self.metrics.setdefault(node)
            case ir.Sequence():
                self.sequences.setdefault(node)
            case ir.HasCommonValue():
                self.commons.setdefault(node)
            case ir.Colleagues():
                self.colleagues.setdefault(node)
            case ir.Near():
                self.places.setdefault(node)
            case ir.InList():
                self.lists.setdefault(node)
            case ir.StoredTrait():
                self.traits.add(node.name)
            case ir.InSample():
                self.samples.add(node.salt)
            case _:
                pass


def _by_reference(segments: tuple[ir.LoweredSegment, ...]) -> tuple[ir.LoweredSegment, ...]:
    """Segments, each after those it refers to; otherwise in the given order."""
    by_name = {segment.name: segment for segment in segments}
    done: dict[str, ir.LoweredSegment] = {}

    def place(segment: ir.LoweredSegment) -> None:
        if segment.name in done:
            return
        for name in references(segment):
            place(by_name[name])
        done[segment.name] = segment

    for segment in by_name.values():
        place(segment)
    return tuple(done.values())


def _grouped(metrics: Iterable[ir.Metric]) -> tuple[tuple[tuple[str, ...], tuple[ir.Metric, ...]], ...]:
    groups: dict[tuple[str, ...], list[ir.Metric]] = {}
    for metric in metrics:
        groups.setdefault(metric.kinds, []).append(metric)
    return tuple((kinds, tuple(groups[kinds])) for kinds in sorted(groups))


def _nodes_in(value: object) -> Iterator[Node]:
    if isinstance(value, tuple):
        for item in value:
            yield from _nodes_in(item)
    elif hasattr(value, "__dataclass_fields__"):
        yield cast("Node", value)


_LEAF_FIELDS = frozenset({
    "type", "value_type", "kinds", "window", "within", "latest", "name", "salt", "threshold", "segment", "options",
    "same", "function", "op", "part", "field", "ignore_case", "then", "n", "column", "identifier", "negative", "start",
    "targets", "groups", "best",
})  # fmt: skip


@cache
def _node_fields(kind: type) -> tuple[str, ...]:
    """Fields of a node class that can hold nodes."""
    if kind is ir.Literal or kind is ir.Constant:
        return ()
    return tuple(field.name for field in fields(kind) if field.name not in _LEAF_FIELDS)
