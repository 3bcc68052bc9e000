"""What a row means to an expression: which columns hold the values, and the instant and zone asked about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

import narwhals.stable.v2 as nw

from segctl.compile import ir
from segctl.compile.windows import Span, span
from segctl.compile.zones import local_day, to_us
from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    from segctl.compile.plan import Node
    from segctl.engines.dialects import Dialect
    from segctl.model.times import Window


class Bounds(Protocol):
    """Numbers that move with as_of, as columns of every row: for plans that are built once and used again."""

    def column(self, key: object) -> nw.Expr:
        """The column of a number."""
        ...

    def note(self, window: Window | None, *, clip: bool) -> None:
        """The plan's form depends on where a window is open, or empty."""
        ...

    def note_day(self) -> None:
        """The plan's form depends on the local day."""
        ...


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
        bounds: Where numbers that move with as_of stand; None where they are written into the expressions.
    """

    as_of: datetime
    zone: str
    lo: int
    hi: int
    dialect: Dialect
    known: Mapping[Node, str] = field(default_factory=dict)
    bounds: Bounds | None = None

    @property
    def now(self) -> int:
        """`as_of` in microseconds since 1970."""
        return to_us(self.as_of)

    @property
    def today(self) -> date:
        """The local day of as_of."""
        if self.bounds is not None:
            self.bounds.note_day()
        return local_day(self.now, self.zone)

    def instant(self) -> nw.Expr:
        """`now` as a value of every row."""
        return nw.lit(self.now) if self.bounds is None else self.bounds.column("now")

    def span(self, window: Window | None, *, clip: bool = False) -> Span:
        """The instants inside a window; see `windows.span`."""
        if self.bounds is not None:
            self.bounds.note(window, clip=clip)
        return span(window, self.as_of, self.zone, clip=clip)

    def moving(self, us: int, *key: object) -> int | nw.Expr:
        """A number that moves with as_of; its key says how it is found."""
        return us if self.bounds is None else self.bounds.column(key)

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
