"""One use of a plan in arrays: what is known of some profiles at one instant, each thing found when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from segctl.compile.windows import span
from segctl.compile.zones import to_us
from segctl.engines.array_metrics import MetricRows, Passed
from segctl.engines.array_rows import RowArrays
from segctl.engines.array_sequences import matching
from segctl.engines.arrays import Column
from segctl.engines.next_change_times import window_flips
from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from segctl.engines.array_build import ArrayBuild
    from segctl.engines.arrays import Test, Truth
    from segctl.engines.prepared import PreparedPlan
    from segctl.engines.prepared_rows import FewRows
    from segctl.model.times import Window


@dataclass(frozen=True, slots=True)
class Asking:
    """What a moment answers.

    Attributes:
        build: What was translated.
        members: Segments.
        side: Answers what was not; None where there is no such thing.
        profiles: Gives the profiles in working form.
        still: Gives what neither time nor events change, by number.
        zone: The project's.
    """

    build: ArrayBuild
    members: Mapping[str, Test]
    side: PreparedPlan | None
    profiles: Callable[[], pl.DataFrame]
    still: Callable[[], Mapping[int, Truth]]
    zone: str


class Moment:
    """Answers for some profiles at one instant.

    Attributes:
        now: The instant, in microseconds.
        height: How many profiles there are.
    """

    def __init__(
        self, asking: Asking, few: FewRows, subjects: NDArray[np.int32], own: NDArray[np.int32], as_of: datetime
    ) -> None:
        self.now = to_us(as_of)
        self.height = len(subjects)
        self._asking, self._few, self._subjects, self._own, self._as_of = asking, few, subjects, own, as_of
        self._rows: dict[int, MetricRows] = {}
        self._metrics: dict[int, Column] = {}
        self._sequences: dict[int, Truth] = {}
        self._members: dict[str, Truth] = {}
        self._spans: dict[tuple[int, bool], tuple[int | None, int | None]] = {}

    @cached_property
    def beside(self) -> pl.DataFrame:
        """What others answer."""
        side = self._asking.side
        assert side is not None, "something is asked of others"
        return side.answers(self._asking.profiles(), self._few, self._own, self._as_of)

    @cached_property
    def still(self) -> Mapping[int, Truth]:
        """What neither time nor events change, by number."""
        return self._asking.still()

    def foreign(self, number: int) -> Truth:
        """A test that others answer."""
        return truth_of(self.beside.get_column(foreign_column(number)))

    def member(self, segment: str) -> Truth:
        """Who belongs to a segment; unknown is no."""
        if segment not in self._members:
            true, _ = self._asking.members[segment](self)
            self._members[segment] = true, true
        return self._members[segment]

    def metric(self, number: int) -> Column:
        """The values of a metric."""
        if number not in self._metrics:
            kinds, measured = self._asking.build.metrics[number]
            self._metrics[number] = self._rows_of(kinds).metric(measured)
        return self._metrics[number]

    def sequence(self, number: int) -> Truth:
        """Who has a match of a sequence."""
        if number not in self._sequences:
            pair = self._asking.build.pairs[number]
            first, second = self._rows_of(pair.first[0]), self._rows_of(pair.second[0])
            found = matching(pair, first, second, self.height, self.now)
            self._sequences[number] = found, found
        return self._sequences[number]

    def clipped(self, window: int) -> tuple[int | None, int | None]:
        """The first and the last instant of a window up to now, by its number; None where it is open."""
        return self._span(window, clip=True)

    def span(self, window: int) -> tuple[int | None, int | None]:
        """The first and the last instant of a window, by its number; None where it is open."""
        return self._span(window, clip=False)

    def _span(self, window: int, *, clip: bool) -> tuple[int | None, int | None]:
        if (window, clip) not in self._spans:
            inside = span(self._asking.build.windows[window], self._as_of, self._asking.zone, clip=clip)
            self._spans[window, clip] = inside.lo, inside.hi
        return self._spans[window, clip]

    def _rows_of(self, kinds: int) -> MetricRows:
        if kinds not in self._rows:
            rows = RowArrays(self._few, self._asking.build.kinds[kinds], self._own, self._subjects, self)
            self._rows[kinds] = MetricRows(rows, self.height, self._asking.zone)
        return self._rows[kinds]

    def pass_by(self, passed: Mapping[int, Sequence[Passed]], due: NDArray[np.int64]) -> None:
        """Brings `due` forward to the first passing of an event by one of some bounds, by number of the kinds."""
        for kinds, bounds in passed.items():
            self._rows_of(kinds).pass_by(bounds, due)

    def move(self, moving: Sequence[tuple[Window, int]], due: NDArray[np.int64]) -> None:
        """Brings `due` forward to the first instant at which the value of a metric leaves or enters a window."""
        for window, metric in moving:
            column = self.metric(metric)
            flips = window_flips(window, column.values, self.now, self._asking.zone)
            there = slice(None) if column.present is None else column.present
            due[there] = np.minimum(due[there], flips[there])

    def coming(self, due: NDArray[np.int64]) -> NDArray[np.int64]:
        """`due` or the first event ahead, whichever is earlier."""
        coming = self._few.first_after(self._own, self.now)
        if coming is not None:
            np.minimum.at(due, np.searchsorted(self._subjects, coming[0]), coming[1])
        return due


def foreign_column(number: int) -> str:
    """The column of an answer that others give."""
    return f"foreign:{number}"


def truth_of(found: pl.Series) -> Truth:
    """A column of answers; null is unknown."""
    if not found.null_count():
        true = found.to_numpy()
        return true, true
    return found.fill_null(value=False).to_numpy(), found.fill_null(value=True).to_numpy()
