"""Brevo: the suite against a stand-in, and the traps of its API."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import pytest
from destination_suite import PLANTED, ROWS, SECRET, HttpSuite, batch, finished
from fakes.brevo import FakeBrevo

from segctl.connectors.destinations.base import BatchRefusedError, Row, Sent
from segctl.connectors.destinations.brevo import abilities, imported
from segctl.model.destinations import Destination
from segctl.model.errors import UsageError

EMAILS = [row.identifiers["email"] for row in ROWS]
BARE = tuple(replace(row, fields={}, identifiers={"email": row.identifiers["email"]}) for row in ROWS)
MANY = (*ROWS, *(Row(f"{n:032}", {"email": f"p{n}@example.com"}, {"first_name": "P"}) for n in range(20)))
"""Enough for an import."""
CROWD = tuple(Row(f"{n:032}", {"email": f"c{n}@example.com"}) for n in range(301))
"""More than one call takes."""
CONFIRM = {"new_contacts": "double_opt_in", "template": 7, "redirect_url": "https://shop.example/thanks"}


class BrevoSuite(HttpSuite):
    kind: ClassVar[str] = "brevo"
    more: ClassVar[dict[str, Any]] = {}
    fake: FakeBrevo

    def make_fake(self) -> FakeBrevo:
        return FakeBrevo(PLANTED)

    def options(self) -> dict[str, Any]:
        return {"api_key": SECRET, "base_url": f"{self.url}/v3", **self.more}

    def people(self, audience: str) -> set[str]:
        return self.fake.inside(audience)

    def pushed(self, rows: tuple[Row, ...], **more: Any) -> Sent:
        """What became of an addition with some options."""
        self.more = more  # type: ignore[misc]  # of this test alone
        with self.connected() as connector:
            return finished(connector, batch(rows, audience=connector.audience("winback", "winback")))


class TestBrevo(BrevoSuite):
    def test_a_contact_that_is_refused_keeps_nobody_else_out(self) -> None:
        self.fake.failing = {EMAILS[1]}

        sent = self.pushed(ROWS)

        assert {key: (told.state, told.code) for key, told in sent.troubles.items()} == {
            ROWS[1].key: ("invalid", "invalid_parameter")
        }
        assert set(sent.known_as) == {ROWS[0].key, ROWS[2].key}
        assert "jörg" not in str(sent)

    def test_opt_outs_are_left_alone(self) -> None:
        self.fake.put(EMAILS[0], emailBlacklisted=True)

        assert self.pushed(ROWS).troubles == {}
        assert self.fake.contacts[11]["emailBlacklisted"]

    def test_leaving_is_no_more_than_that_and_may_come_again(self) -> None:
        with self.connected() as connector:
            audience = connector.audience("winback", "winback")
            finished(connector, batch(BARE[:2], audience=audience))
            left = finished(connector, batch(BARE, "remove", audience=audience))
            again = finished(connector, batch(BARE, "remove", audience=audience))

        assert left.troubles == again.troubles == {}
        assert self.people(audience) == set()
        assert len(self.fake.contacts) == 2

    def test_a_list_is_made_in_a_folder(self) -> None:
        self.fake.folders = []
        with self.connected() as connector, pytest.raises(UsageError) as caught:
            connector.audience("winback", "winback")

        assert caught.value.code == "SEG922"

    def test_a_list_is_found_by_name_on_a_later_page_and_by_id(self) -> None:
        self.fake.page = 1
        with self.connected() as connector:
            made = [connector.audience(name, name) for name in ("a", "b", "c")]

            assert [connector.audience("c", name) for name in ("c", made[1])] == [made[2], made[1]]

    def test_everybody_is_read_over_pages(self) -> None:
        self.fake.page = 2
        with self.connected() as connector:
            audience = connector.audience("winback", "winback")
            finished(connector, batch(ROWS, audience=audience))

            assert [member.identifiers["email"] for member in connector.members(audience)] == EMAILS

    def test_a_way_to_confirm_needs_a_mail_and_a_page(self) -> None:
        self.more = {"new_contacts": "double_opt_in", "template": 7}  # type: ignore[misc]  # of this test alone
        with pytest.raises(UsageError) as caught, self.connected():
            pass

        assert caught.value.code == "SEG922"


class TestBrevoInBulk(BrevoSuite):
    rows: ClassVar[tuple[Row, ...]] = MANY

    def test_requests_are_these(self, golden: Any) -> None:
        self.pushed(MANY)

        body = next(asked.json for asked in self.fake.asked if asked.path == "/v3/contacts/import")
        assert body["jsonBody"][0] == {"email": EMAILS[0], "ext_id": "C-1", "attributes": {"FIRST_NAME": "Anna"}}
        assert body["disableNotification"] is body["updateExistingContacts"] is True
        assert "lacklist" not in str(body)

    def test_the_end_of_an_import_is_not_asked_for_more_than_a_hundred_times_an_hour(self) -> None:
        with self.connected() as connector:
            sent = connector.send(batch(MANY, audience=connector.audience("winback", "winback")))
            assert sent.job is not None

            assert connector.poll(sent.job).wait_s >= 36

    def test_opt_outs_are_left_alone(self) -> None:
        self.fake.put(EMAILS[0], emailBlacklisted=True)

        assert self.pushed(MANY).troubles == {}
        assert self.fake.contacts[11]["emailBlacklisted"]

    def test_people_whom_an_import_left_out_are_found_out(self) -> None:
        self.fake.failing = {EMAILS[1]}

        sent = self.pushed(MANY)

        assert {key: told.code for key, told in sent.troubles.items()} == {ROWS[1].key: "no_contact"}
        assert "jörg" not in str(sent)

    def test_of_a_large_import_the_list_is_read(self) -> None:
        self.fake.failing = {"c7@example.com", "c300@example.com"}

        sent = self.pushed(CROWD)

        assert set(sent.troubles) == {CROWD[7].key, CROWD[300].key}
        assert len(self.fake.asked) < 15

    def test_after_a_crash_an_import_with_failures_leaves_all_open(self) -> None:
        self.fake.failing = {EMAILS[1]}
        with self.connected() as connector:
            job = connector.send(batch(MANY, audience=connector.audience("winback", "winback"))).job
        with self.connected() as connector:
            sent = Sent(job=job)
            while sent.job:
                sent = connector.poll(sent.job)

        assert {name: told.state for name, told in sent.troubles.items()} == {f"#{n}": "unknown" for n in range(23)}

    def test_any_other_word_is_an_end_of_an_import(self) -> None:
        self.fake.ends_as = "failed"

        assert {told.state for told in self.pushed(MANY).troubles.values()} == {"unknown"}

    def test_a_missing_value_clears_what_is_there_and_nothing_else(self) -> None:
        self.fake.put(EMAILS[0], attributes={"FIRST_NAME": "Anne", "CITY": "Köln"})

        self.pushed((replace(ROWS[0], fields={"first_name": None}), *MANY[1:]))

        assert self.fake.contacts[11]["attributes"] == {"FIRST_NAME": "", "CITY": "Köln"}
        assert "emptyContactsAttributes" not in imported(ROWS, "7")

    def test_an_import_that_is_too_large_is_to_be_halved(self) -> None:
        wide = tuple(Row(f"{n:032}", {"email": f"{n}@example.com"}, {"notes": "x" * 60_000}) for n in range(140))
        with self.connected() as connector, pytest.raises(BatchRefusedError) as caught:
            connector.send(batch(wide, audience="7"))

        assert caught.value.is_size


class TestBrevoWithoutNewContacts(BrevoSuite):
    """Nobody is made: those who are there are added, in calls that say who was not."""

    more: ClassVar[dict[str, Any]] = {"new_contacts": "never"}

    def make_fake(self) -> FakeBrevo:
        fake = FakeBrevo(PLANTED)
        fake.put(*EMAILS)
        return fake

    def test_requests_are_these(self, golden: Any) -> None:
        with self.connected() as connector:
            audience = connector.audience("winback", "winback")
            finished(connector, batch(ROWS, audience=audience))

        assert [asked.path for asked in self.fake.asked][3:] == [
            "/v3/contacts/batch",
            f"/v3/contacts/lists/{audience}/contacts/add",
        ]

    def test_who_is_no_contact_is_told_from_who_is_on_the_list(self) -> None:
        self.fake.put("new@example.com")
        stranger = Row("d" * 32, {"email": "nobody@example.com"})
        newcomer = Row("e" * 32, {"email": "new@example.com"})
        self.pushed(BARE, **self.more)

        sent = self.pushed((*BARE, stranger, newcomer), **self.more)

        assert {key: (told.state, told.code) for key, told in sent.troubles.items()} == {
            stranger.key: ("rejected", "no_contact")
        }
        assert len(self.fake.contacts) == 4

    def test_contacts_are_known_by_an_id_of_ones_own_as_well(self) -> None:
        self.fake.put("", extId="C-9")
        rows = (BARE[0], Row("f" * 32, {"external_id": "C-9"}))

        sent = self.pushed(rows, **self.more)

        assert sent.troubles == {}
        assert [asked.json for asked in self.fake.asked if asked.path.endswith("/add")] == [
            {"emails": [EMAILS[0]]},
            {"extIds": ["C-9"]},
        ]

    def test_people_who_are_missing_are_asked_to_confirm(self) -> None:
        strangers = tuple(Row(name * 32, {"email": f"{name}@example.com"}) for name in "de")
        self.fake.failing = {"e@example.com"}

        sent = self.pushed((*BARE, *strangers), **CONFIRM)

        assert self.fake.asked_to_confirm == ["d@example.com"]
        assert {key: told.state for key, told in sent.troubles.items()} == {strangers[1].key: "invalid"}
        assert sent.note is not None
        assert sent.note.startswith("1 were asked")
        assert len(self.fake.contacts) == 3

    def test_an_outage_after_the_list_was_changed_tells_who_was_taken(self) -> None:
        strangers = tuple(Row(name * 32, {"email": f"{name}@example.com"}) for name in "de")
        self.fake.can_fail = lambda asked: asked.path.endswith("Confirmation")
        self.fake.fails_next("unavailable")

        sent = self.pushed((*BARE, *strangers), **CONFIRM)

        assert {key: told.state for key, told in sent.troubles.items()} == {row.key: "rejected" for row in strangers}

    def test_a_large_batch_takes_several_calls_and_tells_what_was_not_sent(self) -> None:
        self.fake.put(*(row.identifiers["email"] for row in CROWD))
        self.fake.can_fail = lambda asked: len(self.fake.inside("314")) >= 150
        self.fake.lists[314] = "winback"
        self.fake.fails_next("unavailable")

        sent = self.pushed(CROWD, **self.more)

        assert {key: told.state for key, told in sent.troubles.items()} == {
            row.key: "rejected" for row in CROWD[150:300]
        }
        assert len(self.people("314")) == 151

    def test_a_list_that_cannot_be_read_leaves_open_what_became_of_it(self) -> None:
        self.fake.put(*(row.identifiers["email"] for row in CROWD))
        with self.connected() as connector:
            audience = connector.audience("winback", "winback")
            finished(connector, batch(CROWD, audience=audience))
            self.fake.can_fail = lambda asked: asked.method == "GET"
            self.fake.fails_next(*["unavailable"] * 9)
            sent = finished(connector, batch(CROWD, audience=audience))
        self.fake.faults.clear()

        assert {told.state for told in sent.troubles.values()} == {"unknown"}

    def test_who_cannot_be_asked_for_is_left_open(self) -> None:
        with self.connected() as connector:
            audience = connector.audience("winback", "winback")
            finished(connector, batch(BARE, audience=audience))
            self.fake.can_fail = lambda asked: "@" in asked.path or "%40" in asked.path
            self.fake.fails_next(*["unavailable"] * 3)
            sent = finished(connector, batch(BARE, audience=audience))

        assert {told.state for told in sent.troubles.values()} == {"unknown"}

    def test_somebody_who_will_not_come_or_go_is_told(self) -> None:
        with self.connected() as connector:
            audience = connector.audience("winback", "winback")
            self.fake.stubborn = {EMAILS[1]}
            entered = finished(connector, batch(BARE, audience=audience))
            self.fake.stubborn = {EMAILS[0]}
            left = finished(connector, batch(BARE, "remove", audience=audience))

        assert {key: (told.state, told.code) for key, told in entered.troubles.items()} == {
            BARE[1].key: ("rejected", "list")
        }
        assert {key: told.code for key, told in left.troubles.items()} == {BARE[0].key: "list"}

    def test_a_large_removal_that_comes_again_reads_the_list(self) -> None:
        self.fake.put(*(row.identifiers["email"] for row in CROWD))
        with self.connected() as connector:
            audience = connector.audience("winback", "winback")
            finished(connector, batch(CROWD, audience=audience))
            for _ in range(2):
                assert finished(connector, batch(CROWD, "remove", audience=audience)).troubles == {}
        assert self.people(audience) == set()
        assert len(self.fake.asked) < 20


def test_where_mails_go_out_batches_are_small() -> None:
    assert abilities(Destination("mailer", "brevo", options=CONFIRM)).batch_rows == 150
    assert abilities(Destination("mailer", "brevo")).batch_rows == 5000
