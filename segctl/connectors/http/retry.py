"""When a request is tried again, and how long is waited before: urllib3's policy with full jitter."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any, Self

from urllib3.util.retry import Retry

from segctl.model.fetching_rest import Limits

AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers that a later try may change (RFC 9110, RFC 6585, RFC 8470)."""


class FullJitter(Retry):
    """Waits a random time below a bound that doubles, unless the service says how long.

    Source:
        Marc Brooker, Exponential Backoff And Jitter, 2015: full jitter spreads clients best.
    """

    def __init__(
        self,
        *args: Any,  # noqa: ANN401 - handed on
        pause: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
        **options: Any,  # noqa: ANN401 - handed on
    ) -> None:
        super().__init__(*args, **options)
        self.pause = pause
        self.chance = chance

    def new(self, **options: Any) -> Self:  # noqa: ANN401 - urllib3's interface
        """The same policy with some counts changed."""
        return super().new(**{"pause": self.pause, "chance": self.chance, **options})

    def get_backoff_time(self) -> float:
        """Seconds, uniform between 0 and the bound of this try."""
        tries = len(self.history)
        bound = min(self.backoff_max, self.backoff_factor * 2 ** max(0, tries - 1))
        return float(self.chance() * bound)

    def is_retry(self, method: str, status_code: int, has_retry_after: bool = False) -> bool:  # noqa: ARG002 - urllib3's interface
        """Whether an answer with this status is worth another try."""
        if status_code not in AGAIN:
            return False
        # 429 says that nothing was done; after other answers to an unsafe method nobody knows.
        return status_code == 429 or self.is_safe(method)

    def is_safe(self, method: str) -> bool:
        """Whether the request may be repeated when nobody knows what became of it."""
        return bool(self.allowed_methods and method.upper() in self.allowed_methods)


def policy(
    limits: Limits, *, safe: frozenset[str], pause: Callable[[float], None], chance: Callable[[], float]
) -> FullJitter:
    """The policy of one request.

    Args:
        limits: As declared.
        safe: Methods that may be repeated.
        pause: Waits.
        chance: A random number in [0, 1).
    """
    return FullJitter(
        total=limits.retries,
        backoff_factor=limits.backoff_s,
        backoff_max=limits.longest_backoff_s,
        allowed_methods=safe,
        status_forcelist=AGAIN,
        respect_retry_after_header=False,
        raise_on_status=False,
        pause=pause,
        chance=chance,
    )
