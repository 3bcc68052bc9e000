"""Who came and went between two runs, and how each condition's count moved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from segctl.compile.selection import Selection
from segctl.compile.timewords import Problem, parse_as_of
from segctl.model.conditions import Guards
from segctl.model.errors import Refused, UsageError
from segctl.operations.causes.counts import counted, counts_of, kind_column
from segctl.operations.causes.words import say, translated
from segctl.operations.guards import broken, refusal
from segctl.operations.identity_causes import merges_between, moves_of_merges
from segctl.operations.provenance import origin_of, recorded_as
from segctl.operations.selection import chosen
from segctl.operations.things import unknown_thing

if TYPE_CHECKING:
    import polars as pl

    from segctl.model.project import Language
    from segctl.operations.session import Session
    from segctl.state.runs import Run, RunSegment
    from segctl.state.workspace import Workspace

_EVERYTHING = Selection()


@dataclass(frozen=True, slots=True)
class LeafMove:
    """How many profiles one condition was true for, before and after; None where it was not asked."""

    segment: str
    condition: str
    before: int | None
    after: int | None

    @property
    def change(self) -> int | None:
        """After minus before."""
        return None if self.before is None or self.after is None else self.after - self.before


@dataclass(frozen=True, slots=True)
class SegmentMove:
    """How one segment moved; profiles throughout.

    Attributes:
        definition_changed: The two runs evaluated different meanings of it.
        definition_removed: Its file is gone, which made everybody leave.
        leaves: In reading order of the later definition.
        causes: ``entered`` and ``left`` → kind of cause → profiles, the most frequent first.
    """

    segment: str
    before: int | None
    entered: int
    left: int
    stayed: int
    after: int | None
    definition_changed: bool
    definition_removed: bool
    leaves: tuple[LeafMove, ...] = ()
    causes: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Difference:
    """Two runs compared.

    Attributes:
        moves: One row per profile that moved: ``segment``, ``profile_id``, ``change`` (entered or left),
            ``effective``, ``cause`` in words, ``cause_kind``; None when not asked for.
        refused: What the definitions' guards say against this change.
        changed_inputs: List files that the two runs read in different versions, and ``zone data`` when its rules are
            others.
        identity_moves: Moves that come from merging or separating people.
        identity_runs: The runs of `dedupe` between the two that did so, oldest first.
    """

    from_run: Run
    to_run: Run
    segments: tuple[SegmentMove, ...]
    moves: pl.DataFrame | None = None
    refused: tuple[Refused, ...] = ()
    changed_inputs: tuple[str, ...] = ()
    identity_moves: int = 0
    identity_runs: tuple[str, ...] = ()

    @property
    def has_changes(self) -> bool:
        """True when anybody moved."""
        return any(s.entered or s.left for s in self.segments)


def diff(
    session: Session,
    names: Sequence[str] = (),
    *,
    selection: Selection = _EVERYTHING,
    from_words: str | None = None,
    to_words: str | None = None,
    now: datetime,
    with_moves: bool = False,
    language: str | None = None,
) -> Difference:
    """Compare two runs; by default the last two in force.

    Args:
        session: Open project and workspace.
        names: Segments; none means all that either run evaluated.
        selection: Further segments, as far as either run evaluated them.
        from_words: A run's id or its beginning, ``last``, ``previous``, or a time: the newest run not after it.
        to_words: Likewise.
        now: For relative times.
        with_moves: Also name the profiles.
        language: Of the conditions in words, where today's definition still has them; the project's by default.

    Raises:
        UsageError: No such run or segment.
    """
    from segctl.state import memberships
    from segctl.state.runs import runs

    workspace = session.workspace
    recorded = runs(workspace)
    from_run, to_run = _compared(workspace, recorded, from_words, to_words, now, session.project.timezone)
    parts = {r.id: _by_segment(workspace, r) for r in (from_run, to_run)}
    recorded_names = {recorded_as(session, name): name for name in session.definitions.segments}
    called = {name: recorded_names.get(name, name) for run in parts.values() for name in run}
    _check_names(names, dict.fromkeys([*session.definitions.segments, *called]))
    wanted = _wanted(session, names, selection, called)
    merges = merges_between(workspace, from_run, to_run)
    counts = memberships.diff_counts(workspace, from_run, to_run, wanted)
    noted = {s.segment: counts_of(to_run.note, s.segment, entered=s.entered, left=s.left) for s in counts}
    is_noted = None not in noted.values()
    moves = (
        memberships.diff(workspace, from_run, to_run, wanted).moves if with_moves or merges or not is_noted else None
    )
    why = noted if moves is None or is_noted else counted(moves)
    said = session.language(language)
    changes = _changes(session, (from_run, to_run), parts, recorded)
    segments = tuple(
        SegmentMove(
            *(called.get(s.segment, s.segment), s.before, s.entered, s.left, s.stayed, s.after),
            definition_changed="definition" in changes.get(s.segment, ()),
            definition_removed=_is_removed(s.segment, session, parts[to_run.id].get(s.segment)),
            leaves=_leaf_moves(session, s.segment, called, [parts[run.id] for run in (from_run, to_run)], said),
            causes=why.get(s.segment) or {},
        )
        for s in counts
    )
    return Difference(
        from_run,
        to_run,
        segments,
        moves=_named(session, moves, said, called) if moves is not None and with_moves else None,
        refused=tuple(_refusals(segments, {n: d.guards for n, d in session.definitions.segments.items()})),
        changed_inputs=tuple(sorted({c for s in segments for c in changes.get(s.segment, ())} - {"definition"})),
        identity_moves=0 if moves is None or not merges else moves_of_merges(moves),
        identity_runs=merges,
    )


def _wanted(
    session: Session, names: Sequence[str], selection: Selection, called: Mapping[str, str]
) -> list[str] | None:
    """Names on record of the segments that were asked for; None for all."""
    asked = {recorded_as(session, name) for name in names}
    if not selection:
        return list(asked) or None
    those = {*chosen(session.definitions, selection)}
    return sorted(asked | {recorded for recorded, name in called.items() if name in those})


def _check_names(names: Iterable[str], known: Iterable[str]) -> None:
    known = list(known)
    for name in names:
        if name not in known:
            raise unknown_thing("segment", name, known)


def run_of(workspace: Workspace, words: str, now: datetime, zone: str) -> Run:
    """The run that words name: an id or its beginning, ``last``, ``previous``, or a time.

    Raises:
        UsageError: There is none.
    """
    from segctl.state.runs import find_run

    point = parse_as_of(words, now, zone)
    return find_run(workspace, words if isinstance(point, Problem) else point)


def _compared(
    workspace: Workspace,
    recorded: Sequence[Run],
    from_words: str | None,
    to_words: str | None,
    now: datetime,
    zone: str,
) -> tuple[Run, Run]:
    """The earlier and the later run, of all on record, newest first."""
    in_force = [run for run in recorded if run.status in ("ok", "partial")]
    if from_words is None and to_words is None and len(in_force) < 2:
        raise UsageError(
            "SEG503",
            "there are not two runs to compare yet",
            hint="`segctl apply` records one; name two with `--from` and `--to`",
        )
    to_run = run_of(workspace, to_words or "last", now, zone)
    if from_words is not None:
        return run_of(workspace, from_words, now, zone), to_run
    earlier = next((run for run in in_force if run.number < to_run.number), None)
    if earlier is None:
        raise UsageError("SEG503", f"no run came before {to_run.id}", hint="name one with `--from`")
    return earlier, to_run


def _by_segment(workspace: Workspace, run: Run) -> dict[str, RunSegment]:
    from segctl.state.runs import run_segments

    return {s.segment: s for s in run_segments(workspace, run)}


def _changes(
    session: Session, pair: tuple[Run, Run], parts: Mapping[str, Mapping[str, RunSegment]], recorded: Sequence[Run]
) -> dict[str, tuple[str, ...]]:
    """What both runs made a segment's answer from, and made it from differently, by segment."""
    both = parts[pair[0].id].keys() & parts[pair[1].id].keys()
    found = {}
    for name in both:
        before, after = (origin_of(run, name, session.definitions, recorded) for run in pair)
        found[name] = before.changes_to(after)
    return found


