"""Feeds of a stream: pipes, files that grow and are replaced, and a Kafka topic on librdkafka's mock cluster."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path

import pytest

from segctl.connectors.collector.files import collector_folder
from segctl.connectors.collector.lines import head_of
from segctl.connectors.collector.lines import line_of as collected_line
from segctl.connectors.files.base import MAX_RECORD_BYTES
from segctl.connectors.streams import growing
from segctl.connectors.streams.base import Chunk, LineCutter, size_of
from segctl.connectors.streams.collected import CollectedFeed
from segctl.connectors.streams.growing import GrowingFiles
from segctl.connectors.streams.pipe import PipeFeed


def lines_of(chunks: list[Chunk]) -> list[bytes]:
    return [line for chunk in chunks for line in chunk.lines]


class Places:
    """Positions as a stream would commit them."""

    def __init__(self) -> None:
        self.by_feed: dict[str, str] = {}

    def __call__(self, feed: str) -> str | None:
        return self.by_feed.get(feed)

    def commit(self, chunks: list[Chunk]) -> None:
        self.by_feed |= {chunk.feed: chunk.position for chunk in chunks}


def test_pieces_are_cut_into_the_lines_they_hold() -> None:
    cutter = LineCutter()

    found = [line for piece in (b"a", b"b\nc\n\nd", b"", b"e\n", b"f") for line in cutter.cut(piece)]

    assert found == [b"ab", b"c", b"", b"de"]
    assert (cutter.waiting, cutter.last(), cutter.last()) == (1, [b"f"], [])


def test_a_line_beyond_the_limit_keeps_its_length_only() -> None:
    cutter = LineCutter()
    piece = b"x" * (1024 * 1024)

    for _ in range(MAX_RECORD_BYTES // len(piece) + 2):
        assert cutter.cut(piece) == []
    (long, short) = cutter.cut(b"xyz\nok\n")

    assert (len(long) < 50, size_of(long)) == (True, MAX_RECORD_BYTES + 2 * len(piece) + 3)
    assert short == b"ok"


def test_a_pipe_gives_its_lines_and_ends() -> None:
    reading, writing = os.pipe()
    feed = PipeFeed("-", reading)
    os.write(writing, b"one\ntwo\nthr")
    first = feed.read(5.0, 10)
    os.write(writing, b"ee")
    os.close(writing)
    while not (rest := feed.read(5.0, 10)):
        assert not feed.has_ended

    assert [lines_of(first), lines_of(rest)] == [[b"one", b"two"], [b"three"]]
    assert (first[0].is_new, rest[0].is_new, rest[0].position) == (True, False, "3")
    assert feed.has_ended
    feed.close()


def test_whoever_writes_to_a_pipe_that_is_not_read_has_to_wait() -> None:
    reading, writing = os.pipe()
    feed = PipeFeed("-", reading)
    done = threading.Event()

    def write() -> None:
        with os.fdopen(writing, "wb") as file:
            for _ in range(20_000):
                file.write(b"x" * 999 + b"\n")
        done.set()

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    time.sleep(0.3)
    held = feed._waiting
    count = 0
    while not feed.has_ended:
        count += len(lines_of(feed.read(1.0, 5000)))
    thread.join(5)

    assert held < 10_000_000
    assert (count, done.is_set()) == (20_000, True)
    feed.close()


def test_a_file_is_followed_from_where_it_was_committed(tmp_path: Path) -> None:
    path, places = tmp_path / "a.ndjson", Places()
    path.write_bytes(b"1\n2\n3")
    feed = GrowingFiles(path, places, once=False, root=tmp_path)
    first = feed.read(0, 1)
    places.commit(first)
    lost = feed.read(0, 10)
    feed.close()
    with path.open("ab") as file:
        file.write(b"3\n4\n")

    again = GrowingFiles(path, places, once=False, root=tmp_path)

    assert [lines_of(first), lines_of(lost)] == [[b"1"], [b"2"]]
    assert lines_of(again.read(0, 10)) == [b"2", b"33", b"4"]
    assert (first[0].feed, first[0].is_new) == ("a.ndjson", True)
    again.close()


def test_a_file_that_took_the_place_of_another_is_read_from_its_start(tmp_path: Path) -> None:
    path, places = tmp_path / "a.ndjson", Places()
    path.write_bytes(b"1\n2\n")
    feed = GrowingFiles(path, places, once=False, root=tmp_path)
    places.commit(feed.read(0, 10))
    path.rename(tmp_path / "old")
    with (tmp_path / "old").open("ab") as file:
        file.write(b"3\n")
    path.write_bytes(b"4\n")
    found: list[Chunk] = []
    until = time.monotonic() + 10
    while len(lines_of(found)) < 2 and time.monotonic() < until:
        found += feed.read(0.1, 10)

    assert lines_of(found) == [b"3", b"4"]
    assert [chunk.is_new for chunk in found] == [False, True]
    feed.close()


def test_a_file_that_was_cut_off_and_has_grown_beyond_the_place_since_is_read_from_its_start(tmp_path: Path) -> None:
    path, places = tmp_path / "grows.ndjson", Places()
    path.write_bytes(b"one\ntwo\nthr")
    feed = GrowingFiles(path, places, once=False, root=tmp_path)
    before = feed.read(0, 100)
    places.commit(before)
    with path.open("r+b") as file:
        file.truncate(0)
        file.write(b"a line that is longer\nlast\n")
    after = feed.read(0.1, 100)
    feed.close()

    assert lines_of(before) == [b"one", b"two"]
    assert lines_of(after) == [b"a line that is longer", b"last"]
    assert after[0].is_new


def test_files_that_are_gone_are_let_go_once_they_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growing, "_LOOK_S", 0)
    path = tmp_path / "one.ndjson"
    path.write_bytes(b"one\n")
    feed = GrowingFiles(tmp_path, Places(), once=False, root=tmp_path)
    feed.read(0, 100)
    with path.open("ab") as writer:
        path.unlink()
        feed.read(0, 100)
        writer.write(b"two\n")
    late = feed.read(0, 100)
    monkeypatch.setattr(growing, "_GONE_S", 0)
    feed.read(0, 100)

    assert lines_of(late) == [b"two"]
    assert not any("one.ndjson" in os.readlink(fd) for fd in Path("/proc/self/fd").iterdir() if fd.is_symlink())


def test_files_of_a_folder_come_in_the_order_of_their_names_and_the_last_line_needs_no_end(tmp_path: Path) -> None:
    (tmp_path / "b.ndjson").write_bytes(b"3\n4")
    (tmp_path / "a.jsonl").write_bytes(b"1\n2\n")
    (tmp_path / "notes.txt").write_bytes(b"no\n")
    feed = GrowingFiles(tmp_path, Places(), once=True, root=tmp_path)

    found = feed.read(1.0, 100)

    assert lines_of(found) == [b"1", b"2", b"3", b"4"]
    assert feed.has_ended
    feed.close()


def test_of_many_files_few_are_open_and_all_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growing, "_LOOK_S", 0)
    monkeypatch.setattr(growing, "_MOST_OPEN", 3)
    names, places = [f"{n}.ndjson" for n in range(9)], Places()
    for name in names:
        (tmp_path / name).write_bytes(f"{name} 1\n{name} 2\nha".encode())
    feed = GrowingFiles(tmp_path, places, once=False, root=tmp_path)
    first = [chunk for _ in range(9) for chunk in feed.read(0, 3)]
    places.commit(first)
    held = [fd for fd in Path("/proc/self/fd").iterdir() if str(tmp_path) in os.path.realpath(fd)]
    nothing = feed.read(0, 100)
    for name in names:
        with (tmp_path / name).open("ab") as file:
            file.write(b"lf\n")
    then = feed.read(0, 100)
    (tmp_path / "new").write_bytes(b"new\n" * 9)
    (tmp_path / "new").rename(tmp_path / "0.ndjson")
    last = feed.read(0, 100)
    feed.close()
    again = GrowingFiles(tmp_path, places, once=True, root=tmp_path)
    rest = again.read(0, 100)
    again.close()

    assert lines_of(first) == [f"{name} {n}".encode() for name in names for n in (1, 2)]
    assert (nothing, len(held) <= 3) == ([], True)
    assert lines_of(then) == [b"half"] * 9
    assert lines_of(last) == [b"new"] * 9
    assert lines_of(rest) == [b"new"] * 9 + [b"half"] * 8


def test_requests_to_a_source_are_followed_from_file_to_file(tmp_path: Path) -> None:
    folder, places = collector_folder(tmp_path), Places()
    folder.mkdir()
    mine, other = head_of("web", "shop", "json"), head_of("app", "shop", "json")

    def accepted(name: str, *bodies: tuple[bytes, bytes]) -> None:
        with (folder / name).open("ab") as file:
            file.write(b"".join(collected_line(head, "2026-11-20T10:00:00Z", body, id=None) for head, body in bodies))

    accepted("2026-11-20T10-000001.ndjson", (mine, b'{"n": 1}'), (other, b'{"n": 2}'), (mine, b'{"n": 3}'))
    feed = CollectedFeed(tmp_path, "web", places, once=False)
    first = feed.read(0, 10)
    places.commit(first)
    accepted("2026-11-20T11-000001.ndjson", (mine, b'{"n": 4}'))

    again = CollectedFeed(tmp_path, "web", places, once=True)
    rest = again.read(1.0, 10)

    assert [json.loads(one)["n"] for one in lines_of(first)] == [1, 3]
    assert [json.loads(one)["n"] for one in lines_of(rest)] == [4]
    assert (first[0].feed, first[0].is_new, rest[0].is_new) == ("collector:web", True, False)
    assert again.read(0, 10) == []
    assert again.has_ended


# --- Kafka ----------------------------------------------------------------------------------------------------
def test_a_topic_is_read_from_where_it_was_committed_with_all_its_partitions() -> None:
    kafka = pytest.importorskip("confluent_kafka")
    from segctl.connectors.streams.kafka import KafkaFeed

    cluster = kafka.Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "mock"})
    brokers = next(iter(cluster.list_topics(timeout=10).brokers.values()))
    address = f"kafka://{brokers.host}:{brokers.port}/events"
    for number in range(20):
        cluster.produce("events", json.dumps({"n": number}).encode(), partition=number % 4)
    cluster.flush(10)
    places = Places()
    feed = KafkaFeed(address, places, once=False)
    first: list[Chunk] = []
    while len(lines_of(first)) < 20:
        first += feed.read(5.0, 7)
        places.commit(first)
    feed.close()
    cluster.produce("events", b'{"n": 20}', partition=3)
    cluster.flush(10)

    again = KafkaFeed(address, places, once=True)
    rest: list[Chunk] = []
    while not again.has_ended:
        rest += again.read(5.0, 100)

    assert sorted(json.loads(line)["n"] for line in lines_of(first)) == list(range(20))
    assert lines_of(rest) == [b'{"n": 20}']
    assert [chunk.is_new for chunk in (first[0], rest[0])] == [True, False]
    again.close()
