"""Scores of a declared `rfm` trait, so that the grid of a report is the one that segments speak of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from segctl.compile.lower import lower_trait
from segctl.compile.plan import Output
from segctl.model.conditions import ComputedTrait, Score
from segctl.operations.segment_report.buyers import Scores
from segctl.operations.segment_report.values import GROUPS

if TYPE_CHECKING:
    from segctl.operations.session import Session

_PARTS = ("last_at", "count", "value", "recency", "frequency", "monetary")


def trait_scores(session: Session, *, as_of: datetime, snapshot: int) -> Scores | None:
    """Scores by the first `rfm` with five groups, of all who have some; None without one."""
    import polars as pl

    from segctl.operations.evaluation import evaluate

    name = rfm_trait(session.definitions.computed)
    if name is None:
        return None
    names = {"recency": f"{name}_recency", "frequency": f"{name}_frequency", "revenue": f"{name}_value"}
    outputs = [
        Output(column, lower_trait(trait, session.definitions, lists=session.lists)) for column, trait in names.items()
    ]
    found = evaluate(session, (), as_of=as_of, snapshot=snapshot, outputs=outputs)
    scale = session.definitions.computed[names["revenue"]].type.scale
    value = pl.col("revenue").cast(pl.Float64) / 10**scale
    rows = found.frame.filter(pl.col("recency").is_not_null()).select("recency", "frequency", value.fill_null(0.0))
    return Scores(rows["recency"].to_numpy(), rows["frequency"].to_numpy(), rows["revenue"].to_numpy())


def rfm_trait(computed: Mapping[str, ComputedTrait]) -> str | None:
    """The first trait by name that was declared as `rfm` with as many groups as the grid has."""
    for name in sorted(computed):
        parts = [computed.get(f"{name}_{part}") for part in _PARTS]
        score = parts[3].formula if parts[3] is not None else None
        if None not in parts and isinstance(score, Score) and score.groups == GROUPS:
            return name
    return None
