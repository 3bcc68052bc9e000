"""Checks of the figures: enough of them, like before, one unit that outweighs the rest, effects that wear off."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from segctl.model.conditions.events import Count
from segctl.operations.ab.metrics import dominating, pair
from segctl.operations.ab.parts import Check, Level, MetricReport, Trend
from segctl.stats.effective import LEAST, UNRELIABLE, effective_units
from segctl.stats.means import compare_means
from segctl.stats.moments import of_spread
from segctl.stats.strata import Stratum, over_strata
from segctl.stats.values import Flag

if TYPE_CHECKING:
    from segctl.model.experiments import Metric
    from segctl.operations.ab.result import Next
    from segctl.operations.ab.samples import Pair, Sample
    from segctl.operations.ab.trial import Trial
    from segctl.stats.values import Comparison, Moments

FEW_IN_ALL, FEW_IN_ARM = 100, 10
"""Conversions under which no figure is told: in all arms together, and in any."""
IMBALANCED, WORN_OFF = 0.001, 0.01


def power(of: Trial, ahead: Next) -> Check:
    """Whether there are enough units and conversions to tell anything."""
    made = of.samples[of.primary.name]
    events = {arm: sample.events for (arm, *_), sample in made.items() if sample.events is not None}
    counted = of.primary.kind != "ratio"
    total, least = sum(events.values()), min((events.get(arm, 0) for arm in of.arms), default=0)
    smallest = min(of.analysed.values(), default=0)
    figures: dict[str, object] = {
        "conversions": total if counted else None, "least": least if counted else None, "units": smallest,
        "mde": ahead.mde, "mde_points": ahead.mde_points, "planned": ahead.effect,
    }  # fmt: skip
    if counted and total < FEW_IN_ALL:
        return Check("power", "warn", "few_conversions", figures, decides=True)
    if counted and least < FEW_IN_ARM:
        return Check("power", "warn", "few_in_arm", figures, decides=True)
    counts = [sample.counts for sample in made.values() if sample.counts is not None]
    without = min((one.n - one.conversions for one in counts), default=FEW_IN_ARM)
    if without < FEW_IN_ARM:
        return Check("power", "warn", "few_without", {**figures, "without": without}, decides=True)
    if smallest < 2:
        return Check("power", "warn", "few_units", figures, decides=True)
    if any(_shares_nothing(pair(of, of.primary, arm)) for arm in of.others):
        return Check("power", "warn", "nothing_shared", figures, decides=True)
    worth = rests_on(of, of.primary)
    if worth is not None and worth < UNRELIABLE:
        return Check("power", "warn", "rests_on_few", {**figures, "rests_on": round(worth)}, decides=True)
    if ahead.effect is not None and (ahead.mde is None or ahead.mde > abs(ahead.effect)):
        return Check("power", "warn", "mde_above_plan", figures, decides=True)
    return Check("power", "ok", None, figures)


def _shares_nothing(both: Pair) -> bool:
    """Strata decide, and none has units of both arms."""
    return bool(both.strata) and not any(one.moments.n for _, one, _ in both.strata)


def rests_on(of: Trial, metric: Metric) -> float | None:
    """How many equal values the least of a mean's arms is worth; None for other kinds, and where all values are 0."""
    if metric.kind not in ("mean", "ratio"):
        return None
    found = (effective_units(sample.moments) for sample in of.samples[metric.name].values())
    return min((units for units in found if units is not None), default=None)


def imbalance(of: Trial) -> Check:
    """Did the arms differ before exposure, within strata where these count; Bonferroni over metrics and arms."""
    rows = []
    for metric in of.experiment.metrics:
        if metric.before is None or metric.kind == "time":
            continue
        for arm in of.others:
            both = pair(of, metric, arm)
            if "before" not in both.control.moments.names:
                continue
            found = _before(both)
            rows.append({"metric": metric.name, "arm": arm, "control": found.control, "value": found.treatment,
                         "p": found.p})  # fmt: skip
    tests = len([row for row in rows if row["p"] is not None])
    bad = [row for row in rows if isinstance(row["p"], float) and row["p"] * tests < IMBALANCED]
    level: Level = "warn" if bad else "ok"
    return Check("imbalance", level, "differed_before" if bad else None, {"tests": tests}, tuple(bad or rows))


