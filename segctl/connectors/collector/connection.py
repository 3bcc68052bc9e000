"""One connection: bytes to whole requests within limits of size and time, and answers back in order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, cast

import httptools

from segctl.connectors.collector.http_text import rendered, request_of
from segctl.connectors.collector.requests import Answer, Request, refusal

Reply = Callable[[Answer], None]
_METHODS = ("POST", "GET", "OPTIONS")
_MOST_PIPELINED = 16


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one connection may take.

    Attributes:
        head_bytes: Request line and headers together.
        url_bytes: Of the request line alone; pixels carry an event there.
        headers: How many.
        body_bytes: As sent, compressed or not.
        head_s: From the first byte to the end of the headers.
        body_s: For the body then, besides a second for each 10 kB.
        idle_s: Between requests.
        connections: At once.
        held_bytes: Of all bodies together that are not whole yet.
        sweep_s: Between two looks at the times.
    """

    head_bytes: int = 64 * 1024
    url_bytes: int = 32 * 1024
    headers: int = 100
    body_bytes: int = 1_000_000
    head_s: float = 10.0
    body_s: float = 15.0
    idle_s: float = 75.0
    connections: int = 2000
    held_bytes: int = 256 * 1024 * 1024
    sweep_s: float = 0.5


class Host(Protocol):
    """What a connection needs of its server."""

    bounds: Bounds
    is_stopping: bool

    def handle(self, request: Request, reply: Reply) -> None:
        """Answers a request by calling `reply` once, now or later."""

    def joined(self, connection: Connection) -> bool:
        """Notes a new connection; False when there are too many."""

    def left(self, connection: Connection) -> None:
        """Forgets it."""

    def refused(self, answer: Answer) -> None:
        """Counts a request that could not be read."""

    def hold(self, size: int) -> bool:
        """Takes (or gives back) so many bytes of memory for bodies; False when there is too little."""


class _Slot:
    """The place of an answer in the order of requests."""

    __slots__ = ("answer", "is_last", "origin")

    def __init__(self) -> None:
        self.answer: Answer | None = None
        self.is_last = False
        self.origin: str | None = None


