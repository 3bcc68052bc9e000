"""What figures are called where a number is explained or a check is told by its figures; symbols stay as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segctl.model.project import Language

_DE = {
    "units": "Einheiten", "messages": "Nachrichten", "difference": "Unterschied", "cost": "Kosten", "edge": "Grenze",
    "statistic": "Prüfgröße", "effect": "Effekt", "excess": "zu viele", "p_analysed": "p der vollständigen",
    "stratum_p": "p der Schichten", "stratum_worst": "auffälligste Schicht",
    "stratum_differs_p": "p zwischen Schichten", "day_p": "p der Tage", "day_worst": "auffälligster Tag",
    "day_differs_p": "p zwischen Tagen", "controls": "Kontrolle erreicht", "treated": "andere erreicht",
    "reached": "erreicht", "share": "Anteil", "treated_share": "Anteil der anderen", "by_push": "durch Versand",
    "by_contact_point": "über dieselbe Adresse", "staying": "bleiben dort", "looks": "Blicke",
    "unplanned": "davon ungeplant", "design": "geplant nach", "first": "erster", "young": "Zeitraum offen",
    "unexposed": "nicht erreicht", "beyond": "nach dem Plan", "data_until": "Daten bis",
    "windows_until": "Zeiträume bis", "once": "im Arm vereint", "arms": "Arme", "primary": "Hauptgrößen",
    "tests": "Vergleiche", "secondary_tests": "weitere Vergleiche", "epochs": "Abschnitte", "conversions": "taten es",
    "least": "wenigste in einem Arm", "without": "taten es nicht", "mde": "kleinster Effekt",
    "mde_points": "kleinster Effekt in Punkten", "planned": "geplant", "rests_on": "ruht auf", "weeks": "Wochen",
    "experiments": "Experimente", "log_p": "log p", "analysed": "vollständig", "cut": "abgeschnitten",
    "declared": "angegeben",
}  # fmt: skip


def called(key: str, language: Language) -> str:
    """A figure's name in a language; in English, and of symbols, arms and groups, the name itself."""
    return _DE.get(key, key) if language == "de" else key
