"""Which value survives in a merged profile."""

from __future__ import annotations

import pytest

from segctl.identity.golden import golden_record
from segctl.model.identity import Survivorship

RECORDS = [
    {"source": "shop", "city": "Bonn", "consent": True, "tags": ["a", "b"]},
    {"source": "crm", "city": "Köln", "consent": False, "tags": ["b", "c"]},
    {"source": "shop", "city": "Bonn", "consent": None, "tags": None},
    {"source": "pos", "city": "Düsseldorf", "consent": True},
    {"source": "pos", "city": None, "consent": None},
]


@pytest.mark.parametrize(
    ("rule", "city", "record"),
    [
        (Survivorship(), "Düsseldorf", 3),
        (Survivorship("first"), "Bonn", 0),
        (Survivorship("most_frequent"), "Bonn", 2),
        (Survivorship("longest"), "Düsseldorf", 3),
        (Survivorship("latest", ("crm", "shop")), "Köln", 1),
        (Survivorship("latest", ("erp", "shop")), "Bonn", 2),
        (Survivorship("latest", ("erp",)), "Düsseldorf", 3),
        (Survivorship("least_permissive", order=("Köln", "Bonn")), "Düsseldorf", 3),
    ],
)
def test_the_rule_says_which_value_survives_and_from_where(rule: Survivorship, city: str, record: int) -> None:
    found = golden_record(RECORDS, ["city"], {"city": rule})["city"]

    assert (found.value, found.record) == (city, record)


def test_a_merge_never_makes_consent() -> None:
    found = golden_record(RECORDS, ["consent"], {"consent": Survivorship("least_permissive")})["consent"]

    assert (found.value, found.record, found.others) == (False, 1, 1)


def test_all_elements_of_a_list_survive_once() -> None:
    found = golden_record(RECORDS, ["tags"], {"tags": Survivorship("all")})["tags"]

    assert found.value == ["a", "b", "c"]


def test_a_trait_that_nobody_has_is_absent() -> None:
    assert golden_record(RECORDS, ["phone"], {}) == {}
