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

from segctl.identity.chance import LEAST, Floats, Shares, equal_by_chance
from segctl.identity.comparisons import Comparison, Levels
from segctl.identity.fields import Records
from segctl.identity.pairs import Comparer, Patterns

_ROUNDS = 3
_STEPS = 60
_SETTLED = 1e-5
# Matches that the first guess of `m` is worth: it decides alone where the data show next to none.
_GUESS_IS_WORTH = 5.0
# Purity of a session on one field, such as an e-mail address.
_PROOF = 0.6
# No level is so rare among the records of one person that reaching it refutes: people move, marry and mistype also
# where the data at hand show none of it.
_LEAST_OF_MATCHES = 0.002


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


@dataclass(frozen=True, slots=True)
class Session:
    """The pairs of one blocking rule, from which the other fields are learnt.

    Attributes:
        fixed: Compared fields on which its pairs agree by construction.
        agree: For each field of the rule, the share of all pairs that agree on it; empty where one agreement is as
            good as proof.
        present: Pairs of records that have all fields of the rule.
    """

    fixed: frozenset[str]
    agree: tuple[float, ...]
    present: float

    def purity(self, pairs: float, prior: float) -> float:
        """Share of the session's pairs that chance does not explain, in 0–1.

        Fields are taken as independent, and chance twice as strong as that, since names have their fashions.
        """
        if not self.agree or not pairs:
            return _PROOF
        by_chance = self.present
        for share in self.agree:
            by_chance *= max(share - prior, share / 20)
        return max(1 - 2 * by_chance / pairs, 0.0)


def learnt(comparer: Comparer, counts: PatternCounts, sessions: tuple[Session, ...], by_chance: Shares) -> Weights:
    """The weights for these records.

    Args:
        comparer: The comparisons.
        counts: Patterns of the candidate pairs.
        sessions: One for each row of `counts.by_rule`.
        by_chance: Share of each level among random pairs, from `chance`.
    """
    levels = comparer.decoded(counts.patterns)
    number = len(comparer.records)
    all_pairs = max(number * (number - 1) / 2, 1.0)
    skipped = [[c.field in session.fixed for c in comparer.comparisons] for session in sessions]
    u, guess = by_chance, tuple(_guess(comparison) for comparison in comparer.comparisons)
    weights = _weights(guess, u, min(0.5, 1 / max(number, 2)))
    for _ in range(_ROUNDS):
        pure = [
            session.purity(pairs.sum(), weights.prior) for session, pairs in zip(sessions, counts.by_rule, strict=True)
        ]
        expected = [
            _expected(levels, seen, gone, u, guess, share)
            for seen, gone, share in zip(counts.by_rule, skipped, pure, strict=True)
        ]
        m = tuple(_pooled(at, one, expected, skipped, pure) for at, one in enumerate(guess))
        weights = _with_prior(_weights(m, u, weights.prior), levels, counts.pairs, all_pairs)
        # Random pairs hold a few of one person; where duplicates are many they would pass for chance.
        u = tuple(_without_matches(seen, of_match, weights.prior) for seen, of_match in zip(by_chance, m, strict=True))
    return _with_prior(_weights(m, u, weights.prior), levels, counts.pairs, all_pairs)


def session_of(records: Records, fields: tuple[str, ...], fixed: frozenset[str]) -> Session:
    """The session of a blocking rule on these fields."""
    parts = ("given", "surname") if fields == ("name_tokens",) else fields
    present = np.logical_and.reduce([records.fields[field].codes >= 0 for field in parts]).sum(dtype=np.float64)
    agree = () if len(parts) == 1 else tuple(equal_by_chance(records.fields[field]) for field in parts)
    return Session(fixed, agree, float(present * (present - 1) / 2))


def _guess(comparison: Comparison) -> Floats:
    """What `m` may be before anything is seen: four in five agree, the rest is spread evenly."""
    guess = np.full(len(comparison.levels), 0.2 / (len(comparison.levels) - 1))
    guess[comparison.equal] = 0.8
    return guess


def _without_matches(seen: Floats, of_match: Floats, prior: float) -> Floats:
    """Shares among pairs of two persons, from those among all pairs and among pairs of one person."""
    pure = np.maximum((seen - prior * of_match) / (1 - prior), np.maximum(seen * 0.02, LEAST))
    return np.asarray(pure / pure.sum(), np.float64)


def _weights(m: Shares, u: Shares, prior: float) -> Weights:
    bits = tuple(np.log2(np.maximum(a, LEAST) / np.maximum(b, LEAST)) for a, b in zip(m, u, strict=True))
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


def _expected(levels: Levels, pairs: Floats, skipped: list[bool], u: Shares, guess: Shares, share: float) -> Shares:
    """Expected matches at each level among one rule's pairs, by expectation-maximisation; zeros for skipped fields."""
    seen = np.flatnonzero(pairs)
    pairs, rows = pairs[seen], levels[:, seen]
    asked = [at for at, skip in enumerate(skipped) if not skip]
    m, share = list(guess), min(max(share, 0.05), 0.95)
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
    floored = np.maximum(weighed / weighed.sum(), _LEAST_OF_MATCHES)
    return np.asarray(floored / floored.sum(), np.float64)


def _pooled(at: int, guess: Floats, expected: list[Shares], skipped: list[list[bool]], pure: list[float]) -> Floats:
    """One field's `m` from the sessions that leave it free, each with the weight of its matches.

    Sessions that chance explains as well are left out while there are better ones: two persons of one name have
    similar e-mail addresses, and a session on names would take them for matches.
    """
    free = [number for number, skip in enumerate(skipped) if not skip[at]]
    least = min(0.5, 0.9 * max((pure[number] for number in free), default=0.0))
    total = np.zeros(len(guess))
    for number in free:
        if pure[number] >= least:
            total += expected[number][at]
    return _share_of(total, guess)
