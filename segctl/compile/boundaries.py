"""Values and instants on both sides of a condition's bounds, for proposed tests, as they are written in YAML."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from segctl.compile.mutate_tests import smallest_step
from segctl.compile.windows import anniversary_days, span
from segctl.compile.zones import DAY, SECOND, from_us, local_day, to_us, wall_clock
from segctl.model import conditions as c
from segctl.model.dataclass import dataclass
from segctl.model.times import Anniversary, Duration, Window
from segctl.model.types import Kind, ValueType

Written = str | int | Decimal | bool | None | list["Written"] | dict[str, "Written"]
"""A value as it will stand in YAML."""
Labelled = tuple[str, Written]
_HOUR = 3600 * SECOND
_UNITS = (("days", DAY), ("hours", _HOUR), ("minutes", 60 * SECOND), ("seconds", SECOND))
_MOST = {"days": 100_000, "hours": 72, "minutes": 180, "seconds": 120}


@dataclass(frozen=True, slots=True)
class Clock:
    """The instant and the zone of a proposed case."""

    as_of: datetime
    zone: str

    @property
    def now(self) -> int:
        """`as_of` in microseconds."""
        return to_us(self.as_of)

    @property
    def today(self) -> date:
        """The local day of `as_of`."""
        return local_day(self.now, self.zone)

    def text(self, us: int) -> str:
        """An instant as a test writes it: relative where that is short, else on the zone's clocks."""
        for slack, words in ((0, ""), (SECOND, " + 1 second"), (-SECOND, " - 1 second")):
            plain = self._relative(us - slack)
            if plain is not None:
                return plain + words
        whole, rest = divmod(self.now - us, DAY)
        if whole > 0 and rest % _HOUR == 0 and wall_clock(us, self.zone).hour:
            hours = rest // _HOUR
            return f"{self._relative(self.now - whole * DAY)} - {hours} hour{'s' if hours > 1 else ''}"
        return self._absolute(us)

    def _relative(self, us: int) -> str | None:
        away = abs(self.now - us)
        if away == 0:
            return "now"
        for unit, size in _UNITS:
            amount, rest = divmod(away, size)
            if not rest and amount <= _MOST[unit]:
                said = f"{amount} {unit if amount > 1 else unit[:-1]}"
                return f"{said} ago" if us < self.now else f"in {said}"
        return None

    def _absolute(self, us: int) -> str:
        local = from_us(us).astimezone(ZoneInfo(self.zone))
        wall = wall_clock(us, self.zone)
        shown = wall.isoformat(" ", "microseconds" if wall.microsecond else "seconds").removesuffix(":00")
        # A time that clocks show twice says which one it is.
        other = local.replace(fold=1 - local.fold)
        return shown if other.utcoffset() == local.utcoffset() else local.isoformat(" ")


# --- Instants ---------------------------------------------------------------------------------------------
def edges(window: Window, clock: Clock) -> Iterator[int]:
    """The instants at which a window begins and ends, on the whole second where there is one."""
    if isinstance(window, Anniversary):
        return
    inside = span(window, clock.as_of, clock.zone)
    if inside.lo is not None and not inside.is_empty:
        yield inside.lo - 1 if (inside.lo - 1) % SECOND == 0 else inside.lo
    if inside.hi is not None and not inside.is_empty:
        yield inside.hi if inside.hi % SECOND == 0 else inside.hi + 1


def instants(window: Window, clock: Clock) -> Iterator[tuple[str, int]]:
    """Each bound of a window, one second before it and one second after it."""
    for number, edge in enumerate(edges(window, clock)):
        which = ("from", "until")[number] if number < 2 else "bound"
        yield f"{which}_bound", edge
        yield f"{which}_bound_less_1s", edge - SECOND
        yield f"{which}_bound_plus_1s", edge + SECOND


def middle(window: Window | None, clock: Clock) -> int | None:
    """An instant well inside a window, None for all time and for empty ones."""
    if window is None or isinstance(window, Anniversary):
        return None
    inside = span(window, clock.as_of, clock.zone, clip=True)
    if inside.is_empty:
        return None
    hi = clock.now if inside.hi is None else inside.hi
    lo = hi - 60 * DAY if inside.lo is None else inside.lo
    half = (lo + hi) // 2
    for unit in (DAY, _HOUR, 60 * SECOND, SECOND):
        rounded = clock.now - (clock.now - half) // unit * unit
        if lo <= rounded <= hi:
            return rounded
    return half


