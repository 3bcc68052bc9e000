"""Sequences and tests of one common value, by hand, on every engine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from engine_data import ITEM, Happening, ask, at_least, column, equals, happened, metric, step

from segctl.compile import ir
from segctl.engines.base import Engine
from segctl.model.times import Duration
from segctl.model.types import TEXT

DAY = Duration(1, "days")
NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)


def matches(
    engine: Engine, folder: Path, events: list[Happening], *steps: ir.Step, start: str = "any", same: bool = False
) -> bool:
    tie = (("item", TEXT),) if same else ()
    sequence = ir.HasSequence(ir.Sequence(tuple(steps), start, tie))
    answers = {
        bool(column(ask(engine, folder, events, sequence, is_sorted=is_sorted))[0]) for is_sorted in (True, False)
    }
    assert len(answers) == 1
    return answers.pop()


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        pytest.param(timedelta(days=1), True, id="the end of within is included"),
        pytest.param(timedelta(days=1, microseconds=1), False, id="a microsecond late"),
        pytest.param(timedelta(microseconds=-1), False, id="before"),
    ],
)
def test_then(engine: Engine, tmp_path: Path, after: timedelta, expected: bool) -> None:
    events = [happened(0, "cart", NOON), happened(0, "order", NOON + after)]

    assert matches(engine, tmp_path, events, step("cart"), step("order", within=DAY)) is expected
    assert matches(engine, tmp_path, events, step("cart"), step("order", within=DAY, negative=True)) is not expected


@pytest.mark.parametrize(("cart_id", "order_id", "expected"), [("1", "2", True), ("2", "1", False)])
def test_at_the_same_instant_then_goes_by_event_id(
    engine: Engine, tmp_path: Path, cart_id: str, order_id: str, expected: bool
) -> None:
    events = [happened(0, "cart", NOON, cart_id), happened(0, "order", NOON, order_id)]

    assert matches(engine, tmp_path, events, step("cart"), step("order")) is expected


@pytest.mark.parametrize("order_id", ["0", "2"])
def test_then_not_counts_events_at_the_same_instant(engine: Engine, tmp_path: Path, order_id: str) -> None:
    events = [happened(0, "cart", NOON, "1"), happened(0, "order", NOON, order_id)]

    assert not matches(engine, tmp_path, events, step("cart"), step("order", negative=True, within=DAY))
    assert not matches(engine, tmp_path, events, step("cart"), step("order", negative=True))


def test_then_not_holds_only_once_its_time_has_passed(engine: Engine, tmp_path: Path) -> None:
    events = [happened(0, "cart", datetime(2026, 1, 31, 11, tzinfo=UTC))]

    assert matches(engine, tmp_path, events, step("cart"), step("order", negative=True, within=Duration(1, "hours")))
    assert not matches(engine, tmp_path, events, step("cart"), step("order", negative=True, within=DAY))


def test_the_step_itself_does_not_break_its_own_then_not(engine: Engine, tmp_path: Path) -> None:
    again = step(("cart", "order"), negative=True)

    assert matches(engine, tmp_path, [happened(0, "cart", 5)], step("cart"), again, start="last")
    assert not matches(
        engine, tmp_path, [happened(0, "cart", 5), happened(0, "cart", 6)], step("cart"), again, start="first"
    )


def test_steps_are_not_taken_greedily(engine: Engine, tmp_path: Path) -> None:
    # The first cart is followed too late and the nearest order has no refund: only cart 8, order 10, refund 10 fit.
    events = [
        happened(0, "cart", 1),
        happened(0, "cart", 8),
        happened(0, "order", 9),
        happened(0, "order", 12),
        happened(0, "refund", 13),
    ]
    steps = (step("cart"), step("order", within=Duration(5, "days")), step("refund", within=DAY))

    assert matches(engine, tmp_path, events, *steps)
    assert not matches(engine, tmp_path, events, *steps, start="first")


def test_an_open_then_not_ends_at_the_next_step(engine: Engine, tmp_path: Path) -> None:
    steps = (step("cart"), step("login", negative=True), step("order"))
    before = [happened(0, "cart", 1), happened(0, "order", 2), happened(0, "login", 3)]
    between = [happened(0, "cart", 1), happened(0, "login", 2), happened(0, "order", 3)]

    assert matches(engine, tmp_path, before, *steps)
    assert not matches(engine, tmp_path, between, *steps)


def test_a_then_not_with_within_holds_in_full_even_if_the_next_step_comes_earlier(
    engine: Engine, tmp_path: Path
) -> None:
    events = [happened(0, "cart", 1), happened(0, "order", 2), happened(0, "login", 3)]
    steps = (step("cart"), step("login", negative=True, within=Duration(3, "days")), step("order"))

    assert not matches(engine, tmp_path, events, *steps)


def test_same_ties_all_steps_and_missing_ties_with_nothing(engine: Engine, tmp_path: Path) -> None:
    tied = [happened(0, "cart", 1, item="x"), happened(0, "order", 2, item="x")]
    other = [happened(0, "cart", 1, item="x"), happened(0, "order", 2, item="y")]
    missing = [happened(0, "cart", 1), happened(0, "order", 2)]
    then, then_not = step("order"), step("order", negative=True)

    found = [matches(engine, tmp_path, events, step("cart"), then, same=True) for events in (tied, other, missing)]
    assert found == [True, False, False]
    found = [matches(engine, tmp_path, events, step("cart"), then_not, same=True) for events in (tied, other, missing)]
    assert found == [False, True, True]


def test_months_are_counted_on_the_local_clock(engine: Engine, tmp_path: Path) -> None:
    # One month after 31 January 12:00 in Berlin is 28 February 12:00.
    events = [
        happened(0, "cart", datetime(2025, 1, 31, 11, tzinfo=UTC)),
        happened(0, "order", datetime(2025, 2, 28, 11, tzinfo=UTC)),
    ]
    late = [events[0], happened(0, "order", datetime(2025, 2, 28, 11, 0, 0, 1, tzinfo=UTC))]
    then = step("order", within=Duration(1, "months"))

    assert matches(engine, tmp_path, events, step("cart"), then)
    assert not matches(engine, tmp_path, late, step("cart"), then)


def test_one_and_the_same_value(engine: Engine, tmp_path: Path) -> None:
    events = [
        happened(0, "view", 1, item="x"),
        happened(0, "view", 2, item="y"),
        happened(0, "order", 3, item="x"),
        happened(1, "view", 1, item="x"),
        happened(1, "order", 3, item="x"),
        happened(2, "view", 1),
    ]
    seen, bought = (metric("count", (kind,)) for kind in ("view", "order"))
    both = ir.And((at_least(seen, 1), equals(bought, 0)))

    assert column(ask(engine, tmp_path, events, ir.HasCommonValue((("item", TEXT),), both))) == [True, False, False]


def test_unknown_for_one_value_and_true_for_none_is_unknown(engine: Engine, tmp_path: Path) -> None:
    events = [happened(0, "view", 1, item="x"), happened(0, "order", 1, item="y")]
    last = metric("last_value", ("view",), TEXT, ITEM)

    found = ask(
        engine,
        tmp_path,
        events,
        ir.HasCommonValue((("item", TEXT),), ir.And((equals(last, "x"), equals(metric("count"), 1)))),
    )

    # For x the order is lacking; for y the last viewed item is missing.
    assert column(found) == [None, False, False]
