"""Buyers over their whole history: cohorts by first purchase, lifecycle, and the grid of recency and frequency."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING, Literal

from segctl.model.dataclass import dataclass
from segctl.operations.segment_report.values import GROUPS, STAGES, Cohort, Cohorts, Lifecycle, RfmCell, Stage

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

FEWEST_GAPS = 100
_DEFAULT = (90, 365)
_EPOCH = date(1970, 1, 1)
_NEVER = -(2**31)
NOT_YET, CODES = 0, {stage: place for place, stage in enumerate(STAGES, 1)}
"""Stages as numbers by profile; 0 has not bought yet."""


@dataclass(frozen=True, slots=True)
class History:
    """Days with a purchase, by profile and day; whoever has one has at least a row.

    Attributes:
        subjects: One per buyer, ascending.
        starts: Where each buyer's rows begin.
        subject: One per row, as all that follow; ascending.
        day: Days since 1970, local; ascending within a buyer.
        last: Microseconds of the latest purchase of the day.
        bought: Purchases of the day.
    """

    subjects: NDArray[np.int32]
    starts: NDArray[np.intp]
    subject: NDArray[np.int32]
    day: NDArray[np.int32]
    last: NDArray[np.int64]
    bought: NDArray[np.int64]

    @property
    def is_same(self) -> NDArray[np.bool_]:
        """For each row but the first: it is of the same buyer as the one before."""
        same: NDArray[np.bool_] = self.subject[1:] == self.subject[:-1]
        return same


def history(purchases: pl.DataFrame) -> History:
    """The history of ``subject``, ``day``, ``last``, ``bought``, in any order."""
    import numpy as np

    rows = purchases.select("subject", "day", "last", "bought").sort("subject", "day")
    subject = rows["subject"].to_numpy()
    begins = np.ones(len(subject), dtype=bool)
    begins[1:] = subject[1:] != subject[:-1]
    starts = np.flatnonzero(begins)
    return History(
        subject[starts], starts, subject, rows["day"].to_numpy(), rows["last"].to_numpy(), rows["bought"].to_numpy()
    )


# --- Cohorts ----------------------------------------------------------------------------------------------
def cohorts(bought: History, revenues: pl.DataFrame, today: date, *, has_revenue: bool) -> Cohorts:
    """Retention by month of the first purchase.

    Args:
        bought: Somebody has.
        revenues: ``subject``, ``day``, ``revenue``.
        today: Local day of the report's end.
        has_revenue: Whether revenue is declared.
    """
    import numpy as np

    month = _months(bought.day)
    first = np.full(int(bought.subjects[-1]) + 1, _NEVER, dtype=np.int64)
    first[bought.subjects] = month[bought.starts]
    is_new = np.ones(len(month), dtype=bool)
    is_new[1:] = ~(bought.is_same & (month[1:] == month[:-1]))
    active = _triangle(first[bought.subject[is_new]], month[is_new], None)
    spent: Mapping[int, Mapping[int, float]] = {}
    if has_revenue:
        who = revenues["subject"].to_numpy()
        known = who < len(first)
        known[known] &= first[who[known]] != _NEVER
        begun = first[who[known]]
        # What somebody paid before the first purchase, such as a deposit, belongs to its month.
        paid = np.maximum(_months(revenues["day"].to_numpy()[known]), begun)
        spent = _triangle(begun, paid, revenues["revenue"].to_numpy()[known])
    last = today.year * 12 + today.month - 1 - 1970 * 12
    rows = []
    for begin in sorted(active):
        ages = range(last - begin + 1)
        counts = tuple(int(active[begin].get(age, 0)) for age in ages)
        revenue = tuple(spent.get(begin, {}).get(age, 0.0) for age in ages) if has_revenue else ()
        rows.append(Cohort(date(1970 + begin // 12, begin % 12 + 1, 1), counts[0], counts, revenue))
    return Cohorts(tuple(rows), is_complete=(today + timedelta(days=1)).month != today.month)


def _months(day: NDArray[np.int32]) -> NDArray[np.int64]:
    """Months since January 1970 of days since 1970."""
    found: NDArray[np.int64] = day.astype("datetime64[D]").astype("datetime64[M]").astype("int64")
    return found


def _triangle(
    first: NDArray[np.int64], month: NDArray[np.int64], value: NDArray[np.float64] | None
) -> dict[int, dict[int, float]]:
    """First month → months later → number of rows, or sum of their values."""
    import numpy as np

    if not len(first):
        return {}
    low, wide = int(first.min()), int((month - first).max()) + 1
    sums = np.bincount((first - low) * wide + (month - first), weights=value)
    found: dict[int, dict[int, float]] = {}
    for place in np.flatnonzero(sums).tolist():
        found.setdefault(low + place // wide, {})[place % wide] = float(sums[place])
    return found


# --- Lifecycle --------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Limits:
    """Days after which a buyer is no longer active, and lost; and where they come from."""

    active: int
    lost: int
    source: Literal["declared", "gaps", "default"]


def limits_of(bought: History, declared: tuple[int | None, int | None]) -> Limits:
    """The declared limits, or those of the project's own gaps: 80 % and 95 % of all next purchases come sooner."""
    import numpy as np

    if declared[0] is not None and declared[1] is not None:
        return Limits(declared[0], declared[1], "declared")
    gaps = np.diff(bought.day)[bought.is_same]
    gaps = gaps[gaps > 0]
    if len(gaps) < FEWEST_GAPS:
        return Limits(*_DEFAULT, "default")
    active, lost = (ceil(float(of)) for of in np.quantile(gaps, (0.8, 0.95)))
    return Limits(max(active, 1), max(lost, active + 1), "gaps")


