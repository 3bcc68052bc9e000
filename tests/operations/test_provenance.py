"""What runs record of their inputs, and what is said when those are others today."""

from __future__ import annotations

from pathlib import Path

import pytest
from end_to_end.program import document, ok

from segctl.operations import provenance
from segctl.operations.provenance import Origin, zone_digest

FILES = {
    "segctl.yaml": "segctl: 1\nname: shop\ntimezone: Europe/Berlin\nidentifiers: {nr: {class: known}}\n"
    "traits: {country: text}\n",
    "sources/crm.yaml": "source: crm\npath: crm.csv\nkey: {nr: nr}\nprofiles: {country: land}\n",
    "crm.csv": "nr,land\n1,DE\n2,DE\n3,AT\n",
    "segments/old.yaml": "segment: old\nwhere: {list: lists/vip.csv, identifier: nr}\n",
    "segments/plain.yaml": "segment: plain\nwhere: {trait: country, equals: DE}\n",
    "segments/uses.yaml": (
        "segment: uses\nwhere:\n  all: [{segment: old}, {trait: country, in: {list: lists/lands.csv}}]\n"
    ),
    "lists/vip.csv": "1\n2\n",
    "lists/lands.csv": "DE\n",
}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    ok("ingest", cwd=tmp_path)
    ok("apply", cwd=tmp_path)
    return tmp_path


def rename(shop: Path, old: str, new: str) -> None:
    text = FILES["segments/old.yaml"].replace("segment: old", f"segment: {new}\nformerly: [{old}]")
    (shop / f"segments/{old}.yaml").unlink()
    (shop / f"segments/{new}.yaml").write_text(text)
    uses = shop / "segments/uses.yaml"
    uses.write_text(uses.read_text().replace(f"segment: {old}}}", f"segment: {new}}}"))


def test_another_list_than_the_runs_is_named(shop: Path) -> None:
    before = ok("explain", "uses", "1", "--run", "last", cwd=shop)
    (shop / "lists/vip.csv").write_text("1\n")

    notes = {name: ok("explain", name, "1", "--run", "last", cwd=shop) for name in ("uses", "old", "plain")}

    said = "the list `lists/vip.csv` has changed since that run"
    assert said not in before
    assert [name for name, text in notes.items() if said in text] == ["uses", "old"]


def test_diff_and_history_tell_which_list_changed(shop: Path) -> None:
    (shop / "lists/lands.csv").write_text("DE\nAT\n")
    ok("apply", cwd=shop)

    assert "the list `lists/lands.csv` is another one in the later run" in ok("diff", cwd=shop)
    assert "lists/vip.csv" not in ok("diff", cwd=shop)
    changed = {
        name: [row["changed"] for row in document("history", name, cwd=shop)["data"]] for name in ("uses", "plain")
    }
    assert changed == {"uses": [[], ["lists/lands.csv"]], "plain": [[], []]}


def test_runs_before_several_renames_keep_their_definition(shop: Path) -> None:
    rename(shop, "old", "middle")
    ok("apply", cwd=shop)
    rename(shop, "middle", "new")
    ok("apply", cwd=shop)

    rows = document("history", "new", cwd=shop)["data"]
    first = document("ls", "runs", cwd=shop)["data"][-1]["run"]

    assert len(rows) == 3
    assert len({row["definition"] for row in rows} - {None}) == 1
    assert None not in [row["definition"] for row in rows]
    assert [row["changed"] for row in rows] == [[], [], []]
    assert "has changed" not in ok("explain", "new", "1", "--run", first, cwd=shop)


def test_a_segment_just_renamed_is_not_called_changed(shop: Path) -> None:
    rename(shop, "old", "new")
    ok("apply", cwd=shop)

    moves = {row["segment"]: row["definition"] for row in document("diff", cwd=shop)["data"]}

    assert moves == {"new": "same", "plain": "same", "uses": "same"}
    assert "has changed" not in ok("show", "segment:new", cwd=shop)


def test_other_rules_of_the_zone_are_a_change(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "Europe").mkdir()
    (tmp_path / "Europe/Berlin").write_bytes(b"other rules")
    here = Origin("d", {}, ("Europe/Berlin", zone_digest("Europe/Berlin") or ""))
    monkeypatch.setattr(provenance, "TZPATH", (str(tmp_path),))
    there = Origin("d", {}, ("Europe/Berlin", zone_digest("Europe/Berlin") or ""))

    assert here.changes_to(there) == ("zone data",)
    assert here.changes_to(here) == ()


def test_what_a_run_did_not_record_is_no_change() -> None:
    assert Origin("d", None, None).changes_to(Origin("d", {"a.csv": "1"}, ("UTC", "1"))) == ()
