"""Use cases on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from segctl.cli import messages, output
from segctl.cli.context import Context
from segctl.model.errors import UsageError

LIST = (
    output.Column("use_case", "use case"),
    output.Column("title"),
    output.Column("state"),
    output.Column("segment"),
    output.Column("aim"),
    output.Column("files", type="integer"),
)
ADDED = (output.Column("file"), output.Column("state"))
STATUS = (
    output.Column("use_case", "use case"),
    output.Column("members", type="integer"),
    output.Column("verdict"),
    output.Column("extra", "extra revenue", type="number", digits=2),
    output.Column("lift", type="share"),
    output.Column("is_quick_win", "quick win", type="boolean"),
)
FURTHER = (
    output.Column("extra_low", "from", type="number", digits=2),
    output.Column("extra_high", "to", type="number", digits=2),
    output.Column("state"),
    output.Column("next"),
    output.Column("title"),
    output.Column("segment"),
    output.Column("treated", type="integer"),
    output.Column("held", type="integer"),
    output.Column("currency"),
    output.Column("lift_low", type="share"),
    output.Column("lift_high", type="share"),
    output.Column("lacking", type="list"),
)
_MORE = {
    "de": "Grenzen der Werte, Gruppen und Dateien: `-f json`",
    "en": "limits of the figures, groups and files: `-f json`",
}
NEXT = (output.Column("use_case", "use case"), output.Column("command"), output.Column("why"))


def write_list(ctx: Context, language: str | None) -> None:
    """The packages."""
    from segctl.operations.session import bound_definitions
    from segctl.operations.usecase_status import listed

    definitions, _ = bound_definitions(ctx.project, env=ctx.env)
    rows = listed(definitions, "de" if (language or definitions.project.language) == "de" else "en")
    output.write(ctx, output.Result("segctl/usecase-ls/1", LIST, rows, noun="use cases", ids_column="use_case"))


def write_added(ctx: Context, name: str, use: Sequence[str], *, keep: bool, declare: bool) -> None:
    """What was, or would be, written."""
    from segctl.operations.session import bound_definitions
    from segctl.operations.usecases import add

    names = dict(_pair(one) for one in use)
    definitions, _ = bound_definitions(ctx.project, env=ctx.env)
    found = add(definitions, name, use=names, keep=keep, declare=declare, dry_run=ctx.dry_run)
    states = dict.fromkeys(found.new, "new") | dict.fromkeys(found.same, "there")
    states |= dict.fromkeys(found.kept, "differs, kept")
    rows = sorted(states.items())
    if found.declared:
        rows.append(("segctl.yaml", f"adds {', '.join(found.declared)}"))
    facts = {"use_case": name}
    output.write(ctx, output.Result("segctl/usecase-add/1", ADDED, rows, noun="files", facts=facts, ids_column="file"))
    if ctx.dry_run:
        messages.notice(ctx, "nothing was written")
    else:
        messages.notice(ctx, "next: segctl lint && segctl test && segctl apply, then segctl usecase status")


def write_status(ctx: Context, language: str | None) -> None:
    """Which journeys earn, and what comes next."""
    from segctl.operations.session import instant, open_session
    from segctl.operations.usecase_status import standings

    with open_session(ctx.project, env=ctx.env) as session:
        now = instant(ctx.as_of, ctx.now, session.project.timezone)
        spoken = session.language(language)
        found = standings(session, now=now, language=spoken)
    rows = [one.row() for one in found]
    is_table = ctx.format == "table"
    columns = (*STATUS, *FURTHER)
    steps = [(one.use_case, one.command or "-", one.why) for one in found]
    output.write(
        ctx,
        output.Result(
            "segctl/usecase-status/1", STATUS if is_table else columns,
            [{column.name: row[column.name] for column in (STATUS if is_table else columns)} for row in rows],
            noun="use cases", ids_column="use_case", is_report=True,
            sections=(output.Section("next", "next", NEXT, steps),) if is_table else (),
        ),
    )  # fmt: skip
    if is_table:
        messages.notice(ctx, _MORE[spoken])


def _pair(text: str) -> tuple[str, str]:
    name, equals, own = text.partition("=")
    if not equals or not name.strip() or not own.strip():
        hint = "such as `--use product_added=cart_add`"
        raise UsageError("SEG104", f"`--use {text}` is no pair of names", hint=hint)
    return name.strip(), own.strip()
