"""Lists that their audience has left: emptied, taken over by another, gone, and never asked for by their number."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_service import Connector
from shop import Other, Shop

from segctl.model.destinations import Destination
from segctl.model.errors import UsageError
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


def as_people(*emails: str) -> dict[str, dict[str, str]]:
    return {email: {"name": "x"} for email in emails}
