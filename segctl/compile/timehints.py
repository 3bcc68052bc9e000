"""What was probably meant by a time word that is not quite one: German, abbreviations, other notations."""

from __future__ import annotations

import re
from datetime import date

_UNITS = {
    "seconds": ("s", "sec", "secs", "sek", "sekunde", "sekunden"),
    "minutes": ("min", "mins", "minute", "minuten"),
    "hours": ("h", "hr", "hrs", "std", "stunde", "stunden"),
    "days": ("d", "tag", "tage", "tagen"),
    "weeks": ("w", "wk", "woche", "wochen"),
    "months": ("mo", "mon", "monat", "monate", "monaten", "m"),
    "years": ("y", "yr", "yrs", "jahr", "jahre", "jahren", "j"),
}
_NUMBER_WORDS = {
    **dict.fromkeys(("a", "an", "one", "ein", "eine", "einem", "einer", "einen"), 1),
    **dict.fromkeys(("two", "zwei"), 2),
    **dict.fromkeys(("three", "drei"), 3),
}
_DAYS = {"gestern": "yesterday", "heute": "today", "morgen": "tomorrow", "jetzt": "now", "aktuell": "now"}
_STEPS = {
    "previous": (
        "last",
        "letzter",
        "letzte",
        "letztes",
        "letzten",
        "vorige",
        "voriger",
        "voriges",
        "vorheriger",
        "past",
    ),
    "this": ("dieser", "diese", "dieses", "diesen", "aktuelle", "aktueller", "aktuelles", "current", "laufender"),
    "next": ("nächster", "nächste", "nächstes", "nächsten", "kommende", "kommender", "kommendes"),
}
_PERIOD_UNITS = {
    "day": ("tag",), "week": ("woche", "kw"), "month": ("monat",), "quarter": ("quartal",), "year": ("jahr",),
}  # fmt: skip
_MONTHS = (
    ("january", "januar", "jan", "jänner"), ("february", "februar", "feb"), ("march", "märz", "mar", "mrz"),
    ("april", "apr"), ("may", "mai"), ("june", "juni", "jun"), ("july", "juli", "jul"), ("august", "aug"),
    ("september", "sep", "sept"), ("october", "oktober", "oct", "okt"), ("november", "nov"),
    ("december", "dezember", "dec", "dez"),
)  # fmt: skip
_ISO_DURATION = re.compile(r"P(?:(\d+)([YMWD])|T(\d+)([HMS]))", re.IGNORECASE)
_GERMAN_DATE = re.compile(
    r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?:[ ,T]+(\d{1,2}):(\d{2})(?::(\d{2}))?(?: *uhr)?)?", re.IGNORECASE
)
_OTHER_DATE = re.compile(r"(\d{4})[/.](\d{1,2})[/.](\d{1,2})|(\d{4})(\d{2})(\d{2})|(\d{4})-(\d{1,2})-(\d{1,2})")


def duration(text: str) -> str | None:
    """The duration that was probably meant, such as ``7 days`` for ``7 Tage``, ``7d`` or ``P7D``."""
    if iso := _ISO_DURATION.fullmatch(text):
        letters = {"Y": "years", "M": "months" if iso[2] else "minutes", "W": "weeks", "D": "days"}
        letters |= {"H": "hours", "S": "seconds"}
        return _counted(iso[1] or iso[3], letters[(iso[2] or iso[4]).upper()])
    found = re.fullmatch(
        r"(\d[\d.,]*(?=[\s\w-])|[^\W\d]+(?=\s))?\s*-?(calendar\s+|kalender)?\s*([^\W\d]+)\.?", text.lower().strip()
    )
    if found is None:
        return None
    amount, calendar, word = found.groups()
    unit, factor = _unit(word)
    if unit is None:
        return None
    return _scaled("1" if amount is None else amount, factor, unit, "calendar " if calendar else "")


def time_point(text: str) -> str | None:
    """The time that was probably meant: ``2026-11-01`` for ``01.11.2026``, ``2 hours ago`` for ``vor 2 Stunden``."""
    lowered = " ".join(text.lower().split())
    if lowered in _DAYS or lowered in ("now", "today", "yesterday", "tomorrow"):
        return _DAYS.get(lowered, lowered)
    if lowered == "vorgestern":
        return "2 days ago"
    if lowered == "übermorgen":
        return "in 2 days"
    if past := re.fullmatch(r"(?:vor (.+)|(.+?) ?(?:ago|before|earlier|her))", lowered):
        return _suffixed("{} ago", past[1] or past[2])
    if future := re.fullmatch(r"in (.+)|(.+) from now", lowered):
        return _suffixed("in {}", future[1] or future[2])
    return _absolute(text) or _suffixed("{} ago", lowered)


