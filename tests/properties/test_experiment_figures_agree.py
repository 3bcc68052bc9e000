"""Figures of units in windows of their own: a slow evaluator over lists of events agrees, on random nasty worlds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from builders import bound, definitions
from engine_tools import event_parts
from oracle_data import Event, Profile, World
from oracle_person import Person
from oracle_windows import shifted

from segctl.compile import zones
from segctl.compile.lower_events import Lowering
from segctl.compile.zones import DAY
from segctl.engines.exposures import later
from segctl.model import conditions as c
from segctl.model.experiments import Metric
from segctl.model.times import Duration
from segctl.operations.ab.figures import EventSource, figures
from segctl.operations.ab.units import Units, units
from segctl.state.assignments import schema

US, WEEK = timedelta(microseconds=1), timedelta(days=7)
BEGIN = datetime(2026, 3, 20, 10, tzinfo=UTC)  # the clocks change on 29 March
ZONE = ZoneInfo("Europe/Berlin")
LENGTHS = (Duration(14, "days"), Duration(1, "months"), Duration(36, "hours"), Duration(3, "weeks"))


def metric(name: str, text: str, kind: str = "mean", over: str | None = None, **words: Any) -> Metric:
    """A metric of the conditions' own words."""
    asked = bound(text)
    assert isinstance(asked, c.EventCondition)
    below = None
    if over is not None:
        lower = bound(over)
        assert isinstance(lower, c.EventCondition)
        below = (lower.selection, lower.measure)
    return Metric(name, kind, asked.selection, asked.measure, below, **words)


ORDERS = "{event: order_completed, count: {at_least: 1}}"
SPENT = "{event: order_completed, sum: {of: value, at_least: 1}}"
METRICS = (
    metric("bought", ORDERS, "conversion", before=Duration(30, "days")),
    metric("revenue", SPENT, before=Duration(2, "months")),
    metric(
        "by_web", "{event: order_completed, where: {channel: {equals: web, ignore_case: true}}, count: {at_least: 1}}"
    ),
    metric("basket", SPENT, "ratio", over=ORDERS, before=Duration(30, "days")),
    metric("channels", "{event: order_completed, distinct: {of: channel, at_least: 1}}"),
    metric("days", "{event: [order_completed, order_refunded], days: {at_least: 1}}"),
    metric("kept", "{event: order_completed, count: {followed_by: {event: order_refunded}, at_least: 1}}"),
    metric("mornings", "{event: order_completed, where: {time.hour: {below: 12}}, count: {at_least: 1}}"),
    Metric("until", "time", c.EventSelection(("order_completed",)), c.EdgeTime("first")),
)


@dataclass(frozen=True)
class Row:
    """One profile's assignment."""

    subject: int
    unit: str
    arm: str
    assigned: datetime
    exposed: datetime | None


@dataclass(frozen=True)
class Trial:
    """A random world with an experiment in it."""

    world: World
    rows: tuple[Row, ...]
    owner: tuple[int, ...]
    window: Duration
    by_profile: bool


def trial(seed: int) -> Trial:
    """People of one to three subjects, households, events on the very edges of windows."""
    random = Random(seed)
    subjects = random.randrange(1, 14)
    owner = [s if random.random() < 0.7 else random.randrange(s + 1) for s in range(subjects)]
    owner = [owner[owner[o]] for o in owner]
    window, by_profile = random.choice(LENGTHS), random.random() < 0.5
    rows = []
    arm_of: dict[str, str] = {}
    for subject in range(subjects):
        if random.random() < 0.2:
            continue
        unit = f"p{subject}" if by_profile else f"h{random.randrange(subjects)}"
        arm = arm_of.setdefault(unit, random.choice(("control", "mail", "coupon")))
        assigned = BEGIN + timedelta(days=random.randrange(3))
        exposed = random.choice((None, *[assigned + timedelta(hours=h) for h in (0, 0, 1, 30)]))
        rows.append(Row(subject, unit, arm, assigned, exposed))
    rows.sort(key=lambda row: row.assigned)
    events = tuple(
        event for number in range(random.randrange(60)) for event in _event(random, number, rows, subjects, window)
    )
    as_of = BEGIN + random.choice((timedelta(days=9), timedelta(days=33), timedelta(days=100)))
    people = tuple(Profile(f"p{o}", tuple(s for s in range(subjects) if owner[s] == o)) for o in sorted(set(owner)))
    world = World(definitions({}), people, events, as_of)
    return Trial(world, tuple(rows), tuple(owner), window, by_profile)


def _event(random: Random, number: int, rows: list[Row], subjects: int, window: Duration) -> list[Event]:
    edges = [at for row in rows for at in _edges(row, window)] or [BEGIN]
    ts = random.choice(edges) + random.choice((-1, 0, 0, 1)) * random.choice(
        (US, US, timedelta(days=1), timedelta(days=5))
    )
    kind = random.choice(("order_completed", "order_completed", "order_refunded", "logged_in"))
    value = random.choice(
        (None, Decimal("0.01"), Decimal(10), Decimal("99.99"), Decimal("-3.5"), Decimal(80000000000000000))
    )
    own: dict[str, Any] = {} if kind == "logged_in" else {"value": value}
    if kind == "order_completed":
        own["channel"] = random.choice((None, "web", "WEB", "shop", "Straße"))
    return [Event(random.randrange(subjects), kind, ts, random.choice("ab"), str(number), own)]


def _edges(row: Row, window: Duration) -> list[datetime]:
    if row.exposed is None:
        return [row.assigned]
    weeks = [row.exposed + k * WEEK for k in range(5)]
    before = [shifted(row.exposed, length, -1, ZONE) for length in (Duration(30, "days"), Duration(2, "months"))]
    return [row.exposed, shifted(row.exposed, window, 1, ZONE), *before, *weeks]


