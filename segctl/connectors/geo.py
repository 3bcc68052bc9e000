"""From an IP address to a country, region and city, through the user's own MMDB file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from segctl.model.errors import UsageError

PLACES = ("country", "region", "city")
_REMEMBERED = 100_000

Place = tuple[str | None, str | None, str | None]


class Regions:
    """Looks addresses up; what was found last is remembered, the address itself is never kept on disk.

    Args:
        path: A MaxMind DB of cities or countries (GeoLite2, GeoIP2, DB-IP and others have this form).
        language: Of the names; English where the file lacks it.

    Raises:
        UsageError: SEG395, the package that reads the form is missing; SEG396, the file is none.
    """

    def __init__(self, path: Path, language: str = "en") -> None:
        try:
            import maxminddb
        except ImportError as error:
            hint = "run `pip install 'segctl[geo]'`"
            raise UsageError("SEG395", "reading an MMDB file needs one more package", hint=hint) from error
        try:
            self._reader: Any = maxminddb.open_database(path)
        except (OSError, maxminddb.InvalidDatabaseError) as error:
            hint = "name a .mmdb file of cities or countries; the path is read from the project folder"
            raise UsageError(
                "SEG396", f"`{path}` is no MMDB file that can be read", why=str(error), hint=hint
            ) from error
        self._broken = maxminddb.InvalidDatabaseError
        self._language = language
        self._known: dict[str, Place] = {}

    def place(self, address: str) -> Place:
        """Country (ISO code), region and city; None for each that is unknown."""
        found = self._known.get(address)
        if found is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            found = self._known[address] = self._look_up(address)
        return found

    def _look_up(self, address: str) -> Place:
        try:
            record = self._reader.get(address)
        except (ValueError, self._broken):
            return (None, None, None)
        if not isinstance(record, dict):
            return (None, None, None)
        country = _inner(record, "country") or _inner(record, "registered_country")
        regions = record.get("subdivisions")
        region = regions[0] if isinstance(regions, list) and regions and isinstance(regions[0], dict) else {}
        code = country.get("iso_code")
        return (code if isinstance(code, str) else None, self._name(region), self._name(_inner(record, "city")))

    def _name(self, part: dict[str, Any]) -> str | None:
        names = _inner(part, "names")
        found = names.get(self._language) or names.get("en")
        return found if isinstance(found, str) else None


def _inner(record: dict[str, Any], name: str) -> dict[str, Any]:
    value = record.get(name)
    return value if isinstance(value, dict) else {}
