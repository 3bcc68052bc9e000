"""Checks of all rows together, batch by batch."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from segctl.model.contracts import Check
from segctl.quality.checks_drift import edges_of, shares_of_numbers, shares_of_texts, stability_index
from segctl.quality.checks_results import CheckResult
from segctl.quality.checks_run import CheckRun

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def run(
    check: Check, *batches: dict[str, list[Any]], previous: dict[str, Any] | None = None, **keys: Any
) -> CheckResult:
    found = CheckRun((check,), previous or {}, NOW, {("other", name): pl.Series(of) for name, of in keys.items()})
    line = 2
    for batch in batches:
        frame = pl.DataFrame(batch)
        found.add(frame, pl.Series(range(line, line + frame.height), dtype=pl.Int64))
        line += frame.height
    return found.results()[0]


def facts(check: Check, batch: dict[str, list[Any]]) -> dict[str, Any]:
    found = CheckRun((check,), {}, NOW, {})
    frame = pl.DataFrame(batch)
    found.add(frame, pl.Series(range(frame.height), dtype=pl.Int64))
    return found.facts()


def share(percent: int) -> Decimal:
    return Decimal(percent) / 100


def test_a_key_may_repeat_across_batches_and_is_found() -> None:
    found = run(Check("unique", ("a",)), {"a": ["1", "2"]}, {"a": ["3", "2", None, None]})

    assert (found.passed, found.observed, found.lines) == (False, "1 repeated", (5,))


def test_checks_of_one_kind_and_column_keep_their_own_counts() -> None:
    """Two ranges of a column, one of them told only; and a check that stands there twice."""
    low, high = Check("range", ("a",), low=Decimal(0)), Check("range", ("a",), high=Decimal(10), severity="warn")
    key = Check("unique", ("b",))
    found = CheckRun((low, high, key, key), {}, NOW, {})
    found.add(pl.DataFrame({"a": ["-1", "5", "99"], "b": ["x", "y", "z"]}), pl.Series([2, 3, 4]))

    assert [(result.passed, result.lines) for result in found.results()] == [
        (False, (2,)), (False, (4,)), (True, ()), (True, ()),
    ]  # fmt: skip


def test_a_compound_key_is_told_apart_by_its_parts() -> None:
    check = Check("unique", ("a", "b"))

    assert run(check, {"a": ["x", "xy"], "b": ["yz", "z"]}).passed
    assert not run(check, {"a": ["x", "x"], "b": ["z", "z"]}).passed


def test_a_foreign_key_that_is_not_there_is_found_and_an_empty_one_is_not() -> None:
    check = Check("refers", ("a",), other=("other", "id"))

    found = run(check, {"a": ["1", "9", None]}, id=["1", "2"])

    assert (found.passed, found.lines, found.observed) == (False, (3,), "50 %")
    assert run(Check("refers", ("a",), other=("other", "id"), low=share(50)), {"a": ["1", "9"]}, id=["1"]).passed


@pytest.mark.parametrize(("percent", "passed"), [(49, False), (50, True)])
def test_a_share_exactly_at_its_bound_passes(percent: int, passed: bool) -> None:
    assert run(Check("nulls", ("a",), high=share(percent)), {"a": ["", "x"]}, {"a": [None, "y"]}).passed is passed
    assert run(Check("values", ("a",), values=("x",), low=share(100 - percent)), {"a": ["x", "y"]}).passed is passed


def test_rows_and_their_change() -> None:
    before = {"rows": {"rows": 10}}

    assert not run(Check("rows", low=Decimal(3)), {"a": [1, 2]}).passed
    assert run(Check("rows", change=share(20)), {"a": [1] * 8}, previous=before).passed
    assert not run(Check("rows", change=share(20)), {"a": [1] * 7}, previous=before).passed
    assert run(Check("rows", change=share(20)), {"a": [1] * 7}).passed


def test_bounds_of_values_and_quantiles() -> None:
    batch = {"a": ["1", "2.5", "x", "100"]}

    assert run(Check("range", ("a",), low=Decimal(1), high=Decimal(100)), batch).passed
    assert run(Check("range", ("a",), low=Decimal(2)), batch).lines == (2,)
    assert run(Check("quantile", ("a",), quantile=Decimal("0.5"), high=Decimal("2.5")), batch).passed
    assert not run(Check("quantile", ("a",), quantile=Decimal("0.9"), high=Decimal(50)), batch).passed


def test_freshness_looks_at_the_newest_time() -> None:
    check = Check("fresh", ("t",), within=timedelta(days=1))

    assert run(check, {"t": ["2026-11-21T10:00:00+02:00", "2020-01-01"]}).passed
    assert run(check, {"t": ["20.11.2026 12:00"]}).passed
    assert not run(check, {"t": ["2026-11-20 11:59:59"]}).passed
    assert not run(check, {"t": [None, "soon"]}).passed


def test_times_may_stand_still_but_not_go_back_not_even_between_batches() -> None:
    check = Check("monotone", ("t",))

    assert run(check, {"t": ["2026-01-01", "2026-01-01"]}, {"t": ["2026-01-02"]}).passed
    assert run(check, {"t": ["2026-01-02", None, "2026-01-01"]}).lines == (4,)
    assert not run(check, {"t": ["2026-01-02"]}, {"t": ["2026-01-01"]}).passed


def test_sums_are_compared() -> None:
    check = Check("sums", ("net", "tax"), total=("gross",))

    assert run(check, {"net": ["1.10"], "tax": ["0.20"], "gross": ["1.30"]}).passed
    assert not run(check, {"net": ["1.10"], "tax": ["0.20"], "gross": ["1.31"]}).passed


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [pytest.param({"a": 0.5, "b": 0.5}, {"a": 0.6, "b": 0.4}, 0.040547, id="0.1 ln 1.2 - 0.1 ln 0.8, by hand")],
)
def test_the_stability_index(before: dict[str, float], now: dict[str, float], expected: float) -> None:
    assert stability_index(before, now) == pytest.approx(expected, abs=1e-6)
    assert stability_index(before, before) == 0


def test_drift_compares_categories_with_the_last_run() -> None:
    check = Check("drift", ("a",))
    before = facts(check, {"a": ["x"] * 50 + ["y"] * 50})

    assert run(check, {"a": ["x"] * 55 + ["y"] * 45}, previous=before).passed
    assert not run(check, {"a": ["x"] * 90 + ["y"] * 10}, previous=before).passed
    assert run(check, {"a": ["z"]}).passed


def test_drift_compares_numbers_by_the_bins_of_the_last_run() -> None:
    check = Check("drift", ("a",))
    before = facts(check, {"a": [str(i) for i in range(100)]})

    assert run(check, {"a": [str(i) for i in range(100)]}, previous=before).observed == "PSI 0.000"
    assert not run(check, {"a": [str(i + 60) for i in range(100)]}, previous=before).passed


def test_new_values_are_those_that_the_last_run_had_not() -> None:
    check = Check("new_values", ("a",))
    before = facts(check, {"a": ["x", "y"]})

    assert run(check, {"a": ["x", None]}, previous=before).passed
    assert run(check, {"a": ["x", "z"]}, previous=before).observed == "1 new"


def test_shares_count_what_stands_there_only() -> None:
    assert shares_of_texts(pl.Series("a", ["x", "x", None, "y"])) == {"x": 2 / 3, "y": 1 / 3}
    edges = edges_of(pl.Series([1.0, 2.0, 3.0, None]))
    assert sum(shares_of_numbers(pl.Series([1.0, None, 5.0]), edges).values()) == 1
