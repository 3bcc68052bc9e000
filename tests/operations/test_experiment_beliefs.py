"""Beliefs and weights for the next send rest on what the headline rests on: strata where weights changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from ab_world import BOUGHT, DAY, EXPOSED, REVENUE, Event, experiment, reported, world


def test_a_ramp_in_which_the_arms_are_alike_makes_no_arm_the_best(tmp_path: Path) -> None:
    """90/10 while 2 % buy, then 10/90 while 10 % do: alike in each, 28 and 92 of 1,000 together."""
    arms = {"nothing": 100, "a": 1_000, "b": 1_000}
    ends = {"a": (100, 900), "b": (1_100, 100)}
    first = {*range(50)} | {at for start, size in ends.values() for at in range(start, start + size)}
    bought = [*range(1), *range(50, 55)]
    for start, size in ends.values():
        bought += [*range(start, start + size // 50)]
        bought += [*range(start + size, start + size + (1_000 - size) // 10)]
    weights = ({"nothing": 5, "a": 90, "b": 10}, {"nothing": 5, "a": 10, "b": 90})
    declared = experiment(arms, (BOUGHT, REVENUE))

    session = world(tmp_path, arms, [Event(at, EXPOSED + DAY) for at in bought], declared=declared, weights=weights,
                    epoch=lambda at: 1 if at in first else 2)  # fmt: skip
    report = reported(session)

    metric = report.metric("bought")
    believed = {one.arm: one for one in metric.beliefs}
    assert metric.effects[1].compared.test == "post_stratified"
    assert believed["a"].better == pytest.approx(believed["b"].better, abs=0.02)
    assert report.allocation is not None
    assert report.allocation.best["a"] == pytest.approx(0.5, abs=0.05)


def test_one_time_of_weights_keeps_the_belief_in_rates(tmp_path: Path) -> None:
    arms = {"nothing": 100, "a": 400, "b": 400}
    bought = [*range(5), *range(100, 120), *range(500, 560)]

    report = reported(world(tmp_path, arms, [Event(at, EXPOSED + DAY) for at in bought], declared=experiment(arms)))

    assert report.allocation is not None
    assert report.allocation.best["b"] > 0.999
