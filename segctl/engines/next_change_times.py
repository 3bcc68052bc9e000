"""When instants enter or leave windows as time goes on, for whole columns at once.

Columns are NumPy arrays of microseconds since 1970; `FOREVER` stands for an instant that never comes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from segctl.compile.moving_bounds import MOST_DAYS, MovingBound, bound_at, course, moving_bounds, present_piece, turns
from segctl.compile.trace_flips import FOREVER
from segctl.compile.windows import anniversary_days
from segctl.compile.zones import DAY, MAX_US, from_us
from segctl.model.times import Anniversary, Window

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Us = NDArray[np.int64]

_LONG_DAYS, _FEW_DAYS = 62, 60
"""Anniversaries of longer windows than that are followed for so many days only: each has a year of days to look at."""


def window_flips(window: Window, values: Us, now: int, zone: str) -> Us:
    """The first instant after `now` at which each of some instants may enter or leave a window; no anniversary."""
    found = np.full(len(values), FOREVER)
    for bound in moving_bounds(window):
        if bound is not None:
            found = np.minimum(found, passings(bound, values, now, zone))
    return found


def passings(bound: MovingBound, values: Us, now: int, zone: str) -> Us:
    """The first instant after `now` at which a bound passes each of some instants, or falls back behind it."""
    here = bound_at(bound, now, zone)
    ahead = values >= here
    if bound.is_even:
        return np.where(ahead, np.minimum(values, MAX_US) + (now - here + 1), FOREVER)
    return np.where(ahead, _passed(bound, values, now, zone), _fallen(bound, values, now, zone))


def next_step(bound: MovingBound, now: int, zone: str) -> int:
    """The first instant after `now` at which a bound that goes in steps is another one."""
    here, way = bound_at(bound, now, zone), course(bound, now, zone)
    steps = (at for at, first in zip(way.begins, way.first, strict=True) if at > now and first != here)
    return next(steps, way.end)


def next_midnight(now: int, zone: str) -> int:
    """The first local midnight or clock change after `now`."""
    return turns(now, now + 3 * DAY, zone)[0]


def anniversary_flips(window: Anniversary, days: Us, now: int, zone: str) -> Us:
    """The first instant after `now` at which the anniversary of each of some local days may enter or leave a window."""
    table = _anniversaries(window, present_piece(now, zone), zone)
    dates = days.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    keys = (months.astype(np.int64) % 12 + 1) * 100 + (dates - months).astype(np.int64) + 1
    found: Us = np.array(table)[keys]
    return found


def _passed(bound: MovingBound, values: Us, now: int, zone: str) -> Us:
    """For instants that a bound has not passed yet."""
    way = course(bound, now, zone)
    highest = np.maximum.accumulate(np.array(way.last))
    piece = np.searchsorted(highest, values, side="right")
    begins, lags = np.array([*way.begins, way.end]), np.array([*way.lag, 0])
    within = np.where(piece < len(highest), np.minimum(values, MAX_US) + lags[piece] + 1, way.end)
    found: Us = np.maximum(np.maximum(begins[piece], within), now + 1)
    return found


def _fallen(bound: MovingBound, values: Us, now: int, zone: str) -> Us:
    """For instants that a bound has passed."""
    way = course(bound, now, zone)
    # Within a piece the bound does not fall, so only begins of later ones can lie before it.
    ahead = [(at, first) for at, first in zip(way.begins, way.first, strict=True) if at > now]
    lowest = np.minimum.accumulate(np.array([bound_at(bound, now, zone), *(first for _, first in ahead)]))
    piece = np.searchsorted(-lowest, -values, side="left")
    found: Us = np.array([now, *(at for at, _ in ahead), FOREVER])[piece]
    return found


@lru_cache(maxsize=64)
def _anniversaries(window: Anniversary, start: int, zone: str) -> tuple[int, ...]:
    """By month times 100 plus day: when an answer that holds from `start` on may be another one."""
    before = anniversary_days(window, from_us(start), zone)
    days = MOST_DAYS if len(before) <= _LONG_DAYS else _FEW_DAYS
    end = start + days * DAY
    found = [end] * 1_300
    for at in reversed(turns(start, end, zone)):
        for month, day in anniversary_days(window, from_us(at), zone) ^ before:
            found[month * 100 + day] = at
    return tuple(found)
