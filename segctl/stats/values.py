"""Values that statistics take and give: counts and moments in, intervals and comparisons out.

Undefined is a value with a reason: `None` and a `Why`, never 0, `nan`, `inf` or an exception. Effects are treatment
minus control, lifts treatment / control − 1 (0.12 is +12 %), p-values two-sided.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

from segctl.model.dataclass import dataclass

Side = Literal["low", "high", "both"]


class Flag(StrEnum):
    """Warnings about a comparison; up to `SRM_WARN` in the words of the reference values."""

    SMALL_COUNTS = "small_counts"
    """An arm with fewer than 10 conversions or fewer than 10 without."""
    SMALL_SAMPLE = "small_sample"
    """Fewer than 30 units in an arm."""
    ZERO_CONVERSIONS = "zero_conversions"
    EMPTY_ARM = "empty_arm"
    ZERO_VARIANCE = "zero_variance"
    BASELINE_NOT_POSITIVE = "baseline_not_positive"
    """The control's mean is 0 or below: no percentages."""
    BASELINE_NEAR_ZERO = "baseline_near_zero"
    """The interval of the control's mean contains 0: no percentages."""
    OUTLIER_DOMINATES = "outlier_dominates"
    """One unit has more than 10 % of an arm's sum or more than 50 % of its variance."""
    ALLOCATION_DIFFERS_BY_STRATUM = "allocation_differs_by_stratum"
    SIMPSON_REVERSAL = "simpson_reversal"
    CONTAMINATION = "contamination"
    COVARIATE_USELESS = "covariate_useless"
    SRM_FAIL = "srm_fail"
    SRM_WARN = "srm_warn"
    ALL_CONVERTED = "all_converted"


class Why(StrEnum):
    """Reasons why a number does not exist."""

    EMPTY_ARM = "empty_arm"
    ONE_UNIT = "one_unit"
    """A single unit in an arm has no variance."""
    ZERO_VARIANCE = "zero_variance"
    """No unit differs from another in either arm."""
    NO_CONVERSIONS = "no_conversions"
    """Nobody converted in either arm."""
    ALL_CONVERTED = "all_converted"
    """Everybody converted in both arms."""
    CONTROL_ZERO = "control_zero"
    """The control's rate, mean or ratio is 0."""
    CONTROL_NEGATIVE = "control_negative"
    CONTROL_NEAR_ZERO = "control_near_zero"
    """The control's mean cannot be told from 0, so a percentage has no limits."""
    TREATMENT_NOT_POSITIVE = "treatment_not_positive"
    """A logarithm of it is asked for."""
    DENOMINATOR_ZERO = "denominator_zero"
    """Of a ratio metric: the denominators of an arm add up to 0."""
    NO_COVARIATE = "no_covariate"
    NO_COST = "no_cost"
    NOTHING_SENT = "nothing_sent"
    NO_MARGIN = "no_margin"
    EFFECT_MAY_BE_ZERO = "effect_may_be_zero"
    """A cost per effect has no upper limit while the effect may be 0."""
    NO_EFFECT = "no_effect"
    """The effect is exactly 0 or has the other sign, so that nothing can be divided by it."""
    NO_COMPLIANCE = "no_compliance"
    """Assignment did not change who was messaged."""
    TOO_FEW = "too_few"
    MISSING = "missing"
    """A number that goes in is missing itself."""
    NOBODY = "nobody"
    ONE_ARM = "one_arm"
    """There is nothing to compare."""
    WEIGHT_ZERO = "weight_zero"
    """Somebody is in an arm that nobody should be in."""
    NO_DATA = "no_data"
    """Nothing has been seen of an arm yet."""
    NO_NEW_DATA = "no_new_data"
    """Nothing has come since the look before."""
    OUT_OF_REACH = "out_of_reach"
    """No number of units, or no effect that is possible, would do."""
    NO_ARRIVALS = "no_arrivals"
    CONTRADICTORY = "contradictory"
    """The intervals of earlier looks have nothing in common: the effect changed over time."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and its limits.

    Attributes:
        estimate: None when undefined; `why` says the reason.
        low: Lower limit; None when there is none: without end when `unbounded` names it, else undefined.
        high: Upper limit, likewise.
        confidence: Such as 0.95.
        method: Name of the formula, such as ``mee`` or ``fieller``.
        unbounded: Which limits are infinite.
        why: Reason for whatever is None and not merely unbounded.
    """

    estimate: float | None
    low: float | None
    high: float | None
    confidence: float
    method: str
    unbounded: Side | None = None
    why: Why | None = None

    @property
    def is_bounded(self) -> bool:
        """Both limits are numbers."""
        return self.low is not None and self.high is not None

    def excludes(self, value: float) -> bool:
        """Whether the value lies outside; False when nothing is known."""
        below = self.high is not None and value > self.high
        return below or (self.low is not None and value < self.low)

    def scaled(self, factor: float, offset: float = 0.0) -> Interval:
        """The interval of `factor` × value + `offset`; a negative factor swaps the limits."""
        low, high, side = self.low, self.high, self.unbounded
        if factor < 0:
            low, high = high, low
            side = "high" if side == "low" else "low" if side == "high" else side
        estimate, low, high = (None if v is None else factor * v + offset for v in (self.estimate, low, high))
        return Interval(estimate, low, high, self.confidence, self.method, side, self.why)


