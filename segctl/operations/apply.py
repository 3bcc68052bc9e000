"""Evaluate the selected segments in one shared plan and record the run."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from segctl import __version__
from segctl.compile.selection import Selection
from segctl.model.dataclass import dataclass
from segctl.model.errors import Refused, SegctlError, UsageError
from segctl.operations.contacted import record as record_contacts
from segctl.operations.evaluation import Answers
from segctl.operations.guards import WAITS, Allowance, parse_allowances, refusals
from segctl.operations.incremental.after import leave_behind
from segctl.operations.incremental.incremental import Evaluated, Extent, evaluate_standing
from segctl.operations.progress import Progress, Silent
from segctl.operations.provenance import run_note
from segctl.operations.retyped import retyped_properties
from segctl.operations.running import Running, running
from segctl.operations.selection import chosen

if TYPE_CHECKING:
    from segctl.operations.session import Session
    from segctl.state.runs import NewRun, Run, SegmentState


EVERYTHING = Selection()


@dataclass(frozen=True, slots=True)
class Allowed:
    """Limits that guards have this once, with the reason that is recorded."""

    limits: tuple[Allowance, ...] = ()
    reason: str | None = None


NOTHING_ALLOWED = Allowed()


def allowances(session: Session, written: Iterable[str], reason: str | None) -> Allowed:
    """What `--allow` and `--reason` say.

    Raises:
        UsageError: A limit that makes no sense, or no reason for one.
    """
    limits = parse_allowances(written, session.definitions.segments)
    said = (reason or "").strip()
    if limits and not said:
        raise UsageError(
            "SEG547", "`--allow` needs a reason, which is recorded with the run", hint='add `--reason "…"`'
        )
    return Allowed(limits, said or None)


@dataclass(frozen=True, slots=True)
class Pinned:
    """What a saved plan promises; `apply` does exactly that or nothing.

    Attributes:
        plan: Id of the plan, kept in the run's note.
        names: Segments that it evaluates.
        snapshot: Files that it reads.
        last: Number of the newest run when it was made, 0 for none.
        members: Segment → digest of its membership.
    """

    plan: str
    names: tuple[str, ...]
    snapshot: int
    last: int
    members: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SegmentOutcome:
    """What a run meant for one segment; profiles throughout.

    Attributes:
        state: ``in_force``, ``what_if``, ``failed``, ``expired`` or ``removed``.
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
        guarded: Segments that failed because a guard of their own refuses the change.
        stale: Those of them whose inputs are older than `fresh` asks for.
        paused: Segment that was left out → why, in words.
        everything: Why, when all is paused.
        extent: How many were evaluated, and why everybody was if so.
    """

    run: Run | None
    status: str
    as_of: datetime
    snapshot: int
    segments: tuple[SegmentOutcome, ...]
    profiles: int
    timings: Mapping[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    guarded: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    paused: Mapping[str, str] = field(default_factory=dict)
    everything: str | None = None
    extent: Extent | None = None


def apply(
    session: Session,
    *,
    as_of: datetime,
    started: datetime,
    selection: Selection = EVERYTHING,
    engine: str = "polars",
    dry_run: bool = False,
    allowed: Allowed = NOTHING_ALLOWED,
    pinned: Pinned | None = None,
    full: bool = False,
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
        allowed: What guards allow this once.
        pinned: The saved plan that is carried out, which also says which segments.
        full: Evaluate everybody, whatever is known from before.
        progress: Hears what is going on.

    Raises:
        UsageError: A selection that fits nothing.
        Refused: The evaluation does not give what the plan promises.
        TemporaryError: Another run was recorded since the plan was made.
    """
    clock = time.perf_counter()
    listener = progress or Silent()
    if pinned is None and not dry_run:
        record_contacts(session.workspace)
    snapshot = session.workspace.snapshot() if pinned is None else pinned.snapshot
    asked = evaluated_names(session, selection) if pinned is None else list(pinned.names)
    going = running(session, asked, as_of=as_of, snapshot=snapshot)
    request = _Request(as_of, snapshot, started, selection, allowed, pinned, going)
    names = list(going.names)
    listener.start("evaluate", total=len(names), unit="segments")
    with session.workspace.lease(request.snapshot):
        try:
            found = evaluate_standing(
                session,
                names,
                as_of=as_of,
                snapshot=request.snapshot,
                engine=engine,
                full=full,
                is_whole=selection == EVERYTHING,
                progress=listener,
            )
        except SegctlError as error:
            if not dry_run:
                _record_failure(session, request, {"total": time.perf_counter() - clock}, error)
            raise
        listener.advance(len(names))
        listener.finish()
        evaluated, answers = time.perf_counter(), found.answers
        warnings = (*going.warnings, *_retyped(session, request.snapshot))
        run, status, outcomes = _recorded(session, request, names, found, dry_run=dry_run)
        if run is not None:
            leave_behind(session, found, listener)
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
        guarded=tuple(
            s.segment
            for s in outcomes
            if s.state == "failed" and s.segment not in answers.failed and not (s.reason or "").endswith(WAITS)
        ),
        stale=tuple(sorted(going.fresh.refused)),
        paused=going.paused,
        everything=going.everything,
        extent=found.extent if names else None,
    )


