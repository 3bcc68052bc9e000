"""The sum behind a pair."""

from __future__ import annotations

import json

import polars as pl
import pytest
from likeness_data import ROLES, people

from segctl.identity.explain import explain_pair, explain_pairs, model_from_dict, model_to_dict
from segctl.identity.fuzzy import FuzzyResult, match
from segctl.model.errors import DataError


@pytest.fixture(scope="module")
def crowd() -> pl.DataFrame:
    return people(200, 21).drop("person")


@pytest.fixture(scope="module")
def result(crowd: pl.DataFrame) -> FuzzyResult:
    return match(crowd, ROLES)


def test_the_parts_add_up_to_the_weight_of_the_link(crowd: pl.DataFrame, result: FuzzyResult) -> None:
    links = result.links.head(40)

    told = explain_pairs(crowd, ROLES, result.model, list(zip(links["left"], links["right"], strict=True)))

    for evidence, bits, probability in zip(told, links["bits"], links["probability"], strict=True):
        total = evidence.prior_bits + sum(field.bits + field.rarity for field in evidence.fields)
        assert evidence.bits == pytest.approx(total) == pytest.approx(bits)
        assert evidence.probability == pytest.approx(probability)


def test_every_field_says_its_level_and_values(crowd: pl.DataFrame, result: FuzzyResult) -> None:
    rows = pl.DataFrame(
        [
            {"record": 9_000, "first": "Jörg", "last": "Koch", "born": "1970-02-01", "zip": None},
            {"record": 9_001, "first": "Joerg", "last": "Koch", "born": "1970-01-02", "zip": "50667"},
        ]
    )
    frame = pl.concat([crowd, rows], how="diagonal")

    evidence = explain_pair(frame, ROLES, result.model, 9_000, 9_001)
    by_name = {field.field: field for field in evidence.fields}

    assert [field.field for field in evidence.fields] == list(result.model.fields)
    assert (by_name["given"].level, by_name["given"].left, by_name["given"].right) == ("equal", "jorg", "jorg")
    assert by_name["birth_date"].level == "typo"
    assert (by_name["postcode"].level, by_name["postcode"].bits, by_name["postcode"].left) == ("missing", 0.0, None)
    assert by_name["given"].rarity != 0
    assert by_name["birth_date"].rarity == 0
    assert evidence.household == ""


def test_a_pair_is_the_same_both_ways(crowd: pl.DataFrame, result: FuzzyResult) -> None:
    left, right = result.links.row(0)[:2]

    there, back = (explain_pair(crowd, ROLES, result.model, *pair) for pair in ((left, right), (right, left)))

    assert there.bits == back.bits


def test_a_model_survives_being_stored(crowd: pl.DataFrame, result: FuzzyResult) -> None:
    left, right = result.links.row(0)[:2]

    stored = model_from_dict(json.loads(json.dumps(model_to_dict(result.model))))

    assert explain_pair(crowd, ROLES, stored, left, right) == explain_pair(crowd, ROLES, result.model, left, right)
    assert stored.rules == result.model.rules


def test_an_unknown_record_is_refused(crowd: pl.DataFrame, result: FuzzyResult) -> None:
    with pytest.raises(DataError) as caught:
        explain_pair(crowd, ROLES, result.model, 0, 77_777)

    assert caught.value.code == "SEG462"


def test_weights_of_other_fields_are_refused(crowd: pl.DataFrame, result: FuzzyResult) -> None:
    with pytest.raises(DataError) as caught:
        explain_pair(crowd, {"first": "given_name"}, result.model, 0, 1)

    assert caught.value.code == "SEG463"
