"""Pushes beside a stream: after each checkpoint, the audiences that have moved go to the named destinations."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from segctl.compile.selection import Selection
from segctl.model.errors import SegctlError, UsageError

if TYPE_CHECKING:
    from segctl.operations.session import Session


@dataclass(slots=True)
class Pushing:
    """At most one push at a time, as `segctl push` does it, with all its gates, guards and ledgers.

    Attributes:
        destinations: Where to; empty for nowhere.
    """

    destinations: tuple[str, ...] = ()
    _worker: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))
    _under_way: Future[str] | None = None
    _moved: set[str] = field(default_factory=set)

    def note(self, segments: Iterable[str]) -> None:
        """Segments that have moved."""
        if self.destinations:
            self._moved.update(segments)

    def begin(self, session: Session, now: datetime) -> None:
        """Begins a push of what has moved, unless one is under way; then it goes with the next."""
        if self._under_way is not None:
            return
        segments = session.definitions.segments
        names = sorted(
            name for name in self._moved if name in segments and set(segments[name].send_to) & set(self.destinations)
        )
        self._moved.clear()
        if names:
            self._under_way = self._worker.submit(_pushed, session, tuple(names), self.destinations, now)

    def take(self, told: Callable[[str], None], *, wait: bool = False) -> None:
        """Tells how a push that has ended went."""
        if self._under_way is not None and (wait or self._under_way.done()):
            found, self._under_way = self._under_way, None
            told(found.result())

    def close(self) -> None:
        """Waits for what is under way."""
        self._worker.shutdown()


def refuse_unknown(session: Session, destinations: Iterable[str]) -> None:
    """Destinations must be declared.

    Raises:
        UsageError: One is not.
    """
    from segctl.compile.suggest import nearest

    declared = session.definitions.destinations
    for name in destinations:
        if name not in declared:
            hint = nearest(name, declared) or "see `segctl ls destinations`"
            raise UsageError("SEG733", f"`{name}` is no declared destination", hint=hint)


def _pushed(session: Session, names: tuple[str, ...], destinations: tuple[str, ...], now: datetime) -> str:
    """Pushes, and says how it went; whatever goes wrong there is no reason for the stream to stop."""
    from segctl.operations.push.push import Asked, push
    from segctl.state.workspace import Workspace

    asked = Asked(Selection(select=names), to=destinations, is_everything=False)
    try:
        with Workspace.open(session.workspace.folder) as workspace:
            done = push(replace(session, workspace=workspace), asked, now=now)
    except SegctlError as error:
        return f"push to {', '.join(destinations)} failed: {error.message}"
    trouble = [
        f"`{one.segment}` at {one.destination}: {one.status}{f', {one.reason}' if one.reason else ''}"
        for one in done.outcomes
        if one.status not in ("ok", "paused")
    ]
    trouble += [f"{name}: {error.message}" for name, error in done.errors.items()]
    said = f"push {done.id}" if done.id is not None else "push: nothing to send"
    return "; ".join([f"{said}, audiences: {', '.join(names)}", *trouble])
