"""What is read again: changed declarations, `--full`, mended and incomplete files."""

from __future__ import annotations

import gzip
import random
from datetime import UTC, datetime

import polars as pl
import pytest

from segctl.model.exits import ExitCode
from segctl.operations.apply import apply
from segctl.operations.ingest.result import IngestResult, SourceResult
from segctl.operations.session import open_session
from segctl.state.compaction import compact

ORDERS = """
path: "orders*.csv*"
key: {customer_id: kunde, device_id: cookie}
max_bad_rows: 100 %
events:
  - event: order_completed
    time: zeit
    properties: {value: wert, order_id: nr}
"""
WITH_ID = ORDERS + "    id: nr\n"
CRM = """
path: crm.csv
key: {customer_id: kunde, device_id: cookie}
max_bad_rows: 50 %
profiles: {city: ort}
"""
EMPTY = pl.DataFrame(schema={"who": pl.String, "order_id:t": pl.String, "value:n2": pl.Int64})
NOW = datetime(2026, 12, 1, tzinfo=UTC)
HEADER = "kunde,cookie,zeit,wert,nr\n"


def order(number: int, value: str = "1", customer: str = "7") -> str:
    return f"{customer},d{customer},2026-01-{number % 28 + 1:02},{value},o{number}\n"


def stored(shop) -> list[tuple[object, ...]]:
    frame = pl.concat([EMPTY, shop.rows("events").lazy().collect()], how="diagonal")
    return sorted(frame.select(EMPTY.columns).rows(), key=str)


def exit_of(result: SourceResult) -> int:
    return int(IngestResult((result,)).exit)


# Quarantine


def test_a_mended_file_takes_its_old_bad_rows_out_of_quarantine(shop) -> None:
    shop.source("orders", WITH_ID)
    shop.file("orders.csv", HEADER + order(1) + order(2, "x"))
    shop.ingest("orders")
    shop.file("orders.csv", HEADER + order(1) + order(2, "2"))

    shop.ingest("orders")

    assert shop.rows("quarantine/orders").is_empty()
    assert len(stored(shop)) == 2


def test_quarantine_keeps_the_rows_of_files_that_were_not_read_again(shop) -> None:
    shop.source("orders", WITH_ID)
    shop.file("orders_a.csv", HEADER + order(1, "bad a"))
    shop.file("orders_b.csv", HEADER + order(2, "bad b"))
    shop.ingest("orders")
    shop.file("orders_b.csv", HEADER + order(2, "2") + order(3, "still bad"))

    shop.ingest("orders")

    rows = shop.rows("quarantine/orders").sort("file")
    assert rows.select("file", "line").rows() == [("orders_a.csv", 2), ("orders_b.csv", 3)]


def test_a_file_refused_as_a_whole_leaves_quarantine_when_it_is_mended(shop) -> None:
    shop.source("orders", WITH_ID.replace("100 %", "0"))
    shop.file("orders.csv", HEADER + order(1, "x"))
    assert shop.ingest("orders").error is not None
    shop.file("orders.csv", HEADER + order(1, "y"))
    assert shop.ingest("orders").error is not None
    assert shop.rows("quarantine/orders").height == 1
    shop.file("orders.csv", HEADER + order(1))

    shop.ingest("orders")

    assert shop.rows("quarantine/orders").is_empty()


# Incomplete files


def test_an_incomplete_file_stays_a_finding_until_a_whole_one_comes(shop) -> None:
    shop.source("orders", WITH_ID)
    whole = (HEADER + "".join(order(n) for n in range(3000))).encode()
    shop.file("orders.csv.gz", gzip.compress(whole)[:-8])

    first, again = shop.ingest("orders"), shop.ingest("orders")
    shop.file("orders.csv.gz", gzip.compress(whole))
    mended, calm = shop.ingest("orders"), shop.ingest("orders")

    assert [exit_of(found) for found in (first, again, mended, calm)] == [ExitCode.DATA, ExitCode.DATA, 0, 0]
    assert again.state == "unchanged"
    assert again.broken == first.broken
    assert shop.rows("quarantine/orders").is_empty()
    assert len(stored(shop)) == 3000