def _before(both: Pair) -> Comparison:
    """The figure before exposure, compared as the figure itself is: where strata decide, they differed before too."""
    if not both.strata:
        return compare_means(both.control.moments, both.treatment.moments, name="before")
    strata = [Stratum(name, _alone(one.moments), _alone(other.moments)) for name, one, other in both.strata]
    return over_strata(strata).post_stratified


def _alone(moments: Moments) -> Moments:
    """The figure before exposure as if it were the figure."""
    mean, variance = moments.mean("before") or 0.0, moments.covariance("before") or 0.0
    return of_spread(moments.n, {"value": mean}, {("value", "value"): variance})


def outliers(of: Trial) -> Check:
    """Single units that outweigh an arm; else means that rest on few units, whose intervals are too narrow."""
    rows = []
    for metric in of.experiment.metrics:
        if metric.kind not in ("mean", "ratio"):
            continue
        for (arm, *_), sample in of.samples[metric.name].items():
            found = dominating(sample)
            if found is not None:
                rows.append({"metric": metric.name, "arm": arm, "largest": found.value, "of_sum": found.of_sum,
                             "of_variance": found.of_variance})  # fmt: skip
    if rows:
        return Check("outliers", "warn", "one_unit_outweighs", {}, tuple(rows))
    return _resting(of)


def _resting(of: Trial) -> Check:
    rows, found, uncut = [], [], False
    for metric in of.experiment.metrics:
        if metric.kind not in ("mean", "ratio"):
            continue
        made = of.samples[metric.name]
        if _is_share(metric, made.values()):
            continue
        for (arm, *_), sample in made.items():
            units = effective_units(sample.moments)
            if units is not None and units < LEAST:
                found.append(units)
                uncut = uncut or metric.cap is None
                rows.append({"metric": metric.name, "arm": arm, "rests_on": units})
    least = min(found, default=None)
    level: Level = "ok" if least is None else "note" if least >= UNRELIABLE else "warn"
    figures = {} if least is None else {"units": round(least)}
    reason = None if not rows else "rests_on_few" if uncut else "rests_on_few_cut"
    return Check("outliers", level, reason, figures, tuple(rows))


def _is_share(metric: Metric, made: Iterable[Sample]) -> bool:
    """A count of which nobody has more than one: nothing is large."""
    is_count = metric.kind == "mean" and isinstance(metric.measure, Count)
    return is_count and all((sample.largest or 0) <= 1 for sample in made)


def baseline(metrics: Sequence[MetricReport]) -> Check:
    """Controls whose mean is 0 or below, or cannot be told from 0: no percentages."""
    rows = [
        {"metric": one.name, "arm": effect.arm, "control": effect.compared.control, "flag": flag.value}
        for one in metrics
        for effect in one.effects
        for flag in effect.compared.flags
        if flag in (Flag.BASELINE_NEAR_ZERO, Flag.BASELINE_NOT_POSITIVE)
    ]
    return Check("baseline", "note" if rows else "ok", "no_percentages" if rows else None, {}, tuple(rows))


def novelty(trend: Trend | None) -> Check:
    """Whether the effect changes with the weeks since exposure."""
    known = {arm: p for arm, p in (trend.p if trend is not None else {}).items() if p is not None}
    least = min(known.values(), default=None)
    changes = least is not None and least < WORN_OFF
    figures: dict[str, object] = {
        "p": least,
        "weeks": max((one.week for one in trend.points), default=0) if trend else 0,
    }
    rows = tuple({"arm": arm, "p": p} for arm, p in known.items())
    return Check("novelty", "warn" if changes else "ok", "effect_changes" if changes else None, figures, rows)


def simpson(of: Trial) -> Check:
    """Whether arms are split differently in some strata, so that the plain comparison mixes unlike people."""
    found = of.strata
    figures: Mapping[str, object] = {
        "p": found.differs_p if found is not None else None,
        "epochs": len(of.record.epochs) if of.record is not None else 0,
    }
    if found is None or not found.decides:
        return Check("simpson", "ok", None, figures)
    rows = tuple({"arm": arm} for arm in found.reversed)
    reason = "reversed" if rows else "weights_changed" if found.is_ramped else "split_differs_by_stratum"
    return Check("simpson", "warn", reason, figures, rows, decides=True)
