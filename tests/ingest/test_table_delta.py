"""Delta tables read where they lie; written by delta-rs, expected rows from the table itself."""

from __future__ import annotations

import base64
import json
import struct
import threading
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from segctl.connectors.files.base import RawBatch
from segctl.connectors.tables import delta, open_table
from segctl.connectors.tables.base import TablePart
from segctl.model.errors import DataError, Refused, SegctlError, TemporaryError, UsageError
from segctl.model.fetching_table import TableFetch
from segctl.model.secrets import forget
from segctl.operations.ingest.fetch import Wishes
from segctl.state.inputs import inputs

deltalake = pytest.importorskip("deltalake")

if TYPE_CHECKING:
    from conftest import Shop

EVENTS = (
    "kind: table\ntable: {format: delta, path: lake/orders%s}\nkey: {customer_id: who}\nevents:\n"
    "  - {event: order_completed, time: at, id: n, properties: {value: value, coupon: coupon}}\n"
)
WITHOUT_IDS = EVENTS.replace(" id: n,", "")
PEOPLE = "kind: table\ntable: {format: delta, path: lake/people}\nkey: {customer_id: who}\nprofiles: {city: city}\n"


def orders(*numbers: int, value: str = "10.50", **more: Any) -> pl.DataFrame:
    rows = [
        {"n": f"o{n}", "who": f"c{n % 3}", "at": datetime(2026, 11, n % 28 + 1, tzinfo=UTC), "value": Decimal(value),
         "coupon": "ÄÖ" if n % 2 else None, **more}
        for n in numbers
    ]  # fmt: skip
    return pl.DataFrame(rows, schema_overrides={"value": pl.Decimal(12, 2), "coupon": pl.String})


def write(shop: Shop, frame: pl.DataFrame, name: str = "orders", **options: Any) -> Any:
    path = shop.root / "lake" / name
    path.parent.mkdir(exist_ok=True)
    deltalake.write_deltalake(str(path), frame, **{"mode": "append"} | options)
    return deltalake.DeltaTable(str(path))


def stored(shop: Shop) -> list[str]:
    rows = shop.rows("events")
    return [] if rows.is_empty() else sorted(rows["event_id"].to_list())


def values_of(shop: Shop, name: str) -> dict[str, Any]:
    rows = shop.rows("events")
    column = next(column for column in rows.columns if column.partition(":")[0] == name)
    return dict(rows.select("event_id", column).iter_rows())


def frames_of(part: TablePart, **sizes: int) -> list[RawBatch]:
    return list(part.batches(**sizes))


def test_an_append_reads_only_the_added_file(shop: Shop) -> None:
    shop.source("orders", EVENTS % "")
    write(shop, orders(1, 2, 3))
    first = shop.ingest("orders")
    write(shop, orders(4, 5))

    second = shop.ingest("orders")

    assert (first.error, first.new, second.error, second.read, second.new) == (None, 3, None, 2, 2)
    assert stored(shop) == ["o1", "o2", "o3", "o4", "o5"]
    assert second.notes == ["version 1: 1 data file added since version 0"]


def test_several_appends_at_once_and_further_ones(shop: Shop) -> None:
    shop.source("orders", EVENTS % "")
    for n in range(1, 4):
        write(shop, orders(n))
    assert shop.ingest("orders").read == 3
    for n in range(4, 7):
        write(shop, orders(n))
    assert shop.ingest("orders").read == 3
    write(shop, orders(7))

    assert shop.ingest("orders").read == 1
    assert len(stored(shop)) == 7