def test_the_finding_stays_when_another_file_is_new(shop) -> None:
    shop.source("orders", WITH_ID)
    shop.file("orders_a.csv.gz", gzip.compress((HEADER + order(1) + order(2)).encode())[:-8])
    shop.ingest("orders")
    shop.file("orders_b.csv", HEADER + order(3))

    found = shop.ingest("orders")

    assert found.files == 1
    assert exit_of(found) == ExitCode.DATA


# Changed declarations


@pytest.mark.parametrize("body", [ORDERS, WITH_ID], ids=["by content", "by id"])
@pytest.mark.parametrize("is_compacted", [False, True])
def test_a_changed_declaration_takes_effect_without_conflicts_or_doubles(shop, body: str, is_compacted: bool) -> None:
    shop.source("orders", body.replace("value: wert, ", ""))
    shop.file("orders_a.csv", HEADER + order(1) + order(2))
    shop.file("orders_b.csv", HEADER + order(3) + order(1, "9"))
    shop.ingest("orders")
    if is_compacted:
        with shop.workspace() as workspace:
            compact(workspace)
    shop.source("orders", body)

    found, after = shop.ingest("orders"), shop.ingest("orders")

    assert (found.read_again, after.state) == (3, "unchanged")
    firsts = [("7", "o1", 100), ("7", "o2", 100), ("7", "o3", 100)]
    # A second order 1 with another value is a conflict in the files themselves, where ids say it is the same.
    assert stored(shop) == (firsts if body == WITH_ID else sorted([*firsts, ("7", "o1", 900)], key=str))
    assert found.conflicts == (1 if body == WITH_ID else 0)


def test_a_whole_file_stands_for_the_incomplete_one_before_it(shop) -> None:
    shop.source("orders", ORDERS.replace("value: wert, ", ""))
    whole = (HEADER + "".join(order(n) for n in range(300))).encode()
    shop.file("orders.csv.gz", gzip.compress(whole)[:-9])
    first = shop.ingest("orders")
    shop.file("orders.csv.gz", gzip.compress(whole))
    shop.ingest("orders")
    shop.source("orders", ORDERS)

    found = shop.ingest("orders")

    assert first.broken
    assert first.new > 250
    assert (found.error, found.new) == (None, 300)
    assert {value for _, _, value in stored(shop)} == {100}
    assert len(stored(shop)) == 300


def test_a_wider_path_or_limit_is_no_other_meaning(shop) -> None:
    shop.source("orders", WITH_ID.replace("orders*.csv*", "orders_a.csv"))
    shop.file("orders_a.csv", HEADER + order(1))
    shop.file("orders_b.csv", HEADER + order(2))
    shop.ingest("orders")
    shop.source("orders", WITH_ID.replace("100 %", "5"))

    found = shop.ingest("orders")

    assert (found.files, found.skipped_files, found.read_again, found.notes) == (1, 1, 0, [])


def test_events_of_files_that_are_gone_stay_when_ids_tell_them_apart(shop) -> None:
    shop.source("orders", WITH_ID.replace("value: wert, ", ""))
    shop.file("orders_a.csv", HEADER + order(1) + order(2))
    shop.ingest("orders")
    shop.file("orders_a.csv", HEADER + order(2) + order(3))
    shop.ingest("orders")
    shop.source("orders", WITH_ID)

    found = shop.ingest("orders")
    shop.file("orders_b.csv", HEADER + order(1, "5") + order(2, "5"))
    later = shop.ingest("orders")

    assert stored(shop) == [("7", "o1", None), ("7", "o2", 100), ("7", "o3", 100)]
    assert any("cannot be read again" in note for note in found.notes)
    # What order 1 held then is not comparable, so it is known; order 2 was read and differs.
    assert (later.new, later.duplicates, later.conflicts) == (0, 1, 1)


