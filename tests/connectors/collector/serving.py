"""A collector inside of the tests' own process, on a real socket."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from segctl.connectors.collector.connection import Bounds
from segctl.connectors.collector.files import collected_files
from segctl.connectors.collector.intake import Desk, Intake
from segctl.connectors.collector.journal import Journal
from segctl.connectors.collector.keys import KeyRing, WriteKey, digest_of
from segctl.connectors.collector.metrics import Metrics
from segctl.connectors.collector.seen import Seen
from segctl.connectors.collector.server import Server
from segctl.model.fetching_collector import CollectorFetch

KEY = "wk_of_the_tests_0123456789"
SEGMENT = Intake("web", CollectorFetch("segment", origins=("https://shop.example",), most_bytes=20_000))
EVENT = {"userId": "u1", "event": "Product Viewed", "messageId": "m1", "timestamp": "2026-11-22T12:00:00Z"}


class Served:
    """A server in a thread of its own."""

    def __init__(
        self,
        folder: Path,
        *intakes: Intake,
        bounds: Bounds | None = None,
        remember_s: float = 0.0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        trusts_proxy: bool = False,
    ) -> None:
        self.folder = folder
        self.metrics = Metrics()
        self.journal: Any = None
        self.port = 0
        self._ready, self._loop, self._stop = threading.Event(), asyncio.new_event_loop(), asyncio.Event()
        ring = KeyRing([WriteKey(f"of_{one.name}", one.name, digest_of(f"{KEY}/{one.name}")) for one in intakes])
        seen = Seen(remember_s)

        async def work() -> None:
            self.journal = Journal(folder, now, self.metrics.committed, indexes=remember_s > 0)
            self.journal.open()
            seen.load(folder, now().timestamp())
            desk = Desk(intakes, ring, seen, clock=now, ticks=time.monotonic, trusts_proxy=trusts_proxy)
            limits = bounds or replace(Bounds(), body_bytes=30_000)
            server = Server(desk, self.journal, self.metrics, limits, lambda: ring, lambda problem: None)
            self.server = server
            await server.run("127.0.0.1", 0, self._listening, self._stop)

        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(work(),))
        self._thread.start()
        assert self._ready.wait(5)

    def _listening(self, host: str, port: int) -> None:
        self.port = port
        self._ready.set()

    def stop(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(15)
            self._loop.close()

    def send(self, data: bytes, *, wait_s: float = 3.0, half_close: bool = False) -> bytes:
        """What comes back for raw bytes until the other side ends, or says nothing more for a while."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=wait_s) as link:
            got = b""
            try:
                link.sendall(data)
                if half_close:
                    link.shutdown(socket.SHUT_WR)
                while piece := link.recv(65_536):
                    got += piece
                    if _is_whole(got):
                        break
            except (TimeoutError, ConnectionError):
                pass
            return got

    def post(self, path: str, body: Any, **headers: str) -> int:
        """The status of one answer."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return status(self.send(request("POST", path, data, **headers)))

    def track(self, body: Any = EVENT, **headers: str) -> int:
        return self.post("/v1/track", body, **{"X-Write-Key": f"{KEY}/web", **headers})

    def lines(self) -> list[dict[str, Any]]:
        return [
            json.loads(line)
            for name in collected_files(self.folder)
            for line in (self.folder / name).read_bytes().splitlines()
        ]


def request(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    """A request's bytes; an underscore of a header's name is a hyphen."""
    named = {"Host": "t.shop.example", "Content-Type": "application/json", "Content-Length": str(len(body))}
    named |= {name.replace("_", "-"): of for name, of in headers.items()}
    head = "".join(f"{name}: {of}\r\n" for name, of in named.items() if of)
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body


def status(answer: bytes) -> int:
    """0 when there is no answer."""
    return int(answer[9:12]) if answer.startswith(b"HTTP/1.1 ") else 0


def _is_whole(answer: bytes) -> bool:
    head, found, body = answer.partition(b"\r\n\r\n")
    if not found or head.startswith(b"HTTP/1.1 100"):
        return False
    if b"\r\ncontent-length: " not in head:
        return True
    return len(body) >= int(head.partition(b"\r\ncontent-length: ")[2].partition(b"\r\n")[0])


@contextmanager
def serving(folder: Path, *intakes: Intake, **options: Any) -> Iterator[Served]:
    """A server that is gone at the end."""
    served = Served(folder, *(intakes or (SEGMENT,)), **options)
    try:
        yield served
    finally:
        served.stop()
