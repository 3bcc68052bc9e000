"""Columns that a declaration names and an input lacks: found before anything of it is taken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from segctl.model.errors import DataError

if TYPE_CHECKING:
    from segctl.connectors.files import Detected
    from segctl.model.sources import Source


def check_columns(source: Source, detected: Detected, shown: str) -> None:
    """A column that the declaration names must be in the file, where a file says what it has.

    Raises:
        DataError: It is not there, or the file has no columns.
    """
    if detected.format in ("json", "ndjson"):
        return
    refuse_missing(source, detected.columns, shown)


def refuse_missing(source: Source, columns: Sequence[str], shown: str) -> None:
    """A column that the declaration names must be among those of an input.

    Args:
        source: Whose declaration.
        columns: All that the input has.
        shown: What it is called.

    Raises:
        DataError: It is not there, or there are no columns.
    """
    from segctl.compile.source_nodes import nearest
    from segctl.model.sources import needed_columns

    if source.tracking is not None:
        return
    if not columns:
        raise DataError(
            "SEG310",
            f"`{shown}` has no columns: it is empty, or breaks off at its start",
            hint="look at how the file came here; it should begin with a line of column names",
        )
    known = set(columns)
    for name in needed_columns(source):
        heads = {name.rsplit(".", cut)[0] for cut in range(name.count(".") + 1)}
        if not heads & known:
            raise DataError(
                "SEG310",
                f"`{shown}` has no column `{name}`, which the source `{source.name}` names",
                hint=nearest(name, columns),
            )