def test_events_without_ids_stay_as_read_when_a_file_is_gone_and_the_way_out_works(shop) -> None:
    shop.source("orders", ORDERS.replace("value: wert, ", ""))
    shop.file("orders.csv", HEADER + order(1))
    shop.ingest("orders")
    shop.file("orders.csv", HEADER + order(1) + order(2))
    shop.ingest("orders")
    shop.source("orders", ORDERS)

    said = shop.ingest("orders")
    refused = shop.ingest("orders", full=True)
    kept = stored(shop)
    meant = shop.ingest("orders", full=True, accepts_empty=True)
    again = shop.ingest("orders", full=True)

    assert said.state == "unchanged"
    assert "segctl ingest orders --full --yes" in said.notes[0]
    assert refused.error is not None
    assert (refused.error.code, refused.error.exit_code) == ("SEG356", ExitCode.REFUSED)
    assert kept == [("7", "o1", None), ("7", "o2", None)]
    assert stored(shop) == [("7", "o1", 100), ("7", "o2", 100)]
    assert (meant.read_again, again.error, again.read_again) == (2, None, 2)


def test_full_leaves_other_sources_alone_and_is_whole_or_not_at_all(shop) -> None:
    shop.source("orders", WITH_ID)
    shop.source("others", WITH_ID.replace("orders*", "others*"))
    shop.file("orders.csv", HEADER + order(1))
    shop.file("others.csv", HEADER + order(1, "3") + order(5))
    shop.ingest("orders")
    shop.ingest("others")
    with shop.workspace() as workspace:
        compact(workspace)
    shop.file("orders.csv", HEADER + order(1, "8"))

    tried = shop.ingest("orders", full=True, dry_run=True)
    before = stored(shop)
    shop.ingest("orders", full=True)

    assert tried.error is None
    assert before == [("7", "o1", 100), ("7", "o1", 300), ("7", "o5", 100)]
    assert stored(shop) == [("7", "o1", 300), ("7", "o1", 800), ("7", "o5", 100)]
    with shop.workspace() as workspace:
        kinds = [(file.meta["kinds"], file.meta["sources"]) for file in workspace.files("events")]
    assert sorted(kinds, key=str) == [
        ({"order_completed": 1}, {"orders": 1}),
        ({"order_completed": 2}, {"others": 2}),
    ]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("body", [ORDERS, WITH_ID], ids=["by content", "by id"])
def test_full_is_as_if_the_files_were_read_for_the_first_time(shop, tmp_path_factory, body: str, seed: int) -> None:
    chance = random.Random(seed)
    files = {
        f"orders_{letter}.csv": HEADER
        + "".join(order(chance.randrange(8), chance.choice("123"), chance.choice("78")) for _ in range(30))
        for letter in "abc"
    }
    shop.source("orders", body)
    for name, text in files.items():
        shop.file(name, text)
        shop.ingest("orders", batch_rows=chance.choice([7, None]))
    before = stored(shop)
    if chance.random() < 0.5:
        with shop.workspace() as workspace:
            compact(workspace)

    again = shop.ingest("orders", full=True)
    calm = shop.ingest("orders")

    assert stored(shop) == before
    assert (again.new, again.read_again, calm.state) == (len(before), len(before), "unchanged")
    for name, text in files.items():
        shop.file(name.replace("orders_", "orders_copy_"), text + " \n")
    assert shop.ingest("orders").new == 0


# Identifiers


def crm(shop, *, first: str) -> None:
    second = {"customer_id": "device_id", "device_id": "customer_id"}[first]
    project = shop.root / "segctl.yaml"
    lines = {"customer_id": "  customer_id: {class: known}\n", "device_id": "  device_id: {class: anonymous}\n"}
    text = project.read_text()
    for line in lines.values():
        text = text.replace(line, "")
    project.write_text(text.replace("identifiers:\n", "identifiers:\n" + lines[first] + lines[second]))


