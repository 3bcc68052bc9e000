"""Places as written: a point or a postal code, what the project declares under `places` and `near`, CSV files."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from pathlib import Path

from segctl.compile.bind import forms
from segctl.compile.bind.declarations import entries_of
from segctl.compile.bind.scope import Scope, shown
from segctl.compile.files import is_inside
from segctl.compile.places.files import COLUMNS, read_codes
from segctl.compile.places.postal import PostalCodes, country_code, nearest_codes, shipped_codes
from segctl.compile.places.postal import countries as countries_of
from segctl.compile.source import ListNode, Mapping, Node, Scalar
from segctl.compile.suggest import one_of
from segctl.model.places import CsvFile, NearDefaults, PlaceList, PointSpot, PostalSpot, Spot

SPOT_KEYS = ("latitude", "longitude", "postal_code", "country")
PLACE_SYNONYMS = {
    "lat": "latitude", "lon": "longitude", "lng": "longitude", "zip": "postal_code", "plz": "postal_code",
    "zipcode": "postal_code", "postcode": "postal_code", "land": "country", "stores": "places", "list": "places",
}  # fmt: skip
_COUNTRY = re.compile(r"[A-Z]{2}")
_DEGREES = {"latitude": 90, "longitude": 180}


def declared_places(node: Mapping, defaults: NearDefaults, scope: Scope) -> tuple[PlaceList, ...]:
    """What stands under `places` in the project file: lists of places, or files of them."""
    found = []
    for name, of in entries_of(node, "places", scope):
        if isinstance(of, ListNode):
            spots = [_listed(item, defaults, scope) for item in forms.items(of, scope, f"`{name.text}`") or ()]
            if spots and None not in spots:
                found.append(PlaceList(name.text, tuple(spot for spot in spots if spot), location=name.location))
            continue
        file = csv_file(of, scope, f"the places `{name.text}`")
        if file is not None:
            found.append(PlaceList(name.text, file=file, location=name.location))
    return tuple(found)


def near_defaults(node: Mapping, scope: Scope) -> NearDefaults:
    """What stands under `near` in the project file."""
    value = node.get("near")
    found = forms.mapping(value, scope, "`near`", hint="write `{trait: postal_code, country: DE}`") if value else None
    if found is None or not forms.check_keys(found, ("trait", "country", "postal_codes"), scope, "`near`"):
        return NearDefaults()
    trait_node, country_node, codes_node = found.get("trait"), found.get("country"), found.get("postal_codes")
    return NearDefaults(
        trait=_default_traits(trait_node, scope) if trait_node is not None else (),
        country=bind_country(country_node, scope) if country_node is not None else None,
        codes=csv_file(codes_node, scope, "`postal_codes`") if codes_node is not None else None,
    )


def _default_traits(node: Node, scope: Scope) -> tuple[tuple[str, str], ...]:
    if isinstance(node, Scalar):
        written = forms.text(node, scope, "`trait`")
        return () if written is None else (("", written),)
    found = forms.mapping(node, scope, "`trait`", hint="write `{postal_code: TRAIT, country: TRAIT}`")
    if found is None or not forms.check_keys(found, SPOT_KEYS, scope, "`trait`", synonyms=PLACE_SYNONYMS):
        return ()
    pairs = ((key.text, forms.text(value, scope, f"`{key.text}`")) for key, value in found.entries)
    return tuple((key, written) for key, written in pairs if written is not None)


def csv_file(node: Node, scope: Scope, what: str) -> CsvFile | None:
    """A path, or a mapping with `file` and the names of its columns."""
    if isinstance(node, Scalar):
        path, columns = forms.text(node, scope, what), ()
        return _inside(path, columns, node, scope)
    found = forms.mapping(node, scope, what, hint="write the path of a CSV file, or a list of places")
    if found is None or not forms.check_keys(found, ("file", *COLUMNS), scope, what):
        return None
    file_node = forms.required(found, "file", scope, what, example="file: lists/stores.csv")
    path = forms.text(file_node, scope, "`file`") if file_node is not None else None
    named = ((key.text, forms.text(of, scope, f"`{key.text}`")) for key, of in found.entries if key.text != "file")
    return _inside(path, tuple((key, name) for key, name in named if name is not None), node, scope)


def _inside(path: str | None, columns: tuple[tuple[str, str], ...], node: Node, scope: Scope) -> CsvFile | None:
    if path is None:
        return None
    if not is_inside(path):
        hint = "copy it into the project"
        scope.error("SEG246", f"{shown(path)} is not a file of the project", node.location, hint=hint)
        return None
    return CsvFile(path, columns)


def _listed(node: Node, defaults: NearDefaults, scope: Scope) -> Spot | None:
    found = forms.mapping(node, scope, "a place", hint='write `{name: Berlin, postal_code: "10115"}`')
    return bind_spot(found, defaults, scope, extra=("name",)) if found is not None else None


def bind_spot(node: Mapping, defaults: NearDefaults, scope: Scope, *, extra: tuple[str, ...] = ()) -> Spot | None:
    """A point or a postal code; the code must be known."""
    if not forms.check_keys(node, (*SPOT_KEYS, *extra), scope, "a place", synonyms=PLACE_SYNONYMS):
        return None
    name_node = node.get("name") if extra else None
    name = forms.text(name_node, scope, "`name`") if name_node is not None else None
    keys = {key.text for key, _ in node.entries} - set(extra)
    if keys == {"latitude", "longitude"}:
        north, east = (_degrees(node, key, scope) for key in ("latitude", "longitude"))
        return None if north is None or east is None else PointSpot(north, east, name)
    code_node = node.get("postal_code")
    if code_node is None or not keys <= {"postal_code", "country"}:
        hint = "write `latitude` and `longitude`, or `postal_code` and perhaps `country`"
        scope.error("SEG211", "the place has neither coordinates nor a postal code", node.location, hint=hint)
        return None
    return _postal_spot(node, code_node, name, defaults, scope)


def _postal_spot(node: Mapping, code_node: Node, name: str | None, defaults: NearDefaults, scope: Scope) -> Spot | None:
    country_node = node.get("country")
    country = bind_country(country_node, scope) if country_node is not None else defaults.country
    written = forms.text(code_node, scope, "`postal_code`")
    if written is None or (country_node is not None and country is None):
        return None
    codes = known_codes(defaults, scope.project.root)
    if codes is None:
        return PostalSpot(written, country, name)  # the file's own problems are told where it is checked
    key = codes.find(written, country)
    if key is None:
        _report_code(written, country, code_node, codes, scope)
        return None
    return PostalSpot(key[1], key[0], name)


def known_codes(defaults: NearDefaults, root: str) -> PostalCodes | None:
    """The postal codes of a project; None when its own file cannot be read."""
    if defaults.codes is None:
        return shipped_codes()
    try:
        text = (Path(root) / defaults.codes.path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return None
    found, problems = read_codes(text, dict(defaults.codes.columns), defaults.country)
    return None if problems else found


def _report_code(written: str, country: str | None, node: Node, codes: PostalCodes, scope: Scope) -> None:
    known = countries_of(codes)
    if country is None:
        hint = "add `country: DE`, or declare `near: {country: DE}` in segctl.yaml"
        scope.error("SEG228", f"the postal code {shown(written)} has no country", node.location, hint=hint)
        return
    if country not in known:
        hint = "declare a table of your own: `near: {postal_codes: FILE}` in segctl.yaml"
        message = f"postal codes of {country} are not known; there are those of {one_of(known)}"
        scope.error("SEG228", message, node.location, hint=hint)
        return
    near = nearest_codes(written, codes.codes(country))
    labels = [codes.label((country, code)) for code in near]
    nearest = f"did you mean {one_of(labels, 'or')}?" if labels else None
    scope.error("SEG228", f"{shown(written)} is not a postal code of {country}", node.location, hint=nearest)


def bind_country(node: Node, scope: Scope) -> str | None:
    """Two letters of a country."""
    written = forms.text(node, scope, "a country")
    if written is None or _COUNTRY.fullmatch(written):
        return written
    code = country_code(written)
    hint = f"write `{code}`" if code else "write two letters such as `DE`"
    scope.error("SEG230", f"{shown(written)} is not a country's code", node.location, hint=hint)
    return None


def _degrees(node: Mapping, key: str, scope: Scope) -> Decimal | None:
    value = node.get(key)
    written = forms.text(value, scope, f"`{key}`") if value is not None else None
    if written is None or value is None:
        return None
    try:
        degrees = Decimal(written)
    except InvalidOperation:
        mended = written.replace(",", ".")
        hint = f"write `{mended}`" if re.fullmatch(r"-?\d+\.\d+", mended) else "write degrees such as `48.1374`"
        scope.error("SEG230", f"{shown(written)} is not a number of degrees", value.location, hint=hint)
        return None
    if not degrees.is_finite() or abs(degrees) > _DEGREES[key]:
        scope.error("SEG230", f"`{key}` lies between -{_DEGREES[key]} and {_DEGREES[key]}", value.location)
        return None
    return degrees
