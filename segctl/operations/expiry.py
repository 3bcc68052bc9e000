"""Segments that end on a day: when that is, and the notice before it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from segctl.compile.zones import day_start, from_us
from segctl.model.conditions import SegmentDefinition

NOTICE_DAYS = 30


def expired_at(segment: SegmentDefinition, zone: str) -> datetime | None:
    """The instant from which nobody belongs to the segment; None without an end."""
    return None if segment.expires is None else from_us(day_start(segment.expires, zone))


def expired(segments: Mapping[str, SegmentDefinition], names: Iterable[str], as_of: datetime, zone: str) -> list[str]:
    """Those of the names that have ended at as_of."""
    ends = {name: expired_at(segments[name], zone) for name in names}
    return [name for name, at in ends.items() if at is not None and as_of >= at]


def days_left(expires: date | None, now: datetime, zone: str) -> int | None:
    """Days until a segment ends, 0 or less when it has; None when that is further away than the notice."""
    if expires is None:
        return None
    days = (expires - now.astimezone(ZoneInfo(zone)).date()).days
    return days if days <= NOTICE_DAYS else None


def notice(name: str, expires: date | None, now: datetime, zone: str) -> str | None:
    """For instance ```vip` expires in 12 days, on 2026-12-31``; None when there is nothing to say yet."""
    days = days_left(expires, now, zone)
    if days is None:
        return None
    if days <= 0:
        return f"`{name}` has expired on {expires}"
    return f"`{name}` expires {'tomorrow' if days == 1 else f'in {days} days'}, on {expires}"
