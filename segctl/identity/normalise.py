"""Identifiers in one comparable form: e-mail addresses, postal addresses, names and plain texts.

Every function takes values as people wrote them and gives keys row by row, null where a value says nothing or
cannot be one. Keys are for matching only, never for sending: the original stays where it is.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import polars as pl

from segctl.identity.missing import without_missing
from segctl.identity.names import name_key

_GMAIL = ("gmail.com", "googlemail.com")
# Providers that deliver name+anything to name; elsewhere a plus may belong to the name.
_PLUS_TAGS = (
    *_GMAIL, "outlook.com", "outlook.de", "hotmail.com", "hotmail.de", "live.com", "live.de", "msn.com", "icloud.com",
    "me.com", "mac.com", "fastmail.com", "fastmail.fm", "proton.me", "protonmail.com", "protonmail.ch", "pm.me",
    "posteo.de", "posteo.net", "mailbox.org", "zoho.com",
)  # fmt: skip
_ADDRESS = r"^[^\s@<>,;:\"]+@[^\s@<>,;:\".]+(?:\.[^\s@<>,;:\".]+)+$"
_SPECIAL = r"[^\x21-\x7e]|[+<>]|^mailto:|@gmail\.|@googlemail\.|xn--|\.$|\.@|^\.|\.\."
_ROLES = (
    "abuse", "accounting", "admin", "administrator", "anfrage", "bestellung", "billing", "booking", "buchhaltung",
    "buero", "contact", "datenschutz", "einkauf", "empfang", "hallo", "hello", "help", "hostmaster", "hr", "info",
    "invoice", "jobs", "kasse", "kontakt", "kundenservice", "mail", "marketing", "news", "newsletter", "office",
    "order", "orders", "personal", "post", "postmaster", "praxis", "privacy", "rechnung", "reception", "root",
    "sales", "sekretariat", "service", "shop", "support", "team", "verwaltung", "vertrieb", "verkauf", "webmaster",
    "zentrale",
)  # fmt: skip


def text_keys(values: pl.Series) -> pl.Series:
    """Any identifier: without blanks around it, one Unicode form; letters keep their case, since ids may need it."""
    clean = without_missing(pl.col("v").cast(pl.String))
    return values.to_frame("v").select(clean.str.normalize("NFC")).to_series()


def email_keys(values: pl.Series) -> pl.Series:
    """E-mail addresses as keys; null for what is no address.

    Lower case; dots do not count in front of gmail.com; ``+tag`` goes where the provider is known to ignore it; a
    domain in Punycode is the one in letters; a full stop behind the domain goes.
    """
    lower = pl.col("v").cast(pl.String).str.strip_chars().str.to_lowercase()
    frame = values.to_frame("v").with_columns(key=lower)
    is_special = frame["key"].str.contains(_SPECIAL).fill_null(value=False)
    if is_special.any():
        mended = pl.DataFrame({"key": frame["key"].filter(is_special).unique()})
        mended = mended.with_columns(mended=_mended(pl.col("key")))
        frame = frame.join(mended, on="key", how="left", maintain_order="left").with_columns(
            key=pl.when(is_special).then("mended").otherwise("key")
        )
    return frame.select(pl.when(pl.col("key").str.contains(_ADDRESS)).then("key").alias(values.name)).to_series()


def is_role(emails: pl.Series) -> pl.Series:
    """True for addresses of a desk rather than a person, such as ``info@``; they are weak evidence."""
    local = emails.str.extract(r"^([^@]*)@")
    return local.is_in(_ROLES)


def address_keys(
    streets: pl.Series, houses: pl.Series | None, postcodes: pl.Series, countries: pl.Series | None = None
) -> pl.Series:
    """Postal addresses as keys ``country|postcode|street|house``; null without street, house number or postcode.

    ``Straße``, ``Str.`` and ``strasse`` are one; a house number behind the street is split off; a German postcode
    that lost its zero in a table gets it back.
    """
    frame = pl.DataFrame(
        {
            "street": streets.cast(pl.String),
            "house": pl.Series([None], dtype=pl.String).new_from_index(0, len(streets)) if houses is None else houses,
            "post": postcodes.cast(pl.String),
            "country": "" if countries is None else countries.fill_null(""),
        }
    ).with_columns(without_missing(pl.col("street", "post")), pl.col("house").cast(pl.String))
    number = r"^(.*?\D)[\s,]*(\d{1,5}(?:\s?[a-zA-Z])?(?:\s?[-/+]\s?\d{1,5}\s?[a-zA-Z]?)?)\s*$"
    frame = frame.with_columns(
        street=pl.col("street").str.extract(number, 1).fill_null(pl.col("street")),
        house=without_missing(pl.col("house")).fill_null(pl.col("street").str.extract(number, 2)),
    )
    german = pl.col("country").str.to_uppercase().is_in(["DE", "DEU", ""])
    post = pl.col("post").str.replace(r"\.0$", "").str.replace_all(r"[\s-]", "").str.to_uppercase()
    post = post.str.strip_prefix("D")
    padded = pl.when(german & post.str.contains(r"^\d{4}$")).then("0" + post).otherwise(post)
    key = pl.concat_str(
        pl.col("country").str.to_uppercase(), padded, street_form(pl.col("street")),
        pl.col("house").str.to_lowercase().str.replace_all(r"\s", ""), separator="|",
    )  # fmt: skip
    return frame.select(key.alias(streets.name)).to_series()


def street_form(text: pl.Expr) -> pl.Expr:
    """A street's name in one spelling: small plain letters, ``str`` for every way to write Straße."""
    lower = text.str.to_lowercase().str.normalize("NFC")
    plain = lower.str.replace_many({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
    plain = plain.str.replace_all(r"stra(?:ss|s)e\b", "str").str.replace_all(r"str\.", "str")
    return plain.str.normalize("NFKD").str.replace_all(r"[^a-z0-9]", "")


def name_keys(columns: Sequence[pl.Series]) -> pl.Series:
    """Several values that are one key together, such as given name, surname and day of birth.

    Names in their three spellings are one; null when any of them is missing.
    """
    frame = pl.DataFrame([column.cast(pl.String).alias(str(i)) for i, column in enumerate(columns)])
    parts = [name_key(without_missing(pl.col(str(i)))) for i in range(len(columns))]
    return frame.select(pl.concat_str(parts, separator="|").alias(columns[0].name)).to_series()


def _mended(text: pl.Expr) -> pl.Expr:
    """Addresses with signs that need care; few, so plain Python may do it."""
    return text.map_elements(_mended_address, return_dtype=pl.String)


def _mended_address(written: str) -> str | None:
    address = unicodedata.normalize("NFKC", written).strip().removeprefix("mailto:").strip("<> .").lower()
    local, at, domain = address.rpartition("@")
    domain = ".".join(_in_letters(label) for label in domain.split("."))
    if not at or not local or not domain:
        return None
    if domain in _PLUS_TAGS:
        local = local.partition("+")[0]
    if domain in _GMAIL:
        local, domain = local.replace(".", ""), _GMAIL[0]
    return f"{local}@{domain}" if local else None


def _in_letters(label: str) -> str:
    """A label of a domain in letters, ``xn--mller-kva`` as ``müller``."""
    if not label.startswith("xn--"):
        return label
    try:
        return unicodedata.normalize("NFC", label[4:].encode("ascii").decode("punycode"))
    except UnicodeError:
        return label
