"""What a tried source shows of people: nothing, unless it is asked for."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from segctl.compile.project import load_project
from segctl.compile.sources import load_sources
from segctl.operations.doctor.mask import without_personal
from segctl.operations.doctor.online import try_source

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
PROJECT = """
segctl: 1
name: shop
identifiers: {customer_id: {class: known}, email: {class: known, personal: true}}
traits: {city: text, last_name: {type: text, personal: true}}
events: {order_completed: {properties: {amount: number}}}
"""
PEOPLE = """
source: people
kind: database
database: {url: "sqlite:///pos.db", table: people}
key: {customer_id: id, email: mail}
profiles: {city: town, last_name: name}
"""
ORDERS = """
source: orders
kind: rest
rest: {base_url: "https://shop.example.org", path: /orders}
key: {email: customer.mail}
events: [{event: order_completed, each: lines, time: at, id: id, properties: {amount: amount}}]
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "sources").mkdir()
    (tmp_path / "segctl.yaml").write_text(PROJECT)
    (tmp_path / "sources" / "people.yaml").write_text(PEOPLE)
    (tmp_path / "sources" / "orders.yaml").write_text(ORDERS)
    return tmp_path


def test_personal_values_and_undeclared_columns_are_hidden(root: Path) -> None:
    pytest.importorskip("sqlalchemy")
    with sqlite3.connect(root / "pos.db") as db:
        db.execute("CREATE TABLE people (id TEXT, mail TEXT, name TEXT, town TEXT, phone INTEGER, note TEXT)")
        db.execute("INSERT INTO people VALUES ('K1', 'anna@x.example', 'Abt', 'Bonn', 491714455667, NULL)")

    hidden = try_source(root, "people", env=None, now=NOW)
    shown = try_source(root, "people", env=None, now=NOW, show_personal=True)

    assert hidden.records == (
        {"id": "K1", "mail": "(text)", "name": "(text)", "town": "Bonn", "phone": "(number)", "note": None},
    )
    assert (hidden.is_masked, shown.is_masked) == (True, False)
    assert shown.records[0]["mail"] == "anna@x.example"


def test_inside_of_records_the_same_holds(root: Path) -> None:
    project, _ = load_project(root, None)
    sources, findings = load_sources(project)
    assert findings == []
    record = {
        "id": "o1", "at": "2026-11-01", "customer": {"mail": "a@x.example", "tags": ["vip"], "age": 7},
        "lines": [{"id": "l1", "amount": 5.5, "gift_for": "Ben", "at": None}], "amount": 9, "paid": True,
    }  # fmt: skip

    assert without_personal(project, sources["orders"], record) == {
        "id": "o1", "at": "2026-11-01", "customer": {"mail": "(text)", "tags": ["(text)"], "age": "(number)"},
        "lines": [{"id": "l1", "amount": 5.5, "gift_for": "(text)", "at": None}], "amount": 9, "paid": "(truth)",
    }  # fmt: skip
    assert "Ben" not in json.dumps(without_personal(project, sources["orders"], [record]))
