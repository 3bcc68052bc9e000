"""Columns of a raw batch by name or path, and exact formulas over them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

import polars as pl

from segctl.connectors.typing_numbers import INT128, MOST_DIGITS, Exact, constant, divided, to_exact, within
from segctl.model.sources import PLAIN_NUMBERS, Call, Column, Expression, Literally, NumberForm

_QUOTIENT_DIGITS = 18
_SAFE = 1e37
"""Below it a product of 128-bit numbers surely fits; a float's error does not matter at this distance."""
_LARGEST = 10**37


@dataclass(slots=True)
class Columns:
    """A batch's columns; a name that is no column is a path into nested records.

    Attributes:
        frame: The raw batch.
        form: How its numbers are written.
        words: Texts that stand for a missing value.
        missing: Names that were asked for and are not there.
    """

    frame: pl.DataFrame
    form: NumberForm = PLAIN_NUMBERS
    words: tuple[str, ...] = ()
    missing: set[str] = field(default_factory=set)
    _found: dict[str, pl.Series] = field(default_factory=dict)

    def get(self, name: str) -> pl.Series:
        """The column, or nulls when there is none of that name."""
        if name not in self._found:
            found = self._find(name)
            if found is None:
                self.missing.add(name)
                found = pl.Series(name, [None], dtype=pl.String).new_from_index(0, self.frame.height)
            self._found[name] = self._without_words(found)
        return self._found[name]

    def _without_words(self, found: pl.Series) -> pl.Series:
        if not self.words or found.dtype != pl.String:
            return found
        is_word = found.str.strip_chars().is_in(self.words).fill_null(value=False)
        return found.set(is_word, None) if is_word.any() else found

    def _find(self, name: str) -> pl.Series | None:
        if name in self.frame.columns:
            return self.frame[name]
        parts = name.split(".")
        for cut in range(len(parts) - 1, 0, -1):
            head = ".".join(parts[:cut])
            if head in self.frame.columns:
                return _below(self.frame[head], parts[cut:])
        return None


def _below(series: pl.Series, path: list[str]) -> pl.Series | None:
    for position, part in enumerate(path):
        if series.dtype == pl.String:
            # A column whose records disagree in form arrives as JSON text.
            return series.str.json_path_match("$." + ".".join(path[position:]))
        if not isinstance(series.dtype, pl.Struct):
            return None
        fields = {known.name for known in series.dtype.fields}
        rest = ".".join(path[position:])
        if rest in fields:
            return series.struct.field(rest)
        if part not in fields:
            return None
        series = series.struct.field(part)
    return series


def evaluate(expression: Expression, columns: Columns, form: NumberForm | None = None) -> pl.Series | Exact:
    """A column as it came, text made by `concat`, or the exact decimals of arithmetic."""
    form = columns.form if form is None else form
    if isinstance(expression, Column):
        return columns.get(expression.name)
    if isinstance(expression, Literally):
        return _literal(expression.value, columns.frame.height)
    operands = [evaluate(operand, columns, form) for operand in expression.operands]
    if expression.function == "concat":
        return _concat(operands, expression)
    if expression.function == "coalesce":
        return _coalesce(operands, form)
    return _arithmetic(expression, [_exact(operand, form) for operand in operands])


def _literal(value: str | Decimal, rows: int) -> pl.Series | Exact:
    if isinstance(value, str):
        return pl.Series([value], dtype=pl.String).new_from_index(0, rows)
    scale = max(0, -int(value.as_tuple().exponent))
    number = int(value.scaleb(scale))
    numbers = constant(number).new_from_index(0, rows)
    return Exact(numbers, scale, _never(rows))


def _never(rows: int) -> pl.Series:
    return pl.repeat(value=False, n=rows, dtype=pl.Boolean, eager=True)


def _exact(value: pl.Series | Exact, form: NumberForm) -> Exact:
    return value if isinstance(value, Exact) else to_exact(value, form=form)


