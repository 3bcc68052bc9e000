"""CleverReach: the suite against a stand-in, and the traps of its API."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import pytest
from destination_suite import NOW, PLANTED, ROWS, SECRET, HttpSuite, batch, finished
from fakes.cleverreach import GROUP, FakeCleverReach

from segctl.connectors.destinations.base import BatchRefusedError, NotNowError, Row, Sent
from segctl.connectors.destinations.cleverreach import attributes, receiver
from segctl.model.errors import UsageError

EMAILS = [row.identifiers["email"] for row in ROWS]


class TestCleverReach(HttpSuite):
    kind: ClassVar[str] = "cleverreach"
    asks_for_token: ClassVar[bool] = True
    more: ClassVar[dict[str, Any]] = {}
    fake: FakeCleverReach

    def make_fake(self) -> FakeCleverReach:
        fake = FakeCleverReach(PLANTED)
        fake.put(*EMAILS)
        return fake

    def options(self) -> dict[str, Any]:
        told = {"client_id": SECRET, "client_secret": SECRET, "group": int(GROUP), "base_url": f"{self.url}/v3"}
        return told | self.more

    def people(self, audience: str) -> set[str]:
        return self.fake.inside(audience)

    def pushed(self, rows: tuple[Row, ...], **more: Any) -> Sent:
        """What became of an addition with some options."""
        self.more = more  # type: ignore[misc]  # of this test alone
        with self.connected() as connector:
            return finished(connector, batch(rows, audience=connector.audience("winback", "winback")))

    def test_who_is_no_receiver_stays_none(self) -> None:
        del self.fake.receivers[EMAILS[0]]

        sent = self.pushed(ROWS)

        assert {key: (told.state, told.code) for key, told in sent.troubles.items()} == {
            ROWS[0].key: ("rejected", "not_there")
        }
        assert set(self.fake.receivers) == set(EMAILS[1:])

    @pytest.mark.parametrize(("new", "activated"), [("inactive", 0), ("active", int(NOW.timestamp()))])
    def test_only_new_receivers_are_made_and_as_declared(self, new: str, activated: int) -> None:
        self.fake.put(EMAILS[1], activated=0, deactivated=1_700_000_000)
        del self.fake.receivers[EMAILS[0]]

        sent = self.pushed(ROWS, new_receivers=new)

        assert sent.troubles == {}
        assert self.people("segctl.winback") == set(EMAILS)
        assert self.fake.receivers[EMAILS[0]]["activated"] == activated
        assert (self.fake.receivers[EMAILS[1]]["activated"], self.fake.receivers[EMAILS[1]]["deactivated"]) == (
            0,
            1_700_000_000,
        )

    @pytest.mark.parametrize("which", ["blacklist", "group_blacklist"])
    def test_nobody_on_a_blacklist_is_made(self, which: str) -> None:
        del self.fake.receivers[EMAILS[0]]
        setattr(self.fake, which, {EMAILS[0].upper()})

        sent = self.pushed(ROWS, new_receivers="inactive")

        assert {key: told.code for key, told in sent.troubles.items()} == {ROWS[0].key: "blacklist"}
        assert EMAILS[0] not in self.fake.receivers

    def test_somebody_who_comes_in_between_stays_as_he_is(self) -> None:
        del self.fake.receivers[EMAILS[0]]
        first, take = self.fake.filtered, self.fake.put

        def slow(body: Any) -> Any:
            found = first(body)
            if body["rules"][0]["field"] == "email" and EMAILS[0] not in self.fake.receivers:
                take(EMAILS[0], activated=5)
            return found

        self.fake.filtered = slow

        sent = self.pushed(ROWS, new_receivers="inactive")

        assert {key: told.state for key, told in sent.troubles.items()} == {ROWS[0].key: "invalid"}
        assert self.fake.receivers[EMAILS[0]]["activated"] == 5

    def test_a_receiver_that_is_refused_inside_a_success_keeps_nobody_else_out(self) -> None:
        self.fake.invalid = {EMAILS[1]}

        sent = self.pushed(ROWS)

        assert {key: told.state for key, told in sent.troubles.items()} == {ROWS[1].key: "invalid"}
        assert "jörg" not in str(sent)

    @pytest.mark.parametrize(
        ("code", "error"), [(400, BatchRefusedError), (429, NotNowError), (403, UsageError), (17, BatchRefusedError)]
    )
    def test_an_error_inside_a_success_is_one(self, code: int, error: type[Exception]) -> None:
        with self.connected() as connector:
            audience = connector.audience("winback", "winback")
            self.fake.error_inside = code
            with pytest.raises(error) as caught:
                connector.send(batch(ROWS, audience=audience))

        assert "anna" not in str(caught.value)
        assert self.people(audience) == set()

    def test_removal_makes_nobody_and_takes_one_tag_alone(self) -> None:
        del self.fake.receivers[EMAILS[0]]
        self.fake.put(EMAILS[1], tags=["segctl.winback", "segctl.win", "shop.winback"])
        with self.connected() as connector:
            audience = connector.audience("winback", "winback")
            sent = finished(connector, batch(ROWS, "remove", audience=audience))

        assert sent.troubles == {}
        assert self.fake.receivers[EMAILS[1]]["tags"] == ["segctl.win", "shop.winback"]
        assert set(self.fake.receivers) == set(EMAILS[1:])

    def test_a_part_of_a_tag_is_another_tag(self) -> None:
        self.fake.put("x@example.com", tags=["segctl.winback_2025"])
        self.fake.page = 1
        with self.connected() as connector:
            audience = connector.audience("winback", "winback")
            finished(connector, batch(ROWS, audience=audience))

            assert [member.identifiers["email"] for member in connector.members(audience)] == EMAILS
            assert [(one.id, one.name, one.size) for one in connector.audiences()] == [
                ("segctl.winback", "winback", 3),
                ("segctl.winback_2025", "winback_2025", 1),
            ]

    def test_an_outage_between_two_calls_tells_who_was_taken(self) -> None:
        del self.fake.receivers[EMAILS[0]]
        self.fake.can_fail = lambda asked: asked.path.endswith("/insert")
        self.fake.fails_next("unavailable")

        sent = self.pushed(ROWS, new_receivers="inactive")

        assert {key: told.state for key, told in sent.troubles.items()} == {ROWS[0].key: "rejected"}
        assert self.people("segctl.winback") == set(EMAILS[1:])

    def test_a_tag_may_be_one_that_is_there(self) -> None:
        with self.connected() as connector:
            assert connector.audience("winback", "shop.winback") == "shop.winback"

    @pytest.mark.parametrize("name", ["two words", "a.b.c", "x,y", ""])
    def test_a_name_that_is_no_tag_is_refused(self, name: str) -> None:
        with self.connected() as connector, pytest.raises(UsageError) as caught:
            connector.audience("winback", name)

        assert caught.value.code == "SEG922"

    def test_a_group_that_is_not_there_is_said_so(self) -> None:
        self.more = {"group": 99}  # type: ignore[misc]  # of this test alone
        with self.connected() as connector, pytest.raises(UsageError) as caught:
            connector.audience("winback", "winback")

        assert caught.value.code == "SEG921"

    def test_an_origin_that_would_remove_is_refused(self) -> None:
        self.more = {"origin": "-shop"}  # type: ignore[misc]  # of this test alone
        with pytest.raises(UsageError), self.connected():
            pass


def test_a_receiver_says_nothing_about_being_active() -> None:
    told = receiver(ROWS[0], "segctl.winback")

    assert told == {"email": EMAILS[0], "tags": ["segctl.winback"], "attributes": {"first_name": "Anna"}}


def test_attributes_are_the_groups_or_the_accounts() -> None:
    row = replace(ROWS[0], fields={"city": None, "global.name": "Anna"})

    assert attributes(row) == {"attributes": {"city": ""}, "global_attributes": {"name": "Anna"}}