def test_an_unchanged_table_is_not_even_listed(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.source("orders", EVENTS % "")
    write(shop, orders(1))
    shop.ingest("orders")
    monkeypatch.setattr(delta.DeltaTable, "files", lambda self: pytest.fail("listed"))

    again = shop.ingest("orders")

    assert (again.error, again.read, again.skipped_files, again.commit) == (None, 0, 1, None)


def test_nothing_of_the_table_is_copied(shop: Shop) -> None:
    shop.source("orders", EVENTS % "")
    write(shop, orders(1, 2))

    shop.ingest("orders")

    assert shop.rows("landed/orders").is_empty()
    assert not list((shop.root / ".segctl").rglob("*.ndjson*"))


@pytest.mark.parametrize("change", ["delete", "update", "overwrite", "merge"])
def test_a_change_of_rows_replaces_what_came_before(shop: Shop, change: str) -> None:
    shop.source("orders", EVENTS % "")
    table = write(shop, orders(1, 2, 3))
    shop.ingest("orders")
    if change == "delete":
        table.delete("n = 'o2'")
    elif change == "update":
        table.update(predicate="n = 'o2'", updates={"value": "99.99"})
    elif change == "merge":
        merger = table.merge(orders(2, 9, value="99.99"), "s.n = t.n", source_alias="s", target_alias="t")
        merger.when_matched_update_all().when_not_matched_insert_all().execute()
    else:
        write(shop, orders(8), mode="overwrite")

    result = shop.ingest("orders")

    now = pl.DataFrame(deltalake.DeltaTable(str(shop.root / "lake" / "orders")).to_pyarrow_table())
    assert result.error is None
    assert values_of(shop, "value") == dict(now.select("n", (pl.col("value") * 100).cast(pl.Int64)).iter_rows())


def test_deleted_appended_and_again_unchanged(shop: Shop) -> None:
    shop.source("orders", EVENTS % "")
    table = write(shop, orders(1, 2))
    shop.ingest("orders")
    table.delete("n = 'o2'")
    shop.ingest("orders")
    write(shop, orders(3))

    assert shop.ingest("orders").read == 1
    assert shop.ingest("orders").read == 0
    assert stored(shop) == ["o1", "o3"]


def test_a_compaction_changes_no_event(shop: Shop) -> None:
    shop.source("orders", WITHOUT_IDS % "")
    write(shop, orders(1, 2))
    write(shop, orders(2, 3))
    shop.ingest("orders")
    before = stored(shop)
    deltalake.DeltaTable(str(shop.root / "lake" / "orders")).optimize.compact()

    shop.ingest("orders")

    assert len(before) == 4, "an equal row of another file is a row of the table all the same"
    assert stored(shop) == before


def test_an_equal_row_without_an_id_counts_whenever_it_was_added(shop: Shop) -> None:
    shop.source("orders", WITHOUT_IDS % "")
    write(shop, orders(1))
    shop.ingest("orders")
    write(shop, orders(1, 2))

    shop.ingest("orders")

    assert len(stored(shop)) == 3


def test_an_emptied_table_is_refused_until_it_is_meant(shop: Shop) -> None:
    shop.source("orders", EVENTS % "")
    table = write(shop, orders(1, 2))
    shop.ingest("orders")
    table.delete()

    refused = shop.ingest("orders")
    kept = stored(shop)
    meant = shop.ingest("orders", accepts_empty=True)

    assert isinstance(refused.error, Refused)
    assert refused.error.code == "SEG665"
    assert kept == ["o1", "o2"]
    assert (meant.error, stored(shop)) == (None, [])


def test_a_column_that_came_later_is_empty_in_older_files(shop: Shop) -> None:
    shop.source("orders", EVENTS % "")
    write(shop, orders(1).drop("coupon"))
    write(shop, orders(3), schema_mode="merge")

    assert shop.ingest("orders").error is None
    assert values_of(shop, "coupon") == {"o1": None, "o3": "ÄÖ"}


def test_columns_of_partitions_come_from_the_folders(shop: Shop) -> None:
    shop.source("orders", EVENTS.replace("coupon: coupon", "coupon: shop") % "")
    names = ["Köln Süd", "a/b:c%d", None, "0815"]
    frame = orders(1, 2, 3, 4).with_columns(shop=pl.Series(names), day=pl.Series([date(2026, 11, 1)] * 4))
    write(shop, frame, partition_by=["shop", "day"])

    assert shop.ingest("orders").error is None
    assert values_of(shop, "coupon") == dict(zip(["o1", "o2", "o3", "o4"], names, strict=True))


def test_types_arrive_without_loss(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "d": [Decimal("12345678901234567890123456.78"), None],
            "t": [datetime(2026, 10, 25, 1, 30, 0, 123456, tzinfo=UTC), None],
            "naive": [datetime(2026, 10, 25, 2, 30, 0, 1), None],  # noqa: DTZ001 - a local time without a zone
            "nested": [{"x": 1, "l": [{"y": "ü"}, {"y": None}]}, None],
            "bytes": [b"\x00\xff", None],
            "big": [2**63 - 1, None],
        },
        schema_overrides={"d": pl.Decimal(38, 2)},
    )
    deltalake.write_deltalake(str(tmp_path / "t"), frame)
    table = open_table(TableFetch("delta", "t"), tmp_path, "t")

    batches = frames_of(TablePart(table, table.files()))

    assert pl.concat([batch.frame for batch in batches]).equals(frame)
    assert pl.concat([batch.frame for batch in batches]).schema == frame.schema