def days(window: Window, clock: Clock) -> Iterator[Labelled]:
    """Days on both sides of a window's bounds, for date traits."""
    if isinstance(window, Anniversary):
        yield from _anniversaries(window, clock)
        return
    for number, edge in enumerate(edges(window, clock)):
        day = local_day(edge, clock.zone)
        for step in (-1, 0, 1):
            yield (
                f"{('from', 'until')[number]}_day_{step:+d}".replace("+", "plus_").replace("-", "less_"),
                str(day + timedelta(days=step)),
            )


def _anniversaries(window: Anniversary, clock: Clock) -> Iterator[Labelled]:
    found = anniversary_days(window, clock.as_of, clock.zone)
    first, last = _run_with(clock.today, found)
    for label, day in (
        ("first_day", first), ("day_before", first - timedelta(days=1)),
        ("last_day", last), ("day_after", last + timedelta(days=1)),
    ):  # fmt: skip
        yield label, _born(day)
    yield "this_year", str(clock.today)
    yield "born_29_february", "1992-02-29"


def _run_with(today: date, found: frozenset[tuple[int, int]]) -> tuple[date, date]:
    """First and last day of the unbroken run of anniversaries around today."""
    first = last = today
    while (back := first - timedelta(days=1)) and (back.month, back.day) in found and (today - back).days < 366:
        first = back
    while (on := last + timedelta(days=1)) and (on.month, on.day) in found and (on - today).days < 366:
        last = on
    return first, last


def _born(day: date) -> str:
    return str(day.replace(year=1990)) if (day.month, day.day) != (2, 29) else "1992-02-29"


# --- Values -----------------------------------------------------------------------------------------------
def default(of: ValueType, clock: Clock) -> Written:
    """Some value of a type."""
    match of.kind:
        case Kind.TEXT:
            return "x"
        case Kind.BOOLEAN:
            return True
        case Kind.DATE:
            return str(clock.today)
        case Kind.TIME:
            return "1 day ago"
        case Kind.LIST:
            return [default(of.element, clock)] if of.element is not None else []
        case Kind.STRUCT:
            return {name: default(field, clock) for name, field in of.fields}
    return 1


def fitting(test: c.Test, of: ValueType, clock: Clock) -> Written:
    """A value that passes a test, as far as that is simple."""
    if not isinstance(test, c.ValueTest):
        at = middle(test, clock)
        if of.kind is Kind.DATE:
            inside = [text for _, text in days(test, clock)]
            return str(local_day(at, clock.zone)) if at is not None else (inside or [None])[0]
        return clock.text(clock.now if at is None else at)
    operands = [written(operand, clock) for operand in test.operands]
    match test.operator:
        case "in" | "equals" | "at_least" | "at_most" | "contains" | "starts_with" | "ends_with" | "between":
            return operands[0]
        case "above" | "below":
            return moved(operands[0], 1 if test.operator == "above" else -1, of)
        case "not_equals" | "not_in" | "not_contains":
            return other_than(operands, of)
        case "any_of" | "all_of":
            return operands if test.operator == "all_of" else operands[:1]
        case "none_of":
            return []
        case "exists":
            return default(of, clock) if test.operands[0] else None
        case "any_element":
            return [_element(test, of, clock)]
        case "size":
            wanted = fitting(test.element[0][1], ValueType(Kind.INTEGER), clock)
            many = wanted if isinstance(wanted, int) else 1
            return [f"x{n}" for n in range(many)]
    return "x"


def _element(test: c.ValueTest, of: ValueType, clock: Clock) -> Written:
    element = of.element or of
    if element.kind is not Kind.STRUCT:
        return fitting(test.element[0][1], element, clock)
    types = dict(element.fields)
    return {name: fitting(inner, types[name], clock) for name, inner in test.element}


def around(test: c.Test, of: ValueType, clock: Clock) -> Iterator[Labelled]:
    """Values on both sides of each bound of a test; the last is missing."""
    if not isinstance(test, c.ValueTest):
        if of.kind is Kind.DATE:
            yield from days(test, clock)
        else:
            yield from ((label, clock.text(us)) for label, us in instants(test, clock))
    else:
        yield from _around_value(test, of, clock)
    yield "missing", None


