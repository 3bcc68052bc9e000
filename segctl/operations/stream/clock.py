"""The present of a stream: the wall clock, or the newest event of a recorded day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

ClockName = Literal["wall", "event"]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(at: datetime) -> int:
    """Microseconds since 1970."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def moment(us: int) -> datetime:
    """The aware instant of so many microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=us)


@dataclass(slots=True)
class StreamClock:
    """Microseconds since 1970, never backwards.

    Attributes:
        wall: Reads the wall clock.
        is_virtual: Events move it, time does not.
        now: The present; None before anybody has set a virtual clock.
    """

    wall: Callable[[], datetime]
    is_virtual: bool = False
    now: int | None = None

    @property
    def wall_us(self) -> int:
        """The wall clock."""
        return micros(self.wall())

    def tick(self, newest_event: int | None = None) -> int:
        """The present after a batch whose newest event is this."""
        seen = newest_event if self.is_virtual else self.wall_us
        if seen is not None:
            self.now = seen if self.now is None else max(self.now, seen)
        return self.now if self.now is not None else self.wall_us
