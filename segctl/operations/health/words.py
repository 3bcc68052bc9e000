"""What a check of health says, in English and German: the reason, and what to do."""

from __future__ import annotations

import re
from datetime import date
from itertools import combinations
from string import Formatter
from typing import TYPE_CHECKING, Any

from segctl.operations.reason_words import reason_words

if TYPE_CHECKING:
    from collections.abc import Mapping

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
         "{people:,} Personen kamen und gingen 3-mal oder öfter in {runs} Läufen"),
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
    "not_paying": (
        ("{people:,} members buy no more than others of the same stage ({figures})",
         "{people:,} Mitglieder kaufen nicht mehr als andere derselben Phase ({figures})"),
        ("narrow it, or measure it with a control group", "enger fassen oder mit Kontrollgruppe messen"),
    ),
    "like_everybody": (
        ("{share:.0%} of everybody, and members buy like the others ({figures})",
         "{share:.0%} aller Personen, und sie kaufen wie die anderen ({figures})"),
        ("narrow it", "enger fassen"),
    ),
    "too_broad": (
        ("{share:.0%} of everybody are members", "{share:.0%} aller Personen sind Mitglied"),
        ("narrow it", "enger fassen"),
    ),
    "too_small": (
        ("{size:,} members, fewer than {smallest:,} for {runs} runs",
         "{size:,} Mitglieder, seit {runs} Läufen weniger als {smallest:,}"),
        ("widen it, or delete it", "weiter fassen oder löschen"),
    ),
    "dying": (
        ("{before:,} → {after:,} members in {weeks} weeks ({per_week:+.0%} a week)",
         "{before:,} → {after:,} Mitglieder in {weeks} Wochen ({per_week:+.0%} je Woche)"),
        ("widen it, or let it end", "weiter fassen oder enden lassen"),
    ),
    "no_reaction": (
        ("{reacted:,} of {people:,} who were told reacted ({rate:.1%}; others {rate_of_others:.1%})",
         "{reacted:,} von {people:,} Angeschriebenen haben reagiert ({rate:.1%}; andere {rate_of_others:.1%})"),
        ("leave out who never reacts", "wer nie reagiert, herausnehmen"),
    ),
    "displaced": (
        ("{people:,} of {size:,} members go to `{other}` instead ({share:.0%})",
         "{people:,} von {size:,} Mitgliedern gehen stattdessen an `{other}` ({share:.0%})"),
        ("put it before `{other}`, or leave its members out", "vor `{other}` stellen oder dessen Mitglieder ausnehmen"),
    ),
    "same_people": (
        ("tells the same {people:,} people over `{destination}` as `{other}` ({share:.0%} in common)",
         "erreicht über `{destination}` dieselben {people:,} Personen wie `{other}` ({share:.0%} gemeinsam)"),
        ("say in a priority list which comes first", "in einer Prioritätsliste sagen, wer zuerst kommt"),
    ),
    "opposite": (
        ("tells {people:,} people over `{destination}` for `{purpose}`, `{other}` the same for `{other_purpose}`",
         "erreicht {people:,} Personen über `{destination}` für `{purpose}`, `{other}` sie für `{other_purpose}`"),
        ("say in a priority list which comes first", "in einer Prioritätsliste sagen, wer zuerst kommt"),
    ),
    "turns": (
        ("{people:,} people change to `{other}` and back again and again, both at `{destination}`",
         "{people:,} Personen wechseln immer wieder zu `{other}` und zurück, beide bei `{destination}`"),
        ("leave room between the two rules", "zwischen den Regeln Abstand lassen"),
    ),
    "lift_negative": (
        ("`{experiment}` measured {lift:+.0%} ({low:+.0%} to {high:+.0%}) against control",
         "`{experiment}` hat {lift:+.0%} ({low:+.0%} bis {high:+.0%}) gegenüber der Kontrollgruppe gemessen"),
        ("segctl report ab {experiment}", "segctl report ab {experiment}"),
    ),
    "well": (("{size:,} members, {runs} runs", "{size:,} Mitglieder, {runs} Läufe"), ("", "")),
    "few": (
        ("{size:,} members, too few runs to judge", "{size:,} Mitglieder, zu wenige Läufe"),
        ("", ""),
    ),
}  # fmt: skip


