"""What `apply` would do: changed definitions, who would enter and leave and why, and what guards say to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from segctl import __version__
from segctl.compile.meaning import MeaningChange, meaning_changes
from segctl.compile.selection import Selection
from segctl.model.dataclass import dataclass
from segctl.operations.apply import NOTHING_ALLOWED, Allowed, evaluated_names, members_digest
from segctl.operations.causes.words import translated
from segctl.operations.evaluation import evaluate
from segctl.operations.guards import Broken, broken_by, loosened, refusals
from segctl.operations.plan.effects import Effects, OldRule, effects
from segctl.operations.plan.push import AudiencePlan, members_after, plan_push
from segctl.operations.plan.reasons import Reason, named_moves, reasons
from segctl.operations.progress import Progress, Silent
from segctl.operations.provenance import origin_of, origin_today
from segctl.operations.running import Running, running

if TYPE_CHECKING:
    import polars as pl

    from segctl.model.project import Language
    from segctl.operations.evaluation import Answers
    from segctl.operations.session import Session
    from segctl.state.recording import Movement, Outcome
    from segctl.state.runs import Run

Change = Literal["new", "changed", "removed", "renamed", "same"]
EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class SegmentPlan:
    """What would become of one segment; counts are profiles.

    Attributes:
        change: Of its definition since the membership in force.
        inputs: List files that are others since then, and ``zone data``.
        meaning: The differences in words.
        state: ``in_force``, ``what_if``, ``failed``, ``expired`` or ``removed``.
        before: Members in force; None when there never were any.
        after: Members it would have, were there no guards.
        broken: Guards that refuse this.
        refused: Why it keeps its last membership: a guard, or that of a segment it refers to.
        reason: Why it cannot be evaluated.
        effects: What the rule does and what the data do; None when the rule is the same.
        members: Digest of the membership; None without one.
    """

    segment: str
    change: Change
    inputs: tuple[str, ...]
    meaning: tuple[MeaningChange, ...]
    state: str
    before: int | None
    entered: int
    left: int
    after: int | None
    broken: tuple[Broken, ...] = ()
    refused: str | None = None
    reason: str | None = None
    effects: Effects | None = None
    members: str | None = None

    @property
    def is_quiet(self) -> bool:
        """Nothing changes and nothing is refused."""
        return not (self.entered or self.left or self.refused or self.reason) and self.change == "same"


@dataclass(frozen=True, slots=True)
class Plan:
    """What would happen, and from what that was found out.

    Attributes:
        names: Segments that were evaluated.
        last: The newest run in force; None before the first.
        segments: Every evaluated segment and every one that would be removed, by name.
        reasons: Why profiles move, counted, with examples.
        moves: One row per move: ``segment``, ``profile_id``, ``change``, ``cause``; None when not asked for.
        against: Git revision that was compared with, and its commit; None for what is in force.
        paused: Segment that is left out → why, in words.
        everything: Why, when all is paused.
        warnings: Segments that end soon, and inputs that are too old where that is only marked.
        pushes: What a push would do afterwards, for each segment and destination.
        words: Segment that somebody moves in → its conditions as causes keep them (English) → as they are shown.
    """

    as_of: datetime
    snapshot: int
    names: tuple[str, ...]
    last: Run | None
    segments: tuple[SegmentPlan, ...]
    profiles: int | None
    reasons: tuple[Reason, ...]
    selection: Selection
    allowed: Allowed
    engine: str
    moves: pl.DataFrame | None = None
    against: tuple[str, str] | None = None
    paused: Mapping[str, str] = field(default_factory=dict)
    everything: str | None = None
    warnings: tuple[str, ...] = ()
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    pushes: tuple[AudiencePlan, ...] = ()

    @property
    def has_changes(self) -> bool:
        """Somebody would move, or a definition means something else."""
        return any(s.entered or s.left or s.change != "same" for s in self.segments)

    @property
    def refused(self) -> tuple[SegmentPlan, ...]:
        """Segments that a guard would keep as they are."""
        return tuple(segment for segment in self.segments if segment.refused)


def plan(
    session: Session,
    *,
    as_of: datetime,
    selection: Selection,
    engine: str = "polars",
    allowed: Allowed = NOTHING_ALLOWED,
    examples: int = EXAMPLES,
    with_moves: bool = False,
    language: str | None = None,
    now: datetime | None = None,
    progress: Progress | None = None,
) -> Plan:
    """Evaluate what `apply` would, and compare it with what is in force; nothing is written.

    Args:
        session: Open project and workspace.
        as_of: Valid time of the evaluation, aware.
        selection: Which segments; otherwise every one that is not a draft.
        engine: What evaluates.
        allowed: What guards allow this once.
        examples: Profiles named for each reason.
        with_moves: Also name everybody who moves.
        language: Of definitions in words; the project's by default.
        now: When a push would begin; as_of by default.
        progress: Hears what is going on.

    Raises:
        UsageError: A selection that fits nothing.
    """
    from segctl.state.runs import runs

    listener = progress or Silent()
    snapshot = session.workspace.snapshot()
    going = running(session, evaluated_names(session, selection), as_of=as_of, snapshot=snapshot)
    names = list(going.names)
    listener.start("evaluate", total=len(names), unit="segments")
    with session.workspace.lease(snapshot):
        answers = evaluate(
            session, names, as_of=as_of, snapshot=snapshot, engine=engine, leaves=True, details=True, progress=listener
        )
        listener.advance(len(names))
        listener.finish()
        outcome = _outcome(session, going, answers, as_of=as_of, snapshot=snapshot)
        recorded = runs(session.workspace)
        said = session.language(language)
        segments = _Comparing(
            session, answers, outcome, recorded, as_of=as_of, snapshot=snapshot, engine=engine, language=said
        ).segments(allowed, going)
        why = _causes(session, outcome, answers, as_of=as_of, snapshot=snapshot)
        found = reasons(session, outcome, why, examples=examples)
        after = members_after(outcome, answers, (one.segment for one in segments if one.refused))
        pushes = plan_push(
            session, now=now or as_of, selection=selection, allowed=allowed, members=after, language=said
        )
    return Plan(
        as_of=as_of,
        snapshot=snapshot,
        names=tuple(names),
        last=next((run for run in recorded if run.status.value in ("ok", "partial")), None),
        segments=segments,
        profiles=answers.frame.height,
        reasons=found,
        selection=selection,
        allowed=allowed,
        engine=engine,
        moves=named_moves(session, outcome, why) if with_moves else None,
        paused=going.paused,
        everything=going.everything,
        warnings=going.warnings,
        words={reason.segment: translated(session, reason.segment, said) for reason in found},
        pushes=pushes,
    )


def _outcome(session: Session, going: Running, answers: Answers, *, as_of: datetime, snapshot: int) -> Outcome:
    """What would be recorded if there were no guards."""
    from segctl.state.memberships import preview_run
    from segctl.state.runs import NewRun

    segments, names = session.definitions.segments, going.names
    return preview_run(
        session.workspace,
        NewRun(as_of, snapshot, as_of, as_of, __version__, {name: segments[name].digest for name in names}),
        answers.frame.select("subject", *(n for n in names if n not in answers.failed)),
        active=going.defined,
        renames={name: segment.formerly for name, segment in segments.items() if segment.formerly},
        failed={name: reason for name, reason in answers.failed.items() if name in names},
    )


def _causes(
    session: Session, outcome: Outcome, answers: Answers, *, as_of: datetime, snapshot: int
) -> pl.DataFrame | None:
    from segctl.operations.causes.causes import causes

    return causes(session, outcome, answers, as_of=as_of, snapshot=snapshot)


class _Comparing:
    """The evaluation beside what is in force."""

    def __init__(
        self,
        session: Session,
        answers: Answers,
        outcome: Outcome,
        recorded: Sequence[Run],
        *,
        as_of: datetime,
        snapshot: int,
        engine: str,
        language: Language,
    ) -> None:
        self.session, self.answers, self.outcome = session, answers, outcome
        self.recorded, self.engine, self.language = recorded, engine, language
        self.as_of, self.snapshot = as_of, snapshot
        rows = session.workspace.query("SELECT id, name, in_force FROM segments WHERE in_force IS NOT NULL")
        by_number = {run.number: run for run in recorded}
        self.base = {row["id"]: by_number[row["in_force"]] for row in rows if row["in_force"] in by_number}
        self.names_before = {row["id"]: str(row["name"]) for row in rows}
        self._then: dict[int, Session | None] = {}

    def segments(self, allowed: Allowed, going: Running) -> tuple[SegmentPlan, ...]:
        """Every movement as a plan, by name."""
        self.going = going
        refused = refusals(
            self.session.definitions,
            self.outcome.movements,
            allowed.limits,
            stale=going.fresh.refused,
            expired=going.expired,
        )
        changes = {m.segment.name: self._inputs(m) for m in self.outcome.movements}
        found = effects(
            self.session,
            self._changed(changes),
            self.answers,
            as_of=self.as_of,
            snapshot=self.snapshot,
            engine=self.engine,
        )
        planned = [self._segment(m, changes[m.segment.name], refused, found, allowed) for m in self.outcome.movements]
        return tuple(sorted(planned, key=lambda one: one.segment))

    def _segment(
        self,
        movement: Movement,
        inputs: tuple[str, ...],
        refused: Mapping[str, str],
        found: Mapping[str, Effects],
        allowed: Allowed,
    ) -> SegmentPlan:
        name = movement.segment.name
        definition = self.session.definitions.segments.get(name)
        is_evaluated = movement.state.value != "failed" and definition is not None
        is_over = name in self.going.expired
        limits = None if definition is None or is_over else loosened(definition.guards, name, allowed.limits)
        old = self.going.fresh.refused.get(name, ()) if movement.state.value == "in_force" else ()
        return SegmentPlan(
            segment=name,
            change=self._change(movement, inputs),
            inputs=tuple(one for one in inputs if one != "definition"),
            meaning=self._meaning(movement),
            state="expired" if is_over and movement.state.value == "in_force" else movement.state.value,
            before=None if movement.segment.in_force_as_of is None else movement.before,
            entered=movement.entered,
            left=movement.left,
            after=movement.after if movement.state.value != "failed" else None,
            broken=() if limits is None else (*old, *broken_by(movement, limits)),
            refused=refused.get(name),
            reason=movement.reason,
            effects=found.get(name),
            members=members_digest(self.answers, name) if is_evaluated else None,
        )

    def _inputs(self, movement: Movement) -> tuple[str, ...]:
        """What a segment is made from otherwise than what is in force."""
        run = self.base.get(movement.segment.id)
        name = movement.segment.name
        if run is None or name not in self.session.definitions.segments:
            return ()
        before = origin_of(run, name, self.session.definitions, self.recorded)
        return before.changes_to(origin_today(self.session, name))

    def _change(self, movement: Movement, inputs: Iterable[str]) -> Change:
        if movement.state.value == "removed":
            return "removed"
        if movement.segment.id not in self.base or not movement.segment.alive:
            return "new"
        if "definition" in inputs:
            return "changed"
        return "same" if self._name_before(movement) == movement.segment.name else "renamed"

    def _name_before(self, movement: Movement) -> str:
        return self.names_before.get(movement.segment.id, movement.segment.name)

    def _changed(self, changes: Mapping[str, tuple[str, ...]]) -> dict[str, OldRule]:
        """Segments whose rule is another one."""
        found = {}
        for movement in self.outcome.movements:
            name, run = movement.segment.name, self.base.get(movement.segment.id)
            if run is None or not set(changes[name]) - {"zone data"} or movement.state.value != "in_force":
                continue
            then, former = self._session_of(run), self._name_before(movement)
            if then is not None and former in then.definitions.segments:
                found[name] = OldRule(run, then, former)
        return found

    def _meaning(self, movement: Movement) -> tuple[MeaningChange, ...]:
        name, run = movement.segment.name, self.base.get(movement.segment.id)
        if run is None or name not in self.session.definitions.segments:
            return ()
        then, former = self._session_of(run), self._name_before(movement)
        if then is None or former not in then.definitions.segments:
            return ()
        return meaning_changes(name, then.definitions, self.session.definitions, self.language, former=former)

    def _session_of(self, run: Run) -> Session | None:
        from segctl.operations.kept_definitions import session_of_run

        if run.number not in self._then:
            self._then[run.number] = session_of_run(self.session, run)
        return self._then[run.number]
