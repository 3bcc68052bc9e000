"""A stand-in of a service: it records what it is asked, refuses what the vendor would, and fails when it is told to.

A stand-in of a vendor is a subclass of `Fake` with `answer`; faults come from here, before or after the effect.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import parse_qs, parse_qsl, urlsplit

Fault = Literal[
    "lost_before",  # the connection breaks before anything was done
    "lost_after",  # it was done, and the connection breaks
    "slow_before",  # nothing was done, and no answer comes for `SLOW_S`
    "slow_after",  # it was done, and no answer comes for `SLOW_S`
    "truncated",  # it was done, and the answer breaks off
    "error_after",  # it was done, and the answer is 500
    "too_many",  # 429 with Retry-After, nothing done
    "unavailable",  # 503 with Retry-After, nothing done
    "broken",  # 500, nothing done
    "redirect",  # 307 to `redirect_to`
    "expired",  # 401, as with an old token
    "forbidden",  # 403
    "too_large",  # 413
    "bad_request",  # 400, which repeats what was sent, credentials included
]
SLOW_S = 1.0
RETRY_AFTER_S = 7


@dataclass(frozen=True)
class Asked:
    """One request as it arrived.

    Attributes:
        path: Without the query.
        headers: Names in small letters.
    """

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    url: str = ""

    @property
    def json(self) -> Any:
        """The body, which must be JSON."""
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        """The body, which must be a form."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


@dataclass
class Reply:
    """What is answered: a JSON value, or bytes as they are."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None


class WrongRequestError(Exception):
    """A request that the vendor would refuse; it is answered with a status, and the test fails at its end."""

    def __init__(self, why: str, status: int = 400, body: Any = None) -> None:
        super().__init__(why)
        self.status, self.body = status, body


class Fake:
    """The state of a service and how it answers; subclasses write `answer`.

    Attributes:
        asked: Every request, in order of arrival.
        wrong: What was refused as something that a connector must never send.
        faults: Taken by the next requests to which they apply, in order.
        redirect_to: Where a redirect leads.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.wrong: list[str] = []
        self.faults: deque[Fault] = deque()
        self.redirect_to = "http://127.0.0.1:9/elsewhere"
        self.lock = threading.RLock()

    def answer(self, asked: Asked) -> Reply:
        """The vendor's answer, with its effect."""
        raise WrongRequestError(f"{asked.method} {asked.path} is nothing that the service has", 404)

    def can_fail(self, asked: Asked) -> bool:
        """Whether a fault strikes this request; by default only those with an effect."""
        return asked.method not in ("GET", "HEAD")

    def refusal(self, asked: Asked, status: int) -> Any:
        """The body of a refusal: by default it repeats what was sent, which nobody may show."""
        return {"message": f"refused {asked.body.decode(errors='replace')} by {dict(asked.headers)}", "code": status}

    def fails_next(self, *faults: Fault) -> None:
        """Lets the next requests that can fail do so."""
        self.faults.extend(faults)

    def respond(self, asked: Asked) -> tuple[Reply | None, Fault | None]:
        """The answer and the fault that spoils it."""
        with self.lock:
            self.asked.append(asked)
            fault = self.faults.popleft() if self.faults and self.can_fail(asked) else None
            refused = self._refused(asked, fault)
            if refused is not None:
                return refused, fault
            if fault in ("lost_before", "slow_before"):
                return None, fault
            try:
                return self.answer(asked), fault
            except WrongRequestError as wrong:
                self.wrong.append(f"{asked.method} {asked.path}: {wrong}")
                return Reply(wrong.status, wrong.body or {"message": str(wrong)}), fault

    def _refused(self, asked: Asked, fault: Fault | None) -> Reply | None:
        if fault in ("too_many", "unavailable"):
            status = 429 if fault == "too_many" else 503
            return Reply(status, self.refusal(asked, status), {"Retry-After": str(RETRY_AFTER_S)})
        if fault == "redirect":
            return Reply(307, None, {"Location": self.redirect_to})
        statuses = {"expired": 401, "forbidden": 403, "too_large": 413, "bad_request": 400, "broken": 500}
        status = statuses.get(fault or "")
        return None if status is None else Reply(status, self.refusal(asked, status))


@contextmanager
def serving(fake: Fake) -> Iterator[str]:
    """The address of a server that answers as `fake` says."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def respond(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            query = parse_qs(parts.query, keep_blank_values=True)
            asked = Asked(self.command, parts.path, query, headers, self.rfile.read(length), self.path)
            reply, fault = fake.respond(asked)
            try:
                _deliver(self, reply, fault)
            except OSError:
                self.close_connection = True

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = respond  # noqa: N815 - names of http.server

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def _deliver(handler: BaseHTTPRequestHandler, reply: Reply | None, fault: Fault | None) -> None:
    if fault in ("slow_before", "slow_after"):
        time.sleep(SLOW_S)
    if reply is None or fault in ("lost_before", "lost_after", "slow_after"):
        handler.close_connection = True
        handler.connection.shutdown(socket.SHUT_RDWR)
        return
    if fault == "error_after":
        reply = Reply(500, {"message": "something broke"})
    data = reply.raw if reply.raw is not None else b"" if reply.body is None else json.dumps(reply.body).encode()
    if fault == "truncated":
        data = data or b'{"message": "all is well"}'
        reply = Reply(200 if reply.status == 204 else reply.status, None, reply.headers)
    handler.send_response(reply.status)
    named = {"Content-Type": "application/json"} if data else {}
    for name, value in {**named, **reply.headers}.items():
        handler.send_header(name, value)
    if reply.status != 204:
        handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(data[: len(data) // 2] if fault == "truncated" else data)
    if fault == "truncated":
        handler.close_connection = True
