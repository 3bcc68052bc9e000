"""Typed rows of a related table to row versions: only what changed is stored, and which rows left a full picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segctl.operations.evaluation import rows_dataset
from segctl.operations.ingest.records import RecordSink

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    import polars as pl

    from segctl.model.sources import RowsRule, Source
    from segctl.operations.ingest.subjects import Resolver
    from segctl.state.files import NewFile
    from segctl.state.workspace import Workspace


class RowSink(RecordSink):
    """Takes typed rows of a table; a version belongs to a row's key, and whose it is, is part of what it says."""

    def __init__(
        self,
        workspace: Workspace,
        source: Source,
        resolver: Resolver,
        arrived_at: datetime,
        *,
        is_afresh: bool = False,
    ) -> None:
        rule = _rule(source)
        super().__init__(
            workspace, source, resolver, arrived_at,
            is_afresh=is_afresh, dataset=rows_dataset(rule.table, source.name), by="row_number",
        )  # fmt: skip
        self.leading = ("subject", "key", "row_number")
        self._numbers = RowNumbers([file.path for file in self._stored])

    def see(self, bad: pl.DataFrame) -> None:
        """Rows of the picture that are bad are not absent."""
        self._versions.see(self._numbers.of(bad["key"]))

    def mark_gone(self) -> None:
        """Stores which rows were there and are not in the full picture that was just read."""
        import polars as pl

        gone = self._numbers.named(self._versions.absent(self.arrived_at))
        self.counts.gone += gone.height
        self._append(gone.with_columns(subject=pl.lit(None, dtype=pl.Int32)), file_id=None)

    def _placed(self, rows: pl.DataFrame) -> pl.DataFrame:
        # Rows of nobody are kept: whose a row is may change, and then it is no longer another one's.
        self.counts.unclaimed += rows["value"].null_count()
        subjects = self.resolver.resolve(rows["id_type"], rows["value"])
        return rows.with_columns(subjects.alias("subject"), self._numbers.of(rows["key"]).alias("row_number"))

    @property
    def _compared(self) -> tuple[str, ...]:
        return (*self.traits, "subject")

    def _columns(self, source: Source) -> tuple[str, ...]:
        from segctl.model.types import stored_column

        return tuple(stored_column(target.name, target.type) for target in _rule(source).properties)


class RowNumbers:
    """A dense number for each key of a source's rows, the same in every run that follows."""

    def __init__(self, paths: list[Path]) -> None:
        import polars as pl

        self._known = pl.DataFrame(schema={"key": pl.String, "row_number": pl.Int32})
        if paths:
            stored = pl.scan_parquet(paths, missing_columns="insert", extra_columns="ignore")
            self._known = stored.select("key", "row_number").unique("row_number").collect()

    def of(self, keys: pl.Series) -> pl.Series:
        """Numbers of keys, new ones for those that are new."""
        import polars as pl

        asked = keys.rename("key").to_frame()
        new = asked.unique(maintain_order=True).join(self._known, on="key", how="anti", maintain_order="left")
        if new.height:
            first = self._known.height
            numbers = pl.int_range(first, first + new.height, dtype=pl.Int32, eager=True).alias("row_number")
            self._known = pl.concat([self._known, new.with_columns(numbers)])
        return asked.join(self._known, on="key", how="left", maintain_order="left")["row_number"]

    def named(self, numbered: pl.DataFrame) -> pl.DataFrame:
        """The rows with the keys of their numbers."""
        return numbered.join(self._known, on="row_number", how="left", maintain_order="left")


def owners(workspace: Workspace, source: Source, new: Sequence[NewFile]) -> set[int]:
    """Subjects of all versions of the rows of a table that stand in new files; none for records of profiles.

    Args:
        workspace: With the stored versions.
        source: Declared source of the rows.
        new: Files of its versions, not committed yet.
    """
    import polars as pl

    if source.rows is None or not new:
        return set()
    came = pl.scan_parquet([file.path for file in new], missing_columns="insert", extra_columns="ignore")
    keys = came.select(pl.col("key").unique())
    stored = [file.path for file in workspace.files(rows_dataset(source.rows.table, source.name))]
    scans = [came, *([pl.scan_parquet(stored, missing_columns="insert", extra_columns="ignore")] if stored else [])]
    versions = pl.concat([scan.select("subject", "key") for scan in scans])
    found = versions.join(keys, on="key", how="semi").select(pl.col("subject").unique())
    return set(found.collect(engine="streaming")["subject"].drop_nulls())


def record_sink(source: Source) -> type[RecordSink]:
    """What takes the records of a source: profile records, or rows of a table."""
    return RecordSink if source.rows is None else RowSink


def _rule(source: Source) -> RowsRule:
    if source.rows is None:
        raise TypeError(f"`{source.name}` gives no rows of a table")
    return source.rows
