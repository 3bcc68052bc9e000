"""Traits made from events or from other traits, and the formulas of the latter."""

from __future__ import annotations

from dataclasses import field
from decimal import Decimal
from typing import Literal

from segctl.model.conditions.events import EventSelection, Measure
from segctl.model.conditions.related import RelatedSelection
from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import Location
from segctl.model.types import ValueType


@dataclass(frozen=True, slots=True)
class Number:
    """A literal in a formula."""

    value: Decimal


@dataclass(frozen=True, slots=True)
class TraitValue:
    """A trait's value in a formula."""

    trait: str


@dataclass(frozen=True, slots=True)
class Call:
    """``+ - * /`` (two operands), ``neg`` (one), ``min max abs round coalesce days_since years_since``."""

    function: str
    operands: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """How good a profile's value is among all profiles, from 1 (worst) to `groups`; alone, never inside a `Call`.

    A profile's score is 1 + the whole part of `groups` times the share of profiles whose value is worse, so equal
    values have equal scores. Profiles without a value have none and do not count.

    Attributes:
        of: The trait that ranks.
        groups: How many scores there are.
        best: Whether high or low values are good.
        beside: Only profiles with a value of this trait are scored and counted; None for all.
    """

    of: TraitValue
    groups: int = 5
    best: Literal["high", "low"] = "high"
    beside: TraitValue | None = None


Formula = Number | TraitValue | Call | Score


@dataclass(frozen=True, slots=True)
class ComputedTrait:
    """A trait made from events or from other traits.

    Attributes:
        selection: Which events or related rows, None for formulas.
        measure: What of them, None for formulas.
        formula: Arithmetic over traits, None for event traits.
        type: Type of the result, with unit.
        sensitive: A trait it rests on, directly or not, is.
        personal: Likewise.
    """

    name: str
    type: ValueType
    selection: EventSelection | RelatedSelection | None = None
    measure: Measure | None = None
    formula: Formula | None = None
    title: str | None = None
    description: str | None = None
    sensitive: bool = field(default=False, compare=False)
    personal: bool = field(default=False, compare=False)
    location: Location | None = field(default=None, compare=False)

    @property
    def is_private(self) -> bool:
        """Values are shown only to those who ask for them."""
        return self.personal or self.sensitive
