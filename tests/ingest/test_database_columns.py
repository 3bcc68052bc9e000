"""A database says what columns it has, so a mistyped one is found before anything is taken, as in a file."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from segctl.operations.doctor.online import try_source

if TYPE_CHECKING:
    from conftest import Shop

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SALES = (
    'kind: database\ndatabase: {url: "sqlite:///pos.db", table: sales}\nkey: {customer_id: who}\nevents:\n'
    "  - {event: order_completed, time: at, id: id, properties: {coupon: %s}}\n"
)


def pos(shop: Shop, rows: int) -> None:
    pytest.importorskip("sqlalchemy")
    with sqlite3.connect(shop.root / "pos.db") as db:
        db.execute("CREATE TABLE sales (id TEXT, who TEXT, at TEXT, voucher TEXT)")
        db.executemany(
            "INSERT INTO sales VALUES (?, 'K1', '2026-11-01T10:00:00Z', NULL)", [(f"o{n}",) for n in range(rows)]
        )


@pytest.mark.parametrize("rows", [0, 3])
def test_a_mistyped_column_is_refused(shop: Shop, rows: int) -> None:
    pos(shop, rows)
    shop.source("pos", SALES % "vouchr")

    found = shop.ingest("pos")

    assert found.error is not None
    assert (found.error.code, found.error.exit_code) == ("SEG310", 3)
    assert found.error.message == "`pos` has no column `vouchr`, which the source `pos` names"
    assert "voucher" in (found.error.hint or "")
    assert shop.rows("events").is_empty()


def test_an_empty_column_is_there(shop: Shop) -> None:
    pos(shop, 3)
    shop.source("pos", SALES % "voucher")

    found = shop.ingest("pos")

    assert (found.error, found.new) == (None, 3)


def test_a_try_says_so_too(shop: Shop) -> None:
    pos(shop, 3)
    shop.source("pos", SALES % "vouchr")

    checks = {
        check.name: (check.status, check.detail) for check in try_source(shop.root, "pos", env=None, now=NOW).checks
    }

    assert checks["columns"] == ("problem", "there is no `vouchr`")
