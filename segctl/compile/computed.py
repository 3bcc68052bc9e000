"""Computed traits of a project: bound in the order in which they rest on one another, within limits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field

from segctl.compile.bind.scope import Scope
from segctl.compile.bind.traits import bind_computed_trait
from segctl.compile.references import weight
from segctl.compile.source import Node, Scalar
from segctl.model.conditions import Call, ComputedTrait, Formula, TraitValue
from segctl.model.dataclass import dataclass
from segctl.model.types import ValueType

LONGEST_CHAIN, MOST_PARTS, MOST_LEVELS = 30, 400, 100
"""How many computed traits may rest on one another, and how large and deep one may be together with all of those."""
BREAK = "take one of these references out"


def circle(cycle: tuple[str, ...], what: str) -> str:
    """A sentence on definitions that refer to themselves."""
    return f"the {what} `{cycle[0]}` refers to itself: {' → '.join(cycle)}"


@dataclass(slots=True)
class ComputedTraits:
    """Computed traits, bound when they are first asked for, since a formula's type is made of others.

    Attributes:
        nodes: Name → where it stands and what it says.
        bound: What was asked for so far; None for one that is broken.
    """

    scope: Scope
    nodes: Mapping[str, tuple[Scalar, Node]]
    bound: dict[str, ComputedTrait | None] = field(default_factory=dict)
    _open: list[str] = field(default_factory=list)
    _parts: dict[str, int] = field(default_factory=dict)
    _depths: dict[str, int] = field(default_factory=dict)

    def bind_all(self) -> None:
        """Bind what nobody has asked for yet."""
        for name in self.nodes:
            self.type_of(name)

    def type_of(self, name: str) -> ValueType | None:
        """The type of a computed trait, None when it is broken."""
        if name in self._open:
            cycle = (*self._open[self._open.index(name) :], name)
            self.scope.error("SEG224", circle(cycle, "trait"), self.nodes[name][0].location, hint=BREAK)
            return None
        if name not in self.bound:
            self._open.append(name)
            self.bound[name] = self._bind(name)
            self._open.pop()
        trait = self.bound[name]
        return None if trait is None else trait.type

    def _bind(self, name: str) -> ComputedTrait | None:
        """Definitions stand inside one another when they are computed, so what they add up to has limits."""
        if len(self._open) > LONGEST_CHAIN:
            self._refuse(name, f"`{name}` rests on a chain of more than {LONGEST_CHAIN} computed traits")
            return None
        trait = bind_computed_trait(*self.nodes[name], self.scope)
        if trait is None:
            return None
        parts, used = weight(trait.selection, trait.measure, trait.formula)
        self._parts[name] = parts + sum(self._parts.get(other, 0) for other in used)
        self._depths[name] = self._depth(trait.formula, used)
        for found, limit, what in (
            (self._parts[name], MOST_PARTS, "parts"),
            (self._depths[name], MOST_LEVELS, "levels"),
        ):
            if found > limit:
                message = f"`{name}` has, with the computed traits it refers to, {found:,} {what}, limit {limit}"
                self._refuse(name, message)
                return None
        return trait

    def _depth(self, formula: Formula | None, used: Iterable[str]) -> int:
        if isinstance(formula, Call):
            return 1 + max(self._depth(operand, ()) for operand in formula.operands)
        names = [formula.trait] if isinstance(formula, TraitValue) else used
        return 1 + max((self._depths.get(name, 0) for name in names), default=0)

    def _refuse(self, name: str, message: str) -> None:
        hint = "refer to fewer computed traits, or to each only once"
        self.scope.error("SEG260", message, self.nodes[name][0].location, hint=hint)
