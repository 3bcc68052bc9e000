"""Conditions as formulas over the same variables, and what follows from them for everybody.

A condition is true, false or unknown for a profile; a segment's members are those for whom it is true. So a formula
here is either "it is true" or "it is false", and the opposite of true is not false.
"""

from __future__ import annotations

from collections.abc import Sequence

from segctl.compile.prune import leaves
from segctl.compile.reason.cells import Cell, TooManyError
from segctl.compile.reason.cuts import Cut
from segctl.compile.reason.domains import Domain
from segctl.compile.reason.formulas import IS_FALSE, IS_TRUE, Formula, at_least, conjunction, disjunction, negated
from segctl.compile.reason.histories import AloneDomain
from segctl.compile.reason.links import cuts_between, links
from segctl.compile.reason.solver import GaveUpError, Solver, table
from segctl.compile.reason.variables import Asked, Reader, Variable, is_never_unknown
from segctl.model.conditions import (
    All,
    AnyOf,
    Condition,
    Count,
    EventCondition,
    EventSelection,
    Missing,
    NoneOf,
    Not,
    SegmentCondition,
    SegmentDefinition,
    SequenceCondition,
    TraitCondition,
    ValueTest,
)

_MOST_LEAVES, _DEEPEST = 24, 6
"""Of a segment that another one refers to; larger ones are taken as they are: some are members."""
_MOST_LINKED = 20
"""Measures of events that are compared with one another; more of them are taken as independent."""
_AT_LEAST_ONE = ValueTest("at_least", (1,))


