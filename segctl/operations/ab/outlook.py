"""What comes next: is it enough, how many are missing, until when; beliefs; weights for the next send."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from segctl.compile.zones import DAY, to_us
from segctl.operations.ab.parts import Belief
from segctl.operations.ab.result import Allocation, Next
from segctl.operations.ab.samples import sample_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segctl.model.experiments import Metric
    from segctl.operations.ab.design import Stage
    from segctl.operations.ab.samples import Key, Sample
    from segctl.operations.ab.trial import Trial
    from segctl.stats.posteriors import Posterior
    from segctl.stats.power import Figure
    from segctl.stats.sizing import Design

_LATELY = 28


def outlook(of: Trial, at: Stage) -> Next:
    """Whether there is enough to find the effect that matters, and what is missing."""
    from segctl.stats.sizing import findable, needed

    reached = sum(of.analysed.values())
    effect = None if of.experiment.effect is None else float(of.experiment.effect)
    found = Next(
        at.is_over, reached, at.planned, of.experiment.end, effect=effect, per_day=_per_day(of),
        end_of_windows=of.edge("last", newest=True),
    )  # fmt: skip
    if not reached:
        return replace(found, why="windows_open" if of.units.everybody.height else "nobody")
    figure, why = _figure(of)
    if figure is None or min(of.analysed.values()) == 0:
        return replace(found, why="empty_arm" if min(of.analysed.values()) == 0 else why)
    down = effect < 0 if effect is not None else of.primary.better == "lower"
    smallest = findable(figure, _design(of, at), float(reached), down=down)
    size = None if effect is None else needed(figure, _planned_design(of, at), relative=effect).total
    missing = None if size is None else max(size - of.units.everybody.height, 0)
    return replace(
        found,
        mde=None if smallest.relative is None else abs(smallest.relative),
        mde_points=None if smallest.absolute is None else abs(smallest.absolute),
        needed=size,
        missing=missing,
        days=_days(of, missing, found.per_day),
        why=None if smallest.why is None else smallest.why.value,
    )


def _figure(of: Trial) -> tuple[Figure | None, str | None]:
    """The first primary metric of the control as planning takes it."""
    from segctl.stats.power import Mean, Rate, ratio_figure

    metric = of.primary
    control = sample_of(of.samples[metric.name], metric, of.experiment.control)
    if control.counts is not None:
        rate = control.counts.rate
        return (Rate(rate), None) if rate and rate < 1 else (None, _flat(of, rate or 0.0))
    if metric.kind == "ratio":
        found = ratio_figure(control.moments) if control.moments.n else None
        return found, None if found is not None else "denominator_zero"
    mean, variance = control.moments.mean(), control.moments.covariance()
    if mean is None or not variance:
        return None, "zero_variance" if control.moments.n else "empty_arm"
    return Mean(mean, variance**0.5), None


def _flat(of: Trial, rate: float) -> str:
    """Why a control of which nobody or everybody did it plans nothing; whether that is so of all arms."""
    made = of.samples[of.primary.name]
    rates = {counts.rate for arm in of.others if (counts := sample_of(made, of.primary, arm).counts) is not None}
    if rates - {rate, None}:
        return "control_all" if rate else "control_zero"
    return "all_converted" if rate else "no_conversions"


def _design(of: Trial, at: Stage, weights: Sequence[float] | None = None) -> Design:
    """The comparisons of the primary family; arms as large as they are, or as they are planned."""
    from segctl.stats.sizing import Design, inflation_always, inflation_planned

    experiment = of.experiment
    primary = sum(metric.role == "primary" for metric in experiment.metrics)
    alpha, power = 1 - float(experiment.confidence), float(experiment.power)
    inflation = 1.0
    if experiment.looks == "always":
        inflation = inflation_always(alpha=alpha, power=power)
    elif experiment.looks == "planned" and not at.is_over:
        inflation = inflation_planned(tuple(float(one) for one in experiment.look_shares), alpha=alpha, power=power)
    sizes = weights or [max(of.analysed[arm], 1e-9) for arm in (experiment.control, *of.others)]
    return Design(tuple(sizes), alpha, power, len(of.others) * primary, inflation=inflation)


def _planned_design(of: Trial, at: Stage) -> Design:
    weights = {arm.name: float(arm.weight) for arm in of.experiment.arms}
    return _design(of, at, [weights[arm] for arm in (of.experiment.control, *of.others)])


def _per_day(of: Trial) -> float | None:
    """Units assigned a day, over the last four weeks up to as_of; None when all came on one day, which is no pace."""
    first = of.edge("assigned")
    if first is None or of.as_of <= first:
        return None
    newest = of.edge("assigned", newest=True)
    if newest is not None and newest - first < timedelta(days=1) < of.as_of - newest:
        return None
    begin = max(to_us(of.as_of) - _LATELY * DAY, to_us(first))
    days = max((to_us(of.as_of) - begin) / DAY, 1.0)
    return int((of.units.everybody["assigned"] >= begin).sum()) / days


def _days(of: Trial, missing: int | None, per_day: float | None) -> float | None:
    """Until enough units are there and their windows are complete."""
    if missing is None:
        return None
    last = of.edge("last", newest=True)
    rest = max((last - of.as_of) / timedelta(days=1), 0.0) if last is not None else 0.0
    if not missing:
        return rest
    exposed, ends = of.units.everybody["exposed"], of.units.everybody["last"]
    length = (ends - exposed).max()
    return missing / per_day + (length / DAY if isinstance(length, int) else 0.0) if per_day else None


# --- Beliefs ----------------------------------------------------------------------------------------------
def beliefs(of: Trial, metric: Metric) -> tuple[Belief, ...]:
    """The Bayesian view of the arms; nothing when an arm cannot be believed anything about."""
    from segctl.stats.bayes import ranking
    from segctl.stats.credible import lift_interval

    posteriors = _posteriors(of, metric, of.arms)
    known = {arm: one for arm, one in posteriors.items() if one is not None}
    if len(known) < len(posteriors) or len(known) < 2:
        return ()
    lower = metric.better == "lower"
    ranked = ranking(list(known.values()), lower_is_better=lower)
    found = []
    for arm, best, loss in zip(known, ranked.best, ranked.loss, strict=True):
        if arm == of.experiment.control:
            found.append(Belief(arm, best, None, loss))
            continue
        both = [known[of.experiment.control], known[arm]]
        _, better = ranking(both, lower_is_better=lower).best
        lift = lift_interval(*both, confidence=float(of.experiment.confidence))
        found.append(Belief(arm, best, better, loss, lift))
    return tuple(found)


def _posteriors(of: Trial, metric: Metric, arms: Sequence[str]) -> dict[str, Posterior | None]:
    """Of each arm; over strata where the plain figures would mix unlike people, as the comparison is."""
    from segctl.operations.ab.compare import part_of
    from segctl.stats.posteriors import Normal
    from segctl.stats.strata import standardised

    if of.strata is None or not of.strata.decides:
        return {arm: _posterior(sample_of(of.samples[metric.name], metric, arm), metric) for arm in arms}
    made = of.strata.samples[metric.name]
    strata = []
    for block in sorted({str(one) for _, one in made}):
        inside: dict[Key, Sample] = {(arm,): sample for (arm, of_block), sample in made.items() if of_block == block}
        strata.append([part_of(metric, sample_of(inside, metric, arm)) for arm in arms])
    means = standardised(strata)
    if not means:
        return dict.fromkeys(arms)
    return {
        arm: Normal(one.value, one.variance**0.5) if one.variance else None
        for arm, one in zip(arms, means, strict=True)
    }


def _posterior(sample: Sample, metric: Metric) -> Posterior | None:
    from segctl.stats.posteriors import Normal, beta_posterior
    from segctl.stats.ratios import linearised

    if sample.counts is not None:
        return beta_posterior(sample.counts) if sample.counts.n else None
    moments = linearised(sample.moments) if metric.kind == "ratio" and sample.moments.n else sample.moments
    variance = None if moments is None else moments.covariance()
    if moments is None or not variance:
        return None
    return Normal(moments.means[0], (variance / moments.n) ** 0.5)


def allocation(of: Trial) -> Allocation:
    """Weights for the next send among the arms that are sent something."""
    from segctl.stats.posteriors import Normal
    from segctl.stats.thompson import EXPLORED, Outcome, shares

    metric = of.primary
    sent = [arm.name for arm in of.experiment.arms if arm.is_sent]
    unsent = tuple(arm.name for arm in of.experiment.arms if not arm.is_sent)
    if len(sent) < 2:
        return Allocation({}, {}, EXPLORED, unsent, "one_arm")
    believed = _posteriors(of, metric, sent)
    outcomes = []
    for arm in sent:
        sample, belief = sample_of(of.samples[metric.name], metric, arm), believed[arm]
        if belief is None:
            outcomes.append(Outcome(arm, 0))
        elif sample.counts is not None and not isinstance(belief, Normal):
            outcomes.append(Outcome(arm, sample.counts.n, sample.counts.conversions))
        else:
            outcomes.append(Outcome(arm, sample.moments.n, None, belief.mean, belief.sd))
    if not any(one.n for one in outcomes):
        return Allocation({}, {}, EXPLORED, unsent, "no_data")
    found = shares(outcomes, lower_is_better=metric.better == "lower")
    best = {one.name: one.best for one in found if one.best is not None}
    return Allocation({one.name: one.weight for one in found}, best, EXPLORED, unsent)
