"""Checks of all rows together: batches go in, results and figures for the next run come out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import polars as pl

from segctl.model.contracts import Check
from segctl.quality import checks_drift as drift
from segctl.quality.checks_columns import column_of, key_hashes, numbers_of, texts_of, times_of
from segctl.quality.checks_results import CheckResult, Facts

_EXAMPLES = 3
_NUMBERS = frozenset({"quantile", "drift"})


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
    _parts: dict[str, list[Any]] = field(default_factory=dict)

    def add(self, frame: pl.DataFrame, lines: pl.Series) -> None:
        """Take a batch; of a column its numbers, keys or counts are kept, never the rows."""
        self.rows += frame.height
        for check in self.checks:
            collect = _COLLECT.get(check.kind)
            if collect is not None and frame.height:
                self._parts.setdefault(check.name, []).append(collect(self, check, frame, lines))

    def results(self) -> list[CheckResult]:
        """One result for each check, in the order declared."""
        return [_JUDGE[check.kind](self, check, self._parts.get(check.name, [])) for check in self.checks]

    def facts(self) -> Facts:
        """What the next run compares with."""
        found: Facts = {"rows": {"rows": self.rows}}
        for check in self.checks:
            if check.kind in ("drift", "new_values"):
                found[check.name] = self._distribution(check)
        return found

    def numbers(self, check: Check, frame: pl.DataFrame, name: str | None = None) -> pl.Series:
        """Numbers of the check's first column, or of another."""
        return numbers_of(column_of(frame, name or check.columns[0]), self.decimal, self.thousands)

    def _distribution(self, check: Check) -> dict[str, Any]:
        numbers, texts = self.drifting(check)
        edges = self.previous.get(check.name, {}).get("edges")
        if texts is not None:
            return {"shares": drift.shares_of_texts(texts)}
        edges = edges or drift.edges_of(numbers)
        return {"edges": edges, "shares": drift.shares_of_numbers(numbers, edges)}

    def drifting(self, check: Check) -> tuple[pl.Series, pl.Series | None]:
        """The column's numbers, or its texts where it has not numbers throughout."""
        parts = self._parts.get(check.name, [])
        if not parts:
            return pl.Series([], dtype=pl.Float64), pl.Series("v", [], dtype=pl.String)
        texts = pl.concat([text for _, text in parts]).rename("v")
        numbers = pl.concat([number for number, _ in parts])
        are_numbers = check.kind == "drift" and numbers.null_count() == texts.null_count() and numbers.n_unique() > 20
        return numbers, None if are_numbers else texts


Collect = Callable[[CheckRun, Check, pl.DataFrame, pl.Series], Any]
Judge = Callable[[CheckRun, Check, list[Any]], CheckResult]


def share(value: Decimal | float) -> str:
    """A share as percent."""
    return f"{float(value) * 100:.2f}".rstrip("0").rstrip(".") + " %"


def plain(value: object) -> str:
    """A figure without needless digits."""
    return f"{value:,.6g}" if isinstance(value, float) else str(value)


# --- What is kept of a batch -----------------------------------------------------------------------------------
def _keys(run: CheckRun, check: Check, frame: pl.DataFrame, lines: pl.Series) -> pl.DataFrame:  # noqa: ARG001 - one interface
    keys, whole = key_hashes(frame, check.columns)
    return pl.DataFrame({"key": keys, "line": lines}).filter(whole)


def _strays(run: CheckRun, check: Check, frame: pl.DataFrame, lines: pl.Series) -> tuple[int, int, list[int]]:
    """Rows with a key, rows whose key is unknown, and lines of some."""
    text = texts_of(column_of(frame, check.columns[0]))
    known = run.keys.get(check.other or ("", ""), pl.Series([], dtype=pl.String))
    stray = text.is_not_null() & ~text.is_in(known.implode()).fill_null(value=True)
    return len(text) - text.null_count(), int(stray.sum()), lines.filter(stray).head(_EXAMPLES).to_list()


def _nulls(run: CheckRun, check: Check, frame: pl.DataFrame, lines: pl.Series) -> tuple[int, int, list[int]]:  # noqa: ARG001 - one interface
    missing = texts_of(column_of(frame, check.columns[0])).is_null()
    return len(missing), int(missing.sum()), lines.filter(missing).head(_EXAMPLES).to_list()


