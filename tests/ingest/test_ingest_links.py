"""Rows that carry several identifiers leave links between them."""

from __future__ import annotations

import pytest
from conftest import Shop


@pytest.fixture
def linked(shop: Shop) -> Shop:
    shop.source(
        "web",
        "path: web.csv\nkey: {customer_id: customer, device_id: device}\n"
        "events:\n  - event: page_viewed\n    time: at\n    id: id\n    properties: {section: section}\n",
    )
    return shop


HEAD = "id,at,customer,device,section\n"


def pairs(shop: Shop) -> list[tuple[str, str, str, int]]:
    subjects = shop.rows("subjects")
    name = dict(zip(subjects["subject"], subjects["id_type"] + ":" + subjects["value"], strict=True))
    frame = shop.rows("links")
    if frame.is_empty():
        return []
    return sorted(
        (name[a], name[b], f"{seen:%d %H}", line)
        for a, b, seen, line in frame.select("subject_a", "subject_b", "seen", "line").iter_rows()
    )


def test_a_row_with_two_identifiers_links_them_once_with_its_earliest_time(linked: Shop) -> None:
    linked.file(
        "web.csv",
        HEAD + "1,2026-11-02T10:00:00Z,K1,d1,a\n2,2026-11-01T09:00:00Z,K1,d1,b\n3,2026-11-03T08:00:00Z,,d2,c\n"
        "4,2026-11-03T08:00:00Z,K1,d3,c\n",
    )

    found = linked.ingest("web")

    assert found.links == 2
    assert pairs(linked) == [
        ("customer_id:K1", "device_id:d1", "01 09", 3),
        ("customer_id:K1", "device_id:d3", "03 08", 5),
    ]


def test_a_known_link_is_not_stored_again(linked: Shop) -> None:
    linked.file("web.csv", HEAD + "1,2026-11-02T10:00:00Z,K1,d1,a\n")
    linked.ingest("web")
    linked.file(
        "web.csv", HEAD + "1,2026-11-02T10:00:00Z,K1,d1,a\n2,2026-11-01T10:00:00Z,K1,d1,a\n3,2026-11-01,K2,d1,a\n"
    )

    found = linked.ingest("web")

    assert (found.new, found.links) == (2, 1)
    assert [pair[:2] for pair in pairs(linked)] == [
        ("customer_id:K1", "device_id:d1"),
        ("customer_id:K2", "device_id:d1"),
    ]


def test_bad_rows_and_dry_runs_leave_no_link(linked: Shop) -> None:
    linked.file("web.csv", HEAD + "1,never,K1,d1,a\n" + "".join(f"{n},2026-11-01,K2,,a\n" for n in range(2, 300)))

    assert linked.ingest("web").links == 0
    assert linked.ingest("web", dry_run=True).links == 0
    assert pairs(linked) == []


def test_a_row_that_breaks_the_contract_leaves_no_link_and_takes_none_from_a_good_one(linked: Shop) -> None:
    """The pair of K2 stands in a bad row first, that of K1 in a bad row only."""
    declared = (linked.root / "sources" / "web.yaml").read_text("utf-8")
    contract = "contract: {properties: {section: {enum: [a, b]}}}\nmax_bad_rows: 9\n"
    (linked.root / "sources" / "web.yaml").write_text(declared + contract, "utf-8")
    linked.file(
        "web.csv",
        HEAD + "1,2026-11-01T10:00:00Z,K1,d1,never\n2,2026-11-01T11:00:00Z,K2,d2,never\n"
        "3,2026-11-02T12:00:00Z,K2,d2,a\n4,2026-11-03T12:00:00Z,K3,d3,b\n",
    )  # fmt: skip

    found = linked.ingest("web")

    assert (found.bad, found.new, found.links) == (2, 2, 2)
    assert pairs(linked) == [
        ("customer_id:K2", "device_id:d2", "02 12", 4),
        ("customer_id:K3", "device_id:d3", "03 12", 5),
    ]


def test_profile_records_link_too(shop: Shop) -> None:
    shop.source("crm", "path: crm.csv\nkey: {customer_id: customer, device_id: device}\nprofiles: {city: city}\n")
    shop.file("crm.csv", "customer,device,city\nK1,d1,Bonn\n,d2,Bonn\nK3,,Bonn\n")

    assert shop.ingest("crm").links == 1
    assert shop.rows("links").select("seen", "line").rows() == [(None, 2)]


def test_compaction_keeps_every_link(linked: Shop) -> None:
    from segctl.state.compaction import compact

    for n in range(3):
        linked.file("web.csv", HEAD + f"{n},2026-11-02T10:00:00Z,K{n},d{n},a\n")
        linked.ingest("web")
    before = pairs(linked)
    with linked.workspace() as workspace:
        compact(workspace)
        assert len(workspace.files("links")) == 1

    assert len(before) == 3
    assert pairs(linked) == before
