"""How a report pays for looking: is the planned end reached, which look is this, how wide are intervals.

A fixed design has one look, at its planned end. A look before it, or a stop that somebody decided after having looked,
is answered with always valid intervals. Planned looks spend α as they are made (Lan and DeMets): from the first planned
share on, each look at new data counts. Who stops early keeps what was spent until then: were the rest of α spent by the
stop, it would be enough to stop at the first look whose z is beyond 1.96. The planned end is reached once the windows
of all units of the plan are complete; later units are left out, so that later looks see the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from math import isinf
from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass
from segctl.operations.ab.parts import Basis

if TYPE_CHECKING:
    from segctl.operations.ab.trial import Trial
    from segctl.stats.early import Rule
    from segctl.stats.sequential import Look

FALLBACK_SIZE = 10_000
"""Size at which always valid intervals are narrowest when neither size nor effect is planned; fixed beforehand."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Where an experiment stands.

    Attributes:
        basis: How intervals pay for looking.
        is_over: The planned end is reached, or it was stopped.
        is_early: Nothing may be concluded yet: before the end of a fixed design, before the windows are complete that a
            stop left open, or before the first planned look.
        unplanned: Looks on record that the design does not have.
        planned: Units in all arms together by the plan; None when it is planned by date.
        looks: Of planned looks: those that count, this one last.
        stopped_after_look: Stopped before its planned end by somebody who had seen results.
    """

    basis: Basis
    is_over: bool
    is_early: bool
    unplanned: int
    planned: int | None
    looks: tuple[Look, ...] = ()
    stopped_after_look: bool = False


def stage(of: Trial) -> Stage:
    """Where the experiment stands at its as_of."""
    experiment = of.experiment
    ended = _is_reached(of, of.as_of)
    stopped = of.record.stopped if of.record is not None else None
    is_stopped = stopped is not None and stopped <= of.as_of
    if experiment.looks == "always":
        return Stage("always", ended or is_stopped, False, 0, experiment.size)
    if experiment.looks == "planned":
        return _planned(of, ended=ended, is_over=ended or is_stopped)
    before = [look.at for look in of.looks if not _is_reached(of, look.at)]
    seen = [at for at in before if stopped is None or at < stopped]
    after_look = is_stopped and not ended and bool(seen)
    is_early = not (ended or after_look or (is_stopped and not of.ripens))
    basis: Basis = "always" if is_early or after_look else "fixed"
    return Stage(basis, ended or is_stopped, is_early, len(before), experiment.size, (), after_look)


def _is_reached(of: Trial, at: datetime) -> bool:
    """The planned end: enough units, or the day; and all their windows are complete."""
    experiment = of.experiment
    is_full = experiment.size is not None and of.complete_at(at) >= experiment.size
    if experiment.looks == "always":
        return is_full or (experiment.end is not None and at >= experiment.end)
    return (is_full or _is_due(of, at)) and not of.open_at(at)


def _is_due(of: Trial, at: datetime) -> bool:
    """The day of the plan has come, and it was not stopped before."""
    end, stopped = of.experiment.end, of.record.stopped if of.record is not None else None
    return end is not None and at >= end and (stopped is None or stopped >= end)


def _planned(of: Trial, *, ended: bool, is_over: bool) -> Stage:
    from segctl.stats.sequential import looks_of

    experiment = of.experiment
    alpha, first = 1 - float(experiment.confidence), float(experiment.look_shares[0])
    whole = _whole(of)
    reached = [of.complete_at(look.at) for look in of.looks] + [sum(of.analysed.values())]
    counted = [units for units in reached if units >= first * whole]
    unplanned = sum(units < first * whole for units in reached[:-1])
    is_early = not is_over and reached[-1] < first * whole
    if is_early or not counted:
        return Stage("always", is_over, is_early, unplanned, experiment.size)
    found = looks_of([float(units) for units in counted], float(whole), alpha=alpha, is_over=ended)
    if isinf(found[-1].bound):
        return Stage("always", is_over, not is_over, unplanned, experiment.size)
    return Stage("planned", is_over or found[-1].is_last, False, unplanned, experiment.size, found)


def _whole(of: Trial) -> int:
    """Units of the planned whole; by date: those exposed until then, before it at the pace so far."""
    experiment = of.experiment
    if experiment.size is not None:
        return experiment.size
    now = sum(of.analysed.values())
    began, stopped = of.edge("assigned"), of.record.stopped if of.record is not None else None
    until = of.as_of if stopped is None else min(of.as_of, stopped)
    if experiment.end is None or began is None or until >= experiment.end:
        return max(now + of.open_at(of.as_of), 1)
    share = (until - began) / (experiment.end - began)
    return max(now, round(of.units.everybody.height / max(share, 0.05)), 1)


def rule(of: Trial, at: Stage, n: int, arm: str, *, alpha: float | None = None) -> Rule | None:
    """What a look at this stage costs; None for the single look of a fixed design.

    Args:
        of: The experiment.
        at: Its stage.
        n: Units of both arms together.
        arm: Compared with the control.
        alpha: Of the comparison; the experiment's when left out.
    """
    from segctl.stats.early import Planned

    level = 1 - float(of.experiment.confidence) if alpha is None else alpha
    if at.basis == "planned":
        return Planned(tuple(one.information for one in at.looks), alpha=level, is_over=at.looks[-1].is_last)
    return None if at.basis == "fixed" else always(of, n, [arm], alpha=level)


def always(of: Trial, n: int, arms: Sequence[str], *, alpha: float | None = None) -> Rule:
    """The rule of looks on any day, narrowest at the part of the planned size that the arms and the control have."""
    from segctl.stats.early import Always

    weights = {one.name: float(one.weight) for one in of.experiment.arms}
    part = sum(weights[arm] for arm in {*arms, of.experiment.control}) / sum(weights.values())
    planned = max((of.experiment.size or FALLBACK_SIZE) * part, 2.0)
    level = 1 - float(of.experiment.confidence)
    return Always(float(n), planned, level if alpha is None else alpha, level)
