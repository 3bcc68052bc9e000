"""Which counts of few people a report hides, so that no numbers that it tells bring them back: one rule for all.

A count is small when it is of somebody and of fewer people than asked for. Small counts are hidden. Whatever is the sum
or the difference of counts is written down as such, also the rests that nobody prints (people who are no members, who
did not buy). While one of the small counts follows from what is still told, one more number is hidden, that of the
least rank and then the smallest (Cox, JASA 1980; Giessing, Statistical Disclosure Control, 2001: complementary
suppression). Counts of 0 are taken as known, hidden or not: that a rule lies within another one, or that nobody ever
leaves, can be read in the definitions.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from fractions import Fraction

from segctl.model.dataclass import dataclass

Name = Hashable
Unit = Hashable


def is_small(least: int, *counts: int | None) -> bool:
    """Whether one of the counts is of so few people, and not of nobody, that somebody might be known by it."""
    return any(count is not None and 0 < count < least for count in counts)


@dataclass(frozen=True, slots=True)
class _Cell:
    count: int
    unit: Unit | None
    rank: float


@dataclass(frozen=True, slots=True)
class _Relation:
    """Counts times their factors together are 0; of a sum the first is the whole."""

    factors: Mapping[Name, int]
    whole: Name | None = None


class Ledger:
    """Counts of a report and what they have to do with one another.

    Args:
        least: Counts from here on are told, and 0; 0 tells all.
    """

    def __init__(self, least: int) -> None:
        self.least = least
        self._cells: dict[Name, _Cell] = {}
        self._relations: list[_Relation] = []

    # --- What there is ----------------------------------------------------------------------------------------
    def told(self, name: Name, people: int | None, *, unit: Unit | None = None, rank: float = 0.0) -> None:
        """A count that the report prints.

        Args:
            name: Of the count.
            people: None when there is none.
            unit: What is hidden together with it; its own name when None.
            rank: Lower ones are hidden before others, where one must be.
        """
        if people is not None:
            self._cells.setdefault(name, _Cell(people, name if unit is None else unit, rank))

    def sum(self, whole: Name, *parts: Name, rest: Name | None = None) -> None:
        """The whole consists of the parts, and of people whom the report does not count if these do not fill it.

        Args:
            whole: Name of a count; nothing happens when there is none.
            parts: Names; those that are no counts are left out.
            rest: Name of what the parts leave, for further sums.
        """
        known = [part for part in parts if part in self._cells]
        if whole not in self._cells or (not known and rest is None):
            return
        left = self._cells[whole].count - sum(self._cells[part].count for part in known)
        if left < 0:
            return  # Counts of different times, which are no parts of one another.
        if left or rest is not None:
            name = ("rest", whole, *known) if rest is None else rest
            self._cells.setdefault(name, _Cell(left, None, 0.0))
            known.append(name)
        self._relations.append(_Relation({whole: -1, **dict.fromkeys(known, 1)}, whole))

    def balance(self, factors: Mapping[Name, int]) -> None:
        """Counts times their factors are 0 together; nothing happens unless they are."""
        if not all(name in self._cells for name in factors):
            return
        if sum(factor * self._cells[name].count for name, factor in factors.items()) == 0:
            self._relations.append(_Relation(dict(factors)))

    def people(self, name: Name) -> int | None:
        """A count of the ledger."""
        cell = self._cells.get(name)
        return None if cell is None else cell.count

    # --- What is hidden ---------------------------------------------------------------------------------------
    def hidden(self) -> frozenset[Unit]:
        """Units that must not be told."""
        if not self.least:
            return frozenset()
        found = {cell.unit for cell in self._cells.values() if cell.unit is not None and self._is_small(cell)}
        while more := set(self._given_away(found)) - found:
            found |= more
        return frozenset(found)

    def _is_small(self, cell: _Cell) -> bool:
        return is_small(self.least, cell.count)

    def _given_away(self, hidden: set[Unit]) -> Iterator[Unit]:
        """For each small count that what is told gives away, one more unit to hide."""
        known, by = self._known(hidden)
        for name, cell in self._cells.items():
            if name in known and self._is_small(cell):
                yield from self._next(by.get(name, ()), by, hidden)
        for relation in self._relations:
            if self._is_narrow(relation, known):
                yield from self._next((relation,), by, hidden)

    def _known(self, hidden: set[Unit]) -> tuple[set[Name], dict[Name, Sequence[_Relation]]]:
        """Counts that are told or follow, and from which relations each of the latter does."""
        known = {
            name for name, cell in self._cells.items()
            if not cell.count or (cell.unit is not None and cell.unit not in hidden)
        }  # fmt: skip
        by: dict[Name, Sequence[_Relation]] = {}
        waiting = self._relations
        while True:
            left = []
            for relation in waiting:
                unknown = [name for name in relation.factors if name not in known]
                if len(unknown) == 1:
                    known.add(unknown[0])
                    by[unknown[0]] = (relation,)
                elif unknown:
                    left.append(relation)
            if len(left) == len(waiting):
                break
            waiting = left
        for name, several in _solved(left, known):
            known.add(name)
            by[name] = several
        return known, by

    def _is_narrow(self, relation: _Relation, known: set[Name]) -> bool:
        """Whether small parts of a sum are all that its known parts leave, so few that each is as good as told."""
        if relation.whole is None or relation.whole not in known:
            return False
        left = [self._cells[name] for name in relation.factors if name not in known]
        people = sum(cell.count for cell in left)
        return any(map(self._is_small, left)) and (is_small(self.least, people) or people <= len(left))

    def _next(
        self, relations: Sequence[_Relation], by: Mapping[Name, Sequence[_Relation]], hidden: set[Unit]
    ) -> Iterator[Unit]:
        """The unit to hide next of those that give a count away by these relations."""
        seen: set[Name] = set()
        waiting = list(relations)
        found = []
        while waiting:
            for name in waiting.pop().factors:
                if name in seen:
                    continue
                seen.add(name)
                cell = self._cells[name]
                if cell.unit is not None and cell.unit not in hidden and cell.count:
                    found.append((cell.rank, cell.count, str(cell.unit), cell.unit))
                waiting += by.get(name, ())
        if found:
            yield min(found, key=lambda one: one[:3])[3]


def _solved(relations: Sequence[_Relation], known: set[Name]) -> Iterator[tuple[Name, Sequence[_Relation]]]:
    """Counts that follow from several relations together though from none alone (elimination, exact)."""
    solved: dict[Name, tuple[dict[Name, Fraction], set[int]]] = {}
    for at, relation in enumerate(relations):
        row = {name: Fraction(factor) for name, factor in relation.factors.items() if name not in known}
        of = {at}
        for name, (other, from_) in solved.items():
            if name in row:
                row, of = _less(row, other, row[name]), of | from_
        if not row:
            continue
        first = next(iter(row))
        row = {name: value / row[first] for name, value in row.items()}
        for name, (other, from_) in list(solved.items()):
            if first in other:
                solved[name] = (_less(other, row, other[first]), from_ | of)
        solved[first] = (row, of)
    for name, (row, of) in solved.items():
        if len(row) == 1:
            yield name, tuple(relations[at] for at in sorted(of))


def _less(row: Mapping[Name, Fraction], other: Mapping[Name, Fraction], factor: Fraction) -> dict[Name, Fraction]:
    """A row without so much of another one; only what is not 0."""
    found = {name: row.get(name, Fraction(0)) - factor * other.get(name, Fraction(0)) for name in {**row, **other}}
    return {name: value for name, value in found.items() if value}
