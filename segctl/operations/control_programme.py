"""The universal holdout: everybody else against those whom no campaign reached, for all campaigns together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from segctl.model.experiments import Arm, Experiment, Metric, UniversalHoldout
from segctl.model.times import Duration
from segctl.operations.ab.parts import Check
from segctl.operations.control_result import Programme
from segctl.stats.money import as_told, total

if TYPE_CHECKING:
    from segctl.operations.ab.parts import MetricReport
    from segctl.operations.ab.trial import Trial
    from segctl.operations.control import Campaign
    from segctl.operations.session import Session
    from segctl.stats.values import Interval

HELD_OUT, OPEN = "held_out", "open"


def programmes(
    session: Session, campaigns: Sequence[Campaign], summed: Sequence[Campaign], *, now: datetime
) -> tuple[Programme, ...]:
    """Every generation that anybody was assigned to, oldest first.

    Args:
        session: Open project and workspace.
        campaigns: All with figures: what they cost, the programme cost.
        summed: Of these the ones whose money is added up.
        now: Events and assignments after it do not count.
    """
    metrics = _metrics(session.definitions.experiments.values())
    if not metrics:
        return ()
    found = (_programme(session, one, metrics, campaigns, summed, now) for one in session.project.universal_holdouts)
    return tuple(one for one in found if one is not None)


def _metrics(experiments: Iterable[Experiment]) -> tuple[Metric, ...]:
    """What decides and what is money in any experiment, each once; the first that decides is the primary one."""
    chosen: dict[object, Metric] = {}
    for experiment in experiments:
        for metric in experiment.metrics:
            if metric.role == "primary" or metric.is_money:
                chosen.setdefault((metric.kind, metric.selection, metric.measure, metric.below), metric)
    named: dict[str, Metric] = {}
    for metric in chosen.values():
        if metric.name not in named:
            named[metric.name] = replace(metric, role="secondary", before=None, cap=None, margin=None)
    first = next(iter(named), None)
    return tuple(replace(one, role="primary") if name == first else one for name, one in named.items())


def _programme(
    session: Session,
    holdout: UniversalHoldout,
    metrics: tuple[Metric, ...],
    campaigns: Sequence[Campaign],
    summed: Sequence[Campaign],
    now: datetime,
) -> Programme | None:
    from segctl.operations.ab.ab import reported
    from segctl.operations.ab.contacts import reached
    from segctl.operations.ab.money import cost_of, money_of
    from segctl.operations.control import held_back

    until = now if holdout.end is None else min(holdout.end, now)
    of = _trial(session, holdout, metrics, until)
    if not of.analysed[HELD_OUT] or not of.analysed[OPEN]:
        return None
    report, contacts = reported(of), reached(of)
    revenue = next((one for one in report.metrics if one.is_money), None)
    inside = [one for one in campaigns if holdout.begin <= (one.told.report.began or now) < until]
    money = None
    if revenue is not None:
        cost = replace(cost_of(of, contacts, [OPEN]), per_message=0.0, fixed=sum(_costs(inside, revenue.unit)),
                       margin=_margin(inside))  # fmt: skip
        effect = revenue.effects[0].compared
        money = money_of(of, revenue, effect, cost, of.analysed[OPEN], OPEN, None, claim=held_back(report) is None)
    # Who is held out takes part in nothing, so that other experiments are never spread evenly here.
    checks = tuple(
        _split(session, holdout, check) if check.name == "split" else check
        for check in report.checks if check.name != "interference"
    )  # fmt: skip
    told = report.check("contamination").figures["by_push"]
    return Programme(
        holdout.name, holdout.begin, until, of.analysed[HELD_OUT], of.analysed[OPEN], checks, report.metrics,
        money, int(told) if isinstance(told, int) else 0, _gap(of, report.metrics, inside, summed),
        tuple(one.told.experiment for one in inside),
    )  # fmt: skip


def _split(session: Session, holdout: UniversalHoldout, check: Check) -> Check:
    """Of people who were dealt by another share than that of today, the split says nothing by today's."""
    from segctl.operations.universal_share import dealt_share

    share = dealt_share(session, holdout) if check.level != "ok" else None
    if share is None:
        return check
    figures = {"share": share, "declared": float(holdout.share)}
    return Check("split", check.level, "share_changed", figures, decides=check.decides)


def _trial(session: Session, holdout: UniversalHoldout, metrics: tuple[Metric, ...], until: datetime) -> Trial:
    """The generation as an experiment with everybody in it, watched from each person's first push until now.

    While it is open anybody looks at any time; once it is over there is one result.
    """
    from segctl.operations.ab.contacts import EVERY
    from segctl.operations.ab.trial import trial
    from segctl.state.experiments import UNIVERSAL

    arms = (Arm(HELD_OUT, Decimal(holdout.share), is_sent=False), Arm(OPEN, 1 - Decimal(holdout.share)))
    is_over = holdout.end is not None and holdout.end <= until
    made = Experiment(
        holdout.name, EVERY, arms, HELD_OUT, metrics, Duration(1, "days"), looks="end" if is_over else "always",
        end=holdout.end, salt=f"{UNIVERSAL}{holdout.name}",
    )  # fmt: skip
    return trial(session, made, as_of=until, watched_until=until)


def _margin(campaigns: Sequence[Campaign]) -> float:
    """Of the campaigns together; the smallest of several, so that profit is not overstated."""
    return min((one.margin for one in campaigns), default=1.0)


def _costs(campaigns: Sequence[Campaign], currency: str | None) -> list[float]:
    """Of those in the currency, all when none is said."""
    return [one.cost for one in campaigns if currency is None or one.currency in (None, currency)]


def _gap(
    of: Trial, metrics: Sequence[MetricReport], campaigns: Sequence[Campaign], summed: Sequence[Campaign]
) -> Interval | None:
    """The sum of the campaigns' revenue minus the programme's; None for one alone, which takes from no other.

    Nor is there one while the revenue of some campaign is not known: the rest would pass for the whole.
    """
    revenue = next((one for one in metrics if one.is_money), None)
    known = {one.told.experiment for one in summed}
    if revenue is None or len(campaigns) < 2 or not known.issuperset(one.told.experiment for one in campaigns):
        return None
    parts = [(as_told(one.revenue), float(one.told.treated)) for one in campaigns if one.revenue is not None]
    parts.append((as_told(revenue.effects[0].compared), -float(of.analysed[OPEN])))
    return total(parts, confidence=float(of.experiment.confidence))
