"""Report whether experiments worked and how segments do: one verb, one module a report."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated

from segctl.cli import messages
from segctl.cli.context import Context
from segctl.cli.options import CHANGES, Argument, Language, Option, verb
from segctl.cli.report_asked import Asked
from segctl.model.errors import UsageError
from segctl.model.exits import ExitCode

EXAMPLES = (
    ("segctl report ab spring_mail", "Did it work: answer, checks, money, figures, what is missing."),
    ("segctl report ab spring_mail --explain bought.mail.lift", "Formula, inputs and source of a number."),
    ("segctl report control", "What each campaign, and all together, earned against control groups."),
    ("segctl report health --propose proposals", "Changed rules; `segctl plan --with proposals` shows the effect."),
    ("segctl report all --html reports", "All reports as pages that belong together."),
)
EXITS = {1: "health: a segment needs action; ab: the experiment cannot be used"}
SEE_ALSO = ("segctl help reports", "segctl help report-segments", "segctl help health", "segctl experiment --help")
REPORTS = {
    "ab": "segctl.cli.report_ab",
    "control": "segctl.cli.report_control",
    "segments": "segctl.cli.report_segments",
    "health": "segctl.cli.report_health",
    "all": "segctl.cli.report_all",
}
"""Where each report is made."""

About = Annotated[
    str,
    Argument(
        "REPORT",
        help="ab: experiments; control: control groups; segments: what they bring; health: what needs action; "
        "all: every report as pages.",
        choices=tuple(REPORTS),
    ),
]
Names = Annotated[
    list[str],
    Argument("NAME", help="Of ab: an experiment; of control: a campaign or all.", complete="experiments"),
]
By = Annotated[list[str], Option("--by", metavar="TRAIT|SEGMENT", help="Of ab: also for each group. Repeatable.")]
Explain = Annotated[
    bool,
    Option("--explain", help="Of ab, control: formula, inputs, source of numbers; of health: every finding."),
]
Suppress = Annotated[
    int | None,
    Option("--suppress", metavar="K", help="Counts of people below K as <K; otherwise 5 in all, else none."),
]
Html = Annotated[
    str | None, Option("--html", metavar="FILE|DIR", complete="files", help="Write a page; of all, a folder.")
]
Markdown = Annotated[str | None, Option("--markdown", metavar="FILE", complete="files", help="Also write Markdown.")]
Propose = Annotated[
    str | None,
    Option("--propose", metavar="DIR", help="Of health: write changed files, for `segctl plan --with DIR`."),
]


@verb(without=CHANGES, formats=("table", "json", "ndjson", "csv", "ids"))
def command(
    ctx: Context,
    about: About = "health",
    names: Names = (),  # type: ignore[assignment]  # a list arrives as a tuple
    by: By = (),  # type: ignore[assignment]  # likewise
    anyway: Annotated[
        bool, Option("--anyway", help="Of ab: show the numbers of an experiment that cannot be used.")
    ] = False,
    explain: Explain = False,
    details: Annotated[bool, Option("--details", help="Also what a first look does not need.")] = False,
    suppress: Suppress = None,
    html: Html = None,
    markdown: Markdown = None,
    force: Annotated[bool, Option("--force", help="Of all: write into a folder that holds other files.")] = False,
    last: Annotated[
        int | None, Option("--last", metavar="N", help="Newest runs that are looked at; otherwise 30.")
    ] = None,
    since: Annotated[
        str | None, Option("--since", metavar="TIME", help="Of segments: only runs from then on are shown.")
    ] = None,
    quick: Annotated[
        bool, Option("--quick", help="Of health: the runs on record alone, not what members did.")
    ] = False,
    propose: Propose = None,
    language: Language = None,
) -> ExitCode:
    """Report whether experiments worked, what campaigns earned, and how segments do.

    Each report begins with the answer in words, then says whether it can be trusted, and only then shows figures.
    Segments and health look at the runs on record and at what members did since; they evaluate nothing.
    """
    from segctl.operations.session import instant, open_session

    if suppress is not None and suppress < 0:
        raise UsageError("SEG103", f"`--suppress {suppress}`: a number of 0 or more")
    asked = Asked(
        about, tuple(names), tuple(by), anyway, explain, details, suppress, html, markdown, force, last, language,
        since, quick, propose,
    )  # fmt: skip
    report = import_module(REPORTS[about])
    with open_session(ctx.project, env=ctx.env) as session:
        messages.diagnostics(ctx, session.warnings, root=session.root)
        instant(ctx.as_of, ctx.now, session.project.timezone)  # What is no time is refused, whatever is asked.
        code: ExitCode = report.run(ctx, session, asked)
    return code
