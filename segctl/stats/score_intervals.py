"""Score intervals of two rates: every effect that the data do not reject, with variances as they are under it.

They belong to the pooled z test: `mee` and `koopman` exclude 0 exactly when it rejects. They exist for no conversions
at all and hold their level in holdouts of a few percent, where Wald and the linear delta method do not.
"""

from __future__ import annotations

from collections.abc import Callable
from math import acos, copysign, cos, exp, expm1, inf, log, log1p, pi, sqrt

from segctl.stats.roots import root
from segctl.stats.special import normal_quantile, root_of_quadratic
from segctl.stats.values import Counts, Interval, Why, undefined

PRECISION = 4e-16
BESIDE = 1e-13
FAR = 60.0
"""ln of a ratio of rates beyond which nothing is looked for: e⁶⁰."""


def mee(control: Counts, treatment: Counts, *, confidence: float = 0.95) -> Interval:
    """Score interval of the difference of two rates; the default.

    Source:
        Mee, Biometrics 40 (1984) 1175; rates under a given difference after Farrington and Manning, Stat Med 9 (1990)
        1447, appendix.
    """
    return _of_difference(control, treatment, confidence, "mee", 1.0)


def miettinen_nurminen(control: Counts, treatment: Counts, *, confidence: float = 0.95) -> Interval:
    """Score interval of the difference whose variance is multiplied by N/(N − 1).

    Source:
        Miettinen and Nurminen, Stat Med 4 (1985) 213.
    """
    total = control.n + treatment.n
    factor = total / (total - 1) if total > 1 else 1.0
    return _of_difference(control, treatment, confidence, "miettinen_nurminen", factor)


def _of_difference(control: Counts, treatment: Counts, confidence: float, method: str, factor: float) -> Interval:
    if not control.n or not treatment.n:
        return undefined(Why.EMPTY_ARM, confidence=confidence, method=method)
    if mostly_converted(control, treatment):
        # Rates near 1 keep their digits as shares of those who did not convert.
        mirrored = _of_difference(without(control), without(treatment), confidence, method, factor)
        return mirrored.scaled(-1.0)
    estimate = apart(control, treatment)
    z = normal_quantile(0.5 + confidence / 2)

    def beyond(difference: float) -> float:
        """How far the difference is rejected; negative inside the interval."""
        # Squares, since a root at a variance of almost 0 would lose what distinguishes it from 0.
        return (estimate - difference) ** 2 - z * z * factor * variance_under(control, treatment, difference)

    low = -1.0 if estimate <= -1 else _crossing(beyond, estimate, -1.0)
    high = 1.0 if estimate >= 1 else _crossing(beyond, estimate, 1.0)
    return Interval(estimate, low, high, confidence, method)


def _crossing(beyond: Callable[[float], float], inside: float, end: float) -> float:
    """Where the function leaves its negative values on the way from an estimate to an end."""
    if beyond(end) <= 0:
        return end
    # Without any variance at the estimate itself (nobody converted) the interval begins right beside it.
    start = inside if beyond(inside) < 0 else inside + copysign(BESIDE, end - inside)
    return inside if beyond(start) >= 0 else root(beyond, start, end, tolerance=PRECISION)


def without(arm: Counts) -> Counts:
    """The same arm with those counted who did not convert."""
    return Counts(arm.n, arm.n - arm.conversions)


def mostly_converted(control: Counts, treatment: Counts) -> bool:
    """More than half of all units converted."""
    return 2 * (control.conversions + treatment.conversions) > control.n + treatment.n


def apart(control: Counts, treatment: Counts) -> float:
    """Treatment's rate minus control's, of two arms with units, also exact where both are near 1."""
    if mostly_converted(control, treatment):
        return without(control).conversions / control.n - without(treatment).conversions / treatment.n
    return treatment.conversions / treatment.n - control.conversions / control.n


def variance_under(control: Counts, treatment: Counts, difference: float) -> float:
    """Variance of the difference of rates, at the most likely rates that differ by `difference`."""
    lower, upper = (control, treatment) if difference >= 0 else (treatment, control)
    gap = abs(difference)
    rate = lower_rate(lower, upper, gap)
    above = min(rate + gap, 1.0)
    return rate * (1 - rate) / lower.n + above * max(1 - rate - gap, 0.0) / upper.n


def lower_rate(lower: Counts, upper: Counts, gap: float) -> float:
    """The most likely rate of one arm when the other's is greater by `gap`, 0 to 1.

    The likelihood's slope times s(s + gap)(1 − s)(1 − s − gap) is a cubic, whose middle solution Farrington and Manning
    give in closed form. Where a count is 0 a solution lies at an end and leaves a line or a parabola.
    """
    a, b = lower.conversions, upper.conversions
    c, e = lower.n - a, upper.n - b
    top = 1 - gap
    if gap == 0 or gap >= 1:
        return 0.0 if gap else (a + b) / (lower.n + upper.n)
    if not a and not e:
        found = (b - c * gap) / (b + c) if b + c else 0.0
    elif not a:
        constant = b * top - c * gap * top - e * gap
        parts = b + c + e, -b * (1 + top) - c * (top - gap) - e * top, constant
        found = (root_of_quadratic(*parts) or (0.0, 0.0))[0] if constant > 0 else 0.0
    elif not e:
        inside = a * gap + b * top * gap - c * top
        parts = -(a + b + c), a * top + b - c * gap, a * gap
        found = (root_of_quadratic(*parts) or (0.0, top))[1] if inside < 0 else top
    else:
        found = _middle_solution(a, b, c, e, gap)
    return min(max(found, 0.0), top)


