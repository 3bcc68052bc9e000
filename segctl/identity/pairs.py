"""Pairs of records → patterns: for every comparison the level it reached, or that a value is missing.

A pattern is one number, so that millions of pairs are counted and weighed by the few patterns they show.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from segctl.identity.comparisons import MISSING, Comparison, Levels, comparisons_for
from segctl.identity.fields import Coded, Codes, Records

Patterns = NDArray[np.int64]
_SIMILAR = 1


@dataclass(frozen=True, slots=True)
class Swap:
    """Given name and surname stand in each other's place.

    The pair then reaches a level of its own in the given name, and the surname says nothing more.
    """

    given: int
    surname: int
    crossed: Codes


@dataclass(frozen=True, slots=True)
class Comparer:
    """Everything needed to compare any pair of records.

    Attributes:
        records: Prepared records.
        comparisons: In the order of the pattern's digits.
        swap: Where swapped names are looked for, None without both names.
    """

    records: Records
    comparisons: tuple[Comparison, ...]
    swap: Swap | None

    @property
    def bases(self) -> NDArray[np.int64]:
        """Values each digit of a pattern can have: missing and the levels."""
        return np.array([len(comparison.levels) + 1 for comparison in self.comparisons], np.int64)

    def levels(self, left: Codes, right: Codes) -> Levels:
        """One row per comparison, one column per pair; `MISSING` where a value is not there."""
        rows = [
            compared(self.records.fields[comparison.field], comparison, left, right) for comparison in self.comparisons
        ]
        found = np.stack(rows) if rows else np.zeros((0, len(left)), np.int8)
        if self.swap is not None:
            self._mark_swaps(found, self.swap, left, right)
            self._without_echoes(found, self.swap)
        return found

    def patterns(self, left: Codes, right: Codes) -> Patterns:
        """One number per pair; `decoded` gives the levels back."""
        number = np.zeros(len(left), np.int64)
        for base, row in zip(self.bases, self.levels(left, right), strict=True):
            number = number * base + (row + 1)
        return number

    def decoded(self, patterns: Patterns) -> Levels:
        """Levels of patterns: one row per comparison, one column per pattern."""
        rows = []
        for base in self.bases[::-1]:
            rows.append((patterns % base - 1).astype(np.int8))
            patterns = patterns // base
        return np.stack(rows[::-1])

    def _without_echoes(self, levels: Levels, swap: Swap) -> None:
        """An address that is merely similar says nothing where the names are too: addresses are made of names."""
        given, surname = levels[swap.given], levels[swap.surname]
        alike = (given >= _SIMILAR) & ((surname >= _SIMILAR) | (given == self.comparisons[swap.given].equal - 1))
        for at, comparison in enumerate(self.comparisons):
            if comparison.field.startswith("email"):
                levels[at, alike & (levels[at] == _SIMILAR)] = MISSING

    def _mark_swaps(self, levels: Levels, swap: Swap, left: Codes, right: Codes) -> None:
        given = self.records.fields["given"].codes
        # `crossed` is the surname in the codes of the given names, -2 where no given name is like it.
        swapped = (swap.crossed[left] == given[right]) & (swap.crossed[right] == given[left])
        swapped &= (given[left] >= 0) & (given[right] >= 0) & (levels[swap.given] < self.comparisons[swap.given].equal)
        levels[swap.given, swapped] = len(self.comparisons[swap.given].levels) - 2
        levels[swap.surname, swapped] = MISSING


def comparer(records: Records) -> Comparer:
    """The comparisons of the fields that are there, with swapped names where both names are."""
    comparisons = comparisons_for(records)
    fields = [comparison.field for comparison in comparisons]
    if "given" not in fields or "surname" not in fields:
        return Comparer(records, comparisons, None)
    given, surname = fields.index("given"), fields.index("surname")
    with_swap = replace(comparisons[given], levels=("different", "similar", "close", "swapped", "equal"))
    comparisons = (*comparisons[:given], with_swap, *comparisons[given + 1 :])
    return Comparer(records, comparisons, Swap(given, surname, _crossed(records)))


def _crossed(records: Records) -> Codes:
    """Each record's surname in the codes of the given names, -2 where no record has it as a given name."""
    given, surname = records.fields["given"], records.fields["surname"]
    place = {value: code for code, value in enumerate(given.values)}
    by_code = np.array([*(place.get(value, -2) for value in surname.values), -2], np.int32)
    return by_code[surname.codes]


def compared(field: Coded, comparison: Comparison, left: Codes, right: Codes) -> Levels:
    """Level of each pair in one comparison; every distinct pair of values is compared once."""
    a, b = field.codes[left], field.codes[right]
    levels = np.full(len(a), comparison.equal, np.int8)
    missing = (a < 0) | (b < 0)
    levels[missing] = MISSING
    unequal = np.flatnonzero(~missing & (a != b))
    if not len(unequal):
        return levels
    low, high = np.minimum(a[unequal], b[unequal]), np.maximum(a[unequal], b[unequal])
    distinct, place = np.unique(low.astype(np.int64) * len(field.values) + high, return_inverse=True)
    low, high = (distinct // len(field.values)).astype(np.int32), (distinct % len(field.values)).astype(np.int32)
    levels[unequal] = comparison.compare(field, low, high)[place]
    return levels
