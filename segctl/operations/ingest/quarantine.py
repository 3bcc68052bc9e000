"""Rows that were set aside, with every reason, as files of the quarantine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segctl.model.errors import DataError
from segctl.state.files import NewFile, StoredFile
from segctl.state.inputs import inputs_like

if TYPE_CHECKING:
    import polars as pl

    from segctl.connectors.files.base import BadRow
    from segctl.model.sources import Source
    from segctl.operations.ingest.result import SourceResult
    from segctl.state.files import StoredFile
    from segctl.state.workspace import Workspace

FILE_ROWS = 200_000
_EXAMPLES = 5
_BROKEN_OFF = "SEG367"


def quarantine_dataset(source: str) -> str:
    """Dataset with the bad rows of a source."""
    return f"quarantine/{source}"


class Quarantine:
    """Collects bad rows; `finish` gives the files of the commit.

    Attributes:
        rows: Bad rows so far.
        unread: Those of them that the reader could not even take apart.
        reasons: Rows by (column, expected) for the summary.
        examples: The first reasons in words.
        broken: Files that end before their end, each with the line and why.
    """

    def __init__(self, workspace: Workspace, source: str) -> None:
        self.workspace = workspace
        self.source = source
        self.rows = 0
        self.unread = 0
        self.reasons: dict[tuple[str, str], int] = {}
        self.examples: list[str] = []
        self.broken: list[str] = []
        self.digests: list[str] = []
        self._file, self._input = "", 0
        self._shown: list[str] = []
        self._buffer: list[pl.DataFrame] = []
        self._buffered = 0
        self._files: list[NewFile] = []

    def begin_file(self, shown: str, input_id: int, digest: str) -> None:
        """Bad rows of the next batches stand in this file; an empty digest is said later."""
        self._file, self._input = shown, input_id
        self._shown.append(shown)
        self.know_digest(digest)

    def know_digest(self, digest: str) -> None:
        """The digest of the file."""
        if digest and digest not in self.digests:
            self.digests.append(digest)

    def add_unread(self, bad: tuple[BadRow, ...]) -> None:
        """Records the reader could not read."""
        import polars as pl

        if not bad:
            return
        self.unread += len(bad)
        self.broken += [f"{self._file}:{b.line}: {b.reason.message}" for b in bad if b.reason.code == _BROKEN_OFF]
        reasons = [
            [{"column": None, "expected": b.reason.expected, "value": b.reason.value, "reason": b.reason.message}]
            for b in bad
        ]
        lines = pl.Series("line", [b.line for b in bad], dtype=pl.Int64)
        raw = pl.Series("raw", [b.raw for b in bad], dtype=pl.String)
        self.add(pl.DataFrame([lines, raw, pl.Series("reasons", reasons, dtype=pl.List(_reason()))]))

    def add(self, bad: pl.DataFrame) -> None:
        """Rows with ``line``, ``raw`` and ``reasons``."""
        import polars as pl

        if bad.is_empty():
            return
        self.rows += bad.height
        self._count(bad)
        self._buffer.append(
            bad.select(
                pl.lit(self.source).alias("source"),
                pl.lit(self._file).alias("file"),
                "line",
                "raw",
                "reasons",
                pl.lit(self._input, dtype=pl.Int64).alias("ingest"),
            )
        )
        self._buffered += bad.height
        if self._buffered >= FILE_ROWS:
            self._write()

    def _count(self, bad: pl.DataFrame) -> None:
        import polars as pl

        flat = bad.select("line", reason=pl.col("reasons")).explode("reason").unnest("reason")
        counted = flat.group_by("column", "expected", maintain_order=True).agg(rows=pl.len())
        for column, expected, rows in counted.iter_rows():
            key = (column or "", expected or "")
            self.reasons[key] = self.reasons.get(key, 0) + int(rows)
        shown = flat.head(_EXAMPLES - len(self.examples)).select("line", "column", "expected", "reason")
        for line, column, expected, reason in shown.iter_rows():
            self.examples.append(_in_words(self._file, line, column, expected, reason))

    def _write(self) -> None:
        import polars as pl

        if self._buffer:
            frame = pl.concat(self._buffer)
            self._buffer, self._buffered = [], 0
            meta = {"inputs": sorted(set(self.digests))}
            self._files.append(self.workspace.write(quarantine_dataset(self.source), frame, meta))

    def discard(self) -> None:
        """Deletes what was written and not committed."""
        self.workspace.discard(file.path for file in self._files)

    def pending_files(self) -> list[NewFile]:
        """Files with the rows so far, for a commit that sees to the stored ones itself."""
        self._write()
        return self._files

    def finish(self, *, is_everything: bool = False) -> tuple[list[NewFile], list[int]]:
        """Files to add, and ids of stored ones that they replace.

        What an earlier reading of the same file (by its path or by its bytes) has left goes, row by row; rows
        of other files stay.

        Args:
            is_everything: The files read are all there is, so no row of another file counts any more.
        """
        self._write()
        again = None if is_everything else inputs_like(self.workspace, self.source, self._shown, self.digests)
        stale: list[int] = []
        for stored in self.workspace.files(quarantine_dataset(self.source)):
            kept = self._kept(stored, again)
            if kept is not None and kept.height == stored.rows:
                continue
            stale.append(stored.id)
            if kept is not None and kept.height:
                self._files.append(self.workspace.write(stored.dataset, kept, stored.meta))
        return self._files, stale

    def _kept(self, stored: StoredFile, again: set[int] | None) -> pl.DataFrame | None:
        import polars as pl

        if again is None:
            return None
        return pl.read_parquet(stored.path).filter(~pl.col("ingest").is_in(sorted(again)))


def stored_rows(files: list[StoredFile], *columns: str) -> pl.DataFrame:
    """The bad rows in files of the quarantine, in file order; files of older versions lack fields of reasons."""
    import polars as pl

    frames = [pl.read_parquet(file.path, columns=list(columns) or None) for file in files]
    reasons = pl.col("reasons").cast(pl.List(_reason()))
    return pl.concat([frame.with_columns(reasons) for frame in frames])


def _in_words(file: str, line: int, column: str | None, expected: str, reason: str) -> str:
    where = f"{file}:{line}"
    if column is None:
        return f"{where}: {reason}"
    # The value itself is personal data as often as not, so messages leave it out.
    return f"{where}: column `{column}`: {reason} (expected {expected})"


def _reason() -> Any:  # noqa: ANN401 - a polars type, imported late
    from segctl.connectors.typing_rows import REASON

    return REASON


def too_many_bad(source: Source, result: SourceResult) -> DataError:
    """The error when a source has more bad rows than it may."""
    share = 100 * result.bad / max(result.read, 1)
    return DataError(
        "SEG312",
        f"`{source.name}`: {result.bad:,} of {result.read:,} rows are bad ({share:.1f} %), "
        f"limit {source.max_bad_rows}; nothing of it was taken",
        why="; ".join(result.examples[:3]) or None,
        hint=f"look with `segctl quarantine show {source.name}`, mend the file or the declaration, and ingest again",
    )
