"""An analytics export with nested parameters, through the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from end_to_end.program import document
from end_to_end.real_project import RealProject, sql_answers, total

TRAITS = {
    "page_view": "page_views",
    "user_engagement": "user_engagements",
    "session_start": "session_starts",
    "first_visit": "first_visits",
    "scroll": "scrolls",
    "view_search_results": "searches",
    "view_promotion": "view_promotions",
    "add_payment_info": "add_payment_infos",
    "view_item": "view_items",
}


@pytest.fixture(scope="module")
def site(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> RealProject:
    """The site, read once."""
    return RealProject("ga4_export", shared, tmp_path_factory.mktemp("real")).ingest().apply("2021-01-01")


def test_every_event_and_every_parameter_is_an_event(site: RealProject) -> None:
    ((params,),) = site.query("SELECT count(*) FROM params")

    by_kind = dict(site.source("events")["by_kind"])

    assert by_kind.pop("event_param") == params
    assert by_kind == dict(site.fact("by name"))
    assert sum(by_kind.values()) == site.fact("events")


def test_every_browser_is_a_profile(site: RealProject) -> None:
    assert site.size("users") == site.fact("users")


def test_events_of_each_name_add_up_over_the_users(site: RealProject) -> None:
    users = site.export("users", *TRAITS.values(), "params")

    for name, events in site.fact("by name"):
        assert total(users, TRAITS[name]) == events
    assert [(total(users, "params"),)] == site.query("SELECT count(*) FROM params")


def test_the_dictionary_of_a_kind_shows_its_rows(site: RealProject) -> None:
    shown = document("show", "event:page_view", cwd=site.folder)

    assert shown["facts"]["rows"] == dict(site.fact("by name"))["page_view"]


@pytest.mark.parametrize("segment", sql_answers("ga4_export"))
def test_members_are_those_of_the_query_beside(site: RealProject, segment: str) -> None:
    expected = site.expected_members(segment)

    assert expected
    assert site.members(segment) == expected


def test_duckdb_counts_the_same(site: RealProject) -> None:
    assert site.sizes_by("duckdb", "2021-01-01") == site.sizes