def _middle_solution(a: int, b: int, c: int, e: int, gap: float) -> float:
    """Of the cubic with all counts above 0: the closed form, then Newton's steps for the digits its angle loses."""
    n, top = a + b + c + e, 1 - gap
    third = ((b + e + 2 * (a + c)) * gap - n - a - b) / (3 * n)
    linear = (((a + c) * gap - n - 2 * a) * gap + a + b) / n
    v = third**3 - third * linear / 2 + a * gap * top / n / 2
    u = copysign(sqrt(max(third * third - linear / 3, 0.0)), v)
    rate = -third if u == 0 else 2 * u * cos((pi + acos(min(max(v / u**3, -1.0), 1.0))) / 3) - third
    low, high = 0.0, top
    for _ in range(60):
        if not low < rate < high:
            rate = (low + high) / 2
        # Of the likelihood's slope itself, which falls from +∞ to −∞.
        slope = a / rate + b / (rate + gap) - c / (1 - rate) - e / (top - rate)
        if slope > 0:
            low = rate
        else:
            high = rate
        bend = a / rate**2 + b / (rate + gap) ** 2 + c / (1 - rate) ** 2 + e / (top - rate) ** 2
        step = slope / bend
        rate += step
        if abs(step) <= 1e-15 * rate:
            break
    return rate


def koopman(control: Counts, treatment: Counts, *, confidence: float = 0.95) -> Interval:
    """Score interval of the lift of two rates; the default.

    Without conversions in control there is no estimate and no upper limit, but a lower one: so much more at least.

    Source:
        Koopman, Biometrics 40 (1984) 513.
    """
    method = "koopman"
    if control.rate is None or treatment.rate is None:
        return undefined(Why.EMPTY_ARM, confidence=confidence, method=method)
    if not control.conversions and not treatment.conversions:
        return undefined(Why.NO_CONVERSIONS, confidence=confidence, method=method)
    z = normal_quantile(0.5 + confidence / 2)

    def beyond(log_ratio: float) -> float:
        return ratio_chi2(control, treatment, log_ratio) - z * z

    if not control.conversions:
        low = _log_crossing(beyond, FAR, -1.0)
        return Interval(None, expm1(low), None, confidence, method, "high", Why.CONTROL_ZERO)
    if not treatment.conversions:
        return Interval(-1.0, -1.0, expm1(_log_crossing(beyond, -FAR, 1.0)), confidence, method)
    lift = apart(control, treatment) / control.rate
    at = log1p(lift) if abs(lift) < 0.5 else log(treatment.rate / control.rate)
    low, high = expm1(_log_crossing(beyond, at, -1.0)), expm1(_log_crossing(beyond, at, 1.0))
    return Interval(lift, low, high, confidence, method)


def _log_crossing(beyond: Callable[[float], float], inside: float, direction: float) -> float:
    """Where a rejection begins, looked for in steps that double, since the ratio's scale is not known before."""
    near, step = inside, 0.1
    while abs(near) <= 2 * FAR:
        far = near + direction * step
        if beyond(far) > 0:
            return root(beyond, near, far, tolerance=PRECISION)
        near, step = far, 2 * step
    return near


def ratio_chi2(control: Counts, treatment: Counts, log_ratio: float) -> float:
    """Koopman's χ² of a ratio of rates, written as the squared difference by its variance under that ratio."""
    nt, nc, xt, xc = treatment.n, control.n, treatment.conversions, control.conversions
    ratio = exp(log_ratio)
    if mostly_converted(control, treatment):
        more = expm1(log_ratio)
        left, moved_left = _share_left(control, treatment, more), _share_left(treatment, control, expm1(-log_ratio))
        spread = moved_left * (1 - moved_left) / nt + ratio * ratio * left * (1 - left) / nc
        gap = ratio * ((nc - xc) / nc) - (nt - xt) / nt - more
    else:
        b = ratio * (nt + xc) + xt + nc
        # The smaller solution of (N·ratio) p² − b p + X = 0, in the form that subtracts nothing.
        rate = 2 * (xt + xc) / (b + sqrt(max(b * b - 4 * (nt + nc) * ratio * (xt + xc), 0.0)))
        rate = min(rate, 1.0, 1 / ratio)
        moved = min(ratio * rate, 1.0)
        spread = moved * (1 - moved) / nt + ratio * ratio * rate * (1 - rate) / nc
        gap = xt / nt - ratio * (xc / nc)
    if spread <= 0:
        return inf if gap else 0.0
    return gap * gap / spread


def _share_left(arm: Counts, other: Counts, more: float) -> float:
    """The most likely share of an arm that does not convert, when the other's rate is 1 + `more` times as high."""
    n, failed = arm.n + other.n, arm.n - arm.conversions
    total = failed + other.n - other.conversions
    roots = root_of_quadratic(n * (1 + more), -(more * (n + failed) + total), more * failed)
    return min(max(roots[1] if roots else total / n, 0.0), 1.0)
