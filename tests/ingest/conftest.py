"""A small shop in a temporary folder, and what ingest made of its files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from segctl.compile.project import load_project
from segctl.compile.sources import load_sources
from segctl.operations.ingest.ingest import SourceResult, chosen_sources, ingest
from segctl.state.workspace import Workspace

PROJECT = """
segctl: 1
name: shop
timezone: Europe/Berlin
identifiers:
  customer_id: {class: known}
  device_id: {class: anonymous}
traits:
  city: text
  points: integer
  born: date
  spent: {type: money, unit: EUR}
  interests: {type: list, of: text}
events:
  order_completed: {properties: {value: {type: money, unit: EUR}, order_id: text, coupon: text}}
  order_item: {properties: {sku: text, quantity: integer, value: {type: money, unit: EUR}, order_id: text}}
  page_viewed: {properties: {section: text}}
"""
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@dataclass
class Shop:
    """A project folder with helpers."""

    root: Path
    calls: int = 0

    def source(self, name: str, body: str) -> None:
        """Declares a source."""
        (self.root / "sources" / f"{name}.yaml").write_text(f"source: {name}\n{body}", encoding="utf-8")

    def file(self, name: str, content: str | bytes) -> Path:
        """Writes a data file."""
        path = self.root / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def workspace(self) -> Workspace:
        """The open workspace."""
        return Workspace.open(self.root / ".segctl" / "dev", create=True)

    def ingest(self, name: str, **options: object) -> SourceResult:
        """Ingests one source, each time an hour later."""
        project, wrong = load_project(self.root)
        sources, findings = load_sources(project)
        assert not [f.message for f in (*wrong, *findings)]
        self.calls += 1
        with Workspace.open(Path(project.workspace), create=True) as workspace:
            found = ingest(
                project, workspace, chosen_sources(sources, [name]), now=NOW + timedelta(hours=self.calls), **options
            )
        return found.sources[0]

    def rows(self, dataset: str) -> pl.DataFrame:
        """All visible rows of a dataset, with the identifier of each subject when there is one."""
        project, _ = load_project(self.root)
        with Workspace.open(Path(project.workspace), create=True) as workspace:
            frames = [pl.read_parquet(file.path) for file in workspace.files(dataset)]
            subjects = [pl.read_parquet(file.path) for file in workspace.files("subjects")]
        if not frames:
            return pl.DataFrame()
        frame = pl.concat(frames, how="diagonal")
        if "subject" in frame.columns and dataset != "subjects":
            frame = frame.join(pl.concat(subjects).select("subject", who="value"), on="subject", how="left")
        return frame


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """An empty shop."""
    (tmp_path / "sources").mkdir()
    (tmp_path / "segctl.yaml").write_text(PROJECT, encoding="utf-8")
    return Shop(tmp_path)
