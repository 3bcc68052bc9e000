"""Whose answers are known until when, and events of which kinds came since."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MOST_KINDS = 63
_ROOM = 65_536


class Settled:
    """By subject of profile. Whoever is not settled is asked everything; of the others only what events can move."""

    def __init__(self, kinds: Iterable[str]) -> None:
        """Begins with nobody settled.

        Args:
            kinds: That anything depends on.
        """
        import numpy as np

        self._numbers = {kind: number for number, kind in enumerate(sorted(kinds))}
        self._until: NDArray[np.int64] = np.zeros(_ROOM, np.int64)
        self._came: NDArray[np.int64] = np.zeros(_ROOM, np.int64)

    def clear(self) -> None:
        """Nobody is settled any more."""
        self._until[:] = 0

    def forget(self, profiles: NDArray[np.int32]) -> None:
        """These are others now."""
        self._until[profiles[profiles < len(self._until)]] = 0

    def note(self, kind: str, profiles: NDArray[np.int32]) -> None:
        """Events of a kind came to some."""
        number = self._numbers.get(kind)
        if number is None or not len(profiles):
            return
        self._grow(int(profiles.max()) + 1)
        if number >= _MOST_KINDS:
            self._until[profiles] = 0
        else:
            self._came[profiles] |= 1 << number

    def note_all(self, kind: str) -> None:
        """Events of a kind may have come to anybody."""
        number = self._numbers.get(kind)
        if number is not None and number < _MOST_KINDS:
            self._came |= 1 << number
        elif number is not None:
            self.clear()

    def kinds_for(self, profiles: NDArray[np.int32], now: int) -> frozenset[str] | None:
        """Kinds of which events came to any of some profiles; None where one of them is not settled up to now."""
        import numpy as np

        if not len(profiles):
            return frozenset()
        self._grow(int(profiles[-1]) + 1)
        if (self._until[profiles] <= now).any():
            return None
        came = int(np.bitwise_or.reduce(self._came[profiles]))
        return frozenset(kind for kind, number in self._numbers.items() if came >> number & 1)

    def settle(self, profiles: NDArray[np.int32], due: NDArray[np.int64], *, everything: bool) -> NDArray[np.int64]:
        """Takes in what was answered.

        Args:
            profiles: Who was, ascending.
            due: When time alone may change an answer.
            everything: They were asked everything; otherwise what was known of the rest goes on.

        Returns:
            When time alone may change any answer.
        """
        import numpy as np

        self._grow(int(profiles[-1]) + 1 if len(profiles) else 0)
        until = due if everything else np.minimum(self._until[profiles], due)
        self._until[profiles] = until
        self._came[profiles] = 0
        return until

    def _grow(self, length: int) -> None:
        import numpy as np

        if length > len(self._until):
            more = np.zeros(length - len(self._until) + length // 8 + _ROOM, np.int64)
            self._until, self._came = np.concatenate((self._until, more)), np.concatenate((self._came, more))
