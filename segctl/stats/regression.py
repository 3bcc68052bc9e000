"""Adjustment by regression with HC2 errors: from rows, since leverage is each unit's own. Columns, never a loop.

Both forms keep their level with very unequal arms, where one slope of both arms together may not.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass
from segctl.stats.special import t_log_p, t_p, t_quantile
from segctl.stats.values import Interval, Why, undefined

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Column = Sequence[float] | NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Regression:
    """The difference of two arms at the covariate's mean of both.

    Attributes:
        difference: With limits by Student's t.
        se: HC2 standard error; None when undefined, with `why`; likewise p.
        df: Units minus coefficients.
        log_p: Natural logarithm of p.
        slopes: Of the covariate: one of both arms, or the control's and the treatment's.
    """

    difference: Interval
    se: float | None
    df: int
    p: float | None
    log_p: float | None
    slopes: tuple[float, ...]
    why: Why | None = None


def ancova(
    control: Column, control_before: Column, treatment: Column, treatment_before: Column, *, confidence: float = 0.95
) -> Regression:
    """One slope within the arms; columns hold one row per unit, `…_before` the covariate.

    Source:
        HC2 after MacKinnon and White, J Econometrics 29 (1985) 305.
    """
    (yc, xc), (yt, xt) = _columns(control, control_before), _columns(treatment, treatment_before)
    if min(len(yc), len(yt)) < 2:
        return _undefined(Why.ONE_UNIT if len(yc) and len(yt) else Why.EMPTY_ARM, "ancova", confidence)
    mc, mt, ac, at = xc.mean(), xt.mean(), yc.mean(), yt.mean()
    within = float(((xc - mc) ** 2).sum() + ((xt - mt) ** 2).sum())
    shared = float((xc - mc) @ (yc - ac) + (xt - mt) @ (yt - at))
    slope = shared / within if within > 0 else 0.0
    gap = float(mt - mc)
    variance = 0.0
    for y, x, mean_y, mean_x, sign in ((yc, xc, ac, mc, -1.0), (yt, xt, at, mt, 1.0)):
        moved = x - mean_x
        left = y - mean_y - slope * moved
        pull = gap / within if within > 0 else 0.0
        leverage = 1 / len(y) + (moved**2 / within if within > 0 else 0.0)
        variance += _hc2((sign / len(y) - pull * moved) * left, leverage)
    difference = float(at - ac) - slope * gap
    return _result("ancova", difference, variance, len(yc) + len(yt) - 3, (slope,), confidence)


def lin(
    control: Column, control_before: Column, treatment: Column, treatment_before: Column, *, confidence: float = 0.95
) -> Regression:
    """A slope for each arm: the fully interacted regression.

    Source:
        Lin, Ann Appl Stat 7 (2013) 295.
    """
    (yc, xc), (yt, xt) = _columns(control, control_before), _columns(treatment, treatment_before)
    if min(len(yc), len(yt)) < 3:
        return _undefined(Why.TOO_FEW if len(yc) and len(yt) else Why.EMPTY_ARM, "lin", confidence)
    middle = (xc.sum() + xt.sum()) / (len(xc) + len(xt))
    means, slopes, variance = [], [], 0.0
    for y, x in ((yc, xc), (yt, xt)):
        moved = x - x.mean()
        spread = float(moved @ moved)
        slope = float(moved @ (y - y.mean())) / spread if spread > 0 else 0.0
        away = float(middle - x.mean())
        left = y - y.mean() - slope * moved
        weights = 1 / len(y) + (away / spread * moved if spread > 0 else 0.0)
        variance += _hc2(weights * left, 1 / len(y) + (moved**2 / spread if spread > 0 else 0.0))
        means.append(float(y.mean()) + slope * away)
        slopes.append(slope)
    return _result("lin", means[1] - means[0], variance, len(yc) + len(yt) - 4, tuple(slopes), confidence)


def _columns(y: Column, x: Column) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    import numpy as np

    return np.asarray(y, dtype=float), np.asarray(x, dtype=float)


def _hc2(parts: NDArray[np.float64], leverage: NDArray[np.float64] | float) -> float:
    """Σ part² / (1 − leverage); a unit that alone decides its own value has no residual and adds nothing."""
    import numpy as np

    free = np.broadcast_to(1 - np.asarray(leverage, dtype=float), parts.shape)
    return float(np.divide(parts**2, free, out=np.zeros_like(parts), where=free > 1e-12).sum())


def _result(
    method: str, difference: float, variance: float, df: int, slopes: tuple[float, ...], confidence: float
) -> Regression:
    if variance <= 0 or df < 1:
        return _undefined(Why.ZERO_VARIANCE if df > 0 else Why.TOO_FEW, method, confidence, difference)
    se = sqrt(variance)
    half = t_quantile(0.5 + confidence / 2, df) * se
    interval = Interval(difference, difference - half, difference + half, confidence, method)
    t = difference / se
    return Regression(interval, se, df, t_p(t, df), t_log_p(t, df), slopes)


def _undefined(why: Why, method: str, confidence: float, estimate: float | None = None) -> Regression:
    nothing = undefined(why, confidence=confidence, method=method, estimate=estimate)
    return Regression(nothing, None, 0, None, None, (), why)
