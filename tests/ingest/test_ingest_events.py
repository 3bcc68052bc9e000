"""Events: identity, accounting, children, corrections."""

from __future__ import annotations

import json
import random

import polars as pl
import pytest

ORDERS = """
path: orders.csv
key: {customer_id: kunde, device_id: cookie}
max_bad_rows: 100 %
events:
  - event: order_completed
    time: zeit
    properties: {value: wert, order_id: nr}
"""
HEADER = "kunde,cookie,zeit,wert,nr\n"


def with_id(body: str = ORDERS) -> str:
    return body + "    id: nr\n"


def test_a_row_becomes_an_event_with_its_lineage(shop) -> None:
    shop.source("orders", with_id())
    shop.file("orders.csv", HEADER + "01067,c1,2026-01-01 10:00:00,12.50,A1\n")

    found = shop.ingest("orders")

    events = shop.rows("events")
    assert (found.read, found.new, found.bad) == (1, 1, 0)
    row = events.row(0, named=True)
    assert (row["who"], row["event_id"], row["kind"], row["value:n2"]) == ("01067", "A1", "order_completed", 1250)
    assert (row["line"], row["file_id"], row["source"]) == (2, 1, "orders")
    assert row["ts"].isoformat() == "2026-01-01T09:00:00+00:00"  # 10:00 in Berlin


def test_the_first_key_that_is_there_says_who(shop) -> None:
    shop.source("orders", ORDERS)
    shop.file("orders.csv", HEADER + ",c1,2026-01-01,1,a\n7,c1,2026-01-01,1,b\n , ,2026-01-01,1,c\n")

    found = shop.ingest("orders")

    subjects = shop.rows("subjects")
    assert sorted(zip(subjects["id_type"], subjects["value"], strict=True)) == [
        ("customer_id", "7"),
        ("device_id", "c1"),
    ]
    assert (found.new, found.unclaimed) == (2, 1)


def test_an_unchanged_file_is_skipped(shop) -> None:
    shop.source("orders", ORDERS)
    shop.file("orders.csv", HEADER + "7,,2026-01-01,1,a\n")
    shop.ingest("orders")

    again = shop.ingest("orders")

    assert (again.files, again.skipped_files, again.state) == (0, 1, "unchanged")


def test_a_changed_declaration_reads_the_file_again(shop) -> None:
    body = with_id("missing_values: []\n" + ORDERS)
    shop.source("orders", body)
    shop.file("orders.csv", HEADER + "7,,2026-01-01,1,a\n7,,2026-01-01,n/a,b\n")
    first = shop.ingest("orders")
    shop.source("orders", body.replace("[]", "[n/a]"))

    second, third = shop.ingest("orders"), shop.ingest("orders")

    assert (first.new, first.bad) == (1, 1)
    assert (second.new, second.read_again, second.bad) == (2, 1, 0)
    assert shop.rows("events").height == 2
    assert shop.rows("quarantine/orders").is_empty()
    assert third.state == "unchanged"


def test_equal_lines_of_one_file_are_two_events_and_the_same_lines_again_add_nothing(shop) -> None:
    shop.source("orders", ORDERS)
    shop.file("orders.csv", HEADER + "7,,2026-01-01,1,a\n7,,2026-01-01,1,a\n")
    first = shop.ingest("orders")
    shop.file("orders.csv", HEADER + "7,,2026-01-01,1,a\n7,,2026-01-01,1,a\n7,,2026-01-01,1,a\n8,,2026-01-01,1,b\n")

    second = shop.ingest("orders", batch_rows=2)

    assert (first.new, second.new, second.duplicates) == (2, 2, 2)
    assert shop.rows("events")["event_id"].n_unique() == 4


def test_the_occurrence_is_counted_across_batches(shop) -> None:
    shop.source("orders", ORDERS)
    shop.file("orders.csv", HEADER + "7,,2026-01-01,1,a\n" * 7)

    found = shop.ingest("orders", batch_rows=2)

    assert found.new == 7
    assert shop.rows("events")["event_id"].n_unique() == 7


def test_a_known_id_with_other_content_is_a_conflict_and_the_first_stays(shop) -> None:
    shop.source("orders", with_id())
    shop.file("orders.csv", HEADER + "7,,2026-01-01,1,a\n7,,2026-01-01,2,a\n7,,2026-01-01,1,a\n")
    first = shop.ingest("orders")
    shop.file("orders.csv", HEADER + "7,,2026-01-01,3,a\n7,,2026-01-01,1.00,a\n")

    second = shop.ingest("orders")

    assert (first.new, first.conflicts, first.duplicates) == (1, 1, 1)
    assert (second.new, second.conflicts, second.duplicates) == (0, 1, 1)
    assert shop.rows("events")["value:n2"].to_list() == [100]


