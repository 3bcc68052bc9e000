"""`segctl pause` pressed by several at once, and killed at random moments."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from test_kill_commands import SEED, command, finish, killed

from segctl.operations.session import open_session
from segctl.state.pauses import pause_log, paused
from segctl.state.workspace import Workspace

PROJECT = "segctl: 1\nname: shop\nidentifiers: {nr: {class: known}}\ntraits: {country: text}\n"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "segctl.yaml").write_text(PROJECT)
    (tmp_path / "segments").mkdir()
    (tmp_path / "segments/german.yaml").write_text("segment: german\nwhere: {trait: country, equals: DE}\n")
    with open_session(tmp_path, create=True):
        pass
    return tmp_path


def log(shop: Path) -> list[tuple[str, str, str | None]]:
    with Workspace.open(shop / ".segctl" / "dev") as workspace:
        assert workspace.query("PRAGMA integrity_check")[0][0] == "ok"
        return [(one.action, one.name, one.reason) for one in pause_log(workspace)]


def test_of_several_pauses_at_once_one_is_on_record_and_all_succeed(shop: Path) -> None:
    presses = [command(shop, "pause", "german", "--reason", f"reason {at}") for at in range(3)]
    for press in presses:
        _, errors = press.communicate(timeout=120)
        assert press.returncode == 0, errors.decode()

    ((action, name, reason),) = log(shop)
    assert (action, name) == ("pause", "german")
    assert reason in {"reason 0", "reason 1", "reason 2"}


def check(shop: Path, rounds: int) -> int:
    """Kills presses of the button; whatever is on record alternates, and the next press works."""
    dice, kills = random.Random(SEED), 0
    for at in range(rounds):
        action = "pause" if at % 2 == 0 else "resume"
        kills += killed(shop, dice.uniform(0.05, 0.6), action, "german", "--reason", f"round {at}")
        finish(shop, action, "german", "--reason", f"again {at}")
        with Workspace.open(shop / ".segctl" / "dev") as workspace:
            assert (("segment", "german") in paused(workspace)) == (action == "pause")
    actions = [action for action, _, _ in log(shop)]
    assert actions == [("pause", "resume")[at % 2] for at in range(rounds)]
    return kills


def test_a_pause_that_is_killed_is_there_or_not_and_can_be_pressed_again(shop: Path) -> None:
    check(shop, 2)


@pytest.mark.crash
def test_many_pauses_that_are_killed(shop: Path) -> None:
    assert check(shop, 60) > 0
