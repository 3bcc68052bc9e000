"""Links: which identifiers stood in one row, each pair of a source once.

The dataset ``links`` has one row per pair and source: ``subject_a`` Int32 (the row's own identifier), ``subject_b``
Int32 (the other one), ``source`` String, ``seen`` Datetime (earliest time of such a row; null without one),
``file_id`` Int32, ``line`` Int64 (where it was found first). Links are never rewritten: who is one person follows from
them and can always be derived again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from segctl.state.workspace import Workspace

DATASET = "links"


def links(workspace: Workspace, snapshot: int | None = None) -> pl.LazyFrame:
    """All links; columns as the module says."""
    import polars as pl

    files = workspace.files(DATASET, snapshot)
    return pl.scan_parquet([file.path for file in files]) if files else pl.LazyFrame(schema=schema())


def schema() -> dict[str, pl.DataType | type[pl.DataType]]:
    """Columns and types."""
    import polars as pl

    return {
        "subject_a": pl.Int32, "subject_b": pl.Int32, "source": pl.String, "seen": pl.Datetime("us", "UTC"),
        "file_id": pl.Int32, "line": pl.Int64,
    }  # fmt: skip