def _others(run: CheckRun, check: Check, frame: pl.DataFrame, lines: pl.Series) -> tuple[int, int, list[int]]:  # noqa: ARG001 - one interface
    text = texts_of(column_of(frame, check.columns[0]))
    other = text.is_not_null() & ~text.is_in(list(check.values)).fill_null(value=True)
    return len(text) - text.null_count(), int(other.sum()), lines.filter(other).head(_EXAMPLES).to_list()


def _extremes(run: CheckRun, check: Check, frame: pl.DataFrame, lines: pl.Series) -> tuple[Any, Any, list[int]]:
    numbers = run.numbers(check, frame)
    outside = pl.repeat(value=False, n=len(numbers), dtype=pl.Boolean, eager=True)
    if check.low is not None:
        outside |= (numbers < float(check.low)).fill_null(value=False)
    if check.high is not None:
        outside |= (numbers > float(check.high)).fill_null(value=False)
    return numbers.min(), numbers.max(), lines.filter(outside).head(_EXAMPLES).to_list()


def _figures(run: CheckRun, check: Check, frame: pl.DataFrame, lines: pl.Series) -> pl.Series:  # noqa: ARG001 - one interface
    return run.numbers(check, frame).drop_nulls()


def _newest(run: CheckRun, check: Check, frame: pl.DataFrame, lines: pl.Series) -> Any:  # noqa: ANN401, ARG001 - one interface
    return times_of(column_of(frame, check.columns[0])).max()


def _steps(run: CheckRun, check: Check, frame: pl.DataFrame, lines: pl.Series) -> tuple[Any, Any, int, list[int]]:  # noqa: ARG001 - one interface
    """First and last time, steps back inside the batch, and lines of some."""
    rows = pl.DataFrame({"t": times_of(column_of(frame, check.columns[0])), "line": lines}).drop_nulls("t")
    back = rows.filter(pl.col("t") < pl.col("t").shift())
    ends = (rows["t"][0], rows["t"][-1]) if rows.height else (None, None)
    return *ends, back.height, back["line"].head(_EXAMPLES).to_list()


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


# --- Verdicts --------------------------------------------------------------------------------------------------
def _rows(run: CheckRun, check: Check, parts: list[Any]) -> CheckResult:  # noqa: ARG001 - one interface
    before = run.previous.get("rows", {}).get("rows")
    wanted = [f"at least {check.low}"] if check.low is not None else []
    wanted += [f"at most {check.high}"] if check.high is not None else []
    passed = (check.low is None or run.rows >= check.low) and (check.high is None or run.rows <= check.high)
    if check.change is not None:
        wanted.append(f"changed by at most {share(check.change)}")
        passed = passed and (not before or abs(run.rows - before) <= check.change * before)
    told = f"{run.rows:,} rows" + (f", {before:,} at the last run" if before else "")
    return CheckResult(
        check, passed, f"{run.rows:,}", " and ".join(wanted), f"{before:,}" if before else None, (), told
    )


def _unique(run: CheckRun, check: Check, parts: list[Any]) -> CheckResult:  # noqa: ARG001 - one interface
    if not parts:
        return CheckResult(check, True, "0 repeated", "none repeated")
    rows = pl.concat(parts)
    again = rows.filter(~pl.col("key").is_first_distinct())
    lines = tuple(again["line"].sort().head(_EXAMPLES).to_list())
    told = f"{again.height:,} repeat a key" if again.height else "every key stands once"
    return CheckResult(check, not again.height, f"{again.height:,} repeated", "none repeated", None, lines, told)


def _share(what: str, *, lower: bool) -> Judge:
    """Checks of a share of rows: of those that break it, or (`lower`) of those that keep it."""

    def judge(run: CheckRun, check: Check, parts: list[Any]) -> CheckResult:  # noqa: ARG001 - one interface
        total, broken = sum(p[0] for p in parts), sum(p[1] for p in parts)
        lines = tuple([line for part in parts for line in part[2]][:_EXAMPLES])
        limit = (1 - (check.low if check.low is not None else 1)) if lower else (check.high or Decimal(0))
        passed = broken <= limit * total
        of = share(broken / total) if total else "0 %"
        told = f"{broken:,} of {total:,} rows {what} ({of})"
        return CheckResult(check, passed, of, f"at most {share(limit)}", None, lines, told)

    return judge


