"""What a run's answers mean against the membership in force: who enters, who leaves, what stays a what-if."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass
from segctl.state.changes import change_schema, grown, nobody, standing
from segctl.state.runs import NewRun, RunStatus, SegmentState, microseconds, newest_number

if TYPE_CHECKING:
    import polars as pl

    from segctl.state.workspace import Workspace

REMOVED_CAUSE = "definition removed"
Renames = Mapping[str, str | Sequence[str]]
"""New name → former name or names."""
Refuse = Callable[[Sequence["Movement"]], Mapping[str, str]]
"""Of all movements, the segments that keep their last membership, with the reason."""


@dataclass(frozen=True, slots=True)
class KnownSegment:
    """A segment as the workspace knows it.

    Attributes:
        id: Number in files of the log; kept through a rename.
        alive: Its definition was there at the last run that looked.
        in_force_as_of: as_of (µs since 1970) of the run in force; None before the first.
        size: Members in force.
    """

    id: int
    name: str
    alive: bool = True
    in_force_as_of: int | None = None
    size: int = 0


@dataclass(frozen=True, slots=True)
class Movement:
    """How one segment moves with a run; counts are profiles.

    Attributes:
        before: Members in force before.
        after: Members found; for a failed segment those it keeps.
    """

    segment: KnownSegment
    state: SegmentState
    before: int
    entered: int
    left: int
    after: int
    reason: str | None = None

    @property
    def stayed(self) -> int:
        """Members before and after."""
        return self.before - self.left


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that a run changes, before it is written.

    Attributes:
        changes: Rows of the log, for segments that come into force; sorted by (subject, segment).
        in_force: Dense membership by segment number, for those that come into force.
        what_if: Likewise for those that do not.
    """

    number: int
    status: RunStatus
    movements: tuple[Movement, ...]
    changes: pl.DataFrame
    in_force: dict[int, pl.Series]
    what_if: dict[int, pl.Series]


def judge(
    workspace: Workspace,
    run: NewRun,
    answers: pl.DataFrame,
    *,
    active: Iterable[str] | None,
    renames: Renames,
    failed: Mapping[str, str],
    refuse: Refuse | None = None,
) -> Outcome:
    """Compares answers with what is in force; reads, and writes nothing."""
    as_of = microseconds(run.as_of)
    number = newest_number(workspace) + 1
    names = [name for name in answers.columns if name != "subject"]
    named = {*names, *failed}
    known = _after_renames(known_segments(workspace), renames, named if active is None else {*active, *named})
    known = _with_new(workspace, known, sorted(named))
    gone = [] if active is None else _removed(known, {*active, *named}, as_of)
    comparison = _compare(workspace, answers, [known[name] for name in names], gone, number=number, as_of=as_of)
    if refuse is not None:
        comparison = _without(comparison, refuse(comparison.movements))
    failures = [
        Movement(known[name], SegmentState.FAILED, known[name].size, 0, 0, known[name].size, reason)
        for name, reason in sorted(failed.items())
    ]
    movements = (*comparison.movements, *failures)
    frame = _change_frame(comparison.changed, run, number, {segment.id for segment in gone})
    status = _status(movements)
    return Outcome(number, status, movements, frame, comparison.in_force, comparison.what_if)


def known_segments(workspace: Workspace) -> dict[str, KnownSegment]:
    """Every segment by name; where a removed one had the name of a living one, the living one."""
    rows = workspace.query(
        "SELECT s.id, s.name, s.alive, s.in_force_as_of, coalesce(x.size, 0) AS size FROM segments s"
        " LEFT JOIN run_segments x ON x.segment = s.id AND x.run = s.in_force ORDER BY s.alive, s.id"
    )
    return {
        row["name"]: KnownSegment(row["id"], row["name"], bool(row["alive"]), row["in_force_as_of"], row["size"])
        for row in rows
    }


def upsert_segments(db: sqlite3.Connection, outcome: Outcome, as_of: int) -> None:
    """Writes names, life and what is in force of the run's segments, in the current commit."""
    for movement in sorted(outcome.movements, key=lambda m: m.state is not SegmentState.REMOVED):
        segment = movement.segment
        db.execute(
            "INSERT INTO segments (id, name, alive) VALUES (?, ?, 0) ON CONFLICT (id) DO NOTHING",
            (segment.id, segment.name),
        )
        if movement.state in (SegmentState.IN_FORCE, SegmentState.REMOVED):
            db.execute(
                "UPDATE segments SET name = ?, alive = ?, in_force = ?, in_force_as_of = ? WHERE id = ?",
                (segment.name, movement.state is SegmentState.IN_FORCE, outcome.number, as_of, segment.id),
            )


def _after_renames(known: dict[str, KnownSegment], renames: Renames, present: set[str]) -> dict[str, KnownSegment]:
    """Known segments under their new names; a name that is still defined is not taken away from anybody."""
    found = dict(known)
    pairs = [(new, old) for new, olds in renames.items() for old in ([olds] if isinstance(olds, str) else olds)]
    for new, old in pairs:
        if new in found and new not in known:
            continue  # it has already taken over from another of its former names
        there, before = known.get(new), known.get(old)
        is_free = old in found and old not in present
        if before is None or not before.alive or not is_free or (there is not None and there.alive):
            continue
        del found[old]
        found[new] = replace(before, name=new)
    return found


