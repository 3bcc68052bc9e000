"""Look at rows that were set aside, mend them, and take them again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from segctl.cli import messages, output
from segctl.cli.context import Context
from segctl.cli.options import SELECTION, TIME, Argument, Option, verb
from segctl.model.errors import UsageError
from segctl.model.exits import ExitCode

if TYPE_CHECKING:
    from segctl.model.project import Project
    from segctl.operations.quarantine.rows import Filter
    from segctl.state.workspace import Workspace

EXAMPLES = (
    ("segctl quarantine ls", "How many rows of each source were set aside, since when and why."),
    ("segctl quarantine show orders --reason amount", "The bad rows of a source with file, line and every reason."),
    ("segctl quarantine export orders -o bad.csv", "The whole rows, to mend them in a spreadsheet."),
    ("segctl quarantine replay orders bad.csv", "Take the mended rows; without a file, all as they stood."),
    ("segctl quarantine discard orders --file data/old.csv --yes", "Drop rows for good, with a note in the log."),
)
EXITS: dict[int, str] = {
    4: "`discard` was not agreed to",
    75: "an ingest of the same source is running (see `--lock-wait`)",
}
SEE_ALSO = ("segctl ingest --help", "segctl validate --help", "segctl help contracts")
LIST = (
    output.Column("source"),
    output.Column("rows", type="integer", bar=True),
    output.Column("files", type="integer"),
    output.Column("since", type="time"),
    output.Column("most_frequent"),
    output.Column("reasons", title="top reasons", type="list", extra=True),
)
TABLE = (
    output.Column("source"),
    output.Column("rows", type="integer"),
    output.Column("files", type="integer"),
    output.Column("since"),
    output.Column("reasons", title="top reasons"),
)
"""For people: everything fits beside each other."""
ROWS = (output.Column("file"), output.Column("line", type="integer"), output.Column("reasons"))
ACTIONS = ("ls", "show", "export", "replay", "discard")


@verb(without=(*SELECTION, *TIME), formats=("table", "json", "ndjson", "csv", "parquet"))
def command(
    ctx: Context,
    action: Annotated[str, Argument("ACTION", help="ls, show, export, replay or discard.", choices=ACTIONS)] = "ls",
    source: Annotated[str | None, Argument("SOURCE", help="Whose rows.", complete="sources")] = None,
    file: Annotated[str | None, Argument("FILE", help="With `replay`: the export, mended.", complete="files")] = None,
    reason: Annotated[
        str | None,
        Option("--reason", metavar="TEXT", help="Only rows with this column, rule or words among their reasons."),
    ] = None,
    path: Annotated[
        str | None, Option("--file", metavar="NAME", help="Only rows of this input file, or pattern.")
    ] = None,
    line: Annotated[str | None, Option("--line", metavar="N|N-M", help="Only rows of these lines.")] = None,
    limit: Annotated[int | None, Option("--limit", metavar="N", help="With `show`: at most so many rows.")] = None,
    show_personal: Annotated[
        bool, Option("--show-personal", help="With `show`: the rows themselves and the offending values.")
    ] = False,
) -> ExitCode | None:
    """Look at rows that did not fit, mend them, and take them again.

    Bad rows are kept whole, with file, line and every reason. When the declaration or the contract has changed,
    `replay` tries them again; `export` writes them to a file, and `replay SOURCE FILE` takes the mended ones. What
    fits is ingested and leaves the quarantine, what does not stays with its new reasons. Events keep their identity,
    so nothing counts twice.

    A mended input file that is ingested again clears its rows by itself.
    """
    from segctl.operations.ingest.ingest import open_for_ingest, sources_of
    from segctl.operations.quarantine.rows import Filter, files_of, parse_lines, rows_of

    if action != "ls" and source is None:
        raise UsageError("SEG315", f"`quarantine {action}` needs the name of a source", hint="segctl quarantine ls")
    wanted = Filter(reason, path, None if line is None else parse_lines(line))
    if action == "discard" and ctx.yes and wanted.is_everything and file is not None:
        raise UsageError("SEG617", "`quarantine discard` takes no FILE", hint=f"did you mean `--file {file}`?")
    with open_for_ingest(ctx.project, env=ctx.env, lock_wait_s=ctx.lock_wait_s, create=False) as (project, workspace):
        if action == "ls" or source is None:
            _list(ctx, project, workspace)
            return None
        known = _known(project)
        if action == "show":
            _show(ctx, workspace, source, known, wanted, limit, personal=show_personal)
            return None
        from segctl.cli.quarantine_actions import write_discard, write_export, write_replay

        if action == "export":
            write_export(ctx, project, rows_of(files_of(workspace, source, known), wanted), source)
        elif action == "discard":
            write_discard(ctx, workspace, source, wanted, known)
        else:
            declared = sources_of(project)
            if source not in declared:
                files_of(workspace, source, declared)
                hint = "declare it again, or `segctl quarantine discard`"
                raise UsageError("SEG308", f"`{source}` is not declared any more", hint=hint)
            write_replay(ctx, project, workspace, declared[source], file, wanted)
    return None


def _known(project: Project) -> list[str]:
    """Names of the declared sources; wrong declarations are no reason not to look at rows."""
    from segctl.compile.sources import load_sources

    return list(load_sources(project)[0])


def _list(ctx: Context, project: Project, workspace: Workspace) -> None:
    from zoneinfo import ZoneInfo

    from segctl.operations.quarantine import quarantine

    zone = ZoneInfo(project.timezone)
    found = quarantine.summaries(workspace)
    if ctx.format == "table":
        short = [
            (s.source, s.rows, s.files, s.since and f"{s.since.astimezone(zone):%Y-%m-%d %H:%M}",
             ", ".join(f"{reason} ({n:,})" for reason, n in s.short))
            for s in found
        ]  # fmt: skip
        output.write(ctx, output.Result("segctl/quarantine-ls/1", TABLE, short, noun="sources"))
        return
    rows = [
        (
            s.source,
            s.rows,
            s.files,
            s.since and s.since.astimezone(zone),
            s.most_frequent,
            [f"{reason} ({n:,})" for reason, n in s.reasons],
        )
        for s in found
    ]
    output.write(ctx, output.Result("segctl/quarantine-ls/1", LIST, rows, noun="sources"))


def _show(
    ctx: Context,
    workspace: Workspace,
    source: str,
    known: list[str],
    wanted: Filter,
    limit: int | None,
    *,
    personal: bool,
) -> None:
    from segctl.operations.quarantine import quarantine

    found = quarantine.bad_rows(workspace, source, known=known, wanted=wanted)
    rows = found if limit is None else found[: max(0, limit)]
    output.write(ctx, _shown(ctx, rows, personal=personal))
    if len(rows) < len(found):
        messages.notice(ctx, f"{len(rows):,} of {len(found):,} rows are shown; without `--limit` all of them")
    if rows and not personal:
        messages.notice(ctx, "values are hidden, since they can be personal data; `--show-personal` shows them")


def _shown(ctx: Context, found: list[dict[str, Any]], *, personal: bool) -> output.Result:
    """Bad rows; programs get their reasons as data, people in words."""
    is_data = ctx.format in ("json", "ndjson")
    columns = (*ROWS, output.Column("raw")) if personal else ROWS
    rows = []
    for row in found:
        reasons = [part if personal else {**part, "value": None} for part in row["details"]]
        told = reasons if is_data else row["reasons"] if personal else _in_words(reasons)
        rows.append((row["file"], row["line"], told, row["raw"])[: len(columns)])
    return output.Result("segctl/quarantine-show/2", columns, rows, noun="rows")


def _in_words(reasons: list[dict[str, Any]]) -> str:
    return "; ".join(
        f"{part['column']}: {part['reason']}, expected {part['expected']}" if part["column"] else str(part["reason"])
        for part in reasons
    )
