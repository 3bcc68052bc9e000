"""The HubSpot preset against our strict stand-in: bursts, the daily limit, a full picture."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fake_crm import TOKEN, FakeCrm

from segctl.compile.project import load_project
from segctl.compile.sources import load_sources
from segctl.connectors.sources.base import Around
from segctl.operations.ingest.fetch import Wishes, run_fetched
from segctl.operations.ingest.result import SourceResult
from segctl.operations.ingest.source import SourceRun
from segctl.operations.progress import Silent
from segctl.state.workspace import Workspace

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@dataclass
class Serving:
    """The fake and where it listens."""

    crm: FakeCrm
    url: str


@pytest.fixture
def serving(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serving]:
    crm = FakeCrm()
    monkeypatch.setenv("HUBSPOT_TOKEN", TOKEN)
    monkeypatch.setenv("NO_PROXY", "*")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, body, more = crm.answer(parse_qs(parts.query), headers)
            data = json.dumps(body).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", "Content-Length": str(len(data)), **more}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield Serving(crm, f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    server.server_close()


@pytest.fixture
def ingest(project: Path, serving: Serving) -> Callable[..., SourceResult]:
    """Fetches and ingests without sleeping: a wait lets the fake's time go by."""
    text = f"source: crm\npreset: hubspot_contacts\npicture: full\nrest: {{base_url: '{serving.url}',"
    text += " pages: {size: 2}, limits: {requests: 1000}}\nprofiles: {first_name: properties.firstname}\n"
    (project / "sources" / "crm.yaml").write_text(text, encoding="utf-8")

    def run() -> SourceResult:
        found, wrong = load_project(project)
        sources, findings = load_sources(found)
        assert not [f.message for f in (*wrong, *findings)]
        result = SourceResult("crm")
        around = Around("crm", project, NOW, sleep=serving.crm.tick, chance=lambda: 1.0)
        with Workspace.open(Path(found.workspace), create=True) as workspace:
            job = SourceRun(found, workspace, sources["crm"], NOW, Silent(), False, False, None, result)
            run_fetched(job, Wishes(), around=around)
        return result

    return run


def test_bursts_are_waited_out_before_they_are_refused(serving: Serving, ingest: Callable[..., SourceResult]) -> None:
    for number in range(15):
        serving.crm.contact(number)

    result = ingest()

    assert (result.new, result.bad) == (15, 0)
    assert serving.crm.refused == []  # the headers said so in time


def test_a_refused_burst_is_tried_again(serving: Serving, ingest: Callable[..., SourceResult]) -> None:
    for number in range(6):
        serving.crm.contact(number)
    serving.crm.used = 3

    assert ingest().new == 6
    assert serving.crm.refused == [429]


def test_the_daily_limit_stops_and_the_next_day_goes_on(serving: Serving, ingest: Callable[..., SourceResult]) -> None:
    from segctl.model.errors import TemporaryError

    for number in range(10):
        serving.crm.contact(number)
    serving.crm.daily = 3

    with pytest.raises(TemporaryError) as caught:
        ingest()
    serving.crm.daily, before = 1000, serving.crm.today
    result = ingest()

    assert caught.value.code == "SEG377"
    assert "6 records on 3 pages are kept" in str(caught.value.hint)
    assert result.new == 10
    assert serving.crm.today - before == 2


def test_who_is_no_longer_in_a_full_picture_is_gone(serving: Serving, ingest: Callable[..., SourceResult]) -> None:
    for number in range(4):
        serving.crm.contact(number)
    ingest()
    del serving.crm.contacts[1]
    serving.crm.contacts[0]["properties"] |= {"firstname": "Zoë-Marie", "lastmodifieddate": "2026-11-02T08:00:00Z"}

    result = ingest()

    assert (result.new, result.gone) == (1, 1)
