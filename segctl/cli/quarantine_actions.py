"""What `segctl quarantine` does besides listing: export, replay and discard."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segctl.cli import messages, output
from segctl.cli.cells import counted
from segctl.cli.context import Context
from segctl.cli.progress import listener
from segctl.cli.questions import confirm
from segctl.model.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from segctl.model.project import Project
    from segctl.model.sources import Source
    from segctl.operations.quarantine.replay import Replayed
    from segctl.operations.quarantine.rows import Filter
    from segctl.state.workspace import Workspace

_SUFFIXES = {".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson", ".parquet": "parquet"}
_EXPORTS = ("csv", "ndjson", "parquet")
REPLAY = (
    output.Column("source"),
    output.Column("tried", type="integer"),
    output.Column("fit", type="integer", bar=True),
    output.Column("new", type="integer"),
    output.Column("known", type="integer"),
    output.Column("still_bad", type="integer"),
    output.Column("in_quarantine", type="integer"),
)
REASONS = (output.Column("where"), output.Column("expected"), output.Column("rows", type="integer"))
DISCARD = (
    output.Column("source"),
    output.Column("discarded", type="integer"),
    output.Column("files", type="integer"),
    output.Column("in_quarantine", type="integer"),
)


def write_export(ctx: Context, project: Project, rows: pl.DataFrame, source: str) -> None:
    """The rows as a file to mend."""
    from segctl.operations.quarantine.export import csv_text, export_frame, export_records

    form = _export_format(ctx)
    if form == "ndjson":
        lines = (json.dumps(record, ensure_ascii=False) + "\n" for record in export_records(rows))
        output.write_text(ctx, "".join(lines))
    elif form == "csv":
        # Excel in German takes the comma for a decimal sign, so its columns end at semicolons.
        separator = ";" if project.language == "de" else ","
        output.write_text(ctx, csv_text(export_frame(rows), separator=separator))
    else:
        output.write_bytes(ctx, _parquet(export_frame(rows)))
    messages.notice(ctx, f"{counted(rows.height, 'rows')} of `{source}`, whole: they can be personal data")
    if ctx.output is not None and rows.height:
        messages.notice(ctx, f"next: mend {ctx.output}, then `segctl quarantine replay {source} {ctx.output}`")


def _parquet(frame: pl.DataFrame) -> bytes:
    from io import BytesIO

    stream = BytesIO()
    frame.write_parquet(stream)
    return stream.getvalue()


def _export_format(ctx: Context) -> str:
    form = ctx.format
    if form == "table":
        suffix = ctx.output.suffix.lower() if ctx.output is not None else ".csv"
        form = _SUFFIXES.get(suffix, "")
    if form in _EXPORTS:
        return form
    raise UsageError("SEG619", "`quarantine export` writes CSV, NDJSON or Parquet",
                     hint="name the file like one, `-o bad.csv`, or add `-f csv`")  # fmt: skip


def write_replay(
    ctx: Context, project: Project, workspace: Workspace, source: Source, file: str | None, wanted: Filter
) -> None:
    """Rows once more, or a mended export, and what became of them."""
    from segctl.operations.quarantine.export import read_mended
    from segctl.operations.quarantine.replay import replay
    from segctl.operations.quarantine.rows import files_of, rows_of

    mended = None
    if file is not None:
        stored = files_of(workspace, source.name, (source.name,))
        mended = read_mended(Path(file), rows_of(stored)) if stored else {}
    found = replay(
        project, workspace, source, now=ctx.now, mended=mended, wanted=wanted, progress=listener(ctx),
        dry_run=ctx.dry_run,
    )  # fmt: skip
    for line in _told(found):
        messages.notice(ctx, line)
    if source.checks and found.fits:
        messages.notice(ctx, f"`checks` of `{source.name}` speak of the whole, so these few rows did not pass them")
    output.write(ctx, _replay_result(ctx, found))
    if found.result.new and not ctx.dry_run:
        messages.notice(ctx, "next: segctl apply")


def _told(found: Replayed) -> list[str]:
    name, said = found.source, []
    if found.unknown:
        said.append(
            f"{counted(found.unknown, 'rows')} of the file are not in quarantine any more; nothing counts twice"
        )
    if found.refused:
        said.append(
            f"{counted(found.refused, 'rows')} belong to files that were refused as a whole: mend the files or raise "
            f"`max_bad_rows`, then `segctl ingest {name}`"
        )
    if found.unread:
        said.append(
            f"{counted(found.unread, 'rows')} could not be taken apart: `segctl quarantine export {name}`, mend"
        )
    if found.overtaken:
        said.append(f"{counted(found.overtaken, 'rows')} stay, since newer rows of the same people have been read")
    if found.result.unclaimed:
        said.append(f"{counted(found.result.unclaimed, 'rows')} fit and name nobody, so no event came of them")
    if found.result.skipped:
        said.append(f"{counted(found.result.skipped, 'rows')} are left out by the declaration's filter or kinds")
    if found.result.conflicts:
        said.append(f"{counted(found.result.conflicts, 'rows')} had an event id that is known with other content")
    return said


def _replay_result(ctx: Context, found: Replayed) -> output.Result:
    result = found.result
    known = result.duplicates + result.conflicts
    row = (found.source, found.tried, found.fits, result.new, known, found.bad, found.left)
    ordered = sorted(result.reasons.items(), key=lambda item: (-item[1], item[0]))
    reasons = [(where or "the row", expected, rows) for (where, expected), rows in ordered]
    sections = (output.Section("reasons", "Why rows stay", REASONS, reasons),) if reasons else ()
    facts: dict[str, Any] = {"dry_run": True} if ctx.dry_run else {}
    return output.Result(
        "segctl/quarantine-replay/1", REPLAY, [row], noun="sources", facts=facts, sections=sections, is_report=True,
        run={"dry_run": ctx.dry_run, "commit": found.commit, "refused": found.refused, "unread": found.unread,
             "overtaken": found.overtaken, "not_in_quarantine": found.unknown, "unclaimed": result.unclaimed,
             "skipped": result.skipped},
    )  # fmt: skip


def write_discard(ctx: Context, workspace: Workspace, source: str, wanted: Filter, known: list[str]) -> None:
    """Drop rows after the one question."""
    from segctl.operations.quarantine.discard import discard

    def agree(rows: int, files: int) -> None:
        confirm(ctx, f"{counted(rows, 'rows')} from {counted(files, 'files')} of `{source}` would be gone; discard?")

    found = discard(workspace, source, wanted, known=known, agree=agree, dry_run=ctx.dry_run)
    row = (source, found.rows, len(found.files), found.left)
    facts: dict[str, Any] = {"dry_run": True} if ctx.dry_run else {}
    run = {"dry_run": ctx.dry_run, "commit": found.commit, "files": list(found.files)}
    output.write(ctx, output.Result("segctl/quarantine-discard/1", DISCARD, [row], noun="sources", facts=facts,
                                    run=run, is_report=True))  # fmt: skip
