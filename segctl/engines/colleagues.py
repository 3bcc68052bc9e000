"""How many profiles share a value and meet a condition: counted once everybody's answers are known."""

from __future__ import annotations

from collections.abc import Iterator

import narwhals.stable.v2 as nw
import polars as pl

from segctl.compile import ir
from segctl.compile.plan import Node, parts
from segctl.engines.block import predicate_column
from segctl.engines.expressions import to_expr
from segctl.engines.frames import polars_of
from segctl.engines.scope import Scope


def with_colleagues(answers: pl.DataFrame, root: Node, scope: Scope) -> tuple[pl.DataFrame, Scope]:
    """The answers with a column for each number of colleagues below a node, and a scope that knows them.

    Args:
        answers: One row per profile of the population.
        root: A predicate over columns that `scope` knows.
        scope: Grows by the new columns.
    """
    for node in innermost_first(root):
        if node not in scope.known:
            column = f"colleagues:{len(scope.known)}"
            answers = answers.with_columns(_counted(answers, node, scope).alias(column))
            scope = scope.knowing({node: column})
    return answers, scope


def innermost_first(root: Node) -> Iterator[ir.Colleagues]:
    """The numbers of colleagues below a node, each after those that its condition asks for."""
    for part in parts(root):
        yield from innermost_first(part)
    if isinstance(root, ir.Colleagues):
        yield root


def _counted(answers: pl.DataFrame, node: ir.Colleagues, scope: Scope) -> pl.Series:
    shared = polars_of(nw.from_native(answers.lazy()).select(to_expr(node.shared, scope).alias("shared"))).collect()
    met = pl.Series("met", [True], dtype=pl.Boolean).new_from_index(0, answers.height)
    if node.where is not None:
        met = predicate_column(answers, node.where, scope).fill_null(value=False)
    of_all = pl.col("met").sum().over("shared")
    number = of_all - pl.col("met").cast(pl.Int64) if node.others_only else of_all
    counted = pl.when(pl.col("shared").is_not_null()).then(number.cast(pl.Int64)).otherwise(0)
    return shared.with_columns(met.alias("met")).select(counted.alias("number")).to_series()
