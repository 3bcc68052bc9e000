"""Which plain metrics of a prepared plan are added up in arrays, and what of each row that needs.

For few rows, grouping costs many times what is in the groups. Conditions and values of a row are expressions like
everywhere; windows, counts, sums and extremes are found by `prepared_sums`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import narwhals.stable.v2 as nw
import polars as pl

from segctl.compile import ir
from segctl.engines.aggregates import PERIODS, ZERO_OF_NONE, is_plain, is_safe
from segctl.engines.expressions import to_expr
from segctl.engines.frames import Frame, polars_of
from segctl.engines.next_change_events import Edge
from segctl.engines.next_change_passing import waits
from segctl.engines.predicates import to_predicate
from segctl.engines.rows import Prepared, Reading, Selection, day_column, prepare
from segctl.model.dataclass import dataclass
from segctl.model.times import Anniversary, Window

_TIMES = ("first_time", "last_time")
_EXTREMES = ("min", "max", *_TIMES)
_OF_NUMBERS = ("sum", "min", "max", "average")
_DISTINCT = ("distinct", *PERIODS)
_KEYS = ("subject", "ts")


@dataclass(frozen=True, slots=True)
class Counted:
    """One metric.

    Attributes:
        window: Number of the window among those of the tally.
        where: Column that says which rows count, besides the window; empty for all.
        value: Column that is measured; empty for none.
        unit: What one is in that column.
    """

    name: str
    function: str
    window: int
    where: str
    value: str
    unit: int


@dataclass(frozen=True, slots=True)
class Passed:
    """An even bound; see `next_change_passing`.

    Attributes:
        window: As in `Counted`.
        where: Likewise.
        wait: How long after an event it passes it, in microseconds.
    """

    window: int
    where: str
    wait: int


@dataclass(frozen=True, slots=True)
class Tally:
    """The metrics of one group of kinds.

    Attributes:
        wish: Number of the wish that it reads.
        frame: ``subject``, ``ts`` and what is asked of each row; None if the rows themselves have it.
        wishes: Numbers of all wishes that the frame reads.
        windows: Of the metrics and bounds, each once.
        metrics: To add up.
        passed: Bounds, those with the longest wait first.
        passing: Column of the first instant at which any of them passes an event; empty without bounds.
        columns: What it adds to the profiles: name and type.
        zeros: As in `Task`.
        marks: Likewise.
    """

    wish: int
    frame: pl.LazyFrame | None
    wishes: frozenset[int]
    windows: tuple[Window | None, ...]
    metrics: tuple[Counted, ...]
    passed: tuple[Passed, ...]
    passing: str
    columns: Mapping[str, pl.DataType]
    zeros: frozenset[str]
    marks: bool = False


def is_tallied(metric: ir.Metric, sum_is_safe: Callable[[tuple[str, ...], str], bool]) -> bool:
    """True if a tally may have room for a metric; the types of its values decide then."""
    if not is_plain(metric) or not _is_even(metric):
        return False
    function = metric.measure.function
    if function in ("sum", "average") and not is_safe(metric, sum_is_safe):
        return False
    return function == "count" or function in (*_EXTREMES, *_OF_NUMBERS, *_DISTINCT)


def is_tallied_edge(edge: Edge) -> bool:
    """True if a tally has room for a bound."""
    return _is_even(edge.first)


def _is_even(metric: ir.Metric) -> bool:
    """The window is the same for all profiles."""
    return not metric.bounds and not isinstance(metric.window, Anniversary)


class TallyBuilder:
    """Builds the tally of one group of kinds.

    Attributes:
        metrics: Names and metrics that it has room for, by the types of their values.
    """

    def __init__(
        self,
        reading: Reading,
        kinds: tuple[str, ...],
        metrics: Sequence[tuple[str, ir.Metric]],
        edges: Sequence[Edge],
    ) -> None:
        """Asks for the rows.

        Args:
            reading: What the evaluation shares.
            kinds: Of all the metrics.
            metrics: Names and metrics of which `is_tallied` is true.
            edges: Of which `is_tallied_edge` is true.
        """
        self._reading = reading
        self._edges = edges
        asked = [metric for _, metric in metrics] + [edge.first for edge in edges]
        spans = [Selection.of(metric).span(reading.scope) for metric in asked]
        self._rows: Prepared = prepare(reading, kinds, asked, spans)
        self._values: dict[object, str] = {}
        self._windows: dict[Window | None, int] = {}
        self._expressions: list[nw.Expr] = []
        native = polars_of(self._rows.frame)
        self._types: dict[str, pl.DataType] = dict(native.collect_schema())
        self._plain = frozenset(self._types)
        self.metrics = [(name, metric) for name, metric in metrics if self._has_room(metric)]

    @property
    def rows(self) -> Frame:
        """The rows that were asked for."""
        return self._rows.frame

    def _has_room(self, metric: ir.Metric) -> bool:
        function, of = metric.measure.function, metric.measure.of
        if function in ("count", *_TIMES, *PERIODS):
            return True
        if of is None:
            return False
        value = to_expr(of, self._rows.scope).alias("value")
        dtype = polars_of(self._rows.frame.select(value)).collect_schema()["value"]
        return dtype == pl.Int64 or (function == "distinct" and dtype == pl.String)

    def tally(self, number: int, wishes: frozenset[int], passing: str) -> Tally:
        """The tally.

        Args:
            number: Of the wish for its rows.
            wishes: Numbers of all wishes it reads.
            passing: Name of the column for its bounds.
        """
        counted = tuple(self._counted(name, metric) for name, metric in self.metrics)
        edges = sorted(self._edges, key=lambda edge: waits(edge.bound), reverse=True)
        passed = tuple(Passed(self._window(e.first.window), self._where(e.first.where), waits(e.bound)) for e in edges)
        types = {name: self._type_of(metric) for name, metric in self.metrics}
        types |= {passing: pl.Int64()} if passed else {}
        frame = None
        if self._expressions:
            frame = polars_of(self._rows.frame.select(*self._needed(counted), *self._expressions))
            frame.collect_schema()
        zeros = frozenset(one.name for one in counted if one.function in ZERO_OF_NONE)
        return Tally(
            number, frame, wishes, tuple(self._windows), counted, passed, passing if passed else "", types, zeros
        )

    def _needed(self, counted: Sequence[Counted]) -> list[str]:
        own = dict.fromkeys(one.value for one in counted if one.value in self._plain)
        return list(dict.fromkeys((*_KEYS, *own)))

    def _type_of(self, metric: ir.Metric) -> pl.DataType:
        return pl.Float64() if metric.measure.function == "average" else pl.Int64()

    def _counted(self, name: str, metric: ir.Metric) -> Counted:
        of, function = metric.measure.of, metric.measure.function
        unit = 10 ** (of.type.scale if of is not None else 0)
        return Counted(
            name, function, self._window(metric.window), self._where(metric.where), self._value(metric), unit
        )

    def _window(self, window: Window | None) -> int:
        return self._windows.setdefault(window, len(self._windows))

    def _where(self, where: ir.Predicate | None) -> str:
        if where is None:
            return ""
        if ("where", where) not in self._values:
            name = self._values["where", where] = f"tally:{len(self._values)}"
            self._expressions.append(to_predicate(where, self._rows.scope).fill_null(value=False).alias(name))
        return self._values["where", where]

    def _value(self, metric: ir.Metric) -> str:
        function, of = metric.measure.function, metric.measure.of
        if function == "count":
            return ""
        if function in _TIMES:
            return "ts"
        if function in PERIODS:
            return self._known(function, PERIODS[function](day_column(self._rows), self._rows.scope))
        assert of is not None, "it measures a property"
        return self._known(of, to_expr(of, self._rows.scope))

    def _known(self, key: object, value: nw.Expr) -> str:
        if key not in self._values:
            schema = polars_of(self._rows.frame.select(value)).collect_schema()
            ((name, dtype),) = schema.items()
            if isinstance(key, ir.EventProperty) and dtype == pl.Int64:
                self._values[key] = name
                return name
            self._values[key] = f"tally:{len(self._values)}"
            # Of texts it only matters which are the same.
            coded = value.cast(nw.Categorical if dtype == pl.String else nw.Int64)
            self._expressions.append(coded.alias(self._values[key]))
        return self._values[key]
