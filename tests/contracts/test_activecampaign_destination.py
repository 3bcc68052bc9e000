"""ActiveCampaign: the suite against a stand-in, by single calls and by imports, and the traps of its API."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import pytest
from destination_suite import PLANTED, ROWS, SECRET, HttpSuite, batch, finished
from fakes.activecampaign import FakeActiveCampaign

from segctl.connectors.destinations.activecampaign import in_bulk, mark, single
from segctl.connectors.destinations.base import BatchRefusedError, Row
from segctl.model.errors import UsageError

EMAILS = [row.identifiers["email"] for row in ROWS]
MORE = tuple(Row(f"{n:032}", {"email": f"p{n}@example.com"}, {"first_name": "P"}) for n in range(9))
MANY = (*ROWS, *MORE)
"""Enough for an import."""


class ActiveCampaignSuite(HttpSuite):
    kind: ClassVar[str] = "activecampaign"
    fake: FakeActiveCampaign

    def make_fake(self) -> FakeActiveCampaign:
        return FakeActiveCampaign(PLANTED)

    def options(self) -> dict[str, Any]:
        return {"url": self.url, "api_key": SECRET}

    def people(self, audience: str) -> set[str]:
        return self.fake.inside(audience)


class TestActiveCampaign(ActiveCampaignSuite):
    def test_a_tag_is_found_by_its_whole_name_and_by_id(self) -> None:
        with self.connected() as connector:
            longer = connector.audience("winback", "winback 2026")
            made = connector.audience("winback", "winback")

            assert [connector.audience("winback", name) for name in ("Winback", made, longer)] == [made, made, longer]
        assert made != longer

    def test_a_refused_contact_keeps_nobody_else_out(self) -> None:
        self.fake.invalid = {EMAILS[1]}
        with self.connected() as connector:
            audience = connector.audience("winback", "winback")
            sent = finished(connector, batch(ROWS, audience=audience))

        assert {key: (told.state, told.code) for key, told in sent.troubles.items()} == {
            ROWS[1].key: ("invalid", "email_invalid")
        }
        assert "jörg" not in str(sent)
        assert set(sent.known_as) == {ROWS[0].key, ROWS[2].key}

    def test_an_outage_in_the_middle_tells_who_was_taken(self) -> None:
        self.fake.can_fail = lambda asked: asked.path.endswith("/contactTags") and len(self.fake.tagged) == 1
        with self.connected() as connector:
            audience = connector.audience("winback", "winback")
            self.fake.fails_next("lost_after")
            sent = finished(connector, batch(ROWS, audience=audience))

        assert {key: told.state for key, told in sent.troubles.items()} == {
            ROWS[1].key: "unknown",
            ROWS[2].key: "rejected",
        }

    def test_the_association_is_deleted_not_the_tag_nor_the_contact(self) -> None:
        with self.connected() as connector:
            audience, other = connector.audience("winback", "winback"), connector.audience("vip", "vip")
            for name in (audience, other):
                finished(connector, batch(ROWS, audience=name))
            unknown = Row("d" * 32, {"email": "nobody@example.com"})
            gone = replace(ROWS[1], known_as="99999")
            sent = finished(connector, batch((ROWS[0], gone, unknown), "remove", audience=audience))

        deleted = [asked.path for asked in self.fake.asked if asked.method == "DELETE"]
        assert sent.troubles == {}
        assert self.people(audience) == {EMAILS[2]}
        assert self.people(other) == set(EMAILS)
        assert len(self.fake.contacts) == 3
        assert all(path.startswith("/api/3/contactTags/9") for path in deleted)

    def test_a_tag_that_is_gone_by_then_needs_no_taking_off(self) -> None:
        listed = self.fake.associations

        def gone(number: str) -> Any:
            found = listed(number)
            self.fake.tagged.clear()
            return found

        with self.connected() as connector:
            audience = connector.audience("winback", "winback")
            finished(connector, batch(ROWS[:1], audience=audience))
            self.fake.associations = gone
            sent = finished(connector, batch(ROWS[:1], "remove", audience=audience))

        assert sent.troubles == {}

    def test_everybody_is_read_over_pages_with_a_total_that_is_text(self) -> None:
        self.fake.page = 2
        with self.connected() as connector:
            audience = connector.audience("winback", "winback")
            finished(connector, batch(ROWS, audience=audience))

            assert [member.identifiers["email"] for member in connector.members(audience)] == EMAILS

    def test_an_address_with_the_path_is_taken_as_well(self) -> None:
        declared = self.declared()
        self.declared = lambda: replace(declared, options={**declared.options, "url": f"{self.url}/api/3/"})
        with self.connected() as connector:
            assert [probe.status for probe in connector.check()].count("problem") == 0

    def test_fields_are_known_ones_or_numbers(self) -> None:
        declared = self.declared()
        self.declared = lambda: replace(declared, fields=(("city", "city"),))
        with pytest.raises(UsageError) as caught, self.connected():
            pass

        assert caught.value.code == "SEG922"


class TestActiveCampaignInBulk(ActiveCampaignSuite):
    rows: ClassVar[tuple[Row, ...]] = MANY
    differs_dry: ClassVar[bool] = True  # the name of a tag that only its id is known of

    def test_requests_are_these(self, golden: Any) -> None:
        with self.connected() as connector:
            audience = connector.audience("winback", "winback")
            finished(connector, batch(MANY, audience=audience))
            finished(connector, batch(MANY, "update", audience=audience))

        bodies = [asked.json for asked in self.fake.asked if asked.path.endswith("/bulk_import")]
        assert [body["exclude_automations"] for body in bodies] == [True, True]
        assert bodies[0]["contacts"][0] == {"email": EMAILS[0], "first_name": "Anna", "tags": ["winback"]}
        assert bodies[1]["contacts"][0] == {"email": EMAILS[0], "first_name": "Anna"}
        assert "subscribe" not in str(bodies)

    @pytest.mark.parametrize("is_success", [False, True])
    def test_a_refused_import_names_its_rows(self, is_success: bool) -> None:
        self.fake.invalid, self.fake.says_no_in_a_success = {EMAILS[0], "p8@example.com"}, is_success
        with self.connected() as connector:
            audience = connector.audience("winback", "winback")
            with pytest.raises(BatchRefusedError) as caught:
                connector.send(batch(MANY, audience=audience))

        assert set(caught.value.rows) == {ROWS[0].key, MORE[8].key}
        assert "anna" not in str(caught.value) + str(caught.value.rows)

    def test_another_process_finds_who_failed(self) -> None:
        self.fake.failing = {EMAILS[1]}
        with self.connected() as connector:
            job = connector.send(batch(MANY, audience=connector.audience("winback", "winback"))).job
        assert job is not None
        with self.connected() as connector:
            sent = connector.poll(job)
            while sent.job:
                sent = connector.poll(sent.job)

        assert "@" not in job
        assert {name: told.state for name, told in sent.troubles.items()} == {"#1": "invalid"}

    def test_an_import_that_was_interrupted_leaves_the_others_open(self) -> None:
        self.fake.ends_as, self.fake.failing = "interrupted", {EMAILS[1]}
        with self.connected() as connector:
            sent = finished(connector, batch(MANY, audience=connector.audience("winback", "winback")))

        states = [sent.troubles[row.key].state for row in MANY]
        assert states == ["unknown", "invalid"] + ["unknown"] * 10

    def test_the_name_of_a_tag_is_asked_for_where_only_its_id_is_known(self) -> None:
        with self.connected() as connector:
            audience = connector.audience("winback", "winback")
        with self.connected() as connector:
            finished(connector, batch(MANY, audience=audience))
            with pytest.raises(UsageError):
                connector.send(batch(MANY, audience="4711"))

        assert len(self.people(audience)) == len(MANY)

    def test_bytes_are_kept(self) -> None:
        wide = tuple(Row(f"{n:032}", {"email": f"{n}@example.com"}, {"first_name": "x" * 40_000}) for n in range(10))
        with self.connected() as connector:
            audience = connector.audience("winback", "winback")
            with pytest.raises(BatchRefusedError) as caught:
                connector.send(batch(wide, audience=audience))

        assert caught.value.is_size


def test_custom_fields_are_named_by_number() -> None:
    row = Row("k", {"email": "a@example.com"}, {"first_name": None, "7": True, "phone": "+49151"})

    assert in_bulk(row, None) == {
        "email": "a@example.com", "first_name": "", "phone": "+49151", "fields": [{"id": 7, "value": "true"}],
    }  # fmt: skip
    assert single(row) == {
        "contact": {"email": "a@example.com", "firstName": "", "phone": "+49151",
                    "fieldValues": [{"field": "7", "value": "true"}]}
    }  # fmt: skip


def test_a_mark_does_not_care_for_capitals() -> None:
    assert mark("A@Example.com ") == mark("a@example.com") != mark("b@example.com")
