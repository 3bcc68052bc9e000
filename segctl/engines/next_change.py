"""The next change of each profile: before which instant time alone changes none of its answers.

A sound lower bound after as_of, in microseconds: the earliest of what every part of the plan gives. Events that bounds
of windows will pass are metrics beside the plan's own; tests of profiles, and the few tests of events that move
by themselves, are looked at row by row. Who else moves, where the best are kept or colleagues counted, is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

import narwhals.stable.v2 as nw
import numpy as np
import polars as pl

from segctl.compile import ir
from segctl.compile.moving_bounds import falls_at
from segctl.compile.plan import HISTORY, Node, Plan, roots
from segctl.compile.trace_flips import FOREVER
from segctl.compile.windows import Span
from segctl.compile.zones import DAY
from segctl.engines.alignment import aligned
from segctl.engines.localtime import later_us
from segctl.engines.next_change_ages import has_ages
from segctl.engines.next_change_events import Deadline, Edge, RowAsk, asks, event_kinds, profile_atoms
from segctl.engines.next_change_rows import Moving, moving_atoms, values_of
from segctl.engines.next_change_times import next_step, passings
from segctl.engines.predicates import to_predicate
from segctl.engines.reading import Scan
from segctl.engines.rows import Reading, Selection, prepare
from segctl.engines.scope import Scope
from segctl.model.project import RELATED

if TYPE_CHECKING:
    from segctl.engines.frames import Frame
    from segctl.engines.next_change_times import Us

DUE = "next:change"
"""Where the instant stands while an engine works."""
_LAST = 2**62
_MONTH, _YEAR = 31 * DAY, 366 * DAY


class NextChange:
    """What the next changes of a plan depend on; made once, whatever the instant and the profiles.

    Attributes:
        metrics: To be found beside those of the plan.
        passing: Edges of even bounds, whose first passings are to be found beside the metrics of their kinds.
    """

    def __init__(self, plan: Plan) -> None:
        asked = list(dict.fromkeys(asks(plan)))
        edges = _widest([one for one in asked if isinstance(one, Edge)])
        self.passing = [edge for edge in edges if edge.bound.is_even]
        self._edges = [edge for edge in edges if not edge.bound.is_even]
        self._rows = [one for one in asked if isinstance(one, RowAsk)]
        self._deadlines = [one for one in asked if isinstance(one, Deadline)]
        nodes = [root for segment in plan.segments for root in roots(segment)] + [one.ask for one in plan.outputs]
        self._moving = Moving([*profile_atoms(nodes), *(n for n in nodes if hasattr(n, "type") and has_ages(n))])
        self._kinds = event_kinds(plan)
        known = {metric for _, metrics in plan.metrics for metric in metrics}
        self.metrics = [one for one in dict.fromkeys(edge.first for edge in self._edges) if one not in known]

    @property
    def even(self) -> tuple[Node, ...] | None:
        """Tests of the profile that move, if nothing else does but `passing`; None otherwise."""
        is_even = not self._edges and not self._rows and not self._deadlines
        return self._moving.asked if is_even else None

    def due(
        self,
        frame: pl.DataFrame,
        scope: Scope,
        reading: Reading,
        *,
        passed: Sequence[str],
        commons: Iterable[pl.DataFrame] = (),
    ) -> pl.Series:
        """For each profile the next change, `FOREVER` if none comes.

        Args:
            frame: One row per profile, sorted by ``subject``.
            scope: Knows the metrics.
            reading: What the evaluation shares.
            passed: Columns with first passings.
            commons: What `common_due` gives of each test for one and the same value.
        """
        found = self.of_profiles(frame, scope, passed)
        subjects = frame.get_column("subject")
        for events in chain(self.of_events(reading) if frame.height else (), commons):
            found = np.minimum(found, beside(subjects, events))
        return pl.Series(DUE, found, dtype=pl.Int64)

    def of_profiles(self, frame: pl.DataFrame, scope: Scope, passed: Sequence[str]) -> Us:
        """What the profiles' own rows tell; for the arguments see `due`."""
        found = np.minimum(self._of_edges(frame, scope), self._moving.due(frame, scope))
        for column in passed:
            found = np.minimum(found, frame.get_column(column).fill_null(FOREVER).to_numpy())
        return np.asarray(found)

    def of_events(self, reading: Reading) -> Iterable[pl.DataFrame]:
        """What events tell beside metrics, as ``subject``, ``due``: those ahead, and those that move by themselves."""
        yield from _coming(reading, self._kinds)
        yield from self.of_tested_events(reading)

    def of_tested_events(self, reading: Reading) -> Iterable[pl.DataFrame]:
        """What events up to as_of tell that move by themselves."""
        for ask in self._rows:
            yield _tested(reading, ask)
        for deadline in self._deadlines:
            yield _ended(reading, deadline)

    def _of_edges(self, frame: pl.DataFrame, scope: Scope) -> Us:
        found = np.full(frame.height, FOREVER)
        for edge in self._edges:
            first = frame.get_column(scope.known[ir.MetricValue(edge.first)])
            present = first.is_not_null().to_numpy()
            if edge.is_rough:
                passed = np.full(frame.height, next_step(edge.bound, scope.now, scope.zone))
            else:
                passed = passings(edge.bound, first.fill_null(0).to_numpy(), scope.now, scope.zone)
            found = np.minimum(found, np.where(present, passed, FOREVER))
            # Events that come back are not looked for one by one: such days are few.
            falls = falls_at(edge.bound, scope.now, scope.zone)
            found = found if falls is None else np.minimum(found, falls)
        return found


