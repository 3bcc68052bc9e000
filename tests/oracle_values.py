"""The oracle's small words: comparisons, text, arithmetic, ages; each as short as the sentence it follows."""

from __future__ import annotations

import hashlib
import itertools
import math
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from oracle_data import Answer, Event

from segctl.model import conditions as c
from segctl.model.types import ValueType

DAY_US = 86_400_000_000.0
EDGE = {"first": 0, "last": -1}
NEGATED = {"not_equals": "equals", "not_in": "in", "not_contains": "contains", "none_of": "any_of"}
TEXT_TESTS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda value, part: part in value,
    "starts_with": lambda value, part: value.startswith(part),
    "ends_with": lambda value, part: value.endswith(part),
}
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "equals": lambda a, b: a == b,
    "in": lambda a, b: a == b,
    "above": lambda a, b: a > b,
    "at_least": lambda a, b: a >= b,
    "below": lambda a, b: a < b,
    "at_most": lambda a, b: a <= b,
    **TEXT_TESTS,
}


def compared(value: Any, value_type: ValueType, option: Any, kind: ValueType | None, test: c.ValueTest) -> Answer:
    """One comparison; unknown when either side is missing.

    Real numbers, and traits with different numbers of digits, compare as floats.
    """
    if option is None:
        return None
    if isinstance(value, float) or isinstance(option, float) or (kind is not None and kind.scale != value_type.scale):
        value, option = real(value, value_type), real(option, kind)
    if test.operator == "matches":
        return matches(value, option, ignore_case=test.ignore_case)
    return COMPARISONS[test.operator](folded(value, test), folded(option, test))


def rewritten(test: c.ValueTest, operator: str, *operands: c.Operand) -> c.ValueTest:
    """The same test with another operator (and operands)."""
    return c.ValueTest(operator, operands or test.operands, test.ignore_case, test.element)


def folded(value: Any, test: c.ValueTest) -> Any:
    """Case folded by Unicode where the test ignores case."""
    return value.casefold() if test.ignore_case and isinstance(value, str) else value


def matches(value: str, pattern: str, *, ignore_case: bool) -> bool:
    """The pattern stands somewhere in the text; `$` is its very end, classes are ASCII; folded texts fit any case."""
    # Python's own `$` would also stand before a final newline.
    compiled = re.compile(re.sub(r"(?<!\\)\$", r"\\Z", pattern), re.ASCII | (re.IGNORECASE if ignore_case else 0))
    return compiled.search(value.casefold() if ignore_case else value) is not None


def real(value: Any, value_type: ValueType | None) -> float | None:
    """An exact number as a float: its scaled integer divided by the scale; a literal directly."""
    if value is None or isinstance(value, float):
        return value
    if value_type is None or not value_type.scale:
        return float(value)
    return float(int(value * 10**value_type.scale)) / float(10**value_type.scale)


def calculate(function: str, values: list[float | None]) -> float | None:
    """One step of a formula."""
    if function == "coalesce":
        return next((v for v in values if v is not None), None)
    if any(v is None for v in values):
        return None
    numbers: list[float] = [v for v in values if v is not None]
    match function:
        case "neg":
            return -numbers[0]
        case "abs":
            return abs(numbers[0])
        case "min":
            return min(numbers)
        case "max":
            return max(numbers)
        case "round":
            if not abs(numbers[0]) < 2**53:  # without digits behind the point, or no number at all
                return numbers[0] if math.isfinite(numbers[0]) else None
            return float(Decimal(numbers[0]).quantize(Decimal(1), ROUND_HALF_UP))
    left, right = numbers
    match function:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/":
            return None if right == 0 else left / right
    raise ValueError(function)


def aggregate(function: str, values: list[Any], value_type: ValueType) -> Any:
    """`sum` and `distinct` of none are 0; the others are missing. Missing values have been skipped."""
    match function:
        case "distinct":
            return len({key([v]) for v in values})
        case "sum":
            return sum(values)
    if not values:
        return None
    match function:
        case "min":
            return min(values)
        case "max":
            return max(values)
        case "average":
            scaled = sum(int(v * 10**value_type.scale) for v in values)
            return float(scaled) / float(len(values) * 10**value_type.scale)
    raise ValueError(function)


def gap(instants: list[datetime], function: str) -> float | None:
    """Days between neighbours; missing below two."""
    if len(instants) < 2:
        return None
    steps = [microseconds(b - a) for a, b in itertools.pairwise(instants)]
    match function:
        case "average":
            return microseconds(instants[-1] - instants[0]) / len(steps) / DAY_US
        case "max":
            return max(steps) / DAY_US
    return steps[-1] / DAY_US


def microseconds(span: timedelta) -> int:
    """Exact."""
    return span // timedelta(microseconds=1)


def comes_before(event: Event, following: Event | None) -> bool:
    """Before the next step's event, or at all when none follows."""
    return following is None or event.order < following.order


def age(born: date, today: date) -> int:
    """Completed years; who was born on 29 February has the anniversary on 28 February in common years."""
    years = today.year - born.year
    had_it = (today.month, today.day) >= (born.month, born.day) or (
        (born.month, born.day) == (2, 29) and (today.month, today.day) == (2, 28) and not is_leap(today.year)
    )
    return years if had_it else years - 1


def is_leap(year: int) -> bool:
    """Has a 29 February."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def inside(value: Any, path: Sequence[str]) -> Any:
    """A field of nested structs; missing when any of them is."""
    for name in path:
        value = None if value is None else value.get(name)
    return value


def type_inside(value_type: ValueType, path: Sequence[str]) -> ValueType:
    """Type of a field of nested structs."""
    for name in path:
        value_type = dict(value_type.fields)[name]
    return value_type


def key(values: Iterable[Any]) -> tuple[Any, ...]:
    """Something that sets can hold."""
    return tuple((type(v).__name__, v) for v in values)


def sample_place(salt: str, profile_id: str) -> int:
    """First 64 bits of SHA-256(salt, 0x1F, profile_id)."""
    return int.from_bytes(hashlib.sha256(salt.encode() + b"\x1f" + profile_id.encode()).digest()[:8], "big")
