"""Workers are killed at random moments; afterwards what was acknowledged is there, once and whole.

`pytest -m crash` plays 200 rounds. `SEGCTL_CRASH_SEED` repeats a series, `SEGCTL_CRASH_LOG` names a file that
gets a line for each round.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from crash_worker import ROWS, SEGMENTS, found_by

from segctl.state.compaction import compact
from segctl.state.inputs import inputs
from segctl.state.memberships import in_force, members
from segctl.state.runs import runs
from segctl.state.subjects import Subjects
from segctl.state.vacuum import vacuum
from segctl.state.workspace import Workspace

SEED = os.environ.get("SEGCTL_CRASH_SEED", "20261121")
WORKER = Path(__file__).with_name("crash_worker.py")
LATER = datetime(2100, 1, 1, tzinfo=UTC)
ROUNDS_PER_WORKSPACE = 10


@dataclass
class Worker:
    """A running worker and where its words go."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @classmethod
    def start(cls, folder: Path, name: str, seed: str) -> Worker:
        log = folder.parent / f"{name}.log"
        with log.open("wb") as out:
            command = [sys.executable, str(WORKER), str(folder), name, seed]
            return cls(name, subprocess.Popen(command, stdout=out, stderr=subprocess.PIPE), log)

    def words(self) -> list[list[str]]:
        """Complete lines said so far."""
        return [line.split() for line in self.log.read_text().split("\n")[:-1]]

    def kill(self) -> str:
        """Ends it the hard way; gives what it said on stderr."""
        self.process.kill()
        _, errors = self.process.communicate()
        return errors.decode()


@dataclass
class Expected:
    """What must be there (acknowledged) and what may be there (begun, in flight when the worker died)."""

    done: set[tuple[str, str, int]] = field(default_factory=set)
    begun: set[tuple[str, str, int]] = field(default_factory=set)

    def hear(self, worker: Worker) -> None:
        for word, step, number in worker.words():
            (self.done if word == "done" else self.begun).add((worker.name, step, int(number)))


def event_ids(workspace: Workspace, snapshot: int | None = None) -> pl.Series:
    parts = [pl.read_parquet(file.path, columns=["event_id"]) for file in workspace.files("events", snapshot)]
    return pl.concat([pl.DataFrame(schema={"event_id": pl.String}), *parts])["event_id"]


def whole_ingests(ids: pl.Series) -> set[tuple[str, str, int]]:
    """Ingests with any row; fails unless each has all of its rows exactly once."""
    assert ids.is_unique().all()
    counts = ids.str.split("-").list.head(2).list.join("-").value_counts()
    assert set(counts["count"]) <= {2 * ROWS}
    return {(name, "ingest", int(number)) for name, number in (c.split("-") for c in counts["event_id"])}


def check(workspace: Workspace, expected: Expected) -> None:
    assert workspace.query("PRAGMA integrity_check")[0][0] == "ok"
    found = whole_ingests(event_ids(workspace))
    assert {e for e in expected.done if e[1] == "ingest"} <= found <= expected.begun
    assert {f"{name}-{number}" for name, _, number in found} == {i.digest for i in inputs(workspace)}

    table = Subjects(workspace).table().collect()
    assert table["subject"].to_list() == list(range(table.height))
    assert table["value"].is_unique().all()
    assert table["profile_id"].is_unique().all()

    recorded = runs(workspace)
    applied = {(str(r.note["worker"]), "apply", int(r.note["number"])) for r in recorded}
    assert len(applied) == len(recorded)
    assert {e for e in expected.done if e[1] == "apply"} <= applied <= expected.begun
    newest_day = max((run.as_of for run in recorded), default=None)
    for run in recorded:
        told = found_by(run.note["worker"], run.note["number"])
        assert {segment: set(members(workspace, segment, run)) for segment in SEGMENTS} == told
        if run.id == in_force(workspace, SEGMENTS[0]):
            assert run.as_of == newest_day


def read_while_writing(folder: Path, until: float) -> int:
    """Looks at snapshots until the time has come; each must be whole and stay what it was."""
    looks = 0
    while time.monotonic() < until:
        if not (folder / "state.db").exists():
            continue
        with Workspace.open(folder) as reader:
            snapshot = reader.snapshot()
            with reader.lease(snapshot):
                first = whole_ingests(event_ids(reader, snapshot))
                assert whole_ingests(event_ids(reader, snapshot)) == first
        looks += 1
    return looks


def play(folder: Path, rounds: int, *, workers: int, reading: bool, seed: str) -> Iterator[str]:
    """Rounds of starting, killing and checking; a line of log for each."""
    dice = random.Random(seed)
    expected = Expected()
    place = folder
    for number in range(rounds):
        if number % ROUNDS_PER_WORKSPACE == 0:
            place, expected = folder / str(number), Expected()
            place.mkdir(parents=True)
        team = [Worker.start(place / "ws", f"w{number}x{n}", seed) for n in range(workers)]
        wanted, delay = dice.randrange(25), dice.random() * 0.05
        deadline = time.monotonic() + 60
        looks = 0
        while sum(len(worker.words()) for worker in team) < wanted and time.monotonic() < deadline:
            looks += read_while_writing(place / "ws", time.monotonic() + 0.02) if reading else 0
            time.sleep(0.002)
        time.sleep(delay)
        errors = [worker.kill() for worker in team]
        assert errors == [""] * workers, errors
        for worker in team:
            expected.hear(worker)
        if (place / "ws" / "state.db").exists():
            with Workspace.open(place / "ws", create=True) as workspace:
                check(workspace, expected)
                if number % 4 == 3:
                    compact(workspace)
                    vacuum(workspace, now=LATER)
                    check(workspace, expected)
        counts = f"{len(expected.done)} acknowledged, {len(expected.begun)} begun, {looks} looks"
        yield f"seed {seed} round {number}: {counts}"


def run_series(folder: Path, rounds: int, *, workers: int, reading: bool) -> None:
    log = Path(os.environ.get("SEGCTL_CRASH_LOG", folder / "crash.log"))
    seed = f"{SEED}/{workers}/{reading}"
    told = 0
    for line in play(folder, rounds, workers=workers, reading=reading, seed=seed):
        told += 1
        with log.open("a", encoding="utf-8") as out:
            out.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {line}\n")
    assert told == rounds


SERIES = [
    pytest.param(1, False, id="one writer"),
    pytest.param(2, False, id="two writers"),
    pytest.param(2, True, id="two writers and a reader"),
]


@pytest.mark.parametrize(("workers", "reading"), SERIES)
def test_nothing_acknowledged_is_lost_doubled_or_half_there(tmp_path: Path, workers: int, reading: bool) -> None:
    run_series(tmp_path, 4 if workers == 1 else 3, workers=workers, reading=reading)


@pytest.mark.crash
@pytest.mark.parametrize(("workers", "reading"), SERIES)
def test_nothing_is_lost_in_200_rounds(tmp_path: Path, workers: int, reading: bool) -> None:
    run_series(tmp_path, 100 if workers == 1 else 50, workers=workers, reading=reading)
