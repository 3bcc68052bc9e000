"""Servers of our own on this machine: honest ones and hostile ones."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import postgres
import pytest
from api_servers import NOW, Answering, Asked, Served

from segctl.connectors.sources.base import Around, Start
from segctl.connectors.sources.http import RestConnector
from segctl.model.fetching_rest import RestFetch
from segctl.model.secrets import forget


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """A PostgreSQL server of the tests' own."""
    programs = postgres.binaries()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (Debian: `apt install postgresql`)")
    with postgres.server(programs) as url:
        yield url


@pytest.fixture
def serve() -> Iterator[Callable[[Answering], Served]]:
    """Starts a server that answers as a function says; all of them end with the test."""
    servers: list[ThreadingHTTPServer] = []

    def start(answering: Answering) -> Served:
        served = Served("")

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                parts = urlsplit(self.path)
                query = parse_qs(parts.query, keep_blank_values=True)
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(self.command, parts.path, query, headers, self.rfile.read(length))
                served.asked.append(asked)
                try:
                    answering(asked, self)
                except OSError:
                    self.close_connection = True

            do_GET = do_POST = answer  # noqa: N815 - names of http.server

            def log_message(self, *args: Any) -> None:
                """Says nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        server.block_on_close = False
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        served.url = f"http://127.0.0.1:{server.server_port}"
        return served

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()
    forget()


@dataclass
class Fetched:
    """What a fetch brought."""

    records: list[dict[str, Any]]
    positions: list[Any]
    cursors: list[Any]
    slept: list[float]
    notes: list[str]


@pytest.fixture
def fetch(tmp_path: Path) -> Callable[..., Fetched]:
    """Fetches all pages of a declaration without ever sleeping."""

    def run(declared: RestFetch, start: Start | None = None, **around: Any) -> Fetched:
        found = Fetched([], [], [], [], [])
        options = {"sleep": found.slept.append, "chance": lambda: 1.0, "note": found.notes.append} | around
        connector = RestConnector(declared, Around("shop", tmp_path, NOW, **options))
        for page in connector.pages(start or Start()):
            found.records += [json.loads(line) for line in page.lines.splitlines()]
            found.positions.append(page.position)
            found.cursors.append(page.cursor)
        return found

    return run
