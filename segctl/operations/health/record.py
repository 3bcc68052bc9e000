"""What the runs on record say of segments: sizes, moves, conditions, and who comes and goes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from segctl.operations.health.measures import Seen
from segctl.operations.provenance import recorded_as

if TYPE_CHECKING:
    from segctl.operations.session import Session
    from segctl.state.runs import Run

_FLAPS = 3


class Record:
    """What the runs say of segments.

    Attributes:
        ids: Number in the workspace → name.
        seen: Segment → its runs in force, oldest first.
        newest: Segment → state, reason and run of its newest result.
        runs: By number.
        recorded: Name of today → the one that runs know it by.
    """

    def __init__(self, session: Session, names: Sequence[str]) -> None:
        from segctl.state.runs import instant, runs

        self.session = session
        self.runs = {run.number: run for run in runs(session.workspace)}
        zone = ZoneInfo(session.project.timezone)
        rows = session.workspace.query(
            "SELECT s.id, s.name, x.run, x.state, x.size, x.entered, x.left_, x.reason, x.leaves, r.as_of"
            " FROM run_segments x JOIN segments s ON s.id = x.segment JOIN runs r ON r.number = x.run"
            " WHERE s.alive AND x.state IN ('in_force', 'failed') ORDER BY x.run"
        )
        self.recorded = {name: recorded_as(session, name) for name in names}
        called = {recorded: name for name, recorded in self.recorded.items()}
        self.ids: dict[int, str] = {}
        self.seen: dict[str, list[Seen]] = {}
        self.newest: dict[str, tuple[str, str | None, Run]] = {}
        for row in rows:
            name = called.get(row["name"])
            if name is None:
                continue
            run, at = self.runs[row["run"]], instant(row["as_of"])
            self.ids[row["id"]] = name
            self.newest[name] = (row["state"], row["reason"], run)
            if row["state"] == "in_force":
                leaves = json.loads(row["leaves"]) if row["leaves"] else []
                self.seen.setdefault(name, []).append(
                    Seen(run.number, at, at.astimezone(zone).date(), row["size"], row["entered"], row["left_"],
                         run.definitions.get(row["name"]), run.note.get("profiles"), leaves)
                )  # fmt: skip

    @property
    def newest_in_force(self) -> datetime:
        """as_of of the newest run of any segment, so that reports on different segments speak of the same time."""
        from segctl.state.runs import RunStatus

        in_force = (RunStatus.OK, RunStatus.PARTIAL)
        return max(run.as_of for run in self.runs.values() if run.status in in_force)

    def flaps(self, last: int) -> dict[str, int]:
        """Segment → profiles that entered and left three times or more in its newest runs."""
        import polars as pl

        from segctl.state.changes import read_changes

        # The first membership of all enters everybody, which is no coming.
        first = {name: seen[-last:][0].run for name, seen in self.seen.items()}
        if not first:
            return {}
        newest = max(seen[-1].run for seen in self.seen.values())
        changes = read_changes(self.session.workspace, min(first.values()), newest, segments=list(self.ids))
        starts = {number: first[name] for number, name in self.ids.items() if name in first}
        counted = (
            changes.filter(pl.col("segment").is_in(list(starts)))
            .filter(pl.col("run") > pl.col("segment").replace_strict(starts, return_dtype=pl.Int32, default=0))
            .group_by("segment", "subject")
            .agg(entered=pl.col("entered").sum(), left=(~pl.col("entered")).sum())
            .filter((pl.col("entered") >= _FLAPS) & (pl.col("left") >= _FLAPS))
            .group_by("segment")
            .len()
        )
        return {self.ids[number]: count for number, count in counted.iter_rows()}
