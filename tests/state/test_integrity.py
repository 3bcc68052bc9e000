"""Damage to the folder of a workspace is told as damage, never as a fault of the program and never as an empty one."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl
import pytest

from segctl.model.errors import IntegrityError, UsageError
from segctl.state.integrity import lost_files
from segctl.state.workspace import Workspace

FRAME = pl.DataFrame({"subject": list(range(2000)), "text": [f"value {i}" for i in range(2000)]})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with Workspace.open(tmp_path, create=True) as workspace:
        workspace.commit("test", [workspace.write("events", FRAME)])
    return tmp_path


def stored(folder: Path) -> Path:
    (path,) = folder.rglob("*.parquet")
    return path


def scribble(path: Path) -> None:
    """Spoil the pages without changing the size."""
    content = bytearray(path.read_bytes())
    for at in range(8, len(content) // 2, 3):
        content[at] ^= 0x5A
    path.write_bytes(content)


def test_a_file_that_lost_bytes_is_refused_before_it_is_read(folder: Path) -> None:
    os.truncate(stored(folder), 200)

    with pytest.raises(IntegrityError) as caught, Workspace.open(folder) as workspace:
        workspace.files("events")

    assert caught.value.code == "SEG615"
    assert stored(folder).name in caught.value.message


def test_an_engine_that_stumbles_over_damage_gets_the_name_of_the_file(folder: Path) -> None:
    scribble(stored(folder))

    with pytest.raises(IntegrityError) as caught, Workspace.open(folder) as workspace:
        pl.read_parquet(workspace.files("events")[0].path)

    assert caught.value.code == "SEG615"
    assert stored(folder).name in caught.value.message


def test_a_fault_of_the_program_stays_one_while_the_files_are_sound(folder: Path) -> None:
    with pytest.raises(pl.exceptions.ComputeError, match="ours"), Workspace.open(folder):
        raise pl.exceptions.ComputeError("ours")


def test_an_error_in_words_is_not_replaced(folder: Path) -> None:
    scribble(stored(folder))

    with pytest.raises(UsageError, match="mine"), Workspace.open(folder):
        raise UsageError("SEG501", "mine")


@pytest.mark.parametrize("create", [True, False])
@pytest.mark.parametrize("loss", [os.unlink, lambda path: os.truncate(path, 0)], ids=["deleted", "emptied"])
def test_files_without_their_database_are_no_empty_workspace(folder: Path, loss, create: bool) -> None:
    for path in folder.glob("state.db-*"):
        path.unlink()
    loss(folder / "state.db")

    for _ in range(2):
        with pytest.raises(IntegrityError) as caught:
            Workspace.open(folder, create=create)

        assert caught.value.code == "SEG616"
    assert stored(folder).stat().st_size > 0


def test_text_of_the_database_that_is_no_text_is_damage(folder: Path) -> None:
    with Workspace.open(folder) as workspace, pytest.raises(IntegrityError) as caught:
        workspace.query("SELECT CAST(x'ff' AS TEXT)")

    assert caught.value.code == "SEG610"


def test_lost_files_are_counted_by_their_sizes(folder: Path) -> None:
    with Workspace.open(folder) as workspace:
        assert lost_files(workspace) == (1, [])

        os.truncate(stored(folder), 200)

        assert lost_files(workspace) == (1, [stored(folder)])
