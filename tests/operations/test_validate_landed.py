"""A validation of fetched sources reads what was kept of them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from segctl.compile.project import load_project
from segctl.compile.sources import load_sources
from segctl.operations.ingest_landed import land
from segctl.operations.validate import Wishes, validate_named
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
