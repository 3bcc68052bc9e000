"""Building a prepared plan: its frames in rounds, over sources whose rows come later."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

import narwhals.stable.v2 as nw
import polars as pl

from segctl.compile import ir
from segctl.compile.plan import Node, Plan, parts
from segctl.compile.trace_flips import FOREVER
from segctl.engines.aggregates import ZERO_OF_NONE, is_plain
from segctl.engines.block import asked_of
from segctl.engines.elements import with_elements
from segctl.engines.formulas import with_formulas
from segctl.engines.frames import Frame, polars_of
from segctl.engines.metrics import plain_metrics
from segctl.engines.next_change import DUE, NextChange
from segctl.engines.next_change_events import Edge
from segctl.engines.ordered import ordered_metric
from segctl.engines.polars_sequences import StepRows, matches, nearest, step_pair
from segctl.engines.predicates import to_predicate
from segctl.engines.prepared_bounds import MovingBounds
from segctl.engines.prepared_rows import DeferredReader
from segctl.engines.prepared_tally import Tally, TallyBuilder, is_tallied, is_tallied_edge
from segctl.engines.reading import Subjects
from segctl.engines.rows import Reading
from segctl.engines.scope import Scope, segment_column
from segctl.engines.sequences import sequence_subjects
from segctl.engines.staging import Stages
from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

NOBODY = Subjects(0, -1)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a prepared plan is built of.

    Attributes:
        staged: The plan's stages.
        changes: What its next changes depend on.
        profiles: Columns of the profiles in working form.
        sum_is_safe: As in `Reading`.
    """

    plan: Plan
    staged: Stages
    changes: NextChange
    profiles: Mapping[str, pl.DataType]
    sum_is_safe: Callable[[tuple[str, ...], str], bool]


@dataclass(frozen=True, slots=True)
class Task:
    """One frame to collect.

    Attributes:
        frame: One row per subject with events, or per match.
        wishes: Numbers of the wishes it reads; without rows there it has none.
        columns: What it adds to the profiles: name and type.
        zeros: Of these, the ones that are zero where a profile has no row.
        marks: It only says which subjects match.
        starts: Number of the wish that has the events of a sequence's first step, and this step.
        nearest: The sequence whose `nearest` rows it has: ``matches``, and ``tie`` where order must decide.
    """

    frame: pl.LazyFrame
    wishes: frozenset[int]
    columns: Mapping[str, pl.DataType]
    zeros: frozenset[str] = frozenset()
    marks: bool = False
    nearest: ir.Sequence | None = None
    starts: tuple[int, ir.Step] | None = None


