"""List segments, traits, events, sources, destinations, experiments, workflows, content, runs or tests."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from segctl.cli import messages, output
from segctl.cli.context import Context
from segctl.cli.options import CHANGES, TIME, Argument, verb
from segctl.model.errors import UsageError

EXAMPLES = (
    ("segctl ls", "All segments with their size and last change."),
    ("segctl ls traits", "The data dictionary: what is known about people."),
    ('segctl ls segments -s "tag:daily" -f ids', "Names only, for a pipe."),
)
SEE_ALSO = ("segctl show --help", "segctl help select")
COLUMNS: dict[str, tuple[output.Column, ...]] = {
    "segments": (
        output.Column("segment"),
        output.Column("title"),
        output.Column("status", extra=True),
        output.Column("members", type="integer", bar=True),
        output.Column("entered", type="integer"),
        output.Column("left", type="integer"),
        output.Column("as_of", "as of", type="time", extra=True),
        output.Column("owner", extra=True),
        output.Column("tags", type="list", extra=True),
        output.Column("file", extra=True),
    ),
    "traits": (
        output.Column("trait"),
        output.Column("title"),
        output.Column("type"),
        output.Column("unit"),
        output.Column("origin"),
        output.Column("personal", type="boolean"),
        output.Column("sensitive", type="boolean"),
    ),
    "events": (
        output.Column("event"),
        output.Column("title"),
        output.Column("rows", type="integer", bar=True),
        output.Column("properties", type="list"),
    ),
    "sources": (
        output.Column("source"),
        output.Column("gives"),
        output.Column("picture"),
        output.Column("path", type="list"),
        output.Column("last_input", "last input", type="time"),
        output.Column("rows", type="integer"),
        output.Column("bad", type="integer"),
    ),
    "destinations": (
        output.Column("destination"),
        output.Column("title"),
        output.Column("kind"),
        output.Column("purposes", type="list"),
        output.Column("channel", extra=True),
        output.Column("mode"),
        output.Column("segments", type="list"),
        output.Column("people", type="integer"),
        output.Column("owner", extra=True),
        output.Column("file", extra=True),
    ),
    "experiments": (
        output.Column("experiment"),
        output.Column("title"),
        output.Column("segment"),
        output.Column("state"),
        output.Column("arms", type="list"),
        output.Column("primary", "decides", type="list"),
        output.Column("window", extra=True),
        output.Column("planned", "planned end"),
        output.Column("started", type="time"),
        output.Column("owner", extra=True),
        output.Column("file", extra=True),
    ),
    "content": (
        output.Column("content"),
        output.Column("title"),
        output.Column("channel"),
        output.Column("purpose"),
        output.Column("languages", type="list"),
        output.Column("parts", type="list"),
        output.Column("offers", type="list", extra=True),
        output.Column("recommendations", type="list", extra=True),
        output.Column("owner", extra=True),
        output.Column("file", extra=True),
    ),
    "workflows": (
        output.Column("workflow"),
        output.Column("title"),
        output.Column("trigger"),
        output.Column("steps", type="integer"),
        output.Column("does", type="list"),
        output.Column("status"),
        output.Column("control", type="share", extra=True),
        output.Column("owner", extra=True),
        output.Column("file", extra=True),
    ),
    "runs": (
        output.Column("run"),
        output.Column("as_of", "as of", type="time"),
        output.Column("status"),
        output.Column("segments", type="integer"),
        output.Column("snapshot", type="integer"),
        output.Column("started", type="time"),
        output.Column("reproducible", type="boolean"),
        output.Column("reason"),
    ),
    "tests": (
        output.Column("case"),
        output.Column("segments", type="list"),
        output.Column("profiles", type="integer"),
        output.Column("as_of", "as of", type="time", extra=True),
        output.Column("file"),
        output.Column("line", type="integer"),
    ),
}


@verb(without=(*CHANGES, *TIME))
def command(
    ctx: Context,
    kind: Annotated[
        str,
        Argument(
            "KIND",
            help="segments, traits, events, sources, destinations, experiments, workflows, content, runs or tests.",
            choices=tuple(COLUMNS),
        ),
    ] = "segments",
) -> None:
    """List segments, traits, events, sources, destinations, experiments, workflows, content, runs or tests.

    Sizes are those of the newest run in force of the environment.
    """
    from segctl.operations import ls
    from segctl.operations.project import bound_project

    if kind != "segments" and ctx.selection:
        raise UsageError("SEG506", "`--select` chooses segments", hint="`segctl ls segments --select …`")
    if kind == "segments":
        project, _ = bound_project(ctx.project, env=ctx.env)
        found = ls.segments(project, ctx.selection, ctx.now)
        rows = found.rows
        for sentence in found.notices:
            messages.warning(ctx, sentence)
        if found.unreadable:
            messages.warning(ctx, f"{found.unreadable} files under segments/ give no segment", hint="`segctl lint`")
    else:
        from segctl.operations.session import bound_definitions

        definitions, _ = bound_definitions(ctx.project, env=ctx.env)
        project, rows = definitions.project, ls.LISTS[kind](definitions)
    zone = ZoneInfo(project.timezone)
    columns = COLUMNS[kind]
    shown = [{name: _local(value, zone) for name, value in row.items()} for row in rows]
    noun = "templates" if kind == "content" else kind
    output.write(ctx, output.Result(f"segctl/ls-{kind}/1", columns, shown, noun=noun, ids_column=columns[0].name))


def _local(value: object, zone: ZoneInfo) -> object:
    return value.astimezone(zone) if isinstance(value, datetime) else value