# --- The slow evaluator -----------------------------------------------------------------------------------
def expected(of: Trial) -> dict[tuple[str, str], dict[str, float | None]]:
    """First profile's unit and arm of every analysed unit → figures by column."""
    as_of = of.world.as_of
    rows = [row for row in of.rows if row.assigned <= as_of]
    key: Callable[[Row], str] = (lambda row: str(of.owner[row.subject])) if of.by_profile else (lambda row: row.unit)
    arms: dict[int, set[str]] = {}
    for row in rows:
        arms.setdefault(of.owner[row.subject], set()).add(row.arm)
    torn = {key(row) for row in rows if len(arms[of.owner[row.subject]]) > 1}
    home: dict[int, str] = {}
    found = {}
    spans = {}
    for unit in dict.fromkeys(key(row) for row in rows):
        mine = [row for row in rows if key(row) == unit]
        exposures = [row.exposed for row in mine if row.exposed is not None and row.exposed <= as_of]
        if unit in torn or not exposures:
            continue
        exposed = min(exposures)
        last = shifted(exposed, of.window, 1, ZONE)
        if last <= as_of:
            spans[unit] = (exposed, last)
    for row in rows:
        if key(row) in spans:
            home.setdefault(of.owner[row.subject], key(row))
    shortest = min((last - exposed for exposed, last in spans.values()), default=timedelta(0))
    for unit, (exposed, last) in spans.items():
        first = next(row for row in rows if key(row) == unit)
        subjects = tuple(s for s, o in enumerate(of.owner) if home.get(o) == unit)
        person = Person(of.world, Profile(unit, subjects), {})
        found[first.unit, first.arm] = _figures(person, exposed, last, shortest // WEEK)
    return found


def _figures(person: Person, exposed: datetime, last: datetime, weeks: int) -> dict[str, float | None]:
    everything = person.events
    found: dict[str, float | None] = {}

    def measured(one: Metric, low: datetime, high: datetime, *, below: bool = False) -> Any:
        selection, measure = one.below if below and one.below else (one.selection, one.measure)
        person.events = [event for event in everything if low <= event.ts <= high]
        value = person.measure(person.select(selection), measure)
        return value if one.kind == "time" or below else min(value, 1) if one.kind == "conversion" else value

    for one in METRICS:
        value = measured(one, exposed, last)
        if one.kind == "time":
            found["until/did"] = float(value is not None)
            found["until"] = ((value or last) - exposed) / timedelta(days=1)
            continue
        found[one.name] = float(value)
        spans = {} if one.before is None else {"before": (shifted(exposed, one.before, -1, ZONE), exposed - US)}
        if one.name == "revenue" and weeks > 1:
            for week in range(weeks):
                end = exposed + (week + 1) * WEEK
                spans[f"week/{week + 1}"] = (exposed + week * WEEK, end if end == last else end - US)
        for name, (low, high) in spans.items():
            found[f"{one.name}/{name}"] = float(measured(one, low, high))
            if one.below is not None:
                found[f"{one.name}/{name}/below"] = float(measured(one, low, high, below=True))
        if one.below is not None:
            found[f"{one.name}/below"] = float(measured(one, exposed, last, below=True))
    return found


# --- Both together ----------------------------------------------------------------------------------------
def units_of(of: Trial) -> Units:
    """As the operation makes them."""
    rows = [("e", r.unit, f"p{r.subject}", r.subject, r.arm, None, r.assigned, r.exposed, 1, None) for r in of.rows]
    frame = pl.DataFrame(rows, schema=schema(), orient="row")
    owners = pl.Series(of.owner, dtype=pl.Int32) if list(of.owner) != list(range(len(of.owner))) else None
    return units(
        frame, owners, len(of.owner), window=of.window, as_of=of.world.as_of, zone=ZONE.key, by_profile=of.by_profile
    )


@pytest.mark.parametrize("seed", range(36))
def test_figures_of_units_are_those_of_a_slow_evaluator(seed: int, tmp_path: Path) -> None:
    of = trial(seed)
    parts = tuple(event_parts(of.world, tmp_path, Random(seed)))
    source = EventSource(Lowering(of.world.definitions, {}), parts, of.world.as_of, ZONE.key)
    found = units_of(of)

    frame = figures(source, METRICS, found, weekly="revenue")

    want = expected(of)
    assert {(row["unit"], row["arm"]) for row in frame.iter_rows(named=True)} == set(want)
    for row in frame.iter_rows(named=True):
        figures_of = want[row["unit"], row["arm"]]
        assert {name: row[name] for name in figures_of} == pytest.approx(figures_of, rel=1e-12), (seed, row["unit"])
        assert set(figures_of) == set(frame.columns) - set(found.analysed.columns)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Australia/Lord_Howe"])
def test_instants_move_as_windows_of_the_language_do(zone: str) -> None:
    random = Random(zone)
    change = 1_774_746_000_000_000  # 29 March 2026, 1:00 UTC
    instants = [
        change + random.randrange(-100, 100) * 1_800_000_000 + days * DAY for days in (-365, -31, -28, 0, 28, 31, 365)
    ]

    for length in (Duration(1, "months"), Duration(1, "years"), Duration(36, "hours")):
        for back in (False, True):
            moved = later(pl.Series([*instants, None], dtype=pl.Int64), length, zone, back=back)
            wanted = [zones.shifted(at, length, -1 if back else 1, zone) for at in instants]
            assert moved.to_list() == [*wanted, None]
