"""Who entered and left segments, in order, each change exactly once: of recorded runs, and of a running stream.

A position says up to which run, and up to which change of a stream, everything was read. It is text: whoever reads
keeps it in the transaction of what it does with the changes. What a stream has said counts from the moment it is
committed; the run that its checkpoint makes of it later is then passed over for those changes.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass
from segctl.state.changes import read_changes
from segctl.state.runs import newest_number

if TYPE_CHECKING:
    import polars as pl

    from segctl.state.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Position:
    """How far a reader is.

    Attributes:
        run: Number of the last run that was read.
        stream: Number of the last change of a stream that was read.
    """

    run: int = 0
    stream: int = 0

    def __str__(self) -> str:
        return f"{self.run}.{self.stream}"

    @classmethod
    def parse(cls, text: str) -> Position:
        """A position from its text."""
        run, _, stream = text.partition(".")
        return cls(int(run), int(stream or 0))


def newest_position(workspace: Workspace) -> Position:
    """The end of the feed: nothing that is there now comes after it."""
    return Position(newest_number(workspace), _newest_of_stream(workspace))


def changes_since(workspace: Workspace, position: Position, segments: Collection[str]) -> tuple[pl.DataFrame, Position]:
    """Changes after a position, and the position behind them.

    Args:
        workspace: Open.
        position: Of the last call; `newest_position` at first.
        segments: Names that segments have today.

    Returns:
        One row per change in order: ``segment`` String, ``subject`` Int32, ``entered`` Boolean, ``effective``
        Datetime(us, UTC), ``cause`` String, ``sequence`` String, which names the change for ever. Changes of a
        what-if run are none.
    """
    import polars as pl

    until = newest_position(workspace)
    names = _numbers(workspace, segments)
    recorded = read_changes(workspace, position.run, until.run, segments=list(names)) if names else None
    frames = [pl.DataFrame(schema=feed_schema())]
    if recorded is not None and recorded.height:
        frames.append(_named(_without_streamed(workspace, recorded), names))
    frames.append(_streamed(workspace, position.stream, until.stream, segments))
    return pl.concat(frames), until


def feed_schema() -> dict[str, pl.DataType | type[pl.DataType]]:
    """Columns of the feed."""
    import polars as pl

    return {
        "segment": pl.String, "subject": pl.Int32, "entered": pl.Boolean, "effective": pl.Datetime("us", "UTC"),
        "cause": pl.String, "sequence": pl.String,
    }  # fmt: skip


def _numbers(workspace: Workspace, segments: Collection[str]) -> dict[int, str]:
    rows = workspace.query("SELECT id, name FROM segments WHERE alive")
    return {row["id"]: row["name"] for row in rows if row["name"] in set(segments)}


def _named(recorded: pl.DataFrame, names: dict[int, str]) -> pl.DataFrame:
    import polars as pl

    sequence = pl.format("run:{}:{}:{}", "run", "segment", "subject")
    named = pl.col("segment").replace_strict(names, return_dtype=pl.String)
    return recorded.sort("run", "effective", "segment", "subject").select(
        named.alias("segment"), "subject", "entered", "effective", "cause", sequence.alias("sequence")
    )


# --- What a running stream has said --------------------------------------------------------------------------
def _newest_of_stream(workspace: Workspace) -> int:
    return int(workspace.query("SELECT coalesce(max(seq), 0) FROM stream_changes")[0][0])


def _streamed(workspace: Workspace, after: int, until: int, segments: Collection[str]) -> pl.DataFrame:
    import polars as pl

    wanted = sorted(segments)
    rows = workspace.query(
        "SELECT segment, subject, entered, effective, cause, seq FROM stream_changes WHERE seq > ? AND seq <= ?"
        f" AND segment IN ({','.join('?' * len(wanted))}) ORDER BY seq",
        (after, until, *wanted),
    )
    found = pl.DataFrame(
        [tuple(row) for row in rows],
        schema={
            "segment": pl.String, "subject": pl.Int32, "entered": pl.Int8, "effective": pl.Int64, "cause": pl.String,
            "seq": pl.Int64,
        },
        orient="row",
    )  # fmt: skip
    return found.select(
        "segment",
        "subject",
        pl.col("entered").cast(pl.Boolean),
        pl.col("effective").cast(pl.Datetime("us", "UTC")),
        "cause",
        pl.format("stream:{}", "seq").alias("sequence"),
    )


def _without_streamed(workspace: Workspace, recorded: pl.DataFrame) -> pl.DataFrame:
    """Changes of runs without those that a checkpoint made of what a stream had said before."""
    import polars as pl

    runs = recorded["run"].unique().to_list()
    rows = workspace.query(
        "SELECT DISTINCT c.run, s.id, c.subject FROM stream_changes c JOIN segments s ON s.name = c.segment AND s.alive"
        f" WHERE c.run IN ({','.join('?' * len(runs))})",
        runs,
    )
    said = pl.DataFrame(
        [tuple(row) for row in rows],
        schema={"run": pl.Int32, "segment": pl.Int32, "subject": pl.Int32},
        orient="row",
    )
    return recorded.join(said, on=["run", "segment", "subject"], how="anti", maintain_order="left")
