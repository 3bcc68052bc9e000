"""Identifiers that stand in one row to links, each new pair once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from segctl.connectors.typing_rows import TypedBatch
    from segctl.operations.ingest.again import Afresh
    from segctl.operations.ingest.subjects import Resolver
    from segctl.state.files import NewFile
    from segctl.state.workspace import Workspace

_PAIRS_AT_ONCE = 2_000_000
_PAIR = ("subject_a", "subject_b")


class LinkSink:
    """Takes typed batches; `finish` gives the files of the commit.

    Memory: one row for each distinct pair of the source.
    """

    def __init__(self, workspace: Workspace, source: str, resolver: Resolver) -> None:
        self._workspace = workspace
        self._source = source
        self._resolver = resolver
        self._buffer: list[pl.DataFrame] = []
        self._buffered = 0
        self._file_id = 0

    def begin_file(self, file_id: int) -> None:
        """Rows of the next batches come from this file."""
        self._file_id = file_id

    def add(self, typed: TypedBatch) -> None:
        """Takes the pairs of one batch."""
        import polars as pl

        from segctl.connectors.typing_rows import LINKED

        found = typed.linked
        if found.is_empty():
            return
        found = found.unique(LINKED, keep="first", maintain_order=True)
        own = self._resolver.resolve(found["id_type"], found["value"])
        other = self._resolver.resolve(found["other_type"], found["other_value"])
        self._buffer.append(
            pl.DataFrame([own.alias("subject_a"), other.alias("subject_b")])
            .with_columns(
                pl.lit(self._source).alias("source"), found["seen"],
                pl.lit(self._file_id, dtype=pl.Int32).alias("file_id"), found["line"],
            )
            .filter((pl.col("subject_a") != pl.col("subject_b")).fill_null(value=False))
        )  # fmt: skip
        self._buffered += found.height
        if self._buffered >= _PAIRS_AT_ONCE:
            self._buffer = [self._distinct()]
            self._buffered = self._buffer[0].height // 2

    def _distinct(self) -> pl.DataFrame:
        import polars as pl

        frame = pl.concat(self._buffer).sort("seen", nulls_last=True, maintain_order=True)
        return frame.unique(_PAIR, keep="first", maintain_order=True)

    def finish(self, afresh: Afresh | None = None) -> tuple[list[NewFile], list[int]]:
        """Files to add and ids of files to remove, so that each pair of this source stands there once.

        Args:
            afresh: All files of the source were read again: earlier links go, but for those of kept inputs.
        """
        import polars as pl

        from segctl.state.links import DATASET, links

        made, gone = ([], []) if afresh is None else self._without_source(afresh)
        if not self._buffer:
            return made, gone
        new = self._distinct()
        if afresh is None or afresh.kept:
            known = links(self._workspace).filter(pl.col("source") == self._source)
            if afresh is not None:
                known = known.filter(pl.col("file_id").is_in(sorted(afresh.kept)))
            new = new.join(known.select(_PAIR).collect(), on=_PAIR, how="anti", maintain_order="left")
        if new.height:
            made = [*made, self._workspace.write(DATASET, new.sort(_PAIR))]
        return made, gone

    def _without_source(self, afresh: Afresh) -> tuple[list[NewFile], list[int]]:
        import polars as pl

        from segctl.state.links import DATASET

        made: list[NewFile] = []
        gone: list[int] = []
        goes = (pl.col("source") == self._source) & ~pl.col("file_id").is_in(sorted(afresh.kept))
        for file in self._workspace.files(DATASET):
            frame = pl.read_parquet(file.path)
            rest = frame.filter(~goes)
            if rest.height < frame.height:
                gone.append(file.id)
                made += [self._workspace.write(DATASET, rest)] if rest.height else []
        return made, gone
