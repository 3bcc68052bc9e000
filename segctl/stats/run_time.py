"""How long an experiment runs: from how many new units came on each day, which is not the same number every day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, chain, cycle, islice
from math import ceil

from segctl.model.dataclass import dataclass
from segctl.stats.values import Why

REPEATED = 28
"""Days at the end of the series that go on again and again: whole weeks, so that weekends stay weekends."""
LONGEST = 3_650


@dataclass(frozen=True, slots=True)
class RunTime:
    """Days until an experiment can be decided.

    Attributes:
        enrol: Days until enough units take part; 0 when they are there at the begin. None when they never are.
        total: With the window of the unit that came last.
        reached: Units by then; with `enrol` None: after ten years.
        why: ``no_arrivals`` when too few come.
    """

    enrol: int | None
    total: int | None
    reached: float
    why: Why | None = None


def run_time(
    needed: float, arrivals: Sequence[float], *, window: float, stock: float = 0.0, traffic: float = 1.0
) -> RunTime:
    """Days until as many units took part as are needed and their windows are complete.

    Args:
        needed: Units in all arms together.
        arrivals: New units on each coming day, one who comes again not counted twice; such as those of the past
            weeks. After its end the last four weeks of the series go on again and again.
        window: Days between exposure and the figure.
        stock: Units that are there on the first day.
        traffic: Share of units that take part.
    """
    if stock * traffic >= needed:
        return RunTime(0, ceil(window), stock * traffic)
    reached = stock * traffic
    for day, reached in enumerate(_reached(arrivals, stock), 1):
        if reached * traffic >= needed:
            return RunTime(day, day + ceil(window), reached * traffic)
    return RunTime(None, None, reached * traffic, Why.NO_ARRIVALS)


def expected_units(days: int, arrivals: Sequence[float], *, stock: float = 0.0, traffic: float = 1.0) -> float:
    """Units that take part within so many days, by the same series."""
    return traffic * ([stock, *islice(_reached(arrivals, stock), days)][-1])


def _reached(arrivals: Sequence[float], stock: float) -> Iterator[float]:
    """Units by the end of each day, for ten years."""
    weeks = max(len(arrivals) // 7, 1) * 7
    tail = arrivals[-min(REPEATED, weeks) :]
    if not any(arrivals):
        return iter(())
    days = chain(arrivals, cycle(tail))
    return islice(accumulate(days, initial=stock), 1, LONGEST + 1)
