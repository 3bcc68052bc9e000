"""A year of a British gift shop's invoices: what is known about its customers, through the command line."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from end_to_end.program import document
from end_to_end.real_project import RealProject, sql_answers, total

SUMMER, AS_OF = "2011-07-15", "2011-12-10"


@pytest.fixture(scope="module")
def shop(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> RealProject:
    """The shop, read once, evaluated in July and on the day after the last invoice."""
    project = RealProject("online_retail", shared, tmp_path_factory.mktemp("real"))
    return project.ingest().apply(SUMMER).apply(AS_OF)


def test_every_line_is_read_and_those_without_a_customer_are_counted(shop: RealProject) -> None:
    lines = shop.source("lines")

    assert lines["read"] == shop.fact("rows")
    assert lines["unclaimed"] == shop.fact("null CustomerID")
    assert lines["bad"] == 0


def test_an_invoice_is_one_order(shop: RealProject) -> None:
    ((rows, _, invoices, _),) = shop.fact("clean rows (CustomerID, no C, Quantity>0, UnitPrice>0)")
    orders = shop.source("orders")

    assert orders["new"] == invoices
    assert orders["duplicates"] + orders["conflicts"] == rows - invoices
    assert [(orders["conflicts"],)] == shop.query(
        "SELECT count(*) FROM items JOIN orders o USING (invoice) WHERE is_clean AND items.ts <> o.ts"
    )


@pytest.mark.parametrize(
    ("segment", "name"),
    [
        ("customers", "customers"),
        ("one_time_buyers", "one-time buyers (1 clean invoice)"),
        ("lapsed", "lapsed: last clean invoice before 2011-09-10"),
        ("good_germans", "German customers, >=3 clean invoices, net value >=1000"),
        ("two_countries", "customers with more than one country"),
    ],
)
def test_sizes_are_those_of_the_reference(shop: RealProject, segment: str, name: str) -> None:
    assert shop.size(segment) == shop.fact(name)


@pytest.mark.parametrize("country", ["France", "Germany", "United Kingdom"])
def test_customers_of_a_country(shop: RealProject, country: str) -> None:
    expected = dict(shop.fact("customers by country Germany/France/UK"))

    assert shop.size(f"customers_{country.lower().replace(' ', '_')}") == expected[country]


def test_lines_invoices_and_revenue_add_up_over_the_buyers(shop: RealProject) -> None:
    ((rows, customers, invoices, revenue),) = shop.fact("clean rows (CustomerID, no C, Quantity>0, UnitPrice>0)")

    buyers = shop.export("buyers", "bought_lines", "bought_invoices", "revenue", "orders")

    assert len(buyers) == shop.size("buyers") == customers
    assert total(buyers, "bought_lines") == rows
    assert total(buyers, "bought_invoices") == total(buyers, "orders") == invoices
    assert round(total(buyers, "revenue"), 2) == round(Decimal(str(revenue)), 2)


@pytest.mark.parametrize("segment", sql_answers("online_retail"))
def test_members_are_those_of_the_query_beside(shop: RealProject, segment: str) -> None:
    expected = shop.expected_members(segment)

    assert expected
    assert shop.members(segment) == expected


@pytest.mark.parametrize("segment", sql_answers("online_retail", "sql_summer"))
def test_members_as_of_a_past_summer_are_those_of_the_query_beside(shop: RealProject, segment: str) -> None:
    expected = shop.expected_members(segment, "sql_summer")

    assert expected
    assert shop.members(segment, run=0) == expected


def test_duckdb_counts_the_same(shop: RealProject) -> None:
    assert shop.sizes_by("duckdb", AS_OF) == shop.sizes


@pytest.fixture(scope="module")
def report(shop: RealProject) -> Any:
    return document("report", "segments", cwd=shop.folder)


def test_the_grid_holds_the_published_base_of_recency_frequency_and_revenue(shop: RealProject, report: Any) -> None:
    ((_, customers, _, revenue),) = shop.fact("clean rows (CustomerID, no C, Quantity>0, UnitPrice>0)")
    cells = {(row["recency"], row["frequency"]): row for row in report["sections"]["rfm"]}

    assert sum(row["people"] for row in cells.values()) == customers
    assert round(sum(row["revenue"] for row in cells.values()), 2) == revenue
    rows = shop.query(
        "WITH people AS (SELECT id, max(ts) AS newest, count(*) AS n FROM orders GROUP BY id),"
        " scored AS (SELECT id, 1 + (rank() OVER (ORDER BY newest) - 1) * 5 // count(*) OVER () AS r,"
        " 1 + (rank() OVER (ORDER BY n) - 1) * 5 // count(*) OVER () AS f FROM people)"
        " SELECT r, f, count(DISTINCT s.id), round(sum(i.quantity * p.price), 2) FROM scored s"
        " JOIN items i USING (id) JOIN (SELECT file_row_number AS line, UnitPrice::DECIMAL(18, 3) AS price FROM"
        " read_parquet('online_retail.parquet', file_row_number = true)) p USING (line) WHERE i.is_clean GROUP BY 1, 2"
    )
    assert {key: (row["people"], round(row["revenue"], 2)) for key, row in cells.items()} == {
        (r, f): (people, float(value)) for r, f, people, value in rows
    }


def test_retention_is_that_of_the_orders_by_local_month(shop: RealProject, report: Any) -> None:
    cohorts = {(row["month"], row["months_later"]): row["people"] for row in report["sections"]["cohorts"]}

    rows = shop.query(
        "WITH o AS (SELECT id, date_trunc('month', timezone('Europe/London', ts)) AS month FROM orders),"
        " f AS (SELECT id, min(month) AS first FROM o GROUP BY id)"
        " SELECT strftime(first, '%Y-%m-%d'), datediff('month', first, month), count(DISTINCT id)"
        " FROM o JOIN f USING (id) GROUP BY 1, 2"
    )
    assert {key: n for key, n in cohorts.items() if n} == {(month, age): n for month, age, n in rows}
