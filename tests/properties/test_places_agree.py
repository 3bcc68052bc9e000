"""Distances: the oracle, Polars, DuckDB and the row evaluator agree on people who live somewhere."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import oracle
import pytest
import strategies_places
import yaml_text
from agreement import differences, shrunk_report
from hypothesis import given, settings
from hypothesis import strategies as st
from row_tools import event_rows, profile_row

from segctl.compile.definitions import load_definitions
from segctl.compile.lower import lower_segment
from segctl.compile.trace import trace
from segctl.engines.base import Engine
from segctl.engines.duckdb_engine import DuckDBEngine
from segctl.engines.polars_engine import PolarsEngine
from segctl.model.diagnostics import has_errors

MANY = int(os.environ.get("SEGCTL_PROPERTY_EXAMPLES", "1000"))


@pytest.fixture(scope="module", params=["polars", "duckdb"])
def engine(request: pytest.FixtureRequest) -> Engine:
    return PolarsEngine() if request.param == "polars" else DuckDBEngine()


@settings(max_examples=8, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32))
def test_engines_agree_with_the_oracle_on_distances(engine: Engine, seed: int) -> None:
    check(engine, seed)


@pytest.mark.slow
def test_engines_agree_on_many_more_distances(engine: Engine) -> None:
    for seed in range(MANY):
        check(engine, seed)


def check(engine: Engine, seed: int) -> None:
    """Fails with the smallest form of a disagreement."""
    world = strategies_places.world(seed)
    if differences(world, engine, seed):
        pytest.fail(shrunk_report(world, engine, seed), pytrace=False)


@settings(max_examples=8, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32))
def test_explain_agrees_with_the_oracle_on_distances(seed: int) -> None:
    world = strategies_places.world(seed)
    found = oracle.answers(world)
    lists = {name: sorted(texts) for name, texts in world.lists.items()}
    for segment in world.definitions.segments.values():
        if segment.name in found.failed:
            continue
        lowered = lower_segment(segment, world.definitions, lists=lists)
        for profile in world.profiles:
            if profile.profile_id not in found.population:
                continue
            members = {name: profile.profile_id in of for name, of in found.members.items()}
            members |= dict.fromkeys(found.failed, False)
            told = trace(
                lowered,
                profile_row(world, profile),
                event_rows(world, profile),
                as_of=world.as_of,
                zone=world.project.timezone,
                members=members,
            )
            for leaf in told.leaves:
                assert leaf.answer == found.leaves[segment.name, leaf.path][profile.profile_id], (seed, leaf)


@settings(max_examples=6, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32))
def test_written_distances_are_read_as_they_were_meant(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    world = strategies_places.world(seed)
    meant, folder = world.definitions, tmp_path_factory.mktemp("places")
    write_project(folder, world)

    found, problems = load_definitions(replace(meant.project, root=str(folder)))

    assert not has_errors(problems), problems
    assert {name: replace(segment, digest="") for name, segment in found.segments.items()} == meant.segments


def write_project(folder: Path, world: oracle.World) -> None:
    """Definitions and the files they look into."""
    for name in ("segments", "traits"):
        (folder / name).mkdir()
    for name, segment in world.definitions.segments.items():
        (folder / "segments" / f"{name}.yaml").write_text(yaml_text.segment(segment), encoding="utf-8")
    if world.definitions.computed:
        text = yaml_text.traits_file(world.definitions.computed)
        (folder / "traits" / "all.yaml").write_text(text, encoding="utf-8")
    for (name, _), texts in world.lists.items():
        (folder / name).write_text(next(iter(texts)), encoding="utf-8")
