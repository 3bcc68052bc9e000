"""Candidate pairs counted by pattern, then weighed: in chunks, so that memory does not grow with the pairs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from segctl.identity.blocking import Candidates, Rule, candidates
from segctl.identity.chance import Floats, frequency_bits
from segctl.identity.fields import Codes
from segctl.identity.pairs import Comparer, Patterns
from segctl.identity.related import household_reasons, may_be_household
from segctl.identity.scoring import PatternCounts, Weights


@dataclass(frozen=True, slots=True)
class Compared:
    """A chunk of candidates with their patterns.

    Attributes:
        pairs: The candidates.
        patterns: Distinct patterns of the chunk.
        place: For each pair, the position of its pattern in `patterns`.
    """

    pairs: Candidates
    patterns: Patterns
    place: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Scored:
    """Pairs with their weight.

    Attributes:
        left: Position of the first record, less than `right`.
        right: Position of the second record.
        bits: log2 odds that both are one person.
        household: Number of the reason in `related.REASONS` why they are two persons of one household; 0 for none.
    """

    left: Codes
    right: Codes
    bits: Floats
    household: NDArray[np.int8]

    def where(self, keep: NDArray[np.bool_]) -> Scored:
        """The pairs for which `keep` is true."""
        return Scored(self.left[keep], self.right[keep], self.bits[keep], self.household[keep])


def joined(parts: list[Scored]) -> Scored:
    """All pairs of the parts, one part after the other."""
    if not parts:
        nothing = np.zeros(0, np.int32)
        return Scored(nothing, nothing, np.zeros(0), np.zeros(0, np.int8))
    return Scored(
        np.concatenate([part.left for part in parts]),
        np.concatenate([part.right for part in parts]),
        np.concatenate([part.bits for part in parts]),
        np.concatenate([part.household for part in parts]),
    )


class Scorer:
    """Weighs any pairs of the records it was made for."""

    def __init__(self, comparer: Comparer, weights: Weights) -> None:
        self.comparer = comparer
        self.weights = weights

    @cached_property
    def rarity(self) -> tuple[Floats | None, ...]:
        """For each comparison, the bits that agreement on each value adds; None where values are not told apart."""
        fields = self.comparer.records.fields
        return tuple(
            frequency_bits(fields[comparison.field]) if comparison.by_frequency else None
            for comparison in self.comparer.comparisons
        )

    def score(self, left: Codes, right: Codes) -> Scored:
        """Weight of each pair."""
        patterns, place = np.unique(self.comparer.patterns(left, right), return_inverse=True)
        return self.weigh(left, right, patterns, place)

    def may_weigh(self, left: Codes, right: Codes, least: float) -> NDArray[np.bool_]:
        """Whether a pair's weight may reach `least`, or its records be a household: from equality alone.

        Most candidates share a frequent name and nothing else; they need no look at their texts.
        """
        most = np.full(len(left), self.weights.prior_bits)
        same: dict[str, NDArray[np.bool_]] = {}
        for comparison, bits, rarity in zip(self.comparer.comparisons, self.weights.bits, self.rarity, strict=True):
            codes = self.comparer.records.fields[comparison.field].codes
            a, b = codes[left], codes[right]
            same[comparison.field] = equal = (a == b) & (a >= 0)
            by_value = bits[comparison.equal] + (0.0 if rarity is None else rarity[a])
            best = np.where(equal, by_value, bits[:-1].max())
            if comparison.field == "surname" or comparison.field.startswith("email"):
                # The other fields can take these two out of the sum.
                best = np.maximum(best, 0.0)
            most += np.where((a < 0) | (b < 0), 0.0, best)
        # Sums in another order differ in their last digits.
        return (most >= least - 1e-6) | may_be_household(same)

    def weigh(self, left: Codes, right: Codes, patterns: Patterns, place: NDArray[np.int64]) -> Scored:
        """Weight of each pair whose pattern is known."""
        levels = self.comparer.decoded(patterns)
        bits = self.weights.of(levels)[place]
        for comparison, row, rarity in zip(self.comparer.comparisons, levels, self.rarity, strict=True):
            if rarity is None:
                continue
            equal = np.flatnonzero((row == comparison.equal)[place])
            bits[equal] += rarity[self.comparer.records.fields[comparison.field].codes[left[equal]]]
        return Scored(left, right, bits, household_reasons(self.comparer.comparisons, levels)[place])


def compared(
    comparer: Comparer, rules: tuple[Rule, ...], *, chunk: int, sample: int | None = None
) -> Iterator[Compared]:
    """Every candidate pair with its pattern, or about `sample` pairs of each rule."""
    for pairs in candidates(rules, chunk, sample):
        if len(pairs.left):
            patterns, place = np.unique(comparer.patterns(pairs.left, pairs.right), return_inverse=True)
            yield Compared(pairs, patterns, place)


class Counter:
    """Adds up the patterns of chunks."""

    def __init__(self, rules: int) -> None:
        self._rules = rules
        self._seen: list[tuple[Patterns, Floats]] = []

    def add(self, chunk: Compared) -> None:
        """Count one chunk."""
        counts: Floats = np.empty((self._rules + 1, len(chunk.patterns)))
        counts[0] = np.bincount(chunk.place, minlength=len(chunk.patterns))
        for rule in range(self._rules):
            agree = (chunk.pairs.rules >> rule) & 1
            counts[rule + 1] = np.bincount(chunk.place, agree, len(chunk.patterns))
        self._seen.append((chunk.patterns, counts * chunk.pairs.times))
        if len(self._seen) == 16:
            self._seen = [self._together()]

    def counts(self) -> PatternCounts:
        """All chunks together."""
        patterns, counts = self._together()
        return PatternCounts(patterns, counts[0], counts[1:])

    def _together(self) -> tuple[Patterns, Floats]:
        if not self._seen:
            return np.zeros(0, np.int64), np.zeros((self._rules + 1, 0))
        patterns, place = np.unique(np.concatenate([one for one, _ in self._seen]), return_inverse=True)
        counts = np.concatenate([one for _, one in self._seen], axis=1)
        return patterns, np.stack([np.bincount(place, row, len(patterns)) for row in counts])
