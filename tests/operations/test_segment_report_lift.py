"""Lift beside segments comes from experiments that are over, and decides what health says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from ab_world import LATER, orders, reported, world

from segctl.operations.health.suspicions import Suspicion, _measured, _value, found
from segctl.operations.segment_report.alike import Alike, Estimate
from segctl.operations.segment_report.lift import lifts
from segctl.operations.segment_report.values import Figures, Lift, SegmentFigures
from segctl.operations.session import Session
from segctl.state.experiments import end, looks

ARMS = {"control": 300, "mail": 300}


@pytest.fixture
def tried(tmp_path: Path) -> Session:
    return world(tmp_path, ARMS, orders(ARMS, {"control": 30, "mail": 90}))


def test_a_stopped_experiment_gives_its_lift(tried: Session) -> None:
    end(tried.workspace, "mail_test", at=LATER - timedelta(days=1), reason="done")

    (lift,) = lifts(tried, frozenset({"winback"}), as_of=LATER)["winback"]

    effect = reported(tried).metric("bought").effects[0]
    assert (lift.experiment, lift.metric, lift.arm) == ("mail_test", "bought", "mail")
    assert (lift.estimate, lift.low, lift.p) == (
        effect.compared.lift.estimate,
        effect.compared.lift.low,
        effect.p_adjusted,
    )
    assert lift.estimate == pytest.approx(2.0)
    assert lift.is_won


def test_one_that_is_too_small_to_tell_says_nothing_of_the_segment(tmp_path: Path) -> None:
    session = world(tmp_path, ARMS, orders(ARMS, {"control": 0, "mail": 40}))
    end(session.workspace, "mail_test", at=LATER - timedelta(days=1), reason="done")

    assert reported(session).headline.state == "too_small"
    assert lifts(session, frozenset({"winback"}), as_of=LATER) == {}


def test_one_that_runs_is_not_looked_at(tried: Session) -> None:
    assert lifts(tried, frozenset({"winback"}), as_of=LATER) == {}
    assert looks(tried.workspace, "mail_test") == ()


def test_experiments_on_other_segments_are_left_out(tried: Session) -> None:
    end(tried.workspace, "mail_test", at=LATER - timedelta(days=1))

    assert lifts(tried, frozenset({"others"}), as_of=LATER) == {}


def idle(*measured: Lift) -> SegmentFigures:
    """Two thousand members who convert half as often as others."""
    half, whole = Estimate(0.1, 0.005), Estimate(0.2, 0.005)
    return SegmentFigures(
        "idle", None, 2000, 0.2, (), 0, 0, None, None, "after", Figures(2000, 200), (), True,
        Alike(2000, 8000, half, whole, None, None), lifts=measured,
    )  # fmt: skip


WON = Lift("mail_test", "bought", "mail", 0.3, 0.1, 0.5, 0.95, 0.001)


def test_what_an_experiment_has_shown_counts_for_more_than_a_comparison() -> None:
    assert [one.kind for one in _value(idle())] == ["not_paying"]
    assert list(_value(idle(WON))) == []


def test_an_arm_that_does_harm_is_told() -> None:
    lost = replace(WON, estimate=-0.3, low=-0.5, high=-0.1)

    assert [one.values["high"] for one in _measured(idle(WON, lost))] == [-0.1]
    assert list(_measured(idle(replace(lost, better="lower")))) == []


def test_all_that_was_looked_into_is_one_family() -> None:
    alone = [Suspicion("a", "not_paying", {}, 0.04)]
    others = [Suspicion(f"s{i}", "not_paying", {}, 0.5 + i / 100) for i in range(19)]

    assert [one.p for one in found(alone)] == [0.04]
    assert found([*alone, *others]) == ()
    assert [one.segment for one in found([Suspicion("b", "dying", {}, 0.001), *others])] == ["b"]


def test_what_does_not_matter_counts_among_those_looked_into_but_is_not_told() -> None:
    small = Suspicion("a", "dying", {}, 1e-9, matters=False)

    assert found([small, Suspicion("b", "too_small", {})]) == (Suspicion("b", "too_small", {}),)
