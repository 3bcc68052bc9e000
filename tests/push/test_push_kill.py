"""kill -9 in the middle of a push of 50,000 people: the next push makes the destination what it should be, exactly."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fake_service import Service
from push_worker import audience

from segctl.state.deliveries import delivered
from segctl.state.deliveries_batches import open_batches
from segctl.state.workspace import Workspace

WORKER = Path(__file__).with_name("push_worker.py")
PEOPLE = 50_000


def run(folder: Path, number: int, killed_after_s: float | None = None) -> str:
    """What the worker says of its push; empty when it was killed before the end."""
    command = [sys.executable, str(WORKER), str(folder), str(PEOPLE), str(number)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "begin\n"
        if killed_after_s is not None:
            time.sleep(killed_after_s)
            worker.kill()
        return worker.stdout.read()


def check(folder: Path, number: int) -> None:
    assert run(folder, number).startswith("done")
    wanted = audience(PEOPLE, number)

    service = Service(folder / "service.log")
    service.close()
    expected = {email: {"name": name} for email, name in wanted.select("id:email", "field:name").iter_rows()}
    assert service.audiences["winback"] == expected
    with Workspace.open(folder / "ws") as workspace:
        frame = delivered(workspace, "mailer", "winback")
        assert frame.select("key", "digest").equals(wanted.select("key", "digest"))
        assert set(frame["state"]) == {"accepted"}
        assert open_batches(workspace, [1]) == []


def rounds(folder: Path, count: int, seed: int) -> int:
    """Kills so many pushes, each at another moment and most of another round; those that were killed in time."""
    chance, interrupted, number = random.Random(seed), 0, 0
    for _ in range(count):
        number += chance.random() < 0.7
        interrupted += run(folder, number, chance.uniform(0.0, 0.6)) == ""
    check(folder, number)
    return interrupted


def test_pushes_that_are_killed_lose_nothing(tmp_path: Path) -> None:
    assert rounds(tmp_path, 5, seed=1) >= 2


@pytest.mark.crash
def test_two_hundred_pushes_that_are_killed_lose_nothing(tmp_path: Path) -> None:
    interrupted = 0
    for seed in range(20):
        folder = tmp_path / str(seed)
        folder.mkdir()
        interrupted += rounds(folder, 10, seed=seed)
    assert interrupted >= 100
