"""Rows leave the quarantine once: mended, or as they stood under another contract, and nothing counts twice."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from conftest import NOW, Shop

from segctl.compile.project import load_project
from segctl.compile.sources import load_sources
from segctl.model.errors import UsageError
from segctl.operations.quarantine.discard import Discarded, discard
from segctl.operations.quarantine.export import BOM, csv_text, export_frame, export_records, is_same, read_mended
from segctl.operations.quarantine.replay import Replayed, replay
from segctl.operations.quarantine.rows import EVERYTHING, Filter, files_of, parse_lines, rows_of
from segctl.state.inputs import inputs

ORDERS = """
path: orders.csv
key: {customer_id: id}
events:
  - event: order_completed
    time: at
    properties: {value: amount}
max_bad_rows: 90 %
"""
STRICT = ORDERS + "contract: {properties: {land: {enum: [DE]}, amount: {type: number, maximum: 100}}}\n"
ROWS = (
    "id;at;amount;plz;land\n"
    "1;2026-01-02 10:00;5,50;01067;DE\n"
    "1;2026-01-02 10:00;5,50;01067;XX\n"
    "2;2026-01-03 10:00;999,00;01067;DE\n"
    "3;quatsch;7,00;01067;XX\n"
)


def again(shop: Shop, name: str, mended: dict[str, str] | None = None, **options: Any) -> Replayed:
    project, _ = load_project(shop.root)
    sources, findings = load_sources(project)
    assert not findings
    shop.calls += 1
    with shop.workspace() as workspace:
        now = NOW + timedelta(hours=shop.calls)
        return replay(project, workspace, sources[name], now=now, mended=mended, **options)


def exported(shop: Shop, name: str, changes: dict[str, str], file: str = "bad.csv") -> Path:
    """The export, with texts replaced as in an editor."""
    with shop.workspace() as workspace:
        text = csv_text(export_frame(rows_of(files_of(workspace, name, (name,)))), separator=";")
    for old, new in changes.items():
        text = text.replace(old, new)
    path = shop.root / file
    path.write_text(text, encoding="utf-8")
    return path


def mended(shop: Shop, name: str, path: Path) -> dict[str, str]:
    with shop.workspace() as workspace:
        return read_mended(path, rows_of(files_of(workspace, name, (name,))))


def waiting(shop: Shop, name: str) -> list[tuple[int, dict[str, Any]]]:
    with shop.workspace() as workspace:
        files = files_of(workspace, name, (name,))
        return [] if not files else [(r["line"], json.loads(r["raw"])) for r in rows_of(files).to_dicts()]


def places(shop: Shop) -> list[tuple[str, str, int]]:
    """Who, file and line of every event."""
    events = shop.rows("events")
    with shop.workspace() as workspace:
        paths = {entry.id: entry.path for entry in inputs(workspace)}
    return sorted((w, paths[f], n) for w, f, n in events.select("who", "file_id", "line").iter_rows())


def test_mended_rows_are_taken_with_their_line_and_the_rest_stays(shop: Shop) -> None:
    shop.source("orders", STRICT)
    shop.file("orders.csv", ROWS)
    shop.ingest("orders")

    found = again(shop, "orders", mended(shop, "orders", exported(shop, "orders", {";XX": ";DE", "999,00": "99,00"})))

    assert (found.tried, found.fits, found.result.new, found.bad, found.left) == (3, 2, 2, 1, 1)
    assert places(shop) == [("1", "orders.csv", 2), ("1", "orders.csv (mended)", 3), ("2", "orders.csv (mended)", 4)]
    assert [(line, row["land"]) for line, row in waiting(shop, "orders")] == [(5, "DE")]


def test_the_same_mended_file_again_changes_nothing(shop: Shop) -> None:
    shop.source("orders", STRICT)
    shop.file("orders.csv", ROWS)
    shop.ingest("orders")
    path = exported(shop, "orders", {";XX": ";DE"})
    rows = mended(shop, "orders", path)
    again(shop, "orders", rows)
    before = places(shop)

    found = again(shop, "orders", mended(shop, "orders", path))

    assert (found.result.new, found.unknown) == (0, 1)
    assert places(shop) == before


@pytest.mark.parametrize("full", [False, True])
def test_the_file_again_and_the_whole_file_mended_later_double_nothing(shop: Shop, full: bool) -> None:
    shop.source("orders", STRICT)
    shop.file("orders.csv", ROWS)
    shop.ingest("orders")
    again(shop, "orders", mended(shop, "orders", exported(shop, "orders", {";XX": ";DE", "999,00": "99,00"})))

    shop.ingest("orders", full=full)
    assert len(places(shop)) == 3
    again(shop, "orders", mended(shop, "orders", exported(shop, "orders", {";XX": ";DE", "999,00": "99,00"})))
    assert len(places(shop)) == 3

    whole = ROWS.replace("XX", "DE").replace("999,00", "99,00").replace("quatsch", "2026-01-04 10:00")
    shop.file("orders.csv", whole)
    found = shop.ingest("orders")

    assert found.bad == 0
    assert sorted(shop.rows("events")["who"]) == ["1", "1", "2", "3"]
    assert waiting(shop, "orders") == []


def test_under_another_contract_rows_keep_their_place_in_their_file(shop: Shop) -> None:
    shop.source("orders", STRICT)
    path = shop.file("orders.csv", ROWS)
    shop.ingest("orders")
    path.unlink()
    shop.source("orders", STRICT.replace("[DE]", "[DE, XX]"))

    found = again(shop, "orders")

    assert (found.tried, found.fits, found.bad) == (3, 1, 2)
    assert places(shop) == [("1", "orders.csv", 2), ("1", "orders.csv", 3)]
    with shop.workspace() as workspace:
        assert [(entry.good, entry.bad) for entry in inputs(workspace)] == [(2, 2)]


def test_a_dry_run_leaves_everything(shop: Shop) -> None:
    shop.source("orders", STRICT)
    shop.file("orders.csv", ROWS)
    shop.ingest("orders")
    rows = mended(shop, "orders", exported(shop, "orders", {";XX": ";DE"}))
    with shop.workspace() as workspace:
        before = (workspace.snapshot(), sorted(path.name for path in workspace.folder.rglob("*.parquet")))

    found = again(shop, "orders", rows, dry_run=True)

    assert (found.result.new, found.commit) == (1, None)
    with shop.workspace() as workspace:
        assert (workspace.snapshot(), sorted(path.name for path in workspace.folder.rglob("*.parquet"))) == before


def test_rows_of_a_refused_file_wait_for_the_file(shop: Shop) -> None:
    shop.source("orders", STRICT.replace("90 %", "1 %"))
    shop.file("orders.csv", ROWS)
    assert shop.ingest("orders").error is not None
    shop.source("orders", ORDERS)

    found = again(shop, "orders")

    assert (found.refused, found.tried, found.commit) == (3, 0, None)
    assert shop.ingest("orders").new == 3


def test_records_without_a_time_never_turn_back_time(shop: Shop) -> None:
    source = "path: '*.csv'\nkey: {customer_id: id}\nprofiles: {city: ort, points: punkte}\nmax_bad_rows: 90 %\n"
    shop.source("crm", source)
    shop.file("a.csv", "id,ort,punkte\n1,Bonn,x\n2,Bonn,x\n3,Bonn,1\n")
    shop.ingest("crm")
    shop.file("b.csv", "id,ort,punkte\n1,Rom,5\n")
    shop.ingest("crm")

    found = again(shop, "crm", mended(shop, "crm", exported(shop, "crm", {";x": ";7"})))

    assert (found.fits, found.overtaken, found.bad) == (1, 1, 1)
    records = shop.rows("records/crm").sort("arrival")
    assert records.filter(pl.col("who") == "1")["city:t"].to_list() == ["Rom"]
    assert records.filter(pl.col("who") == "2")["points:i"].to_list() == [7]


def test_a_full_picture_takes_its_rows_without_anybody_leaving(shop: Shop) -> None:
    source = "path: crm.csv\npicture: full\nkey: {customer_id: id}\nprofiles: {city: ort, points: punkte}\n"
    shop.source("crm", source + "max_bad_rows: 90 %\n")
    shop.file("crm.csv", "id,ort,punkte\n1,Bonn,1\n2,Bonn,x\n")
    shop.ingest("crm")

    found = again(shop, "crm", mended(shop, "crm", exported(shop, "crm", {";x": ";7"})))
    assert found.fits == 1
    assert shop.ingest("crm").state == "unchanged"

    records = shop.rows("records/crm")
    assert sorted(records.select("who", "points:i", "gone").rows()) == [("1", 1, False), ("2", 7, False)]


def test_json_keeps_its_types_through_a_spreadsheet(shop: Shop) -> None:
    shop.source(
        "log",
        "path: log.ndjson\nkey: {customer_id: id}\nmax_bad_rows: 90 %\n"
        "events: [{event: order_completed, time: at, id: no, properties: {value: v}}]\n"
        "contract: {properties: {v: {type: number, maximum: 10}, no: {type: string}, deep: {required: [x]}}}\n",
    )
    row = {"id": "1", "at": "2026-01-02T10:00:00Z", "no": "007", "v": 12, "deep": {"x": [1]}, "n": None}
    shop.file("log.ndjson", "".join(json.dumps(each) + "\n" for each in (row, {**row, "no": "8", "v": 1})))
    shop.ingest("log")

    path = exported(shop, "log", {";12;": ";2;", "007": "7"})
    rows = mended(shop, "log", path)

    assert [json.loads(text) for text in rows.values()] == [{**row, "v": 2}]
    assert again(shop, "log", rows).result.new == 1
    assert again(shop, "log").tried == 0
    assert sorted(shop.rows("events")["event_id"]) == ["007", "8"]


def test_what_nobody_touched_is_as_it_was(shop: Shop) -> None:
    shop.source("orders", STRICT)
    text = ROWS + '4;2026-01-03 10:00;"=1+1";00123;XX\n5;2026-01-03 10:00;-5,5;+49 1;XX\n6;@x;4;"a;""b\nc";XX\n'
    shop.file("orders.csv", text)
    shop.ingest("orders")
    with shop.workspace() as workspace:
        stored = rows_of(files_of(workspace, "orders", ("orders",)))
    raws = dict(stored.select("segctl_row", "raw").iter_rows())
    path = exported(shop, "orders", {})

    assert mended(shop, "orders", path) == raws
    assert path.read_text("utf-8").startswith(BOM)
    cells = [cell for row in csv.reader(io.StringIO(path.read_text("utf-8-sig")), delimiter=";") for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "@"))]
    lines = "".join(json.dumps(record) + "\n" for record in export_records(stored))
    shop.file("bad.ndjson", lines)
    export_frame(stored).write_parquet(shop.root / "bad.parquet")
    assert mended(shop, "orders", shop.root / "bad.ndjson") == raws
    assert mended(shop, "orders", shop.root / "bad.parquet") == raws


def test_what_spreadsheets_do_by_themselves_is_undone() -> None:
    assert is_same("01067", "1067")
    assert is_same("4006381333931", "4,00638E+12")
    assert is_same("=1+1", "'=1+1")
    assert not is_same("01067", "1068")
    assert not is_same("10", "1")
    assert not is_same("4006381333931", "4,2E+12")
    assert not is_same("x", None)


def test_no_export_is_refused(shop: Shop) -> None:
    shop.source("orders", STRICT)
    shop.file("orders.csv", ROWS)
    shop.ingest("orders")
    shop.file("other.csv", "a;b\n1;2\n")
    twice = exported(shop, "orders", {"r1.4;": "r1.3;"}, "twice.csv")

    for path in (shop.root / "other.csv", twice, shop.root / "nowhere.csv"):
        with pytest.raises(UsageError, match=path.name) as error:
            mended(shop, "orders", path)
        assert error.value.code == "SEG618"


def test_discarded_rows_are_gone_and_the_log_tells(shop: Shop) -> None:
    shop.source("orders", STRICT)
    shop.file("orders.csv", ROWS)
    shop.ingest("orders")
    asked: list[tuple[int, int]] = []

    def drop(wanted: Filter, **options: Any) -> Discarded:
        with shop.workspace() as workspace:
            return discard(workspace, "orders", wanted, known=["orders"], agree=lambda *n: asked.append(n), **options)

    assert drop(Filter(reason="LAND"), dry_run=True).rows == 2
    assert len(waiting(shop, "orders")) == 3
    assert drop(Filter(lines=(3, 3))).left == 2
    assert drop(Filter(file="nobody*")) == Discarded(0, (), 2)
    assert drop(EVERYTHING).left == 0
    assert asked == [(1, 1), (2, 1)]
    with shop.workspace() as workspace:
        notes = [json.loads(row[0]) for row in workspace.query("SELECT note FROM commits WHERE kind = 'discard'")]
    assert [note["rows"] for note in notes] == [1, 2]
    assert notes[0]["where"] == {"lines": [3, 3]}


def test_lines() -> None:
    assert (parse_lines("17"), parse_lines("17-40")) == ((17, 17), (17, 40))
    for wrong in ("", "a", "5-3", "-4"):
        with pytest.raises(UsageError):
            parse_lines(wrong)


def test_messages_of_tracking_records_are_taken_from_their_records(shop: Shop) -> None:
    (shop.root / "segctl.yaml").write_text(
        "segctl: 1\nname: web\nidentifiers: {user_id: {class: known}, anonymous_id: {class: anonymous}}\n"
        "events: {page_viewed: {properties: {title: text}}}\n"
    )
    body = "path: web.ndjson\ntracking: segment\nmax_bad_rows: 90 %\n"
    shop.source("web", body + "contract: {properties: {title: {enum: [Home]}}}\n")
    page = {"type": "page", "timestamp": "2026-01-02T10:00:00Z", "anonymousId": "a"}
    rows = [{**page, "messageId": str(n), "properties": {"title": t}} for n, t in enumerate(("Home", "Shop", "Shop"))]
    shop.file("web.ndjson", "".join(json.dumps(row) + "\n" for row in rows))
    shop.ingest("web")
    lines = [line for line, _ in waiting(shop, "web")]
    shop.source("web", body)

    found = again(shop, "web")

    assert lines == [2, 3]
    assert (found.tried, found.fits, found.result.new) == (2, 2, 2)
    assert [line for _, _, line in places(shop)] == [1, 2, 3]
    assert again(shop, "web").tried == 0