def undefined(why: Why, *, confidence: float, method: str, estimate: float | None = None) -> Interval:
    """An interval without limits, for a reason; an estimate may exist nevertheless."""
    return Interval(estimate, None, None, confidence, method, None, why)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Treatment against control: the test and the intervals that belong to it, so that they never contradict.

    Attributes:
        control: Rate, mean or ratio of the control arm; None when undefined.
        treatment: Same of the treatment arm.
        difference: Treatment minus control; excludes 0 exactly when p < 1 − confidence.
        lift: Treatment / control − 1, of the same test.
        p: Two-sided; None when undefined. May underflow to 0, then see `log_p`.
        log_p: Natural logarithm of p.
        test: Name of the test, such as ``pooled_z`` or ``welch``.
        statistic: z or t; None when undefined.
        se: Standard error of the difference: of the test's own null for ``pooled_z``.
        df: Degrees of freedom; None for normal and exact tests.
        flags: Warnings, in order of `Flag`.
        why: Reason of a missing p.
    """

    control: float | None
    treatment: float | None
    difference: Interval
    lift: Interval
    p: float | None
    log_p: float | None
    test: str
    statistic: float | None = None
    se: float | None = None
    df: float | None = None
    flags: tuple[Flag, ...] = ()
    why: Why | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """Units of an arm and how many of them converted.

    Attributes:
        n: Units, 0 or more.
        conversions: Units that converted at least once, 0 to n.
    """

    n: int
    conversions: int

    @property
    def rate(self) -> float | None:
        """Share that converted; None for an empty arm."""
        return self.conversions / self.n if self.n else None

    def merged(self, other: Counts) -> Counts:
        """Both groups of units together."""
        return Counts(self.n + other.n, self.conversions + other.conversions)


@dataclass(frozen=True, slots=True)
class Moments:
    """Means and centred products of figures per unit, over the units of an arm; parts merge into the whole.

    Centred, since sums of squares lose every digit when values are large and differ little.
    Made by `segctl.stats.moments` from rows, sums or variances.

    Attributes:
        n: Units, those without any event included.
        names: Of the figures: ``value``; for ratios also ``below``; for covariates ``before``, ``missing``.
        means: One per figure; 0.0 when n is 0.
        products: Σ (a − mean a)(b − mean b) for every two figures: rows and columns in the order of `names`.
    """

    n: int
    names: tuple[str, ...]
    means: tuple[float, ...]
    products: tuple[tuple[float, ...], ...]

    def mean(self, name: str = "value") -> float | None:
        """Mean of a figure; None without units."""
        return self.means[self.names.index(name)] if self.n else None

    def product(self, one: str = "value", other: str | None = None) -> float:
        """Centred product of two figures, or of one with itself."""
        return self.products[self.names.index(one)][self.names.index(other or one)]

    def covariance(self, one: str = "value", other: str | None = None) -> float | None:
        """With n − 1; the variance when one name is given; None with fewer than two units."""
        return self.product(one, other) / (self.n - 1) if self.n > 1 else None

    def merged(self, other: Moments) -> Moments:
        """Both groups of units together; the same figures in the same order (Chan, Golub, LeVeque 1979)."""
        if self.names != other.names:
            raise ValueError(f"moments of {self.names} and of {other.names} do not merge")
        if not self.n or not other.n:
            return self if self.n else other
        n = self.n + other.n
        gaps = [b - a for a, b in zip(self.means, other.means, strict=True)]
        weight = self.n * (other.n / n)
        means = tuple(a + gap * (other.n / n) for a, gap in zip(self.means, gaps, strict=True))
        size = range(len(gaps))
        products = tuple(
            tuple(self.products[i][j] + other.products[i][j] + gaps[i] * gaps[j] * weight for j in size) for i in size
        )
        return Moments(n, self.names, means, products)

    def combined(self, figures: Mapping[str, Mapping[str, float]]) -> Moments:
        """Moments of weighted sums of figures: ``{"value": {"value": 1, "below": -ratio}}`` is value − ratio·below."""
        rows = [[weights.get(name, 0.0) for name in self.names] for weights in figures.values()]
        means = tuple(sum(w * m for w, m in zip(row, self.means, strict=True)) for row in rows)
        products = tuple(
            tuple(
                sum(a * b * p for a, ps in zip(one, self.products, strict=True) for b, p in zip(two, ps, strict=True))
                for two in rows
            )
            for one in rows
        )
        return Moments(self.n, tuple(figures), means, products)
