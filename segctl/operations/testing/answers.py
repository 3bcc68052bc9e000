"""Segments evaluated over test cases by the engine that evaluates customers, many cases in one plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeVar, cast

from segctl.compile import ir
from segctl.compile.plan import Output, plan, roots, walk
from segctl.compile.testing import Case
from segctl.compile.trace import EventRow
from segctl.compile.trace_rows import NO_TIME
from segctl.compile.zones import to_us
from segctl.model.dataclass import dataclass
from segctl.model.project import RELATED
from segctl.model.types import BOOLEAN, TEXT
from segctl.operations.testing.segments import Segments
from segctl.operations.testing.world import World, engine_input, traits_at

if TYPE_CHECKING:
    import polars as pl

_REAL = "{} as defined"
_STUBBED, _STUB, _GROUP, _SHARED = "is given: {}", "given: {}", "group: {}", "shared: {}"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a segment says of the profiles of one case, in their order.

    Attributes:
        members: Who belongs, after `keep`.
        matched: What the condition says, None for unknown.
        failed: Why the segment could not be decided; the others are empty then.
    """

    members: tuple[bool, ...] = ()
    matched: tuple[bool | None, ...] = ()
    failed: str | None = None


Asked = Mapping[int, Sequence[str]]
"""Segments asked of each case, by its position."""
Found = dict[tuple[int, str], Answer]


def evaluate_cases(
    segments: Segments, cases: Sequence[Case], asked: Asked, *, leaves: dict[str, list[list[bool | None]]] | None = None
) -> Found:
    """The answers of segments in cases, by position of the case and name.

    Args:
        segments: Where names are looked up.
        cases: All of them.
        asked: What is asked of each.
        leaves: If given, filled for each segment and leaf with the answers of the cases that were asked it.
    """
    found: Found = {}
    by_instant: dict[datetime, list[int]] = {}
    for number in asked:
        by_instant.setdefault(cases[number].as_of, []).append(number)
    with TemporaryDirectory(prefix="segctl-test-") as folder:
        for as_of, numbers in by_instant.items():
            found |= _group(segments.at(as_of), cases, {n: asked[n] for n in numbers}, Path(folder), leaves)
    return found


def _group(
    segments: Segments,
    cases: Sequence[Case],
    asked: Asked,
    folder: Path,
    leaves: dict[str, list[list[bool | None]]] | None,
) -> Found:
    scored = _scored(segments, asked) if len(asked) > 1 else {}
    if scored:
        # A score is a place among everybody, so such a case stands alone.
        rest = {n: [name for name in names if name not in scored.get(n, ())] for n, names in asked.items()}
        found: Found = {}
        for one in (*({n: names} for n, names in scored.items()), {n: names for n, names in rest.items() if names}):
            found |= _group(segments, cases, one, folder, leaves) if one else {}
        return found
    numbers = list(asked)
    names = list(dict.fromkeys(name for wanted in asked.values() for name in wanted))
    world = World.of(segments.definitions.project, segments.lists, [cases[n] for n in numbers])
    if not world.rows:
        return {(n, name): Answer() for n in numbers for name in asked[n]}
    frame, failed = _evaluated(segments, names, world, folder, with_leaves=leaves is not None)
    found = {}
    for place, case_rows in enumerate(_rows(world)):
        for name in asked[numbers[place]]:
            if name not in failed:
                found[numbers[place], name] = _answer(frame, name, case_rows)
                if leaves is not None:
                    _note_leaves(leaves, segments.lowered(name), frame, case_rows)
    return found | _one_by_one(segments, cases, asked, failed, folder, leaves)


def _scored(segments: Segments, asked: Asked) -> dict[int, list[str]]:
    """For each case the segments that rest on a score."""
    names = {name for wanted in asked.values() for name in wanted}
    resting = {
        name
        for name in names
        if any(isinstance(n, ir.Score) for s in segments.needed([name]) for r in roots(s) for n in walk(r))
    }
    found = {n: [name for name in wanted if name in resting] for n, wanted in asked.items()}
    return {n: wanted for n, wanted in found.items() if wanted}


def _one_by_one(
    segments: Segments,
    cases: Sequence[Case],
    asked: Asked,
    failed: Mapping[str, str],
    folder: Path,
    leaves: dict[str, list[list[bool | None]]] | None,
) -> Found:
    """A missing value that fails a segment in one case says nothing of the others, so each is asked alone."""
    concerned = {n: [name for name in names if name in failed] for n, names in asked.items()}
    concerned = {n: names for n, names in concerned.items() if names}
    found: Found = {}
    if len(asked) == 1:
        return {(n, name): Answer(failed=failed[name]) for n, names in concerned.items() for name in names}
    for number, names in concerned.items():
        found |= _group(segments, cases, {number: names}, folder, leaves)
    return found


def _answer(frame: pl.DataFrame, name: str, rows: slice) -> Answer:
    matched = tuple(frame[f"matched:{name}"][rows])
    column = f"segment:{name}"
    members = tuple(frame[column][rows]) if column in frame.columns else tuple(one is True for one in matched)
    return Answer(members, matched)


