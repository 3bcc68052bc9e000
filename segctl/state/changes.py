"""The log of who entered and left which segment, and the checkpoints that make reading it short.

Dataset ``changes``: one row per change, columns ``run`` Int32 (number), ``segment`` Int32 (number), ``subject``
Int32, ``entered`` Boolean, ``effective`` Datetime(us, UTC), ``cause`` String; a file holds one run, or several
after compaction, sorted by (subject, segment, run); ``meta.runs`` is the range. Dataset ``checkpoints``: row
number = subject, one Boolean column per segment number; ``meta.run`` says which run, ``meta.what_if`` that it
never was in force.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from segctl.state.files import StoredFile
    from segctl.state.workspace import Workspace

CHANGES = "changes"
CHECKPOINTS = "checkpoints"


def change_schema() -> dict[str, pl.DataType | type[pl.DataType]]:
    """Columns of the log."""
    import polars as pl

    return {
        "run": pl.Int32,
        "segment": pl.Int32,
        "subject": pl.Int32,
        "entered": pl.Boolean,
        "effective": pl.Datetime("us", "UTC"),
        "cause": pl.String,
    }


def read_changes(
    workspace: Workspace, after: int, until: int, *, segments: Sequence[int] | None = None
) -> pl.DataFrame:
    """Changes of the runs ``after < run <= until``, in order of run."""
    import polars as pl

    files = [f for f in workspace.files(CHANGES) if f.meta["runs"][1] > after and f.meta["runs"][0] <= until]
    parts = []
    for file in sorted(files, key=lambda f: int(f.meta["runs"][0])):
        part = pl.read_parquet(file.path)
        if not (after < file.meta["runs"][0] and file.meta["runs"][1] <= until):
            part = part.filter((pl.col("run") > after) & (pl.col("run") <= until))
        if segments is not None:
            part = part.filter(pl.col("segment").is_in(list(segments)))
        parts.append(part.sort("run", maintain_order=True) if file.meta["runs"][0] < file.meta["runs"][1] else part)
    return pl.concat(parts) if parts else pl.DataFrame(schema=change_schema())


def changes_of_subjects(workspace: Workspace, subjects: Iterable[int]) -> pl.DataFrame:
    """Everything that ever happened to these subjects, in order of run."""
    import polars as pl

    files = workspace.files(CHANGES)
    if not files:
        return pl.DataFrame(schema=change_schema())
    wanted = pl.col("subject").is_in(list(subjects))
    return pl.scan_parquet([f.path for f in files]).filter(wanted).collect().sort("run", "segment", "subject")


def newest_checkpoint(workspace: Workspace, until: int) -> StoredFile | None:
    """The checkpoint in force with the highest run not above `until`."""
    files = [f for f in workspace.files(CHECKPOINTS) if not f.meta["what_if"] and f.meta["run"] <= until]
    return max(files, key=lambda f: int(f.meta["run"]), default=None)


def what_if_checkpoint(workspace: Workspace, run: int) -> StoredFile | None:
    """What a run found for the segments that it did not bring into force."""
    return next((f for f in workspace.files(CHECKPOINTS) if f.meta["what_if"] and f.meta["run"] == run), None)


@dataclass(frozen=True, slots=True)
class Standing:
    """Who belonged to which segment right after a run.

    Attributes:
        columns: Checkpoint columns by segment number, dense by subject.
        since: Changes after the checkpoint by segment number, in order of run.
    """

    columns: dict[int, pl.Series]
    since: dict[int, pl.DataFrame]

    def flags(self, segment: int, length: int = 0) -> pl.Series:
        """Dense truth by subject; at least `length` long."""
        column, later = self.columns.get(segment, nobody()), self.since.get(segment)
        if later is None:
            return grown(column, length)
        last = int(later.select("subject").max().item())
        # Where a subject changed more than once the last value stays: the newest run's.
        return grown(column, max(length, last + 1)).clone().scatter(later["subject"], later["entered"])


def nobody() -> pl.Series:
    """Dense truth for no subject at all."""
    import polars as pl

    return pl.Series(dtype=pl.Boolean)


def grown(flags: pl.Series, length: int) -> pl.Series:
    """Dense truth at least `length` long; those added do not belong."""
    missing = length - flags.len()
    return flags.extend_constant(value=False, n=missing) if missing > 0 else flags


def standing(workspace: Workspace, run: int, segments: Sequence[int] | None = None) -> Standing:
    """Membership in force after run number `run`, of some segments or all."""
    checkpoint = newest_checkpoint(workspace, run)
    columns: dict[int, pl.Series] = {}
    after = 0
    if checkpoint is not None:
        after = checkpoint.meta["run"]
        columns = read_checkpoint(checkpoint, segments)
    since = read_changes(workspace, after, run, segments=segments)
    parts = since.partition_by("segment", as_dict=True, maintain_order=True)
    return Standing(columns, {int(key[0]): part for key, part in parts.items()})


def read_checkpoint(file: StoredFile, segments: Sequence[int] | None = None) -> dict[int, pl.Series]:
    """Columns of a checkpoint by segment number; segments it does not hold are left out."""
    import polars as pl

    held = [s for s in file.meta["segments"] if segments is None or s in set(segments)]
    frame = pl.read_parquet(file.path, columns=[str(s) for s in held]) if held else pl.DataFrame()
    return {s: frame[str(s)] for s in held}


def net(changes: pl.DataFrame, segments: Sequence[int]) -> pl.DataFrame:
    """What remains of changes in order of run: those who came and went again between are left out.

    A subject's changes of one segment alternate, so it has moved iff the first and the last agree. The rows
    kept are the last ones: in the order of `segments`, then of subjects; other segments are left out.
    """
    import numpy as np
    import polars as pl

    numbers = changes["segment"].to_numpy()
    in_order = np.argsort(numbers.astype(np.int16 if numbers.max(initial=0) < 2**15 else np.int32), kind="stable")
    edges = np.searchsorted(numbers[in_order], [[segment, segment + 1] for segment in segments])
    subjects, entered = changes["subject"].to_numpy(), changes["entered"].to_numpy()
    # Used again for every segment, and never cleared: only places just written are read.
    room = np.empty((2, int(subjects.max(initial=-1)) + 1), dtype=np.int64)
    kept = [_moved(subjects, entered, in_order[start:end], room) for start, end in edges.reshape(-1, 2)]
    rows = np.concatenate([np.zeros(0, dtype=np.int64), *kept])
    return changes.select(pl.col("segment", "subject", "entered", "effective", "cause").gather(rows))


def _moved(
    subjects: NDArray[np.int32], entered: NDArray[np.bool_], rows: NDArray[np.int64], room: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Of one segment's rows, in order of run, the last row of each subject that has moved; by subject."""
    import numpy as np

    of = subjects[rows]
    first, last = room
    # Of several rows of a subject numpy keeps the last one written.
    last[of] = rows
    first[of[::-1]] = rows[::-1]
    ends = of[last[of] == rows]
    moved = np.sort(ends[entered[first[ends]] == entered[last[ends]]])
    rows_moved: NDArray[np.int64] = last[moved]
    return rows_moved
