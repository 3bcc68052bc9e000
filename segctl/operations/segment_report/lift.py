"""What finished experiments have measured on segments; one that still runs is not looked at here."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from segctl.operations.segment_report.values import Lift

if TYPE_CHECKING:
    from segctl.operations.ab.parts import MetricReport
    from segctl.operations.session import Session


def lifts(session: Session, segments: frozenset[str], *, as_of: datetime) -> dict[str, tuple[Lift, ...]]:
    """Segment → lift of each arm on the primary metrics of stopped experiments that have an answer, by name of these.

    Args:
        session: Open project and workspace.
        segments: Names that are asked for.
        as_of: Events and assignments after it do not count.
    """
    from segctl.operations.ab.ab import report_ab
    from segctl.operations.control import held_back
    from segctl.state.experiments import record

    found: dict[str, list[Lift]] = {}
    for name, experiment in sorted(session.definitions.experiments.items()):
        if experiment.segment not in segments:
            continue
        kept = record(session.workspace, experiment.key)
        if kept is None or kept.stopped is None:
            continue
        report = report_ab(session, name, now=as_of, look=False)
        why = held_back(report)
        if why not in (None, "too_few"):
            continue
        for metric in report.metrics:
            # Too few who bought make the range of revenue unreliable, not that of how many bought.
            is_told = metric.role == "primary" and not (why and metric.is_money)
            for effect in metric.effects if is_told else ():
                lift = effect.simultaneous_lift or effect.compared.lift
                found.setdefault(experiment.segment, []).append(
                    Lift(name, metric.name, effect.arm, lift.estimate, lift.low, lift.high, lift.confidence,
                         effect.p_adjusted, metric.better, _counts(metric, report.control, effect.arm))
                )  # fmt: skip
    return {name: tuple(several) for name, several in found.items()}


def _counts(metric: MetricReport, *arms: str) -> tuple[int, ...]:
    found: list[int] = []
    for one in map(metric.arm, arms):
        found += [one.n] if one.events is None else [one.n, one.events, one.n - one.events]
    return tuple(found)
