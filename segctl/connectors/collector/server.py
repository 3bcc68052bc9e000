"""The collector at work: connections in, lines to the journal, answers out; and an orderly end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from segctl.connectors.collector.connection import Bounds, Connection, Reply
from segctl.connectors.collector.intake import Desk
from segctl.connectors.collector.journal import Journal
from segctl.connectors.collector.keys import KeyRing
from segctl.connectors.collector.metrics import Metrics
from segctl.connectors.collector.requests import Accepted, Answer, RefusedRequest, Repeated, Request, refusal

_KEYS_S = 1.0
_DRAIN_S = 10.0
_FULL_DISK_S = "30"
_PREFLIGHT = (
    ("access-control-allow-methods", "GET, POST"),
    (
        "access-control-allow-headers",
        # The last two: Snowplow's and RudderStack's libraries for browsers.
        "authorization, content-type, content-encoding, x-write-key, sp-anonymous, anonymousid",
    ),
    ("access-control-max-age", "86400"),
)
_LOOPBACK = ("127.0.0.1", "::1")


@dataclass(slots=True)
class Server:
    """Everything that one listening process holds.

    Attributes:
        desk: Judges requests.
        journal: Keeps them.
        metrics: Counts them.
        bounds: Of connections.
        newest_keys: Gives the keys that may write now; asked every few seconds.
        trouble: Told when requests can no longer be written, and with None when they can again.
        is_stopping: No more requests are taken.
        held_bytes: Bytes of bodies that are not whole yet.
    """

    desk: Desk
    journal: Journal
    metrics: Metrics
    bounds: Bounds
    newest_keys: Callable[[], KeyRing]
    trouble: Callable[[OSError | None], None]
    is_stopping: bool = False
    held_bytes: int = 0
    _connections: set[Connection] = field(default_factory=set)

    # --- What a connection asks ----------------------------------------------------------------------------
    def joined(self, connection: Connection) -> bool:
        """Notes a new connection; False when there are too many."""
        self._connections.add(connection)
        self.metrics.connections = len(self._connections)
        return len(self._connections) <= self.bounds.connections and not self.is_stopping

    def left(self, connection: Connection) -> None:
        """Forgets it."""
        self._connections.discard(connection)
        self.metrics.connections = len(self._connections)

    def refused(self, answer: Answer) -> None:
        """Counts a refusal."""
        self.metrics.refused[answer.status, answer.reason] += 1

    def hold(self, size: int) -> bool:
        """Takes (or gives back) memory for bodies; False when they take too much together."""
        self.held_bytes += size
        return self.held_bytes <= self.bounds.held_bytes

    def allowed(self, origin: str) -> str | None:
        """What an answer says about the page that asks; None when it says nothing."""
        if origin.lower() in self.desk.origins:
            return origin.lower()
        return "*" if "*" in self.desk.origins else None

    def handle(self, request: Request, reply: Reply) -> None:
        """Answers a request: at once when nothing of it is kept, else when it is on disk."""
        own = self._own(request)
        if own is not None:
            reply(own)
            return
        try:
            found = self.desk.take(request)
        except RefusedRequest as error:
            self.refused(error.answer)
            reply(error.answer)
        except Exception:  # a mistake of ours must end neither the process nor the connections of others
            answer = refusal(500, "bug")
            self.refused(answer)
            reply(answer)
        else:
            self._keep(found, reply)

    def _keep(self, found: Accepted | Repeated, reply: Reply) -> None:
        if isinstance(found, Repeated):
            self.metrics.repeated[found.source] += 1
            reply(found.answer)
            return
        accepted = found

        def done(is_durable: bool) -> None:
            self.desk.settle(accepted, is_durable=is_durable)
            if is_durable:
                self.metrics.accepted[accepted.source, accepted.key] += 1
                self.metrics.volume[accepted.source, accepted.key] += len(accepted.line)
                reply(accepted.answer)
            else:
                answer = refusal(503, "disk", ("retry-after", _FULL_DISK_S))
                self.refused(answer)
                reply(answer)

        if not self.journal.append(accepted.line, done):
            done(False)

    def _own(self, request: Request) -> Answer | None:
        """Answers that need no source: health, metrics, and what a browser asks before it sends."""
        if request.method == "OPTIONS":
            return self._preflight(request)
        if request.method != "GET":
            return None
        if request.path == "/health":
            broken = self.journal.problem is not None
            return refusal(503, "disk", ("retry-after", _FULL_DISK_S)) if broken else Answer(200, b'{"status":"ok"}')
        if request.path == "/metrics" and self._is_near(request):
            return Answer(200, self.metrics.text(), "text/plain; version=0.0.4; charset=utf-8")
        return None

    def _preflight(self, request: Request) -> Answer:
        origin = request.headers.get("origin")
        if origin is None or self.allowed(origin) is None:
            answer = refusal(403, "origin")
            self.refused(answer)
            return answer
        return Answer(204, extra=_PREFLIGHT)

    def _is_near(self, request: Request) -> bool:
        """Asked on this machine, and not by way of a proxy, which says for whom it asks."""
        passed_on = ("x-forwarded-for", "forwarded", "via", "x-real-ip")
        return request.peer in _LOOPBACK and not any(name in request.headers for name in passed_on)

    # --- Its life ------------------------------------------------------------------------------------------
    async def run(self, host: str, port: int, listening: Callable[[str, int], None], stop: asyncio.Event) -> None:
        """Takes requests until `stop` is set, then finishes what was accepted.

        Args:
            host: Address to bind.
            port: 0 takes any.
            listening: Told where, once it is so.
            stop: Set from outside.

        Raises:
            OSError: The address cannot be bound.
        """
        loop = asyncio.get_running_loop()
        listener = await loop.create_server(self._connection, host, port, backlog=1024)
        sweeping = loop.create_task(self._sweep())
        try:
            place = listener.sockets[0].getsockname()
            listening(str(place[0]), int(place[1]))
            await stop.wait()
        finally:
            self.is_stopping = True
            listener.close()
            await self._drain()
            sweeping.cancel()
            await self.journal.close()

    def _connection(self) -> Connection:
        return Connection(self, time.monotonic, self.allowed)

    async def _sweep(self) -> None:
        """Ends connections whose time is over, and learns which keys came and went."""
        read, was_broken = time.monotonic(), False
        while True:
            await asyncio.sleep(self.bounds.sweep_s)
            now = time.monotonic()
            problem = self.journal.problem
            if (problem is not None) != was_broken:
                was_broken = problem is not None
                self.trouble(problem)
            for connection in tuple(self._connections):
                connection.expire(now)
            if now - read >= _KEYS_S:
                read = now
                self.desk.keys = self.newest_keys()

    async def _drain(self) -> None:
        """Lets requests that began come to their answers; who is still sending after a while is cut off."""
        until = time.monotonic() + _DRAIN_S
        while self._connections and time.monotonic() < until:
            for connection in tuple(self._connections):
                connection.stop()
            await asyncio.sleep(0.02)
        for connection in tuple(self._connections):
            connection.abort()
