"""Durations, points in time and windows, as written; `compile/windows.py` turns them into instants."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from segctl.model.dataclass import dataclass

Unit = Literal["seconds", "minutes", "hours", "days", "weeks", "months", "years"]
EXACT_SECONDS: dict[str, int] = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400, "weeks": 604_800}


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time as written, such as ``7 days`` or ``2 calendar weeks``.

    Attributes:
        amount: Whole number, at least 1 (at least 0 in sequences).
        unit: seconds to weeks are exact; months and years are calendar arithmetic in the project's zone.
        calendar: From local midnight, today included (days, weeks from Monday, months, years).
    """

    amount: int
    unit: Unit
    calendar: bool = False

    def __str__(self) -> str:
        unit = self.unit[:-1] if self.amount == 1 else self.unit
        return f"{self.amount} {'calendar ' if self.calendar else ''}{unit}"


@dataclass(frozen=True, slots=True)
class Instant:
    """An absolute moment; `at` is aware."""

    at: datetime


@dataclass(frozen=True, slots=True)
class LocalTime:
    """A wall-clock time without zone: read in the project's zone."""

    at: datetime


@dataclass(frozen=True, slots=True)
class LocalDay:
    """A whole local day."""

    day: date


@dataclass(frozen=True, slots=True)
class RelativeTime:
    """``2 hours ago`` (sign −1), ``in 3 days`` (sign +1), ``now`` (duration None)."""

    duration: Duration | None
    sign: Literal[-1, 1] = -1


@dataclass(frozen=True, slots=True)
class RelativeDay:
    """today (0), yesterday (−1), tomorrow (+1): a whole local day."""

    offset: int


@dataclass(frozen=True, slots=True)
class TraitTime:
    """The value of a time or date trait of the same profile."""

    trait: str


TimePoint = Instant | LocalTime | LocalDay | RelativeTime | RelativeDay | TraitTime


@dataclass(frozen=True, slots=True)
class NamedPeriod:
    """``2026-W47`` (week), ``2025-11`` (month), ``2026-Q1`` (quarter), ``2025`` (year), ``2026-11-21`` (day).

    Attributes:
        unit: What it is.
        first_day: Its first local day (Monday for weeks).
    """

    unit: Literal["day", "week", "month", "quarter", "year"]
    first_day: date


@dataclass(frozen=True, slots=True)
class RelativePeriod:
    """``this month`` (0), ``previous month`` (−1), ``next week`` (+1), ``today`` (day, 0)."""

    unit: Literal["day", "week", "month", "quarter", "year"]
    offset: int


Period = NamedPeriod | RelativePeriod


@dataclass(frozen=True, slots=True)
class WithinLast:
    """``(as_of − N, as_of]``."""

    duration: Duration


@dataclass(frozen=True, slots=True)
class OlderThan:
    """The complement of `WithinLast` up to as_of: at or before ``as_of − N``."""

    duration: Duration


@dataclass(frozen=True, slots=True)
class WithinNext:
    """``(as_of, as_of + N]``; with calendar units whole local days, today included."""

    duration: Duration


@dataclass(frozen=True, slots=True)
class Between:
    """From `start` to `end`: a relative start is excluded, a date names its whole local day, an end is included."""

    start: TimePoint
    end: TimePoint


@dataclass(frozen=True, slots=True)
class Since:
    """At or after `start`."""

    start: TimePoint


@dataclass(frozen=True, slots=True)
class Before:
    """Strictly before `end`; a date's first instant."""

    end: TimePoint


@dataclass(frozen=True, slots=True)
class During:
    """Inside a calendar period of the project's zone."""

    period: Period


@dataclass(frozen=True, slots=True)
class Anniversary:
    """Month and day fall into the next (or last) days; the year is ignored, 29 February counts as 28 in common years.

    Only whole-day durations; today counts.
    """

    duration: Duration
    direction: Literal["within_next", "within_last"] = "within_next"


Window = WithinLast | OlderThan | WithinNext | Between | Since | Before | During | Anniversary