def _around_value(test: c.ValueTest, of: ValueType, clock: Clock) -> Iterator[Labelled]:
    operands = [written(operand, clock) for operand in test.operands]
    if test.operator == "exists":
        yield "given", default(of, clock)
    elif of.kind is Kind.LIST:
        yield from _lists(test, operands, of, clock)
    elif of.kind is Kind.BOOLEAN:
        yield from (("yes", True), ("no", False))
    elif of.kind is Kind.TEXT:
        yield from _texts(test, operands)
    else:
        for number, operand in enumerate(operands):
            place = "" if len(operands) == 1 else f"_{number + 1}"
            yield f"bound{place}", operand
            yield f"bound{place}_less", moved(operand, -1, of)
            yield f"bound{place}_plus", moved(operand, 1, of)


def _texts(test: c.ValueTest, operands: list[Written]) -> Iterator[Labelled]:
    for number, operand in enumerate(operands[:8]):
        yield f"same_text_{number + 1}" if number else "same_text", operand
    first = str(operands[0]) if operands else "x"
    if first.swapcase() != first:
        yield "other_case", first.swapcase()
    if test.operator in ("contains", "not_contains", "starts_with", "ends_with"):
        yield from (("text_before", f"x{first}"), ("text_behind", f"{first}x"), ("text_around", f"x{first}x"))
    yield "other_text", other_than(operands, ValueType(Kind.TEXT))
    yield "empty_text", ""


def _lists(test: c.ValueTest, operands: list[Written], of: ValueType, clock: Clock) -> Iterator[Labelled]:
    yield "empty_list", []
    element = of.element or ValueType(Kind.TEXT)
    if test.operator == "any_element":
        yield "element", fitting(test, of, clock)
        yield from _elements(test, element, clock)
        return
    if test.operator == "size":
        for _, size in around(test.element[0][1], ValueType(Kind.INTEGER), clock):
            if isinstance(size, int) and 0 <= size <= 50:
                yield f"size_{size}", [default(element, clock)] * size
        return
    yield "all_elements", list(operands)
    if len(operands) > 1:
        yield from ((f"element_{n + 1}", [operand]) for n, operand in enumerate(operands[:6]))
    yield "other_element", [other_than(operands, element)]


def _elements(test: c.ValueTest, element: ValueType, clock: Clock) -> Iterator[Labelled]:
    types = dict(element.fields)
    right = _element(test, ValueType(Kind.LIST, element=element), clock)
    for name, inner in test.element:
        for label, value in around(inner, types.get(name, element), clock):
            if isinstance(right, dict):
                yield f"{name}_{label}", [{**right, name: value}]
            elif value is not None:
                yield label, [value]
    if isinstance(right, dict) and len(right) > 1:
        # Each part on an element of its own: nothing holds on one and the same.
        yield "on_two_elements", [{name: value} for name, value in right.items()]


def written(operand: c.Operand, clock: Clock) -> Written:
    """A literal as it stands in YAML; a trait in its place gives nothing to write."""
    match operand:
        case bool() | int() | str() | Decimal():
            return operand
        case datetime():
            return clock.text(to_us(operand))
        case date():
            return str(operand)
        case Duration():
            return str(operand)
    return None


def moved(value: Written, direction: int, of: ValueType) -> Written:
    """A bound moved by its smallest unit."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        found = Decimal(value) + direction * smallest_step(Decimal(value), of)
        return int(found) if of.kind is Kind.INTEGER else found
    if isinstance(value, str) and of.kind is Kind.DATE:
        return str(date.fromisoformat(value) + timedelta(days=direction))
    if isinstance(value, str) and of.kind is Kind.TIME:
        return f"{value} {'+' if direction > 0 else '-'} 1 second"
    return value


def other_than(operands: list[Written], of: ValueType) -> Written:
    """A value that is none of some others."""
    if of.kind is Kind.BOOLEAN:
        return not operands[0]
    numbers = [one for one in operands if isinstance(one, int | Decimal)]
    if numbers and of.is_numeric:
        return moved(max(numbers), 1, of)
    if of.kind is Kind.DATE:
        return "1970-01-01"
    return "something_else"
