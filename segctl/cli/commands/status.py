"""How things stand, on one screen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from segctl.cli import messages, output
from segctl.cli.context import Context
from segctl.cli.options import CHANGES, SELECTION, TIME, Option, verb

if TYPE_CHECKING:
    from segctl.operations.session import Session

EXAMPLES = (
    ("segctl status", "The last run, the last push to each destination, and what to do next."),
    ("segctl status --json", "For monitoring."),
    (
        "segctl status --quiet --prometheus /var/lib/node_exporter/segctl.prom",
        "For node_exporter's textfile collector.",
    ),
)
SEE_ALSO = ("segctl push --help", "segctl report --help", "segctl help audiences")


@verb(without=(*SELECTION, *TIME, *CHANGES), formats=("table", "json", "ndjson", "csv"))
def command(
    ctx: Context,
    prometheus: Annotated[
        str | None, Option("--prometheus", metavar="FILE", help="Write gauges for Prometheus to this file.")
    ] = None,
) -> None:
    """Show the last run, the last push to each destination, failures, lag, withdrawals, pauses, and the next step.

    Nothing is evaluated, and no destination is asked. `behind` is how long members have been in force that no push
    has brought there. Withdrawals are timed from their record to the removal that the destination acknowledged. With
    `--prometheus` the same figures are written to a file that is replaced in one step.
    """
    from segctl.cli import status_view
    from segctl.operations.session import open_session
    from segctl.operations.status import status

    with open_session(ctx.project, env=ctx.env) as session:
        messages.diagnostics(ctx, session.warnings, root=session.root)
        found = status(session, now=ctx.now)
        if prometheus is not None:
            _write_metrics(ctx, session, prometheus)
        if prometheus is None or not ctx.quiet:
            output.write(ctx, status_view.result(ctx, session, found))


def _write_metrics(ctx: Context, session: Session, file: str) -> None:
    from dataclasses import replace

    from segctl.operations.status import status
    from segctl.operations.status_metrics import metrics_text

    text = metrics_text(
        status(session, now=ctx.now), project=session.project.name, environment=session.project.environment
    )
    output.write_text(replace(ctx, output=Path(file)), text)
