"""Numbers, money and dates beside what Babel 2.18 (Unicode CLDR 47) writes."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from segctl.content import formats


@pytest.mark.parametrize(
    ("language", "money", "negative", "large", "day"),
    [
        ("de", "3,99\u00a0€", "-1.234,50\u00a0€", "1.234.567,891", "5. März 2026"),
        ("de-at", "€\u00a03,99", "-€\u00a01.234,50", "1.234.567,891", "5. März 2026"),
        ("de-ch", "EUR\u00a03.99", "EUR-1’234.50", "1’234’567.891", "5. März 2026"),
        ("en", "€3.99", "-€1,234.50", "1,234,567.891", "March 5, 2026"),
        ("en-gb", "€3.99", "-€1,234.50", "1,234,567.891", "5 March 2026"),
        ("fr", "3,99\u00a0€", "-1\u202f234,50\u00a0€", "1\u202f234\u202f567,891", "5 mars 2026"),
        ("it", "3,99\u00a0€", "-1.234,50\u00a0€", "1.234.567,891", "5 marzo 2026"),
        ("nl", "€\u00a03,99", "€\u00a0-1.234,50", "1.234.567,891", "5 maart 2026"),
        ("es", "3,99\u00a0€", "-12.345,00\u00a0€", "1.234.567,891", "5 de marzo de 2026"),
    ],
)
def test_amounts_and_days_are_babels(language: str, money: str, negative: str, large: str, day: str) -> None:
    below = Decimal(-12345) if language == "es" else Decimal("-1234.5")

    assert formats.money(Decimal("3.99"), "EUR", language) == money
    assert formats.money(below, "EUR", language) == negative
    assert formats.number(Decimal("1234567.891"), language) == large
    assert formats.day(date(2026, 3, 5), language, "long", "UTC") == day


@pytest.mark.parametrize(
    ("value", "digits", "expected"),
    [
        ("0.005", 2, "0,01"),
        ("-0.001", 2, "0,00"),
        ("2.5", 0, "3"),
        ("1000", None, "1.000"),
        ("10.50", None, "10,5"),
        ("999.999", 2, "1.000,00"),
        ("0", None, "0"),
    ],
)
def test_numbers_round_away_from_zero_and_never_say_minus_nothing(
    value: str, digits: int | None, expected: str
) -> None:
    assert formats.number(Decimal(value), "de", digits) == expected


def test_every_month_has_a_name_in_every_language() -> None:
    for of in formats.MANNERS.values():
        assert len(set(of.months.split())) == 12


def test_a_day_is_that_of_the_zone() -> None:
    night = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)

    assert formats.day(night, "de", "short", "Europe/Berlin") == "01.01.2027"
    assert formats.day(night, "de", "iso", "UTC") == "2026-12-31"
    assert formats.clock(night, "de", "Europe/Berlin") == "00:30"
    assert formats.clock(night, "en", "Europe/Berlin") == "12:30\u202fAM"
    assert formats.day(date(999, 1, 2), "de", "long", "UTC") == "2. Januar 0999"


def test_unknown_languages_fall_back_to_shorter_tags_and_english() -> None:
    assert formats.manner("de-LI") is formats.MANNERS["de"]
    assert formats.manner("xx") is formats.MANNERS["en"]


def test_currencies_without_cents_have_none() -> None:
    assert formats.money(Decimal(1234), "jpy", "de") == "1.234\u00a0JPY"
