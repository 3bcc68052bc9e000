"""Buyers over their whole history: cohorts by first purchase, lifecycle, and the grid of recency and frequency."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING, Literal

from segctl.model.dataclass import dataclass
from segctl.operations.segment_report_values import GROUPS, STAGES, Cohort, Cohorts, Lifecycle, RfmCell, Stage

if TYPE_CHECKING:
    import polars as pl

FEWEST_GAPS = 100
_DEFAULT = (90, 365)
_EPOCH = date(1970, 1, 1)


def cohorts(purchases: pl.DataFrame, revenues: pl.DataFrame, today: date, *, has_revenue: bool) -> Cohorts | None:
    """Retention by month of the first purchase; None when nobody has bought.

    Args:
        purchases: ``subject``, ``day`` of each purchase (days since 1970, local), each day once or more.
        revenues: ``subject``, ``day``, ``revenue``.
        today: Local day of the report's end.
        has_revenue: Whether revenue is declared.
    """
    import polars as pl

    if purchases.is_empty():
        return None
    month = pl.col("day").cast(pl.Date).dt.year().cast(pl.Int32) * 12 + pl.col("day").cast(pl.Date).dt.month() - 1
    months = purchases.select("subject", month.alias("month")).unique()
    first = months.group_by("subject").agg(pl.col("month").min().alias("first"))
    last = today.year * 12 + today.month - 1
    active = _triangle(months.join(first, on="subject"), pl.len())
    spent = None
    if has_revenue:
        of_months = revenues.select("subject", month.alias("month"), "revenue").join(first, on="subject")
        # What somebody paid before the first purchase, such as a deposit, belongs to its month.
        of_months = of_months.with_columns(pl.max_horizontal("month", "first").alias("month"))
        spent = _triangle(of_months, pl.col("revenue").sum())
    rows = []
    for begin in sorted(active):
        ages = range(last - begin + 1)
        counts = tuple(int(active[begin].get(age, 0)) for age in ages)
        revenue = () if spent is None else tuple(float(spent.get(begin, {}).get(age, 0.0)) for age in ages)
        rows.append(Cohort(date(begin // 12, begin % 12 + 1, 1), counts[0], counts, revenue))
    return Cohorts(tuple(rows), is_complete=(today + timedelta(days=1)).month != today.month)


def _triangle(frame: pl.DataFrame, value: pl.Expr) -> dict[int, dict[int, float]]:
    """First month → months later → value."""
    import polars as pl

    found: dict[int, dict[int, float]] = {}
    grouped = frame.group_by("first", (pl.col("month") - pl.col("first")).alias("age")).agg(value.alias("value"))
    for first, age, of in grouped.iter_rows():
        found.setdefault(first, {})[age] = of
    return found


# --- Lifecycle --------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Limits:
    """Days after which a buyer is no longer active, and lost; and where they come from."""

    active: int
    lost: int
    source: Literal["declared", "gaps", "default"]


def limits_of(purchases: pl.DataFrame, declared: tuple[int | None, int | None]) -> Limits:
    """The declared limits, or those of the project's own gaps: 80 % and 95 % of all next purchases come sooner."""
    import polars as pl

    if declared[0] is not None and declared[1] is not None:
        return Limits(declared[0], declared[1], "declared")
    days = purchases.select("subject", "day").unique().sort("subject", "day")
    gap = (pl.col("day") - pl.col("day").shift(1)).filter(pl.col("subject") == pl.col("subject").shift(1))
    gaps = days.select(gap.alias("gap"))["gap"]
    if len(gaps) < FEWEST_GAPS:
        return Limits(*_DEFAULT, "default")
    active, lost = (ceil(float(gaps.quantile(q, "linear") or 1)) for q in (0.8, 0.95))
    return Limits(max(active, 1), max(lost, active + 1), "gaps")


