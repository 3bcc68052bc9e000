"""A running stream under load: a feeder at a fixed rate, and how long each change takes to come out.

    cp -r --reflink=auto PROJECT WORK                                        a project with history, to be written to
    python tests/benchmarks/stream.py WORK --events DATA --rate 1000 --seconds 60 [--order recorded|shuffled]

PROJECT has a source `shop` whose lines are those of DATA (the generator's `events/` as Parquet). Feeder, stream and
reader share the machine. The stream's clock begins behind the run in force, so that the history is as old as it looks.

Latency is counted by the feeder's and the reader's clock, from the moment a line is due to the moment its change is
read: a stream that falls behind cannot hide it. Lines without a change are counted up to their commit, by the stream.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segctl.state.stream_log import Change

SOURCE = "shop"
TICK_S = 0.004
_EVENT = re.compile(rb"#b[0-9a-f]+-(\d+)\)")


def say(line: str) -> None:
    """One line of the report."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


# --- The stream, in a process of its own -----------------------------------------------------------------------
def serve(folder: Path, linger_ms: float, checkpoint_s: float) -> None:
    """Streams standard input into a project whose clock begins behind its last run."""
    from segctl.cli.stream_output import figures, line_of
    from segctl.operations.session import open_session
    from segctl.operations.stream.metrics import Metrics
    from segctl.operations.stream.open import Wish, opened
    from segctl.operations.stream.state import Habits
    from segctl.operations.stream.world import newest_as_of

    class Listener:
        def changes(self, changes: Sequence[Change]) -> None:
            sys.stdout.buffer.write(b"".join(map(line_of, changes)))
            sys.stdout.buffer.flush()

        def told(self, text: str, *, is_warning: bool = False) -> None:
            sys.stderr.write(f"{text}\n")

        def measured(self, metrics: Metrics, lag_s: float) -> None:
            pass

    with open_session(folder) as session:
        newest = newest_as_of(session) or 0
        offset = datetime.now(UTC) - datetime.fromtimestamp(newest / 1e6 + 60, UTC)
        wish = Wish((SOURCE,), habits=Habits(linger_s=linger_ms / 1000, checkpoint_s=checkpoint_s))
        began = time.monotonic()

        def nothing() -> None:
            pass

        with opened(
            session, wish, wall=lambda: datetime.now(UTC) - offset, listener=Listener(), reload=lambda: session,
            before=nothing,
        ) as stream:  # fmt: skip
            sys.stderr.write(f"READY {(datetime.now(UTC) - offset).isoformat()} {time.monotonic() - began:.1f}\n")
            sys.stderr.flush()
            stream.state.metrics = Metrics()
            stream.run(lambda: False)
            total = stream.state.metrics
            sys.stderr.write(f"STREAM {figures(total, max(total.busy_s, 0.001), stream.state.lag_s)}\n")
            sys.stderr.write(f"BATCHES {total.batches} TIMERS {total.timers} CHANGES {total.changes}\n")
            began = time.monotonic()
        sys.stderr.write(f"CHECKPOINT {time.monotonic() - began:.2f}\n")


# --- The feeder and the reader --------------------------------------------------------------------------------
def templates(data: Path, count: int, order: str) -> list[tuple[bytes, bytes]]:
    """The newest events of the generator as JSON in two halves, with the id and the time between them."""
    files = sorted(data.glob("events/**/*.parquet"))[-6:]
    rows = pl.concat([pl.read_parquet(file) for file in files], how="diagonal").sort("ts")
    rows = rows.filter(pl.col("profile_id").is_not_null()).tail(count)
    names = [
        n for n in rows.columns if n in ("profile_id", "event", "product_id", "category", "quantity", "value", "device")
    ]
    found = []
    # No run repeats the ids of another one.
    head = b'{"event_id": "b%x-' % time.time_ns()
    for row in rows.select(names).iter_rows(named=True):
        text = json.dumps({k: str(v) if k == "value" else v for k, v in row.items() if v is not None})
        found.append((head, text[1:].encode() + b"\n"))
    if order == "shuffled":
        random.Random(7).shuffle(found)
    return found


class Reader(threading.Thread):
    """Reads changes and how long each took."""

    def __init__(self, stream: IO[bytes], rate: float) -> None:
        super().__init__(daemon=True)
        self._stream, self._rate = stream, rate
        self.began = 0.0
        self.latencies: list[float] = []
        self.others = 0

    def run(self) -> None:
        """Until the stream ends."""
        for line in self._stream:
            now = time.monotonic()
            found = _EVENT.search(line)
            if found is None:
                self.others += 1
            else:
                self.latencies.append(now - self.began - int(found[1]) / self._rate)


