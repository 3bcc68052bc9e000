"""Segments evaluated over test cases by the engine that evaluates customers, many cases in one plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from segctl.compile import ir
from segctl.compile.lower import lower_segment
from segctl.compile.plan import Output, plan, references, walk
from segctl.compile.selection import with_references
from segctl.compile.testing import Case
from segctl.model.conditions import SegmentDefinition
from segctl.model.dataclass import dataclass
from segctl.model.project import Definitions
from segctl.model.types import BOOLEAN, TEXT
from segctl.operations.lists import ProjectLists
from segctl.operations.testing_world import World, engine_input

if TYPE_CHECKING:
    import polars as pl

_REAL = "{} as defined"
_STUBBED, _STUB, _GROUP = "is given: {}", "given: {}", "group: {}"


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


class Segments:
    """The segments of a project, and variants of them, lowered when first asked for.

    Args:
        definitions: All bound.
        lists: Values of list files.
        variants: Further segments by a name of their own, such as mutants.
    """

    def __init__(
        self,
        definitions: Definitions,
        lists: ProjectLists,
        variants: Mapping[str, SegmentDefinition] | None = None,
    ) -> None:
        self.definitions, self.lists = definitions, lists
        self._variants = variants or {}
        self._lowered: dict[str, ir.LoweredSegment] = {}

    def lowered(self, name: str) -> ir.LoweredSegment:
        """A segment of that name, its leaves in the words of findings."""
        if name not in self._lowered:
            definition = self._variants.get(name) or self.definitions.segments[name]
            found = lower_segment(definition, self.definitions, lists=self.lists)
            self._lowered[name] = replace(found, name=name)
        return self._lowered[name]

    def needed(self, names: Iterable[str]) -> list[ir.LoweredSegment]:
        """The named segments and all they refer to."""
        return [self.lowered(name) for name in with_references(names, lambda name: references(self.lowered(name)))]


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
    by_instant: dict[object, list[int]] = {}
    for number in asked:
        by_instant.setdefault(cases[number].as_of, []).append(number)
    with TemporaryDirectory(prefix="segctl-test-") as folder:
        for numbers in by_instant.values():
            found |= _group(segments, cases, {n: asked[n] for n in numbers}, Path(folder), leaves)
    return found


def _group(
    segments: Segments,
    cases: Sequence[Case],
    asked: Asked,
    folder: Path,
    leaves: dict[str, list[list[bool | None]]] | None,
) -> Found:
    numbers = list(asked)
    names = list(dict.fromkeys(name for wanted in asked.values() for name in wanted))
    world = World.of(segments.definitions.project, segments.lists, [cases[n] for n in numbers])
    if not world.rows:
        return {(n, name): Answer() for n in numbers for name in asked[n]}
    frame, failed = _evaluated(segments, names, world, folder, with_leaves=leaves is not None)
    found: Found = {}
    for place, case_rows in enumerate(_rows(world)):
        for name in asked[numbers[place]]:
            if name not in failed:
                found[numbers[place], name] = _answer(frame, name, case_rows)
                if leaves is not None:
                    _note_leaves(leaves, segments.lowered(name), frame, case_rows)
    return found | _one_by_one(segments, cases, asked, failed, folder, leaves)


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
    columns = _groups(needed, world, folder)
    stubbed = sorted({name for case in world.cases for name in case.stubs} & {one.name for one in needed})
    prepared = list(_with_stubs([_kept_by_case(one) for one in needed], stubbed))
    outputs = [Output(f"matched:{name}", segments.lowered(name).where) for name in names]
    if with_leaves:
        outputs += [
            Output(f"leaf:{name}:{number}", leaf.predicate)
            for name in names
            for number, leaf in enumerate(segments.lowered(name).leaves)
        ]
    columns |= _stub_columns(stubbed, world)
    return _run(prepared, outputs, world, columns, folder)


def _is_plain(segment: ir.LoweredSegment) -> bool:
    """True where the condition says all: no `keep`, no other segment, no missing value that must not be."""
    rests = any(
        isinstance(node, ir.IsMember) or (isinstance(node, ir.IfMissing) and node.then is None)
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
