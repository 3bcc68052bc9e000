"""Level of reports for somebody who looks every day, stops when it suits, and believes the first result there is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest
from ab_world import BOUGHT, DAY, EXPOSED, experiment

from segctl.model.times import Duration
from segctl.operations.ab.design import rule, stage
from segctl.operations.ab.trial import Trial
from segctl.operations.ab.units import units
from segctl.state.assignments import schema
from segctl.state.experiments import ExperimentRecord, Look

UNITS, BATCH, OPEN = 1_200, 100, 3
"""By the plan; how many come each day; days of the window."""
FULL = UNITS // BATCH - 1 + OPEN
"""The day on which the plan is complete."""
ROUNDS = 5_000
HIGHEST = 0.05 + 3 * (0.05 * 0.95 / ROUNDS) ** 0.5
"""The level with three Monte Carlo errors."""
SHARES = (Decimal("0.25"), Decimal("0.5"), Decimal("0.75"), Decimal(1))
ENDS = {"size": {"size": UNITS}, "end": {"size": None, "end": EXPOSED + (UNITS // BATCH - 1) * DAY}}
DESIGNS: dict[str, dict[str, Any]] = {"end": {"looks": "end"}, "planned": {"looks": "planned", "look_shares": SHARES}}


@dataclass(frozen=True)
class Answer:
    """What a report says: about whom, and what |z| must reach."""

    people: tuple[int, ...]
    bound: float


@cache
def outcomes() -> np.ndarray:
    """Of every unit in every round, without any effect."""
    return np.random.default_rng(66).standard_normal((ROUNDS, 2 * UNITS), dtype=np.float32)


@cache
def assigned(days: int) -> pl.DataFrame:
    """A batch a day, its arms by turns, up to twice the plan."""
    rows = []
    for at in range(min(days * BATCH, 2 * UNITS)):
        day = EXPOSED + at // BATCH * DAY
        rows.append(("mail_test", f"u{at}", f"u{at}", at, ("control", "mail")[at % 2], None, day, day, 1, None))
    return pl.DataFrame(rows, schema=schema(), orient="row")


def answer(plan: dict[str, Any], day: int, looked: Iterable[int], stopped: int | None = None) -> Answer | None:
    """Of the report at noon of a day, after looks at noon of others; None while it is too early."""
    declared = replace(experiment({"control": 1, "mail": 1}, (BOUGHT,), **plan), window=Duration(OPEN, "days"))
    record = ExperimentRecord(
        "mail_test", {}, "d", EXPOSED, None if stopped is None else noon(stopped) + timedelta(hours=1)
    )
    people = units(
        assigned((day if stopped is None else stopped) + 1), None, 2 * UNITS, window=declared.window, as_of=noon(day),
        zone="UTC", by_profile=True, size=declared.size, end=declared.end,
    )  # fmt: skip
    seen = tuple(Look(noon(one), "report ab") for one in looked)
    nothing: Any = None
    of = Trial(nothing, declared, record, seen, people, nothing, None, noon(day), 1)
    at = stage(of)
    if at.is_early:
        return None
    cost = rule(of, at, sum(of.analysed.values()), "mail")
    return Answer(tuple(people.analysed["person"]), 1.96 if cost is None else cost.critical)


def noon(day: int) -> datetime:
    return EXPOSED + day * DAY + timedelta(hours=4)


@cache
def z_of(people: tuple[int, ...]) -> np.ndarray:
    """|z| of every round."""
    inside = np.array(people)
    arms = [inside[inside % 2 == arm] for arm in (0, 1)]
    means = [outcomes()[:, one].mean(axis=1) for one in arms]
    return np.abs(means[1] - means[0]) / sum(1 / len(one) for one in arms) ** 0.5


def is_found(found: Answer | None) -> np.ndarray:
    return np.zeros(ROUNDS, dtype=bool) if found is None else z_of(found.people) > found.bound


@pytest.mark.slow
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("looks", DESIGNS)
def test_looking_on_after_the_planned_end_finds_nothing_more(looks: str, end: str) -> None:
    plan = DESIGNS[looks] | ENDS[end]
    days = range(2 * UNITS // BATCH + OPEN)

    answers = [answer(plan, day, range(day)) for day in days]

    ever = np.any([is_found(one) for one in answers], axis=0).mean()
    assert 0.03 < ever < HIGHEST
    assert {len(one.people) for one in answers[FULL:] if one is not None} == {UNITS}
    assert (answers[FULL - 1] is None) == (looks == "end")
    free = [z_of(tuple(range((day - OPEN + 1) * BATCH))) > 1.96 for day in days[FULL:]]
    assert np.any(free, axis=0).mean() > 0.1


@pytest.mark.slow
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("looks", DESIGNS)
def test_stopping_at_the_best_look_finds_nothing_more(looks: str, end: str) -> None:
    plan = DESIGNS[looks] | ENDS[end]
    ever, goes_on, free = (np.full(ROUNDS, value) for value in (False, True, False))

    for day in range(OPEN, FULL + 1):
        running = answer(plan, day, range(OPEN, day))
        ever |= goes_on & is_found(running)
        # Stopped by the naive test, and looked at while the last windows get complete.
        naive = z_of(tuple(range((day - OPEN + 1) * BATCH))) > 1.96
        free |= naive
        if day < FULL:
            later = [answer(plan, day + on, range(OPEN, day + on), stopped=day) for on in range(1, OPEN + 1)]
            late = [answer(plan, 3 * FULL, range(OPEN, day + OPEN), stopped=day)]
            ever |= goes_on & naive & np.any([is_found(one) for one in (*later, *late)], axis=0)
            goes_on &= ~naive

    assert ever.mean() < HIGHEST
    assert free.mean() > 0.1
