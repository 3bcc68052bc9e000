"""Is there a way for everything to be true at once? Propagation and case distinction over cells, within a budget."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from segctl.compile.reason.cells import Cell
from segctl.compile.reason.formulas import FALSE, TRUE, Formula, at_least

_BUDGET = 400
Linked = Sequence[Sequence[tuple[int, Sequence[int]]]]
"""For each variable, the others that are linked to it, with the cells of those that each of its own cells allows."""


class GaveUpError(Exception):
    """The budget is spent."""


class Solver:
    """Variables with finitely many cells, and which cells of two of them can be together.

    Args:
        sizes: Number of cells of each variable.
        links: Between two variables.
    """

    def __init__(self, sizes: Sequence[int], links: Linked) -> None:
        self.full = [(1 << size) - 1 for size in sizes]
        self.links = [(number, linked) for number, linked in enumerate(links) if linked]
        self.steps = 0

    def model(self, formula: Formula, budget: int = _BUDGET) -> list[int] | None:
        """The cells that are left to each variable where the formula holds; None when it never does.

        Raises:
            GaveUpError: It would take longer than the budget allows.
        """
        self.steps = budget
        return self._search([formula], list(self.full))

    def _step(self) -> None:
        self.steps -= 1
        if self.steps < 0:
            raise GaveUpError

    def _search(self, pending: list[Formula], domains: list[int]) -> list[int] | None:
        self._step()
        rest = self._narrow(pending, domains)
        if rest is None:
            return None
        if not rest:
            return self._linked(domains)
        branch = min(rest, key=lambda item: len(item.items))
        others = [item for item in rest if item is not branch]
        first, remaining = branch.items[0], branch.items[1:]
        # Either the first item holds and one less of the others is needed, or they hold without it.
        for needed in ((first, at_least(branch.number - 1, remaining)), (at_least(branch.number, remaining),)):
            if needed[-1] is not FALSE:
                found = self._search([*others, *needed], list(domains))
                if found is not None:
                    return found
        return None

    def _narrow(self, pending: list[Formula], domains: list[int]) -> list[Formula] | None:
        """What is left undecided once the decided parts have narrowed the cells; None when nothing fits."""
        while True:
            before = list(domains)
            rest: list[Formula] = []
            stack = list(pending)
            while stack:
                item = _simplified(stack.pop(), domains)
                if item is FALSE:
                    return None
                if item.kind == "literal":
                    domains[item.number] &= item.cells
                elif item.number == len(item.items):
                    stack.extend(item.items)
                else:
                    rest.append(item)
            if not self._propagate(domains):
                return None
            if domains == before:
                return rest
            pending = rest

    def _propagate(self, domains: list[int]) -> bool:
        """Take out cells that no cell of a linked variable allows; False when a variable has none left."""
        changed = True
        while changed:
            changed = False
            for variable, linked in self.links:
                if domains[variable] == self.full[variable]:
                    continue
                for other, allowed in linked:
                    reach = _reach(domains[variable], allowed)
                    if domains[other] & ~reach:
                        domains[other] &= reach
                        changed = True
        return all(domains)

    def _linked(self, domains: list[int]) -> list[int] | None:
        """The cells, each linked variable narrowed to one."""
        for variable, _ in self.links:
            if domains[variable] & (domains[variable] - 1):
                for cell in _bits(domains[variable]):
                    self._step()
                    chosen = list(domains)
                    chosen[variable] = 1 << cell
                    found = self._linked(chosen) if self._propagate(chosen) else None
                    if found is not None:
                        return found
                return None
        return domains


def _simplified(formula: Formula, domains: list[int]) -> Formula:
    """The formula where what is decided is taken out."""
    if formula.kind == "literal":
        domain = domains[formula.number]
        inside = domain & formula.cells
        if not inside:
            return FALSE
        return TRUE if inside == domain else formula
    needed, undecided = formula.number, []
    for item in formula.items:
        simple = _simplified(item, domains)
        if simple is TRUE:
            needed -= 1
        elif simple is not FALSE:
            undecided.append(simple)
    return at_least(needed, undecided)


def _reach(domain: int, allowed: Sequence[int]) -> int:
    reach = 0
    for cell in _bits(domain):
        reach |= allowed[cell]
    return reach


def _bits(mask: int) -> list[int]:
    return [at for at in range(mask.bit_length()) if mask >> at & 1]


def table(
    one: Sequence[Cell], other: Sequence[Cell], allowed: Callable[[Cell, Cell], bool]
) -> tuple[list[int], list[int]]:
    """Which cells go together, from either side."""
    forth, back = [0] * len(one), [0] * len(other)
    for i, cell in enumerate(one):
        for j, beside in enumerate(other):
            if allowed(cell, beside):
                forth[i] |= 1 << j
                back[j] |= 1 << i
    return forth, back
