"""What a check says once all rows were seen."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl

from segctl.model.contracts import Check
from segctl.quality import checks_drift as drift
from segctl.quality.checks_results import CheckResult
from segctl.quality.checks_run import EXAMPLES

if TYPE_CHECKING:
    from segctl.quality.checks_run import CheckRun

Judge = Callable[["CheckRun", Check, list[Any]], CheckResult]


def share(value: Decimal | float) -> str:
    """A share as percent."""
    return f"{float(value) * 100:.2f}".rstrip("0").rstrip(".") + " %"


def plain(value: object) -> str:
    """A figure without needless digits."""
    return f"{value:,.6g}" if isinstance(value, float) else str(value)


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
    lines = tuple(again["line"].sort().head(EXAMPLES).to_list())
    told = f"{again.height:,} repeat a key" if again.height else "every key stands once"
    return CheckResult(check, not again.height, f"{again.height:,} repeated", "none repeated", None, lines, told)


def _share(what: str, *, lower: bool) -> Judge:
    """Checks of a share of rows: of those that break it, or (`lower`) of those that keep it."""

    def judge(run: CheckRun, check: Check, parts: list[Any]) -> CheckResult:  # noqa: ARG001 - one interface
        total, broken = sum(p[0] for p in parts), sum(p[1] for p in parts)
        lines = tuple([line for part in parts for line in part[2]][:EXAMPLES])
        limit = (1 - (check.low if check.low is not None else 1)) if lower else (check.high or Decimal(0))
        passed = broken <= limit * total
        of = share(broken / total) if total else "0 %"
        told = f"{broken:,} of {total:,} rows {what} ({of})"
        return CheckResult(check, passed, of, f"at most {share(limit)}", None, lines, told)

    return judge


def _range(run: CheckRun, check: Check, parts: list[Any]) -> CheckResult:  # noqa: ARG001 - one interface
    smallest = min((p[0] for p in parts if p[0] is not None), default=None)
    largest = max((p[1] for p in parts if p[1] is not None), default=None)
    lines = tuple([line for part in parts for line in part[2]][:EXAMPLES])
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
    lines = tuple([line for part in parts for line in part[3]][:EXAMPLES])
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
    index = drift.stability_index(before["shares"], run.distribution(check)["shares"])
    told = f"the population stability index is {index:.3f}"
    return CheckResult(check, index <= limit, f"PSI {index:.3f}", f"PSI at most {limit:g}", None, (), told)


def _new_values(run: CheckRun, check: Check, parts: list[Any]) -> CheckResult:  # noqa: ARG001 - one interface
    before = run.previous.get(check.name)
    if not before or drift.OTHERS in before["shares"]:
        return CheckResult(check, True, "first run", "no new values", None, (), "nothing to compare with yet")
    new = sorted(set(run.distribution(check)["shares"]) - set(before["shares"]))
    told = f"{len(new)} values were not there before" if new else "no new values"
    return CheckResult(check, not new, f"{len(new)} new", "no new values", None, (), told)


JUDGES: dict[str, Judge] = {
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
