"""The disk is full in the middle of a push: nobody is told without a row in the ledger, and the next push ends well."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from fake_service import Connector, key_of
from shop import Shop

from segctl.model.errors import LocalIOError
from segctl.state.deliveries import delivered
from segctl.state.deliveries_batches import open_batches

PEOPLE = [f"p{n}@example.org" for n in range(400)]


@pytest.mark.parametrize("calls", [0, 3, 7])
def test_nobody_is_told_without_a_row_and_the_next_push_ends_well(tmp_path: Path, calls: int) -> None:
    shop = Shop(tmp_path / "ws")
    shop.abilities = replace(shop.abilities, batch_rows=40)
    shop.add(*PEOPLE)
    shop.push(change=lambda part: setattr(part, "refused", "only the audience is made"))
    connector, db = Connector(shop.service), shop.workspace._db

    def fill() -> None:
        if len(connector.sent) > calls:
            db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0]}")

    connector.during = fill
    with pytest.raises(LocalIOError) as caught:
        shop.push(connector)

    assert caught.value.code == "SEG606"
    known = set(delivered(shop.workspace, "mailer", "winback")["key"])
    assert {key_of(email) for email in shop.there()} <= known
    assert calls * 40 < len(shop.there()) < 400

    db.execute("PRAGMA max_page_count = 1073741823")
    del shop.people[PEOPLE[0]]
    shop.push()
    assert set(shop.there()) == set(PEOPLE[1:])
    assert open_batches(shop.workspace, [1]) == []
    shop.close()
