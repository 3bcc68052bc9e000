"""`report control`: what campaigns brought compared with people who were told nothing.

Each campaign against its own control, all of them summed over time, and everybody else against the universal holdout.
Campaign effects do not add up to that of the programme: campaigns take from each other, and the gap says how much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from segctl.model.dataclass import dataclass
from segctl.model.errors import UsageError
from segctl.operations.ab.ab import declared, reported
from segctl.operations.control_result import CampaignEffect, ControlReport, Cumulative
from segctl.stats.money import as_told, total
from segctl.stats.values import Why, undefined

if TYPE_CHECKING:
    from segctl.model.experiments import Experiment, Metric
    from segctl.operations.ab.result import AbReport
    from segctl.operations.ab.samples import Sample
    from segctl.operations.ab.trial import Trial
    from segctl.operations.session import Session
    from segctl.stats.values import Comparison

ALL = "all"


@dataclass(frozen=True)
class Campaign:
    """A campaign with what its sums are made of.

    Attributes:
        told: Its line.
        revenue: Comparison of money; None without such a metric.
        currency: Of that.
        margin: Share of revenue that is profit.
        cost: Of all its messages.
        held_back: Why no return is claimed of it, so that it enters no sum: a state of the headline or ``too_few``.
    """

    told: CampaignEffect
    trial: Trial
    revenue: Comparison | None
    currency: str | None
    margin: float
    cost: float
    held_back: str | None = None


def report_control(
    session: Session,
    campaign: str = ALL,
    *,
    now: datetime,
    command: str = "report control",
    look: bool = True,
    clock: datetime | None = None,
) -> ControlReport:
    """Report on one campaign's control group, or on all and the universal holdout.

    Args:
        session: Open project and workspace.
        campaign: Name of an experiment, or ``all``.
        now: Events and assignments after it do not count.
        command: That is put on record as having shown results.
        look: Put it on record for experiments that run.
        clock: When somebody looks; `now` when left out.

    Raises:
        UsageError: No such experiment, or one without an arm that is told nothing.
    """
    from segctl.operations.control_programme import programmes
    from segctl.state.experiments import add_look

    wanted = list(session.definitions.experiments) if campaign == ALL else [declared(session, campaign).name]
    skipped: dict[str, str] = {}
    found: list[Campaign] = []
    for name in wanted:
        experiment = against_silence(session.definitions.experiments[name])
        if experiment is None and campaign != ALL:
            hint = f"`segctl report ab {name}` compares its arms"
            raise UsageError("SEG969", f"every arm of `{name}` is sent something", hint=hint)
        made = None if experiment is None else _campaign(session, experiment, now)
        if made is None:
            skipped[name] = "no_unsent_control" if experiment is None else "nothing_yet"
            continue
        found.append(made)
        record = made.trial.record
        if look and record is not None and (record.stopped is None or made.trial.ripens):
            at = now if clock is None else min(now, clock)
            add_look(session.workspace, made.trial.experiment.key, at=at, command=command)
    found.sort(key=lambda one: (one.told.report.began or now, one.told.experiment))
    summed, currency = _summed(found, skipped)
    return ControlReport(
        as_of=now,
        campaigns=tuple(one.told for one in found),
        cumulative=cumulative(session, summed),
        programmes=programmes(session, found, summed, now=now) if campaign == ALL else (),
        skipped=skipped,
        currency=currency,
    )


def against_silence(experiment: Experiment) -> Experiment | None:
    """The experiment with an arm that is told nothing as its control; None without such an arm."""
    quiet = [arm.name for arm in experiment.arms if not arm.is_sent]
    if not quiet or len(quiet) == len(experiment.arms):
        return None
    return experiment if experiment.control in quiet else replace(experiment, control=quiet[0])


def _campaign(session: Session, experiment: Experiment, now: datetime) -> Campaign | None:
    """One campaign; None while nobody has a complete window."""
    from segctl.operations.ab.contacts import reached
    from segctl.operations.ab.money import cost_of, money_of
    from segctl.operations.ab.trial import trial

    of = trial(session, experiment, as_of=now)
    report = reported(of)
    if report.headline.state == "nothing_yet":
        return None
    sent = [arm.name for arm in experiment.arms if arm.is_sent]
    contacts = reached(of)
    revenue = next((metric for metric in experiment.metrics if metric.is_money), None)
    cost = cost_of(of, contacts, sent)
    money = None
    compared = None if revenue is None else _together(of, revenue, sent)
    if revenue is not None and compared is not None:
        units = sum(of.analysed[arm] for arm in sent)
        money = money_of(
            of, report.metric(revenue.name), compared, cost, units, "", None, claim=held_back(report) is None
        )
    told = CampaignEffect(
        experiment.name, report, sum(of.analysed[arm] for arm in sent), of.analysed[experiment.control],
        _together(of, of.primary, sent), money,
    )  # fmt: skip
    currency = experiment.money.currency if money is None else money.currency
    return Campaign(told, of, compared, currency, cost.margin, cost.total, held_back(report))


def held_back(report: AbReport) -> str | None:
    """Why a report claims no return; None when it does."""
    if report.headline.state in ("too_early", "too_small", "not_usable", "nothing_yet"):
        return report.headline.state
    return None if all(one.claim for one in report.money) else "too_few"


def _together(of: Trial, metric: Metric, arms: Sequence[str]) -> Comparison:
    """All arms that are sent something as one, against the control; within strata where these decide."""
    from segctl.operations.ab.compare import at_cost, compared
    from segctl.operations.ab.design import always, rule, stage
    from segctl.operations.ab.samples import Pair, sample_of

    made = of.samples[metric.name]
    control = sample_of(made, metric, of.experiment.control)
    treatment = merged([sample_of(made, metric, arm) for arm in arms])
    at = stage(of)
    both = Pair(control, treatment, _blocks(of, metric, arms))
    if at.basis == "fixed":
        return compared(metric, both, confidence=float(of.experiment.confidence))
    cost = rule(of, at, both.n, arms[0]) if at.basis == "planned" else None
    return at_cost(metric, both, cost or always(of, both.n, arms))


def _blocks(of: Trial, metric: Metric, arms: Sequence[str]) -> tuple[tuple[str, Sample, Sample], ...]:
    """Control and all these arms of every stratum that has two units of both; nothing where strata do not decide."""
    from segctl.operations.ab.samples import Key, sample_of

    if of.strata is None or not of.strata.decides:
        return ()
    made = of.strata.samples[metric.name]
    found = []
    for block in sorted({str(one) for _, one in made}):
        inside: dict[Key, Sample] = {(arm,): sample for (arm, of_block), sample in made.items() if of_block == block}
        control = sample_of(inside, metric, of.experiment.control)
        treatment = merged([sample_of(inside, metric, arm) for arm in arms])
        if min(control.moments.n, treatment.moments.n) > 1:
            found.append((block, control, treatment))
    return tuple(found)


def merged(parts: Sequence[Sample]) -> Sample:
    """Several arms as one."""
    from segctl.operations.ab.samples import Sample
    from segctl.stats.moments import merge

    counts = [one.counts for one in parts if one.counts is not None]
    both = None
    for one in counts:
        both = one if both is None else both.merged(one)
    events = [one.events for one in parts]
    known = None if None in events else sum(one or 0 for one in events)
    return Sample(merge(one.moments for one in parts), both, events=known)


# --- Sums -------------------------------------------------------------------------------------------------
def _summed(found: Sequence[Campaign], skipped: dict[str, str]) -> tuple[list[Campaign], str | None]:
    """Campaigns whose money can be added up, and its currency; why the others are not is put into `skipped`."""
    kept = []
    for one in found:
        if one.revenue is None:
            skipped[one.told.experiment] = "no_money"
        elif one.held_back is not None:
            skipped[one.told.experiment] = one.held_back
        else:
            kept.append(one)
    currency = next((one.currency for one in kept if one.currency is not None), None)
    same = [one for one in kept if one.currency in (None, currency)]
    names = {one.told.experiment for one in same}
    skipped |= {one.told.experiment: "other_currency" for one in kept if one.told.experiment not in names}
    return same, currency


def cumulative(session: Session, found: Sequence[Campaign]) -> tuple[Cumulative, ...]:
    """Revenue and profit of all campaigns up to each day on which one was complete."""
    zone = ZoneInfo(session.project.timezone)
    ends = {id(one): one.trial.edge("last", newest=True) or one.trial.as_of for one in found}
    by_day = sorted(found, key=lambda one: ends[id(one)])
    points: list[Cumulative] = []
    for number, one in enumerate(by_day, 1):
        so_far = by_day[:number]
        day = min(ends[id(one)], one.trial.as_of).astimezone(zone).date()
        if points and points[-1].day == day:
            points.pop()
        points.append(_point(so_far, day))
    return tuple(points)


def _point(so_far: Sequence[Campaign], day: date) -> Cumulative:
    confidence = float(so_far[0].trial.experiment.confidence)
    parts = [(as_told(one.revenue), one.told.treated, one.margin) for one in so_far if one.revenue is not None]
    revenue = total([(compared, float(units)) for compared, units, _ in parts], confidence=confidence)
    gross = total([(compared, units * margin) for compared, units, margin in parts], confidence=confidence)
    cost = sum(one.cost for one in so_far)
    profit = gross.scaled(1.0, -cost) if gross.estimate is not None else undefined(
        gross.why or Why.MISSING, confidence=confidence, method="sum"
    )  # fmt: skip
    return Cumulative(day, tuple(one.told.experiment for one in so_far), revenue, profit)
