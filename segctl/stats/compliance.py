"""When not everybody assigned was messaged, and some controls were: effect of assignment first, of messages after it.

What people received is never compared: who could be reached differs from who could not before any message.
"""

from __future__ import annotations

from math import inf, sqrt

from segctl.model.dataclass import dataclass
from segctl.stats.effects import Effect, fieller, no_lift
from segctl.stats.moments import of_sums
from segctl.stats.special import normal_quantile
from segctl.stats.values import Flag, Interval, Moments, Why, undefined

LEAKED, LEAKED_AT_LEAST = 0.01, 10
"""Share of controls, and controls at least, that were messaged, above which a control is contaminated."""
MESSAGED = "messaged"


@dataclass(frozen=True, slots=True)
class Compliance:
    """Effects of assignment and of being messaged.

    Attributes:
        itt: Difference by assignment (intention to treat); None when an arm is empty.
        control_messaged: Share of the control arm that was messaged.
        treatment_messaged: Share of the treatment arm that was messaged.
        leaked: Controls that were messaged.
        cace: Effect per person whose being messaged was changed by assignment, by two-stage least squares.
        se: Of that, robust (HC0).
        cace_by_test: Same estimate, limits by inverting the test of `itt` (Anderson and Rubin 1949): they exclude 0
            exactly when that test rejects, and stay right when assignment changed little.
        as_treated: Messaged minus not messaged, whatever was assigned: biased, to show by how much.
        flags: ``contamination`` above 1 % and at least 10 of the controls.
        why: Reason of whatever is None.
    """

    itt: float | None
    control_messaged: float | None
    treatment_messaged: float | None
    leaked: int
    cace: Interval
    se: float | None
    cace_by_test: Interval
    as_treated: float | None
    flags: tuple[Flag, ...] = ()
    why: Why | None = None


def of_conversions(n: int, conversions: int, messaged: int, conversions_of_messaged: int) -> Moments:
    """An arm's moments for `compliance`, from counts."""
    sums = {"value": float(conversions), MESSAGED: float(messaged)}
    products = {
        ("value", "value"): float(conversions),
        (MESSAGED, MESSAGED): float(messaged),
        ("value", MESSAGED): float(conversions_of_messaged),
    }
    return of_sums(n, sums, products)


def compliance(control: Moments, treatment: Moments, *, confidence: float = 0.95) -> Compliance:
    """Effects by assignment and by message, from moments of ``value`` and ``messaged`` (0 or 1 per unit).

    Source:
        Imbens and Angrist, Econometrica 62 (1994) 467; Gerber and Green, Field Experiments, 2012, chapter 5.
    """
    leaked = round(control.n * (control.mean(MESSAGED) or 0.0))
    flags = (Flag.CONTAMINATION,) if leaked >= LEAKED_AT_LEAST and leaked > LEAKED * control.n else ()
    shares = control.mean(MESSAGED), treatment.mean(MESSAGED)
    if shares[0] is None or shares[1] is None:
        nothing = undefined(Why.EMPTY_ARM, confidence=confidence, method="2sls")
        return Compliance(None, *shares, leaked, nothing, None, nothing, None, flags, Why.EMPTY_ARM)
    itt = treatment.means[treatment.names.index("value")] - control.means[control.names.index("value")]
    changed = shares[1] - shares[0]
    treated = _as_treated(control, treatment)
    if not changed:
        nothing = undefined(Why.NO_COMPLIANCE, confidence=confidence, method="2sls")
        return Compliance(itt, *shares, leaked, nothing, None, nothing, treated, flags, Why.NO_COMPLIANCE)
    at = itt / changed
    # Residuals have mean 0 in each arm, since two arms decide the two coefficients exactly.
    variance = sum(_left(arm, at) / arm.n**2 for arm in (control, treatment)) / changed**2
    se = sqrt(variance)
    by_test = _by_test(control, treatment, itt, changed, confidence)
    if not se:
        nothing = undefined(Why.ZERO_VARIANCE, confidence=confidence, method="2sls", estimate=at)
        return Compliance(itt, *shares, leaked, nothing, None, by_test, treated, flags, Why.ZERO_VARIANCE)
    half = normal_quantile(0.5 + confidence / 2) * se
    interval = Interval(at, at - half, at + half, confidence, "2sls")
    return Compliance(itt, *shares, leaked, interval, se, by_test, treated, flags)


def _left(arm: Moments, slope: float) -> float:
    """Σ of squared residuals of an arm."""
    left = arm.product() - 2 * slope * arm.product("value", MESSAGED) + slope * slope * arm.product(MESSAGED)
    return max(left, 0.0)


def _by_test(control: Moments, treatment: Moments, itt: float, changed: float, confidence: float) -> Interval:
    """All effects e whose itt − e·changed is not told from 0."""
    sign = 1.0 if changed > 0 else -1.0

    def variance(one: str, other: str) -> float:
        return sum((arm.covariance(one, other) or 0.0) / arm.n for arm in (control, treatment))

    effect = Effect(
        sign * itt, variance("value", "value"), inf, sign * changed, variance(MESSAGED, MESSAGED), inf,
        variance("value", MESSAGED),
    )  # fmt: skip
    method = "anderson_rubin"
    if no_lift(effect, confidence):
        return undefined(Why.NO_COMPLIANCE, confidence=confidence, method=method, estimate=itt / changed)
    found = fieller(effect, confidence=confidence)
    return Interval(found.estimate, found.low, found.high, confidence, method, None, found.why)


def _as_treated(control: Moments, treatment: Moments) -> float | None:
    """Mean of messaged units minus mean of others; None when all are the same."""
    n = control.n + treatment.n
    messaged = sum(arm.n * (arm.mean(MESSAGED) or 0.0) for arm in (control, treatment))
    total = sum(arm.n * (arm.mean() or 0.0) for arm in (control, treatment))
    of_messaged = sum(
        arm.product("value", MESSAGED) + arm.n * (arm.mean() or 0.0) * (arm.mean(MESSAGED) or 0.0)
        for arm in (control, treatment)
    )
    others = n - messaged
    return of_messaged / messaged - (total - of_messaged) / others if messaged > 0.5 and others > 0.5 else None
