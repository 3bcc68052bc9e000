"""One emitter for many engines: plans in, one row per profile out."""

ENGINES = {
    "polars": "segctl.engines.polars_engine:PolarsEngine",
    "duckdb": "segctl.engines.duckdb_engine:DuckDBEngine",
}
