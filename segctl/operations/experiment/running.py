"""Which experiments hold now, for which segments, by which weights; and what keeps them from going on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass
from segctl.operations.experiment.frozen import MAY_CHANGE, changed, definition_of

if TYPE_CHECKING:
    from datetime import datetime

    from segctl.model.conditions import SegmentDefinition
    from segctl.model.experiments import Experiment
    from segctl.operations.session import Session
    from segctl.state.experiments import Epoch, ExperimentRecord


@dataclass(frozen=True, slots=True)
class Running:
    """An experiment that holds now.

    Attributes:
        experiment: As declared today.
        epoch: By which new units are assigned.
        is_new: The epoch is not on record yet: weights, traffic or layer have changed.
    """

    experiment: Experiment
    record: ExperimentRecord
    epoch: Epoch
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why an experiment that runs cannot go on as it is declared, so that its segment is not sent.

    Attributes:
        name: On record.
        code: Of the catalogue.
        why: A sentence.
        remedy: Likewise.
    """

    name: str
    segment: str
    code: str
    why: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.why}; {self.remedy}"


@dataclass(frozen=True, slots=True)
class Experiments:
    """What runs.

    Attributes:
        running: Segment → experiments by name.
        troubles: Segment → what keeps it from being sent.
        records: Of the experiments in trouble, by name: who is in an arm that is sent nothing stays held out.
        winners: Segment → the arm that everybody gets, of the experiment that was stopped last.
    """

    running: Mapping[str, tuple[Running, ...]] = field(default_factory=dict)
    troubles: Mapping[str, tuple[Trouble, ...]] = field(default_factory=dict)
    records: Mapping[str, ExperimentRecord] = field(default_factory=dict)
    winners: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Nothing was ever started that matters now."""
        return not (self.running or self.troubles or self.winners)


def experiments_now(session: Session, *, now: datetime) -> Experiments:
    """What runs at an instant."""
    from segctl.state.experiments import records

    found = records(session.workspace)
    if not found:
        return Experiments()
    declared: dict[str, list[Experiment]] = {}
    for one in session.definitions.experiments.values():
        declared.setdefault(one.key, []).append(one)
    running: dict[str, list[Running]] = {}
    troubles: dict[str, list[Trouble]] = {}
    for name, record in found.items():
        if record.state == "running":
            made = _running(session, record, declared.get(name, []), now)
            if isinstance(made, Running):
                running.setdefault(made.experiment.segment, []).append(made)
            else:
                troubles.setdefault(made.segment, []).append(made)
    return Experiments(
        running={name: tuple(sorted(ones, key=lambda one: one.experiment.name)) for name, ones in running.items()},
        troubles={name: tuple(ones) for name, ones in troubles.items()},
        records={one.name: found[one.name] for ones in troubles.values() for one in ones},
        winners=_winners(session, found.values()),
    )


def next_epoch(experiment: Experiment, last: Epoch | None, now: datetime) -> Epoch:
    """What is in force for those who are assigned now: the last epoch, while nothing has changed."""
    from segctl.state.experiments import Epoch

    layer = experiment.layer
    made = Epoch(
        number=1 if last is None else last.number + 1,
        at=now,
        weights={arm.name: arm.weight for arm in experiment.arms},
        traffic=experiment.traffic,
        layer=None if layer is None else layer.layer,
        **({} if layer is None else {"low": layer.low, "high": layer.high}),
    )
    return last if last is not None and _shares(made) == _shares(last) else made


def today_called(segments: Mapping[str, SegmentDefinition], name: str) -> str:
    """What a segment is called today."""
    if name in segments:
        return name
    return next((new for new, segment in segments.items() if name in segment.formerly), name)


def trouble_of(session: Session, record: ExperimentRecord, declared: Experiment | None) -> Trouble | None:
    """Why an experiment cannot go on as it is declared today; None when it can."""
    segments = session.definitions.segments
    if declared is None:
        segment = today_called(segments, str(record.definition["segment"]))
        return Trouble(
            record.name, segment, "SEG959", f"the experiment `{record.name}` runs, but it is not declared any more",
            f"bring its file back; where it was renamed, add `salt: {record.name}` to it; or end it with "
            f"`segctl experiment stop {record.name}`",
        )  # fmt: skip
    differing = changed(record.definition, definition_of(declared), lambda name: today_called(segments, name))
    if differing:
        return Trouble(
            record.name, declared.segment, "SEG957",
            f"the experiment `{declared.name}` was changed while it runs: {', '.join(differing)}",
            f"take that back (what may change: {', '.join(MAY_CHANGE)}), or stop it and start another",
        )  # fmt: skip
    less = _less(declared, record.epochs[-1])
    if less is not None:
        return Trouble(record.name, declared.segment, "SEG958",
                       f"the experiment `{declared.name}` would lose people who take part: {less}",
                       "what has begun may only grow; set it back, or stop the experiment")  # fmt: skip
    return None


def _running(
    session: Session, record: ExperimentRecord, declared: list[Experiment], now: datetime
) -> Running | Trouble:
    if len(declared) > 1:
        names = " and ".join(f"`{one.name}`" for one in declared)
        return Trouble(record.name, declared[0].segment, "SEG959", f"{names} are both `{record.name}` on record",
                       "give the one that is not meant another `salt` or name")  # fmt: skip
    one = declared[0] if declared else None
    found = trouble_of(session, record, one)
    if found is not None or one is None:
        assert found is not None
        return found
    epoch = next_epoch(one, record.epochs[-1], now)
    return Running(one, record, epoch, is_new=epoch.number > record.epochs[-1].number)


def _less(experiment: Experiment, last: Epoch) -> str | None:
    if experiment.traffic < last.traffic:
        return f"traffic was {_percent(last.traffic)} and is {_percent(experiment.traffic)}"
    layer = experiment.layer
    if layer is not None and (layer.low > last.low or layer.high < last.high):
        then, today = (f"{_percent(low)} to {_percent(high)}"
                       for low, high in ((last.low, last.high), (layer.low, layer.high)))  # fmt: skip
        return f"its range of the layer `{layer.layer}` was {then} and is {today}"
    return None


def _percent(share: object) -> str:
    from decimal import Decimal

    return f"{(Decimal(str(share)) * 100).normalize():f} %"


def _shares(epoch: Epoch) -> tuple[object, ...]:
    total = sum(epoch.weights.values())
    weights = tuple((arm, weight / total) for arm, weight in epoch.weights.items())
    return (weights, epoch.traffic, epoch.layer, epoch.low, epoch.high)


def _winners(session: Session, found: Iterable[ExperimentRecord]) -> dict[str, str]:
    ended = sorted((one.stopped, one.name, one) for one in found if one.stopped is not None and one.winner is not None)
    segments = session.definitions.segments
    return {today_called(segments, str(one.definition["segment"])): str(one.winner) for _, _, one in ended}
