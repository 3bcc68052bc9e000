"""A disk that fills up: a clear error, nothing half there, and work goes on once there is room."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from segctl.model.errors import LocalIOError
from segctl.state.compaction import compact
from segctl.state.workspace import Workspace

LIMIT = "6m"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a few megabytes; skipped where mounting is not allowed."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={LIMIT}", "tmpfs", str(place)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("needs `mount`")
    if done.returncode:
        pytest.skip(f"needs the right to mount: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def tail(number: int) -> pl.DataFrame:
    rows = 20_000
    return pl.DataFrame(
        {
            "subject": pl.int_range(rows, dtype=pl.Int32, eager=True),
            "ts": pl.int_range(rows, eager=True).cast(pl.Datetime("us", "UTC")),
            "source": pl.repeat("shop", rows, eager=True),
            "event_id": pl.int_range(rows, eager=True).hash(number).cast(pl.String),
            "kind": pl.repeat("order", rows, eager=True),
        }
    )


def fill(workspace: Workspace) -> tuple[list[int], LocalIOError]:
    """Commits until the disk is full; what was committed, and the error."""
    done: list[int] = []
    while True:
        rows = tail(len(done))
        meta = {"kinds": {"order": rows.height}, "columns": rows.columns, "sorted": False}
        try:
            done.append(workspace.commit("ingest", add=[workspace.write("events", rows, meta)]))
        except LocalIOError as error:
            return done, error


def check_whole(workspace: Workspace, commits: list[int]) -> None:
    files = workspace.files("events")
    assert [file.added for file in files] == commits
    for number, file in enumerate(files):
        assert pl.read_parquet(file.path).equals(tail(number))


def test_a_full_disk_keeps_what_was_committed_and_leaves_nothing_else(small_disk: Path) -> None:
    with Workspace.open(small_disk / "ws", create=True) as workspace:
        commits, error = fill(workspace)

        assert error.code == "SEG606"
        assert commits
        check_whole(workspace, commits)
        named = {file.path for file in workspace.files("events")}
        assert set((workspace.folder / "files").rglob("*.parquet")) == named


def test_a_compaction_without_room_changes_nothing(small_disk: Path) -> None:
    with Workspace.open(small_disk / "ws", create=True) as workspace:
        commits, _ = fill(workspace)

        with pytest.raises(LocalIOError) as caught:
            compact(workspace)

        assert caught.value.code == "SEG606"
        check_whole(workspace, commits)
        named = {file.path for file in workspace.files("events")}
        assert set((workspace.folder / "files").rglob("*.parquet")) == named


def test_work_goes_on_when_there_is_room_again(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 2_000_000)
    with Workspace.open(small_disk / "ws", create=True) as workspace:
        fill(workspace)
        ballast.unlink()

        before = len(workspace.files("events"))
        workspace.commit("ingest", add=[workspace.write("events", tail(0))])

        assert len(workspace.files("events")) == before + 1


def test_a_new_workspace_on_a_full_disk_is_a_clear_error(small_disk: Path) -> None:
    room = os.statvfs(small_disk)
    (small_disk / "ballast").write_bytes(b"x" * (room.f_bavail * room.f_bsize))

    with pytest.raises(LocalIOError) as caught:
        Workspace.open(small_disk / "ws", create=True)
    (small_disk / "ballast").unlink()

    assert caught.value.code == "SEG606"
    with Workspace.open(small_disk / "ws", create=True) as workspace:
        assert workspace.commit("test") == 1


def test_a_workspace_whose_making_was_cut_short_opens(tmp_path: Path) -> None:
    (tmp_path / "ws").mkdir()
    (tmp_path / "ws" / "state.db").touch()

    with Workspace.open(tmp_path / "ws") as workspace:
        assert workspace.commit("test") == 1
