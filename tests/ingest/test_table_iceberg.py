"""Iceberg tables read where they lie; written by PyIceberg with a catalog in SQLite."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from segctl.connectors.tables import open_table
from segctl.connectors.tables.base import TablePart
from segctl.model.errors import DataError, TemporaryError
from segctl.model.fetching_table import TableFetch

pytest.importorskip("pyiceberg")
pytest.importorskip("sqlalchemy")
pa = pytest.importorskip("pyarrow")

if TYPE_CHECKING:
    from conftest import Shop

EVENTS = (
    "kind: table\ntable: {format: iceberg, %s}\nkey: {customer_id: who}\nevents:\n"
    "  - {event: order_completed, time: at, id: n, properties: {value: value, coupon: coupon}}\n"
)
FOLDER = "path: lake/shop/orders"


def orders(*numbers: int) -> Any:
    return pa.table(
        {
            "n": [f"o{n}" for n in numbers],
            "who": [f"c{n % 3}" for n in numbers],
            "at": pa.array([datetime(2026, 11, n % 28 + 1, tzinfo=UTC) for n in numbers], pa.timestamp("us", "UTC")),
            "value": pa.array([Decimal("10.50")] * len(numbers), pa.decimal128(12, 2)),
            "coupon": pa.array(["ÄÖ" if n % 2 else None for n in numbers], pa.string()),
        }
    )


def catalog(root: Path) -> Any:
    from pyiceberg.catalog.sql import SqlCatalog

    (root / "lake").mkdir(exist_ok=True)
    found = SqlCatalog("lake", uri=f"sqlite:///{root}/lake/catalog.db", warehouse=f"file://{root}/lake")
    found.create_namespace_if_not_exists("shop")
    return found


@pytest.fixture
def table(shop: Shop) -> Any:
    """An empty table of orders."""
    found = catalog(shop.root)
    yield found.create_table("shop.orders", schema=orders(1).schema)
    found.close()


def stored(shop: Shop) -> list[str]:
    rows = shop.rows("events")
    return [] if rows.is_empty() else sorted(rows["event_id"].to_list())


def test_an_append_reads_only_the_added_files(shop: Shop, table: Any) -> None:
    shop.source("orders", EVENTS % FOLDER)
    table.append(orders(1, 2, 3))
    first = shop.ingest("orders")
    table.append(orders(4))
    table.append(orders(5))

    second, third = shop.ingest("orders"), shop.ingest("orders")

    assert (first.error, first.new, second.error, second.read) == (None, 3, None, 2)
    assert (third.read, third.skipped_files) == (0, 1)
    assert stored(shop) == ["o1", "o2", "o3", "o4", "o5"]


@pytest.mark.parametrize("change", ["delete", "overwrite"])
def test_a_change_of_rows_replaces_what_came_before(shop: Shop, table: Any, change: str) -> None:
    shop.source("orders", EVENTS % FOLDER)
    table.append(orders(1, 2, 3))
    shop.ingest("orders")
    if change == "delete":
        table.delete("n == 'o2'")
    else:
        table.overwrite(orders(7, 8))

    result = shop.ingest("orders")

    assert result.error is None
    assert stored(shop) == sorted(table.scan().to_arrow()["n"].to_pylist())


def test_a_catalog_finds_the_table(shop: Shop, table: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CATALOG_URI", f"sqlite:///{shop.root}/lake/catalog.db")
    shop.source("orders", EVENTS % "catalog: {type: sql, name: lake, uri: {env: CATALOG_URI}}, table: shop.orders")
    table.append(orders(1, 2))

    assert shop.ingest("orders").error is None
    assert stored(shop) == ["o1", "o2"]


def test_a_renamed_dropped_and_added_column(shop: Shop, table: Any) -> None:
    from pyiceberg.types import StringType

    shop.source("orders", (EVENTS % FOLDER).replace("coupon: coupon", "coupon: voucher"))
    table.append(orders(1))
    with table.update_schema() as change:
        change.rename_column("coupon", "voucher")
        change.add_column("note", StringType())
        change.move_first("note")
    with table.update_schema() as change:
        change.delete_column("note")

    assert shop.ingest("orders").error is None
    rows = shop.rows("events")
    assert dict(rows.select("event_id", "coupon:t").iter_rows()) == {"o1": "ÄÖ"}


def test_columns_of_partitions_are_there(shop: Shop) -> None:
    from pyiceberg.transforms import IdentityTransform

    found = catalog(shop.root)
    table = found.create_table("shop.orders", schema=orders(1).schema)
    with table.update_spec() as spec:
        spec.add_field("coupon", IdentityTransform(), "coupon_part")
    table.append(orders(1, 2, 3))
    shop.source("orders", EVENTS % FOLDER)

    assert shop.ingest("orders").error is None
    assert dict(shop.rows("events").select("event_id", "coupon:t").iter_rows()) == {"o1": "ÄÖ", "o2": None, "o3": "ÄÖ"}
    found.close()


def test_types_arrive_without_loss(shop: Shop) -> None:
    schema = pa.schema(
        [
            ("d", pa.decimal128(38, 2)),
            ("t", pa.timestamp("us", "UTC")),
            ("naive", pa.timestamp("us")),
            ("nested", pa.struct([("x", pa.int64()), ("l", pa.list_(pa.struct([("y", pa.string())])))])),
            ("big", pa.int64()),
        ]
    )
    values = {
        "d": [Decimal("12345678901234567890123456.78"), None],
        "t": [datetime(2026, 10, 25, 1, 30, 0, 123456, tzinfo=UTC), None],
        "naive": [datetime(2026, 10, 25, 2, 30, 0, 1), None],  # noqa: DTZ001 - a local time without a zone
        "nested": [{"x": 1, "l": [{"y": "ü"}, {"y": None}]}, None],
        "big": [2**63 - 1, None],
    }
    found = catalog(shop.root)
    made = found.create_table("shop.types", schema=schema)
    made.append(pa.table(values, schema=schema))
    table = open_table(TableFetch("iceberg", "lake/shop/types"), shop.root, "t")

    frame = pl.concat([batch.frame for batch in TablePart(table, table.files()).batches()])

    assert {name: frame[name].to_list() for name in values} == values
    assert frame.schema["d"] == pl.Decimal(38, 2)
    assert frame.schema["t"] == pl.Datetime("us", "UTC")
    assert frame.schema["naive"] == pl.Datetime("us")
    found.close()


def test_an_older_snapshot_is_read_and_replaces_a_newer_one(shop: Shop, table: Any) -> None:
    table.append(orders(1))
    old = table.current_snapshot().snapshot_id
    table.append(orders(2))
    shop.source("orders", EVENTS % FOLDER)
    shop.ingest("orders")
    shop.source("orders", EVENTS % f"{FOLDER}, snapshot: {old}")

    assert shop.ingest("orders").error is None
    assert stored(shop) == ["o1"]


def test_a_snapshot_that_is_not_listed(shop: Shop, table: Any) -> None:
    table.append(orders(1))
    shop.source("orders", EVENTS % f"{FOLDER}, snapshot: 12345")

    error = shop.ingest("orders").error

    assert isinstance(error, DataError)
    assert error.code == "SEG662"


def test_an_expired_file_leaves_nothing_half_taken(shop: Shop, table: Any) -> None:
    table.append(orders(1))
    table.append(orders(2))
    next((shop.root / "lake" / "shop" / "orders" / "data").glob("*.parquet")).unlink()
    shop.source("orders", EVENTS % FOLDER)

    error = shop.ingest("orders").error

    assert isinstance(error, TemporaryError)
    assert error.code == "SEG663"
    assert stored(shop) == []


def test_a_table_without_a_snapshot_is_empty(shop: Shop, table: Any) -> None:
    shop.source("orders", EVENTS % FOLDER)
    empty = shop.ingest("orders")
    table.append(orders(1))

    later = shop.ingest("orders")

    assert (empty.error, empty.read, later.error, later.new) == (None, 0, None, 1)


@pytest.mark.parametrize(
    ("place", "code"),
    [
        ("path: lake/shop/nowhere", "SEG661"),
        ("catalog: {type: sql, uri: 'sqlite:///lake/none.db'}, table: shop.orders", "SEG666"),
    ],
)
def test_no_table_there(shop: Shop, place: str, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop.root)
    (shop.root / "lake").mkdir()
    shop.source("orders", EVENTS % place)

    assert shop.ingest("orders").error.code == code


def test_equality_deletes_are_refused(shop: Shop, table: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from pyiceberg.manifest import DataFile, DataFileContent

    table.append(orders(1, 2))
    shop.source("orders", EVENTS % FOLDER)
    # No Python writer makes them: the data file is declared as one when it is listed.
    monkeypatch.setattr(DataFile, "content", property(lambda self: DataFileContent.EQUALITY_DELETES))

    error = shop.ingest("orders").error

    assert isinstance(error, DataError)
    assert error.code == "SEG664"


def test_without_the_package_the_extra_is_named(shop: Shop, table: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.source("orders", EVENTS % FOLDER)
    table.append(orders(1))
    monkeypatch.setitem(__import__("sys").modules, "pyiceberg.io.pyarrow", None)

    assert shop.ingest("orders").error.code == "SEG660"


def test_rows_deleted_by_position_are_left_out(shop: Shop, table: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow.parquet as pq
    from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
    from pyiceberg.table import DataScan, FileScanTask

    table.append(orders(1, 2, 3, 4))
    shop.source("orders", EVENTS % FOLDER)
    shop.ingest("orders")
    plan = DataScan.plan_files

    def with_deletes(scan: DataScan) -> list[FileScanTask]:
        """What another writer's merge-on-read leaves: a file of paths and positions beside the data."""
        (task,) = plan(scan)
        path = shop.root / "lake" / "deletes.parquet"
        fields = [
            pa.field("file_path", pa.string(), metadata={"PARQUET:field_id": "2147483546"}),
            pa.field("pos", pa.int64(), metadata={"PARQUET:field_id": "2147483545"}),
        ]
        pq.write_table(pa.table([[task.file.file_path] * 2, [0, 2]], schema=pa.schema(fields)), path)
        deletes = DataFile.from_args(
            content=DataFileContent.POSITION_DELETES, file_path=f"file://{path}", file_format=FileFormat.PARQUET,
            record_count=2, file_size_in_bytes=path.stat().st_size, partition=task.file.partition,
        )  # fmt: skip
        return [FileScanTask(task.file, delete_files={deletes})]

    table.append(orders(9))
    table.delete("n == 'o9'")
    monkeypatch.setattr(DataScan, "plan_files", with_deletes)

    result = shop.ingest("orders")

    assert result.error is None
    assert stored(shop) == ["o2", "o4"]
