"""A contract guessed from rows: types, bounds, few values and shapes of codes, and never a personal value.

What is guessed from a sample is a proposal only; whoever calls checks it against all rows and takes back what does
not hold (`loosened`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import polars as pl

from segctl.quality.infer_shapes import shape_of
from segctl.quality.schema_cells import TextForm, numbers_in, standing_cells

MOST_VALUES = 20
_FEWEST_ROWS = 50
_FEWEST_OF_EACH = 5
"""A value that fewer rows hold may say something about one person, so it is not written down."""
_LONGEST_VALUE = 40
_PERSONAL = re.compile(
    r"mail|phone|telefon|mobil|handy|fax|name|birth|geburt|geboren|street|stra(ss|ß)e|address|adresse|hausn|iban|bic|"
    r"konto|account|passport|ausweis|(^|[_\W])(ip|ssn|tax|steuer)([_\W]|$)|comment|notiz|bemerkung|kommentar|(^|_)note",
    re.IGNORECASE,
)
_PERSON = re.compile(r"[A-ZÄÖÜ][\w'’-]+,? [A-ZÄÖÜ][\w'’-]+")
_ID = re.compile(
    r"(^|[_\W])(id|nr|no|number|nummer|code|plz|zip|sku|ean|upc|key)([_\W]|$)|(id|nr|No|ID|Id)$", re.IGNORECASE
)
_FORMATS = {
    "email": r"^[!-?A-~]+@[!-?A-~]+\.[A-Za-z0-9-]{2,}$",
    "idn-email": r"^[^@\s]+@[^@\s]+\.[^@\s]{2,}$",
    "date": r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$",
    "date-time": r"^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$",
    "uuid": r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
    "ipv4": r"^(\d{1,3}\.){3}\d{1,3}$",
    "uri": r"^(https?|ftp)://\S+$",
}


@dataclass(frozen=True, slots=True)
class ColumnGuess:
    """What a column seems to hold.

    Attributes:
        name: As it stands in the data.
        schema: Its part of the contract.
        missing: Share of rows without a value, 0-1.
        is_unique: No value comes twice among the rows looked at, and none is missing.
        is_personal: Its name speaks of people, so that nothing of its values is written down.
    """

    name: str
    schema: dict[str, Any]
    missing: float
    is_unique: bool
    is_personal: bool


def guesses(
    frame: pl.DataFrame, form: TextForm | None, *, doubtful: Iterable[str] = (), is_json: bool = False
) -> list[ColumnGuess]:
    """One guess per column.

    Args:
        frame: Rows to learn from.
        form: How numbers are written where all columns are text; None for typed columns.
        doubtful: Columns of several types, which get no type.
        is_json: A null is JSON null rather than an absent value.
    """
    unsure = set(doubtful)
    return [_guess(column, form, is_doubtful=column.name in unsure, is_json=is_json) for column in frame.get_columns()]


def is_personal(name: str) -> bool:
    """Whether a name speaks of people.

    >>> is_personal("Vorname"), is_personal("e-mail"), is_personal("country")
    (True, True, False)
    """
    return _PERSONAL.search(name) is not None


def is_key_like(name: str) -> bool:
    """Whether a name speaks of numbers of things."""
    return _ID.search(name) is not None


def _guess(column: pl.Series, form: TextForm | None, *, is_doubtful: bool, is_json: bool) -> ColumnGuess:
    personal = is_personal(column.name)
    if form is not None and column.dtype == pl.String:
        column = standing_cells(column, form)
    stands = column.drop_nulls()
    missing = 1 - len(stands) / max(1, len(column))
    schema: dict[str, Any] = {}
    if len(stands) and not is_doubtful:
        schema = _text(stands, form, personal=personal) if stands.dtype == pl.String else _typed(stands, personal)
    if is_json and missing and "type" in schema:
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]
    flat = not isinstance(stands.dtype, pl.List | pl.Struct | pl.Array)
    unique = flat and len(stands) > 1 and not missing and stands.n_unique() == len(stands)
    return ColumnGuess(column.name, schema, missing, unique, personal)


def _typed(stands: pl.Series, personal: bool) -> dict[str, Any]:
    dtype = stands.dtype
    if dtype == pl.Boolean:
        return {"type": "boolean"}
    if dtype.is_numeric():
        return _numbers(stands, personal=personal)
    if dtype == pl.Date:
        return {"type": "string", "format": "date"}
    if isinstance(dtype, pl.List | pl.Array):
        return {"type": "array"}
    if isinstance(dtype, pl.Struct):
        return {"type": "object"}
    return {"type": "string"} if dtype.is_temporal() or isinstance(dtype, pl.Categorical | pl.Enum) else {}


def _text(stands: pl.Series, form: TextForm | None, *, personal: bool) -> dict[str, Any]:
    few = None if personal else _few_values(stands)
    if form is not None and not _is_code(stands):
        numbers = numbers_in(stands, form)
        if numbers.null_count() == 0:
            return _numbers(numbers, personal=personal)
    if few is not None:
        return {"type": "string", "enum": few}
    found: dict[str, Any] = {"type": "string"}
    for name, pattern in _FORMATS.items():
        if bool(stands.str.contains(pattern).all()):
            return {**found, "format": name}
    shape = shape_of(stands, keeps_open=is_key_like(stands.name))
    if shape is not None:
        return {**found, "pattern": shape}
    longest = max(stands.str.len_chars().unique().to_list(), default=0)
    return {**found, "maxLength": _rounded_up(2 * longest)} if longest else found


def _is_code(stands: pl.Series) -> bool:
    """Digits that number things: leading zeros count, and sums mean nothing."""
    return is_key_like(stands.name) or bool(stands.str.contains(r"^\s*[+-]?0\d").any())


def _few_values(stands: pl.Series) -> list[str] | None:
    """The values of a column that has few, each often; None for others and for what may be people."""
    if len(stands) < _FEWEST_ROWS:
        return None
    counted = stands.alias("value").value_counts(sort=False, name="rows")
    if counted.height > MOST_VALUES or min(counted["rows"].to_list(), default=0) < _FEWEST_OF_EACH:
        return None
    values = sorted(counted["value"].to_list())
    if any(len(value) > _LONGEST_VALUE or "@" in value or sum(map(str.isdigit, value)) > 6 for value in values):
        return None
    people = sum(_PERSON.fullmatch(value) is not None for value in values)
    return None if 2 * people >= len(values) else values


def _numbers(numbers: pl.Series, *, personal: bool) -> dict[str, Any]:
    floats = numbers.cast(pl.Float64, strict=False)
    finite = floats.filter(floats.is_finite().fill_null(value=False))
    is_whole = numbers.dtype.is_integer() or bool((finite == finite.round(0)).all())
    found: dict[str, Any] = {"type": "integer" if is_whole else "number"}
    if personal or not len(finite) or len(finite) < len(numbers):
        return found if len(finite) == len(numbers) else {}
    low, high = float(finite.to_numpy().min()), float(finite.to_numpy().max())
    if is_whole and set(finite.unique().to_list()) <= {0.0, 1.0}:
        return {**found, "enum": [0, 1]}
    if low >= 0:
        found["minimum"] = 0
    else:
        found["minimum"] = -_rounded_up(-low * 1.2)
    # Numbers of things grow for ever.
    if not is_key_like(numbers.name) and abs(high) < 2**53:
        found["maximum"] = _rounded_up(high * 1.2) if high > 0 else 0
    return found


def _rounded_up(value: float) -> int:
    """The next number of one or two digits and zeros.

    >>> _rounded_up(118.75), _rounded_up(10), _rounded_up(0.4), _rounded_up(123456)
    (120, 10, 1, 130000)
    """
    step = 10 ** max(0, math.floor(math.log10(value)) - 1) if value > 1 else 1
    return math.ceil(value / step) * step


def loosened(schema: dict[str, Any], broken: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The contract without the keywords that real rows break, as (pointer, keyword)."""
    properties = {name: dict(part) for name, part in schema.get("properties", {}).items()}
    required = list(schema.get("required", []))
    for place, keyword in broken:
        name = place[1:].split("/")[0].replace("~1", "/").replace("~0", "~")
        if keyword == "required":
            required = [each for each in required if each != name]
        elif name in properties:
            if keyword not in properties[name]:
                properties[name] = {}
            properties[name].pop(keyword, None)
    return {**schema, "required": required, "properties": properties}
