"""Evaluate segments and record a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from segctl.cli import messages, output
from segctl.cli.context import Context
from segctl.cli.options import Allow, Option, Reason, verb
from segctl.cli.progress import listener
from segctl.model.exits import ExitCode

if TYPE_CHECKING:
    from segctl.operations.apply import Applied

EXAMPLES = (
    ("segctl apply", "Evaluate every segment that is not a draft, as of now."),
    ("segctl apply --as-of 2026-11-15", "As of the end of that local day."),
    ('segctl apply --select "tag:daily" --dry-run', "What it would be, without recording it."),
)
EXITS = {5: "some segments failed, or their guards refuse, and keep their last membership; the others are in force"}
SEE_ALSO = ("segctl diff --help", "segctl help as-of", "segctl help select")
COLUMNS = (
    output.Column("segment"),
    output.Column("members", type="integer", bar=True),
    output.Column("entered", type="integer"),
    output.Column("left", type="integer"),
    output.Column("state"),
)

_GUARDED = "see who with `segctl plan --moves`; mend the definition or the data, or set the limit with `--allow`"


@verb(formats=("table", "json", "ndjson", "csv", "parquet"))
def command(
    ctx: Context,
    engine: Annotated[
        str, Option("--engine", metavar="NAME", help="What evaluates.", choices=("polars", "duckdb"))
    ] = "polars",
    allow: Allow = (),  # type: ignore[assignment]  # a list arrives as a tuple
    reason: Reason = None,
) -> ExitCode | None:
    """Evaluate segments in one shared plan and record the run.

    Nothing is sent. A run whose as-of lies before the one in force is a what-if: recorded and shown, never in
    force. A segment that fails keeps its last membership, and so does one whose `guards` refuse its change;
    `--allow` with a reason sets a guard's limit for this run.
    """
    from segctl.operations.apply import allowances, apply
    from segctl.operations.session import instant, open_session

    with open_session(ctx.project, env=ctx.env, lock_wait_s=ctx.lock_wait_s) as session:
        messages.diagnostics(ctx, session.warnings, root=session.root)
        zone = session.project.timezone
        found = apply(
            session,
            as_of=instant(ctx.as_of, ctx.now, zone),
            started=ctx.now,
            selection=ctx.selection,
            engine=engine,
            dry_run=ctx.dry_run,
            allowed=allowances(session, allow, reason),
            progress=listener(ctx),
        )
        facts = {
            "run": found.run.id if found.run else "none (dry run)" if ctx.dry_run else "none (nothing to evaluate)",
            "as_of": session.local(found.as_of),
            "environment": session.project.environment,
            "profiles": found.profiles,
        }
    failed = [s for s in found.segments if s.state == "failed"]
    code = ExitCode.PARTIAL if failed else ExitCode.OK
    for warning in found.warnings:
        messages.warning(ctx, warning)
    for segment in failed:
        hint = _GUARDED if segment.segment in found.guarded else None
        messages.warning(ctx, f"`{segment.segment}` keeps its last membership: {segment.reason}", hint=hint)
    result = output.Result(
        "segctl/apply/1",
        COLUMNS,
        [(s.segment, s.members, s.entered, s.left, s.state) for s in found.segments],
        noun="segments",
        is_report=True,
        facts=facts,
        run={"id": found.run.id if found.run else None, "as_of": found.as_of, "snapshot": found.snapshot,
             "status": found.status, "timings": dict(found.timings), "dry_run": ctx.dry_run},
        exit=code,
        reason="segments_failed" if failed else None,
    )  # fmt: skip
    output.write(ctx, result)
    messages.notice(ctx, _last_word(ctx, found))
    return code


def _last_word(ctx: Context, found: Applied) -> str:
    if ctx.dry_run:
        return "dry run: nothing was recorded"
    if found.run is None:
        return "what was selected is paused or excluded, so no run was recorded"
    if found.status == "what_if":
        return "a later as-of is in force, so this run is a what-if; nothing was sent"
    return "nothing was sent; next: segctl diff"
