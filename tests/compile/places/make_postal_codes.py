"""Makes `segctl/compile/places/postal_codes.z`: one place per postal code of Germany, Austria and Switzerland.

Read are GeoNames' postal codes in the form of one CSV a country (`zipcodes.de.csv` and likewise for at and ch, with
the columns country_code, zipcode, place, community, latitude, longitude), licensed CC BY 4.0. The same files give
the same bytes.

A code's position is the median of the latitudes and the median of the longitudes of all different points that the
code has: one place that is far off, as with codes of large companies, does not move it. Its name is the town where
the code lies in one, else the place nearest to that position.

    python tests/compile/places/make_postal_codes.py FOLDER
"""

from __future__ import annotations

import csv
import re
import sys
import zlib
from collections import Counter, defaultdict
from pathlib import Path
from statistics import median

OUTPUT = Path(__file__).resolve().parents[3] / "segctl" / "compile" / "places" / "postal_codes.z"
COUNTRIES = ("at", "ch", "de")
_TOWN = re.compile(
    r"(?:Kreisfreie Stadt|Stadtkreis|Landeshauptstadt) (?P<after>.+)|(?P<before>.+), (?:Frei|Hanse)?.*[Ss]tadt"
)
_COMPANY = re.compile(r"\b(?:GmbH|AG|KG|SE|eG|mbH|Inc|Ltd|Bank|Sparkasse|Versicherung|Agentur|Finanzamt)\b|e\. ?V\.|&")


def main(folder: Path) -> None:
    """Write the file of all countries."""
    rows = [row for country in COUNTRIES for row in codes_of(folder / f"zipcodes.{country}.csv")]
    # Columns beside each other, one a line: so they compress to a third less than rows.
    columns = ["\t".join(column) for column in zip(*sorted(rows), strict=True)]
    OUTPUT.write_bytes(zlib.compress("\n".join(columns).encode(), 9))
    print(f"{OUTPUT.name}: {len(rows):,} codes, {OUTPUT.stat().st_size:,} bytes")  # noqa: T201 - a script for people


def codes_of(path: Path) -> list[tuple[str, str, str, str, str]]:
    """Country, code, latitude and longitude in ten-thousandths of a degree, and name of each code of a file."""
    found: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found[row["country_code"], row["zipcode"]].append(row)
    return [(*key, *place_of(rows)) for key, rows in found.items()]


def place_of(rows: list[dict[str, str]]) -> tuple[str, str, str]:
    """Latitude, longitude and name of one code."""
    points = sorted({(float(row["latitude"]), float(row["longitude"])) for row in rows})
    latitude, longitude = median(p[0] for p in points), median(p[1] for p in points)

    def off(row: dict[str, str]) -> tuple[bool, float, str]:
        north, east = float(row["latitude"]) - latitude, float(row["longitude"]) - longitude
        return bool(_COMPANY.search(row["place"])), north * north + east * east, row["place"]

    nearest = min(rows, key=off)
    towns = Counter(town for row in rows if (town := town_of(row)))
    name = min(towns, key=lambda town: (-towns[town], town)) if towns else nearest["place"]
    return str(round(latitude * 10_000)), str(round(longitude * 10_000)), name.split(",")[0].strip()


def town_of(row: dict[str, str]) -> str | None:
    """The town of a code; German communities are given as districts unless they are towns."""
    if row["country_code"] != "DE":
        return row["community"] or None
    found = _TOWN.fullmatch(row["community"])
    return (found["after"] or found["before"]) if found else None


if __name__ == "__main__":
    main(Path(sys.argv[1]))
