"""How often two records agree by chance: exactly for equality, from random pairs for what is merely alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segctl.identity.comparisons import Comparison
from segctl.identity.fields import Coded
from segctl.identity.pairs import Comparer

Floats = NDArray[np.float64]
Shares = tuple[Floats, ...]

# No level is so rare among two persons that reaching it is proof.
LEAST = 1e-6
# Random pairs that the guess of a comparison is worth: about those of 45 records.
_LIKELY_IS_WORTH = 1_000.0


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
        exact = {comparison.equal: equal_by_chance(comparer.records.fields[comparison.field])}
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
    average = np.log2(max(equal_by_chance(field), LEAST))
    return np.where(field.counts > 1, average - np.log2(np.maximum(share, LEAST)), 0.0)


def equal_by_chance(field: Coded) -> float:
    """Share of equal pairs among all pairs of records that have the field, from the counts of its values."""
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
    known = {level: min(max(value, LEAST), 0.99) for level, value in exact.items()}
    rest = seen.copy()
    rest[list(known)] = 0
    shares = rest / rest.sum() * (1 - sum(known.values()))
    shares[list(known)] = list(known.values())
    at_least: Floats = np.maximum(shares, LEAST)
    return at_least


def _tempered(seen: Floats, comparison: Comparison, pairs: float) -> Floats:
    """What was seen, mixed with what is likely: among a handful of records chance cannot be seen."""
    likely = np.full(len(seen), 0.03 / max(len(seen) - 2, 1))
    likely[comparison.equal] = comparison.by_chance
    likely[0] = 1 - likely[1:].sum()
    mixed: Floats = (pairs * seen + _LIKELY_IS_WORTH * likely) / (pairs + _LIKELY_IS_WORTH)
    return mixed
