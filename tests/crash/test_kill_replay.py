"""`quarantine replay` is killed at many moments: every row is in quarantine or ingested, never both or neither."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from segctl.state.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]
ROWS = 4_000
PROJECT = """
segctl: 1
name: shop
identifiers: {customer_id: {class: known}}
events: {order_completed: {properties: {value: number}}}
"""
SOURCE = """
source: orders
path: orders.csv
key: {customer_id: id}
events: [{event: order_completed, time: at, properties: {value: v}}]
max_bad_rows: 100 %
"""
CONTRACT = "contract: {properties: {land: {enum: [DE]}}}\n"


def start(project: Path, *arguments: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(project), "LC_ALL": "C.UTF-8"}
    return subprocess.Popen(
        [sys.executable, "-m", "segctl", *arguments, "--no-input", "--lock-wait", "10s"],
        cwd=project, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def counts(project: Path) -> tuple[int, int]:
    """Distinct events, and rows in quarantine."""
    with Workspace.open(project / ".segctl" / "dev") as workspace:
        assert workspace.query("PRAGMA integrity_check")[0][0] == "ok"
        ids = [pl.read_parquet(file.path, columns=["event_id"]) for file in workspace.files("events")]
        waiting = sum(file.rows for file in workspace.files("quarantine/orders"))
    events = pl.concat(ids)["event_id"] if ids else pl.Series([], dtype=pl.String)
    assert events.n_unique() == len(events)
    return len(events), waiting


@pytest.mark.slow
def test_every_row_is_in_one_place(tmp_path: Path) -> None:
    (tmp_path / "sources").mkdir()
    (tmp_path / "segctl.yaml").write_text(PROJECT)
    (tmp_path / "sources" / "orders.yaml").write_text(SOURCE + CONTRACT)
    rows = "".join(f"{n % 50},2026-01-02 10:00,{n % 9},{'XX' if n % 2 else 'DE'}\n" for n in range(ROWS))
    (tmp_path / "orders.csv").write_text("id,at,v,land\n" + rows)
    assert start(tmp_path, "ingest").wait(60) == 0
    assert counts(tmp_path) == (ROWS // 2, ROWS // 2)
    (tmp_path / "sources" / "orders.yaml").write_text(SOURCE)
    for step in range(6):
        process = start(tmp_path, "quarantine", "replay", "orders")
        try:
            process.communicate(timeout=0.25 + 0.12 * step)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
        assert process.returncode in (0, -9)
        assert sum(counts(tmp_path)) == ROWS
    assert start(tmp_path, "quarantine", "replay", "orders").wait(60) == 0
    assert counts(tmp_path) == (ROWS, 0)
