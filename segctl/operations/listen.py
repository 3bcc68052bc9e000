"""Take requests of tracking libraries and webhooks until told to stop; every one accepted is on disk."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass
from segctl.model.errors import LocalIOError, UsageError
from segctl.model.fetching_collector import HOOKS, CollectorFetch
from segctl.operations.listen_keys import collectors, declared_keys, recorded_keys, refuse_shared

if TYPE_CHECKING:
    from segctl.connectors.collector.metrics import Metrics
    from segctl.connectors.collector.server import Server
    from segctl.connectors.collector.webhooks import Hook
    from segctl.model.project import Project
    from segctl.model.sources import Source
    from segctl.state.workspace import Workspace

DEFAULT_BIND = "127.0.0.1:8087"
LOCK = "listen"
_BODY_SLACK = 1024


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen."""

    host: str
    port: int

    @property
    def is_near(self) -> bool:
        """Only this machine can connect."""
        return self.host in ("localhost", "::1") or self.host.startswith("127.")


@dataclass(frozen=True, slots=True)
class Listening:
    """What is told once the collector takes requests.

    Attributes:
        url: Its base address.
        sources: Name → what it accepts.
        keyless: Sources that nobody can write to yet.
        torn_bytes: Bytes that a crash left, set aside.
    """

    url: str
    sources: Mapping[str, str]
    keyless: tuple[str, ...]
    torn_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Listened:
    """What was taken.

    Attributes:
        accepted: (source, key) → requests and bytes.
        refused: (status, reason) → requests.
        repeated: Signed requests that were there already.
        is_timed_out: The time of the call was up; a person or a supervisor ended it otherwise.
    """

    accepted: tuple[tuple[str, str, int, int], ...]
    refused: tuple[tuple[int, str, int], ...]
    repeated: int
    is_timed_out: bool = False


def parse_bind(text: str) -> Address:
    """``8087``, ``127.0.0.1:8087`` or ``[::1]:8087``.

    Raises:
        UsageError: It is none of these.
    """
    host, _, port = text.rpartition(":")
    is_v6 = host.startswith("[") and host.endswith("]")
    host = (host[1:-1] if is_v6 else host) or "127.0.0.1"
    if not port.isascii() or not port.isdigit() or int(port) > 65_535 or (":" in host and not is_v6):
        raise UsageError("SEG103", f"`--bind {text}` is no address", hint=f"write `--bind {DEFAULT_BIND}`")
    return Address(host, int(port))


def listen(
    project: Project,
    workspace: Workspace,
    sources: Mapping[str, Source],
    address: Address,
    *,
    clock: Callable[[], datetime],
    trusts_proxy: bool = False,
    listening: Callable[[Listening], None],
    trouble: Callable[[OSError | None], None],
) -> Listened:
    """Takes requests until SIGTERM or SIGINT, then finishes those that were begun.

    Args:
        project: With its sources.
        workspace: Open; one collector works in it at a time.
        sources: All declared sources.
        address: Where.
        clock: Present time, aware, UTC.
        trusts_proxy: A proxy before it says who asks.
        listening: Told once requests are taken.
        trouble: Told when requests can no longer be written, and with None when they can again.

    Raises:
        UsageError: Nothing to listen for, a secret that cannot be read, the server's package is not there.
        LocalIOError: The address cannot be bound.
        TemporaryError: Another collector works in the workspace.
    """
    fetches = collectors(sources)
    if not fetches:
        hint = "`segctl help listen` shows declarations; begin with `kind: collector` and `tracking: segment`"
        raise UsageError("SEG641", "no source of the project is of kind `collector`", hint=hint)
    _need_server()
    with workspace.lock(LOCK):
        server = _server(project, workspace, fetches, trouble, clock, trusts_proxy=trusts_proxy)
        writable = {key.source for key in (*declared_keys(project, fetches), *recorded_keys(workspace))}
        keyless = tuple(
            name
            for name, fetch in fetches.items()
            if name not in writable and not fetch.is_open and fetch.accepts not in HOOKS
        )

        def told(host: str, port: int) -> None:
            url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
            accepts = {name: fetch.accepts for name, fetch in fetches.items()}
            listening(Listening(url, accepts, keyless, server.journal.torn_bytes))

        is_timed_out = _run(server, address, told)
    return replace(_summary(server.metrics), is_timed_out=is_timed_out)


