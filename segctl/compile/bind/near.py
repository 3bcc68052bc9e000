"""`near`: a place, a radius, and the traits that tell where a profile is."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import cast

from segctl.compile.bind import forms
from segctl.compile.bind.events import bind_missing
from segctl.compile.bind.names import Resolved, find_trait
from segctl.compile.bind.places import PLACE_SYNONYMS, SPOT_KEYS, bind_spot
from segctl.compile.bind.scope import Scope, describe_type, shown
from segctl.compile.places.distance import MOST_METRES
from segctl.compile.source import Mapping, Node, Scalar
from segctl.model.conditions import Distance, LengthUnit, NearCondition, PlaceTrait, PointPlace, PostalPlace
from segctl.model.places import CsvFile, PlaceList, Spot
from segctl.model.types import Kind, ValueType

_LENGTH = re.compile(r"(?P<amount>\d+(?:\.\d+)?)\s*(?P<unit>[a-zA-Z]+)")
_UNITS: dict[str, LengthUnit] = {
    "m": "m", "metre": "m", "metres": "m", "meter": "m", "meters": "m", "km": "km", "kilometre": "km",
    "kilometres": "km", "kilometer": "km", "kilometers": "km", "mi": "miles", "mile": "miles", "miles": "miles",
    "meile": "miles", "meilen": "miles",
}  # fmt: skip
_WRITTEN = ("m", "km", "miles")
_CODES, _DEGREES = (Kind.TEXT, Kind.INTEGER), (Kind.NUMBER, Kind.REAL, Kind.INTEGER)
_FIELDS = {
    "latitude": ("latitude", "lat"), "longitude": ("longitude", "lon", "lng"),
    "postal_code": ("postal_code", "postcode", "zip", "zip_code", "plz"), "country": ("country", "country_code"),
}  # fmt: skip
_EXAMPLE = 'write `{postal_code: "80331", country: DE}`, `{latitude: 48.1, longitude: 11.6}` or `{places: NAME}`'


def bind_near(node: Mapping, scope: Scope) -> NearCondition | None:
    """A condition on the distance between the profile's place and others."""
    ok = forms.check_keys(node, ("near", "within", "trait", "missing"), scope, "a near condition")
    target = _target(node.get("near"), scope)
    within_node = forms.required(node, "within", scope, "a near condition", example="within: 30 km")
    within = _distance(within_node, scope) if within_node is not None else None
    place = _place(node, scope)
    missing, has_rule = bind_missing(node, scope, why_not=None)
    if target is None or within is None or place is None or not has_rule or not ok:
        return None
    spots, file, name = target
    defaults = scope.project.near
    return NearCondition(
        spots, file, within, place, name, defaults.codes, defaults.country, missing, node.location
    )  # fmt: skip


def _target(node: Node | None, scope: Scope) -> tuple[tuple[Spot, ...], CsvFile | None, str | None] | None:
    found = forms.mapping(node, scope, "`near`", hint=_EXAMPLE) if node is not None else None
    if found is None:
        return None
    places = found.get("places")
    if places is None:
        before = len(scope.diagnostics)
        spot = bind_spot(found, scope.project.near, scope)
        if spot is None and len(scope.diagnostics) == before:
            forms.wrong_form(found, scope, "a place stands here", hint=_EXAMPLE)
        return None if spot is None else ((spot,), None, None)
    if not forms.check_keys(found, ("places",), scope, "`near`", synonyms=PLACE_SYNONYMS):
        return None
    declared = _declared(places, scope)
    return None if declared is None else (declared.spots, declared.file, declared.name)


def _declared(node: Node, scope: Scope) -> PlaceList | None:
    written = forms.text(node, scope, "the name of declared places")
    known = {one.name: one for one in scope.project.places}
    if written is None or written in known:
        return known.get(written or "")
    hint = scope.meant(written, tuple(known), otherwise="declare them: `places: {stores: lists/stores.csv}`")
    scope.error("SEG246", f"the project declares no places {shown(written)}", node.location, hint=hint)
    return None


def _distance(node: Node, scope: Scope) -> Distance | None:
    written = forms.text(node, scope, "a distance")
    if written is None:
        return None
    found = _LENGTH.fullmatch(written.replace(",", ".") if re.fullmatch(r"\d+,\d+\s*\w+", written) else written)
    unit = _UNITS.get(found["unit"].lower()) if found is not None else None
    if found is None or unit is None:
        amount = re.match(r"\d+(?:\.\d+)?", written)
        hint = f"write `{amount[0]} km`" if amount else "write `30 km`, `500 m` or `10 miles`"
        scope.error("SEG229", f"{shown(written)} is not a distance", node.location, hint=hint)
        return None
    mended = f"{found['amount']} {unit}"
    if found["unit"] not in _WRITTEN or "," in written:
        scope.error("SEG229", f"{shown(written)} is not a distance", node.location, hint=f"write `{mended}`")
        return None
    length = Distance(_plain(Decimal(found["amount"])), unit)
    if not 1_000 <= length.millimetres <= MOST_METRES * 1000:
        message = f"{mended} is not a distance between one metre and half the way round the Earth"
        scope.error("SEG229", message, node.location)
        return None
    return length


