"""A validation of fetched sources reads what was kept of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from segctl.compile.project import load_project
from segctl.compile.sources import load_sources
from segctl.connectors.sources.base import Page, Start
from segctl.operations.ingest.ingest import ingest, open_for_ingest, sources_of
from segctl.operations.ingest.landed import land
from segctl.operations.validate import Wishes, validate_named, validate_project
from segctl.state.workspace import Workspace

NOW = datetime(2026, 11, 21, tzinfo=UTC)
PROJECT = "segctl: 1\nname: shop\nidentifiers: {customer_id: {class: known}}\ntraits: {city: text}\n"
SOURCE = """
source: people
kind: rest
rest: {base_url: "https://shop.example.org", path: /people}
key: {customer_id: id}
profiles: {city: ort}
contract: {properties: {ort: {enum: [Bonn]}}}
"""


def project_in(folder: Path) -> None:
    (folder / "sources").mkdir()
    (folder / "segctl.yaml").write_text(PROJECT)
    (folder / "sources" / "people.yaml").write_text(SOURCE)


def test_kept_copies_are_judged(tmp_path: Path) -> None:
    project_in(tmp_path)
    project, _ = load_project(tmp_path, None)
    sources, wrong = load_sources(project)
    assert [finding.message for finding in wrong] == []
    spool = tmp_path / "spool.ndjson"
    spool.write_text('{"id": 1, "ort": "Bonn"}\n{"id": 2, "ort": "Rom"}\n')
    with Workspace.open(Path(project.workspace), create=True) as workspace:
        files = land(workspace, sources["people"].name, spool, shown="people fetched", digest="d", now=NOW)
        workspace.commit("ingest", files)

    found = validate_named(tmp_path, None, ["people"], Wishes(NOW)).sources[0]

    assert (found.rows, found.bad, found.files) == (2, 1, ("people fetched",))


def test_without_a_copy_nothing_is_judged_and_that_is_said(tmp_path: Path) -> None:
    project_in(tmp_path)

    found = validate_named(tmp_path, None, ["people"], Wishes(NOW)).sources[0]

    assert found.verdict == "not judged"
    assert "no copy" in found.notes[0]


SERVICE = 'base_url: "https://shop.example.org", path: /people'


class Service:
    """What a service would give: pages in place of requests."""

    def __init__(self, records: tuple[dict[str, object], ...], *, has_cursor: bool) -> None:
        self.records = records
        self.has_cursor = has_cursor

    def pages(self, start: Start) -> Iterator[Page]:
        new = [r for r in self.records if start.cursor is None or r["at"] > start.cursor]  # type: ignore[operator]  # texts
        cursor = max(str(r["at"]) for r in self.records) if self.has_cursor else None
        yield Page("".join(json.dumps(r) + "\n" for r in new).encode(), len(new), cursor=cursor)


def fetched(folder: Path, *records: dict[str, object], full: bool = False) -> None:
    with pytest.MonkeyPatch.context() as patch, open_for_ingest(folder) as (project, workspace):
        patch.setattr(
            "segctl.operations.ingest.fetch.connected",
            lambda source, fetch, _: Service(records, has_cursor=fetch.is_incremental),
        )
        found = ingest(project, workspace, list(sources_of(project).values()), now=NOW, full=full)
    assert [source.error for source in found.sources] == [None]


def record(number: int, town: str, day: int) -> dict[str, object]:
    return {"id": number, "ort": town, "at": f"2026-11-{day:02}"}


@pytest.mark.parametrize("has_cursor", [True, False])
def test_copies_that_came_again_do_not_add_up(tmp_path: Path, has_cursor: bool) -> None:
    project_in(tmp_path)
    cursor = ", cursor: {field: at, param: since}" if has_cursor else ""
    text = SOURCE.replace(SERVICE, SERVICE + cursor) + "checks: [{unique: [id]}]\nmax_bad_rows: 9\n"
    (tmp_path / "sources" / "people.yaml").write_text(text)

    def judged() -> tuple[int, int, bool]:
        found = validate_named(tmp_path, None, ["people"], Wishes(NOW)).sources[0]
        return found.rows, found.bad, not found.broken

    fetched(tmp_path, record(1, "Bonn", 1), record(2, "Rom", 2))
    assert judged() == (2, 1, True)
    fetched(tmp_path, record(1, "Bonn", 1), record(2, "Rom", 2), record(3, "Rom", 3))
    assert judged() == (3, 2, True)
    fetched(tmp_path, record(1, "Bonn", 1), record(2, "Bonn", 4), record(3, "Bonn", 3), full=True)
    assert judged() == (3, 0, True)
    fetched(tmp_path, record(1, "Bonn", 1), record(2, "Bonn", 4), record(3, "Bonn", 3), record(4, "Rom", 5))
    assert judged() == (4, 1, True)


def test_a_source_without_its_file_is_a_finding_and_the_others_are_judged(tmp_path: Path) -> None:
    project_in(tmp_path)
    local = "source: {0}\npath: {0}.csv\nkey: {{customer_id: id}}\nprofiles: {{city: ort}}\n"
    for name in ("aaa", "zzz"):
        (tmp_path / "sources" / f"{name}.yaml").write_text(local.format(name))
    (tmp_path / "zzz.csv").write_text("id,ort\n1,Bonn\n")

    found = validate_project(tmp_path, None, Wishes(NOW))

    told = [(s.source, s.verdict, s.rows, s.error and s.error.code) for s in found.sources]
    assert told == [("aaa", "cannot be read", 0, "SEG340"), ("people", "not judged", 0, None), ("zzz", "ok", 1, None)]
    assert [d.code for d in found.diagnostics() if d.code == "SEG340"] == ["SEG340"]
    assert found.exit == 2


TABLE = (
    "source: lake\nkind: table\ntable: {format: parquet, path: lake}\nkey: {customer_id: id}\nprofiles: {city: ort}\n"
)


def test_a_table_is_judged_where_it_lies(tmp_path: Path) -> None:
    project_in(tmp_path)
    text = TABLE + "contract: {properties: {ort: {enum: [Bonn]}}}\nchecks: [{unique: [id]}]\n"
    (tmp_path / "sources" / "lake.yaml").write_text(text)
    (tmp_path / "lake").mkdir()
    pl.DataFrame({"id": ["1", "2"], "ort": ["Bonn", "Rom"]}).write_parquet(tmp_path / "lake" / "1.parquet")
    pl.DataFrame({"id": ["2", "3"], "ort": ["Bonn", "Bonn"]}).write_parquet(tmp_path / "lake" / "2.parquet")

    found = validate_named(tmp_path, None, ["lake"], Wishes(NOW)).sources[0]

    assert (found.error, found.rows, found.bad, [r.check.name for r in found.broken]) == (None, 4, 1, ["unique id"])
    assert found.files[0].startswith("lake version ")
    assert [example.line for example in found.rules[0].examples] == [2]
    # Nothing is there before it is read for the first time.
    assert not (tmp_path / ".segctl").exists()


@pytest.mark.parametrize("other", ["lake", "people"])
def test_keys_of_another_source_are_found_wherever_its_rows_lie(tmp_path: Path, other: str) -> None:
    project_in(tmp_path)
    (tmp_path / "lake").mkdir()
    pl.DataFrame({"id": ["1", "3"], "ort": ["Bonn", "Rom"]}).write_parquet(tmp_path / "lake" / "1.parquet")
    fetched(tmp_path, record(1, "Bonn", 1), record(3, "Bonn", 2))
    (tmp_path / "sources" / "lake.yaml").write_text(TABLE)
    (tmp_path / "sources" / "shop.yaml").write_text(
        "source: shop\npath: shop.csv\nkey: {customer_id: id}\nprofiles: {city: ort}\n"
        f"checks: [refers: {{column: id, to: {other}.id, at_least: 50 %}}]\n"
    )
    (tmp_path / "shop.csv").write_text("id,ort\n1,Bonn\n2,Bonn\n3,Bonn\n")

    found = validate_named(tmp_path, None, ["shop"], Wishes(NOW)).sources[0]
    with open_for_ingest(tmp_path) as (project, workspace):
        taken = ingest(project, workspace, [sources_of(project)["shop"]], now=NOW).sources[0]

    assert (found.checks[0].told, taken.error) == ("1 of 3 rows name a key that is not there (33.33 %)", None)
