"""How a segment behaves over its runs: churn, people who come and go, sudden sizes, conditions that decide nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from itertools import pairwise
from math import log, sqrt
from statistics import median
from typing import Any, Literal

from segctl.model.dataclass import dataclass

FEWEST_OF_WEEKDAY, FEWEST_DAYS, FEWEST_RUNS = 4, 8, 5
_WATCH, _ACT = 3.5, 7.0
_LEAST_SCALE = 0.02
"""Sizes that never moved have no spread; 2 % is taken as the least."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A segment after one run that brought its membership into force.

    Attributes:
        run: Number of the run.
        day: Local day of its as_of.
        entered: Profiles; likewise the next.
        digest: Of the definition.
        profiles: Of the population; None where the run did not record it.
        leaves: Conditions with ``text``, ``true`` and ``unknown``.
    """

    run: int
    as_of: datetime
    day: date
    size: int
    entered: int
    left: int
    digest: str | None
    profiles: int | None
    leaves: Sequence[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class SizeChange:
    """How the newest size compares with what is usual.

    Attributes:
        before: Members on the day before it, in terms of runs.
        change: Share by which it grew or shrank.
        usual: The median change it is compared with.
        score: Distance from it in robust standard deviations.
        compared: Changes that it was compared with.
        same_weekday: They are of the same weekday.
    """

    before: int
    after: int
    change: float
    usual: float
    score: float
    compared: int
    same_weekday: bool

    @property
    def level(self) -> Literal["ok", "watch", "act"]:
        """What to think of it."""
        size = abs(self.score)
        return "act" if size >= _ACT else "watch" if size >= _WATCH else "ok"


def volatility(seen: Sequence[Seen]) -> float | None:
    """Median share of members that entered or left with a run; None before the second run.

    >>> volatility([])
    """
    shares = [(now.entered + now.left) / max(before.size, now.size, 1) for before, now in pairwise(seen)]
    return median(shares) if shares else None


def volatility_per_day(seen: Sequence[Seen]) -> float | None:
    """Share of the average members that enters or leaves in a day; None within the first day."""
    days = (seen[-1].as_of - seen[0].as_of).total_seconds() / 86_400 if seen else 0.0
    if days < 1:
        return None
    moved = sum(one.entered + one.left for one in seen[1:])
    return moved / days / max(sum(one.size for one in seen) / len(seen), 1)


def size_change(seen: Sequence[Seen]) -> SizeChange | None:
    """The newest change of size against those of the same weekday, or of all days; None when there are too few.

    Changes are logarithms of the ratio of one day's last size to that of the day before, so that growth and shrinking
    weigh the same. The spread is the median absolute deviation, at least 2 % and at least what counting alone gives.

    Source:
        Iglewicz and Hoaglin, How to Detect and Handle Outliers, ASQC 1993: modified z-score, cut at 3.5.
    """
    last = {one.day: one.size for one in seen}
    days = sorted(last)
    changes = [(b, log((last[b] + 1) / (last[a] + 1))) for a, b in pairwise(days)]
    if not changes:
        return None
    newest, change = changes[-1]
    of_weekday = [x for day, x in changes[:-1] if day.weekday() == newest.weekday()]
    is_weekday = len(of_weekday) >= FEWEST_OF_WEEKDAY
    earlier = of_weekday if is_weekday else [x for _, x in changes[:-1]]
    if not is_weekday and len(earlier) < FEWEST_DAYS:
        return None
    before, after = last[days[-2]], last[newest]
    usual = median(earlier)
    spread = 1.4826 * median(abs(x - usual) for x in earlier)
    score = (change - usual) / max(spread, _LEAST_SCALE, 1 / sqrt(before + 1))
    share = (after - before) / max(before, 1)
    return SizeChange(before, after, share, usual, score, len(earlier), is_weekday)


def dead_leaves(seen: Sequence[Seen]) -> list[tuple[str, Literal["never", "always"]]]:
    """Conditions that were true of nobody, or of everybody, in every run since the definition last changed.

    Nothing is said before five such runs.
    """
    same = _since_change(seen)
    if len(same) < FEWEST_RUNS:
        return []
    found: list[tuple[str, Literal["never", "always"]]] = []
    for place, leaf in enumerate(same[-1].leaves):
        rows = [(one.leaves[place]["true"], one.profiles) for one in same if place < len(one.leaves)]
        if len(rows) == len(same) and all(true == 0 for true, _ in rows):
            found.append((leaf["text"], "never"))
        elif len(rows) == len(same) and all(profiles and true == profiles for true, profiles in rows):
            found.append((leaf["text"], "always"))
    return found


def definition_since(seen: Sequence[Seen]) -> date | None:
    """Day of the first run with the definition of the newest."""
    same = _since_change(seen)
    return same[0].day if same else None


def last_moved(seen: Sequence[Seen]) -> date | None:
    """Day of the newest run that somebody entered or left with."""
    return next((one.day for one in reversed(seen) if one.entered or one.left), None)


def empty_since(seen: Sequence[Seen]) -> date | None:
    """Day of the first of the newest runs that found nobody; None when somebody is in."""
    found = None
    for one in reversed(seen):
        if one.size:
            break
        found = one.day
    return found


def _since_change(seen: Sequence[Seen]) -> list[Seen]:
    found: list[Seen] = []
    for one in reversed(seen):
        if one.digest != seen[-1].digest:
            break
        found.append(one)
    return found[::-1]
