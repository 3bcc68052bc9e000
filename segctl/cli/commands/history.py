"""Show how a segment's size moved from run to run."""

from __future__ import annotations

from dataclasses import astuple
from typing import Annotated

from segctl.cli import output
from segctl.cli.context import Context
from segctl.cli.options import CHANGES, SELECTION, TIME, Argument, Option, verb

EXAMPLES = (
    ("segctl history winback", "Every run that evaluated it, oldest first."),
    ("segctl history winback --last 10 -f csv", "The last ten, for a spreadsheet."),
)
SEE_ALSO = ("segctl diff --help", "segctl ls runs")
COLUMNS = (
    output.Column("run"),
    output.Column("as_of", "as of", type="time"),
    output.Column("state"),
    output.Column("members", type="integer", bar=True),
    output.Column("entered", type="integer"),
    output.Column("left", type="integer"),
    output.Column("definition"),
    output.Column("reason"),
    output.Column("changed", type="list"),
    output.Column("causes", type="list", extra=True),
)


@verb(without=(*SELECTION, *CHANGES, *TIME))
def command(
    ctx: Context,
    segment: Annotated[str, Argument("SEGMENT", help="Name of a segment.", complete="segments")],
    last: Annotated[int, Option("--last", metavar="N", help="Only the newest N runs; 0 is all.")] = 0,
) -> None:
    """Show how a segment's size moved from run to run.

    `changed` says where its meaning, a list file it reads or the zone data are others than in the row before, `causes`
    why profiles came and went (`segctl help causes`).
    """
    from segctl.operations.history import history
    from segctl.operations.session import open_session

    with open_session(ctx.project, env=ctx.env) as session:
        rows = history(session, segment, limit=last or None)
        session_rows = [(r.run, session.local(r.as_of), *astuple(r)[2:]) for r in rows]
    trend = [r.members for r in rows if r.state == "in_force"]
    output.write(
        ctx,
        output.Result(
            "segctl/history/1", COLUMNS, session_rows, noun="runs", facts={"segment": segment, "sizes": trend}
        ),
    )
