"""Does the effect change with time (novelty), and does it differ between sub-groups (heterogeneity)?

Both take effects with their standard errors, whatever test they come from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt

from segctl.model.dataclass import dataclass
from segctl.stats.multiplicity import benjamini_hochberg
from segctl.stats.special import chi2_sf, normal_log_p, normal_quantile, normal_sf
from segctl.stats.values import Interval, Why, undefined

METHOD = "weighted_regression"
CHANGES = 0.01
"""Under this p the effect is said to change."""


@dataclass(frozen=True, slots=True)
class Measured:
    """An effect in one week or one sub-group.

    Attributes:
        effect: None when undefined: such parts are left out.
        se: Its standard error; None or 0 likewise.
    """

    effect: float | None
    se: float | None


@dataclass(frozen=True, slots=True)
class TrendTest:
    """Whether an effect grows or wears off.

    Attributes:
        slope: Change of the effect per step, such as a week, with its interval.
        p: Two-sided, that it does not change; None with fewer than two steps.
        changes: P is under 0.01.
        used: Steps that went in.
    """

    slope: Interval
    p: float | None
    changes: bool
    used: int


def trend(
    effects: Sequence[Measured],
    *,
    at: Sequence[float] | None = None,
    covariance: Sequence[Sequence[float]] | None = None,
    confidence: float = 0.95,
) -> TrendTest:
    """Regression of effects on time, weighted by precision.

    Args:
        effects: One per step, in order.
        at: Time of each; steps of 1 when left out.
        covariance: Between the effects of all steps, for the same units seen in several weeks; when left out they
            are taken as independent, which for figures that stay with a unit gives a p that is too large, not too
            small. Steps without variance in it are left out; where what is left has no inverse, all are taken as
            independent.
        confidence: Of the slope's interval.

    Source:
        Generalised least squares with known covariance (Higgins, Thompson, Stat Med 23 (2004) 1663 for effects).
    """
    import numpy as np

    times = list(at) if at is not None else list(range(len(effects)))
    joint = None if covariance is None else np.asarray(covariance, dtype=float)
    kept = [
        step
        for step, one in enumerate(effects)
        if one.effect is not None and one.se and (joint is None or joint[step, step])
    ]
    if len({times[step] for step in kept}) < 2:
        return TrendTest(undefined(Why.TOO_FEW, confidence=confidence, method=METHOD), None, False, len(kept))
    values = np.array([effects[step].effect for step in kept], dtype=float)
    spread = np.diag([float(effects[step].se or 0) ** 2 for step in kept])
    if joint is not None and np.linalg.matrix_rank(joint[np.ix_(kept, kept)]) == len(kept):
        spread = joint[np.ix_(kept, kept)]
    rows = np.column_stack([np.ones(len(kept)), [times[step] for step in kept]])
    weighted = np.linalg.solve(spread, rows)
    inverse = np.linalg.inv(rows.T @ weighted)
    slope, se = float((inverse @ (weighted.T @ values))[1]), sqrt(float(inverse[1, 1]))
    half = normal_quantile((1 + confidence) / 2) * se
    p = 2 * normal_sf(abs(slope / se))
    interval = Interval(slope, slope - half, slope + half, confidence, METHOD)
    return TrendTest(interval, p, p < CHANGES, len(kept))


# --- Sub-groups -------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class GroupEffect:
    """One sub-group against all others.

    Attributes:
        against_rest: Its effect minus that of the others together; None with a single group.
        p: Two-sided, that there is no such difference.
        log_p: Its natural logarithm.
        p_adjusted: Benjamini and Hochberg over the groups.
    """

    against_rest: float | None
    p: float | None
    log_p: float | None
    p_adjusted: float | None


@dataclass(frozen=True, slots=True)
class Heterogeneity:
    """Whether an effect differs between sub-groups.

    Attributes:
        pooled: Effect over the groups, weighted by precision; None when none can be used.
        q: Cochran's Q; None with fewer than two groups; likewise `df` and `p`.
        df: Groups − 1.
        p: That the effect is the same in all groups.
        excess: Share of the variation between groups that chance does not explain (I²), 0 to 1.
        groups: Each against the others.
    """

    pooled: float | None
    q: float | None
    df: int | None
    p: float | None
    excess: float | None
    groups: Mapping[str, GroupEffect]


def heterogeneity(effects: Mapping[str, Measured]) -> Heterogeneity:
    """Test that an effect is the same in all sub-groups, and each group against the others.

    Args:
        effects: By group; groups share no unit.

    Source:
        Cochran, Biometrics 10 (1954) 101; Higgins, Thompson, Stat Med 21 (2002) 1539; adjusted after Benjamini,
        Hochberg, JRSS B 57 (1995) 289.
    """
    used = {name: (one.effect, 1 / one.se**2) for name, one in effects.items() if one.effect is not None and one.se}
    nothing = GroupEffect(None, None, None, None)
    if not used:
        return Heterogeneity(None, None, None, None, None, dict.fromkeys(effects, nothing))
    whole = sum(weight for _, weight in used.values())
    pooled = sum(effect * weight for effect, weight in used.values()) / whole
    if len(used) < 2:
        return Heterogeneity(pooled, None, None, None, None, dict.fromkeys(effects, nothing))
    q = sum(weight * (effect - pooled) ** 2 for effect, weight in used.values())
    df = len(used) - 1
    tested = {name: _against_rest(effect, weight, pooled, whole) for name, (effect, weight) in used.items()}
    adjusted = dict(zip(tested, benjamini_hochberg([p for _, p, _ in tested.values()]), strict=True))
    groups = {name: GroupEffect(*tested[name], adjusted[name]) if name in tested else nothing for name in effects}
    return Heterogeneity(pooled, q, df, chi2_sf(q, df), max(0.0, 1 - df / q) if q else 0.0, groups)


def _against_rest(effect: float, weight: float, pooled: float, whole: float) -> tuple[float, float, float]:
    """A group's effect minus that of the others, p, and its logarithm."""
    others = whole - weight
    away = effect - (pooled * whole - effect * weight) / others
    z = away / sqrt(1 / weight + 1 / others)
    return away, 2 * normal_sf(abs(z)), normal_log_p(z)
