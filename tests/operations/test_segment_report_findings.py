"""Health over what members do: silent where nothing is wrong, and each planted fault is found and can be mended."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from math import sqrt
from pathlib import Path

import numpy as np
import pytest
from audience_shop import FakeGate
from end_to_end.program import document, run
from report_world import NOW, SENT, Planted, World

from segctl.compile.selection import Selection
from segctl.model.errors import UsageError
from segctl.operations.evaluation import evaluate
from segctl.operations.gate import Gate
from segctl.operations.health.health import Examined, examined
from segctl.operations.health.measures import Seen
from segctl.operations.health.proposals import Proposals, proposals, write
from segctl.operations.health.suspicions import _dying, _p_below
from segctl.operations.overlay import open_overlaid
from segctl.operations.segment_report.alike import Estimate
from segctl.operations.session import Session

EVERYTHING = Selection()
DOINGS = {
    "not_paying", "like_everybody", "too_broad", "too_small", "dying", "no_reaction", "displaced", "same_people",
    "opposite", "turns",
}  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def everybody_is_allowed() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Gate, "open", lambda *_, **__: FakeGate())
        yield


def kinds(found: Examined) -> dict[str, set[str]]:
    return {
        one.segment: names for one in found.segments if (names := {finding.kind for finding in one.findings} & DOINGS)
    }


def well(seed: int, **more: object) -> World:
    """Six segments with which nothing is wrong: two of good customers, others of nobody expects anything."""
    world = World(seed=seed, **more)
    good = world.pace > np.quantile(world.pace, 0.75)
    frequent = world.pace > np.quantile(world.pace, 0.5)
    world.segments = {
        "good": world.steady(good & world.some(0.95)),
        "frequent": world.steady(frequent & world.some(0.9)),
        "half": world.steady(world.some(0.5), sent=False),
        "few": world.steady(world.some(0.004), sent=False),
        "third": world.steady(world.some(0.3), sent=False),
        "walk": walking(world),
    }
    told = world.some(0.3)
    world.opens = world.some(0.25)
    world.told = {"good": told & good, "frequent": told & frequent & ~good}
    return world


def walking(world: World) -> Planted:
    """Sizes that walk at random, now up, now down."""
    order = world.rng.permutation(world.people)
    sizes = 900 * np.exp(np.cumsum(world.rng.normal(0, 0.05, world.weeks)))
    return Planted(lambda week: order < sizes[world.weeks - 1 - week], head="")


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow)])
def test_where_nothing_is_wrong_nothing_is_found(seed: int, tmp_path: Path) -> None:
    found = examined(well(seed).session(tmp_path), EVERYTHING, now=NOW)

    assert kinds(found) == {}
    assert found.looked_into >= 4


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """A world with a fault of every kind beside those of `well`."""
    world = well(5, people=6000, project="""reports:
  conversion: {event: order_completed}
  revenue: {event: order_completed, sum: {of: value}}
  engagement: {events: [email_opened]}
priority:
  mailings: [frequent, regulars]
