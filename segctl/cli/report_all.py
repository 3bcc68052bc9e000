"""`segctl report all --html DIR`: every report as a page, and a first page with one line for each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from segctl.cli import messages, report_ab, report_control, report_health, report_segments
from segctl.cli.report_asked import moment
from segctl.model.dataclass import dataclass
from segctl.model.errors import UsageError
from segctl.model.exits import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from segctl.cli.context import Context
    from segctl.cli.report_asked import Asked
    from segctl.cli.report_document import Document
    from segctl.model.project import Language
    from segctl.operations.session import Session

LEAST = 5
"""Counts of people below it are not told, unless another number is asked for: pages are passed on."""
_INDEX = "index.html"


@dataclass(frozen=True, slots=True)
class Page:
    """One report of the site.

    Attributes:
        file: Its name in the folder.
        told: None when there is nothing to report; `answer` says why.
        answer: First sentence.
    """

    file: str
    name: str
    told: Document | None
    answer: str


def run(ctx: Context, session: Session, asked: Asked) -> ExitCode:
    """Write all pages into the folder, in place of those of a former time."""
    from segctl.cli.site_folder import REPORTS, write

    asked.only("html", "force", "least", "last")
    if asked.html is None:
        hint = "such as `segctl report all --html reports`"
        raise UsageError("SEG987", "`segctl report all` writes pages and needs a folder", hint=hint)
    # Segments and health go by the runs on record, all others by this; what is no time is refused before any page.
    moment(ctx, session)
    language = session.language(asked.language)
    found = list(reports(ctx, session, asked, language))
    folder = Path(asked.html)
    written, gone = write(folder, site(session, found, language, ctx), force=asked.force, listed=REPORTS)
    old = f", {gone} old ones taken away" if gone else ""
    messages.notice(ctx, f"{written} pages written{old}; open {folder / _INDEX}")
    return ExitCode.OK


def reports(ctx: Context, session: Session, asked: Asked, language: Language) -> Iterator[Page]:
    """Every report in words: experiments by name, control groups, segments, health."""
    from segctl.cli.report_speech import Speech

    least, words = LEAST if asked.least is None else asked.least, Speech(language).words
    for name, experiment in sorted(session.definitions.experiments.items()):
        told = _tried(lambda name=name: _experiment(ctx, session, name, language, least))  # type: ignore[misc]  # a default binds the name
        yield _page(f"experiment-{name}.html", experiment.title or name, told)
    others: tuple[tuple[str, str, Callable[[], Document]], ...] = (
        ("control", words["control_title"], lambda: _control(ctx, session, language, least)),
        ("segments", words["segments_title"], lambda: _segments(ctx, session, asked, language, least)),
        ("health", words["health_title"], lambda: _health(ctx, session, asked, language, least)),
    )
    for name, title, make in others:
        yield _page(f"{name}.html", title, _tried(make))


def site(session: Session, found: Sequence[Page], language: Language, ctx: Context) -> Iterator[tuple[str, str]]:
    """Files and their texts: the first page, and each report that has something to tell."""
    from segctl.cli.report_document import Document, Links, Section
    from segctl.cli.report_page import page
    from segctl.cli.report_speech import Speech

    words, at, name = Speech(language).words, session.local(ctx.now), session.project.name
    links = [(_INDEX, words["reports_title"]), *((one.file, one.name) for one in found if one.told is not None)]
    rows = tuple((one.file if one.told is not None else "", one.name, one.answer) for one in found)
    table = Links(words["reports_caption"], (words["report"], words["answer_head"]), rows)
    first = Document(
        words["reports_title"], language, (), (), (Section("reports", words["reports_caption"], (table,)),),
        (words["reports_foot"],),
    )  # fmt: skip
    yield _INDEX, page(first, name=name, at=at, links=links, here=_INDEX)
    for one in found:
        if one.told is not None:
            yield one.file, page(one.told, name=name, at=at, links=links, here=one.file)


def _page(file: str, name: str, told: Document | str) -> Page:
    from segctl.cli.report_document import Lead

    if isinstance(told, str):
        return Page(file, name, None, told)
    first = next((block.text for block in told.lead if isinstance(block, Lead)), "")
    return Page(file, name, told, first)


def _tried(make: Callable[[], Document]) -> Document | str:
    """A report, or why there is none: one that cannot be made does not keep the others away."""
    try:
        return make()
    except UsageError as error:
        return error.message


def _experiment(ctx: Context, session: Session, name: str, language: Language, least: int) -> Document:
    from segctl.cli.report_ab_story import document
    from segctl.operations.ab.ab import report_ab as made

    # Nobody looks before the planned end here: figures are left out then, so no look is put on record.
    found = made(session, name, now=moment(ctx, session), command="report all", look=False)
    return document(report_ab.local(session, found), language, early=False, least=least)


def _control(ctx: Context, session: Session, language: Language, least: int) -> Document:
    from segctl.cli.report_control_story import document
    from segctl.operations.control import report_control as made

    found = made(session, now=moment(ctx, session), command="report all", look=False)
    return document(report_control.local(session, found), language, early=False, least=least)


def _segments(ctx: Context, session: Session, asked: Asked, language: Language, least: int) -> Document:
    from segctl.cli.segment_view import document

    found = report_segments.session_report(ctx, session, asked)
    return document(found, language, session.project.timezone, least=least)


def _health(ctx: Context, session: Session, asked: Asked, language: Language, least: int) -> Document:
    found = report_health.session_report(ctx, session, asked, least=least)
    return report_health.document(found, language, at=session.local(ctx.now))
