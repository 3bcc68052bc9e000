"""Renamed and removed segments, and people with unusual identifiers, through the program."""

from __future__ import annotations

from pathlib import Path

import pytest
from end_to_end.program import document, ok, run

FILES = {
    "segctl.yaml": "segctl: 1\nname: shop\nidentifiers: {customer_id: {class: known}}\ntraits: {country: text}\n",
    "sources/crm.yaml": "source: crm\npath: crm.csv\nkey: {customer_id: nr}\nprofiles: {country: land}\n",
    "crm.csv": "nr,land\nJosé,DE\n007,DE\na:b,AT\n",
    "segments/old.yaml": "segment: old\nwhere: {trait: country, equals: DE}\n",
    "segments/gone.yaml": "segment: gone\nwhere: {trait: country, equals: DE}\n",
    "segments/stays.yaml": "segment: stays\nwhere: {trait: country, equals: AT}\n",
}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    ok("ingest", cwd=tmp_path)
    ok("apply", cwd=tmp_path)
    return tmp_path


def test_diff_says_that_a_definition_was_removed(shop: Path) -> None:
    (shop / "segments/gone.yaml").unlink()
    (shop / "segments/old.yaml").unlink()
    (shop / "segments/renamed.yaml").write_text(FILES["segments/old.yaml"].replace("old", "renamed\nformerly: [old]"))
    ok("apply", cwd=shop)

    rows = {row["segment"]: (row["left"], row["definition"]) for row in document("diff", cwd=shop)["data"]}

    assert rows == {"gone": (2, "removed"), "renamed": (0, "same"), "stays": (0, "same")}


def test_a_definition_that_came_back_has_no_members_before_the_next_run(shop: Path) -> None:
    (shop / "segments/gone.yaml").unlink()
    ok("apply", cwd=shop)
    (shop / "segments/gone.yaml").write_text(FILES["segments/gone.yaml"])

    rows = {row["segment"]: row["members"] for row in document("ls", cwd=shop)["data"]}

    assert rows == {"gone": None, "old": 2, "stays": 1}


def test_explain_says_that_the_definition_is_not_the_one_of_the_run(shop: Path) -> None:
    before = ok("explain", "old", "007", "--run", "last", cwd=shop)
    (shop / "segments/old.yaml").write_text(FILES["segments/old.yaml"].replace("DE", "AT"))

    after = ok("explain", "old", "007", "--run", "last", cwd=shop)

    assert "has changed since that run" not in before
    assert "has changed since that run" in after


def test_a_segment_that_a_run_left_out_is_not_called_removed(shop: Path) -> None:
    ok("apply", "--select", "stays", cwd=shop)

    rows = {row["segment"]: row["definition"] for row in document("diff", cwd=shop)["data"]}

    assert "removed" not in rows.values()


def test_a_selection_of_nothing_records_no_run(shop: Path) -> None:
    (shop / "segments/old.yaml").write_text(FILES["segments/old.yaml"].replace("where", "status: paused\nwhere"))
    before = document("ls", "runs", cwd=shop)["data"]

    for selection in (["--select", "old"], ["--exclude", "*"]):
        assert "no run was recorded" in run("apply", *selection, cwd=shop).stderr

    assert document("ls", "runs", cwd=shop)["data"] == before


def test_removing_the_last_segments_is_recorded(shop: Path) -> None:
    for path in (shop / "segments").iterdir():
        path.unlink()

    rows = document("apply", cwd=shop)["data"]

    assert sorted((row["segment"], row["left"]) for row in rows) == [("gone", 2), ("old", 2), ("stays", 1)]
    assert len(document("ls", "runs", cwd=shop)["data"]) == 2


@pytest.mark.parametrize("who", ["José", "Jose\u0301", " 007 ", "a:b", "customer_id:007"])
def test_a_person_is_found_however_the_identifier_is_typed(shop: Path, who: str) -> None:
    found = document("profile", who, cwd=shop)

    assert found["facts"]["profile_id"] == who.strip().replace("e\u0301", "é").removeprefix("customer_id:")
