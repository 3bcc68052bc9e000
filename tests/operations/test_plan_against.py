"""What a branch changes: definitions of a Git revision and of the working tree on the same data."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from end_to_end.program import ok, run
from git_repository import committed, git

FILES = {
    "segctl.yaml": "segctl: 1\nname: shop\nidentifiers: {customer_id: {class: known}}\ntraits: {country: text}\n",
    "sources/crm.yaml": "source: crm\npath: crm.csv\nkey: {customer_id: nr}\nprofiles: {country: land}\n",
    "crm.csv": "nr,land\n1,DE\n2,DE\n3,AT\n4,CH\n",
    "segments/german.yaml": "segment: german\nwhere: {trait: country, equals: DE}\n",
    "segments/dach.yaml": "segment: dach\nwhere: {trait: country, exists: true}\n",
    "segments/old.yaml": "segment: old\nwhere: {trait: country, equals: AT}\n",
    "segments/listed.yaml": "segment: listed\nwhere: {list: lists/vip.csv, identifier: customer_id}\n",
    "lists/vip.csv": "1\n3\n",
}


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with the project in a sub-folder, its data read and no run recorded."""
    repository = tmp_path_factory.mktemp("repository")
    committed(repository, repository / "shop", FILES)
    ok("ingest", cwd=repository / "shop")
    return repository


@pytest.fixture
def shop(first: Path, tmp_path: Path) -> Path:
    """The project with some changes in the working tree."""
    shutil.copytree(first, tmp_path / "repository")
    shop = tmp_path / "repository" / "shop"
    (shop / "segments/german.yaml").write_text(
        "segment: german\nguards: {max_added: 40 %}\nwhere: {trait: country, in: [DE, AT]}\n"
    )
    (shop / "segments/dach.yaml").write_text(FILES["segments/dach.yaml"] + "title: D-A-CH\n")
    (shop / "segments/old.yaml").unlink()
    (shop / "segments/fresh.yaml").write_text("segment: fresh\nwhere: {trait: country, equals: CH}\n")
    (shop / "lists/vip.csv").write_text("1\n2\n4\n")
    return shop


def planned(shop: Path, *arguments: str) -> dict[str, Any]:
    """The document of `plan --against`, whatever its exit."""
    done = run("plan", "--against", *arguments, "-f", "json", cwd=shop)
    assert done.returncode in (0, 1, 4), done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def rows(found: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
    """Segment → definition, before, entered, left, after."""
    keys = ("definition", "before", "entered", "left", "after")
    return {row["segment"]: tuple(row[key] for key in keys) for row in found["data"]}


def test_both_definitions_are_asked_about_the_same_data(shop: Path) -> None:
    found = planned(shop, "main")

    assert rows(found) == {
        "dach": ("same", None, 0, 0, None),
        "fresh": ("new", None, 1, 0, 1),
        "german": ("changed", 2, 1, 0, 3),
        "listed": ("same", 2, 2, 1, 3),
        "old": ("removed", 1, 0, 1, 0),
    }
    assert found["exit"] == {"code": 4, "name": "refused", "reason": "guard"}
    assert [r["cause"] for r in found["sections"]["reasons"] if r["segment"] == "listed"] == ["list changed"] * 2
    assert (found["plan"]["against"]["revision"], found["plan"]["last_run"]) == ("main", None)


def test_a_branch_without_changes_has_none(shop: Path) -> None:
    git(shop, "add", ".")
    git(shop, "commit", "-m", "second")

    assert run("plan", "--against", "HEAD", "--exit-code", cwd=shop).returncode == 0
    assert run("plan", "--against", "HEAD~1", "--exit-code", "german", "--allow", "added=50%", "--reason", "x",
               cwd=shop).returncode == 1  # fmt: skip


def test_without_data_definitions_are_compared_all_the_same(shop: Path) -> None:
    shutil.rmtree(shop / ".segctl")

    found = planned(shop, "main")
    page = run("plan", "--against", "main", "-f", "markdown", cwd=shop)

    assert rows(found)["german"] == ("changed", None, None, None, None)
    assert "nobody was counted" in page.stderr
    assert "+ country is one of DE, AT" in page.stdout
    assert "| `german` | changed |\n" in page.stdout
    assert not (shop / ".segctl").exists()


def test_a_comparison_cannot_be_applied_and_names_who_moves(shop: Path) -> None:
    run("plan", "--against", "main", "-o", "plan.json", cwd=shop)
    done = run("apply", "plan.json", cwd=shop)
    moves = run("plan", "german", "--against", "main", "--moves", "-f", "csv", cwd=shop)

    assert done.returncode == 2
    assert "SEG575" in done.stderr
    assert moves.stdout.splitlines() == ["segment,profile_id,change,cause", "german,3,entered,definition changed"]


@pytest.mark.parametrize(("revision", "code"), [("mian", "SEG406"), ("--help", "SEG406")])
def test_a_revision_that_does_not_exist_says_so(shop: Path, revision: str, code: str) -> None:
    done = run("plan", f"--against={revision}", cwd=shop)

    assert done.returncode == 2
    assert code in done.stderr


def test_what_is_paused_is_left_out(shop: Path) -> None:
    ok("apply", cwd=shop)
    ok("pause", "german", "--reason", "data are wrong", cwd=shop)

    found = planned(shop, "main")

    assert set(rows(found)) == {"dach", "fresh", "listed", "old"}
    assert (found["facts"]["paused"], found["exit"]["code"]) == (["german"], 0)


def test_of_everything_that_is_paused_nothing_is_compared(shop: Path) -> None:
    ok("pause", "--all", "--reason", "stop", cwd=shop)

    done = run("plan", "--against", "main", "-f", "json", cwd=shop)

    assert json.loads(done.stdout)["data"] == []
    assert "all segments are paused" in done.stderr


def test_a_removed_segment_that_is_paused_keeps_its_members(shop: Path) -> None:
    (shop / "segments/old.yaml").write_text(FILES["segments/old.yaml"])
    ok("pause", "old", "--reason", "still needed", cwd=shop)
    (shop / "segments/old.yaml").unlink()

    assert "old" not in rows(planned(shop, "main"))


@pytest.mark.parametrize(("mode", "code"), [("", 4), (", stale: mark", 0)])
def test_old_inputs_refuse_a_changed_segment_or_mark_it(shop: Path, mode: str, code: int) -> None:
    (shop / "segments/german.yaml").write_text(
        f"segment: german\nfresh: {{crm: 1 day{mode}}}\nwhere: {{trait: country, in: [DE, AT]}}\n"
    )

    done = run("plan", "german", "--against", "main", "--as-of", "2126-01-01", cwd=shop)

    assert done.returncode == code, done.stderr
    assert "`german` asks for at most 1 day" in done.stderr
    assert run("plan", "german", "--against", "main", cwd=shop).returncode == 0


def test_no_guard_holds_a_segment_that_has_ended(shop: Path) -> None:
    (shop / "segments/german.yaml").write_text(
        "segment: german\nexpires: 2026-01-01\nguards: {min_size: 2}\nwhere: {trait: country, equals: AT}\n"
    )

    found = planned(shop, "main", "german", "--as-of", "2026-06-01")

    assert (rows(found)["german"][1:], found["exit"]["code"]) == ((2, 0, 2, 0), 0)
