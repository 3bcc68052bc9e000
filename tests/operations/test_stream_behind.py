"""A stream that is behind catches up: in larger steps, and with the time its beginning took before any line."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from operations.streaming import SEGMENTS, Shop, line, write_project

from segctl.connectors.streams.base import Chunk
from segctl.operations.stream import stream as module
from segctl.operations.stream.state import Habits
from segctl.operations.stream.stream import MOST_BEHIND, MOST_LINES, Stream


class Waiting:
    """A feed with more lines than anybody takes, the first of which came a while ago."""

    has_ended = False

    def __init__(self, came: float) -> None:
        self._came = came

    def read(self, timeout_s: float, most_lines: int) -> list[Chunk]:
        assert most_lines >= 0
        return [Chunk("-", [b"{}"] * most_lines, "", self._came)]

    def close(self) -> None:
        pass


@pytest.mark.parametrize(("feeds", "waited_s", "lines"), [
    (1, 0.0, MOST_LINES), (1, 5.0, MOST_LINES + MOST_BEHIND), (6, 5.0, 6 * (MOST_LINES + MOST_BEHIND // 6)),
])  # fmt: skip
def test_a_step_is_larger_when_lines_have_waited_long(feeds: int, waited_s: float, lines: int) -> None:
    state = SimpleNamespace(habits=Habits())
    some = [("shop", Waiting(time.monotonic() - waited_s)) for _ in range(feeds)]
    stream = Stream(cast("Any", state), some, cast("Any", None))

    assert sum(len(chunk.lines) for _, chunk in stream._gathered(0.0)) == lines


def test_time_that_the_beginning_took_is_gone_through_before_any_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop(write_project(tmp_path / "shop", {"viewers": SEGMENTS["viewers"]}))
    shop.at(10)
    with shop.stream() as stream:
        shop.write(line(1, "ann", 5), line(2, "ann", 9))
        stream.turn()
    begin = module.begin
    shop.at(64.9)
    monkeypatch.setattr(module, "begin", lambda state: (begin(state), shop.at(66)))

    with shop.stream():
        last = shop.heard.distinct[-1]

    assert (last.profile, last.entered) == ("ann", False)
