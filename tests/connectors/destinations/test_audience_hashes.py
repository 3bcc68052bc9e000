"""Normal forms and hashes of customer lists against the vendors' published vectors."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segctl.connectors.destinations import normal_google, normal_meta
from segctl.connectors.destinations.audience_hashes import international, sha256

EMPTY = hashlib.sha256(b"").hexdigest()


@pytest.mark.parametrize(
    ("form", "written", "normal", "digest"),
    [
        pytest.param(
            normal_google.email,
            " AlexZ@Example.com ",
            "alexz@example.com",
            "509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a",
            id="Google's guide: an address",
        ),
        pytest.param(
            normal_google.phone,
            "+1 (800) 555-0100",
            "+18005550100",
            "fb4f73a6ec5fdb7077d564cdd22c3554b43ce49168550c3b12c547b78c517b30",
            id="Google's guide: a number with its plus",
        ),
        pytest.param(
            normal_google.name,
            "GivenName",
            "givenname",
            "128a07bfe2df877c52076e60d7774cf5baaa046c5a6c48daf30ff43ecca2f814",
            id="Google's guide: a given name",
        ),
        pytest.param(
            normal_google.name,
            "FamilyName",
            "familyname",
            "77762c287e61ce065bee5c15464012c6fbe088398b8057627d5577249430d574",
            id="Google's guide: a family name",
        ),
        pytest.param(
            normal_google.email,
            "Jefferson.Loves.Hiking@gmail.com",
            "jeffersonloveshiking@gmail.com",
            "515d2f967f73864e76937ab2b897210a86fd286016903b1b08c3da07c75f513e",
            id="Google's guide: dots of Gmail",
        ),
        pytest.param(
            normal_meta.email,
            " John_Smith@gmail.com ",
            "john_smith@gmail.com",
            "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f",
            id="Meta's documentation: an address",
        ),
        pytest.param(
            lambda text: normal_meta.phone(text, "US"),
            "(650) 555-1212",
            "16505551212",
            "e323ec626319ca94ee8bff2e4c87cf613be6ea19919ed1364124e16807ab3176",
            id="Meta's documentation: a number without plus",
        ),
        pytest.param(
            normal_meta.name,
            "Mary",
            "mary",
            "6915771be1c5aa0c886870b6951b03d7eafc121fea0e80a5ea83beb7c449f4ec",
            id="Meta's documentation: a name",
        ),
        pytest.param(
            normal_meta.name,
            "Vale\u0301ry",
            "valéry",
            "08e1996b5dd49e62a4b4c010d44e4345592a863bb9f8e3976219bac29417149c",
            id="Meta's documentation: composed letters, here written as two",
        ),
        pytest.param(
            normal_meta.name,
            "정",
            "정",
            "8fa8cd9c440be61d0151429310034083132b35975c4bea67fdd74158eb51db14",
            id="Meta's documentation: another script",
        ),
    ],
)  # fmt: skip
def test_published_vectors_come_out(form, written: str, normal: str, digest: str) -> None:
    assert form(written) == normal
    assert sha256(form(written)) == digest


def test_the_same_hash_in_base64_is_what_the_guide_prints() -> None:
    digest = sha256(normal_google.email(" AlexZ@Example.com "))

    assert digest is not None
    assert base64.b64encode(bytes.fromhex(digest)).decode() == "UJ6TMBm7KFoTSpM0uLtnnf950M4CPVKa9L10TUe0/Yo="


@pytest.mark.parametrize(
    ("written", "google", "meta"),
    [
        ("a.b+c@gmail.com", "ab@gmail.com", "a.b+c@gmail.com"),
        ("A.B+c@GoogleMail.com", "ab@googlemail.com", "a.b+c@googlemail.com"),
        ("a.b+c@example.com", "a.b+c@example.com", "a.b+c@example.com"),
        ("a b\t@example.com", "ab@example.com", "ab@example.com"),
        ("jörg@bücher.example", "jörg@bücher.example", "jörg@bücher.example"),
        ("+all@gmail.com", None, "+all@gmail.com"),
        ("no address", None, None),
        ("a@b@c", None, None),
        ("@example.com", None, None),
        ("a@", None, None),
        ("", None, None),
    ],
)
def test_only_google_drops_dots_and_suffix_and_only_at_gmail(
    written: str, google: str | None, meta: str | None
) -> None:
    assert normal_google.email(written) == google
    assert normal_meta.email(written) == meta


@pytest.mark.parametrize(
    ("written", "country", "number"),
    [
        ("+49 30 123456", None, "+4930123456"),
        ("030 123456", "DE", "+4930123456"),
        ("030 123456", None, None),
        ("0049 30 123456", "DE", "+4930123456"),
        ("digits:30123456", None, None),
        ("+0123456789", None, None),
        ("+49", "DE", None),
        ("call me", "DE", None),
    ],
)
def test_a_number_is_international_or_none(written: str, country: str | None, number: str | None) -> None:
    assert international(written, country) == number
    assert normal_google.phone(written, country) == number
    assert normal_meta.phone(written, country) == (number and number[1:])


@pytest.mark.parametrize(
    ("written", "google"),
    [("Dr. Anna-Lena O'Neill", "annalena oneill"), ("  Ms ", "ms"), ("Prof. Dr. Weiß", "weiß"), ("- . -", None)],
)
def test_titles_and_punctuation_leave_names(written: str, google: str | None) -> None:
    assert normal_google.name(written) == google


def test_an_address_goes_whole_or_not_at_all() -> None:
    parts = {"givenName": "Jörg", "familyName": "Müller", "regionCode": "de", "postalCode": " 10115 "}

    whole = normal_google.address(parts)

    assert whole == {
        "givenName": sha256("jörg"),
        "familyName": sha256("müller"),
        "regionCode": "DE",
        "postalCode": "10115",
    }
    assert normal_google.address({**parts, "regionCode": None}, "de") == whole
    assert all(normal_google.address({**parts, part: ""}) is None for part in parts)


@pytest.mark.parametrize(
    ("key", "value", "region", "normal"),
    [
        ("ZIP", "10115", "DE", "10115"),
        ("ZIP", "94 103-1234", "US", "94103"),
        ("ZIP", "SW1A 1AA", "GB", "sw1a1"),
        ("ZIP", "M1 1AE", "GB", "m11"),
        ("CT", "São Paulo", None, "sãopaulo"),
        ("CT", "St. Gallen", None, "stgallen"),
        ("ST", " CA ", None, "ca"),
        ("COUNTRY", "de", None, "de"),
        ("COUNTRY", "Germany", None, None),
        ("GEN", "Weiblich", None, "f"),
        ("GEN", "divers", None, None),
        ("FI", "Élodie", None, "é"),
        ("DOBY", date(1980, 2, 29), None, "1980"),
        ("DOBM", datetime(1980, 2, 29, 12, tzinfo=UTC), None, "02"),
        ("DOBD", "1980-02-09", None, "09"),
        ("DOBD", "9", None, "09"),
        ("DOBM", "13", None, None),
        ("DOBY", "1980-02-30", None, None),
        ("EXTERN_ID", " Ab7 ", None, "Ab7"),
        ("MADID", "AEBE52E7-03EE-455A-B3C4-E57283966239", None, "aebe52e7-03ee-455a-b3c4-e57283966239"),
        ("FN", None, None, None),
    ],
)  # fmt: skip
def test_each_key_of_meta_has_its_form(key: str, value: object, region: str | None, normal: str | None) -> None:
    assert normal_meta.normal(key, value, region) == normal
    expected = normal if key in ("EXTERN_ID", "MADID") else sha256(normal)
    assert normal_meta.told(key, value, region) == (expected or "")


@given(st.sampled_from(normal_meta.KEYS), st.text(max_size=30), st.sampled_from([None, "DE", "US", "GB"]))
def test_nothing_ever_has_the_hash_of_an_empty_text(key: str, value: str, region: str | None) -> None:
    told = normal_meta.told(key, value, region)
    google = [
        sha256(normal_google.email(value)),
        sha256(normal_google.phone(value, region)),
        sha256(normal_google.name(value)),
    ]

    assert told != EMPTY
    assert EMPTY not in google


@given(st.text(max_size=30))
def test_a_normal_form_is_its_own_normal_form(value: str) -> None:
    for form in (normal_google.email, normal_google.phone, normal_meta.email, normal_meta.place):
        once = form(value)
        assert once is None or form(once) == once


def test_vectors_stand_in_the_facts_as_they_stand_here(shared: Path) -> None:
    facts = (shared / "destinations.md").read_text(encoding="utf-8")
    here = Path(__file__).read_text(encoding="utf-8")

    vectors = [line for line in facts.splitlines() if line.startswith("|") and line.count("|") > 3 and "`" in line]
    digests = [word for line in vectors for word in line.split() if len(word) == 64]

    assert len(digests) == 10
    assert all(digest in here for digest in digests)
