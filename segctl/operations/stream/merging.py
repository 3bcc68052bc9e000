"""Small files that a stream makes, merged by a process of its own while the stream goes on.

The process does what `segctl compact` could do beside a stream at any moment, so nothing is lost with it.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
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
        self._child = subprocess.Popen(
            [sys.executable, "-c", _CHILD], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, env=os.environ | {"POLARS_MAX_THREADS": "1"}, start_new_session=True,
        )  # fmt: skip
        assert self._child.stdin is not None, "asked for above"
        with self._child.stdin as asked:
            asked.write(pickle.dumps((session.definitions, session.lists, session.warnings, session.workspace.folder)))

    def take(self) -> bool:
        """Whether a merging has just ended; where it failed, the small files are there still."""
        if self._child is None or self._child.poll() is None:
            return False
        self._child = None
        return True

    def close(self) -> None:
        """Breaks off what is under way."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            self._child = None


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
