"""Damage to the folder of a workspace is told as damage, never as a fault of the program and never as an empty one."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl
import pytest

from segctl.model.errors import IntegrityError, UsageError
from segctl.state import database
from segctl.state.files import NewFile
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


def test_a_flipped_bit_is_seen_by_a_deep_look_although_the_file_still_reads(folder: Path) -> None:
    with Workspace.open(folder) as workspace:
        frame = FRAME.with_columns(n=pl.int_range(pl.len()).hash())
        path = workspace.new_file("plain")
        frame.write_parquet(path, compression="uncompressed", use_pyarrow=False)
        workspace.commit("test", [NewFile(path, "plain", frame.height)])
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)

    with Workspace.open(folder) as workspace:
        shallow, deep = lost_files(workspace), lost_files(workspace, deep=True)

    assert not pl.read_parquet(path).equals(frame)
    assert (shallow, deep) == ((2, []), (2, [path]))


def test_files_older_than_checksums_are_no_damage(folder: Path) -> None:
    with Workspace.open(folder) as workspace:
        with workspace.transaction() as db:
            db.execute("UPDATE files SET crc32 = NULL")

        assert lost_files(workspace, deep=True) == (1, [])


def test_a_workspace_from_before_checksums_opens(tmp_path: Path) -> None:
    db = database.connect(tmp_path / "state.db", busy_s=1)
    database.migrate(db, database.MIGRATIONS[:3])
    db.close()

    with Workspace.open(tmp_path) as workspace:
        workspace.commit("test", [workspace.write("events", FRAME)])

        assert lost_files(workspace, deep=True) == (1, [])
