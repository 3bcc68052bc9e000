"""Rows of related tables: versions by key, owners that change, full pictures, rows of nobody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from segctl.compile.project import load_project
from segctl.compile.sources import bind_source_text
from segctl.operations.evaluation import evaluate, table_rows
from segctl.operations.explain import explain
from segctl.operations.profile import profile
from segctl.operations.session import open_session
from segctl.state.identity import canonical

RELATED = """
related:
  tickets: {properties: {status: text, opened_at: time, fee: {type: money, unit: EUR}}}
"""
TICKETS = """
path: tickets.csv
key: {customer_id: nr}
max_bad_rows: 50 %
related: {table: tickets, id: ticket, properties: {status: status, fee: fee}}
"""
HEADER = "ticket,nr,status,fee,since\n"
LONG_AGO, LATER = datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture
def desk(shop):
    project = shop.root / "segctl.yaml"
    project.write_text(project.read_text(encoding="utf-8") + RELATED, encoding="utf-8")
    shop.source("tickets", TICKETS)
    return shop


def versions(desk) -> list[tuple[object, ...]]:
    frame = desk.rows("related/tickets/tickets").sort("arrival")
    return list(frame.select("key", "who", "status:t", "gone").iter_rows())


def there(desk, as_of: datetime = LATER) -> list[tuple[object, ...]]:
    """Key and status of the rows at an instant."""
    with open_session(desk.root) as session:
        snapshot = session.workspace.snapshot()
        owners = canonical(session.workspace, snapshot)
        rows = table_rows(session, "tickets", owners, as_of=as_of, snapshot=snapshot)
    return sorted(rows.select("event_id", "status").iter_rows())


def test_the_first_version_holds_from_the_beginning_and_a_change_from_its_arrival(desk) -> None:
    desk.file("tickets.csv", HEADER + "T1,1,open,5.00,\nT2,1,open,,\n")
    desk.ingest("tickets")
    desk.file("tickets.csv", HEADER + "T1,1,closed,5.00,\nT2,1,open,,\n")

    found = desk.ingest("tickets")

    assert (found.new, found.duplicates) == (1, 1)
    assert versions(desk) == [("T1", "1", "open", False), ("T2", "1", "open", False), ("T1", "1", "closed", False)]
    assert there(desk, LONG_AGO) == [("T1", "open"), ("T2", "open")]
    assert there(desk) == [("T1", "closed"), ("T2", "open")]


@pytest.mark.parametrize("batch_rows", [1, 100])
def test_a_row_that_moves_to_another_person_is_a_new_version(desk, batch_rows: int) -> None:
    desk.file("tickets.csv", HEADER + "T1,1,open,,\nT1,2,open,,\nT1,2,open,,\n")

    found = desk.ingest("tickets", batch_rows=batch_rows)

    assert (found.new, found.duplicates) == (2, 1)
    assert [row[:2] for row in versions(desk)] == [("T1", "1"), ("T1", "2")]


def test_a_row_that_left_a_full_picture_is_gone_and_may_come_back(desk) -> None:
    desk.source("tickets", TICKETS + "picture: full\n")
    for picture in ("T1,1,open,,\nT2,1,open,,\n", "T2,1,open,,\n", "T1,1,open,,\nT2,1,open,,\n"):
        desk.file("tickets.csv", HEADER + picture)
        found = desk.ingest("tickets")

    assert found.new == 1
    assert versions(desk) == [
        ("T1", "1", "open", False), ("T2", "1", "open", False), ("T1", None, None, True), ("T1", "1", "open", False),
    ]  # fmt: skip
    assert there(desk) == [("T1", "open"), ("T2", "open")]


def test_a_bad_row_is_not_absent(desk) -> None:
    desk.source("tickets", TICKETS + "picture: full\n")
    desk.file("tickets.csv", HEADER + "T1,1,open,5.00,\nT2,1,open,,\n")
    desk.ingest("tickets")
    desk.file("tickets.csv", HEADER + "T1,1,open,much,\nT2,1,open,,\n")

    found = desk.ingest("tickets")

    assert (found.bad, found.gone) == (1, 0)
    assert there(desk) == [("T1", "open"), ("T2", "open")]


def test_a_row_of_nobody_is_kept_and_told(desk) -> None:
    desk.file("tickets.csv", HEADER + "T1,1,open,,\n")
    desk.ingest("tickets")
    desk.file("tickets.csv", HEADER + "T1,,open,,\n")

    found = desk.ingest("tickets")

    assert found.bad == 0
    assert found.notes == ["1 rows name nobody, so they count for no profile"]
    assert versions(desk) == [("T1", "1", "open", False), ("T1", None, "open", False)]


def test_a_row_without_a_key_is_bad(desk) -> None:
    desk.file("tickets.csv", HEADER + ",1,open,,\nT2,1,open,,\n")

    found = desk.ingest("tickets")

    assert (found.bad, found.new) == (1, 1)
    assert found.reasons == {("ticket", "the key of a row"): 1}


def test_a_declared_record_time_orders_versions(desk) -> None:
    desk.source("tickets", TICKETS + "record_time: since\n")
    desk.file("tickets.csv", HEADER + "T1,1,closed,,2026-03-01\nT1,1,open,,2026-01-01\n")
    desk.ingest("tickets")

    assert there(desk, datetime(2026, 2, 1, tzinfo=UTC)) == [("T1", "open")]
    assert there(desk, datetime(2025, 12, 1, tzinfo=UTC)) == []
    assert there(desk) == [("T1", "closed")]


def test_the_same_file_again_changes_nothing_and_a_full_read_replaces(desk) -> None:
    desk.file("tickets.csv", HEADER + "T1,1,open,,\nT2,2,open,,\n")
    desk.ingest("tickets")
    assert desk.ingest("tickets").state == "unchanged"

    found = desk.ingest("tickets", full=True)

    assert (found.new, found.read_again) == (2, 2)
    assert [row[0] for row in versions(desk)] == ["T1", "T2"]


def test_a_key_may_be_made_of_several_columns(desk) -> None:
    desk.source("tickets", TICKETS.replace("id: ticket", "id: [nr, ticket]"))
    desk.file("tickets.csv", HEADER + "1,1,open,,\n1,2,open,,\n")
    desk.ingest("tickets")

    assert [row[0] for row in versions(desk)] == ["1/1", "2/1"]


def test_rows_count_for_the_profile_they_belong_to(desk) -> None:
    (desk.root / "segments").mkdir(exist_ok=True)
    (desk.root / "segments" / "waiting.yaml").write_text(
        "segment: waiting\nwhere: {related: tickets, where: {status: open}, count: {at_least: 2}}\n", encoding="utf-8"
    )
    desk.source("crm", "path: crm.csv\nkey: {customer_id: nr}\nprofiles: {city: ort}\n")
    desk.file("crm.csv", "nr,ort\n1,Köln\n2,Bonn\n")
    desk.file(
        "tickets.csv", HEADER + "T1,1,open,,\nT2,1,open,,\nT3,2,open,,\nT4,2,closed,,\nT5,9,open,,\nT6,9,open,,\n"
    )
    desk.ingest("crm")
    desk.ingest("tickets")

    with open_session(desk.root) as session:
        found = evaluate(session, ["waiting"], as_of=LATER, snapshot=session.workspace.snapshot())

    # Rows alone make nobody a profile: 9 has no record.
    assert found.frame.height == 2
    assert found.frame["waiting"].to_list() == [True, False]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("related: {table: tickts, id: a}", "SEG301"),
        ("related: {table: tickets, id: a, properties: {state: b}}", "SEG301"),
        ("related: {id: a}", "SEG300"),
        ("related: {table: tickets}", "SEG300"),
        ("related: {table: tickets, id: a, columns: {}}", "SEG300"),
        ("related: {table: tickets, id: a}\nprofiles: {city: ort}", "SEG303"),
        ("related: {table: tickets, id: a}\nempty: keep", "SEG303"),
        ("related: {table: tickets, id: a}\ncorrections: replace", "SEG303"),
    ],
)
def test_a_wrong_declaration_is_named(desk, body: str, code: str) -> None:
    project, _ = load_project(desk.root)

    _, found = bind_source_text(f"source: x\npath: x.csv\nkey: {{customer_id: nr}}\n{body}\n", "x.yaml", project)

    assert [d.code for d in found] == [code]


def test_versions_are_numbered_the_same_in_every_run(desk) -> None:
    for day in range(3):
        desk.file("tickets.csv", HEADER + "".join(f"T{n},1,s{day},,\n" for n in range(day, day + 3)))
        desk.ingest("tickets")

    frame = desk.rows("related/tickets/tickets")
    numbers = frame.select("key", "row_number").unique()

    assert numbers["key"].n_unique() == numbers["row_number"].n_unique() == numbers.height == 5
    assert frame["arrived_at"].max() - frame["arrived_at"].min() == timedelta(hours=2)
    assert frame.schema["subject"] == pl.Int32


def test_explain_shows_the_rows_and_the_colleagues_that_decided(desk) -> None:
    (desk.root / "segments").mkdir(exist_ok=True)
    where = "{all: [{related: tickets, where: {status: open}}, {related: neighbours, count: {at_least: 2}}]}"
    (desk.root / "segments" / "asked.yaml").write_text(f"segment: asked\nwhere: {where}\n", encoding="utf-8")
    project = desk.root / "segctl.yaml"
    text = project.read_text(encoding="utf-8").replace("related:\n", "related:\n  neighbours: {same: city}\n")
    project.write_text(text, encoding="utf-8")
    desk.source("crm", "path: crm.csv\nkey: {customer_id: nr}\nprofiles: {city: ort}\n")
    desk.file("crm.csv", "nr,ort\n1,Köln\n2,Köln\n3,Bonn\n")
    desk.file("tickets.csv", HEADER + "T1,1,open,5.00,\nT2,1,closed,,\n")
    desk.ingest("crm")
    desk.ingest("tickets")

    with open_session(desk.root) as session:
        found = explain(session, "asked", "1", as_of=LATER)

    assert found.member
    assert found.trace is not None
    rows, colleagues = found.trace.leaves
    assert [(row.event_id, row.values) for row in rows.events] == [("T1", {"status": "open", "fee": 500})]
    assert (found.places or {})["tickets", "T1"] == "tickets.csv:2"
    assert [row.values["profile_id"] for row in colleagues.events] == ["1", "2"]
    assert [value.value for leaf in (rows, colleagues) for value in leaf.values] == [1, 2]


def test_the_timeline_of_a_person_shows_the_versions_of_their_rows(desk) -> None:
    desk.source("tickets", TICKETS + "record_time: since\n")
    desk.file("tickets.csv", HEADER + "T1,1,open,5.00,2026-01-01\nT1,1,closed,5.00,2026-03-01\nT2,2,open,,2026-02-01\n")
    desk.ingest("tickets")

    with open_session(desk.root) as session:
        rows = [row for row in profile(session, "1").timeline if row.what == "row"]

    assert [(row.name, row.details["key"], row.details["status"], row.place) for row in rows] == [
        ("tickets", "T1", "open", "tickets.csv:2"),
        ("tickets", "T1", "closed", "tickets.csv:3"),
    ]
