"""Personal data and secrets are told from names, codes, amounts and days."""

from __future__ import annotations

import pytest

from segctl.compile.private_text import has_secret_keys, is_secret_value, personal_data_in, secrets_in


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("ask anna.muster@mail.example", "an e-mail address"),
        ("call +49 171 2345678", "a phone number"),
        ("call 0049 (30) 1234567", "a phone number"),
        ("call 0171/2345678 first", "a phone number"),
        ("030-12345678", "a phone number"),
        ("+4917123456789", "a phone number"),
        ("DE89 3704 0044 0532 0130 00", "an account number (IBAN)"),
        ("to GB82WEST12345698765432.", "an account number (IBAN)"),
        ("4111 1111 1111 1111", "a card number"),
        ("5500-0000-0000-0004", "a card number"),
    ],
)
def test_personal_data_are_found(text: str, what: str) -> None:
    assert [found.what for found in personal_data_in(text)] == [what]


@pytest.mark.parametrize(
    "text",
    [
        "crm@shop.example and team-crm@shop.example",
        "ends_with: '@shop.example'",
        "2026-11-22 and 22.11.2026",
        "00001 to 00042",
        "between: [1000, 2000]",
        "order 4711-0815",
        "DE89 3704 0044 0532 0130 01",  # the check digits are wrong
        "4111 1111 1111 1112",
        "2026-W47, 99.90 EUR, 0.5 %",
        "https://user@shop.example/x",
        "0800-12",
        "version 1.2.3+4",
        "4006381333931",  # the number of an article
    ],
)
def test_ordinary_texts_are_left_alone(text: str) -> None:
    assert list(personal_data_in(text)) == []


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN RSA PRIVATE KEY-----",
        "postgresql://shop:s3cret@db.example/shop",
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_0123456789abcdefghijABCDEFGHIJ012345",
        "glpat-abcdefghij0123456789",
        "xoxb-0123456789-abcdef",
        "sk_live_0123456789abcdefgh",
        "pk_0123456789abcdef0123456789abcdef01",
        "pat-eu1-01234567-89ab-cdef-0123-456789abcdef",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
        "Authorization is Bearer abcdefghij.klmnop",
    ],
)
def test_secrets_are_found_by_their_form(text: str) -> None:
    assert len(list(secrets_in(text))) == 1


@pytest.mark.parametrize(
    "text",
    ["https://shop.example/a:b@c", "postgresql://$USER:$PASSWORD@db", "basic_customers", "risk_live_view", "eyJ"],
)
def test_addresses_names_and_variables_are_no_secrets(text: str) -> None:
    assert list(secrets_in(text)) == []


def test_a_key_says_that_its_value_is_secret() -> None:
    assert has_secret_keys("api_key: x")
    assert has_secret_keys('{"Client_Secret" : x}')
    assert not has_secret_keys("tokens of love\nkey: customer_id")
    assert is_secret_value("hubspot_token", "abcdefg1")
    assert not is_secret_value("token", "text")
    assert not is_secret_value("token", "the one of last year 2025")
    assert not is_secret_value("customer_key", "abcdefg1")
