"""Google's consent signals: the four by name, and the parameters ``gcs`` and ``gcd`` of its requests, read strictly.

What is missing, malformed or only a default that nobody has answered counts as denied.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

SIGNALS = ("ad_storage", "analytics_storage", "ad_user_data", "ad_personalization")
_GCS = re.compile(r"G1([01-])([01-])")
_GCD = re.compile(r"1[1-3]([a-z])[1-3]([a-z])[1-3]([a-z])[1-3]([a-z])[1-3]?[1-9]")
_GRANTED_BY_PERSON = frozenset("rnv")
"""Letters that stand for a yes: denied by default, without a default, and granted by default before it."""
_LETTERS = frozenset("lpqtrmnuv")
_YES, _NO = frozenset({"granted", "true", "1", "yes"}), frozenset({"denied", "false", "0", "no", "", "none", "null"})


class MalformedSignals(ValueError):  # noqa: N818 - what it says of the value
    """The value is none that Google defines; the message says where."""


def parse_gcs(text: str) -> frozenset[str]:
    """The storage signals that ``gcs`` says are granted.

    Raises:
        MalformedSignals: It is no such value.
    """
    found = _GCS.fullmatch(text)
    if found is None:
        raise MalformedSignals("`gcs` is written like G111")
    return frozenset(name for name, sign in zip(SIGNALS[:2], found.groups(), strict=True) if sign == "1")


def parse_gcd(text: str) -> frozenset[str]:
    """The signals that ``gcd`` says the person has granted; a default that she has not answered is none.

    Raises:
        MalformedSignals: It is no such value.
    """
    found = _GCD.fullmatch(text)
    if found is None or not set(found.groups()) <= _LETTERS:
        raise MalformedSignals("`gcd` is written like 13r3r3r3r5")
    return frozenset(
        name for name, letter in zip(SIGNALS, found.groups(), strict=True) if letter in _GRANTED_BY_PERSON
    )  # fmt: skip


def parse_named(values: Mapping[str, object]) -> frozenset[str]:
    """The signals that are granted by name, as in ``{"ad_user_data": "granted"}``; others of the mapping are ignored.

    Raises:
        MalformedSignals: A signal has a value that is neither granted nor denied.
    """
    granted = set()
    for name in SIGNALS:
        word = str(values.get(name, "")).strip().lower()
        if word not in _YES | _NO:
            raise MalformedSignals(f"`{name}` is neither granted nor denied")
        if word in _YES:
            granted.add(name)
    return frozenset(granted)
