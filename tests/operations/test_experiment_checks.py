"""Each check of a report on an experiment, made to fire and not to fire."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest
from ab_world import (
    BASKET,
    BOUGHT,
    DAY,
    EXPOSED,
    LATER,
    REVENUE,
    Event,
    experiment,
    orders,
    reported,
    world,
    write,
)

from segctl.model.errors import UsageError
from segctl.model.experiments import Money
from segctl.model.times import Duration
from segctl.model.types import TEXT, stored_column
from segctl.operations.ab.parts import Check
from segctl.operations.experiment.status import experiment_statuses
from segctl.operations.ingest.events import write_events
from segctl.operations.session import Session
from segctl.state import deliveries
from segctl.state.assignments import record_assignments, schema
from segctl.state.deliveries import Failure
from segctl.state.experiments import Epoch, begin, end
from segctl.state.identity import write_canonical
from segctl.state.subjects import Subjects
from segctl.stats.values import Interval

HALVES = {"control": 300, "mail": 300}
LIFTED = {"control": 60, "mail": 100}


def plain(folder: Path) -> Session:
    """A world in which nothing is wrong: orders reach as far as the windows do."""
    late = [Event(0, LATER - DAY)]
    return world(folder, HALVES, [*orders(HALVES, LIFTED), *late])


def contacted(
    session: Session, people: Sequence[int], segment: str = "winback", at: datetime = EXPOSED + timedelta(hours=1)
) -> None:
    """Pushes of a segment reached these people."""
    n = len(people)
    names = ("destination", "segment", "purpose", "channel", "push")
    frame = pl.DataFrame({
        "subject": pl.Series(people, dtype=pl.Int32), "ts": pl.Series([at] * n, dtype=pl.Datetime("us", "UTC")),
        "source": ["push"] * n, "event_id": [f"{segment}{at}{one}" for one in people], "kind": ["contacted"] * n,
        "file_id": pl.Series([None] * n, dtype=pl.Int32), "line": pl.Series([None] * n, dtype=pl.Int64),
        **{stored_column(name, TEXT): [segment if name == "segment" else "x"] * n for name in names},
    })  # fmt: skip
    session.workspace.commit("contacted", add=[write_events(session.workspace, frame)])


def merge(session: Session, pairs: dict[int, int], people: int) -> None:
    """The first of each pair becomes the same person as the second."""
    array = pl.Series("canonical", [pairs.get(at, at) for at in range(people)], dtype=pl.Int32)
    file, old = write_canonical(session.workspace, array)
    session.workspace.commit("dedupe", add=[file], remove=old)


def elsewhere(session: Session, people: Sequence[int], name: str = "other_test") -> None:
    """Another experiment runs, with these people in it."""
    epoch = Epoch(1, EXPOSED, {"a": Decimal(1), "b": Decimal(1)})
    begin(session.workspace, name, definition={}, digest="e", at=EXPOSED, epoch=epoch)
    rows = [(name, f"p{at}", f"p{at}", at, "a", None, EXPOSED, EXPOSED, 1, None) for at in people]
    assert record_assignments(session.workspace, {name: pl.DataFrame(rows, schema=schema(), orient="row")})


def test_where_nothing_is_wrong_no_check_says_anything(tmp_path: Path) -> None:
    report = reported(plain(tmp_path))

    assert len(report.checks) == 14
    assert {check.level for check in report.checks} == {"ok"}
    assert not any(check.decides for check in report.checks)


# --- Split ------------------------------------------------------------------------------------------------
def split_of(folder: Path, counts: dict[str, int], weights: dict[str, int]) -> Check:
    declared = replace(experiment(weights), size=sum(counts.values()))
    return reported(world(folder, counts, orders(counts, LIFTED), declared=declared)).check("split")


@pytest.mark.parametrize(
    ("counts", "level"),
    [
        ({"control": 20, "mail": 380}, "ok"),
        ({"control": 34, "mail": 366}, "warn"),
        ({"control": 40, "mail": 360}, "fail"),
    ],
)
def test_the_split_is_held_against_declared_weights(tmp_path: Path, counts: dict[str, int], level: str) -> None:
    # χ² of 34 where 20 are expected among 400 is 10.3 (p 0.0013), of 40 it is 21 (p 4e-6).
    found = split_of(tmp_path, counts, {"control": 5, "mail": 95})

    assert (found.level, found.decides) == (level, level == "fail")


@pytest.mark.parametrize(("controls", "while_it_runs"), [(600, "ok"), (660, "warn"), (780, "fail")])
def test_a_split_has_one_verdict_in_status_and_report(tmp_path: Path, controls: int, while_it_runs: str) -> None:
    """660 of 1,200 where half is meant: χ² breaks it at one look, and daily looks would break many that are right."""
    session = world(tmp_path, {"control": 2, "mail": 2}, [], people=1204)
    ids = Subjects(session.workspace).table().sort("subject").select("profile_id").collect()["profile_id"].to_list()
    arms = ["control"] * controls + ["mail"] * (1200 - controls)
    Random(3).shuffle(arms)
    rows = []
    for at, arm in enumerate(arms):
        day = EXPOSED + at % 20 * DAY
        rows.append(("mail_test", ids[4 + at], ids[4 + at], 4 + at, arm, None, day, day, 1, None))
    assert record_assignments(session.workspace, {"mail_test": pl.DataFrame(rows, schema=schema(), orient="row")})

    running = reported(session).check("split")
    (status,) = experiment_statuses(session, now=LATER)
    end(session.workspace, "mail_test", at=LATER - DAY)
    stopped = reported(session).check("split")

    assert running.level == while_it_runs
    assert {"pass": "ok"}.get(status.verdict or "", status.verdict) == while_it_runs
    assert stopped.level == {"warn": "fail"}.get(while_it_runs, while_it_runs)


@pytest.mark.parametrize(("controls", "while_it_runs"), [(350, "warn"), (420, "fail")])
def test_a_stratum_is_watched_as_the_whole_is(tmp_path: Path, controls: int, while_it_runs: str) -> None:
    """350 of 600 of a stratum where half is meant, as many too few of the other: χ² of each at one look is 16.7."""
    session = world(tmp_path, {"control": 2, "mail": 2}, [], people=1204)
    ids = Subjects(session.workspace).table().sort("subject").select("profile_id").collect()["profile_id"].to_list()
    dealt = [("AT", "control")] * controls + [("AT", "mail")] * (600 - controls)
    dealt += [("DE", "control")] * (600 - controls) + [("DE", "mail")] * controls
    Random(3).shuffle(dealt)
    rows = []
    for at, (place, arm) in enumerate(dealt):
        day = EXPOSED + at % 20 * DAY
        rows.append(("mail_test", ids[4 + at], ids[4 + at], 4 + at, arm, place, day, day, 1, None))
    assert record_assignments(session.workspace, {"mail_test": pl.DataFrame(rows, schema=schema(), orient="row")})

    running = reported(session).check("split")
    end(session.workspace, "mail_test", at=LATER - DAY)
    stopped = reported(session).check("split")

    assert (running.level, running.reason) == (while_it_runs, "srm_stratum")
    assert (stopped.level, stopped.reason) == ("fail", "srm_stratum")


def test_the_first_of_many_days_has_no_easier_bounds(tmp_path: Path) -> None:
    """56 of 80 on the second day: p of 0.0003, which is enough for two days, and not when days go on coming."""
    session = world(tmp_path, {"control": 2, "mail": 2}, [], people=164)
    ids = Subjects(session.workspace).table().sort("subject").select("profile_id").collect()["profile_id"].to_list()
    arms = ["control", "mail"] * 40 + ["control"] * 56 + ["mail"] * 24
    rows = []
    for at, arm in enumerate(arms):
        day = EXPOSED + (at >= 80) * DAY
        rows.append(("mail_test", ids[4 + at], ids[4 + at], 4 + at, arm, None, day, day, 1, None))
    assert record_assignments(session.workspace, {"mail_test": pl.DataFrame(rows, schema=schema(), orient="row")})

    assert reported(session).check("split").level == "warn"


def test_a_split_that_is_broken_in_one_stratum_is_found(tmp_path: Path) -> None:
    arms = {"control": 400, "mail": 400}
    places = dict.fromkeys((*range(250), *range(400, 550)), "DE")

    found = reported(world(tmp_path, arms, orders(arms, LIFTED), strata=lambda at: places.get(at, "AT"))).check("split")

    assert (found.level, found.reason) == ("fail", "srm_stratum")
    assert found.figures["p"] == 1


def test_weights_that_changed_are_each_held_against_their_own(tmp_path: Path) -> None:
    arms = {"control": 300, "mail": 500}
    first = lambda at: 1 if at < 100 or 300 <= at < 400 else 2  # noqa: E731 - the epoch of a person
    weights = ({"control": 1, "mail": 1}, {"control": 1, "mail": 2})

    report = reported(world(tmp_path, arms, orders(arms, LIFTED), weights=weights, epoch=first))

    # 100 : 100 by 1 : 1, then 200 : 400 by 1 : 2.
    assert report.check("split").level == "ok"
    assert report.check("simpson").reason == "weights_changed"
    # 60 of 100 against 100 of 100, then nobody: a quarter of all times 0.4. Thrown together the rates are equal.
    effect = report.metric("bought").effects[0]
    assert effect.compared.difference.estimate == pytest.approx(0.1)
    assert effect.also["pooled"].difference.estimate == pytest.approx(0)
    assert report.headline.state == "more"


# --- What it cost ---------------------------------------------------------------------------------------
def test_who_was_there_already_was_messaged_and_the_fixed_cost_stays(tmp_path: Path) -> None:
    declared = experiment(HALVES, money=Money(Decimal("0.4"), Decimal(50), "EUR"))
    session = world(tmp_path, HALVES, orders(HALVES, LIFTED), declared=declared)
    contacted(session, [300, 301], at=EXPOSED + timedelta(hours=1))
    contacted(session, [300], at=EXPOSED + DAY)

    report = reported(session)

    # One profile was told twice, 299 others once each, most of them without a contact on record.
    assert report.money[0].messages == 301
    assert report.money[0].cost == pytest.approx(301 * 0.05 + 50)


def test_whose_row_was_not_accepted_was_not_messaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    declared = experiment(HALVES, money=Money(Decimal("0.4"), Decimal(50), "EUR"))
    session = world(tmp_path, HALVES, orders(HALVES, LIFTED), declared=declared)
    contacted(session, [300])
    known = Subjects(session.workspace).table().sort("subject").collect()["profile_id"]

    def failed(*_: object, **__: object) -> list[Failure]:
        return [
            Failure("mail", "winback", "k", known[at], action, state, None, "bounced", None, "", "", 1)
            for at, action, state in [
                (300, "add", "invalid"), (301, "add", "invalid"), (302, "add", "rejected"), (303, "add", "unknown"),
                (304, "remove", "invalid"), (5, "add", "invalid"),
            ]
        ]  # fmt: skip

    monkeypatch.setattr(deliveries, "failures", failed)
    assert reported(session).money[0].messages == 298

    monkeypatch.setattr(
        deliveries, "failures",
        lambda *_, **__: [replace(failed()[0], profile=one) for one in known[300:600]],
    )  # fmt: skip
    (money,) = reported(session).money
    assert (money.messages, money.cost) == (1, pytest.approx(50.05))


# --- Who is compared --------------------------------------------------------------------------------------
@pytest.mark.parametrize(("reached", "level"), [(0, "ok"), (5, "note"), (20, "warn"), (31, "fail")])
def test_controls_that_the_campaign_reached(tmp_path: Path, reached: int, level: str) -> None:
    session = plain(tmp_path)
    contacted(session, range(100, 100 + reached))

    report = reported(session)

    found = report.check("contamination")
    assert (found.level, found.figures["reached"]) == (level, reached)
    assert [row["segment"] for row in found.rows] == (["winback"] if reached else [])
    assert (report.headline.state == "not_usable") == (level == "fail")


def test_with_controls_reached_the_effect_of_a_message_is_larger_than_that_of_the_assignment(tmp_path: Path) -> None:
    session = plain(tmp_path)
    contacted(session, [*range(20), *range(300, 600)])

    effect = reported(session).metric("bought").effects[0]

    # Everybody treated and 20 of 300 controls were told: ITT / (1 − 1/15).
    assert effect.compliance is not None
    assert effect.compliance.estimate == pytest.approx((effect.compared.difference.estimate or 0) / (1 - 20 / 300))


def test_what_other_segments_send_is_shown_and_warned_of_where_it_is_uneven(tmp_path: Path) -> None:
    session = plain(tmp_path)
    contacted(session, range(600), "newsletter")
    contacted(session, range(250, 300), "reminder", EXPOSED + DAY)

    found = reported(session).check("contamination")

    assert (found.level, found.reason) == ("warn", "others_uneven")
    assert {row["segment"]: row["is_uneven"] for row in found.rows} == {"newsletter": False, "reminder": True}


def test_epochs_whose_mistakes_cancel_out_are_a_broken_split(tmp_path: Path) -> None:
    """600 of 1,000 where half was meant, then 150 of 1,000 where a quarter was."""
    arms = {"control": 750, "mail": 1_250}
    where = lambda at: 1 if at < 600 or 750 <= at < 1_150 else 2  # noqa: E731 - by person
    weights = ({"control": 1, "mail": 1}, {"control": 1, "mail": 3})
    session = world(tmp_path, arms, orders(arms, {"control": 100, "mail": 170}), weights=weights, epoch=where)

    found = reported(session).check("split")

    assert (found.level, found.reason) == ("fail", "srm_epoch")
    assert found.figures["epoch_worst"] in ("1", "2")


def test_controls_that_the_segment_reached_under_a_former_name_are_reached(tmp_path: Path) -> None:
    session = plain(tmp_path)
    contacted(session, range(100, 131), "welcome_back")
    today = replace(session.definitions.segments["winback"], formerly=("welcome_back",))
    segments = {**session.definitions.segments, "winback": today}
    renamed = replace(session, definitions=replace(session.definitions, segments=segments))

    assert reported(session).check("contamination").level != "fail"
    assert reported(renamed).check("contamination").level == "fail"


def test_contacts_outside_the_window_reach_nobody(tmp_path: Path) -> None:
    session = plain(tmp_path)
    contacted(session, range(300), at=EXPOSED - DAY)
    contacted(session, range(300), at=EXPOSED + 15 * DAY)

    assert reported(session).check("contamination").figures["reached"] == 0


def test_windows_that_were_open_when_people_were_told_after_the_stop_are_left_out(tmp_path: Path) -> None:
    late = EXPOSED + 5 * DAY
    session = world(tmp_path, HALVES, orders(HALVES, LIFTED), exposed=lambda at: late if at % 300 >= 250 else EXPOSED)
    end(session.workspace, "mail_test", at=EXPOSED + 14 * DAY + timedelta(hours=1))
    assert reported(session).check("contamination").level == "ok"
    contacted(session, range(300), at=EXPOSED + 15 * DAY)

    report = reported(session)

    found = report.check("contamination")
    assert (found.level, found.reason, found.figures["cut"]) == ("note", "told_after_stop", 100)
    assert [(one.analysed, one.young) for one in report.arms] == [(250, 50), (250, 50)]
    assert report.headline.state == "more"


def test_when_no_window_was_complete_the_report_says_why(tmp_path: Path) -> None:
    session = plain(tmp_path)
    end(session.workspace, "mail_test", at=EXPOSED + DAY)
    assert reported(session).arms[0].analysed == 300
    contacted(session, range(300), at=EXPOSED + 2 * DAY)

    report = reported(session)

    found = report.check("contamination")
    assert (report.headline.state, found.level, found.figures["cut"]) == ("nothing_yet", "fail", 600)


def test_a_control_at_the_address_of_somebody_treated_is_reached(tmp_path: Path) -> None:
    mails = lambda at: {"email": f"p{at if at < 300 or at >= 340 else at - 300}@shop.example"}  # noqa: E731 - by person
    session = world(tmp_path, HALVES, orders(HALVES, LIFTED), traits=mails, points=(("email", ("email",)),))

    found = reported(session).check("contamination")

    assert (found.level, found.figures["by_contact_point"], found.figures["by_push"]) == ("fail", 40, 0)


@pytest.mark.parametrize(("torn", "level"), [(0, "ok"), (2, "note"), (7, "warn")])
def test_units_that_merges_tore_apart_leave_both_arms(tmp_path: Path, torn: int, level: str) -> None:
    session = plain(tmp_path)
    if torn:
        merge(session, {300 + at: at for at in range(torn)}, 600)

    report = reported(session)

    assert report.check("two_arms").level == level
    assert [arm.analysed for arm in report.arms] == [300 - torn, 300 - torn]
    assert [arm.excluded for arm in report.arms] == [torn, torn]


def test_two_people_of_one_arm_who_are_one_count_once(tmp_path: Path) -> None:
    session = plain(tmp_path)
    merge(session, {1: 0}, 600)

    report = reported(session)

    assert [arm.analysed for arm in report.arms] == [299, 300]
    assert report.metric("bought").arm("control").events == 59
    check = report.check("two_arms")
    assert (check.level, check.reason, check.figures["once"]) == ("note", "merged_within", 1)
    assert [row["once"] for row in check.rows] == [1, 0]


def test_other_tests_are_named_where_their_people_are_spread_unevenly(tmp_path: Path) -> None:
    session = plain(tmp_path)
    elsewhere(session, range(100), "few_test")
    elsewhere(session, range(0, 600, 2), "even_test")
    elsewhere(session, range(300), "uneven_test")

    found = reported(session).check("interference")

    assert (found.level, found.reason) == ("warn", "uneven")
    assert [row["experiment"] for row in found.rows] == ["even_test", "few_test", "uneven_test"]


# --- When -------------------------------------------------------------------------------------------------
def test_units_without_a_complete_window_are_left_out_in_all_arms(tmp_path: Path) -> None:
    exposures = lambda at: None if at % 100 == 7 else EXPOSED + timedelta(days=at % 20)  # noqa: E731 - by person
    late = [Event(0, EXPOSED + 20 * DAY)]

    report = reported(world(tmp_path, HALVES, late, exposed=exposures), now=EXPOSED + 20 * DAY)

    assert report.check("maturity").reason == "left_out"
    # Days 0 to 6 are complete after 14 days: 7 of 20 of each arm.
    assert [(arm.analysed, arm.unexposed) for arm in report.arms] == [(105, 3), (105, 3)]
    assert [arm.young for arm in report.arms] == [192, 192]


def test_events_that_end_before_the_windows_are_warned_of(tmp_path: Path) -> None:
    found = reported(world(tmp_path, HALVES, orders(HALVES, LIFTED))).check("maturity")

    assert (found.level, found.reason, found.figures["data_until"]) == ("warn", "data_ends_early", EXPOSED + DAY)


def test_an_effect_that_wears_off_is_found(tmp_path: Path) -> None:
    late = [Event(one.person, one.at + 8 * DAY) for one in orders(HALVES, {"control": 100, "mail": 60})]

    report = reported(world(tmp_path, HALVES, [*orders(HALVES, {"control": 40, "mail": 120}), *late]))

    assert report.check("novelty").reason == "effect_changes"
    assert report.trend is not None
    assert [(one.week, one.control, one.value) for one in report.trend.points] == [(1, 40 / 300, 0.4), (2, 1 / 3, 0.2)]


# --- Figures ----------------------------------------------------------------------------------------------
def test_arms_that_differed_before_are_warned_of(tmp_path: Path) -> None:
    metric = replace(BOUGHT, before=Duration(30, "days"))
    early = [Event(one.person, EXPOSED - DAY) for one in orders(HALVES, {"control": 30, "mail": 100})]
    declared = experiment(HALVES, (metric,))

    report = reported(world(tmp_path, HALVES, [*orders(HALVES, LIFTED), *early], declared=declared))

    assert report.check("imbalance").reason == "differed_before"
    assert "cuped" in report.metric("bought").effects[0].also


@pytest.mark.parametrize("looks", ["end", "always"])
def test_what_stands_beside_an_effect_pays_for_looks_as_it_does(looks: Any, tmp_path: Path) -> None:
    metric = replace(BOUGHT, before=Duration(30, "days"))
    before = [Event(at, EXPOSED - DAY) for at in (*range(80, 140), *range(390, 450))]
    session = world(tmp_path, HALVES, [*orders(HALVES, {"control": 100, "mail": 130}), *before],
                    declared=experiment(HALVES, (metric,), looks=looks))  # fmt: skip
    contacted(session, [*range(20), *range(300, 600)])

    effect = reported(session).metric("bought").effects[0]

    wide = width(effect.compared.difference)
    assert effect.compliance is not None
    assert width(effect.also["cuped"].difference) == pytest.approx(wide, rel=0.05)
    assert width(effect.compliance) == pytest.approx(wide / (1 - 20 / 300), rel=0.05)
    assert ((effect.also["cuped"].p or 0) < 0.05) == (looks == "end")


def width(one: Interval) -> float:
    assert one.low is not None
    assert one.high is not None
    return one.high - one.low


def test_arms_that_were_never_dealt_at_the_same_time_are_not_compared(tmp_path: Path) -> None:
    weights = ({"control": 1, "mail": 0}, {"control": 0, "mail": 1})
    session = world(tmp_path, HALVES, orders(HALVES, {"control": 60, "mail": 120}), weights=weights,
                    epoch=lambda at: 1 if at < 300 else 2)  # fmt: skip

    report = reported(session)

    assert (report.headline.state, report.headline.leaning) == ("too_small", None)
    assert report.check("power").reason == "nothing_shared"
    assert all(one.compared.p is None for metric in report.metrics for one in metric.effects)
    assert not any(one.claim for one in report.money)


def test_nothing_that_mixes_strata_stands_beside_an_effect_within_them(tmp_path: Path) -> None:
    """Few of the control are from AT, where most buy: together the mail seems to find more buyers, in each fewer."""
    arms = {"control": 300, "mail": 300}
    at_home = lambda at: "AT" if at < 6 or 300 <= at < 550 else "DE"  # noqa: E731 - by person
    metric = replace(BOUGHT, before=Duration(30, "days"))
    declared = experiment(arms, (metric,), size=600)
    before = [Event(at, EXPOSED - DAY) for at in range(0, 600, 7)]
    session = world(tmp_path, arms, [*orders(arms, {"control": 6, "mail": 150}), *before], declared=declared,
                    strata=at_home)  # fmt: skip

    report = reported(session)

    assert set(report.metric("bought").effects[0].also) == {"pooled"}
    assert report.headline.p == report.metric("bought").effects[0].compared.p


def test_people_of_another_stratum_are_no_arms_that_differed_before(tmp_path: Path) -> None:
    """Of the control a sixth is from AT, where everybody bought before; of the mail five sixths."""
    arms = {"control": 300, "mail": 300}
    at_home = lambda at: "AT" if at < 50 or 300 <= at < 550 else "DE"  # noqa: E731 - by person
    early = [Event(at, EXPOSED - DAY) for at in range(600) if (at % 10) < (9 if at_home(at) == "AT" else 2)]
    declared = experiment(arms, (replace(BOUGHT, before=Duration(30, "days")),))

    report = reported(world(tmp_path, arms, [*orders(arms, LIFTED), *early], declared=declared, strata=at_home))

    assert report.check("simpson").decides
    assert report.check("imbalance").level == "ok"


def test_a_covariate_that_explains_takes_variance_away(tmp_path: Path) -> None:
    metric = replace(BOUGHT, before=Duration(30, "days"))
    early = [Event(one.person, EXPOSED - DAY) for one in orders(HALVES, {"control": 60, "mail": 66})]
    declared = experiment(HALVES, (metric,))

    report = reported(world(tmp_path, HALVES, [*orders(HALVES, LIFTED), *early], declared=declared))

    effect = report.metric("bought").effects[0]
    assert report.check("imbalance").level == "ok"
    assert effect.variance_reduction is not None
    assert effect.variance_reduction > 0.5


def test_one_unit_that_outweighs_an_arm_is_capped_beside(tmp_path: Path) -> None:
    huge = lambda at: 5_000_000 if at == 0 else 1000  # noqa: E731 - cents by place among buyers
    lots = {"control": 60, "mail": 100}

    report = reported(world(tmp_path, HALVES, orders(HALVES, lots, huge)))

    found, effect = report.check("outliers"), report.metric("revenue").effects[0]
    assert found.level == "warn"
    assert {row["arm"] for row in found.rows} == {"control", "mail"}
    assert report.metric("revenue").capped_at == 50_000.0  # 99.9 % of 600 is the largest
    assert effect.also["capped"].test == "welch"


def test_one_unit_that_gave_back_more_than_all_others_spent_is_an_outlier_too(tmp_path: Path) -> None:
    back = lambda at: -5_000_000 if at == 0 else 1000  # noqa: E731 - cents by place among buyers

    report = reported(world(tmp_path, HALVES, orders(HALVES, {"control": 60, "mail": 100}, back)))

    found, effect = report.check("outliers"), report.metric("revenue").effects[0]
    assert [(row["arm"], row["largest"]) for row in found.rows] == [("control", -50_000), ("mail", -50_000)]
    # One of two such values is more than 0.1 % of them, so it is not cut by the default.
    assert effect.also["capped"].control == pytest.approx((-50_000 + 59 * 10) / 300)


def test_money_of_several_arms_is_no_surer_than_its_figure(tmp_path: Path) -> None:
    arms = {"control": 300, "mail": 300, "coupon": 300}
    declared = experiment(arms, money=Money(Decimal("0.4"), Decimal(50), "EUR"))
    report = reported(world(tmp_path, arms, orders(arms, {"control": 60, "mail": 68, "coupon": 60}), declared=declared))

    for money in report.money:
        effect = report.metric("revenue").effect(money.arm)
        assert effect is not None
        wide = effect.simultaneous
        assert wide is not None
        assert (money.revenue.low, money.revenue.high) == (
            pytest.approx(300 * (wide.low or 0)), pytest.approx(300 * (wide.high or 0))
        )  # fmt: skip
        plain = effect.compared.difference
        assert (wide.high or 0) - (wide.low or 0) > ((plain.high or 0) - (plain.low or 0)) * 1.1
        assert money.p_above is not None
        assert money.profit.low is not None
        assert (money.p_above < 0.025) == (money.profit.low > 0)


def test_a_mean_that_rests_on_few_units_is_noted(tmp_path: Path) -> None:
    """60 buyers; each spends the fifth more than the one before, so that their sum is worth far fewer."""
    found = reported(world(tmp_path, HALVES, orders(HALVES, LIFTED, lambda at: round(100 * 1.05**at)))).check(
        "outliers"
    )

    values = [1.05**at for at in range(60)]
    assert (found.level, found.reason) == ("note", "rests_on_few")
    worth = {row["arm"]: row["rests_on"] for row in found.rows}
    assert worth["control"] == pytest.approx(sum(values) ** 2 / sum(value**2 for value in values), rel=1e-2)


def test_revenue_that_rests_on_a_handful_is_no_answer_and_promises_no_profit(tmp_path: Path) -> None:
    """Each spends half as much again as the one before, so that the sum is worth five equal ones."""
    few = orders(HALVES, LIFTED, lambda at: round(1.5 ** (at % 30)))
    beside = reported(world(tmp_path / "beside", HALVES, few))
    main = experiment(HALVES, (replace(REVENUE, role="primary"),))
    decides = reported(world(tmp_path / "decides", HALVES, few, declared=main))

    assert beside.headline.state == "more"
    assert not any(one.claim for one in beside.money)
    assert (decides.headline.state, decides.check("power").reason) == ("too_small", "rests_on_few")


def test_a_declared_cap_cuts_all_arms_at_one_value(tmp_path: Path) -> None:
    declared = experiment(HALVES, (BOUGHT, replace(REVENUE, cap=Decimal(90))))

    report = reported(world(tmp_path, HALVES, orders(HALVES, LIFTED, lambda at: 1000 + at), declared=declared))

    # 160 of 600 bought, the 540th value is that of the place 70 of the second hundred: 39 above it are cut.
    values = sorted([0.0] * 440 + [10 + at / 100 for at in (*range(60), *range(100))])
    metric = report.metric("revenue")
    assert metric.capped_at == values[539]
    cut = [min(value, values[539]) for value in (10 + at / 100 for at in range(100))]
    assert metric.effects[0].also["capped"].treatment == pytest.approx(sum(cut) / 300)


def test_where_most_have_nothing_the_cap_is_that_of_those_who_have_something(tmp_path: Path) -> None:
    declared = experiment(HALVES, (BOUGHT, replace(REVENUE, cap=Decimal(60))))

    report = reported(world(tmp_path, HALVES, orders(HALVES, LIFTED, lambda at: 1000 + at), declared=declared))

    # The 360th of 600 values is 0; of the 160 who bought it is the 96th.
    assert report.metric("revenue").capped_at == sorted(10 + at / 100 for at in (*range(60), *range(100)))[95]


def test_a_control_without_sales_has_no_percentages(tmp_path: Path) -> None:
    declared = experiment(HALVES, (BOUGHT, REVENUE, BASKET))
    free = [Event(one.person, one.at, 0 if one.person < 300 else 1000) for one in orders(HALVES, LIFTED)]

    report = reported(world(tmp_path, HALVES, free, declared=declared))

    assert report.check("baseline").reason == "no_percentages"
    lift = report.metric("revenue").effects[0].compared.lift
    assert (lift.estimate, lift.why) == (None, "control_zero")


# --- Sub-segments -----------------------------------------------------------------------------------------
def test_strata_that_all_point_the_other_way_are_shouted_and_the_stratified_effect_is_told(tmp_path: Path) -> None:
    # Simpson: in both strata the mail does worse, but it went to those who buy more.
    arms = {"control": 400, "mail": 400}
    strata = lambda at: "high" if at < 100 or at >= 500 else "low"  # noqa: E731 - 100 of the controls, 300 of the mailed
    bought = [*range(60), *range(100, 130), *range(400, 402), *range(500, 650)]
    events = [Event(at, EXPOSED + DAY) for at in bought]
    declared = experiment(arms, (BOUGHT,), strata=("country",))

    session = world(tmp_path, arms, events, declared=declared, strata=strata, traits=lambda at: {"points": at % 3})
    report = reported(session, by=["points"])

    assert report.check("simpson").reason == "reversed"
    grouping = report.groups[0]
    assert (grouping.by, grouping.reversed) == ("strata", ("mail",))
    effect = report.metric("bought").effects[0]
    assert effect.also["pooled"].difference.estimate == pytest.approx((152 - 90) / 400)
    assert (effect.compared.test, effect.compared.difference.estimate) == ("post_stratified", pytest.approx(-0.09))
    # 30 % … 60 % of the high, 10 % … 2 % of the low: (0.5 − 0.6 + 0.02 − 0.1) / 2.
    assert grouping.stratified["mail"].difference.estimate == pytest.approx(-0.09)
    for one in report.groups[1].groups:
        mine = [(at >= 400, strata(at), at in {*bought}) for at in range(800) if at % 3 == int(one.group or -1)]
        expected = 0.0
        for stratum in ("high", "low"):
            sides = [[did for is_mail, name, did in mine if name == stratum and is_mail == side] for side in (1, 0)]
            mail, control = (sum(side) / len(side) for side in sides)
            expected += (mail - control) * sum(map(len, sides)) / len(mine)
        assert one.compared.difference.estimate == pytest.approx(expected), one.group
        assert expected < 0


def test_an_effect_in_one_group_alone_is_found_among_groups(tmp_path: Path) -> None:
    bought = [*range(0, 300, 5), *range(300, 600, 5), *range(301, 600, 4)]
    events = [Event(at, EXPOSED + DAY) for at in bought]

    session = world(tmp_path, HALVES, events, traits=lambda at: {"points": at % 2})
    grouping = reported(session, by=["points"]).groups[0]

    assert [(one.group, one.n_control, one.n_arm) for one in grouping.groups] == [("0", 150, 150), ("1", 150, 150)]
    assert [one.moved for one in grouping.groups] == [False, True]
    p = grouping.differs["mail"]
    assert p is not None
    assert p < 0.01


def test_what_to_group_by_must_exist_and_be_nobodys_secret(tmp_path: Path) -> None:
    session = plain(tmp_path)

    with pytest.raises(UsageError, match="neither a trait nor a segment") as missing:
        reported(session, by=["pionts"])
    with pytest.raises(UsageError, match="personal data") as personal:
        reported(session, by=["email"])

    assert (missing.value.code, personal.value.code) == ("SEG967", "SEG968")


def test_groups_are_what_people_were_before_they_were_exposed(tmp_path: Path) -> None:
    session = plain(tmp_path)
    write(session, [])

    grouping = reported(session, by=["winback"]).groups[0]

    assert [(one.group, one.n_control, one.n_arm) for one in grouping.groups] == [("in", 300, 300)]
