"""The formulas of a report and where they come from, by the name that an interval or a test has."""

from __future__ import annotations

from segctl.model.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Formula:
    """How a number is reckoned.

    Attributes:
        text: In symbols: c control, t treatment, x conversions, n units, p̂ = x/n, m mean, s standard deviation,
            δ = t − c, r = t/c − 1, z quantile of the normal, q of Student's t.
        source: Literature; empty for plain arithmetic.
    """

    text: str
    source: str = ""


FORMULAS: dict[str, Formula] = {
    "wilson": Formula("(p̂ + z²/2n ± z·√(p̂(1 − p̂)/n + z²/4n²)) / (1 + z²/n)", "Wilson, JASA 22 (1927) 209"),
    "t": Formula("m ± q(n − 1)·s/√n"),
    "delta": Formula(
        "R = Σy/Σx;  s² of (y − R·x)/mean(x) between units;  R ± q·s/√n", "Deng, Knoblich, Lu, KDD 2018, section 3"
    ),
    "mee": Formula(
        "all δ with |p̂t − p̂c − δ| ≤ z·√(p̃t(1 − p̃t)/nt + p̃c(1 − p̃c)/nc), where p̃t − p̃c = δ has the greatest likelihood",
        "Mee, Biometrics 40 (1984) 1175; Farrington, Manning, Stat Med 9 (1990) 1447",
    ),
    "koopman": Formula(
        "all φ with (xt − nt·p̃t)²/(nt·p̃t(1 − p̃t)) + (xc − nc·p̃c)²/(nc·p̃c(1 − p̃c)) ≤ z², p̃t = φ·p̃c;  r = φ − 1",
        "Koopman, Biometrics 40 (1984) 513",
    ),
    "pooled_z": Formula(
        "z = (p̂t − p̂c)/√(p̄(1 − p̄)(1/nt + 1/nc)), p̄ = (xt + xc)/(nt + nc);  p = 2·Φ(−|z|)",
        "Pearson, Phil Mag 50 (1900) 157: χ² = z²",
    ),
    "newcombe": Formula(
        "δ − √((p̂t − lt)² + (uc − p̂c)²), δ + √((ut − p̂t)² + (p̂c − lc)²), with Wilson's limits l, u",
        "Newcombe, Stat Med 17 (1998) 873, method 10",
    ),
    "boschloo": Formula(
        "2·max over p of P(Fisher's one-sided p ≤ the one seen | p), the smaller side",
        "Boschloo, Stat Neerl 24 (1970) 1",
    ),
    "welch": Formula(
        "T = δ/√(st²/nt + sc²/nc);  δ ± q(df)·√(st²/nt + sc²/nc)",
        "Welch, Biometrika 34 (1947) 28; Satterthwaite, Biometrics Bull 2 (1946) 110",
    ),
    "fieller": Formula("all r for which δ − r·c is not told from 0", "Fieller, JRSS B 16 (1954) 175"),
    "cuped": Formula(
        "y′ = y − θ(x − mean x), θ = cov(y, x)/var(x), x the same figure before exposure;  then Welch",
        "Deng, Xu, Kohavi, Walker, WSDM 2013, section 3",
    ),
    "post_stratified": Formula(
        "Σ W·δ over strata, W = share of all units", "Miratrix, Sekhon, Yu, JRSS B 75 (2013) 369"
    ),
    "confidence_sequence": Formula(
        "as with one look, with √(2(Nρ² + 1)/(Nρ²)·ln(√(Nρ² + 1)/α)) for z",
        "Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas, arXiv 2103.06476v7, equation 9",
    ),
    "spending": Formula(
        "as with one look, with the bound for z that spends 4(1 − Φ(z(α/4)/√t)) of α up to the share t",
        "Lan, DeMets, Biometrika 70 (1983) 659",
    ),
    "holm": Formula("max over ranks j ≤ i of (m − j + 1)·p(j), at most 1", "Holm, Scand J Stat 6 (1979) 65"),
    "bh": Formula("min over ranks j ≥ i of m·p(j)/j, at most 1", "Benjamini, Hochberg, JRSS B 57 (1995) 289"),
    "chi2": Formula("χ² = Σ (o − e)²/e over arms, e by the declared weights", "Fabijan et al., KDD 2019; Pearson 1900"),
    "share": Formula("number / all"),
    "credible": Formula("quantiles of t/c − 1 under the beliefs", "Scott, Appl Stoch Models Bus Ind 26 (2010) 639"),
    "best": Formula("∫ f(x) ∏ F(x) dx over the other arms", "Scott, Appl Stoch Models Bus Ind 26 (2010) 639"),
    "loss": Formula("E(max over the other arms − this arm, at least 0)", "Stucchio, Bayesian A/B Testing at VWO, 2015"),
    "thompson": Formula(
        "e/K + (1 − e)·P(best), e the share for exploration, K arms", "Thompson, Biometrika 25 (1933) 285"
    ),
    "anderson_rubin": Formula(
        "all e with δ − e·(dt − dc) not told from 0, d = share that was told",
        "Anderson, Rubin, Ann Math Stat 20 (1949) 46",
    ),
    "revenue": Formula("n·δ"),
    "profit": Formula("margin·n·δ − cost"),
    "roi": Formula("profit / cost"),
    "cost": Formula("cost / (margin·n)"),
    "p_above": Formula("one-sided p of δ ≤ break-even"),
    "per_thousand": Formula("margin·n·δ / messages · 1000"),
    "cost_per_extra": Formula("cost / (n·δ) for all δ of the interval", "Fieller, JRSS B 16 (1954) 175"),
    "attributed": Formula("all revenue of the arm in the window"),
    "messages": Formula("messages·price + fixed cost · share of messages"),
    "fleiss": Formula(
        "nc = (z(α/2)·√((1 + 1/κ)·p̄(1 − p̄)) + z(β)·√(pt(1 − pt)/κ + pc(1 − pc)))²/(pt − pc)², κ = nt/nc",
        "Fleiss, Levin, Paik, Statistical Methods for Rates and Proportions, 2003, chapter 4",
    ),
    "noncentral_t": Formula(
        "power of Welch's t at δ = 1 − β", "Chow, Shao, Wang, Sample Size Calculations, 2008, chapter 3"
    ),
    "trend": Formula(
        "slope of δ over weeks, weighted by the inverse covariance", "Higgins, Thompson, Stat Med 23 (2004) 1663"
    ),
    "cochran_q": Formula("Q = Σ w(δ − mean δ)², w = 1/se²", "Cochran, Biometrics 10 (1954) 101"),
    "extra": Formula("n·δ"),
    "sum": Formula("Σ n·δ over campaigns, variances added", "Satterthwaite, Biometrics Bull 2 (1946) 110"),
}
ALIASES = {"cuped_within": "cuped", "fisher": "boschloo", "2sls": "anderson_rubin"}


def formula(name: str) -> Formula | None:
    """The formula that an interval's `method` or a comparison's `test` names."""
    key = ALIASES.get(name, name)
    return FORMULAS.get(key.removeprefix("inverse_"), FORMULAS.get(key))
