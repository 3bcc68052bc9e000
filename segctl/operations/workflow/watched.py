"""The definitions that a process goes on by: those of now, and while somebody edits them the last good ones."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from segctl.model.errors import SegctlError

if TYPE_CHECKING:
    from segctl.operations.session import Session

_SETTLE_S, _MOST_LOOKS = 0.2, 10
"""Files that are being saved are looked at again so often, so that nothing goes by the first half of one."""
Files = frozenset[tuple[str, int, int]]


class Watched:
    """A session whose definitions follow the files.

    Args:
        session: Open, with the definitions of now.
        fits: Raises when definitions lack something that is needed; others are as good as broken then.
        told: Hears once why the files cannot be gone by, and None when they can again.
    """

    def __init__(
        self, session: Session, fits: Callable[[Session], object], told: Callable[[SegctlError | None], None]
    ) -> None:
        self.session, self._fits, self._told = session, fits, told
        self._files, self._is_broken = files_of(session), False

    def has_changed(self, sleep: Callable[[float], None]) -> bool:
        """Whether `session` has other definitions than before; `sleep` waits for files that are being saved."""
        today = files_of(self.session)
        if today == self._files:
            return False
        for _ in range(_MOST_LOOKS):
            sleep(_SETTLE_S)
            before, today = today, files_of(self.session)
            if today == before:
                break
        self._files = today
        try:
            session = _reopened(self.session)
            self._fits(session)
        except SegctlError as error:
            if not self._is_broken:
                self._told(error)
            self._is_broken = True
            return False
        if self._is_broken:
            self._told(None)
        self.session, self._is_broken = session, False
        return True


def files_of(session: Session) -> Files:
    """What tells that somebody has edited the project: its files of definitions with time and size."""
    root = session.root
    found = set()
    for path in [*root.glob("*.yaml"), *root.glob("*/*.yaml")]:
        # An editor may take a file away for a moment, to put the new one in its place.
        with suppress(OSError):
            if not path.parent.name.startswith(".") and path.is_file():
                found.add((str(path), path.stat().st_mtime_ns, path.stat().st_size))
    return frozenset(found)


def _reopened(session: Session) -> Session:
    """The session with the definitions of now.

    Raises:
        UsageError: They do not bind.
    """
    from segctl.operations.lists import ProjectLists
    from segctl.operations.session import bound_definitions

    definitions, warnings = bound_definitions(session.root, env=session.project.environment)
    return replace(session, definitions=definitions, lists=ProjectLists(session.root), warnings=warnings)