class Theory:
    """What some conditions say, put on the same variables. Add all of them, then ask.

    Args:
        reader: Reads leaves.
    """

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self._asked: dict[Variable, dict[object, int]] = {}
        self._leaves: list[tuple[Variable, object, bool]] = []
        self._known: dict[tuple[Variable, object], int] = {}
        self._formulas: dict[tuple[int, bool], tuple[Condition, Formula]] = {}
        self._solver: Solver | None = None
        self._masks: list[tuple[int, int, int]] = []
        self._variables: list[tuple[Variable, list[Cell]]] = []
        self._inside: list[str] = []
        self._full: list[int] = []

    # Reading
    def true(self, condition: Condition) -> Formula:
        """The formula that a condition is true."""
        return self._of(condition, wanted=True)

    def false(self, condition: Condition) -> Formula:
        """The formula that a condition is false."""
        return self._of(condition, wanted=False)

    def member(self, segment: SegmentDefinition) -> Formula:
        """The formula that a profile is a member, after what the segment keeps."""
        matched = self.true(segment.where)
        if segment.keep is None:
            return matched
        kept = self._literal(
            (self.reader.variable("alone", ("keep", segment.where, segment.keep)), None), wanted=True, known=True
        )
        return conjunction([matched, kept])

    def _of(self, condition: Condition, *, wanted: bool) -> Formula:
        key = (id(condition), wanted)
        found = self._formulas.get(key)
        if found is None:
            # Kept with the condition, whose number is then nobody else's.
            found = self._formulas[key] = (condition, self._made(condition, wanted=wanted))
        return found[1]

    def _made(self, condition: Condition, *, wanted: bool) -> Formula:
        match condition:
            case All(items, ()):
                parts = [self._of(item, wanted=wanted) for item in items]
                return conjunction(parts) if wanted else disjunction(parts)
            case All():
                return self._tied(condition, wanted=wanted)
            case AnyOf(items, n):
                needed = n if wanted else len(items) - n + 1
                return at_least(needed, [self._of(item, wanted=wanted) for item in items])
            case NoneOf(items):
                parts = [self._of(item, wanted=not wanted) for item in items]
                return conjunction(parts) if wanted else disjunction(parts)
            case Not(item):
                return self._of(item, wanted=not wanted)
            case SegmentCondition(segment):
                return self._reference(segment, condition, wanted=wanted)
            case SequenceCondition():
                made = conjunction([self._leaf(condition, wanted=True), *self._steps(condition)])
                return made if wanted else negated(made)
        return self._leaf(condition, wanted=wanted)

    def _tied(self, condition: All, *, wanted: bool) -> Formula:
        """One common value fulfils everything, so each count of its events is reached by all events too."""
        asked = (self.reader.variable("alone", condition), None)
        if not wanted:
            return self._literal(asked, wanted=False, known=False)
        positive = [item for item in condition.items if isinstance(item, EventCondition) and _grows(item)]
        return conjunction([self._literal(asked, wanted=True, known=False), *(self.true(item) for item in positive)])

    def _reference(self, name: str, condition: SegmentCondition, *, wanted: bool) -> Formula:
        segment = self.reader.definitions.segments.get(name)
        is_small = segment is not None and len(leaves(segment.where)) <= _MOST_LEAVES
        if segment is None or not is_small or name in self._inside or len(self._inside) >= _DEEPEST:
            return self._literal((self.reader.variable("alone", condition), None), wanted=wanted, known=True)
        self._inside.append(name)
        member = self.member(segment)
        self._inside.pop()
        return member if wanted else negated(member)

    def _steps(self, sequence: SequenceCondition) -> list[Formula]:
        """Each step's event exists, whatever else must hold of it."""
        found = []
        for step in sequence.steps:
            if not step.negative:
                asked = self.reader.measured(
                    EventSelection(step.events, step.window, step.where), Count(), _AT_LEAST_ONE
                )
                if asked is not None:
                    found.append(self._literal(asked, wanted=True, known=True))
        return found

    def _leaf(self, leaf: Condition, *, wanted: bool) -> Formula:
        asked = self.reader.read(leaf)
        missing: Missing | None = leaf.missing if isinstance(leaf, TraitCondition | EventCondition) else None
        known = is_never_unknown(leaf)
        if missing in ("match", "no_match"):
            # Unknown counts as the opposite of the outcome that is asked for here.
            is_direct = wanted is (missing == "no_match")
            made = self._literal(asked, wanted=(missing == "no_match"), known=known)
            return made if is_direct else negated(made)
        return self._literal(asked, wanted=wanted, known=known)

    def _literal(self, asked: Asked, *, wanted: bool, known: bool) -> Formula:
        variable, test = asked
        number = self._known.get(asked)
        if number is None:
            number = self._known[asked] = len(self._leaves)
            self._leaves.append((variable, test, known))
            self._asked.setdefault(variable, {})[test] = number
        return Formula("literal", number, cells=IS_TRUE if wanted else IS_FALSE)

    # Asking
    def can_be(self, *formulas: Formula) -> bool | None:
        """Whether all formulas can hold at once; None when that is not found out. False is certain, true is not."""
        try:
            return self._model(formulas) is not None
        except GaveUpError:
            return None

    def never(self, *formulas: Formula) -> bool:
        """True when certainly no profile fulfils all formulas."""
        return self.can_be(*formulas) is False

    def implies(self, one: Formula, other: Formula) -> bool:
        """True when every profile that fulfils the first certainly fulfils the second."""
        return self.never(one, negated(other))

    def _model(self, formulas: Sequence[Formula]) -> list[int] | None:
        solver = self._closed()
        self._full = solver.full
        return solver.model(self._masked(conjunction(formulas)))

    def _masked(self, formula: Formula) -> Formula:
        """The formula over cells."""
        if formula.kind == "literal":
            variable, true, false = self._masks[formula.number]
            full = self._full[variable]
            cells = {1: true, 2: false, 4: full & ~true, 8: full & ~false}[formula.cells]
            return Formula("literal", variable, cells=cells)
        return at_least(formula.number, [self._masked(item) for item in formula.items])

    def _closed(self) -> Solver:
        """The solver over all variables read so far."""
        if self._solver is None or len(self._masks) != len(self._leaves):
            self._build()
        assert self._solver is not None
        return self._solver

    def _build(self) -> None:
        self._variables, self._masks = [], [(0, 0, 0)] * len(self._leaves)
        measures = [variable for variable in self._asked if variable.kind == "event"]
        for variable, tests in self._asked.items():
            domain = self.reader.domain(variable)
            if domain is None:
                known = self._leaves[next(iter(tests.values()))][2]
                self._add(variable, tests, AloneDomain(can_be_unknown=not known))
                continue
            others = measures if variable.kind == "event" and len(measures) <= _MOST_LINKED else []
            extra = [cut for other in others for cut in cuts_between(variable, other, self.reader.events)]
            try:
                self._add(variable, tests, domain, extra)
            except TooManyError:
                for test, number in tests.items():
                    self._add(
                        self.reader.variable("alone", (variable, test)),
                        {None: number},
                        AloneDomain(can_be_unknown=True),
                    )
        supports: list[list[tuple[int, list[int]]]] = [[] for _ in self._variables]
        events = [(at, variable) for at, (variable, _) in enumerate(self._variables) if variable.kind == "event"]
        linked = events if len(events) <= _MOST_LINKED else []
        for at, one in linked:
            for beside, other in linked:
                if at != beside:
                    self._link(at, one, beside, other, supports)
        self._solver = Solver([len(cells) for _, cells in self._variables], supports)

    def _add(self, variable: Variable, tests: dict[object, int], domain: Domain, extra: Sequence[Cut] = ()) -> None:
        cells = domain.cells(list(tests), extra)
        for test, number in tests.items():
            true = false = 0
            for at, answer in enumerate(domain.answers(test, cells)):
                if answer is True:
                    true |= 1 << at
                elif answer is False:
                    false |= 1 << at
            self._masks[number] = (len(self._variables), true, false)
        self._variables.append((variable, cells))

    def _link(
        self, at: int, one: Variable, beside: int, other: Variable, supports: list[list[tuple[int, list[int]]]]
    ) -> None:
        for allowed in links(one, other, self.reader.events):
            forth, back = table(self._variables[at][1], self._variables[beside][1], allowed)
            supports[at].append((beside, forth))
            supports[beside].append((at, back))


def _grows(leaf: EventCondition) -> bool:
    """True for counts of at least so many, which more events never undo."""
    return (
        leaf.selection.latest is None
        and isinstance(leaf.measure, Count)
        and isinstance(leaf.test, ValueTest)
        and leaf.test.operator in ("at_least", "above")
        and leaf.missing is None
    )
