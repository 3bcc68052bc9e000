"""Which answers a block of profiles can give alone, and which wait until everybody is seen: `keep`, colleagues."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from segctl.compile import ir
from segctl.compile.plan import Node, Output, Plan, parts, references, walk
from segctl.engines.scope import segment_column
from segctl.model.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Stages:
    """The plan split at what needs everybody.

    Attributes:
        levels: Segments a block can decide, each level after those it refers to.
        columns: What a block gives besides: column name to predicate or expression.
        strict: Predicates of which no answer may be unknown, with a column that marks unknown ones.
        strict_of: The same by segment.
        late: Segments with `keep` or a number of colleagues, and those that refer to such, in order.
        late_outputs: Outputs with a number of colleagues, and those that refer to late segments.
        known: Columns that hold parts of late predicates.
        ranks: Columns of the value that ranks and the value that groups, by segment with `keep`.
    """

    levels: tuple[tuple[ir.LoweredSegment, ...], ...]
    columns: dict[str, ir.Predicate | ir.Expression]
    strict: dict[ir.Predicate, str]
    strict_of: dict[str, tuple[ir.Predicate, ...]]
    late: tuple[ir.LoweredSegment, ...]
    late_outputs: tuple[Output, ...]
    known: dict[Node, str]
    ranks: dict[str, tuple[str, str | None]]


def stages(plan: Plan) -> Stages:
    """Split a plan."""
    waiting = _Waiting.of(plan)
    late = tuple(segment for segment in plan.segments if segment.name in waiting.late)
    outputs = [output for output in plan.outputs if not _is_segment_column(output)]
    late_outputs = tuple(output for output in outputs if waiting.waits(output.ask))
    columns = {output.name: output.ask for output in outputs if not waiting.waits(output.ask)}
    known: dict[Node, str] = {}
    for root in [segment.where for segment in late] + [output.ask for output in late_outputs]:
        for part in _early_parts(root, waiting):
            known.setdefault(part, f"part:{len(known)}")
    columns |= {name: part for part, name in known.items()}  # type: ignore[misc]  # every node that is a part is a predicate or an expression
    ranks: dict[str, tuple[str, str | None]] = {}
    for segment in late:
        if segment.keep is not None:
            by, per = f"rank:{segment.name}", None if segment.keep.per is None else f"group:{segment.name}"
            ranks[segment.name] = (by, per)
            columns[by] = segment.keep.by
            if per is not None and segment.keep.per is not None:
                columns[per] = segment.keep.per
    strict_of = {segment.name: tuple(_strict(segment.where)) for segment in plan.segments}
    strict = {test: f"missing:{i}" for i, test in enumerate(dict.fromkeys(t for of in strict_of.values() for t in of))}
    early = [segment for segment in plan.segments if segment.name not in waiting.late]
    return Stages(_levels(early), columns, strict, strict_of, late, late_outputs, known, ranks)


def _is_segment_column(output: Output) -> bool:
    """True for an output that repeats a segment's own column."""
    return isinstance(output.ask, ir.IsMember) and output.name == segment_column(output.ask.segment)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """What cannot be answered before everybody is seen.

    Attributes:
        late: Names of segments.
        counts: Something in the plan counts colleagues.
    """

    late: frozenset[str]
    counts: bool

    @staticmethod
    def of(plan: Plan) -> _Waiting:
        """The segments with `keep`, those that count colleagues, and those that refer to such."""
        found = _Waiting(frozenset(), bool(plan.colleagues))
        for segment in plan.segments:
            if segment.keep is not None or found.waits(segment.where):
                found = replace(found, late=found.late | {segment.name})
        return found

    def waits(self, root: Node) -> bool:
        """True for what counts colleagues or refers to a late segment."""
        return (self.counts or bool(self.late)) and any(
            isinstance(node, ir.Colleagues) or (isinstance(node, ir.IsMember) and node.segment in self.late)
            for node in walk(root)
        )


def _early_parts(root: Node, waiting: _Waiting) -> Iterator[Node]:
    """The largest parts that wait for nobody."""
    if not waiting.waits(root):
        yield root
    elif not isinstance(root, ir.IsMember):
        for part in parts(root):
            yield from _early_parts(part, waiting)


def _strict(node: Node) -> Iterator[ir.Predicate]:
    if isinstance(node, ir.IfMissing) and node.then is None:
        yield node.item
    elif isinstance(node, ir.HasCommonValue):
        if any(isinstance(below, ir.IfMissing) and below.then is None for below in walk(node)):
            yield node
        return
    for part in parts(node):
        yield from _strict(part)


def _levels(segments: list[ir.LoweredSegment]) -> tuple[tuple[ir.LoweredSegment, ...], ...]:
    depth: dict[str, int] = {}
    levels: list[list[ir.LoweredSegment]] = []
    for segment in segments:
        depth[segment.name] = 1 + max((depth[name] for name in references(segment)), default=-1)
        if depth[segment.name] == len(levels):
            levels.append([])
        levels[depth[segment.name]].append(segment)
    return tuple(tuple(level) for level in levels)
