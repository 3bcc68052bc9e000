"""Scores: the oracle, Polars, DuckDB and the row evaluator agree; another engine's rank gives the same."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import oracle
import pytest
import strategies_scores
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


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32))
def test_engines_agree_with_the_oracle_on_scores(engine: Engine, seed: int) -> None:
    check(engine, seed)


@pytest.mark.slow
def test_engines_agree_on_many_more_scores(engine: Engine) -> None:
    for seed in range(MANY):
        check(engine, seed)


def check(engine: Engine, seed: int) -> None:
    """Fails with the smallest form of a disagreement."""
    world = strategies_scores.world(seed)
    if differences(world, engine, seed):
        pytest.fail(shrunk_report(world, engine, seed), pytrace=False)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32))
def test_explain_agrees_with_the_oracle_on_scores(seed: int) -> None:
    world = strategies_scores.world(seed)
    found = oracle.answers(world)
    lists = {name: sorted(texts) for name, texts in world.lists.items()}
    for name, segment in world.definitions.segments.items():
        lowered = lower_segment(segment, world.definitions, lists=lists)
        for profile in (p for p in world.profiles if p.profile_id in found.population and name not in found.failed):
            members = dict.fromkeys(world.definitions.segments, False)
            members |= {other: profile.profile_id in of for other, of in found.members.items()}
            told = trace(
                lowered, profile_row(world, profile), event_rows(world, profile), as_of=world.as_of,
                zone=world.project.timezone, members=members,
            )  # fmt: skip
            for leaf in told.leaves:
                assert leaf.answer == found.leaves[name, leaf.path][profile.profile_id], (seed, leaf)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32))
def test_written_scores_are_read_as_they_were_meant(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    meant, folder = strategies_scores.world(seed).definitions, tmp_path_factory.mktemp("scores")
    (folder / "traits").mkdir()
    (folder / "traits" / "all.yaml").write_text(yaml_text.traits_file(meant.computed), encoding="utf-8")
    (folder / "cities").touch()

    found, problems = load_definitions(replace(meant.project, root=str(folder)))

    assert not has_errors(problems), problems
    assert found.computed == meant.computed


def test_only_asks_for_fewer_people_and_ranks_all(engine: Engine, tmp_path: Path) -> None:
    from engine_tools import engine_input

    from segctl.compile.plan import plan

    for seed in range(12):
        world = strategies_scores.world(seed)
        lists = {name: sorted(texts) for name, texts in world.lists.items()}
        lowered = [lower_segment(s, world.definitions, lists=lists) for s in world.definitions.segments.values()]
        folder = tmp_path / str(seed)
        folder.mkdir()
        data, zone = engine_input(world, folder, seed), world.project.timezone
        some = data.profiles["subject"].to_list()[::2]

        everybody = engine.evaluate(plan(lowered), data, as_of=world.as_of, zone=zone).answers
        fewer = engine.evaluate(plan(lowered), data, as_of=world.as_of, zone=zone, only=some).answers

        assert fewer.to_dicts() == [row for row in everybody.to_dicts() if row["subject"] in some]