def _need_server() -> None:
    try:
        import httptools  # noqa: F401 - only whether it is there
    except ImportError as error:
        raise UsageError(
            "SEG640", "`segctl listen` needs one more package", hint="pip install 'segctl[live]'"
        ) from error


def _server(
    project: Project,
    workspace: Workspace,
    fetches: Mapping[str, CollectorFetch],
    trouble: Callable[[OSError | None], None],
    clock: Callable[[], datetime],
    *,
    trusts_proxy: bool,
) -> Server:
    from segctl.connectors.collector.connection import Bounds
    from segctl.connectors.collector.files import collector_folder
    from segctl.connectors.collector.intake import Desk, Intake
    from segctl.connectors.collector.journal import Journal
    from segctl.connectors.collector.keys import KeyRing
    from segctl.connectors.collector.metrics import Metrics
    from segctl.connectors.collector.seen import Seen
    from segctl.connectors.collector.server import Server

    declared = declared_keys(project, fetches)

    def newest_keys() -> KeyRing:
        return KeyRing([*declared, *recorded_keys(workspace)])

    refuse_shared([*declared, *recorded_keys(workspace)])
    hooks = [fetch for fetch in fetches.values() if fetch.accepts in HOOKS]
    folder = collector_folder(Path(project.workspace))
    metrics = Metrics()
    journal = Journal(folder, clock, metrics.committed, indexes=bool(hooks))
    journal.open()
    seen = Seen(max((fetch.remember_s for fetch in hooks), default=0.0))
    seen.load(folder, clock().timestamp())
    intakes = [Intake(name, fetch, _hook(project, fetch)) for name, fetch in fetches.items()]
    desk = Desk(intakes, newest_keys(), seen, clock=clock, ticks=time.monotonic, trusts_proxy=trusts_proxy)
    bounds = Bounds(body_bytes=desk.most_bytes() + _BODY_SLACK)
    return Server(desk, journal, metrics, bounds, newest_keys, trouble)


def _hook(project: Project, fetch: CollectorFetch) -> Hook | None:
    from segctl.connectors.collector.webhooks import Hook, is_empty
    from segctl.connectors.http.secrets import revealed

    if fetch.accepts not in HOOKS:
        return None
    secrets = tuple(revealed(secret, Path(project.root)) for secret in fetch.secrets)
    for declared, secret in zip(fetch.secrets, secrets, strict=True):
        if is_empty(secret):
            message = f"the secret `{declared}` holds no key: nothing follows its first letters"
            raise UsageError("SEG371", message, hint="copy the whole secret from the sender's settings")
    return Hook(fetch.accepts, secrets, fetch.tolerance_s, fetch.url, fetch.topics)


def _run(server: Server, address: Address, told: Callable[[str, int], None]) -> bool:
    """Serves until a signal comes; True when it was that of a clock."""
    rang = False

    def ring(stop: asyncio.Event) -> None:
        nonlocal rang
        rang = True
        stop.set()

    async def work() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            # Whoever starts us with a signal ignored wants it ignored.
            if signal.getsignal(number) is not signal.SIG_IGN:
                loop.add_signal_handler(number, stop.set)
        loop.add_signal_handler(signal.SIGALRM, ring, stop)
        await server.run(address.host, address.port, told, stop)

    try:
        _runner()(work())
    except OSError as error:
        # The loop's own sentence repeats the address.
        reason = (os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)).lower()
        message = f"cannot listen on {address.host}:{address.port}: {reason}"
        raise LocalIOError("SEG645", message, hint="choose another address with `--bind`") from error
    return rang


def _runner() -> Callable[..., None]:
    """The faster loop where there is one for the system."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run
    runner: Callable[..., None] = uvloop.run
    return runner


def _summary(metrics: Metrics) -> Listened:
    return Listened(
        tuple((source, key, n, metrics.volume[source, key]) for (source, key), n in sorted(metrics.accepted.items())),
        tuple((status, reason, n) for (status, reason), n in sorted(metrics.refused.items())),
        sum(metrics.repeated.values()),
    )
