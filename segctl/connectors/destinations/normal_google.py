"""Normal forms of Google's customer lists; what is hashed there, and what is not.

Source:
    Data Manager API, guide to formatting user data; `+suffix` of Gmail goes as the guide says. One place for it all.
"""

from __future__ import annotations

from typing import Any

from segctl.connectors.destinations.audience_hashes import country_code, international, mail_address, sha256, words

ADDRESS = ("givenName", "familyName", "regionCode", "postalCode")
"""Parts of an address; Google takes it only whole."""
_GMAIL = frozenset({"gmail.com", "googlemail.com"})
_TITLES = frozenset({"dr", "frau", "herr", "miss", "mr", "mrs", "ms", "prof"})


def email(text: str) -> str | None:
    """Small letters without white space; dots and suffix of Gmail's local parts go, and no domain is rewritten."""
    found = mail_address(text)
    if found is None:
        return None
    local, domain = found
    if domain in _GMAIL:
        local = local.partition("+")[0].replace(".", "")
    return f"{local}@{domain}" if local else None


def phone(text: str, country: str | None = None) -> str | None:
    """E.164 with its plus sign."""
    return international(text, country)


def name(text: str) -> str | None:
    """Small letters without punctuation and titles in front."""
    found = words(text)
    while len(found) > 1 and found[0] in _TITLES:
        found = found[1:]
    return " ".join(found) or None


def address(fields: dict[str, Any], country: str | None = None) -> dict[str, str] | None:
    """An address as Google takes it, None unless every part is there.

    Args:
        fields: Parts by Google's names.
        country: ISO code where `regionCode` is missing.
    """
    given, family = (sha256(name(str(fields.get(part) or ""))) for part in ADDRESS[:2])
    region = country_code(str(fields.get("regionCode") or country or ""))
    code = str(fields.get("postalCode") or "").strip()
    if given is None or family is None or region is None or not code:
        return None
    # Region and code go in the clear: Google matches them so.
    return {"givenName": given, "familyName": family, "regionCode": region, "postalCode": code}
