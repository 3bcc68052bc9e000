"""What `segctl workflow forget` asks and writes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from segctl.cli import messages, output
from segctl.cli.context import Context
from segctl.cli.deadline import parse_span
from segctl.model.errors import UsageError

COLUMNS = (
    output.Column("workflow"),
    output.Column("ways", type="integer"),
    output.Column("effects", type="integer"),
    output.Column("versions", type="integer"),
)


def write_forgotten(ctx: Context, names: Sequence[str], keep: str | None) -> None:
    """Lets go of what ended long ago, after the one question."""
    from segctl.cli.questions import confirm
    from segctl.operations.session import open_session
    from segctl.operations.workflow.forgetting import Forgotten, forget

    seconds = parse_span(keep, "--keep")
    if seconds is None:
        hint = "such as `segctl workflow forget --keep 400d`; `--dry-run` only counts"
        raise UsageError("SEG692", "`forget` needs to be told how long everything stays", hint=hint)

    def agree(found: Sequence[Forgotten]) -> None:
        ways, effects = sum(one.ways for one in found), sum(one.effects for one in found)
        confirm(ctx, f"{ways:,} entries and {effects:,} effects would be gone for good; forget them?")

    with open_session(ctx.project, env=ctx.env, lock_wait_s=ctx.lock_wait_s) as session:
        span = timedelta(seconds=seconds)
        found = forget(session, names, keep=span, now=ctx.now, agree=agree, dry_run=ctx.dry_run)
    rows = [(one.workflow, one.ways, one.effects, one.versions) for one in found]
    facts = {"dry_run": True} if ctx.dry_run else {}
    result = output.Result("segctl/workflow-forget/1", COLUMNS, rows, noun="workflows", facts=facts, is_report=True)
    output.write(ctx, result)
    messages.notice(
        ctx, "dry run: nothing was changed" if ctx.dry_run else "everybody's first and last entry stay on record"
    )
