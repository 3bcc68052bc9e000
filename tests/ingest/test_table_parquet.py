"""A folder of Parquet files as one table, without any further package."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from segctl.connectors.tables import parquet
from segctl.connectors.tables.base import TableFile, groups_of
from segctl.model.errors import DataError, TemporaryError

if TYPE_CHECKING:
    from conftest import Shop

EVENTS = (
    "kind: table\ntable: {format: parquet, path: lake/orders}\nkey: {customer_id: who}\nevents:\n"
    "  - {event: order_completed, time: at, id: n, properties: {coupon: coupon}}\n"
)
PEOPLE = "kind: table\ntable: {format: parquet, path: lake/orders}\nkey: {customer_id: who}\nprofiles: {city: coupon}\n"


def orders(*numbers: int) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "n": [f"o{n}" for n in numbers],
            "who": [f"c{n}" for n in numbers],
            "at": [datetime(2026, 11, n % 28 + 1, tzinfo=UTC) for n in numbers],
            "coupon": [f"v{n}" for n in numbers],
        }
    )


def put(shop: Shop, name: str, frame: pl.DataFrame) -> Path:
    path = shop.root / "lake" / "orders" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.write_parquet(path)
    return path


def stored(shop: Shop) -> list[str]:
    rows = shop.rows("events")
    return [] if rows.is_empty() else sorted(rows["event_id"].to_list())


def test_new_files_are_read_alone_and_changed_ones_with_all(shop: Shop) -> None:
    shop.source("orders", EVENTS)
    put(shop, "1.parquet", orders(1, 2))
    first = shop.ingest("orders")
    put(shop, "2.parquet", orders(3))
    second, unchanged = shop.ingest("orders"), shop.ingest("orders")
    put(shop, "1.parquet", orders(1))

    third = shop.ingest("orders")

    assert [r.error for r in (first, second, unchanged, third)] == [None] * 4
    assert [r.read for r in (first, second, unchanged, third)] == [2, 1, 0, 2]
    assert stored(shop) == ["o1", "o3"]


def test_folders_name_columns_and_later_files_have_more(shop: Shop) -> None:
    shop.source("orders", EVENTS.replace("coupon: coupon", "coupon: day"))
    put(shop, "day=2026-11-01/a.parquet", orders(1).drop("coupon"))
    put(shop, "day=2026-11-02/a.parquet", orders(2))

    assert shop.ingest("orders").error is None
    assert dict(shop.rows("events").select("event_id", "coupon:t").iter_rows()) == {
        "o1": date(2026, 11, 1).isoformat(),
        "o2": date(2026, 11, 2).isoformat(),
    }


def test_a_full_picture_marks_who_is_in_no_file_any_more(shop: Shop) -> None:
    shop.source("people", PEOPLE + "picture: full\n")
    put(shop, "1.parquet", orders(1))
    put(shop, "2.parquet", orders(2))
    shop.ingest("people")
    (shop.root / "lake" / "orders" / "2.parquet").unlink()

    result = shop.ingest("people")

    assert (result.error, result.gone) == (None, 1)


def test_a_file_written_over_while_it_is_read_is_noticed(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.source("orders", EVENTS)
    path = put(shop, "1.parquet", orders(1))
    reading = parquet.ParquetTable.files

    def then_touched(self: parquet.ParquetTable) -> object:
        os.utime(path, (1, 1))
        return reading(self)

    monkeypatch.setattr(parquet.ParquetTable, "files", then_touched)

    error = shop.ingest("orders").error

    assert isinstance(error, TemporaryError)
    assert error.code == "SEG663"
    assert stored(shop) == []


def test_a_damaged_file_is_named(shop: Shop) -> None:
    shop.source("orders", EVENTS)
    put(shop, "1.parquet", orders(1)).write_bytes(b"PAR1 and nothing more PAR1")

    error = shop.ingest("orders").error

    assert isinstance(error, DataError)
    assert error.code == "SEG667"


def test_a_column_that_is_nowhere_is_named(shop: Shop) -> None:
    shop.source("orders", EVENTS.replace("id: n", "id: number"))
    put(shop, "1.parquet", orders(1))

    error = shop.ingest("orders").error

    assert error is not None
    assert error.code == "SEG310"


def test_files_are_scanned_together_up_to_a_size_and_marked_ones_alone() -> None:
    sizes = [(10, None), (10, None), (15, None), (90, None), (5, None), (5, "deleted rows"), (5, None)]
    files = [TableFile(str(at), "", None, size, handle) for at, (size, handle) in enumerate(sizes)]

    found = [[file.path for file in group] for group in groups_of(files, 30)]

    assert found == [["0", "1"], ["2"], ["3"], ["4"], ["5"], ["6"]]
