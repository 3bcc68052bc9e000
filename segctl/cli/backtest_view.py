"""Rules over past dates as a result, with a chart on terminals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from segctl.cli import messages, output, plots
from segctl.cli.context import Context
from segctl.cli.progress import listener
from segctl.model.errors import UsageError
from segctl.model.exits import ExitCode

if TYPE_CHECKING:
    from segctl.operations.backtest import Backtest, Summary
    from segctl.operations.session import Session

COLUMNS = (
    output.Column("segment"),
    output.Column("as_of", "as of", type="time"),
    output.Column("members", type="integer", bar=True),
    output.Column("entered", type="integer"),
    output.Column("left", type="integer"),
    output.Column("churn", type="share"),
)
SUMMARIES = (
    output.Column("segment"),
    output.Column("members", type="series"),
    output.Column("least", type="integer"),
    output.Column("most", type="integer"),
    output.Column("churn", "churn a step", type="share"),
    output.Column("ever", "ever in it", type="integer"),
    output.Column("always", "always in it", type="integer"),
    output.Column("returned", "left and came back", type="integer"),
)
_WIDEST = 80


def refuse_others(options: Mapping[str, object]) -> None:
    """Do nothing, unless an option was given that a test over the past does not know.

    Raises:
        UsageError: It was.
    """
    given = [name for name, value in options.items() if value not in (None, False, (), [])]
    if given:
        raise UsageError(
            "SEG576",
            f"`{given[0]}` and `--backtest` exclude one another",
            hint="the dates are `--from`, `--to`, `--every`",
        )


def over_time(ctx: Context, first: str | None, last: str | None, every: str, *, engine: str) -> ExitCode:
    """Evaluate the selected rules over past dates and write what came of it."""
    from segctl.operations.apply import evaluated_names
    from segctl.operations.backtest import backtest, dates_of
    from segctl.operations.session import open_session

    if ctx.format in ("markdown", "ids"):
        raise UsageError("SEG104", f"`--backtest` has no form as {ctx.format}", hint="choose another `--format`")
    with open_session(ctx.project, env=ctx.env) as session:
        messages.diagnostics(ctx, session.warnings, root=session.root)
        dates, step = dates_of(first, last, every, now=ctx.now, zone=session.project.timezone)
        names = evaluated_names(session, ctx.selection)
        found = backtest(session, names, dates, engine=engine, progress=listener(ctx))
        facts = {
            "from": session.local(dates[0]),
            "to": session.local(dates[-1]),
            "every": str(step),
            "dates": len(dates),
        }
        result = _result(ctx, session, found, facts)
    for name, reason in found.failed.items():
        messages.warning(ctx, f"`{name}` cannot be evaluated as of every date: {reason}")
    output.write(ctx, result)
    messages.notice(ctx, "every date was evaluated with what is known today; nothing was recorded")
    return ExitCode.OK


def _result(ctx: Context, session: Session, found: Backtest, facts: Mapping[str, Any]) -> output.Result:
    rows = [(r.segment, session.local(r.as_of), r.members, r.entered, r.left, r.churn) for r in found.rows]
    summaries = [_summary(one) for one in found.summaries]
    return output.Result(
        "segctl/backtest/1",
        COLUMNS,
        rows,
        noun="rows",
        facts=facts,
        text=_chart(ctx, session, found),
        sections=(output.Section("summary", "over all dates", SUMMARIES, summaries),),
    )


def _summary(one: Summary) -> tuple[Any, ...]:
    sizes = [size for size in one.sizes if size is not None]
    least, most = min(sizes, default=None), max(sizes, default=None)
    return one.segment, list(one.sizes), least, most, one.churn, one.ever, one.always, one.returned


def _chart(ctx: Context, session: Session, found: Backtest) -> Sequence[str]:
    """Of one segment, on a terminal; of several the summary draws a curve each."""
    if ctx.format != "table" or not ctx.terminal.out or len(found.summaries) != 1 or len(found.dates) < 2:
        return ()
    first, last = (session.local(date).date().isoformat() for date in (found.dates[0], found.dates[-1]))
    width = min(ctx.terminal.width or _WIDEST, _WIDEST)
    sizes = found.summaries[0].sizes
    return plots.area(sizes, width=width, first=first, last=last, unicode=ctx.terminal.unicode)
