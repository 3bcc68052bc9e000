"""What stands in files and lies ahead: whoever is nobody before it is somebody then."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from segctl.compile.zones import to_us

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from segctl.state.workspace import Workspace


def ahead(workspace: Workspace, snapshot: int, at: datetime) -> list[pl.DataFrame]:
    """``subject`` and ``ts`` of events and record versions of later than an instant.

    Args:
        workspace: Open.
        snapshot: Whose files.
        at: Aware; what is of this instant is not ahead.
    """
    events = [file.path for file in workspace.files("events", snapshot) if (file.meta.get("max_ts") or 0) > to_us(at)]
    versions = [
        file.path
        for name in workspace.datasets("records/", snapshot)
        for file in workspace.files(name, snapshot)
        if file.rows
    ]
    return [_rows(paths, column, at) for paths, column in ((events, "ts"), (versions, "valid_from")) if paths]


def _rows(paths: list[Path], column: str, at: datetime) -> pl.DataFrame:
    import polars as pl

    rows = pl.scan_parquet(paths, glob=False, hive_partitioning=False, extra_columns="ignore")
    later = rows.filter(pl.col(column) > pl.lit(at).cast(pl.Datetime("us", "UTC")))
    return later.select("subject", pl.col(column).alias("ts")).collect(engine="streaming")
