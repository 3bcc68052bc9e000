"""Levels of agreement, each against its definition."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from likeness_oracle import edit_distance, jaro_winkler

from segctl.identity import comparisons as levels
from segctl.identity.fields import Coded, coded


def compare(function: levels.Compare, a: str, b: str) -> int:
    """The level of one pair, which must be the same both ways."""
    field = coded(pl.Series([a, b]))
    one, other = np.array([0], np.int32), np.array([1], np.int32)
    left, right = field.codes[one], field.codes[other]
    there, back = function(field, left, right), function(field, right, left)
    assert there.dtype == np.int8
    assert there == back
    return int(there[0])


@pytest.mark.parametrize(
    ("a", "b", "level"),
    [
        pytest.param("martha", "marhta", 2, id="Winkler's own pair, 0.961"),
        pytest.param("dwayne", "duane", 1, id="Winkler's own pair, 0.84"),
        pytest.param("anna", "bernd", 0, id="others"),
        pytest.param("zoe", "zeo", 1, id="one slip in a short name"),
        pytest.param("j", "johann", 1, id="an initial"),
        pytest.param("k", "johann", 0, id="another initial"),
        pytest.param("schulz meier", "meier", 2, id="half of a double name"),
        pytest.param("meier schulz", "schulz meier", 2, id="a double name turned round"),
        pytest.param("meier schulz", "weber", 0, id="no half of it"),
    ],
)
def test_names(a: str, b: str, level: int) -> None:
    assert compare(levels.compare_names, a, b) == level


@pytest.mark.parametrize(
    ("a", "b", "level"),
    [
        pytest.param("19710624", "19710524", 3, id="one digit wrong"),
        pytest.param("19710624", "19710642", 3, id="neighbours swapped"),
        pytest.param("19710305", "19710503", 3, id="day and month swapped"),
        pytest.param("19710624", "19710612", 2, id="year and month agree"),
        pytest.param("19710624", "19800624", 2, id="day and month agree"),
        pytest.param("19710624", "19711203", 1, id="the year alone"),
        pytest.param("19710624", "19551203", 0, id="nothing"),
        pytest.param("19121212", "19211212", 3, id="neighbours in the year"),
    ],
)
def test_dates(a: str, b: str, level: int) -> None:
    assert compare(levels.compare_dates, a, b) == level


@pytest.mark.parametrize(
    ("function", "a", "b", "level"),
    [
        (levels.compare_years, "1971", "1972", 1),
        (levels.compare_years, "1971", "1791", 1),
        (levels.compare_years, "1971", "1984", 0),
        (levels.compare_years, "1999", "2000", 1),
        (levels.compare_postcodes, "50667", "50676", 2),
        (levels.compare_postcodes, "50667", "50699", 1),
        (levels.compare_postcodes, "50667", "10115", 0),
        (levels.compare_postcodes, "tq138df", "tq138dg", 2),
        (levels.compare_house_numbers, "12", "12a", 1),
        (levels.compare_house_numbers, "12", "77", 0),
        (levels.compare_house_numbers, "a", "b", 1),
        (levels.compare_emails, "anna@a.de", "anna@b.com", 3),
        (levels.compare_emails, "anna@a.de", "ana@a.de", 2),
        (levels.compare_emails, "anna.schmidt@a.de", "anna.schmid1@firma.com", 1),
        (levels.compare_emails, "anna@a.de", "bernd@b.com", 0),
        (levels.compare_emails, "anna17@a.de", "anna19@a.de", 1),
        (levels.compare_numbers, "+49301234567", "+49301234576", 1),
        (levels.compare_numbers, "+49301234567", "+49309999999", 0),
        (levels.compare_words, "politician", "politican", 1),
        (levels.compare_words, "politician", "painter", 0),
        (levels.never_similar, "m", "f", 0),
    ],
)
def test_other_fields(function: levels.Compare, a: str, b: str, level: int) -> None:
    assert compare(function, a, b) == level


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text("abcä12", min_size=1, max_size=9), min_size=2, max_size=2, unique=True))
def test_similarities_are_those_of_the_definitions(pair: list[str]) -> None:
    a, b = pair
    similarity = jaro_winkler(a, b)
    if min(abs(similarity - bound) for bound in (levels.CLOSE, levels.SIMILAR)) < 1e-6:
        return

    assert compare(levels.compare_texts, a, b) == (similarity >= levels.SIMILAR) + (similarity >= levels.CLOSE)
    assert compare(levels.compare_numbers, a, b) == (edit_distance(a, b) == 1)


def test_the_comparisons_of_a_set_are_in_one_order_and_a_year_is_not_compared_beside_its_date() -> None:
    from segctl.identity.fields import Records

    field = Coded(["19710624"], np.zeros(1, np.int32), np.ones(1, np.int64))
    records = Records(pl.Series([1]), dict.fromkeys(["given", "birth_date", "birth_year", "text", "text_2"], field))

    assert [one.field for one in levels.comparisons_for(records)] == ["given", "birth_date", "text", "text_2"]