_ONE = tuple(
    (re.compile(rf"(?<![\d.,−+])1 {several}\b"), f"1 {one}")
    for several, one in (
        ("members", "member"), ("Mitglieder", "Mitglied"), ("runs", "run"), ("Läufen?", "Lauf"), ("Läufe", "Lauf"),
        ("days", "day"), ("Tagen", "Tag"), ("weeks", "week"), ("Wochen", "Woche"), ("people change", "person changes"),
        ("people", "person"), ("Personen wechseln", "Person wechselt"),
        ("Personen kamen und gingen", "Person kam und ging"), ("Personen", "Person"),
    )
)  # fmt: skip
"""One of them is no plural."""


class _Spoken(Formatter):
    """Numbers and days as a language writes them."""

    def __init__(self, language: Language) -> None:
        self.is_german = language == "de"

    def format_field(self, value: Any, format_spec: str) -> str:  # noqa: ANN401 - whatever a finding has
        """A value in words."""
        if isinstance(value, date):
            return value.strftime("%d.%m.%Y" if self.is_german else "%Y-%m-%d")
        if isinstance(value, str) or not format_spec:
            return str(value)
        text = format(value, format_spec).replace("-", "−").replace("%", " %")
        return text.translate(str.maketrans(",.", ".,")) if self.is_german else text


_PEOPLE = ("people", "size", "before", "after", "reacted", "others")
"""Values that count people."""
_SIZES = ("people", "size", "after")
"""Of these, those that may be all members."""
_RATES = (("rate", "people"), ("rate_of_others", "others"))
"""Shares of people who did something, and of how many people."""
_FIGURES = ("rate", "per_person", "rate_of_others", "per_person_of_others")
"""What members and others did."""


def hidden(values: Mapping[str, Any], least: int, *, size: bool = False, figures: bool = False) -> dict[str, Any]:
    """The values without counts of fewer people than `least`, 0 aside, and without what is reckoned from them.

    Args:
        values: Of a finding.
        least: Counts from here on are told.
        size: How many members there are is hidden elsewhere, so it is here.
        figures: Likewise what members or others did.
    """
    counts = {key: values[key] for key in _PEOPLE if isinstance(values.get(key), int)}
    small = {key for key, people in counts.items() if 0 < people < least}
    # Two counts that differ by few leave these few.
    near = {key for one, other in combinations(counts, 2) if 0 < abs(counts[one] - counts[other]) < least
            for key in (one, other)}  # fmt: skip
    near |= {key for key in _SIZES if size and key in counts}
    shares: set[str] = set()
    if small or near:
        shares = {key for key, value in values.items() if isinstance(value, float)}
    elif figures or _few_did(values, least):
        shares = {key for key in _FIGURES if values.get(key) is not None}
    return dict(values) | dict.fromkeys(shares | near, "–") | dict.fromkeys(small, f"<{least}")


def _few_did(values: Mapping[str, Any], least: int) -> bool:
    """Whether a rate is of few who did something, or of few who did not."""
    for rate, of in _RATES:
        share, people = values.get(rate), values.get(of)
        if share is not None and people is not None:
            did = round(share * people)
            if (share > 0 and did < least) or (share < 1 and people - did < least):
                return True
    return False


def said(kind: str, values: dict[str, Any], language: Language) -> tuple[str, str]:
    """Reason and remedy of a finding.

    >>> said("empty", {"day": "2026-11-01", "segment": "vip"}, "en")
    ('nobody is in since 2026-11-01', 'segctl size vip')
    """
    if "rate_of_others" in values and "per_person" in values:
        values = values | {"figures": _beside(values, language)}
    if "reason" in values:
        values = values | {"reason": reason_words(str(values["reason"]), language)}
    spoken = _Spoken(language)
    reason, action = (spoken.vformat(pair[language == "de"], (), values) for pair in _WORDS[kind])
    for several, one in _ONE:
        reason = several.sub(one, reason)
    return reason, action


def _beside(values: dict[str, Any], language: Language) -> str:
    """Both figures of members and of others, as far as they are declared."""
    against, each = ("gegen", "je Person") if language == "de" else ("against", "each")
    spoken = _Spoken(language).format
    parts = []
    if values["rate"] is not None:
        parts.append(spoken("{:.1%} {} {:.1%}", values["rate"], against, values["rate_of_others"]))
    if values["per_person"] is not None:
        parts.append(
            spoken("{:,.2f} {} {:,.2f} {}", values["per_person"], against, values["per_person_of_others"], each)
        )
    return ", ".join(parts)