def stages(bought: History, limits: Limits, until: int) -> NDArray[np.int8]:
    """The stage of each of `History.subjects` at the end of a local day, as `CODES`.

    Args:
        bought: Of everybody.
        limits: Days.
        until: Days since 1970; later purchases are not known yet.
    """
    import numpy as np

    begin, far = until - limits.active, np.int32(2**31 - 1)
    is_known = bought.day <= until
    is_old = bought.day <= begin
    first = np.minimum.reduceat(bought.day, bought.starts)
    last = np.maximum.reduceat(np.where(is_known, bought.day, -far), bought.starts)
    before = np.maximum.reduceat(np.where(is_old, bought.day, -far), bought.starts).astype(np.int64)
    again = np.minimum.reduceat(np.where(is_known & ~is_old, bought.day, far), bought.starts).astype(np.int64)
    is_recent = last > begin
    conditions = [
        first > until,
        is_recent & (first > begin),
        is_recent & (again - before > limits.lost),
        is_recent,
        last > until - limits.lost,
    ]
    codes = [NOT_YET, CODES["new"], CODES["back"], CODES["active"], CODES["at_risk"]]
    return np.select(conditions, codes, CODES["lost"]).astype(np.int8)


def lifecycle(now: NDArray[np.int8], then: NDArray[np.int8], limits: Limits, *, profiles: int) -> Lifecycle:
    """Who stands where, and who moved.

    Args:
        now: `stages` at the end of the report.
        then: `stages` of the same buyers when the window began.
        limits: Days.
        profiles: Everybody.
    """
    import numpy as np

    size = len(CODES) + 1
    counts = np.bincount(then.astype(np.int64) * size + now, minlength=size * size).reshape(size, size)
    known: tuple[Stage | None, ...] = (None, *STAGES)
    return Lifecycle(
        active_days=limits.active,
        lost_days=limits.lost,
        source=limits.source,
        now={stage: int(counts[:, CODES[stage]].sum()) for stage in STAGES},
        never=max(profiles - int(counts[:, 1:].sum()), 0),
        moved={
            (old, new): int(counts[at, CODES[new]])
            for at, old in enumerate(known) for new in STAGES if counts[at, CODES[new]]
        },
    )  # fmt: skip


def day_number(at: datetime) -> int:
    """The day of a local time as days since 1970."""
    return (at.date() - _EPOCH).days


# --- Recency, frequency -----------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Scores:
    """Of each buyer: recency and frequency 1 to 5, and revenue of all time."""

    recency: NDArray[np.int64]
    frequency: NDArray[np.int64]
    revenue: NDArray[np.float64]


def rfm_scores(bought: History, revenues: pl.DataFrame) -> Scores:
    """Scores of `History.subjects`, ranked as trait scores are."""
    import numpy as np

    last = np.maximum.reduceat(bought.last, bought.starts)
    count = np.add.reduceat(bought.bought, bought.starts)
    who = revenues["subject"].to_numpy()
    size = int(max(bought.subjects[-1], who.max(initial=0))) + 1
    spent = np.bincount(who, weights=revenues["revenue"].to_numpy(), minlength=size).astype(float)
    return Scores(_score(last), _score(count), spent[bought.subjects])


def _score(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """1 + the whole part of groups × worse ones / all."""
    import numpy as np

    order = np.argsort(values, kind="stable")
    ranked = values[order]
    is_first = np.ones(len(values), dtype=bool)
    is_first[1:] = ranked[1:] != ranked[:-1]
    worse = np.empty(len(values), dtype=np.int64)
    worse[order] = np.maximum.accumulate(np.where(is_first, np.arange(len(values)), 0))
    return 1 + worse * GROUPS // len(values)


def rfm_grid(scores: Scores, *, has_revenue: bool) -> tuple[RfmCell, ...]:
    """People and revenue by score, the newest first."""
    import numpy as np

    cell = (scores.recency - 1) * GROUPS + scores.frequency - 1
    people = np.bincount(cell, minlength=GROUPS * GROUPS)
    revenue = np.bincount(cell, weights=scores.revenue, minlength=GROUPS * GROUPS)
    return tuple(
        RfmCell(at // GROUPS + 1, at % GROUPS + 1, int(people[at]), float(revenue[at]) if has_revenue else None)
        for recency in range(GROUPS - 1, -1, -1)
        for at in range(recency * GROUPS, (recency + 1) * GROUPS)
        if people[at]
    )
