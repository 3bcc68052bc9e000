"""Whether profiles are near places: decided as all engines do, whole columns at a time where that is safe."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from segctl.compile import ir
from segctl.compile.places.distance import EARTH_RADIUS_M, Target, metres
from segctl.compile.places.near import is_near
from segctl.model.types import Kind, ValueType

_MICRO = 6
"""Points are whole millionths of a degree."""
_SAFE_M = 0.01
"""How near to a decision a distance of whole columns is decided again, one by one; they agree to a millionth."""


def near_column(places: pl.DataFrame, columns: Sequence[str], test: ir.Near) -> pl.Series:
    """The answer for each row: true, false, or null where the place is not known.

    Args:
        places: One row per profile.
        columns: Where the values of the test's `place` stand, in their order.
        test: The question.
    """
    exact = test.codes is None and all(of.type.kind is not Kind.REAL for of in test.place)
    distinct = places.select(columns).unique()
    answers = _points(distinct, columns, test) if exact else [is_near(test, row) for row in distinct.iter_rows()]
    known = distinct.with_columns(pl.Series("answer", answers, dtype=pl.Boolean))
    found = places.select(columns).join(known, on=list(columns), how="left", nulls_equal=True, maintain_order="left")
    return found.get_column("answer")


def _points(distinct: pl.DataFrame, columns: Sequence[str], test: ir.Near) -> pl.Series:
    """Answers for exact numbers of degrees; each target is compared only with points of its latitudes."""
    rows = distinct.select(
        _micro(columns[0], test.place[0].type).alias("north"), _micro(columns[1], test.place[1].type).alias("east")
    ).with_row_index("row")
    on_globe = pl.col("north").is_between(-90_000_000, 90_000_000) & pl.col("east").is_between(
        -180_000_000, 180_000_000
    )
    rows = rows.filter(on_globe).sort("north")
    radius_m, near = test.radius_mm // 1000, pl.repeat(value=False, n=rows.height, dtype=pl.Boolean, eager=True)
    band = round((radius_m + 1) / EARTH_RADIUS_M * 57.3 * 10**_MICRO) + 1
    norths = rows.get_column("north")
    for target in test.targets:
        first = norths.search_sorted(target[1] - band, "left")
        last = norths.search_sorted(target[1] + band, "right")
        if last > first:
            hits = first + _hits(rows.slice(first, last - first), target, radius_m)
            near = near.scatter(hits, True) if len(hits) else near
    answered = rows.select("row").with_columns(near.alias("answer"))
    everybody = distinct.select(pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"))
    return everybody.join(answered, on="row", how="left", maintain_order="left").get_column("answer")


def _micro(column: str, of: ValueType) -> pl.Expr:
    """Degrees in millionths, halves to the even one; whole numbers all the way."""
    value = pl.col(column).cast(pl.Int128)
    unit: int = 10 ** abs(of.scale - _MICRO)
    if of.scale <= _MICRO:
        return value * unit
    whole, rest = value // unit, value % unit
    up = (2 * rest > unit) | ((2 * rest == unit) & (whole % 2 != 0))
    return whole + up.cast(pl.Int128)


def _hits(rows: pl.DataFrame, target: Target, radius_m: int) -> pl.Series:
    """Positions of the rows within the radius of one target."""
    _, north, east = target
    here, there = pl.col("north").cast(pl.Float64) / 1e6, pl.lit(north / 1e6)
    across = (pl.col("east").cast(pl.Float64) - east) / 1e6
    half = ((there - here) / 2).radians().sin() ** 2
    half += here.radians().cos() * there.radians().cos() * (across / 2).radians().sin() ** 2
    far = 2 * EARTH_RADIUS_M * half.sqrt().clip(0, 1).arcsin()
    over = far - (radius_m + 0.5)
    asked = rows.lazy().with_row_index("at").select("at", "north", "east", over.alias("over"))
    close = asked.filter(pl.col("over") <= _SAFE_M).collect()
    sure = close.filter(pl.col("over") < -_SAFE_M).get_column("at")
    unsure = close.filter(pl.col("over") >= -_SAFE_M)
    exact = [metres((lat, lon), (north, east)) <= radius_m for lat, lon in unsure.select("north", "east").iter_rows()]
    return sure.append(unsure.get_column("at").filter(pl.Series(exact, dtype=pl.Boolean)))
