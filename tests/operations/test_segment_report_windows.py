"""Whose doings are told, from when: members of the run before the window, everybody who was there, and others alike."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from math import sqrt
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from audience_shop import FakeGate
from report_world import NOW, REPORTS, Planted, World

from segctl.compile.selection import Selection
from segctl.model.errors import UsageError
from segctl.operations.gate import Gate
from segctl.operations.segment_report.alike import Crowd
from segctl.operations.segment_report.scan import Doings
from segctl.operations.segment_report.segment_report import Asked, segment_report
from segctl.operations.segment_report.values import Figures, SegmentsReport

BASE = 5
"""Weeks before the newest run: the run before the window of 30 days began."""


@pytest.fixture(scope="module")
def world() -> World:
    made = World(people=1200, seed=4, project=f"{REPORTS}  costs: {{mail: 0.5}}\n")
    ever = made.some(0.5)
    turns = {week: made.some(0.2) for week in range(made.weeks)}
    made.segments = {
        "moving": Planted(lambda week: ever ^ turns[week]),
        "kept": Planted(lambda week: ever ^ turns[week], until=3),
        "young": Planted(lambda week: ever if week < 3 else np.zeros(made.people, dtype=bool)),
    }
    made.opens = made.some(0.4)
    made.told = {"moving": made.some(0.25)}
    return made


@pytest.fixture(scope="module")
def report(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SegmentsReport]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Gate, "open", lambda *_, **__: FakeGate())
        session = world.session(tmp_path_factory.mktemp("windows"))
        yield segment_report(session, Selection(), now=NOW, asked=Asked(last=4))
        assert segment_report(session, Selection(("kept",)), now=NOW).as_of == NOW


def bought(world: World, period: int) -> np.ndarray:
    found: np.ndarray = world.buys[:, 30 * period : 30 * (period + 1)].any(axis=1)
    return found


def test_figures_are_those_of_the_members_when_the_window_began(world: World, report: SegmentsReport) -> None:
    there = world.segments["moving"].members(BASE)

    one = report.segment("moving")

    assert one.basis == "after"
    assert one.window is not None
    assert one.window.people == there.sum() != one.size
    assert one.window.converted == (bought(world, 0) & there).sum()
    assert world.opens is not None
    assert one.window.engaged == (world.opens & there).sum()


def test_earlier_windows_have_the_members_of_their_own_begin(world: World, report: SegmentsReport) -> None:
    there = world.segments["moving"].members(9)  # 63 days ago, the run before 60 days ago

    (earlier,) = report.segment("moving").earlier

    assert (earlier.people, earlier.converted) == (there.sum(), (bought(world, 1) & there).sum())


def test_everybody_is_everybody(world: World, report: SegmentsReport) -> None:
    assert report.everybody is not None
    assert (report.everybody.people, report.everybody.converted) == (world.people, bought(world, 0).sum())
    assert report.profiles == world.people


def test_members_of_nobody_at_the_begin_are_an_empty_group_not_those_of_today(
    world: World, report: SegmentsReport
) -> None:
    young = report.segment("young")

    assert (young.basis, young.window) == ("after", Figures(0, 0, 0.0, 0.0, 0))
    assert young.size == world.segments["young"].members(0).sum()


def test_a_segment_that_no_newer_run_touched_is_told_of_the_same_time_as_the_others(
    world: World, report: SegmentsReport
) -> None:
    kept = report.segment("kept")

    assert report.as_of == NOW
    assert kept.points[-1].at == NOW - timedelta(weeks=3)
    assert kept.window is not None
    assert kept.window.converted == (bought(world, 0) & world.segments["kept"].members(BASE)).sum()


def test_only_the_runs_asked_for_are_shown(world: World, report: SegmentsReport) -> None:
    one = report.segment("moving")
    moved = [world.segments["moving"].members(week) for week in (3, 2, 1, 0)]

    assert [point.size for point in one.points] == [flags.sum() for flags in moved]
    assert one.entered == sum((new & ~old).sum() for old, new in pairwise(moved))


def test_messages_reactions_and_cost_are_those_of_the_window(world: World, report: SegmentsReport) -> None:
    told = report.segment("moving").contacts

    assert told is not None
    assert world.opens is not None
    people = int(world.told["moving"].sum())
    assert (told.messages, told.people, told.cost) == ({"mail": people}, people, people * 0.5)
    assert told.reacted == (world.told["moving"] & world.opens).sum()


@pytest.mark.parametrize(
    ("ago", "reacted", "heard"),
    [
        pytest.param(timedelta(days=3), 200, 200, id="before the reaction"),
        pytest.param(timedelta(days=1), 0, 200, id="after it"),
        pytest.param(timedelta(hours=-1), None, 0, id="after the newest event and run"),
    ],
)
def test_only_a_reaction_after_the_message_is_one(
    ago: timedelta, reacted: int | None, heard: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Gate, "open", lambda *_, **__: FakeGate())
    everybody = np.ones(200, dtype=bool)
    made = World(people=200, days=40, weeks=2, opens=everybody, told={"moving": everybody}, told_ago=ago)
    made.segments = {"moving": Planted(lambda _: everybody)}

    told = segment_report(made.session(tmp_path), Selection(), now=NOW + timedelta(hours=2)).segment("moving").contacts

    assert told is not None
    assert (told.messages, told.people) == ({"mail": 200}, 200)
    assert (told.reacted, told.heard) == (reacted, heard)


def test_others_who_were_told_count_once_whoever_told_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Gate, "open", lambda *_, **__: FakeGate())
    place = np.arange(200)
    made = World(people=200, days=40, weeks=2, opens=place % 4 == 0)
    made.told = {"moving": place < 90, "a": place >= 60, "b": place >= 100, "c": place >= 100}
    made.told_ago = timedelta(days=3)
    made.segments = {name: Planted(lambda _: np.ones(200, dtype=bool)) for name in made.told}

    told = segment_report(made.session(tmp_path), Selection(), now=NOW).segment("moving").contacts

    assert told is not None
    # 110 who were told by others alone, of whom every fourth from the 92nd on reacted.
    assert (told.heard, told.others, told.others_reacted) == (90, 110, 27)


def test_reach_is_what_an_audience_leaves(world: World, report: SegmentsReport) -> None:
    (place,) = report.segment("moving").reach

    assert (place.destination, place.channel) == ("mail", "email")
    assert place.members == place.reachable == report.segment("moving").size


def test_a_holdout_that_nobody_knows_keeps_no_other_figure_from_being_told(tmp_path: Path) -> None:
    made = World(people=200, weeks=2, project=f"{REPORTS}holdout: [kept_out]\n", never=("kept_out",))
    there = made.some(0.5)
    made.segments = {"now": Planted(lambda _: there), "kept_out": Planted(lambda _: there, head="")}
    session = made.session(tmp_path)

    found = segment_report(session, Selection(("now",)), now=NOW)

    assert found.segment("now").size == there.sum()
    assert found.segment("now").reach == ()
    assert found.unreached is not None
    assert "kept_out" in found.unreached


def test_nothing_is_told_before_the_first_run(tmp_path: Path) -> None:
    bare = World(people=20, weeks=0)
    session = bare.session(tmp_path)

    with pytest.raises(UsageError) as refused:
        segment_report(session, Selection(), now=NOW)

    assert refused.value.code == "SEG978"


def test_with_a_single_run_members_of_today_look_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Gate, "open", lambda *_, **__: FakeGate())
    made = World(people=200, weeks=1)
    there = made.some(0.5)
    made.segments = {"now": Planted(lambda _: there)}

    one = segment_report(made.session(tmp_path), Selection(), now=NOW + timedelta(days=3)).segment("now")

    assert one.window is not None
    assert (one.basis, one.alike, one.earlier) == ("before", None, ())
    assert one.window.converted == (bought(made, 0) & there).sum()


def test_others_alike_are_weighted_by_the_stages_of_the_members() -> None:
    """By hand: members stand 30 in stage 0 and 10 in stage 1; of others 10 % and 50 % converted there."""
    stages = np.array([0] * 30 + [1] * 10 + [0] * 100 + [1] * 40, dtype=np.int8)
    members = np.arange(180) < 40
    converted = np.zeros(180, dtype=bool)
    converted[[0, 30, 31]] = True  # 1 of 30, 2 of 10
    converted[40:50] = True  # 10 of 100
    converted[140:160] = True  # 20 of 40

    found = Crowd(np.ones(180, dtype=bool), stages, converted, None).beside(members)

    assert found is not None
    assert found.conversion is not None
    assert found.conversion_of_others is not None
    assert (found.people, found.others) == (40, 140)
    assert found.conversion.value == pytest.approx(3 / 40)
    assert found.conversion_of_others.value == pytest.approx(0.75 * 0.1 + 0.25 * 0.5)
    shrunk = [11 / 102, 21 / 42]
    variance = 0.75**2 * shrunk[0] * (1 - shrunk[0]) / 100 + 0.25**2 * shrunk[1] * (1 - shrunk[1]) / 40
    assert found.conversion_of_others.se == pytest.approx(sqrt(variance))
    assert found.per_person is None


def test_members_without_others_in_their_stage_are_compared_with_nobody() -> None:
    stages = np.array([1] * 40 + [0] * 100, dtype=np.int8)
    members = np.arange(140) < 40

    assert Crowd(np.ones(140, dtype=bool), stages, members, None).beside(members) is None


def test_somebody_merged_since_is_a_member_as_who_they_are_now() -> None:
    doings = object.__new__(Doings)
    doings.owners, doings.length = pl.Series([0, 0, 2, 2], dtype=pl.Int32), 4

    found = doings.owned(pl.Series([False, True, None, True]))

    assert found.tolist() == [True, False, True, False]


def test_without_merges_who_came_later_is_no_member() -> None:
    doings = object.__new__(Doings)
    doings.owners, doings.length = None, 4

    assert doings.owned(pl.Series([False, True])).tolist() == [False, True, False, False]