class Connection(asyncio.Protocol):
    """Reads requests and writes their answers."""

    def __init__(self, host: Host, ticks: Callable[[], float], allowed: Callable[[str], str | None]) -> None:
        self._host, self._ticks, self._allowed = host, ticks, allowed
        self._parser = httptools.HttpRequestParser(self)
        self._slots: deque[_Slot] = deque()
        self._transport: asyncio.Transport = cast("asyncio.Transport", None)
        self._peer = ""
        self._is_reading, self._is_closed = True, False
        self._body = bytearray()
        self.deadline = ticks() + host.bounds.head_s
        self._begin()

    def _begin(self) -> None:
        if self._body:
            self._host.hold(-len(self._body))
        self._url, self._body = bytearray(), bytearray()
        self._headers: dict[str, str] = {}
        self._plain_head = b""
        self._head_bytes = self._header_bytes = self._count = 0
        self._is_inside = self._in_body = False

    # --- The transport's side ------------------------------------------------------------------------------
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody connects."""
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        self._peer = str(peer[0]) if isinstance(peer, tuple) else ""
        if not self._host.joined(self):
            self._fail(refusal(503, "connections", ("retry-after", "5")))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's interface
        """The other side is gone; what was accepted stays accepted."""
        self._is_closed = True
        self._begin()
        self._host.left(self)

    def data_received(self, data: bytes) -> None:
        """Some bytes of requests."""
        if self._is_closed or not self._is_reading:
            return
        if not self._is_inside:
            self._is_inside = True
            self.deadline = self._ticks() + self._host.bounds.head_s
        if not self._in_body:
            self._head_bytes += len(data)
        try:
            self._feed(data)
        except _TooMuch as error:
            self._fail(error.answer)
        except httptools.HttpParserCallbackError as error:
            inner = error.__context__
            self._fail(inner.answer if isinstance(inner, _TooMuch) else refusal(400, "http"))
        except httptools.HttpParserUpgrade:
            # The request was read, but what follows would be of the other protocol.
            self._end_after_answers()
        except httptools.HttpParserError:
            self._fail(refusal(400, "http"))
        else:
            # A head that never ends is never given to `on_header` either.
            if not self._in_body and self._is_inside and self._head_bytes > self._host.bounds.head_bytes:
                self._fail(refusal(431, "headers"))

    def _feed(self, data: bytes) -> None:
        """Reads on; a wish for another protocol is passed over, as a server may, and the request is read as it is."""
        while True:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as error:
                head = self._plain_head
                if not head:
                    raise
                # The parser takes no body after such a head, so it is given one without the wish.
                self._parser = httptools.HttpRequestParser(self)
                self._begin()
                self._is_inside = True
                data = head + data[error.args[0] :]
            else:
                return

    def eof_received(self) -> bool:
        """The other side sends no more, but may still read."""
        self._is_reading = False
        return bool(self._slots)

    def pause_writing(self) -> None:
        """The other side does not read its answers, so no more of its requests are read."""
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """It reads again."""
        if not self._transport.is_closing():
            self._transport.resume_reading()

    # --- The parser's side ---------------------------------------------------------------------------------
    def on_url(self, url: bytes) -> None:
        """A part of the address."""
        self._url += url
        if len(self._url) > self._host.bounds.url_bytes:
            raise _TooMuch(refusal(414, "url"))

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header; what comes after the body, as chunks allow, is none of the request's."""
        self._count += 1
        self._header_bytes += len(name) + len(value)
        if self._count > self._host.bounds.headers or self._header_bytes > self._host.bounds.head_bytes:
            raise _TooMuch(refusal(431, "headers"))
        if self._in_body:
            return
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        if key not in self._headers:
            self._headers[key] = text
        elif key in _ONCE:
            raise _TooMuch(refusal(400, "headers"))
        else:
            self._headers[key] += f", {text}"

    def on_headers_complete(self) -> None:
        """The body follows."""
        if "upgrade" in self._headers and self._parser.should_upgrade() and self._parser.get_method() != b"CONNECT":
            self._plain_head = self._head_without_upgrade()
            return
        bounds = self._host.bounds
        self._in_body = True
        self._head_bytes = 0
        length = self._headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()) or int(length[:20]) > bounds.body_bytes:
            raise _TooMuch(refusal(413, "size"))
        self.deadline = self._ticks() + bounds.body_s + int(length) / 10_000
        if self._headers.get("expect", "").lower() == "100-continue" and not self._slots:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _head_without_upgrade(self) -> bytes:
        version = self._parser.get_http_version().encode("ascii")
        lines = [b"%b %b HTTP/%b" % (self._parser.get_method(), bytes(self._url), version)]
        kept = (f"{name}: {of}".encode("latin-1") for name, of in self._headers.items() if name != "upgrade")
        return b"\r\n".join([*lines, *kept, b"", b""])

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._body += body
        if not self._host.hold(len(body)):
            raise _TooMuch(refusal(503, "memory", ("retry-after", "5")))
        if len(self._body) > self._host.bounds.body_bytes:
            raise _TooMuch(refusal(413, "size"))

    def on_message_complete(self) -> None:
        """The request is whole."""
        if self._plain_head:
            return
        slot = _Slot()
        slot.is_last = not self._parser.should_keep_alive() or self._host.is_stopping
        self._slots.append(slot)
        method, request = self._parser.get_method().decode("latin-1"), None
        try:
            request = request_of(method, bytes(self._url), self._headers, bytes(self._body), self._peer)
        except ValueError:
            slot.is_last = True
        slot.origin = self._headers.get("origin")
        self._begin()
        if len(self._slots) > _MOST_PIPELINED:
            raise _TooMuch(refusal(429, "pipeline"))
        if request is None:
            self._answer(slot, refusal(400, "url"))
        elif request.method not in _METHODS:
            self._answer(slot, refusal(405, "method", ("allow", "POST, GET")))
        else:
            self._host.handle(request, lambda answer: self._answer(slot, answer))

    # --- Answers -------------------------------------------------------------------------------------------
    def _answer(self, slot: _Slot, answer: Answer) -> None:
        slot.answer = answer
        if self._is_closed:
            return
        while self._slots and self._slots[0].answer is not None:
            ready = self._slots.popleft()
            origin = None if ready.origin is None else self._allowed(ready.origin)
            assert ready.answer is not None
            self._transport.write(rendered(ready.answer, origin, is_last=ready.is_last))
            if ready.is_last:
                self._close()
                return
        if not self._slots:
            self.deadline = self._ticks() + self._host.bounds.idle_s
            if self._host.is_stopping or not self._is_reading:
                self._close()

    def _fail(self, answer: Answer) -> None:
        """Refuses what cannot be read on; nothing after it makes sense."""
        self._host.refused(answer)
        self._is_reading = False
        slot = _Slot()
        slot.is_last = True
        self._slots.append(slot)
        self._answer(slot, answer)

    def _end_after_answers(self) -> None:
        self._is_reading = False
        if self._slots:
            self._slots[-1].is_last = True
        else:
            self._close()

    def _close(self) -> None:
        self._is_reading = False
        self._transport.close()

    def expire(self, now: float) -> None:
        """Ends the connection when its time is over: it is idle, or it sends too slowly."""
        if now < self.deadline or self._slots:
            return
        if self._transport.is_closing():
            # It does not read its answer.
            if now > self.deadline + self._host.bounds.body_s:
                self._transport.abort()
        elif self._is_inside:
            self._fail(refusal(408, "slow"))
        else:
            self._close()

    def stop(self) -> None:
        """Ends the connection once what it was asked is answered."""
        if not self._slots and not self._is_inside:
            self._close()

    def abort(self) -> None:
        """Ends the connection at once."""
        self._transport.abort()


class _TooMuch(Exception):  # noqa: N818 - not an error of ours
    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.reason)
        self.answer = answer


_ONCE = frozenset({"content-length", "content-type", "content-encoding", "authorization", "transfer-encoding", "host",
                   "origin", "x-write-key"})  # fmt: skip
"""Headers that mean nothing, or two things, when they come twice."""