def period(text: str) -> str | None:
    """The period that was probably meant: ``2026-W47`` for ``KW 47``, ``previous month`` for ``letzter Monat``."""
    lowered = " ".join(text.lower().split())
    if lowered in _DAYS and lowered not in ("jetzt", "aktuell"):
        return _DAYS[lowered]
    if week := re.fullmatch(r"(?:kw|cw|week|woche|w) ?(\d{1,2})(?:[ /.-]*(\d{4}))?", lowered):
        return f"{week[2] or '2026'}-W{int(week[1]):02}"
    if week := re.fullmatch(r"(\d{4})[ /-]*(?:kw|cw|w) ?-?(\d{1,2})", lowered):
        return f"{week[1]}-W{int(week[2]):02}"
    if quarter := re.fullmatch(r"(?:q ?([1-4])|([1-4])\. ?quartal)(?:[ /.-]*(\d{4}))?", lowered):
        return f"{quarter[3] or '2026'}-Q{quarter[1] or quarter[2]}"
    if quarter := re.fullmatch(r"(\d{4})[ /-]*q ?([1-4])", lowered):
        return f"{quarter[1]}-Q{quarter[2]}"
    return _month(lowered) or _step(lowered) or _absolute(text)


def _unit(word: str) -> tuple[str | None, int]:
    if word in ("quarter", "quarters", "quartal", "quartale", "quartalen"):
        return "months", 3
    for unit, words in _UNITS.items():
        if word in words or word in (unit, unit[:-1]):
            return unit, 1
    return None, 1


def _scaled(amount: str, factor: int, unit: str, calendar: str) -> str | None:
    if amount in _NUMBER_WORDS:
        return _counted(str(_NUMBER_WORDS[amount] * factor), unit, calendar)
    if amount.isdigit():
        return _counted(str(int(amount[:20]) * factor), unit, calendar)
    smaller = {"minutes": ("seconds", 60), "hours": ("minutes", 60), "days": ("hours", 24), "weeks": ("days", 7),
               "years": ("months", 12)}  # fmt: skip
    if not re.fullmatch(r"\d{1,9}[.,]\d{1,6}", amount) or unit not in smaller:
        return None
    whole = float(amount.replace(",", ".")) * smaller[unit][1] * factor
    return _counted(str(int(whole)), smaller[unit][0]) if whole.is_integer() else None


def _counted(amount: str, unit: str, calendar: str = "") -> str:
    return f"{int(amount)} {calendar}{unit[:-1] if int(amount) == 1 else unit}"


def _suffixed(form: str, inner: str) -> str | None:
    mended = duration(inner)
    return None if mended is None else form.format(mended.replace("calendar ", ""))


def _absolute(text: str) -> str | None:
    if german := _GERMAN_DATE.fullmatch(text.strip()):
        day, month, year, hour, minute, second = german.groups()
        clock = f" {int(hour):02}:{minute}" + (f":{second}" if second else "") if hour else ""
        return _checked(year, month, day, clock)
    if other := _OTHER_DATE.fullmatch(text.strip()):
        year, month, day = (part for part in other.groups() if part is not None)
        return _checked(year, month, day, "")
    return None


def _checked(year: str, month: str, day: str, clock: str) -> str | None:
    try:
        return f"{date(int(year), int(month), int(day)).isoformat()}{clock}"
    except ValueError:
        return None


def _month(lowered: str) -> str | None:
    if found := re.fullmatch(r"(\d{1,2})[./](\d{4})|(\d{4})[./](\d{1,2})", lowered):
        year, number = found[2] or found[3], int(found[1] or found[4])
        return f"{year}-{number:02}" if 1 <= number <= 12 else None
    if found := re.fullmatch(r"([^\W\d]+)\.?(?: (\d{4}))?", lowered):
        for number, names in enumerate(_MONTHS, start=1):
            if found[1] in names:
                return f"{found[2] or '2026'}-{number:02}"
    return None


def _step(lowered: str) -> str | None:
    words = lowered.split()
    if len(words) != 2:
        return None
    step = next((name for name, known in _STEPS.items() if words[0] in known or words[0] == name), None)
    unit = next((name for name, known in _PERIOD_UNITS.items() if words[1] in known or words[1] == name), None)
    return f"{step} {unit}" if step and unit else None
