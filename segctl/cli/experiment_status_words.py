"""Tables of `segctl experiment start|status|stop` in English and German; formats for machines keep their words."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from segctl.cli import output

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from segctl.model.project import Language

_WORDS = {
    "experiment": "Experiment", "state": "Stand", "segment": "Segment", "units": "Einheiten", "split": "Aufteilung",
    "days left": "Tage noch", "next look": "nächster Blick", "last look": "letzter Blick", "note": "Hinweis",
    "arm": "Arm", "sent": "verschickt", "share": "Anteil", "people": "Personen", "window begun": "Zeitraum begonnen",
    "arms": "Arme", "planned": "geplant", "running": "läuft", "stopped": "beendet", "pass": "in Ordnung",
    "warn": "ansehen", "fail": "kaputt", "yes": "ja", "no": "nein", "now": "jetzt", "at {} units": "bei {} Einheiten",
    "split is broken": "Aufteilung ist kaputt", "changed: not sent": "geändert: nicht verschickt",
    "not sent": "nicht verschickt", "winner: {}": "Sieger: {}", "planned size reached": "geplante Größe erreicht",
    "started": "begonnen", "destinations": "Ziele", "definition": "Definition", "winner": "Sieger", "reason": "Grund",
    "none": "keine",
}  # fmt: skip


def said(words: str, language: Language, *values: str) -> str:
    """The words in a language, with their places filled."""
    found = _WORDS.get(words, words) if language == "de" else words
    return found.format(*values) if values else found


def keyed(facts: Mapping[str, object], language: Language) -> dict[str, object]:
    """Facts under their names in a language."""
    return {said(key, language): value for key, value in facts.items()}


def titled(columns: Sequence[output.Column], language: Language) -> tuple[output.Column, ...]:
    """Columns with headings in a language."""
    if language != "de":
        return tuple(columns)
    return tuple(replace(one, title=said(one.title or one.name.replace("_", " "), language)) for one in columns)
