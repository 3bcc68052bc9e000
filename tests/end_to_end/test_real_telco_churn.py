"""Seven thousand telephone customers: missing values, ranks and history, through the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from end_to_end.program import document, ok
from end_to_end.real_project import RealProject, sql_answers

FEBRUARY, MARCH = "2020-02-10", "2020-03-31"


@pytest.fixture(scope="module")
def telco(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> RealProject:
    """The file as it is."""
    return RealProject("telco_churn", shared, tmp_path_factory.mktemp("real")).ingest().apply("2027-01-01")


@pytest.fixture(scope="module")
def history(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> RealProject:
    """Two dated exports made of the file, evaluated between them and after both."""
    project = RealProject("telco_churn", shared, tmp_path_factory.mktemp("real"), project="telco_history")
    (project.folder / "exports").mkdir()
    for month in ("january", "march"):
        project.query(f"COPY {month} TO '{project.folder}/exports/{month}.csv'")
    return project.ingest().apply(FEBRUARY).apply(MARCH)


@pytest.mark.parametrize(
    ("segment", "name"),
    [("everybody", "rows"), ("churned", "churned"), ("never_charged", "blank TotalCharges")],
)
def test_sizes_are_those_of_the_reference(telco: RealProject, segment: str, name: str) -> None:
    assert telco.size(segment) == telco.fact(name)


def test_the_rate_of_churn(telco: RealProject) -> None:
    assert round(telco.size("churned") / telco.size("everybody"), 4) == telco.fact("churn rate")


def test_fiber_newcomers_and_how_many_of_them_left(telco: RealProject) -> None:
    ((newcomers, lost),) = telco.fact("fiber month-to-month tenure<12")

    assert (telco.size("fiber_newcomers"), telco.size("fiber_newcomers_lost")) == (newcomers, lost)


def test_customers_and_churned_of_each_contract(telco: RealProject) -> None:
    rows = telco.export("everybody", "contract", "churn")

    for contract, customers, churned in telco.fact("churn rate by contract"):
        those = [row["churn"] for row in rows if row["contract"] == contract]
        assert (len(those), those.count("true")) == (customers, churned)


def test_size_says_for_how_many_a_condition_is_unknown(telco: RealProject) -> None:
    sized = document("size", "small_or_unknown", cwd=telco.folder)

    assert sized["facts"]["members"] == len(telco.expected_members("small_or_unknown"))
    assert [leaf["unknown"] for leaf in document("size", "not_small", cwd=telco.folder)["data"]] == [
        telco.fact("blank TotalCharges")
    ]


@pytest.mark.parametrize("segment", sql_answers("telco_churn"))
def test_members_are_those_of_the_query_beside(telco: RealProject, segment: str) -> None:
    expected = telco.expected_members(segment)

    assert expected
    assert telco.members(segment) == expected


def test_a_past_as_of_sees_the_record_of_that_time(history: RealProject) -> None:
    monthly = {row[0] for row in history.query("SELECT customerID FROM january WHERE Contract = 'Month-to-month'")}
    charges = history.query("SELECT customerID, MonthlyCharges FROM january WHERE Contract = 'Month-to-month'")

    rows = history.export("month_to_month", "monthly_charges", "churn", run=0)

    assert {row["profile_id"] for row in rows} == monthly
    assert {(row["profile_id"], row["monthly_charges"]) for row in rows} == set(charges)
    assert {row["churn"] for row in rows} == {"false"}


def test_the_later_record_holds_from_its_time_on_though_it_arrived_first(history: RealProject) -> None:
    assert history.size("churned") == history.fact("churned")
    assert [history.size("month_to_month")] == [
        monthly for contract, monthly, _ in history.fact("churn rate by contract") if contract == "Month-to-month"
    ]


def test_diff_names_those_whose_record_changed(history: RealProject) -> None:
    left = set(ok("diff", "month_to_month", "-f", "ids", cwd=history.folder).split())
    (churned,) = document("diff", "churned", cwd=history.folder)["data"]

    assert left == history.expected_members("signed_up")
    assert (churned["before"], churned["entered"]) == (0, history.fact("churned"))


@pytest.mark.parametrize("segment", sql_answers("telco_history"))
def test_members_by_history_are_those_of_the_query_beside(history: RealProject, segment: str) -> None:
    expected = history.expected_members(segment)

    assert expected
    assert history.members(segment) == expected


def test_duckdb_counts_the_same(history: RealProject) -> None:
    assert history.sizes_by("duckdb", MARCH) == history.sizes
