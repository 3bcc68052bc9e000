"""Events of some measures condensed by person, day and period, against obvious Python."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from segctl.compile import ir
from segctl.engines.base import EngineInput, EventPart
from segctl.engines.period_rows import Figure, Periods, period_rows
from segctl.model.types import Kind, ValueType, stored_column

END = datetime(2026, 3, 30, 6, tzinfo=UTC)  # the clocks of Berlin changed the day before
EPOCH = date(1970, 1, 1)
ZONE = ZoneInfo("Europe/Berlin")
MONEY = ValueType(Kind.MONEY, scale=2, unit="EUR")
VALUE = ir.EventProperty("value", MONEY)
EVENT = st.tuples(
    st.integers(0, 4),
    st.sampled_from(["order", "refund", "open"]),
    st.sampled_from([0, 1, 3600, 86_400, 7 * 86_400, 7 * 86_400 + 1, 14 * 86_400, 30 * 86_400, -1]),
    st.integers(0, 2),
    st.one_of(st.none(), st.integers(0, 900)),
)
OWNERS = pl.Series([0, 1, 1, 3, 0], dtype=pl.Int32)
PERIODS = Periods(END, timedelta(days=7), 2)


def part(events: list[tuple[Any, ...]]) -> EventPart:
    frame = pl.DataFrame(
        {
            "subject": pl.Series([e[0] for e in events], dtype=pl.Int32),
            "ts": pl.Series(
                [END - timedelta(seconds=e[2], hours=e[3]) for e in events], dtype=pl.Datetime("us", "UTC")
            ),
            "source": ["web"] * len(events),
            "event_id": [str(place) for place in range(len(events))],
            "kind": pl.Series([e[1] for e in events], dtype=pl.String),
            stored_column("value", MONEY): pl.Series([e[4] for e in events], dtype=pl.Int64),
        }
    )
    kinds = tuple(sorted({e[1] for e in events}))
    return EventPart("held", len(events), kinds, tuple(frame.columns), held=frame)


@given(st.lists(EVENT, min_size=1, max_size=25), st.booleans())
@settings(max_examples=50)
def test_rows_are_those_of_obvious_python(events: list[tuple[Any, ...]], is_merged: bool) -> None:
    owners = OWNERS if is_merged else None
    figures = [
        Figure("bought", ("order",), ir.Compare("ge", VALUE, ir.Literal(300, MONEY))),
        Figure("revenue", ("order", "refund"), None, VALUE),
        Figure("engaged", ("open",), None, in_days=False),
    ]

    found = period_rows(EngineInput(pl.DataFrame(), (part(events),), owners), figures, PERIODS, zone="Europe/Berlin")

    expected: dict[tuple[Any, ...], list[float]] = defaultdict(lambda: [0, 0.0, 0])
    for subject, kind, seconds, hours, value in events:
        at = END - timedelta(seconds=seconds, hours=hours)
        period = min(int((END - at) // PERIODS.length), 2)
        if at > END or (kind == "open" and period == 2):
            continue
        who = OWNERS[subject] if is_merged else subject
        day = None if kind == "open" else (at.astimezone(ZONE).date() - EPOCH).days
        if kind != "open":
            expected[who, day, period][0] += kind == "order" and value is not None and value >= 300
            expected[who, day, period][1] += (value or 0) / 100
        else:
            expected[who, day, period][2] += 1
    rows = found.select("subject", "day", "period", "bought", "revenue", "engaged").rows()
    told = {row[:3]: [row[3], round(row[4], 6), row[5]] for row in rows}
    assert told == {key: [a, round(b, 6), c] for key, (a, b, c) in expected.items()}


def test_the_latest_purchase_of_a_day_is_told_to_the_microsecond() -> None:
    events = [(0, "order", 10, 0, 500), (0, "order", 20, 0, 500), (0, "refund", 1, 0, 500)]
    figures = [Figure("bought", ("order",), None), Figure("revenue", ("order", "refund"), None, VALUE)]

    found = period_rows(EngineInput(pl.DataFrame(), (part(events),)), figures, PERIODS, zone="UTC")

    assert found["last"].to_list() == [int((END - timedelta(seconds=10)).timestamp() * 1_000_000)]
