"""A process that commits all the time and says so after each commit, until it is killed.

    python crash_worker.py WORKSPACE NAME SEED

Every line it prints is an acknowledgement: what it names must be there afterwards, whatever happens.
"""

from __future__ import annotations

import random
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from segctl.model.errors import TemporaryError
from segctl.model.project import IdentifierType
from segctl.state.compaction import compact
from segctl.state.inputs import begin_input, finish_input
from segctl.state.memberships import record_run
from segctl.state.runs import NewRun
from segctl.state.subjects import Subjects
from segctl.state.workspace import Workspace

ROWS = 4
POPULATION = 40
SEGMENTS = ("even", "some")
TYPES = (IdentifierType("customer_id"),)
DAY_ZERO = datetime(2026, 1, 1, tzinfo=UTC)


def found_by(name: str, number: int) -> dict[str, set[int]]:
    """Members that run `number` of worker `name` finds."""
    dice = random.Random(f"{name}/{number}")
    return {segment: {s for s in range(POPULATION) if dice.random() < 0.4} for segment in SEGMENTS}


def ingest(workspace: Workspace, subjects: Subjects, name: str, number: int) -> None:
    """Two files of events and a row of the ledger, in one commit."""
    file_id = begin_input(workspace, "shop", f"{name}-{number}.csv", digest=f"{name}-{number}", size=1)
    values = pl.Series([f"{name}-{number}-{n % 2}" for n in range(ROWS)])
    found = subjects.resolve(pl.Series(["customer_id"] * ROWS), values)
    new = []
    for half in ("a", "b"):
        rows = pl.DataFrame(
            {
                "subject": found,
                "ts": [DAY_ZERO + timedelta(seconds=number)] * ROWS,
                "source": "shop",
                "event_id": [f"{name}-{number}-{half}{n}" for n in range(ROWS)],
                "kind": ["order", "view"] * (ROWS // 2),
                "file_id": pl.Series([file_id] * ROWS, dtype=pl.Int32),
                "line": pl.Series(range(ROWS), dtype=pl.Int64),
                "value:n2": pl.Series([number] * ROWS, dtype=pl.Int64),
            }
        )
        meta = {"kinds": {"order": ROWS // 2, "view": ROWS // 2}, "columns": rows.columns, "sorted": False}
        new.append(workspace.write("events", rows, meta))
    workspace.commit("ingest", add=new, within=finish_input(file_id, rows=2 * ROWS, good=2 * ROWS, bad=0))


def apply(workspace: Workspace, name: str, number: int) -> None:
    """A run; workers have days of their own, so some runs are what-ifs."""
    at = DAY_ZERO + timedelta(days=number)
    answers = pl.DataFrame({"subject": pl.Series(range(POPULATION), dtype=pl.Int32)}).with_columns(
        pl.col("subject").is_in(sorted(members)).alias(segment) for segment, members in found_by(name, number).items()
    )
    note = {"worker": name, "number": number}
    record_run(workspace, NewRun(at, workspace.snapshot(), at, at, "0", note=note), answers)


def main() -> None:
    folder, name, seed = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    dice = random.Random(f"{seed}/{name}")
    workspace = Workspace.open(folder, create=True, lock_wait_s=30)
    subjects = Subjects(workspace, TYPES)
    number = 0
    while True:
        number += 1
        step = dice.choice(("ingest", "ingest", "ingest", "apply", "apply", "compact"))
        sys.stdout.write(f"begin {step} {number}\n")
        sys.stdout.flush()
        if step == "ingest":
            ingest(workspace, subjects, name, number)
        elif step == "apply":
            apply(workspace, name, number)
        else:
            try:
                compact(workspace, change_runs=5, rows_at_once=64)
            except TemporaryError:
                continue
        sys.stdout.write(f"done {step} {number}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
