"""The default engine: Polars, streaming over Parquet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from segctl.compile.plan import Plan
from segctl.engines.base import EngineInput, Evaluation
from segctl.engines.evaluation import Early, early_answers, evaluate
from segctl.engines.polars_reader import PolarsReader
from segctl.engines.reading import Reader


class PolarsEngine:
    """Evaluates plans with Polars."""

    name = "polars"

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
        """Answers of every output of the plan; `only` restricts the rows, never the population of `keep`."""
        return evaluate(plan, data, _reader(data, only), as_of=as_of, zone=zone, only=only, due=due)

    def early(
        self,
        plan: Plan,
        data: EngineInput,
        *,
        as_of: datetime,
        zone: str,
        only: Sequence[int] | None = None,
        due: bool = False,
    ) -> Early:
        """What blocks of profiles can answer alone; `keep` and colleagues wait for everybody."""
        return early_answers(plan, data, _reader(data, only), as_of=as_of, zone=zone, only=only, due=due)


def _reader(data: EngineInput, only: Sequence[int] | None) -> Reader:
    """The quick one for few profiles, if any file has a copy to be mapped."""
    if only is None or all(part.hot is None for part in data.events):
        return PolarsReader(data)
    from segctl.engines.hot_reader import HotReader

    return HotReader(data)
