"""What can stand at a place of a row: the JSON kinds it may be of, each with its mask and its values.

A typed column is of one kind. A cell of text is a number where it reads as one and text where it does not.
Where a Polars type cannot tell what the JSON said, the slot says in which rows it is in doubt.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import polars as pl
from polars.datatypes import DataTypeClass

from segctl.quality.schema_refs import pointer
from segctl.quality.schema_truth import Truth, both, some

JsonKind = Literal["null", "boolean", "integer", "number", "string", "array", "object"]
NullMeaning = Literal["absent", "null", "doubt"]
"""A null of a column: nothing stands there, JSON null stands there, or one of the two."""
EXACT_FLOAT = 2**53
_WIDE = (pl.UInt64, pl.Int128, pl.UInt128)
_SURE_DIGITS = 15


@dataclass(frozen=True, slots=True)
class Alternative:
    """One kind that a slot may hold.

    Attributes:
        kind: JSON kind; `integer` is a number that is known to be whole, held in 64 bits.
        mask: Rows that hold it; never null.
        value: Its values, null elsewhere; None for null, and for objects at the root.
        fields: Slots inside an object.
        element: Type of the elements of an array.
    """

    kind: JsonKind
    mask: Truth
    value: pl.Expr | None = None
    fields: Mapping[str, Slot] = field(default_factory=dict)
    element: pl.DataType | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """A place of a row.

    Attributes:
        present: Rows in which something stands there, JSON null included.
        kinds: What it may be.
        doubt: Rows in which only the JSON text says what stands there.
        shown: Text of the value, for reasons.
    """

    present: Truth
    kinds: tuple[Alternative, ...] = ()
    doubt: Truth = False
    shown: pl.Expr | None = None

    def of(self, *kinds: JsonKind) -> tuple[Alternative, ...]:
        """The alternatives of some kinds."""
        return tuple(each for each in self.kinds if each.kind in kinds)


NOWHERE = Slot(present=False)
"""A property that no row has."""


@dataclass(frozen=True, slots=True)
class TypedReading:
    """How typed columns become slots.

    Attributes:
        null: Meaning of a null at a pointer.
        has_key: Rows whose JSON text holds a key at all, for slots in doubt; None inside lists.
        is_json: The column comes from JSON, which has no NaN.
    """

    null: Callable[[str], NullMeaning]
    has_key: Callable[[str], pl.Expr] | None = None
    is_json: bool = False


def typed_slot(
    expr: pl.Expr, dtype: pl.DataType, at: str, reading: TypedReading, *, inside: Truth = True, key: str | None = None
) -> Slot:
    """The slot of a column, a field or an element.

    Args:
        expr: The column.
        dtype: One of the types that `plain_frame` leaves.
        at: Its JSON pointer.
        reading: What nulls mean.
        inside: Rows whose parent is there.
        key: Name of the property; None for elements of arrays, whose nulls are JSON null.
    """
    meaning = "null" if key is None else reading.null(at)
    there = expr.is_not_null()
    kinds, doubt = _kinds(expr, dtype, at, reading)
    present: Truth = there
    if meaning == "null":
        kinds = (*kinds, Alternative("null", both(inside, expr.is_null())))
        present = inside
    elif meaning == "doubt":
        unsure: Truth = both(inside, expr.is_null())
        if reading.has_key is not None and key is not None:
            unsure = both(unsure, reading.has_key(key))
        doubt = some((doubt, unsure))
    return Slot(present, kinds, doubt, shown_text(expr, dtype))


def _kinds(expr: pl.Expr, dtype: pl.DataType, at: str, reading: TypedReading) -> tuple[tuple[Alternative, ...], Truth]:
    there = expr.is_not_null()
    if dtype == pl.Null:
        return (), False
    if dtype == pl.Boolean:
        return (Alternative("boolean", there, expr),), False
    if dtype in _WIDE:
        narrow = expr.cast(pl.Int64, strict=False)
        return (Alternative("integer", narrow.is_not_null(), narrow),), there & narrow.is_null()
    if dtype.is_integer():
        return (Alternative("integer", there, expr.cast(pl.Int64)),), False
    if isinstance(dtype, pl.Decimal):
        number = expr.cast(pl.Float64)
        largest = 10.0 ** (_SURE_DIGITS - dtype.scale)
        return (Alternative("number", there, number),), (number.abs() >= largest).fill_null(value=False)
    if dtype.is_float():
        return _floats(expr.cast(pl.Float64), is_json=reading.is_json), False
    if isinstance(dtype, pl.List):
        return (Alternative("array", there, expr, element=_inner(dtype)),), False
    if isinstance(dtype, pl.Struct):
        fields = {
            each.name: typed_slot(
                expr.struct.field(each.name), _instance(each.dtype), at + pointer(each.name), reading,
                inside=there, key=each.name,
            )
            for each in dtype.fields
        }  # fmt: skip
        return (Alternative("object", there, expr, fields=fields),), False
    return (Alternative("string", there, expr),), False


def _floats(expr: pl.Expr, *, is_json: bool) -> tuple[Alternative, ...]:
    if is_json:
        return (Alternative("number", expr.is_not_null(), expr),)
    # JSON has no NaN and no infinity: such a cell is a text, so that it fails `type: number`.
    finite = expr.is_finite().fill_null(value=False)
    odd = expr.is_not_null() & ~finite
    number = pl.when(finite).then(expr)
    return (Alternative("number", finite, number), Alternative("string", odd, pl.when(odd).then(expr.cast(pl.String))))


def _inner(dtype: pl.List) -> pl.DataType:
    return _instance(dtype.inner)


def _instance(dtype: pl.DataType | DataTypeClass) -> pl.DataType:
    return dtype() if isinstance(dtype, type) else dtype


def element_slot(dtype: pl.DataType, at: str, reading: TypedReading) -> Slot:
    """The slot of the elements of a list, for use inside `list.eval`."""
    return typed_slot(pl.element(), dtype, at, TypedReading(reading.null, None, reading.is_json))


def shown_text(expr: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """The value as text."""
    if isinstance(dtype, pl.Struct):
        return expr.struct.json_encode()
    if isinstance(dtype, pl.List):
        # Only records have an encoder, so the list is wrapped into one and unwrapped as text.
        return pl.struct(v=expr).struct.json_encode().str.slice(5).str.head(-1)
    return expr.cast(pl.String)


def plain_frame(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame in types that JSON has: instants, days, categories and bytes become text, arrays lists."""
    changed = {name: new for name, dtype in frame.schema.items() if (new := _plain(pl.col(name), dtype)) is not None}
    return frame.with_columns(**changed) if changed else frame