@pytest.mark.parametrize("batch_rows", [1, 2, 10])
def test_a_correction_replaces_the_event(shop, batch_rows: int) -> None:
    shop.source("orders", "corrections: replace\n" + with_id())
    shop.file("orders.csv", HEADER + "7,,2026-01-01,1,a\n7,,2026-01-01,5,b\n7,,2026-01-01,2,a\n")
    shop.ingest("orders", batch_rows=batch_rows)
    before = dict(shop.rows("events").select("event_id", "value:n2").iter_rows())
    shop.file("orders.csv", HEADER + "7,,2026-01-01,4,b\n7,,2026-01-01,2,a\n")

    found = shop.ingest("orders", batch_rows=batch_rows)

    assert before == {"a": 200, "b": 500}
    assert sorted(shop.rows("events").select("event_id", "value:n2").iter_rows()) == [("a", 200), ("b", 400)]
    assert (found.replaced, found.duplicates) == (1, 1)


def test_rows_with_an_id_and_rows_without_one_live_together(shop) -> None:
    shop.source("orders", with_id())
    shop.file("orders.csv", HEADER + "7,,2026-01-01,1,\n7,,2026-01-01,1,\n7,,2026-01-01,1,x\n")

    found = shop.ingest("orders")

    assert found.new == 3
    assert shop.rows("events")["event_id"].n_unique() == 3


def test_a_bad_row_goes_to_quarantine_with_all_its_reasons(shop) -> None:
    shop.source("orders", ORDERS)
    shop.file("orders.csv", HEADER + "7,,2026-01-01,1,a\n7,,gestern,1.234,b\n7,,,1,c\n")

    found = shop.ingest("orders")

    rows = shop.rows("quarantine/orders").sort("line")
    assert (found.new, found.bad) == (1, 2)
    assert rows["line"].to_list() == [3, 4]
    assert [[r["column"] for r in reasons] for reasons in rows["reasons"]] == [["zeit", "wert"], ["zeit"]]
    assert json.loads(rows["raw"][0])["wert"] == "1.234"
    assert rows["reasons"][0][1]["value"] == "1.234"


def test_above_the_limit_nothing_is_taken_but_the_quarantine_is_kept(shop) -> None:
    shop.source("orders", ORDERS.replace("100 %", "1"))
    shop.file("orders.csv", HEADER + "7,,2026-01-01,1,a\n7,,x,1,b\n7,,y,1,c\n")

    found = shop.ingest("orders")

    assert found.error is not None
    assert (found.error.code, int(found.error.exit_code)) == ("SEG312", 3)
    assert shop.rows("events").is_empty()
    assert shop.rows("quarantine/orders").height == 2
    again = shop.ingest("orders")
    assert again.error is not None
    assert shop.rows("quarantine/orders").height == 2


def test_a_mended_file_is_taken_whole(shop) -> None:
    shop.source("orders", ORDERS.replace("100 %", "0"))
    shop.file("orders.csv", HEADER + "7,,2026-01-01,1,a\n7,,x,1,b\n")
    shop.ingest("orders")
    shop.file("orders.csv", HEADER + "7,,2026-01-01,1,a\n7,,2026-01-02,1,b\n")

    assert shop.ingest("orders").new == 2


def test_a_missing_column_stops_the_source_with_the_nearest_name(shop) -> None:
    shop.source("orders", ORDERS.replace("wert,", "wart,"))
    shop.file("orders.csv", HEADER + "7,,2026-01-01,1,a\n")

    found = shop.ingest("orders")

    assert found.error is not None
    assert found.error.code == "SEG310"
    assert "`wert`" in (found.error.hint or "")


