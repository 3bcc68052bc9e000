"""Levels of pairs: what depends on more than one field."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from segctl.identity.fields import prepared
from segctl.identity.pairs import comparer

ROLES = {"first": "given_name", "last": "surname", "mail": "email"}


def names_of_levels(one: tuple[str | None, ...], other: tuple[str | None, ...]) -> dict[str, str]:
    frame = pl.DataFrame([one, other, ("Zoe", "Zorn", "z@z.de")], schema=list(ROLES), orient="row")
    compares = comparer(prepared(frame.with_row_index("record"), ROLES))
    levels = compares.levels(np.array([0], np.int32), np.array([1], np.int32))[:, 0]
    return {
        comparison.field: "missing" if level < 0 else comparison.levels[level]
        for comparison, level in zip(compares.comparisons, levels, strict=True)
    }


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        pytest.param(("Eva", "Abt"), ("Abt", "Eva"), ("swapped", "missing"), id="swapped"),
        pytest.param(("Eva", "Abt"), ("Abt", "Udo"), ("different", "different"), id="half swapped"),
        pytest.param(("Eva", "Eva"), ("Eva", "Eva"), ("equal", "equal"), id="one name twice"),
        pytest.param(("Eva", None), ("Abt", "Eva"), ("different", "missing"), id="one name is missing"),
        pytest.param(("Jörg", "Abt"), ("Joerg", "Abt"), ("equal", "equal"), id="spellings"),
    ],
)
def test_names(one: tuple[str | None, ...], other: tuple[str | None, ...], expected: tuple[str, str]) -> None:
    found = names_of_levels((*one, None), (*other, None))

    assert (found["given"], found["surname"]) == expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        pytest.param(("Eva", "Abt", "eva.abt17@a.de"), ("Eva", "Abt", "eva.abt19@a.de"), "missing", id="namesakes"),
        pytest.param(("Eva", "Abt", "eva.abt17@a.de"), ("Udo", "Ast", "eva.abt19@a.de"), "similar", id="other names"),
        pytest.param(("Eva", "Abt", "eva.abt17@a.de"), ("Eve", "Abs", "eva.abt19@a.de"), "missing", id="similar names"),
        pytest.param(("Eva", "Abt", "eva.abt17@a.de"), ("Abt", "Eva", "eva.abt19@a.de"), "missing", id="swapped"),
        pytest.param(("Eva", None, "eva.abt17@a.de"), ("Eva", "Abt", "eva.abt19@a.de"), "similar", id="no surname"),
        pytest.param(("Eva", "Abt", "eva.abt@a.de"), ("Eva", "Abt", "eva.abt@a.de"), "equal", id="one address"),
        pytest.param(("Eva", "Abt", "eva.abt@a.de"), ("Eva", "Abt", "kontakt@b.de"), "different", id="unlike"),
        pytest.param(("Eva", "Abt", None), ("Eva", "Abt", "eva.abt@a.de"), "missing", id="missing"),
    ],
)
def test_similar_addresses_say_nothing_where_the_names_agree(
    one: tuple[str | None, ...], other: tuple[str | None, ...], expected: str
) -> None:
    assert names_of_levels(one, other)["email"] == expected
