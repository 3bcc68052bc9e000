"""kill -9 while requests come in: whatever was answered with 200 is there after the restart, and counts once."""

from __future__ import annotations

import json
import random
import threading
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest
from listening import KEYS, Collector, collecting, ingested, lines, write_project

CONNECTIONS = 4


class Sender(threading.Thread):
    """Sends numbered messages until nobody answers; a number without an answer is sent again later, as libraries do."""

    def __init__(self, collector: Collector, name: str, waiting: list[str]) -> None:
        super().__init__()
        self.collector, self.label, self.answered = collector, name, list[str]()
        self.waiting = waiting

    def run(self) -> None:
        link = HTTPConnection("127.0.0.1", self.collector.port, timeout=5)
        for number in range(100_000):
            message = self.waiting.pop() if self.waiting else f"{self.label}-{number}"
            note = "ä" * random.randrange(400)
            body = {"userId": "u1", "event": "Product Viewed", "messageId": message, "properties": {"note": note}}
            body["timestamp"] = "2026-11-22T12:00:00Z"
            headers = {"Content-Type": "application/json", "X-Write-Key": KEYS["SHOP_KEY"]}
            try:
                link.request("POST", "/v1/track", json.dumps(body), headers)
                answer = link.getresponse()
                answer.read()
            except (OSError, HTTPException):
                self.waiting.append(message)
                link.close()
                return
            assert answer.status == 200
            self.answered.append(message)


def one_round(root: Path, name: str, waiting: list[str], seconds: float) -> list[str]:
    with collecting(root) as collector:
        senders = [Sender(collector, f"{name}-{n}", waiting) for n in range(CONNECTIONS)]
        for sender in senders:
            sender.start()
        time.sleep(seconds)
        collector.kill()
        for sender in senders:
            sender.join(10)
    return [message for sender in senders for message in sender.answered]


def check(root: Path, rounds: int, seconds: tuple[float, float]) -> None:
    answered: list[str] = []
    waiting: list[str] = []
    dice = random.Random(7)
    for number in range(rounds):
        answered += one_round(root, f"r{number}", waiting, dice.uniform(*seconds))
        newest = max((root / ".segctl").rglob("collector/*.ndjson"))
        if number % 2:
            # What a machine leaves that loses its power while it writes.
            with newest.open("ab") as file:
                file.write(b'{"received":"2026-11-22T12:00:00.000Z","source":"web","key"')
    with collecting(root) as last:
        last.stop()

    kept = [line["id"] for line in lines(root)]
    assert len(answered) > rounds * 10
    assert len(answered) == len(set(answered))
    assert set(answered) <= set(kept)
    events = ingested(root)["product_viewed"]
    assert events == len(set(kept))
    assert events >= len(answered)


def test_what_was_answered_is_there_after_a_kill(tmp_path: Path) -> None:
    check(write_project(tmp_path / "p", ("web",)), 2, (0.2, 0.3))


@pytest.mark.crash
def test_what_was_answered_is_there_after_forty_kills(tmp_path: Path) -> None:
    check(write_project(tmp_path / "p", ("web",)), 40, (0.05, 0.8))
