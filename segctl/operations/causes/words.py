"""Why a profile entered or left a segment, in one compact form: made here, read here, said here in two languages.

A change keeps its cause as one line of text that begins with the word of its kind, such as
``trait tier: silver → gold (crm)`` or ``event order_completed 2026-11-20T10:00:00Z (shop #A17)``. `kind_of` gives the
machine word of a line, `say` the line for people.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from segctl.compile.prune import leaves
from segctl.compile.words import describe
from segctl.compile.words_consents import german_consent

if TYPE_CHECKING:
    from segctl.model.project import Language
    from segctl.operations.session import Session

KINDS: Final[dict[str, tuple[str, str]]] = {
    "first_run": ("first run", "erster Lauf"),
    "definition_new": ("definition new", "neue Definition"),
    "definition_changed": ("definition changed", "Definition geändert"),
    "definition_removed": ("definition removed", "Definition entfernt"),
    "expired": ("expired", "abgelaufen"),
    "list_changed": ("list changed", "Liste geändert"),
    "zone_changed": ("zone data changed", "Zonendaten geändert"),
    "tool_changed": ("tool changed", "Programm geändert"),
    "merge": ("merged", "zusammengeführt"),
    "unmerge": ("separated", "getrennt"),
    "consent": ("consent", "Einwilligung"),
    "profile_new": ("profile new", "neues Profil"),
    "profile_gone": ("profile gone", "Profil entfallen"),
    "late_event": ("late event", "verspätetes Ereignis"),
    "event_replaced": ("event replaced", "Ereignis berichtigt"),
    "event_removed": ("event removed", "Ereignis entfernt"),
    "row_gone": ("row gone", "Zeile verschwunden"),
    "trait_changed": ("trait", "Merkmal"),
    "related_changed": ("related rows changed", "verbundene Zeilen geändert"),
    "event_arrived": ("event", "Ereignis"),
    "segment_changed": ("segment", "Segment"),
    "others_moved": ("displaced by others", "von anderen verdrängt"),
    "others_around": ("others moved", "andere haben sich bewegt"),
    "colleagues_changed": ("colleagues changed", "Kollegen geändert"),
    "time_passed": ("time passed", "Zeit vergangen"),
    "unexplained": ("unexplained", "ungeklärt"),
}
"""Machine word → the words a line begins with, and those in German; in the order in which they are looked for."""

_BEGINNINGS = sorted(((words, kind) for kind, (words, _) in KINDS.items()), key=lambda pair: -len(pair[0]))
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")
_LONGEST = 60
_GERMAN = (
    (re.compile(r"^merged into "), "zusammengeführt in "),
    (re.compile(r"^merged with (\d[\d,]*) profiles"), r"zusammengeführt mit \1 Profilen"),
    (re.compile(r"^merged with "), "zusammengeführt mit "),
    (re.compile(r"^separated from (\d[\d,]*) profiles"), r"getrennt von \1 Profilen"),
    (re.compile(r"^separated from "), "getrennt von "),
    (re.compile(r"^(trait \S+) changed( \(|$)"), r"\1 geändert\2"),
    (re.compile(r"^(trait \S+): nothing → "), r"\1: nichts → "),
    (re.compile(r" → nothing( \(|$)"), r" → nichts\1"),
    (re.compile(r" and (\d+) more$"), r" und \1 weitere"),
)


def cause(kind: str, detail: str = "", origin: str = "") -> str:
    """The line of a cause.

    >>> cause("late_event", "order_completed 2026-11-20T10:00:00Z", "shop #A17")
    'late event: order_completed 2026-11-20T10:00:00Z (shop #A17)'
    >>> cause("trait_changed", "tier: silver → gold", "crm")
    'trait tier: silver → gold (crm)'
    """
    words = KINDS[kind][0]
    between = " " if words in ("trait", "event", "segment", "consent") else ": "
    line = f"{words}{between}{detail}" if detail else words
    return f"{line} ({origin})" if origin else line


def kind_of(line: str | None) -> str | None:
    """The machine word of a cause; None for none.

    >>> kind_of("trait tier: silver → gold (crm)"), kind_of("merged with p7 (i3)"), kind_of(None)
    ('trait_changed', 'merge', None)
    """
    if not line:
        return None
    for words, kind in _BEGINNINGS:
        if line == words or (line.startswith(words) and line[len(words)] in " :("):
            return kind
    return "unexplained"


def say(line: str | None, *, zone: str = "UTC", language: Language = "en", said: Mapping[str, str] = {}) -> str | None:
    """A cause for people: instants in the project's zone, and in German where that is asked for.

    Args:
        line: As it is kept.
        zone: The project's.
        language: Of the words.
        said: Conditions in that language, by their English words.
    """
    kind = kind_of(line)
    if line is None or kind is None:
        return line
    line = _INSTANT.sub(lambda found: _local(found.group(), zone), line)
    if language == "en":
        return line
    if kind == "consent":
        return german_consent(line)
    for pattern, words in _GERMAN:
        line = pattern.sub(words, line)
    english, german = KINDS[kind]
    for text, translated in sorted(said.items(), key=lambda pair: -len(pair[0])):
        if text and text in line:
            line = line.replace(text, translated)
            break
    return german + line[len(english) :] if line.startswith(english) else line


def translated(session: Session, segment: str, language: Language) -> dict[str, str]:
    """The words of today's conditions by what runs record, which is English whatever the project speaks."""
    definition = session.definitions.segments.get(segment)
    if definition is None or language == "en":
        return {}
    return {describe(leaf): describe(leaf, language) for leaf in leaves(definition.where)}


def kind_words(kind: str, language: Language = "en") -> str:
    """A kind for people, as in "380 event arrived, 32 time passed".

    >>> kind_words("event_arrived"), kind_words("time_passed", "de")
    ('event arrived', 'Zeit vergangen')
    """
    special = {
        "trait_changed": ("trait changed", "Merkmal geändert"),
        "event_arrived": ("event arrived", "Ereignis eingetroffen"),
        "segment_changed": ("segment changed", "Segment geändert"),
        "consent": ("consent changed", "Einwilligung geändert"),
    }
    return special.get(kind, KINDS[kind])[1 if language == "de" else 0]


def moment(at: datetime) -> str:
    """An instant as causes keep it: UTC, whole seconds.

    >>> moment(datetime(2026, 11, 20, 10, 0, 0, 5, UTC))
    '2026-11-20T10:00:00Z'
    """
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def plain(value: object) -> str:
    """A value in a cause: one short line without control characters; `nothing` for a missing one."""
    if value is None:
        return "nothing"
    text = "".join(c if c.isprintable() else " " for c in str(value))
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _local(text: str, zone: str) -> str:
    at = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    try:
        return at.astimezone(ZoneInfo(zone)).isoformat(sep=" ", timespec="seconds")
    except OverflowError:
        return text
