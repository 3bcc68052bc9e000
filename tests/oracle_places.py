"""Places as the oracle sees them: every accepted spelling tried, distances by the angle between two vectors."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from decimal import Decimal
from math import atan2, cos, hypot, radians, sin
from typing import Any

from segctl.compile.places.postal import shipped_codes
from segctl.model import conditions as c
from segctl.model.places import CsvFile, PointSpot

Degrees = tuple[Decimal, Decimal]
PLATES = {"DE": "D", "AT": "A"}
COUNTRIES = {"de": "DE", "deutschland": "DE", "germany": "DE", "d": "DE", "at": "AT", "österreich": "AT", "ch": "CH"}
MILLION = Decimal(1_000_000)


def codes_of(file: CsvFile | None, lists: Mapping[Any, Any], country: str | None) -> dict[tuple[str, str], Degrees]:
    """Where codes lie: the shipped ones, or a file's whose columns are named as usual."""
    if file is None:
        return {
            key: (Decimal(north) / MILLION, Decimal(east) / MILLION)
            for key, ((north, east), _) in shipped_codes().places.items()
        }
    (text,) = lists[file.path, "*whole file*"]
    rows = csv.DictReader(io.StringIO(text))
    return {
        (r.get("country") or country or "", r["postal_code"]): (Decimal(r["latitude"]), Decimal(r["longitude"]))
        for r in rows
    }


def find(written: str, country: str | None, codes: Mapping[tuple[str, str], Degrees]) -> Degrees | None:
    """The one code with this spelling."""
    found = [
        at
        for (of, code), at in codes.items()
        if (country is None or of == country) and plain(written) in set(spellings(of, code, country))
    ]
    assert len(found) < 2
    return found[0] if found else None


def plain(text: str) -> str:
    """Without blanks and hyphens, in capitals; a spreadsheet's ``.0`` is no part of a code."""
    text = text.strip()
    text = text[:-2] if text.endswith(".0") and text[-3:-2].isdecimal() else text
    return "".join(letter for letter in text.upper() if letter != "-" and not letter.isspace())


def spellings(of: str, code: str, country: str | None) -> Iterator[str]:
    """Ways to write a code; without a country only those that name one."""
    for zeros in range(len(code) - len(code.lstrip("0")) + 1):
        short = code[zeros:]
        yield from (of + short, PLATES.get(of, of) + short)
        if country is not None:
            yield short


def metres(one: Degrees, other: Degrees) -> int:
    """The angle between two vectors, times the Earth's mean radius."""
    a, b = vector(one), vector(other)
    across = [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
    along = sum(x * y for x, y in zip(a, b, strict=True))
    return round(6_371_008.8 * atan2(hypot(*across), along))


def vector(at: Degrees) -> tuple[float, float, float]:
    """A point on the unit sphere; a millionth of a degree is the finest."""
    north, east = (radians(float(round(x * MILLION)) / 1e6) for x in at)
    return cos(north) * cos(east), cos(north) * sin(east), sin(north)


def near(leaf: c.NearCondition, value_of: Any, lists: Mapping[Any, Any]) -> bool | None:
    """The answer of one profile.

    Args:
        leaf: The condition.
        value_of: Gives the value of a `PlaceTrait`.
        lists: Texts of files.
    """
    codes = codes_of(leaf.codes, lists, leaf.country)
    here = place(leaf.place, value_of, codes)
    if here is None:
        return None
    limit = leaf.within.amount * {"m": 1, "km": 1000, "miles": Decimal("1609.344")}[leaf.within.unit]
    return any(metres(here, there) <= limit for there in targets(leaf, codes, lists))


def place(of: c.PostalPlace | c.PointPlace, value_of: Any, codes: Mapping[tuple[str, str], Degrees]) -> Degrees | None:
    """Where a profile is."""
    if isinstance(of, c.PointPlace):
        north, east = value_of(of.latitude), value_of(of.longitude)
        if north is None or east is None or abs(north) > 90 or abs(east) > 180:
            return None
        return Decimal(north), Decimal(east)
    code, country = value_of(of.code), None if of.country is None else value_of(of.country)
    named = of.default_country
    if country is not None and country.strip():
        named = COUNTRIES.get(country.strip().casefold())
        if named is None:
            return None
    return None if code is None else find(str(code), named, codes)


def targets(
    leaf: c.NearCondition, codes: Mapping[tuple[str, str], Degrees], lists: Mapping[Any, Any]
) -> Iterator[Degrees]:
    """All places of the condition."""
    for spot in leaf.spots:
        if isinstance(spot, PointSpot):
            yield spot.latitude, spot.longitude
        else:
            found = find(spot.code, spot.country or leaf.country, codes)
            assert found is not None
            yield found
    if leaf.file is not None:
        (text,) = lists[leaf.file.path, "*whole file*"]
        for row in csv.DictReader(io.StringIO(text)):
            if row.get("latitude"):
                yield Decimal(row["latitude"]), Decimal(row["longitude"])
            else:
                found = find(row["postal_code"], row.get("country") or leaf.country, codes)
                assert found is not None
                yield found
