"""Reports on what is on record: how segments do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from segctl.cli import messages, output
from segctl.cli.context import Context
from segctl.cli.options import CHANGES, TIME, Argument, Language, Option, verb
from segctl.model.errors import UsageError
from segctl.model.exits import ExitCode

if TYPE_CHECKING:
    from segctl.operations.health import SegmentHealth

EXAMPLES = (
    ("segctl report health", "One line a segment: ok, watch or act, the reason, and what to do."),
    ('segctl report health -s "tag:daily" -q', "For cron: silent and 0 when nothing needs action, else 1."),
    ("segctl report health --explain", "Every finding and every measure behind it."),
)
EXITS = {1: "a segment needs action"}
SEE_ALSO = ("segctl help health", "segctl history --help", "segctl lint --help")
COLUMNS = (
    output.Column("segment"),
    output.Column("health"),
    output.Column("reason"),
    output.Column("action", "what to do"),
)
MEASURES = (
    output.Column("segment"),
    output.Column("members", type="integer"),
    output.Column("runs", type="integer"),
    output.Column("per_run", "moves a run", type="share"),
    output.Column("per_day", "a day", type="share"),
    output.Column("flapping", type="integer"),
    output.Column("size_score", "size score", type="number", digits=1),
    output.Column("definition_since", "definition since", type="date"),
    output.Column("last_moved", "last moved", type="date"),
)
FINDINGS = (
    output.Column("segment"),
    output.Column("finding"),
    output.Column("level"),
    output.Column("reason"),
    output.Column("action", "what to do"),
)


@verb(without=(*CHANGES, *TIME), formats=("table", "json", "ndjson", "csv", "ids"))
def command(
    ctx: Context,
    about: Annotated[str, Argument("WHAT", help="health: how segments do.", choices=("health",))] = "health",  # noqa: ARG001 - there is one report so far, and its name is part of the call
    last: Annotated[int, Option("--last", metavar="N", help="Newest runs that are looked at; otherwise 30.")] = 30,
    explain: Annotated[bool, Option("--explain", help="Every finding, and the measures behind them.")] = False,
    language: Language = None,
) -> ExitCode:
    """Report how segments do over the runs on record; nothing is evaluated.

    Each gets one line: `act` where somebody has to do something, `watch` where somebody should look, else `ok`. It
    tells what failed, is stale, paused, expired or about to, jumped in size against the same weekday, flaps, is empty,
    or has conditions that were never or always true.
    """
    from segctl.operations.health import health
    from segctl.operations.session import open_session

    if last < 2:
        raise UsageError("SEG103", f"`--last {last}`: a number of 2 or more")
    with open_session(ctx.project, env=ctx.env) as session:
        messages.diagnostics(ctx, session.warnings, root=session.root)
        said = session.language(language)
        found = health(session, ctx.selection, now=ctx.now, last=last, language=said)
        environment = session.project.environment
    is_bad = any(one.level == "act" for one in found)
    code = ExitCode.FINDINGS if is_bad else ExitCode.OK
    sections = _sections(found) if explain or ctx.format == "json" else ()
    counts = {level: sum(one.level == level for one in found) for level in ("act", "watch", "ok")}
    result = output.Result(
        "segctl/report-health/1", COLUMNS, [_row(one, ctx) for one in found], noun="segments",
        facts={"environment": environment, **counts}, sections=sections, ids_column="segment", is_report=True,
        exit=code, reason="action_needed" if is_bad else None,
    )  # fmt: skip
    output.write(ctx, result)
    return code


def _row(one: SegmentHealth, ctx: Context) -> tuple[Any, ...]:
    first, more = one.findings[0], len(one.findings) - 1
    reason = f"{first.reason} (+{more} more)" if more and ctx.format == "table" else first.reason
    return one.segment, one.level, reason, first.action or None


def _sections(found: tuple[SegmentHealth, ...]) -> tuple[output.Section, ...]:
    findings = [
        (one.segment, f.kind, f.level, f.reason, f.action or None)
        for one in found
        for f in one.findings
        if f.level != "ok"
    ]
    measures = [
        (one.segment, one.members, one.runs, one.per_run, one.per_day, one.flapping,
         None if one.size is None else round(one.size.score, 2), one.definition_since, one.last_moved)
        for one in found
    ]  # fmt: skip
    return (
        output.Section("findings", "findings", FINDINGS, findings),
        output.Section("measures", "measures", MEASURES, measures),
    )
