"""`segctl test --coverage`: which answers of each leaf the cases have seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from segctl.cli import tables
from segctl.cli.results import Column, Result, Section

if TYPE_CHECKING:
    from segctl.cli.context import Context
    from segctl.operations.testing.testing import Outcome

COLUMNS = (
    Column("segment"),
    Column("leaf"),
    Column("condition"),
    Column("line", type="integer"),
    Column("true", type="integer"),
    Column("false", type="integer"),
    Column("unknown", type="integer"),
    Column("never", "never seen", type="list"),
)


def with_coverage(result: Result, outcome: Outcome) -> Result:
    """The result with one row for each leaf."""
    return replace(result, sections=(*result.sections, Section("leaves", "Leaves", COLUMNS, list(_rows(outcome)))))


def coverage_text(ctx: Context, outcome: Outcome) -> str:
    """The table of leaves, and the share of answers that were seen."""
    rows = list(_rows(outcome))
    seen = sum((row["true"] > 0) + (row["false"] > 0) for row in rows)
    missing = [name for name in outcome.suite.segments if name not in outcome.leaves]
    told = f"{seen:,} of {2 * len(rows):,} answers seen (true and false of each leaf)"
    lines = [tables.table(ctx, COLUMNS, rows), told] if rows else []
    if missing:
        lines.append(f"without any case: {', '.join(missing)}")
    return "\n".join(lines) + "\n"


def _rows(outcome: Outcome) -> Iterator[dict[str, Any]]:
    from segctl.operations.testing.testing import lowered_leaves

    for segment, leaves in lowered_leaves(outcome):
        for leaf, answers in zip(leaves, outcome.leaves[segment], strict=True):
            seen = {"true": answers.count(True), "false": answers.count(False), "unknown": answers.count(None)}
            yield {
                "segment": segment,
                "leaf": leaf.path or "where",
                "condition": leaf.text,
                "line": leaf.line,
                **seen,
                "never": [word for word in ("true", "false") if not seen[word]],
            }