def _is_removed(segment: str, session: Session, after: RunSegment | None) -> bool:
    if after is not None:
        return after.state.value == "removed"
    return segment not in session.definitions.segments


def _leaf_moves(
    session: Session,
    segment: str,
    called: Mapping[str, str],
    parts: Sequence[Mapping[str, RunSegment]],
    language: Language,
) -> tuple[LeafMove, ...]:
    name = called.get(segment, segment)
    said = translated(session, name, language)
    old, new = (_leaf_counts(part.get(segment)) for part in parts)
    ordered = dict.fromkeys((*new, *old))
    return tuple(LeafMove(name, said.get(text, text), old.get(text), new.get(text)) for text in ordered)


def _leaf_counts(part: RunSegment | None) -> dict[str, int]:
    leaves: list[dict[str, Any]] = (part.leaves if part is not None else None) or []
    return {leaf["text"]: leaf["true"] for leaf in leaves}


def _named(session: Session, moves: pl.DataFrame, language: Language, called: Mapping[str, str]) -> pl.DataFrame:
    import polars as pl

    from segctl.operations.people import with_profile_ids

    moves = moves.with_columns(pl.col("segment").replace(called))
    return (
        with_profile_ids(session.workspace, moves)
        .with_columns(
            change=pl.when("entered").then(pl.lit("entered")).otherwise(pl.lit("left")),
            effective=pl.col("effective").dt.convert_time_zone(session.project.timezone),
        )
        .with_columns(kind_column())
        .select("segment", "profile_id", "change", "effective", _said(session, moves, language), "cause_kind")
        .sort("segment", "change", "profile_id")
    )


def _said(session: Session, moves: pl.DataFrame, language: Language) -> pl.Expr:
    """Causes for people."""
    import polars as pl

    words = {k: v for name in moves["segment"].unique() for k, v in translated(session, name, language).items()}
    lines = moves["cause"].drop_nulls().unique().to_list()
    said = {line: say(line, zone=session.project.timezone, language=language, said=words) for line in lines}
    return pl.col("cause").replace(said) if said else pl.col("cause")


def _refusals(segments: Sequence[SegmentMove], guards: Mapping[str, Guards]) -> list[Refused]:
    return [
        refusal(move.segment, found.message)
        for move in segments
        if (limits := guards.get(move.segment)) is not None
        for found in broken(
            move.segment, limits, before=move.before, entered=move.entered, left=move.left, after=move.after
        )
    ]
