"""Content on the terminal: lists, previews, findings and recommendations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from segctl.cli import messages, output
from segctl.cli.context import Context
from segctl.cli.options import FINDING_FORMATS
from segctl.cli.people import asked
from segctl.model.exits import ExitCode

if TYPE_CHECKING:
    from segctl.operations.session import Session

FILES = (
    output.Column("file"),
    output.Column("language"),
    output.Column("part"),
    output.Column("subject"),
)
PRODUCTS = (
    output.Column("rank", type="integer"),
    output.Column("product_id"),
    output.Column("reason"),
    output.Column("because"),
    output.Column("score", type="number", digits=4),
    output.Column("fields", type="object"),
)
GAPS = (
    output.Column("content"),
    output.Column("lacks"),
    output.Column("people", type="integer"),
    output.Column("share", type="share"),
    output.Column("ids", type="list"),
)
CHECKED = (
    output.Column("content"),
    output.Column("audience", type="integer"),
    output.Column("languages", type="object"),
    output.Column("largest_kb", "largest HTML", type="number", unit="kB", digits=1),
)
_UNFILLED = "(cannot be filled)"


def write_list(ctx: Context) -> None:
    """The templates of the project."""
    from segctl.cli.commands.ls import COLUMNS
    from segctl.operations.content.facts import contents
    from segctl.operations.session import bound_definitions

    definitions, _ = bound_definitions(ctx.project, env=ctx.env)
    rows, columns = contents(definitions), COLUMNS["content"]
    output.write(ctx, output.Result("segctl/ls-content/1", columns, rows, noun="templates", ids_column="content"))


def content_result(session: Session, name: str) -> output.Result:
    """One template: its settings, what it speaks of, and its files."""
    from segctl.operations.content.facts import content_facts

    facts, files = content_facts(session.definitions, name)
    known = {key: value for key, value in facts.items() if value not in (None, [])}
    return output.Result("segctl/show-content/1", FILES, files, noun="files", facts=known)


def write_preview(
    ctx: Context, name: str, who: str, *, language: str | None, html: str | None, show_personal: bool
) -> None:
    """The message that one person would get."""
    from segctl.operations.content.preview import preview
    from segctl.operations.session import instant, open_session

    with open_session(ctx.project, env=ctx.env) as session:
        as_of = instant(ctx.as_of, ctx.now, session.project.timezone)
        found = preview(session, name, asked(ctx, who), as_of=as_of, language=language, show_personal=show_personal)
    mail = found.rendered
    if html is not None and mail.html is not None:
        Path(html).write_text(mail.html, encoding="utf-8")
        messages.notice(ctx, f"wrote `{html}`")
    facts = {
        "content": name,
        "profile_id": found.profile_id,
        "language": mail.language,
        "subject": mail.subject_line,
        **({"preheader": mail.preheader} if mail.preheader else {}),
        **({"html_kb": _kb(mail.html, is_table=ctx.format == "table")} if mail.html else {}),
    }
    document = {"text": mail.text, "html": mail.html, "digest": mail.template_digest, "unsent": list(found.unsent)}
    result = output.Result(
        "segctl/content-preview/1",
        (),
        (),
        noun=None,
        facts=facts,
        text=("", *mail.text.splitlines()),
        document=document,
    )
    output.write(ctx, result)
    if html is not None and mail.html is None:
        messages.warning(ctx, f"`{name}` has no HTML part, so nothing was written")
    if found.unsent:
        hint = "this is how it would look; `segctl explain` and `segctl consent check` say more"
        messages.warning(ctx, f"nothing would be sent to that person now: {'; '.join(found.unsent)}", hint=hint)
    if found.hidden:
        messages.notice(ctx, f"shown by name as personal: {', '.join(found.hidden)}; `--show-personal` shows them")


def write_lint(ctx: Context, name: str | None) -> ExitCode:
    """What is wrong with the templates, in one of the formats for findings."""
    from segctl.operations.content.content import find_template_in
    from segctl.operations.content.lint import content_files, template_findings
    from segctl.operations.session import bound_definitions

    definitions, findings = bound_definitions(ctx.project, env=ctx.env)
    files = content_files(definitions)
    found = [*template_findings(definitions), *(d for d in findings if d.location and "content/" in d.location.file)]
    if name is not None:
        template = find_template_in(definitions, name)
        files = tuple(file.path for file in template.files)
        places = (*files, *(definitions.content.partials if definitions.content else ()))
        own = template.location.file if template.location else ""
        found = [d for d in found if d.location is not None and d.location.file in (*places, own)]
    return output.findings(_for_findings(ctx), "segctl/content-lint/1", found, files=files)


def write_audience(ctx: Context, name: str | None, segment: str, *, people: bool) -> ExitCode:
    """What the members of a segment lack."""
    from segctl.operations.content.lint import check_audience
    from segctl.operations.people import profile_ids
    from segctl.operations.recommendations import stock_findings
    from segctl.operations.session import instant, open_session

    with open_session(ctx.project, env=ctx.env) as session:
        as_of = instant(ctx.as_of, ctx.now, session.project.timezone)
        content = session.definitions.content
        for known in sorted(content.recommendations) if content else ():
            messages.diagnostics(ctx, stock_findings(session, known, as_of=as_of))
        names = [name] if name is not None else sorted(content.templates) if content else []
        checks = check_audience(session, names, segment, as_of=as_of)
        ids = profile_ids(session.workspace) if people else None
    rows = [
        {
            "content": gap.template,
            "lacks": gap.name or _UNFILLED,
            "people": len(gap.people),
            "share": len(gap.people) / check.audience if check.audience else None,
            "ids": [] if ids is None else sorted(str(ids[one]) for one in gap.people),
        }
        for check in checks
        for gap in check.gaps
    ]
    checked = [
        {
            "content": check.template,
            "audience": check.audience,
            "languages": dict(check.languages),
            "largest_kb": check.largest / 1000,
        }
        for check in checks
    ]
    code = ExitCode.FINDINGS if rows else ExitCode.OK
    columns = GAPS if people else GAPS[:-1]
    result = output.Result(
        "segctl/content-audience/1", columns, rows, noun="gaps", facts={"segment": segment},
        sections=(output.Section("checked", "looked at", CHECKED, checked),), exit=code,
    )  # fmt: skip
    output.write(ctx, result)
    clipped = [check.template for check in checks if check.largest > 102_000]
    if clipped:
        messages.warning(ctx, f"above 102 kB, where Gmail cuts: {', '.join(clipped)}")
    if rows and not people:
        messages.notice(ctx, "nobody gets a message with a gap; `--people` lists who would")
    return code


def write_recommended(ctx: Context, name: str, who: str) -> None:
    """The products for one person, with the reason of each."""
    from segctl.operations.people import find_person
    from segctl.operations.recommendations import lists_for, stock_findings
    from segctl.operations.session import instant, open_session

    with open_session(ctx.project, env=ctx.env) as session:
        as_of = instant(ctx.as_of, ctx.now, session.project.timezone)
        owner, _ = find_person(session.workspace, asked(ctx, who), rules=session.project.identity)
        products = lists_for(session, name, [owner.subject], as_of=as_of)[owner.subject]
        messages.diagnostics(ctx, stock_findings(session, name, as_of=as_of))
    known = ("product_id", "reason", "because", "score")
    rows = [
        {"rank": rank, **{key: one[key] for key in known}, "fields": {k: v for k, v in one.items() if k not in known}}
        for rank, one in enumerate(products, start=1)
    ]
    facts = {"recommendations": name, "profile_id": owner.profile_id}
    output.write(
        ctx,
        output.Result(
            "segctl/content-recommend/1", PRODUCTS, rows, noun="products", facts=facts, ids_column="product_id"
        ),
    )


def _for_findings(ctx: Context) -> Context:
    """The call, with a format that findings can be written in."""
    from dataclasses import replace

    return ctx if ctx.format in FINDING_FORMATS else replace(ctx, format="table")


def _kb(html: str, *, is_table: bool) -> float | str:
    """Size of a mail, for people with one digit."""
    size = round(len(html.encode()) / 1000, 1)
    return f"{size:.1f}" if is_table else size
