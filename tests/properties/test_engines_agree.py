"""One answer: the oracle, Polars and DuckDB agree on random definitions over nasty random data."""

from __future__ import annotations

import os

import pytest
import strategies
from agreement import differences, shrunk_report
from case_tools import Case
from cases import CASES
from hypothesis import given, settings
from hypothesis import strategies as st

from segctl.engines.base import Engine
from segctl.engines.duckdb_engine import DuckDBEngine
from segctl.engines.polars_engine import PolarsEngine

EXAMPLES = 200
START, MANY = (int(os.environ.get(f"SEGCTL_PROPERTY_{name}", n)) for name, n in (("START", "0"), ("EXAMPLES", "20000")))


@pytest.fixture(scope="module", params=["polars", "duckdb"])
def engine(request: pytest.FixtureRequest) -> Engine:
    return PolarsEngine() if request.param == "polars" else DuckDBEngine()


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
def test_an_engine_answers_as_the_language_says(engine: Engine, case: Case) -> None:
    assert differences(case.world(), engine) == []


@pytest.mark.long
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32))
def test_polars_agrees_with_the_oracle(seed: int) -> None:
    check(PolarsEngine(), seed, segments=2)


@pytest.mark.long
@settings(max_examples=EXAMPLES // 2, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32))
def test_duckdb_agrees_with_the_oracle(seed: int) -> None:
    # It plans each query for longer than it runs; with two definitions a world these are as many definitions still.
    check(DuckDBEngine(), seed, segments=2)


@pytest.mark.slow
def test_engines_agree_on_many_more_examples(engine: Engine) -> None:
    """The long run, `pytest -m slow -k many_more`; each number from SEGCTL_PROPERTY_START on is one example."""
    for seed in range(START, START + MANY):
        check(engine, seed, segments=2)


def check(engine: Engine, seed: int, segments: int) -> None:
    """Fails with the smallest form of the first disagreement."""
    world = strategies.world(seed, segments)
    if differences(world, engine, seed):
        pytest.fail(shrunk_report(world, engine, seed), pytrace=False)
