"""A fetched source: spool, resume, bookmark; the connector is a stand-in that keeps a list of records."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from segctl.compile import fetching
from segctl.connectors import sources
from segctl.connectors.sources.base import Around, Page, Start, Trial, ndjson
from segctl.model.errors import TemporaryError
from segctl.model.fetching import ForeignFetch
from segctl.model.secrets import forget, remember
from segctl.operations.ingest.fetch import Wishes
from segctl.state.bookmarks import bookmark
from segctl.state.spool import found_spool, spool_folder

if TYPE_CHECKING:
    from conftest import Shop

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
EVENTS = "kind: shelf\nkey: {customer_id: who}\nevents:\n  - {event: page_viewed, time: at, id: n}\n"
PROFILES = "kind: shelf\nkey: {customer_id: who}\nprofiles: {city: city}\n"


class Stop(BaseException):
    """A process that is killed."""


@dataclass
class Shelf:
    """Records with rising numbers, two a page; the number is the cursor."""

    records: list[dict[str, Any]] = field(default_factory=list)
    stop_before: int | None = None
    starts: list[Start] = field(default_factory=list)
    pages_given: int = 0
    error: type[BaseException] = Stop

    def add(self, *numbers: int, city: str = "Berlin") -> None:
        self.records += [{"n": n, "who": f"c{n}", "at": "2026-11-01", "city": city} for n in numbers]

    def __call__(self, fetch: ForeignFetch, around: Around) -> Shelf:
        return self

    def pages(self, start: Start) -> Iterator[Page]:
        self.starts.append(start)
        wanted = [r for r in self.records if r["n"] > (int(start.since or 0) or start.cursor or 0)]
        at = 0
        if start.position is not None:
            wanted, at = [r for r in self.records if r["n"] > start.position], 0
        while True:
            if self.stop_before is not None and self.pages_given >= self.stop_before:
                raise self.error if self.error is Stop else TemporaryError("SEG605", "away", hint="wait")
            page = wanted[at : at + 2]
            at += 2
            last = page[-1]["n"] if page else start.cursor
            self.pages_given += 1
            yield Page(ndjson(page), len(page), last if at < len(wanted) else None, last, len(wanted))
            if at >= len(wanted):
                return

    def check(self, limit: int) -> Trial:
        return Trial(())


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    found = Shelf()
    monkeypatch.setattr(fetching, "_foreign_kinds", lambda: ["shelf"])
    monkeypatch.setattr(sources, "CONNECTORS", {"shelf": f"{__name__}:SHELF"})
    monkeypatch.setattr(__import__(__name__), "SHELF", found, raising=False)
    yield found
    forget()


def mark(shop: Shop, name: str = "web") -> Any:
    with shop.workspace() as workspace:
        return bookmark(workspace, name)


def test_what_was_fetched_once_is_not_asked_for_again(shop: Shop, shelf: Shelf) -> None:
    shop.source("web", EVENTS)
    shelf.add(1, 2, 3)

    first = shop.ingest("web")
    shelf.add(4)
    second = shop.ingest("web")
    third = shop.ingest("web")

    assert (first.error, first.new, second.new, third.new) == (None, 3, 1, 0)
    assert [start.cursor for start in shelf.starts] == [None, 3, 4]
    assert sorted(shop.rows("events")["who"]) == ["c1", "c2", "c3", "c4"]
    assert mark(shop).cursor == 4
    assert third.state == "unchanged"


def test_a_killed_fetch_goes_on_after_its_last_durable_page(shop: Shop, shelf: Shelf) -> None:
    shop.source("web", EVENTS)
    shelf.add(1, 2, 3, 4, 5)
    shelf.stop_before = 2
    with pytest.raises(Stop):
        shop.ingest("web")
    with shop.workspace() as workspace:
        folder = spool_folder(workspace, "web")
    with (folder / "records.ndjson").open("ab") as stream:
        stream.write(b'{"n": 5, "who": "half a' + b" page" * 1000)
    shelf.stop_before = None

    result = shop.ingest("web")

    assert (result.error, result.read, result.new, result.bad) == (None, 5, 5, 0)
    assert shelf.starts[1] == Start(position=4, cursor=4)
    assert sorted(shop.rows("events")["who"]) == ["c1", "c2", "c3", "c4", "c5"]
    assert not folder.exists()


def test_a_process_killed_after_the_commit_takes_nothing_twice(
    shop: Shop, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    from segctl.state.spool import Spool

    shop.source("crm", PROFILES)
    shelf.add(1, 2)
    with monkeypatch.context() as patch:
        patch.setattr(Spool, "discard", _stop_when_filled(Spool.discard))
        with pytest.raises(Stop):
            shop.ingest("crm")
    assert mark(shop, "crm").cursor == 2

    result = shop.ingest("crm")

    assert (result.new, result.read) == (0, 0)
    assert shelf.starts[-1].cursor == 2


def _stop_when_filled(original: Any) -> Any:
    def discard(self: Any) -> None:
        if self.state.is_complete:
            raise Stop
        original(self)

    return discard


def test_a_service_that_fails_keeps_the_pages_and_says_so(shop: Shop, shelf: Shelf) -> None:
    shop.source("web", EVENTS)
    shelf.add(1, 2, 3)
    shelf.stop_before, shelf.error = 1, TemporaryError

    failed = shop.ingest("web")
    shelf.stop_before = None
    again = shop.ingest("web")

    assert failed.error is not None
    assert failed.error.hint == "wait; 2 records on 1 page are kept, and the next ingest goes on after them"
    assert again.new == 3


def test_a_dry_run_fetches_one_page_and_changes_nothing(shop: Shop, shelf: Shelf) -> None:
    shop.source("web", EVENTS)
    shelf.add(1, 2, 3, 4)

    result = shop.ingest("web", dry_run=True)

    assert (result.read, result.new, shelf.pages_given) == (2, 2, 1)
    assert mark(shop) is None
    assert shop.rows("events").is_empty()
    with shop.workspace() as workspace:
        assert found_spool(spool_folder(workspace, "web")) is None


def test_a_limit_takes_so_many_and_leaves_the_bookmark(shop: Shop, shelf: Shelf) -> None:
    shop.source("web", EVENTS)
    shelf.add(1, 2, 3, 4, 5)

    part = shop.ingest("web", wishes=Wishes(limit=3))

    assert (part.new, shelf.pages_given) == (3, 2)
    assert mark(shop).cursor is None
    assert shop.ingest("web").new == 2
    assert mark(shop).cursor == 5


def test_since_begins_elsewhere_and_never_hides_what_lies_between(shop: Shop, shelf: Shelf) -> None:
    shop.source("web", EVENTS)
    shelf.add(1, 2)
    shop.ingest("web")
    shelf.add(3, 4, 5, 6)

    later = shop.ingest("web", wishes=Wishes(since="4"))

    assert later.new == 2
    assert mark(shop).cursor == 2
    assert shop.ingest("web").new == 2


def test_full_asks_for_everything_and_known_records_change_nothing(shop: Shop, shelf: Shelf) -> None:
    shop.source("web", EVENTS)
    shelf.add(1, 2)
    shop.ingest("web")

    again = shop.ingest("web", full=True)

    assert (again.read, again.new) == (2, 0)
    assert shelf.starts[-1].cursor is None


def test_full_reads_events_again_as_the_declaration_says_now(shop: Shop, shelf: Shelf) -> None:
    shop.source("web", EVENTS)
    shelf.add(1, 2)
    shop.ingest("web")
    shop.source("web", EVENTS.replace("id: n}", "id: n, properties: {section: city}}"))

    again = shop.ingest("web", full=True)

    assert (again.new, again.replaced) == (0, 2)
    stored = shop.rows("events")
    (column,) = [name for name in stored.columns if "section" in name]
    assert sorted(zip(stored["who"], stored[column], strict=True)) == [("c1", "Berlin"), ("c2", "Berlin")]


def test_a_fetch_that_brought_nothing_begins_anew(shop: Shop, shelf: Shelf) -> None:
    shop.source("web", EVENTS)
    shelf.add(1)
    shelf.stop_before, shelf.error = 0, TemporaryError
    assert shop.ingest("web").error is not None
    shelf.stop_before = None

    result = shop.ingest("web")

    assert result.notes == ["fetched 1 record on 1 page"]
    with shop.workspace() as workspace:
        (path,) = [row["path"] for row in workspace.query("SELECT path FROM inputs WHERE seq IS NOT NULL")]
    assert path == "web fetched 2026-11-21T14:00:00Z"


def test_other_records_are_fetched_from_their_beginning(shop: Shop, shelf: Shelf) -> None:
    shop.source("web", EVENTS)
    shelf.add(1, 2)
    shop.ingest("web")
    shop.source("web", EVENTS.replace("key:", "shelf: {row: upper}\nkey:"))

    again = shop.ingest("web")

    assert shelf.starts[-1].cursor is None
    assert "the declaration asks for other records than before, so everything was fetched again" in again.notes


def test_refused_records_are_read_again_once_the_declaration_is_mended(shop: Shop, shelf: Shelf) -> None:
    shop.source("crm", PROFILES.replace("city: city", "points: city"))
    shelf.add(1, 2)
    assert shop.ingest("crm").error is not None
    assert mark(shop, "crm") is None
    shop.source("crm", PROFILES)

    mended = shop.ingest("crm")

    assert (mended.error, mended.new, len(shelf.starts)) == (None, 2, 1)


def test_the_same_declaration_fetches_refused_records_anew(shop: Shop, shelf: Shelf) -> None:
    shop.source("crm", PROFILES.replace("city: city", "points: city"))
    shelf.add(1, 2)
    shop.ingest("crm")
    shelf.records.clear()
    shelf.add(3, city="12")

    mended = shop.ingest("crm")

    assert (mended.error, mended.new, len(shelf.starts)) == (None, 1, 2)


def test_a_full_picture_takes_no_part(shop: Shop, shelf: Shelf) -> None:
    shop.source("crm", PROFILES + "picture: full\n")
    shelf.add(1, 2, 3)
    assert shop.ingest("crm").new == 3
    refused = shop.ingest("crm", wishes=Wishes(limit=1)).error
    assert refused is not None
    assert refused.code == "SEG384"
    del shelf.records[0]

    gone = shop.ingest("crm")

    assert (gone.gone, shelf.starts[-1].cursor) == (1, None)
    shelf.records.clear()
    empty = shop.ingest("crm").error
    assert empty is not None
    assert empty.code == "SEG314"


def test_a_secret_that_a_service_repeats_reaches_no_file(shop: Shop, shelf: Shelf) -> None:
    remember("sk_planted_92")
    shop.source("crm", PROFILES)
    shelf.add(1, city="token sk_planted_92 inside")

    shop.ingest("crm")

    stored = shop.rows("records/crm").select(pl.selectors.string()).rows()
    assert any("token *** inside" in row for row in stored)
    for path in shop.root.rglob("*"):
        assert not path.is_file() or b"sk_planted_92" not in path.read_bytes(), path


def test_stopped_at_any_moment_of_writing_it_ends_with_each_record_once(
    shop: Shop, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every flush to disk, of the spool and of the commit, is once the last thing that happens."""
    shop.source("web", EVENTS)
    flush, left = os.fsync, [0]

    def stops(handle: int) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise Stop
        flush(handle)

    monkeypatch.setattr(os, "fsync", stops)
    stopped, number = 0, 0
    while number == stopped:
        shelf.add(*(3 * number + n for n in (1, 2, 3)))
        number += 1
        left[0] = number
        try:
            shop.ingest("web")
        except Stop:
            stopped += 1
            left[0] = 0
            assert shop.ingest("web").error is None

    left[0] = 0
    assert stopped > 8
    assert sorted(shop.rows("events")["who"]) == sorted(f"c{n + 1}" for n in range(3 * number))
    assert mark(shop).cursor == 3 * number


def test_a_connector_of_another_package_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shelf = Shelf()

    class Point:
        name = "theirs"

        def load(self) -> Shelf:
            return shelf

    monkeypatch.setattr(sources, "entry_points", lambda group: [Point()] if group == "segctl.connectors" else [])
    around = Around("web", tmp_path, NOW)

    assert sources.connect(ForeignFetch("theirs", "{}"), around) is shelf
    with pytest.raises(LookupError):
        sources.connect(ForeignFetch("nobodys", "{}"), around)


def test_a_kind_nobody_brings_is_a_finding(shop: Shop) -> None:
    from segctl.compile.project import load_project
    from segctl.compile.sources import load_sources

    shop.source("web", EVENTS)

    _, findings = load_sources(load_project(shop.root)[0])

    assert [(f.code, f.message) for f in findings] == [("SEG304", "`shelf` is no kind of source")]


def test_lines_hold_any_text() -> None:
    records = [{"a": "Zeile\nzwei \ud83d\ude00 ü", "b": [1, 2.5, None, True]}, {}]

    assert [json.loads(line) for line in ndjson(records).splitlines()] == records
