"""Measures over events, by hand, on every engine."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from engine_data import (
    ITEM,
    MONEY,
    PROFILES,
    REAL,
    VALUE,
    ask,
    at_least,
    column,
    equals,
    happened,
    metric,
)

from segctl.compile import ir
from segctl.engines.base import Engine
from segctl.model.times import Duration, WithinLast
from segctl.model.types import DATE, INTEGER, TEXT, TIME

ORDERS = [
    happened(0, "order", 1, value=1000, item="a"),
    happened(0, "order", 5, value=None, item="b"),
    happened(0, "order", 25, value=251, item="a"),
    happened(0, "visit", 26),
    happened(1, "order", 30, value=-99, item=None),
]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param(metric("count"), [3, 1, 0], id="count of none is zero"),
        pytest.param(metric("count", ("order", "visit")), [4, 1, 0], id="count over two kinds"),
        pytest.param(metric("sum", value_type=MONEY, of=VALUE), [1251, -99, 0], id="sum skips missing"),
        pytest.param(metric("average", value_type=REAL, of=VALUE), [6.255, -0.99, None], id="average of what is there"),
        pytest.param(metric("min", value_type=MONEY, of=VALUE), [251, -99, None], id="min"),
        pytest.param(metric("max", value_type=MONEY, of=VALUE), [1000, -99, None], id="max"),
        pytest.param(metric("distinct", of=ITEM), [2, 0, 0], id="a missing value is no distinct value"),
        pytest.param(metric("days"), [3, 1, 0], id="days"),
        pytest.param(metric("weeks"), [3, 1, 0], id="weeks: 1, 5 and 25 January lie in three"),
        pytest.param(metric("months"), [1, 1, 0], id="months"),
        pytest.param(metric("years"), [1, 1, 0], id="years"),
        pytest.param(
            metric("share", value_type=REAL, measure_where=equals(ITEM, "a")), [2 / 3, 0.0, None], id="share of none"
        ),
        pytest.param(metric("last_value", value_type=MONEY, of=VALUE), [251, -99, None], id="last value"),
        pytest.param(metric("last_value", value_type=TEXT, of=ITEM), ["a", None, None], id="even if it is missing"),
        pytest.param(metric("most_frequent", value_type=TEXT, of=ITEM), ["a", None, None], id="most frequent"),
        pytest.param(metric("gap_average", value_type=REAL), [12.0, None, None], id="average gap"),
        pytest.param(metric("gap_max", value_type=REAL), [20.0, None, None], id="longest gap"),
        pytest.param(metric("gap_last", value_type=REAL), [20.0, None, None], id="last gap"),
        pytest.param(metric("sum", value_type=MONEY, of=VALUE, latest=2), [251, -99, 0], id="the newest two"),
        pytest.param(
            metric("count", window=WithinLast(Duration(7, "days"))), [1, 1, 0], id="the window is measured in the pass"
        ),
        pytest.param(metric("count", where=equals(ITEM, "a")), [2, 0, 0], id="unknown in where is no match"),
        pytest.param(
            metric("count", where=ir.Not(equals(ITEM, "a"))), [1, 0, 0], id="not of unknown is no match either"
        ),
    ],
)
@pytest.mark.parametrize("is_sorted", [True, False])
def test_a_measure(
    engine: Engine, tmp_path: Path, asked: ir.MetricValue, expected: list[object], is_sorted: bool
) -> None:
    assert column(ask(engine, tmp_path, ORDERS, asked, is_sorted=is_sorted)) == expected


def test_first_and_last_times_are_instants(engine: Engine, tmp_path: Path) -> None:
    found = ask(engine, tmp_path, ORDERS, metric("first_time", value_type=TIME), metric("last_time", value_type=TIME))

    assert column(found)[0] == datetime(2026, 1, 1, tzinfo=UTC)
    assert column(found, "out1")[0] == datetime(2026, 1, 25, tzinfo=UTC)


def test_ties_in_time_go_by_source_and_event_id(engine: Engine, tmp_path: Path) -> None:
    # "B" comes before "a" by code point, so "a" is the last of the instant.
    events = [happened(0, "order", 3, "a", item="last"), happened(0, "order", 3, "B", item="first")]

    first, last = (metric(f, value_type=TEXT, of=ITEM) for f in ("first_value", "last_value"))
    for is_sorted in (True, False):
        found = ask(engine, tmp_path, events, first, last, is_sorted=is_sorted)
        assert (column(found)[0], column(found, "out1")[0]) == ("first", "last")


def test_a_tie_of_frequencies_goes_to_the_latest_event(engine: Engine, tmp_path: Path) -> None:
    events = [happened(0, "order", day, item=item) for day, item in ((1, "b"), (2, "a"), (3, "a"), (4, "b"))]

    assert column(ask(engine, tmp_path, events, metric("most_frequent", value_type=TEXT, of=ITEM)))[0] == "b"


def test_sums_never_wrap(engine: Engine, tmp_path: Path) -> None:
    events = [happened(0, "order", day, value=2**62) for day in (1, 2, 3)]

    total = metric("sum", value_type=MONEY, of=VALUE)
    found = ask(engine, tmp_path, events, total, at_least(total, 2**62))

    assert column(found)[0] == 3 * 2**62
    assert column(found, "out1") == [True, False, False]


def test_a_wide_sum_can_stand_in_where(engine: Engine, tmp_path: Path) -> None:
    events = [happened(0, "order", day, value=2**62) for day in (1, 2, 3)] + [happened(1, "order", 1, value=5)]
    total = metric("sum", value_type=MONEY, of=VALUE)

    found = ask(engine, tmp_path, events, metric("count", where=ir.Compare("lt", VALUE, total)))

    assert column(found) == [3, 0, 0]


def test_events_after_as_of_do_not_exist(engine: Engine, tmp_path: Path) -> None:
    events = [happened(0, "order", 2), happened(0, "order", 4)]

    found = ask(engine, tmp_path, events, metric("count"), as_of=datetime(2026, 1, 3, tzinfo=UTC))

    assert column(found)[0] == 1


def test_local_days_follow_the_clock_change(engine: Engine, tmp_path: Path) -> None:
    # 29 March 2026, 01:00 UTC: Berlin jumps to summer time, so 22:30 UTC is half past midnight of the next day.
    events = [happened(0, "order", datetime(2026, 3, day, 22, 30, tzinfo=UTC)) for day in (28, 29)]
    hour = ir.EventTimePart("hour", INTEGER)

    late, early = (metric("count", where=equals(hour, value)) for value in (23, 0))
    day = metric("count", where=equals(ir.EventTimePart("date", DATE), datetime(2026, 3, 30).date()))  # noqa: DTZ001 - local times have no zone
    found = ask(engine, tmp_path, events, late, early, day, as_of=datetime(2026, 4, 1, tzinfo=UTC))

    assert [column(found, name)[0] for name in ("out0", "out1", "out2")] == [1, 1, 1]


@pytest.mark.parametrize(
    ("within", "expected"),
    [
        pytest.param(Duration(1, "days"), 1, id="the end is included"),
        pytest.param(Duration(23, "hours"), 0, id="too late"),
        pytest.param(None, 1, id="open"),
    ],
)
def test_only_followed_events_count(engine: Engine, tmp_path: Path, within: Duration | None, expected: int) -> None:
    events = [
        happened(0, "mail", 1, item="x"),
        happened(0, "mail", 2, item="y"),
        happened(0, "mail", 3),
        happened(0, "open", 3, item="y"),
        happened(0, "open", 9),
    ]
    followed = ir.Followed(("open",), None, (("item", TEXT),), within)

    assert column(ask(engine, tmp_path, events, metric("count", ("mail",), followed=followed)))[0] == expected


def test_a_stored_trait_can_stand_in_where(engine: Engine, tmp_path: Path) -> None:
    import polars as pl

    profiles = PROFILES.with_columns(pl.Series("favourite", ["a", "b", None]))
    same = ir.Compare("eq", ITEM, ir.StoredTrait("favourite", TEXT))

    assert column(ask(engine, tmp_path, ORDERS, metric("count", where=same), profiles=profiles)) == [2, 0, 0]


def test_a_property_nobody_delivered_is_missing(engine: Engine, tmp_path: Path) -> None:
    colour = ir.EventProperty("colour", TEXT)

    found = ask(engine, tmp_path, ORDERS, metric("count", where=ir.Exists(colour)), metric("distinct", of=colour))

    assert column(found) == column(found, "out1") == [0, 0, 0]


def test_events_belong_to_the_canonical_subject(engine: Engine, tmp_path: Path) -> None:
    import polars as pl

    canonical = pl.Series([0, 0, 2], dtype=pl.Int32)
    found = ask(engine, tmp_path, ORDERS, metric("count"), profiles=PROFILES[[0, 2]], canonical=canonical)

    assert column(found) == [4, 0]


def test_parts_with_different_columns_are_read_together(engine: Engine, tmp_path: Path) -> None:
    from engine_data import AS_OF, part

    from segctl.compile.plan import Output, plan
    from segctl.engines.base import EngineInput

    parts = (part(tmp_path, ORDERS), part(tmp_path, [happened(2, "order", 3)], {}))
    asked = plan((), [Output("n", metric("count")), Output("sum", metric("sum", value_type=MONEY, of=VALUE))])
    found = engine.evaluate(asked, EngineInput(PROFILES, parts), as_of=AS_OF, zone="UTC")

    assert (column(found, "n"), column(found, "sum")) == ([3, 1, 1], [1251, -99, 0])
