"""Who is in which segment: recording runs, and every question about now and then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass
from segctl.state import problems
from segctl.state.changes import (
    changes_of_subjects,
    grown,
    net,
    read_changes,
    read_checkpoint,
    standing,
    what_if_checkpoint,
)
from segctl.state.recording import KnownSegment, known_segments
from segctl.state.run_log import preview_run, record_failed_run, record_run
from segctl.state.runs import (
    Run,
    RunSegment,
    RunStatus,
    newest_number,
    run_segment,
)

if TYPE_CHECKING:
    import polars as pl

    from segctl.state.workspace import Workspace

__all__ = [
    "Difference",
    "Interval",
    "SegmentDifference",
    "diff",
    "history",
    "in_force",
    "intervals",
    "members",
    "memberships",
    "preview_run",
    "record_failed_run",
    "record_run",
    "sizes",
]


@dataclass(frozen=True, slots=True)
class SegmentDifference:
    """How one segment moved between two runs; counts are profiles.

    Attributes:
        before: Members at the first run; None when it had not been evaluated yet.
        after: Members at the second run; likewise.
    """

    segment: str
    before: int | None
    entered: int
    left: int
    after: int | None

    @property
    def stayed(self) -> int:
        """Members at both runs."""
        return (self.before or 0) - self.left


@dataclass(frozen=True, slots=True)
class Difference:
    """What lies between two runs.

    Attributes:
        segments: Counts, by name.
        moves: One row per profile that moved: ``segment`` String, ``subject`` Int32, ``entered`` Boolean,
            ``effective`` Datetime(us, UTC), ``cause`` String (null = unexplained); sorted by segment, subject.
    """

    from_run: Run
    to_run: Run
    segments: tuple[SegmentDifference, ...]
    moves: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Interval:
    """One stay of a subject in a segment.

    Attributes:
        entered_at: as_of of the run that saw the subject enter.
        left_at: as_of of the run that saw it leave; None while it is in.
    """

    segment: str
    subject: int
    entered_at: datetime
    left_at: datetime | None = None
    entered_cause: str | None = None
    left_cause: str | None = None


def in_force(workspace: Workspace, segment: str) -> str | None:
    """Id of the run whose membership of this segment is in force; None before the first."""
    rows = workspace.query(
        "SELECT r.id FROM segments s JOIN runs r ON r.number = s.in_force WHERE s.name = ?"
        " ORDER BY s.alive DESC, s.id DESC LIMIT 1",
        (segment,),
    )
    return rows[0][0] if rows else None


def sizes(workspace: Workspace, run: Run | None = None) -> dict[str, int]:
    """Members in force of every living segment, now or right after a run, by name; no file is opened."""
    until = newest_number(workspace) if run is None else run.number
    rows = workspace.query(
        "SELECT s.name, x.size, x.state, max(x.run) FROM run_segments x JOIN segments s ON s.id = x.segment"
        " WHERE x.state IN ('in_force', 'removed') AND x.run <= ? GROUP BY x.segment ORDER BY s.name",
        (until,),
    )
    return {row["name"]: row["size"] for row in rows if row["state"] == "in_force"}


def members(workspace: Workspace, segment: str, run: Run | None = None) -> pl.Series:
    """Subjects of the members, ascending, Int32: in force now, or after a run; of a what-if run, what it found.

    Raises:
        UsageError: The segment had not been evaluated by then.
    """
    import polars as pl

    number = newest_number(workspace) if run is None else run.number
    found = _segment(workspace, segment, number, with_what_if=run is not None)
    flags = _flags(workspace, [found.id], number, with_what_if=run is not None)[found.id]
    return flags.arg_true().cast(pl.Int32).alias("subject")


def diff(workspace: Workspace, from_run: Run, to_run: Run, segments: Sequence[str] | None = None) -> Difference:
    """Who entered and who left between two runs, in either order, of some segments or all.

    Somebody who entered and left again in between has not moved.

    Raises:
        UsageError: A named segment was evaluated by neither.
    """
    asked = _asked(workspace, segments, max(from_run.number, to_run.number))
    ids = [segment.id for segment in asked]
    if RunStatus.WHAT_IF in (from_run.status, to_run.status) or _has_what_if(workspace, from_run, to_run):
        moves = _moves_between_states(workspace, from_run, to_run, ids)
    else:
        early, late = sorted((from_run.number, to_run.number))
        moves = net(read_changes(workspace, early, late, segments=None if segments is None else ids), ids)
        if early != from_run.number:
            moves = moves.with_columns(entered=~moves["entered"])
    counts = tuple(_difference(asked, moves, _sizes_at(workspace, from_run), _sizes_at(workspace, to_run)))
    return Difference(from_run, to_run, counts, _named(moves, asked))


def diff_counts(
    workspace: Workspace, from_run: Run, to_run: Run, segments: Sequence[str] | None = None
) -> tuple[SegmentDifference, ...]:
    """The counts of `diff`; between two neighbouring runs no file is opened and no engine loaded.

    Raises:
        UsageError: A named segment was evaluated by neither.
    """
    if not _are_neighbours(workspace, from_run, to_run):
        return diff(workspace, from_run, to_run, segments).segments
    asked = _asked(workspace, segments, to_run.number)
    before, after = _sizes_at(workspace, from_run), _sizes_at(workspace, to_run)
    rows = workspace.query(
        "SELECT segment, entered, left_ FROM run_segments WHERE run = ? AND state IN ('in_force', 'removed')",
        (to_run.number,),
    )
    moved = {row["segment"]: (row["entered"], row["left_"]) for row in rows}
    return tuple(SegmentDifference(s.name, before.get(s.id), *moved.get(s.id, (0, 0)), after.get(s.id)) for s in asked)


def history(workspace: Workspace, segment: str) -> list[RunSegment]:
    """What every run meant for a segment, oldest first; no file is opened.

    Raises:
        UsageError: No run has evaluated it.
    """
    found = _segment(workspace, segment, newest_number(workspace), with_what_if=True)
    rows = workspace.query(
        "SELECT s.name, r.id AS run_id, r.as_of, x.* FROM run_segments x JOIN segments s ON s.id = x.segment"
        " JOIN runs r ON r.number = x.run WHERE x.segment = ? ORDER BY x.run",
        (found.id,),
    )
    return [run_segment(row) for row in rows]


def intervals(workspace: Workspace, subjects: int | Iterable[int]) -> list[Interval]:
    """Every stay of these subjects in any segment, in the order they began."""
    wanted = [subjects] if isinstance(subjects, int) else list(subjects)
    names = {row["id"]: row["name"] for row in workspace.query("SELECT id, name FROM segments")}
    stays: list[Interval] = []
    current: dict[tuple[int, int], int] = {}
    rows = changes_of_subjects(workspace, wanted).select("segment", "subject", "entered", "effective", "cause")
    for segment, subject, entered, effective, cause in rows.iter_rows():
        if entered:
            current[segment, subject] = len(stays)
            stays.append(Interval(names[segment], subject, effective, entered_cause=cause))
        else:
            place = current.pop((segment, subject))
            stays[place] = replace(stays[place], left_at=effective, left_cause=cause)
    return stays


def memberships(workspace: Workspace, run: Run | None = None, segments: Sequence[str] | None = None) -> pl.DataFrame:
    """One row per subject (row number = subject) and one Boolean column per segment, by name.

    Raises:
        UsageError: A named segment had not been evaluated by then.
    """
    import polars as pl

    number = newest_number(workspace) if run is None else run.number
    asked = _asked(workspace, segments, number)
    flags = _flags(workspace, [segment.id for segment in asked], number, with_what_if=run is not None)
    length = max((len(found) for found in flags.values()), default=0)
    columns = {segment.name: grown(flags[segment.id], length) for segment in asked}
    return pl.DataFrame({"subject": pl.int_range(length, dtype=pl.Int32, eager=True), **columns})


def _segment(workspace: Workspace, name: str, number: int, *, with_what_if: bool) -> KnownSegment:
    """The segment of that name, if a run up to `number` has found its members."""
    found = known_segments(workspace).get(name)
    states = "('in_force', 'removed', 'what_if')" if with_what_if else "('in_force', 'removed')"
    if found is None or not workspace.query(
        f"SELECT 1 FROM run_segments WHERE segment = ? AND run <= ? AND state IN {states} LIMIT 1", (found.id, number)
    ):
        raise problems.no_membership(name)
    return found


def _asked(workspace: Workspace, names: Sequence[str] | None, number: int) -> list[KnownSegment]:
    if names is not None:
        return [_segment(workspace, name, number, with_what_if=True) for name in sorted(set(names))]
    evaluated = {
        row[0] for row in workspace.query("SELECT DISTINCT segment FROM run_segments WHERE run <= ?", (number,))
    }
    return sorted((s for s in known_segments(workspace).values() if s.id in evaluated), key=lambda s: s.name)


def _flags(workspace: Workspace, ids: Sequence[int], number: int, *, with_what_if: bool) -> dict[int, pl.Series]:
    """Dense truth by subject after run `number`, what-if answers of that very run first."""
    checkpoint = what_if_checkpoint(workspace, number) if with_what_if else None
    found = {} if checkpoint is None else read_checkpoint(checkpoint, ids)
    rest = [segment for segment in ids if segment not in found]
    state = standing(workspace, number, rest)
    return found | {s: state.flags(s) for s in rest}


def _has_what_if(workspace: Workspace, *of: Run) -> bool:
    return any(what_if_checkpoint(workspace, run.number) is not None for run in of)


def _are_neighbours(workspace: Workspace, from_run: Run, to_run: Run) -> bool:
    """True if `to_run` brought into force what comes right after `from_run`: its own counts say what moved."""
    if from_run.number >= to_run.number or _has_what_if(workspace, from_run, to_run):
        return False
    between = workspace.query(
        "SELECT 1 FROM run_segments WHERE run > ? AND run < ? AND state IN ('in_force', 'removed') LIMIT 1",
        (from_run.number, to_run.number),
    )
    return not between and {from_run.status, to_run.status} <= {RunStatus.OK, RunStatus.PARTIAL}


def _moves_between_states(workspace: Workspace, from_run: Run, to_run: Run, ids: Sequence[int]) -> pl.DataFrame:
    """Moves when a run is only a what-if: there is no log of it, so states are compared."""
    import polars as pl

    before = _flags(workspace, ids, from_run.number, with_what_if=True)
    after = _flags(workspace, ids, to_run.number, with_what_if=True)
    parts = []
    for segment in ids:
        length = max(len(before[segment]), len(after[segment]))
        now = grown(after[segment], length)
        moved = (grown(before[segment], length) != now).arg_true()
        parts.append(
            pl.DataFrame({"subject": moved.cast(pl.Int32), "entered": now.gather(moved)}).with_columns(segment=segment)
        )
    schema = {"subject": pl.Int32, "entered": pl.Boolean, "segment": pl.Int32}
    return pl.concat([pl.DataFrame(schema=schema), *parts], how="vertical_relaxed").with_columns(
        pl.lit(to_run.as_of).cast(pl.Datetime("us", "UTC")).alias("effective"), pl.lit(None, pl.String).alias("cause")
    )


def _difference(
    asked: Sequence[KnownSegment], moves: pl.DataFrame, before: Mapping[int, int], after: Mapping[int, int]
) -> Iterable[SegmentDifference]:
    counts = {(row[0], row[1]): row[2] for row in moves.group_by("segment", "entered").len().iter_rows()}
    for segment in asked:
        entered, left = counts.get((segment.id, True), 0), counts.get((segment.id, False), 0)
        yield SegmentDifference(segment.name, before.get(segment.id), entered, left, after.get(segment.id))


def _sizes_at(workspace: Workspace, run: Run) -> dict[int, int]:
    """Members after a run by segment number; what the run itself found, in force or not, comes first."""
    rows = workspace.query(
        "SELECT segment, size, max(run) FROM run_segments WHERE run <= ? AND (state IN ('in_force', 'removed')"
        " OR (run = ? AND state = 'what_if')) GROUP BY segment",
        (run.number, run.number),
    )
    return {row["segment"]: row["size"] for row in rows}


def _named(moves: pl.DataFrame, asked: Sequence[KnownSegment]) -> pl.DataFrame:
    import polars as pl

    names = {segment.id: segment.name for segment in asked}
    name = pl.col("segment").replace_strict(names, return_dtype=pl.String)
    return moves.select(name, "subject", "entered", "effective", "cause")
