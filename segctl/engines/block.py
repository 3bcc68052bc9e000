"""One block of profiles: what their events say, put beside their traits, and the answers of all conditions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import narwhals.stable.v2 as nw
import polars as pl

from segctl.compile import ir
from segctl.compile.plan import Node, Plan, parts
from segctl.engines.aggregates import ZERO_OF_NONE, is_plain
from segctl.engines.alignment import aligned, narrowed
from segctl.engines.base import EngineInput
from segctl.engines.commons import common_rows, common_subjects
from segctl.engines.elements import with_elements
from segctl.engines.expressions import to_expr
from segctl.engines.few_metrics import tallied
from segctl.engines.formulas import with_formulas
from segctl.engines.frames import Frame, polars_of
from segctl.engines.metrics import plain_metrics
from segctl.engines.next_change import DUE, NextChange, common_due
from segctl.engines.next_change_events import Edge
from segctl.engines.ordered import ordered_metric
from segctl.engines.physical import working_dtype
from segctl.engines.places import near_column
from segctl.engines.polars_reader import PolarsReader
from segctl.engines.polars_sequences import StepRows, quick_subjects
from segctl.engines.predicates import to_predicate
from segctl.engines.reading import Reader, Subjects
from segctl.engines.rows import Reading
from segctl.engines.scope import Scope, segment_column
from segctl.engines.sequences import sequence_subjects
from segctl.engines.staging import Stages
from segctl.engines.tiers import tiers


class Block:
    """Profiles of a range of subjects, and what is known of them so far.

    Attributes:
        frame: One row per profile, sorted by `subject`; grows by one column per metric, sequence and test.
        scope: Knows these columns.
    """

    def __init__(
        self,
        plan: Plan,
        profiles: pl.DataFrame,
        data: EngineInput,
        reader: Reader,
        scope: Scope,
        *,
        listed: tuple[int, ...] | None,
        changes: NextChange | None = None,
    ) -> None:
        self.frame = profiles
        self.scope = scope
        self._plan = plan
        self._data = data
        self._changes = changes
        self._passed: list[str] = []
        self._commons_due: list[pl.DataFrame] = []
        self._profile_reader = PolarsReader(data)
        subjects = _subjects(profiles, listed)
        self._reading = Reading(reader, subjects, scope, self._values, self._sum_is_safe)

    def answers(self, staged: Stages) -> pl.DataFrame:
        """Columns `subject`, `profile_id`, segments a block can decide, what the stages ask for, and next changes."""
        if self.frame.height:
            self._add_metrics()
            self._add_places()
            self._add_sequences()
            self._add_commons()
        else:
            self._add_nothing()
        self._add_next_changes()
        for level in staged.levels:
            self._add_segments(level)
        missing = {column: test for test, column in staged.strict.items()}
        asked = {**staged.columns, **missing}
        frame, scope = self._rows(asked.values())
        columns = [asked_of(node, scope).alias(name) for name, node in staged.columns.items()]
        columns += [to_predicate(test, scope).is_null().alias(name) for name, test in missing.items()]
        members = [segment_column(segment.name) for level in staged.levels for segment in level]
        due = [] if self._changes is None else [DUE]
        frame = (frame.with_columns(*columns) if columns else frame).select(
            "subject", "profile_id", *members, *asked, *due
        )
        found = _collected(frame)
        # What reads for a block holds the block itself, so its columns would stay until cycles are looked for.
        self.frame = self.frame.clear()
        return found

    def _add_metrics(self) -> None:
        waiting = [metric for _, metrics in self._plan.metrics for metric in metrics]
        waiting += [] if self._changes is None else self._changes.metrics
        edges = [] if self._changes is None else self._changes.passing
        names = {metric: f"metric:{number}" for number, metric in enumerate(waiting)}
        while waiting or edges:
            ready = [metric for metric in waiting if self._is_ready(metric)]
            passing = [edge for edge in edges if self._is_ready(edge.first)]
            edges = [edge for edge in edges if edge not in passing]
            for kinds in dict.fromkeys([metric.kinds for metric in ready] + [edge.first.kinds for edge in passing]):
                plain = [(names[m], m) for m in ready if m.kinds == kinds and is_plain(m)]
                self._add_plain(kinds, plain, [edge for edge in passing if edge.first.kinds == kinds])
            for metric in ready:
                if not is_plain(metric):
                    found = ordered_metric(self._reading, names[metric], metric, ["subject"], ())
                    self._add(found, {names[metric]: metric})
            self.scope = self.scope.knowing({ir.MetricValue(metric): names[metric] for metric in ready})
            waiting = [metric for metric in waiting if ir.MetricValue(metric) not in self.scope.known]

    def _is_ready(self, metric: ir.Metric) -> bool:
        return all(inner in self.scope.known for inner in _inner_values(metric))

    def _add_plain(
        self, kinds: tuple[str, ...], metrics: Sequence[tuple[str, ir.Metric]], passing: Sequence[Edge]
    ) -> None:
        if self._reading.subjects.listed is not None and self._reading.reader.is_polars and (metrics or passing):
            edges = (f"passing:{len(self._passed)}", passing)
            columns, metrics, passing = tallied(self._reading, kinds, metrics, edges, self.frame.get_column("subject"))
            self._passed += [edges[0]] if len(passing) < len(edges[1]) else []
            self.frame = self.frame.with_columns(columns)
        for tier in tiers(self._reading, kinds, metrics, passing) if metrics or passing else ():
            column = f"passing:{len(self._passed)}"
            self._passed += [column] if tier.edges else []
            found = plain_metrics(tier.reading, kinds, tier.metrics, ["subject"], (), (column, tier.edges))
            self._add(found, dict(tier.metrics))

    def _add(self, found: Frame, metrics: dict[str, ir.Metric]) -> None:
        frame = narrowed(self._reading.reader.collect(found))
        zeros = {name for name, metric in metrics.items() if metric.measure.function in ZERO_OF_NONE}
        self.frame = self.frame.with_columns(aligned(self.frame.get_column("subject"), frame, zeros))

    def _add_sequences(self) -> None:
        known: dict[Node, str] = {}
        steps = StepRows(self._reading, self._plan.sequences)
        for number, sequence in enumerate(self._plan.sequences):
            quick = quick_subjects(self._reading, sequence, steps) if self._reading.reader.is_polars else None
            found = sequence_subjects(self._reading, sequence) if quick is None else quick
            subjects = self._reading.reader.collect(found)
            self._mark(f"sequence:{number}", subjects)
            known[ir.HasSequence(sequence)] = f"sequence:{number}"
        self.scope = self.scope.knowing(known)

    def _add_places(self) -> None:
        known: dict[Node, str] = {}
        for number, test in enumerate(self._plan.places):
            names: dict[Node, str] = {value: f"place:{at}" for at, value in enumerate(dict.fromkeys(test.place))}
            answers = near_column(self._values(names), [names[value] for value in test.place], test)
            known[test] = f"near:{number}"
            self.frame = self.frame.with_columns(answers.alias(known[test]))
        self.scope = self.scope.knowing(known)

    def _mark(self, column: str, subjects: pl.DataFrame) -> None:
        found = aligned(
            self.frame.get_column("subject"), subjects.with_columns(pl.lit(value=True).alias(column)), set()
        )
        self.frame = self.frame.with_columns([of.fill_null(value=False) for of in found])

    def _add_commons(self) -> None:
        known: dict[Node, str] = {}
        for number, common in enumerate(self._plan.commons):
            name = f"common:{number}"
            rows, inner = common_rows(self._reading, common, self.frame, self.scope, self._profile_reader)
            found = common_subjects(rows, common, inner, name)
            if self._changes is not None:
                self._commons_due.append(common_due(rows, common, inner))
            self.frame = self.frame.with_columns(aligned(self.frame.get_column("subject"), found, {name}))
            known[common] = name
        self.scope = self.scope.knowing(known)

    def _add_next_changes(self) -> None:
        if self._changes is not None:
            due = self._changes.due(
                self.frame, self.scope, self._reading, passed=self._passed, commons=self._commons_due
            )
            self.frame = self.frame.with_columns(due)

    def _add_nothing(self) -> None:
        """Columns of the right type for no profiles at all."""
        known: dict[Node, str] = {}
        columns: list[pl.Expr] = []
        further = [] if self._changes is None else self._changes.metrics
        metrics = [metric for _, metrics in self._plan.metrics for metric in metrics] + further
        for number, metric in enumerate(metrics):
            known[ir.MetricValue(metric)] = f"metric:{number}"
            columns.append(pl.lit(None, working_dtype(metric.type)).alias(f"metric:{number}"))
        tests: list[Node] = [ir.HasSequence(sequence) for sequence in self._plan.sequences]
        for number, test in enumerate([*tests, *self._plan.commons, *self._plan.places]):
            known[test] = f"test:{number}"
            columns.append(pl.lit(None, pl.Boolean).alias(f"test:{number}"))
        self.frame = self.frame.with_columns(columns)
        self.scope = self.scope.knowing(known)

    def _add_segments(self, level: Sequence[ir.LoweredSegment]) -> None:
        frame, scope = self._rows([segment.where for segment in level])
        # Unknown is decided here and nowhere else: who is not known to match does not belong.
        members = [
            to_predicate(segment.where, scope).fill_null(value=False).alias(segment_column(segment.name))
            for segment in level
        ]
        found = _collected(frame.with_columns(*members))
        self.frame = self.frame.with_columns(found.select([segment_column(segment.name) for segment in level]))

    def _rows(self, nodes: Iterable[Node]) -> tuple[Frame, Scope]:
        frame: Frame = nw.from_native(self.frame.lazy())
        asked = tuple(nodes)
        frame, scope = with_formulas(frame, asked, self.scope)
        return with_elements(frame, asked, scope, self._profile_reader)

    def _values(self, names: dict[Node, str]) -> pl.DataFrame:
        frame, scope = self._rows(names)
        return _collected(
            frame.with_columns(*[asked_of(node, scope).alias(name) for node, name in names.items()]).select(
                "subject", *names.values()
            )
        )

    def _sum_is_safe(self, kinds: tuple[str, ...], column: str) -> bool:
        parts = [part for part in self._data.events if not set(kinds).isdisjoint(part.kinds) and column in part.columns]
        if not parts or any(column not in part.max_abs for part in parts):
            return False
        return sum(part.rows * part.max_abs[column] for part in parts) < 2**63


def predicate_column(frame: pl.DataFrame, node: Node, scope: Scope) -> pl.Series:
    """A predicate's truth on each row of a frame of answers."""
    asked = nw.from_native(frame.lazy()).with_columns(to_predicate(node, scope).alias("answer")).select("answer")  # type: ignore[arg-type]  # portable frames stand for those of any engine
    native = polars_of(asked)
    return native.collect(engine="in-memory").get_column("answer")


