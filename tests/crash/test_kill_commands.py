"""`segctl ingest` and `segctl apply` are killed at random moments; a rerun ends as if nothing had happened.

`pytest -m crash` kills many times; `SEGCTL_CRASH_SEED` repeats a series.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from segctl.state.memberships import members, sizes
from segctl.state.runs import runs
from segctl.state.subjects import Subjects
from segctl.state.workspace import Workspace

SEED = os.environ.get("SEGCTL_CRASH_SEED", "20261121")
ROOT = Path(__file__).resolve().parents[2]
AS_OF = "2026-11-01"


def command(project: Path, *arguments: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(project), "LC_ALL": "C.UTF-8"}
    return subprocess.Popen(
        [sys.executable, "-m", "segctl", *arguments, "--no-input"],
        cwd=project, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip


def finish(project: Path, *arguments: str) -> None:
    process = command(project, *arguments)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors.decode()


def killed(project: Path, after_s: float, *arguments: str) -> bool:
    """Starts a command and kills it after so many seconds; false when it had ended before, well."""
    process = command(project, *arguments)
    try:
        _, errors = process.communicate(timeout=after_s)
    except subprocess.TimeoutExpired:
        process.kill()
        _, errors = process.communicate()
    assert process.returncode in (0, -9), errors.decode()
    return process.returncode == -9


@dataclass(frozen=True)
class Contents:
    """What a workspace holds, told without anything that depends on the order of arrival."""

    events: Counter[tuple[str, str]]
    rows: Counter[str]
    identifiers: frozenset[tuple[str, str, str]]
    members: dict[str, frozenset[str]]


def contents(project: Path) -> Contents:
    with Workspace.open(project / ".segctl" / "dev") as workspace:
        assert workspace.query("PRAGMA integrity_check")[0][0] == "ok"
        events: Counter[tuple[str, str]] = Counter()
        for file in workspace.files("events"):
            events.update(pl.read_parquet(file.path, columns=["source", "event_id"]).rows())
        rows: Counter[str] = Counter()
        for dataset in (*workspace.datasets("records/"), *workspace.datasets("quarantine/")):
            rows[dataset] = sum(file.rows for file in workspace.files(dataset))
        table = Subjects(workspace).table().collect()
        assert table["subject"].to_list() == list(range(table.height))
        ids = table["profile_id"]
        found = {name: frozenset(ids.gather(members(workspace, name))) for name in sizes(workspace)}
        # All runs are of one as_of over the same data, so each of them must have found the same.
        for run in runs(workspace):
            assert {n: frozenset(ids.gather(members(workspace, n, run))) for n in run.definitions} == found
        return Contents(events, rows, frozenset(table.select("id_type", "value", "profile_id").rows()), found)


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Contents:
    """What comes of an undisturbed life."""
    project = new_project(tmp_path_factory.mktemp("reference"))
    finish(project, "ingest")
    finish(project, "apply", "--as-of", AS_OF)
    return contents(project)


def new_project(folder: Path) -> Path:
    finish(folder, "init", "shop", "--template", "shop")
    return folder / "shop"


def check_sources_are_whole(project: Path, reference: Contents) -> None:
    """Each source is there altogether or not at all, and nothing twice."""
    if not (project / ".segctl" / "dev" / "state.db").exists():
        return
    now = contents(project)
    assert set(now.events.values()) <= {1}
    whole = Counter(source for source, _ in reference.events)
    assert all(count == whole[source] for source, count in Counter(source for source, _ in now.events).items())
    assert all(count == reference.rows[dataset] for dataset, count in now.rows.items())
    assert now.identifiers <= reference.identifiers


def play(folder: Path, reference: Contents, kills: int, seed: str) -> None:
    dice = random.Random(seed)
    project = new_project(folder)
    for _ in range(kills):
        if not killed(project, dice.uniform(0.1, 2.5), "ingest"):
            break
        check_sources_are_whole(project, reference)
    finish(project, "ingest")
    for _ in range(kills):
        killed(project, dice.uniform(0.2, 1.5), "apply", "--as-of", AS_OF)
        now = contents(project).members
        assert now in ({}, reference.members)
    finish(project, "apply", "--as-of", AS_OF)

    assert contents(project) == reference


def test_a_rerun_after_kills_ends_as_if_nothing_had_happened(tmp_path: Path, reference: Contents) -> None:
    play(tmp_path, reference, 3, SEED)


@pytest.mark.crash
@pytest.mark.parametrize("series", range(10))
def test_reruns_after_many_kills_end_as_if_nothing_had_happened(
    tmp_path: Path, reference: Contents, series: int
) -> None:
    play(tmp_path, reference, 8, f"{SEED}/{series}")
