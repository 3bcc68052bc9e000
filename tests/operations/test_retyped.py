"""A property whose declared type changed: its stored values are never lost in silence."""

from __future__ import annotations

from pathlib import Path

import pytest
from end_to_end.program import ok, run

PROJECT = """segctl: 1
name: shop
identifiers: {customer_id: {class: known}}
events: {bought: {properties: {value: VALUE, note: text}}}
"""
SOURCE = """source: orders
path: orders.csv
key: {customer_id: who}
events:
  - {event: bought, time: at, id: nr, properties: {value: value, note: note}}
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    files = {
        "segctl.yaml": PROJECT.replace("VALUE", "money"),
        "sources/orders.yaml": SOURCE,
        "orders.csv": "who,at,nr,value,note\n1,2026-01-01,a,5,x\n2,2026-01-02,b,6,x\n3,2026-01-03,c,,x\n",
        "segments/buyers.yaml": "segment: buyers\nwhere: {event: bought, sum: {of: value, above: 1}}\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    ok("ingest", cwd=tmp_path)
    return tmp_path


@pytest.mark.parametrize("declared", ["{type: money, scale: 3}", "number", "integer"])
@pytest.mark.parametrize("is_compacted", [True, False])
def test_values_under_an_earlier_type_are_counted_out_loud(shop: Path, declared: str, is_compacted: bool) -> None:
    if is_compacted:
        ok("compact", cwd=shop)
    (shop / "segctl.yaml").write_text(PROJECT.replace("VALUE", declared))

    assert "2 stored values of `value` are of another type" in run("apply", cwd=shop).stderr


def test_corrections_that_replace_them_end_the_warning(shop: Path) -> None:
    (shop / "segctl.yaml").write_text(PROJECT.replace("VALUE", "number"))
    (shop / "sources/orders.yaml").write_text(SOURCE + "corrections: replace\n")
    ok("ingest", cwd=shop)

    assert "another type" not in run("apply", cwd=shop).stderr


def test_there_is_no_warning_while_types_stay(shop: Path) -> None:
    assert "another type" not in run("apply", cwd=shop).stderr
