"""HubSpot: the suite against a stand-in, and the traps of its API."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

import pytest
from destination_suite import PLANTED, ROWS, SECRET, HttpSuite, batch, finished
from fakes.hubspot import FakeHubSpot

from segctl.connectors.destinations.base import BatchRefusedError, NotNowError, Row
from segctl.connectors.destinations.hubspot import abilities, properties, upsert, upserted
from segctl.model.destinations import Destination
from segctl.model.errors import UsageError

EMAILS = [row.identifiers["email"] for row in ROWS]


class TestHubSpot(HttpSuite):
    kind: ClassVar[str] = "hubspot"
    fake: FakeHubSpot
    more: ClassVar[dict[str, Any]] = {}

    def make_fake(self) -> FakeHubSpot:
        return FakeHubSpot(PLANTED)

    def options(self) -> dict[str, Any]:
        return {"token": SECRET, "base_url": self.url, **self.more}

    def people(self, audience: str) -> set[str]:
        return {self.fake.contacts[one]["email"] for one in self.fake.members[audience]}

    def test_a_list_is_found_by_name_in_any_case_and_by_id(self) -> None:
        with self.connected() as connector:
            made = connector.audience("winback", "Winback / Ö")
            found = [connector.audience("winback", name) for name in ("winback / ö", made)]

        assert found == [made, made]

    def test_a_list_that_somebody_else_made_meanwhile_is_used(self) -> None:
        self.fake.lists["9"], self.fake.members["9"] = ("winback", "MANUAL"), []
        self.fake.unseen = {"9"}
        with self.connected() as connector:
            assert connector.audience("winback", "winback") == "9"

    def test_a_list_that_computes_its_members_is_refused(self) -> None:
        self.fake.lists["9"], self.fake.members["9"] = ("winback", "DYNAMIC"), []
        with self.connected() as connector, pytest.raises(UsageError) as caught:
            connector.audience("winback", "winback")

        assert caught.value.code == "SEG922"

    @pytest.mark.parametrize("is_reversed", [False, True])
    def test_errors_inside_a_success_find_their_rows(self, is_reversed: bool) -> None:
        self.fake.refused = {EMAILS[0]: "VALIDATION_ERROR", EMAILS[2]: "RATE_LIMITS"}
        self.fake.is_reversed = is_reversed
        with self.connected() as connector:
            audience = connector.audience("winback", "winback")
            sent = finished(connector, batch(ROWS, audience=audience))

        assert {key: told.state for key, told in sent.troubles.items()} == {
            ROWS[0].key: "invalid",
            ROWS[2].key: "rejected",
        }
        assert self.people(audience) == {EMAILS[1]}
        assert list(sent.known_as) == [ROWS[1].key]
        assert "anna" not in str(sent)

    def test_errors_without_a_row_leave_out_all_without_a_result(self) -> None:
        self.fake.refused, self.fake.names_traces = {EMAILS[0]: "VALIDATION_ERROR"}, False
        with self.connected() as connector:
            sent = finished(connector, batch(ROWS, audience=connector.audience("winback", "winback")))

        assert {key: told.state for key, told in sent.troubles.items()} == {ROWS[0].key: "rejected"}

    def test_a_success_without_results_and_errors_is_none(self) -> None:
        self.fake.is_silent = True
        with self.connected() as connector:
            audience = connector.audience("winback", "winback")
            sent = finished(connector, batch(ROWS, audience=audience))

        assert {told.state for told in sent.troubles.values()} == {"unknown"}
        assert self.people(audience) == set()

    def test_two_rows_of_one_address_are_one_contact(self) -> None:
        twice = (ROWS[0], replace(ROWS[0], key="d" * 32, identifiers={"email": "Anna@Example.com"}))
        with self.connected() as connector:
            audience = connector.audience("winback", "winback")
            sent = finished(connector, batch(twice, audience=audience))

        assert len(set(sent.known_as.values())) == 1
        assert set(sent.known_as) == {row.key for row in twice}

    def test_people_leave_by_address_when_no_id_is_known_or_it_is_gone(self) -> None:
        with self.connected() as connector:
            audience = connector.audience("winback", "winback")
            finished(connector, batch(ROWS, audience=audience))
            rows = (ROWS[0], replace(ROWS[1], known_as="99999"))
            stranger = Row("e" * 32, {"email": "nobody@example.com"})
            sent = finished(connector, batch((*rows, stranger), "remove", audience=audience))

        assert sent.troubles == {}
        assert self.people(audience) == {EMAILS[2]}
        assert len(self.fake.contacts) == 3

    def test_a_record_that_the_list_does_not_know_yet_is_not_taken(self) -> None:
        with self.connected() as connector:
            audience = connector.audience("winback", "winback")
            self.fake.late = {"103"}
            sent = finished(connector, batch(ROWS, audience=audience))

        assert {key: told.code for key, told in sent.troubles.items()} == {ROWS[1].key: "recordIdsMissing"}
        assert self.people(audience) == {EMAILS[0], EMAILS[2]}

    def test_the_daily_limit_ends_the_push_for_today(self) -> None:
        with self.connected() as connector:
            audience = connector.audience("winback", "winback")
            self.fake.is_daily = True
            with pytest.raises(NotNowError) as caught:
                connector.send(batch(ROWS, audience=audience))

        assert caught.value.is_daily

    def test_everybody_and_every_list_is_read_over_pages(self) -> None:
        with self.connected() as connector:
            audience = connector.audience("winback", "winback")
            for name in ("a", "b"):
                connector.audience(name, name)
            finished(connector, batch(ROWS, audience=audience))
            self.fake.page = 2

            members, lists = list(connector.members(audience)), list(connector.audiences())

        assert [member.identifiers["email"] for member in members] == EMAILS
        assert {member.known_as for member in members} == set(self.fake.contacts)
        assert [one.name for one in lists] == ["winback", "a", "b"]

    def test_rows_without_an_address_are_named(self) -> None:
        nameless = Row("f" * 32, {"phone": "+4915112345678"})
        with self.connected() as connector, pytest.raises(BatchRefusedError) as caught:
            connector.send(batch((ROWS[0], nameless), audience="7"))

        assert list(caught.value.rows) == [nameless.key]


class TestHubSpotByAnotherProperty(HttpSuite):
    kind: ClassVar[str] = "hubspot"
    fake: FakeHubSpot

    def make_fake(self) -> FakeHubSpot:
        return FakeHubSpot(PLANTED)

    def options(self) -> dict[str, Any]:
        return {"token": SECRET, "base_url": self.url, "id_property": "customer_number"}

    def people(self, audience: str) -> set[str]:
        return {self.fake.contacts[one]["customer_number"] for one in self.fake.members[audience]}

    def test_requests_are_these(self, golden: Any) -> None:
        """Those of another property are the same but for its name."""
        with self.connected() as connector:
            finished(connector, batch(ROWS, audience=connector.audience("winback", "winback")))

        body = next(asked.json for asked in self.fake.asked if asked.path.endswith("/upsert"))
        assert [(one["idProperty"], one["id"]) for one in body["inputs"]] == [
            ("customer_number", "C-1"), ("customer_number", "C-2"), ("customer_number", "C-3"),
        ]  # fmt: skip


def test_people_are_known_by_one_property_alone() -> None:
    other = {"id_property": "customer_number"}

    assert abilities(Destination("crm", "hubspot")).identifiers == ("email",)
    assert abilities(Destination("crm", "hubspot", options=other)).identifiers == ("external_id",)


def test_properties_are_texts() -> None:
    fields = {"vip": True, "city": None, "since": date(2026, 1, 2), "clv": Decimal("12.50"), "orders": 3}

    assert properties(Row("k", {}, fields)) == {
        "vip": "true", "city": "", "since": "2026-01-02", "clv": "12.50", "orders": "3",
    }  # fmt: skip


def test_an_upsert_traces_its_inputs() -> None:
    body = upsert({"a@example.com": [ROWS[0]], "b@example.com": [ROWS[1]]}, "email")

    assert [one["objectWriteTraceId"] for one in body["inputs"]] == ["0", "1"]
    assert ROWS[0].key not in str(body)


def test_results_are_found_by_trace_or_by_value_never_by_order() -> None:
    answer = {
        "results": [
            {"id": "2", "properties": {"email": "B@example.com"}},
            {"id": "1", "objectWriteTraceId": "0", "properties": {}},
            {"id": "3", "properties": {"email": "stranger@example.com"}},
        ]
    }

    ids, troubles = upserted(answer, ["a@example.com", "b@example.com"], "email")

    assert ids == {"a@example.com": "1", "b@example.com": "2"}
    assert troubles == {}


def test_an_error_counts_more_than_a_result() -> None:
    error = {"category": "VALIDATION_ERROR", "message": "no", "context": {"objectWriteTraceId": ["0"]}}
    answer = {"results": [{"id": "1", "properties": {"email": "a@example.com"}}], "errors": [error]}

    ids, troubles = upserted(answer, ["a@example.com"], "email")

    assert ids == {}
    assert [told.state for told in troubles.values()] == ["invalid"]
