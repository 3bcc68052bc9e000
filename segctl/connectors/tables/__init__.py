"""Tables that are read in place, by format; one file and one line each."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segctl.connectors.tables.base import Table
    from segctl.model.fetching_table import TableFetch

TABLES: dict[str, str] = {
    "delta": "segctl.connectors.tables.delta:open_delta",
    "iceberg": "segctl.connectors.tables.iceberg:open_iceberg",
    "parquet": "segctl.connectors.tables.parquet:open_parquet",
}
"""Format → ``module:function``, called with the declaration, the project's folder and the source's name."""


def open_table(fetch: TableFetch, root: Path, source: str) -> Table:
    """The table at the version that is declared, or its newest: from here on other writers change nothing of it.

    Raises:
        UsageError: The package for its format is missing (SEG660), or there is no such table (SEG661).
        SegctlError: It cannot be read.
    """
    module, _, function = TABLES[fetch.format].partition(":")
    found: Table = getattr(import_module(module), function)(fetch, root, source)
    return found
