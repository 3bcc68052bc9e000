"""Conditions on where a profile is: distance from points, postal codes, declared places."""

from __future__ import annotations

from dataclasses import field
from decimal import Decimal
from typing import Literal

from segctl.model.conditions.values import Missing
from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import Location
from segctl.model.places import CsvFile, Spot

LengthUnit = Literal["m", "km", "miles"]
MILLIMETRES: dict[LengthUnit, int] = {"m": 1_000, "km": 1_000_000, "miles": 1_609_344}


@dataclass(frozen=True, slots=True)
class Distance:
    """A length as written, such as 30 km; a mile is 1,609.344 m."""

    amount: Decimal
    unit: LengthUnit

    @property
    def millimetres(self) -> int:
        """Whole millimetres, what is smaller left out."""
        return int(self.amount * MILLIMETRES[self.unit])


@dataclass(frozen=True, slots=True)
class PlaceTrait:
    """A trait that says something of the profile's place; `path` leads into a struct."""

    trait: str
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PostalPlace:
    """The profile is where its postal code lies.

    Attributes:
        code: Text or whole number.
        country: Trait with the country, None where all have the same.
        default_country: Two letters: of codes whose country no trait and no prefix (``D-80331``) tells.
    """

    code: PlaceTrait
    country: PlaceTrait | None = None
    default_country: str | None = None


@dataclass(frozen=True, slots=True)
class PointPlace:
    """The profile is at a point; degrees."""

    latitude: PlaceTrait
    longitude: PlaceTrait


@dataclass(frozen=True, slots=True)
class NearCondition:
    """The great-circle distance between the profile's place and one of some places is at most a length.

    A profile whose place is missing or not known is neither near nor far: unknown.

    Attributes:
        spots: Points and postal codes, as written or declared inline under `places`.
        file: A file of places instead.
        within: The radius, included; distances are rounded to whole metres.
        place: What tells the profile's place.
        places: Name of the declared list, None for a point or postal code in the condition itself.
        codes: The user's own table of postal codes; None for those that come with segctl.
        country: Two letters, of postal codes in files that name none.
    """

    spots: tuple[Spot, ...]
    file: CsvFile | None
    within: Distance
    place: PostalPlace | PointPlace
    places: str | None = field(default=None, compare=False)
    codes: CsvFile | None = None
    country: str | None = None
    missing: Missing | None = None
    location: Location | None = field(default=None, compare=False)