def _note_leaves(
    leaves: dict[str, list[list[bool | None]]], segment: ir.LoweredSegment, frame: pl.DataFrame, rows: slice
) -> None:
    noted = leaves.setdefault(segment.name, [[] for _ in segment.leaves])
    for number, answers in enumerate(noted):
        answers += list(frame[f"leaf:{segment.name}:{number}"][rows])


def _rows(world: World) -> Iterator[slice]:
    start = 0
    for case in world.cases:
        yield slice(start, start + len(case.profiles))
        start += len(case.profiles)


# --- One plan ---------------------------------------------------------------------------------------------
def _evaluated(
    segments: Segments, names: Sequence[str], world: World, folder: Path, *, with_leaves: bool
) -> tuple[pl.DataFrame, Mapping[str, str]]:
    """A column ``segment:NAME`` and ``matched:NAME`` for each name, one row a profile; and what failed."""
    needed = segments.needed([name for name in names if not _is_plain(segments.lowered(name))])
    prepared, columns = _prepared(needed, world, folder)
    outputs = [Output(f"matched:{name}", segments.lowered(name).where) for name in names]
    if with_leaves:
        outputs += [
            Output(f"leaf:{name}:{number}", leaf.predicate)
            for name in names
            for number, leaf in enumerate(segments.lowered(name).leaves)
        ]
    columns |= _shared_columns([*prepared, *(o.ask for o in outputs)], world)
    apart = [Output(output.name, _apart(output.ask)) for output in outputs]
    return _run([_apart(segment) for segment in prepared], apart, world, columns, folder)


def _prepared(
    needed: Sequence[ir.LoweredSegment], world: World, folder: Path
) -> tuple[list[ir.LoweredSegment], dict[str, Any]]:
    """Segments as the cases mean them: each case its own ranks, given members in place; and the columns they read."""
    stubbed = sorted({name for case in world.cases for name in case.stubs} & {one.name for one in needed})
    prepared = list(_with_stubs([_kept_by_case(one) for one in needed], stubbed))
    return prepared, _groups(needed, world, folder) | _stub_columns(stubbed, world)


def _is_plain(segment: ir.LoweredSegment) -> bool:
    """True where the condition says all: no `keep`, no other segment, no missing value that must not be."""
    rests = any(
        isinstance(node, ir.IsMember | ir.Colleagues) or (isinstance(node, ir.IfMissing) and node.then is None)
        for node in walk(segment.where)
    )
    return segment.keep is None and not rests


def _run(
    needed: Sequence[ir.LoweredSegment],
    outputs: Sequence[Output],
    world: World,
    columns: Mapping[str, pl.Series],
    folder: Path,
) -> tuple[pl.DataFrame, Mapping[str, str]]:
    from segctl.operations.evaluation import load_engine

    asking = plan(needed, outputs)
    data = engine_input(world, asking, columns, folder)
    as_of, zone = world.cases[0].as_of, world.project.timezone
    found = load_engine("polars").evaluate(asking, data, as_of=as_of, zone=zone)
    return found.answers, found.failed


def _kept_by_case(segment: ir.LoweredSegment) -> ir.LoweredSegment:
    """The segment with a `keep` that ranks among the profiles of each case."""
    if segment.keep is None:
        return segment
    group = ir.StoredTrait(_GROUP.format(segment.name), TEXT)
    return replace(segment, keep=replace(segment.keep, per=group, keep_missing_group=False))


def _groups(needed: Iterable[ir.LoweredSegment], world: World, folder: Path) -> dict[str, Any]:
    """For each segment with `keep` the group of each profile: its case, and the value of `per`."""
    import polars as pl

    keeps = {one.name: one.keep for one in needed if one.keep is not None}
    asked = {name: keep.per for name, keep in keeps.items() if keep.per is not None}
    outputs = [Output(name, per) for name, per in asked.items()]
    values = _run((), outputs, world, {}, folder)[0] if outputs else None
    found = {}
    for name, keep in keeps.items():
        given = [None] * len(world.rows) if values is None or name not in asked else values[name].to_list()
        found[_GROUP.format(name)] = world.column(
            (
                None if value is None and keep.per is not None and not keep.keep_missing_group else f"{case}: {value!r}"
                for (case, _), value in zip(world.rows, given, strict=True)
            ),
            pl.String(),
        )
    return found


def _apart(node: T) -> T:
    """A node whose colleagues are those of the same case: they share a value that begins with its number."""

    def change(found: object) -> object:
        if isinstance(found, ir.Colleagues) and isinstance(found.shared, ir.StoredTrait):
            shared = ir.StoredTrait(_SHARED.format(found.shared.name), TEXT)
            where = None if found.where is None else _apart(found.where)
            return replace(found, shared=shared, where=where)
        return None

    return rewritten(node, change)


