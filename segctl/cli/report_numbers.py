"""Numbers of reports in words of a language: an interval decides how many digits are told, not the computer."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import date, datetime
from typing import TYPE_CHECKING

from segctl.cli.validation_page_words import number
from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    from segctl.model.project import Language
    from segctl.stats.values import Interval

MISSING = "–"
_TO = {"en": "to", "de": "bis"}
_UP = {"en": ("at least {}", "at most {}", "without limits"), "de": ("mindestens {}", "höchstens {}", "ohne Grenzen")}
_THRESHOLDS = (0.05, 0.01, 0.001)
_MOST_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Shape:
    """How the numbers of one figure are written.

    Attributes:
        factor: What they are multiplied with; 100 for percent.
        unit: Behind the number with a blank, such as ``%`` or ``EUR``; none when empty.
        sign: With a plus, where they are differences.
    """

    factor: float = 1.0
    unit: str = ""
    sign: bool = False


NUMBER = Shape()
PERCENT = Shape(100.0, "%")
LIFT = Shape(100.0, "%", sign=True)


class Numbers:
    """Numbers in the words of one language."""

    def __init__(self, language: Language) -> None:
        self.language: Language = language

    def count(self, value: float | None) -> str:
        """A whole number with its groups."""
        return MISSING if value is None else number(round(value), self.language).replace("-", "−")

    def decimal(self, value: float | None, digits: int, *, sign: bool = False) -> str:
        """A number with so many digits after the point; with fewer than 0 it is rounded to tens, hundreds and so on.

        >>> Numbers("de").decimal(-12345.678, 1), Numbers("en").decimal(31500, -3, sign=True)
        ('−12.345,7', '+32,000')
        """
        if value is None or not math.isfinite(value):
            return MISSING
        rounded = round(value, digits) + 0.0
        text = f"{rounded:,.{max(0, digits)}f}"
        if sign and rounded > 0:
            text = f"+{text}"
        text = text.replace("-", "−")
        if rounded == 0:
            text = text.removeprefix("−")
        return text.translate(str.maketrans(",.", ".,")) if self.language == "de" else text

    def shaped(self, value: float | None, shape: Shape, digits: int) -> str:
        """A number with its unit."""
        if value is None:
            return MISSING
        return _with_unit(self.decimal(value * shape.factor, digits, sign=shape.sign), shape)

    def share(self, value: float | None, digits: int = 1) -> str:
        """A share of 0 to 1 in percent; what is there is never shown as nothing.

        >>> Numbers("de").share(0.123), Numbers("en").share(0.00001)
        ('12,3 %', '<0.1 %')
        """
        if value is not None and 0 < value < 0.5 * 10 ** -(digits + 2):
            return f"<{self.decimal(10**-digits, digits)} %"
        return self.shaped(value, PERCENT, digits)

    def interval(self, of: Interval | None, shape: Shape = NUMBER) -> str:
        """Estimate and limits: ``+0.50 (+0.17 to +0.80) %``; both ends and the estimate have the same digits."""
        if of is None or of.estimate is None:
            return MISSING
        digits = self.digits(of, shape)
        estimate = self._seen(of.estimate * shape.factor, digits, shape, is_end=False)
        limits = "" if of.low == of.high == of.estimate else self.limits(of, shape, bare=True)
        return _with_unit(f"{estimate} ({limits})" if limits else estimate, shape)

    def limits(self, of: Interval, shape: Shape = NUMBER, *, bare: bool = False) -> str:
        """Only the limits: ``+0.17 to +0.80``, ``at least 3`` or nothing when there are none."""
        digits = self.digits(of, shape)
        low, high = (
            None if end is None else self._seen(end * shape.factor, digits, shape) for end in (of.low, of.high)
        )
        at_least, at_most, without = _UP[self.language]
        if low is not None and high is not None:
            text = f"{low} {_TO[self.language]} {high}"
        elif low is not None:
            text = at_least.format(low)
        elif high is not None:
            text = at_most.format(high)
        else:
            return without if of.unbounded == "both" else ""
        return text if bare else _with_unit(text, shape)

    def _seen(self, value: float, digits: int, shape: Shape, *, is_end: bool = True) -> str:
        """A number of a range with the range's digits; with its own first one where it would read as zero.

        An estimate within whole numbers may be nothing to speak of; rounded to tens or hundreds it is not.
        """
        is_lost = value and not round(value, digits) and (is_end or digits < 0)
        return self.decimal(value, significant(value, 1) if is_lost else digits, sign=shape.sign)

    def estimate(self, of: Interval | None, shape: Shape = NUMBER) -> str:
        """The estimate alone, with the digits that its interval allows."""
        if of is None or of.estimate is None:
            return MISSING
        return self.shaped(of.estimate, shape, self.digits(of, shape))

    def digits(self, of: Interval, shape: Shape = NUMBER) -> int:
        """Digits after the point: two significant ones of the width, more where an end would look like zero."""
        ends = [end * shape.factor for end in (of.low, of.high) if end is not None]
        middle = (of.estimate or 0.0) * shape.factor
        if not ends or ends[0] == ends[-1] == middle:
            return significant(middle, 3)
        width = ends[1] - ends[0] if len(ends) == 2 else 2 * abs(middle - ends[0])
        return unmistakable(significant(width), ends)

    def p(self, value: float | None) -> str:
        """A p-value: ``< 0.0001``, ``0.0041``, ``0.043``, ``0.38``; never rounded onto a threshold.

        >>> Numbers("en").p(3e-20), Numbers("de").p(0.0041), Numbers("en").p(0.04996), Numbers("en").p(None)
        ('< 0.0001', '0,0041', '0.04996', '–')
        """
        if value is None:
            return MISSING
        if value < 1e-4:
            return f"< {self.decimal(1e-4, 4)}"
        digits = 4 if value < 0.01 else 3 if value < 0.1 else 2
        while digits < _MOST_DIGITS and value not in _THRESHOLDS and round(value, digits) in _THRESHOLDS:
            digits += 1
        return self.decimal(value, digits)

    def plain(self, value: object) -> str:
        """Any value of a report in words: a number to four significant digits, a list by commas."""
        if value is None:
            return MISSING
        if isinstance(value, bool):
            return {"en": ("no", "yes"), "de": ("nein", "ja")}[self.language][value]
        if isinstance(value, int):
            return self.count(value)
        if isinstance(value, float):
            return self.decimal(value, significant(value, 4))
        if isinstance(value, datetime | date):
            return self.day(value)
        if isinstance(value, dict):
            return ", ".join(f"{key} {self.plain(of)}" for key, of in value.items()) or MISSING
        if isinstance(value, list | tuple | set | frozenset):
            return ", ".join(self.plain(of) for of in value) or MISSING
        return str(value)

    def day(self, at: date | None) -> str:
        """A day: ``2026-03-30`` or ``30.03.2026``."""
        if at is None:
            return MISSING
        return at.strftime("%d.%m.%Y" if self.language == "de" else "%Y-%m-%d")

    def moment(self, at: datetime | None) -> str:
        """An instant to the minute with its zone."""
        return MISSING if at is None else f"{self.day(at)} {at.strftime('%H:%M %Z').strip()}"

    def listed(self, words: Iterable[str]) -> str:
        """``a, b and c``."""
        found = list(words)
        if len(found) < 2:
            return "".join(found)
        return f"{', '.join(found[:-1])} {'und' if self.language == 'de' else 'and'} {found[-1]}"


def significant(width: float, digits: int = 2) -> int:
    """Digits after the point so that a number of this size has so many significant ones.

    >>> significant(0.63), significant(77540), significant(0)
    (2, -3, 2)
    """
    if not width or not math.isfinite(width):
        return digits
    return min(_MOST_DIGITS, digits - 1 - math.floor(math.log10(abs(width))))


def unmistakable(digits: int, ends: Iterable[float]) -> int:
    """As many digits that no end becomes zero which is none: the reader looks which side of zero it lies on."""
    found = [end for end in ends if end]
    for more in range(3):
        if all(round(end, digits + more) for end in found):
            return digits + more
    return digits


def _with_unit(text: str, shape: Shape) -> str:
    return f"{text} {shape.unit}" if shape.unit else text
