"""Sealed files: a checksum before the commit, and none for a file that could not be sealed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl

from segctl.state import workspace as workspaces
from segctl.state.files import crc32
from segctl.state.sealing import Sealing
from segctl.state.workspace import Workspace


def test_a_sealed_file_is_committed_without_being_read_again(tmp_path: Path, monkeypatch) -> None:
    with Workspace.open(tmp_path / "w", create=True) as workspace:
        file = workspace.write("events", pl.DataFrame({"a": [1, 2]}))
        sealing = Sealing()
        sealing.begin(file.path)
        sealed = sealing.sealed(file)
        sealing.shutdown()
        monkeypatch.setattr(workspaces, "crc32", lambda path: 1 / 0)

        workspace.commit("ingest", [sealed])

        assert sealed == replace(file, crc32=crc32(file.path))
        assert [stored.rows for stored in workspace.files("events")] == [2]
        assert workspace.query("SELECT crc32 FROM files")[0]["crc32"] == sealed.crc32


def test_what_cannot_be_sealed_is_left_to_the_commit(tmp_path: Path) -> None:
    with Workspace.open(tmp_path / "w", create=True) as workspace:
        file = workspace.write("events", pl.DataFrame({"a": [1]}))
        sealing = Sealing()
        sealing.begin(tmp_path / "not there")

        assert sealing.sealed(file) is file
        assert sealing.sealed(replace(file, path=tmp_path / "not there")).crc32 is None
        sealing.shutdown()
