"""A plan for few profiles in arrays, which answers only what is asked: most segments read few kinds of events.

Tests, metrics and sequences that arrays have no room for are answered by a prepared plan beside it, as are their next
changes; whatever is made of them is put together here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from segctl.compile import ir
from segctl.compile.plan import Output, Plan, plan, references
from segctl.compile.trace_flips import FOREVER
from segctl.engines.array_build import ArrayBuild, Atom, refers
from segctl.engines.array_moment import Asking, Moment, foreign_column, truth_of
from segctl.engines.next_change import DUE
from segctl.engines.prepared import PreparedPlan
from segctl.engines.prepared_rows import FewRows
from segctl.engines.scope import segment_column
from segctl.engines.staging import Stages, stages
from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from segctl.engines.array_metrics import Passed
    from segctl.engines.arrays import Test, Truth
    from segctl.model.times import Window


@dataclass(frozen=True, slots=True)
class Changes:
    """What the next changes of some answers depend on.

    Attributes:
        passed: Bounds by number of the kinds, those with the longest wait first.
        moving: Windows that instants leave, and the metric of each.
        is_foreign: Others know of changes, too.
    """

    passed: Mapping[int, Sequence[Passed]]
    moving: Sequence[tuple[Window, int]]
    is_foreign: bool


class ArrayPlan:
    """A plan that is translated once.

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
        """Translates a plan; for the arguments see `PreparedPlan`."""
        self.plan = plan
        self.staged: Stages = stages(plan)
        self._zone = zone
        self._build = ArrayBuild(sum_is_safe)
        self._atoms: dict[str, list[Atom]] = {}
        self._members = {one.name: self._test(segment_column(one.name), one.where) for one in plan.segments}
        asked = {**self.staged.columns, **{column: test for test, column in self.staged.strict.items()}}
        self._further = {name: self._output(name, node) for name, node in asked.items()}
        self._missing = frozenset(self.staged.strict.values())
        self._changes: dict[frozenset[str], Changes] = {}
        self._side, self._still = self._beside(profiles, as_of, reach, sum_is_safe)

    def _test(self, column: str, node: ir.Predicate) -> Test:
        self._atoms[column] = []
        return self._build.test(node, self._atoms[column])

    def _output(self, name: str, node: ir.Predicate | ir.Expression) -> Test | None:
        """The translation of an output; None for a value, which others give."""
        if hasattr(node, "type"):
            return None
        return self._test(name, node)

    def _beside(
        self,
        profiles: Mapping[str, pl.DataType],
        as_of: datetime,
        reach: tuple[int, int],
        sum_is_safe: Callable[[tuple[str, ...], str], bool],
    ) -> tuple[PreparedPlan | None, PreparedPlan | None]:
        """What arrays have no room for, with all it refers to; and of this what neither time nor events change."""

        def prepared(beside: Plan) -> PreparedPlan:
            return PreparedPlan(beside, profiles, as_of=as_of, zone=self._zone, reach=reach, sum_is_safe=sum_is_safe)

        foreign = [Output(foreign_column(number), node) for number, node in enumerate(self._build.foreign)]
        still = [foreign[number] for number in sorted(self._build.still)]
        outputs = [output for output in foreign if output not in still]
        values = {name: node for name, node in self.staged.columns.items() if self._further[name] is None}
        outputs += [Output(name, node) for name, node in values.items()]
        quiet = prepared(plan([], still)) if still else None
        if not outputs:
            return None, quiet
        needed = refers(output.ask for output in outputs)
        for one in reversed(self.plan.segments):
            if one.name in needed:
                needed.update(references(one))
        return prepared(plan([one for one in self.plan.segments if one.name in needed], outputs)), quiet

    @property
    def has_reach(self) -> bool:
        """Whether the instants between which everything lies matter."""
        return self._side is not None or self._still is not None

    def holds(self, as_of: datetime) -> bool:
        """True if what was built serves this instant."""
        return all(beside is None or beside.holds(as_of) for beside in (self._side, self._still))

    def still(self, profiles: pl.DataFrame, as_of: datetime) -> dict[int, Truth]:
        """What neither time nor events change: answers by number for profiles in working form, sorted."""
        if self._still is None:
            return {}
        found = self._still.answers(profiles, FewRows({}, None), np.zeros(0, np.int32), as_of)
        return {number: truth_of(found.get_column(foreign_column(number))) for number in self._build.still}

    def answers(
        self,
        subjects: NDArray[np.int32],
        profiles: Callable[[], pl.DataFrame],
        still: Callable[[], Mapping[int, Truth]],
        rows: FewRows,
        own: NDArray[np.int32],
        as_of: datetime,
        asked: Collection[str] | None = None,
        *,
        ends: bool = True,
    ) -> pl.DataFrame:
        """The columns of `PreparedPlan.answers`.

        Args:
            subjects: Of the profiles, ascending and unique.
            profiles: Gives one row per profile in working form, sorted by ``subject``.
            still: Gives what `still` gives of them.
            rows: Where their events are.
            own: Their subjects as they stand in files, ascending and unique.
            as_of: The plan must hold at it.
            asked: Segments alone that are answered, and whose next changes count; None for all, and all outputs.

            ends: Also when the answers may be others, which is as much work again.

        Raises:
            TooLarge: A sum does not fit.
        """
        rows.forget()
        asking = Asking(self._build, self._members, self._side, profiles, still, self._zone)
        moment = Moment(asking, rows, subjects, own, as_of)
        names = [one.name for one in self.plan.segments if asked is None or one.name in asked]
        columns = [pl.Series("subject", subjects)]
        columns += [pl.Series(segment_column(name), moment.member(name)[0]) for name in names]
        if asked is None:
            columns += [self._column(name, test, moment) for name, test in self._further.items()]
        if not ends:
            return pl.DataFrame(columns)
        due = self._due(names if asked is not None else None, moment)
        return pl.DataFrame([*columns, pl.Series(DUE, due)])

    def _column(self, name: str, test: Test | None, moment: Moment) -> pl.Series:
        if test is None:
            return moment.beside.get_column(name)
        true, maybe = test(moment)
        if name in self._missing:
            return pl.Series(name, true != maybe)
        found = pl.Series(name, true)
        return found if true is maybe else found.zip_with(pl.Series(true == maybe), pl.Series([None], dtype=pl.Boolean))

    def _due(self, names: Sequence[str] | None, moment: Moment) -> NDArray[np.int64]:
        changes = self._changes_of(names)
        found = np.full(moment.height, FOREVER)
        moment.pass_by(changes.passed, found)
        moment.move(changes.moving, found)
        if changes.is_foreign:
            found = np.minimum(found, moment.beside.get_column(DUE).to_numpy())
        return moment.coming(np.array(found))

    def _changes_of(self, names: Sequence[str] | None) -> Changes:
        """What next changes depend on, for some segments or for everything."""
        columns = frozenset(self._atoms if names is None else map(segment_column, names))
        if columns not in self._changes:
            atoms = [atom for column in columns for atom in self._atoms[column]]
            is_foreign = any(atom.is_foreign for atom in atoms) or (names is None and None in self._further.values())
            moving = dict.fromkeys(one for atom in atoms for one in atom.moving)
            passed = dict.fromkeys(one for atom in atoms for one in atom.passed)
            self._changes[columns] = Changes(_widest(passed), tuple(moving), is_foreign)
        return self._changes[columns]


def _widest(passed: Collection[tuple[int, Passed]]) -> dict[int, list[Passed]]:
    """Bounds by number of the kinds, without those whose events are among another's of the same window."""
    whole = {(kinds, one.chosen.window, one.wait) for kinds, one in passed if one.chosen.where is None}
    found: dict[int, list[Passed]] = {}
    for kinds, one in sorted(passed, key=lambda pair: -pair[1].wait):
        if one.chosen.where is None or (kinds, one.chosen.window, one.wait) not in whole:
            found.setdefault(kinds, []).append(one)
    return found
