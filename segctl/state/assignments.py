"""Who is in which arm of an experiment, written once: one dataset of immutable files for each experiment.

A file holds what one push, or one `experiment assign`, decided. A profile that was assigned before its first push has
a second row, with the push; readers put both together. The first row of a unit in the order of commits decides on its
arm, so there is one arm a unit whatever happens.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from segctl.state.files import StoredFile
    from segctl.state.workspace import Workspace

DATASET = "assignments/"
COMMIT = "assignments"
_LOCK = "assignments"
_MOST_FILES = 16
"""So many files of an experiment are written together into one."""
_IMPORTED = "imported"
"""Meta of a file whose rows were dealt elsewhere, so that no hash knows their arms."""


def schema() -> dict[str, pl.DataType | type[pl.DataType]]:
    """Columns of `assignments` and their types.

    ``experiment`` is the name on record, ``unit`` what was hashed, ``subject`` that of the profile then, ``stratum``
    null without strata, ``exposed_at`` null before the first push, ``epoch`` that of the weights, ``push`` the id of
    the first push, null when that had nothing to send.
    """
    import polars as pl

    instant = pl.Datetime("us", "UTC")
    return {
        "experiment": pl.String, "unit": pl.String, "profile_id": pl.String, "subject": pl.Int32, "arm": pl.String,
        "stratum": pl.String, "assigned_at": instant, "exposed_at": instant, "epoch": pl.Int32, "push": pl.String,
    }  # fmt: skip


def assignments(workspace: Workspace, experiment: str, snapshot: int | None = None) -> pl.DataFrame:
    """Who is in which arm: one row per profile, oldest first; columns as `schema` says.

    Args:
        workspace: Open.
        experiment: Name on record: `Experiment.key`, or ``universal:`` and the name of a generation.
        snapshot: As of which commit; the newest by default.
    """
    import polars as pl

    files = workspace.files(f"{DATASET}{experiment}", snapshot)
    if not files:
        return pl.DataFrame(schema=schema())
    rows = pl.concat([pl.read_parquet(file.path, glob=False, hive_partitioning=False) for file in files])
    # A single file has one row per profile and one arm per unit; looking whether it has costs more than reading it.
    return rows if len(files) == 1 else _once(rows)


def imported_units(workspace: Workspace, experiment: str) -> pl.Series:
    """Units whose arm was taken over from elsewhere, perhaps more than once; `experiment` is the name on record."""
    import polars as pl

    paths = [file.path for file in workspace.files(f"{DATASET}{experiment}") if _is_imported(file)]
    parts = [pl.read_parquet(path, columns=["unit"], glob=False, hive_partitioning=False)["unit"] for path in paths]
    return pl.concat(parts) if parts else pl.Series("unit", [], dtype=pl.String)


def assigned_names(workspace: Workspace) -> list[str]:
    """Names on record of the experiments that anybody was assigned to."""
    return [name.removeprefix(DATASET) for name in workspace.datasets(DATASET)]


def assignment_counts(workspace: Workspace, experiment: str) -> dict[str, tuple[int, int]]:
    """Arm → profiles assigned and, of these, exposed; by name."""
    import polars as pl

    exposed = pl.col("exposed_at").is_not_null().sum().alias("exposed")
    found = assignments(workspace, experiment).group_by("arm").agg(pl.len(), exposed).sort("arm")
    return {arm: (people, seen) for arm, people, seen in found.iter_rows()}


def record_assignments(
    workspace: Workspace,
    rows: Mapping[str, pl.DataFrame],
    *,
    within: Callable[[sqlite3.Connection], None] | None = None,
    is_still_so: Callable[[], bool] = lambda: True,
    is_imported: bool = False,
) -> bool:
    """Write assignments down, of several experiments in one commit.

    Of profiles that are on record only a first exposure is written.

    Args:
        workspace: Open.
        rows: Name on record → rows as of `assignments`, one a profile.
        within: Further statements of the commit, such as those of new epochs.
        is_still_so: Asked once nobody else can write: is what the rows were made from still true?
        is_imported: They were dealt elsewhere.

    Returns:
        False when it is not, or somebody else has given one of these units another arm meanwhile: nothing was written.
    """
    with workspace.moment(_LOCK):
        if not is_still_so():
            return False
        fresh = {}
        for name, new in rows.items():
            stored = assignments(workspace, name)
            if _contradicts(stored, new):
                return False
            fresh[name] = _fresh(stored, new)
        fresh = {name: new for name, new in fresh.items() if new.height}
        if fresh or within is not None:
            _write(workspace, fresh, within, is_imported=is_imported)
    return True


def _write(
    workspace: Workspace,
    fresh: Mapping[str, pl.DataFrame],
    within: Callable[[sqlite3.Connection], None] | None,
    *,
    is_imported: bool,
) -> None:
    import polars as pl

    add, remove = [], []
    for name, new in fresh.items():
        dataset, written = f"{DATASET}{name}", new.select(schema().keys())
        # What was dealt elsewhere stays in files of its own.
        files = [file for file in workspace.files(dataset) if _is_imported(file) == is_imported]
        if len(files) >= _MOST_FILES:
            stored = [pl.read_parquet(file.path, glob=False, hive_partitioning=False) for file in files]
            written = _once(pl.concat([*stored, written]))
            remove += [file.id for file in files]
        add.append(workspace.write(dataset, written, {_IMPORTED: True} if is_imported else None))
    workspace.commit(COMMIT, add=add, remove=remove, within=within)


def _is_imported(file: StoredFile) -> bool:
    return bool(file.meta.get(_IMPORTED))


def _once(rows: pl.DataFrame) -> pl.DataFrame:
    """One row per profile, and one arm per unit: the first."""
    import polars as pl

    if rows["profile_id"].n_unique() < rows.height:
        first = [pl.col(name).first() for name in rows.columns if name not in ("profile_id", "exposed_at", "push")]
        # What a push says comes with the exposure that it was.
        exposed = [pl.col(name).filter(pl.col("exposed_at").is_not_null()).first() for name in ("exposed_at", "push")]
        rows = rows.group_by("profile_id", maintain_order=True).agg(*first, *exposed).select(rows.columns)
    if (rows["unit"] == rows["profile_id"]).all():
        return rows
    if rows.select(pl.struct("unit", "arm").n_unique()).item() > rows["unit"].n_unique():
        rows = rows.with_columns(pl.col("arm").first().over("unit"))
    return rows


def _contradicts(stored: pl.DataFrame, new: pl.DataFrame) -> bool:
    """True if a unit or a profile of the new rows is on record with another arm."""
    import polars as pl

    for by in ("unit", "profile_id"):
        both = new.select(by, "arm").join(stored.select(by, pl.col("arm").alias("then")).unique(), on=by)
        if both.filter(pl.col("arm") != pl.col("then")).height:
            return True
    return False


def _fresh(stored: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    """The new rows without those that add nothing."""
    import polars as pl

    if stored.is_empty():
        return new
    # Nulls of either side are strangers, so nothing is lost that was never seen.
    seen = stored.select("profile_id", pl.col("exposed_at").is_not_null().alias("was_exposed"))
    found = new.join(seen, on="profile_id", how="left", maintain_order="left")
    adds = pl.col("was_exposed").is_null() | (~pl.col("was_exposed") & pl.col("exposed_at").is_not_null())
    return found.filter(adds).drop("was_exposed")
