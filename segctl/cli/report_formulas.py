"""Formulas behind the numbers of reports, with where they were published; signs are those of mathematics."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segctl.model.project import Language

FORMULAS: dict[str, tuple[str, str]] = {
    "wilson": (
        "(p̂ + z²/2n ± z·√(p̂(1−p̂)/n + z²/4n²)) / (1 + z²/n), p̂ = x/n",
        "Wilson 1927, JASA 22:209",
    ),
    "t": ("m ± t·√(s²/n), t with n − 1 degrees of freedom", "Student 1908, Biometrika 6:1"),
    "pooled_z": (
        "z = (p̂t − p̂c) / √(p̄(1−p̄)(1/nt + 1/nc)), p̄ = (xt + xc)/(nt + nc); p = erfc(|z|/√2)",
        "score test, equal to Pearson's χ² without correction; Fleiss, Levin, Paik 2003, ch. 3",
    ),
    "mee": (
        "all δ with |p̂t − p̂c − δ| ≤ z·√(p̃t(1−p̃t)/nt + p̃c(1−p̃c)/nc), p̃ the most likely rates with p̃t − p̃c = δ",
        "Mee 1984, Biometrics 40:1175; Farrington, Manning 1990, Stat Med 9:1447",
    ),
    "koopman": (
        "all φ with (xt − nt·p̃t)²/(nt·p̃t(1−p̃t)) + (xc − nc·p̃c)²/(nc·p̃c(1−p̃c)) ≤ z², p̃t = φ·p̃c; lift = φ − 1",
        "Koopman 1984, Biometrics 40:513",
    ),
    "newcombe": (
        "δ̂ − √((p̂t − lt)² + (uc − p̂c)²) to δ̂ + √((ut − p̂t)² + (p̂c − lc)²), l and u Wilson's limits",
        "Newcombe 1998, Stat Med 17:873, method 10",
    ),
    "welch": (
        "T = (mt − mc)/√(vt + vc), v = s²/n; df = (vt + vc)²/(vt²/(nt−1) + vc²/(nc−1)); interval ± t·√(vt + vc)",
        "Welch 1947, Biometrika 34:28; Satterthwaite 1946",
    ),
    "fieller": (
        "roots of (mc² − q²vc)θ² − 2·mt·mc·θ + (mt² − q²vt) = 0, q the quantile of the test; lift = θ − 1",
        "Fieller 1954, JRSS B 16:175",
    ),
    "delta": (
        "R = Σy/Σx; var(R̂) = sample variance of (y − R·x)/mean(x), over n; then as two means",
        "Deng, Knoblich, Lu 2018, KDD, section 3",
    ),
    "cuped": (
        "y′ = y − θ(x − x̄), θ = cov(y, x)/var(x), x the same figure before exposure; then as two means",
        "Deng, Xu, Kohavi, Walker 2013, WSDM, section 3",
    ),
    "cuped_within": (
        "y′ = y − θ(x − x̄), θ from within the arms, x the same figure before exposure; then as two means",
        "Deng, Xu, Kohavi, Walker 2013, WSDM, section 3; Lin 2013, Ann Appl Stat 7:295",
    ),
    "post_stratified": (
        "δ = Σ Wk·δk, Wk the share of stratum k of all; var = Σ Wk²·var(δk), by arm or from both together, the larger",
        "Miratrix, Sekhon, Yu 2013, JRSS B 75:369",
    ),
    "mantel_haenszel": (
        "strata weighted by nt·nc/(nt + nc)",
        "Greenland, Robins 1985, Biometrics 41:55",
    ),
    "boschloo": ("the largest p over the common rate of tables whose Fisher p is as small", "Boschloo 1970"),
    "fisher": ("sum of hypergeometric probabilities of tables no likelier than the one seen", "Fisher 1935"),
    "confidence_sequence": (
        "δ̂ ± se·√N·√(2(Nρ² + 1)/(N²ρ²)·ln(√(Nρ² + 1)/α))",
        "Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas, arXiv 2103.06476, eq. 9",
    ),
    "always": (
        "the interval whose width holds on any day: z is replaced by √(2(Nρ² + 1)/(Nρ²)·ln(√(Nρ² + 1)/α))",
        "Waudby-Smith and others, arXiv 2103.06476; Johari and others 2022, Operations Research",
    ),
    "planned": (
        "the interval with the bound of this look instead of z; bounds spend α as 2(1 − Φ(z/√t)) (O'Brien-Fleming)",
        "Lan, DeMets 1983, Biometrika 70:659; Jennison, Turnbull 2000, ch. 19",
    ),
    "holm": ("step down: the largest of (m − i + 1)·p(i) so far, at most 1", "Holm 1979, Scand J Stat 6:65"),
    "bh": ("step up: the least of m·p(i)/i from above, at most 1", "Benjamini, Hochberg 1995, JRSS B 57:289"),
    "srm": ("χ² = Σ(seen − expected)²/expected, expected by the weights in force", "Fabijan and others 2019, KDD"),
    "revenue": ("units of the arm × difference per unit; ends likewise", "arithmetic"),
    "sum": ("Σ of the campaigns; se = √Σ se², t with df = (Σ se²)²/Σ(se⁴/df), as if independent", "Satterthwaite 1946"),
    "gap": ("Σ of the campaigns' revenue − the programme's; se as of a sum, as if independent", "arithmetic"),
    "cost": ("messages × cost of one + the arm's part of the fixed cost", "arithmetic"),
    "profit": ("margin × incremental revenue − cost; ends likewise", "arithmetic"),
    "roi": ("profit / cost; ends likewise", "arithmetic"),
    "break_even": ("cost / (margin × units): the difference per unit that pays the cost", "arithmetic"),
    "p_above": ("one-sided p of the difference against the break-even", "as the test of the metric"),
    "per_thousand": ("1,000 × margin × incremental revenue / messages", "arithmetic"),
    "cost_per_extra": (
        "cost / (units × difference of the first primary metric); ends where that is above 0",
        "Fieller 1954",
    ),
    "attributed": ("sum of the metric in the arm, with or without the message", "not an effect"),
    "best": ("P(arm is best) under Beta(1 + x, 1 + n − x), or normal with the standard errors", "Scott 2010"),
    "better": ("P(arm > control) = ∫ f·F of the two posteriors", "Miller 2015; Stucchio 2015"),
    "loss": ("expected loss of choosing the arm: ∫ (others' best − arm)⁺", "Stucchio 2015"),
    "needed": (
        (
            "nc = [z·√((1 + 1/κ)·p̄(1−p̄)) + zβ·√(pt(1−pt)/κ + pc(1−pc))]²/(pt − pc)², κ = nt/nc; means: "
            "(1 + 1/κ)(z + zβ)²σ²/δ²"
        ),
        "Fleiss, Levin, Paik 2003, ch. 4",
    ),
    "mde": ("the effect for which the formula of the size gives the reached size", "Fleiss, Levin, Paik 2003, ch. 4"),
    "compliance": ("difference / (share messaged in the arm − share messaged in the control)", "Imbens, Angrist 1994"),
    "score": (
        "z = (p̂t − p̂c) / √(p̄(1−p̄)(1/nt + 1/nc)), p̄ = (xt + xc)/(nt + nc); p = erfc(|z|/√2)",
        "score test; Fleiss, Levin, Paik 2003, ch. 3",
    ),
    "cochran_q": (
        "Q = Σ w(δ − δ̄)² over groups, w = 1/se², δ̄ their mean by w; p of χ²",
        "Cochran 1954, Biometrics 10:101",
    ),
    "trend": (
        "slope of δ over the weeks, weighted by the inverse of their covariance; p of slope/se",
        "generalised least squares; Higgins, Thompson 2004, Stat Med 23:1663",
    ),
    "thompson": ("e/K + (1 − e)·P(arm is the best), K arms, e dealt evenly", "Thompson 1933, Biometrika 25:285"),
    "extra": ("nt·δ; the ends likewise", "arithmetic"),
}
"""By name of a test, an interval or a figure: the formula and its source."""
_GERMAN: dict[str, str] = {
    "t": "m ± t·√(s²/n), t mit n − 1 Freiheitsgraden",
    "mee": "alle δ mit |p̂t − p̂c − δ| ≤ z·√(p̃t(1−p̃t)/nt + p̃c(1−p̃c)/nc), p̃ die wahrscheinlichsten Raten mit p̃t − p̃c = δ",
    "koopman": "alle φ mit (xt − nt·p̃t)²/(nt·p̃t(1−p̃t)) + (xc − nc·p̃c)²/(nc·p̃c(1−p̃c)) ≤ z², p̃t = φ·p̃c; Änderung = φ − 1",
    "newcombe": "δ̂ − √((p̂t − lt)² + (uc − p̂c)²) bis δ̂ + √((ut − p̂t)² + (p̂c − lc)²), l und u die Grenzen nach Wilson",
    "welch": "T = (mt − mc)/√(vt + vc), v = s²/n; df = (vt + vc)²/(vt²/(nt−1) + vc²/(nc−1)); Bereich ± t·√(vt + vc)",
    "fieller": "Lösungen von (mc² − q²vc)θ² − 2·mt·mc·θ + (mt² − q²vt) = 0, q das Quantil des Tests; Änderung = θ − 1",
    "delta": "R = Σy/Σx; var(R̂) = Stichprobenvarianz von (y − R·x)/Mittel(x), durch n; danach wie zwei Mittelwerte",
    "cuped": "y′ = y − θ(x − x̄), θ = cov(y, x)/var(x), x dieselbe Größe vor der Nachricht; danach wie zwei Mittelwerte",
    "cuped_within": "y′ = y − θ(x − x̄), θ innerhalb der Arme, x dieselbe Größe vor der Nachricht; danach wie zwei "
    "Mittelwerte",
    "post_stratified": "δ = Σ Wk·δk, Wk der Anteil der Schicht k an allen; var = Σ Wk²·var(δk), je Arm "
    "oder aus beiden zusammen, die größere",
    "mantel_haenszel": "Schichten gewichtet mit nt·nc/(nt + nc)",
    "boschloo": "das größte p über die gemeinsame Rate aller Tafeln, deren p nach Fisher so klein ist",
    "fisher": "Summe der hypergeometrischen Wahrscheinlichkeiten aller Tafeln, die nicht wahrscheinlicher sind",
    "always": "der Bereich, der an jedem Tag gilt: statt z steht √(2(Nρ² + 1)/(Nρ²)·ln(√(Nρ² + 1)/α))",
    "planned": "der Bereich mit der Schranke dieses Blicks statt z; α wird verteilt wie 2(1 − Φ(z/√t)) "
    "(O'Brien-Fleming)",
    "holm": "abwärts: das größte (m − i + 1)·p(i) bisher, höchstens 1",
    "bh": "aufwärts: das kleinste m·p(i)/i von oben, höchstens 1",
    "srm": "χ² = Σ(gesehen − erwartet)²/erwartet, erwartet nach den geltenden Gewichten",
    "revenue": "Einheiten des Arms × Unterschied je Einheit; die Enden ebenso",
    "cost": "Nachrichten × Kosten einer + der Anteil des Arms an den festen Kosten",
    "profit": "Marge × zusätzlicher Umsatz − Kosten; die Enden ebenso",
    "sum": "Σ der Kampagnen; se = √Σ se², t mit df = (Σ se²)²/Σ(se⁴/df), als wären sie unabhängig",
    "gap": "Σ des Umsatzes der Kampagnen − der aller zusammen; se wie bei einer Summe, als wäre beides unabhängig",
    "roi": "Gewinn / Kosten; die Enden ebenso",
    "break_even": "Kosten / (Marge × Einheiten): der Unterschied je Einheit, der die Kosten deckt",
    "p_above": "einseitiges p des Unterschieds gegen den, der die Kosten deckt",
    "per_thousand": "1.000 × Marge × zusätzlicher Umsatz / Nachrichten",
    "cost_per_extra": "Kosten / (Einheiten × Unterschied der ersten Hauptgröße); Enden, wo dieser über 0 liegt",
    "attributed": "Summe der Messgröße im Arm, mit oder ohne Nachricht",
    "best": "P(Arm ist am besten) nach Beta(1 + x, 1 + n − x), oder normal mit den Standardfehlern",
    "better": "P(Arm > Kontrolle) = ∫ f·F der beiden Verteilungen",
    "loss": "erwarteter Verlust, wenn der Arm gewählt wird: ∫ (das Beste der anderen − Arm)⁺",
    "needed": "nc = [z·√((1 + 1/κ)·p̄(1−p̄)) + zβ·√(pt(1−pt)/κ + pc(1−pc))]²/(pt − pc)², κ = nt/nc; Mittelwerte: "
    "(1 + 1/κ)(z + zβ)²σ²/δ²",
    "mde": "die Wirkung, für die die Formel der Größe die erreichte Größe gibt",
    "compliance": "Unterschied / (Anteil mit Nachricht im Arm − Anteil mit Nachricht in der Kontrolle)",
    "cochran_q": "Q = Σ w(δ − δ̄)² über die Gruppen, w = 1/se², δ̄ ihr Mittel nach w; p von χ²",
    "trend": "Steigung von δ über die Wochen, gewichtet mit dem Kehrwert ihrer Kovarianz; p von Steigung/se",
    "thompson": "e/K + (1 − e)·P(Arm ist am besten), K Arme, e gleichmäßig verteilt",
    "extra": "nt·δ; die Enden ebenso",
}


def formula(method: str, language: Language) -> str:
    """The formula in a language; signs alone are the same in both, and an unknown method is its own name."""
    if language == "de" and method in _GERMAN:
        return _GERMAN[method]
    return FORMULAS[method][0] if method in FORMULAS else method.replace("_", " ")