def common_due(rows: pl.LazyFrame, common: ir.HasCommonValue, scope: Scope) -> pl.DataFrame:
    """``subject``, ``due``: the first change of a test of some value, as `commons.common_rows` gives them."""
    return _by_subject(rows.collect(), Moving(moving_atoms(common.item)), scope)


def earliest(frame: pl.DataFrame, ahead: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """The frame with its next changes in `DUE`, no later than those of other frames: ``subject``, ``due``."""
    found, subjects = frame.get_column(DUE).to_numpy(), frame.get_column("subject")
    for other in ahead:
        found = np.minimum(found, beside(subjects, other.group_by("subject").agg(pl.col("due").min())))
    return frame.with_columns(pl.Series(DUE, found, dtype=pl.Int64))


def _widest(edges: Sequence[Edge]) -> list[Edge]:
    """The edges without those whose events are among another's of the same bound and window."""
    given = set(edges)
    plain = {edge: replace(edge, first=replace(edge.first, where=None)) for edge in edges}
    return [edge for edge in edges if edge.first.where is None or plain[edge] not in given]


def _coming(reading: Reading, kinds: Sequence[str]) -> Iterable[pl.DataFrame]:
    """``subject``, ``due``: the first event dated ahead of as_of, of any of some kinds."""
    stored = tuple(kind for kind in kinds if not kind.startswith((HISTORY, RELATED)))
    groups = [(kind,) for kind in kinds if kind.startswith(HISTORY)] + ([stored] if stored else [])
    for of in groups:
        rows = reading.reader.scan(Scan(of, (), reading.subjects, reading.now + 1, _LAST))
        yield _first(reading, rows.frame, nw.col("ts"))


def _tested(reading: Reading, ask: RowAsk) -> pl.DataFrame:
    """``subject``, ``due``: the first change of a test among the events in a window."""
    selection = Selection(ask.window, ask.bounds, None)
    values = [value for atom in ask.atoms for value in values_of(atom)]
    nodes = (*values, *(value for _, value in ask.bounds))
    rows = prepare(reading, ask.kinds, nodes, [selection.span(reading.scope)])
    rows = rows.filtered(selection.mask(rows))
    return _by_subject(reading.reader.collect(rows.frame), Moving(ask.atoms), rows.scope)


def _by_subject(rows: pl.DataFrame, moving: Moving, scope: Scope) -> pl.DataFrame:
    due = pl.Series("due", moving.due(rows, scope), dtype=pl.Int64)
    return rows.select("subject", due).group_by("subject").agg(pl.col("due").min())


def _ended(reading: Reading, deadline: Deadline) -> pl.DataFrame:
    """``subject``, ``due``: the first end of a wait that is still on."""
    # Clocks that were set meanwhile make a month some hours longer than its days.
    length = deadline.within.amount * (_MONTH if deadline.within.unit == "months" else _YEAR) + 2 * DAY
    nodes = [] if deadline.where is None else [deadline.where]
    rows = prepare(reading, deadline.kinds, nodes, [Span(reading.now - length, None)])
    if deadline.where is not None:
        rows = rows.filtered(to_predicate(deadline.where, rows.scope))
    limit = later_us(nw.col("ts"), deadline.within, rows.scope)
    frame = rows.frame.with_columns(limit.alias("limit")).filter(nw.col("limit") > reading.now)
    return _first(reading, frame, nw.col("limit"))


def _first(reading: Reading, frame: Frame, value: nw.Expr) -> pl.DataFrame:
    return reading.reader.collect(frame.group_by("subject").agg(value.min().alias("due")))


def beside(subjects: pl.Series, found: pl.DataFrame) -> Us:
    """What is found for some profiles beside all of them."""
    (due,) = aligned(subjects, found.select("subject", pl.col("due").cast(pl.Int64)), set())
    return due.fill_null(FOREVER).to_numpy()