""")  # fmt: skip
    rng, week = world.rng, np.arange(world.weeks)
    idle = world.some(0.3)
    world.buys[np.ix_(idle, range(30))] &= rng.random((int(idle.sum()), 30)) < 0.4
    twins = world.some(0.2)
    odd, even = world.some(0.2), world.some(0.2)
    few = world.some(0.003)
    order = rng.permutation(world.people)
    fading = 2400 * 0.9**week
    members = {
        "idle": replace(world.steady(idle), rule="where: {trait: country, equals: DE}  # everybody here\n"),
        "most": replace(world.steady(world.some(0.97)), rule="where: {trait: country, exists: true}\n"),
        "tiny": Planted(lambda _age: few),
        "fading": Planted(lambda age: order < fading[world.weeks - 1 - age], head=""),
        "regulars": world.steady(world.segments["frequent"].members(0) & world.some(0.8), head=SENT),
        "twin_a": world.steady(twins),
        "twin_b": world.steady(twins & world.some(0.98), head="purpose: survey\nsend_to: [mail]\n"),
        "deaf": world.steady(world.pace > np.quantile(world.pace, 0.6)),
        "ping": Planted(lambda age: even ^ (odd & (age % 2 == 0))),
        "pong": Planted(lambda age: ~even & ~(odd & (age % 2 == 0)) & odd),
    }
    world.segments |= members
    world.told["deaf"] = ~world.told["good"] & ~world.told["frequent"] & world.some(0.5)
    assert world.opens is not None
    world.opens &= ~world.told["deaf"] | world.some(0.1)
    return world.session(tmp_path_factory.mktemp("broken"))


@pytest.fixture(scope="module")
def found(broken: Session) -> Examined:
    return examined(broken, EVERYTHING, now=NOW)


def test_each_planted_fault_is_found_where_it_is(found: Examined) -> None:
    told = kinds(found)

    assert {name: told.get(name, set()) & {expected} for name, expected in PLANTED} == {
        name: {expected} for name, expected in PLANTED
    }


PLANTED = (
    ("idle", "not_paying"), ("most", "too_broad"), ("tiny", "too_small"), ("fading", "dying"),
    ("regulars", "displaced"), ("twin_a", "opposite"), ("deaf", "no_reaction"), ("ping", "turns"),
)  # fmt: skip


@pytest.fixture(scope="module")
def proposed(broken: Session, found: Examined) -> Proposals:
    return proposals(broken, found)


def test_every_fault_that_a_rule_can_mend_has_a_changed_file(proposed: Proposals) -> None:
    changes = {(one.segment, one.finding): one.change for one in proposed.made}

    assert {key: changes.get(key) for key in MENDED} == MENDED


MENDED = {
    ("idle", "not_paying"): "narrowed", ("most", "too_broad"): "narrowed", ("tiny", "too_small"): "widened",
    ("fading", "dying"): "widened", ("regulars", "displaced"): "swapped", ("twin_a", "opposite"): "listed",
    ("deaf", "no_reaction"): "narrowed",
}  # fmt: skip


def test_a_proposal_changes_members_in_the_direction_that_it_says(
    broken: Session, proposed: Proposals, tmp_path: Path
) -> None:
    write(proposed, tmp_path / "proposals", broken.root)
    names = ["idle", "most", "tiny", "fading", "deaf"]

    with open_overlaid(broken.root, tmp_path / "proposals") as session:
        after = sizes(session, names)

    before = sizes(broken, names)
    narrower = {name: after[name] < before[name] for name in names}
    assert narrower == {"idle": True, "most": True, "tiny": False, "fading": False, "deaf": True}
    assert after["tiny"] > before["tiny"]
    assert all(after.values())


def sizes(session: Session, names: list[str]) -> dict[str, int]:
    frame = evaluate(session, names, as_of=NOW, snapshot=session.workspace.snapshot()).frame
    return {name: int(frame[name].sum()) for name in names}


def test_proposals_leave_the_project_as_it_is_and_comments_in_their_files(
    broken: Session, proposed: Proposals, tmp_path: Path
) -> None:
    before = (broken.root / "segments/idle.yaml").read_text("utf-8")

    written = write(proposed, tmp_path / "proposals", broken.root)

    assert (broken.root / "segments/idle.yaml").read_text("utf-8") == before
    assert "# everybody here" in (tmp_path / "proposals/segments/idle.yaml").read_text("utf-8")
    assert {path.relative_to(tmp_path / "proposals").as_posix() for path in written} == set(proposed.contents)


@pytest.mark.parametrize("place", [".", "segments", "segments/more", "full"])
def test_proposals_are_never_written_over_anything(
    broken: Session, proposed: Proposals, tmp_path: Path, place: str
) -> None:
    folder = tmp_path / place if place == "full" else broken.root / place
    if place == "full":
        folder.mkdir()
        (folder / "mine.txt").write_text("mine", "utf-8")

    with pytest.raises(UsageError) as refused:
        write(proposed, folder, broken.root)

    assert refused.value.code == "SEG979"


def test_a_folder_without_definitions_proposes_nothing(broken: Session, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused, open_overlaid(broken.root, tmp_path):
        pass

    assert refused.value.code == "SEG980"


def test_the_way_from_a_finding_to_its_effect_through_the_program(broken: Session, tmp_path: Path) -> None:
    proposed = run("report", "health", "--propose", str(tmp_path / "p"), "-f", "json", cwd=broken.root)
    found = json.loads(proposed.stdout)
    idle = next(row for row in found["sections"]["findings"] if row["finding"] == "not_paying")
    planned = document("plan", "idle", "--with", str(tmp_path / "p"), cwd=broken.root)

    assert proposed.returncode == found["exit"]["code"]
    assert idle["segment"] == "idle"
    assert idle["p"] < 0.05
    assert idle["values"]["rate"] < idle["values"]["rate_of_others"]
    assert found["notes"][0] == f"look: segctl plan --with {tmp_path / 'p'}"
    (change,) = planned["data"]
    assert (change["segment"], change["definition"]) == ("idle", "changed")
    assert change["left"] > 0


@pytest.mark.parametrize(("people", "is_found"), [(1, False), (4, False), (5, True)])
def test_a_few_who_come_and_go_are_no_reason_to_change_a_rule(people: int, is_found: bool, tmp_path: Path) -> None:
    world = World(people=60, days=10)
    place = np.arange(world.people)
    world.segments = {"vip": Planted(lambda week: (place < 30) & ((place >= people) | (week % 2 == 0)))}

    found = examined(world.session(tmp_path), EVERYTHING, now=NOW, with_doings=False)

    (vip,) = found.segments
    assert ("flapping" in {one.kind for one in vip.findings}) == is_found


def test_the_runs_alone_say_nothing_of_what_members_did(broken: Session) -> None:
    found = examined(broken, EVERYTHING, now=NOW, with_doings=False)

    assert kinds(found) == {}
    assert found.report is None


def test_a_test_that_nothing_passes_by_chance_alone_keeps_its_level() -> None:
    """Members that pay exactly 10 % more are the border: at most one in twenty is said not to pay."""
    rng = np.random.default_rng(11)
    rates = rng.binomial(3000, 0.22, 4000) / 3000, rng.binomial(5000, 0.2, 4000) / 5000
    p = [
        _p_below(
            Estimate(mine, sqrt(mine * (1 - mine) / 3000)), Estimate(others, sqrt(others * (1 - others) / 5000)), 1.1
        )
        for mine, others in zip(*rates, strict=True)
    ]

    share = float(np.mean(np.array(p) < 0.05))
    assert 0.05 - 3 * sqrt(0.05 * 0.95 / 4000) < share < 0.05 + 3 * sqrt(0.05 * 0.95 / 4000)


def test_weeks_without_a_run_do_not_make_a_segment_shrink_faster() -> None:
    def value(weeks: list[int]) -> Mapping[str, float]:
        runs = [Seen(week, NOW, NOW.date() + timedelta(weeks=week), round(5000 * 0.9**week), 0, 0, "same", None, ())
                for week in weeks]  # fmt: skip
        (one,) = _dying("walk", runs)
        return one.values

    every, some = value(list(range(15))), value([0, 1, 2, 5, 6, 9, 12, 14])

    assert some["per_week"] == pytest.approx(every["per_week"], rel=0.01)
    assert some["weeks"] == every["weeks"] == 14


def test_sizes_that_walk_at_random_are_seldom_called_dying() -> None:
    rng = np.random.default_rng(12)
    walks = 2000 * np.exp(np.cumsum(rng.normal(0, 0.12, (1500, 12)), axis=1))
    falsely = 0
    for sizes in walks:
        runs = [
            Seen(week, NOW, NOW.date() + timedelta(weeks=week), int(size), 0, 0, "same", None, ())
            for week, size in enumerate(sizes)
        ]
        falsely += any(one.p is not None and one.p < 0.05 and one.matters for one in _dying("walk", runs))

    assert falsely / len(walks) < 0.05 + 3 * sqrt(0.05 * 0.95 / len(walks))
