"""Experiments with planted results: so many units in each arm, so many of them with an order of such a value."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
from audience_shop import shop

from segctl.model.conditions.events import Aggregate, Count, EventSelection
from segctl.model.experiments import Arm, Experiment, Metric
from segctl.model.times import Duration
from segctl.operations.ab.ab import report_ab
from segctl.operations.ab.result import AbReport
from segctl.operations.experiment.frozen import definition_of
from segctl.operations.ingest.events import write_events
from segctl.operations.session import Session
from segctl.state.assignments import record_assignments, schema
from segctl.state.experiments import Epoch, add_epochs, begin
from segctl.state.subjects import Subjects

EXPOSED = datetime(2026, 10, 1, 8, tzinfo=UTC)
LATER = EXPOSED + timedelta(days=40)
DAY = timedelta(days=1)
PROJECT = """
events:
  order_completed: {properties: {value: {type: money, unit: EUR}}}
  order_refunded: {properties: {value: {type: money, unit: EUR}}}
"""
ORDERS, REFUNDS = EventSelection(("order_completed",)), EventSelection(("order_refunded",))
BOUGHT = Metric("bought", "conversion", ORDERS, Count(), role="primary")
REVENUE = Metric("revenue", "mean", ORDERS, Aggregate("sum", "value"), unit="EUR", is_money=True)
ORDERED = Metric("orders", "mean", ORDERS, Count())
BASKET = Metric("basket", "ratio", ORDERS, Aggregate("sum", "value"), (ORDERS, Count()))
RETURNED = Metric("returned", "conversion", REFUNDS, Count(), role="guardrail", better="lower", margin=Decimal("0.1"))


@dataclass(frozen=True)
class Event:
    """One event of the person at a place among all persons."""

    person: int
    at: datetime
    cents: int = 1000
    kind: str = "order_completed"


def experiment(arms: Mapping[str, int], metrics: Sequence[Metric] = (BOUGHT, REVENUE), **changes: Any) -> Experiment:
    """Arms with weights as large as they are; the first is the control that is sent nothing."""
    names = list(arms)
    made = tuple(
        Arm(name, Decimal(arms[name]), is_sent=name != names[0], cost=Decimal("0.05") if name != names[0] else None)
        for name in names
    )
    planned = {"size": sum(arms.values())} | changes
    return Experiment("mail_test", "winback", made, names[0], tuple(metrics), Duration(14, "days"), **planned)


def orders(
    arms: Mapping[str, int], buyers: Mapping[str, int], cents: Callable[[int], int] = lambda _: 1000
) -> list[Event]:
    """The first so many people of each arm order a day after exposure; `cents` by place among the buyers of the arm."""
    found, start = [], 0
    for arm, units in arms.items():
        found += [Event(start + at, EXPOSED + DAY, cents(at)) for at in range(buyers.get(arm, 0))]
        start += units
    return found


def world(
    folder: Path,
    arms: Mapping[str, int],
    events: Sequence[Event],
    *,
    declared: Experiment | None = None,
    strata: Callable[[int], str | None] = lambda _: None,
    exposed: Callable[[int], datetime | None] = lambda _: EXPOSED,
    people: int | None = None,
    traits: Callable[[int], dict[str, Any]] = lambda _: {},
    weights: Sequence[Mapping[str, int]] = (),
    epoch: Callable[[int], int] = lambda _: 1,
    points: tuple[tuple[str, tuple[str, ...]], ...] = (),
) -> Session:
    """A workspace with the experiment on record.

    Args:
        folder: Of the project.
        arms: Units in each; people stand in their order.
        events: Theirs.
        declared: The experiment; one with two metrics when left out.
        strata: By person; likewise `exposed`, `traits` and `epoch`.
        people: All of them, when there are more than units.
        weights: Of the epochs; those of the arms when left out.
        points: Contact points of the project.
    """
    total = sum(arms.values())
    rows = [{"points": at, **traits(at)} for at in range(people or total)]
    session = shop(folder, rows, {"winback": range(total)}, project=PROJECT, contact_points=points)
    made = declared or experiment(arms)
    session = replace(session, definitions=replace(session.definitions, experiments={made.name: made}))
    _record(session, made, arms, strata, exposed, weights, epoch)
    write(session, events)
    return session


def write(session: Session, events: Sequence[Event]) -> None:
    """Put events into the workspace."""
    if events:
        session.workspace.commit("events", add=[write_events(session.workspace, _frame(events))])


def _frame(events: Sequence[Event]) -> pl.DataFrame:
    return pl.DataFrame({
        "subject": pl.Series([one.person for one in events], dtype=pl.Int32),
        "ts": pl.Series([one.at for one in events], dtype=pl.Datetime("us", "UTC")),
        "source": ["shop"] * len(events),
        "event_id": [f"e{at}" for at in range(len(events))],
        "kind": [one.kind for one in events],
        "file_id": pl.Series([None] * len(events), dtype=pl.Int32),
        "line": pl.Series([None] * len(events), dtype=pl.Int64),
        "value:n2": pl.Series([one.cents for one in events], dtype=pl.Int64),
    })  # fmt: skip


def _record(
    session: Session,
    made: Experiment,
    arms: Mapping[str, int],
    strata: Callable[[int], str | None],
    exposed: Callable[[int], datetime | None],
    weights: Sequence[Mapping[str, int]],
    epoch: Callable[[int], int],
) -> None:
    """An experiment that began with the assignments."""
    in_force = list(weights) or [{arm.name: int(arm.weight) for arm in made.arms}]
    epochs = [
        Epoch(number, EXPOSED, {arm: Decimal(weight) for arm, weight in one.items()})
        for number, one in enumerate(in_force, 1)
    ]
    begin(session.workspace, made.key, definition=definition_of(made), digest="d" * 64, at=EXPOSED, epoch=epochs[0])
    places = [arm for arm, units in arms.items() for _ in range(units)]
    ids = Subjects(session.workspace).table().sort("subject").select("profile_id").collect()["profile_id"].to_list()
    rows = [
        (made.key, ids[at], ids[at], at, arm, strata(at), EXPOSED, exposed(at), epoch(at), None)
        for at, arm in enumerate(places)
    ]
    frame = pl.DataFrame(rows, schema=schema(), orient="row")
    for one in epochs[1:]:
        record_assignments(session.workspace, {}, within=add_epochs({made.key: one}))
    assert record_assignments(session.workspace, {made.key: frame})


def reported(session: Session, *, now: datetime = LATER, **options: Any) -> AbReport:
    """The report on the experiment of the world."""
    return report_ab(session, "mail_test", now=now, **options)
