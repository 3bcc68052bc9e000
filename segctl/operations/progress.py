"""How operations report what they are doing, without knowing who listens."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives the state of long work; every method returns at once."""

    def start(self, task: str, *, total: int | None = None, unit: str = "rows") -> None:
        """A new task begins; `total` is None when unknown."""
        ...

    def advance(self, amount: int) -> None:
        """So many more units of the current task are done."""
        ...

    def note(self, text: str) -> None:
        """Something worth a line: what was detected, skipped or decided."""
        ...

    def finish(self) -> None:
        """The current task is done."""
        ...


class Silent:
    """A listener that shows nothing."""

    def start(self, task: str, *, total: int | None = None, unit: str = "rows") -> None:
        """Ignore."""

    def advance(self, amount: int) -> None:
        """Ignore."""

    def note(self, text: str) -> None:
        """Ignore."""

    def finish(self) -> None:
        """Ignore."""
