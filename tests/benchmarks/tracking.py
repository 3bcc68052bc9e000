"""Records a second and memory of tracking records, from the file to stored events, sessions and profiles.

    python tests/benchmarks/tracking.py [--records 100000 400000]

Writes Segment messages of about 830 bytes into a temporary project and ingests them in a process of its own; then
the steps alone, each the best of five.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

PROJECT = """
segctl: 1
name: web
identifiers: {user_id: {class: known}, anonymous_id: {class: anonymous}}
traits: {email: text, first_name: text, plan: text}
events:
  page_viewed: {properties: {url: text, path: text, title: text}}
  product_viewed: {properties: {product_id: text, price: money}}
  product_added: {properties: {product_id: text, price: money, quantity: integer}}
  order_completed: {properties: {order_id: text, value: money, currency: text}}
  order_item: {properties: {order_id: text, product_id: text, price: money, quantity: integer}}
  session: {properties: {duration: integer, pages: integer, entry_page: text, events: integer}}
"""
AGENT = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/118.0.0.0"
PROGRAM = "import sys; from segctl.cli.main import main; sys.exit(main())"


def message(number: int, people: int, moment: int, dice: random.Random) -> dict[str, Any]:
    """One message: 60 % pages, 25 % products seen, 8 % added, 3 % orders, 4 % identify."""
    person = dice.randrange(people)
    when = datetime.fromtimestamp(moment / 1000, UTC).isoformat(timespec="milliseconds")
    page = {"url": f"https://shop.example/p/{number % 977}", "path": f"/p/{number % 977}", "title": "Produkt"}
    product = {"product_id": f"p{number % 977}", "name": "Schuh", "price": number % 100 + 0.95, "currency": "EUR"}
    order = {"order_id": f"o{number}", "total": number % 300 + 0.5, "currency": "EUR", "products": [product, product]}
    kinds = [
        (0.60, {"type": "page", "name": "Home", "properties": page}),
        (0.85, {"type": "track", "event": "Product Viewed", "properties": product}),
        (0.93, {"type": "track", "event": "Product Added", "properties": {**product, "quantity": 1}}),
        (0.96, {"type": "track", "event": "Order Completed", "properties": order}),
        (1.00, {"type": "identify", "traits": {"email": f"u{person}@example.org", "plan": "pro"}}),
    ]
    chance = dice.random()
    context = {"ip": f"203.0.{person % 256}.7", "userAgent": AGENT, "locale": "de-DE", "page": page}
    return {
        "messageId": f"m-{number:09d}", "anonymousId": f"anon-{person:07d}-4f3a-9c11", "userId": f"u{person}",
        "timestamp": when, "originalTimestamp": when, "sentAt": when, "receivedAt": when, "context": context,
        "integrations": {}, **next(kind for limit, kind in kinds if chance < limit),
    }  # fmt: skip


def project(folder: Path, records: int) -> None:
    """A project with so many messages."""
    (folder / "sources").mkdir(parents=True)
    (folder / "segctl.yaml").write_text(PROJECT)
    (folder / "sources" / "web.yaml").write_text("source: web\npath: web.ndjson\ntracking: segment\n")
    dice, moment = random.Random(1), 1_764_000_000_000
    with (folder / "web.ndjson").open("w") as file:
        for number in range(records):
            moment += dice.randrange(200)
            file.write(json.dumps(message(number, records // 20 + 1, moment, dice)) + "\n")


def steps(folder: Path) -> dict[str, float]:
    """Records a second of CPU time: read and shaped into a frame, and typed as well."""
    from segctl.compile.project import load_project
    from segctl.compile.sources import load_sources
    from segctl.connectors.files import detect
    from segctl.connectors.tracking.reading import shaped
    from segctl.connectors.typing_rows import type_batch
    from segctl.connectors.typing_values import Counts
    from segctl.model.sources import NumberForm

    source = load_sources(load_project(folder)[0])[0]["web"]
    path = folder / "web.ndjson"
    detected = detect(path)

    def rate(*, is_typed: bool) -> float:
        started, records = time.process_time(), 0
        for batch in shaped(source, path, detected, None, batch_rows=500_000):
            records += len(batch.records)
            if is_typed:
                type_batch(source, batch.frame, batch.lines, NumberForm(), Counts())
        return records / (time.process_time() - started)

    return {"shaped": max(rate(is_typed=False) for _ in range(5)), "typed": max(rate(is_typed=True) for _ in range(5))}


def ingested(folder: Path) -> tuple[float, float, float]:
    """Wall and CPU seconds of `segctl ingest`, and its peak memory in MB."""
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, "ingest", "-q"], cwd=folder)
    _, status, used = os.wait4(process.pid, 0)
    assert status == 0
    return time.perf_counter() - started, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main() -> None:
    """Prints one line for each size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, nargs="+", default=[100_000, 400_000])
    for records in parser.parse_args().records:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name, "web")
            project(folder, records)
            wall, cpu, peak = ingested(folder)
            rate = f"{records / cpu:,.0f} records a second of CPU"
            sys.stdout.write(f"{records:,} records: {wall:.1f} s, {cpu:.1f} s CPU, {rate}, {peak:,.0f} MB\n")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "web")
        project(folder, 40_000)
        for step, rate_of_step in steps(folder).items():
            sys.stdout.write(f"{step}: {rate_of_step:,.0f} records a second of CPU\n")


if __name__ == "__main__":
    main()
