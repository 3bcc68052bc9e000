"""Campaigns against their controls, their sum over time, and everybody else against the universal holdout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from ab_world import BOUGHT, DAY, EXPOSED, LATER, REVENUE, Event, experiment, orders, world, write

from segctl.cli.report_control import result
from segctl.cli.report_control_story import document
from segctl.cli.report_document import Lead
from segctl.model.errors import UsageError
from segctl.model.experiments import Experiment, Money, UniversalHoldout
from segctl.operations.ab.ab import running
from segctl.operations.control import report_control
from segctl.operations.session import Session
from segctl.state.assignments import record_assignments, schema
from segctl.state.experiments import end, looks

ARMS = {"control": 300, "mail": 500, "coupon": 400}
BOUGHT_BY = {"control": 60, "mail": 140, "coupon": 130}


def declared(session: Session, *more: Experiment) -> Session:
    known = {**session.definitions.experiments, **{one.name: one for one in more}}
    return replace(session, definitions=replace(session.definitions, experiments=known))


def holdout(session: Session, people: Sequence[int], held: Sequence[int]) -> Session:
    """A generation of the universal holdout that began a day before."""
    project = replace(
        session.project, universal_holdouts=(UniversalHoldout("2026-h2", Decimal("0.25"), EXPOSED - DAY),)
    )
    put(session, "universal:2026-h2", {"held_out": held, "open": [at for at in people if at not in set(held)]})
    return replace(session, definitions=replace(session.definitions, project=project))


def put(session: Session, name: str, arms: Mapping[str, Sequence[int]], days: int = 0) -> None:
    at = EXPOSED + timedelta(days=days)
    rows = [
        (name, f"p{one}", f"p{one}", one, arm, None, at, at, 1, None) for arm, people in arms.items() for one in people
    ]
    frame = pl.DataFrame(rows, schema=schema(), orient="row")
    assert record_assignments(session.workspace, {name: frame})


def test_all_arms_that_are_sent_something_are_one_campaign(tmp_path: Path) -> None:
    session = world(tmp_path, ARMS, orders(ARMS, BOUGHT_BY))

    (found,) = report_control(session, now=LATER).campaigns

    assert (found.treated, found.held) == (900, 300)
    assert found.effect is not None
    assert (found.effect.control, found.effect.treatment) == (0.2, 0.3)
    assert found.money is not None
    # 10 € an order: 900 × (0.3 − 0.2) × 10 € of revenue; 900 messages at 0.05 €.
    assert (found.money.revenue.estimate, found.money.cost) == (pytest.approx(900), pytest.approx(45))
    assert found.money.profit.estimate == pytest.approx(855)


def test_campaigns_add_up_over_time(tmp_path: Path) -> None:
    session = world(tmp_path, ARMS, orders(ARMS, BOUGHT_BY))
    second = replace(
        experiment({"control": 300, "mail": 300}),
        name="second_test",
        money=Money(Decimal("0.5"), Decimal(10), "EUR"),
        size=600,
    )
    put(session, "second_test", {"control": range(300), "mail": range(300, 600)}, days=10)
    write(session, [Event(at, EXPOSED + 12 * DAY) for at in (*range(60), *range(300, 390))])

    found = report_control(declared(session, second), now=LATER)

    assert [one.experiment for one in found.campaigns] == ["mail_test", "second_test"]
    assert [str(one.day) for one in found.cumulative] == ["2026-10-15", "2026-10-25"]
    first, last = found.cumulative
    # The second: 300 × (90 − 60)/300 × 10 € = 300 € of revenue; half of it, less 10 € and 300 messages at 0.05 €.
    assert last.revenue.estimate == pytest.approx((first.revenue.estimate or 0) + 300)
    assert last.profit.estimate == pytest.approx((first.profit.estimate or 0) + 150 - 10 - 15)
    assert (last.revenue.high or 0) - (last.revenue.low or 0) > (first.revenue.high or 0) - (first.revenue.low or 0)


def test_what_has_no_silent_arm_or_no_money_is_named(tmp_path: Path) -> None:
    session = world(tmp_path, ARMS, orders(ARMS, BOUGHT_BY), declared=experiment(ARMS, (BOUGHT,)))
    loud = replace(session.definitions.experiments["mail_test"], name="loud_test")
    loud = replace(loud, arms=tuple(replace(arm, is_sent=True) for arm in loud.arms))
    idle = replace(experiment(ARMS), name="idle_test")

    found = report_control(declared(session, loud, idle), now=LATER)

    assert found.skipped == {"loud_test": "no_unsent_control", "idle_test": "nothing_yet", "mail_test": "no_money"}
    with pytest.raises(UsageError) as refused:
        report_control(declared(session, loud), "loud_test", now=LATER)
    assert refused.value.code == "SEG969"


def test_a_broken_campaign_is_shown_but_not_summed(tmp_path: Path) -> None:
    broken = {"control": 200, "mail": 700, "coupon": 300}
    session = world(tmp_path, broken, orders(broken, BOUGHT_BY), declared=experiment(ARMS))

    found = report_control(session, now=LATER)

    assert found.campaigns[0].report.headline.state == "not_usable"
    assert (found.cumulative, found.skipped) == ((), {"mail_test": "not_usable"})


def test_the_programme_is_everybody_else_against_those_held_out(tmp_path: Path) -> None:
    session = world(tmp_path, ARMS, orders(ARMS, BOUGHT_BY), people=1600)
    write(session, [Event(at, EXPOSED + 20 * DAY) for at in range(1200, 1260)])

    report = report_control(holdout(session, range(1600), range(1200, 1600)), now=LATER)

    (found,) = report.programmes
    assert (found.held, found.open, found.campaigns) == (400, 1200, ("mail_test",))
    bought = found.metrics[0].effects[0].compared
    assert (bought.control, bought.treatment) == (pytest.approx(60 / 400), pytest.approx(330 / 1200))
    assert found.money is not None
    assert found.money.revenue.estimate == pytest.approx(1200 * (330 / 1200 - 60 / 400) * 10)
    assert found.money.claim
    assert "interference" not in {check.name for check in found.checks}
    assert found.gap is None, "one campaign takes from no other"


def test_campaigns_together_less_the_programme_is_what_they_took_from_each_other(tmp_path: Path) -> None:
    session = world(tmp_path, ARMS, orders(ARMS, BOUGHT_BY), people=1600)
    second = replace(experiment({"control": 300, "mail": 300}), name="second_test")
    put(session, "second_test", {"control": range(300), "mail": range(300, 600)})
    write(session, [Event(at, EXPOSED + 20 * DAY) for at in range(1200, 1260)])

    report = report_control(holdout(declared(session, second), range(1600), range(1200, 1600)), now=LATER)

    (found,) = report.programmes
    # The campaigns say 900 € and 300 × (140 − 60)/300 × 10 €; the programme 1,500 €.
    assert found.gap is not None
    assert found.gap.estimate == pytest.approx(900 + 800 - 1500)


def test_a_holdout_with_too_few_buyers_claims_no_profit(tmp_path: Path) -> None:
    session = world(tmp_path, ARMS, orders(ARMS, BOUGHT_BY), people=1600)

    (found,) = report_control(holdout(session, range(1600), range(1200, 1600)), now=LATER).programmes

    assert found.money is not None
    assert not found.money.claim


@pytest.mark.parametrize(
    ("changes", "buyers", "why"),
    [
        ({"size": 9000}, BOUGHT_BY, "too_early"),
        ({}, {"control": 0, "mail": 30, "coupon": 20}, "too_small"),
    ],
)
def test_what_has_no_answer_yet_earns_nothing(
    tmp_path: Path, changes: dict[str, int], buyers: dict[str, int], why: str
) -> None:
    session = world(tmp_path, ARMS, orders(ARMS, buyers), declared=experiment(ARMS, **changes))

    found = report_control(session, now=LATER)
    told = document(found, "en")

    assert (found.cumulative, found.skipped) == ((), {"mail_test": why})
    assert found.campaigns[0].money is not None
    assert not found.campaigns[0].money.claim
    (row,) = result(found).rows
    assert "profit" not in row
    (lead,) = told.lead
    assert isinstance(lead, Lead)
    assert f"1 of the campaigns with a control group ({why.replace('_', ' ')}: 1)" in str(lead)
    assert "EUR" not in str(lead)


def test_one_campaign_has_one_range(tmp_path: Path) -> None:
    declared = experiment(ARMS, looks="always", size=1200)
    found = report_control(world(tmp_path, ARMS, orders(ARMS, BOUGHT_BY), declared=declared), now=LATER)

    assert found.campaigns[0].money is not None
    alone, together = found.campaigns[0].money.profit, found.cumulative[-1].profit
    assert (together.low, together.high) == (pytest.approx(alone.low), pytest.approx(alone.high))


def test_a_generation_ends_with_its_time(tmp_path: Path) -> None:
    session = world(tmp_path, ARMS, orders(ARMS, BOUGHT_BY))
    session = holdout(session, range(1200), range(300))
    ended = replace(session.project.universal_holdouts[0], end=EXPOSED + 10 * DAY)
    project = replace(session.project, universal_holdouts=(ended,))
    session = replace(session, definitions=replace(session.definitions, project=project))
    write(session, [Event(at, EXPOSED + 11 * DAY) for at in range(60, 300)])

    (found,) = report_control(session, now=LATER).programmes

    assert found.until == EXPOSED + 10 * DAY
    assert found.metrics[0].arm("held_out").events == 60


def test_a_generation_of_another_share_says_why_its_split_is_broken(tmp_path: Path) -> None:
    session = world(tmp_path, ARMS, orders(ARMS, BOUGHT_BY))
    session = holdout(session, range(1200), range(100))

    (found,) = report_control(session, now=LATER).programmes

    (check,) = [one for one in found.checks if one.name == "split"]
    assert (check.level, check.reason) == ("fail", "share_changed")
    assert check.figures == {"share": pytest.approx(1 / 12), "declared": 0.25}
    assert found.money is not None
    assert not found.money.claim


def test_reading_the_report_is_a_look_at_what_runs(tmp_path: Path) -> None:
    session = world(tmp_path, ARMS, orders(ARMS, BOUGHT_BY))

    report_control(session, "mail_test", now=LATER)
    end(session.workspace, "mail_test", at=LATER)
    report_control(session, "mail_test", now=LATER)

    assert [one.command for one in looks(session.workspace, "mail_test")] == ["report control"]


def test_arms_together_are_compared_within_the_weights_that_were_in_force(tmp_path: Path) -> None:
    """Who came first buys more and was rarely mailed: thrown together the mails earn nothing."""
    arms = {"control": 300, "mail": 250, "coupon": 250}
    # 100 of 100 and 50 and 50 by 2 : 1 : 1, then 200 and 200 and 200; the first buy, and so do 20 more of the mailed.
    first = lambda at: 1 if at < 100 or 300 <= at < 350 or 550 <= at < 600 else 2  # noqa: E731 - epoch of a person
    weights = ({"control": 2, "mail": 1, "coupon": 1}, {"control": 1, "mail": 1, "coupon": 1})
    events = orders(arms, {"control": 100, "mail": 70, "coupon": 70})
    session = world(tmp_path, arms, events, weights=weights, epoch=first)

    (told,) = report_control(session, "mail_test", now=LATER).campaigns

    alone = [one.compared.difference.estimate for one in told.report.metric("bought").effects]
    assert alone == pytest.approx([0.08, 0.08], abs=0.01)
    assert told.effect.difference.estimate == pytest.approx(0.1 * 600 / 800)
    assert told.money is not None
    assert told.money.per_unit.estimate == pytest.approx(10 * 0.1 * 600 / 800)


def test_windows_that_ripen_after_a_stop_are_looked_at_too(tmp_path: Path) -> None:
    late = lambda at: EXPOSED + (at % 2) * 20 * DAY  # noqa: E731 - half of them have open windows
    session = world(tmp_path, ARMS, orders(ARMS, BOUGHT_BY), exposed=late)
    end(session.workspace, "mail_test", at=EXPOSED + 25 * DAY)

    report_control(session, "mail_test", now=EXPOSED + 26 * DAY)
    report_control(session, "mail_test", now=EXPOSED + 40 * DAY)

    assert len(looks(session.workspace, "mail_test")) == 1


def test_the_list_tells_what_runs_and_how_far_it_is(tmp_path: Path) -> None:
    session = world(tmp_path, ARMS, [], declared=experiment(ARMS, (BOUGHT, REVENUE), size=2400))
    later = replace(experiment(ARMS), name="later_test")

    found = running(declared(session, later), now=LATER)

    assert [(one.experiment, one.state, one.share) for one in found] == [
        ("mail_test", "running", 0.5), ("later_test", "planned", None)
    ]  # fmt: skip
    assert found[0].arms == {"control": 300, "mail": 500, "coupon": 400}


def test_a_generation_that_goes_on_pays_for_every_look_and_one_that_is_over_for_one(tmp_path: Path) -> None:
    session = holdout(world(tmp_path, ARMS, orders(ARMS, BOUGHT_BY)), range(1200), range(300))
    over = replace(session.project.universal_holdouts[0], end=LATER)
    project = replace(session.project, universal_holdouts=(over,))
    closed = replace(session, definitions=replace(session.definitions, project=project))

    found = [report_control(one, now=LATER).programmes[0].metrics[0].effects[0] for one in (session, closed)]

    assert [one.basis for one in found] == ["always", "fixed"]
    going_on, ended = (one.compared.difference for one in found)
    assert going_on.estimate == ended.estimate
    assert (going_on.high or 0) - (going_on.low or 0) > 1.2 * ((ended.high or 0) - (ended.low or 0))
