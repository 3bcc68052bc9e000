"""Times of workflows: wall clocks, days of the week, quiet hours, re-entry, schedules."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import time

from segctl.compile.bind import forms
from segctl.compile.bind.scope import Scope, shown
from segctl.compile.bind.times import duration
from segctl.compile.source import ListNode, Mapping, Node, Scalar
from segctl.model.diagnostics import Location
from segctl.model.times import Duration
from segctl.model.types import Kind
from segctl.model.workflows import Quiet, Reentry, Trigger

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SHORT = {
    **{name[:3]: name for name in DAYS},
    **dict(zip(("montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag", "sonntag"), DAYS, strict=True)),
}
QUIET_KEYS = ("from", "to", "days", "zone")
EVERY_KEYS = ("every", "day", "at", "segment")
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_QUIET = 'write `{from: "21:00", to: "08:00"}`'


def clock(node: Node, scope: Scope, what: str) -> time | None:
    """A time of day such as ``"09:00"``."""
    written = forms.text(node, scope, f'{what} such as `"09:00"`')
    if written is None:
        return None
    found = _CLOCK.fullmatch(written)
    if found is None:
        # 21:00 without quotes is a number to base 60 for some readers of YAML, and stays text here.
        hint = 'write hours and minutes, as `"09:00"`'
        scope.error("SEG675", f"{shown(written)} is not a time of day", node.location, hint=hint)
        return None
    return time(int(found[1]), int(found[2]))


def weekday(node: Node, scope: Scope) -> int | None:
    """A day of the week: 1 is Monday."""
    written = forms.text(node, scope, "a day of the week")
    if written is None:
        return None
    name = _SHORT.get(written.lower(), written.lower())
    if name in DAYS:
        return DAYS.index(name) + 1
    hint = scope.meant(name, DAYS, otherwise="write `monday` to `sunday`")
    scope.error("SEG675", f"{shown(written)} is not a day of the week", node.location, hint=hint)
    return None


def weekdays(node: Node | None, scope: Scope) -> tuple[int, ...] | None:
    """Days of the week in their order, none without a node; None when one is wrong."""
    if node is None:
        return ()
    found = [weekday(item, scope) for item in (node.items if isinstance(node, ListNode) else (node,))]
    days = tuple(sorted({day for day in found if day is not None}))
    return days if None not in found else None


def length(node: Node, scope: Scope, what: str) -> Duration | None:
    """A length that counts from a moment, so that whole calendar days have no meaning."""
    found = duration(node, scope)
    if found is None or not found.calendar:
        return found
    hint = f"write `{found.amount} {found.unit}`"
    scope.error("SEG233", f"{what} counts from a moment, not from midnight", node.location, hint=hint)
    return None


def quiet(node: Node, scope: Scope) -> Quiet | None:
    """Quiet hours."""
    found = forms.mapping(node, scope, "`quiet`", hint=_QUIET)
    if found is None or not forms.check_keys(found, QUIET_KEYS, scope, "`quiet`", synonyms=_QUIET_SYNONYMS):
        return None
    begin_node, end_node = found.get("from"), found.get("to")
    begin = None if begin_node is None else clock(begin_node, scope, "`from`")
    end = None if end_node is None else clock(end_node, scope, "`to`")
    days, zone_node = weekdays(found.get("days"), scope), found.get("zone")
    zone = None if zone_node is None else _zone(zone_node, scope)
    if (begin_node is None) != (end_node is None):
        scope.error("SEG675", "quiet hours have both `from` and `to`", found.location, hint=_QUIET)
        return None
    if begin is not None and begin == end:
        scope.error("SEG675", "quiet hours begin when they end", found.location, hint=_QUIET)
        return None
    if days is not None and len(days) == len(DAYS):
        scope.error("SEG675", "all days are quiet, so nobody is ever written to", found.location, hint=_QUIET)
        return None
    is_wrong = days is None or (zone_node is not None and zone is None) or (begin_node is not None and begin is None)
    return None if is_wrong or (end_node is not None and end is None) else Quiet(begin, end, days or (), zone)


_QUIET_SYNONYMS = {"begin": "from", "start": "from", "until": "to", "end": "to", "timezone": "zone", "on": "days"}


def _zone(node: Node, scope: Scope) -> str | None:
    written = forms.text(node, scope, "a trait")
    of = scope.traits.get(written or "")
    if written is None or (of is not None and of.kind is Kind.TEXT):
        return written
    hint = scope.meant(written, tuple(scope.traits), otherwise="name a stored trait that holds `Europe/Berlin` …")
    scope.error("SEG675", f"{shown(written)} is not a stored text trait", node.location, hint=hint)
    return None


def reentry(node: Node, scope: Scope) -> Reentry | None:
    """``once``, ``always`` or a length."""
    written = node.text.strip() if isinstance(node, Scalar) else ""
    if written == "once":
        return Reentry("once")
    if written == "always":
        return Reentry("always")
    if written.isalpha():
        scope.error("SEG675", f"{shown(written)} says nothing about coming again", node.location, hint=_REENTRY)
        return None
    found = length(node, scope, "`reentry`")
    return None if found is None else Reentry("after", found)


_REENTRY = "write `once`, `always`, or how long after the last entry, such as `30 days`"


def schedule(node: Mapping, segment: str | None, scope: Scope, place: Location) -> Trigger | None:
    """``{every: week, day: monday, at: "09:00", segment: S}``."""
    period_node, at_node, on_node = node.get("every"), node.get("at"), node.get("day")
    assert period_node is not None
    period = forms.choice(period_node, ("day", "week", "month"), scope, "period of `every`")
    at = time(0, 0) if at_node is None else clock(at_node, scope, "`at`")
    if segment is None or period is None or at is None:
        return None
    day = None if on_node is None else _day(on_node, period, scope)
    if period == "week" and on_node is None:
        scope.error("SEG671", "`every: week` does not say on which day", place, hint="add `day: monday`")
        return None
    if (on_node is not None and day is None) or (period == "month" and on_node is None and _no_day(place, scope)):
        return None
    return Trigger("every", segment, period=period, day=day, at=at, location=place)  # type: ignore[arg-type]  # a word of the choice


def _no_day(place: Location, scope: Scope) -> bool:
    scope.error("SEG671", "`every: month` does not say on which day", place, hint="add `day: 1`")
    return True


def _day(node: Node, period: str, scope: Scope) -> int | None:
    if period == "week":
        return weekday(node, scope)
    if period == "day":
        scope.error("SEG671", "`every: day` has no `day`", node.location, hint="write `every: week` with `day`")
        return None
    found = forms.count(node, scope, "the day of the month", least=1)
    if found is None or found <= 31:
        return found
    scope.error("SEG671", f"no month has {found} days", node.location, hint="write 1 to 31; 31 is every month's last")
    return None


def unknown(node: Node, what: str, known: Collection[str], scope: Scope, code: str) -> None:
    """Report a name that the project does not have."""
    text = node.text.strip() if isinstance(node, Scalar) else ""
    hint = scope.meant(text, tuple(sorted(known)), otherwise="none are declared" if not known else None)
    scope.error(code, f"there is no {what} {shown(text)}", node.location, hint=hint)
