"""Cohorts, lifecycle and the grid of recency and frequency against obvious Python, for random shops."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segctl.operations.segment_report.buyers import (
    CODES,
    History,
    Limits,
    cohorts,
    history,
    lifecycle,
    limits_of,
    rfm_grid,
    rfm_scores,
    stages,
)

Purchase = tuple[int, date, float]
EPOCH = date(1970, 1, 1)


def frames(purchases: Sequence[Purchase]) -> tuple[History, pl.DataFrame]:
    """Purchases as the pass over events gives them: a row per person and day."""
    days: dict[tuple[int, date], list[float]] = defaultdict(list)
    for who, day, value in purchases:
        days[who, day].append(value)
    rows = [(who, (day - EPOCH).days, len(values), sum(values)) for (who, day), values in days.items()]
    frame = pl.DataFrame(
        rows, schema={"subject": pl.Int32, "day": pl.Int32, "bought": pl.Int64, "revenue": pl.Float64}, orient="row"
    )
    return history(frame.with_columns(last=pl.col("day").cast(pl.Int64))), frame.select("subject", "day", "revenue")


# --- The obvious way --------------------------------------------------------------------------------------
def months_between(first: date, later: date) -> int:
    return (later.year - first.year) * 12 + later.month - first.month


def obvious_cohorts(purchases: Sequence[Purchase]) -> dict[tuple[date, int], tuple[int, float]]:
    first: dict[int, date] = {}
    for who, day, _ in sorted(purchases, key=lambda one: one[1]):
        first.setdefault(who, day)
    people: dict[tuple[date, int], set[int]] = defaultdict(set)
    revenue: Counter[tuple[date, int]] = Counter()
    for who, day, value in purchases:
        key = (first[who].replace(day=1), months_between(first[who], day))
        people[key].add(who)
        revenue[key] += value  # type: ignore[assignment]  # counters count money as well
    return {key: (len(those), float(revenue[key])) for key, those in people.items()}


def obvious_stage(days: Sequence[date], today: date, active: int, lost: int) -> str | None:
    known = sorted(day for day in days if day <= today)
    if not known:
        return None
    if (today - known[-1]).days >= lost:
        return "lost"
    if (today - known[-1]).days >= active:
        return "at_risk"
    if (today - known[0]).days < active:
        return "new"
    gaps = [(later, (later - day).days) for day, later in pairwise(known)]
    came_back = any(gap > lost and (today - later).days < active for later, gap in gaps)
    return "back" if came_back else "active"


def obvious_scores(purchases: Sequence[Purchase]) -> dict[int, tuple[int, int]]:
    last: dict[int, date] = {}
    count: Counter[int] = Counter()
    for who, day, _ in purchases:
        last[who] = max(day, last.get(who, day))
        count[who] += 1
    everybody = len(last)
    return {
        who: (
            1 + 5 * sum(last[other] < last[who] for other in last) // everybody,
            1 + 5 * sum(count[other] < count[who] for other in last) // everybody,
        )
        for who in last
    }


# --- Random shops -----------------------------------------------------------------------------------------
TODAY = date(2026, 3, 17)
SHOP = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 700), st.sampled_from([1.0, 9.5, 20.0])), min_size=1, max_size=80
).map(lambda rows: [(who, TODAY - timedelta(days=ago), value) for who, ago, value in rows])


@given(SHOP)
@settings(max_examples=40)
def test_cohorts_are_those_of_obvious_python(purchases: list[Purchase]) -> None:
    bought, revenues = frames(purchases)

    found = cohorts(bought, revenues, TODAY, has_revenue=True)

    told = {(row.month, age): (n, row.revenue[age]) for row in found.rows for age, n in enumerate(row.active) if n}
    expected = obvious_cohorts(purchases)
    assert {key: n for key, (n, _) in told.items()} == {key: n for key, (n, _) in expected.items()}
    assert {key: round(r, 6) for key, (_, r) in told.items()} == {key: round(r, 6) for key, (_, r) in expected.items()}


@given(SHOP, st.integers(1, 90), st.integers(1, 200), st.integers(0, 400))
@settings(max_examples=40)
def test_stages_are_those_of_obvious_python(purchases: list[Purchase], active: int, more: int, ago: int) -> None:
    today = TODAY - timedelta(days=ago)
    limits = Limits(active, active + more, "declared")

    bought, _ = frames(purchases)
    codes = stages(bought, limits, (today - EPOCH).days)
    names = {code: stage for stage, code in CODES.items()}
    found = {who: names[code] for who, code in zip(bought.subjects.tolist(), codes.tolist(), strict=True) if code}

    days: dict[int, list[date]] = defaultdict(list)
    for who, day, _ in purchases:
        days[who].append(day)
    expected = {who: obvious_stage(of, today, limits.active, limits.lost) for who, of in days.items()}
    assert found == {who: stage for who, stage in expected.items() if stage is not None}


@pytest.mark.parametrize(
    ("ago", "stage"),
    [
        pytest.param([29], "new", id="the last day that counts as active"),
        pytest.param([30], "at_risk", id="a day longer"),
        pytest.param([59], "at_risk", id="the last day before lost"),
        pytest.param([60], "lost", id="a day longer still"),
        pytest.param([70, 10], "active", id="again after exactly as long"),
        pytest.param([71, 10], "back", id="again after a day longer"),
        pytest.param([200, 100, 40, 10], "active", id="came back long ago"),
        pytest.param([100, 29, 5], "back", id="came back with the first of two"),
    ],
)
def test_stages_change_on_the_day_that_the_limits_say(ago: list[int], stage: str) -> None:
    bought, _ = frames([(1, TODAY - timedelta(days=days), 1.0) for days in ago])

    (code,) = stages(bought, Limits(30, 60, "declared"), (TODAY - EPOCH).days)

    assert {code: name for name, code in CODES.items()}[code] == stage


@given(SHOP)
@settings(max_examples=40)
def test_scores_are_those_of_obvious_python(purchases: list[Purchase]) -> None:
    bought, revenues = frames(purchases)

    found = rfm_scores(bought, revenues)

    pairs = zip(found.recency.tolist(), found.frequency.tolist(), strict=True)
    assert dict(zip(bought.subjects.tolist(), pairs, strict=True)) == obvious_scores(purchases)


@given(SHOP)
@settings(max_examples=20)
def test_nobody_and_no_money_is_lost_between_the_cells_of_the_grid(purchases: list[Purchase]) -> None:
    cells = rfm_grid(rfm_scores(*frames(purchases)), has_revenue=True)

    assert sum(cell.people for cell in cells) == len({who for who, _, _ in purchases})
    assert sum(cell.revenue or 0 for cell in cells) == pytest.approx(sum(value for _, _, value in purchases))


def test_who_moved_adds_up_to_who_is_there_now() -> None:
    days = [(1, date(2026, 1, 5), 1.0), (2, date(2026, 3, 10), 1.0), (3, date(2025, 1, 1), 1.0), (3, TODAY, 1.0)]
    bought, _ = frames(days)
    limits = Limits(30, 60, "declared")
    then = stages(bought, limits, (TODAY - timedelta(days=30) - EPOCH).days)

    found = lifecycle(stages(bought, limits, (TODAY - EPOCH).days), then, limits, profiles=5)

    assert found.moved == {("at_risk", "lost"): 1, ("lost", "back"): 1, (None, "new"): 1}
    assert found.now == {"new": 1, "active": 0, "back": 1, "at_risk": 0, "lost": 1}
    assert found.never == 2


def test_limits_come_from_the_gaps_of_the_project_when_there_are_enough() -> None:
    weekly = [(who, TODAY - timedelta(days=7 * week), 1.0) for who in range(30) for week in range(6)]

    assert limits_of(frames(weekly)[0], (None, None)) == Limits(7, 8, "gaps")
    assert limits_of(frames(weekly[:50])[0], (None, None)).source == "default"
    assert limits_of(frames(weekly)[0], (20, 50)) == Limits(20, 50, "declared")
