"""Segments that need everybody, ranked anew beside the stream, which goes on meanwhile."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import TYPE_CHECKING

from segctl.model.errors import SegctlError
from segctl.operations.stream.clock import moment
from segctl.state.subjects import subject_count

if TYPE_CHECKING:
    import polars as pl

    from segctl.operations.session import Session

APART = 200_000
"""From so many subjects a ranking is a process of its own: beside the stream it would hold up every batch."""
_CHILD = "from segctl.operations.stream.ranking import rank_for_parent; rank_for_parent()"
_POLITE = 10


@dataclass(frozen=True, slots=True)
class Ranked:
    """What a ranking found.

    Attributes:
        answers: ``subject`` and a Boolean for each segment that could be decided.
        at: Valid time, microseconds since 1970.
        names: Those segments.
        failed: The others, with the reason.
    """

    answers: pl.DataFrame
    at: int
    names: tuple[str, ...]
    failed: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Ranking:
    """At most one ranking at a time."""

    _worker: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))
    _found: Future[Ranked] | None = None
    _names: tuple[str, ...] = ()
    _at: int = 0

    def begin(self, session: Session, names: Sequence[str], *, at: int, snapshot: int) -> None:
        """Begins a ranking, unless one is under way or there is nothing to rank.

        Args:
            session: Project and workspace; the ranking opens the workspace for itself.
            names: Segments that need everybody.
            at: Valid time, microseconds since 1970.
            snapshot: Files that hold all events up to then.
        """
        if names and self._found is None:
            self._names, self._at = tuple(names), at
            apart = subject_count(session.workspace, snapshot) >= APART
            self._found = self._worker.submit(_ranked_apart if apart else _ranked, session, tuple(names), at, snapshot)

    def take(self, *, wait: bool = False) -> Ranked | None:
        """What a ranking that has ended found, once; None while there is none."""
        import polars as pl

        if self._found is None or not (wait or self._found.done()):
            return None
        found, self._found = self._found, None
        try:
            return found.result()
        except (SegctlError, OSError) as error:
            # The stream goes on; these segments keep their last membership until they can be ranked.
            said = error.message if isinstance(error, SegctlError) else str(error)
            nobody = pl.DataFrame(schema={"subject": pl.Int32})
            return Ranked(nobody, self._at, (), dict.fromkeys(self._names, f"it could not be ranked: {said}"))

    def close(self) -> None:
        """Waits for what is under way, and forgets it."""
        self._worker.shutdown()
        self._found = None


def _ranked_apart(session: Session, names: tuple[str, ...], at: int, snapshot: int) -> Ranked:
    """The same by another process, on one core and behind whoever else wants it."""
    asked = (session.definitions, session.lists, session.warnings, session.workspace.folder, names, at, snapshot)
    child = subprocess.run(
        [sys.executable, "-c", _CHILD], input=pickle.dumps(asked), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env=os.environ | {"POLARS_MAX_THREADS": "1"}, start_new_session=True, check=False,
    )  # fmt: skip
    # Whatever went wrong there is found again here, where it can be told.
    return _ranked(session, names, at, snapshot) if child.returncode else _read(child.stdout, at)


def rank_for_parent() -> None:
    """Ranks what stands on standard input, and writes what is found to standard output."""
    from segctl.operations.session import Session
    from segctl.state.workspace import Workspace

    os.nice(_POLITE)
    with os.fdopen(os.dup(0), "rb") as asked:
        definitions, lists, warnings, folder, names, at, snapshot = pickle.load(asked)
    with Workspace.open(folder) as workspace:
        found = _ranked(Session(definitions, workspace, lists, warnings), names, at, snapshot)
    with os.fdopen(os.dup(1), "wb") as out:
        pickle.dump(dict(found.failed), out)
        found.answers.write_ipc(out)


def _read(answers: bytes, at: int) -> Ranked:
    import polars as pl

    told = BytesIO(answers)
    failed = pickle.load(told)
    frame = pl.read_ipc(BytesIO(told.read()))
    return Ranked(frame, at, tuple(name for name in frame.columns if name != "subject"), failed)


def _ranked(session: Session, names: tuple[str, ...], at: int, snapshot: int) -> Ranked:
    from segctl.operations.evaluation import evaluate
    from segctl.state.workspace import Workspace

    # A connection of its own: that of the stream may be in the middle of a transaction.
    with Workspace.open(session.workspace.folder) as workspace, workspace.lease(snapshot):
        own = replace(session, workspace=workspace)
        found = evaluate(own, names, as_of=moment(at), snapshot=snapshot)
    decided = [name for name in names if name not in found.failed]
    failed = {name: found.failed[name] for name in names if name in found.failed}
    return Ranked(found.frame.select("subject", *decided), at, tuple(decided), failed)
