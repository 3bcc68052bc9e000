"""Imports of consents that are killed, and two at once: nothing lost, nothing half, nobody allowed in between."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from segctl.model.consent import Purpose, Use
from segctl.model.project import Definitions, Project
from segctl.operations.gate import Gate
from segctl.operations.session import Session
from segctl.state import consents
from segctl.state.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 22, tzinfo=UTC)
PROJECT = "segctl: 1\nname: shop\npurposes: {news: {basis: consent, channels: [email]}}\nconsent: {double_opt_in: []}\n"
HEAD = "event_id,email,at,action,purpose,proof_ref\n"
PEOPLE = 9_000


def start(folder: Path, file: str) -> subprocess.Popen[bytes]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"}
    command = [sys.executable, "-m", "segctl", "consent", "import", file, "--source", "list"]
    return subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def project(folder: Path, people: range) -> None:
    (folder / "segctl.yaml").write_text(PROJECT)
    grants = [f"g{n},p{n}@x.example,2026-11-02,grant,news,form\n" for n in people]
    # Withdrawals stand last, so an import in the order of the file would allow people for a while.
    denials = [f"w{n},p{n}@x.example,2026-11-03,withdraw,,\n" for n in people if n % 3 == 0]
    (folder / "list.csv").write_text(HEAD + "".join(grants + denials))


@contextmanager
def opened(folder: Path) -> Iterator[Session]:
    bound = Project(str(folder), "shop", purposes=(Purpose("news", channels=("email",)),))
    with Workspace.open(folder / ".segctl/dev") as workspace:
        yield Session(Definitions(bound, {}, {}), workspace, None)


def allowed_wrongly(folder: Path) -> list[int]:
    """People who withdrew and whom the gate would allow."""
    from dataclasses import replace

    with opened(folder) as session:
        rules = replace(session.project.consent, double_opt_in=())
        session = replace(session, definitions=Definitions(replace(session.project, consent=rules), {}, {}))
        gate = Gate.open(session, now=NOW)
        numbers = range(0, PEOPLE, 3)
        points = [[gate.token("email", f"p{n}@x.example")] for n in numbers]
        found = gate.decide(points, Use("news", "email"))
        return [n for n, decision in zip(numbers, found, strict=True) if decision.is_allowed]


def rounds(folder: Path, count: int) -> None:
    project(folder, range(PEOPLE))
    rng = random.Random(20261122)
    heads = []
    for _ in range(count):
        worker = start(folder, "list.csv")
        time.sleep(rng.uniform(0.3, 1.6))
        worker.kill()
        worker.communicate()
        if (folder / ".segctl/dev/state.db").is_file():
            with opened(folder) as session:
                heads.append(consents.head(session.workspace))
            assert allowed_wrongly(folder) == []
    worker = start(folder, "list.csv")
    _, err = worker.communicate()
    assert worker.returncode == 0, err
    with opened(folder) as session:
        rows = session.workspace.query("SELECT event_id FROM consent_events")
    assert sorted(row[0] for row in rows) == sorted(
        [f"g{n}" for n in range(PEOPLE)] + [f"w{n}" for n in range(0, PEOPLE, 3)]
    )
    assert heads == sorted(heads)
    assert allowed_wrongly(folder) == []


@pytest.mark.slow
def test_an_import_that_is_killed_allows_nobody_and_goes_on(tmp_path: Path) -> None:
    rounds(tmp_path, 4)


@pytest.mark.crash
def test_an_import_that_is_killed_very_often(tmp_path: Path) -> None:
    rounds(tmp_path, 100)


def test_two_imports_at_once_record_everything_once(tmp_path: Path) -> None:
    project(tmp_path, range(1_500))
    workers = [start(tmp_path, "list.csv") for _ in range(2)]
    ends = [worker.communicate() for worker in workers]

    assert [worker.returncode for worker in workers] == [0, 0], ends
    with opened(tmp_path) as session:
        rows = session.workspace.query(
            "SELECT count(*), count(DISTINCT event_id), count(DISTINCT key_id) FROM consent_events"
        )
        assert tuple(rows[0]) == (2_000, 2_000, 1)
    assert (tmp_path / ".segctl/dev/consent.key").read_text().count("\n") == 1
