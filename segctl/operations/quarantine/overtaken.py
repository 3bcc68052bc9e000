"""Profile rows without a time of their own that come late: newer values must not give way to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from segctl.model.sources import Source
    from segctl.operations.quarantine.batches import RowAgain
    from segctl.state.inputs import IngestedInput
    from segctl.state.workspace import Workspace

_OVERTAKEN = "a newer row of this person has been read, or may have been, so this one would turn time back"
_WHO = ("id_type", "value")
_ROW = ("key",)


def without_overtaken(
    workspace: Workspace, source: Source, ledger: Sequence[IngestedInput], entry: IngestedInput, typed: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Typed rows of one input that may count, and those that are older than what is known of their person.

    An unchanged newer row leaves no trace, so where any later file was read, every known person counts as overtaken.

    Args:
        workspace: With the stored records.
        source: Whose rows.
        ledger: All its inputs.
        entry: The input of the rows.
        typed: With ``id_type``, ``value`` and ``line``; rows of a table with ``key``.
    """
    import polars as pl

    if not source.holds_profiles or source.record_time is not None or typed.is_empty():
        return typed, typed.clear()
    mends = {each.id: each.note["mended"] for each in ledger if "mended" in each.note}
    has_later = any(each.id > entry.id for each in ledger if each.id not in mends)
    is_of_table = source.rows is not None
    newest = _newest_rows(workspace, source, typed) if is_of_table else _newest_places(workspace, source, typed)
    is_old = []
    for key, line in zip(typed.select(_ROW if is_of_table else _WHO).rows(), typed["line"].to_list(), strict=True):
        place, at = newest.get(key, (None, 0))
        place = None if place is None else mends.get(place, place)
        is_old.append(place is not None and (has_later or place > entry.id or (place == entry.id and at > line)))
    old = pl.Series(is_old, dtype=pl.Boolean)
    return typed.filter(~old), typed.filter(old)


def with_raw(overtaken: pl.DataFrame, rows: Sequence[RowAgain]) -> pl.DataFrame:
    """Overtaken rows as bad ones: ``line``, ``raw`` and ``reasons``."""
    import polars as pl

    from segctl.connectors.typing_rows import REASON

    raws = {row.line: row.raw for row in rows}
    lines = overtaken["line"]
    reason = {"column": None, "expected": "the newest row of the person", "value": None, "reason": _OVERTAKEN}
    raw = pl.Series("raw", [raws[line] for line in lines], dtype=pl.String)
    return pl.DataFrame([lines, raw, pl.Series("reasons", [[reason]] * len(lines), dtype=pl.List(REASON))])


def _newest_places(
    workspace: Workspace, source: Source, typed: pl.DataFrame
) -> dict[tuple[str, ...], tuple[int | None, int]]:
    """For each identifier the input and line of its newest stored version."""
    import polars as pl

    from segctl.operations.ingest.records import records_dataset
    from segctl.state.subjects import Subjects

    files = workspace.files(records_dataset(source.name))
    if not files:
        return {}
    who = typed.select(_WHO).unique()
    known = Subjects(workspace).table().select(*_WHO, "subject").join(who.lazy(), on=list(_WHO), how="semi")
    scans = [pl.scan_parquet(file.path).select("subject", "arrival", "file_id", "line") for file in files]
    stored = pl.concat(scans).filter(pl.col("file_id").is_not_null()).sort("arrival")
    last = stored.group_by("subject", maintain_order=True).agg(pl.col("file_id", "line").last())
    found = known.join(last, on="subject").select(*_WHO, "file_id", "line").collect()
    return {(kind, value): (file_id, line) for kind, value, file_id, line in found.iter_rows()}


def _newest_rows(
    workspace: Workspace, source: Source, typed: pl.DataFrame
) -> dict[tuple[str, ...], tuple[int | None, int]]:
    """For each key of a row of a table the input and line of its newest stored version."""
    import polars as pl

    from segctl.operations.evaluation import rows_dataset

    table = "" if source.rows is None else source.rows.table
    files = workspace.files(rows_dataset(table, source.name))
    if not files:
        return {}
    scans = [pl.scan_parquet(file.path).select("key", "arrival", "file_id", "line") for file in files]
    wanted = typed.select("key").unique().lazy()
    stored = pl.concat(scans).filter(pl.col("file_id").is_not_null()).join(wanted, on="key", how="semi")
    last = stored.sort("arrival").group_by("key", maintain_order=True).agg(pl.col("file_id", "line").last())
    return {(key,): (file_id, line) for key, file_id, line in last.collect().iter_rows()}
