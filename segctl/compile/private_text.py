"""Personal data and secrets inside of texts, found so that ordinary words, codes and numbers are left alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

from segctl.model.dataclass import dataclass

_EMAIL = re.compile(r"(?<![\w.+/:-])([A-Za-z0-9][A-Za-z0-9._%+-]{0,63})@((?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,})\b")
_PHONE = re.compile(
    r"(?<![\w.+-])(?<!\d )(?:(?:\+|00)[1-9]\d?[\d ()/-]{6,18}|0[1-9]\d{1,4}[ /-]\d[\d -]{4,11})\d(?![\w-])"
)
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
_CARD = re.compile(r"(?<![\w-])[3-6]\d{3}([ -])\d{4}\1\d{4}\1\d{4}(?![\w-])")
# What every such number has, quick to look for.
_NUMBERS = re.compile(r"[+0][\d ()/-]{8}|[A-Z]\d\d|\d{4}[ -]\d{4}")
# Mailboxes of teams belong to nobody in particular.
_ROLES = frozenset({
    "abuse", "accounting", "admin", "analytics", "bestellung", "buchhaltung", "care", "compliance", "contact",
    "crm", "data", "datenschutz", "dpo", "dsb", "einkauf", "finance", "hallo", "hello", "help", "hilfe",
    "hostmaster", "hr", "info", "it", "jobs", "kontakt", "kundenservice", "mail", "marketing", "newsletter",
    "no-reply", "noreply", "office", "ops", "personal", "postmaster", "press", "presse", "privacy", "recht",
    "sales", "security", "service", "shop", "support", "team", "technik", "test", "vertrieb", "webmaster",
})  # fmt: skip
_TEAM = re.compile(r"(?:^|[-_.+])(?:team|crm|marketing|service|support|sales|data|info|hr)(?:$|[-_.+])")

_SECRETS = (
    ("a private key", re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")),
    ("a password in an address", re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s/:@{}$]+:[^\s/@{}$]{3,}@")),
    ("an access key", re.compile(
        r"\b(?:AKIA[0-9A-Z]{16}|gh[oprsu]_[A-Za-z0-9]{30,}|github_pat_\w{30,}|glpat-[\w-]{20,}|xox[abeprs]-[\w-]{10,}"
        r"|(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,}|sk-[\w-]{20,}|AIza[\w-]{35}|SG\.[\w-]{16,}\.[\w-]{16,}"
        r"|pat-(?:na|eu)\d-[0-9a-f-]{30,}|pk_[0-9a-f]{34}|shpat_[0-9a-f]{32}|xkeysib-[0-9a-f]{40,}"
        r"|eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,})")),
    ("an access token", re.compile(r"\b(?:Bearer [\w.~+/-]{16,}|Basic [A-Za-z0-9+/]{12,}={0,2})")),
)  # fmt: skip
# What every such secret has: most texts have none of these, and looking for them takes no time.
_SECRET_SIGNS = (
    "PRIVATE KEY", "://", "AKIA", "ghp_", "gho_", "ghr_", "ghs_", "ghu_", "github_pat_", "glpat-", "xox", "sk_", "rk_",
    "sk-", "AIza", "SG.", "pat-", "pk_", "shpat_", "xkeysib-", "eyJ", "Bearer ", "Basic ",
)  # fmt: skip
_KEY_SIGNS = ("pass", "pwd", "kennwort", "secret", "token", "key", "authorization")
_SECRET_WORDS = (
    "password|passwort|passwd|pwd|kennwort|secret|token|api_?key|access_?key|private_?key|client_?secret|authorization"
)
_SECRET_KEY = re.compile(rf"(?:^|_)(?:{_SECRET_WORDS})$", re.IGNORECASE)
_SECRET_KEYS = re.compile(rf"(?:{_SECRET_WORDS})['\"]?\s*:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Private:
    """A part of a text that should stand nowhere.

    Attributes:
        what: In words, with its article.
        text: The part itself; never to be printed.
    """

    what: str
    text: str


def personal_data_in(text: str) -> Iterator[Private]:
    """E-mail addresses of persons, phone numbers, account and card numbers."""
    if "@" not in text and _NUMBERS.search(text) is None:
        return
    if "@" in text:
        for found in _EMAIL.finditer(text):
            if found[1].lower() not in _ROLES and not _TEAM.search(found[1].lower()):
                yield Private("an e-mail address", found.group())
    for found in _PHONE.finditer(text):
        if 9 <= sum(sign.isdigit() for sign in found.group()) <= 15:
            yield Private("a phone number", found.group())
    for found in _IBAN.finditer(text):
        if _is_iban(found.group()):
            yield Private("an account number (IBAN)", found.group())
    for found in _CARD.finditer(text):
        if _is_card(found.group()):
            yield Private("a card number", found.group())


def secrets_in(text: str) -> Iterator[Private]:
    """Keys, tokens and passwords that can be told by their form."""
    if not any(sign in text for sign in _SECRET_SIGNS):
        return
    for what, pattern in _SECRETS:
        for found in pattern.finditer(text):
            yield Private(what, found.group())


def has_secret_keys(text: str) -> bool:
    """True when a YAML text may have a key that says that its value is secret."""
    small = text.lower()
    return any(sign in small for sign in _KEY_SIGNS) and _SECRET_KEYS.search(text) is not None


def is_secret_value(key: str, value: str) -> bool:
    """True when a key says that its value is secret, and the value looks like one and not like a word."""
    if not _SECRET_KEY.search(key) or len(value) < 8 or " " in value:
        return False
    return any(sign.isdigit() for sign in value) and any(sign.isalpha() for sign in value)


def _is_iban(text: str) -> bool:
    """ISO 7064: the number with its head at the end leaves 1 when divided by 97."""
    plain = text.replace(" ", "")
    if not 15 <= len(plain) <= 34:
        return False
    return int("".join(str(int(sign, 36)) for sign in plain[4:] + plain[:4])) % 97 == 1


def _is_card(text: str) -> bool:
    """The check digit of Luhn."""
    digits = [int(sign) for sign in text if sign.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(doubled) + sum(digits[-1::-2])) % 10 == 0
