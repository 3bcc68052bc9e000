"""What a check of health says, in English and German: the reason, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segctl.operations.reason_words import reason_words

if TYPE_CHECKING:
    from segctl.model.project import Language

_WORDS: dict[str, tuple[tuple[str, str], tuple[str, str]]] = {
    "failed": (("failed: {reason}", "gescheitert: {reason}"), ("segctl plan {segment}", "segctl plan {segment}")),
    "stale": (("stale input: {reason}", "veraltet: {reason}"), ("segctl ingest", "segctl ingest")),
    "marked": (("stale input: {reason}", "veraltet: {reason}"), ("segctl ingest", "segctl ingest")),
    "expired": (
        ("expired on {day}", "abgelaufen am {day}"),
        ("delete the file, or set a later day", "Datei löschen oder späteren Tag setzen"),
    ),
    "expiring": (
        ("expires on {day}, in {days} days", "läuft am {day} ab, in {days} Tagen"),
        ("set a later day if it is still needed", "späteren Tag setzen, falls noch gebraucht"),
    ),
    "paused": (("{words}", "angehalten seit {day}: {why}"), ("segctl resume {segment}", "segctl resume {segment}")),
    "status_paused": (
        ("paused in its file", "in der Datei angehalten"),
        ("set `status: active`, or delete it", "`status: active` setzen oder löschen"),
    ),
    "never": (("no run has evaluated it yet", "noch kein Lauf hat es ausgewertet"), ("segctl apply", "segctl apply")),
    "size": (
        ("size {change:+.0%} ({before:,} → {after:,}), usually {usual:+.0%}",
         "Größe {change:+.0%} ({before:,} → {after:,}), sonst {usual:+.0%}"),
        ("segctl diff {segment}", "segctl diff {segment}"),
    ),
    "empty": (("nobody is in since {day}", "leer seit {day}"), ("segctl size {segment}", "segctl size {segment}")),
    "never_true": (
        ("never true: {text}", "trifft nie zu: {text}"),
        ("correct or delete the condition", "Bedingung berichtigen oder löschen"),
    ),
    "always_true": (
        ("always true: {text}", "trifft immer zu: {text}"),
        ("delete the condition", "Bedingung löschen"),
    ),
    "flapping": (
        ("{people:,} came and went 3 times or more in {runs} runs",
         "{people:,} kamen und gingen 3-mal oder öfter in {runs} Läufen"),
        ("widen the window, or add a second bound", "Fenster oder Schwelle weiter fassen"),
    ),
    "volatile": (
        ("{share:.0%} of the members change with a run", "{share:.0%} der Mitglieder wechseln je Lauf"),
        ("segctl history {segment}", "segctl history {segment}"),
    ),
    "quiet": (
        ("nobody has come or gone since {day}", "niemand kam oder ging seit {day}"),
        ("is it still needed? segctl show {segment}", "noch gebraucht? segctl show {segment}"),
    ),
    "well": (("{size:,} members, {runs} runs", "{size:,} Mitglieder, {runs} Läufe"), ("", "")),
    "few": (
        ("{size:,} members, too few runs to judge", "{size:,} Mitglieder, zu wenige Läufe"),
        ("", ""),
    ),
}  # fmt: skip


def said(kind: str, values: dict[str, Any], language: Language) -> tuple[str, str]:
    """Reason and remedy of a finding.

    >>> said("empty", {"day": "2026-11-01", "segment": "vip"}, "en")
    ('nobody is in since 2026-11-01', 'segctl size vip')
    """
    if "reason" in values:
        values = values | {"reason": reason_words(str(values["reason"]), language)}
    reason, action = (pair[language == "de"].format(**values) for pair in _WORDS[kind])
    return reason, action
