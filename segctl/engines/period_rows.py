"""What profiles did, day by day and period by period: the events of some measures condensed in one pass."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

import narwhals.stable.v2 as nw
import polars as pl

from segctl.compile import ir
from segctl.compile.windows import Span
from segctl.compile.zones import to_us
from segctl.engines.dialects import PolarsDialect
from segctl.engines.expressions import to_expr
from segctl.engines.frames import polars_of
from segctl.engines.polars_reader import PolarsReader
from segctl.engines.predicates import to_predicate
from segctl.engines.reading import Subjects
from segctl.engines.rows import Prepared, Reading, day_column, prepare
from segctl.engines.scope import Scope
from segctl.model.dataclass import dataclass
from segctl.model.types import DATE

if TYPE_CHECKING:
    from segctl.compile.plan import Node
    from segctl.engines.base import EngineInput

_DAY = ir.EventTimePart("date", DATE)
_LONG_AGO = timedelta(days=36_525)


@dataclass(frozen=True, slots=True)
class Figure:
    """A column that is wanted: how many of some events, or what a property of them adds up to.

    Attributes:
        of: The property; None counts.
        in_days: By local day over all time; otherwise only within the periods.
    """

    name: str
    kinds: tuple[str, ...]
    where: ir.Predicate | None
    of: ir.Expression | None = None
    in_days: bool = True


@dataclass(frozen=True, slots=True)
class Periods:
    """Stretches of equal length that end at one instant, counted backwards from 0.

    Attributes:
        end: The end of period 0, included; its begin is not.
        count: What lies further back is in period `count`.
    """

    end: datetime
    length: timedelta
    count: int


def period_rows(data: EngineInput, figures: Sequence[Figure], periods: Periods, *, zone: str) -> pl.DataFrame:
    """One row per profile, local day and period with any of the events.

    Args:
        data: Event files and identity; profiles are not looked at.
        figures: At least one.
        periods: Nothing after their end counts.
        zone: The project's, for local days.

    Returns:
        ``subject`` Int32 (of the profile), ``day`` Int32 (days since 1970; null where no figure asks for days),
        ``period`` Int32, ``last`` Int64 (microseconds of the latest event of the first figure that asks for days, in
        rows without a day of the first that asks for none; null without one), and each figure by name: Int64 counts,
        Float64 sums in the property's own unit.
    """
    groups = [[one for one in figures if one.in_days is in_days] for in_days in (True, False)]
    parts = [_part(data, group, periods, zone) for group in groups if group]
    found = pl.concat(parts, how="diagonal")
    return found.select("subject", "day", "period", "last", *(pl.col(one.name).fill_null(0) for one in figures))


def _part(data: EngineInput, figures: Sequence[Figure], periods: Periods, zone: str) -> pl.DataFrame:
    """The rows of figures that are all by day, or all within the periods."""
    scope, in_days = _scope(data, periods.end, zone), figures[0].in_days
    last = len(data.canonical) - 1 if data.canonical is not None else 2**31 - 1
    reading = Reading(PolarsReader(data), Subjects(0, last), scope, _no_profile_values, lambda *_: False)
    kinds = tuple(sorted({kind for one in figures for kind in one.kinds}))
    nodes: list[Node] = [node for one in figures for node in (one.where, one.of) if node is not None]
    begin = to_us(periods.end - periods.count * periods.length) + 1
    # The column of kinds is long to read, and of files with a single kind nothing else.
    is_mixed = any(set(one.kinds) != set(kinds) for one in figures)
    span = Span(None if in_days else begin, scope.now)
    rows = prepare(reading, kinds, [*nodes, _DAY] if in_days else nodes, [span], kind=is_mixed)
    frame = polars_of(rows.frame.select("subject", "ts", *_columns(rows, figures, is_mixed=is_mixed)))
    return _condensed(frame, figures, periods).collect(engine="streaming")


def _columns(rows: Prepared, figures: Sequence[Figure], *, is_mixed: bool) -> list[nw.Expr]:
    """For each figure whether a row counts, and its value; the local day where one asks for it."""
    found: list[nw.Expr] = []
    for one in figures:
        fits = nw.col("kind").is_in(list(one.kinds)) if is_mixed else ~nw.col("subject").is_null()
        if one.where is not None:
            fits = fits & to_predicate(one.where, rows.scope).fill_null(value=False)
        found.append(fits.alias(f"is:{one.name}"))
        if one.of is not None:
            found.append(to_expr(one.of, rows.scope).alias(f"of:{one.name}"))
    if figures[0].in_days:
        found.append(day_column(rows).alias("day"))
    return found


def _condensed(frame: pl.LazyFrame, figures: Sequence[Figure], periods: Periods) -> pl.LazyFrame:
    counts = {one.name: pl.col(f"is:{one.name}") for one in figures}
    keys = ["subject", "day", "period"] if figures[0].in_days else ["subject", "period"]
    length = int(periods.length / timedelta(microseconds=1))
    period = ((pl.lit(to_us(periods.end)) - pl.col("ts")) // length).clip(0, periods.count)
    days = [pl.col("day").cast(pl.Int32)] if figures[0].in_days else []
    grouped = (
        frame.filter(reduce(or_, counts.values()))
        .with_columns(*days, period.cast(pl.Int32).alias("period"))
        .group_by(keys)
        .agg(
            pl.col("ts").filter(counts[figures[0].name]).max().alias("last"),
            *(_total(one, counts[one.name]).alias(one.name) for one in figures),
        )
    )
    return grouped if figures[0].in_days else grouped.with_columns(pl.lit(None, pl.Int32).alias("day"))


def _total(figure: Figure, counts: pl.Expr) -> pl.Expr:
    if figure.of is None:
        return counts.sum().cast(pl.Int64)
    of = figure.of.type
    value = pl.when(counts).then(pl.col(f"of:{figure.name}")).cast(pl.Float64)
    return value.sum() / float(10**of.scale)


def _scope(data: EngineInput, end: datetime, zone: str) -> Scope:
    instants = [to_us(end)]
    for part in data.events:
        known = (part.min_ts, part.max_ts) if part.min_ts is not None else (end - _LONG_AGO, part.max_ts)
        instants += [to_us(at) for at in known if at is not None]
    return Scope(end, zone, min(instants), max(instants), PolarsDialect())


def _no_profile_values(_names: dict[Node, str]) -> pl.DataFrame:
    raise TypeError("figures of reports look at events alone")
