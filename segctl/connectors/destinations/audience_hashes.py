"""What hashed audiences have in common: SHA-256 of a normal form, and pieces that normal forms are made of.

Every vendor has normal forms of his own, and the same address has another hash at each: `normal_google`, `normal_meta`.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

_BLANKS = re.compile(r"\s+")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_SIGNS = re.compile(r"[\s().\-/\u00a0\u2013]")


def sha256(normal: str | None) -> str | None:
    """Hex digest of a normal form's UTF-8 bytes; None for None and for nothing.

    The hash of an empty text looks like anybody's: it must never be made.
    """
    return hashlib.sha256(normal.encode()).hexdigest() if normal else None


def mail_address(text: str) -> tuple[str, str] | None:
    """Local part and domain in small letters without any white space; None for what is no address."""
    local, at, domain = _BLANKS.sub("", text).lower().rpartition("@")
    if not at or not local or not domain or "@" in local:
        return None
    return local, domain


def international(text: str, country: str | None = None) -> str | None:
    """A phone number in E.164, None for what is none.

    Args:
        text: As written; with its country's code where it begins with ``+``.
        country: ISO code for numbers without one.
    """
    bare = _SIGNS.sub("", text)
    if _E164.fullmatch(bare):
        return bare
    if bare.startswith("+") or country is None:
        return None
    import phonenumbers

    try:
        number = phonenumbers.parse(text, country.upper())
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def words(text: str) -> list[str]:
    """Words in small letters, composed (NFC), without punctuation and symbols; letters of every script stay."""
    small = unicodedata.normalize("NFC", text).lower()
    kept = "".join(sign for sign in small if unicodedata.category(sign)[0] not in "PS")
    return kept.split()


def country_code(text: str) -> str | None:
    """ISO 3166-1 alpha-2 in capitals; None for what is no code of two letters."""
    code = text.strip().upper()
    return code if len(code) == 2 and code.isascii() and code.isalpha() else None
