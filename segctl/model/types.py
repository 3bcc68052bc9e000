"""Types of traits and event properties, and how their values are stored."""

from __future__ import annotations

import hashlib
from dataclasses import field
from enum import StrEnum

from segctl.model.dataclass import dataclass


class Kind(StrEnum):
    """What a value is; the words users write under `type`."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    MONEY = "money"
    BOOLEAN = "boolean"
    DATE = "date"
    TIME = "time"
    LIST = "list"
    STRUCT = "struct"
    REAL = "real"
    """Results of average, share, gap and formulas: a 64-bit float, never stored input, never summed."""


DEFAULT_SCALE = {Kind.NUMBER: 6, Kind.MONEY: 2}
EXACT = frozenset({Kind.INTEGER, Kind.NUMBER, Kind.MONEY})
NUMERIC = EXACT | {Kind.REAL}


@dataclass(frozen=True, slots=True)
class ValueType:
    """One declared type.

    Physical form: text is a NFC string; integer, number and money are 64-bit integers scaled by
    ``10 ** scale`` (so sums are exact); boolean; date is a local calendar day; time is an instant in UTC
    with microseconds; list and struct nest these.

    Attributes:
        kind: What it is.
        scale: Digits after the point for number and money; 0 for all others.
        unit: Unit such as ``EUR``, ``share``, ``points``; None when unit-less.
        element: Type of the elements of a list.
        fields: Names and types of a struct's fields, in declared order.
        rounds: Input with more digits than `scale` is rounded half to even instead of being rejected.
    """

    kind: Kind
    scale: int = 0
    unit: str | None = None
    element: ValueType | None = None
    fields: tuple[tuple[str, ValueType], ...] = ()
    rounds: bool = field(default=False, compare=False)

    @property
    def is_numeric(self) -> bool:
        """True for integer, number, money and real."""
        return self.kind in NUMERIC

    @property
    def storage_code(self) -> str:
        """Short name of the physical form, part of every stored column's name.

        Two declarations with the same code share a column; a changed declaration gets a new column, so
        a file never holds one column in two forms.
        """
        simple = {
            Kind.TEXT: "t",
            Kind.INTEGER: "i",
            Kind.BOOLEAN: "b",
            Kind.DATE: "d",
            Kind.TIME: "z",
            Kind.REAL: "r",
        }
        if self.kind in simple:
            return simple[self.kind]
        if self.kind in (Kind.NUMBER, Kind.MONEY):
            return f"n{self.scale}"
        if self.kind is Kind.LIST and self.element is not None:
            return f"l{self.element.storage_code}"
        inner = ",".join(f"{name}={of.storage_code}" for name, of in self.fields)
        return "s" + hashlib.sha256(inner.encode()).hexdigest()[:8]


def stored_column(name: str, value_type: ValueType) -> str:
    """Column name of a trait or property in the workspace's files, such as ``value:n2``."""
    return f"{name}:{value_type.storage_code}"


TEXT = ValueType(Kind.TEXT)
INTEGER = ValueType(Kind.INTEGER)
BOOLEAN = ValueType(Kind.BOOLEAN)
DATE = ValueType(Kind.DATE)
TIME = ValueType(Kind.TIME)
REAL = ValueType(Kind.REAL)
