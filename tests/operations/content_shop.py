"""A shop with a few people who lack things, and one who means harm, made once; its content is written by each test."""

from __future__ import annotations

import atexit
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from end_to_end.program import ok

from segctl.operations.session import Session, open_session

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
EVIL = '"><script>alert(1)</script>\nBcc: victim@shop.example\u202e\u2028'
PROJECT = """segctl: 1
name: shop
timezone: Europe/Berlin
language: de
identifiers: {nr: {class: known}}
traits:
  first_name: {type: text, title: Vorname, personal: true}
  country: text
  tier: text
  language_tag: text
  balance: {type: money, unit: EUR}
  since: date
  illness: {type: text, sensitive: true}
events:
  viewed: {properties: {sku: text, price: {type: money, unit: EUR}}}
  added: {properties: {sku: text, price: {type: money, unit: EUR}, note: text}}
  bought: {properties: {sku: text, order: text, price: {type: money, unit: EUR}}}
purposes:
  news: {basis: consent, channels: [email]}
  service: {basis: contract, channels: [email]}
"""
PEOPLE = [
    {"nr": "1", "name": "Anna", "land": "DE", "tier": "gold", "lang": "", "bal": "1234.5", "since": "2024-03-05"},
    {"nr": "2", "name": "", "land": "AT", "tier": "", "lang": "", "bal": "", "since": ""},
    {"nr": "3", "name": EVIL, "land": "US", "tier": "gold", "lang": "", "bal": "3", "since": "2025-01-01"},
    {"nr": "4", "name": "שלום 👩‍👩‍👧", "land": "CH", "tier": "", "lang": "fr-CA", "bal": "0", "since": ""},
    {"nr": "5", "name": "Bob", "land": "", "tier": "", "lang": "en-GB", "bal": "7", "since": "2020-02-29"},
]
EVENTS = [
    {"nr": "1", "event": "added", "at": "2026-06-10T10:00:00Z", "sku": "A", "price": "10"},
    {"nr": "1", "event": "bought", "at": "2026-06-11T10:00:00Z", "sku": "A", "price": "10", "order": "o1"},
    {"nr": "1", "event": "added", "at": "2026-06-12T10:00:00Z", "sku": "B", "price": "20"},
    {"nr": "1", "event": "added", "at": "2026-06-13T10:00:00Z", "sku": "C", "price": "30", "note": "x"},
    {"nr": "1", "event": "added", "at": "2026-06-14T10:00:00Z", "sku": "B", "price": "25"},
    {"nr": "1", "event": "added", "at": "2026-06-16T10:00:00Z", "sku": "Z", "price": "99"},
    {"nr": "2", "event": "bought", "at": "2026-06-01T10:00:00Z", "sku": "A", "price": "10", "order": "o2"},
    {"nr": "2", "event": "bought", "at": "2026-06-01T10:00:00Z", "sku": "B", "price": "20", "order": "o2"},
    {"nr": "3", "event": "bought", "at": "2026-06-02T10:00:00Z", "sku": "A", "price": "10", "order": "o3"},
    {"nr": "3", "event": "bought", "at": "2026-06-02T10:00:00Z", "sku": "C", "price": "30", "order": "o3"},
    {"nr": "3", "event": "bought", "at": "2026-06-02T10:00:00Z", "sku": "D", "price": "40", "order": "o3"},
    {"nr": "5", "event": "bought", "at": "2026-06-03T10:00:00Z", "sku": "D", "price": "40", "order": "o4"},
    {"nr": "5", "event": "viewed", "at": "2026-06-14T10:00:00Z", "sku": "C", "price": "31"},
]
SOURCES = {
    "crm.yaml": "source: crm\npath: crm.ndjson\nkey: {nr: nr}\nprofiles: {first_name: name, country: land, tier: tier, "
    "language_tag: lang, balance: bal, since: since}\n",
    "web.yaml": "source: web\npath: web.ndjson\nkey: {nr: nr}\nevents:\n  - event: {column: event}\n    time: at\n"
    "    properties: {sku: sku, price: price, note: note, order: order}\n",
}
SEGMENTS = {
    "gold": "segment: gold\nwhere: {trait: tier, equals: gold}\n",
    "buyers": "segment: buyers\nwhere: {event: bought}\n",
}


@dataclass
class ContentShop:
    """A project on disk that has been ingested and applied."""

    folder: Path

    def write(self, **files: str) -> None:
        """Instead of all content so far, by name; ``__`` stands for a dot, and `.j2` is added to what is no YAML."""
        content = self.folder / "content"
        content.mkdir(exist_ok=True)
        for old in content.iterdir():
            old.unlink()
        for name, text in files.items():
            dotted = name.replace("__", ".")
            (content / (dotted if dotted.endswith(".yaml") else f"{dotted}.j2")).write_text(text, "utf-8")

    @contextmanager
    def session(self) -> Iterator[Session]:
        with open_session(self.folder) as session:
            yield session


def made(folder: Path) -> ContentShop:
    """The shop, ingested and applied as of `NOW`."""
    shutil.copytree(_once(), folder, dirs_exist_ok=True)
    return ContentShop(folder)


@cache
def _once() -> Path:
    folder = Path(mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    files = {"segctl.yaml": PROJECT} | {f"sources/{name}": text for name, text in SOURCES.items()}
    files |= {f"segments/{name}.yaml": text for name, text in SEGMENTS.items()}
    files["crm.ndjson"] = "".join(json.dumps(row) + "\n" for row in PEOPLE)
    files["web.ndjson"] = "".join(json.dumps(row) + "\n" for row in EVENTS)
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    ok("ingest", cwd=folder)
    ok("apply", "--as-of", "2026-06-15T12:00:00Z", cwd=folder)
    return folder
