"""Experiments in audiences and pushes: who is held out, what is written, and what never reaches a service."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from experiment_world import KIND, NOW, World, experiment, world

from segctl.connectors.destinations import connected
from segctl.connectors.destinations.base import Around
from segctl.model.destinations import Destination
from segctl.model.errors import Refused, TemporaryError
from segctl.model.experiments import Arm, LayerShare, UniversalHoldout
from segctl.model.times import Duration
from segctl.operations.ab.ab import report_ab
from segctl.operations.ab.result import AbReport
from segctl.operations.ab.told import contacts_of
from segctl.operations.consent.record import Said, record
from segctl.operations.evaluation import event_part
from segctl.operations.experiment.assign import assign
from segctl.operations.experiment.check import check
from segctl.operations.experiment.run import stop
from segctl.operations.plan.file import SavedPlan
from segctl.operations.plan.push import FormerList, plan_push, saved_pushes
from segctl.operations.push.push import Asked, push
from segctl.operations.push.work import Part
from segctl.operations.universal_share import share_findings
from segctl.state.experiments import record as recorded
from segctl.state.experiments import record_assignments
from segctl.state.workspace import Workspace


def test_nobody_is_held_out_before_the_start(tmp_path: Path) -> None:
    shop = world(tmp_path)
    shop.declare(experiment())

    shop.push()

    assert len(shop.services.people()) == 40
    assert shop.record().is_empty()


def test_the_control_is_on_record_and_never_told(tmp_path: Path) -> None:
    shop = world(tmp_path)
    shop.declare(experiment())
    shop.start()

    shop.push()

    arms, told = shop.arms(), shop.services.people()
    assert set(arms) == {f"c{i}" for i in range(40)}
    assert told == {person for person, arm in arms.items() if arm == "mail"}
    assert 5 < len(told) < 35
    assert {one.fields["variant"] for one in shop.services.requests} == {"mail"}


def test_arms_are_the_hashes_that_anybody_can_compute(tmp_path: Path) -> None:
    from hashlib import sha256

    shop = world(tmp_path)
    shop.declare(experiment())
    shop.start()
    shop.push()

    def arm(person: str) -> str:
        return "control" if sha256(f"shop\x1farms\x1fmail_test\x1f{person}".encode()).digest()[0] < 128 else "mail"

    assert shop.arms() == {f"c{i}": arm(f"c{i}") for i in range(40)}


def test_all_arms_are_exposed_at_the_begin_of_the_push(tmp_path: Path) -> None:
    shop = world(tmp_path)
    shop.declare(experiment())
    shop.start()
    began = shop.now

    pushed = shop.push()

    assert set(shop.record().select("exposed_at", "assigned_at", "push", "epoch").rows()) == {
        (began, began, pushed.id, 1)
    }


def test_a_later_push_adds_only_who_is_new(tmp_path: Path) -> None:
    shop = world(tmp_path, members={"winback": range(20)})
    shop.declare(experiment())
    shop.start()
    shop.push()
    before, second = shop.record(), shop.now
    shop.members(winback=range(10, 40))
    second = shop.now

    shop.push()

    after = shop.record()
    assert after.head(20).equals(before)
    assert set(after["exposed_at"].tail(20)) == {second}
    assert shop.services.people() == {p for p, arm in shop.arms().items() if arm == "mail" and int(p[1:]) >= 10}


def test_a_control_that_was_there_before_is_taken_out(tmp_path: Path) -> None:
    shop = world(tmp_path)
    shop.push()
    shop.declare(experiment())
    shop.start()

    shop.push()

    assert shop.services.people() == {person for person, arm in shop.arms().items() if arm == "mail"}


@pytest.mark.parametrize(("mode", "stays"), [("add", False), ("update", True)])
def test_where_others_stay_a_control_leaves_unless_the_mode_only_updates(
    tmp_path: Path, mode: str, *, stays: bool
) -> None:
    shop = world(tmp_path)
    shop.push()
    shop.members(winback=range(30))  # the others stay in these modes
    shop.declare(experiment())
    shop.start()

    shop.push(mode=mode)

    control = {person for person, arm in shop.arms().items() if arm == "control"}
    assert control
    assert (control <= shop.services.people()) == stays
    assert (control & shop.services.people() == set()) != stays
    assert {f"c{i}" for i in range(30, 40)} <= shop.services.people()
    contamination = _report(shop).check("contamination")
    assert contamination.figures["staying"] == (len(control) if stays else 0)
    assert contamination.level == ("fail" if stays else "ok")
    assert contamination.reason == ("controls_stay" if stays else None)


def test_who_is_told_after_the_stop_was_a_control_until_then(tmp_path: Path) -> None:
    shop = world(tmp_path)
    shop.declare(experiment())
    shop.start()
    shop.push()
    shop.now += timedelta(days=15)
    stop(shop.session, "mail_test", now=shop.now)
    shop.now += timedelta(hours=1)

    shop.push()

    assert len(shop.services.people()) == 40
    found = _report(shop).check("contamination")
    assert (found.level, found.figures["staying"], found.figures["controls"]) == ("ok", 0, 16)


def _report(shop: World) -> AbReport:
    """After all windows."""
    return report_ab(shop.session, "mail_test", now=shop.now + timedelta(days=15), look=False)


def test_a_dry_run_and_a_waterfall_write_nothing(tmp_path: Path) -> None:
    shop = world(tmp_path)
    shop.declare(experiment())
    shop.start()
    commits = shop.session.workspace.snapshot()

    dry = shop.push(dry_run=True)
    audience = shop.audiences()["winback", "mail"]

    assert shop.session.workspace.snapshot() == commits
    assert shop.services.requests == []
    step = next(step for step in audience.waterfall if step.name == "holdout")
    assert step.reasons == {"control": 40 - audience.rows.height}
    assert step.details == {("control", "mail_test"): step.dropped}
    assert dry.outcomes[0].waterfall[5] == step
    shop.push()
    assert len(shop.services.people()) == audience.rows.height


def test_a_push_that_a_guard_refuses_exposes_nobody(tmp_path: Path) -> None:
    from segctl.model.conditions.segments import Guards

    to = Destination("mail", KIND, purposes=("service",), guards=Guards(max_size=3))
    shop = world(tmp_path, destinations=(to,))
    shop.declare(experiment())
    shop.start()

    pushed = shop.push()

    assert pushed.outcomes[0].status == "refused"
    assert shop.record().is_empty()


def test_a_paused_segment_exposes_nobody(tmp_path: Path) -> None:
    from segctl.operations.pauses import press

    shop = world(tmp_path)
    shop.declare(experiment())
    shop.start()
    press(shop.session, "pause", ["winback"], everything=False, reason="look first", now=shop.now)

    shop.push()

    assert shop.record().is_empty()


def test_only_who_may_be_told_is_assigned(tmp_path: Path) -> None:
    people: list[dict[str, str]] = [{"email": f"c{i}@post.example"} for i in range(20)]
    people[3], people[4] = {}, {"email": "no address"}
    shop = world(tmp_path, people=people)
    record(shop.session, "c5@post.example", Said("withdraw"), now=shop.now)
    shop.declare(experiment())
    shop.start()

    shop.push()

    assert set(shop.arms()) == {f"c{i}" for i in range(20)} - {"c3", "c4", "c5"}


def test_who_is_displaced_by_another_segment_is_not_assigned(tmp_path: Path) -> None:
    shop = world(
        tmp_path, members={"winback": range(40), "vip": range(10)},
        project="priority: {mails: [vip, winback]}\n",
    )  # fmt: skip
    shop.declare(experiment())
    shop.start()

    shop.push()

    assert set(shop.arms()) == {f"c{i}" for i in range(10, 40)}
    assert shop.services.people(segment="vip") == {f"c{i}" for i in range(10)}


def test_a_control_does_not_stand_in_the_way_of_later_segments(tmp_path: Path) -> None:
    shop = world(
        tmp_path, members={"winback": range(40), "news": range(40)},
        project="priority: {mails: [winback, news]}\n",
    )  # fmt: skip
    shop.declare(experiment())
    shop.start()

    shop.push()

    # What people would get if the campaign did not exist is what its control gets.
    assert shop.services.people(segment="news") == {p for p, arm in shop.arms().items() if arm == "control"}


def test_traffic_only_lets_people_in_as_it_grows(tmp_path: Path) -> None:
    shop = world(tmp_path, 80)
    shop.declare(experiment(traffic=Decimal("0.3")))
    shop.start()
    shop.push()
    first, told = shop.arms(), shop.services.people()
    shop.declare(experiment(traffic=Decimal("0.8")))

    shop.push()

    second = shop.arms()
    assert 10 < len(first) < 40 < len(second) < 80
    assert {person: second[person] for person in first} == first
    assert told <= shop.services.people()
    assert dict(shop.record().select("profile_id", "epoch").iter_rows()) == {
        person: 1 if person in first else 2 for person in second
    }
    step = shop.audiences()["winback", "mail"].waterfall[5]
    assert step.details["not_enrolled", "mail_test: traffic"] == 80 - len(second)


def test_who_takes_no_part_gets_what_a_control_that_is_told_gets(tmp_path: Path) -> None:
    shop = world(tmp_path)
    forms = (Arm("long", Decimal(1)), Arm("short", Decimal(1)))
    shop.declare(experiment(arms=forms, control="long", traffic=Decimal("0.5")))
    shop.start()

    shop.push()

    arms = shop.arms()
    variants = {one.email.partition("@")[0]: one.fields.get("variant") for one in shop.services.requests}
    assert 5 < len(arms) < 35
    assert variants.keys() == {f"c{i}" for i in range(40)}
    assert variants == {person: arms.get(person) for person in variants}


def test_less_traffic_keeps_the_segment_from_being_sent(tmp_path: Path) -> None:
    shop = world(tmp_path)
    shop.declare(experiment(traffic=Decimal("0.8")))
    shop.start()
    shop.push()
    before = list(shop.services.requests)
    shop.declare(experiment(traffic=Decimal("0.2")))

    pushed = shop.push()

    assert pushed.outcomes[0].status == "refused"
    assert "traffic was 80 % and is 20 %" in (pushed.outcomes[0].reason or "")
    assert shop.services.requests == before
    control = [person for person, arm in shop.arms().items() if arm == "control"]
    assert shop.audiences()["winback", "mail"].waterfall[5].reasons["control"] == len(control)


def test_a_changed_definition_keeps_the_segment_from_being_sent_but_lets_who_withdraws_go(tmp_path: Path) -> None:
    shop = world(tmp_path)
    shop.declare(experiment())
    shop.start()
    shop.push()
    told = sorted(shop.services.people())
    record(shop.session, f"{told[0]}@post.example", Said("withdraw"), now=shop.now)
    shop.members(winback=range(35))
    shop.declare(experiment(window=Duration(7, "days")))

    pushed = shop.push()

    assert "was changed while it runs: window" in (pushed.outcomes[0].reason or "")
    assert shop.services.people() == set(told[1:])


def test_a_definition_that_is_gone_keeps_the_segment_from_being_sent(tmp_path: Path) -> None:
    shop = world(tmp_path)
    shop.declare(experiment())
    shop.start()
    shop.push()
    before = list(shop.services.requests)
    shop.declare()
    shop.members(winback=range(20))

    pushed = shop.push()

    assert "not declared any more" in (pushed.outcomes[0].reason or "")
    assert shop.services.requests == before


def test_a_renamed_experiment_keeps_its_arms_by_its_salt(tmp_path: Path) -> None:
    shop = world(tmp_path, members={"winback": range(20)})
    shop.declare(experiment())
    shop.start()
    shop.push()
    before = shop.arms()
    shop.declare(experiment("post_test", salt="mail_test"))
    shop.members(winback=range(40))

    pushed = shop.push()

    assert pushed.outcomes[0].status == "ok"
    assert {person: arm for person, arm in shop.arms().items() if person in before} == before
    assert len(shop.arms()) == 40
    assert shop.audiences()["winback", "mail"].waterfall[5].details.keys() == {("control", "post_test")}


def test_a_renamed_segment_keeps_its_experiment(tmp_path: Path) -> None:
    shop = world(tmp_path)
    shop.declare(experiment())
    shop.start()
    shop.push()
    before, told = shop.arms(), shop.services.people(segment="winback")
    segments = shop.session.definitions.segments
    segments["comeback"] = replace(segments.pop("winback"), name="comeback", formerly=("winback",))
    shop.declare(experiment(segment="comeback"))

    pushed = shop.push()

    assert [(one.segment, one.status) for one in pushed.outcomes] == [("comeback", "ok"), ("winback (former)", "ok")]
    assert shop.services.people(segment="comeback") == told
    assert shop.services.people(segment="winback") == set()
    assert shop.arms() == before
    requests = len(shop.services.requests)
    shop.push()
    assert len(shop.services.requests) == requests


def test_the_folder_of_a_renamed_segment_is_brought_along_without_telling_anybody(tmp_path: Path) -> None:
    to = Destination("files", "file", identify=(("email", "email"),), purposes=("service",))
    shop = world(tmp_path, destinations=(to,), members={"winback": range(10)})
    shop.push()
    _comes_back(shop, range(10))

    assert [one.added for one in plan_push(shop.session, now=shop.now)] == [0]
    shop.push()

    assert [folder.name for folder in (shop.session.root / "out/files").iterdir()] == ["comeback"]


@pytest.mark.parametrize("contents", ["full", "delta"])
def test_the_folder_of_a_renamed_segment_holds_everybody(contents: str, tmp_path: Path) -> None:
    to = Destination("files", "file", options={"contents": contents}, identify=(("email", "email"),),
                     purposes=("service",))  # fmt: skip
    shop = world(tmp_path, destinations=(to,), members={"winback": range(10)})
    shop.push()
    segments = shop.session.definitions.segments
    segments["comeback"] = replace(segments.pop("winback"), name="comeback", formerly=("winback",))
    shop.members(comeback=range(1, 12))

    shop.push()
    shop.members(comeback=range(1, 14))
    shop.push()

    (folder,) = (shop.session.root / "out/files").iterdir()
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert (folder.name, manifest["segment"], manifest["audience"]) == ("comeback",) * 3
    people: set[str] = set()
    for file in manifest["files"]:
        rows = set((folder / file["name"]).read_text("utf-8").split()[1:])
        people = rows if contents == "full" else people - rows if file["action"] == "remove" else people | rows
    assert people == {f"c{i}@post.example" for i in range(1, 14)}


def _comes_back(shop: World, people: range) -> None:
    """`winback` is called `comeback`, with these people."""
    segments = shop.session.definitions.segments
    segments["comeback"] = replace(segments.pop("winback"), name="comeback", formerly=("winback",))
    shop.members(comeback=people)


def test_the_new_list_of_a_renamed_segment_gets_everybody_and_the_former_one_is_emptied(tmp_path: Path) -> None:
    shop = world(tmp_path, members={"winback": range(10)})
    shop.push()
    _comes_back(shop, range(1, 12))

    shop.push()

    assert shop.services.people(segment="comeback") == {f"c{i}" for i in range(1, 12)}
    assert shop.services.people(segment="winback") == set()
    shop.members(comeback=range(1, 14))
    before = len(shop.services.requests)
    shop.push()
    assert {one.email for one in shop.services.requests[before:]} == {"c12@post.example", "c13@post.example"}


def test_the_new_list_of_a_renamed_segment_is_no_new_contact(tmp_path: Path) -> None:
    shop = world(tmp_path, members={"winback": range(10)})
    shop.push()
    _comes_back(shop, range(11))

    shop.push()

    files = shop.session.workspace.files("events", shop.session.workspace.snapshot())
    contacts = contacts_of([event_part(file) for file in files], None)
    assert sorted(contacts["subject"]) == list(range(11))


def test_plan_dry_run_and_push_of_a_renamed_segment_tell_the_same_people(tmp_path: Path) -> None:
    shop = world(tmp_path, members={"winback": range(10)})
    shop.push()
    _comes_back(shop, range(1, 12))

    planned = plan_push(shop.session, now=shop.now)
    rehearsed = shop.push(dry_run=True)
    before = len(shop.services.requests)
    pushed = shop.push(plan=_saved(shop))

    told = Counter(one.action for one in shop.services.requests[before:])
    assert [(one.added, one.removed) for one in planned] == [(11, 0)]
    assert planned[0].former == FormerList("winback (former)", 10, 3)
    assert told == {"add": 11, "remove": 10}, "who has left was never on the new list"
    assert [one.rows for one in rehearsed.recordings] == [told.total()]
    for done in (rehearsed, pushed):
        counts = {one.segment: (one.counts["added"], one.counts["removed"]) for one in done.outcomes}
        assert counts == {"comeback": (11, 0), "winback (former)": (0, 10)}


def test_a_renamed_segment_without_any_change_is_told_to_its_new_list(tmp_path: Path) -> None:
    shop = world(tmp_path, members={"winback": range(10)})
    shop.push()
    _comes_back(shop, range(10))

    (planned,) = plan_push(shop.session, now=shop.now)
    assert (planned.added, planned.waterfall[-1].left, planned.waterfall[-1].dropped) == (10, 10, 0)
    shop.push()

    assert shop.services.people(segment="comeback") == {f"c{i}" for i in range(10)}
    assert shop.services.people(segment="winback") == set()
    assert not shop.push().outcomes[0].counts["added"]


def test_another_name_in_the_declaration_is_another_list(tmp_path: Path) -> None:
    shop = world(tmp_path, members={"winback": range(10)})
    shop.push()
    to = replace(shop.session.definitions.destinations["mail"], audiences=(("winback", "Come back!"),))
    shop.session.definitions.destinations["mail"] = to

    assert [one.added for one in plan_push(shop.session, now=shop.now)] == [10]
    shop.push()

    assert {name: len(of) for (_, name), of in shop.services.there.items()} == {"winback": 0, "Come back!": 10}


def test_a_list_that_was_deleted_and_made_again_gets_everybody(tmp_path: Path) -> None:
    shop = world(tmp_path, members={"winback": range(10)})
    shop.push()
    shop.services.ids["winback"] = "winback_2"
    del shop.services.there["mail", "winback"]
    shop.members(winback=range(11))

    shop.push()

    assert shop.services.people(segment="winback_2") == {f"c{i}" for i in range(11)}
    assert ("mail", "winback") not in shop.services.there


def test_who_only_adds_leaves_the_former_list_to_those_who_may_be_on_it(tmp_path: Path) -> None:
    to = Destination("mail", KIND, purposes=("service",), mode="add")
    shop = world(tmp_path, destinations=(to,), members={"winback": range(4)})
    shop.push()
    _comes_back(shop, range(5))
    shop.push()
    assert shop.services.people(segment="winback") == {f"c{i}" for i in range(4)}
    record(shop.session, "c1@post.example", Said("suppress"), now=shop.now)

    shop.push()

    assert shop.services.people(segment="winback") == {"c0", "c2", "c3"}
    assert shop.services.people(segment="comeback") == {"c0", "c2", "c3", "c4"}


def _called(shop: World, **names: str) -> dict[str, int]:
    """The people on each list after a push with these names in the declaration."""
    to = shop.session.definitions.destinations["mail"]
    shop.session.definitions.destinations["mail"] = replace(to, audiences=tuple(names.items()))
    shop.push()
    return {name: len(people) for (_, name), people in shop.services.there.items() if people}


def test_a_list_that_is_renamed_there_and_back_has_everybody_each_time(tmp_path: Path) -> None:
    shop = world(tmp_path, members={"winback": range(10)})
    shop.push()

    for name in ("b", "winback", "b", "winback"):
        assert _called(shop, winback=name) == {name: 10}


def test_a_list_that_another_segment_fills_too_is_not_emptied(tmp_path: Path) -> None:
    shop = world(tmp_path, members={"winback": range(4), "vip": range(4)})
    assert _called(shop, winback="both", vip="both") == {"both": 4}

    assert _called(shop, winback="alone", vip="both") == {"both": 4, "alone": 4}


@pytest.mark.parametrize("kind", ["sql", "lake"])
def test_tables_of_a_renamed_segment_hold_everybody(kind: str, tmp_path: Path) -> None:
    options = {"sql": {"url": "sqlite:///members.db"}, "lake": {"path": "members", "format": "parquet"}}
    to = Destination("house", kind, options=options[kind], identify=(("email", "email"),), purposes=("service",))
    shop = world(tmp_path, destinations=(to,), members={"winback": range(10)})
    shop.push()
    _comes_back(shop, range(1, 12))

    shop.push()

    with_connector = connected(to, Around("house", shop.session.root, shop.now))
    found = {one.name: one.size for one in with_connector.audiences()}
    assert found.pop("winback", 0) == 0
    assert found == {"comeback": 11}


def test_a_control_is_exposed_also_where_nobody_is_sent_anything(tmp_path: Path) -> None:
    shop = world(tmp_path)
    shop.declare(experiment())
    shop.start()
    planned = assign(shop.session, "mail_test", now=shop.now, dry_run=True).people
    control = [int(person[1:]) for person, arm in planned.select("profile_id", "arm").iter_rows() if arm == "control"]
    shop.members(winback=control)
    began = shop.now

    pushed = shop.push()

    assert (pushed.id, shop.services.requests) == (None, [])
    assert set(shop.record().select("arm", "exposed_at", "push").rows()) == {("control", began, None)}


def test_other_weights_move_nobody_and_hold_for_who_comes_later(tmp_path: Path) -> None:
    shop = world(tmp_path, 80, members={"winback": range(40)})
    shop.declare(experiment())
    shop.start()
    shop.push()
    before = shop.arms()
    mostly = (Arm("control", Decimal(1), is_sent=False), Arm("mail", Decimal(99)))
    shop.declare(experiment(arms=mostly))
    shop.members(winback=range(80))

    shop.push()

    after = shop.arms()
    assert {person: after[person] for person in before} == before
    assert sum(after[f"c{i}"] == "mail" for i in range(40, 80)) >= 37
    found = recorded(shop.session.workspace, "mail_test")
    assert found is not None
    assert [epoch.weights["mail"] for epoch in found.epochs] == [1, 99]


def test_whoever_is_merged_follows_the_older_assignment(tmp_path: Path) -> None:
    shop = world(tmp_path, members={"winback": range(20)})
    shop.declare(experiment())
    shop.start()
    shop.push()
    mail = next(int(person[1:]) for person, arm in shop.arms().items() if arm == "mail")
    shop.members(winback=range(40))
    shop.push()
    arms = shop.arms()
    control = next(int(person[1:]) for person, arm in arms.items() if arm == "control" and int(person[1:]) >= 20)
    shop.merge((control, mail))

    shop.push()

    assert len({f"c{control}", f"c{mail}"} & shop.services.people()) == 1
    assert shop.arms() == arms
    assert check(shop.session, "mail_test").merged == 1


def test_everybody_of_a_household_gets_its_arm(tmp_path: Path) -> None:
    people = [{"email": f"c{i}@post.example", "first_name": f"h{i // 3}" if i < 30 else None} for i in range(40)]
    shop = world(tmp_path, people=people, members={"winback": range(0, 40, 2)})
    shop.declare(experiment(same="first_name"))
    shop.start()
    shop.push()
    first = shop.arms()
    shop.members(winback=range(40))

    shop.push()

    arms = shop.arms()
    assert len(arms) == 40
    assert all(arms[person] == arm for person, arm in first.items())
    assert all(len({arms[f"c{i}"] for i in range(at, at + 3)}) == 1 for at in range(0, 30, 3))
    assert set(shop.record()["unit"].tail(5)) <= {f"profile:c{i}" for i in range(40)} | {f"h{i}" for i in range(10)}
    assert {arms[f"c{i}"] for i in range(30, 40)} == {"control", "mail"}


def test_units_and_strata_that_are_personal_stand_in_no_list(tmp_path: Path) -> None:
    people = [{"email": f"c{i}@post.example", "first_name": "Anna" if i % 2 else "Bert"} for i in range(40)]
    shop = world(tmp_path, people=people)
    shop.declare(experiment(strata=("first_name",)))
    shop.start()

    found = assign(shop.session, "mail_test", now=shop.now)
    groups = check(shop.session, "mail_test").groups["stratum"]

    assert found.people["stratum"].null_count() == 40
    assert set(groups.tests) == {"#1", "#2"}


def test_strata_are_dealt_evenly_within_each_push(tmp_path: Path) -> None:
    people = [{"email": f"c{i}@post.example", "first_name": "abc"[i % 3] if i % 4 else None} for i in range(40)]
    shop = world(tmp_path, people=people)
    shop.declare(experiment(strata=("first_name",)))
    shop.start()

    shop.push()

    counts = shop.record().group_by("stratum").agg((pl.col("arm") == "mail").sum().alias("mail"), pl.len())
    assert set(counts["stratum"]) == {"a", "b", "c", "–"}
    assert all(abs(mail - size / 2) < 1 for _, mail, size in counts.iter_rows())


def test_members_of_excluded_segments_take_no_part(tmp_path: Path) -> None:
    shop = world(tmp_path, members={"winback": range(40), "staff": range(5)}, unsent=("staff",))
    shop.declare(experiment(exclude=("staff",)))
    shop.start()

    shop.push()

    assert set(shop.arms()) == {f"c{i}" for i in range(5, 40)}
    assert not shop.services.people() & {f"c{i}" for i in range(5)}
    details = shop.audiences()["winback", "mail"].waterfall[5].details
    assert details["not_enrolled", "mail_test: exclude"] == 5


def test_experiments_of_one_layer_share_nobody_and_both_are_told_their_arm(tmp_path: Path) -> None:
    low, high = (LayerShare("mails", Decimal(a), Decimal(b)) for a, b in (("0", "0.5"), ("0.5", "0.9")))
    shop = world(tmp_path, 80)
    shop.declare(experiment("one", layer=low), experiment("two", layer=high))
    shop.start()

    shop.push()

    one, two = shop.arms("one"), shop.arms("two")
    assert one
    assert two
    assert not one.keys() & two.keys()
    arms = one | two
    assert shop.services.people() == {person for person, arm in arms.items() if arm == "mail"}
    assert shop.audiences()["winback", "mail"].waterfall[5].details["not_enrolled", "one: layer"] == 80 - len(arms)


def test_after_the_stop_nobody_is_held_out_and_everybody_gets_the_winner(tmp_path: Path) -> None:
    arms = (*experiment().arms, Arm("coupon", Decimal(1)))
    shop = world(tmp_path)
    shop.declare(experiment(arms=arms))
    shop.start()
    shop.push()

    stopped = stop(shop.session, "mail_test", winner="coupon", reason="clear", now=shop.now)
    shop.push()

    assert stopped.winner == "coupon"
    assert len(shop.services.people()) == 40
    assert {fields["variant"] for fields in shop.services.there["mail", "winback"].values()} == {"coupon"}
    with pytest.raises(Refused, match="was stopped"):
        stop(shop.session, "mail_test", now=shop.now)
    with pytest.raises(Refused, match="cannot start again"):
        shop.start()


def test_nothing_starts_while_its_destination_is_pushed_to(tmp_path: Path) -> None:
    shop = world(tmp_path)
    shop.declare(experiment())

    with (
        Workspace.open(shop.session.workspace.folder) as other,
        other.lock("push to mail"),
        pytest.raises(TemporaryError),
    ):
        shop.start()

    assert recorded(shop.session.workspace, "mail_test") is None
    shop.start()


def test_a_plan_from_before_the_start_is_stale_and_one_from_after_it_is_carried_out(tmp_path: Path) -> None:
    shop = world(tmp_path)
    shop.declare(experiment())
    before = _saved(shop)
    shop.start()
    after = _saved(shop)

    with pytest.raises(Refused, match="stale"):
        shop.push(plan=before)
    assert shop.record().is_empty()
    pushed = shop.push(plan=after)

    assert pushed.outcomes[0].counts["added"] == len(shop.services.people())
    assert len(shop.record()) == 40


def _saved(shop: World) -> SavedPlan:
    """A plan of which a push reads only what it would send."""
    told: dict[str, Any] = dict.fromkeys(SavedPlan.__annotations__)
    return SavedPlan(**told | {"id": "p1", "push": saved_pushes(plan_push(shop.session, now=shop.now))})


def test_who_is_assigned_without_a_push_is_exposed_by_the_first_one(tmp_path: Path) -> None:
    shop = world(tmp_path)
    shop.declare(experiment())
    shop.start()
    assigned = assign(shop.session, "mail_test", now=shop.now)
    arms = shop.arms()
    assert (assigned.new, assigned.exposed, assigned.people.height) == (40, 0, 40)
    assert shop.record()["exposed_at"].null_count() == 40
    began = shop.now + timedelta(hours=1)
    shop.now = began

    shop.push()

    assert shop.arms() == arms
    assert set(shop.record()["exposed_at"]) == {began}
    assert set(shop.record()["assigned_at"]) == {began - timedelta(hours=1)}


def test_a_segment_without_destinations_is_assigned_as_a_whole_and_exposed_when_said(tmp_path: Path) -> None:
    shop = world(tmp_path, unsent=("winback",))
    shop.declare(experiment())
    shop.start()

    dry = assign(shop.session, "mail_test", now=shop.now, dry_run=True)
    found = assign(shop.session, "mail_test", now=shop.now, is_sent=True, arm="mail")

    assert dry.new == found.new == found.exposed == 40
    assert set(found.people["arm"]) == {"mail"}
    assert found.silent == ("control",)
    assert set(shop.record()["exposed_at"]) == {shop.now}


def test_nobody_is_assigned_to_what_does_not_run(tmp_path: Path) -> None:
    shop = world(tmp_path)
    shop.declare(experiment())

    with pytest.raises(Refused, match="has not been started"):
        assign(shop.session, "mail_test", now=shop.now)
    shop.start()
    stop(shop.session, "mail_test", now=shop.now)
    with pytest.raises(Refused, match="was stopped"):
        assign(shop.session, "mail_test", now=shop.now)


# --- The universal holdout ------------------------------------------------------------------------------
def generation(name: str = "2026", **changes: Any) -> UniversalHoldout:
    return UniversalHoldout(name, Decimal("0.2"), NOW - timedelta(days=9), **changes)


def test_the_universal_holdout_is_reached_by_no_segment(tmp_path: Path) -> None:
    shop = world(tmp_path, 60, members={"winback": range(60), "news": range(60)})
    shop.push()
    shop.universal(generation())

    shop.push()

    arms = shop.arms("universal:2026")
    held = {person for person, arm in arms.items() if arm == "held_out"}
    assert 4 < len(held) < 25
    assert len(arms) == 60
    assert shop.services.people() == shop.services.people(segment="news") == {f"c{i}" for i in range(60)} - held
    step = shop.audiences()["winback", "mail"].waterfall[5]
    assert step.details == {("universal_holdout", "2026"): len(held)}


def test_the_next_generation_holds_others_and_lets_the_first_go(tmp_path: Path) -> None:
    shop = world(tmp_path, 60)
    change = shop.now + timedelta(minutes=30)
    shop.universal(generation(end=change), UniversalHoldout("2027", Decimal("0.2"), change))
    shop.push()

    shop.push()

    first, second = (
        {person for person, arm in shop.arms(f"universal:{name}").items() if arm == "held_out"}
        for name in ("2026", "2027")
    )
    assert shop.services.people() == {f"c{i}" for i in range(60)} - second
    assert first - second
    assert second - first


def test_a_generation_that_is_renamed_holds_its_people_and_nobody_new_is_told(tmp_path: Path) -> None:
    shop = world(tmp_path)
    shop.universal(UniversalHoldout("g2", Decimal("0.3"), NOW - timedelta(days=9)))
    shop.push()
    held = {person for person, arm in shop.arms("universal:g2").items() if arm == "held_out"}
    shop.universal(UniversalHoldout("g3", Decimal("0.3"), NOW - timedelta(days=9)))

    found = shop.audiences()["winback", "mail"]
    shop.push()

    assert held
    assert shop.record("universal:g3").is_empty()
    assert not shop.services.people() & held
    assert found.troubled is not None
    assert "`g2` of `universal_holdout`" in found.troubled
    assert found.waterfall[5].details["universal_holdout", "g2"] == len(held)


def test_another_share_moves_nobody_on_record_and_is_said(tmp_path: Path) -> None:
    shop = world(tmp_path)
    shop.universal(generation())
    shop.push()
    before = shop.arms("universal:2026")
    assert list(share_findings(shop.session, now=shop.now)) == []
    shop.universal(replace(generation(), share=Decimal("0.6")))

    shop.push()

    assert shop.arms("universal:2026") == before
    (found,) = share_findings(shop.session, now=shop.now)
    held = sum(arm == "held_out" for arm in before.values())
    assert found.code == "SEG973"
    assert f"share of 60 %, and {held / 40 * 100:.3g} %" in found.message
    assert list(share_findings(shop.session, now=NOW - timedelta(days=10))) == []


def test_of_merged_people_of_one_push_the_arm_that_is_told_nothing_counts(tmp_path: Path) -> None:
    shop = world(tmp_path)
    shop.declare(experiment())
    shop.start()
    shop.push()
    controls = [int(person[1:]) for person, arm in shop.arms().items() if arm == "control"]
    told = [int(person[1:]) for person, arm in shop.arms().items() if arm == "mail"]
    pairs = list(zip(controls[:3], told[:3], strict=True)) + list(zip(told[3:6], controls[3:6], strict=True))
    shop.merge(*pairs)

    shop.push()

    both = {f"c{one}" for pair in pairs for one in pair}
    assert not shop.services.people() & both


def test_of_merged_people_one_in_the_universal_holdout_is_enough(tmp_path: Path) -> None:
    shop = world(tmp_path, 60)
    shop.universal(generation())
    shop.push()
    arms = shop.arms("universal:2026")
    free = next(int(p[1:]) for p, arm in arms.items() if arm == "open")
    held = next(int(p[1:]) for p, arm in arms.items() if arm == "held_out" and int(p[1:]) > free)
    shop.merge((free, held))

    shop.push()

    assert not {f"c{free}", f"c{held}"} & shop.services.people()


def test_who_is_held_out_for_everything_is_in_no_experiment(tmp_path: Path) -> None:
    shop = world(tmp_path, 60)
    shop.universal(generation())
    shop.declare(experiment())
    shop.start()

    shop.push()

    held = {person for person, arm in shop.arms("universal:2026").items() if arm == "held_out"}
    assert not held & shop.arms().keys()
    assert shop.arms().keys() | held == {f"c{i}" for i in range(60)}


# --- Side by side ---------------------------------------------------------------------------------------
def test_a_push_that_meets_another_assignment_decides_again(tmp_path: Path) -> None:
    people = [{"email": f"c{i}@post.example", "first_name": "abc"[i % 3]} for i in range(40)]
    shop = world(tmp_path, people=people, members={"winback": range(20)})
    shop.declare(experiment(strata=("first_name",)))
    shop.start()
    asked = []

    def agree(parts: Sequence[Part]) -> None:
        asked.append([len(part.delta.adds) for part in parts if part.delta is not None])
        if len(asked) == 1:
            # Somebody else gives all of them the control arm before this push has written anything.
            first = shop.audiences()["winback", "mail"].decided[0].rows
            with Workspace.open(shop.session.workspace.folder) as other:
                record_assignments(other, {"mail_test": first.with_columns(arm=pl.lit("control"))})

    pushed = push(shop.session, Asked(), now=shop.now, agree=agree)

    assert set(shop.arms().values()) == {"control"}
    assert shop.services.requests == []
    assert pushed.outcomes[0].counts["added"] == 0
    assert len(asked) == 1


def test_a_stop_while_a_push_is_agreed_on_lets_everybody_in(tmp_path: Path) -> None:
    shop = world(tmp_path)
    shop.declare(experiment())
    shop.start()
    asked = []

    def agree(parts: Sequence[Part]) -> None:
        asked.append(parts)
        if len(asked) == 1:
            stop(shop.session, "mail_test", now=shop.now)

    push(shop.session, Asked(), now=shop.now, agree=agree)

    assert len(asked) == 2
    assert len(shop.services.people()) == 40
    assert shop.record().is_empty()
