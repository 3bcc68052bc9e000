"""Small values of experiments: shares, ranges of shares, lengths counted from exposure, planned moments."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Literal

from segctl.compile import timewords
from segctl.compile.bind import forms
from segctl.compile.bind.literals import SHARE, number
from segctl.compile.bind.scope import Scope, shown
from segctl.compile.bind.times import duration
from segctl.compile.source import Node, Scalar
from segctl.compile.zones import day_end, day_start, from_us, instant_of
from segctl.model.times import Duration, Instant, LocalDay, LocalTime
from segctl.model.types import Kind, ValueType

_SHARE = ValueType(Kind.REAL, unit=SHARE)
_TO = " to "


def share(node: Node, scope: Scope, what: str, *, code: str, low: int = 0, high: int | None = 1) -> Decimal | None:
    """A share above `low` and, where there is a bound, at most `high`, written ``20 %`` or ``0.2``."""
    if not isinstance(node, Scalar) or node.is_null:
        forms.wrong_form(node, scope, f"{what} is a share such as `20 %`")
        return None
    # A change is written with its sign, which numbers of the language have only below zero.
    bare = node.text.strip().removeprefix("+")
    found = number(replace(node, text=bare), _SHARE, scope)
    if found is None:
        return None
    value = Decimal(found)
    if value > low and (high is None or value <= high):
        return value
    most = f" and at most {high * 100} %" if high is not None else ""
    message = f"{what} is above {low * 100} %{most}, not {shown(node.text)}"
    meant = high is not None and low < value / 100 <= high and "%" not in bare
    scope.error(code, message, node.location, hint=f"write `{bare} %`" if meant else None)
    return None


def share_range(node: Node, scope: Scope, what: str, *, code: str) -> tuple[Decimal, Decimal] | None:
    """Two shares as ``0 % to 50 %``: from the first, included, to the second, not included."""
    hint = "write `0 % to 50 %`"
    if not isinstance(node, Scalar) or node.is_null or node.text.count(_TO) != 1:
        forms.wrong_form(node, scope, f"{what} is a range of shares", hint=hint)
        return None
    low, high = (number(part, _SHARE, scope) for part in _ends(node))
    if low is None or high is None:
        return None
    if 0 <= low < high <= 1:
        return Decimal(low), Decimal(high)
    message = f"{what} goes from a share to a greater one, both within 0 % and 100 %, not {shown(node.text)}"
    scope.error(code, message, node.location, hint=hint)
    return None


def _ends(node: Scalar) -> tuple[Scalar, Scalar]:
    """Both sides of ``to``, each at its place where the text lies in the file as it is."""
    at = node.text.index(_TO)
    first, second = node.text[:at].strip(), node.text[at + len(_TO) :].strip()
    place = node.location
    if not node.is_plain or place.length != len(node.text):
        return replace(node, text=first), replace(node, text=second)
    shifted = place.column + len(node.text) - len(second)
    behind = replace(place, column=shifted, length=max(1, len(second)))
    return replace(node, text=first), replace(node, text=second, location=behind)


def length_from_exposure(node: Node, scope: Scope, what: str) -> Duration | None:
    """A length that counts from the exposure of each unit, so that whole calendar days have no meaning."""
    found = duration(node, scope)
    if found is None or not found.calendar:
        return found
    hint = f"write `{found.amount} {found.unit}`, counted from exposure"
    scope.error("SEG233", f"{what} counts from exposure, not from midnight", node.location, hint=hint)
    return None


def moment(node: Node, scope: Scope, what: str, *, day: Literal["start", "end"]) -> datetime | None:
    """A fixed moment in UTC; a day stands for its first instant or its last."""
    written = forms.text(node, scope, f"{what} such as `2026-12-31`")
    if written is None:
        return None
    point = timewords.parse_time_point(written)
    zone = scope.project.timezone
    match point:
        case timewords.Problem():
            scope.error("SEG232", point.message, node.location, hint=point.hint)
            return None
        case LocalDay():
            return from_us(day_start(point.day, zone) if day == "start" else day_end(point.day, zone))
        case LocalTime():
            return from_us(instant_of(point.at, zone))
        case Instant():
            return point.at
    hint = "write a day such as `2026-12-31`"
    scope.error("SEG232", f"{shown(written)} is another day every day; {what} is fixed", node.location, hint=hint)
    return None


def amount_of(node: Node, unit: str | None, scope: Scope, what: str, *, code: str) -> Decimal | None:
    """An amount of money of 0 or more, with its currency or without."""
    if not isinstance(node, Scalar) or node.is_null:
        forms.wrong_form(node, scope, f"{what} is an amount such as `0.02`")
        return None
    found = number(node, ValueType(Kind.REAL, unit=unit), scope)
    if found is None or found >= 0:
        return None if found is None else Decimal(found)
    scope.error(code, f"{what} is 0 or more, not {shown(node.text)}", node.location)
    return None
