"""Short windows asked of the newest rows only: the same answers, from fewer rows."""

from __future__ import annotations

from pathlib import Path

import pytest
from engine_data import ITEM, MONEY, VALUE, ask, column, happened, metric

from segctl.engines import tiers
from segctl.engines.polars_engine import PolarsEngine
from segctl.model.times import Duration, OlderThan, WithinLast
from segctl.model.types import INTEGER, TIME

EVENTS = [happened(day % 2, "order", day, value=day, item="ab"[day % 2]) for day in range(1, 31)]
MEASURES = (("count", INTEGER, None), ("sum", MONEY, VALUE), ("distinct", INTEGER, ITEM), ("last_time", TIME, None))
WINDOWS = (None, WithinLast(Duration(3, "days")), WithinLast(Duration(10, "days")), OlderThan(Duration(20, "days")))
ASKED = [metric(function, value_type=of, of=what, window=w) for function, of, what in MEASURES for w in WINDOWS]


@pytest.mark.parametrize("is_sorted", [True, False])
def test_tiers_give_the_answers_of_one_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_sorted: bool) -> None:
    rows: list[int] = []
    plain = tiers.Held.scan

    def scan(held: tiers.Held, wish: tiers.Scan) -> tiers.Rows:
        rows.append(held.rows.height)
        return plain(held, wish)

    monkeypatch.setattr(tiers.Held, "scan", scan)
    events = sorted(EVENTS, key=lambda one: one.subject) if is_sorted else EVENTS

    def answers() -> list[list[object]]:
        found = ask(PolarsEngine(), tmp_path, events, *ASKED, is_sorted=is_sorted)
        return [column(found, f"out{number}") for number in range(len(ASKED))]

    together = answers()
    assert rows == [30]
    monkeypatch.setattr(tiers, "_PASS", 0)
    monkeypatch.setattr(tiers, "_TAKE", 0)
    assert answers() == together
    assert rows[1:] == [30, 9, 2]
