"""Sample ratio mismatch: does the split agree with the declared weights, looked at once or every day.

A mismatch means that units got lost or were added in one arm, and then no figure of the experiment can be trusted.
Counts are of units as assigned, weights as declared (never assumed to be equal).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import exp, lgamma, log
from typing import TYPE_CHECKING, Literal

from segctl.model.dataclass import dataclass
from segctl.stats.multinomial import exact_p
from segctl.stats.special import chi2_log_sf, chi2_sf
from segctl.stats.strata import arm_by_stratum
from segctl.stats.values import Flag, Why

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Verdict = Literal["pass", "warn", "fail"]
FAIL, WARN = 0.001, 0.01
SMALL = 5
"""Under this many expected units in an arm the exact test decides."""
EXACT_UP_TO = 1_000
"""Units up to which the exact p is given beside χ², whatever is expected."""
CONCENTRATION = 100.0
Epoch = tuple[Sequence[int], Sequence[float]]
"""Units per arm that were assigned while weights per arm were in force."""


@dataclass(frozen=True, slots=True)
class SplitTest:
    """The split of the arms against the declared weights.

    Attributes:
        counts: Units per arm.
        expected: Units per arm that the weights let expect.
        excess: Counts minus expected: how many people too many (or too few, when negative).
        chi2: None when nothing can be tested, with `why`; likewise the others.
        df: Arms with positive weight − 1.
        p: That decides: `p_exact` when an arm expects fewer than 5 units, else of χ².
        log_p: Its natural logarithm.
        p_chi2: Of χ².
        p_exact: Exact; None for large counts.
        verdict: `fail` under 0.001, `warn` under 0.01; None when nothing can be tested.
        why: ``weight_zero``: somebody is in an arm of weight 0, which fails whatever the rest is like.
    """

    counts: tuple[int, ...]
    expected: tuple[float, ...]
    chi2: float | None = None
    df: int | None = None
    p: float | None = None
    log_p: float | None = None
    p_chi2: float | None = None
    p_exact: float | None = None
    verdict: Verdict | None = None
    why: Why | None = None

    @property
    def excess(self) -> tuple[float, ...]:
        """Units above what the weights let expect, by arm; they add up to 0."""
        return tuple(have - want for have, want in zip(self.counts, self.expected, strict=True))

    @property
    def flags(self) -> tuple[Flag, ...]:
        """`srm_fail` or `srm_warn`."""
        found = {"fail": (Flag.SRM_FAIL,), "warn": (Flag.SRM_WARN,)}
        return found.get(self.verdict or "pass", ())


def split_test(counts: Sequence[int], weights: Sequence[float]) -> SplitTest:
    """Test the split of one epoch; see `split_test_of_epochs`."""
    return split_test_of_epochs([(counts, weights)])


def split_test_of_epochs(epochs: Sequence[Epoch]) -> SplitTest:
    """Test the split over all weights that were in force, one after the other.

    With one epoch this is Pearson's χ². With several, the sums over epochs are compared with the summed expectations,
    and their covariance is that of a draw within each epoch: a growing arm does not look like a mismatch.

    Args:
        epochs: At least one; each with the same arms in the same order.

    Raises:
        ValueError: A count or weight is negative, or the epochs have different arms.

    Source:
        Fabijan et al., KDD 2019; exact tests order outcomes by their probability.
    """
    _checked(epochs)
    counts = tuple(sum(have) for have in zip(*(units for units, _ in epochs), strict=True))
    expected = _expected(epochs)
    if any(have and not weight for units, weights in epochs for have, weight in zip(units, weights, strict=True)):
        return SplitTest(counts, expected, verdict="fail", why=Why.WEIGHT_ZERO)
    if not sum(counts):
        return SplitTest(counts, expected, why=Why.NOBODY)
    chi2, df = _chi2(epochs, expected)
    if not df:
        return SplitTest(counts, expected, why=Why.ONE_ARM)
    p_chi2, log_p = chi2_sf(chi2, df), chi2_log_sf(chi2, df)
    small = any(0 < want < SMALL for want in expected)
    p_exact = None
    if len([1 for units, _ in epochs if sum(units)]) == 1 and (small or sum(counts) <= EXACT_UP_TO):
        p_exact = exact_p(counts, [want / sum(counts) for want in expected])
    p = p_exact if small and p_exact is not None else p_chi2
    if p != p_chi2:
        log_p = log(p) if p else log_p
    return SplitTest(counts, expected, chi2, df, p, log_p, p_chi2, p_exact, verdict_of(p))


def verdict_of(p: float) -> Verdict:
    """What a p of the split means."""
    return "fail" if p < FAIL else "warn" if p < WARN else "pass"


def _checked(epochs: Sequence[Epoch]) -> None:
    if len({len(side) for epoch in epochs for side in epoch}) != 1:
        raise ValueError("every epoch has a count and a weight for each arm")
    if any(number < 0 for epoch in epochs for side in epoch for number in side):
        raise ValueError("counts and weights are 0 or more")


def _expected(epochs: Sequence[Epoch]) -> tuple[float, ...]:
    """Σ over epochs of units × share of the weights."""
    rows = [[sum(units) * weight / (sum(weights) or 1) for weight in weights] for units, weights in epochs]
    return tuple(sum(column) for column in zip(*rows, strict=True))


def _chi2(epochs: Sequence[Epoch], expected: Sequence[float]) -> tuple[float, int]:
    """The squared distance of the sums in terms of their covariance, and its rank."""
    import numpy as np

    want = np.array(expected)
    used = want > 0
    have = np.sum([units for units, _ in epochs], axis=0)
    away = (have - want)[used] / np.sqrt(want[used])
    if len([1 for units, _ in epochs if sum(units)]) == 1:
        return float(away @ away), int(used.sum()) - 1
    values, vectors = np.linalg.eigh(_covariance(epochs, want, used))
    kept = values > 1e-9
    return float(np.sum((vectors.T @ away)[kept] ** 2 / values[kept])), int(kept.sum())


def _covariance(epochs: Sequence[Epoch], expected: NDArray[np.float64], used: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Covariance of the sums, each divided by the root of its expectation."""
    import numpy as np

    covariance = np.diag(expected)
    for units, weights in epochs:
        if any(weights):
            shares = np.array(weights, dtype=float) / sum(weights)
            covariance = covariance - sum(units) * np.outer(shares, shares)
    root = np.sqrt(expected[used])
    scaled: NDArray[np.float64] = covariance[np.ix_(used, used)] / np.outer(root, root)
    return scaled


