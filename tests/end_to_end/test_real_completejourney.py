"""A year of 801 households with campaigns and coupons, through the command line."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from end_to_end.program import document
from end_to_end.real_project import RealProject, sql_answers, total

AS_OF = "2018-01-01"


@pytest.fixture(scope="module")
def market(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> RealProject:
    """The households, read once, evaluated at the end of the year's last day (and four hours of the next)."""
    return RealProject("completejourney", shared, tmp_path_factory.mktemp("real")).ingest().apply(AS_OF)


@pytest.mark.parametrize(
    ("segment", "name"),
    [
        ("households", "households"),
        ("quiet_december", "households with no basket after 2017-12-01"),
        ("hundred_baskets", "households with >=100 baskets"),
        ("never_redeemed", "households that got a campaign but never redeemed"),
    ],
)
def test_sizes_are_those_of_the_reference(market: RealProject, segment: str, name: str) -> None:
    assert market.size(segment) == market.fact(name)


def test_campaign_18_reached_and_moved_as_many_as_in_the_reference(market: RealProject) -> None:
    ((reach, redeemers),) = market.fact("campaign 18 reach, redeemers")

    assert (market.size("campaign_18_reach"), market.size("campaign_18_redeemers")) == (reach, redeemers)


def test_households_of_each_income(market: RealProject) -> None:
    rows = market.export("by_income", "income")

    assert Counter(row["income"] for row in rows) == dict(market.fact("households by income"))


@pytest.mark.parametrize(
    ("trait", "name"),
    [
        ("lines", "rows"),
        ("baskets", "baskets"),
        ("sales", "sales"),
        ("lines_without_quantity", "rows with quantity 0"),
        ("lines_without_value", "rows with sales_value 0"),
    ],
)
def test_traits_add_up_to_the_reference(market: RealProject, trait: str, name: str) -> None:
    traits = ("lines", "baskets", "sales", "lines_without_quantity", "lines_without_value")

    assert total(market.export("households", *traits), trait) == Decimal(str(market.fact(name)))


def test_size_counts_each_condition_as_the_queries_do(market: RealProject) -> None:
    ((reached, silent),) = market.query(
        "SELECT (SELECT count(DISTINCT household_id) FROM cp),"
        " (SELECT count(*) FROM h WHERE household_id NOT IN (SELECT household_id::VARCHAR FROM r))"
    )

    leaves = document("size", "never_redeemed", "--as-of", AS_OF, cwd=market.folder)["data"]

    both = market.size("never_redeemed")
    assert [(leaf["alone"], leaf["left"], leaf["without"]) for leaf in leaves] == [
        (reached, reached, silent),
        (silent, both, reached),
    ]


@pytest.mark.parametrize("segment", sql_answers("completejourney"))
def test_members_are_those_of_the_query_beside(market: RealProject, segment: str) -> None:
    expected = market.expected_members(segment)

    assert expected
    assert market.members(segment) == expected


def test_duckdb_counts_the_same(market: RealProject) -> None:
    assert market.sizes_by("duckdb", AS_OF) == market.sizes


def test_the_report_retells_what_households_of_a_campaign_spent_and_redeemed(market: RealProject) -> None:
    report = document("report", "segments", "-s", "campaign_18_reach", cwd=market.folder)
    (row,) = report["data"]

    ids = ", ".join(f"'{one[0]}'" for one in market.query("SELECT household_id FROM cp WHERE campaign_id = 18"))
    since = f"TIMESTAMP '{report['facts']['since'].removesuffix('+00:00')}'"
    ((spenders, spent),) = market.query(
        f"SELECT count(DISTINCT id), sum(value) FROM items WHERE id IN ({ids}) AND ts > {since}"
    )
    ((redeemers,),) = market.query(
        f"SELECT count(DISTINCT household_id) FROM r"
        f" WHERE household_id::VARCHAR IN ({ids}) AND redemption_date > {since}"
    )
    assert (row["people"], row["basis"]) == (market.size("campaign_18_reach"), "before")
    assert (row["converted"], round(row["revenue"], 2)) == (spenders, float(spent))
    assert row["engaged"] == redeemers