def _plain(amount: Decimal) -> Decimal:
    """30.0 is 30, so that both are one definition."""
    return Decimal(format(amount.normalize(), "f"))


# --- Where a profile is -----------------------------------------------------------------------------------
def _place(node: Mapping, scope: Scope) -> PostalPlace | PointPlace | None:
    """From the condition's `trait`, else from the project's `near`."""
    own = node.get("trait")
    if isinstance(own, Scalar):
        return _of_one(own, scope)
    if own is not None:
        found = forms.mapping(own, scope, "`trait`", hint="write a trait, or `{postal_code: TRAIT, country: TRAIT}`")
        if found is None or not forms.check_keys(found, SPOT_KEYS, scope, "`trait`", synonyms=PLACE_SYNONYMS):
            return None
        return _of_several({key.text: value for key, value in found.entries}, own, scope)
    default = scope.project.near.trait
    if not default:
        message = "the condition does not say which trait tells where a profile is"
        hint = "add `trait: postal_code`, or declare `near: {trait: postal_code, country: DE}` in segctl.yaml"
        scope.error("SEG235", message, node.location, hint=hint)
        return None
    if default[0][0] == "":
        return _of_one(Scalar(default[0][1], is_plain=True, location=node.location), scope)
    written = {key: Scalar(name, is_plain=True, location=node.location) for key, name in default}
    return _of_several(cast("dict[str, Node]", written), node, scope)


def _of_one(node: Scalar, scope: Scope) -> PostalPlace | PointPlace | None:
    """A postal code, or a struct with coordinates or a postal code."""
    found = find_trait(node, scope)
    if found is None:
        return None
    if found.type.kind is not Kind.STRUCT:
        fits = _fits(found, _CODES, node, scope)
        return PostalPlace(_trait(found), None, scope.project.near.country) if fits else None
    fields = dict(found.type.fields)
    inner = {of: next((name for name in names if name in fields), None) for of, names in _FIELDS.items()}
    north, east, code = inner["latitude"], inner["longitude"], inner["postal_code"]
    if north and east and _field_fits(fields[north], _DEGREES) and _field_fits(fields[east], _DEGREES):
        return PointPlace(_field(found, north), _field(found, east))
    if code and _field_fits(fields[code], _CODES):
        country = inner["country"]
        has_country = country is not None and _field_fits(fields[country], (Kind.TEXT,))
        return PostalPlace(
            _field(found, code), _field(found, country) if country and has_country else None, scope.project.near.country
        )
    message = f"{shown(node.text)} has no fields `latitude` and `longitude`, and no `postal_code`"
    hint = "name the traits: `{latitude: TRAIT, longitude: TRAIT}` or `{postal_code: TRAIT, country: TRAIT}`"
    scope.error("SEG235", message, node.location, hint=hint)
    return None


def _of_several(written: dict[str, Node], place: Node, scope: Scope) -> PostalPlace | PointPlace | None:
    if written.keys() == {"latitude", "longitude"}:
        north, east = (_numeric(written[key], scope) for key in ("latitude", "longitude"))
        return PointPlace(north, east) if north is not None and east is not None else None
    if "postal_code" not in written or not written.keys() <= {"postal_code", "country"}:
        message = "a place is told by `latitude` and `longitude`, or by `postal_code` and perhaps `country`"
        scope.error("SEG235", message, place.location)
        return None
    code = find_trait(written["postal_code"], scope)
    if code is None or not _fits(code, _CODES, written["postal_code"], scope):
        return None
    country = written.get("country")
    if country is None:
        return PostalPlace(_trait(code), None, scope.project.near.country)
    if isinstance(country, Scalar) and re.fullmatch(r"[A-Z]{2}", country.text.strip()):
        return PostalPlace(_trait(code), None, country.text.strip())
    of = find_trait(country, scope)
    if of is None or not _fits(of, (Kind.TEXT,), country, scope):
        return None
    return PostalPlace(_trait(code), _trait(of), scope.project.near.country)


def _numeric(node: Node, scope: Scope) -> PlaceTrait | None:
    found = find_trait(node, scope)
    return _trait(found) if found is not None and _fits(found, _DEGREES, node, scope) else None


def _fits(found: Resolved, kinds: tuple[Kind, ...], node: Node, scope: Scope) -> bool:
    if _field_fits(found.type, kinds):
        return True
    wanted = {_CODES: "a postal code is a text", _DEGREES: "degrees are numbers without a unit"}
    why = wanted.get(kinds, "a country is a text")
    name = ".".join((found.name, *found.path))
    scope.error("SEG235", f"{shown(name)} is {describe_type(found.type)}; {why}", node.location)
    return False


def _field_fits(of: ValueType, kinds: tuple[Kind, ...]) -> bool:
    return of.kind in kinds and (kinds is not _DEGREES or of.unit is None)


def _trait(found: Resolved) -> PlaceTrait:
    return PlaceTrait(found.name, found.path)


def _field(found: Resolved, name: str) -> PlaceTrait:
    return PlaceTrait(found.name, (*found.path, name))
