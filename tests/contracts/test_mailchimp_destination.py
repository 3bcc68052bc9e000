"""Mailchimp: the suite against a stand-in, and the traps of its API."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from destination_suite import NOW, PLANTED, ROWS, SECRET, VARIABLE, HttpSuite, batch, finished
from fakes.mailchimp import LIST, FakeMailchimp, hashed

from segctl.connectors.destinations.base import Around, NotNowError, Recorded, Row
from segctl.connectors.destinations.mailchimp import Mailchimp, new_members, refused, subscriber_hash
from segctl.model.destinations import Destination
from segctl.model.errors import SegctlError, UsageError

EMAILS = [row.identifiers["email"] for row in ROWS]
BARE = tuple(replace(row, fields={}) for row in ROWS)


class TestMailchimp(HttpSuite):
    kind: ClassVar[str] = "mailchimp"
    more: ClassVar[dict[str, Any]] = {}
    differs_dry: ClassVar[bool] = False
    fake: FakeMailchimp

    def make_fake(self) -> FakeMailchimp:
        fake = FakeMailchimp(PLANTED)
        fake.put(*EMAILS)
        return fake

    def options(self) -> dict[str, Any]:
        return {"api_key": SECRET, "list": LIST, "base_url": f"{self.url}/3.0", **self.more}

    def people(self, audience: str) -> set[str]:
        return {self.fake.members[one]["email_address"] for one in self.fake.inside[audience]}

    def pushed(self, rows: tuple[Row, ...], **more: Any) -> Any:
        """What became of an addition with some options."""
        self.more = more  # type: ignore[misc]  # of this test alone
        with self.connected() as connector:
            return finished(connector, batch(rows, audience=connector.audience("winback", "winback")))

    def test_who_is_not_on_the_list_stays_off_it(self) -> None:
        del self.fake.members[hashed(EMAILS[0])]

        sent = self.pushed(ROWS)

        assert {key: (told.state, told.code) for key, told in sent.troubles.items()} == {
            ROWS[0].key: ("rejected", "not_on_list")
        }
        assert set(self.fake.members) == {hashed(email) for email in EMAILS[1:]}

    def test_without_fields_who_is_ignored_is_found_out(self) -> None:
        del self.fake.members[hashed(EMAILS[0])]

        sent = self.pushed(BARE)

        assert [told.code for told in sent.troubles.values()] == ["not_on_list"]

    @pytest.mark.parametrize("status", ["pending", "subscribed", "transactional"])
    def test_new_people_get_the_status_that_is_declared_and_others_keep_theirs(self, status: str) -> None:
        del self.fake.members[hashed(EMAILS[0])]
        self.fake.put(EMAILS[1], status="unsubscribed")
        self.fake.put(EMAILS[2], status="cleaned")

        sent = self.pushed(ROWS, new_members=status)

        assert sent.troubles == {}
        assert [self.fake.members[hashed(email)]["status"] for email in EMAILS] == [status, "unsubscribed", "cleaned"]
        assert self.fake.members[hashed(EMAILS[1])]["merge_fields"] == {"first_name": "Jörg"}

    def test_who_was_deleted_for_good_is_not_tried_again(self) -> None:
        del self.fake.members[hashed(EMAILS[0])]
        self.fake.gone = {EMAILS[0]}

        sent = self.pushed(BARE, new_members="pending")

        assert [(told.state, told.code) for told in sent.troubles.values()] == [("invalid", "opted_out")]
        assert "anna" not in str(sent)

    def test_a_field_that_is_refused_keeps_only_its_person_out(self) -> None:
        self.fake.required = {"first_name"}

        sent = self.pushed(ROWS)

        assert list(sent.troubles) == [ROWS[2].key]
        assert sent.troubles[ROWS[2].key].state == "invalid"
        assert {self.fake.members[one]["email_address"] for one in next(iter(self.fake.inside.values()))} == set(
            EMAILS[:2]
        )

    def test_errors_inside_a_success_are_looked_into(self) -> None:
        self.fake.stubborn = {EMAILS[0]}

        sent = self.pushed(BARE)

        assert {key: told.state for key, told in sent.troubles.items()} == {ROWS[0].key: "rejected"}
        assert "anna" not in str(sent)

    def test_somebody_who_will_not_leave_is_told(self) -> None:
        with self.connected() as connector:
            audience = connector.audience("winback", "winback")
            finished(connector, batch(BARE, audience=audience))
            self.fake.stubborn = {EMAILS[0]}
            sent = finished(connector, batch(BARE, "remove", audience=audience))
            again = finished(connector, batch(BARE[1:], "remove", audience=audience))

        assert list(sent.troubles) == [ROWS[0].key]
        assert again.troubles == {}
        assert set(self.fake.members) == {hashed(email) for email in EMAILS}

    def test_who_cannot_be_asked_for_is_left_open(self) -> None:
        self.fake.can_fail = lambda asked: asked.method == "GET" and "/members/" in asked.path
        with self.connected() as connector:
            audience = connector.audience("winback", "winback")
            finished(connector, batch(BARE, audience=audience))
            self.fake.fails_next(*["broken"] * 3)
            sent = finished(connector, batch(BARE, audience=audience))

        assert {told.state for told in sent.troubles.values()} == {"unknown"}

    def test_a_bare_403_is_no_matter_of_rights(self) -> None:
        with self.connected() as connector:
            audience = connector.audience("winback", "winback")
            self.fake.is_crowded = True
            with pytest.raises(NotNowError):
                connector.send(batch(BARE, audience=audience))

    def test_everybody_is_read_back_whatever_their_status(self) -> None:
        self.fake.put(EMAILS[0], status="unsubscribed")
        self.fake.put(EMAILS[1], status="cleaned")
        self.fake.page = 1
        with self.connected() as connector:
            audience = connector.audience("winback", "winback")
            connector.audience("other", "other")
            finished(connector, batch(BARE, audience=audience))

            assert [member.identifiers["email"] for member in connector.members(audience)] == EMAILS
            assert [(one.name, one.size) for one in connector.audiences()] == [("winback", 3), ("other", 0)]

    def test_a_refusal_leads_to_the_data_centre(self) -> None:
        self.fake.key = "another"
        with self.connected() as connector:
            probes = connector.check()
        self.fake.wrong.clear()

        assert [probe.name for probe in probes if probe.status == "problem"] == ["credentials"]
        assert "server" in str(next(probe.hint for probe in probes if probe.name == "credentials"))

    def test_a_segment_is_found_by_name_and_by_id(self) -> None:
        with self.connected() as connector:
            made = connector.audience("winback", "winback")

            assert [connector.audience("winback", name) for name in ("winback", made)] == [made, made]

    def test_an_outage_in_the_middle_of_fields_tells_who_was_taken(self) -> None:
        self.fake.can_fail = lambda asked: asked.method == "PATCH" and asked.path.endswith(hashed(EMAILS[1]))
        self.fake.fails_next("unavailable")

        sent = self.pushed(ROWS)

        assert {key: told.state for key, told in sent.troubles.items()} == {
            ROWS[1].key: "rejected",
            ROWS[2].key: "rejected",
        }
        assert {self.fake.members[one]["email_address"] for one in next(iter(self.fake.inside.values()))} == {EMAILS[0]}


def test_a_member_is_named_as_the_vendor_says() -> None:
    # Vendor's example.
    assert subscriber_hash("Urist.McVankab@freddiesjokes.com") == "62eeb292278cc15f5817cb78f7790b08"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ({"title": "Member In Compliance State", "detail": "a@b.de is in a compliance state"}, "opted_out"),
        ({"title": "Forgotten Email Not Subscribed", "detail": "a@b.de was permanently deleted"}, "opted_out"),
        ({"title": "Invalid Resource", "detail": "a merge field"}, "Invalid Resource"),
        ({"error": "bad address", "error_code": "ERROR_GENERIC"}, "ERROR_GENERIC"),
    ],
)
def test_who_opted_out_is_told_from_what_is_wrong(error: dict[str, str], code: str) -> None:
    found = refused(error, ROWS)

    assert (found.state, found.code) == ("invalid", code)
    assert "a@b.de" not in found.reason


def test_what_makes_members_changes_none() -> None:
    body = new_members({"a": [ROWS[0]]}, "pending")

    assert (body["update_existing"], body["sync_tags"]) == (False, False)


@pytest.mark.parametrize(
    ("key", "host"), [("0123456789abcdef-us19", "https://us19.api.mailchimp.com/3.0"), ("0123456789abcdef", None),
                      ("x-evil.io/", None)],
)  # fmt: skip
def test_the_data_centre_is_the_end_of_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, host: str | None
) -> None:
    monkeypatch.setenv(VARIABLE, key)
    connector = Mailchimp(_declared(), Around("tested", tmp_path, NOW))

    if host is None:
        with pytest.raises(UsageError) as caught:
            _ = connector.client
        assert caught.value.code == "SEG922"
        assert "evil" not in str(caught.value)
        assert [probe.status for probe in connector.check()] == ["problem"]
    else:
        assert connector.client.service.base_url == host
    connector.close()


def test_a_dry_run_reads_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    recorded: list[Recorded] = []
    connector = Mailchimp(_declared(), Around("tested", tmp_path, NOW, record=recorded.append))

    connector.send(batch(BARE, audience="7"))

    assert [one.what for one in recorded] == [f"POST https://<server>.api.mailchimp.com/3.0/lists/{LIST}/segments/7"]


def test_another_host_gets_no_key(tmp_path: Path) -> None:
    declared = _declared(server="us1.evil.example/x")

    with pytest.raises(SegctlError):
        _ = Mailchimp(declared, Around("tested", tmp_path, NOW)).client


def _declared(**options: Any) -> Destination:
    return Destination("tested", "mailchimp", options={"api_key": SECRET, "list": LIST, **options})
