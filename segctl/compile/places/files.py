"""Places and postal codes in CSV files of a project: columns found by their names, every wrong line told."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation

from segctl.compile.places.distance import Point, Target, point
from segctl.compile.places.postal import Key, PostalCodes, country_code, nearest_codes
from segctl.compile.suggest import nearest
from segctl.model.dataclass import dataclass

WHOLE_FILE = "*whole file*"
"""Stands for a column in the look-up of list files: the file's text as it is."""
COLUMNS = ("name", "latitude", "longitude", "postal_code", "country")
_NAMES = {
    "name": ("name", "title", "store", "branch", "filiale", "place", "city", "ort", "stadt"),
    "latitude": ("latitude", "lat", "breite", "breitengrad", "y"),
    "longitude": ("longitude", "lon", "lng", "long", "länge", "laenge", "längengrad", "x"),
    "postal_code": ("postal_code", "postcode", "postal code", "zip", "zipcode", "zip_code", "plz", "postleitzahl"),
    "country": ("country", "country_code", "land", "ländercode", "laendercode"),
}
_COMMA = re.compile(r"-?\d{1,3},\d+")


@dataclass(frozen=True, slots=True)
class PlaceProblem:
    """Something wrong in a file of places, with its line."""

    line: int
    message: str
    hint: str | None = None


def read_places(
    text: str, columns: Mapping[str, str], codes: PostalCodes, country: str | None
) -> tuple[tuple[Target, ...], list[PlaceProblem]]:
    """Places of a CSV file, each with coordinates or a postal code.

    Args:
        text: Content of the file.
        columns: Its columns for name, latitude, longitude, postal_code, country, where the project names them.
        codes: Where postal codes lie.
        country: Of codes that name none.

    Returns:
        Name and point of each place that is right, and what is wrong with the others.
    """
    found: list[Target] = []
    problems: list[PlaceProblem] = []
    for line, row in _rows(text, columns, problems):
        if row.get("latitude") or row.get("longitude"):
            at = _point(row)
            label = row.get("name") or f"{row.get('latitude')}, {row.get('longitude')}"
            if at is None:
                problems.append(PlaceProblem(line, "latitude and longitude are no point on the globe"))
            else:
                found.append((label, *at))
            continue
        written = row.get("postal_code", "")
        of = country_code(row["country"]) if row.get("country") else country
        key = codes.find(written, of) if written else None
        if key is None:
            problems.append(_unknown(line, written, of, codes))
        else:
            found.append((row.get("name") or codes.label(key), *codes.point(key)))
    return tuple(found), problems


def read_codes(text: str, columns: Mapping[str, str], country: str | None) -> tuple[PostalCodes, list[PlaceProblem]]:
    """A table of postal codes; a code with several points lies at the medians of their latitudes and longitudes."""
    # Few projects have postal codes of their own, and the module takes long to load.
    from statistics import median

    points: dict[Key, set[Point]] = {}
    names: dict[Key, str] = {}
    problems: list[PlaceProblem] = []
    for line, row in _rows(text, columns, problems, needs_code=True):
        at = _point(row)
        of = country_code(row["country"]) if row.get("country") else country
        code = re.sub(r"[\s-]", "", row.get("postal_code", "").upper())
        if at is None or of is None or not code:
            lacks = "postal code" if not code else "country" if of is None else "point on the globe"
            problems.append(PlaceProblem(line, f"the line has no {lacks}"))
            continue
        points.setdefault((of, code), set()).add(at)
        names.setdefault((of, code), row.get("name", ""))
    places = {
        key: ((round(median(north for north, _ in at)), round(median(east for _, east in at))), names[key])
        for key, at in points.items()
    }
    digest = hashlib.sha256(repr((sorted(columns.items()), country)).encode() + text.encode()).hexdigest()
    return PostalCodes(places, digest), problems


def _rows(
    text: str, columns: Mapping[str, str], problems: list[PlaceProblem], *, needs_code: bool = False
) -> Iterator[tuple[int, dict[str, str]]]:
    """Line numbers and cells by what they are; nothing for a file whose columns are not found."""
    delimiter = ";" if ";" in text.partition("\n")[0] else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        head = [cell.strip() for cell in next(reader, [])]
        places = _placed(head, columns, problems, needs_code=needs_code)
        for cells in reader if places else ():
            if any(cell.strip() for cell in cells):
                yield reader.line_num, {of: cells[at].strip() for of, at in places.items() if at < len(cells)}
    except csv.Error as error:
        problems.append(PlaceProblem(reader.line_num, str(error), "check the quotation marks of that line"))


def _placed(
    head: list[str], columns: Mapping[str, str], problems: list[PlaceProblem], *, needs_code: bool
) -> dict[str, int]:
    """Where each column stands."""
    folded = [cell.casefold() for cell in head]
    found: dict[str, int] = {}
    for of in COLUMNS:
        named = columns.get(of)
        if named is not None and named not in head:
            near = nearest(named, head)
            hint = f"did you mean `{near}`?" if near else f"its first line has {len(head)} columns"
            problems.append(PlaceProblem(1, f"there is no column `{named}`", hint))
            return {}
        wanted = (named.casefold(),) if named is not None else _NAMES[of]
        at = next((folded.index(name) for name in wanted if name in folded), None)
        if at is not None:
            found[of] = at
    has_point, has_code = {"latitude", "longitude"} <= found.keys(), "postal_code" in found
    if (has_point and has_code) if needs_code else (has_point or has_code):
        return found
    wanted_columns = (
        "`postal_code`, `latitude` and `longitude`" if needs_code else "`latitude` and `longitude`, or `postal_code`"
    )
    problems.append(PlaceProblem(1, f"the file has no columns {wanted_columns}", "name them in segctl.yaml"))
    return {}


def _point(row: Mapping[str, str]) -> Point | None:
    north, east = (_degrees(row.get(of, "")) for of in ("latitude", "longitude"))
    return None if north is None or east is None else point(north, east)


def _degrees(written: str) -> Decimal | None:
    try:
        return Decimal(written.replace(",", ".") if _COMMA.fullmatch(written) else written)
    except InvalidOperation:
        return None


def _unknown(line: int, written: str, country: str | None, codes: PostalCodes) -> PlaceProblem:
    if not written:
        return PlaceProblem(line, "the line has no coordinates and no postal code")
    if country is None:
        hint = "add a column `country`, or `near: {country: DE}` in segctl.yaml"
        return PlaceProblem(line, f"the postal code `{written[:20]}` has no country", hint)
    near = nearest_codes(written, codes.codes(country))
    meant = f"did you mean `{near[0]}`?" if near else None
    return PlaceProblem(line, f"`{written[:20]}` is not a postal code of {country}", meant)