def test_batches_are_small_and_lines_go_on_over_files(tmp_path: Path) -> None:
    for start in (0, 40):
        deltalake.write_deltalake(str(tmp_path / "t"), pl.DataFrame({"n": range(start, start + 40)}), mode="append")
    table = open_table(TableFetch("delta", "t"), tmp_path, "t")

    batches = frames_of(TablePart(table, table.files()), batch_rows=7)

    assert max(batch.frame.height for batch in batches) <= 7
    assert pl.concat([batch.lines for batch in batches]).to_list() == list(range(1, 81))
    assert pl.concat([batch.frame for batch in batches])["n"].to_list() == list(range(80))
    assert batches[-1].bytes_done == sum(file.size for file in table.files())


def test_an_older_version_is_read_and_replaces_a_newer_one(shop: Shop) -> None:
    shop.source("orders", EVENTS % "")
    write(shop, orders(1))
    write(shop, orders(2))
    shop.ingest("orders")
    shop.source("orders", EVENTS % ", version: 0")

    assert shop.ingest("orders").error is None
    assert stored(shop) == ["o1"]


def test_a_version_that_never_was(shop: Shop) -> None:
    shop.source("orders", EVENTS % ", version: 7")
    write(shop, orders(1))

    error = shop.ingest("orders").error

    assert isinstance(error, DataError)
    assert error.code == "SEG662"


def test_a_version_whose_files_a_vacuum_took(shop: Shop) -> None:
    shop.source("orders", EVENTS % ", version: 0")
    table = write(shop, orders(1, 2))
    table.delete("n = 'o1'")
    table.vacuum(0, enforce_retention_duration=False, dry_run=False)

    error = shop.ingest("orders").error

    assert isinstance(error, DataError)
    assert error.code == "SEG662"
    assert "vacuum" in str(error.why)
    assert stored(shop) == []


def test_files_that_vanish_while_they_are_read_leave_nothing_half_taken(shop: Shop) -> None:
    shop.source("orders", EVENTS % "")
    write(shop, orders(1))
    shop.ingest("orders")
    table = write(shop, orders(2, 3))
    next(Path(uri) for uri in table.file_uris() if pl.read_parquet(uri).height == 2).unlink()

    error = shop.ingest("orders").error

    assert isinstance(error, TemporaryError)
    assert error.code == "SEG663"
    assert stored(shop) == ["o1"]


def test_a_writer_meanwhile_changes_nothing_of_what_is_read(shop: Shop) -> None:
    shop.source("orders", EVENTS % "")
    write(shop, orders(*range(50)))
    stop = threading.Event()
    failures: list[BaseException] = []
    written = [50]

    def keep_writing() -> None:
        try:
            while not stop.is_set():
                write(shop, orders(written[0]))
                written[0] += 1
        except BaseException as error:
            failures.append(error)

    writer = threading.Thread(target=keep_writing)
    writer.start()
    results = [shop.ingest("orders") for _ in range(4)]
    stop.set()
    writer.join()
    last = shop.ingest("orders")

    assert not failures
    assert [result.error for result in (*results, last)] == [None] * 5
    assert sum(result.read for result in (*results, last)) == written[0], "no row is read twice and none is missed"
    assert len(stored(shop)) == written[0]


def test_a_full_picture_marks_who_left_the_table(shop: Shop) -> None:
    shop.source("people", PEOPLE + "picture: full\n")
    people = pl.DataFrame({"who": ["c1", "c2"], "city": ["Köln", "Ulm"]})
    table = write(shop, people, "people")
    shop.ingest("people")
    table.delete("who = 'c2'")

    result = shop.ingest("people")

    assert (result.error, result.gone) == (None, 1)


def test_a_changed_row_of_a_profile_is_a_new_state(shop: Shop) -> None:
    shop.source("people", PEOPLE)
    table = write(shop, pl.DataFrame({"who": ["c1", "c2"], "city": ["Köln", "Ulm"]}), "people")
    shop.ingest("people")
    table.update(predicate="who = 'c2'", new_values={"city": "Bonn"})

    result = shop.ingest("people")
    added = write(shop, pl.DataFrame({"who": ["c3"], "city": ["Jena"]}), "people")

    assert (result.error, result.new) == (None, 1)
    assert shop.ingest("people").read == 1, added.version()
    assert sorted(shop.rows("records/people").select("who", "city:t").iter_rows()) == [
        ("c1", "Köln"), ("c2", "Bonn"), ("c2", "Ulm"), ("c3", "Jena"),
    ]  # fmt: skip


