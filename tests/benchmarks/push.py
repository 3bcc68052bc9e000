"""Speed and memory of pushes: the delta of a million people, and delivery to an HTTP server that answers at once.

    python tests/benchmarks/push.py [--people 1000000] [--deliver 200000] [--whole 0]

The delta is planned against a ledger in which 1 % of the people are missing, 1 % have other fields and 1 % too many are
there. Delivery speaks HTTP over loopback to a process of its own, a thousand people a call, four calls at a time.
`--whole` is `segctl push` itself: gate, audience, delta, webhooks, ledger and events of contact, of so many people.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import requests

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "operations"))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "push"))

from fake_service import ABILITIES, Connector, Gate, Service
from push_worker import audience

from segctl.connectors.destinations.base import Batch, Sent
from segctl.model.consent import Use
from segctl.model.destinations import Destination
from segctl.operations.push.books import LedgerBooks
from segctl.operations.push.courier import Courier, Desk, world_from
from segctl.operations.push.parts import Wanted, part
from segctl.operations.push.push import Asked, push
from segctl.operations.push.send import send
from segctl.operations.push.watch import Watch
from segctl.operations.session import Session
from segctl.state.deliveries import ledger_audience
from segctl.state.deliveries_log import begin_push
from segctl.state.workspace import Workspace

SERVER = """
import socketserver, sys
class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        while line := self.rfile.readline():
            size = 0
            while (head := self.rfile.readline().strip()):
                if head.lower().startswith(b"content-length:"):
                    size = int(head.split(b":")[1])
            self.rfile.read(size)
            self.wfile.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\n{}")
class Server(socketserver.ThreadingTCPServer):
    daemon_threads, allow_reuse_address = True, True
with Server(("127.0.0.1", 0), Handler) as server:
    print(server.server_address[1], flush=True)
    server.serve_forever()
"""


class Http(Connector):
    """Sends each batch as JSON to a local server."""

    url = ""
    session = requests.Session()

    def send(self, batch: Batch) -> Sent:
        rows = [{"email": row.identifiers["email"], **row.fields} for row in batch.rows]
        self.session.post(self.url, json={"action": batch.action, "people": rows}, timeout=30).raise_for_status()
        return Sent()


def peak_mb() -> int:
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) // 1024


def with_points(frame: pl.DataFrame) -> pl.DataFrame:
    tokens = pl.col("key").str.slice(0, 16).cast(pl.Binary)
    return frame.with_columns(pl.concat_list(tokens).alias("points"))


def planned(workspace: Workspace, rows: pl.DataFrame) -> tuple[object, float]:
    wanted = Wanted(
        "everybody", Destination("bench", "fake"), "mirror", "newsletter", Use("newsletter", "email", "bench"), rows,
        ledger_audience(workspace, "bench", "everybody"),
    )  # fmt: skip
    clock, cpu = time.perf_counter(), time.process_time()
    made = part(workspace, Gate(), wanted)
    print("cpu_s", round(time.process_time() - cpu, 2))  # noqa: T201 - tells a busy machine from slow work
    return made, time.perf_counter() - clock


def fill(workspace: Workspace, rows: pl.DataFrame) -> None:
    """The ledger as it would be after an earlier push."""
    number = ledger_audience(workspace, "bench", "everybody").id
    found = rows.select("key", "digest", "id:email")
    with workspace.transaction() as db:
        for block in found.iter_slices(50_000):
            db.executemany(
                "INSERT INTO delivered (audience, key, state, digest, is_unsure, identifiers, batch)"
                " VALUES (?, ?, 'accepted', ?, 0, ?, 0)",
                [(number, key, digest, json.dumps({"email": email})) for key, digest, email in block.iter_rows()],
            )


def plan_benchmark(folder: Path, people: int) -> Mapping[str, object]:
    everybody = with_points(audience(people * 10 // 9, 0))
    row = pl.int_range(pl.len()) % 100
    before = everybody.filter(row != 0).with_columns(
        digest=pl.when(row == 1).then(pl.lit("other")).otherwise(pl.col("digest"))
    )
    now = everybody.filter(row != 2)
    with Workspace.open(folder / "plan", create=True) as workspace:
        fill(workspace, before)
        made, seconds = planned(workspace, now)
    return {"people": now.height, "plan_s": round(seconds, 2), "additions": made.additions,
            "removals": made.removals, "peak_mb": peak_mb()}  # type: ignore[attr-defined]  # fmt: skip


def deliver_benchmark(folder: Path, people: int, url: str) -> Mapping[str, object]:
    rows = with_points(audience(people * 10 // 9, 0))
    now = datetime.now(UTC)
    with Workspace.open(folder / "deliver", create=True) as workspace:
        push = begin_push(workspace, now, {})
        world = world_from(now)
        books, gate = LedgerBooks(workspace, push.number, world.now), Gate()
        connector = Http(Service())
        connector.url, connector.session.trust_env = url, False
        can = replace(ABILITIES, batch_rows=1000, parallel=4)
        made, plan_s = planned(workspace, rows)
        courier = Courier(Desk(connector, can, books, Watch(gate, [made]), now, world))
        clock = time.perf_counter()
        send(courier, [made], push=push.id, keep_remote=lambda p, _: None, backlog=lambda: None)
        seconds = time.perf_counter() - clock
        courier.close()
    return {"people": rows.height, "plan_s": round(plan_s, 2), "deliver_s": round(seconds, 1),
            "people_per_s": round(rows.height / seconds), "peak_mb": peak_mb()}  # fmt: skip


def prepare(folder: str, people: int) -> None:
    """People with consent, in a process of its own: its memory is not the push's."""
    from audience import filled

    filled(Path(folder), people).workspace.close()


def whole_benchmark(folder: Path, people: int, url: str) -> Mapping[str, object]:
    from audience import declared
    from audience_shop import NOW

    child = multiprocessing.get_context("spawn").Process(target=prepare, args=(str(folder / "whole"), people))
    child.start()
    child.join()
    options = {"url": url, "allow_private": True}
    to = Destination("mail", "webhook", options=options, purposes=("newsletter",), identify=(("email", "email"),),
                     fields=(("first_name", "first_name"),))  # fmt: skip
    session = declared(folder / "declared", to)
    with Workspace.open(folder / "whole/.segctl/dev") as workspace:
        clock, cpu = time.perf_counter(), time.process_time()
        done = push(Session(session.definitions, workspace, session.lists), Asked(), now=NOW)
        spent = {"s": round(time.perf_counter() - clock, 1), "cpu_s": round(time.process_time() - cpu, 1)}
    assert done.outcomes[0].counts["added"] == people, done
    return {"people": people, **spent, "people_per_s": round(people / spent["s"]), "peak_mb": peak_mb()}


@contextmanager
def served() -> Iterator[str]:
    with subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield f"http://127.0.0.1:{server.stdout.readline().strip()}/"
        finally:
            server.kill()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--deliver", type=int, default=200_000)
    parser.add_argument("--whole", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if asked.whole:
            with served() as url:
                print("whole", json.dumps(whole_benchmark(Path(folder), asked.whole, url)))  # noqa: T201 - a report
        if asked.deliver:
            with served() as url:
                print("deliver", json.dumps(deliver_benchmark(Path(folder), asked.deliver, url)))  # noqa: T201 - a report
        if asked.people:
            print("plan", json.dumps(plan_benchmark(Path(folder), asked.people)))  # noqa: T201 - a report


if __name__ == "__main__":
    main()
