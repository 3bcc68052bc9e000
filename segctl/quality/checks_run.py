"""Checks of all rows together: batches go in, results and figures for the next run come out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import polars as pl

from segctl.model.contracts import Check
from segctl.quality import checks_drift as drift
from segctl.quality.checks_columns import column_of, key_hashes, numbers_of, texts_of, times_of
from segctl.quality.checks_results import CheckResult, Facts

EXAMPLES = 3
"""Lines that a result names."""


@dataclass(slots=True)
class CheckRun:
    """The checks of one source.

    Attributes:
        checks: As declared.
        previous: Figures of the last run, by check name.
        now: When this is; aware.
        keys: Values that a foreign key may have, as texts, by source and column.
        decimal: Decimal sign of numbers in text; `thousands` the sign between groups.
    """

    checks: tuple[Check, ...]
    previous: Mapping[str, Any]
    now: datetime
    keys: Mapping[tuple[str, str], pl.Series]
    decimal: str = "."
    thousands: str | None = None
    rows: int = 0
    _parts: dict[Check, list[Any]] = field(default_factory=dict)

    def add(self, frame: pl.DataFrame, lines: pl.Series) -> None:
        """Take a batch; of a column its numbers, keys or counts are kept, never the rows."""
        self.rows += frame.height
        # A check that stands there twice takes each row once.
        for check in dict.fromkeys(self.checks):
            collect = _COLLECT.get(check.kind)
            if collect is not None and frame.height:
                self._parts.setdefault(check, []).append(collect(self, check, frame, lines))

    def results(self) -> list[CheckResult]:
        """One result for each check, in the order declared."""
        from segctl.quality.checks_verdicts import JUDGES

        return [JUDGES[check.kind](self, check, self._parts.get(check, [])) for check in self.checks]

    def facts(self) -> Facts:
        """What the next run compares with."""
        found: Facts = {"rows": {"rows": self.rows}}
        for check in self.checks:
            if check.kind in ("drift", "new_values"):
                found[check.name] = self.distribution(check)
        return found

    def numbers(self, check: Check, frame: pl.DataFrame, name: str | None = None) -> pl.Series:
        """Numbers of the check's first column, or of another."""
        return numbers_of(column_of(frame, name or check.columns[0]), self.decimal, self.thousands)

    def distribution(self, check: Check) -> dict[str, Any]:
        """Shares of the check's column today, over the bins of the last run where these are numbers."""
        numbers, texts = self.drifting(check)
        edges = self.previous.get(check.name, {}).get("edges")
        if texts is not None:
            return {"shares": drift.shares_of_texts(texts)}
        edges = edges or drift.edges_of(numbers)
        return {"edges": edges, "shares": drift.shares_of_numbers(numbers, edges)}

    def drifting(self, check: Check) -> tuple[pl.Series, pl.Series | None]:
        """The column's numbers, or its texts where it has not numbers throughout."""
        parts = self._parts.get(check, [])
        if not parts:
            return pl.Series([], dtype=pl.Float64), pl.Series("v", [], dtype=pl.String)
        texts = pl.concat([text for _, text in parts]).rename("v")
        numbers = pl.concat([number for number, _ in parts])
        are_numbers = check.kind == "drift" and numbers.null_count() == texts.null_count() and numbers.n_unique() > 20
        return numbers, None if are_numbers else texts


Collect = Callable[[CheckRun, Check, pl.DataFrame, pl.Series], Any]


# --- What is kept of a batch -----------------------------------------------------------------------------------
def _keys(run: CheckRun, check: Check, frame: pl.DataFrame, lines: pl.Series) -> pl.DataFrame:  # noqa: ARG001 - one interface
    keys, whole = key_hashes(frame, check.columns)
    return pl.DataFrame({"key": keys, "line": lines}).filter(whole)


