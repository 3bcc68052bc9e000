"""Selecting by what changed and by what the last runs meant, through the program and in a Git repository."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from end_to_end.program import document, ok, run
from git_repository import committed as write_and_commit
from git_repository import git

FILES = {
    "segctl.yaml": "segctl: 1\nname: shop\nidentifiers: {customer_id: {class: known}}\ntraits: {country: text}\n",
    "sources/crm.yaml": "source: crm\npath: crm.csv\nkey: {customer_id: nr}\nprofiles: {country: land}\n",
    "crm.csv": "nr,land\n1,DE\n2,DE\n3,AT\n4,\n",
    "segments/german.yaml": "segment: german\ntags: [dach]\nwhere: {trait: country, equals: DE}\n",
    "segments/dach.yaml": "segment: dach\nwhere: {any: [{segment: german}, {trait: country, equals: AT}]}\n",
    "segments/listed.yaml": "segment: listed\nwhere: {list: lists/vip.csv, identifier: customer_id}\n",
    "segments/strict.yaml": "segment: strict\nwhere: {trait: country, equals: CH, missing: error}\n",
    "lists/vip.csv": "1\n3\n",
}


@pytest.fixture(scope="module")
def committed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose project lies in a sub-folder; one run is on record, in which `strict` failed."""
    repository = tmp_path_factory.mktemp("repository")
    project = repository / "crm" / "shop"
    write_and_commit(repository, project, FILES)
    ok("ingest", cwd=project)
    assert run("apply", cwd=project).returncode == 5
    return repository


@pytest.fixture
def shop(committed: Path, tmp_path: Path) -> Path:
    """The project, changed since: one meaning, one title, one new file."""
    shutil.copytree(committed, tmp_path / "repository")
    project = tmp_path / "repository" / "crm" / "shop"
    (project / "segments/german.yaml").write_text("segment: german\nwhere: {trait: country, in: [DE, LI]}\n")
    (project / "segments/listed.yaml").write_text(FILES["segments/listed.yaml"] + "title: Listed\n")
    (project / "segments/fresh.yaml").write_text("segment: fresh\nwhere: {segment: listed}\n")
    return project


def selected(shop: Path, *arguments: str) -> list[str]:
    """Names that `ls` previews."""
    return ok("ls", *arguments, "-f", "ids", cwd=shop).split()


def test_states_are_those_of_meaning_not_of_text(shop: Path) -> None:
    # `strict` failed, so no meaning of it is in force and it counts as new.
    assert selected(shop, "-s", "state:modified") == ["dach", "fresh", "german", "strict"]
    assert selected(shop, "-s", "state:new") == ["fresh", "strict"]
    assert selected(shop, "-s", "state:modified", "--state", "HEAD") == ["dach", "fresh", "german"]
    assert selected(shop, "-s", "1+state:new", "--state", "main") == ["fresh", "listed"]
    assert selected(shop, "-s", "result:failed") == ["strict"]


def test_a_renamed_segment_is_no_new_one(shop: Path) -> None:
    (shop / "segments/listed.yaml").unlink()
    (shop / "segments/vip.yaml").write_text(FILES["segments/listed.yaml"].replace("listed", "vip\nformerly: [listed]"))
    (shop / "segments/fresh.yaml").unlink()

    assert selected(shop, "-s", "state:unmodified") == ["vip"]


def test_a_run_may_be_compared_with(shop: Path) -> None:
    name = document("ls", "runs", cwd=shop)["data"][0]["run"]

    assert selected(shop, "-s", "state:new", "--state", name) == ["fresh"]


def test_what_a_selection_previews_is_what_commands_take(shop: Path) -> None:
    names = [row["segment"] for row in document("apply", "-s", "+fresh", cwd=shop)["data"]]

    assert names == ["fresh", "listed"]
    assert {row["segment"] for row in document("diff", "-s", "+fresh", "german", cwd=shop)["data"]} == {
        "fresh",
        "german",
        "listed",
    }
    shown = document("show", "-s", "+fresh", cwd=shop)
    assert [row["segment"] for row in shown["data"]] == ["fresh", "listed"]
    assert shown["sections"]["fresh"] == [{"definition": "in segment listed"}]
    rows = document("size", "-s", "kind:list kind:any", cwd=shop)["data"]
    assert rows == [
        {"segment": "dach", "members": 3, "matched": 3},
        {"segment": "listed", "members": 2, "matched": 2},
    ]


