"""`segctl report control`: every campaign against its own control, all together against the universal holdout."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from segctl.cli import output
from segctl.cli.report_asked import moment, write
from segctl.model.errors import UsageError
from segctl.model.exits import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from segctl.cli.context import Context
    from segctl.cli.report_asked import Asked
    from segctl.operations.control_result import ControlReport
    from segctl.operations.session import Session

COLUMNS = (
    output.Column("campaign"),
    output.Column("state"),
    output.Column("treated", type="integer"),
    output.Column("held", type="integer"),
    *(
        output.Column(name, type="number")
        for name in ("difference", "difference_low", "difference_high", "lift", "lift_low", "lift_high", "p",
                     "revenue", "revenue_low", "revenue_high", "cost", "profit", "profit_low", "profit_high")
    ),
    output.Column("currency"),
)  # fmt: skip


def run(ctx: Context, session: Session, asked: Asked) -> ExitCode:
    """Report on all campaigns with a control group, or on the one that was named."""
    from segctl.cli.report_control_story import document

    asked.only("names", "explain", "details", "least", "html", "markdown")
    if asked.explain:
        return _explain(ctx, session, asked)
    if len(asked.names) > 1:
        raise UsageError("SEG988", f"`{asked.names[1]}` is one name too many", hint="name one campaign, or none")
    found = session_report(ctx, session, asked)
    least = asked.least or 0
    told = document(found, session.language(asked.language), least=least)
    write(ctx, session, asked, told, lambda: result(found, least=least))
    return ExitCode.OK


def _explain(ctx: Context, session: Session, asked: Asked) -> ExitCode:
    """Numbers with formula, inputs and source; the first name is a campaign where there is one of that name."""
    from segctl.cli.report_ab import EXPLAINED
    from segctl.cli.report_explain_control import document, explained
    from segctl.cli.report_formulas import formula
    from segctl.cli.small_control import without_small

    has_campaign = bool(asked.names) and asked.names[0] in (*session.definitions.experiments, "all")
    wanted = replace(asked, names=asked.names[:1] if has_campaign else ())
    found, language = session_report(ctx, session, wanted), session.language(asked.language)
    kept = without_small(found, asked.least or 0)
    numbers = explained(kept, language, asked.names[has_campaign:])
    rows = [(one.name, one.value, formula(one.method, language), dict(one.inputs), one.source) for one in numbers]
    write(
        ctx, session, asked, document(found, language, numbers),
        lambda: output.Result("segctl/report-control-numbers/1", EXPLAINED, rows, noun="numbers", ids_column="number"),
    )  # fmt: skip
    return ExitCode.OK


def session_report(ctx: Context, session: Session, asked: Asked) -> ControlReport:
    """The report as of the call's time."""
    from segctl.operations.control import report_control

    name = asked.names[0] if asked.names else "all"
    return local(session, report_control(session, name, now=moment(ctx, session), clock=ctx.now))


def local(session: Session, found: ControlReport) -> ControlReport:
    """With instants in the project's zone, for showing."""
    programmes = tuple(
        replace(one, begin=session.local(one.begin), until=session.local(one.until)) for one in found.programmes
    )
    return replace(found, as_of=session.local(found.as_of), programmes=programmes)


def result(found: ControlReport, *, least: int = 0) -> output.Result:
    """For machines: a row for each campaign; everything else in the document. None of it tells small counts."""
    from segctl.cli.small_control import hidden_sides, told_document, without_small

    kept = without_small(found, least)
    document = {"report": told_document(found, kept, least)} | ({"suppressed_below": least} if least else {})
    rows = [row | hidden_sides(one, least) for row, one in zip(_rows(kept), found.campaigns, strict=True)]
    return output.Result(
        "segctl/report-control/1", COLUMNS, rows, noun="campaigns", ids_column="campaign",
        document=document, run={"as_of": found.as_of},
    )  # fmt: skip


def _rows(found: ControlReport) -> Iterator[dict[str, Any]]:
    for one in found.campaigns:
        row: dict[str, Any] = {
            "campaign": one.experiment, "state": one.report.headline.state, "treated": one.treated, "held": one.held,
        }  # fmt: skip
        if one.report.usable and one.effect is not None:
            row |= {"p": one.effect.p}
            intervals = {"difference": one.effect.difference, "lift": one.effect.lift}
            if one.money is not None:
                intervals |= {"revenue": one.money.revenue}
                intervals |= {"profit": one.money.profit} if one.money.claim else {}
                row |= {"cost": one.money.cost, "currency": one.money.currency}
            for name, of in intervals.items():
                row |= {name: of.estimate, f"{name}_low": of.low, f"{name}_high": of.high}
        yield row
