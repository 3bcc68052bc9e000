"""Corrections in a stream: who loses an event or a row of a table is asked, and nothing else is lost by it."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest
from operations.streaming import PROJECT, SEGMENTS, SOURCE, Shop, line, write_project

from segctl.connectors.streams.base import Chunk
from segctl.operations.causes.words import kind_of
from segctl.operations.ingest.ingest import sources_of
from segctl.operations.stream import open as stream_open
from segctl.operations.stream.checkpoint import checkpoint

BUYERS = {"buyers": SEGMENTS["buyers"]}
REPLACING = SOURCE + "corrections: replace\n"


@pytest.mark.parametrize("is_stored", [pytest.param(False, marks=pytest.mark.slow), True])
def test_who_had_a_corrected_event_is_asked_too(tmp_path: Path, is_stored: bool) -> None:
    shop = Shop(write_project(tmp_path / "shop", BUYERS, source=REPLACING))
    with shop.stream() as stream:
        shop.at(10)
        shop.write(line(1, "ann", 5, "order", "80"))
        stream.turn()
        if is_stored:
            checkpoint(stream.state)
        shop.write(line(1, "bob", 5, "order", "80"))
        stream.turn()

    assert [(one.profile, one.entered) for one in shop.heard.changes[1:]] == [("ann", False), ("bob", True)]
    assert kind_of(shop.heard.changes[1].cause) == "event_replaced"
    assert shop.members() == {"buyers": {"bob"}}


class Given:
    """A feed of what a test puts there."""

    has_ended = False

    def __init__(self, name: str) -> None:
        self.name = name
        self.waiting: list[bytes] = []
        self.given = 0

    def read(self, timeout_s: float, most_lines: int) -> list[Chunk]:
        lines, self.waiting = self.waiting, []
        self.given += len(lines)
        is_new = self.given == len(lines)
        return [Chunk(f"at {self.name}", lines, str(self.given), time.monotonic(), is_new)] if lines else []

    def close(self) -> None:
        """Nothing is held."""


def test_records_that_wait_are_asked_for_when_a_correction_makes_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gold = {"gold": "where: {trait: tier, equals: gold}"}
    folder = write_project(tmp_path / "shop", gold, source=REPLACING)
    (folder / "segctl.yaml").write_text(PROJECT + "traits: {tier: text}\n")
    (folder / "sources" / "crm.yaml").write_text(
        "source: crm\nkind: file\npath: crm/*.ndjson\nkey: {customer_id: nr}\nprofiles: {tier: tier}\n"
    )
    web, crm = Given("web"), Given("crm")
    monkeypatch.setattr(
        stream_open, "_sources", lambda session, wish: [sources_of(session.project)[name] for name in ("web", "crm")]
    )
    monkeypatch.setattr(stream_open, "_feed", lambda session, source, *_: {"web": web, "crm": crm}[source.name])
    shop = Shop(folder)
    shop.habits = replace(shop.habits, records_s=1e9)
    with shop.stream() as stream:
        shop.at(10)
        web.waiting = [line(1, "ann", 5, "order", "80"), line(2, "bob", 5, "order", "1")]
        stream.turn()
        crm.waiting = [json.dumps({"nr": "bob", "tier": "gold"}).encode()]
        stream.turn()
        web.waiting = [line(1, "ann", 5, "order", "70")]
        stream.turn()

    assert shop.heard.members() == shop.members() == {"gold": {"bob"}}


@pytest.mark.parametrize("owner", ["bob", pytest.param(None, marks=pytest.mark.slow)])
def test_who_had_a_row_of_a_table_that_moves_is_asked_too(tmp_path: Path, owner: str | None) -> None:
    asks = {"waiting": "where: {related: tickets, where: {status: open}, count: {at_least: 1}}"}
    shop = Shop(write_project(tmp_path / "shop", asks))
    (shop.folder / "segctl.yaml").write_text(PROJECT + "related: {tickets: {properties: {status: text}}}\n")
    (shop.folder / "sources" / "desk.yaml").write_text(
        "source: desk\nkind: file\npath: data/*.ndjson\nkey: {customer_id: user}\n"
        "related: {table: tickets, id: id, properties: {status: status}}\n"
    )
    with shop.stream(source="web") as stream:
        shop.at(10)
        shop.write(line(1, "ann", 5), line(2, "bob", 5))
        stream.turn()
    desk = stream_open.Wish(place=str(shop.folder / "data" / "desk.ndjson"))

    def ticket(who: str | None) -> None:
        with Path(desk.place).open("ab") as file:
            file.write(json.dumps({"id": "t1", "user": who, "status": "open"}).encode() + b"\n")

    ticket("ann")
    with shop.stream(desk, source="desk") as stream:
        stream.turn()
        before = shop.heard.members()
        ticket(owner)
        stream.turn()

    assert before == {"waiting": {"ann"}}
    assert shop.heard.members() == shop.members() == ({} if owner is None else {"waiting": {owner}})
