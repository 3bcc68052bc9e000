"""How much one sender may send: a bucket that fills at a steady rate."""

from __future__ import annotations

import math

_BURST_S = 2.0
"""A bucket holds what comes in so many seconds, so that a batch of pages loaded at once gets through."""


class Bucket:
    """Tokens that come back at a rate; each request takes one.

    Args:
        rate: Tokens a second.
        now: Monotonic seconds.
    """

    __slots__ = ("_at", "_most", "_rate", "_tokens")

    def __init__(self, rate: float, now: float) -> None:
        self._rate = rate
        self._most = max(1.0, rate * _BURST_S)
        self._tokens = self._most
        self._at = now

    def take(self, now: float) -> int:
        """Takes a token.

        Returns:
            0 when there was one, otherwise the whole seconds until there will be.
        """
        self._tokens = min(self._most, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1:
            return math.ceil((1 - self._tokens) / self._rate)
        self._tokens -= 1
        return 0
