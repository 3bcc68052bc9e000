"""The main pass over events must stream, or memory grows with the data."""

from __future__ import annotations

import re
from pathlib import Path

import narwhals.stable.v2 as nw
import polars as pl
import pytest
from engine_data import AS_OF, PROFILES, ask, happened, metric, part

from segctl.compile.zones import to_us
from segctl.engines import block, evaluation
from segctl.engines.base import EngineInput
from segctl.engines.metrics import plain_metrics
from segctl.engines.polars_engine import PolarsEngine
from segctl.engines.polars_reader import PolarsReader
from segctl.engines.reading import Subjects
from segctl.engines.rows import Reading
from segctl.engines.scope import Scope


def fallbacks(frame: pl.LazyFrame) -> list[str]:
    """Steps of the physical plan that collect all rows first."""
    graph = frame.show_graph(engine="streaming", plan_stage="physical", raw_output=True)
    return re.findall(r"in-memory-[a-z]+", graph or "")


def test_a_wide_plan_streams_its_pass_over_the_events(tmp_path: Path) -> None:
    reader = PolarsReader(EngineInput(PROFILES, (part(tmp_path, [happened(0, "order", 1)]),)))
    scope = Scope(AS_OF, "Europe/Berlin", to_us(AS_OF) - 10**15, to_us(AS_OF), reader.dialect)
    reading = Reading(reader, Subjects(0, 2), scope, lambda _: PROFILES, lambda *_: True)
    metrics = [("n", metric("count").metric), ("d", metric("days").metric)]
    frame = nw.to_native(plain_metrics(reading, ("order",), metrics, ["subject"], ()))

    assert not fallbacks(frame)
    assert fallbacks(frame.select(pl.col("n").median().over("d")).with_columns(pl.col("n").map_batches(lambda x: x)))


def test_a_block_keeps_no_rows_once_it_has_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks: list[block.Block] = []

    class Watched(block.Block):
        def answers(self, staged: block.Stages) -> pl.DataFrame:
            blocks.append(self)
            return super().answers(staged)

    monkeypatch.setattr(evaluation, "Block", Watched)
    found = ask(PolarsEngine(), tmp_path, [happened(0, "order", 1)], metric("count"))

    assert found.answers.height == PROFILES.height
    assert [one.frame.height for one in blocks] == [0]
