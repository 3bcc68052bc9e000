"""A plan built once for a few profiles at a time: same nodes, same expressions, other rows and another as_of.

Building the expressions of a plan costs many times what a few profiles cost. So they are built over sources that
are filled before each use, and numbers that move with as_of stand in columns. Metrics and sequences are answered in
rounds, each of which needs what came before; then all segments at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, cast

import narwhals.stable.v2 as nw
import numpy as np
import polars as pl

from segctl.compile import ir
from segctl.compile.plan import Node, Plan, parts, roots
from segctl.compile.trace_flips import FOREVER
from segctl.compile.zones import to_us
from segctl.engines.aggregates import ZERO_OF_NONE, is_plain
from segctl.engines.alignment import narrowed
from segctl.engines.block import asked_of
from segctl.engines.elements import with_elements
from segctl.engines.formulas import with_formulas
from segctl.engines.frames import Frame, polars_of
from segctl.engines.metrics import plain_metrics
from segctl.engines.next_change import DUE, NextChange, beside
from segctl.engines.next_change_events import Edge
from segctl.engines.ordered import ordered_metric
from segctl.engines.polars_sequences import StepRows, matches, nearest, step_pair
from segctl.engines.predicates import to_predicate
from segctl.engines.prepared_bounds import Form, MovingBounds, bound_column
from segctl.engines.prepared_rows import DeferredReader, FewReader, FewRows, Wish, with_bounds, with_everybody
from segctl.engines.reading import Subjects
from segctl.engines.rows import Reading
from segctl.engines.scope import Scope, segment_column
from segctl.engines.sequences import sequence_subjects
from segctl.engines.staging import Stages, stages
from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_OFF = pl.QueryOptFlags.none()
_NOBODY = Subjects(0, -1)
_SPARE = 32
"""Numbers that move in most plans; with more of them it is built once more."""
_MANY = 2_000
"""Profiles from which it pays to share subexpressions."""


class TooLarge(Exception):  # noqa: N818 - what happened to the sum
    """A sum does not fit 64 bits, for which a prepared plan has no room."""


@dataclass(frozen=True, slots=True)
class Task:
    """One frame to collect.

    Attributes:
        frame: One row per subject with events, or per match.
        wishes: Numbers of the wishes it reads; without rows there it has none.
        columns: What it adds to the profiles: name and type.
        zeros: Of these, the ones that are zero where a profile has no row.
        marks: It only says which subjects match.
        nearest: The sequence whose `nearest` rows it has: ``matches``, and ``tie`` where order must decide.
    """

    frame: pl.LazyFrame
    wishes: frozenset[int]
    columns: Mapping[str, pl.DataType]
    zeros: frozenset[str] = frozenset()
    marks: bool = False
    nearest: ir.Sequence | None = None


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
        self._profiles = dict(profiles)
        self._reach = reach
        self._safe = sum_is_safe
        self._changes = NextChange(plan)
        self._bounds = MovingBounds(zone)
        scope = Scope(as_of, zone, *reach, DeferredReader.dialect, bounds=self._bounds)
        self._discover(scope, _SPARE)
        # Now it is known what moves and which rows are read.
        self._build(scope, DeferredReader(self._reader.wishes), self._bounds.names)
        self._form: Form = self._bounds.form(as_of)

    def _discover(self, scope: Scope, count: int) -> None:
        """Builds the plan with columns to spare for numbers that move."""
        spare = [bound_column(number) for number in range(count)]
        try:
            self._build(scope, DeferredReader(spare=spare), spare)
        except pl.exceptions.ColumnNotFoundError:
            if len(self._bounds.names) <= count:
                raise
            self._discover(scope, 4 * count)

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

        def read(wish: Wish) -> pl.DataFrame:
            found = rows.of(wish.scan, own, now)
            found = with_everybody(found, subjects, now) if found.height else found
            return with_bounds(found, [bounds[name] for name in wish.bounds])

        rows.forget()
        self._reader.open(read)
        self._current = with_bounds(profiles, bounds.values())
        for tasks in self._rounds:
            self._add(tasks)
        found = self._final.collect(engine="in-memory", optimizations=_OFF)
        # What edges of even bounds tell stands there already.
        due = self._due(rows, own, as_of, found.get_column(DUE).to_numpy())
        found.replace_column(found.get_column_index(DUE), due)
        return found

    def _due(self, rows: FewRows, own: NDArray[np.int32], as_of: datetime, passed: NDArray[np.int64]) -> pl.Series:
        scope = replace(self._scope, as_of=as_of, bounds=None)
        events = replace(self._reading.scope, as_of=as_of, bounds=None)
        reading = Reading(
            FewReader(rows, own), _NOBODY, events, lambda names: self._values_at(names, scope), self._safe
        )
        found = np.minimum(self._changes.of_profiles(self._current, scope, ()), passed)
        subjects = self._current.get_column("subject")
        for tested in self._changes.of_tested_events(reading):
            found = np.minimum(found, beside(subjects, tested))
        coming = rows.first_after(own, to_us(as_of))
        if coming is not None:
            np.minimum.at(found, np.searchsorted(subjects.to_numpy(), coming[0]), coming[1])
        return pl.Series(DUE, found, dtype=pl.Int64)

    def _values_at(self, names: dict[Node, str], scope: Scope) -> pl.DataFrame:
        asked = tuple(names)
        frame, scope = with_formulas(nw.from_native(self._current.lazy()), asked, scope)
        frame, scope = with_elements(frame, asked, scope, self._reader)
        values = [asked_of(node, scope).alias(name) for node, name in names.items()]
        return polars_of(frame.with_columns(*values).select("subject", *names.values())).collect(engine="in-memory")

    def _add(self, tasks: Sequence[Task]) -> None:
        """Answers one round and puts it beside the profiles."""
        ready = [task for task in tasks if self._reader.load(task.wishes)]
        flags = _OFF if self._current.height < _MANY else pl.QueryOptFlags()
        found = pl.collect_all([task.frame for task in ready], engine="in-memory", optimizations=flags)
        by_task = dict(zip(map(id, ready), found, strict=True))
        subjects = self._current.get_column("subject").to_numpy()
        columns: list[pl.Series] = []
        for task in tasks:
            frame = by_task.get(id(task))
            if frame is None:
                columns += _of_nobody(task, len(subjects))
            elif task.marks:
                columns += _marked(task, subjects, self._matching(task.nearest, frame))
            else:
                columns += _of_type(task, frame)
        self._current = self._current.hstack(columns)

    def _matching(self, sequence: ir.Sequence | None, found: pl.DataFrame) -> pl.DataFrame:
        """Rows of the subjects that match; where order must decide, by the general method."""
        if sequence is None:
            return found
        if not found.get_column("tie").any():
            return found[np.flatnonzero(found.get_column("matches").to_numpy())]
        frame, wishes = self._exact[sequence]
        self._reader.load(wishes)
        return frame.collect(engine="in-memory", optimizations=_OFF)

    def _build(self, scope: Scope, reader: DeferredReader, bounds: Sequence[str]) -> None:
        self._reader = reader
        self._schema = {**self._profiles, **dict.fromkeys(bounds, pl.Int64())}
        self._scope = scope
        self._rounds: list[list[Task]] = []
        self._exact: dict[ir.Sequence, tuple[pl.LazyFrame, frozenset[int]]] = {}
        self._reading = Reading(
            self._reader, _NOBODY, scope, cast("Callable[[dict[Node, str]], pl.DataFrame]", self._values), self._safe
        )
        self._build_rounds()
        self._final = self._built_segments()

    def _build_rounds(self) -> None:
        metrics = [metric for _, of in self.plan.metrics for metric in of] + self._changes.metrics
        edges = list(self._changes.passing)
        self._passed: list[str] = []
        names = {metric: f"metric:{number}" for number, metric in enumerate(metrics)}
        sequences = {sequence: f"sequence:{number}" for number, sequence in enumerate(self.plan.sequences)}
        while names or sequences or edges:
            ready = [metric for metric in names if self._is_ready(metric)]
            tied = [sequence for sequence in sequences if self._is_ready(sequence)]
            passing = [edge for edge in edges if self._is_ready(edge.first)]
            edges = [edge for edge in edges if edge not in passing]
            if not ready and not tied and not passing:
                raise TypeError("a metric waits for an answer that no metric or sequence gives")
            tasks = [*self._metric_tasks(ready, names, passing), *self._sequence_tasks(tied, sequences)]
            self._rounds.append(tasks)
            known: dict[Node, str] = {ir.MetricValue(metric): names.pop(metric) for metric in ready}
            known |= {ir.HasSequence(sequence): sequences.pop(sequence) for sequence in tied}
            self._scope = self._scope.knowing(known)
            self._schema |= {name: dtype for task in tasks for name, dtype in task.columns.items()}

    def _is_ready(self, node: Node) -> bool:
        return all(inner in self._scope.known for inner in _inner(node))

    def _metric_tasks(
        self, ready: Sequence[ir.Metric], names: Mapping[ir.Metric, str], passing: Sequence[Edge]
    ) -> list[Task]:
        tasks = []
        for kinds in dict.fromkeys([*(metric.kinds for metric in ready), *(edge.first.kinds for edge in passing)]):
            plain = [(names[m], m) for m in ready if m.kinds == kinds and is_plain(m)]
            edges = [edge for edge in passing if edge.first.kinds == kinds]
            if plain or edges:
                column = f"passing:{len(self._passed)}"
                self._passed += [column] if edges else []
                self._begin()
                found = polars_of(plain_metrics(self._reading, kinds, plain, ["subject"], (), (column, edges)))
                # Each profile has a row of its own among the events, so all of them stand here, in their order.
                tasks.append(self._task(found.sort("subject"), plain, [column] if edges else []))
        for metric in ready:
            if not is_plain(metric):
                self._begin()
                found = polars_of(ordered_metric(self._reading, names[metric], metric, ["subject"], ()))
                profiles = self._source().select("subject")
                beside = profiles.join(found, on="subject", how="left", maintain_order="left")
                tasks.append(self._task(beside, [(names[metric], metric)]))
        return tasks

    def _task(self, found: pl.LazyFrame, metrics: Sequence[tuple[str, ir.Metric]], further: Sequence[str] = ()) -> Task:
        schema = found.collect_schema()
        columns = [*(name for name, _ in metrics), *further]
        types = {name: pl.Int64() if schema[name] == pl.Int128 else schema[name] for name in columns}
        zeros = frozenset(name for name, metric in metrics if metric.measure.function in ZERO_OF_NONE)
        if zeros:
            found = found.with_columns(pl.col(name).fill_null(0) for name in sorted(zeros))
        return Task(found, self._asked(), types, zeros)

    def _begin(self) -> None:
        self._reader.asked = set()
        self._bounds.asked = {}

    def _asked(self) -> frozenset[int]:
        """What was asked for since `_begin`; its rows get the numbers that move."""
        self._reader.need(self._reader.asked, self._bounds.asked)
        return frozenset(self._reader.asked)

    def _sequence_tasks(self, ready: Sequence[ir.Sequence], names: Mapping[ir.Sequence, str]) -> list[Task]:
        tasks, steps = [], StepRows(self._reading, ready)
        for sequence in ready:
            self._begin()
            pair = step_pair(self._reading, sequence, steps)
            self._reader.need(self._of_steps(sequence), self._bounds.asked)
            column = {names[sequence]: cast("pl.DataType", pl.Boolean())}
            if pair is None or not sequence.steps[1].negative:
                self._begin()
                frame = polars_of(sequence_subjects(self._reading, sequence))
                self._exact[sequence] = (frame, self._asked())
            if pair is None:
                tasks.append(Task(*self._exact[sequence], column, marks=True))
                continue
            tie = pl.lit(value=False) if sequence.steps[1].negative else (pl.col("next") == pl.col("ts"))
            rows = nearest(*pair, sequence).select(
                "subject", matches(sequence).alias("matches"), tie.fill_null(value=False).alias("tie")
            )
            tasks.append(Task(rows, self._of_steps(sequence), column, marks=True, nearest=sequence))
        return tasks

    def _of_steps(self, sequence: ir.Sequence) -> frozenset[int]:
        """Wishes for rows of its steps, which several sequences share."""
        kinds = {step.kinds for step in sequence.steps}
        wishes = enumerate(self._reader.wishes)
        return frozenset(at for at, wish in wishes if wish.scan.kinds in kinds)

    def _built_segments(self) -> pl.LazyFrame:
        frame, known = nw.from_native(self._source()), list(self._schema)
        for level in self.staged.levels:
            frame, scope = self._rows(frame, [segment.where for segment in level])
            frame = frame.with_columns(
                *[
                    to_predicate(segment.where, scope).fill_null(value=False).alias(segment_column(segment.name))
                    for segment in level
                ]
            )
            known += [segment_column(segment.name) for segment in level]
            # Helping columns have the same names on the next level.
            frame = frame.select(*known)
        missing = {column: test for test, column in self.staged.strict.items()}
        frame, scope = self._rows(frame, [*self.staged.columns.values(), *missing.values()])
        columns = [asked_of(node, scope).alias(name) for name, node in self.staged.columns.items()]
        columns += [to_predicate(test, scope).is_null().alias(name) for name, test in missing.items()]
        members = [segment_column(segment.name) for level in self.staged.levels for segment in level]
        passed = pl.min_horizontal(pl.lit(FOREVER), *self._passed).alias(DUE)
        native = polars_of(frame.with_columns(*columns) if columns else frame).with_columns(passed)
        return native.select("subject", *members, *self.staged.columns, *missing, DUE).sort("subject")

    def _rows(self, frame: Frame, nodes: Iterable[Node]) -> tuple[Frame, Scope]:
        asked = tuple(nodes)
        frame, scope = with_formulas(frame, asked, self._scope)
        return with_elements(frame, asked, scope, self._reader)

    def _values(self, names: dict[Node, str]) -> pl.LazyFrame:
        frame, scope = self._rows(nw.from_native(self._source()), names)
        values = [asked_of(node, scope).alias(name) for node, name in names.items()]
        return polars_of(frame.with_columns(*values).select("subject", *names.values()))

    def _source(self) -> pl.LazyFrame:
        """The profiles with what is known of them at this point of the plan."""
        names = list(self._schema)
        return pl.defer(lambda: self._current.select(names), schema=dict(self._schema))


def _marked(task: Task, subjects: NDArray[np.int32], found: pl.DataFrame) -> list[pl.Series]:
    there = np.isin(subjects, found.get_column("subject").to_numpy())
    return [pl.Series(name, there) for name in task.columns]


def _of_nobody(task: Task, height: int) -> list[pl.Series]:
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


def _inner(root: Node) -> list[Node]:
    """Metrics and sequences whose answers a metric or sequence needs."""
    found: list[Node] = []
    for part in parts(root):
        if isinstance(part, ir.MetricValue | ir.HasSequence):
            found.append(part)
        else:
            found += _inner(part)
    return found


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