def asked_of(node: Node, scope: Scope) -> nw.Expr:
    """The value of an expression, or the truth of a predicate."""
    if hasattr(node, "type"):
        return to_expr(node, scope)  # type: ignore[arg-type]  # `type` tells expressions from predicates
    return to_predicate(node, scope)  # type: ignore[arg-type]  # `type` tells expressions from predicates


def _collected(frame: Frame) -> pl.DataFrame:
    """Profile rows in order; joins for list elements may have shuffled them."""
    native = polars_of(frame)
    return native.sort("subject").collect(engine="in-memory")


def _inner_values(metric: ir.Metric) -> list[ir.MetricValue]:
    return [node for node in _outside_scores(metric) if isinstance(node, ir.MetricValue)]


def _outside_scores(node: Node) -> Iterator[Node]:
    """A node and all below it, but for what scores are made of."""
    yield node
    if not isinstance(node, ir.Score):
        for part in parts(node):
            yield from _outside_scores(part)


def _subjects(profiles: pl.DataFrame, listed: tuple[int, ...] | None) -> Subjects:
    column = profiles.get_column("subject")
    if not len(column):
        return Subjects(0, -1)
    first, last = int(column[0]), int(column[-1])
    inside = None if listed is None else tuple(subject for subject in listed if first <= subject <= last)
    return Subjects(first, last, inside)
