"""Before the next change that an engine tells, the oracle answers the same at every instant; and it is soon reached."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import strategies
from cases import CASES
from next_change_tools import NEVER, NextChanges, answers, moment, probes, us
from oracle_data import World
from strategies_data import Dice

START, MANY = (int(os.environ.get(f"SEGCTL_PROPERTY_{name}", n)) for name, n in (("START", "0"), ("EXAMPLES", "3000")))
HORIZON = timedelta(days=800)
STEPS_AHEAD, MOST_STEPS = timedelta(days=60), 90


@pytest.mark.parametrize("seed", [3, 14, 17, 29, 41, 55, 58])
def test_time_alone_changes_no_answer_before_the_next_change(seed: int, tmp_path: Path) -> None:
    assert wrong(strategies.world(seed, segments=2), tmp_path, seed, number=5) == []


@pytest.mark.parametrize("seed", [5, 23])
def test_next_changes_soon_lead_beyond_any_instant(seed: int, tmp_path: Path) -> None:
    assert lingering(strategies.world(seed, segments=2), tmp_path, seed) == []


@pytest.mark.slow
def test_time_alone_changes_no_answer_in_many_more_worlds(tmp_path: Path) -> None:
    """The long run; each number from SEGCTL_PROPERTY_START on is one example."""
    for seed in range(START, START + MANY):
        world = strategies.world(seed, segments=2)
        assert wrong(world, tmp_path, seed, number=12) == []
        assert seed % 10 or lingering(world, tmp_path, seed) == []


@pytest.mark.slow
def test_time_alone_changes_no_answer_of_the_language_s_examples(tmp_path: Path) -> None:
    for number, case in enumerate(CASES):
        assert (case.name, wrong(case.world(), tmp_path, number, number=12)) == (case.name, [])


def wrong(world: World, folder: Path, seed: int, number: int) -> list[object]:
    """Profiles whose answers differ at an instant before their next change, with the instant."""
    dice, found = Dice(seed), NextChanges(world, folder, seed).at(world.as_of)
    problems: list[object] = []
    for profile in world.profiles:
        due = found.get(profile.subjects[0])
        if due is None:
            continue
        assert due > us(world.as_of)
        before = answers(world, profile, world.as_of)
        end = moment(min(due, us(world.as_of + HORIZON)))
        instants = probes(world, profile, dice, end, number)
        problems += [(seed, profile.profile_id, due, at) for at in instants if answers(world, profile, at) != before][
            :1
        ]
    return problems


def lingering(world: World, folder: Path, seed: int) -> list[object]:
    """A profile whose next changes do not get ahead: the chain of them takes too many steps.

    An age that ranks is another one at every instant, so nobody is ranked.
    """
    segments = {name: replace(one, keep=None) for name, one in world.definitions.segments.items()}
    world = replace(world, definitions=replace(world.definitions, segments=segments))
    engine, end = NextChanges(world, folder, seed), us(world.as_of + STEPS_AHEAD)
    soon = {subject: due for subject, due in engine.at(world.as_of).items() if due < end}
    if not soon:
        return []
    subject = sorted(soon)[seed % len(soon)]
    at = soon[subject]
    for _ in range(MOST_STEPS):
        at = engine.at(moment(at), [subject]).get(subject, NEVER)
        if at >= end:
            return []
    return [(seed, subject, moment(at))]
