"""Ratio metrics, such as revenue per order, when units were randomised and not orders: the delta method.

Every unit is kept, those without a denominator as well: leaving them out would select by the outcome.
"""

from __future__ import annotations

from dataclasses import replace

from segctl.stats.effects import compare, effect_of, no_comparison
from segctl.stats.means import estimate, mean_flags, too_few
from segctl.stats.values import Comparison, Moments, Why

TINY = 1e-12
"""A variance smaller than this beside what it was subtracted from is rounding."""


def ratio(arm: Moments, *, value: str = "value", below: str = "below") -> float | None:
    """Sum of `value` by sum of `below`; None for an empty arm and when the denominators add up to 0."""
    above, under = arm.mean(value), arm.mean(below)
    return above / under if above is not None and under else None


def linearised(arm: Moments, *, value: str = "value", below: str = "below") -> Moments | None:
    """Moments of what behaves like the ratio: its mean is the ratio, its variance by n the ratio's variance.

    That is ratio + (value − ratio·below) / mean of below, for every unit; other figures stay as they are.

    Source:
        Deng, Knoblich and Lu, KDD 2018, section 3; Budylin et al., KDD 2018.
    """
    found, under = ratio(arm, value=value, below=below), arm.mean(below)
    if found is None or under is None:
        return None
    others = [name for name in arm.names if name not in (value, below)]
    figures = {"value": {value: 1 / under, below: -found / under}, **{name: {name: 1.0} for name in others}}
    moved = arm.combined(figures)
    scale = (arm.product(value) + found * found * arm.product(below)) / (under * under)
    if abs(moved.products[0][0]) <= TINY * scale:
        clean = ((0.0,) * len(figures), *((0.0, *row[1:]) for row in moved.products[1:]))
        moved = replace(moved, products=clean)
    return replace(moved, means=(found, *moved.means[1:]))


def compare_ratios(
    control: Moments, treatment: Moments, *, confidence: float = 0.95, value: str = "value", below: str = "below"
) -> Comparison:
    """Treatment's ratio against control's, as two means of linearised values."""
    moved = [linearised(arm, value=value, below=below) for arm in (control, treatment)]
    c, t = (None if arm is None else estimate(arm) for arm in moved)
    if c is not None and t is not None:
        flags = mean_flags(*(arm for arm in moved if arm))
        return compare(effect_of(c, t), confidence=confidence, test="delta", flags=flags)
    # With units and without a ratio it is the denominators.
    why = Why.DENOMINATOR_ZERO if control.n and treatment.n and None in moved else too_few(control, treatment)
    return no_comparison(
        why,
        confidence=confidence,
        test="delta",
        control=ratio(control, value=value, below=below),
        treatment=ratio(treatment, value=value, below=below),
        flags=mean_flags(control, treatment, name=value),
    )
