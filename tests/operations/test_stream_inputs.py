"""Several inputs of one stream, by turns: equal lines of one are numbered through whatever came in between."""

from __future__ import annotations

from pathlib import Path

import pytest
from operations.streaming import SEGMENTS, SOURCE, Shop, line, write_project

from segctl.connectors.streams import growing
from segctl.operations.stream import events as stream_events
from segctl.operations.stream.open import Wish


@pytest.mark.parametrize("kept", [0, pytest.param(16, marks=pytest.mark.slow)])
def test_equal_lines_of_a_file_count_each_though_another_file_came_between(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: int
) -> None:
    monkeypatch.setattr(stream_events, "_MOST_INPUTS", kept)
    monkeypatch.setattr(growing, "_LOOK_S", 0)
    viewers = {"viewers": SEGMENTS["viewers"]}
    shop = Shop(write_project(tmp_path / "shop", viewers, source=SOURCE.replace("    id: id\n", "")))
    data, same = shop.folder / "data", line(1, "ann", 5)

    def came(name: str, one: bytes) -> None:
        with (data / name).open("ab") as file:
            file.write(one + b"\n")
        stream.turn()

    with shop.stream(Wish(place=str(data))) as stream:
        shop.at(10)
        came("a.ndjson", same)
        came("b.ndjson", line(2, "bob", 5))
        before = shop.heard.members()
        came("a.ndjson", same)
        came("c.ndjson", same)

    assert before == {}
    assert shop.heard.members() == shop.members() == {"viewers": {"ann"}}
    assert stream.state.metrics.known == 1