def test_a_changed_declaration_reads_all_again(shop: Shop) -> None:
    shop.source("orders", EVENTS % "")
    write(shop, orders(1, 3))
    shop.ingest("orders")
    shop.source("orders", EVENTS.replace(", coupon: coupon", "") % "")

    result = shop.ingest("orders")

    assert (result.error, result.read_again) == (None, 2)
    assert not [name for name in shop.rows("events").columns if name.startswith("coupon")]
    assert stored(shop) == ["o1", "o3"]


def test_full_reads_all_again(shop: Shop) -> None:
    shop.source("orders", EVENTS % "")
    write(shop, orders(1))
    write(shop, orders(2))
    shop.ingest("orders")

    result = shop.ingest("orders", full=True)

    assert (result.error, result.read, result.read_again) == (None, 2, 2)
    assert stored(shop) == ["o1", "o2"]


def test_another_table_at_the_same_place_replaces_the_first(shop: Shop) -> None:
    import shutil

    shop.source("orders", EVENTS % "")
    write(shop, orders(1, 2))
    shop.ingest("orders")
    shutil.rmtree(shop.root / "lake")
    write(shop, orders(5))

    result = shop.ingest("orders")

    assert result.error is None
    assert "another table" in result.notes[0]
    assert stored(shop) == ["o5"]


def test_a_dry_run_takes_nothing(shop: Shop) -> None:
    shop.source("orders", EVENTS % "")
    write(shop, orders(1, 2))

    assert shop.ingest("orders", dry_run=True).new == 2
    with shop.workspace() as workspace:
        assert inputs(workspace, "orders") == []


def test_bad_rows_are_named_by_version_and_number(shop: Shop) -> None:
    shop.source("orders", EVENTS % "" + "max_bad_rows: 5\n")
    write(shop, orders(1, 2).with_columns(at=pl.Series([None, datetime(2026, 1, 1, tzinfo=UTC)])))
    result = shop.ingest("orders")
    table = write(shop, orders(3))
    shop.ingest("orders")

    kept = shop.rows("quarantine/orders")
    assert (result.bad, kept.height) == (1, 1)
    assert kept.select("file", "line").row(0) == ("lake/orders version 0", 1)
    table.update(predicate="n = 'o1'", updates={"at": "timestamp '2026-02-02T00:00:00Z'"})
    shop.ingest("orders")
    assert shop.rows("quarantine/orders").is_empty()


@pytest.mark.parametrize("place", ["lake/nowhere", "sources"])
def test_no_table_there(shop: Shop, place: str) -> None:
    shop.source("orders", (EVENTS % "").replace("lake/orders", place))

    error = shop.ingest("orders").error

    assert isinstance(error, UsageError)
    assert error.code == "SEG661"


def test_a_damaged_log_or_file_is_named(shop: Shop) -> None:
    shop.source("orders", EVENTS % "")
    table = write(shop, orders(1))
    Path(table.file_uris()[0]).write_bytes(b"PAR1 nothing")
    assert shop.ingest("orders").error.code == "SEG667"
    log = shop.root / "lake" / "orders" / "_delta_log" / "00000000000000000000.json"
    log.write_text("{")

    assert shop.ingest("orders").error.code in ("SEG661", "SEG667")


def test_since_and_limit_mean_nothing_to_a_table(shop: Shop) -> None:
    shop.source("orders", EVENTS % "")
    write(shop, orders(1))

    assert shop.ingest("orders", wishes=Wishes(limit=1)).error.code == "SEG384"


