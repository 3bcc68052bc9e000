"""What a call of `segctl report` asked for, and writing a report wherever it was asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from segctl.cli import messages, output
from segctl.model.dataclass import dataclass
from segctl.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from segctl.cli.context import Context
    from segctl.cli.report_document import Document
    from segctl.operations.session import Session


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of a call.

    Attributes:
        about: Which report.
        names: What stands behind it: an experiment, a campaign, numbers to explain.
        by: Traits and segments to group by.
        anyway: Numbers of an experiment that cannot be used are told too.
        explain: Formula, inputs and source of numbers.
        details: Sections that a first look does not need.
        least: Counts below it are told as small; None when nobody said.
        html: File, of `all` folder, for pages.
        markdown: File for Markdown.
        force: Also into a folder with files of others.
        last: Newest runs looked at.
        language: That was asked for.
        since: Time from which runs are looked at.
        quick: Health by the runs on record alone.
        propose: Folder for changed files.
    """

    about: str
    names: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    anyway: bool = False
    explain: bool = False
    details: bool = False
    least: int | None = None
    html: str | None = None
    markdown: str | None = None
    force: bool = False
    last: int | None = None
    language: str | None = None
    since: str | None = None
    quick: bool = False
    propose: str | None = None

    def only(self, *allowed: str) -> None:
        """Refuse options that this report does not know.

        Raises:
            UsageError: One was given that is not allowed.
        """
        for name, flag in _FLAGS.items():
            if getattr(self, name) and name not in allowed:
                hint = f"`segctl report --help` says which reports know {flag}"
                raise UsageError("SEG985", f"`segctl report {self.about}` knows no {flag}", hint=hint)
        if self.names and "names" not in allowed:
            raise UsageError(
                "SEG988",
                f"`segctl report {self.about}` takes no name such as `{self.names[0]}`",
                hint="choose segments with `--select`",
            )


_FLAGS = {
    "by": "--by", "anyway": "--anyway", "explain": "--explain", "details": "--details", "least": "--suppress",
    "html": "--html", "markdown": "--markdown", "force": "--force", "last": "--last",
    "since": "--since", "quick": "--quick", "propose": "--propose",
}  # fmt: skip


def moment(ctx: Context, session: Session) -> datetime:
    """As of when experiments and campaigns are told.

    Raises:
        UsageError: `--as-of` is no time, or one of which nothing is known yet.
    """
    from segctl.operations.ab.ab import refuse_future
    from segctl.operations.session import instant

    at = instant(ctx.as_of, ctx.now, session.project.timezone)
    refuse_future(session, at, clock=ctx.now)
    return at


def write(ctx: Context, session: Session, asked: Asked, told: Document, result: Callable[[], output.Result]) -> None:
    """Write a report: to the pages that were asked for, and in the format of the call.

    Args:
        ctx: The call.
        session: Open project, for its name and zone.
        asked: Options.
        told: The report in words.
        result: Makes the same for machines.
    """
    pages(ctx, session, asked, told)
    if ctx.format != "table":
        from segctl.cli.report_document import Lead

        made = result()
        output.write(ctx, made)
        if ctx.format in ("csv", "ndjson") and not list(made.rows):
            # A file with a header alone would look like a broken one.
            messages.notice(ctx, next((block.text for block in told.lead if isinstance(block, Lead)), told.title))
        return
    from segctl.cli.report_view import text as as_text

    output.write_text(ctx, as_text(ctx, told, details=asked.details or asked.explain))


def pages(ctx: Context, session: Session, asked: Asked, told: Document) -> None:
    """Write the page and the Markdown that were asked for."""
    if asked.html is not None:
        from segctl.cli.report_page import page

        text = page(told, name=session.project.name, at=session.local(ctx.now))
        _file(ctx, asked.html, text)
    if asked.markdown is not None:
        from segctl.cli.report_markdown import markdown

        _file(ctx, asked.markdown, markdown(told))


def _file(ctx: Context, path: str, text: str) -> None:
    output.write_text(replace(ctx, output=Path(path)), text)
    messages.notice(ctx, f"written: {path}")
