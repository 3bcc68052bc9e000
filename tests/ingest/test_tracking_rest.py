"""Tracking messages from a service, page by page: events, people and sessions as from files, and nothing twice."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from ingest.conftest import Shop
from ingest.test_tracking_ingest import PROJECT, lines, page, parts, sessions

IP = "203.0.113.77"
BODY = """
kind: rest
tracking: segment
rest:
  base_url: {url}
  path: /v1/messages
  auth: {{bearer: {{env: TRACKING_KEY}}}}
  records: data
  pages: {{style: cursor, param: after, path: next}}
  cursor: {{field: receivedAt, param: since}}
"""


class Messages:
    """A service with an archive of messages: three a page, by the time they were received."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []
        self.asked: list[dict[str, str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(handler.path).query).items()}
        self.asked.append(asked)
        status, body = 200, self.page_of(asked)
        if handler.headers.get("Authorization") != "Bearer planted-key":
            status, body = 401, {"error": "unauthorized"}
        text = json.dumps(body).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text)

    def page_of(self, asked: dict[str, str]) -> dict[str, Any]:
        found = [r for r in self.records if r["receivedAt"] >= asked.get("since", "")]
        start = int(asked.get("after", 0))
        following = start + 3 if start + 3 < len(found) else None
        return {"data": found[start : start + 3], "next": None if following is None else str(following)}


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Messages]:
    monkeypatch.setenv("TRACKING_KEY", "planted-key")
    made = Messages()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def web(tmp_path: Any, service: Messages) -> Shop:
    (tmp_path / "sources").mkdir()
    (tmp_path / "segctl.yaml").write_text(PROJECT, encoding="utf-8")
    shop = Shop(tmp_path)
    shop.source("web", BODY.format(url=service.url))
    return shop


def received(message: dict[str, Any], minute: int) -> dict[str, Any]:
    at = datetime(2026, 11, 1, 10, tzinfo=UTC) + timedelta(minutes=minute)
    return {**message, "receivedAt": at.isoformat(), "context": {"ip": IP, "page": {"path": message.get("path", "/")}}}


def identify(minute: int, who: str, **traits: Any) -> dict[str, Any]:
    time = datetime(2026, 11, 1, 10, tzinfo=UTC) + timedelta(minutes=minute)
    return {"type": "identify", "anonymousId": who, "userId": f"U{who}", "messageId": f"i{who}{minute}",
            "timestamp": time.isoformat(), "traits": traits}  # fmt: skip


DAY = [
    *(received(page(n, "a", f"/{n}"), n) for n in range(4)),
    received(identify(4, "a", plan="gold"), 4),
    received(page(100, "a", "/later"), 100),
    received(page(101, "b", "/"), 101),
]


def test_pages_of_messages_become_events_people_and_sessions(web: Shop, service: Messages) -> None:
    service.records = list(DAY)

    found = parts(web)

    assert (found["web"].new, found["web/identify"].new) == (6, 1)
    events = web.rows("events").filter(web.rows("events")["kind"] == "page_viewed")
    assert sorted(events["event_id"]) == sorted(m["messageId"] for m in DAY if m["type"] == "page")
    assert web.rows("records/web/identify").select("plan:t").to_series().to_list() == ["gold"]
    assert sorted(sessions(web)["pages:i"].to_list()) == [1, 1, 4]


def test_a_service_gives_the_same_as_a_file(web: Shop, service: Messages, tmp_path_factory: Any) -> None:
    service.records = list(DAY)
    parts(web)
    root = tmp_path_factory.mktemp("file")
    (root / "sources").mkdir()
    (root / "segctl.yaml").write_text(PROJECT, encoding="utf-8")
    other = Shop(root)
    other.source("web", "path: web.ndjson\ntracking: segment\n")
    other.file("web.ndjson", lines(*DAY))
    parts(other)

    for dataset in ("events", "records/web/identify", "links"):
        of, wanted = (s.rows(dataset) for s in (web, other))
        drop = [name for name in ("file_id", "line", "arrived_at", "arrival", "ingest") if name in of.columns]
        assert sorted(map(repr, of.drop(drop).rows())) == sorted(map(repr, wanted.drop(drop).rows())), dataset


def test_the_next_fetch_takes_what_came_since_and_prolongs_a_session(web: Shop, service: Messages) -> None:
    service.records = list(DAY)
    parts(web)
    service.asked.clear()
    service.records.append(received(page(110, "a", "/more"), 110))

    found = parts(web)

    assert found["web"].new == 1
    # A minute earlier than the newest of the last time; what comes twice counts once.
    assert {datetime.fromisoformat(asked["since"]) for asked in service.asked} == {
        datetime.fromisoformat(DAY[-1]["receivedAt"]) - timedelta(minutes=1)
    }
    assert sorted(sessions(web)["pages:i"].to_list()) == [1, 2, 4]
    assert [result.new for result in parts(web).values()] == [0, 0]


def test_the_service_is_asked_once_for_both_parts(web: Shop, service: Messages) -> None:
    service.records = list(DAY)

    parts(web)
    assert len(service.asked) == 3
    service.records.append(received(identify(130, "b", plan="tin"), 130))
    found = parts(web)

    assert len(service.asked) == 4
    assert (found["web"].new, found["web/identify"].new) == (0, 1)
    assert not list((web.root / ".segctl").rglob("records.ndjson"))


def test_a_part_that_stands_elsewhere_asks_for_itself(web: Shop, service: Messages) -> None:
    service.records = list(DAY)
    web.ingest("web/identify")
    service.records.append(received(identify(130, "b", plan="tin"), 130))
    service.asked.clear()

    found = parts(web)

    assert (found["web"].new, found["web/identify"].new) == (6, 1)
    assert ["since" in asked for asked in service.asked] == [False, False, False, True]
    assert parts(web)["web/identify"].new == 0


def test_no_address_of_a_machine_stays(web: Shop, service: Messages) -> None:
    service.records = [*DAY, received({"messageId": "x", "anonymousId": "a"}, 120)]
    (web.root / "sources" / "web.yaml").write_text(
        "source: web\n" + BODY.format(url=service.url) + "max_bad_rows: 100 %\n"
    )

    found = parts(web)

    assert found["web"].bad == 1
    for path in (web.root / ".segctl").rglob("*"):
        assert not path.is_file() or IP.encode() not in path.read_bytes(), path