def test_children_take_identity_and_time_from_their_parent(shop) -> None:
    shop.source(
        "api",
        """
path: orders.json
json: {records: data}
key: {customer_id: customer.id}
events:
  - event: order_completed
    time: at
    id: id
    properties: {order_id: id, value: total}
  - event: order_item
    each: lines
    time: at
    id: id
    properties: {order_id: parent.id, sku: sku, quantity: quantity, value: {formula: "quantity * price"}}
""",
    )
    orders = [
        {"id": 1, "customer": {"id": "00042"}, "at": "2026-01-01T10:00:00Z", "total": 4.3,
         "lines": [{"sku": "x", "quantity": 3, "price": 0.1}, {"sku": "y", "quantity": 1, "price": 4.0}]},
        {"id": 2, "customer": {"id": "7"}, "at": "2026-01-02T10:00:00Z", "total": 0, "lines": []},
    ]  # fmt: skip
    shop.file("orders.json", json.dumps({"data": orders}))

    found = shop.ingest("api")

    items = shop.rows("events").filter(pl.col("kind") == "order_item").sort("event_id")
    assert found.by_kind == {"order_completed": 2, "order_item": 2}
    assert items["event_id"].to_list() == ["1#0", "1#1"]
    assert items["value:n2"].to_list() == [30, 400]
    assert items["who"].to_list() == ["00042", "00042"]
    assert items["order_id:t"].to_list() == ["1", "1"]


def test_kinds_come_from_a_column_and_unknown_ones_are_counted(shop) -> None:
    shop.source(
        "web",
        """
path: web.csv
key: {customer_id: k}
events:
  - event: {column: e, map: {View: page_viewed, Buy: order_completed}}
    time: t
    properties: {section: s, value: v}
""",
    )
    shop.file(
        "web.csv",
        "k,e,t,s,v\n1,View,2026-01-01,home,\n1,Buy,2026-01-01,,9.99\n1,Ping,2026-01-01,,\n1,View,2026-01-01,a,oops\n",
    )

    found = shop.ingest("web")

    # `value` belongs to orders only, so `oops` on a page view hurts nobody.
    assert (found.by_kind, found.kinds_skipped, found.bad) == ({"order_completed": 1, "page_viewed": 2}, {"Ping": 1}, 0)
    assert shop.rows("events").filter(pl.col("kind") == "page_viewed")["value:n2"].null_count() == 2


def test_only_filters_rows(shop) -> None:
    shop.source("orders", "only: {nr: {starts_with: a}, wert: {at_least: 2}}\n" + ORDERS)
    shop.file("orders.csv", HEADER + "7,,2026-01-01,1,a\n7,,2026-01-01,2.00,a\n7,,2026-01-01,3,b\n")

    found = shop.ingest("orders")

    assert (found.new, found.skipped) == (1, 2)


@pytest.mark.parametrize(
    ("only", "kept"),
    [
        ("nr: {not_contains: C}", {"536365", "-"}),
        ("nr: {matches: '^C[0-9]+$'}", {"C536379"}),
        ("nr: {starts_with: C}", {"C536379", "C1x"}),
        ("nr: {not_in: [C1x]}", {"536365", "C536379", "-"}),
        ("wert: {between: [1.5, 3]}", {"C536379", "C1x"}),
        ("wert: {exists: false}", {"-"}),
    ],
)
def test_only_speaks_the_grammar_of_property_tests(shop, only: str, kept: set[str]) -> None:
    shop.source("orders", f"only: {{{only}}}\n" + ORDERS.replace("    properties", "    id: nr\n    properties"))
    shop.file(
        "orders.csv",
        HEADER + "7,,2026-01-01,1.49,536365\n7,,2026-01-01,1.5,C536379\n7,,2026-01-01,3,C1x\n7,,2026-01-01,,-\n",
    )

    shop.ingest("orders")

    assert set(shop.rows("events")["event_id"]) == kept


def test_a_dry_run_changes_nothing(shop) -> None:
    shop.source("orders", ORDERS)
    shop.file("orders.csv", HEADER + "7,,2026-01-01,1,a\n7,,x,1,a\n")

    found = shop.ingest("orders", dry_run=True)

    assert (found.new, found.bad, found.new_subjects) == (1, 1, 1)
    assert shop.rows("events").is_empty()
    assert shop.rows("subjects").is_empty()
    assert shop.rows("quarantine/orders").is_empty()
    assert not list((shop.root / ".segctl").rglob("*.parquet"))
    assert shop.ingest("orders").new == 1


