"""The end of a streamed day is what batch says of it, on data that nobody made for this program and on the sample."""

from __future__ import annotations

import csv
import gzip
import json
import shutil
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from operations.streaming import Heard, Listening, members_of

from segctl.operations.apply import apply
from segctl.operations.ingest.ingest import ingest, sources_of
from segctl.operations.init import create_project
from segctl.operations.session import open_session
from segctl.operations.stream.open import Wish, opened
from segctl.operations.stream.state import Habits
from segctl.state.runs import runs

HERE = Path(__file__).resolve().parent / "real"
LONG_AFTER = datetime(2026, 12, 1, tzinfo=UTC)
Members = dict[str, set[str]]


def ingested(folder: Path, names: Sequence[str] | None = None) -> None:
    with open_session(folder, create=True) as session:
        declared = sources_of(session.project)
        chosen = [source for name, source in declared.items() if names is None or name in names]
        for result in ingest(session.project, session.workspace, chosen, now=LONG_AFTER).sources:
            assert result.error is None, result.error


def streamed(folder: Path, source: str, path: Path, *, step_s: float) -> tuple[Heard, datetime]:
    """Plays a recorded file; what was said, and the end."""
    heard = Heard()
    wish = Wish((source,), str(path), "event", once=True, habits=Habits(linger_s=0, look_s=0, step_s=step_s))
    with (
        open_session(folder, create=True) as session,
        opened(
            session,
            wish,
            wall=lambda: LONG_AFTER,
            listener=Listening(heard),
            reload=lambda: session,
            before=lambda: None,
        ) as stream,
    ):
        stream.run(lambda: False)
    with open_session(folder) as session:
        return heard, runs(session.workspace)[0].as_of


def end_of_batch(folder: Path, at: datetime) -> Members:
    with open_session(folder, create=True) as session:
        apply(session, as_of=at, started=LONG_AFTER)
    return members_of(folder)


def agree(
    make: Callable[[Path], Path], tmp_path: Path, source: str, day: Sequence[str], *, step_s: float, least: int
) -> None:
    """A project with its history streams a day; another one ingests both."""
    live, batch = make(tmp_path / "live"), make(tmp_path / "batch")
    ingested(live)
    (live / "day.ndjson").write_text("".join(day), "utf-8")
    before = end_of_batch(live, _first_instant(live))

    heard, end = streamed(live, source, live / "day.ndjson", step_s=step_s)

    (batch / "data").mkdir(exist_ok=True)
    (batch / "data" / "day.ndjson").write_text("".join(day), "utf-8")
    ingested(batch)
    expected = end_of_batch(batch, end)
    assert len(expected) >= least
    assert members_of(live) == expected
    assert before != expected
    assert len({change.seq for change in heard.changes}) == len(heard.changes) > 0
    for change in heard.changes:
        among = before.setdefault(change.segment, set())
        (among.add if change.entered else among.remove)(change.profile)
    assert {segment: who for segment, who in before.items() if who} == expected


def _first_instant(folder: Path) -> datetime:
    """Just behind the newest stored event, so that the day comes after it."""
    with open_session(folder) as session:
        newest = max(file.meta["max_ts"] for file in session.workspace.files("events"))
    return datetime.fromtimestamp(newest / 1e6, UTC)


def as_lines(rows: Sequence[object]) -> list[str]:
    return [json.dumps(row) + "\n" for row in rows]


@pytest.mark.slow
def test_half_a_year_of_clicks(shared: Path, tmp_path: Path) -> None:
    with gzip.open(shared / "datasets" / "retentioneering_ecom" / "ecom.csv.gz", "rt", encoding="utf-8") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row["timestamp"])
    day = rows[-1]["timestamp"][:10]
    cut = next(n for n, row in enumerate(rows) if row["timestamp"][:10] == day)

    def make(folder: Path) -> Path:
        shutil.copytree(HERE / "retentioneering_ecom", folder, ignore=shutil.ignore_patterns("sql*", "views.sql"))
        (folder / "data").mkdir()
        text = (folder / "sources" / "clicks.yaml").read_text("utf-8")
        (folder / "sources" / "clicks.yaml").write_text(text.replace("ecom.csv.gz", "*.ndjson"), "utf-8")
        (folder / "data" / "all.ndjson").write_text("".join(as_lines(rows[:cut])), "utf-8")
        return folder

    agree(make, tmp_path, "clicks", as_lines(rows[cut:]), step_s=3600, least=8)


