"""Half a year of clicks in a shop: visits, carts and orders of events, through the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from end_to_end.program import document, ok
from end_to_end.real_project import RealProject, sql_answers, total

APRIL, JUNE = "2024-04-30", "2024-06-30"


@pytest.fixture(scope="module")
def shop(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> RealProject:
    """The shop, read once, evaluated at the end of April and of the data."""
    project = RealProject("retentioneering_ecom", shared, tmp_path_factory.mktemp("real"))
    return project.ingest().apply(APRIL).apply(JUNE)


@pytest.mark.parametrize(
    ("segment", "name"),
    [
        ("users", "users"),
        ("purchasers", "purchasers"),
        ("cart_without_purchase", "cart but no purchase users"),
    ],
)
def test_sizes_are_those_of_the_reference(shop: RealProject, segment: str, name: str) -> None:
    assert shop.size(segment) == shop.fact(name)


@pytest.mark.parametrize(("trait", "name"), [("clicks", "rows"), ("sessions", "sessions")])
def test_traits_add_up_to_the_reference(shop: RealProject, trait: str, name: str) -> None:
    assert total(shop.export("users", "clicks", "sessions"), trait) == shop.fact(name)


def test_every_name_is_a_kind_with_its_rows(shop: RealProject) -> None:
    by_kind = shop.source("clicks")["by_kind"]

    assert len(by_kind) == shop.fact("event names")
    assert sorted(by_kind.items()) == sorted(shop.query("SELECT event, count(*) FROM e GROUP BY 1"))


def test_diff_names_who_began_to_buy(shop: RealProject) -> None:
    early = {
        row[0] for row in shop.query(f"SELECT user_id FROM e WHERE event = 'purchase' AND timestamp::DATE <= '{APRIL}'")
    }
    ever = {row[0] for row in shop.query("SELECT user_id FROM e WHERE event = 'purchase'")}

    (counted,) = document("diff", "purchasers", cwd=shop.folder)["data"]

    assert set(ok("diff", "purchasers", "-f", "ids", cwd=shop.folder).split()) == ever - early
    assert (counted["before"], counted["entered"], counted["left"]) == (len(early), len(ever - early), 0)


@pytest.mark.parametrize("segment", sql_answers("retentioneering_ecom"))
def test_members_are_those_of_the_query_beside(shop: RealProject, segment: str) -> None:
    expected = shop.expected_members(segment)

    assert expected
    assert shop.members(segment) == expected


def test_duckdb_counts_the_same(shop: RealProject) -> None:
    assert shop.sizes_by("duckdb", JUNE) == shop.sizes
