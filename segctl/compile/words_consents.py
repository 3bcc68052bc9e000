"""Conditions on consents, and the consents of one person, in words, English and German."""

from __future__ import annotations

import re

from segctl.compile.consents import consent_column
from segctl.compile.words_times import window_words
from segctl.model.conditions import ConsentCondition
from segctl.model.project import Language

_EN = {
    "confirmed": "given", "requested": "asked for, not confirmed", "withdrawn": "withdrawn", "objected": "objected to",
    "expired": "expired", "denied": "denied", "none": "never given", "consent": "consent to {} by {}",
    "since": "{}, since",
}  # fmt: skip
_DE = {
    "confirmed": "erteilt", "requested": "angefragt, nicht bestätigt", "withdrawn": "widerrufen",
    "objected": "widersprochen", "expired": "abgelaufen", "denied": "verweigert", "none": "nie erteilt",
    "consent": "Einwilligung in {} per {}", "since": "{}, seit",
    "allowed": "erlaubt", "refused": "nicht erlaubt",
}  # fmt: skip

_CHANGE = re.compile(r"consent (?P<of>.+): (?P<old>\w+) → (?P<new>\w+)")


def consent_words(leaf: ConsentCondition, language: Language) -> str:
    """A condition such as ``consent to newsletter by email: given, since 2026-01-01``."""
    words = _DE if language == "de" else _EN
    said = f"{words['consent'].format(leaf.purpose, leaf.channel)}: {words[leaf.status]}"
    return said if leaf.window is None else f"{said}, {window_words(leaf.window, language)}"


def column_words(name: str, language: Language) -> str | None:
    """What the value of a consent is called; None for ordinary traits."""
    column = consent_column(name)
    if column is None:
        return None
    words = _DE if language == "de" else _EN
    said = words["consent"].format(column.purpose, column.channel)
    return words["since"].format(said) if column.is_since else said


def status_words(status: str, language: Language) -> str:
    """A state for people.

    >>> status_words("withdrawn", "de")
    'widerrufen'
    """
    return (_DE if language == "de" else _EN).get(status, status)


def change_words(of: str, old: str, new: str) -> str:
    """What changed of a consent, as causes keep it: ``newsletter by email: confirmed → withdrawn``."""
    return f"{of}: {old} → {new}"


def german_consent(line: str) -> str:
    """A cause that says what changed of a consent, in German.

    >>> german_consent("consent newsletter by email: confirmed → withdrawn")
    'Einwilligung newsletter per email: erteilt → widerrufen'
    """
    found = _CHANGE.fullmatch(line)
    if found is None:
        return line.replace("consent", "Einwilligung", 1)
    of = found["of"].replace(" by ", " per ")
    return f"Einwilligung {of}: {_DE.get(found['old'], found['old'])} → {_DE.get(found['new'], found['new'])}"
