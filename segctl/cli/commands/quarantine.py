"""Look at rows that were set aside."""

from __future__ import annotations

from typing import Annotated, Any

from segctl.cli import messages, output
from segctl.cli.context import Context
from segctl.cli.options import CHANGES, SELECTION, TIME, Argument, Option, verb
from segctl.model.errors import UsageError
from segctl.model.exits import ExitCode

EXAMPLES = (
    ("segctl quarantine ls", "How many rows of each source were set aside, and the commonest reason."),
    ("segctl quarantine show orders", "The bad rows of a source with file, line and every reason."),
    ("segctl quarantine show orders --show-personal -f csv -o bad.csv", "With the rows themselves, to mend them."),
)
EXITS: dict[int, str] = {}
SEE_ALSO = ("segctl ingest --help",)
LIST = (
    output.Column("source"),
    output.Column("rows", type="integer", bar=True),
    output.Column("files", type="integer"),
    output.Column("most_frequent"),
)
ROWS = (output.Column("file"), output.Column("line", type="integer"), output.Column("reasons"))


@verb(without=(*SELECTION, *TIME, *CHANGES), formats=("table", "json", "ndjson", "csv", "parquet"))
def command(
    ctx: Context,
    action: Annotated[str, Argument("ls|show", help="What to do.", choices=("ls", "show"))] = "ls",
    source: Annotated[str | None, Argument("SOURCE", help="Whose rows to show.", complete="sources")] = None,
    show_personal: Annotated[
        bool, Option("--show-personal", help="Show the rows themselves and the offending values.")
    ] = False,
) -> ExitCode | None:
    """Look at rows that did not fit and were set aside.

    Bad rows are kept whole, with file, line and every reason. Mend the file or the declaration and ingest again:
    what then fits leaves the quarantine.
    """
    from segctl.compile.sources import load_sources
    from segctl.operations import quarantine
    from segctl.operations.ingest import open_for_ingest

    with open_for_ingest(ctx.project, env=ctx.env, create=False) as (project, workspace):
        if action == "ls":
            rows = [(s.source, s.rows, s.files, s.most_frequent) for s in quarantine.summaries(workspace)]
            output.write(ctx, output.Result("segctl/quarantine-ls/1", LIST, rows, noun="sources"))
            return None
        if source is None:
            raise UsageError("SEG315", "`quarantine show` needs the name of a source", hint="segctl quarantine ls")
        declared, _ = load_sources(project)
        found = quarantine.bad_rows(workspace, source, known=declared)
    output.write(ctx, _shown(ctx, found, personal=show_personal))
    if found and not show_personal:
        messages.notice(ctx, "values are hidden, since they can be personal data; `--show-personal` shows them")
    return None


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
