"""Klaviyo: the suite against a stand-in, and the traps of its API."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import pytest
from destination_suite import PLANTED, ROWS, SECRET, HttpSuite, batch, finished
from fakes.klaviyo import FakeKlaviyo

from segctl.connectors.destinations.base import BatchRefusedError, Row
from segctl.connectors.destinations.klaviyo import cursor_of, import_job, pointed, profile, quoted
from segctl.model.errors import UsageError


class TestKlaviyo(HttpSuite):
    kind: ClassVar[str] = "klaviyo"
    fake: FakeKlaviyo

    def make_fake(self) -> FakeKlaviyo:
        return FakeKlaviyo(PLANTED)

    def options(self) -> dict[str, Any]:
        return {"api_key": SECRET, "base_url": self.url}

    def people(self, audience: str) -> set[str]:
        return {self.fake.profiles[one]["email"] for one in self.fake.members[audience]}

    def test_a_list_is_found_by_name_and_by_id_and_made_once(self) -> None:
        with self.connected() as connector:
            made = connector.audience("winback", 'Rückgewinnung "warm"')
            again = connector.audience("winback", 'Rückgewinnung "warm"')
            by_id = connector.audience("winback", made)

        assert made == again == by_id
        assert list(self.fake.lists.values()) == ['Rückgewinnung "warm"']

    def test_two_lists_of_one_name_are_not_guessed_between(self) -> None:
        self.fake.lists |= {"AAAAAA": "winback", "BBBBBB": "winback"}

        with self.connected() as connector, pytest.raises(UsageError) as caught:
            connector.audience("winback", "winback")

        assert caught.value.code == "SEG920"

    def test_no_list_is_made_where_that_is_not_allowed(self) -> None:
        declared = self.declared()
        self.declared = lambda: replace(declared, options={**declared.options, "create_audiences": False})

        with self.connected() as connector, pytest.raises(UsageError) as caught:
            connector.audience("winback", "winback")

        assert caught.value.code == "SEG921"
        assert self.fake.lists == {}

    def test_a_job_names_the_rows_that_failed(self) -> None:
        self.fake.failing, self.fake.page = {ROWS[0].identifiers["email"], ROWS[2].identifiers["email"]}, 1
        with self.connected() as connector:
            audience = connector.audience("winback", "winback")
            sent = finished(connector, batch(ROWS, audience=audience))

        assert {key: (told.state, told.code) for key, told in sent.troubles.items()} == {
            ROWS[0].key: ("invalid", "invalid"),
            ROWS[2].key: ("invalid", "invalid"),
        }
        assert "anna" not in str(sent)

    def test_failures_that_name_nobody_leave_all_open(self) -> None:
        self.fake.failing, self.fake.points = {ROWS[0].identifiers["email"]}, False
        with self.connected() as connector:
            audience = connector.audience("winback", "winback")
            sent = finished(connector, batch(ROWS, audience=audience))

        assert {told.state for told in sent.troubles.values()} == {"unknown"}
        assert set(sent.troubles) == {row.key for row in ROWS}

    def test_a_cancelled_job_is_an_end_of_which_nobody_knows_how_far_it_came(self) -> None:
        self.fake.is_cancelled = True
        with self.connected() as connector:
            audience = connector.audience("winback", "winback")
            sent = finished(connector, batch(ROWS, audience=audience))

        assert [told.code for told in sent.troubles.values()] == ["cancelled"] * 3
        assert {told.state for told in sent.troubles.values()} == {"unknown"}

    def test_another_process_polls_a_job_to_the_same_end(self) -> None:
        self.fake.failing = {ROWS[1].identifiers["email"]}
        with self.connected() as connector:
            job = connector.send(batch(ROWS, audience=connector.audience("winback", "winback"))).job
        assert job is not None
        with self.connected() as connector:
            sent = connector.poll(job)
            while sent.job:
                sent = connector.poll(sent.job)

        assert list(sent.troubles) == ["#1"]

    def test_a_refused_call_names_its_rows(self) -> None:
        bad = replace(ROWS[1], identifiers={**ROWS[1].identifiers, "phone": "0660"})
        with self.connected() as connector:
            audience = connector.audience("winback", "winback")
            with pytest.raises(BatchRefusedError) as caught:
                connector.send(batch((ROWS[0], bad, ROWS[2]), audience=audience))

        assert list(caught.value.rows) == [bad.key]
        assert "jörg" not in str(caught.value) + str(caught.value.rows)

    def test_who_is_not_known_there_needs_no_taking_off(self) -> None:
        with self.connected() as connector:
            audience = connector.audience("winback", "winback")
            sent = finished(connector, batch(ROWS, "remove", audience=audience))

        assert sent.troubles == {}
        assert [asked.method for asked in self.fake.asked].count("DELETE") == 0

    def test_nobody_leaves_for_a_number_that_is_anothers_as_well(self) -> None:
        with self.connected() as connector:
            audience = connector.audience("winback", "winback")
            finished(connector, batch(ROWS[1:], audience=audience))
            both = replace(ROWS[0], identifiers={**ROWS[0].identifiers, "phone": "+4915112345678"})
            self.fake.profiles |= {
                "PX": {"email": "anna@example.com"},
                "PY": {"email": "bert@example.com", "phone_number": "+4915112345678"},
            }
            self.fake.members[audience] += ["PX", "PY"]
            finished(connector, batch((both,), "remove", audience=audience))

        assert self.people(audience) == {"bert@example.com", *(row.identifiers["email"] for row in ROWS[1:])}

    def test_an_id_that_is_gone_is_looked_up_again(self) -> None:
        with self.connected() as connector:
            audience = connector.audience("winback", "winback")
            finished(connector, batch(ROWS, audience=audience))
            stale = replace(ROWS[0], known_as="P99999")
            sent = finished(connector, batch((stale, ROWS[1]), "remove", audience=audience))

        assert sent.troubles == {}
        assert self.people(audience) == {"o'neil+a@example.org"}

    def test_everybody_is_read_over_pages_that_lead_elsewhere(self) -> None:
        self.fake.page = 1
        with self.connected() as connector:
            audience = connector.audience("winback", "winback")
            finished(connector, batch(ROWS, audience=audience))

            members = list(connector.members(audience))

        assert [member.identifiers["email"] for member in members] == [row.identifiers["email"] for row in ROWS]

    def test_addresses_are_compared_in_small_letters(self) -> None:
        with self.connected() as connector:
            audience = connector.audience("winback", "winback")
            finished(connector, batch(ROWS[:1], audience=audience))
            next(iter(self.fake.profiles.values()))["email"] = "Anna@Example.com"

            assert [member.identifiers["email"] for member in connector.members(audience)] == ["anna@example.com"]

    def test_sizes_are_kept(self) -> None:
        heavy = replace(ROWS[0], fields={"notes": "x" * 100_000})
        wide = tuple(Row(f"{n:032}", {"email": f"{n}@example.com"}, {"notes": "x" * 60_000}) for n in range(90))
        with self.connected() as connector:
            audience = connector.audience("winback", "winback")
            with pytest.raises(BatchRefusedError) as one:
                connector.send(batch((heavy, ROWS[1]), audience=audience))
            with pytest.raises(BatchRefusedError) as all_of_them:
                connector.send(batch(wide, audience=audience))

        assert (list(one.value.rows), one.value.is_size) == ([heavy.key], False)
        assert all_of_them.value.is_size
        assert [asked.path for asked in self.fake.asked] == ["/api/lists", "/api/lists"]


def test_a_profile_has_known_fields_a_location_and_properties() -> None:
    row = Row(
        "k", {"email": "a@example.com", "external_id": "7"}, {"first_name": None, "location.city": "Köln", "clv": 3}
    )

    assert profile(row) == {
        "type": "profile",
        "attributes": {
            "email": "a@example.com",
            "external_id": "7",
            "first_name": None,
            "location": {"city": "Köln"},
            "properties": {"clv": 3},
        },
    }


def test_an_update_names_no_list_and_nothing_ever_subscribes() -> None:
    job = import_job([profile(ROWS[0])], None)

    assert "relationships" not in job["data"]
    assert "subscri" not in str(job).lower()


def test_a_filter_keeps_quotes_apart() -> None:
    assert quoted('a"b\\c') == '"a\\"b\\\\c"'


def test_pointers_lead_to_places_within_the_job_only() -> None:
    errors = [
        {"source": {"pointer": "/data/attributes/profiles/data/2/attributes/email"}},
        {"source": {"pointer": "/data/0"}},
        {"source": {"pointer": "/data/9/attributes"}},
        {"source": {"pointer": None}},
    ]

    assert sorted(pointed(errors, 3)) == [0, 2]


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("https://a.klaviyo.com/api/x?page%5Bcursor%5D=abc%3D%3D&page%5Bsize%5D=9", "abc=="),
        (None, None),
        ("https://x/", None),
    ],
)
def test_of_a_link_only_the_cursor_is_taken(link: str | None, expected: str | None) -> None:
    assert cursor_of({"links": {"next": link}}) == expected
