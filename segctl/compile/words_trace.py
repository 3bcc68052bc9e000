"""Answers for one person in words, English and German: values, measures, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from segctl.compile import ir
from segctl.compile.words_consents import column_words
from segctl.model.project import RELATED, Language
from segctl.model.types import Kind, ValueType

_EN = {
    "eq": "needs exactly {}", "ne": "must not be {}", "lt": "needs less than {}", "le": "needs at most {}",
    "gt": "needs more than {}", "ge": "needs at least {}",
    "absent": "{} is missing", "absent_all": "{} are missing", "absent_some": "a value is missing", "is": "{} is {}",
    "missing": "missing", "of": "of", "or": "or", "no_common": "no one value of {} fulfils all",
    "blocked": "step {}: `{}` at {} prevents it", "waiting": "step {}: the time without `{}` has not passed yet",
    "no_step": "step {}: no fitting `{}`", "true": "true", "false": "false", "not": "must not hold",
    "score": "score 1–{} of {}",
    "distance": "distance to {}", "away": "{} from {}", "no_place": "`{}` is no known place",
    "no_places": "there are no places",
    "earlier": "and {} earlier", "all": "all", "any": "any", "at_least": "at least {}", "negation": "not",
    "leaf": "together", "sharing": "profiles with the same {}", "others": "others with the same {}",
}  # fmt: skip
_DE = {
    "eq": "nötig ist genau {}", "ne": "darf nicht {} sein", "lt": "nötig ist weniger als {}",
    "le": "nötig ist höchstens {}", "gt": "nötig ist mehr als {}", "ge": "nötig ist mindestens {}",
    "absent": "{} fehlt", "absent_all": "{} fehlen", "absent_some": "ein Wert fehlt", "is": "{} ist {}",
    "missing": "fehlt", "of": "von", "or": "oder", "no_common": "kein Wert von {} erfüllt alles",
    "blocked": "Schritt {}: `{}` am {} verhindert es", "waiting": "Schritt {}: die Zeit ohne `{}` ist noch nicht um",
    "no_step": "Schritt {}: kein passendes `{}`", "true": "wahr", "false": "falsch", "not": "darf nicht gelten",
    "score": "Note 1–{} von {}",
    "distance": "Entfernung von {}", "away": "{} von {}", "no_place": "`{}` ist kein bekannter Ort",
    "no_places": "es gibt keine Orte",
    "earlier": "und {} frühere", "all": "alle", "any": "mindestens eines", "at_least": "mindestens {}",
    "negation": "nicht", "leaf": "zusammen", "sharing": "Profile mit demselben Wert in {}",
    "others": "andere mit demselben Wert in {}",
}  # fmt: skip
_MEASURES_DE = {
    "count": "Anzahl", "sum": "Summe", "average": "Durchschnitt", "min": "kleinster Wert", "max": "größter Wert",
    "distinct": "verschiedene Werte", "days": "Tage", "weeks": "Wochen", "months": "Monate", "years": "Jahre",
    "share": "Anteil", "first_time": "erster Zeitpunkt", "last_time": "letzter Zeitpunkt",
    "first_value": "erster Wert", "last_value": "letzter Wert", "most_frequent": "häufigster Wert",
    "gap_average": "mittlerer Abstand", "gap_max": "längster Abstand", "gap_last": "letzter Abstand",
}  # fmt: skip


class TraceWords:
    """The phrases of one language, with times of one zone.

    Args:
        zone: IANA name of the project's zone.
        language: Of the phrases, and of the decimal sign.
    """

    def __init__(self, zone: str, language: Language = "en") -> None:
        self._zone, self.language = zone, language
        self._phrases = _DE if language == "de" else _EN

    def say(self, phrase: str, *parts: object) -> str:
        """A phrase with its parts filled in."""
        return self._phrases[phrase].format(*parts)

    def heading(self, word: str) -> str:
        """The word of a `Branch` that is no condition; conditions under `same` hold together or not at all."""
        if word.startswith("any at_least"):
            return self.say("at_least", word.rpartition(" ")[2])
        return self.say("negation" if word == "not" else word)

    def metric(self, metric: ir.Metric) -> str:
        """``count of order_completed``, ``sum of value of order_completed``."""
        function, of = metric.measure.function, self.say("of")
        measure = _MEASURES_DE[function] if self.language == "de" else function.replace("_", " ")
        measured = f" {of} {dotted(metric.measure.of)}" if metric.measure.of is not None else ""
        return f"{measure}{measured} {of} {self.kinds(metric.kinds)}"

    def colleagues(self, node: ir.Colleagues) -> str:
        """``profiles with the same company``."""
        return self.say("others" if node.others_only else "sharing", dotted(node.shared))

    def score(self, node: ir.Score) -> str:
        """``score 1–5 of days``: what ranks has a name of its own where it is a trait."""
        of = node.of
        while isinstance(of, ir.Real | ir.DaysSince | ir.YearsSince):
            of = of.of
        return self.say("score", node.groups, self.metric(of.metric) if isinstance(of, ir.MetricValue) else dotted(of))

    def named(self, node: ir.Expression) -> str:
        """What a value of the profile is called: a trait by its name, a consent in words."""
        said = column_words(node.name, self.language) if isinstance(node, ir.StoredTrait) else None
        return said or dotted(node)

    def kinds(self, kinds: Sequence[str]) -> str:
        """Event kinds as alternatives; a related table by its name."""
        return f" {self.say('or')} ".join(kind.removeprefix(RELATED) for kind in kinds)

    def absent(self, names: Sequence[str]) -> str:
        """Which values are missing."""
        listed = ", ".join(f"`{name}`" for name in dict.fromkeys(names))
        return (
            self.say("absent" if len(set(names)) == 1 else "absent_all", listed) if names else self.say("absent_some")
        )

    def value(self, value: object, of: ValueType) -> str:
        """A value as people write it; exact numbers are scaled integers, instants aware."""
        if of.scale and isinstance(value, int):
            exact = self.plain(exact_number(value, of))
            return f"{exact} {of.unit}" if of.unit else exact
        shown = self.plain(value)
        has_unit = of.unit and value is not None and not isinstance(value, float | datetime)
        return f"{shown} {of.unit}" if has_unit else shown

    def plain(self, value: object) -> str:
        """A value in its natural form inside a sentence: times in the zone, truth in small letters."""
        match value:
            case None:
                return self.say("missing")
            case bool():
                return self.say("true" if value else "false")
            case datetime():
                return self.moment(value)
            case float():
                return self._decimal(f"{value:.6g}")
            case Decimal():
                return self._decimal(f"{value:f}")
        return str(value)

    def moment(self, at: datetime) -> str:
        """An instant on the clocks of the zone."""
        with suppress(OverflowError):  # the last hours of the year 9999 have no local time
            at = at.astimezone(ZoneInfo(self._zone))
        return at.isoformat(sep=" ", timespec="seconds")

    def _decimal(self, written: str) -> str:
        return written.replace(".", ",") if self.language == "de" else written


def exact_number(value: int, of: ValueType) -> Decimal:
    """The number that a scaled integer stands for; money keeps all its places, a number only those it needs."""
    exact = Decimal(value).scaleb(-of.scale)
    if of.kind is Kind.MONEY:
        return exact
    # `normalize` alone makes 1E+2 of 100.
    return exact.quantize(Decimal(1)) if exact == exact.to_integral_value() else exact.normalize()


def dotted(node: ir.Expression) -> str:
    """The name of what an expression reads: ``address.city``."""
    match node:
        case ir.StructField(of, field, _):
            return f"{dotted(of)}.{field}"
        case ir.StoredTrait(name, _) | ir.EventProperty(name, _):
            return name
        case ir.EventTimePart(part, _):
            return f"time.{part}"
    return "value"
