"""How long a push waits for a destination, and when it stops trying."""

from __future__ import annotations

from collections.abc import Callable

from segctl.model.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """Bounds of trying again.

    Attributes:
        tries: Calls for one batch at most.
        first_s: The first wait is up to so many seconds; each further one up to twice as long.
        longest_s: No wait of our own is longer.
        longest_asked_s: A service that asks for a longer one is left for the next push.
        failures: Calls in a row without an answer that counts, after which the destination is left alone.
        refusals: Calls in a row that are refused for their content, without one accepted row between, after which
            the fault is not in single rows.
        job_s: A job at the service that takes longer is left to the next push, which goes on following it.
        poll_s: Between two questions about a job at most.
        backlog_s: Removals that fail for longer keep everybody else from being added.
    """

    tries: int = 8
    first_s: float = 1.0
    longest_s: float = 60.0
    longest_asked_s: float = 900.0
    failures: int = 12
    refusals: int = 50
    job_s: float = 3600.0
    poll_s: float = 30.0
    backlog_s: float = 86_400.0

    def wait_s(self, tries: int, asked_s: float | None, chance: Callable[[], float]) -> float:
        """Seconds until the next try.

        Args:
            tries: That failed so far, from 1.
            asked_s: What the service asks for; it is kept, and a little is added so that not all come at once.
            chance: A random number in [0, 1).

        Source:
            Full jitter: M. Brooker, Exponential Backoff And Jitter, AWS Architecture Blog, 2015.
        """
        if asked_s is not None:
            return asked_s + chance() * min(self.first_s, 0.1 * asked_s)
        return chance() * min(self.longest_s, self.first_s * 2.0 ** (tries - 1))
