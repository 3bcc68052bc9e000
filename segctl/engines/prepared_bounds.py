"""Numbers that move with as_of as columns, so that a plan's expressions are built once."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any, cast

import narwhals.stable.v2 as nw

from segctl.compile.windows import date_span, span
from segctl.compile.zones import EPOCH_DAY, local_day, to_us

if TYPE_CHECKING:
    from segctl.model.times import Window

Form = tuple[Any, ...]


def bound_column(number: int) -> str:
    """The name of a column of numbers that move."""
    return f"at:{number}"


class MovingBounds:
    """The numbers a plan asks for while it is built, and their values at any instant.

    Built expressions hold as long as `form` is the same: where windows are open or empty, and the local day where
    anything is counted in years.

    Attributes:
        asked: Columns since somebody emptied it.
    """

    def __init__(self, zone: str) -> None:
        self.asked: dict[str, None] = {}
        self._zone = zone
        self._keys: dict[object, str] = {}
        self._windows: dict[tuple[Window | None, bool], None] = {}
        self._by_day = False

    @property
    def names(self) -> tuple[str, ...]:
        """The columns, in order of appearance."""
        return tuple(self._keys.values())

    def column(self, key: object) -> nw.Expr:
        """The column of a number."""
        name = self._keys.setdefault(key, bound_column(len(self._keys)))
        self.asked[name] = None
        return nw.col(name)

    def note(self, window: Window | None, *, clip: bool) -> None:
        """The plan's form depends on where a window is open, or empty."""
        self._windows.setdefault((window, clip))

    def note_day(self) -> None:
        """The plan's form depends on the local day."""
        self._by_day = True

    def form(self, as_of: datetime) -> Form:
        """What must be the same for built expressions to hold."""
        now = to_us(as_of)
        day: date | None = local_day(now, self._zone) if self._by_day else None
        return day, *(self._window_form(window, clip, as_of, now) for window, clip in self._windows)

    def values(self, as_of: datetime) -> list[int]:
        """The numbers at an instant, in the order of `names`."""
        return [to_us(as_of) if key == "now" else self._value(cast("Form", key), as_of) for key in self._keys]

    def _window_form(self, window: Window | None, clip: bool, as_of: datetime, now: int) -> Form:
        inside = span(window, as_of, self._zone, clip=clip)
        days = (None, None) if clip else date_span(window, as_of, self._zone)
        return (
            inside.lo is None,
            inside.hi is None,
            inside.is_empty,
            inside.hi == now,
            days[0] is None,
            days[1] is None,
        )

    def _value(self, key: Form, as_of: datetime) -> int:
        form, window, side = key
        if form == "date":
            day = date_span(window, as_of, self._zone)[0 if side == "lo" else 1]
            return 0 if day is None else day.toordinal() - EPOCH_DAY
        inside = span(window, as_of, self._zone, clip=form == "event")
        found = inside.lo if side == "lo" else inside.hi
        return 0 if found is None else found
