"""When an experiment is over, of whom it then tells, and what a stop before it costs."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from ab_world import BOUGHT, DAY, EXPOSED, LATER, Event, experiment, orders, reported, world

from segctl.state.experiments import add_look, end, looks

HALVES = {"control": 600, "mail": 600}
LIFTED = {"control": 90, "mail": 160}
PLANNED: dict[str, Any] = {"looks": "planned", "look_shares": (Decimal("0.5"), Decimal(1))}


# --- One report -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("plan", [{"size": 800}, {"size": None, "end": EXPOSED + DAY}, {"size": 800, **PLANNED}])
def test_who_comes_after_the_planned_end_is_counted_and_left_out(plan: dict[str, Any], tmp_path: Path) -> None:
    exposed = lambda at: EXPOSED + (at % 3) * DAY  # noqa: E731 - a third of each arm on each day
    events = [*orders(HALVES, LIFTED), Event(0, LATER)]
    session = world(tmp_path, HALVES, events, declared=experiment(HALVES, **plan), exposed=exposed)

    report = reported(session)

    assert [(arm.analysed, arm.beyond, arm.young) for arm in report.arms] == [(400, 200, 0), (400, 200, 0)]
    check = report.check("maturity")
    assert (check.level, check.reason, check.figures["beyond"]) == ("note", "beyond_plan", 400)
    assert (report.next.is_over, report.check("peeking").level) == (True, "ok")
    assert reported(session, now=LATER + 30 * DAY).metric("bought") == report.metric("bought")
    assert reported(session, now=EXPOSED + 14 * DAY).check("maturity").reason == "beyond_and_left_out"


def test_all_of_the_instant_that_fills_the_plan_are_in_it(tmp_path: Path) -> None:
    session = world(tmp_path, HALVES, orders(HALVES, LIFTED), declared=experiment(HALVES, size=700))

    report = reported(session)

    assert [(arm.analysed, arm.beyond) for arm in report.arms] == [(600, 0), (600, 0)]
    assert report.headline.basis == "fixed"


def test_whoever_may_look_at_any_time_may_go_on(tmp_path: Path) -> None:
    declared = experiment(HALVES, size=800, looks="always")
    session = world(tmp_path, HALVES, [], declared=declared, exposed=lambda at: EXPOSED + (at % 3) * DAY)

    assert [(arm.analysed, arm.beyond) for arm in reported(session).arms] == [(600, 0), (600, 0)]


def test_the_planned_day_is_the_end_once_all_windows_are_complete(tmp_path: Path) -> None:
    declared = experiment(HALVES, size=None, end=EXPOSED + 10 * DAY)
    session = world(
        tmp_path, HALVES, orders(HALVES, LIFTED), declared=declared, exposed=lambda at: EXPOSED + (at % 9) * DAY
    )

    early, later = reported(session, now=EXPOSED + 21 * DAY), reported(session, now=EXPOSED + 22 * DAY)

    assert (early.headline.state, early.headline.basis) == ("too_early", "always")
    assert (later.check("peeking").reason, later.headline.basis) == ("looked_before", "fixed")


@pytest.mark.parametrize("plan", [{"size": 2400}, {"size": None, "end": EXPOSED + 28 * DAY}])
def test_a_stop_spends_nothing_at_planned_looks(plan: dict[str, Any], tmp_path: Path) -> None:
    declared = experiment(HALVES, **plan, **PLANNED)
    session = world(tmp_path, HALVES, orders(HALVES, LIFTED), declared=declared)
    now = EXPOSED + 15 * DAY
    running = reported(session, now=now).metric("bought").effects[0].figures["edge"]
    end(session.workspace, "mail_test", at=now)

    stopped = [reported(session, now=at).metric("bought").effects[0].figures["edge"] for at in (now, LATER)]

    assert running > 2.7
    assert stopped == pytest.approx([running, running])


def test_a_stop_waits_for_the_windows_that_it_left_open(tmp_path: Path) -> None:
    session = world(tmp_path, HALVES, orders(HALVES, LIFTED), declared=experiment(HALVES, size=5000),
                    exposed=lambda at: EXPOSED + (at % 3) * DAY)  # fmt: skip
    end(session.workspace, "mail_test", at=EXPOSED + 3 * DAY)

    early, later = reported(session, now=EXPOSED + 15 * DAY), reported(session, now=EXPOSED + 16 * DAY)

    assert (early.headline.state, later.headline.basis) == ("too_early", "fixed")
    assert [look.at for look in looks(session.workspace, "mail_test")] == [EXPOSED + 15 * DAY]


def test_the_planned_day_does_not_make_up_for_a_stop_after_a_look(tmp_path: Path) -> None:
    declared = experiment(HALVES, size=None, end=EXPOSED + 30 * DAY)
    session = world(tmp_path, HALVES, orders(HALVES, LIFTED), declared=declared)
    add_look(session.workspace, "mail_test", at=EXPOSED + 20 * DAY, command="report ab")
    end(session.workspace, "mail_test", at=EXPOSED + 21 * DAY)

    assert reported(session, now=LATER).headline.basis == "always"


@pytest.mark.parametrize(
    ("second", "is_ramped"), [({"control": 50, "mail": 50}, False), ({"control": 1, "mail": 3}, True)]
)
def test_the_same_shares_in_other_numbers_are_no_ramp(second: dict[str, int], is_ramped: bool, tmp_path: Path) -> None:
    events = [Event(at, EXPOSED + DAY) for at in range(0, 1200, 4)]
    session = world(tmp_path, HALVES, events, declared=experiment(HALVES, (BOUGHT,)),
                    weights=({"control": 1, "mail": 1}, second), epoch=lambda at: 1 + at % 2)  # fmt: skip

    assert ("pooled" in reported(session).metric("bought").effects[0].also) == is_ramped
