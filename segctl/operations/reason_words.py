"""Why a run kept a segment as it was, in German: runs record these sentences in English."""

from __future__ import annotations

import re
from collections.abc import Iterator

from segctl.model.project import Language

_UNITS = {
    "second": "Sekunde", "minute": "Minute", "hour": "Stunde", "day": "Tag", "week": "Woche", "month": "Monat",
    "year": "Jahr",
}  # fmt: skip
_KINDS = {"event": "das Ereignis", "source": "die Quelle", "related table": "die Tabelle"}
_OF = {"event": "des Ereignisses", "source": "der Quelle", "related table": "der Tabelle"}
_INPUT = r"the (?P<kind>event|source|related table) (?P<name>`[^`]*`)"
_SEGMENT = r"(?P<segment>`[^`]*`)"
_PART = r"(?P<part>\S+) of (?P<all>\S+) members \((?P<share>[^)]*)\), limit (?P<most>.+)"
_SENTENCES = (
    (rf"(?P<segment>`[^`]*`) asks for {_INPUT} of the last (?P<limit>[^,]+), and nothing of it is known",
     "{segment} verlangt {kind} {name} aus der Zeit von höchstens {limit}, und davon ist nichts bekannt"),
    (rf"{_INPUT} is (?P<age>[^()]+) old \(newest (?P<when>[^)]*)\), and {_SEGMENT} asks for at most (?P<limit>.+)",
     "der Stand {of} {name} ist {age} alt (neuester {when}), und {segment} verlangt höchstens {limit}"),
    (rf"{_SEGMENT} would remove {_PART}",
     "{segment} verlöre {part} von {all} Mitgliedern ({share}), Grenze {most}"),
    (rf"{_SEGMENT} would add {_PART}",
     "{segment} bekäme {part} zu {all} Mitgliedern dazu ({share}), Grenze {most}"),
    (r"(?P<segment>`[^`]*`) would have (?P<part>\S+) members, at least (?P<most>\S+) are asked for",
     "{segment} hätte {part} Mitglieder, mindestens {most} sind verlangt"),
    (r"(?P<segment>`[^`]*`) would have (?P<part>\S+) members, at most (?P<most>\S+) are allowed",
     "{segment} hätte {part} Mitglieder, höchstens {most} sind erlaubt"),
    (r"it refers to (?P<segment>`[^`]*`), whose guard refuses the change",
     "es beruht auf {segment}, dessen Grenze die Änderung zurückhält"),
    (r"it refers to (?P<segment>`[^`]*`), which failed", "es beruht auf {segment}, und das ist gescheitert"),
    (r"a value that must not be missing is missing for 1 profile",
     "ein Wert, der nicht fehlen darf, fehlt bei 1 Profil"),
    (r"a value that must not be missing is missing for (?P<part>\d+) profiles",
     "ein Wert, der nicht fehlen darf, fehlt bei {part} Profilen"),
)  # fmt: skip
_COUNTED = frozenset({"part", "all", "share", "most"})


def reason_words(reason: str, language: Language) -> str:
    """A recorded reason in a language; sentences that are none of ours stay as they are.

    >>> reason_words("it refers to `vip`, which failed; `a` would have 3 members, at most 2 are allowed", "de")
    'es beruht auf `vip`, und das ist gescheitert; `a` hätte 3 Mitglieder, höchstens 2 sind erlaubt'
    """
    return reason if language == "en" else "; ".join(_german(one) for one in reason.split("; "))


def _german(sentence: str) -> str:
    for pattern, words in _SENTENCES:
        found = re.fullmatch(pattern, sentence)
        if found is not None:
            return words.format(**dict(_parts(found)))
    return sentence


def _parts(found: re.Match[str]) -> Iterator[tuple[str, str]]:
    for key, text in found.groupdict().items():
        if key == "kind":
            yield from (("kind", _KINDS[text]), ("of", _OF[text]))
        elif key in ("limit", "age"):
            yield key, _length(text, dative=key == "limit" and "nothing of it" in found[0])
        else:
            yield key, text.translate(str.maketrans(",.", ".,")) if key in _COUNTED else text


def _length(text: str, *, dative: bool) -> str:
    number, _, unit = text.partition(" ")
    word = _UNITS.get(unit.removesuffix("s"))
    if word is None:
        return text
    if number == "1":
        return f"1 {word}"
    plural = f"{word}n" if word.endswith("e") else f"{word}e"
    return f"{number} {plural}{'n' if dative and plural.endswith('e') else ''}"
