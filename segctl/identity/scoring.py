"""How much each agreement says: Fellegi–Sunter weights learnt without labels.

`u` (how often a level is reached by chance) comes from random pairs and, for equality, from the counts of the
values; `m` (how often by two records of one person) from expectation-maximisation within each blocking rule,
without the fields the rule fixes; the prior from the number of matches the weights themselves expect.

Source:
    I. P. Fellegi and A. B. Sunter, A theory for record linkage, JASA 64, 1969, pp. 1183–1210;
    W. E. Winkler, Using the EM algorithm for weight computation in the Fellegi-Sunter model, 1988.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segctl.identity.comparisons import Comparison, Levels
from segctl.identity.fields import Coded
from segctl.identity.pairs import Comparer, Patterns

Floats = NDArray[np.float64]
Shares = tuple[Floats, ...]

_ROUNDS = 3
_STEPS = 60
_SETTLED = 1e-5
# Matches that the first guess of `m` is worth: it decides alone where the data show next to none.
_GUESS_IS_WORTH = 5.0
# Random pairs that the first guess of `u` is worth: about those of 45 records.
_LIKELY_IS_WORTH = 1_000.0
# No level is so rare that reaching it is proof, nor so common among matches that missing it is.
_LEAST = 1e-6


@dataclass(frozen=True, slots=True)
class PatternCounts:
    """How often each pattern occurs among the candidate pairs.

    Attributes:
        patterns: Distinct patterns, sorted.
        pairs: Pairs of each pattern.
        by_rule: Pairs of each pattern (columns) that agree on each blocking rule (rows).
    """

    patterns: Patterns
    pairs: Floats
    by_rule: Floats


@dataclass(frozen=True, slots=True)
class Weights:
    """What was learnt, one array of levels per comparison.

    Attributes:
        m: Share of each level among pairs of one person, where both values are there.
        u: Share of each level among pairs of two persons.
        bits: log2 of `m` / `u`.
        prior: Share of pairs of one person among all pairs.
    """

    m: Shares
    u: Shares
    bits: Shares
    prior: float

    @property
    def prior_bits(self) -> float:
        """log2 of the odds before any comparison."""
        return float(np.log2(self.prior / (1 - self.prior)))

    def of(self, levels: Levels) -> Floats:
        """Weight of each pair or pattern in bits, the prior included; what is missing adds nothing."""
        total = np.full(levels.shape[1], self.prior_bits)
        for row, bits in zip(levels, self.bits, strict=True):
            total += np.append(bits, 0.0)[row]
        return total


def learnt(
    comparer: Comparer, counts: PatternCounts, given_away: tuple[frozenset[str], ...], by_chance: Shares
) -> Weights:
    """The weights for these records.

    Args:
        comparer: The comparisons.
        counts: Patterns of the candidate pairs.
        given_away: For each rule, the fields on which its pairs agree by construction.
        by_chance: Share of each level among random pairs, from `chance`.
    """
    levels = comparer.decoded(counts.patterns)
    number = len(comparer.records)
    all_pairs = max(number * (number - 1) / 2, 1.0)
    skipped = [[c.field in gone for c in comparer.comparisons] for gone in given_away]
    u, guess = by_chance, tuple(_guess(comparison) for comparison in comparer.comparisons)
    weights = _weights(guess, u, min(0.5, 1 / max(number, 2)))
    for _ in range(_ROUNDS):
        sessions = [_session(levels, seen, gone, u, guess) for seen, gone in zip(counts.by_rule, skipped, strict=True)]
        m = _pooled(sessions, guess)
        weights = _with_prior(_weights(m, u, weights.prior), levels, counts.pairs, all_pairs)
        # Random pairs hold a few of one person; where duplicates are many they would pass for chance.
        u = tuple(_without_matches(seen, of_match, weights.prior) for seen, of_match in zip(by_chance, m, strict=True))
    return _with_prior(_weights(m, u, weights.prior), levels, counts.pairs, all_pairs)


def chance(comparer: Comparer, *, samples: int, seed: int) -> Shares:
    """Share of each level among random pairs where both values are there.

    Args:
        comparer: The comparisons.
        samples: Random pairs; all pairs are taken where there are no more than that.
        seed: Of the random pairs.
    """
    number = len(comparer.records)
    if number * (number - 1) // 2 <= samples:
        left, right = (part.astype(np.int32) for part in np.triu_indices(number, 1))
    else:
        random = np.random.default_rng(seed)
        left = random.integers(0, number, samples, dtype=np.int32)
        right = random.integers(0, number - 1, samples, dtype=np.int32)
        right += right >= left
    shares = []
    for at, (comparison, row) in enumerate(zip(comparer.comparisons, comparer.levels(left, right), strict=True)):
        seen: Floats = np.bincount(row[row >= 0], minlength=len(comparison.levels)) + np.float64(0.5)
        exact = {comparison.equal: _equal_by_chance(comparer.records.fields[comparison.field])}
        if comparer.swap is not None and at == comparer.swap.given:
            exact[comparison.equal - 1] = _swapped_by_chance(comparer)
        present = float(comparer.records.fields[comparison.field].counts.sum())
        shares.append(_tempered(_with_exact(seen, exact), comparison, present * (present - 1) / 2))
    return tuple(shares)


def frequency_bits(field: Coded) -> Floats:
    """For each value, what agreement on it says more (rare) or less (frequent) than agreement on average, in bits.

    Values of one record get the average: nobody else has them, so they are never agreed on.
    """
    share = field.counts / max(field.counts.sum(), 1)
    average = np.log2(max(_equal_by_chance(field), _LEAST))
    return np.where(field.counts > 1, average - np.log2(np.maximum(share, _LEAST)), 0.0)


def _equal_by_chance(field: Coded) -> float:
    present = float(field.counts.sum())
    return float((field.counts * (field.counts - 1.0)).sum()) / max(present * (present - 1), 1.0)


def _swapped_by_chance(comparer: Comparer) -> float:
    """Share of pairs whose names are each other's, from the counts of whole names."""
    swap, given = comparer.swap, comparer.records.fields["given"]
    if swap is None:
        return 0.0
    both = (given.codes >= 0) & (swap.crossed >= 0) & (given.codes != swap.crossed)
    size = len(given.values)
    names, times = np.unique(given.codes[both].astype(np.int64) * size + swap.crossed[both], return_counts=True)
    mirrored = (names % size) * size + names // size
    place = np.minimum(np.searchsorted(names, mirrored), max(len(names) - 1, 0))
    found = names[place] == mirrored if len(names) else np.zeros(0, bool)
    present = float(given.counts.sum())
    return float((times * times[place] * found).sum()) / max(present * (present - 1), 1.0) if len(names) else 0.0


