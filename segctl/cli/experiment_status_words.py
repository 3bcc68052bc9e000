"""What the table of `segctl experiment status` says, in English and German; formats for machines keep their words."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from segctl.cli import output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segctl.model.project import Language

_WORDS = {
    "experiment": "Experiment", "state": "Stand", "segment": "Segment", "units": "Einheiten", "split": "Aufteilung",
    "days left": "Tage noch", "next look": "nächster Blick", "last look": "letzter Blick", "note": "Hinweis",
    "arm": "Arm", "sent": "verschickt", "share": "Anteil", "people": "Personen", "exposed": "angeschrieben",
    "arms": "Arme", "planned": "geplant", "running": "läuft", "stopped": "beendet", "pass": "in Ordnung",
    "warn": "ansehen", "fail": "kaputt", "yes": "ja", "no": "nein", "now": "jetzt", "at {} units": "bei {} Einheiten",
    "split is broken": "Aufteilung ist kaputt", "changed: not sent": "geändert: nicht verschickt",
    "not sent": "nicht verschickt", "winner: {}": "Sieger: {}", "planned size reached": "geplante Größe erreicht",
}  # fmt: skip


def said(words: str, language: Language, *values: str) -> str:
    """The words in a language, with their places filled."""
    found = _WORDS.get(words, words) if language == "de" else words
    return found.format(*values) if values else found


def titled(columns: Sequence[output.Column], language: Language) -> tuple[output.Column, ...]:
    """Columns with headings in a language."""
    if language != "de":
        return tuple(columns)
    return tuple(replace(one, title=said(one.title or one.name.replace("_", " "), language)) for one in columns)
