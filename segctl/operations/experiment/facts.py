"""What experiments declare, for showing, and whether they run. Loads no engine."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segctl.model.conditions.events import Aggregate, Count, Periods
from segctl.model.dataclass import dataclass
from segctl.operations.things import unknown_thing

if TYPE_CHECKING:
    from segctl.model.conditions.events import EventSelection, Measure
    from segctl.model.experiments import Arm, Experiment, Metric
    from segctl.model.project import Definitions
    from segctl.state.experiments import ExperimentRecord

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ExperimentFacts:
    """One experiment.

    Attributes:
        facts: What it declares, and where it stands.
        metrics: One row per metric: name, role, what is measured, better, covariate, cap.
    """

    facts: dict[str, Any]
    metrics: list[tuple[Any, ...]]


def experiments(definitions: Definitions) -> list[Row]:
    """One row per experiment: name, title, segment, state, arms, primary metrics, window, planned end, file."""
    known = _records(definitions)
    return [
        {
            "experiment": one.name,
            "title": one.title,
            "segment": one.segment,
            "state": _state(known.get(one.key)),
            "arms": _arms(one),
            "primary": [metric.name for metric in one.metrics if metric.role == "primary"],
            "window": str(one.window),
            "planned": _planned(one),
            "started": known[one.key].started if one.key in known else None,
            "owner": one.owner,
            "file": one.location.file if one.location is not None else None,
        }
        for one in definitions.experiments.values()
    ]


def experiment_facts(definitions: Definitions, name: str) -> ExperimentFacts:
    """The declaration of an experiment.

    Raises:
        UsageError: No such experiment.
    """
    one = definitions.experiments.get(name)
    if one is None:
        raise unknown_thing("experiment", name, list(definitions.experiments))
    return ExperimentFacts(_facts(one, _records(definitions).get(one.key)), [_metric(metric) for metric in one.metrics])


def _facts(one: Experiment, record: ExperimentRecord | None) -> dict[str, Any]:
    layer = one.layer
    return {
        "experiment": one.name,
        "title": one.title,
        "hypothesis": one.hypothesis,
        "owner": one.owner,
        "state": _state(record),
        "started": record.started if record is not None else None,
        "stopped": record.stopped if record is not None else None,
        "winner": record.winner if record is not None else None,
        "segment": one.segment,
        "unit": one.same or "profile",
        "arms": _arms(one),
        "control": one.control,
        "window": str(one.window),
        "layer": None if layer is None else f"{layer.layer}, {percent(layer.low)} to {percent(layer.high)}",
        "traffic": percent(one.traffic),
        "exclude": list(one.exclude),
        "strata": list(one.strata),
        "looks": [percent(share) for share in one.look_shares] or one.looks,
        "confidence": percent(one.confidence),
        "power": percent(one.power),
        "effect": None if one.effect is None else f"{'+' if one.effect > 0 else ''}{percent(one.effect)}",
        "planned": _planned(one),
        "margin": percent(one.money.margin),
        "fixed_cost": None if not one.money.fixed else f"{one.money.fixed} {one.money.currency or ''}".strip(),
        "declared_in": one.location.file if one.location is not None else None,
    }


def percent(share: Decimal) -> str:
    """A share as the language writes it.

    >>> percent(Decimal("0.995"))
    '99.5 %'
    """
    return f"{(share * 100).normalize():f} %"


def _state(record: ExperimentRecord | None) -> str:
    return "planned" if record is None else record.state


def _arms(one: Experiment) -> list[str]:
    total = sum(arm.weight for arm in one.arms)
    return [_arm(arm, arm.weight / total) for arm in one.arms]


def _arm(arm: Arm, share: Decimal) -> str:
    return f"{arm.name} {percent(round(share, 4))}{'' if arm.is_sent else ' (nothing sent)'}"


def _planned(one: Experiment) -> str | None:
    if one.size is not None:
        return f"{one.size:,} units"
    return None if one.end is None else f"until {one.end.date()}"


def _metric(metric: Metric) -> tuple[Any, ...]:
    measured = _measured(metric.selection, metric.measure, metric.kind)
    if metric.below is not None:
        measured = f"{measured} / {_measured(*metric.below, 'mean')}"
    before = None if metric.before is None else str(metric.before)
    return metric.name, metric.role, metric.kind, measured, metric.unit, metric.better, before, metric.cap


def _measured(selection: EventSelection, measure: Measure, kind: str) -> str:
    events = ", ".join(selection.events) + (" (where …)" if selection.where else "")
    match measure:
        case Count() if kind == "conversion":
            return f"any {events}"
        case Count():
            return f"count of {events}"
        case Aggregate(function, of, path):
            return f"{function} of {'.'.join((of, *path))} of {events}"
        case Periods(unit):
            return f"{unit} with {events}"
        case _:
            return f"time to first {events}"


def _records(definitions: Definitions) -> dict[str, ExperimentRecord]:
    """What is on record by name; nothing without a workspace."""
    from segctl.state.experiments import records
    from segctl.state.workspace import DATABASE, Workspace

    folder = Path(definitions.project.workspace)
    if not (folder / DATABASE).is_file():
        return {}
    with Workspace.open(folder) as workspace:
        return records(workspace)
