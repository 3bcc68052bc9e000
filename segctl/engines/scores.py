"""Scores among the population: everybody's values are asked first, ranked, and stand beside the traits."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from segctl.compile import ir
from segctl.compile.plan import Node, Output, Plan
from segctl.compile.plan import plan as planned
from segctl.engines.scope import Scope


def with_scores(
    plan: Plan, profiles: pl.DataFrame, scope: Scope, answers: Callable[[Plan], pl.DataFrame]
) -> tuple[pl.DataFrame, Scope]:
    """The profiles with a column for each score of a plan, and a scope that knows them.

    Args:
        plan: Whose scores are made.
        profiles: The whole population, sorted by `subject`.
        scope: Grows by the new columns.
        answers: Evaluates a plan for the whole population; rows sorted by `subject`.
    """
    if not plan.scores:
        return profiles, scope
    outputs = [Output(f"of:{i}", _ranked(node)) for i, node in enumerate(plan.scores)]
    outputs += [Output(f"beside:{i}", node.beside) for i, node in enumerate(plan.scores) if node.beside is not None]
    values = answers(planned((), outputs))
    known: dict[Node, str] = {}
    for number, node in enumerate(plan.scores):
        known[node] = f"score:{number}"
        present = pl.col(f"of:{number}").is_not_null()
        if node.beside is not None:
            present &= pl.col(f"beside:{number}").is_not_null()
        ranked = pl.when(present).then(pl.col(f"of:{number}")).alias("value")
        found = values.lazy().select("subject", ranked).select("subject", _score(node).alias(known[node]))
        profiles = profiles.join(found.collect(), on="subject", how="left", maintain_order="left")
    return profiles, scope.knowing(known)


def _ranked(node: ir.Score) -> ir.Expression:
    """What is compared: of days since instants the instants, whose order no passing of time touches."""
    return node.of.of if isinstance(node.of, ir.DaysSince) else node.of


def _score(node: ir.Score) -> pl.Expr:
    """Whole numbers all the way; equal values have as many worse ones."""
    value = pl.col("value")
    falls = (node.best == "low") != isinstance(node.of, ir.DaysSince)
    worse = value.rank("min", descending=falls).cast(pl.Int64) - 1
    return 1 + worse * node.groups // value.count().cast(pl.Int64)
