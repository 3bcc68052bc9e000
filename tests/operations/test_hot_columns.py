"""Mapped copies come, are found torn or foreign, and go with the files they copy."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from segctl.engines.hot_file import HotFile
from segctl.operations.hot_columns import build_copies
from segctl.state.hot import FOLDER, LOCK, hot_paths
from segctl.state.vacuum import vacuum
from segctl.state.workspace import Workspace

AT = datetime(2026, 1, 1, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[2]
BUILDER = """
import sys
from pathlib import Path
from segctl.engines import hot_write
from segctl.operations.hot_columns import build_copies
from segctl.state.workspace import Workspace
hot_write.PIECE = 256
hot_write.write_hot.__kwdefaults__["piece"] = 256
with Workspace.open(Path(sys.argv[1])) as workspace:
    build_copies(workspace, {"order": frozenset({"value:i", "note:t"})}, rows_at_least=1)
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    found = Workspace.open(tmp_path / "ws", create=True)
    _store(found, 3_000)
    return found


def test_a_copy_is_built_once_and_again_for_further_columns(workspace: Workspace) -> None:
    assert _build(workspace, "value:i") == 1
    assert _build(workspace, "value:i") == 0
    assert _build(workspace, "note:t") == 1

    (copy,) = _copies(workspace)
    assert {"value:i", "note:t"} <= HotFile(copy).columns
    assert _build(workspace, "value:i") == _build(workspace, "note:t") == 0


def test_small_files_and_kinds_that_nobody_asks_for_get_no_copy(workspace: Workspace) -> None:
    assert build_copies(workspace, {"visit": frozenset()}, rows_at_least=1) == 0
    assert build_copies(workspace, {"order": frozenset()}, rows_at_least=3_001) == 0


def test_a_torn_copy_is_built_again(workspace: Workspace) -> None:
    _build(workspace, "value:i")
    (copy,) = _copies(workspace)
    copy.write_bytes(copy.read_bytes()[:-9])

    assert _build(workspace, "value:i") == 1
    assert HotFile(*_copies(workspace)).rows == 3_000


def test_the_copy_of_another_file_is_built_again(workspace: Workspace) -> None:
    _build(workspace, "value:i")
    (copy,) = _copies(workspace)
    foreign = copy.read_bytes().replace(workspace.files("events")[0].path.stem.encode(), b"0" * 45)
    copy.write_bytes(foreign)

    assert _build(workspace, "value:i") == 1


def test_two_builders_do_not_wait_for_each_other(workspace: Workspace) -> None:
    with Workspace.open(workspace.folder) as other, other.lock(LOCK):
        assert _build(workspace, "value:i") == 0
    assert _build(workspace, "value:i") == 1


def test_a_copy_goes_with_its_file(workspace: Workspace) -> None:
    _build(workspace, "value:i")
    (workspace.folder / FOLDER / "leftover.part").write_text("half")
    (file,) = workspace.files("events")
    workspace.commit("compact", remove=[file.id])

    vacuum(workspace, now=datetime.now(UTC), retention=timedelta(days=1))
    assert len(_copies(workspace)) == 1
    vacuum(workspace, now=datetime.now(UTC) + timedelta(days=3), retention=timedelta(days=1))

    assert list((workspace.folder / FOLDER).iterdir()) == []


@pytest.mark.crash
def test_a_killed_builder_leaves_nothing_that_is_taken_for_a_copy(workspace: Workspace) -> None:
    _store(workspace, 60_000)
    folder = workspace.folder / FOLDER
    halves = 0
    for wait in (0.05, 0.1, 0.2, 0.3, 0.4, 0.6):
        builder = subprocess.Popen(
            [sys.executable, "-c", BUILDER, str(workspace.folder)], env={**os.environ, "PYTHONPATH": str(ROOT)}
        )
        while not list(folder.glob("*.part")) and builder.poll() is None:
            time.sleep(0.002)
        time.sleep(wait)
        builder.send_signal(signal.SIGKILL)
        builder.wait()
        halves += bool(list(folder.glob("*.part")))
        for copy in _copies(workspace):
            assert HotFile(copy).rows in (3_000, 60_000)

    assert halves
    _build(workspace, "value:i", "note:t")
    assert len(_copies(workspace)) == 2
    assert not list(folder.glob("*.part"))


def _store(workspace: Workspace, rows: int) -> None:
    frame = pl.DataFrame({
        "subject": pl.int_range(rows, eager=True).cast(pl.Int32) // 4,
        "ts": [AT + timedelta(minutes=n % 4) for n in range(rows)],
        "source": pl.repeat("shop", rows, eager=True),
        "event_id": [f"order-{n:09}" for n in range(rows)],
        "value:i": range(rows),
        "note:t": [None if n % 3 else f"note {n % 50}" for n in range(rows)],
    })  # fmt: skip
    frame = frame.with_columns(pl.col("ts").cast(pl.Datetime("us", "UTC")))
    meta = {"kinds": {"order": rows}, "columns": frame.columns, "sorted": True}
    workspace.commit("ingest", add=[workspace.write("events", frame, meta)])


def _build(workspace: Workspace, *columns: str) -> int:
    return build_copies(workspace, {"order": frozenset(columns)}, rows_at_least=1)


def _copies(workspace: Workspace) -> list[Path]:
    return [path for paths in hot_paths(workspace).values() for path in paths]
