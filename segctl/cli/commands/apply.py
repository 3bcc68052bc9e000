"""Evaluate segments and record a run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from segctl.cli import messages, output
from segctl.cli.context import Context
from segctl.cli.options import Allow, Argument, Option, Reason, verb
from segctl.cli.progress import listener
from segctl.model.errors import UsageError
from segctl.model.exits import ExitCode

if TYPE_CHECKING:
    from segctl.operations.apply import Applied
    from segctl.operations.incremental.incremental import Extent
    from segctl.operations.session import Session

EXAMPLES = (
    ("segctl apply", "Evaluate every segment that is not a draft, as of now."),
    ("segctl apply --as-of 2026-11-15", "As of the end of that local day."),
    ("segctl apply --full", "Everybody anew, not only those of whom something is new."),
    ("segctl apply plan.json", "Exactly what a plan of `segctl plan -o plan.json` says, or nothing."),
    ('segctl apply --select "tag:daily" --dry-run', "What it would be, without recording it."),
)
EXITS = {
    4: "the plan is stale",
    5: "some segments failed, or their guards refuse, and keep their last membership; the others are in force",
    6: "the plan was changed by hand",
}
SEE_ALSO = (
    "segctl plan --help", "segctl diff --help", "segctl help incremental", "segctl help as-of", "segctl help select",
)  # fmt: skip
COLUMNS = (
    output.Column("segment"),
    output.Column("members", type="integer", bar=True),
    output.Column("entered", type="integer"),
    output.Column("left", type="integer"),
    output.Column("state"),
)

_STALE = "take in newer data with `segctl ingest`; `stale: mark` in the definition goes on with old data and says so"
_GUARDED = "see who with `segctl plan --moves`; mend the definition or the data, or set the limit with `--allow`"


@verb(formats=("table", "json", "ndjson", "csv", "parquet"))
def command(
    ctx: Context,
    plan: Annotated[
        str | None, Argument("PLAN", help="A file of `segctl plan -o`; otherwise all is evaluated.", complete="files")
    ] = None,
    engine: Annotated[
        str, Option("--engine", metavar="NAME", help="What evaluates.", choices=("polars", "duckdb"))
    ] = "polars",
    full: Annotated[
        bool, Option("--full", help="Evaluate everybody, not only those of whom something is new.")
    ] = False,
    allow: Allow = (),  # type: ignore[assignment]  # a list arrives as a tuple
    reason: Reason = None,
) -> ExitCode | None:
    """Evaluate segments in one shared plan and record the run.

    Only profiles of whom something is new, or whose time has come, are evaluated again; the answers are those that
    evaluating everybody gives, as `--full` does. Nothing is sent. A run whose as-of lies before the one in force is a
    what-if: recorded and shown, never in force. A segment that fails keeps its last membership, and so does one whose
    `guards` refuse its change; `--allow` with a reason sets a guard's limit for this run. With a PLAN exactly that is
    done, or nothing. Beside a running `segctl stream` the stream takes the definitions and records the run.
    """
    from segctl.operations.session import open_session
    from segctl.operations.stream.handover import refuse_beside

    with open_session(ctx.project, env=ctx.env, lock_wait_s=ctx.lock_wait_s) as session:
        messages.diagnostics(ctx, session.warnings, root=session.root)
        if plan is not None:
            _refuse_settled(ctx, plan, is_allowing=bool(allow or reason))
            refuse_beside(session, "a saved plan")
            found = _carried_out(ctx, session, plan, full=full)
        else:
            found = _handed_over(ctx, session, is_allowing=bool(allow)) or _evaluated(
                ctx, session, engine, allow, reason, full=full
            )
        return ExitCode.OK if found is None else _report(ctx, session, found)


def _handed_over(ctx: Context, session: Session, *, is_allowing: bool) -> Applied | None:
    """What a running stream did with the definitions; None when none is running."""
    from segctl.operations.session import instant
    from segctl.operations.stream.handover import handed_over

    if ctx.dry_run:
        return None
    as_of = None if ctx.as_of is None else instant(ctx.as_of, ctx.now, session.project.timezone)
    found = handed_over(session, as_of=as_of, is_allowing=is_allowing, wait_s=ctx.lock_wait_s)
    if found is not None:
        messages.notice(ctx, "a stream is running: it has taken the definitions and recorded this run")
    return found


def _evaluated(
    ctx: Context, session: Session, engine: str, allow: list[str], reason: str | None, *, full: bool
) -> Applied:
    from segctl.operations.apply import allowances, apply
    from segctl.operations.session import instant

    return apply(
        session,
        as_of=instant(ctx.as_of, ctx.now, session.project.timezone),
        started=ctx.now,
        selection=ctx.selection,
        engine=engine,
        dry_run=ctx.dry_run,
        allowed=allowances(session, allow, reason),
        full=full,
        progress=listener(ctx),
    )


def _refuse_settled(ctx: Context, plan: str, *, is_allowing: bool) -> None:
    if ctx.selection or ctx.as_of is not None or is_allowing:
        raise UsageError(
            "SEG548", f"`{plan}` says already which segments, as of when, and what is allowed",
            hint="leave `--select`, `--as-of` and `--allow` out, or make another plan",
        )  # fmt: skip


def _carried_out(ctx: Context, session: Session, plan: str, *, full: bool) -> Applied | None:
    """What carrying the plan out did; None when it had been carried out before."""
    from segctl.operations.plan.apply import apply_plan
    from segctl.operations.plan.file import read_plan

    saved = read_plan(Path(plan))
    done = apply_plan(session, saved, started=ctx.now, dry_run=ctx.dry_run, full=full, progress=listener(ctx))
    if done.applied is None and done.before is not None:
        about = {"id": done.before.id, "as_of": done.before.as_of, "status": done.before.status.value}
        result = output.Result("segctl/apply/1", COLUMNS, [], noun="segments", is_report=True,
                               run={**about, "plan": saved.id, "dry_run": ctx.dry_run})  # fmt: skip
        if ctx.format != "table":
            output.write(ctx, result)
        later = "" if done.is_last else "; other runs came after it"
        messages.notice(ctx, f"the plan was carried out before, as the run {done.before.id}{later}: nothing to do")
    return done.applied


def _report(ctx: Context, session: Session, found: Applied) -> ExitCode:
    failed = [s for s in found.segments if s.state == "failed"]
    code = ExitCode.PARTIAL if failed else ExitCode.OK
    for warning in found.warnings:
        messages.warning(ctx, warning)
    tell_paused(ctx, found.paused, found.everything)
    for segment in failed:
        hint = _STALE if segment.segment in found.stale else _GUARDED if segment.segment in found.guarded else None
        messages.warning(ctx, f"`{segment.segment}` keeps its last membership: {segment.reason}", hint=hint)
    result = output.Result(
        "segctl/apply/1",
        COLUMNS,
        [(s.segment, s.members, s.entered, s.left, s.state) for s in found.segments],
        noun="segments",
        is_report=True,
        facts={
            "run": found.run.id if found.run else "none (dry run)" if ctx.dry_run else "none (nothing to evaluate)",
            "as_of": session.local(found.as_of),
            "environment": session.project.environment,
            "profiles": found.profiles,
            **({"paused": sorted(found.paused)} if found.paused else {}),
        },
        run={"id": found.run.id if found.run else None, "as_of": found.as_of, "snapshot": found.snapshot,
             "status": found.status, "timings": dict(found.timings), "dry_run": ctx.dry_run,
             **({} if found.extent is None else {"evaluated": _extent(found.extent)})},
        exit=code,
        reason="segments_failed" if failed else None,
    )  # fmt: skip
    output.write(ctx, result)
    if ctx.verbosity > 0 and found.extent is not None:
        messages.notice(ctx, _extent_in_words(found.extent))
    messages.notice(ctx, _last_word(ctx, found))
    return code


def _extent(extent: Extent) -> dict[str, Any]:
    """How much was evaluated, as a machine reads it."""
    return {"everybody": extent.is_full, "reason": extent.reason, "profiles": extent.profiles,
            "segments_anew": list(extent.anew)}  # fmt: skip


def _extent_in_words(extent: Extent) -> str:
    if extent.is_full:
        return f"everybody was evaluated: {extent.reason}"
    anew = f"; everybody for {', '.join(f'`{name}`' for name in extent.anew)}" if extent.anew else ""
    return f"{extent.profiles:,} profiles were evaluated, of whom something is new{anew}"


def tell_paused(ctx: Context, paused: Mapping[str, str], everything: str | None) -> None:
    """Tell which segments were left out because somebody pressed the stop button; `plan` does the same."""
    if everything is not None:
        messages.warning(ctx, f"all segments are {everything}", hint="`segctl resume --all` when the reason is gone")
        return
    for name, why in sorted(paused.items()):
        messages.warning(ctx, f"`{name}` is {why}", hint=f"`segctl resume {name}` when the reason is gone")


def _last_word(ctx: Context, found: Applied) -> str:
    if ctx.dry_run:
        return "dry run: nothing was recorded"
    if found.run is None:
        return "what was selected is paused or excluded, so no run was recorded"
    if found.status == "what_if":
        return "a later as-of is in force, so this run is a what-if; nothing was sent"
    return "nothing was sent; next: segctl diff"