def _plain(expr: pl.Expr, dtype: pl.DataType) -> pl.Expr | None:
    """The column as JSON can hold it; None when it is so already."""
    if isinstance(dtype, pl.Datetime):
        moment = expr if dtype.time_zone in (None, "UTC") else expr.dt.convert_time_zone("UTC")
        return moment.dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ")
    if dtype == pl.Date:
        return expr.dt.strftime("%Y-%m-%d")
    if dtype == pl.Time:
        return expr.dt.strftime("%H:%M:%S%.fZ")
    if isinstance(dtype, pl.Duration):
        return expr.dt.to_string("iso")
    if isinstance(dtype, pl.Categorical | pl.Enum):
        return expr.cast(pl.String)
    if dtype == pl.Binary:
        return expr.bin.encode("hex")
    if isinstance(dtype, pl.Array):
        listed = expr.arr.to_list()
        return _plain(listed, pl.List(dtype.inner)) or listed
    if isinstance(dtype, pl.List):
        inner = _plain(pl.element(), _inner(dtype))
        return None if inner is None else expr.list.eval(inner)
    if isinstance(dtype, pl.Struct):
        return _plain_struct(expr, dtype)
    return None


def _plain_struct(expr: pl.Expr, dtype: pl.Struct) -> pl.Expr | None:
    found = {each.name: _plain(expr.struct.field(each.name), _instance(each.dtype)) for each in dtype.fields}
    if all(new is None for new in found.values()):
        return None
    parts = [(expr.struct.field(name) if new is None else new).alias(name) for name, new in found.items()]
    return pl.when(expr.is_not_null()).then(pl.struct(parts))
