"""Distribution functions, loaded when the first number is asked for (`scipy.special` takes 0.3 s).

Upper tails are survival functions, since 1 − cdf is 0 from z = 9 on; logarithms of tails go on where doubles end.
"""

from __future__ import annotations

from math import exp, expm1, inf, isfinite, lgamma, log, log1p, sqrt

LN2 = log(2.0)
TINY = 1e-300


def normal_sf(z: float) -> float:
    """P(Z > z) of the standard normal."""
    from scipy.special import ndtr

    return float(ndtr(-z))


def normal_quantile(p: float) -> float:
    """The z with P(Z ≤ z) = p."""
    from scipy.special import ndtri

    return float(ndtri(p))


def normal_log_p(z: float) -> float:
    """Logarithm of the two-sided p of a z."""
    from scipy.special import log_ndtr

    return min(0.0, float(log_ndtr(-abs(z))) + LN2)


def t_p(t: float, df: float) -> float:
    """Two-sided p of Student's t."""
    from scipy.special import betainc, betaincc

    square = t * t
    if not isfinite(df):
        return 2 * normal_sf(abs(t))
    # Of the two forms the one whose argument is not next to 1, where it would lose its digits.
    if square > df:
        return float(betainc(df / 2, 0.5, df / (df + square)))
    return float(betaincc(0.5, df / 2, square / (df + square)))


def t_log_p(t: float, df: float) -> float:
    """Logarithm of the two-sided p of Student's t, also where p itself is 0 in doubles."""
    p = t_p(t, df)
    if p > TINY:
        return log(p)
    if not isfinite(df):
        return normal_log_p(t)
    # Of x = df / (df + t²), which is 1 in doubles when df is large, and 0 when t is.
    log_x = -log1p(t * t / df) if abs(t) < 1e100 else log(df) - 2 * log(abs(t))
    return log_beta_tail(df / 2, 0.5, log_x)


def t_quantile(p: float, df: float) -> float:
    """The t with P(T ≤ t) = p."""
    from scipy.special import stdtrit

    return float(stdtrit(df, p)) if isfinite(df) else normal_quantile(p)


def chi2_sf(x: float, df: float) -> float:
    """P(X > x) of χ²."""
    from scipy.special import gammaincc

    return float(gammaincc(df / 2, x / 2)) if x > 0 else 1.0


def chi2_log_sf(x: float, df: float) -> float:
    """Logarithm of P(X > x) of χ², also where the probability itself is 0 in doubles."""
    p = chi2_sf(x, df)
    if p > TINY:
        return log(p)
    a, half = df / 2, x / 2
    return a * log(half) - half - lgamma(a) + log(_upper_gamma_fraction(a, half))


def beta_quantile(p: float, a: float, b: float) -> float:
    """The x with P(X ≤ x) = p of Beta(a, b)."""
    from scipy.special import betaincinv

    return float(betaincinv(a, b, p))


def log_beta_tail(a: float, b: float, log_x: float) -> float:
    """Logarithm of the regularised incomplete beta function at a small tail, x well below a / (a + b).

    Source:
        DLMF 8.17.22, evaluated from the front by Lentz' method as modified by Thompson and Barnett 1986.
    """
    x = exp(log_x)
    front = a * log_x + b * log(max(-expm1(log_x), TINY)) - log(a) - _log_beta(a, b)
    return front - log(_beta_fraction(a, b, x))


def _log_beta(a: float, b: float) -> float:
    from scipy.special import betaln

    return float(betaln(a, b))


def _beta_fraction(a: float, b: float, x: float) -> float:
    """The continued fraction 1 + d₁/(1 + d₂/(1 + …)) of the incomplete beta function."""

    def term(m: int) -> float:
        k = m // 2
        if m % 2:
            return -(a + k) * (a + b + k) * x / ((a + 2 * k) * (a + 2 * k + 1))
        return k * (b - k) * x / ((a + 2 * k - 1) * (a + 2 * k))

    value = c = 1.0
    d = 0.0
    for m in range(1, 100_000):
        step = term(m)
        d = 1 / ((1 + step * d) or TINY)
        c = (1 + step / c) or TINY
        value *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return value


def _upper_gamma_fraction(a: float, x: float) -> float:
    """The continued fraction of Γ(a, x) / (xᵃ e⁻ˣ) for x well above a (DLMF 8.9.2)."""
    b = x + 1 - a
    c = inf
    d = 1 / b
    value = d
    for i in range(1, 100_000):
        step = -i * (i - a)
        b += 2
        d = 1 / ((step * d + b) or TINY)
        c = (b + step / c) or TINY
        value *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return value


def root_of_quadratic(a: float, b: float, c: float) -> tuple[float, float] | None:
    """Both roots of a·x² + b·x + c, ascending, without loss of digits; None when there is none or a is 0."""
    within = b * b - 4 * a * c
    if a == 0 or within < 0:
        return None
    sum_ = -(b + (sqrt(within) if b >= 0 else -sqrt(within))) / 2
    if sum_ == 0:
        return 0.0, 0.0
    one, other = sum_ / a, c / sum_
    return min(one, other), max(one, other)
