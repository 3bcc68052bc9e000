"""Counts, sums and extremes of a few profiles' rows, each with the semantics of `aggregates`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from segctl.compile.trace_flips import FOREVER
from segctl.compile.windows import span
from segctl.engines.distinct import Pairs, distinct, paired
from segctl.engines.prepared_tally import Counted, Passed, Tally
from segctl.model.times import Window

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST = 2**63 - 1
_LEAST = -(2**63)


class Summing:
    """Answers tallies for some profiles at one instant."""

    def __init__(self, subjects: NDArray[np.int32], as_of: datetime, zone: str) -> None:
        """Begins.

        Args:
            subjects: Of the profiles, ascending and unique.
            as_of: Valid time; rows after it do not count.
            zone: The project's.
        """
        self._subjects = subjects
        self._as_of = as_of
        self._zone = zone
        self._spans: dict[Window | None, tuple[int, int]] = {}

    def columns(self, tally: Tally, rows: pl.DataFrame) -> list[pl.Series]:
        """The columns of a tally, one row per profile.

        Args:
            tally: What is asked.
            rows: What its frame gives, or the rows of its wish.
        """
        places = np.searchsorted(self._subjects, rows.get_column("subject").to_numpy())
        spans = [self._span(window) for window in tally.windows]
        some = _Rows(rows, places, len(self._subjects), spans)
        columns = [some.metric(one) for one in tally.metrics]
        return [*columns, some.passing(tally.passing, tally.passed)] if tally.passing else columns

    def _span(self, window: Window | None) -> tuple[int, int]:
        """The first and the last instant of a window up to now."""
        if window not in self._spans:
            inside = span(window, self._as_of, self._zone, clip=True)
            lo = _LEAST if inside.lo is None else inside.lo
            self._spans[window] = lo, _MOST if inside.hi is None else inside.hi
        return self._spans[window]


class _Rows:
    """Rows of one group of kinds."""

    def __init__(
        self, rows: pl.DataFrame, places: NDArray[np.int64], height: int, spans: Sequence[tuple[int, int]]
    ) -> None:
        self._rows = rows
        self._places = places
        self._height = height
        self._spans = spans
        self._ts: NDArray[np.int64] = rows.get_column("ts").to_numpy()
        self._chosen: dict[tuple[int, str], tuple[NDArray[np.int64] | None, NDArray[np.int64]]] = {}
        self._values: dict[str, tuple[NDArray[np.int64], NDArray[np.bool_] | None]] = {}
        self._pairs: dict[str, Pairs] = {}

    def metric(self, one: Counted) -> pl.Series:
        """The values of a metric."""
        rows, places = self._chosen_of(one.window, one.where)
        if one.function == "count":
            return pl.Series(one.name, np.bincount(places, minlength=self._height))
        values, present = self._value(one.value)
        if present is not None:
            rows = np.flatnonzero(present) if rows is None else rows[present[rows]]
            places = self._places[rows]
        match one.function:
            case "sum":
                return pl.Series(one.name, self._sum(places, _taken(values, rows)))
            case "average":
                return self._average(one, places, _taken(values, rows))
            case "min" | "first_time":
                return self._extreme(one.name, np.minimum, _MOST, places, _taken(values, rows))
            case "max" | "last_time":
                return self._extreme(one.name, np.maximum, _LEAST, places, _taken(values, rows))
            case _:
                return pl.Series(one.name, self._distinct(one.value, rows))

    def passing(self, name: str, passed: Sequence[Passed]) -> pl.Series:
        """The first passing of any row by any of these bounds."""
        wait = np.full(len(self._ts), _MOST)
        for one in passed:
            rows, _ = self._chosen_of(one.window, one.where)
            wait[slice(None) if rows is None else rows] = one.wait
        held = np.flatnonzero(wait < _MOST)
        first = np.full(self._height, FOREVER)
        np.minimum.at(first, self._places[held], self._ts[held] + wait[held])
        return pl.Series(name, first)

    def _chosen_of(self, window: int, where: str) -> tuple[NDArray[np.int64] | None, NDArray[np.int64]]:
        """Which rows count, None for all, and the places of their profiles."""
        key = window, where
        if key not in self._chosen:
            rows = self._chosen_of(window, "")[0] if where else self._inside(*self._spans[window])
            if where:
                truth = self._rows.get_column(where).to_numpy()
                rows = np.flatnonzero(truth) if rows is None else rows[truth[rows]]
            self._chosen[key] = rows, _taken(self._places, rows)
        return self._chosen[key]

    def _inside(self, lo: int, hi: int) -> NDArray[np.int64] | None:
        inside = self._ts >= lo
        inside &= self._ts <= hi
        return None if inside.all() else np.flatnonzero(inside)

    def _value(self, name: str) -> tuple[NDArray[np.int64], NDArray[np.bool_] | None]:
        """Values, and which of them are there; None for all."""
        if name not in self._values:
            column = self._rows.get_column(name)
            column = column.to_physical().cast(pl.Int64) if column.dtype == pl.Categorical else column
            present = column.is_not_null().to_numpy() if column.null_count() else None
            self._values[name] = (column.fill_null(0) if present is not None else column).to_numpy(), present
        return self._values[name]

    def _sum(self, places: NDArray[np.int64], values: NDArray[np.int64]) -> NDArray[np.int64]:
        total = np.zeros(self._height, np.int64)
        np.add.at(total, places, values)
        return total

    def _average(self, one: Counted, places: NDArray[np.int64], values: NDArray[np.int64]) -> pl.Series:
        number = np.bincount(places, minlength=self._height)
        total = self._sum(places, values).astype(np.float64)
        divisor = (number * one.unit).astype(np.float64)
        found = np.divide(total, divisor, out=np.zeros(self._height), where=number > 0)
        return _without(pl.Series(one.name, found), number == 0)

    def _extreme(
        self,
        name: str,
        function: Any,  # noqa: ANN401 - a function of NumPy with methods
        start: int,
        places: NDArray[np.int64],
        values: NDArray[np.int64],
    ) -> pl.Series:
        found, absent = np.full(self._height, start), np.ones(self._height, np.bool_)
        function.at(found, places, values)
        absent[places] = False
        return _without(pl.Series(name, found), absent)

    def _distinct(self, name: str, rows: NDArray[np.int64] | None) -> NDArray[np.int64]:
        if name not in self._pairs:
            self._pairs[name] = paired(self._value(name)[0], self._places, self._height)
        return distinct(self._pairs[name], rows, self._height)


def _taken(values: NDArray[np.int64], rows: NDArray[np.int64] | None) -> NDArray[np.int64]:
    return values if rows is None else values[rows]


def _without(values: pl.Series, absent: NDArray[np.bool_]) -> pl.Series:
    return values.set(pl.Series(absent), None) if absent.any() else values
