"""Identifiers in one comparable form."""

from __future__ import annotations

import random

import phonenumbers
import polars as pl
import pytest

from segctl.identity.normalise import address_keys, email_keys, is_role, name_keys, text_keys
from segctl.identity.phones import phone_keys


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("Anna@Post.Example", "anna@post.example"),
        (" anna@post.example. ", "anna@post.example"),
        ("mailto:anna@post.example", "anna@post.example"),
        ("An.Na+shop@googlemail.com", "anna@gmail.com"),
        ("an.na+shop@post.example", "an.na+shop@post.example"),
        ("anna+shop@outlook.com", "anna@outlook.com"),
        ("an.na@outlook.com", "an.na@outlook.com"),
        ("anna@müller.example", "anna@müller.example"),
        ("anna@xn--mller-kva.example", "anna@müller.example"),
        ("ANNA@MÜLLER.example", "anna@müller.example"),
        ("anna@mu\u0308ller.example", "anna@müller.example"),
        ("+tag@gmail.com", None),
        ("anna", None),
        ("anna@post", None),
        ("anna@@post.example", None),
        ("anna b@post.example", None),
        ("n/a", None),
        ("", None),
        (None, None),
    ],
)
def test_an_e_mail_address_has_one_form(written: str | None, key: str | None) -> None:
    assert email_keys(pl.Series([written], dtype=pl.String)).to_list() == [key]


def test_a_desk_is_no_person() -> None:
    found = is_role(pl.Series(["info@a.example", "kontakt@a.example", "ines@a.example"]))

    assert found.to_list() == [True, True, False]


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("0151/23456789", "+4915123456789"),
        ("+49 (0)151 23456789", "+4915123456789"),
        ("0049-151-23456789", "+4915123456789"),
        ("+49 0151 23456789", "+4915123456789"),
        ("4915123456789.0", "+4915123456789"),
        ("15123456789", "+4915123456789"),
        ("0151 23456789 ext. 12", "+4915123456789"),
        ("030 1234567", "+49301234567"),
        ("+1 212 555 0100", "+12125550100"),
        ("+43 664 1234567", "+436641234567"),
        ("112", None),
        ("12 34 5", None),
        ("bitte anrufen", None),
        ("", None),
        (None, None),
    ],
)
def test_a_phone_number_has_one_form(written: str | None, key: str | None) -> None:
    assert phone_keys(pl.Series([written], dtype=pl.String), default="DE").to_list() == [key]


def test_the_country_of_the_record_comes_before_the_default() -> None:
    numbers = pl.Series(["0664 1234567", "0664 1234567", "079 123 45 67"])

    found = phone_keys(numbers, pl.Series(["AT", None, "CH"]), default="DE")

    assert found.to_list() == ["+436641234567", "+496641234567", "+41791234567"]


def test_without_a_country_only_digits_are_left() -> None:
    assert phone_keys(pl.Series(["0151 23456789", "+49 151 23456789"])).to_list() == [
        "digits:15123456789", "+4915123456789",
    ]  # fmt: skip


@pytest.mark.parametrize("region", ["DE", "AT", "CH", "FR", "GB", "NL", "US", "ES", "PL", "CZ", "DK", "NO", "BE", "PT"])
def test_what_columns_settle_is_what_phonenumbers_says(region: str) -> None:
    chance = random.Random(region)
    code = phonenumbers.country_code_for_region(region)
    texts = []
    for _ in range(400):
        digits = "".join(chance.choice("0123456789") for _ in range(chance.randint(7, 12)))
        texts += [f"0{digits}", f"+{code} {digits}", f"00{code}{digits}", f"+{code} (0){digits}", digits]
    # Bare digits that begin with the calling code can be read in two ways; see the test above.
    valid = [t for t in texts if "(0)0" not in t and not t.startswith(str(code)) and _is_valid(t, region)]

    found = phone_keys(pl.Series(valid), default=region)

    expected = [_e164(t, region) for t in valid]
    assert len(valid) > 50
    assert [(t, k) for t, k, e in zip(valid, found, expected, strict=True) if k != e] == []


def _is_valid(text: str, region: str) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(text.replace("(0)", ""), region))
    except phonenumbers.NumberParseException:
        return False


def _e164(text: str, region: str) -> str:
    number = phonenumbers.parse(text.replace("(0)", ""), region)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def test_german_addresses_have_one_form() -> None:
    streets = pl.Series(["Lange Straße 5a", "Lange Str. 5 A", "lange strasse", "Lange-Str.", "Langestr. 5b"])
    houses = pl.Series([None, None, "5a", "5 a", None])
    posts = pl.Series(["01067", "1067", "D-01067", "1067.0", "01067"])

    found = address_keys(streets, houses, posts, pl.Series(["DE"] * 5))

    assert found.to_list() == ["DE|01067|langestr|5a"] * 4 + ["DE|01067|langestr|5b"]


def test_an_address_without_number_or_postcode_is_no_key() -> None:
    found = address_keys(pl.Series(["Am Markt", "Am Markt 3"]), None, pl.Series(["10115", None]))

    assert found.to_list() == [None, None]


def test_three_spellings_of_a_name_are_one_and_a_missing_part_is_no_key() -> None:
    given = pl.Series(["Jörg", "Joerg", "Jorg", "Jörg"])
    surname = pl.Series(["Müller", "Mueller", "Muller", "n/a"])
    born = pl.Series(["1980-01-02"] * 4)

    found = name_keys([given, surname, born]).to_list()

    assert len(set(found[:3])) == 1
    assert found[0] is not None
    assert found[3] is None


def test_other_identifiers_keep_their_letters() -> None:
    assert text_keys(pl.Series([" Ab-1 ", "ab-1", "-", None])).to_list() == ["Ab-1", "ab-1", None, None]
