"""What `segctl workflow` writes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segctl.cli import messages, output
from segctl.cli.deadline import parse_span
from segctl.model.diagnostics import Diagnostic, Severity
from segctl.model.errors import UsageError
from segctl.model.exits import ExitCode

if TYPE_CHECKING:
    from datetime import datetime

    from segctl.cli.context import Context
    from segctl.model.errors import SegctlError
    from segctl.model.workflows import Workflow
    from segctl.operations.session import Session
    from segctl.operations.workflow.workflow import Ran
    from segctl.state.workflows import Effect

COUNTS = (
    output.Column("workflow"),
    output.Column("step"),
    output.Column("state"),
    output.Column("reason"),
    output.Column("people", type="integer", bar=True),
)
RAN = (
    output.Column("workflow"),
    output.Column("step"),
    output.Column("what"),
    output.Column("people", type="integer"),
)
EFFECTS = (
    output.Column("at", type="time"),
    output.Column("workflow"),
    output.Column("step"),
    output.Column("action", extra=True),
    output.Column("profile_id"),
    output.Column("state"),
    output.Column("reason"),
    output.Column("entry", extra=True),
    output.Column("key", extra=True),
)
EXAMPLES = tuple(
    replace(column, extra=column.name == "workflow", type="text" if column.name == "at" else column.type)
    for column in EFFECTS
    if column.name not in ("action", "entry", "key")
)
"""Of a simulation, whose entries and keys lead nowhere."""
WAITING = (
    output.Column("workflow"),
    output.Column("step"),
    output.Column("arm"),
    output.Column("people", type="integer", bar=True),
)
STATUS = (
    output.Column("workflow"),
    output.Column("title", extra=True),
    output.Column("state"),
    output.Column("waiting", type="integer"),
    output.Column("done", type="integer"),
    output.Column("exited", type="integer"),
    output.Column("gone", type="integer"),
    output.Column("sent", type="integer"),
    output.Column("refused", type="integer"),
    output.Column("control", type="integer"),
    output.Column("unknown", type="integer"),
)
STEPS = (
    output.Column("step"),
    output.Column("does"),
    output.Column("leads_to", "leads to"),
)
PRESSED = (output.Column("workflow"), output.Column("state"), output.Column("changed", type="boolean"))
_EXAMPLES = 20


# --- Checking and drawing -----------------------------------------------------------------------------------
def write_lint(ctx: Context, names: Sequence[str]) -> ExitCode:
    """Problems of workflow files; no engine and no workspace."""
    from segctl.operations.lint.lint import lint

    paths = [ctx.root / "workflows" / f"{name}.yaml" for name in names] or [ctx.root / "workflows"]
    if not names and not paths[0].is_dir():
        hint = "`segctl usecase ls` shows ready ones, `segctl help workflows` how to write them"
        raise UsageError("SEG683", "the project has no workflows", hint=hint)
    found = lint(ctx.project, ctx.env, paths, now=ctx.now)
    return output.findings(ctx, "segctl/workflow-lint/1", found.diagnostics, files=found.files, root=found.root)


def write_show(
    ctx: Context, names: Sequence[str], *, mermaid: bool, svg: bool, language: str | None
) -> ExitCode | None:  # fmt: skip
    """One workflow: its steps, or a picture of them."""
    from segctl.cli import workflow_drawing
    from segctl.operations.session import bound_definitions

    definitions, findings = bound_definitions(ctx.project, env=ctx.env)
    messages.diagnostics(ctx, findings, root=Path(definitions.project.root))
    workflow = _one(definitions.workflows, names)
    said = (language or definitions.project.language) == "de"
    if mermaid or svg:
        draw = workflow_drawing.svg if svg else workflow_drawing.mermaid
        output.write_text(ctx, draw(workflow, "de" if said else "en"))
        return None
    output.write(ctx, shown(workflow, "de" if said else "en"))
    return None


def shown(workflow: Workflow, language: str) -> output.Result:
    """The steps of a workflow in words."""
    from segctl.compile.words_workflows import exit_words, step_words, trigger_words, way_words

    spoken = "de" if language == "de" else "en"
    end = "Ende" if spoken == "de" else "end"
    rows = [
        (
            node.id,
            step_words(node.body, spoken),  # type: ignore[arg-type]  # one of two languages
            "; ".join(
                f"{words}: {to or end}" if (words := way_words(node, way, spoken)) else to or end  # type: ignore[arg-type]  # as above
                for way, to in node.ways
            ),
        )
        for node in workflow.nodes
    ]
    facts = {
        "workflow": workflow.name,
        "title": workflow.title,
        "trigger": trigger_words(workflow.trigger, spoken),  # type: ignore[arg-type]  # as above
        "reentry": str(workflow.reentry.length or workflow.reentry.rule),
        "control": f"{(workflow.control * 100).normalize():f} %",
        "purpose": workflow.purpose,
        "status": workflow.status,
        "owner": workflow.owner,
        "version": workflow.digest[:16],
        "file": workflow.location.file if workflow.location else None,
    }
    notes = exit_words(workflow, spoken)  # type: ignore[arg-type]  # as above
    return output.Result("segctl/show-workflow/1", STEPS, rows, noun="steps", facts=facts, notes=notes)


def _one(known: dict[str, Workflow], names: Sequence[str]) -> Workflow:
    from segctl.operations.workflow.workflow import unknown_workflow

    if len(names) != 1:
        if not names and len(known) == 1:
            return next(iter(known.values()))
        raise UsageError("SEG683", "`show` takes one workflow", hint="`segctl ls workflows` lists them")
    if names[0] not in known:
        raise unknown_workflow(names[0], known)
    return known[names[0]]


def write_tests(ctx: Context, names: Sequence[str], keyword: str | None) -> ExitCode | None:
    """Runs the cases of workflows under `tests/`."""
    from segctl.cli.workflow_tests_view import write_outcome

    return write_outcome(ctx, names, keyword)


# --- Simulating ---------------------------------------------------------------------------------------------
def write_simulation(
    ctx: Context, names: Sequence[str], begin: str | None, until: str | None, every: str | None
) -> None:  # fmt: skip
    """Who would have got what, when."""
    from segctl.cli.progress import listener
    from segctl.operations.session import instant, open_session
    from segctl.operations.workflow.simulate import by_step, simulate

    with open_session(ctx.project, env=ctx.env, lock_wait_s=ctx.lock_wait_s) as session:
        messages.diagnostics(ctx, session.warnings, root=session.root)
        zone = session.project.timezone
        end = instant(until or ctx.as_of, ctx.now, zone)
        start = end - timedelta(days=30) if begin is None else instant(begin, ctx.now, zone, begins=True)
        seconds = parse_span(every, "--every") or 3600.0
        found = simulate(
            session, names, begin=start, end=end, every=timedelta(seconds=seconds), now=ctx.now, progress=listener(ctx)
        )
        examples = [_example(session, one, is_table=ctx.format == "table") for one in found.effects[:_EXAMPLES]]
        facts = {
            "from": session.local(start).isoformat(timespec="seconds"),
            "until": session.local(end).isoformat(timespec="seconds"),
            "looks": found.ticks,
            "begun": len(found.instances),
            "control": found.control,
            "control_held_back": found.held_back,
            "exited": sum(one.state == "exited" for one in found.instances),
            "still_waiting": sum(one.state == "active" for one in found.instances),
        }
        if ctx.format in ("ndjson", "csv"):
            rows = [_example(session, one) for one in found.effects]
            output.write(ctx, output.Result("segctl/workflow-simulation/1", EXAMPLES, rows, noun="effects"))
            return
    output.write(
        ctx,
        output.Result(
            "segctl/workflow-simulation/1", COUNTS, by_step(found.effects), noun="lines", facts=facts,
            sections=(output.Section("examples", "Examples, the first of all", EXAMPLES, examples),),
        ),
    )  # fmt: skip
    if found.control > found.held_back:
        of = f"{found.held_back:,} of {found.control:,} in the control group would have been told else"
        messages.notice(ctx, f"{of}; consent, caps or addresses keep the others back in any group, and count as that")
    messages.notice(ctx, "nobody was told anything; next: segctl workflow run")


def _effect(session: Session, one: Effect) -> tuple[Any, ...]:
    from segctl.compile.zones import from_us

    at = session.local(from_us(one.settled or one.intended))
    return (at, one.workflow, one.step, one.action, one.profile, one.state, one.reason, one.entry, one.key)


def _example(session: Session, one: Effect, *, is_table: bool = False) -> tuple[Any, ...]:
    told = dict(zip((column.name for column in EFFECTS), _effect(session, one), strict=True))
    told["at"] = told["at"].strftime("%Y-%m-%d %H:%M") if is_table else told["at"].isoformat()
    return tuple(told[column.name] for column in EXAMPLES)


# --- Running ------------------------------------------------------------------------------------------------
def write_run(
    ctx: Context, names: Sequence[str], since: str | None, every: str | None, *, follow: bool, migrate: bool
) -> ExitCode | None:  # fmt: skip
    """Handles what is due, once or until stopped."""
    from segctl.operations.session import instant, open_session
    from segctl.operations.workflow.migrating import migrated
    from segctl.operations.workflow.workflow import follow as go_on
    from segctl.operations.workflow.workflow import run

    with open_session(ctx.project, env=ctx.env, lock_wait_s=ctx.lock_wait_s) as session:
        messages.diagnostics(ctx, session.warnings, root=session.root)
        now = instant(ctx.as_of, ctx.now, session.project.timezone)
        begin = None if since is None else instant(since, ctx.now, session.project.timezone, begins=True)
        if migrate:
            moved, left = migrated(session, names)
            messages.notice(
                ctx,
                f"{moved:,} people go on by today's steps; {left:,} stand at a step that is gone, or cannot be told",
            )
        if not follow:
            return _write_ran(ctx, session, run(session, names, now=now, since=begin), now)
        seconds = parse_span(every, "--every") or 1.0

        def told(error: SegctlError | None) -> None:
            _tell_of_files(ctx, error)

        for at, ran in go_on(session, names, now=now, since=begin, every_s=seconds, told=told):
            if not ran.handled.is_empty or ran.handled.held:
                _write_ran(ctx, session, ran, at)
    return None


def _tell_of_files(ctx: Context, error: SegctlError | None) -> None:
    """That the files cannot be gone by, or can again."""
    if error is None:
        messages.notice(ctx, "the project's files have no errors any more, and hold from now on")
        return
    messages.diagnostics(ctx, error.diagnostics)
    hint = "mend them: they hold as soon as they have no errors; `segctl pause --all` stops everything meanwhile"
    message = "the project's files have errors, so workflows go on by the definitions of before"
    why = None if error.diagnostics else error.message
    messages.diagnostics(ctx, [Diagnostic(error.code, Severity.WARNING, message, why=why, hint=hint)])


def _write_ran(ctx: Context, session: Session, ran: Ran, now: datetime) -> ExitCode | None:
    handled = ran.handled
    rows = [(name, "", "begun", number) for name, number in sorted(handled.entered.items())]
    rows += [(name, step, state, number) for (name, step, state), number in sorted(handled.effects.items())]
    rows += [(name, "", f"over: {state}", number) for (name, state), number in sorted(handled.ended.items())]
    is_partial = bool(handled.held or handled.stuck or ran.unknown)
    facts = {"at": session.local(now).isoformat(timespec="seconds"), "waiting": handled.active}
    output.write(
        ctx,
        output.Result(
            "segctl/workflow-run/1", RAN, rows, noun="lines", facts=facts, is_report=True,
            exit=ExitCode.PARTIAL if is_partial else ExitCode.OK,
        ),
    )  # fmt: skip
    messages.diagnostics(ctx, _warnings(ran))
    return ExitCode.PARTIAL if is_partial else None


def _warnings(ran: Ran) -> Iterator[Diagnostic]:
    """Who waits for what, and what nobody knows."""

    def warning(code: str, message: str, hint: str) -> Diagnostic:
        return Diagnostic(code, Severity.WARNING, message, hint=hint)

    for (name, step), why in sorted(ran.handled.held.items()):
        hint = "they go on with the next run that finds it well"
        yield warning("SEG687", f"people wait at `{name}`, step `{step}`: {why}", hint)
    if ran.is_behind:
        message = "the running stream has not stored its newest events yet, so workflows went on without them"
        yield warning("SEG693", message, "the next look sees them; `segctl status` shows how the stream does")
    for name, number in sorted(ran.handled.stuck.items()):
        message = f"{number:,} people wait in `{name}` by a version that does not bind any more"
        yield warning("SEG686", message, "bring back what it names, or `segctl workflow run --migrate`")
    if ran.unknown:
        message = f"of {len(ran.unknown):,} effects nobody knows whether they happened"
        hint = "`segctl workflow status` lists them, `segctl workflow resolve KEY --sent` or `--not-sent` settles one"
        yield warning("SEG685", message, hint)


# --- Watching and stopping ----------------------------------------------------------------------------------
def write_status(ctx: Context, names: Sequence[str]) -> ExitCode | None:
    """Who is where, what was done, what nobody knows."""
    from segctl.operations.session import open_session
    from segctl.operations.workflow.status import status
    from segctl.operations.workflow.workflow import unknown_effects

    with open_session(ctx.project, env=ctx.env, lock_wait_s=ctx.lock_wait_s) as session:
        messages.diagnostics(ctx, session.warnings, root=session.root)
        found = status(session, names)
        unknown = [_effect(session, one) for one in unknown_effects(session, names)]
    rows = [tuple(getattr(one, column.name) for column in STATUS) for one in found]
    waiting = [(one.workflow, *line) for one in found for line in one.steps]
    effects = [(one.workflow, step, state, "", number) for one in found for step, state, number in one.effects]
    sections = [
        output.Section("waiting", "Who waits where", WAITING, waiting),
        output.Section("effects", "What was done", COUNTS, effects),
    ]
    if unknown:
        columns = tuple(output.Column(c.name, c.title, c.type) for c in EFFECTS)
        sections.append(output.Section("unknown", "Of which nobody knows whether it happened", columns, unknown))
    code = ExitCode.PARTIAL if unknown else ExitCode.OK
    output.write(
        ctx,
        output.Result(
            "segctl/workflow-status/1", STATUS, rows, noun="workflows", sections=tuple(sections), exit=code
        ),
    )  # fmt: skip
    return code or None


def write_resolved(ctx: Context, keys: Sequence[str], *, is_sent: bool, is_not: bool) -> None:
    """Takes what somebody found out about an effect."""
    from segctl.operations.session import open_session
    from segctl.operations.workflow.workflow import resolve

    if len(keys) != 1 or is_sent == is_not:
        hint = "`segctl workflow resolve KEY --sent`, or `--not-sent`"
        raise UsageError("SEG692", "`resolve` takes the key of one effect, and what became of it", hint=hint)
    with open_session(ctx.project, env=ctx.env, lock_wait_s=ctx.lock_wait_s) as session:
        found = resolve(session, keys[0], is_sent=is_sent, now=ctx.now)
    messages.notice(
        ctx, f"`{found.workflow}`, step `{found.step}`: {'it happened' if is_sent else 'it did not happen'}"
    )


def write_press(ctx: Context, action: str, names: Sequence[str], reason: str | None) -> None:
    """Stops workflows, or lets them go on."""
    from segctl.operations.session import open_session
    from segctl.operations.workflow.workflow import press

    with open_session(ctx.project, env=ctx.env, lock_wait_s=ctx.lock_wait_s) as session:
        done = press(session, "pause" if action == "pause" else "resume", names, reason=reason, now=ctx.now)
    rows = [(name, "paused" if action == "pause" else "running", is_new) for name, is_new in done]
    output.write(ctx, output.Result(f"segctl/workflow-{action}/1", PRESSED, rows, noun="workflows", is_report=True))
