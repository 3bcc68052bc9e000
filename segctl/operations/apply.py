"""Evaluate the selected segments in one shared plan and record the run."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from segctl import __version__
from segctl.compile.selection import Selection
from segctl.model.dataclass import dataclass
from segctl.model.errors import SegctlError
from segctl.operations.evaluation import Answers, evaluate
from segctl.operations.progress import Progress, Silent
from segctl.operations.provenance import run_note
from segctl.operations.retyped import retyped_properties
from segctl.operations.selection import chosen

if TYPE_CHECKING:
    from segctl.operations.session import Session
    from segctl.state.runs import NewRun, Run


EVERYTHING = Selection()


@dataclass(frozen=True, slots=True)
class SegmentOutcome:
    """What a run meant for one segment; profiles throughout.

    Attributes:
        state: ``in_force``, ``what_if``, ``failed`` or ``removed``.
        reason: Why it failed.
    """

    segment: str
    members: int
    entered: int
    left: int
    state: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """What `apply` did.

    Attributes:
        run: The recorded run; None for a dry run, or when there was nothing to evaluate or remove.
        status: ``ok``, ``partial``, ``failed`` or ``what_if``.
        as_of: Valid time of the evaluation, UTC.
        segments: By name; those that failed keep their last membership.
        profiles: Profiles of the population.
        timings: Phase → seconds.
        warnings: What a person should know of the data that were read.
    """

    run: Run | None
    status: str
    as_of: datetime
    snapshot: int
    segments: tuple[SegmentOutcome, ...]
    profiles: int
    timings: Mapping[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def apply(
    session: Session,
    *,
    as_of: datetime,
    started: datetime,
    selection: Selection = EVERYTHING,
    engine: str = "polars",
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Applied:
    """Evaluate the selection and what it refers to, and record who came and went.

    Args:
        session: Open project and workspace.
        as_of: Valid time of the evaluation, aware.
        started: Wall clock at the start of the call.
        selection: Which segments; otherwise every one that is not a draft.
        engine: ``polars`` or ``duckdb``.
        dry_run: Do everything but record.
        progress: Hears what is going on.

    Raises:
        UsageError: A selection that fits nothing.
    """
    clock = time.perf_counter()
    listener = progress or Silent()
    request = _Request(as_of, session.workspace.snapshot(), started, selection)
    segments = session.definitions.segments
    names = [n for n in chosen(session.definitions, selection) if segments[n].status != "paused"]
    listener.start("evaluate", total=len(names), unit="segments")
    with session.workspace.lease(request.snapshot):
        try:
            answers = evaluate(
                session, names, as_of=as_of, snapshot=request.snapshot, engine=engine, leaves=True, progress=listener
            )
        except SegctlError as error:
            if not dry_run:
                _record_failure(session, request, {"total": time.perf_counter() - clock}, error)
            raise
        listener.advance(len(names))
        listener.finish()
        evaluated = time.perf_counter()
        warnings = tuple(_retyped(session, request.snapshot))
        run, status, outcomes = _recorded(session, request, names, answers, dry_run=dry_run)
    timings = {**answers.timings, "record": time.perf_counter() - evaluated, "total": time.perf_counter() - clock}
    return Applied(
        run=run,
        status=status,
        as_of=as_of,
        snapshot=request.snapshot,
        segments=outcomes,
        profiles=answers.frame.height,
        timings={name: round(seconds, 3) for name, seconds in timings.items()},
        warnings=warnings,
    )


@dataclass(frozen=True, slots=True)
class _Request:
    """What was asked for."""

    as_of: datetime
    snapshot: int
    started: datetime
    selection: Selection


def _retyped(session: Session, snapshot: int) -> Iterator[str]:
    for name, values in retyped_properties(session.workspace, session.project, snapshot=snapshot):
        yield (
            f"{values:,} stored values of `{name}` are of another type than segctl.yaml declares now, so they do not "
            "count; ingest their files again under `corrections: replace`, or into a new workspace"
        )


def _recorded(
    session: Session, request: _Request, names: list[str], answers: Answers, *, dry_run: bool
) -> tuple[Run | None, str, tuple[SegmentOutcome, ...]]:
    from segctl.state.memberships import preview_run, record_run
    from segctl.state.runs import run_segments

    new = _new_run(session, request, names, answers.timings)
    segments = session.definitions.segments
    members = answers.frame.select("subject", *(n for n in names if n not in answers.failed))
    renames = {name: segment.formerly for name, segment in segments.items() if segment.formerly}
    failed = {name: reason for name, reason in answers.failed.items() if name in names}
    if dry_run or not names:
        outcome = preview_run(session.workspace, new, members, active=segments, renames=renames, failed=failed)
        rows = tuple(
            SegmentOutcome(m.segment.name, m.after, m.entered, m.left, m.state.value, m.reason)
            for m in outcome.movements
        )
        # A run about nothing would stand between the two that people compare.
        if dry_run or not rows:
            return None, outcome.status.value, rows
    from segctl.operations.identity_causes import identity_causes
    from segctl.operations.kept_definitions import NOTE, keep_definitions

    kept = keep_definitions(session)
    run = record_run(
        session.workspace,
        new if kept is None else replace(new, note={**new.note, NOTE: kept}),
        members,
        active=segments,
        renames=renames,
        failed=failed,
        leaf_counts=answers.leaf_counts,
        causes=identity_causes(session, names, members, as_of=request.as_of, snapshot=request.snapshot),
    )
    rows = tuple(
        SegmentOutcome(s.segment, s.size, s.entered, s.left, s.state.value, s.reason)
        for s in run_segments(session.workspace, run)
    )
    return run, run.status.value, rows


def _new_run(session: Session, request: _Request, names: Iterable[str], timings: Mapping[str, float]) -> NewRun:
    from segctl.state.runs import NewRun

    names, began = tuple(names), request.started.astimezone(UTC)
    return NewRun(
        as_of=request.as_of,
        snapshot=request.snapshot,
        started=began,
        finished=began + timedelta(seconds=sum(timings.values())),
        tool_version=__version__,
        definitions={name: session.definitions.segments[name].digest for name in names},
        timings=dict(timings),
        note=run_note(session, names, request.selection.select, request.selection.exclude),
    )


def _record_failure(session: Session, request: _Request, timings: Mapping[str, float], error: SegctlError) -> None:
    from segctl.state.memberships import record_failed_run

    record_failed_run(session.workspace, _new_run(session, request, (), timings), f"{error.code}: {error.message}")
