"""Windows, durations and points in time in words, English and German."""

from __future__ import annotations

from datetime import UTC, datetime

from segctl.model.project import Language
from segctl.model.times import (
    Anniversary,
    Before,
    Between,
    Duration,
    During,
    Instant,
    LocalDay,
    LocalTime,
    NamedPeriod,
    OlderThan,
    Period,
    RelativeDay,
    RelativeTime,
    Since,
    TimePoint,
    TraitTime,
    Window,
    WithinLast,
    WithinNext,
)

# Dative singular and plural, and whether `letzter` takes `im` (True) or `in der`.
_GERMAN = {
    "seconds": ("Sekunde", "Sekunden", False), "minutes": ("Minute", "Minuten", False),
    "hours": ("Stunde", "Stunden", False), "days": ("Tag", "Tagen", True), "weeks": ("Woche", "Wochen", False),
    "months": ("Monat", "Monaten", True), "years": ("Jahr", "Jahren", True),
}  # fmt: skip
_GERMAN_PERIODS = {
    "week": ("Woche", "in der {} Woche"), "month": ("Monat", "im {} Monat"), "quarter": ("Quartal", "im {} Quartal"),
    "year": ("Jahr", "im {} Jahr"),
}  # fmt: skip
_DAYS = {"en": {-1: "yesterday", 0: "today", 1: "tomorrow"}, "de": {-1: "gestern", 0: "heute", 1: "morgen"}}


def window_words(window: Window, language: Language) -> str:
    """A window such as ``in the last 7 days`` or ``in den letzten 7 Tagen``."""
    german = language == "de"
    match window:
        case WithinLast(duration):
            return _near(duration, "letzten", language) if german else f"in the last {_plain(duration)}"
        case WithinNext(duration):
            return _near(duration, "nächsten", language) if german else f"in the next {_plain(duration)}"
        case OlderThan(duration) if duration.calendar:
            near = _near(duration, "letzten", language).removeprefix("in ").replace("im ", "dem ")
            return f"vor {near}" if german else f"before the last {_plain(duration)}"
        case OlderThan(duration):
            return f"vor mindestens {length_words(duration, language)}" if german else f"at least {duration} ago"
        case Between(start, end):
            first, last = point_words(start, language), point_words(end, language)
            return f"zwischen {first} und {last}" if german else f"between {first} and {last}"
        case Since(start):
            return f"{'seit' if german else 'since'} {point_words(start, language)}"
        case Before(end):
            return f"{'früher als' if german else 'before'} {point_words(end, language)}"
        case During(period):
            return _period(period, language)
        case Anniversary(duration, direction):
            inner = WithinNext(duration) if direction == "within_next" else WithinLast(duration)
            return f"{'Jahrestag' if german else 'anniversary'} {window_words(inner, language)}"


def length_words(duration: Duration, language: Language) -> str:
    """A duration; German in the dative, as after `von` and `vor`."""
    if language == "en":
        return str(duration)
    one, many, _ = _GERMAN[duration.unit]
    word = one if duration.amount == 1 else many
    return f"{duration.amount} {'Kalender' + word.lower() if duration.calendar else word}"


def point_words(point: TimePoint, language: Language) -> str:
    """A point in time; moments with their zone."""
    match point:
        case Instant(at):
            return moment_words(at)
        case LocalTime(at):
            return at.isoformat(" ", "minutes" if not (at.second or at.microsecond) else "auto")
        case LocalDay(day):
            return day.isoformat()
        case RelativeDay(offset):
            return _DAYS[language][offset]
        case TraitTime(trait):
            return trait
        case RelativeTime(duration, sign):
            if duration is None:
                return "jetzt" if language == "de" else "now"
            if language == "de":
                return f"{'in' if sign > 0 else 'vor'} {length_words(duration, language)}"
            return f"in {duration}" if sign > 0 else f"{duration} ago"


def moment_words(at: datetime) -> str:
    """An instant in UTC, to the minute where it is one."""
    utc = at.astimezone(UTC).replace(tzinfo=None)
    return f"{utc.isoformat(' ', 'minutes' if not (utc.second or utc.microsecond) else 'auto')} UTC"


def _plain(duration: Duration) -> str:
    """``7 days``, but ``day`` for one."""
    return str(duration).removeprefix("1 ") if duration.amount == 1 else str(duration)


def _near(duration: Duration, side: str, language: Language) -> str:
    if duration.amount > 1:
        return f"in den {side} {length_words(duration, language)}"
    word = length_words(duration, language).removeprefix("1 ")
    return f"{'im' if _GERMAN[duration.unit][2] else 'in der'} {side} {word}"


def _period(period: Period, language: Language) -> str:
    if isinstance(period, NamedPeriod):
        return (
            f"in {_named(period)}" if period.unit != "day" else f"{'am' if language == 'de' else 'on'} {_named(period)}"
        )
    if period.unit == "day":
        return _DAYS[language][period.offset]
    if language == "en":
        return f"in {('the previous', 'this', 'the next')[period.offset + 1]} {period.unit}"
    _, form = _GERMAN_PERIODS[period.unit]
    if period.offset == 0:
        return f"in {'dieser' if form.startswith('in der') else 'diesem'} {_GERMAN_PERIODS[period.unit][0]}"
    return form.format("vorigen" if period.offset < 0 else "nächsten")


def _named(period: NamedPeriod) -> str:
    day = period.first_day
    match period.unit:
        case "week":
            year, week, _ = day.isocalendar()
            return f"{year:04}-W{week:02}"
        case "month":
            return f"{day.year:04}-{day.month:02}"
        case "quarter":
            return f"{day.year:04}-Q{(day.month + 2) // 3}"
        case "year":
            return f"{day.year:04}"
        case _:
            return day.isoformat()
