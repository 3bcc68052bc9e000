"""Postal codes and where they lie: those of Germany, Austria and Switzerland, or a table of the user's own."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from segctl.compile.places.distance import Point

Key = tuple[str, str]
"""Country and code, such as ``("DE", "80331")``."""

SHIPPED = Path(__file__).with_name("postal_codes.z")
_PREFIX = re.compile(r"([A-Z]{1,3})([-\s]*)(\d.*)")
_PLATES = {"D": "DE", "A": "AT", "L": "LU", "B": "BE", "F": "FR", "I": "IT", "FL": "LI", "NL": "NL"}
_OURS = frozenset({"DE", "AT", "CH", "LI", "LU"})
_COUNTRIES = {
    "d": "DE", "deu": "DE", "germany": "DE", "deutschland": "DE", "bundesrepublik deutschland": "DE", "brd": "DE",
    "allemagne": "DE", "a": "AT", "aut": "AT", "austria": "AT", "österreich": "AT", "oesterreich": "AT",
    "autriche": "AT", "che": "CH", "schweiz": "CH", "switzerland": "CH", "suisse": "CH", "svizzera": "CH",
    "fl": "LI", "lie": "LI", "liechtenstein": "LI", "f": "FR", "fra": "FR", "france": "FR", "frankreich": "FR",
    "i": "IT", "ita": "IT", "italy": "IT", "italien": "IT", "italia": "IT", "l": "LU", "lux": "LU",
    "luxemburg": "LU", "luxembourg": "LU", "nld": "NL", "netherlands": "NL", "niederlande": "NL", "b": "BE",
    "bel": "BE", "belgium": "BE", "belgien": "BE", "pol": "PL", "poland": "PL", "polen": "PL", "cze": "CZ",
    "czechia": "CZ", "tschechien": "CZ", "dnk": "DK", "denmark": "DK", "dänemark": "DK", "gbr": "GB", "uk": "GB",
    "united kingdom": "GB", "usa": "US", "united states": "US",
}  # fmt: skip


class PostalCodes:
    """Where postal codes lie.

    Args:
        places: Point and name of each code of each country.
        digest: What tells this table from others.
    """

    __slots__ = ("_widths", "digest", "places")

    def __init__(self, places: Mapping[Key, tuple[Point, str]], digest: str) -> None:
        self.places, self.digest = places, digest
        lengths: dict[str, set[int]] = {}
        for country, code in places:
            lengths.setdefault(country, set()).add(len(code) if code.isdecimal() else 0)
        # Where all codes are numbers of one length, a shorter one has lost its zeros.
        self._widths = {country: of.pop() for country, of in lengths.items() if len(of) == 1}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PostalCodes) and other.digest == self.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def find(self, written: str, country: str | None) -> Key | None:
        """The code as people write it: with blanks, without leading zeros, as ``D-80331``; None when unknown.

        Args:
            written: The code.
            country: Two letters; None when only the code itself can tell.
        """
        text = re.sub(r"(?<=\d)\.0$", "", written.strip().upper())
        if country is not None and (found := self._known(country, text)):
            return found
        parts = _PREFIX.fullmatch(text)
        if parts is None:
            return None
        letters, between, code = parts.groups()
        named = _PLATES.get(letters) or (
            letters if letters in _OURS or (len(letters) == 2 and "-" in between) else None
        )
        if named is None or (country is not None and named != country):
            return None
        return self._known(named, code)

    def point(self, key: Key) -> Point:
        """Where a code lies."""
        return self.places[key][0]

    def label(self, key: Key) -> str:
        """Code and name, such as ``80331 München``."""
        return f"{key[1]} {self.places[key][1]}".strip()

    def codes(self, country: str) -> list[str]:
        """All codes of a country."""
        return [code for of, code in self.places if of == country]

    def _known(self, country: str, written: str) -> Key | None:
        code = re.sub(r"[\s-]", "", written)
        width = self._widths.get(country, 0)
        key = country, code.zfill(width) if code.isdecimal() else code
        return key if key in self.places else None


def country_code(written: str) -> str | None:
    """Two letters of a country as people write it, in German or English; None when it is not recognised."""
    folded = " ".join(written.casefold().split())
    found = _COUNTRIES.get(folded)
    return found or (folded.upper() if re.fullmatch(r"[a-z]{2}", folded) else None)


@cache
def shipped_codes() -> PostalCodes:
    """The codes that come with segctl (GeoNames, CC BY 4.0; see `LICENSE.txt` beside them)."""
    lines = zlib.decompress(SHIPPED.read_bytes()).decode().split("\n")
    countries, codes, norths, easts, names = (line.split("\t") for line in lines)
    points = zip((100 * int(north) for north in norths), (100 * int(east) for east in easts), strict=True)
    places = zip(zip(countries, codes, strict=True), zip(points, names, strict=True), strict=True)
    return PostalCodes(dict(places), "shipped")


def countries(of: PostalCodes) -> list[str]:
    """Countries of which a table has codes."""
    return sorted({country for country, _ in of.places})


def nearest_codes(written: str, among: Iterable[str]) -> list[str]:
    """Codes of one country that share the longest beginning with what was written, three at most."""
    digits = re.sub(r"[\s-]", "", written.upper())
    sharing = sorted(among, key=lambda code: (-_shared(code, digits), abs(_number(code) - _number(digits)), code))
    return [code for code in sharing[:3] if _shared(code, digits) >= 2]


def _shared(one: str, other: str) -> int:
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _number(code: str) -> int:
    return int(code) if code.isdecimal() else 0
