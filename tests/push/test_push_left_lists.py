"""Lists that their audience has left: emptied, taken over by another, gone, and never asked for by their number."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_service import Connector, key_of
from shop import Other, Shop

from segctl.model.destinations import Destination
from segctl.model.errors import UsageError
from segctl.operations.push.work import Part
from segctl.state.deliveries import delivered


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path / "ws")
    yield made
    made.close()


def test_lists_that_two_segments_swap_hold_their_own_people(shop: Shop) -> None:
    shop.people, shop.others["vip"] = as_people("a", "b", "c"), Other("vip", as_people("c", "d"))
    shop.push()
    shop.called, shop.others["vip"].called = "vip", "winback"
    del shop.people["b"]

    shop.push()

    assert (set(shop.there("vip")), set(shop.there("winback"))) == ({"a", "c"}, {"c", "d"})
    shop.push(again := Connector(shop.service))
    assert again.sent == []


def test_who_withdraws_is_taken_out_of_a_list_that_another_segment_took_over(shop: Shop) -> None:
    shop.people = as_people("a", "b")
    shop.push()
    shop.destination = Destination("mailer", "fake", mode="add")
    shop.called, shop.others["vip"] = "new", Other("winback", as_people("c"))
    shop.push(mode="add")
    shop.gate.deny("b")

    shop.push(mode="add")

    assert (set(shop.there("winback")), set(shop.there("new"))) == ({"a", "c"}, {"a"})


def test_a_list_that_was_left_is_not_asked_for_under_its_number(shop: Shop) -> None:
    class Strict(Connector):
        def audience(self, segment: str, name: str) -> str:
            if name != shop.called:
                raise UsageError("SEG936", f"there is no {name}")
            return super().audience(segment, name)

    shop.people = as_people("a", "b")
    shop.push(Strict(shop.service))
    shop.called = "new"
    shop.push(Strict(shop.service, faults=["too many"] * 9))
    part = shop.push(Strict(shop.service))

    assert (part.stopped, set(shop.there("winback")), set(shop.there("new"))) == (None, set(), {"a", "b"})


def test_a_list_that_was_left_and_is_gone_is_forgotten(shop: Shop) -> None:
    shop.people = as_people("a", "b")
    shop.push()
    shop.called = "new"
    shop.push(Connector(shop.service, faults=["too many"] * 9))
    del shop.service.audiences["winback"]

    shop.push()
    shop.push(again := Connector(shop.service))

    assert (again.sent, "winback" in shop.service.audiences) == ([], False)
    assert delivered(shop.workspace, "mailer", "winback (former)").is_empty()


def test_who_may_not_be_told_now_stays_on_the_list_until_somebody_may(shop: Shop) -> None:
    def refuse(part: Part) -> None:
        part.refused, part.leavers = "a guard", ()

    shop.people = as_people("a", "b")
    shop.push()
    shop.called = "new"
    shop.gate.deny("b")
    for _ in range(2):
        shop.push(change=refuse)
        assert (set(shop.there("winback")), set(shop.there("new"))) == ({"a"}, set())

    shop.push()

    assert (set(shop.there("winback")), set(shop.there("new"))) == (set(), {"a"})


def test_what_is_only_tried_again_goes_to_no_other_list(shop: Shop) -> None:
    shop.people = as_people("a", "b")
    shop.push(Connector(shop.service, poison=frozenset({"b"})))
    shop.called = "new"

    shop.push(retries=True)
    assert (set(shop.there("winback")), set(shop.there("new"))) == ({"a", "b"}, set())

    shop.push()
    assert (set(shop.there("winback")), set(shop.there("new"))) == (set(), {"a", "b"})


def test_of_three_segments_in_a_list_one_that_ends_takes_nobody_from_the_others(shop: Shop) -> None:
    shop.people = as_people("a")
    shop.others |= {"vip": Other("winback", as_people("b")), "old": Other("winback", as_people("a", "b", "c"))}
    shop.push()
    del shop.others["old"]

    shop.push()

    assert set(shop.there("winback")) == {"a", "b"}


def test_an_end_does_not_undo_the_guard_of_another_in_the_list(shop: Shop) -> None:
    def refuse(part: Part) -> None:
        part.refused, part.leavers = "a guard", ()

    shop.people, shop.others["old"] = as_people("a", "b", "c"), Other("winback", as_people("b", "d"))
    shop.push()
    shop.people = as_people("a")
    del shop.others["old"]

    shop.push(change=refuse)

    assert set(shop.there("winback")) == {"a", "b", "c"}


def test_an_answer_that_never_came_is_not_asked_for_again_under_another_list(shop: Shop) -> None:
    shop.people = as_people("a", "b")
    shop.push(first := Connector(shop.service, faults=["timeout before"] * 9))
    shop.called = "new"

    shop.push(second := Connector(shop.service))

    assert {one.id for one in first.sent}.isdisjoint(one.id for one in second.sent)
    assert set(shop.there("new")) == {"a", "b"}


def test_a_list_is_not_left_while_a_job_goes_on_there(shop: Shop) -> None:
    shop.people = as_people("a", "b")
    shop.push(Connector(shop.service, faults=["job"] * 9_999))
    shop.called = "new"
    part = shop.push(Connector(shop.service, faults=["job"] * 9_999))
    assert (part.paused is not None, set(shop.there("new"))) == (True, set())

    shop.push()
    shop.push()

    assert (set(shop.there("winback")), set(shop.there("new"))) == (set(), {"a", "b"})


def test_being_told_for_another_segment_is_a_contact(shop: Shop) -> None:
    shop.people, shop.others["vip"] = as_people("a"), Other("vip", as_people("b"))
    shop.push()
    shop.called, shop.others["vip"].called = "vip", "winback"
    shop.people = as_people("b")

    shop.push()

    contacts = shop.workspace.query("SELECT key FROM contacts_due ORDER BY id")
    assert [key for (key,) in contacts] == [key_of("a"), key_of("b"), key_of("b")]


def as_people(*emails: str) -> dict[str, dict[str, str]]:
    return {email: {"name": "x"} for email in emails}