@pytest.mark.parametrize("seed", range(12))
def test_every_row_is_accounted_for_and_twice_is_once(shop, seed: int) -> None:
    rng = random.Random(seed)
    lines = [
        ",".join((
            rng.choice(["", "1", "2", " 3 "]),
            rng.choice(["", "c"]),
            rng.choice(["2026-01-01", "2026-10-25 02:30:00", "nie", "", "2026-01-01T00:00:00Z"]),
            rng.choice(["1", "2.5", "x", "", "0.001"]),
            rng.choice(["a", "b", "ü😀", ""]),
        ))
        for _ in range(120)
    ]  # fmt: skip
    has_id = seed % 2 == 0
    shop.source("orders", with_id() if has_id else ORDERS)
    shop.file("orders.csv", HEADER + "\n".join(lines) + "\n")

    found = shop.ingest("orders", batch_rows=rng.choice([1, 7, 50, 1000]))

    assert found.read == 120
    assert found.new + found.bad + found.duplicates + found.conflicts + found.unclaimed == 120
    assert shop.rows("events").height == found.new
    assert shop.rows("quarantine/orders").height == found.bad
    before = shop.rows("events").select("who", "ts", "event_id", "value:n2").sort("event_id")
    shop.file("orders.csv", HEADER + "\n".join(lines) + "\n7,,2026-01-01,1,new\n")
    again = shop.ingest("orders", batch_rows=13)
    assert again.new == 1
    after = shop.rows("events").select("who", "ts", "event_id", "value:n2").sort("event_id")
    assert before.equals(after.join(before.select("event_id"), on="event_id", how="semi", maintain_order="left"))


@pytest.mark.parametrize("seed", range(4))
def test_a_file_split_in_two_gives_the_same_events_when_they_have_ids(shop, tmp_path_factory, seed: int) -> None:
    rng = random.Random(seed)
    lines = [f"{rng.randrange(9)},,2026-01-{rng.randrange(1, 28):02d},{rng.randrange(999)},{i}" for i in range(60)]
    cut = rng.randrange(60)
    shop.source("orders", with_id().replace("orders.csv", "orders*.csv"))
    shop.file("orders1.csv", HEADER + "\n".join(lines[:cut]) + "\n")
    shop.file("orders2.csv", HEADER + "\n".join(lines[cut:]) + "\n")
    shop.ingest("orders")
    split = shop.rows("events").select("who", "ts", "event_id", "value:n2").sort("event_id")
    (shop.root / "orders2.csv").unlink()
    shop.file("orders1.csv", HEADER + "\n".join(lines) + "\n")

    whole = shop.ingest("orders")

    assert (whole.new, whole.conflicts) == (0, 0)
    assert shop.rows("events").select("who", "ts", "event_id", "value:n2").sort("event_id").equals(split)


def test_the_files_say_what_is_in_them(shop) -> None:
    shop.source("orders", ORDERS)
    shop.file("orders.csv", HEADER + "7,,2026-01-01 01:00:00,-12.50,a\n7,,2026-01-03,3,b\n")
    shop.ingest("orders")

    with shop.workspace() as workspace:
        (file,) = workspace.files("events")

    assert file.meta["kinds"] == {"order_completed": 2}
    assert file.meta["sources"] == {"orders": 2}
    assert file.meta["max_abs"]["value:n2"] == 1250
    assert file.meta["min_ts"] == 1_767_225_600_000_000  # 2026-01-01T00:00:00Z
    assert file.meta["max_ts"] == 1_767_394_800_000_000  # 2026-01-02T23:00:00Z


def test_many_small_key_files_are_merged_and_still_known(shop) -> None:
    shop.source("orders", with_id())
    for day in range(1, 13):
        shop.file("orders.csv", HEADER + f"7,,2026-01-{day:02d},1,{day}\n")
        shop.ingest("orders")
    shop.file("orders.csv", HEADER + "".join(f"7,,2026-01-{day:02d},1,{day}\n" for day in range(1, 13)))

    found = shop.ingest("orders")

    assert (found.new, found.duplicates, found.conflicts) == (0, 12, 0)
    with shop.workspace() as workspace:
        assert len(workspace.files("keys/orders")) <= 8


@pytest.mark.parametrize("large_after", [0, 3, 9])
def test_newer_words_win_however_key_files_are_merged(shop, monkeypatch, large_after: int) -> None:
    monkeypatch.setattr("segctl.operations.ingest.events._SMALL_KEYS", 5)
    shop.source("orders", with_id().replace("max_bad", "corrections: replace\nmax_bad"))
    row = "7,,2026-01-01,{},{}\n".format

    def bring(*rows: str) -> int:
        shop.file("orders.csv", HEADER + "".join(rows))
        return shop.ingest("orders").replaced

    for number in range(large_after):
        bring(row(1, f"before {number}"))
    bring(row(1, "a"))
    many = [row(1, f"many {number}") for number in range(20)]
    assert bring(row(2, "a"), *many) == 1
    for number in range(12):
        bring(row(1, f"after {number}"))

    # Back to the oldest content: a correction as good as any other.
    assert bring(row(1, "a"), "\n") == 1
    assert shop.rows("events").filter(pl.col("event_id") == "a")["value:n2"].to_list() == [100]