def as_text(value: pl.Series | Exact) -> pl.Series:
    """Any value as text; whole numbers without a point, blanks as null."""
    if isinstance(value, Exact):
        decimals = [None if n is None else Decimal(n).scaleb(-value.scale) for n in value.numbers.to_list()]
        return pl.Series([None if d is None else format(d.normalize(), "f") for d in decimals], dtype=pl.String)
    dtype = value.dtype
    if dtype == pl.String:
        text = value
    elif dtype.is_float():
        # An id that passed through a float column comes as 12345.0.
        text = value.cast(pl.String).str.replace(r"\.0$", "").set(value.is_nan().fill_null(value=False), None)
        text = _without_exponents(text, value)
    elif isinstance(dtype, pl.Datetime):
        text = value.dt.to_string("iso:strict")
    elif dtype.is_nested():
        text = _json(value)
    elif dtype == pl.Binary:
        text = pl.Series(value.name, [_decoded(one) for one in value.to_list()], dtype=pl.String)
    else:
        text = value.cast(pl.String)
    # What is blank sorts before the first sign that is not; a comparison is cheaper than stripping.
    if not (text < "!").any():
        return text
    blank = (text.str.strip_chars() == "").fill_null(value=False)
    return text.set(blank, None) if blank.any() else text


def _decoded(value: bytes | None) -> str | None:
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return None


def _without_exponents(text: pl.Series, value: pl.Series) -> pl.Series:
    rows = (text.str.contains("e", literal=True) & value.is_finite()).fill_null(value=False).arg_true()
    if rows.is_empty():
        return text
    written = [format(Decimal(number), "f") for number in text.gather(rows).to_list()]
    return text.scatter(rows, pl.Series(written, dtype=pl.String))


def without_bytes(value: pl.Series) -> pl.Series:
    """A column that JSON can hold: bytes as text, with escapes for what is none; nested bytes are left out."""
    if value.dtype == pl.Binary:
        texts = [None if one is None else one.decode(errors="backslashreplace") for one in value.to_list()]
        return pl.Series(value.name, texts, dtype=pl.String)
    has_bytes = "Binary" in str(value.dtype)
    return pl.Series(value.name, [None], dtype=pl.String).new_from_index(0, len(value)) if has_bytes else value


def _json(value: pl.Series) -> pl.Series:
    value = without_bytes(value)
    if value.dtype == pl.String:
        return value
    if isinstance(value.dtype, pl.Struct):
        return value.struct.json_encode().set(value.is_null(), None)
    wrapped = value.rename("v").to_frame().to_struct("s").struct.json_encode()
    inner = wrapped.str.strip_prefix('{"v":').str.strip_suffix("}")
    return inner.set(value.is_null(), None)


def _concat(operands: list[pl.Series | Exact], expression: Call) -> pl.Series:
    """Missing parts are left out; without any value in a column there is no text."""
    texts = [
        as_text(operand) if not _is_text_literal(part) else operand for operand, part in _zip(operands, expression)
    ]
    frame = pl.DataFrame({str(i): text for i, text in enumerate(texts)})
    joined = frame.select(pl.concat_str(pl.all(), ignore_nulls=True)).to_series()
    varying = [str(i) for i, part in enumerate(expression.operands) if not isinstance(part, Literally)]
    if varying:
        absent = frame.select(pl.all_horizontal(pl.col(varying).is_null())).to_series()
        joined = joined.set(absent, None)
    return joined.str.strip_chars()


def _zip(operands: list[pl.Series | Exact], expression: Call) -> list[tuple[pl.Series | Exact, Expression]]:
    return list(zip(operands, expression.operands, strict=True))


def _is_text_literal(part: Expression) -> bool:
    return isinstance(part, Literally) and isinstance(part.value, str)


def _coalesce(operands: list[pl.Series | Exact], form: NumberForm) -> pl.Series | Exact:
    if any(isinstance(operand, Exact) for operand in operands):
        return _coalesce_exact([_exact(operand, form) for operand in operands])
    series = [operand for operand in operands if isinstance(operand, pl.Series)]
    if len({operand.dtype for operand in series}) > 1 or series[0].dtype == pl.String:
        series = [as_text(operand) for operand in series]
    frame = pl.DataFrame({str(i): operand for i, operand in enumerate(series)})
    return frame.select(pl.coalesce(pl.all())).to_series()


def _coalesce_exact(operands: list[Exact]) -> Exact:
    scale = max(operand.scale for operand in operands)
    aligned = [_at_scale(operand, scale) for operand in operands]
    numbers, bad = aligned[0].numbers, aligned[0].bad
    for operand in aligned[1:]:
        is_open = numbers.is_null() & ~bad
        numbers = operand.numbers.zip_with(is_open, numbers)
        bad = bad | (is_open & operand.bad)
    return Exact(numbers, scale, bad, any(operand.is_rounded for operand in operands))