def test_without_the_package_the_extra_is_named(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.source("orders", EVENTS % "")
    write(shop, orders(1))
    monkeypatch.setitem(__import__("sys").modules, "deltalake", None)

    error = shop.ingest("orders").error

    assert error is not None
    assert error.code == "SEG660"
    assert "segctl[lake]" in str(error.hint)


def _changed_protocol(table: Path, change: dict[str, Any], configuration: dict[str, str]) -> None:
    log = table / "_delta_log" / "00000000000000000000.json"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    for line in lines:
        if "protocol" in line:
            line["protocol"] = change
        if "metaData" in line:
            line["metaData"]["configuration"] = configuration
            schema = json.loads(line["metaData"]["schemaString"])
            for number, column in enumerate(schema["fields"], 1):
                column["metadata"] = {
                    "delta.columnMapping.id": number,
                    "delta.columnMapping.physicalName": column["name"],
                }
            line["metaData"]["schemaString"] = json.dumps(schema)
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.mark.parametrize(
    ("protocol", "configuration"),
    [
        ({"minReaderVersion": 2, "minWriterVersion": 5}, {"delta.columnMapping.mode": "name"}),
        ({"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": ["columnMapping"],
          "writerFeatures": ["columnMapping"]}, {"delta.columnMapping.mode": "name"}),
        ({"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": ["fromTheFuture"],
          "writerFeatures": ["fromTheFuture"]}, {}),
    ],
)  # fmt: skip
def test_a_feature_that_would_give_wrong_rows_is_refused(
    shop: Shop, protocol: dict[str, Any], configuration: dict[str, str]
) -> None:
    shop.source("orders", EVENTS % "")
    write(shop, orders(1))
    _changed_protocol(shop.root / "lake" / "orders", protocol, configuration)

    error = shop.ingest("orders").error

    assert isinstance(error, SegctlError)
    assert error.code == "SEG664"


def _z85(data: bytes) -> str:
    ascii85 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
    z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
    return base64.b85encode(data + bytes(-len(data) % 4)).decode().translate(str.maketrans(ascii85, z85))


def _deleting(table: Path, rows: list[int]) -> None:
    """Marks rows of the only file as deleted, as the protocol's section on deletion vectors says."""
    pyroaring = pytest.importorskip("pyroaring")
    bitmap = struct.pack("<iqi", 1681511377, 1, 0) + pyroaring.BitMap(rows).serialize()
    vector = {"storageType": "i", "pathOrInlineDv": _z85(bitmap), "sizeInBytes": len(bitmap), "cardinality": len(rows)}
    logs = sorted((table / "_delta_log").glob("*.json"))
    adds = [json.loads(line)["add"] for log in logs for line in log.read_text().splitlines() if '"add"' in line]
    add = adds[-1]
    removed = {"path": add["path"], "deletionTimestamp": 1, "dataChange": True,
               "deletionVector": add.get("deletionVector")}  # fmt: skip
    lines = [{"remove": removed}, {"add": {**add, "deletionVector": vector}}]
    if len(logs) == 1:
        features = ["deletionVectors"]
        lines.insert(0, {"protocol": {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": features,
                                      "writerFeatures": features}})  # fmt: skip
    path = table / "_delta_log" / f"{len(logs):020}.json"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_rows_marked_as_deleted_inside_a_file_are_left_out(shop: Shop) -> None:
    shop.source("orders", EVENTS % "")
    write(shop, orders(*range(1, 11)))
    shop.ingest("orders")
    _deleting(shop.root / "lake" / "orders", [0, 4])
    first = shop.ingest("orders", batch_rows=3)
    after = stored(shop)
    _deleting(shop.root / "lake" / "orders", [0, 4, 9])

    second = shop.ingest("orders")

    assert (first.error, second.error) == (None, None)
    assert after == sorted(f"o{n}" for n in (2, 3, 4, 6, 7, 8, 9, 10))
    assert stored(shop) == sorted(f"o{n}" for n in (2, 3, 4, 6, 7, 8, 9))


def test_doctor_shows_version_rows_and_columns(shop: Shop) -> None:
    from segctl.operations.doctor.online import try_source

    shop.source("orders", EVENTS % "")
    write(shop, orders(1, 2))
    write(shop, orders(3, 5, 7))

    found = try_source(shop.root, "orders", env=None, now=datetime(2026, 11, 21, tzinfo=UTC))

    said = {check.name: check.detail for check in found.checks}
    assert said["version"] == "1, the newest"
    assert said["rows"] == "5 in 2 data files"
    assert "value Decimal" in said["shape"]
    assert [record["n"] for record in found.records] == ["o1", "o2", "o3"]


def test_secrets_of_the_storage_do_not_show(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    from segctl.operations.doctor.online import try_source

    def refuses(place: str, version: int | None, storage_options: dict[str, str]) -> None:
        raise OSError(f"\x1b[31mrefused\x1b[0m {storage_options['AWS_SECRET_ACCESS_KEY']} at {place}")

    monkeypatch.setenv("LAKE_SECRET", "planted-secret-value")
    monkeypatch.setattr(deltalake, "DeltaTable", refuses)
    options = ", options: {AWS_SECRET_ACCESS_KEY: {env: LAKE_SECRET}}"
    shop.source("orders", (EVENTS % options).replace("lake/orders", "s3://lake/orders"))

    error = shop.ingest("orders").error
    shown = try_source(shop.root, "orders", env=None, now=datetime(2026, 11, 21, tzinfo=UTC))
    forget()

    assert error is not None
    assert (error.code, error.why) == ("SEG666", "refused *** at s3://lake/orders")
    assert "planted" not in repr((error, error.why, error.hint, shown))