def feed(
    out: IO[bytes], lines: list[tuple[bytes, bytes]], rate: float, seconds: float, start: datetime, began: float
) -> float:
    """Writes at a fixed rate; the longest time it was behind."""
    sent, worst, total = 0, 0.0, int(rate * seconds)
    origin = int(start.timestamp() * 1e6)
    while sent < total:
        now = time.monotonic() - began
        due = min(total, int(now * rate) + 1)
        if due <= sent:
            time.sleep(TICK_S)
            continue
        pieces = []
        for number in range(sent, due):
            head, tail = lines[number % len(lines)]
            # As of when it is due: what one person does in a moment has an order.
            second, micros = divmod(origin + int(number * 1e6 / rate), 1_000_000)
            pieces.append(b'%b%d", "ts": "%b.%06dZ", %b' % (head, number, _second(second), micros, tail))
        out.write(b"".join(pieces))
        out.flush()
        worst = max(worst, time.monotonic() - began - sent / rate)
        sent = due
    return worst


@cache
def _second(since_1970: int) -> bytes:
    return datetime.fromtimestamp(since_1970, UTC).strftime("%Y-%m-%dT%H:%M:%S").encode()


def quantiles(values: list[float]) -> str:
    """p50, p90, p99 and the longest, in milliseconds."""
    ordered = sorted(values)
    at = {share: 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in (0.5, 0.9, 0.99)}
    return " ".join(f"p{100 * share:.0f} {ms:.0f}" for share, ms in at.items()) + f" max {1000 * ordered[-1]:.0f} ms"


def histogram(values: list[float]) -> str:
    """How many in each doubling, from 2 ms."""
    counts: dict[int, int] = {}
    for value in values:
        place = max(1, int(1000 * value)).bit_length()
        counts[place] = counts.get(place, 0) + 1
    return ", ".join(f"<{2**place} ms: {counts[place]:,}" for place in sorted(counts))


def cpu_s(pid: int) -> float:
    """User and system seconds of a living process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> str:
    """The largest resident set of a living process."""
    text = Path(f"/proc/{pid}/status").read_text()
    return ", ".join(f"{name} {int(found[1]) // 1024:,} MB" for name in ("VmHWM", "RssFile", "RssAnon")
                     if (found := re.search(rf"{name}:\s+(\d+)", text)))  # fmt: skip


def main() -> None:
    """Read the arguments, or be the stream."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("--events", type=Path)
    parser.add_argument("--rate", type=float, default=1000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--order", choices=("recorded", "shuffled"), default="recorded")
    parser.add_argument("--linger", type=float, default=5.0, help="milliseconds")
    parser.add_argument("--checkpoint", type=float, default=300.0, help="seconds")
    parser.add_argument("--serve", action="store_true")
    asked = parser.parse_args()
    if asked.serve:
        serve(asked.work, asked.linger, asked.checkpoint)
        return
    lines = templates(asked.events, 400_000, asked.order)
    process = subprocess.Popen(
        [sys.executable, __file__, str(asked.work), "--serve", "--linger", str(asked.linger),
         "--checkpoint", str(asked.checkpoint)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    reader = Reader(process.stdout, asked.rate)
    reader.start()
    start = None
    for raw in process.stderr:
        text = raw.decode().rstrip()
        say(f"  {text}")
        if text.startswith("READY"):
            start = datetime.fromisoformat(text.split()[1])
            break
    if start is None:
        sys.exit("the stream did not start")
    tail = threading.Thread(target=lambda: [say(f"  {line.decode().rstrip()}") for line in process.stderr], daemon=True)
    tail.start()
    reader.began, before = time.monotonic(), cpu_s(process.pid)
    worst = feed(process.stdin, lines, asked.rate, asked.seconds, start, reader.began)
    say(f"{asked.rate:,.0f} events/s, {asked.order}, {asked.seconds:.0f} s; feeder at most {1000 * worst:.0f} ms late")
    spent = cpu_s(process.pid) - before
    say(f"memory: {memory(process.pid)}; cpu of the stream {100 * spent / asked.seconds:.0f} % of a core")
    process.stdin.close()
    process.wait()
    reader.join()
    say(f"{len(reader.latencies):,} changes of events: {quantiles(reader.latencies) if reader.latencies else 'none'}")
    say(f"{reader.others:,} others; {histogram(reader.latencies)}")


if __name__ == "__main__":
    main()
