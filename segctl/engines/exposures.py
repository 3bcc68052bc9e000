"""Figures of units within windows of their own, counted from each unit's exposure.

Segments have one window for everybody; here each unit has its own. The rows of all subjects of a unit are read as the
unit's, together with how they lie to its phases; the measures are those of segments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, cast

import narwhals.stable.v2 as nw
import polars as pl

from segctl.compile import ir
from segctl.compile.plan import Node, Output, walk
from segctl.compile.plan import plan as planned
from segctl.compile.zones import DAY, SECOND, to_us
from segctl.engines.aggregates import ZERO_OF_NONE, is_plain
from segctl.engines.alignment import aligned, narrowed
from segctl.engines.base import EngineInput, EventPart
from segctl.engines.dialects import PolarsDialect
from segctl.engines.folding import without_folding
from segctl.engines.frames import Frame, polars_of
from segctl.engines.localtime import later_us
from segctl.engines.metrics import plain_metrics
from segctl.engines.ordered import ordered_metric
from segctl.engines.polars_reader import PolarsReader
from segctl.engines.reading import Rows, Scan, Subjects
from segctl.engines.rows import Reading
from segctl.engines.scope import Scope
from segctl.model.dataclass import dataclass
from segctl.model.times import EXACT_SECONDS

if TYPE_CHECKING:
    from segctl.model.times import Duration

_SINCE = "since:exposure"
_SLACK = 40 * DAY
"""Beyond the instants of the data, so that months counted from them know their clock changes."""


@dataclass(frozen=True)
class Phase:
    """A span of time of each unit, both ends included.

    Attributes:
        name: Of the phase.
        first: Begin in microseconds from the unit's exposure, below 0 before it: one number for all units, or one for
            each in their order.
        last: End, likewise.
    """

    name: str
    first: int | pl.Series
    last: int | pl.Series


@dataclass(frozen=True, slots=True)
class Figure:
    """One column of the answer.

    Attributes:
        name: Of the column.
        metric: Without a window.
        phase: Name of the phase whose events count.
    """

    name: str
    metric: ir.Metric
    phase: str


@dataclass(frozen=True, slots=True)
class _In:
    """The row lies in the phase; the column of that name says so."""

    phase: str


class ExposureReader(PolarsReader):
    """Event rows of units: `subject` is the unit, and of several phases there is a column for each.

    Args:
        events: All parts of the snapshot.
        unit_of: Subject → unit, Int32, position = subject; null for subjects of no unit.
        exposed: Exposure of each unit in microseconds.
        phases: Only rows in at least one of them are read.
        until: Nothing after this instant is, in microseconds.
    """

    def __init__(
        self, events: Sequence[EventPart], unit_of: pl.Series, exposed: pl.Series, phases: Sequence[Phase], until: int
    ) -> None:
        super().__init__(EngineInput(pl.DataFrame(), tuple(events), canonical=unit_of))
        self._exposed, self._phases = exposed, phases
        self._reach = min(_least(phase.first) for phase in phases), max(_greatest(phase.last) for phase in phases)
        self._first = _least(exposed) + self._reach[0]
        self._last = min(until, _greatest(exposed) + self._reach[1])

    def scan(self, wish: Scan) -> Rows:
        """Event rows within the phases; only columns and rows that are asked for are read."""
        lo = self._first if wish.lo is None else max(wish.lo, self._first)
        bounded = replace(wish, lo=lo, hi=min(wish.hi, self._last))
        frame = polars_of(super().scan(bounded).frame)
        since = pl.col("ts") - _gathered(self._exposed)
        frame = frame.with_columns(since.alias(_SINCE)).filter(pl.col(_SINCE).is_between(*self._reach))
        inside = {phase.name: _inside(phase) for phase in self._phases}
        if len(inside) == 1:
            return Rows(nw.from_native(frame.filter(*inside.values())))
        return Rows(nw.from_native(frame.with_columns(**inside).filter(pl.any_horizontal(*inside))))


def unit_figures(
    figures: Sequence[Figure],
    phases: Sequence[Phase],
    unit_of: pl.Series,
    exposed: pl.Series,
    events: Sequence[EventPart],
    *,
    as_of: datetime,
    zone: str,
    profile_values: Callable[[dict[Node, str]], pl.DataFrame] | None = None,
) -> pl.DataFrame:
    """One row per unit in their order, a column per figure in working form; nothing after as_of counts.

    All figures of the same kinds that need no order among events are made in one pass.

    Args:
        figures: What is asked.
        phases: The spans that figures name.
        unit_of: Subject → unit, Int32, position = subject; null for subjects of no unit.
        exposed: Exposure of each unit in microseconds.
        events: All parts of the snapshot.
        as_of: Events after it do not count.
        zone: The project's.
        profile_values: Values of nodes that ask of the profile, by ``subject``, which is the unit; None when no figure
            has any.
    """
    units = len(exposed)
    if not units or not figures:
        return pl.DataFrame({figure.name: [] for figure in figures})
    frame = pl.DataFrame({"subject": pl.int_range(units, dtype=pl.Int32, eager=True)})
    scope = _scope(exposed, events, as_of, zone)
    for reader, of_reader in _readers(figures, phases, partial(ExposureReader, events, unit_of, exposed), to_us(as_of)):
        metrics = _unfolded(of_reader, reader, scope)
        known = scope.knowing({cast("Node", _In(phase.name)): phase.name for phase in phases})
        reading = Reading(reader, Subjects(0, units - 1), known, profile_values or _no_values, _sum_is_safe(events))
        for found, named in _frames(reading, metrics):
            columns = narrowed(reader.collect(found))
            zeros = {name for name, metric in named if metric.measure.function in ZERO_OF_NONE}
            frame = frame.with_columns(aligned(frame.get_column("subject"), columns, zeros))
    return frame.select(figure.name for figure in figures)


def later(instants: pl.Series, duration: Duration, zone: str, *, back: bool = False) -> pl.Series:
    """The instants moved by a duration, microseconds; months and years on the local clock.

    Args:
        instants: Microseconds; missing ones stay missing.
        duration: How far.
        zone: Whose clock.
        back: Into the past.
    """
    if duration.unit in EXACT_SECONDS:
        length = duration.amount * EXACT_SECONDS[duration.unit] * SECOND
        return instants - length if back else instants + length
    distinct = instants.drop_nulls().unique().sort()
    if distinct.is_empty():
        return instants
    moved = replace(duration, amount=-duration.amount) if back else duration
    reach = duration.amount * 366 * DAY
    lo, hi = int(distinct[0]) - reach - _SLACK, int(distinct[-1]) + reach + _SLACK
    scope = Scope(datetime.fromisoformat("1970-01-01T00:00:00+00:00"), zone, lo, hi, PolarsDialect())
    frame: Frame = nw.from_native(distinct.to_frame("at").lazy())
    found = polars_of(frame.with_columns(later_us(nw.col("at"), moved, scope).alias("to"))).collect()
    places = distinct.search_sorted(instants).zip_with(instants.is_not_null(), pl.Series([None], dtype=pl.UInt32))
    return found["to"].gather(places).alias(instants.name)


def _readers(
    figures: Sequence[Figure],
    phases: Sequence[Phase],
    reader: Callable[[Sequence[Phase], int], ExposureReader],
    until: int,
) -> list[tuple[ExposureReader, list[tuple[str, ir.Metric]]]]:
    """Readers and what each is asked: plain figures of all phases together, ordered ones phase by phase."""
    plain = [figure for figure in figures if is_plain(figure.metric)]
    used = [phase for phase in phases if any(figure.phase == phase.name for figure in plain)]
    found = []
    if plain:
        marked = [(f.name, _marked(f) if len(used) > 1 else f.metric) for f in plain]
        found.append((reader(used, until), marked))
    for phase in phases:
        ordered = [(f.name, f.metric) for f in figures if f.phase == phase.name and not is_plain(f.metric)]
        if ordered:
            found.append((reader([phase], until), ordered))
    return found


def _marked(figure: Figure) -> ir.Metric:
    inside = cast("ir.Predicate", _In(figure.phase))
    where = figure.metric.where
    return replace(figure.metric, where=inside if where is None else ir.And((inside, where)))


def _inside(phase: Phase) -> pl.Expr:
    first, last = (pl.lit(end) if isinstance(end, int) else _gathered(end) for end in (phase.first, phase.last))
    return pl.col(_SINCE).is_between(first, last)


def _gathered(values: pl.Series) -> pl.Expr:
    """The value of the row's unit."""

    def gathered(units: pl.Series) -> pl.Series:
        return values.gather(units)

    return pl.col("subject").map_batches(gathered, return_dtype=pl.Int64, is_elementwise=True)


