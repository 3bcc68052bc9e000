"""Denials that reach a push at an awkward moment, with the real gate and a folder of files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from end_to_end.program import ok
from push_shop import PROJECT, Shop, copied

from segctl.compile.selection import Selection
from segctl.connectors.destinations.base import Batch, Sent
from segctl.connectors.destinations.file import Files
from segctl.model.consent import Use
from segctl.operations.consent.record import Said, record
from segctl.operations.gate import Gate
from segctl.operations.push.push import Asked, push
from segctl.operations.session import open_session
from segctl.operations.status import status


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return copied(tmp_path)


def test_who_withdraws_while_one_destination_is_told_is_not_told_to_the_next(shop: Shop) -> None:
    shop.push(withdraws="anna@example.org")

    assert "bert@example.org" in shop.there("b_files")
    assert "anna@example.org" not in shop.there("a_files")
    assert "anna@example.org" not in shop.there("b_files")


def test_who_objects_by_another_contact_point_is_taken_out_in_the_mode_add_too(shop: Shop) -> None:
    for name, more in (("a_files", "mode: add\n"), ("b_files", "guards: {max_removed: 1 %}\n")):
        shop.destination(name, more, identify="{email: email, phone: phone}")
    shop.push()
    assert "anna@example.org" in shop.there("a_files")
    shop.says("+491701234561", Said("withdraw"))

    shop.push()

    assert "anna@example.org" not in shop.there("a_files")
    assert "anna@example.org" not in shop.there("b_files")


def test_who_withdraws_by_another_contact_point_while_a_push_runs_is_not_told_by_it(shop: Shop) -> None:
    for name in ("a_files", "b_files"):
        shop.destination(name, identify="{email: email, phone: phone}")

    shop.push(withdraws="+491701234561")

    for name in ("a_files", "b_files"):
        assert "anna@example.org" not in shop.there(name)
        assert "bert@example.org" in shop.there(name)


def test_who_is_known_by_a_second_address_that_denies_is_taken_out_in_the_mode_add_too(shop: Shop) -> None:
    shop.destination("a_files", "mode: add\n")
    shop.push()
    (shop.folder / "crm.csv").write_text(PROJECT["crm.csv"].replace("anna@", "anna.b@"), "utf-8")
    ok("ingest", cwd=shop.folder)
    ok("apply", cwd=shop.folder)
    shop.says("anna.b@example.org", Said("withdraw"))

    shop.push()

    assert "anna" not in shop.there("a_files")


def test_a_new_key_of_the_ledger_takes_nobody_out_and_loses_no_denial(shop: Shop) -> None:
    path = shop.folder / "segments/all.yaml"
    path.write_text(PROJECT["segments/german.yaml"].replace("german", "everybody"), "utf-8")
    path.rename(path.with_name("everybody.yaml"))
    ok("apply", cwd=shop.folder)
    shop.push()
    ok("consent", "rotate-key", cwd=shop.folder)
    shop.says("anna@example.org", Said("withdraw"))

    ok("push", "german", cwd=shop.folder)

    assert "bert@example.org" in shop.there("b_files", "everybody")
    assert "anna@example.org" not in shop.there("b_files", "everybody")


def test_a_withdrawal_counts_though_the_clock_was_set_back_before_it(shop: Shop) -> None:
    later, grant = datetime.now(UTC), Said("grant", purpose="news", proof="f1", is_confirmed=True)
    with open_session(shop.folder) as session:
        answers = []
        for said, now in ((grant, later), (Said("withdraw"), later - timedelta(days=2))):
            record(session, "anna@example.org", said, now=now)
            gate = Gate.open(session, now=now)
            answers.append(gate.decide([[gate.token("email", "anna@example.org")]], Use("news", "email"))[0].reason)

    assert answers == [None, "withdrawn"]


def test_people_at_a_destination_that_is_not_declared_any_more_are_named(shop: Shop) -> None:
    shop.push()
    (shop.folder / "destinations/b_files.yaml").unlink()
    text = PROJECT["segments/german.yaml"].replace(", b_files", "")
    (shop.folder / "segments/german.yaml").write_text(text, "utf-8")

    done = shop.push()
    with open_session(shop.folder) as session:
        found = status(session, now=datetime.now(UTC))

    assert [note.split(",")[0] for note in done.notes] == ["2 people are still at `b_files`"]
    assert {one.destination: one.status for one in found.destinations} == {"a_files": "ok", "b_files": "undeclared"}
    assert "b_files" in found.next_steps[0][1]


def test_who_withdraws_is_taken_out_of_an_audience_that_has_no_change_of_its_own_too(shop: Shop) -> None:
    text = PROJECT["segments/german.yaml"].replace("german", "everybody").replace("equals: DE", "exists: true")
    (shop.folder / "segments/everybody.yaml").write_text(text, "utf-8")
    ok("apply", cwd=shop.folder)
    shop.push()
    (shop.folder / "crm.csv").write_text(PROJECT["crm.csv"] + "3,AT,cora@example.org,\n", "utf-8")
    ok("ingest", cwd=shop.folder)
    ok("apply", cwd=shop.folder)

    shop.push(withdraws="anna@example.org")

    assert "cora@example.org" in shop.there("a_files", "everybody")
    assert "anna@example.org" not in shop.there("a_files", "everybody")
    assert "anna@example.org" not in shop.there("a_files", "german")


def test_who_withdraws_while_the_second_destination_is_told_is_taken_out_of_the_first(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    sending = Files.send

    def send(files: Files, batch: Batch) -> Sent:
        if files.destination.name == "b_files" and batch.action == "add":
            shop.says("anna@example.org", Said("withdraw"))
        return sending(files, batch)

    monkeypatch.setattr(Files, "send", send)
    done = shop.push()

    assert "anna@example.org" not in shop.there("b_files")
    assert "anna@example.org" not in shop.there("a_files")
    assert "bert@example.org" in shop.there("a_files")
    assert [one.counts["overtaken"] for one in done.outcomes] == [1, 1]


def test_a_purpose_that_is_renamed_does_not_bring_back_who_refused_it(shop: Shop) -> None:
    shop.says("anna@example.org", Said("withdraw", purpose="service"))
    for path in (shop.folder / "segctl.yaml", *shop.folder.glob("destinations/*"), *shop.folder.glob("segments/*")):
        text = path.read_text("utf-8").replace("{service:", "{support:").replace("[service]", "[support]")
        path.write_text(text.replace("purpose: service", "purpose: support"), "utf-8")
    ok("apply", cwd=shop.folder)

    shop.push()

    assert "bert@example.org" in shop.there("a_files")
    assert "anna@example.org" not in shop.there("a_files")


def test_a_destination_that_points_elsewhere_is_told_nothing(shop: Shop) -> None:
    assert shop.push().exit == 0
    shop.destination("a_files", "folder: elsewhere\n")
    shop.says("2", Said("withdraw"))

    done = shop.push()

    assert done.exit == 4
    assert [done.errors[name].code for name in done.errors] == ["SEG875"]
    assert shop.push().exit == 4  # also when there is nothing left to tell anywhere
    assert not (shop.folder / "elsewhere").exists()
    assert "bert@" in shop.there("a_files")
    assert "bert@" not in shop.there("b_files")

    shop.destination("a_files")
    assert shop.push().exit == 0
    assert "bert@" not in shop.there("a_files")


def test_a_place_that_is_only_spelled_otherwise_goes_on(shop: Shop) -> None:
    shop.push()
    shop.destination("a_files", "folder: ./out\n")
    shop.says("2", Said("withdraw"))
    assert shop.push().exit == 4

    assert shop.push(same_place=("a_files",)).exit == 0
    assert "bert@" not in shop.there("a_files")
    assert shop.push().exit == 0


def test_a_destination_where_nobody_was_told_may_point_anywhere(shop: Shop) -> None:
    shop.says("1", Said("withdraw"))
    shop.says("2", Said("withdraw"))
    assert shop.push().exit == 0
    shop.destination("a_files", "folder: elsewhere\n")
    shop.destination("b_files", "escape_formulas: false\n")

    assert shop.push().exit == 0


def test_a_segment_that_is_not_sent_any_more_leaves_nobody_behind(shop: Shop) -> None:
    shop.push()
    (shop.folder / "segments/german.yaml").write_text(
        PROJECT["segments/german.yaml"].replace("[a_files, b_files]", "[b_files]")
    )

    assert shop.push().exit == 0
    assert "@" not in shop.there("a_files")
    assert "anna@" in shop.there("b_files")

    (shop.folder / "segments/german.yaml").unlink()
    assert shop.push().exit == 0
    assert "@" not in shop.there("b_files")


def test_a_guard_stands_against_emptying_what_is_not_sent_any_more(shop: Shop) -> None:
    shop.destination("a_files", "guards: {max_removed: 20 %}\n")
    shop.push()
    shop.says("2", Said("withdraw"))
    (shop.folder / "segments/german.yaml").unlink()

    assert shop.push().exit == 4
    assert "anna@" in shop.there("a_files")
    assert "bert@" not in shop.there("a_files")


def test_naming_a_segment_leaves_ended_ones_as_they_are(shop: Shop) -> None:
    shop.push()
    (shop.folder / "segments/german.yaml").unlink()
    (shop.folder / "segments/other.yaml").write_text(PROJECT["segments/german.yaml"].replace("german", "other"))

    with open_session(shop.folder) as session:
        asked = Asked(Selection(("other",)), is_everything=False)
        assert push(session, asked, now=datetime.now(UTC)).exit == 0
    assert "anna@" in shop.there("a_files")
