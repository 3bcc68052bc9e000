"""Stored event properties that a changed declaration leaves behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segctl.model.types import stored_column

if TYPE_CHECKING:
    from pathlib import Path

    from segctl.model.project import Project
    from segctl.state.workspace import Workspace


def retyped_properties(workspace: Workspace, project: Project, *, snapshot: int | None = None) -> list[tuple[str, int]]:
    """Properties of which values are stored under another type than is declared now, with how many, by name.

    Such values are kept, but no definition can see them.
    """
    declared = {name for event in project.event_kinds for name, _ in event.properties}
    current = {stored_column(name, of) for event in project.event_kinds for name, of in event.properties}
    found: dict[str, int] = {}
    for file in workspace.files("events", snapshot):
        old = [column for column in file.meta["columns"] if _name(column) in declared and column not in current]
        for column, values in _filled(file.path, old):
            found[_name(column)] = found.get(_name(column), 0) + values
    return sorted((name, values) for name, values in found.items() if values)


def _name(column: str) -> str:
    """The property a stored column belongs to; empty for the columns that every event has."""
    return column.rpartition(":")[0]


def _filled(path: Path, columns: list[str]) -> list[tuple[str, int]]:
    if not columns:
        return []
    import polars as pl

    counts = pl.scan_parquet(path).select(pl.col(columns).count()).collect(engine="streaming")
    return [(column, int(counts[column][0])) for column in columns]
