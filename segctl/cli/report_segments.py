"""`segctl report segments`: sizes, what members did, whom they reach, retention, lifecycle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segctl.cli.report_asked import write
from segctl.model.errors import UsageError
from segctl.model.exits import ExitCode

if TYPE_CHECKING:
    from segctl.cli.context import Context
    from segctl.cli.report_asked import Asked
    from segctl.operations.segment_report.values import SegmentsReport
    from segctl.operations.session import Session


def run(ctx: Context, session: Session, asked: Asked) -> ExitCode:
    """Report on the selected segments."""
    from segctl.cli.segment_rows import long_result, result
    from segctl.cli.segment_view import document

    asked.only("details", "least", "html", "markdown", "last", "since")
    found, least = session_report(ctx, session, asked), asked.least or 0
    is_page = asked.html is not None or asked.markdown is not None
    is_drawn = ctx.format == "table" and ctx.terminal.out and ctx.terminal.unicode and not is_page
    told = document(
        found, session.language(asked.language), session.project.timezone, least=least, with_curves=is_drawn
    )
    rows = long_result if ctx.format == "csv" else result
    write(ctx, session, asked, told, lambda: rows(found, least=least))
    return ExitCode.OK


def session_report(ctx: Context, session: Session, asked: Asked) -> SegmentsReport:
    """The report on the selected segments."""
    from segctl.operations.segment_report.segment_report import RUNS, segment_report
    from segctl.operations.segment_report.segment_report import Asked as Wanted
    from segctl.operations.session import instant

    if asked.last is not None and asked.last < 2:
        raise UsageError("SEG103", f"`--last {asked.last}`: a number of 2 or more")
    since = None if asked.since is None else instant(asked.since, ctx.now, session.project.timezone)
    wanted = Wanted(last=RUNS if asked.last is None else asked.last, since=since)
    return segment_report(session, ctx.selection, now=ctx.now, asked=wanted)
