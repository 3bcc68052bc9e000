"""A project that fetches from a shop; the fake is our own."""

from __future__ import annotations

from pathlib import Path

import pytest

PROJECT = """
segctl: 1
name: shop
timezone: Europe/Berlin
identifiers: {shopify_id: {class: known}, email: {class: known}}
traits: {first_name: text, city: text}
events:
  order_completed: {properties: {order_id: text, value: {type: money, unit: EUR}, currency: text}}
  order_item: {properties: {order_id: text, sku: text, quantity: integer}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An empty project."""
    (tmp_path / "segctl.yaml").write_text(PROJECT, encoding="utf-8")
    (tmp_path / "sources").mkdir()
    (tmp_path / "segments").mkdir()
    (tmp_path / "segments" / "buyers.yaml").write_text(
        "segment: buyers\nwhere: {event: order_completed, count: {at_least: 1}}\n", encoding="utf-8"
    )
    return tmp_path