def _at_scale(value: Exact, scale: int) -> Exact:
    if value.scale == scale:
        return value
    factor = 10 ** (scale - value.scale)
    numbers = within(value.numbers, _LARGEST // factor)
    bad = value.bad | (numbers.is_null() & value.numbers.is_not_null())
    return Exact(numbers * constant(factor), scale, bad, value.is_rounded)


def _arithmetic(expression: Call, operands: list[Exact]) -> Exact:
    if expression.function == "neg":
        operand = operands[0]
        return Exact(constant(0) - operand.numbers, operand.scale, operand.bad, operand.is_rounded)
    left, right = operands
    bad = left.bad | right.bad
    is_rounded = left.is_rounded or right.is_rounded
    if expression.function == "*":
        numbers, overflown = _checked(left.numbers, right.numbers, lambda a, b: a * b, lambda a, b: a * b)
        return _shortened(Exact(numbers, left.scale + right.scale, bad | overflown, is_rounded))
    if expression.function == "/":
        return _quotient(left, right, bad)
    scale = max(left.scale, right.scale)
    left, right = _at_scale(left, scale), _at_scale(right, scale)
    sign = 1 if expression.function == "+" else -1
    numbers = left.numbers + right.numbers * constant(sign)
    return Exact(numbers, scale, left.bad | right.bad, is_rounded)


def _shortened(value: Exact) -> Exact:
    """A product's digits beyond the limit are rounded, or one could not go on multiplying."""
    if value.scale <= MOST_DIGITS:
        return value
    numbers, is_exact = divided(value.numbers, 10 ** (value.scale - MOST_DIGITS))
    was_exact = bool(is_exact.fill_null(value=True).all())
    return Exact(numbers, MOST_DIGITS, value.bad, value.is_rounded or not was_exact)


def _quotient(left: Exact, right: Exact, bad: pl.Series) -> Exact:
    # Division by zero is missing, as everywhere in the language.
    divisor = right.numbers.set((right.numbers == constant(0)).fill_null(value=False), None)
    is_negative = (divisor < constant(0)).fill_null(value=False)
    divisor = (constant(0) - divisor).zip_with(is_negative, divisor)
    dividend = (constant(0) - left.numbers).zip_with(is_negative, left.numbers)
    factor = 10 ** (_QUOTIENT_DIGITS + right.scale - left.scale + max(0, left.scale - _QUOTIENT_DIGITS - right.scale))
    numbers, overflown = _checked(
        dividend,
        divisor,
        lambda a, b: divided(a * constant(factor), b)[0],
        lambda a, b: _half_even(a * factor, b),
        growth=factor,
    )
    return Exact(numbers, _QUOTIENT_DIGITS, bad | overflown, is_rounded=True)


def _half_even(dividend: int, divisor: int) -> int:
    quotient, rest = divmod(dividend, divisor)
    return quotient + (rest * 2 > divisor or (rest * 2 == divisor and quotient % 2 == 1))


def _checked(
    left: pl.Series,
    right: pl.Series,
    quick: Callable[[pl.Series, pl.Series], pl.Series],
    exact: Callable[[int, int], int],
    growth: int | None = None,
) -> tuple[pl.Series, pl.Series]:
    """`quick` where 128 bits surely suffice, else Python's integers; True marks results that still do not fit."""
    bound = _bound(left) * (_bound(right) if growth is None else growth)
    if bound < _SAFE:
        return quick(left, right), _never(len(left))
    results = [
        None if a is None or b is None else exact(a, b) for a, b in zip(left.to_list(), right.to_list(), strict=True)
    ]
    overflown = pl.Series([r is not None and abs(r) >= _LARGEST for r in results], dtype=pl.Boolean)
    kept = [None if r is None or abs(r) >= _LARGEST else r for r in results]
    return pl.Series(kept, dtype=INT128), overflown


def _bound(numbers: pl.Series) -> float:
    largest = numbers.cast(pl.Float64).abs().max()
    return float(largest) if isinstance(largest, float) else 0.0
