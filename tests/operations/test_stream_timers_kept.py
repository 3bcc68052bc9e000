"""Instants that a stream must not forget: ends given to segments since, events and records of who is nobody yet."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

from operations.streaming import MORNING, Shop, line, write_project

from segctl.operations.apply import apply
from segctl.operations.session import open_session
from segctl.operations.stream.checkpoint import checkpoint

ORDERED = "where: {event: order, count: {at_least: 1}}"


def test_an_end_that_a_segment_was_given_since_is_kept_by_a_stream_that_begins_anew(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "shop", {"vip": ORDERED, "rest": "where: {not: {segment: vip}}"})
    shop = Shop(folder)
    with shop.stream() as stream:
        shop.at(10)
        shop.write(line(1, "ann", 5, "order"), line(2, "bob", 6, "order"), line(3, "cem", 6))
        stream.turn()
    shop.at(11)
    with shop.stream():
        pass
    (folder / "segments/vip.yaml").write_text(f"segment: vip\nexpires: 2026-11-21\n{ORDERED}\n")
    shop.at(12)
    with shop.stream() as stream:
        shop.at(901)
        stream.turn()

    assert shop.members() == {"rest": {"ann", "bob", "cem"}}, "nobody is in `vip` any more"


def test_the_first_of_two_instants_ahead_of_somebody_new_is_kept(tmp_path: Path) -> None:
    shop = Shop(write_project(tmp_path / "shop", {"new": f"where: {{not: {ORDERED.removeprefix('where: ')}}}"}))
    with shop.stream() as stream:
        shop.at(10)
        shop.write(line(1, "ann", 5), line(2, "bob", 40))
        stream.turn()
        shop.write(line(3, "bob", 60))
        stream.turn()
        shop.at(41)
        stream.turn()

        assert [one.profile for one in shop.heard.distinct] == ["ann", "bob"]


def test_a_record_dated_ahead_of_somebody_new_counts_at_its_instant(tmp_path: Path) -> None:
    source = "source: web\nkind: file\npath: data/*.ndjson\nkey: {customer_id: user}\nrecord_time: ts\n"
    folder = write_project(tmp_path / "shop", {"all": "where: {trait: country, equals: DE}"},
                           source=f"{source}profiles: {{country: country}}\n")  # fmt: skip
    declared = folder / "segctl.yaml"
    declared.write_text(f"{declared.read_text()}traits: {{country: text}}\n")

    def record(user: str, minutes: int) -> bytes:
        return json.dumps({"user": user, "ts": (MORNING + timedelta(minutes=minutes)).isoformat(),
                           "country": "DE"}).encode()  # fmt: skip

    shop = Shop(folder)
    with shop.stream() as stream:
        shop.at(10)
        shop.write(record("ann", 5), record("bob", 40))
        stream.turn()
        stream.turn()
        shop.at(41)
        stream.turn()
        checkpoint(stream.state)
        streamed = shop.members()
    with open_session(folder) as session:
        apply(session, as_of=shop.now, started=shop.now, full=True)

    assert streamed == shop.members() == {"all": {"ann", "bob"}}
