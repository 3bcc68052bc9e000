"""Each state of the headline, reached by a planted world."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from ab_world import (
    BASKET,
    BOUGHT,
    DAY,
    EXPOSED,
    LATER,
    ORDERED,
    RETURNED,
    REVENUE,
    Event,
    experiment,
    orders,
    reported,
    world,
)

from segctl.cli.context import Context
from segctl.cli.report_ab_story import document
from segctl.cli.report_view import text
from segctl.model.experiments import Metric, Money
from segctl.operations.ab.grouped import _adjusted
from segctl.state.experiments import add_look, end, looks
from segctl.stats.multiplicity import benjamini_hochberg
from segctl.stats.rates import compare_rates
from segctl.stats.values import Counts

HALVES = {"control": 600, "mail": 600}
LIFTED = {"control": 90, "mail": 160}
SAME = {"control": 120, "mail": 124}


def test_more_when_more_bought(tmp_path: Path) -> None:
    found = reported(world(tmp_path, HALVES, orders(HALVES, LIFTED))).headline

    assert (found.state, found.metric, found.arm, found.is_good) == ("more", "bought", "mail", True)
    assert (found.control, found.value, found.per) == pytest.approx((150.0, 266.67, 1000), rel=1e-4)
    assert found.difference is not None
    assert found.difference.low is not None
    assert found.difference.low > 0
    assert found.extra is not None
    assert found.extra.estimate == pytest.approx(70)


def test_fewer_is_said_in_the_same_way(tmp_path: Path) -> None:
    found = reported(world(tmp_path, HALVES, orders(HALVES, {"control": 160, "mail": 90}))).headline

    assert (found.state, found.is_good) == ("fewer", False)


def test_fewer_of_what_should_be_fewer_is_good(tmp_path: Path) -> None:
    declared = experiment(HALVES, (replace(BOUGHT, better="lower"),))

    found = reported(world(tmp_path, HALVES, orders(HALVES, {"control": 160, "mail": 90}), declared=declared)).headline

    assert (found.state, found.is_good) == ("fewer", True)


def test_no_difference_says_what_is_ruled_out(tmp_path: Path) -> None:
    found = reported(world(tmp_path, HALVES, orders(HALVES, SAME))).headline

    assert found.state == "no_difference"
    assert found.difference is not None
    assert found.ruled_out == max(abs(found.difference.low or 0), abs(found.difference.high or 0))


def test_a_look_before_the_end_is_too_early_and_wider(tmp_path: Path) -> None:
    early = experiment(HALVES, size=5000)
    session = world(tmp_path, HALVES, orders(HALVES, LIFTED), declared=early)

    report = reported(session)

    assert (report.headline.state, report.headline.leaning, report.headline.basis) == ("too_early", "more", "always")
    main = report.metric("bought").effects[0]
    assert main.compared.difference.low is not None
    assert main.also["fixed"].difference.low is not None
    assert main.compared.difference.low < main.also["fixed"].difference.low
    assert (report.check("peeking").level, report.check("peeking").reason) == ("warn", "before_end")
    assert not any(one.claim for one in report.money)


def test_each_report_on_a_running_experiment_is_a_look(tmp_path: Path) -> None:
    session = world(tmp_path, HALVES, orders(HALVES, LIFTED), declared=experiment(HALVES, size=5000))

    reported(session, command="report ab --json")
    reported(session, look=False)

    assert [look.command for look in looks(session.workspace, "mail_test")] == ["report ab --json"]
    assert reported(session).check("peeking").figures["unplanned"] == 1


def test_a_stop_after_a_look_is_answered_for_any_day(tmp_path: Path) -> None:
    session = world(tmp_path, HALVES, orders(HALVES, LIFTED), declared=experiment(HALVES, size=5000))
    add_look(session.workspace, "mail_test", at=EXPOSED + 20 * DAY, command="report ab")
    end(session.workspace, "mail_test", at=EXPOSED + 21 * DAY)

    report = reported(session)

    assert (report.headline.state, report.headline.basis) == ("more", "always")
    assert report.check("peeking").reason == "stopped_after_look"


def test_a_stop_without_a_look_is_an_end_like_any_other(tmp_path: Path) -> None:
    session = world(tmp_path, HALVES, orders(HALVES, LIFTED), declared=experiment(HALVES, size=5000))
    end(session.workspace, "mail_test", at=EXPOSED + 21 * DAY)

    assert reported(session).headline.basis == "fixed"


def test_goalposts_that_move_after_the_start_move_nothing(tmp_path: Path) -> None:
    session = world(tmp_path, HALVES, orders(HALVES, LIFTED), declared=experiment(HALVES, size=5000))
    add_look(session.workspace, "mail_test", at=EXPOSED + 20 * DAY, command="report ab")
    moved = experiment(HALVES, size=1000, looks="always", confidence=Decimal("0.8"), effect=Decimal("0.5"))
    session = replace(session, definitions=replace(session.definitions, experiments={"mail_test": moved}))

    report = reported(session)

    assert (report.headline.state, report.next.planned, report.next.effect) == ("too_early", 5000, None)
    assert (report.method.looks, report.method.confidence) == ("end", 0.95)
    assert report.check("peeking").figures["unplanned"] == 1
    assert report.check("plan_kept").figures["changes"] == (
        "size 5000 → 1000, effect – → 0.5, looks end → always, confidence 0.95 → 0.8"
    )


def test_looks_at_any_time_are_no_peeking_when_declared(tmp_path: Path) -> None:
    declared = experiment(HALVES, size=5000, looks="always")

    report = reported(world(tmp_path, HALVES, orders(HALVES, LIFTED), declared=declared))

    assert (report.headline.state, report.headline.basis, report.check("peeking").level) == ("more", "always", "ok")


def test_planned_looks_have_bounds_of_their_own(tmp_path: Path) -> None:
    declared = experiment(HALVES, size=2400, looks="planned", look_shares=(Decimal("0.5"), Decimal(1)))

    report = reported(world(tmp_path, HALVES, orders(HALVES, LIFTED), declared=declared))

    effect = report.metric("bought").effects[0]
    assert (report.headline.state, report.headline.basis) == ("more", "planned")
    # O'Brien-Fleming-like spending at half of the information, two-sided 5 %: 2.963 (rpact 3.3.4).
    assert effect.figures["edge"] == pytest.approx(2.963, abs=1e-3)
    assert effect.p_adjusted is not None
    assert effect.p_adjusted > effect.also["fixed"].p


def test_before_the_first_planned_look_it_is_too_early(tmp_path: Path) -> None:
    declared = experiment(HALVES, size=4800, looks="planned", look_shares=(Decimal("0.5"), Decimal(1)))

    report = reported(world(tmp_path, HALVES, orders(HALVES, LIFTED), declared=declared))

    assert (report.headline.state, report.headline.basis) == ("too_early", "always")
    assert report.check("peeking").reason == "before_first_look"


@pytest.mark.parametrize("buyers", [{"control": 20, "mail": 40}, {"control": 5, "mail": 120}])
def test_few_conversions_are_too_small_to_tell(tmp_path: Path, buyers: dict[str, int]) -> None:
    report = reported(world(tmp_path, HALVES, orders(HALVES, buyers)))

    assert report.headline.state == "too_small"
    assert report.check("power").level == "warn"
    assert not any(one.claim for one in report.money)


@pytest.mark.parametrize(
    ("control", "mail", "why"), [(0, 6, "control_zero"), (0, 0, "no_conversions"), (20, 6, "control_all")]
)
def test_what_nothing_can_be_planned_from_is_said_of_the_control_or_of_all(
    control: int, mail: int, why: str, tmp_path: Path
) -> None:
    arms = {"control": 20, "mail": 20}

    assert reported(world(tmp_path, arms, orders(arms, {"control": control, "mail": mail}))).next.why == why


def test_an_arm_with_few_has_an_exact_p(tmp_path: Path) -> None:
    report = reported(world(tmp_path, HALVES, orders(HALVES, {"control": 5, "mail": 120})))

    exact = report.metric("bought").effects[0].also["exact"]
    assert exact.test == "boschloo"
    assert report.headline.p == exact.p


@pytest.mark.parametrize(("control", "mail"), [(600, 595), (595, 600), (596, 600), (600, 560)])
def test_arms_in_which_nearly_everybody_did_it_are_too_small_to_tell_as_well(
    control: int, mail: int, tmp_path: Path
) -> None:
    """Without 5 of 600 against none the score test says 0.025, the exact one 0.06."""
    report = reported(world(tmp_path, HALVES, orders(HALVES, {"control": control, "mail": mail})))

    assert (report.headline.state, report.check("power").reason) == ("too_small", "few_without")
    effect, exact = report.metric("bought").effects[0], report.metric("bought").effects[0].also["exact"]
    agrees = effect.verdict in ("better", "worse") and exact.p is not None and exact.p <= 0.05
    assert (report.headline.leaning is not None) == agrees
    assert not any(one.claim for one in report.money)
    assert report.check("power").figures["without"] == 600 - max(control, mail)


@pytest.mark.parametrize("buyers", [90, 93, 95, 97])
def test_intervals_of_a_family_agree_with_its_p_at_any_look(buyers: int, tmp_path: Path) -> None:
    """Two arms, looked at long before the planned size; |z| of 5.0 to 5.6, where tuning at α and at α/2 differ."""
    arms = {"control": 300, "mail": 300, "other": 300}
    declared = experiment(arms, size=20_000, looks="always")
    found = reported(
        world(tmp_path, arms, orders(arms, {"control": 40, "mail": buyers, "other": 70}), declared=declared)
    )

    effect = found.metric("bought").effects[0]
    assert effect.p_adjusted is not None
    assert effect.told.low is not None
    assert (effect.told.low > 0) == (effect.p_adjusted < 0.05)


def test_less_than_the_plan_can_find_is_too_small(tmp_path: Path) -> None:
    declared = experiment(HALVES, effect=Decimal("0.05"))

    report = reported(world(tmp_path, HALVES, orders(HALVES, SAME), declared=declared))

    assert (report.headline.state, report.check("power").reason) == ("too_small", "mde_above_plan")
    assert report.next.missing is not None
    assert report.next.missing > 10_000


def test_a_guard_rail_that_got_worse_changes_the_headline(tmp_path: Path) -> None:
    declared = experiment(HALVES, (BOUGHT, RETURNED))
    back = [
        Event(one.person, one.at + DAY, one.cents, "order_refunded")
        for one in orders(HALVES, {"mail": 60, "control": 15})
    ]

    report = reported(world(tmp_path, HALVES, [*orders(HALVES, LIFTED), *back], declared=declared))

    assert (report.headline.state, report.headline.reasons) == ("guardrail", ("returned",))
    assert report.metric("returned").effects[0].held == "failed"
    assert report.metric("bought").effects[0].verdict == "better"


def test_what_another_arm_broke_is_no_reason_against_the_best_one(tmp_path: Path) -> None:
    arms = {"control": 600, "mail": 600, "coupon": 600}
    returned = orders(arms, {"control": 30, "mail": 120, "coupon": 30})
    back = [Event(one.person, one.at + DAY, one.cents, "order_refunded") for one in returned]
    events = [*orders(arms, {"control": 90, "mail": 132, "coupon": 190}), *back]

    report = reported(world(tmp_path, arms, events, declared=experiment(arms, (BOUGHT, RETURNED))))

    assert (report.headline.state, report.headline.arm) == ("more", "coupon")
    assert report.metric("returned").effects[0].held == "failed"


def test_a_primary_metric_that_another_one_pays_for_is_no_gain(tmp_path: Path) -> None:
    kept = replace(RETURNED, role="primary", better="higher", margin=None)
    back = [
        Event(one.person, one.at + DAY, one.cents, "order_refunded")
        for one in orders(HALVES, {"mail": 15, "control": 60})
    ]
    session = world(tmp_path, HALVES, [*orders(HALVES, LIFTED), *back], declared=experiment(HALVES, (BOUGHT, kept)))

    assert reported(session).headline.state == "guardrail"
    assert reported(session).headline.reasons == ("returned",)


def test_a_guard_rail_within_its_margin_holds(tmp_path: Path) -> None:
    declared = experiment(HALVES, (BOUGHT, replace(RETURNED, margin=Decimal(1))))
    back = [
        Event(one.person, one.at + DAY, one.cents, "order_refunded")
        for one in orders(HALVES, {"mail": 60, "control": 60})
    ]

    report = reported(world(tmp_path, HALVES, [*orders(HALVES, LIFTED), *back], declared=declared))

    assert (report.headline.state, report.metric("returned").effects[0].held) == ("more", "held")


def test_a_broken_split_is_not_usable(tmp_path: Path) -> None:
    broken = {"control": 500, "mail": 700}
    declared = experiment(HALVES, size=1200)

    report = reported(world(tmp_path, broken, orders(broken, LIFTED), declared=declared))

    assert (report.headline.state, report.headline.reasons, report.usable) == ("not_usable", ("split",), False)
    assert report.check("split").figures["excess"] == 100


def test_nothing_yet_while_no_window_is_complete(tmp_path: Path) -> None:
    session = world(tmp_path, HALVES, orders(HALVES, LIFTED))

    report = reported(session, now=EXPOSED + timedelta(days=3), by=["points", "winback"])

    assert report.headline.state == "nothing_yet"
    assert [arm.young for arm in report.arms] == [600, 600]
    assert report.next.end_of_windows == EXPOSED + 14 * DAY
    assert report.next.why == "windows_open"


def test_a_broken_split_is_told_before_any_window_ends(tmp_path: Path) -> None:
    broken = {"control": 500, "mail": 700}
    session = world(tmp_path, broken, orders(broken, LIFTED), declared=experiment(HALVES, size=1200))

    report = reported(session, now=EXPOSED + DAY)

    assert (report.headline.state, report.headline.reasons, report.usable) == ("not_usable", ("split",), False)
    assert not looks(session.workspace, "mail_test")
    assert "Not usable" in text(Context("segctl report", now=LATER), document(report, "en", anyway=True))


def test_nobody_assigned_is_nothing_yet(tmp_path: Path) -> None:
    report = reported(world(tmp_path, HALVES, []), now=EXPOSED - DAY)

    assert (report.headline.state, report.began) == ("nothing_yet", None)


def test_of_several_arms_the_best_is_told_at_the_level_of_its_step(tmp_path: Path) -> None:
    arms = {"control": 600, "mail": 600, "coupon": 600}

    report = reported(world(tmp_path, arms, orders(arms, {"control": 90, "mail": 132, "coupon": 160})))

    first, main = report.headline, report.metric("bought")
    assert (first.state, first.arm, main.correction, main.tests) == ("more", "coupon", "holm", 2)
    mail, coupon = main.effects
    assert coupon.p_adjusted == pytest.approx(2 * (coupon.compared.p or 0))
    assert mail.p_adjusted == pytest.approx(mail.compared.p)
    # Holm asks the smaller p at 2.5 %, then the other at 5 %.
    assert [one.simultaneous.confidence for one in main.effects if one.simultaneous] == pytest.approx([0.95, 0.975])
    assert coupon.simultaneous is not None
    assert first.difference == coupon.simultaneous.scaled(1000)


@pytest.mark.parametrize(("coupon", "rivals"), [(162, ("mail",)), (260, ())])
def test_arms_that_beat_the_control_are_held_against_each_other(
    tmp_path: Path, coupon: int, rivals: tuple[str, ...]
) -> None:
    arms = {"control": 600, "mail": 600, "coupon": 600}

    report = reported(world(tmp_path, arms, orders(arms, {"control": 90, "mail": 150, "coupon": coupon})))

    assert (report.headline.state, report.headline.arm, report.headline.rivals) == ("more", "coupon", rivals)


def test_assigned_and_not_told_is_to_be_pushed(tmp_path: Path) -> None:
    session = world(tmp_path, HALVES, [], exposed=lambda _: None)

    told = text(Context("segctl report", now=LATER), document(reported(session), "en"))

    assert "1,200 people are assigned, and nobody was told anything" in told
    assert "push the segment winback" in told
    assert "experiment start" not in told


def test_who_groups_by_more_pays_for_more(tmp_path: Path) -> None:
    events = [Event(at, EXPOSED + DAY) for at in (*range(0, 600, 5), *range(601, 1200, 4))]
    session = world(tmp_path, HALVES, events, traits=lambda at: {"points": at % 2})

    one, other = reported(session, by=["points", "winback"]).groups

    groups = [*one.groups, *other.groups]
    assert [group.p_adjusted for group in groups] == pytest.approx(
        benjamini_hochberg([group.compared.p for group in groups])
    )
    least = one.differs["mail"]
    assert least is not None
    assert _adjusted([one, replace(one, differs={"mail": 0.9})], 0.05)[0].differs["mail"] == pytest.approx(2 * least)


def test_groups_pay_for_looks_as_the_whole_does(tmp_path: Path) -> None:
    """60 of 300 against 75 and against 100 of 300: what one look would find is not what looks on any day may."""
    events = [Event(at, EXPOSED + DAY) for at in (*range(0, 600, 5), *range(600, 1200, 8), *range(601, 1200, 6))]
    declared = experiment(HALVES, size=20_000, looks="always")
    session = world(tmp_path, HALVES, events, declared=declared, traits=lambda at: {"points": at % 2})

    groups = reported(session, by=["points"]).groups[0].groups

    for one in groups:
        counts = Counts(one.n_control, one.events_control or 0), Counts(one.n_arm, one.events_arm or 0)
        at_one_look = compare_rates(*counts)
        assert at_one_look.p is not None
        assert one.compared.p is not None
        assert one.compared.p > at_one_look.p
        low, high = one.compared.difference.low, one.compared.difference.high
        assert low is not None
        assert high is not None
        assert (low, -high) < (at_one_look.difference.low, -(at_one_look.difference.high or 0.0))


def test_all_at_once_is_no_pace(tmp_path: Path) -> None:
    declared = experiment(HALVES, effect=Decimal("0.05"))

    report = reported(world(tmp_path, HALVES, orders(HALVES, SAME), declared=declared))

    assert report.next.missing
    assert (report.next.per_day, report.next.days) == (None, None)
    told = text(Context("segctl report", now=LATER), document(report, "en"), details=True)
    assert "came in one go" in told
    assert "a day that takes" not in told


@pytest.mark.parametrize(
    ("metric", "reason"),
    [(ORDERED, None), (REVENUE, "rests_on_few"), (replace(REVENUE, cap=Decimal("99.9")), "rests_on_few_cut")],
)
def test_a_count_of_one_is_not_large_and_what_is_cut_need_not_be(
    tmp_path: Path, metric: Metric, reason: str | None
) -> None:
    declared = experiment(HALVES, (BOUGHT, metric))

    report = reported(world(tmp_path, HALVES, orders(HALVES, {"control": 12, "mail": 14}), declared=declared))

    assert report.check("outliers").reason == reason


def test_every_kind_of_metric_has_its_test(tmp_path: Path) -> None:
    declared = experiment(HALVES, (BOUGHT, REVENUE, ORDERED, BASKET))

    report = reported(world(tmp_path, HALVES, orders(HALVES, LIFTED, lambda at: 500 + 10 * at), declared=declared))

    tests = {one.name: one.effects[0].compared.test for one in report.metrics}
    assert tests == {"bought": "pooled_z", "revenue": "welch", "orders": "welch", "basket": "delta"}
    assert report.metric("basket").arm("mail").value.estimate == pytest.approx(5 + 0.1 * 159 / 2)
    assert report.as_of == LATER


def test_the_fixed_cost_is_shared_by_all_messages(tmp_path: Path) -> None:
    arms = {"control": 300, "mail": 500, "coupon": 400}
    declared = experiment(arms, money=Money(Decimal("0.4"), Decimal(90), "EUR"))

    report = reported(
        world(tmp_path, arms, orders(arms, {"control": 60, "mail": 150, "coupon": 120}), declared=declared)
    )

    mail, coupon = report.money
    assert (mail.cost, coupon.cost) == (pytest.approx(500 * 0.05 + 50), pytest.approx(400 * 0.05 + 40))
    # 500 × (0.3 − 0.2) × 10 € of revenue, 40 % of it is margin.
    assert mail.profit.estimate == pytest.approx(0.4 * 500 - 75)
    assert (mail.roi.estimate, mail.break_even.estimate) == (pytest.approx(125 / 75), pytest.approx(75 / 200))
    assert (mail.attributed, mail.per_thousand.estimate) == (pytest.approx(1500), pytest.approx(400))
    assert mail.cost_per_extra is not None
    assert mail.cost_per_extra.estimate == pytest.approx(75 / 50)
