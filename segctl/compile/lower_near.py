"""Conditions on distance: places become points, the profile's place becomes expressions."""

from __future__ import annotations

from decimal import Decimal

from segctl.compile import ir
from segctl.compile.lower_events import Lowering
from segctl.compile.lower_tests import inside
from segctl.compile.places.distance import Target, point
from segctl.compile.places.files import WHOLE_FILE, PlaceProblem, read_codes, read_places
from segctl.compile.places.postal import PostalCodes, shipped_codes
from segctl.model import conditions as c
from segctl.model.errors import DataError
from segctl.model.places import CsvFile, PointSpot, PostalSpot


def lower_near(leaf: c.NearCondition, lowering: Lowering) -> ir.Near:
    """The question with points in place of names.

    Raises:
        KeyError: Nobody has read the file of places or of postal codes.
        DataError: Such a file has become wrong.
    """
    codes = _codes(leaf, lowering)
    targets = tuple(dict.fromkeys(_targets(leaf, codes, lowering)))
    if isinstance(leaf.place, c.PointPlace):
        place = (leaf.place.latitude, leaf.place.longitude)
        return ir.Near(_expressions(place, lowering), None, None, targets, leaf.within.millimetres)
    told = (leaf.place.code,) if leaf.place.country is None else (leaf.place.code, leaf.place.country)
    return ir.Near(_expressions(told, lowering), codes, leaf.place.default_country, targets, leaf.within.millimetres)


def _expressions(traits: tuple[c.PlaceTrait, ...], lowering: Lowering) -> tuple[ir.Expression, ...]:
    return tuple(inside(lowering.trait(trait.trait), trait.path) for trait in traits)


def _codes(leaf: c.NearCondition, lowering: Lowering) -> PostalCodes:
    if leaf.codes is None:
        return shipped_codes()
    found, problems = read_codes(_text(leaf.codes, lowering), dict(leaf.codes.columns), leaf.country)
    _refuse(problems, leaf.codes)
    return found


def _targets(leaf: c.NearCondition, codes: PostalCodes, lowering: Lowering) -> list[Target]:
    found: list[Target] = []
    for spot in leaf.spots:
        if isinstance(spot, PointSpot):
            at = point(spot.latitude, spot.longitude)
            found += [] if at is None else [(spot.name or _degrees(spot), *at)]
        else:
            found += _postal(spot, codes, leaf.country)
    if leaf.file is not None:
        listed, problems = read_places(_text(leaf.file, lowering), dict(leaf.file.columns), codes, leaf.country)
        _refuse(problems, leaf.file)
        found += listed
    return found


def _postal(spot: PostalSpot, codes: PostalCodes, country: str | None) -> list[Target]:
    key = codes.find(spot.code, spot.country or country)
    if key is None:
        raise DataError("SEG228", f"the postal code `{spot.code}` is not known", hint="look with `segctl lint`")
    return [(spot.name or codes.label(key), *codes.point(key))]


def _text(file: CsvFile, lowering: Lowering) -> str:
    (text,) = lowering.lists[file.path, WHOLE_FILE]
    return text


def _refuse(problems: list[PlaceProblem], file: CsvFile) -> None:
    """Lint has said it already, but a file can change between."""
    if problems:
        first = problems[0]
        raise DataError("SEG246", f"{file.path}:{first.line}: {first.message}", hint=first.hint)


def _degrees(spot: PointSpot) -> str:
    return ", ".join(_plain(degrees) for degrees in (spot.latitude, spot.longitude))


def _plain(degrees: Decimal) -> str:
    return format(degrees, "f")
