"""Plain metrics of a few profiles' rows, each with the semantics of `aggregates`, and the first passing of bounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from segctl.compile import ir
from segctl.compile.trace_flips import FOREVER
from segctl.engines.aggregates import is_plain, is_safe
from segctl.engines.arrays import NUMBER, REAL, TEXT, Column, Value, combined, form_of, plain_test
from segctl.engines.distinct import Pairs, distinct, paired
from segctl.model.dataclass import dataclass
from segctl.model.times import Anniversary
from segctl.model.types import TIME, stored_column

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from segctl.engines.array_rows import RowArrays
    from segctl.engines.arrays import Spans, Test

_MOST = 2**63 - 1
_LEAST = -(2**63)
_TIMES = ("first_time", "last_time")
_EDGES = ("first_value", "last_value")
_OF_NUMBERS = ("sum", "average", "min", "max")


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which rows of a group of kinds count.

    Attributes:
        number: Of this choice among all of a plan.
        window: Number of when they lie.
        where: Their condition; None for any.
    """

    number: int
    window: int
    where: Test | None


@dataclass(frozen=True, slots=True)
class Measured:
    """One metric.

    Attributes:
        chosen: The rows it is about.
        function: As in `ir.Measure`.
        read: Values that are measured; None where the rows themselves are.
        unit: What one is in these values.
    """

    chosen: Chosen
    function: str
    read: Callable[[RowArrays], Column] | None
    unit: int


@dataclass(frozen=True, slots=True)
class Passed:
    """An even bound; see `next_change_passing`.

    Attributes:
        chosen: The rows that it passes.
        wait: How long after an event it passes it, in microseconds.
    """

    chosen: Chosen
    wait: int


def has_room(metric: ir.Metric, sum_is_safe: Callable[[tuple[str, ...], str], bool]) -> bool:
    """True if a metric can be found in arrays, its condition aside."""
    measure = metric.measure
    if metric.bounds or isinstance(metric.window, Anniversary) or metric.latest is not None:
        return False
    if not is_plain(metric) and (measure.followed is not None or measure.function not in _EDGES):
        return False
    if measure.function in ("count", "days", *_TIMES):
        return True
    form = form_of(measure.of.type) if isinstance(measure.of, ir.EventProperty) else None
    if measure.function in ("sum", "average") and not is_safe(metric, sum_is_safe):
        return False
    if measure.function in _OF_NUMBERS:
        return form == NUMBER
    return measure.function in ("distinct", *_EDGES) and form in (NUMBER, TEXT)


def value_form(metric: ir.Metric) -> str:
    """The form of a metric's values."""
    if metric.measure.function == "average":
        return REAL
    is_text = metric.measure.function in _EDGES and metric.measure.of is not None
    return form_of(metric.measure.of.type) or NUMBER if is_text and metric.measure.of is not None else NUMBER


def row_value(node: ir.Expression) -> Value | None:
    """How an expression is read from event rows."""
    if isinstance(node, ir.EventTime):
        return Value(NUMBER, TIME, lambda rows: Column(rows.ts, None))
    form = form_of(node.type) if isinstance(node, ir.EventProperty) else None
    if form is None or form == REAL or not isinstance(node, ir.EventProperty):
        return None
    name = stored_column(node.name, node.type)
    if form == TEXT:
        return Value(form, node.type, lambda rows: rows.texts(name))
    return Value(form, node.type, lambda rows: rows.numbers(name))


def row_test(where: ir.Predicate, span: Spans) -> Test | None:
    """A condition on event rows; None where it cannot be translated."""
    return combined(where, lambda node: plain_test(node, row_value, span))