def stages(purchases: pl.DataFrame, limits: Limits, until: int) -> pl.DataFrame:
    """Each buyer's stage at the end of a local day.

    Args:
        purchases: ``subject``, ``day``.
        limits: Days.
        until: Days since 1970; later purchases are not known yet.

    Returns:
        One row per profile that had bought by then: ``subject``, ``stage`` String.
    """
    import polars as pl

    day, recent = pl.col("day"), pl.col("day") > until - limits.active
    known = purchases.filter(day <= until).group_by("subject").agg(
        day.min().alias("first"),
        day.max().alias("last"),
        day.filter(recent).min().alias("again"),
        day.filter(~recent).max().alias("before"),
    )  # fmt: skip
    is_recent = pl.col("last") > until - limits.active
    stage = (
        pl.when(is_recent & (pl.col("first") > until - limits.active)).then(pl.lit("new"))
        .when(is_recent & (pl.col("again") - pl.col("before") > limits.lost)).then(pl.lit("back"))
        .when(is_recent).then(pl.lit("active"))
        .when(pl.col("last") > until - limits.lost).then(pl.lit("at_risk"))
        .otherwise(pl.lit("lost"))
    )  # fmt: skip
    return known.select("subject", stage.alias("stage"))


def lifecycle(now: pl.DataFrame, then: pl.DataFrame, limits: Limits, *, profiles: int) -> Lifecycle:
    """Who stands where, and who moved.

    Args:
        now: `stages` at the end of the report.
        then: `stages` when the window began.
        limits: Days.
        profiles: Everybody.
    """
    counts = dict(now.group_by("stage").len().iter_rows())
    both = now.join(then, on="subject", how="left", suffix="_then")
    moved = {(old, new): count for old, new, count in both.group_by("stage_then", "stage").len().iter_rows()}
    return Lifecycle(
        active_days=limits.active,
        lost_days=limits.lost,
        source=limits.source,
        now={stage: counts.get(stage, 0) for stage in STAGES},
        never=max(profiles - now.height, 0),
        moved={(old, new): moved[old, new] for old in (None, *STAGES) for new in STAGES if (old, new) in moved},
    )


def day_number(at: datetime) -> int:
    """The day of a local time as days since 1970."""
    return (at.date() - _EPOCH).days


def stage_counts(now: pl.DataFrame, members: pl.Series) -> dict[Stage, int]:
    """How many of some people stand where."""
    import polars as pl

    found = dict(now.filter(pl.col("subject").is_in(members.implode())).group_by("stage").len().iter_rows())
    return {stage: found.get(stage, 0) for stage in STAGES}


# --- Recency, frequency -----------------------------------------------------------------------------------
def rfm_grid(scores: pl.DataFrame, *, has_revenue: bool) -> tuple[RfmCell, ...] | None:
    """People and revenue by score, from ``recency``, ``frequency`` and ``revenue`` of each buyer; None without any."""
    import polars as pl

    cells = (
        scores.group_by("recency", "frequency")
        .agg(pl.len().alias("people"), pl.col("revenue").sum())
        .sort("recency", "frequency", descending=[True, False])
    )
    found = tuple(
        RfmCell(recency, frequency, people, float(revenue) if has_revenue else None)
        for recency, frequency, people, revenue in cells.select("recency", "frequency", "people", "revenue").iter_rows()
    )
    return found or None


def rfm_scores(purchases: pl.DataFrame, revenues: pl.DataFrame) -> pl.DataFrame:
    """One row per buyer: ``recency``, ``frequency`` (1 to 5, ranked as trait scores are), ``revenue``."""
    import polars as pl

    people = purchases.group_by("subject").agg(pl.col("last").max(), pl.col("bought").sum())
    spent = revenues.group_by("subject").agg(pl.col("revenue").sum())
    people = people.join(spent, on="subject", how="left").with_columns(pl.col("revenue").fill_null(0.0))

    def score(name: str) -> pl.Expr:
        worse = pl.col(name).rank("min").cast(pl.Int64) - 1
        return 1 + worse * GROUPS // pl.len()

    return people.select("subject", score("last").alias("recency"), score("bought").alias("frequency"), "revenue")