def _strays(run: CheckRun, check: Check, frame: pl.DataFrame, lines: pl.Series) -> tuple[int, int, list[int]]:
    """Rows with a key, rows whose key is unknown, and lines of some."""
    text = texts_of(column_of(frame, check.columns[0]))
    known = run.keys.get(check.other or ("", ""), pl.Series([], dtype=pl.String))
    stray = text.is_not_null() & ~text.is_in(known.implode()).fill_null(value=True)
    return len(text) - text.null_count(), int(stray.sum()), lines.filter(stray).head(EXAMPLES).to_list()


def _nulls(run: CheckRun, check: Check, frame: pl.DataFrame, lines: pl.Series) -> tuple[int, int, list[int]]:  # noqa: ARG001 - one interface
    missing = texts_of(column_of(frame, check.columns[0])).is_null()
    return len(missing), int(missing.sum()), lines.filter(missing).head(EXAMPLES).to_list()


def _others(run: CheckRun, check: Check, frame: pl.DataFrame, lines: pl.Series) -> tuple[int, int, list[int]]:  # noqa: ARG001 - one interface
    text = texts_of(column_of(frame, check.columns[0]))
    other = text.is_not_null() & ~text.is_in(list(check.values)).fill_null(value=True)
    return len(text) - text.null_count(), int(other.sum()), lines.filter(other).head(EXAMPLES).to_list()


def _extremes(run: CheckRun, check: Check, frame: pl.DataFrame, lines: pl.Series) -> tuple[Any, Any, list[int]]:
    numbers = run.numbers(check, frame)
    outside = pl.repeat(value=False, n=len(numbers), dtype=pl.Boolean, eager=True)
    if check.low is not None:
        outside |= (numbers < float(check.low)).fill_null(value=False)
    if check.high is not None:
        outside |= (numbers > float(check.high)).fill_null(value=False)
    return numbers.min(), numbers.max(), lines.filter(outside).head(EXAMPLES).to_list()


def _figures(run: CheckRun, check: Check, frame: pl.DataFrame, lines: pl.Series) -> pl.Series:  # noqa: ARG001 - one interface
    return run.numbers(check, frame).drop_nulls()


def _newest(run: CheckRun, check: Check, frame: pl.DataFrame, lines: pl.Series) -> Any:  # noqa: ANN401, ARG001 - one interface
    return times_of(column_of(frame, check.columns[0])).max()


def _steps(run: CheckRun, check: Check, frame: pl.DataFrame, lines: pl.Series) -> tuple[Any, Any, int, list[int]]:  # noqa: ARG001 - one interface
    """First and last time, steps back inside the batch, and lines of some."""
    rows = pl.DataFrame({"t": times_of(column_of(frame, check.columns[0])), "line": lines}).drop_nulls("t")
    back = rows.filter(pl.col("t") < pl.col("t").shift())
    ends = (rows["t"][0], rows["t"][-1]) if rows.height else (None, None)
    return *ends, back.height, back["line"].head(EXAMPLES).to_list()


def _sums(run: CheckRun, check: Check, frame: pl.DataFrame, lines: pl.Series) -> tuple[float, float]:  # noqa: ARG001 - one interface
    left = sum(float(run.numbers(check, frame, name).sum()) for name in check.columns)
    return left, sum(float(run.numbers(check, frame, name).sum()) for name in check.total)


def _moving(run: CheckRun, check: Check, frame: pl.DataFrame, lines: pl.Series) -> tuple[pl.Series, pl.Series]:  # noqa: ARG001 - one interface
    return run.numbers(check, frame).alias("v"), texts_of(column_of(frame, check.columns[0])).alias("v")


_COLLECT: dict[str, Collect] = {
    "unique": _keys,
    "refers": _strays,
    "nulls": _nulls,
    "values": _others,
    "range": _extremes,
    "quantile": _figures,
    "fresh": _newest,
    "monotone": _steps,
    "sums": _sums,
    "drift": _moving,
    "new_values": _moving,
}
