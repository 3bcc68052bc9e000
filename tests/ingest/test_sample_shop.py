"""What ingest makes of the sample data: dirty on purpose, and nothing of it lost."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from segctl.compile.project import load_project
from segctl.compile.sources import load_sources
from segctl.operations.ingest.ingest import ingest
from segctl.operations.init import create_project
from segctl.state.workspace import Workspace


def test_an_order_without_a_total_goes_to_quarantine_with_the_reason(tmp_path: Path) -> None:
    create_project(tmp_path, template="shop")
    project, _ = load_project(tmp_path, None)
    sources, _ = load_sources(project)

    with Workspace.open(Path(project.workspace), create=True) as workspace:
        (found,) = ingest(project, workspace, [sources["orders"]], now=datetime(2026, 11, 21, tzinfo=UTC)).sources

    assert (found.read, found.bad, found.error) == (2369, 1, None)
    assert "`value`: it does not fit" in found.examples[0]


def test_a_reason_of_the_json_parser_reads_as_a_sentence(tmp_path: Path) -> None:
    create_project(tmp_path, template="shop")
    project, _ = load_project(tmp_path, None)
    sources, _ = load_sources(project)

    with Workspace.open(Path(project.workspace), create=True) as workspace:
        (found,) = ingest(project, workspace, [sources["web"]], now=datetime(2026, 11, 21, tzinfo=UTC)).sources

    assert found.examples[0].endswith("not JSON: unterminated string starting at character 110")
