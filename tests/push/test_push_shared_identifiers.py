"""Two rows of an audience with one address: who stays is there, though the other one is taken out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from fake_service import ABILITIES, Connector, key_of
from push_worker import CrowdedShop

from segctl.operations.push.again import tell_again
from segctl.operations.push.work import Part
from segctl.state.deliveries import delivered
from segctl.state.deliveries_batches import keep_in_doubt

ANNA = "anna@example.org"


class SharingShop(CrowdedShop):
    """Tells rows that are named by more than their address."""

    again = True

    def rows_are(self, *people: tuple[str, str], name: str = "x") -> None:
        self.rows = pl.DataFrame(
            [(key_of(f"{mail} {phone}"), key_of(f"{mail} {phone} {name}"), f"p-{phone}", mail, phone, name)
             for mail, phone in people],
            schema=["key", "digest", "profile_id", "id:email", "id:phone", "field:name"], orient="row",
        ).sort("key")  # fmt: skip

    def change(self, part: Part) -> None:
        if self.again:
            tell_again(self.workspace, part, self.abilities)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[SharingShop]:
    made = SharingShop(tmp_path / "ws")
    made.abilities = replace(ABILITIES, batch_rows=1)
    yield made
    made.close()


def test_who_shares_the_address_of_somebody_who_leaves_stays(shop: SharingShop) -> None:
    shop.rows_are((ANNA, "1"), (ANNA, "2"), ("bert@example.org", "3"))
    shop.push(change=shop.change)
    shop.rows_are((ANNA, "2"), ("bert@example.org", "3"))

    part = shop.push(connector := Connector(shop.service), change=shop.change)

    assert set(shop.there()) == {ANNA, "bert@example.org"}
    assert [(batch.action, len(batch.rows)) for batch in connector.sent] == [("remove", 1), ("add", 1)]
    assert part.delta is not None
    assert part.delta.unchanged == 1
    assert shop.push(change=shop.change).tally.calls == 0


def test_who_would_be_updated_is_put_in_again(shop: SharingShop) -> None:
    shop.rows_are((ANNA, "1"), (ANNA, "2"))
    shop.push(change=shop.change)
    shop.rows_are((ANNA, "2"), name="y")

    shop.push(connector := Connector(shop.service), change=shop.change)

    assert dict(shop.there()) == {ANNA: {"name": "y"}}
    assert [batch.action for batch in connector.sent] == ["remove", "add"]


@pytest.mark.parametrize("again", [True, False])
def test_a_removal_under_an_older_key_that_failed_takes_nobody_out_later(shop: SharingShop, *, again: bool) -> None:
    shop.again = again
    shop.rows_are((ANNA, "1"))
    shop.push(change=shop.change)
    shop.rows_are((ANNA, "2"))
    failed = shop.push(Connector(shop.service, ["busy rows"]), change=shop.change)
    assert failed.tally.removals_failed == 1

    shop.push(change=shop.change)

    assert set(shop.there()) == ({ANNA} if again else set())
    assert delivered(shop.workspace, "mailer", "winback")["key"].to_list() == [key_of(f"{ANNA} 2")]


def test_whoever_may_be_out_is_put_in_by_the_next_push_too(shop: SharingShop) -> None:
    shop.rows_are((ANNA, "2"))
    part = shop.push(change=shop.change)
    keep_in_doubt(shop.workspace, part.ledger.id, [key_of(f"{ANNA} 2"), "unknown"])
    shop.service.audiences["winback"].clear()

    shop.push(change=shop.change)

    assert set(shop.there()) == {ANNA}
