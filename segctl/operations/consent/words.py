"""Reason codes in plain words, German and English."""

from __future__ import annotations

from segctl.model.consent import Decision
from segctl.model.project import Language

REASONS: dict[str, tuple[str, str]] = {
    "erased": ("erased on request", "auf Verlangen gelöscht"),
    "restricted": ("processing is restricted", "Verarbeitung ist eingeschränkt"),
    "suppressed": ("on the suppression list", "steht auf der Sperrliste"),
    "complained": ("complained about a mailing", "hat sich über eine Sendung beschwert"),
    "bounced": ("the address does not take mail", "die Adresse nimmt nichts an"),
    "objected_marketing": ("objected to marketing", "hat Werbung widersprochen"),
    "objected_profiling": ("objected to profiling", "hat Profiling widersprochen"),
    "objected_general": ("objected to the processing", "hat der Verarbeitung widersprochen"),
    "no_purpose": ("no purpose is named", "es ist kein Zweck genannt"),
    "unknown_purpose": ("the purpose is not declared", "der Zweck ist nicht erklärt"),
    "not_bound": ("the destination is not meant for this purpose", "das Ziel ist für diesen Zweck nicht vorgesehen"),
    "wrong_channel": ("the purpose does not use this channel", "der Zweck nutzt diesen Kanal nicht"),
    "no_lia": ("legitimate interest without a balancing test", "berechtigtes Interesse ohne Abwägung"),
    "ads_basis": ("advertising networks need consent", "Werbenetze brauchen eine Einwilligung"),
    "no_point": ("no contact point for this channel", "kein Kontaktpunkt für diesen Kanal"),
    "malformed": ("the contact point is malformed", "der Kontaktpunkt ist fehlerhaft"),
    "unknown": ("nothing is on record", "es ist nichts vermerkt"),
    "pending": ("not confirmed yet", "noch nicht bestätigt"),
    "lapsed": ("never confirmed in time", "nicht rechtzeitig bestätigt"),
    "denied": ("said no", "hat abgelehnt"),
    "withdrawn": ("withdrew the consent", "hat die Einwilligung widerrufen"),
    "tcf_malformed": ("the TC string is malformed", "der TC-String ist fehlerhaft"),
    "tcf_denied": ("the TC string does not allow it", "der TC-String erlaubt es nicht"),
    "basis": ("consent was recorded for another legal basis", "auf anderer Rechtsgrundlage vermerkt"),
    "soft_opt_in": (
        "facts of the existing-customer exception are missing",
        "Angaben zur Bestandskunden-Ausnahme fehlen",
    ),
    "expired": ("the consent has expired", "die Einwilligung ist abgelaufen"),
    "stale": ("the consent was not used for too long", "die Einwilligung wurde zu lange nicht genutzt"),
    "notice_old": ("given to an older notice", "zu einem älteren Hinweistext erteilt"),
    "unproven": ("there is no proof of the consent", "es gibt keinen Nachweis der Einwilligung"),
    "signals": ("a consent signal is not granted", "ein Consent-Signal ist nicht erteilt"),
    "recipient": ("the consent names other recipients", "die Einwilligung nennt andere Empfänger"),
    "transfer": ("goes to a third country without a basis", "geht ohne Grundlage in ein Drittland"),
    "merged": ("another contact point of the person is denied", "ein anderer Kontaktpunkt der Person ist abgelehnt"),
}
"""Code → English, German."""


def reason_words(code: str | None, language: Language) -> str:
    """A reason in words; empty without one."""
    if code is None:
        return ""
    english, german = REASONS[code]
    return german if language == "de" else english


def answer_words(decision: Decision, language: Language) -> str:
    """``allowed`` or ``denied`` in the language."""
    if language == "de":
        return "erlaubt" if decision.is_allowed else "nicht erlaubt"
    return "allowed" if decision.is_allowed else "denied"
