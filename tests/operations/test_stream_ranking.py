"""Segments that need everybody, ranked by another process and by none: the same members."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import pytest
from operations.streaming import MORNING, by_batch, line

from segctl.operations.session import open_session
from segctl.operations.stream import ranking
from segctl.operations.stream.clock import micros


def test_another_process_ranks_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = MORNING + timedelta(hours=1)
    spent = {"ann": "30", "bob": "70", "cem": "50"}
    lines = [line(number, user, number, "order", value) for number, (user, value) in enumerate(spent.items())]
    by_batch(tmp_path, lines, at)
    with open_session(tmp_path) as session:
        snapshot = session.workspace.snapshot()
        here = ranking._ranked(session, ("best",), micros(at), snapshot)

        def not_here(*_: object) -> NoReturn:
            pytest.fail("the other process failed")

        monkeypatch.setattr(ranking, "_ranked", not_here)
        apart = ranking._ranked_apart(session, ("best",), micros(at), snapshot)

    assert here.answers["best"].sum() == 2
    assert apart.answers.equals(here.answers)
    assert (apart.names, apart.at) == (here.names, here.at)
