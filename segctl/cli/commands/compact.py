"""Rewrite stored files so that reading is fast."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from segctl.cli import messages, output
from segctl.cli.context import Context
from segctl.cli.deadline import parse_span
from segctl.cli.options import SELECTION, TIME, Option, verb
from segctl.cli.progress import listener

EXAMPLES = (
    ("segctl compact", "Sort and merge what ingest has added since the last time."),
    ("segctl compact --vacuum", "Also delete replaced files that nothing of the last 24 hours needs."),
)
EXITS = {75: "another process compacts this workspace; try again, or wait with --lock-wait"}
SEE_ALSO = ("segctl ingest --help", "segctl ls runs")
COLUMNS = (
    output.Column("dataset"),
    output.Column("rows", type="integer"),
    output.Column("files_before", type="integer"),
    output.Column("files_after", type="integer"),
    output.Column("bytes_before", type="integer"),
    output.Column("bytes_after", type="integer"),
)


@verb(without=(*SELECTION, *TIME, "yes"), formats=("table", "json", "ndjson", "csv"))
def command(
    ctx: Context,
    vacuum: Annotated[
        bool, Option("--vacuum", help="Delete files that no kept snapshot, reader or recent run needs.")
    ] = False,
    keep: Annotated[
        str, Option("--keep", metavar="DURATION", help="With --vacuum: how far back past states stay whole.")
    ] = "24h",
) -> None:
    """Sort and merge stored files so that reading is fast.

    Readers go on with the files they began with, and ingest may go on meanwhile. With --vacuum, replaced files
    are deleted once nothing within the retention needs them; runs that had read them are marked as not
    reproducible.
    """
    from segctl.operations.compact import compact

    done = compact(
        ctx.project,
        env=ctx.env,
        now=ctx.now,
        vacuum=vacuum,
        retention=timedelta(seconds=parse_span(keep, "--keep") or 0),
        dry_run=ctx.dry_run,
        lock_wait_s=ctx.lock_wait_s,
        progress=listener(ctx),
    )
    rows = [(m.dataset, m.rows, m.files_before, m.files_after, m.bytes_before, m.bytes_after) for m in done.merged]
    deleted = done.vacuumed
    facts: dict[str, object] = {"environment": done.environment}
    if deleted is not None:
        facts |= {
            "deleted_files": deleted.files,
            "deleted_leftovers": deleted.orphans,
            "freed_bytes": deleted.bytes,
            "no_longer_reproducible": list(deleted.runs),
        }
    output.write(ctx, output.Result("segctl/compact/1", COLUMNS, rows, noun="datasets", is_report=True, facts=facts))
    if ctx.dry_run:
        messages.notice(ctx, "dry run: nothing was changed")
    elif not vacuum and rows:
        messages.notice(ctx, "replaced files stay for those who read them; a day later: segctl compact --vacuum")
    elif deleted is not None and not deleted.files:
        messages.notice(ctx, f"nothing to delete: replaced files stay for {keep} (`--keep`)")
