"""The declaration of a table that stays where it is: Delta, Iceberg or a folder of Parquet files."""

from __future__ import annotations

from typing import Literal

from segctl.model.dataclass import dataclass
from segctl.model.secrets import Text

TableFormat = Literal["delta", "iceberg", "parquet"]


@dataclass(frozen=True, slots=True)
class TableFetch:
    """A table whose files are read in place, one resolved version at a time.

    Attributes:
        format: How the table keeps its files.
        path: Its folder, relative to the project, or an address such as ``s3://bucket/orders``; of Iceberg also one
            metadata file; of Parquet also a pattern. Empty when a catalog knows the place.
        version: Delta: number of the version to read; Iceberg: id of the snapshot. None reads the newest.
        catalog: Iceberg only: settings of its catalog, as PyIceberg names them.
        table: Iceberg only: name of the table in the catalog, ``shop.orders``.
        options: Settings and credentials of the storage, as its library names them.
    """

    format: TableFormat
    path: str = ""
    version: int | None = None
    catalog: tuple[tuple[str, Text], ...] = ()
    table: str = ""
    options: tuple[tuple[str, Text], ...] = ()

    @property
    def kind(self) -> str:
        """`table`."""
        return "table"

    @property
    def place(self) -> str:
        """Which table it is; its version and who asks are no part of it."""
        return f"{self.format} {self.path} {self.table}"

    @property
    def is_incremental(self) -> bool:
        """What was added is found without being asked for, so nobody says where to begin."""
        return False
