"""Who asks whether a stream is running disturbs nobody, and what fails beside a stream does not end it."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import NoReturn

import pytest
from operations.streaming import SEGMENTS, Shop, line, write_project

from segctl.model.errors import DataError
from segctl.operations.session import open_session
from segctl.operations.stream import ranking
from segctl.operations.stream.checkpoint import checkpoint
from segctl.state import stream_requests


def test_two_that_ask_at_once_take_neither_for_a_stream(tmp_path: Path) -> None:
    shop = Shop(write_project(tmp_path / "shop", {"viewers": SEGMENTS["viewers"]}))
    with open_session(shop.folder, create=True) as session:
        before = stream_requests.is_streaming(session.workspace)
    with shop.stream():
        with open_session(shop.folder) as session:
            during = stream_requests.is_streaming(session.workspace)
        (path,) = [one for one in session.workspace.folder.rglob("*.lock") if "stream" in one.name]
    with path.open("rb") as another, open_session(shop.folder) as session:
        fcntl.flock(another, fcntl.LOCK_SH)
        asked_by_two = stream_requests.is_streaming(session.workspace)

    assert (before, during, asked_by_two) == (False, True, False)


def test_old_answers_are_forgotten(tmp_path: Path) -> None:
    shop = Shop(write_project(tmp_path / "shop", {"viewers": SEGMENTS["viewers"]}))
    with open_session(shop.folder, create=True) as session:
        workspace = session.workspace
        old, new = stream_requests.ask(workspace), stream_requests.ask(workspace)
        stream_requests.answer(workspace, [old])
        with workspace.transaction() as db:
            db.execute("UPDATE stream_requests SET done = '2020-01-01T00:00:00.000Z' WHERE id = ?", (old,))
        stream_requests.answer(workspace, [new])
        kept = [row[0] for row in workspace.query("SELECT id FROM stream_requests")]

    assert kept == [new]


def test_a_ranking_that_fails_leaves_its_segments_as_they_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> NoReturn:
        raise DataError("SEG101", "the list is not there", hint="")

    shop = Shop(write_project(tmp_path / "shop", {"best": SEGMENTS["best"]}))
    with shop.stream() as stream:
        shop.at(10)
        shop.write(line(1, "ann", 5, "order"))
        stream.turn()
        monkeypatch.setattr(ranking, "_ranked", fails)
        checkpoint(stream.state, is_last=True)
        monkeypatch.undo()
        failed = shop.members(), shop.heard.texts[-1]
        shop.write(line(2, "bob", 6, "order"))
        stream.turn()

    assert failed[0] == {}
    assert failed[1].endswith("it could not be ranked: the list is not there")
    assert shop.members() == shop.heard.members() == {"best": {"ann", "bob"}}
