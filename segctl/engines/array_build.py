"""Which parts of a plan arrays can answer, translated once, and what is left for others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from segctl.compile import ir
from segctl.compile.plan import Node, Output, plan, walk
from segctl.compile.windows import trait_bounds
from segctl.engines.array_metrics import Chosen, Measured, Passed, row_test, row_value, value_form
from segctl.engines.array_metrics import has_room as has_room_for_metric
from segctl.engines.array_sequences import Pair, length, ties
from segctl.engines.array_sequences import has_room as has_room_for_sequence
from segctl.engines.arrays import Value, combined, plain_test
from segctl.engines.next_change import NextChange
from segctl.engines.next_change_events import event_kinds
from segctl.engines.next_change_passing import waits
from segctl.model.dataclass import dataclass
from segctl.model.times import Anniversary, Window
from segctl.model.types import Kind

if TYPE_CHECKING:
    from segctl.engines.arrays import Test, Truth
    from segctl.engines.next_change_events import Edge


@dataclass(frozen=True, slots=True)
class Atom:
    """A test that is made of no others.

    Attributes:
        test: Answers it.
        passed: Bounds whose passing may change it, each with the number of its kinds.
        moving: Windows that an instant leaves as time goes on, each with the number of the metric that gives it.
        is_foreign: Others answer it, and say when it changes.
    """

    test: Test
    passed: tuple[tuple[int, Passed], ...] = ()
    moving: tuple[tuple[Window, int], ...] = ()
    is_foreign: bool = False


class ArrayBuild:
    """Translates tests of profiles; equal ones once.

    Attributes:
        kinds: Groups of kinds, by number.
        windows: By number.
        metrics: By number, each with the number of its kinds.
        pairs: Sequences, by number.
        foreign: What others answer, by number.
        still: Numbers of these that neither time nor events change.
    """

    def __init__(self, sum_is_safe: Callable[[tuple[str, ...], str], bool]) -> None:
        self.kinds: list[tuple[str, ...]] = []
        self.windows: list[Window | None] = []
        self.metrics: list[tuple[int, Measured]] = []
        self.pairs: list[Pair] = []
        self.foreign: list[ir.Predicate] = []
        self.still: set[int] = set()
        self._safe = sum_is_safe
        self._metrics: dict[ir.Metric, int | None] = {}
        self._atoms: dict[ir.Predicate, Atom] = {}
        self._chosen: dict[tuple[object, ...], Chosen | None] = {}
        self._wheres: dict[ir.Predicate, Test | None] = {}

    def test(self, node: ir.Predicate, atoms: list[Atom]) -> Test:
        """The translation of a predicate; its atoms are added to a list."""

        def leaf(node: ir.Predicate) -> Test:
            atom = self._atom(node)
            atoms.append(atom)
            return atom.test

        found = combined(node, leaf)
        return leaf(node) if found is None else found

    def _atom(self, node: ir.Predicate) -> Atom:
        if node not in self._atoms:
            self._atoms[node] = self._own(node) or self._of_others(node)
        return self._atoms[node]

    def _of_others(self, node: ir.Predicate) -> Atom:
        number = len(self.foreign)
        self.foreign.append(node)
        if _is_still(node):
            self.still.add(number)
            return Atom(lambda moment: moment.still[number])
        return Atom(lambda moment: moment.foreign(number), is_foreign=True)

    def _own(self, node: ir.Predicate) -> Atom | None:
        """A test that arrays have room for, its next change included."""
        if isinstance(node, ir.IsMember):
            name = node.segment
            return Atom(lambda moment: moment.member(name))
        if isinstance(node, ir.Constant):
            return Atom(_constant(node.value))
        test = self._sequence(node.sequence) if isinstance(node, ir.HasSequence) else self._plain(node)
        if test is None:
            return None
        changes = NextChange(plan([], [Output("of it", node)]))
        if changes.even is None:
            return None
        passed = [self._passed(edge) for edge in changes.passing]
        moving = [self._moving(one) for one in changes.even]
        known = [one for one in passed if one is not None], [one for one in moving if one is not None]
        if len(known[0]) < len(passed) or len(known[1]) < len(moving):
            return None
        return Atom(test, tuple(known[0]), tuple(known[1]))

    def _plain(self, node: ir.Predicate) -> Test | None:
        return plain_test(node, self._value, lambda window: _span_of(self._window(window)))

    def _value(self, node: ir.Expression) -> Value | None:
        number = self._metric(node.metric) if isinstance(node, ir.MetricValue) else None
        if number is None or not isinstance(node, ir.MetricValue):
            return None
        return Value(value_form(node.metric), node.type, lambda moment: moment.metric(number))

    def _metric(self, metric: ir.Metric) -> int | None:
        if metric not in self._metrics:
            self._metrics[metric] = self._new_metric(metric)
        return self._metrics[metric]

    def _new_metric(self, metric: ir.Metric) -> int | None:
        chosen = self._choice(metric.kinds, metric.window, metric.where)
        if chosen is None or not has_room_for_metric(metric, self._safe):
            return None
        of = metric.measure.of
        value = None if of is None else row_value(of)
        unit = 10 ** (of.type.scale if of is not None else 0)
        measured = Measured(chosen, metric.measure.function, None if value is None else value.read, unit)
        self.metrics.append((self._group(metric.kinds), measured))
        return len(self.metrics) - 1

    def _choice(self, kinds: tuple[str, ...], window: Window | None, where: ir.Predicate | None) -> Chosen | None:
        key = kinds, window, where
        if key not in self._chosen:
            if where is not None and where not in self._wheres:
                self._wheres[where] = row_test(where, lambda of: _span_of_rows(self._window(of)))
            test = None if where is None else self._wheres[where]
            is_known = where is None or test is not None
            number = len(self._chosen)
            self._chosen[key] = Chosen(number, self._window(window), test) if is_known else None
        return self._chosen[key]

    def _sequence(self, sequence: ir.Sequence) -> Test | None:
        if not has_room_for_sequence(sequence):
            return None
        first, second = sequence.steps
        one, two = (self._choice(step.kinds, step.window, step.where) for step in sequence.steps)
        if one is None or two is None:
            return None
        groups = self._group(first.kinds), self._group(second.kinds)
        number = len(self.pairs)
        self.pairs.append(Pair((groups[0], one), (groups[1], two), second.negative, length(second), ties(sequence)))
        return lambda moment: moment.sequence(number)

    def _passed(self, edge: Edge) -> tuple[int, Passed] | None:
        first = edge.first
        if first.bounds or isinstance(first.window, Anniversary):
            return None
        chosen = self._choice(first.kinds, first.window, first.where)
        return None if chosen is None else (self._group(first.kinds), Passed(chosen, waits(edge.bound)))

    def _moving(self, node: object) -> tuple[Window, int] | None:
        """An instant of a metric that leaves a window."""
        if not isinstance(node, ir.InWindow) or isinstance(node.window, Anniversary) or trait_bounds(node.window):
            return None
        if not isinstance(node.value, ir.MetricValue) or node.value.type.kind is not Kind.TIME:
            return None
        number = self._metric(node.value.metric)
        return None if number is None else (node.window, number)

    def _group(self, kinds: tuple[str, ...]) -> int:
        return _number_of(self.kinds, kinds)

    def _window(self, window: Window | None) -> int:
        return _number_of(self.windows, window)


def _constant(value: bool | None) -> Test:
    def test(moment: Any) -> Truth:  # noqa: ANN401 - whoever asks
        true = np.full(moment.height, value is True)
        return (true, true) if value is not None else (true, ~true)

    return test


def _is_still(node: ir.Predicate) -> bool:
    """A test that neither time nor events change."""
    alone = plan([], [Output("of it", node)])
    changes = NextChange(alone)
    return changes.even == () and not changes.passing and not event_kinds(alone) and not refers([node])


def refers(nodes: Iterable[Node]) -> set[str]:
    """Segments that some nodes refer to."""
    return {node.segment for root in nodes for node in walk(root) if isinstance(node, ir.IsMember)}


def _number_of(known: list[Any], one: Any) -> int:  # noqa: ANN401 - kinds or windows
    if one not in known:
        known.append(one)
    return known.index(one)


def _span_of(number: int) -> Callable[[Any], tuple[int | None, int | None]]:
    return lambda moment: moment.span(number)


def _span_of_rows(number: int) -> Callable[[Any], tuple[int | None, int | None]]:
    return lambda rows: rows.moment.span(number)
