"""CDNOW's customers of early 1997 and 78 weeks of their purchases, through the command line."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from end_to_end.program import document, ok
from end_to_end.real_project import RealProject, sql_answers, total

EARLIER, AS_OF = "1997-09-30", "1998-06-30"


@pytest.fixture(scope="module")
def shop(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> RealProject:
    """The shop, read once, evaluated at the end of the calibration weeks and of the data."""
    project = RealProject("cdnow_sample", shared, tmp_path_factory.mktemp("real"))
    return project.ingest().apply(EARLIER).apply(AS_OF)


@pytest.mark.parametrize(
    ("segment", "name"),
    [
        ("customers", "customers"),
        ("one_time_buyers", "one-time buyers (one purchase day)"),
        ("lapsed", "lapsed: >=2 purchase days, last before 1998-01-01"),
    ],
)
def test_sizes_are_those_of_the_reference(shop: RealProject, segment: str, name: str) -> None:
    assert shop.size(segment) == shop.fact(name)


def test_repeat_buyers_are_those_of_the_published_calibration(shop: RealProject) -> None:
    ((customers, repeat_buyers),) = shop.fact("summary: customers, repeat buyers")

    assert (shop.size("customers"), shop.size("repeat_buyers")) == (customers, repeat_buyers)


@pytest.mark.parametrize(
    ("trait", "name"),
    [
        ("lines", "rows"),
        ("revenue", "revenue"),
        ("purchase_days", "customer-days"),
        ("calibration_repeats", "sum of frequency (repeat purchases in calibration)"),
    ],
)
def test_traits_add_up_to_the_reference(shop: RealProject, trait: str, name: str) -> None:
    traits = ("lines", "revenue", "purchase_days", "calibration_repeats")

    assert total(shop.export("customers", *traits), trait) == Decimal(str(shop.fact(name)))


def test_as_of_an_earlier_day_later_purchases_do_not_exist(shop: RealProject) -> None:
    name = "repeat purchase days in 1997-01-01..1997-09-30 equal the sum of frequency"

    rows = shop.export("customers", "purchase_days", run=0)

    assert total(rows, "purchase_days") - len(rows) == shop.fact(name)


def test_diff_names_those_who_stopped_being_one_time_buyers(shop: RealProject) -> None:
    once = "SELECT customer_id FROM t WHERE date <= DATE '{}' GROUP BY 1 HAVING count(DISTINCT date) = 1"
    before = {row[0] for row in shop.query(once.format(EARLIER))}
    after = {row[0] for row in shop.query(once.format(AS_OF))}

    (counted,) = document("diff", "one_time_buyers", cwd=shop.folder)["data"]
    moved = ok("diff", "one_time_buyers", "-f", "ids", cwd=shop.folder).split()

    assert set(moved) == before - after
    assert (counted["before"], counted["left"], counted["after"]) == (len(before), len(before - after), len(after))
    assert (counted["entered"], counted["stayed"]) == (0, len(after))


@pytest.mark.parametrize("segment", sql_answers("cdnow_sample"))
def test_members_are_those_of_the_query_beside(shop: RealProject, segment: str) -> None:
    expected = shop.expected_members(segment)

    assert expected
    assert shop.members(segment) == expected


def test_duckdb_counts_the_same(shop: RealProject) -> None:
    assert shop.sizes_by("duckdb", AS_OF) == shop.sizes


def test_the_report_retells_retention_revenue_and_the_stages_of_everybody(shop: RealProject) -> None:
    report = document("report", "segments", cwd=shop.folder)
    cohorts = {
        (row["month"], row["months_later"]): (row["people"], round(row["revenue"], 2))
        for row in report["sections"]["cohorts"] if row["people"]
    }  # fmt: skip

    rows = shop.query(
        "WITH f AS (SELECT customer_id, min(date) AS first FROM t GROUP BY 1)"
        " SELECT strftime(date_trunc('month', first), '%Y-%m-%d'), datediff('month', first, date),"
        " count(DISTINCT customer_id), round(sum(value_usd), 2) FROM t JOIN f USING (customer_id) GROUP BY 1, 2"
    )
    assert cohorts == {(month, age): (people, float(revenue)) for month, age, people, revenue in rows}
    cells = report["sections"]["rfm"]
    assert sum(row["people"] for row in cells) == shop.fact("customers")
    assert round(sum(row["revenue"] for row in cells), 2) == shop.fact("revenue")
    assert sum(row["people"] for row in report["sections"]["stages"] if row["segment"] is None) == shop.fact(
        "customers"
    )
