"""What a collector accepted, as pages that an ingest goes on from."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from segctl.connectors.collector.lines import head_of, line_of
from segctl.connectors.sources.base import Around, Start
from segctl.connectors.sources.collected import CollectedConnector
from segctl.model.errors import UsageError
from segctl.model.fetching_collector import CollectorFetch

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def connector(workspace: Path | None, source: str = "web") -> CollectedConnector:
    return CollectedConnector(CollectorFetch("json"), Around(source, Path(), NOW, workspace=workspace))


def put(workspace: Path, name: str, source: str, *numbers: int) -> None:
    folder = workspace / "collector"
    folder.mkdir(exist_ok=True)
    with (folder / name).open("ab") as file:
        for number in numbers:
            body = b'{"n":%d}' % number
            file.write(line_of(head_of(source, "k", "json"), "2026-11-22T12:00:00Z", body, kind=None, id=None))


def test_pages_go_on_behind_the_cursor_and_hold_only_the_sources_own(tmp_path: Path) -> None:
    put(tmp_path, "2026-11-22T12-000001.ndjson", "web", 1, 2)
    put(tmp_path, "2026-11-22T12-000001.ndjson", "app", 3)
    put(tmp_path, "2026-11-22T12-000002.ndjson", "web", 4)

    first = list(connector(tmp_path).pages(Start()))
    put(tmp_path, "2026-11-22T12-000002.ndjson", "web", 5)
    second = list(connector(tmp_path, "web/identify").pages(Start(cursor=first[-1].cursor)))
    third = list(connector(tmp_path).pages(Start(cursor=second[-1].cursor)))

    def numbers(pages: list) -> list[int]:
        return [json.loads(line)["n"] for page in pages for line in page.lines.splitlines()]

    assert numbers(first) == [1, 2, 4]
    assert [page.position is None for page in first] == [False, True]
    assert numbers(list(connector(tmp_path).pages(Start(position=first[0].position)))) == [4, 5]
    assert numbers(second) == [5]
    assert numbers(third) == []
    assert third[-1].cursor == second[-1].cursor


def test_nothing_received_yet_is_no_mistake(tmp_path: Path) -> None:
    for workspace in (tmp_path, None):
        (page,) = connector(workspace).pages(Start())

        assert (page.lines, page.count, page.position, page.cursor) == (b"", 0, None, None)
        assert [probe.status for probe in connector(workspace).check(3).probes] == ["note"]


def test_a_try_shows_the_newest_requests(tmp_path: Path) -> None:
    put(tmp_path, "2026-11-22T12-000001.ndjson", "web", *range(9))
    put(tmp_path, "2026-11-22T12-000002.ndjson", "app", 1)

    trial = connector(tmp_path).check(2)

    assert [record["n"] for record in trial.records] == [0, 1]
    assert [probe.status for probe in trial.probes] == ["ok", "ok"]


def test_requests_have_no_time_to_begin_at(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="knows no `--since`"):
        list(connector(tmp_path).pages(Start(since="2026-11-01")))
