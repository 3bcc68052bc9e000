"""Identifiers to subjects, remembering what a run has asked before."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from segctl.model.project import Project
    from segctl.state.workspace import Workspace


class Resolver:
    """Subjects of identifiers; in a dry run unknown ones get numbers that are not stored.

    Attributes:
        new: Subjects that were unknown before this run.
    """

    def __init__(self, workspace: Workspace, project: Project, *, dry_run: bool = False) -> None:
        from segctl.state.subjects import Subjects, subject_count

        self._workspace = workspace
        self._subjects = Subjects(workspace, project.identifiers)
        self._dry_run = dry_run
        self._provisional: pl.DataFrame | None = None
        self._first = subject_count(workspace)
        self._largest = self._first - 1

    def resolve(self, id_types: pl.Series, values: pl.Series) -> pl.Series:
        """Int32 subjects, row by row; null where there is no identifier."""
        import polars as pl

        subjects = self._resolve(pl.DataFrame({"id_type": id_types, "value": values}))
        top = subjects.max()
        self._largest = max(self._largest, int(top)) if isinstance(top, int) else self._largest
        return subjects

    @property
    def new(self) -> int:
        """How many subjects this run saw first, other runs of the same moment included."""
        return self._largest + 1 - self._first

    def _resolve(self, asked: pl.DataFrame) -> pl.Series:
        if not self._dry_run:
            return self._subjects.resolve(asked["id_type"], asked["value"])
        return self._provisionally(asked)

    def _provisionally(self, asked: pl.DataFrame) -> pl.Series:
        import polars as pl

        on = ["id_type", "value"]
        if self._provisional is None:
            self._provisional = self._subjects.table().select("id_type", "value", "subject").collect()
        new = (
            asked.drop_nulls()
            .unique(maintain_order=True)
            .join(self._provisional, on=on, how="anti", maintain_order="left")
        )
        if new.height:
            first = self._provisional.height
            numbers = pl.int_range(first, first + new.height, dtype=pl.Int32).alias("subject")
            self._provisional = pl.concat([self._provisional, new.select(*on, numbers)])
        return asked.join(self._provisional, on=on, how="left", maintain_order="left")["subject"]
