"""When an instant enters or leaves a window: never later than it really does."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1] / "properties"))

import strategies
import strategies_data
from oracle_windows import Clock

from segctl.compile.trace_flips import FOREVER, next_flip
from segctl.compile.zones import from_us, to_us
from segctl.model import times as t

DAY = 86_400_000_000


def is_inside(window: t.Window, at: datetime, us: int, zone: object) -> bool | None:
    """What the oracle says of the window at another as_of."""
    return Clock(from_us(us), zone).holds(window, at)


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_window_does_not_change_before_the_next_flip(seed: int) -> None:
    dice = strategies_data.Dice(seed)
    author = strategies.Author(dice, strategies_data.project(dice))
    window, at = author.window(), dice.instant()
    now = to_us(dice.instant())

    flip = next_flip(window, to_us(at), now, dice.zone.key)

    before = is_inside(window, at, now, dice.zone)
    last = min(flip, now + 5 * 366 * DAY)
    instants = [now + 1, last - 1, *(dice.random.randint(now, last - 1) for _ in range(20))]
    instants += [us for edge in dice.edges for us in (to_us(edge), to_us(edge) + 1) if now < us < last]
    instants += [us for n in range(400) if now < (us := midnight(now, n, dice)) < last]
    if isinstance(point_of(window), t.TraitTime):
        return
    wrong = [from_us(us) for us in instants if now < us < last and is_inside(window, at, us, dice.zone) is not before]
    assert not wrong, (window, at, from_us(now), wrong[0], flip if flip == FOREVER else from_us(flip))


def test_a_month_back_from_the_thirty_first_is_clipped_and_jumps_back() -> None:
    zone = "America/New_York"
    at = to_us(datetime(2025, 12, 1, 0, 30, tzinfo=UTC))
    now = to_us(datetime(2025, 12, 31, 4, 59, 59, tzinfo=UTC))
    window = t.Since(t.RelativeTime(t.Duration(1, "months")))

    # At local midnight of 31 December "a month ago" goes back from 30 November 23:59 to 30 November 00:00.
    assert next_flip(window, at, now, zone) == to_us(datetime(2025, 12, 31, 5, tzinfo=UTC))


def midnight(now: int, days: int, dice: strategies_data.Dice) -> int:
    """The first instant of a local day ahead."""
    from oracle_windows import first_instant, local_day

    return to_us(first_instant(local_day(from_us(now), dice.zone) + timedelta(days=days), dice.zone))


def point_of(window: t.Window) -> object:
    """The bound of a window, where it has one."""
    return getattr(window, "start", None) or getattr(window, "end", None)


@pytest.mark.parametrize(
    ("window", "at", "expected"),
    [
        (t.WithinLast(t.Duration(7, "days")), "2026-11-20T12:00", "2026-11-27T12:00"),
        (t.WithinLast(t.Duration(7, "days")), "2026-11-25T12:00", "2026-11-25T12:00"),
        (t.OlderThan(t.Duration(1, "months")), "2026-11-20T12:00", "2026-12-20T12:00"),
        (t.OlderThan(t.Duration(1, "months")), "2027-01-30T12:00", "2027-03-01T00:00"),
        (t.WithinLast(t.Duration(1, "days", calendar=True)), "2026-11-21T08:00", "2026-11-22T00:00"),
        (t.During(t.RelativePeriod("month", -1)), "2026-11-20T12:00", "2026-12-01T00:00"),
        (t.Anniversary(t.Duration(1, "days")), "1990-12-24T12:00", "2026-12-24T00:00"),
        (t.Since(t.LocalDay(date(2026, 1, 1))), "2026-11-20T12:00", None),
    ],
)
def test_the_flip_is_exact(window: t.Window, at: str, expected: str | None) -> None:
    now = to_us(datetime(2026, 11, 21, 12, tzinfo=UTC))

    flip = next_flip(window, to_us(datetime.fromisoformat(at).replace(tzinfo=UTC)), now, "UTC")

    assert (None if flip == FOREVER else from_us(flip).strftime("%Y-%m-%dT%H:%M")) == expected
