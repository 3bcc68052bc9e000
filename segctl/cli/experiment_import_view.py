"""`experiment assign --from`: what was taken over of an experiment that was dealt elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segctl.cli import messages, output
from segctl.cli.consent_actions import read_file
from segctl.cli.experiment_view import named

if TYPE_CHECKING:
    from segctl.cli.context import Context

COLUMNS = (output.Column("arm"), output.Column("people", type="integer"))


def write_import(ctx: Context, name: str | None, source: str, *, is_sent: bool) -> None:
    """Take the assignments of a file over, and say how many are in each arm."""
    from segctl.operations.experiment.check import split_finding
    from segctl.operations.experiment.importing import import_assignments
    from segctl.operations.session import open_session

    path, data = read_file(ctx, source)
    with open_session(ctx.project, env=ctx.env, lock_wait_s=ctx.lock_wait_s) as session:
        messages.diagnostics(ctx, session.warnings, root=session.root)
        asked = named(session, name)
        found = import_assignments(session, asked, path, data, now=ctx.now, is_sent=is_sent, dry_run=ctx.dry_run)
    split = found.split
    verdict = split.verdict
    findings = []
    if verdict in ("fail", "warn"):
        findings = [split_finding(asked, split.p, is_failed=verdict == "fail")]
    messages.diagnostics(ctx, findings)
    output.write(
        ctx,
        output.Result(
            "segctl/experiment-import/1", COLUMNS, list(found.people.items()), noun="arms",
            facts={"experiment": asked, "rows": found.rows, "new": found.new} | ({"split": verdict} if verdict else {}),
            run={"dry_run": ctx.dry_run}, diagnostics=findings,
        ),
    )  # fmt: skip
    what = "would be assigned" if ctx.dry_run else "assigned"
    began = "; the experiment has begun with them" if found.is_new else ""
    messages.notice(ctx, f"{found.new:,} people {what}{began}; `segctl report ab {asked}` reports on it")