@pytest.mark.parametrize("picture", ["log", "full"])
def test_another_order_of_identifiers_moves_nobody_unasked(shop, picture: str) -> None:
    shop.source("crm", f"{CRM}picture: {picture}\n")
    shop.file("crm.csv", "kunde,cookie,ort\n7,d7,Ulm\n8,d8,Bonn\n")
    shop.ingest("crm")
    crm(shop, first="device_id")

    refused = shop.ingest("crm")
    kept = shop.rows("records/crm")
    moved = shop.ingest("crm", full=True)

    assert refused.error is not None
    assert (refused.error.code, refused.error.exit_code) == ("SEG357", ExitCode.REFUSED)
    assert sorted(kept["who"]) == ["7", "8"]
    assert moved.error is None
    assert sorted(shop.rows("records/crm").select("who", "city:t", "gone").rows()) == [
        ("d7", "Ulm", False),
        ("d8", "Bonn", False),
    ]
    assert shop.ingest("crm").state == "unchanged"


def test_a_further_identifier_of_less_weight_is_no_move(shop) -> None:
    shop.source("crm", CRM.replace(", device_id: cookie", ""))
    shop.file("crm.csv", "kunde,cookie,ort\n7,d7,Ulm\n,d8,Bonn\n")
    shop.ingest("crm")
    shop.source("crm", CRM)

    found = shop.ingest("crm")

    assert found.error is None
    assert sorted(shop.rows("records/crm")["who"]) == ["7", "d8"]


def test_full_does_not_drop_people_of_an_earlier_file_unasked(shop) -> None:
    shop.source("crm", CRM)
    shop.file("crm.csv", "kunde,cookie,ort\n7,,Ulm\n")
    shop.ingest("crm")
    shop.file("crm.csv", "kunde,cookie,ort\n8,,Bonn\n")
    shop.ingest("crm")

    refused = shop.ingest("crm", full=True)
    kept = sorted(shop.rows("records/crm")["who"])
    shop.ingest("crm", full=True, accepts_empty=True)

    assert refused.error is not None
    assert refused.error.code == "SEG356"
    assert kept == ["7", "8"]
    assert shop.rows("records/crm")["who"].to_list() == ["8"]


def test_another_class_of_an_identifier_takes_effect_at_the_next_apply(shop) -> None:
    shop.source("crm", CRM)
    shop.file("crm.csv", "kunde,cookie,ort\n7,,Ulm\n,d8,Bonn\n")
    (shop.root / "segments").mkdir()
    (shop.root / "segments" / "everybody.yaml").write_text(
        "segment: everybody\nwhere: {trait: city, in: [Ulm, Bonn]}\n"
    )
    shop.ingest("crm")
    project = shop.root / "segctl.yaml"
    sizes = []

    for device in ("anonymous", "known"):
        text = project.read_text()
        project.write_text(text.replace("device_id: {class: anonymous}", f"device_id: {{class: {device}}}"))
        with open_session(shop.root) as session:
            applied = apply(session, as_of=NOW, started=NOW, dry_run=True)
        sizes.append([one.members for one in applied.segments])

    assert sizes == [[1], [2]]


@pytest.mark.parametrize("length", [1024, 1025, 100_000])
def test_an_identifier_of_a_page_is_none(shop, length: int) -> None:
    shop.source("crm", CRM.replace("50 %", "100 %"))
    shop.source("orders", WITH_ID)
    long = "ä" * length
    shop.file("crm.csv", f"kunde,cookie,ort\n{long},d7,Ulm\n8,{long},Bonn\n")
    shop.file("orders.csv", HEADER + f"{long},,2026-01-01,1,o1\n")

    crm, orders = shop.ingest("crm"), shop.ingest("orders")

    is_bad = length > 1024
    assert (crm.bad, orders.bad) == ((2, 1) if is_bad else (0, 0))
    subjects = shop.rows("subjects")
    assert subjects.is_empty() == is_bad
    if is_bad:
        reasons = shop.rows("quarantine/crm")["reasons"].to_list()
        assert [[reason["reason"] for reason in row] for row in reasons] == [["it is too long"]] * 2
        assert all(len(row[0]["value"]) <= 200 for row in reasons)