@pytest.mark.slow
def test_sessions_of_google_analytics_360(shared: Path, tmp_path: Path) -> None:
    path = shared / "datasets" / "ga360_merch" / "sessions_nested_raw.jsonl"
    lines = sorted(path.read_text("utf-8").splitlines(keepends=True), key=lambda one: json.loads(one)["visitStartTime"])
    cut = len(lines) * 4 // 5

    def make(folder: Path) -> Path:
        for name in ("sources", "segments", "data"):
            (folder / name).mkdir(parents=True)
        (folder / "segctl.yaml").write_text(GA360_PROJECT)
        (folder / "sources" / "web.yaml").write_text(
            "source: web\npath: data/*.ndjson\ntracking: ga360\nmax_bad_rows: 80 %\n"
        )
        for name, where in GA360_SEGMENTS.items():
            (folder / "segments" / f"{name}.yaml").write_text(f"segment: {name}\n{where}\n")
        (folder / "data" / "all.ndjson").write_text("".join(lines[:cut]), "utf-8")
        return folder

    agree(make, tmp_path, "web", lines[cut:], step_s=86_400, least=4)


GA360_PROJECT = """segctl: 1
name: web
timezone: America/Los_Angeles
population: [known, anonymous]
identifiers:
  user_id: {class: known}
  anonymous_id: {class: anonymous}
events:
  page_viewed: {properties: {path: text}}
  product_viewed: {properties: {path: text}}
  product_added: {properties: {path: text}}
  product_clicked: {properties: {path: text}}
  order_completed: {properties: {order_id: text}}
"""
GA360_SEGMENTS = {
    "visitors": "where: {event: page_viewed, within_last: 7 days, count: {at_least: 1}}",
    "readers": "where: {event: page_viewed, within_last: 30 days, count: {at_least: 5}}",
    "lookers": "where:\n  all:\n    - {event: product_viewed, count: {at_least: 1}}\n"
    "    - {event: order_completed, count: 0}",
    "browsers": "where: {event: product_clicked, within_last: 60 days, count: {at_least: 1}}",
    "left_carts": "where:\n  sequence:\n    - {event: product_added, between: [40 days ago, 1 day ago]}\n"
    "    - then_not: {event: order_completed}",
}


@pytest.mark.slow
def test_the_web_log_of_the_sample_shop_and_all_its_segments(tmp_path: Path) -> None:
    def make(folder: Path) -> Path:
        create_project(folder, template="shop")
        path = folder / "data" / "web.ndjson.gz"
        lines = sorted(gzip.decompress(path.read_bytes()).decode().splitlines(keepends=True), key=sent_at)
        path.unlink()
        cut = next(n for n, one in enumerate(lines) if sent_at(one) >= "2026-11-17")
        (folder / "data" / "history.ndjson").write_text("".join(lines[:cut]), "utf-8")
        text = (folder / "sources" / "web.yaml").read_text("utf-8").replace("data/web.ndjson.gz", "data/*.ndjson")
        (folder / "sources" / "web.yaml").write_text(text, "utf-8")
        (folder / "day.txt").write_text("".join(lines[cut:]), "utf-8")
        return folder

    day = (make(tmp_path / "first") / "day.txt").read_text("utf-8").splitlines(keepends=True)
    agree(make, tmp_path, "web", day, step_s=14_400, least=30)


def sent_at(line: str) -> str:
    try:
        return str(json.loads(line).get("sent_at") or "")
    except ValueError:
        return ""
