"""The first sentence in codes and numbers: what happened, how sure, and what stands against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from segctl.operations.ab.result import Headline, State
from segctl.operations.ab.rivals import rivals

if TYPE_CHECKING:
    from segctl.operations.ab.design import Stage
    from segctl.operations.ab.parts import Check, Effect, MetricReport
    from segctl.operations.ab.trial import Trial
    from segctl.stats.values import Comparison, Interval

_PER = (100, 1_000, 10_000, 100_000, 1_000_000)
_LEAST_SHOWN = 100
"""Conversions are given per so many units that the rarest arm has this many at least."""


def headline(of: Trial, at: Stage, metrics: Sequence[MetricReport], checks: Sequence[Check]) -> Headline:
    """The state, and the numbers of its sentence.

    What decides, in this order: a broken split or control; nobody to tell of; a guard-rail; a look before its time; too
    few to tell; the first primary metric.
    """
    main = next(one for one in metrics if one.role == "primary")
    failed = [check for check in checks if check.level == "fail" and check.decides]
    if not sum(of.analysed.values()):
        state: State = "not_usable" if failed else "nothing_yet"
        return Headline(state, main.name, reasons=_names(failed), basis=at.basis)
    effect = _of_interest(main)
    found = _numbers(of, at, main, effect, _counted(effect, main))
    if failed:
        return replace(found, state="not_usable", reasons=_names(failed))
    broken = _hurt(metrics, main, effect)
    if broken:
        return replace(found, state="guardrail", reasons=broken)
    if at.is_early:
        return replace(found, state="too_early", leaning=_side(found, of), reasons=("peeking",))
    power = next((check for check in checks if check.name == "power" and check.decides), None)
    told = found.state in ("more", "fewer")
    if found.state == ("more" if main.better == "higher" else "fewer"):
        found = replace(found, rivals=rivals(of, at, main, effect.arm))
    if power is not None and not (told and power.reason == "mde_above_plan"):
        return replace(found, state="too_small", leaning=_side(found, of), reasons=("power",))
    return found


def _hurt(metrics: Sequence[MetricReport], main: MetricReport, effect: Effect) -> tuple[str, ...]:
    """Guard-rails that the arm of the headline broke, and other primary metrics that it made worse while one is better.

    What another arm broke stands in the figures: it is no reason against this one.
    """
    found = []
    for one in metrics:
        same = one.effect(effect.arm)
        if same is None:
            continue
        opposed = one is not main and one.role == "primary" and same.verdict == "worse" and effect.verdict == "better"
        if same.held == "failed" or opposed:
            found.append(one.name)
    return tuple(found)


def _names(checks: Sequence[Check]) -> tuple[str, ...]:
    return tuple(check.name for check in checks)


def _of_interest(main: MetricReport) -> Effect:
    """The arm that the headline is about: the best of those that are better, else the worst, else the clearest."""
    toward = 1 if main.better == "higher" else -1

    def size(effect: Effect) -> float:
        return toward * (effect.compared.difference.estimate or 0.0)

    better = [effect for effect in main.effects if effect.verdict == "better"]
    worse = [effect for effect in main.effects if effect.verdict == "worse"]
    if better:
        return max(better, key=size)
    if worse:
        return min(worse, key=size)
    return min(main.effects, key=lambda effect: 2.0 if effect.p_adjusted is None else effect.p_adjusted)


def _counted(effect: Effect, main: MetricReport) -> tuple[Comparison, float | None]:
    """The comparison that the headline tells, with intervals that agree with its p, and that p."""
    exact = effect.also.get("exact")
    p = exact.p if exact is not None and main.tests == 1 and effect.basis == "fixed" else effect.p_adjusted
    return replace(effect.compared, difference=effect.told, lift=effect.told_lift), p


def _numbers(
    of: Trial, at: Stage, main: MetricReport, effect: Effect, told: tuple[Comparison, float | None]
) -> Headline:
    compared, p = told
    difference = compared.difference
    compared_units = sum(of.analysed.get(arm, 0) for arm in (of.experiment.control, effect.arm))
    per = per_units(main, compared_units) if main.kind == "conversion" else 1
    alpha = 1 - float(of.experiment.confidence)
    estimate = difference.estimate
    state: State = "no_difference"
    # An exact p may find less than the interval beside it, never more.
    if p is not None and p <= alpha and estimate and effect.verdict != "none":
        state = "more" if estimate > 0 else "fewer"
    is_good = None if state == "no_difference" else (state == "more") == (main.better == "higher")
    scaled = difference.scaled(per)
    return Headline(
        state, main.name, effect.arm, _times(compared.control, per), _times(compared.treatment, per), per,
        scaled, compared.lift, None if main.kind in ("ratio", "time") else difference.scaled(of.analysed[effect.arm]),
        _ruled_out(scaled) if state == "no_difference" else None, at.basis, is_good, p=p,
    )  # fmt: skip


def per_units(main: MetricReport, compared: int) -> int:
    """So many units that some 100 of the rarest arm convert among them; no more than were compared, 100 at least."""
    rates = [one.value.estimate for one in main.arms if one.value.estimate]
    rarest = min(rates, default=0.01)
    there = [per for per in _PER if per <= max(compared, _PER[0])]
    return next((per for per in there if rarest * per >= _LEAST_SHOWN), there[-1])


def _times(value: float | None, per: int) -> float | None:
    return None if value is None else value * per


def _ruled_out(difference: Interval) -> float | None:
    """The largest difference that the interval leaves possible."""
    if difference.low is None or difference.high is None:
        return None
    return max(abs(difference.low), abs(difference.high))


def _side(found: Headline, of: Trial) -> Literal["more", "fewer"] | None:
    """What even the interval shown says."""
    states: Mapping[str, Literal["more", "fewer"]] = {"more": "more", "fewer": "fewer"}
    alpha = 1 - float(of.experiment.confidence)
    return states.get(found.state) if found.p is not None and found.p <= alpha else None