class MetricRows:
    """Answers metrics over the rows of one group of kinds; what several share is found once."""

    def __init__(self, rows: RowArrays, height: int, zone: str) -> None:
        self.rows = rows
        self._height = height
        self._zone = zone
        self._chosen: dict[int, tuple[NDArray[np.bool_] | None, NDArray[np.int64]]] = {}
        self._windows: dict[int, NDArray[np.bool_] | None] = {}
        self._pairs: dict[int, tuple[NDArray[np.int64], Pairs]] = {}

    def chosen(self, one: Chosen) -> tuple[NDArray[np.bool_] | None, NDArray[np.int64]]:
        """Which rows count, None for all; and the places of their profiles."""
        if one.number not in self._chosen:
            mask = self._inside(one.window)
            if one.where is not None:
                true = one.where(self.rows)[0]
                mask = true if mask is None else mask & true
            places = self.rows.places if mask is None else self.rows.places[mask]
            self._chosen[one.number] = mask, places
        return self._chosen[one.number]

    def _inside(self, window: int) -> NDArray[np.bool_] | None:
        if window not in self._windows:
            lo, hi = self.rows.moment.clipped(window)
            ts = self.rows.ts
            mask = None if lo is None else ts >= lo
            if hi is not None and hi < self.rows.moment.now:
                mask = ts <= hi if mask is None else mask & (ts <= hi)
            self._windows[window] = mask
        return self._windows[window]

    def metric(self, one: Measured) -> Column:
        """The values of a metric, one per profile."""
        mask, places = self.chosen(one.chosen)
        if one.function == "count":
            return Column(np.bincount(places, minlength=self._height), None)
        if one.function == "days":
            return Column(self._distinct(self.rows.days(self._zone), mask), None)
        if one.function in _TIMES:
            return self._extreme(one.function == "last_time", places, _taken(self.rows.ts, mask))
        assert one.read is not None, "it measures a property"
        column = one.read(self.rows)
        if one.function in _EDGES:
            return self._edge(one.function == "last_value", column, mask, places)
        if column.present is not None:
            mask = column.present if mask is None else mask & column.present
            places = self.rows.places[mask]
        if one.function == "distinct":
            return Column(self._distinct(column.values, mask), None)
        values = _taken(column.values, mask)
        if one.function in ("min", "max"):
            return self._extreme(one.function == "max", places, values)
        total = np.zeros(self._height, np.int64)
        np.add.at(total, places, values)
        return Column(total, None) if one.function == "sum" else self._average(one, places, total)

    def _average(self, one: Measured, places: NDArray[np.int64], total: NDArray[np.int64]) -> Column:
        number = np.bincount(places, minlength=self._height)
        divisor = (number * one.unit).astype(np.float64)
        present = number > 0
        found = np.divide(total.astype(np.float64), divisor, out=np.zeros(self._height), where=present)
        return Column(found, _unless_all(present))

    def _extreme(self, is_most: bool, places: NDArray[np.int64], values: NDArray[np.int64]) -> Column:
        found = np.full(self._height, _LEAST if is_most else _MOST)
        (np.maximum if is_most else np.minimum).at(found, places, values)
        return Column(found, self._there(places))

    def _there(self, places: NDArray[np.int64]) -> NDArray[np.bool_] | None:
        present = np.zeros(self._height, np.bool_)
        present[places] = True
        return _unless_all(present)

    def _edge(self, is_last: bool, column: Column, mask: NDArray[np.bool_] | None, places: NDArray[np.int64]) -> Column:
        """The value of the first or the last row, which may be missing there."""
        rows = np.arange(len(self.rows.ts)) if mask is None else np.flatnonzero(mask)
        rows, places = self._outermost(is_last, rows, places)
        values, present = np.zeros(self._height, np.int64), np.zeros(self._height, np.bool_)
        # Of equal places the last counts.
        values[places] = column.values[rows]
        present[places] = True if column.present is None else column.present[rows]
        return Column(values, _unless_all(present), column.codes)

    def _outermost(
        self, is_last: bool, rows: NDArray[np.int64], places: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows such that of each profile the wanted one comes last."""
        ts = self.rows.ts[rows]
        edge = np.full(self._height, _LEAST if is_last else _MOST)
        (np.maximum if is_last else np.minimum).at(edge, places, ts)
        at_edge = ts == edge[places]
        rows, places = rows[at_edge], places[at_edge]
        order = np.argsort(places, kind="stable")
        rows, places = rows[order], places[order]
        is_tied = places[1:] == places[:-1]
        tied = np.flatnonzero(is_tied)
        if len(tied) and self.rows.differ(rows[tied], rows[tied + 1]):
            order = np.lexsort((self.rows.ranks[rows], places))
            rows, places = rows[order], places[order]
        return (rows, places) if is_last else (rows[::-1], places[::-1])

    def _distinct(self, values: NDArray[np.int64], mask: NDArray[np.bool_] | None) -> NDArray[np.int64]:
        if id(values) not in self._pairs:
            # The values are kept as well: an array that is gone leaves its id to the next.
            self._pairs[id(values)] = values, paired(values, self.rows.places, self._height)
        return distinct(self._pairs[id(values)][1], mask, self._height)

    def pass_by(self, passed: Sequence[Passed], due: NDArray[np.int64]) -> None:
        """Brings `due` forward to the first passing of any row by any of these bounds, longest wait first."""
        ts = self.rows.ts
        wait = np.full(len(ts), FOREVER)
        for one in passed:
            mask, _ = self.chosen(one.chosen)
            if mask is None:
                wait[:] = one.wait
            else:
                wait[mask] = one.wait
        held = np.flatnonzero(wait < FOREVER)
        np.minimum.at(due, self.rows.places[held], ts[held] + wait[held])


def _taken(values: NDArray[Any], mask: NDArray[np.bool_] | None) -> NDArray[Any]:
    return values if mask is None else values[mask]


def _unless_all(present: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    return None if present.all() else present
