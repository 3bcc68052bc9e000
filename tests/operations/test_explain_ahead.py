"""`explain` beside a stream that has said more than the run in force holds."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from operations.streaming import MORNING, SEGMENTS, Shop, line, write_project

from segctl.operations.explain import explain
from segctl.operations.session import open_session


def test_explain_says_what_a_stream_says(tmp_path: Path) -> None:
    shop = Shop(write_project(tmp_path / "shop", {"viewers": SEGMENTS["viewers"]}))

    def of(who: str) -> tuple[bool, bool, str | None] | None:
        with open_session(shop.folder) as session:
            found = explain(session, "viewers", who, as_of=MORNING + timedelta(minutes=10)).ahead
        return None if found is None else (found.is_running, found.member, found.moved_why)

    asked = [sys.executable, "-m", "segctl", "explain", "viewers", "ann", "-f", "json"]
    entered = "event view 2026-11-20 09:09:00+01:00 (web #e2)"
    with suppress(KeyboardInterrupt), shop.stream() as stream:
        shop.at(10)
        shop.write(line(1, "ann", 5), line(2, "ann", 9), line(3, "bob", 9))
        stream.turn()
        assert of("ann") == (True, True, entered)
        assert of("bob") == (True, False, None)
        said = subprocess.run(asked, cwd=shop.folder, capture_output=True, text=True, check=True).stdout
        raise KeyboardInterrupt
    assert of("ann") == (False, True, entered)
    with shop.stream():
        pass

    assert "a running stream is ahead of the run in force and says: a member, entered 2026-11-20 09:10" in said
    assert of("ann") is None
