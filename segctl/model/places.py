"""What a project declares about places: lists of them, its own postal codes, and where profiles are."""

from __future__ import annotations

from dataclasses import field
from decimal import Decimal

from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import Location


@dataclass(frozen=True, slots=True)
class PointSpot:
    """A place by its coordinates in degrees."""

    latitude: Decimal
    longitude: Decimal
    name: str | None = None


@dataclass(frozen=True, slots=True)
class PostalSpot:
    """A place by its postal code; `country` has two letters, None for the project's."""

    code: str
    country: str | None
    name: str | None = None


Spot = PointSpot | PostalSpot


@dataclass(frozen=True, slots=True)
class CsvFile:
    """A CSV file of places or of postal codes.

    Attributes:
        path: From the project folder.
        columns: What a column holds (name, latitude, longitude, postal_code, country) and the column's name, where
            the project says so; other columns are found by their usual names.
    """

    path: str
    columns: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class PlaceList:
    """Declared places: written in the project file, or in a file of their own."""

    name: str
    spots: tuple[Spot, ...] = ()
    file: CsvFile | None = None
    location: Location | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class NearDefaults:
    """What `near` conditions need not say again.

    Attributes:
        trait: Traits of the profile's place by what they hold (latitude, longitude, postal_code, country); one
            trait alone stands under an empty name.
        country: Two letters: of postal codes that name no country.
        codes: The project's own table of postal codes.
    """

    trait: tuple[tuple[str, str], ...] = ()
    country: str | None = None
    codes: CsvFile | None = None
