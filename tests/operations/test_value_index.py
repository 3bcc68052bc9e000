"""Texts of the data, for lint: read once for each snapshot, never of personal traits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from end_to_end.program import ok, run


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    for folder in ("sources", "segments"):
        (tmp_path / folder).mkdir()
    (tmp_path / "segctl.yaml").write_text(
        "segctl: 1\nname: shop\nidentifiers: {nr: {class: known}}\n"
        "traits: {tier: text, likes: {type: list, of: text}, nick: {type: text, personal: true}}\n"
        "events: {ordered: {properties: {channel: text}}}\n"
    )
    (tmp_path / "sources/crm.yaml").write_text(
        "source: crm\npath: crm.csv\nkey: {nr: nr}\nprofiles: {tier: tier, nick: nick}\n"
    )
    (tmp_path / "sources/orders.yaml").write_text(
        "source: orders\npath: orders.csv\nkey: {nr: nr}\n"
        "events:\n  - {event: ordered, time: at, properties: {channel: channel}}\n"
    )
    (tmp_path / "crm.csv").write_text("nr,tier,nick\n1,Gold,Anna\n2,Gold,Bob\n3,basic,Cem\n")
    (tmp_path / "orders.csv").write_text("nr,at,channel\n1,2026-01-02T10:00:00Z,web\n2,2026-01-03T10:00:00Z,Store\n")
    (tmp_path / "segments/tested.yaml").write_text(
        "segment: tested\ndescription: A test of values.\nowner: a@b.example\nwhere:\n  any:\n"
        "    - {trait: tier, equals: gold}\n"
        "    - {trait: tier, in: [basic, platinum]}\n"
        "    - {trait: nick, equals: nobody}\n"
        "    - {event: ordered, where: {channel: WEB}}\n"
    )
    return tmp_path


def value_findings(folder: Path) -> dict[str, int]:
    found = json.loads(run("lint", "-f", "json", cwd=folder).stdout)["diagnostics"]
    return {f["code"] + " " + f["message"].split("`")[1]: f["line"] for f in found if f["code"].startswith("SEG75")}


def test_values_are_compared_with_the_data_that_are_there(shop: Path) -> None:
    assert value_findings(shop) == {}
    ok("ingest", cwd=shop)

    assert value_findings(shop) == {"SEG751 gold": 6, "SEG750 platinum": 7, "SEG751 WEB": 9}


def test_what_was_read_is_kept_until_the_data_change_and_holds_nothing_personal(shop: Path) -> None:
    ok("ingest", cwd=shop)
    value_findings(shop)
    kept = next(shop.rglob("values.json"))
    first = json.loads(kept.read_text())

    assert "Anna" not in kept.read_text()
    assert first["values"]["trait tier t"] == {"Gold": 2, "basic": 1}
    assert kept.stat().st_mode & 0o077 == 0

    (shop / "crm.csv").write_text("nr,tier,nick\n1,gold,Anna\n2,Gold,Bob\n3,platinum,Cem\n")
    ok("ingest", cwd=shop)

    assert value_findings(shop) == {"SEG751 WEB": 9, "SEG750 basic": 7}
    assert json.loads(kept.read_text())["snapshot"] > first["snapshot"]


def test_a_damaged_index_is_read_anew(shop: Path) -> None:
    ok("ingest", cwd=shop)
    value_findings(shop)
    kept = next(shop.rglob("values.json"))
    kept.write_text("[1")

    assert value_findings(shop) == {"SEG751 gold": 6, "SEG750 platinum": 7, "SEG751 WEB": 9}