def test_nothing_selected_is_an_error_unless_allowed(shop: Path) -> None:
    refused = run("apply", "-s", "tag:nightly", cwd=shop)
    allowed = run("apply", "-s", "tag:nightly", "--allow-empty", cwd=shop)

    assert (refused.returncode, allowed.returncode) == (2, 0)
    assert "no run was recorded" in allowed.stderr
    assert run("size", "-s", "winner", "german", cwd=shop).returncode == 2


@pytest.mark.parametrize(
    ("state", "code", "hint"),
    [("mian", "SEG406", "git branch"), ("segctl.yaml", "SEG409", "segctl plan"), ("-x", "SEG406", "git branch")],
)
def test_a_state_that_does_not_exist_says_so(shop: Path, state: str, code: str, hint: str) -> None:
    done = run("ls", "-s", "state:new", f"--state={state}", cwd=shop)

    assert done.returncode == 2
    assert code in done.stderr
    assert hint in done.stderr


def test_revisions_need_git_and_a_repository(shop: Path, tmp_path: Path) -> None:
    without_git = run("ls", "-s", "state:new", "--state", "main", cwd=shop, PATH="/nowhere")
    shutil.move(shop, tmp_path / "alone")
    outside = run("ls", "-s", "state:new", "--state", "main", cwd=tmp_path / "alone")

    assert (without_git.returncode, outside.returncode) == (2, 2)
    assert "Git is not installed" in without_git.stderr
    assert "SEG405" in outside.stderr


def test_a_revision_with_errors_or_without_the_project_is_told(shop: Path) -> None:
    git(shop, "checkout", "-q", "--orphan", "empty")
    git(shop, "read-tree", "--empty")
    git(shop, "commit", "-q", "--allow-empty", "-m", "nothing")
    (shop / "segments/german.yaml").write_text("segment: german\nwhere: {trait: contry, equals: DE}\n")
    git(shop, "add", ".")
    git(shop, "commit", "-q", "-m", "wrong")
    (shop / "segments/german.yaml").write_text(FILES["segments/german.yaml"])

    wrong = run("ls", "-s", "state:new", "--state", "empty", cwd=shop)
    empty = run("ls", "-s", "state:new", "--state", "empty~1", cwd=shop)

    assert (wrong.returncode, empty.returncode) == (2, 2)
    assert "empty:segments/german.yaml:2:16" in wrong.stderr
    assert "SEG408" in wrong.stderr
    assert "SEG407" in empty.stderr


def test_a_worktree_is_a_repository_too(shop: Path, tmp_path: Path) -> None:
    git(shop, "worktree", "add", "-q", str(tmp_path / "tree"), "HEAD")
    there = tmp_path / "tree" / "crm" / "shop"
    (there / "segments/german.yaml").write_text("segment: german\nwhere: {trait: country, equals: CH}\n")

    assert selected(there, "-s", "state:modified", "--state", "main") == ["dach", "german"]


def test_the_states_of_a_selection_stay_small_in_json(shop: Path) -> None:
    run_of = json.loads(ok("apply", "-s", "state:modified", "--exclude", "strict", "-n", "-f", "json", cwd=shop))

    assert [row["segment"] for row in run_of["data"]] == ["dach", "fresh", "german"]


def test_lint_tells_of_selected_files_only_even_when_others_are_wrong(shop: Path) -> None:
    (shop / "segments/german.yaml").write_text("segment: german\nwhere: {trait: contry, equals: DE}\n")

    chosen, other = (run("lint", "-s", names, "-f", "concise", cwd=shop) for names in ("german", "listed"))

    assert (chosen.returncode, other.returncode) == (1, 0)
    assert "SEG204" in chosen.stdout
    assert "german" not in other.stdout
