"""Words of the validation page, in English and German."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Decimal

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "title": "Data check",
        "made": "Made {at}",
        "good": "Everything can be taken.",
        "bad": "{n} of {all} sources cannot be taken as they are.",
        "definitions": "The definitions have {n} errors.",
        "summary": "At a glance",
        "source": "Source",
        "rows": "Rows",
        "bad_rows": "Bad rows",
        "share": "Share",
        "limit": "Limit",
        "verdict": "Verdict",
        "rules": "What is wrong, most bad rows first",
        "told": "Only told: these rows are taken",
        "rule": "Where and what is expected",
        "examples": "For example",
        "line": "line {n}",
        "holds": "holds {value}",
        "together": "These go wrong in the same rows, often with one cause",
        "checks": "Checks of all rows together",
        "check": "Check",
        "found": "Found",
        "wanted": "Wanted",
        "last": "Last run",
        "next": "What to do",
        "files": "Files",
        "none": "Nothing is wrong here.",
        "findings": "Findings in the definitions",
        "hidden": "Values are hidden, since they can be personal data; `--show-personal` shows them.",
        "personal": "This page shows values that can be personal data. Keep it accordingly.",
        "do_over": "Nothing of this source would be taken. Mend the file or the contract, or raise `max_bad_rows`.",
        "do_set": "`segctl ingest {s}` sets the bad rows aside, whole and with every reason; the rest is taken.",
        "do_show": "They then lie in quarantine: `segctl quarantine show {s}` lists them.",
        "do_mend": "`segctl quarantine export {s} -o {s}-mend.csv` writes them to a file; mend it in a spreadsheet and "
        "take it with `segctl quarantine replay {s} {s}-mend.csv`.",
        "do_check": "A broken check refuses the source. Mend the data, or give the check `severity: warn`.",
        "do_error": "Look at the file, and at how it came here.",
        "do_bare": "Without a contract only types of columns are checked; `segctl validate infer FILE` proposes one.",
        "ok": "in order",
        "within the limit": "within the limit",
        "too many bad rows": "too many bad rows",
        "a check is broken": "a check is broken",
        "cannot be read": "cannot be read",
        "not judged": "not judged",
        "passed": "in order",
        "broken": "broken",
        "warning": "warning",
        "the row": "the whole row",
        "bar": "{n} of {all} rows",
    },
    "de": {
        "title": "Datenprüfung",
        "made": "Erstellt am {at}",
        "good": "Alles kann übernommen werden.",
        "bad": "{n} von {all} Quellen können so nicht übernommen werden.",
        "definitions": "Die Definitionen haben {n} Fehler.",
        "summary": "Auf einen Blick",
        "source": "Quelle",
        "rows": "Zeilen",
        "bad_rows": "Fehlerhaft",
        "share": "Anteil",
        "limit": "Grenze",
        "verdict": "Urteil",
        "rules": "Was nicht stimmt, häufigste Fehler zuerst",
        "told": "Nur gemeldet: diese Zeilen werden übernommen",
        "rule": "Wo, und was erwartet wird",
        "examples": "Zum Beispiel",
        "line": "Zeile {n}",
        "holds": "dort steht {value}",
        "together": "Diese Fehler stehen in denselben Zeilen und haben oft eine gemeinsame Ursache",
        "checks": "Prüfungen über alle Zeilen",
        "check": "Prüfung",
        "found": "Gefunden",
        "wanted": "Erwartet",
        "last": "Letzter Lauf",
        "next": "Was zu tun ist",
        "files": "Dateien",
        "none": "Hier ist alles in Ordnung.",
        "findings": "Befunde in den Definitionen",
        "hidden": "Werte sind verborgen, denn sie können personenbezogen sein; `--show-personal` zeigt sie.",
        "personal": "Diese Seite zeigt Werte, die personenbezogen sein können. Entsprechend aufbewahren.",
        "do_over": "Von dieser Quelle würde nichts übernommen. Datei oder Vertrag berichtigen oder `max_bad_rows` "
        "erhöhen.",
        "do_set": "`segctl ingest {s}` stellt die fehlerhaften Zeilen vollständig und mit allen Gründen beiseite; der "
        "Rest wird übernommen.",
        "do_show": "Danach liegen sie in der Quarantäne: `segctl quarantine show {s}` listet sie auf.",
        "do_mend": "`segctl quarantine export {s} -o {s}-neu.csv` schreibt sie in eine Datei; in der "
        "Tabellenkalkulation berichtigen und mit `segctl quarantine replay {s} {s}-neu.csv` übernehmen.",
        "do_check": "Eine verletzte Prüfung hält die ganze Quelle auf. Daten berichtigen oder der Prüfung "
        "`severity: warn` geben.",
        "do_error": "Die Datei ansehen, und wie sie hierher kam.",
        "do_bare": "Ohne Vertrag werden nur die Typen der Spalten geprüft: `segctl validate infer DATEI` schlägt einen "
        "vor.",
        "ok": "in Ordnung",
        "within the limit": "im Rahmen",
        "too many bad rows": "zu viele Fehler",
        "a check is broken": "Prüfung verletzt",
        "cannot be read": "nicht lesbar",
        "not judged": "nicht geprüft",
        "passed": "in Ordnung",
        "broken": "verletzt",
        "warning": "Warnung",
        "the row": "die ganze Zeile",
        "bar": "{n} von {all} Zeilen",
    },
}
_GERMAN = tuple(
    (re.compile(pattern, re.DOTALL), german)
    for pattern, german in (
        (r"one of (.*) or (\d+) more", r"eines von \1 oder \2 weiteren"),
        (r"one of (.*)", r"eines von \1"),
        (r"at least (.*) characters", r"mindestens \1 Zeichen"),
        (r"at most (.*) characters", r"höchstens \1 Zeichen"),
        (r"at least (.*) elements", r"mindestens \1 Elemente"),
        (r"at most (.*) elements", r"höchstens \1 Elemente"),
        (r"at least (.*)", r"mindestens \1"),
        (r"at most (.*)", r"höchstens \1"),
        (r"more than (.*)", r"mehr als \1"),
        (r"less than (.*)", r"weniger als \1"),
        (r"a multiple of (.*)", r"ein Vielfaches von \1"),
        (r"text that matches (.*)", r"Text nach dem Muster \1"),
        (r"`(.*)` must be there", r"`\1` muss da sein"),
        (r"no such property", "keine solche Spalte"),
        (r"no element twice", "kein Element zweimal"),
        (r"from (.*) to (.*)", r"von \1 bis \2"),
        (r"a number with at most (\d+) digits after the point", r"eine Zahl mit höchstens \1 Nachkommastellen"),
        (r"an e-mail address without umlauts.*", "eine E-Mail-Adresse ohne Umlaute"),
        (r"an e-mail address", "eine E-Mail-Adresse"),
        (r"a day such as (.*)", r"ein Tag wie \1"),
        (r"an instant such as (.*)", r"ein Zeitpunkt wie \1"),
        (r"a time such as (.*)", r"eine Uhrzeit wie \1"),
        (r"a time as (.*)", r"eine Zeit wie \1"),
        (r"changed by at most (.*)", r"um höchstens \1 verändert"),
        (r"(.*) repeated", r"\1 wiederholt"),
        (r"an identifier", "eine Kennung"),
        (r"a time", "eine Zeit"),
        (r"a day", "ein Tag"),
    )
)
_TYPES = {
    "text": "Text",
    "a whole number": "eine ganze Zahl",
    "a number": "eine Zahl",
    "true or false": "wahr oder falsch",
    "nothing": "nichts",
    "a list": "eine Liste",
    "a record": "ein Datensatz",
}


def said(text: str, language: str) -> str:
    """What is expected, in the page's language; words that have no translation stay as they are.

    >>> said("one of DE, AT", "de"), said("a whole number or nothing", "de"), said("at least 3", "en")
    ('eines von DE, AT', 'eine ganze Zahl oder nichts', 'at least 3')
    """
    if language != "de":
        return text
    if text in _TYPES:
        return _TYPES[text]
    if text == "none repeated":
        return "nichts doppelt"
    if " and " in text and not text.startswith(("one of", "text that")):
        return " und ".join(said(part, language) for part in text.split(" and "))
    for pattern, german in _GERMAN:
        if pattern.fullmatch(text):
            return pattern.sub(german, text, count=1)
    parts = text.split(" or ")
    return " oder ".join(_TYPES[part] for part in parts) if all(part in _TYPES for part in parts) else text


def number(value: int, language: str) -> str:
    """A whole number with its groups."""
    text = f"{value:,}"
    return text.replace(",", ".") if language == "de" else text


def percent(part: int, whole: int, language: str) -> str:
    """A share; what is there is never shown as nothing."""
    if not part or not whole:
        return "0 %" if language == "de" else "0%"
    share = (Decimal(100) * part / whole).quantize(Decimal("0.1"), ROUND_HALF_EVEN)
    text = f"{share}" if share else "<0.1"
    return f"{text.replace('.', ',')} %" if language == "de" else f"{text}%"
