"""Normal forms of Meta's custom audiences, by key; what is hashed there, and what is not.

Source:
    Marketing API, customer file custom audiences. Names keep letters of every script, as the documentation says.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

from segctl.connectors.destinations.audience_hashes import country_code, international, mail_address, sha256, words

PLAIN = frozenset({"EXTERN_ID", "MADID"})
"""Keys whose values are not hashed."""
_GENDERS = {
    **dict.fromkeys(("m", "male", "man", "mr", "herr", "männlich", "mann"), "m"),
    **dict.fromkeys(("f", "w", "female", "woman", "ms", "mrs", "frau", "weiblich"), "f"),
}
_BRITISH = re.compile(r"[a-z]{1,2}[0-9][0-9a-z]?[0-9][a-z]{2}")


def email(text: str) -> str | None:
    """Trimmed, small letters; Gmail's dots stay."""
    found = mail_address(text)
    return None if found is None else "@".join(found)


def phone(text: str, country: str | None = None) -> str | None:
    """Digits with the country's code, without plus sign and leading zeros."""
    found = international(text, country)
    return None if found is None else found.removeprefix("+")


def name(text: str) -> str | None:
    """Small letters without punctuation."""
    return " ".join(words(text)) or None


def initial(text: str) -> str | None:
    """First letter of a given name."""
    return (name(text) or "")[:1] or None


def place(text: str) -> str | None:
    """A city or state: small letters without punctuation and white space."""
    return "".join(words(text)) or None


def postcode(text: str, country: str | None = None) -> str | None:
    """Small letters without white space; five digits in the US, up to the sector in the UK, nothing after a dash."""
    found = "".join(text.lower().partition("-")[0].split())
    region = (country or "").upper()
    if region == "US":
        return found[:5] or None
    if region == "GB" and _BRITISH.fullmatch(found):
        return found[:-2]
    return found or None


def country(text: str) -> str | None:
    """ISO code in small letters."""
    found = country_code(text)
    return None if found is None else found.lower()


def gender(text: str) -> str | None:
    """``m`` or ``f``, None for everything else."""
    return _GENDERS.get(text.strip().lower())


def born(value: object, part: str) -> str | None:
    """Year, month or day (`part` is DOBY, DOBM or DOBD) of a date or of its part written alone."""
    if isinstance(value, str) and len(value) >= 10:
        try:
            value = date.fromisoformat(value[:10])
        except ValueError:
            return None
    if isinstance(value, date):
        value = {"DOBY": value.year, "DOBM": value.month, "DOBD": value.day}[part]
    digits = str(value).strip()
    bounds = {"DOBY": (1900, 2100), "DOBM": (1, 12), "DOBD": (1, 31)}[part]
    if not digits.isdecimal() or not bounds[0] <= int(digits) <= bounds[1]:
        return None
    return f"{int(digits):0{4 if part == 'DOBY' else 2}d}"


_FORMS: dict[str, Callable[[Any], str | None]] = {
    "EMAIL": lambda value: email(str(value)),
    "FN": lambda value: name(str(value)),
    "LN": lambda value: name(str(value)),
    "FI": lambda value: initial(str(value)),
    "CT": lambda value: place(str(value)),
    "ST": lambda value: place(str(value)),
    "COUNTRY": lambda value: country(str(value)),
    "GEN": lambda value: gender(str(value)),
    "DOBY": lambda value: born(value, "DOBY"),
    "DOBM": lambda value: born(value, "DOBM"),
    "DOBD": lambda value: born(value, "DOBD"),
    "EXTERN_ID": lambda value: str(value).strip() or None,
    "MADID": lambda value: str(value).strip().lower() or None,
}
KEYS = (*_FORMS, "PHONE", "ZIP")


def normal(key: str, value: object, region: str | None = None) -> str | None:
    """The normal form of a value under one of `KEYS`; None when it has none.

    Args:
        key: As in a payload's schema.
        value: As the project has it.
        region: ISO code of the person's country.
    """
    if value is None:
        return None
    if key == "PHONE":
        return phone(str(value), region)
    if key == "ZIP":
        return postcode(str(value), region)
    return _FORMS[key](value)


def told(key: str, value: object, region: str | None = None) -> str:
    """What a payload carries under a key: the hash, the value itself where it is not hashed, an empty text for none."""
    form = normal(key, value, region)
    return (form if key in PLAIN else sha256(form)) or ""
