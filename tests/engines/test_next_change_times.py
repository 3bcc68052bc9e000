"""When windows are entered and left, for whole columns: as for one time, and as the windows themselves say."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "properties"))

import strategies
from strategies_data import Dice, project

from segctl.compile.trace_flips import FOREVER, next_flip
from segctl.compile.windows import span
from segctl.compile.zones import DAY, from_us, to_us
from segctl.engines.next_change_times import anniversary_flips, window_flips
from segctl.model import times as t

NEAR = 60 * DAY


@pytest.mark.parametrize("seed", range(6))
def test_columns_are_left_when_single_times_are(seed: int) -> None:
    dice = Dice(seed)
    author, zone, now = strategies.Author(dice, project(dice)), dice.zone.key, to_us(dice.as_of)
    for _ in range(12):
        window = author.window()
        if isinstance(window, t.Anniversary):
            continue
        values = [to_us(dice.instant()) for _ in range(5)]
        found = window_flips(window, np.array(values), now, zone)
        for value, flip in zip(values, found, strict=True):
            one = next_flip(window, value, now, zone)
            # What is looked at again at the end of the time that is followed is no claim.
            assert flip == one or (flip > now + NEAR and flip <= one), (window, from_us(value), from_us(now), zone)


@pytest.mark.parametrize(
    ("as_of", "value", "flip"),
    [
        ("2026-03-10 12:00", "2026-02-15 12:00", "2026-03-15 12:00"),
        # From the 31st a month back is the 28th, so the 28th leaves the window and is back at midnight.
        ("2026-03-28 11:00", "2026-02-28 12:00", "2026-03-28 12:00"),
        ("2026-03-28 13:00", "2026-02-28 12:00", "2026-03-29 00:00"),
    ],
)
def test_a_month_back_is_clipped_at_the_end_of_february(as_of: str, value: str, flip: str) -> None:
    now, at, then = (to_us(from_text(text)) for text in (as_of, value, flip))

    found = window_flips(t.WithinLast(t.Duration(1, "months")), np.array([at]), now, "UTC")

    assert found.tolist() == [then]


def test_birthdays_change_at_local_midnight() -> None:
    now = to_us(from_text("2026-11-21 12:00"))
    days = np.array([(from_text(f"1990-{day} 00:00").date().toordinal() - 719_163) for day in ("11-21", "11-24")])

    found = anniversary_flips(t.Anniversary(t.Duration(2, "days")), days, now, "Europe/Berlin")

    assert [from_us(int(us)).isoformat() for us in found] == ["2026-11-21T23:00:00+00:00", "2026-11-22T23:00:00+00:00"]


def test_nothing_leaves_a_window_that_stands_still() -> None:
    now = to_us(from_text("2026-11-21 12:00"))

    found = window_flips(
        t.During(t.NamedPeriod("year", from_text("2026-01-01 00:00").date())), np.array([now]), now, "UTC"
    )

    assert found.tolist() == [FOREVER]


def test_what_has_been_told_is_what_windows_say() -> None:
    now, zone = to_us(from_text("2026-10-24 22:10")), "Europe/Berlin"
    for window in (t.WithinLast(t.Duration(1, "days", calendar=True)), t.OlderThan(t.Duration(1, "months"))):
        for back in range(40):
            value = now - back * DAY + 7
            (flip,) = window_flips(window, np.array([value]), now, zone)
            before = value in span(window, from_us(now), zone)
            assert (value in span(window, from_us(int(flip) - 1), zone)) == before
            assert flip == FOREVER or (value in span(window, from_us(int(flip)), zone)) != before


def from_text(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
