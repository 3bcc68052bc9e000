"""Google's consent signals: only an answer that says yes is a yes."""

from __future__ import annotations

import pytest

from segctl.consent.signals import MalformedSignals, parse_gcd, parse_gcs, parse_named


@pytest.mark.parametrize(
    ("text", "granted"),
    [("G111", {"ad_storage", "analytics_storage"}), ("G101", {"analytics_storage"}), ("G100", set()), ("G1--", set())],
)
def test_gcs_tells_the_two_kinds_of_storage(text: str, granted: set[str]) -> None:
    assert parse_gcs(text) == granted


@pytest.mark.parametrize("text", ["", "G1", "G11", "G1111", "g111", "G112", "G111 ", "G211"])
def test_other_texts_are_no_gcs(text: str) -> None:
    with pytest.raises(MalformedSignals):
        parse_gcs(text)


@pytest.mark.parametrize(
    ("text", "granted"),
    [
        pytest.param("13r3r3r3r5", {"ad_storage", "analytics_storage", "ad_user_data", "ad_personalization"}, id="yes"),
        pytest.param(
            "13n3v3n3v5", {"ad_storage", "analytics_storage", "ad_user_data", "ad_personalization"}, id="ways"
        ),
        pytest.param("11t1t1t1t5", set(), id="a default that nobody answered"),
        pytest.param("13l3l3l3l1", set(), id="not set"),
        pytest.param("11q1q1q1q5", set(), id="no"),
        pytest.param("13u3m3r3p5", {"ad_user_data"}, id="mixed"),
    ],
)
def test_gcd_tells_what_the_person_answered(text: str, granted: set[str]) -> None:
    assert parse_gcd(text) == granted


@pytest.mark.parametrize("text", ["", "13r3r3r3r", "13r3r3r5", "13x3r3r3r5", "23r3r3r3r5", "13R3r3r3r5"])
def test_other_texts_are_no_gcd(text: str) -> None:
    with pytest.raises(MalformedSignals):
        parse_gcd(text)


def test_signals_by_name() -> None:
    assert parse_named({"ad_user_data": "granted", "ad_personalization": "DENIED", "x": "y"}) == {"ad_user_data"}
    assert parse_named({"ad_user_data": True, "ad_storage": False}) == {"ad_user_data"}
    with pytest.raises(MalformedSignals):
        parse_named({"ad_user_data": "maybe"})
