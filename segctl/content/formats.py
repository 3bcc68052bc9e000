"""Numbers, money and dates as people of a language write them: after Unicode CLDR, where it is unambiguous."""

from __future__ import annotations

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from segctl.model.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Manner:
    """How one language writes.

    Attributes:
        group: Between thousands.
        decimal: Before the digits after the point.
        money: Pattern of an amount, with ``n`` and ``c``.
        long: Pattern of a date with ``d``, ``m`` (name) and ``y``.
        short: Pattern for `strftime`.
        months: January first.
        true: What a yes is called.
        false: What a no is called.
        least_grouped: Digits before the point from which on thousands are parted.
        negative: Pattern of a negative amount; None puts the sign before everything.
    """

    group: str
    decimal: str
    money: str
    long: str
    short: str
    months: str
    true: str
    false: str
    least_grouped: int = 4
    negative: str | None = None


_NB, _THIN = "\u00a0", "\u202f"
_GERMAN = "Januar Februar März April Mai Juni Juli August September Oktober November Dezember"
MANNERS: dict[str, Manner] = {
    "de": Manner(".", ",", f"n{_NB}c", "d. m y", "%d.%m.%Y", _GERMAN, "ja", "nein"),
    "de-at": Manner(".", ",", f"c{_NB}n", "d. m y", "%d.%m.%Y", _GERMAN.replace("Januar", "Jänner"), "ja", "nein"),
    "de-ch": Manner("’", ".", f"c{_NB}n", "d. m y", "%d.%m.%Y", _GERMAN, "ja", "nein", negative="c-n"),
    "en": Manner(
        ",", ".", "cn", "m d, y", "%m/%d/%Y",
        "January February March April May June July August September October November December", "yes", "no",
    ),
    "en-gb": Manner(
        ",", ".", "cn", "d m y", "%d/%m/%Y",
        "January February March April May June July August September October November December", "yes", "no",
    ),
    "fr": Manner(
        _THIN, ",", f"n{_NB}c", "d m y", "%d/%m/%Y",
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre", "oui", "non",
    ),
    "it": Manner(
        ".", ",", f"n{_NB}c", "d m y", "%d/%m/%Y",
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre", "sì", "no",
    ),
    "es": Manner(
        ".", ",", f"n{_NB}c", "d de m de y", "%d/%m/%Y",
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre", "sí", "no", 5,
    ),
    "nl": Manner(
        ".", ",", f"c{_NB}n", "d m y", "%d-%m-%Y",
        "januari februari maart april mei juni juli augustus september oktober november december", "ja", "nee",
        negative=f"c{_NB}-n",
    ),
}  # fmt: skip
_SIGNS = {"EUR": "€", "USD": "$", "GBP": "£"}
_WHOLE = frozenset({"JPY", "KRW", "HUF", "ISK", "CLP", "VND"})


def manner(language: str) -> Manner:
    """Of a language tag, of its shorter forms, otherwise of English."""
    parts = language.lower().split("-")
    tags = ("-".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((MANNERS[tag] for tag in tags if tag in MANNERS), MANNERS["en"])


def number(value: Decimal | float, language: str, digits: int | None = None) -> str:
    """A number; with `digits` after the point, rounded half away from zero, or all it has.

    >>> number(Decimal("1234.5"), "de", 2)
    '1.234,50'
    """
    exact = value if isinstance(value, Decimal) else Decimal(repr(value) if isinstance(value, float) else value)
    if not exact.is_finite():
        return str(exact)
    of = manner(language)
    if digits is not None:
        exact = exact.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    text = f"{abs(exact):f}"
    whole, _, part = text.partition(".")
    part = part if digits is not None else part.rstrip("0")
    if len(whole) >= of.least_grouped:
        head = len(whole) % 3
        groups = [whole[:head]] * bool(head) + [whole[at : at + 3] for at in range(head, len(whole), 3)]
        whole = of.group.join(groups)
    sign = "-" if exact.is_signed() and any(digit in "123456789" for digit in whole + part) else ""
    return f"{sign}{whole}{of.decimal + part if part else ''}"


def money(value: Decimal | float, currency: str, language: str, digits: int | None = None) -> str:
    """An amount with its currency.

    >>> money(Decimal("1234.5"), "EUR", "en")
    '€1,234.50'
    """
    currency = currency.strip().upper()
    places = digits if digits is not None else 0 if currency in _WHOLE else 2
    text, sign = number(value, language, places), _SIGNS.get(currency, currency)
    if currency == "EUR" and language.lower().startswith("de-ch"):
        sign = currency
    of = manner(language)
    pattern = of.money
    if pattern == "cn" and sign.isalpha():
        pattern = f"c{_NB}n"
    if text.startswith("-"):
        pattern, text = of.negative or f"-{pattern}", text.removeprefix("-")
    return pattern.replace("n", text).replace("c", sign)


def day(value: date, language: str, style: str, zone: str) -> str:
    """A date, or the day of an instant in the zone: ``long`` (5. März 2026), ``short`` (05.03.2026), ``iso``.

    Raises:
        ValueError: Another style.
    """
    if isinstance(value, datetime):
        value = (value.astimezone(ZoneInfo(zone)) if value.tzinfo is not None else value).date()
    of = manner(language)
    if style == "iso":
        return value.isoformat()
    if style == "short":
        written: str = value.strftime(of.short)
        return written
    if style != "long":
        raise ValueError(f"`{style}` is no style of a date; there is long, short and iso")
    names = {"d": str(value.day), "m": of.months.split()[value.month - 1], "y": f"{value.year:04}"}
    return " ".join(
        "".join(names.get(sign, sign) for sign in word) if len(word) < 3 and word != "de" else word
        for word in of.long.split(" ")
    )


def clock(value: datetime, language: str, zone: str) -> str:
    """Hour and minute of an instant in the zone: 14:05, in English 2:05 PM."""
    local = value.astimezone(ZoneInfo(zone)) if value.tzinfo is not None else value
    if manner(language) is MANNERS["en"]:
        return f"{local.hour % 12 or 12}:{local.minute:02}\u202f{'AM' if local.hour < 12 else 'PM'}"
    return f"{local.hour:02}:{local.minute:02}"