def _with_new(workspace: Workspace, known: dict[str, KnownSegment], names: list[str]) -> dict[str, KnownSegment]:
    fresh = int(workspace.query("SELECT coalesce(max(id), 0) + 1 FROM segments")[0][0])
    missing = [name for name in names if name not in known]
    return known | {name: KnownSegment(fresh + n, name) for n, name in enumerate(missing)}


def _removed(known: Mapping[str, KnownSegment], present: set[str], as_of: int) -> list[KnownSegment]:
    return [
        segment
        for name, segment in sorted(known.items())
        if segment.alive
        and name not in present
        and segment.in_force_as_of is not None
        and segment.in_force_as_of <= as_of
    ]


@dataclass(frozen=True, slots=True)
class _Comparison:
    movements: list[Movement]
    changed: list[tuple[int, pl.Series, pl.Series]]
    in_force: dict[int, pl.Series]
    what_if: dict[int, pl.Series]


def _compare(
    workspace: Workspace,
    answers: pl.DataFrame,
    segments: list[KnownSegment],
    gone: list[KnownSegment],
    *,
    number: int,
    as_of: int,
) -> _Comparison:
    result = _Comparison([], [], {}, {})
    before_run = standing(workspace, number - 1, [segment.id for segment in (*segments, *gone)])
    gone_ids = {segment.id for segment in gone}
    for segment, found in _found(answers, segments, gone):
        before = before_run.flags(segment.id, len(found))
        after = grown(found, len(before))
        differs = before != after
        # Looking for places costs more than looking whether there are any, and most segments do not move.
        changed = differs.arg_true() if differs.any() else differs.clear().arg_true()
        entered = after.gather(changed)
        is_what_if = segment.in_force_as_of is not None and as_of < segment.in_force_as_of
        state = SegmentState.WHAT_IF if is_what_if else SegmentState.IN_FORCE
        state = SegmentState.REMOVED if segment.id in gone_ids else state
        came = int(entered.sum())
        result.movements.append(
            Movement(segment, state, int(before.sum()), came, len(changed) - came, int(after.sum()))
        )
        (result.what_if if is_what_if else result.in_force)[segment.id] = after
        if not is_what_if:
            result.changed.append((segment.id, changed, entered))
    return result


def _without(comparison: _Comparison, refused: Mapping[str, str]) -> _Comparison:
    """The comparison where refused segments have failed, so that what is in force stays."""
    if not refused:
        return comparison
    movements = [
        replace(m, state=SegmentState.FAILED, entered=0, left=0, after=m.before, reason=refused[m.segment.name])
        if m.segment.name in refused
        else m
        for m in comparison.movements
    ]
    gone = {m.segment.id for m in movements if m.segment.name in refused}
    return replace(
        comparison,
        movements=movements,
        changed=[change for change in comparison.changed if change[0] not in gone],
        in_force={number: flags for number, flags in comparison.in_force.items() if number not in gone},
    )


def _found(
    answers: pl.DataFrame, segments: list[KnownSegment], gone: list[KnownSegment]
) -> Iterator[tuple[KnownSegment, pl.Series]]:
    """Dense truth by subject, one segment after the other."""
    if not answers["subject"].is_sorted():
        answers = answers.sort("subject")
    subjects = answers["subject"]
    length = int(subjects[-1]) + 1 if len(subjects) else 0
    nobody_yet = grown(nobody(), length)
    for segment in segments:
        truth = answers[segment.name]
        truth = truth.fill_null(value=False) if truth.null_count() else truth
        yield segment, truth if len(truth) == length else nobody_yet.clone().scatter(subjects, truth)
    for segment in gone:
        yield segment, nobody()


def _change_frame(
    changed: list[tuple[int, pl.Series, pl.Series]], run: NewRun, number: int, gone: set[int]
) -> pl.DataFrame:
    """Rows of the log, sorted by (subject, segment)."""
    import polars as pl

    if not changed:
        return pl.DataFrame(schema=change_schema())
    in_order = sorted(changed, key=lambda c: c[0])
    ids = pl.Series([segment for segment, _, _ in in_order], dtype=pl.Int32)
    # One number holds subject, segment and direction: sorting it is far quicker than sorting rows.
    keys = pl.concat(
        (rows.cast(pl.Int64) * len(ids) + place) * 2 + entered.cast(pl.Int64)
        for place, (_, rows, entered) in enumerate(in_order)
    ).sort()
    pairs = keys // 2
    segments = ids.gather(pairs % len(ids))
    frame = pl.DataFrame({"segment": segments, "subject": (pairs // len(ids)).cast(pl.Int32)})
    removed = pl.col("segment").is_in(sorted(gone)) if gone else pl.lit(value=False)
    return frame.select(
        pl.lit(number, dtype=pl.Int32).alias("run"),
        "segment",
        "subject",
        (keys % 2 == 1).alias("entered"),
        pl.lit(microseconds(run.as_of), dtype=pl.Int64).cast(pl.Datetime("us", "UTC")).alias("effective"),
        pl.when(removed).then(pl.lit(REMOVED_CAUSE)).otherwise(pl.lit(None, dtype=pl.String)).alias("cause"),
    )


def _status(movements: Iterable[Movement]) -> RunStatus:
    states = {movement.state for movement in movements}
    if states & {SegmentState.IN_FORCE, SegmentState.REMOVED}:
        return RunStatus.PARTIAL if SegmentState.FAILED in states else RunStatus.OK
    if SegmentState.WHAT_IF in states:
        return RunStatus.WHAT_IF
    return RunStatus.FAILED if SegmentState.FAILED in states else RunStatus.OK