def evaluated_names(session: Session, selection: Selection) -> list[str]:
    """The selected segments without those that are paused."""
    segments = session.definitions.segments
    return [name for name in chosen(session.definitions, selection) if segments[name].status != "paused"]


def members_digest(answers: Answers, name: str) -> str:
    """SHA-256 (hex) of who belongs to a segment, by subject."""
    frame = answers.frame
    subjects = frame["subject"].filter(frame[name].fill_null(value=False)).sort()
    return hashlib.sha256(subjects.to_numpy().astype("<i4").tobytes()).hexdigest()


@dataclass(frozen=True, slots=True)
class _Request:
    """What was asked for."""

    as_of: datetime
    snapshot: int
    started: datetime
    selection: Selection
    allowed: Allowed
    pinned: Pinned | None
    running: Running


def _retyped(session: Session, snapshot: int) -> Iterator[str]:
    for name, values in retyped_properties(session.workspace, session.project, snapshot=snapshot):
        yield (
            f"{values:,} stored values of `{name}` are of another type than segctl.yaml declares now, so they do not "
            "count; ingest their files again under `corrections: replace`, or into a new workspace"
        )


def _recorded(
    session: Session, request: _Request, names: list[str], found: Evaluated, *, dry_run: bool
) -> tuple[Run | None, str, tuple[SegmentOutcome, ...]]:
    from segctl.state.memberships import preview_run, record_run
    from segctl.state.runs import run_segments

    answers, members = found.answers, found.members
    new = _new_run(session, request, names, answers.timings)
    segments = session.definitions.segments
    renames = {name: segment.formerly for name, segment in segments.items() if segment.formerly}
    failed = {name: reason for name, reason in answers.failed.items() if name in names}
    going = request.running
    refuse = partial(
        refusals,
        session.definitions,
        allowed=request.allowed.limits,
        stale=going.fresh.refused,
        expired=going.expired,
    )
    if request.pinned is not None:
        _check_promise(request.pinned, answers, names)
    outcome = preview_run(
        session.workspace, new, members, active=going.defined, renames=renames, failed=failed, refuse=refuse
    )
    if dry_run or not names:
        rows = tuple(
            SegmentOutcome(m.segment.name, m.after, m.entered, m.left, _state(m.segment.name, m.state, going), m.reason)
            for m in outcome.movements
        )
        # A run about nothing would stand between the two that people compare.
        if dry_run or not rows:
            return None, outcome.status.value, rows
    from segctl.operations.causes.causes import cause_note, causes
    from segctl.operations.kept_definitions import NOTE, keep_definitions

    kept = keep_definitions(session)
    why = causes(session, outcome, answers, as_of=request.as_of, snapshot=request.snapshot)
    note = {**new.note, **({} if kept is None else {NOTE: kept}), **cause_note(outcome, why)}
    note["profiles"] = answers.frame.height
    run = record_run(
        session.workspace,
        replace(new, note=note),
        members,
        active=going.defined,
        renames=renames,
        failed=failed,
        leaf_counts=answers.leaf_counts,
        causes=why,
        outcome=outcome,
        refuse=refuse,
        last=None if request.pinned is None else request.pinned.last,
    )
    rows = tuple(
        SegmentOutcome(s.segment, s.size, s.entered, s.left, _state(s.segment, s.state, going), s.reason)
        for s in run_segments(session.workspace, run)
    )
    return run, run.status.value, rows


def _state(name: str, state: SegmentState, going: Running) -> str:
    """A state in the words of people."""
    return "expired" if name in going.expired and state.value == "in_force" else state.value


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
        note=run_note(session, names, request.selection.select, request.selection.exclude) | _further_note(request),
    )


def _further_note(request: _Request) -> dict[str, Any]:
    """What people decided: the plan that was carried out, and guards that were loosened."""
    note: dict[str, Any] = {} if request.pinned is None else {"plan": request.pinned.plan}
    note |= request.running.note
    if request.allowed.limits:
        note["allowed"] = {"guards": [str(one) for one in request.allowed.limits], "reason": request.allowed.reason}
    return note


def _check_promise(pinned: Pinned, answers: Answers, names: Iterable[str]) -> None:
    for name in names:
        promised = pinned.members.get(name)
        if promised != (None if name in answers.failed else members_digest(answers, name)):
            raise Refused(
                "SEG571", f"`{name}` would not get the members that the plan promises; nothing was recorded",
                hint="make a new plan: `segctl plan -o plan.json`",
            )  # fmt: skip


def _record_failure(session: Session, request: _Request, timings: Mapping[str, float], error: SegctlError) -> None:
    from segctl.state.memberships import record_failed_run

    record_failed_run(session.workspace, _new_run(session, request, (), timings), f"{error.code}: {error.message}")