def _frames(
    reading: Reading, metrics: Sequence[tuple[str, ir.Metric]]
) -> list[tuple[Frame, list[tuple[str, ir.Metric]]]]:
    """Frames by unit, and the metrics in each."""
    plain = [(name, metric) for name, metric in metrics if is_plain(metric)]
    found = []
    for kinds in dict.fromkeys(metric.kinds for _, metric in plain):
        named = [(name, metric) for name, metric in plain if metric.kinds == kinds]
        found.append((plain_metrics(reading, kinds, named, ["subject"], ()), named))
    for name, metric in metrics:
        if not is_plain(metric):
            found.append((ordered_metric(reading, name, metric, ["subject"], ()), [(name, metric)]))
    return found


def _unfolded(
    metrics: Sequence[tuple[str, ir.Metric]], reader: ExposureReader, scope: Scope
) -> list[tuple[str, ir.Metric]]:
    """The metrics without tests that fold, which are asked of the texts that occur."""
    plan = planned((), [Output(name, ir.MetricValue(metric)) for name, metric in metrics])
    found = without_folding(plan, pl.DataFrame({"subject": []}), reader, scope).outputs
    return [(output.name, cast("ir.MetricValue", output.ask).metric) for output in found]


def _scope(exposed: pl.Series, events: Sequence[EventPart], as_of: datetime, zone: str) -> Scope:
    known = [to_us(as_of), _least(exposed), _greatest(exposed)]
    known += [to_us(at) for part in events for at in (part.min_ts, part.max_ts) if at is not None]
    return Scope(as_of, zone, min(known) - _SLACK, max(known) + _SLACK, PolarsDialect())


def _least(values: int | pl.Series) -> int:
    return values if isinstance(values, int) else cast("int", values.min())


def _greatest(values: int | pl.Series) -> int:
    return values if isinstance(values, int) else cast("int", values.max())


def _sum_is_safe(events: Sequence[EventPart]) -> Callable[[tuple[str, ...], str], bool]:
    def is_safe(kinds: tuple[str, ...], column: str) -> bool:
        parts = [part for part in events if not set(kinds).isdisjoint(part.kinds) and column in part.columns]
        if not parts or any(column not in part.max_abs for part in parts):
            return False
        return sum(part.rows * part.max_abs[column] for part in parts) < 2**63

    return is_safe


def _no_values(names: Mapping[Node, str]) -> pl.DataFrame:
    raise TypeError(f"no values of profiles were given for {sorted(names.values())}")


def asks_profiles(metric: ir.Metric) -> bool:
    """True if a test of the metric compares with the profile."""
    return any(isinstance(node, ir.StoredTrait | ir.MetricValue | ir.Score) for node in walk(metric))
