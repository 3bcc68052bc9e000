"""What a replay reads: as much as conditions can see, and no more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from segctl.compile import ir
from segctl.model.times import (
    Anniversary,
    Before,
    Between,
    Duration,
    OlderThan,
    RelativeTime,
    Since,
    TraitTime,
    WithinLast,
)
from segctl.model.types import INTEGER, TEXT
from segctl.operations.causes.reach import ALWAYS, columns_read, needed, needing_events, reach
from segctl.operations.causes.rows import Delta

T0, T1 = datetime(2026, 11, 12, 12, tzinfo=UTC), datetime(2026, 11, 16, 12, tzinfo=UTC)
WEEK = Duration(7, "days")


def count(kind: str, window: object = None, where: ir.Predicate | None = None) -> ir.Metric:
    return ir.Metric((kind,), ir.Measure("count"), INTEGER, window, where)  # type: ignore[arg-type]  # any window


def test_a_rolling_window_is_seen_from_the_earlier_of_the_two_instants() -> None:
    seen = reach([count("order", WithinLast(WEEK))], (T0, T1), "UTC")

    assert seen.keys() == {"order"}
    assert seen["order"] is not None
    assert T0 - timedelta(days=9) <= seen["order"] <= T0 - timedelta(days=7)


@pytest.mark.parametrize(
    "window",
    [
        pytest.param(None, id="no window"),
        pytest.param(OlderThan(WEEK), id="older than"),
        pytest.param(Before(RelativeTime(WEEK, -1)), id="before"),
        pytest.param(Since(TraitTime("birthday")), id="since a trait"),
        pytest.param(Anniversary("within_last", WEEK), id="an anniversary"),
        pytest.param(Between(RelativeTime(WEEK, 1), RelativeTime(Duration(9, "days"), 1)), id="empty, being ahead"),
    ],
)
def test_a_window_without_a_beginning_sees_everything(window: object) -> None:
    assert reach([count("order", window)], (T0, T1), "UTC") == {"order": None}


def test_of_several_windows_the_widest_counts_and_a_sequence_reaches_as_far_as_its_first_step() -> None:
    steps = (
        ir.Step(("visit",), None, negative=False, window=WithinLast(WEEK), within=None),
        ir.Step(("order",), None, negative=True, window=None, within=None),
    )
    nodes = [
        ir.Sequence(steps, "any", ()),
        count("visit", WithinLast(Duration(9, "days"))),
        count("visit", WithinLast(WEEK)),
    ]

    seen = reach(nodes, (T0, T1), "UTC")

    assert seen["order"] is not None
    assert seen["visit"] is not None
    assert seen["order"] - seen["visit"] == timedelta(days=2)


def test_events_are_wanted_of_profiles_whose_segment_reads_them() -> None:
    pairs = pl.DataFrame({"segment": ["a", "b", "a"], "subject": [1, 1, 2]}, schema_overrides={"subject": pl.Int32})
    seen = {"a": {"order": T0}, "b": {"order": None, "visit": T1}}
    # 3 was merged into 2.
    identifiers = pl.DataFrame(
        {"subject": [1, 2, 3], "profile": [1, 2, 2]}, schema={"subject": pl.Int32, "profile": pl.Int32}
    )

    found = needed(pairs, seen, identifiers)

    assert dict(found["order"].iter_rows()) == {1: ALWAYS, 2: T0, 3: T0}
    assert dict(found["visit"].iter_rows()) == {1: T1}


def test_columns_are_those_that_conditions_on_a_kind_read() -> None:
    value = ir.EventProperty("value", INTEGER)
    sequence = ir.Sequence(
        (ir.Step(("visit",), None, negative=False, window=None, within=None),), "any", (("page", TEXT),)
    )
    nodes = [count("order", None, ir.Compare("gt", value, ir.Literal(1, INTEGER))), count("visit"), sequence]

    assert columns_read(nodes) == {"order": {"value:i"}, "visit": {"page:t"}}


def test_who_might_not_be_there_but_for_events_keeps_all_of_them() -> None:
    instant = pl.Datetime("us", "UTC")
    schema = {"subject": pl.Int32, "valid_from": instant, "gone": pl.Boolean}
    rows = [(1, None, False), (2, T1, False), (3, None, False), (3, None, True), (4, T0, False), (5, T0, False)]
    records = pl.DataFrame(rows, schema=schema, orient="row")
    nothing, some = (
        pl.DataFrame(schema={"subject": pl.Int32}),
        pl.DataFrame({"subject": [4]}, schema={"subject": pl.Int32}),
    )
    gone = pl.DataFrame({"subject": [5]}, schema={"subject": pl.Int32})
    subjects = pl.Series(range(1, 7), dtype=pl.Int32)

    found = needing_events(subjects, records, [Delta(nothing, gone), Delta(some, nothing)], T0)

    # 1 was there all the time; 2 came later, 3 ended, 4 has a new version, an event of 5 went, 6 has no record.
    assert found.to_list() == [2, 3, 4, 5, 6]