def _with_exact(seen: Floats, exact: dict[int, float]) -> Floats:
    """Sampled shares in which some are known: the others share what is left."""
    known = {level: min(max(value, _LEAST), 0.99) for level, value in exact.items()}
    rest = seen.copy()
    rest[list(known)] = 0
    shares = rest / rest.sum() * (1 - sum(known.values()))
    shares[list(known)] = list(known.values())
    at_least: Floats = np.maximum(shares, _LEAST)
    return at_least


def _tempered(seen: Floats, comparison: Comparison, pairs: float) -> Floats:
    """What was seen, mixed with what is likely: among a handful of records chance cannot be seen."""
    likely = np.full(len(seen), 0.03 / max(len(seen) - 2, 1))
    likely[comparison.equal] = comparison.by_chance
    likely[0] = 1 - likely[1:].sum()
    mixed: Floats = (pairs * seen + _LIKELY_IS_WORTH * likely) / (pairs + _LIKELY_IS_WORTH)
    return mixed


def _guess(comparison: Comparison) -> Floats:
    """What `m` may be before anything is seen: four in five agree, the rest is spread evenly."""
    guess = np.full(len(comparison.levels), 0.2 / (len(comparison.levels) - 1))
    guess[comparison.equal] = 0.8
    return guess


def _without_matches(seen: Floats, of_match: Floats, prior: float) -> Floats:
    """Shares among pairs of two persons, from those among all pairs and among pairs of one person."""
    pure = np.maximum((seen - prior * of_match) / (1 - prior), np.maximum(seen * 0.02, _LEAST))
    return np.asarray(pure / pure.sum(), np.float64)


def _weights(m: Shares, u: Shares, prior: float) -> Weights:
    bits = tuple(np.log2(np.maximum(a, _LEAST) / np.maximum(b, _LEAST)) for a, b in zip(m, u, strict=True))
    return Weights(m, u, bits, prior)


def _with_prior(weights: Weights, levels: Levels, pairs: Floats, all_pairs: float) -> Weights:
    """The prior at which the expected matches among the candidates are as many as it says."""
    evidence = weights.of(levels) - weights.prior_bits
    prior = weights.prior
    for _ in range(_STEPS):
        expected = float((pairs * probability(evidence + np.log2(prior / (1 - prior)))).sum())
        after = min(max(expected / all_pairs, 1e-12), 0.5)
        if abs(after - prior) <= _SETTLED * prior:
            break
        prior = after
    return _weights(weights.m, weights.u, prior)


def probability(bits: Floats) -> Floats:
    """Probability of log2 odds."""
    return np.asarray(1 / (1 + np.exp2(-np.clip(bits, -1000, 1000))), np.float64)


def _session(levels: Levels, pairs: Floats, skipped: list[bool], u: Shares, guess: Shares) -> Shares:
    """Expected matches at each level among one rule's pairs, by expectation-maximisation; zeros for skipped fields."""
    seen = np.flatnonzero(pairs)
    pairs, rows = pairs[seen], levels[:, seen]
    asked = [at for at, skip in enumerate(skipped) if not skip]
    m, share = list(guess), 0.2
    expected: list[Floats] = [np.zeros(len(one)) for one in guess]
    if not len(seen):
        return tuple(expected)
    for _ in range(_STEPS):
        odds = np.full(len(seen), np.log2(share / (1 - share)))
        for at in asked:
            odds += np.append(np.log2(m[at] / u[at]), 0.0)[rows[at]]
        matches = pairs * probability(odds)
        for at in asked:
            # The last place takes what is missing.
            summed = np.bincount(rows[at] % (len(guess[at]) + 1), matches, len(guess[at]) + 1)
            expected[at] = summed[:-1].astype(np.float64)
        after = [_share_of(expected[at], guess[at]) if at in asked else m[at] for at in range(len(m))]
        moved = max((float(np.abs(a - b).max()) for a, b in zip(after, m, strict=True)), default=0.0)
        m, share = after, min(max(float(matches.sum() / pairs.sum()), 1e-6), 1 - 1e-6)
        if moved < _SETTLED:
            break
    return tuple(expected)


def _share_of(expected: Floats, guess: Floats) -> Floats:
    weighed = expected + _GUESS_IS_WORTH * guess
    return np.asarray(weighed / weighed.sum(), np.float64)


def _pooled(sessions: list[Shares], guess: Shares) -> Shares:
    """One `m` from all sessions, each with the weight of its matches."""
    if not sessions:
        return guess
    summed = [sum(parts) for parts in zip(*sessions, strict=True)]
    return tuple(_share_of(np.asarray(total), one) for total, one in zip(summed, guess, strict=True))
