"""Typed profile rows to record versions: only what changed is stored, and who is gone from a full picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

    from segctl.model.sources import Source
    from segctl.operations.ingest.subjects import Resolver
    from segctl.state.files import NewFile
    from segctl.state.workspace import Workspace

FILE_ROWS = 500_000
_ARRIVAL = "arrival"


@dataclass(slots=True)
class RecordCounts:
    """What became of the typed rows of a source."""

    new: int = 0
    duplicates: int = 0
    gone: int = 0
    read_again: int = 0
    unclaimed: int = 0


def records_dataset(source: str) -> str:
    """Dataset with the record versions of a source."""
    return f"records/{source}"


class RecordSink:
    """Takes typed rows batch by batch; `finish` gives the files of the commit.

    Memory: one buffer of rows, and some ten bytes for each subject of the workspace.
    """

    def __init__(
        self,
        workspace: Workspace,
        source: Source,
        resolver: Resolver,
        arrived_at: datetime,
        *,
        is_afresh: bool = False,
        dataset: str | None = None,
        by: str = "subject",
    ) -> None:
        from segctl.connectors.versions import Versions

        self.workspace = workspace
        self.source = source
        self.resolver = resolver
        self.counts = RecordCounts()
        self.arrived_at = arrived_at
        self.traits = self._columns(source)
        self.leading: tuple[str, ...] = ("subject",)
        self._by = by
        self.dataset = dataset or records_dataset(source.name)
        stored = workspace.files(self.dataset)
        self._stored, self._replaced = ([], stored) if is_afresh else (stored, [])
        self._is_afresh = is_afresh
        self._parted: list[NewFile] = []
        self._versions = Versions.read(
            [file.path for file in self._stored], dated=source.record_time is not None, by=by
        )
        self._buffer: list[pl.DataFrame] = []
        self._buffered = 0
        self._files: list[NewFile] = []
        self._file_id = 0

    def begin_file(self, file_id: int) -> None:
        """Rows of the next batches come from this file."""
        self._file_id = file_id

    def add(self, rows: pl.DataFrame) -> None:
        """Takes the typed rows of one batch."""
        import polars as pl

        if rows.is_empty():
            return
        frame = self._placed(rows)
        if "valid_from" not in frame.columns:
            frame = frame.with_columns(valid_from=pl.lit(None, dtype=pl.Datetime("us", "UTC")))
        frame = frame.sort(self._by, "valid_from", "row", maintain_order=True)
        if self.source.keeps_on_empty:
            frame = self._filled(frame)
        changed = self._versions.changed(frame, self._compared, self.arrived_at)
        self.counts.new += changed.height
        self.counts.duplicates += rows.height - changed.height
        self._append(changed, file_id=self._file_id)

    def see(self, bad: pl.DataFrame) -> None:
        """People whose row is bad are not absent."""
        self._versions.see(self.resolver.resolve(bad["id_type"], bad["value"]))

    def _placed(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The rows with whose versions they are."""
        return rows.with_columns(self.resolver.resolve(rows["id_type"], rows["value"]).alias("subject"))

    @property
    def _compared(self) -> tuple[str, ...]:
        """Columns that make a version another one."""
        return self.traits

    def _columns(self, source: Source) -> tuple[str, ...]:
        from segctl.model.types import stored_column

        return tuple(stored_column(target.name, target.type) for target in source.traits)

    def _append(self, frame: pl.DataFrame, *, file_id: int | None) -> None:
        import polars as pl

        if frame.is_empty():
            return
        frame = frame.sort("row") if "row" in frame.columns else frame
        first = self.workspace.reserve(_ARRIVAL, frame.height)
        self._buffer.append(
            frame.select(
                *self.leading,
                "valid_from",
                pl.lit(self.arrived_at).cast(pl.Datetime("us", "UTC")).alias("arrived_at"),
                pl.int_range(first, first + frame.height, dtype=pl.Int64).alias("arrival"),
                "gone",
                pl.lit(file_id, dtype=pl.Int32).alias("file_id"),
                "line",
                "digest",
                *(column for column in self.traits if column in frame.columns),
            )
        )
        self._buffered += frame.height
        if self._buffered >= FILE_ROWS:
            self._write()

    def _write(self) -> None:
        import polars as pl

        if not self._buffer:
            return
        frame = pl.concat(self._buffer, how="diagonal")
        self._buffer, self._buffered = [], 0
        meta: dict[str, Any] = {
            "columns": frame.columns,
            "min_arrival": frame["arrival"].min(),
            "max_arrival": frame["arrival"].max(),
            "gone": int(frame["gone"].sum()),
        }
        self._files.append(self.workspace.write(self.dataset, frame, meta))

    def mark_gone(self) -> None:
        """Stores who was there and is not in the full picture that was just read."""
        gone = self._versions.absent(self.arrived_at)
        self.counts.gone += gone.height
        self._append(gone, file_id=None)

    def discard(self) -> None:
        """Deletes what was written, when there will be no commit."""
        self.workspace.discard(file.path for file in (*self._parted, *self._files))

    def finish(self) -> tuple[list[NewFile], list[int]]:
        """Files to add, and ids of stored files to remove, in one commit."""
        self._write()
        self.counts.read_again = sum(file.rows for file in self._replaced)
        return self._files, [file.id for file in self._replaced]

    def parted(self) -> list[NewFile]:
        """Files of what came since the last time, to be committed; the sink goes on, and knows it."""
        self._write()
        self._parted, self._files = self._files, []
        return self._parted

    def settled(self) -> None:
        """What was parted from it was committed."""
        self._parted = []

    def _filled(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Empty cells get the value the person had: from the row before, else from what is stored."""
        import polars as pl

        self._write()
        # Somebody else may have merged the files since.
        before = [] if self._is_afresh else self.workspace.files(self.dataset)
        paths = [*(file.path for file in before), *(file.path for file in (*self._parted, *self._files))]
        names = [name for name in self.traits if name in frame.columns]
        frame = frame.with_columns(pl.col(names).forward_fill().over("subject"))
        if not paths:
            return frame
        scans = [pl.scan_parquet(path) for path in paths]
        wanted = frame.select(pl.col("subject").unique()).lazy()
        stored = pl.concat(scans, how="diagonal").join(wanted, on="subject", how="semi").sort("arrival").collect()
        names = [name for name in names if name in stored.columns]
        last = stored.group_by("subject").agg(pl.col(names).last())
        joined = frame.join(last, on="subject", how="left", maintain_order="left", suffix=":stored")
        return joined.with_columns(pl.coalesce(name, f"{name}:stored").alias(name) for name in names).drop(
            [f"{name}:stored" for name in names]
        )