def _range(run: CheckRun, check: Check, parts: list[Any]) -> CheckResult:  # noqa: ARG001 - one interface
    smallest = min((p[0] for p in parts if p[0] is not None), default=None)
    largest = max((p[1] for p in parts if p[1] is not None), default=None)
    lines = tuple([line for part in parts for line in part[2]][:_EXAMPLES])
    wanted = f"from {check.low if check.low is not None else '…'} to {check.high if check.high is not None else '…'}"
    observed = "nothing" if smallest is None else f"{plain(smallest)} to {plain(largest)}"
    return CheckResult(check, not lines, observed, wanted, None, lines, f"values are {observed}, wanted {wanted}")


def _quantile(run: CheckRun, check: Check, parts: list[Any]) -> CheckResult:  # noqa: ARG001 - one interface
    numbers = pl.concat(parts) if parts else pl.Series([], dtype=pl.Float64)
    found = numbers.quantile(float(check.quantile or Decimal("0.5")), "linear")
    low, high = check.low, check.high
    passed = found is None or ((low is None or found >= float(low)) and (high is None or found <= float(high)))
    wanted = " and ".join(
        [*([f"at least {low}"] if low is not None else []), *([f"at most {high}"] if high is not None else [])]
    )
    observed = "nothing" if found is None else plain(found)
    return CheckResult(check, passed, observed, wanted, None, (), f"the {check.quantile} quantile is {observed}")


def _fresh(run: CheckRun, check: Check, parts: list[Any]) -> CheckResult:
    newest = max((part for part in parts if part is not None), default=None)
    within = check.within
    passed = newest is not None and (within is None or run.now - newest <= within)
    observed = "no time" if newest is None else newest.isoformat(timespec="seconds")
    return CheckResult(check, passed, observed, f"not older than {within}", None, (), f"the newest time is {observed}")


def _monotone(run: CheckRun, check: Check, parts: list[Any]) -> CheckResult:  # noqa: ARG001 - one interface
    back, last = sum(part[2] for part in parts), None
    for first, end, _, _ in parts:
        back += bool(first is not None and last is not None and first < last)
        last = end if end is not None else last
    lines = tuple([line for part in parts for line in part[3]][:_EXAMPLES])
    told = f"{back:,} rows are earlier than the row before"
    return CheckResult(check, not back, f"{back:,} steps back", "none", None, lines, told)


def _equal_sums(run: CheckRun, check: Check, parts: list[Any]) -> CheckResult:  # noqa: ARG001 - one interface
    left, right = sum(part[0] for part in parts), sum(part[1] for part in parts)
    tolerance = float(check.high or Decimal("0.005"))
    told = f"the sums are {left:,.2f} and {right:,.2f}"
    return CheckResult(
        check, abs(left - right) <= tolerance, f"{left - right:,.2f} apart", f"at most {tolerance:g}", None, (), told
    )


def _drift(run: CheckRun, check: Check, parts: list[Any]) -> CheckResult:  # noqa: ARG001 - one interface
    before = run.previous.get(check.name)
    limit = float(check.high if check.high is not None else Decimal("0.2"))
    if not before or not run.rows:
        return CheckResult(check, True, "first run", f"PSI at most {limit:g}", None, (), "nothing to compare with yet")
    index = drift.stability_index(before["shares"], run._distribution(check)["shares"])
    told = f"the population stability index is {index:.3f}"
    return CheckResult(check, index <= limit, f"PSI {index:.3f}", f"PSI at most {limit:g}", None, (), told)


def _new_values(run: CheckRun, check: Check, parts: list[Any]) -> CheckResult:  # noqa: ARG001 - one interface
    before = run.previous.get(check.name)
    if not before or drift.OTHERS in before["shares"]:
        return CheckResult(check, True, "first run", "no new values", None, (), "nothing to compare with yet")
    new = sorted(set(run._distribution(check)["shares"]) - set(before["shares"]))
    told = f"{len(new)} values were not there before" if new else "no new values"
    return CheckResult(check, not new, f"{len(new)} new", "no new values", None, (), told)


_JUDGE: dict[str, Judge] = {
    "rows": _rows,
    "unique": _unique,
    "refers": _share("name a key that is not there", lower=True),
    "nulls": _share("are empty", lower=False),
    "values": _share("hold another value", lower=True),
    "range": _range,
    "quantile": _quantile,
    "fresh": _fresh,
    "monotone": _monotone,
    "sums": _equal_sums,
    "drift": _drift,
    "new_values": _new_values,
}
