"""A plan built once for a few profiles at a time: same nodes, same expressions, other rows and another as_of.

Building the expressions of a plan costs many times what a few profiles cost. So they are built over sources that
are filled before each use, and numbers that move with as_of stand in columns. Metrics and sequences are answered in
rounds, each of which needs what came before; then all segments at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import narwhals.stable.v2 as nw
import numpy as np
import polars as pl

from segctl.compile import ir
from segctl.compile.plan import Node, Plan, parts, roots
from segctl.compile.zones import to_us
from segctl.engines.alignment import narrowed
from segctl.engines.block import asked_of
from segctl.engines.elements import with_elements
from segctl.engines.formulas import with_formulas
from segctl.engines.frames import polars_of
from segctl.engines.next_change import DUE, NextChange, beside
from segctl.engines.prepared_bounds import Form, MovingBounds, bound_column
from segctl.engines.prepared_build import NOBODY, Asked, Built, Task
from segctl.engines.prepared_rows import DeferredReader, FewReader, FewRows, Wish, with_bounds, with_everybody
from segctl.engines.prepared_sums import Summing
from segctl.engines.prepared_tally import Tally
from segctl.engines.rows import Reading, Selection
from segctl.engines.scope import Scope
from segctl.engines.staging import Stages, stages

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_OFF = pl.QueryOptFlags.none()
_SPARE = 32
"""Numbers that move in most plans; with more of them it is built once more."""
_MANY = 2_000
"""Profiles from which it pays to share subexpressions."""


class TooLarge(Exception):  # noqa: N818 - what happened to the sum
    """A sum does not fit 64 bits, for which a prepared plan has no room."""


class PreparedPlan:
    """A plan whose expressions are built.

    Attributes:
        plan: What is asked.
        staged: What is answered when.
    """

    def __init__(
        self,
        plan: Plan,
        profiles: Mapping[str, pl.DataType],
        *,
        as_of: datetime,
        zone: str,
        reach: tuple[int, int],
        sum_is_safe: Callable[[tuple[str, ...], str], bool],
    ) -> None:
        """Builds a plan without tests that fold, and without what needs everybody.

        Args:
            plan: What is asked.
            profiles: Columns of the profiles in working form.
            as_of: An instant of the same form as those that will be asked for; see `holds`.
            zone: The project's.
            reach: Between these instants lie all events, changes and traits, and every as_of.
            sum_is_safe: As in `Reading`.
        """
        self.staged: Stages = stages(plan)
        self.plan = plan
        self._reach = reach
        self._safe = sum_is_safe
        self._changes = NextChange(plan)
        self._bounds = MovingBounds(zone)
        asked = Asked(plan, self.staged, self._changes, dict(profiles), sum_is_safe)
        scope = Scope(as_of, zone, *reach, DeferredReader.dialect, bounds=self._bounds)
        known = self._discovered(asked, scope, _SPARE)
        # Now it is known what moves and which rows are read.
        self._built = Built(asked, scope, DeferredReader(known.reader.wishes), self._bounds, self._bounds.names)
        self._now = replace(scope, bounds=None)
        self._form: Form = self._bounds.form(as_of)

    def _discovered(self, asked: Asked, scope: Scope, count: int) -> Built:
        """The plan with columns to spare for numbers that move."""
        spare = [bound_column(number) for number in range(count)]
        try:
            return Built(asked, scope, DeferredReader(spare=spare), self._bounds, spare)
        except pl.exceptions.ColumnNotFoundError:
            if len(self._bounds.names) <= count:
                raise
            return self._discovered(asked, scope, 4 * count)

    def holds(self, as_of: datetime) -> bool:
        """True if what was built serves this instant."""
        lo, hi = self._reach
        return lo <= to_us(as_of) <= hi and self._bounds.form(as_of) == self._form

    def answers(self, profiles: pl.DataFrame, rows: FewRows, own: NDArray[np.int32], as_of: datetime) -> pl.DataFrame:
        """The columns of `Block.answers`, with next changes; what only records and consents know is not in these.

        Args:
            profiles: One row per profile in working form, sorted by ``subject``.
            rows: Where their events are.
            own: Their subjects as they stand in files, ascending and unique.
            as_of: The plan must hold at it.

        Raises:
            TooLarge: A sum does not fit.
        """
        now = to_us(as_of)
        values = zip(self._bounds.names, self._bounds.values(as_of), strict=True)
        bounds = {name: pl.Series(name, [value], dtype=pl.Int64) for name, value in values}
        subjects = profiles.get_column("subject")

        def read(number: int, wish: Wish) -> pl.DataFrame:
            found = rows.of(wish.scan, own, now)
            if found.height and number in self._built.reader.whole:
                found = with_everybody(found, subjects, now)
            return with_bounds(found, [bounds[name] for name in wish.bounds])

        rows.forget()
        self._now = replace(self._built.reading.scope, as_of=as_of, bounds=None)
        self._built.reader.open(read)
        self._built.current = with_bounds(profiles, bounds.values())
        summing = Summing(subjects.to_numpy(), as_of, self._now.zone)
        for tallies, tasks in zip(self._built.tallies, self._built.rounds, strict=True):
            self._add(tallies, tasks, summing)
        found = self._built.final.collect(engine="in-memory", optimizations=_OFF)
        # What edges of even bounds tell stands there already.
        due = self._due(rows, own, as_of, found.get_column(DUE).to_numpy())
        found.replace_column(found.get_column_index(DUE), due)
        return found

    def _due(self, rows: FewRows, own: NDArray[np.int32], as_of: datetime, passed: NDArray[np.int64]) -> pl.Series:
        scope, events = replace(self._built.scope, as_of=as_of, bounds=None), self._now
        reading = Reading(FewReader(rows, own), NOBODY, events, lambda names: self._values_at(names, scope), self._safe)
        found = np.minimum(self._changes.of_profiles(self._built.current, scope, ()), passed)
        subjects = self._built.current.get_column("subject")
        for tested in self._changes.of_tested_events(reading):
            found = np.minimum(found, beside(subjects, tested))
        coming = rows.first_after(own, to_us(as_of))
        if coming is not None:
            np.minimum.at(found, np.searchsorted(subjects.to_numpy(), coming[0]), coming[1])
        return pl.Series(DUE, found, dtype=pl.Int64)

    def _values_at(self, names: dict[Node, str], scope: Scope) -> pl.DataFrame:
        asked = tuple(names)
        frame, scope = with_formulas(nw.from_native(self._built.current.lazy()), asked, scope)
        frame, scope = with_elements(frame, asked, scope, self._built.reader)
        values = [asked_of(node, scope).alias(name) for node, name in names.items()]
        return polars_of(frame.with_columns(*values).select("subject", *names.values())).collect(engine="in-memory")

    def _add(self, tallies: Sequence[Tally], tasks: Sequence[Task], summing: Summing) -> None:
        """Answers one round and puts it beside the profiles."""
        reader = self._built.reader
        counted = [tally for tally in tallies if reader.load(tally.wishes)]
        asked: list[Task | Tally] = [tally for tally in counted if tally.frame is not None]
        asked += [task for task in tasks if reader.load(task.wishes) and self._may_start(task)]
        flags = _OFF if self._built.current.height < _MANY else pl.QueryOptFlags()
        frames = [one.frame for one in asked if one.frame is not None]
        found = pl.collect_all(frames, engine="in-memory", optimizations=flags) if frames else []
        by_task = dict(zip(map(id, asked), found, strict=True))
        subjects = self._built.current.get_column("subject").to_numpy()
        columns: list[pl.Series] = []
        for tally in tallies:
            if any(tally is one for one in counted):
                columns += summing.columns(tally, by_task.get(id(tally), reader.rows_of(tally.wish)))
            else:
                columns += _of_nobody(tally, len(subjects))
        for task in tasks:
            frame = by_task.get(id(task))
            if frame is None:
                columns += _of_nobody(task, len(subjects))
            elif task.marks:
                columns += _marked(task, subjects, self._matching(task.nearest, frame))
            else:
                columns += _of_type(task, frame)
        self._built.current = self._built.current.hstack(columns)

    def _may_start(self, task: Task) -> bool:
        """False for a sequence whose first step has no event since its window began."""
        if task.starts is None:
            return True
        number, step = task.starts
        since = Selection.of(step).span(self._now).lo
        return since is None or self._built.reader.latest(number, self._now.now) >= since

    def _matching(self, sequence: ir.Sequence | None, found: pl.DataFrame) -> NDArray[np.int32]:
        """Subjects that match; where order must decide, by the general method."""
        if sequence is not None and not found.get_column("tie").any():
            matches = found.get_column("matches")
            return found.get_column("subject").filter(matches).to_numpy()
        if sequence is not None:
            frame, wishes = self._built.exact[sequence]
            self._built.reader.load(wishes)
            found = frame.collect(engine="in-memory", optimizations=_OFF)
        return found.get_column("subject").to_numpy()


def _marked(task: Task, subjects: NDArray[np.int32], found: NDArray[np.int32]) -> list[pl.Series]:
    there = np.zeros(len(subjects), np.bool_)
    if len(subjects):
        places = np.minimum(np.searchsorted(subjects, found), len(subjects) - 1)
        there[places[subjects[places] == found]] = True
    return [pl.Series(name, there) for name in task.columns]


def _of_nobody(task: Task | Tally, height: int) -> list[pl.Series]:
    """Columns of a task that has no rows at all."""
    absent = {name: False if task.marks else 0 if name in task.zeros else None for name in task.columns}
    return [
        pl.Series(name, [absent[name]], dtype=dtype).new_from_index(0, height) for name, dtype in task.columns.items()
    ]


def _of_type(task: Task, found: pl.DataFrame) -> list[pl.Series]:
    """Columns of a task, one row per profile."""
    columns = [found.get_column(name) for name in task.columns]
    if [column.dtype for column in columns] == list(task.columns.values()):
        return columns
    found = narrowed(found)
    columns = [found.get_column(name) for name in task.columns]
    if [column.dtype for column in columns] != list(task.columns.values()):
        raise TooLarge
    return columns


def is_preparable(asked: Iterable[Node]) -> bool:
    """True if a prepared plan has room for all that is asked."""
    return not any(_is_foreign(node) for root in asked for node in _walk(root))


def _is_foreign(node: Node) -> bool:
    folds = isinstance(node, ir.FoldedIn) or (isinstance(node, ir.TextTest) and node.ignore_case)
    return folds or isinstance(node, ir.HasCommonValue | ir.Near | ir.Score | ir.Colleagues)


def _walk(node: Node) -> Iterable[Node]:
    yield node
    for part in parts(node):
        yield from _walk(part)


def preparable(plan: Plan) -> tuple[frozenset[str], frozenset[str]]:
    """Names of the segments and outputs of a plan that a prepared plan can answer, with all they refer to."""
    segments: set[str] = set()
    for segment in plan.segments:
        refers = {n.segment for root in roots(segment) for n in _walk(root) if isinstance(n, ir.IsMember)}
        if segment.keep is None and refers <= segments and is_preparable(roots(segment)):
            segments.add(segment.name)
    outputs = {
        output.name
        for output in plan.outputs
        if is_preparable([output.ask])
        and {n.segment for n in _walk(output.ask) if isinstance(n, ir.IsMember)} <= segments
    }
    return frozenset(segments), frozenset(outputs)
