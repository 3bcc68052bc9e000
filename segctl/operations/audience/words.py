"""Steps of a waterfall and the reasons at each in words, German and English."""

from __future__ import annotations

from segctl.model.audience import Step, StepName
from segctl.model.project import Language
from segctl.operations.consent.words import REASONS as CONSENT_REASONS

STEPS: dict[StepName, tuple[str, str]] = {
    "members": ("members in force", "Mitglieder"),
    "identifier": ("valid identifier for this destination", "gültige Kennung für dieses Ziel"),
    "consent": ("consent for purpose and channel", "Einwilligung für Zweck und Kanal"),
    "suppression": ("not suppressed", "nicht gesperrt"),
    "cap": ("under the frequency cap", "unter der Kontaktgrenze"),
    "holdout": ("not held out", "nicht zurückgehalten"),
    "priority": ("won its priority list", "in der Prioritätenliste vorn"),
    "change": ("new or changed at the destination", "neu oder geändert am Ziel"),
    "accepted": ("accepted by the destination", "vom Ziel angenommen"),
}
"""Step → English, German."""
REASONS: dict[tuple[StepName, str], tuple[str, str]] = {
    ("identifier", "missing"): ("no identifier", "keine Kennung"),
    ("identifier", "malformed"): ("the identifier is malformed", "die Kennung ist fehlerhaft"),
    ("identifier", "shared"): ("another profile has the same identifier", "ein anderes Profil hat dieselbe Kennung"),
    ("cap", "capped"): ("contacted often enough", "oft genug kontaktiert"),
    ("holdout", "held_out"): ("held out", "zurückgehalten"),
    ("holdout", "universal_holdout"): ("in the universal holdout", "in der allgemeinen Vergleichsgruppe"),
    ("holdout", "control"): ("in an arm that is sent nothing", "in einer Gruppe, die nichts bekommt"),
    ("holdout", "not_enrolled"): ("no part of the experiment", "nicht im Experiment"),
    ("priority", "displaced"): ("displaced by another segment", "von einem anderen Segment verdrängt"),
    ("change", "unchanged"): ("there already, as it should be", "ist dort schon richtig"),
    ("change", "paused"): ("paused: nobody new is told", "angehalten: niemand Neues wird mitgeteilt"),
    ("change", "not_there"): ("not there, and the mode only updates", "nicht dort, und der Modus aktualisiert nur"),
    ("accepted", "invalid"): ("refused as it is", "so nicht annehmbar"),
    ("accepted", "rejected"): ("rejected, may work later", "abgelehnt, geht später vielleicht"),
    ("accepted", "unknown"): ("nobody knows whether it was taken", "unbekannt, ob es ankam"),
    ("accepted", "denied"): ("denied before the call", "vor dem Aufruf widerrufen"),
    ("accepted", "held"): ("held back", "zurückgestellt"),
    ("accepted", "waiting"): ("waits for the next push", "wartet auf den nächsten Push"),
    ("accepted", "other"): ("not sent", "nicht gesendet"),
}
"""Step and reason code → English, German; codes of consent and suppression are those of `consent_words`."""


def step_words(step: StepName, language: Language) -> str:
    """What everybody passes at a step."""
    return STEPS[step][language == "de"]


def reason_words(step: StepName, reason: str, detail: str | None, language: Language) -> str:
    """Why somebody fell out at a step; a code of another version stays as it is."""
    english_german = REASONS.get((step, reason)) or CONSENT_REASONS.get(reason) or (reason, reason)
    said = english_german[language == "de"]
    if detail is None:
        return said
    if reason == "displaced":
        return f"{'verdrängt von' if language == 'de' else 'displaced by'} {detail}"
    return f"{said} ({detail})"


def counted_reasons(step: Step, language: Language) -> list[tuple[str, str | None, str, int]]:
    """Reason code, detail, words and count of those who fell out at a step, most first."""
    detailed = {reason for reason, _ in step.details}
    rows: list[tuple[str, str | None, int]] = [
        (reason, None, count) for reason, count in step.reasons.items() if reason not in detailed
    ]
    rows += [(reason, detail, count) for (reason, detail), count in step.details.items()]
    rows.sort(key=lambda row: (-row[2], row[0], row[1] or ""))
    return [(reason, detail, reason_words(step.name, reason, detail, language), n) for reason, detail, n in rows]
