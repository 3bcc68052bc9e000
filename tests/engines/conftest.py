"""The fixture `engine`: every test with it runs on all engines."""

from __future__ import annotations

import pytest

from segctl.engines.base import Engine


@pytest.fixture(params=["polars", "duckdb"])
def engine(request: pytest.FixtureRequest) -> Engine:
    if request.param == "polars":
        from segctl.engines.polars_engine import PolarsEngine

        return PolarsEngine()
    pytest.importorskip("duckdb")
    from segctl.engines.duckdb_engine import DuckDBEngine

    return DuckDBEngine()