# --- By stratum and by day --------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class GroupedSplit:
    """The split within each group, such as strata or days.

    Attributes:
        tests: By group, in their order.
        p: Of every group, multiplied by the number of groups that could be tested (Bonferroni), at most 1.
        worst: Group with the smallest p; None when none could be tested.
        verdict: Of the worst group by that p; `fail` when somebody is in an arm of weight 0.
        differs_p: That the arms' shares are the same in all groups, whatever the weights say (χ² of arm × group);
            None when there is nothing to compare.
    """

    tests: Mapping[str, SplitTest]
    p: Mapping[str, float]
    worst: str | None
    verdict: Verdict | None
    differs_p: float | None


def split_by_group(groups: Mapping[str, Sequence[Epoch]]) -> GroupedSplit:
    """Test the split within each group of units.

    Args:
        groups: Epochs by group; groups may have weights of their own, such as days before and after a change.
    """
    tests = {name: split_test_of_epochs(epochs) for name, epochs in groups.items()}
    known = {name: test.p for name, test in tests.items() if test.p is not None}
    adjusted = {name: min(1.0, p * len(known)) for name, p in known.items()}
    broken = [name for name, test in tests.items() if test.why == Why.WEIGHT_ZERO]
    worst = broken[0] if broken else min(adjusted, key=lambda name: known[name], default=None)
    verdict: Verdict | None = "fail" if broken else verdict_of(adjusted[worst]) if worst is not None else None
    return GroupedSplit(tests, adjusted, worst, verdict, homogeneity_p([test.counts for test in tests.values()]))


def homogeneity_p(table: Iterable[Sequence[int]]) -> float | None:
    """The p of equal shares in all rows (Pearson's χ²); None with fewer than two rows or columns in use."""
    return arm_by_stratum(list(table)).p


# --- Looked at every day ----------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class SplitLook:
    """One look of the test that may be looked at as often as one likes.

    Attributes:
        log_bayes_factor: For a mismatch, at this look.
        p: Smallest over the looks so far; under α at any look with probability α at most.
        log_p: Its natural logarithm.
    """

    log_bayes_factor: float
    p: float
    log_p: float

    @property
    def verdict(self) -> Verdict:
        """As of the single look."""
        return verdict_of(self.p)


def log_bayes_factor(counts: Sequence[int], weights: Sequence[float], *, concentration: float = CONCENTRATION) -> float:
    """Logarithm of how much better any split explains counts than the declared one.

    Args:
        counts: Units per arm, from the beginning of the epoch.
        weights: Relative weights; arms of weight 0 must be empty.
        concentration: Of the Dirichlet prior around the weights; larger finds smaller mismatches, later.

    Source:
        Lindon, Malek, Anytime-valid inference for multinomial count data, NeurIPS 2022.
    """
    pairs = [(have, weight / sum(weights)) for have, weight in zip(counts, weights, strict=True) if weight or have]
    if any(not share for _, share in pairs):
        raise ValueError("somebody is in an arm of weight 0")
    before = [concentration * share for _, share in pairs]
    after = [prior + have for prior, (have, _) in zip(before, pairs, strict=True)]
    null = sum(have * log(share) for have, share in pairs if have)
    return _log_beta(after) - _log_beta(before) - null


def split_looks(looks: Iterable[Sequence[Epoch]], *, concentration: float = CONCENTRATION) -> tuple[SplitLook, ...]:
    """The split looked at again and again, such as every day.

    Epochs have a prior each, so that evidence multiplies and stays valid when weights change.

    Args:
        looks: What each look saw: the epochs so far, with counts from the beginning of each.
        concentration: See `log_bayes_factor`.
    """
    found: list[SplitLook] = []
    smallest = 0.0
    for epochs in looks:
        evidence = sum(log_bayes_factor(counts, weights, concentration=concentration) for counts, weights in epochs)
        smallest = min(smallest, -evidence)
        found.append(SplitLook(evidence, exp(smallest), smallest))
    return tuple(found)


def _log_beta(values: Sequence[float]) -> float:
    return sum(map(lgamma, values)) - lgamma(sum(values))
