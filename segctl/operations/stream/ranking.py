"""Segments that need everybody, ranked anew beside the stream, which goes on meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from segctl.operations.stream.clock import moment

if TYPE_CHECKING:
    import polars as pl

    from segctl.operations.session import Session


@dataclass(frozen=True, slots=True)
class Ranked:
    """What a ranking found.

    Attributes:
        answers: ``subject`` and a Boolean for each segment that could be decided.
        at: Valid time, microseconds since 1970.
        names: Segments that were asked.
    """

    answers: pl.DataFrame
    at: int
    names: tuple[str, ...]


@dataclass(slots=True)
class Ranking:
    """At most one ranking at a time."""

    _worker: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))
    _found: Future[Ranked] | None = None

    def begin(self, session: Session, names: Sequence[str], *, at: int, snapshot: int) -> None:
        """Begins a ranking, unless one is under way or there is nothing to rank.

        Args:
            session: Project and workspace; the ranking opens the workspace for itself.
            names: Segments that need everybody.
            at: Valid time, microseconds since 1970.
            snapshot: Files that hold all events up to then.
        """
        if names and self._found is None:
            self._found = self._worker.submit(_ranked, session, tuple(names), at, snapshot)

    def take(self, *, wait: bool = False) -> Ranked | None:
        """What a ranking that has ended found, once; None while there is none."""
        if self._found is None or not (wait or self._found.done()):
            return None
        found, self._found = self._found, None
        return found.result()

    def close(self) -> None:
        """Waits for what is under way, and forgets it."""
        self._worker.shutdown()
        self._found = None


def _ranked(session: Session, names: tuple[str, ...], at: int, snapshot: int) -> Ranked:
    from segctl.operations.evaluation import evaluate
    from segctl.state.workspace import Workspace

    # A connection of its own: that of the stream may be in the middle of a transaction.
    with Workspace.open(session.workspace.folder) as workspace, workspace.lease(snapshot):
        own = replace(session, workspace=workspace)
        found = evaluate(own, names, as_of=moment(at), snapshot=snapshot)
    decided = [name for name in names if name not in found.failed]
    return Ranked(found.frame.select("subject", *decided), at, tuple(decided))