class Built:
    """The frames of a plan.

    Attributes:
        reader: Knows the wishes for event rows, and takes the rows.
        reading: Of event rows.
        scope: Of profile rows; knows what the rounds find.
        rounds: Each needs the rounds before.
        tallies: Of each round, the metrics that are added up in arrays.
        exact: By the general method: sequences, and the wishes that they read.
        final: Segments, what the stages ask for, and the first passing of even bounds as next change.
        current: The profiles and what is known of them; whoever uses the plan keeps it.
    """

    def __init__(
        self, asked: Asked, scope: Scope, reader: DeferredReader, bounds: MovingBounds, names: Sequence[str]
    ) -> None:
        """Builds everything.

        Args:
            asked: What of.
            scope: Whose numbers move.
            reader: Without rows yet.
            bounds: Notes which numbers are asked for.
            names: Columns for these numbers.
        """
        self.reader = reader
        self.scope = scope
        self.rounds: list[list[Task]] = []
        self.tallies: list[list[Tally]] = []
        self.exact: dict[ir.Sequence, tuple[pl.LazyFrame, frozenset[int]]] = {}
        self.current = pl.DataFrame()
        self._plan, self._staged, self._changes = asked.plan, asked.staged, asked.changes
        self._bounds = bounds
        self._passed: list[str] = []
        self._schema = {**asked.profiles, **dict.fromkeys(names, pl.Int64())}
        values = cast("Callable[[dict[Node, str]], pl.DataFrame]", self._values)
        self.reading = Reading(reader, NOBODY, scope, values, asked.sum_is_safe)
        self._build_rounds()
        self.final = self._built_segments()
        # It is resolved once, and not each time it is collected.
        self.final.collect_schema()

    def _build_rounds(self) -> None:
        metrics = [metric for _, of in self._plan.metrics for metric in of] + self._changes.metrics
        edges = list(self._changes.passing)
        names = {metric: f"metric:{number}" for number, metric in enumerate(metrics)}
        sequences = {sequence: f"sequence:{number}" for number, sequence in enumerate(self._plan.sequences)}
        while names or sequences or edges:
            ready = [metric for metric in names if self._is_ready(metric)]
            tied = [sequence for sequence in sequences if self._is_ready(sequence)]
            passing = [edge for edge in edges if self._is_ready(edge.first)]
            edges = [edge for edge in edges if edge not in passing]
            if not ready and not tied and not passing:
                raise TypeError("a metric waits for an answer that no metric or sequence gives")
            tallies, left, others = self._tallied(ready, names, passing)
            tasks = [*self._metric_tasks(left, names, others), *self._sequence_tasks(tied, sequences)]
            self.rounds.append(tasks)
            self.tallies.append(tallies)
            known: dict[Node, str] = {ir.MetricValue(metric): names.pop(metric) for metric in ready}
            known |= {ir.HasSequence(sequence): sequences.pop(sequence) for sequence in tied}
            self.scope = self.scope.knowing(known)
            for columns in [tally.columns for tally in tallies] + [task.columns for task in tasks]:
                self._schema |= columns

    def _is_ready(self, node: Node) -> bool:
        return all(inner in self.scope.known for inner in _inner(node))

    def _tallied(
        self, ready: Sequence[ir.Metric], names: Mapping[ir.Metric, str], passing: Sequence[Edge]
    ) -> tuple[list[Tally], list[ir.Metric], list[Edge]]:
        """What is added up in arrays, and the metrics and bounds that are left."""
        fit = [metric for metric in ready if is_tallied(metric, self.reading.sum_is_safe)]
        even = [edge for edge in passing if is_tallied_edge(edge)]
        tallies, done = [], set[ir.Metric]()
        for kinds in dict.fromkeys([*(metric.kinds for metric in fit), *(edge.first.kinds for edge in even)]):
            self._begin()
            metrics = [(names[metric], metric) for metric in fit if metric.kinds == kinds]
            edges = [edge for edge in even if edge.first.kinds == kinds]
            builder = TallyBuilder(self.reading, kinds, metrics, edges)
            column = f"passing:{len(self._passed)}"
            number = self.reader.number(kinds)
            tally = builder.tally(number, frozenset(self.reader.asked), column)
            self.reader.need(tally.wishes, self._bounds.asked)
            self._passed += [column] if edges else []
            done.update(metric for _, metric in builder.metrics)
            tallies.append(tally)
        return tallies, [metric for metric in ready if metric not in done], [e for e in passing if e not in even]

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
                found = polars_of(plain_metrics(self.reading, kinds, plain, ["subject"], (), (column, edges)))
                self.reader.whole.add(self.reader.number(kinds))
                # Each profile has a row of its own among the events, so all of them stand here, in their order.
                tasks.append(self._task(found.sort("subject"), plain, [column] if edges else []))
        for metric in ready:
            if not is_plain(metric):
                self._begin()
                found = polars_of(ordered_metric(self.reading, names[metric], metric, ["subject"], ()))
                profiles = self._source().select("subject")
                together = profiles.join(found, on="subject", how="left", maintain_order="left")
                tasks.append(self._task(together, [(names[metric], metric)]))
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
        self.reader.asked = set()
        self._bounds.asked = {}

    def _asked(self) -> frozenset[int]:
        """What was asked for since `_begin`; its rows get the numbers that move."""
        self.reader.need(self.reader.asked, self._bounds.asked)
        return frozenset(self.reader.asked)

    def _sequence_tasks(self, ready: Sequence[ir.Sequence], names: Mapping[ir.Sequence, str]) -> list[Task]:
        tasks, steps = [], StepRows(self.reading, ready)
        for sequence in ready:
            self._begin()
            pair = step_pair(self.reading, sequence, steps)
            self.reader.need(self._of_steps(sequence), self._bounds.asked)
            column = {names[sequence]: cast("pl.DataType", pl.Boolean())}
            if pair is None or not sequence.steps[1].negative:
                self._begin()
                frame = polars_of(sequence_subjects(self.reading, sequence))
                self.exact[sequence] = (frame, self._asked())
            if pair is None:
                tasks.append(Task(*self.exact[sequence], column, marks=True))
                continue
            tie = pl.lit(value=False) if sequence.steps[1].negative else (pl.col("next") == pl.col("ts"))
            rows = nearest(*pair, sequence).select(
                "subject", matches(sequence).alias("matches"), tie.fill_null(value=False).alias("tie")
            )
            first = sequence.steps[0]
            at = next(at for at, wish in enumerate(self.reader.wishes) if wish.scan.kinds == first.kinds)
            wishes = self._of_steps(sequence)
            tasks.append(Task(rows, wishes, column, marks=True, nearest=sequence, starts=(at, first)))
        return tasks

    def _of_steps(self, sequence: ir.Sequence) -> frozenset[int]:
        """Wishes for rows of its steps, which several sequences share."""
        kinds = {step.kinds for step in sequence.steps}
        wishes = enumerate(self.reader.wishes)
        return frozenset(at for at, wish in wishes if wish.scan.kinds in kinds)

    def _built_segments(self) -> pl.LazyFrame:
        frame, known = nw.from_native(self._source()), list(self._schema)
        for level in self._staged.levels:
            frame, scope = self._with_helpers(frame, [segment.where for segment in level])
            frame = frame.with_columns(
                *[
                    to_predicate(segment.where, scope).fill_null(value=False).alias(segment_column(segment.name))
                    for segment in level
                ]
            )
            known += [segment_column(segment.name) for segment in level]
            # Helping columns have the same names on the next level.
            frame = frame.select(*known)
        missing = {column: test for test, column in self._staged.strict.items()}
        frame, scope = self._with_helpers(frame, [*self._staged.columns.values(), *missing.values()])
        columns = [asked_of(node, scope).alias(name) for name, node in self._staged.columns.items()]
        columns += [to_predicate(test, scope).is_null().alias(name) for name, test in missing.items()]
        members = [segment_column(segment.name) for level in self._staged.levels for segment in level]
        passed = pl.min_horizontal(pl.lit(FOREVER), *self._passed).alias(DUE)
        native = polars_of(frame.with_columns(*columns) if columns else frame).with_columns(passed)
        return native.select("subject", *members, *self._staged.columns, *missing, DUE).sort("subject")

    def _with_helpers(self, frame: Frame, nodes: Iterable[Node]) -> tuple[Frame, Scope]:
        asked = tuple(nodes)
        frame, scope = with_formulas(frame, asked, self.scope)
        return with_elements(frame, asked, scope, self.reader)

    def _values(self, names: dict[Node, str]) -> pl.LazyFrame:
        frame, scope = self._with_helpers(nw.from_native(self._source()), names)
        values = [asked_of(node, scope).alias(name) for node, name in names.items()]
        return polars_of(frame.with_columns(*values).select("subject", *names.values()))

    def _source(self) -> pl.LazyFrame:
        """The profiles with what is known of them at this point of the plan."""
        names = list(self._schema)
        # By brackets: `select` makes an expression of each of more than a hundred names.
        return pl.defer(lambda: self.current[names], schema=dict(self._schema))


def _inner(root: Node) -> list[Node]:
    """Metrics and sequences whose answers a metric or sequence needs."""
    found: list[Node] = []
    for part in parts(root):
        if isinstance(part, ir.MetricValue | ir.HasSequence):
            found.append(part)
        else:
            found += _inner(part)
    return found
