"""Score intervals of two rates: every effect that the data do not reject, with variances as they are under it.

They belong to the pooled z test: `mee` and `koopman` exclude 0 exactly when it rejects. They exist for no conversions
at all and hold their level in holdouts of a few percent, where Wald and the linear delta method do not.
"""

from __future__ import annotations

from collections.abc import Callable
from math import acos, copysign, cos, exp, inf, log, pi, sqrt

from segctl.stats.roots import root
from segctl.stats.special import normal_quantile
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
    if control.rate is None or treatment.rate is None:
        return undefined(Why.EMPTY_ARM, confidence=confidence, method=method)
    estimate = treatment.rate - control.rate
    z = normal_quantile(0.5 + confidence / 2)

    def beyond(difference: float) -> float:
        """How far the difference is rejected; negative inside the interval."""
        rate = control_rate_at(control, treatment, difference)
        moved = rate + difference
        variance = moved * (1 - moved) / treatment.n + rate * (1 - rate) / control.n
        # Squares, since a root at a variance of almost 0 would lose what distinguishes it from 0.
        return (estimate - difference) ** 2 - z * z * factor * max(variance, 0.0)

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


def control_rate_at(control: Counts, treatment: Counts, difference: float) -> float:
    """The control's most likely rate when the treatment's is greater by `difference`."""
    n, pooled = control.n + treatment.n, control.conversions + treatment.conversions
    if difference == 0:
        return pooled / n
    xc, nc = control.conversions, control.n
    l2 = (treatment.n + 2 * nc) * difference - n - pooled
    l1 = (nc * difference - n - 2 * xc) * difference + pooled
    l0 = xc * difference * (1 - difference)
    a, b, c = l2 / (3 * n), l1 / n, l0 / n
    within = a * a - b / 3
    v = a**3 - a * b / 2 + c / 2
    u = copysign(sqrt(max(within, 0.0)), v)
    rate = -a if u == 0 else 2 * u * cos((pi + acos(min(max(v / u**3, -1.0), 1.0))) / 3) - a
    low, high = max(0.0, -difference), min(1.0, 1 - difference)
    # The angle is good for half the digits only where two solutions are near; Newton's steps bring the others.
    for _ in range(4):
        rate = min(max(rate, low), high)
        slope = (3 * rate + 6 * a) * rate + b
        if slope == 0:
            break
        step = (((rate + 3 * a) * rate + b) * rate + c) / slope
        rate -= step
        if abs(step) <= 1e-16 * abs(rate):
            break
    return min(max(rate, low), high)


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
        return _ratio_chi2(control, treatment, exp(log_ratio)) - z * z

    if not control.conversions:
        low = _log_crossing(beyond, FAR, -1.0)
        return Interval(None, exp(low) - 1, None, confidence, method, "high", Why.CONTROL_ZERO)
    ratio = treatment.rate / control.rate
    if not treatment.conversions:
        return Interval(-1.0, -1.0, exp(_log_crossing(beyond, -FAR, 1.0)) - 1, confidence, method)
    at = log(ratio)
    low, high = exp(_log_crossing(beyond, at, -1.0)) - 1, exp(_log_crossing(beyond, at, 1.0)) - 1
    return Interval(ratio - 1, low, high, confidence, method)


def _log_crossing(beyond: Callable[[float], float], inside: float, direction: float) -> float:
    """Where a rejection begins, looked for in steps that double, since the ratio's scale is not known before."""
    near, step = inside, 0.1
    while abs(near) <= 2 * FAR:
        far = near + direction * step
        if beyond(far) > 0:
            return root(beyond, near, far, tolerance=PRECISION)
        near, step = far, 2 * step
    return near


def _ratio_chi2(control: Counts, treatment: Counts, ratio: float) -> float:
    """Koopman's χ² of a ratio of rates, written as the squared difference by its variance under that ratio."""
    nt, nc, xt, xc = treatment.n, control.n, treatment.conversions, control.conversions
    b = ratio * (nt + xc) + xt + nc
    # The smaller solution of (N·ratio) p² − b p + X = 0, in the form that subtracts nothing.
    rate = 2 * (xt + xc) / (b + sqrt(max(b * b - 4 * (nt + nc) * ratio * (xt + xc), 0.0)))
    rate = min(rate, 1.0, 1 / ratio)
    moved = min(ratio * rate, 1.0)
    variance = moved * (1 - moved) / nt + ratio * ratio * rate * (1 - rate) / nc
    apart = xt / nt - ratio * (xc / nc)
    if variance <= 0:
        return inf if apart else 0.0
    return apart * apart / variance
