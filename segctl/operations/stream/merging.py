"""Small files that a stream makes, merged by a process of its own while the stream goes on.

The process does what `segctl compact` could do beside a stream at any moment, so nothing is lost with it.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segctl.operations.session import Session

_CHILD = "from segctl.operations.stream.merging import merge_for_parent; merge_for_parent()"
_POLITE = 10
_ROWS_AT_ONCE = 500_000
MOST_STORED = 32
"""Files of lines may be made so often before small ones are merged without waiting for a checkpoint."""


@dataclass(slots=True)
class Merging:
    """At most one merging at a time.

    Attributes:
        stored: How often files were made since the last one began.
    """

    stored: int = 0
    _child: subprocess.Popen[bytes] | None = None
    _failure: str = ""
    _has_told: bool = False

    @property
    def is_due(self) -> bool:
        """So many small files were made that it is time, checkpoint or not."""
        return self.stored >= MOST_STORED

    def begin(self, session: Session) -> None:
        """Begins to merge, unless that is under way or there is little to merge."""
        from segctl.state.compaction_tails import are_many

        if self._child is not None:
            return
        self.stored = 0
        if not are_many(session.workspace):
            return
        try:
            self._child = _begun(session)
        except OSError as error:
            self._failure = error.strerror or str(error)

    def take(self, told: Callable[[str], None]) -> bool:
        """Whether a merging has just ended; where it failed, the small files are there still, which is told once."""
        has_ended = self._child is not None and self._child.poll() is not None
        if self._child is not None and has_ended:
            self._failure = f"exit code {self._child.returncode}" if self._child.returncode else ""
            self._child = None
        if self._failure and not self._has_told:
            told(f"small files could not be merged and stay as they are: {self._failure}")
            self._has_told = True
        return has_ended

    def close(self) -> None:
        """Breaks off what is under way."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            self._child = None


def _begun(session: Session) -> subprocess.Popen[bytes]:
    """The process that merges.

    Raises:
        OSError: It cannot be started, or there is no room for what it is asked.
    """
    # A pipe would hold up the stream until the process has read what it is asked, or break when that ends before.
    with tempfile.TemporaryFile(dir=session.workspace.folder) as asked:
        pickle.dump((session.definitions, session.lists, session.warnings, session.workspace.folder), asked)
        asked.seek(0)
        return subprocess.Popen(
            [sys.executable, "-c", _CHILD], stdin=asked, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=os.environ | {"POLARS_MAX_THREADS": "1"}, start_new_session=True,
        )  # fmt: skip


def merge_for_parent() -> None:
    """Merges files of the workspace that stands on standard input."""
    from segctl.operations.session import Session
    from segctl.state.workspace import Workspace

    os.nice(_POLITE)
    with os.fdopen(os.dup(0), "rb") as asked:
        definitions, lists, warnings, folder = pickle.load(asked)
    with Workspace.open(folder) as workspace:
        merge(Session(definitions, workspace, lists, warnings))


def merge(session: Session) -> int:
    """Merges tails of events, and makes mapped copies of what they become before anybody sees it; how many went."""
    from segctl.operations.hot_columns import copies_of, wanted_columns
    from segctl.state.compaction_tails import compact_tails

    workspace, wanted = session.workspace, wanted_columns(session)
    return compact_tails(workspace, rows_at_once=_ROWS_AT_ONCE, before=lambda made: copies_of(workspace, made, wanted))
