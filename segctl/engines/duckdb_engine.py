"""DuckDB as engine: the same emitter over its relations; an extra."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from segctl.compile.plan import Plan
from segctl.engines.base import EngineInput, Evaluation
from segctl.engines.evaluation import evaluate
from segctl.model.errors import UsageError


class DuckDBEngine:
    """Evaluates plans with DuckDB; profile rows, few as they are, stay with Polars.

    Raises:
        UsageError: DuckDB is not installed; no other engine steps in silently.
    """

    name = "duckdb"

    def __init__(self) -> None:
        try:
            import duckdb  # noqa: F401 - only asks whether it is there
            import pyarrow as pa  # noqa: F401 - carries frames to DuckDB and back
        except ImportError as error:
            raise UsageError(
                "SEG514", "the engine `duckdb` is not installed", hint="install it with `pip install 'segctl[duckdb]'`"
            ) from error

    def evaluate(
        self,
        plan: Plan,
        data: EngineInput,
        *,
        as_of: datetime,
        zone: str,
        only: Sequence[int] | None = None,
        due: bool = False,
    ) -> Evaluation:
        """Answers of every output of the plan; of next changes it only says that they may come at once."""
        from segctl.engines.duckdb_reader import DuckDBReader

        with DuckDBReader(data) as reader:
            return evaluate(plan, data, reader, as_of=as_of, zone=zone, only=only, due=due)