def _shared_columns(nodes: Iterable[object], world: World) -> dict[str, Any]:
    """The values that colleagues share, each with the number of its case before it."""
    import polars as pl

    found = {}
    for name in dict.fromkeys(name for node in nodes for name in _shared_in(node)):
        values = [traits_at(profile, to_us(world.cases[case].as_of)).get(name) for case, profile in world.rows]
        found[_SHARED.format(name)] = world.column(
            (None if v is None else f"{case}: {v!r}" for v, (case, _) in zip(values, world.rows, strict=True)),
            pl.String(),
        )
    return found


def _shared_in(node: object) -> Iterator[str]:
    where = [node.where] if isinstance(node, ir.LoweredSegment) else [node]
    for root in where:
        for part in walk(root):  # type: ignore[arg-type]  # outputs are predicates and expressions
            if isinstance(part, ir.Colleagues) and isinstance(part.shared, ir.StoredTrait):
                yield part.shared.name


def rewritten(node: T, change: Callable[[object], object]) -> T:
    """A node with parts replaced by what a function gives for them; None keeps a part and looks inside."""
    found = change(node)
    if found is not None:
        return cast("T", found)
    if isinstance(node, tuple):
        return cast("T", tuple(rewritten(item, change) for item in node))
    if not (is_dataclass(node) and type(node).__module__.startswith("segctl.compile.ir")):
        return node
    changes = {}
    for part in fields(node):
        value = getattr(node, part.name)
        other = rewritten(value, change)
        if other is not value and other != value:
            changes[part.name] = other
    return cast("T", replace(cast("Any", node), **changes)) if changes else node


def _with_stubs(needed: Iterable[ir.LoweredSegment], stubbed: Sequence[str]) -> Iterator[ir.LoweredSegment]:
    """Segments whose members some cases give: there the given ones belong, elsewhere whom the definition says."""
    for segment in needed:
        if segment.name not in stubbed:
            yield segment
            continue
        real = _REAL.format(segment.name)
        yield replace(segment, name=real)
        is_given = ir.StoredTrait(_STUBBED.format(segment.name), BOOLEAN)
        given = ir.StoredTrait(_STUB.format(segment.name), BOOLEAN)
        yes = ir.Literal(True, BOOLEAN)
        where = ir.Or((
            ir.And((ir.Compare("eq", is_given, yes), ir.Compare("eq", given, yes))),
            ir.And((ir.Compare("ne", is_given, yes), ir.IsMember(real))),
        ))  # fmt: skip
        yield replace(segment, where=where, keep=None, leaves=())


def _stub_columns(stubbed: Iterable[str], world: World) -> dict[str, Any]:
    import polars as pl

    found = {}
    for name in stubbed:
        given = [world.cases[case].stubs.get(name) for case, _ in world.rows]
        found[_STUBBED.format(name)] = world.column((names is not None for names in given), pl.Boolean())
        found[_STUB.format(name)] = world.column(
            (names is not None and p.name in names for names, (_, p) in zip(given, world.rows, strict=True)),
            pl.Boolean(),
        )
    return found


def colleagues_of(
    segments: Segments, segment: ir.LoweredSegment, case: Case, number: int
) -> dict[ir.Colleagues, tuple[EventRow, ...]]:
    """Who counts in each number of colleagues that a segment asks for, of one profile of a case."""
    nodes = tuple(dict.fromkeys(node for node in walk(segment.where) if isinstance(node, ir.Colleagues)))
    if not nodes:
        return {}
    outputs = [Output(f"shared:{i}", node.shared) for i, node in enumerate(nodes)]
    outputs += [Output(f"met:{i}", node.where or ir.Constant(True)) for i, node in enumerate(nodes)]
    names = [part.segment for node in nodes for part in walk(node) if isinstance(part, ir.IsMember)]
    world = World.of(segments.definitions.project, segments.lists, [case])
    with TemporaryDirectory(prefix="segctl-test-") as folder:
        prepared, columns = _prepared(segments.at(case.as_of).needed(names), world, Path(folder))
        frame = _run(prepared, outputs, world, columns, Path(folder))[0]
    counted = {}
    for i, node in enumerate(nodes):
        shared, met = frame[f"shared:{i}"].to_list(), frame[f"met:{i}"].to_list()
        alike = [
            profile.name
            for place, profile in enumerate(case.profiles)
            if met[place] and shared[place] is not None and shared[place] == shared[number]
            if not (node.others_only and place == number)
        ]
        rows = (EventRow(f"{RELATED}colleagues", NO_TIME, "", one, {"profile_id": one}) for one in sorted(alike))
        counted[node] = tuple(rows)
    return counted


def scores_of(segments: Segments, segment: ir.LoweredSegment, case: Case, number: int) -> dict[ir.Score, int | None]:
    """The scores of one profile among those of its case, as far as a segment asks for them."""
    nodes = tuple(dict.fromkeys(node for node in walk(segment.where) if isinstance(node, ir.Score)))
    if not nodes:
        return {}
    outputs = [Output(f"score:{i}", node) for i, node in enumerate(nodes)]
    world = World.of(segments.definitions.project, segments.lists, [case])
    with TemporaryDirectory(prefix="segctl-test-") as folder:
        frame = _run((), outputs, world, {}, Path(folder))[0]
    return {node: frame[f"score:{i}"][number] for i, node in enumerate(nodes)}
