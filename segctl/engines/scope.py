"""What a row means to an expression: which columns hold the values, and the instant and zone asked about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from segctl.compile import ir
from segctl.compile.zones import to_us
from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    from segctl.compile.plan import Node
    from segctl.engines.dialects import Dialect


@dataclass(frozen=True, slots=True)
class Scope:
    """Where expressions find their values.

    Attributes:
        as_of: The instant of the evaluation, aware.
        zone: The project's zone.
        lo: Earliest instant of the data, in microseconds: no clock change before it matters.
        hi: Latest instant of the data, in microseconds.
        dialect: How the engine that holds the rows spells some arithmetic.
        known: Columns that hold a node's value already.
    """

    as_of: datetime
    zone: str
    lo: int
    hi: int
    dialect: Dialect
    known: Mapping[Node, str] = field(default_factory=dict)

    @property
    def now(self) -> int:
        """`as_of` in microseconds since 1970."""
        return to_us(self.as_of)

    def knowing(self, columns: Mapping[Node, str]) -> Scope:
        """The same scope with more columns."""
        return replace(self, known={**self.known, **columns})


def segment_column(name: str) -> str:
    """The column of a segment's members."""
    return f"segment:{name}"


def trait_column(trait: ir.StoredTrait) -> str:
    """Where a stored trait stands on profile rows; apart from the names engines use themselves."""
    return f"trait:{trait.name}"


def list_column(test: ir.InList) -> str:
    """Where a list look-up stands on profile rows."""
    return f"list:{test.name}:{test.column or ''}:{test.identifier}"
