"""The recipes of `segctl help ci` and the hooks for pre-commit are valid, and every command in them runs as printed."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml
from end_to_end.program import run

from segctl.cli.commands.help import topic_text
from segctl.cli.table import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
TEXT = topic_text("ci")
HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
PROJECT = {
    "segctl.yaml": "segctl: 1\nname: shop\nidentifiers: {customer_id: {class: known}}\ntraits: {points: integer}\n",
    "segments/rich.yaml": "segment: rich\ndescription: Many points.\nowner: crm@shop.example\n"
    "where: {trait: points, at_least: 100}\n",
    "sources/crm.yaml": "source: crm\npath: data/crm.csv\nkey: {customer_id: id}\nprofiles: {points: points}\n",
    "data/crm.csv": "id,points\n1,100\n2,99\n",
    "tests/rich.yaml": "cases:\n  - case: bounds\n    given: {anna: {points: 100}, ben: {points: 99}}\n"
    "    expect: {rich: {members: [anna], non_members: [ben]}}\n",
}


def recipe(begin: str) -> Any:
    """The YAML that is printed below a line."""
    lines = TEXT.split(begin, 1)[1].splitlines()[2:]
    end = next((n for n, line in enumerate(lines) if line and not line.startswith("  ")), len(lines))
    return yaml.safe_load(textwrap.dedent("\n".join(lines[:end])))


GITHUB, GITLAB, PRE_COMMIT = recipe("segments.yaml:"), recipe(".gitlab-ci.yml:"), recipe(".pre-commit-config.yaml:")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A small project in a repository with a branch to compare with."""
    for path, text in PROJECT.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    for words in ("init -q -b main", "add -A", "-c user.name=a -c user.email=a@shop.example commit -q -m a",
                  "update-ref refs/remotes/origin/main HEAD"):  # fmt: skip
        subprocess.run(["git", *words.split()], cwd=tmp_path, check=True)
    return tmp_path


def called(lines: list[str], folder: Path, **variables: str) -> None:
    """Run the lines that call segctl, with the variables of the pipeline."""
    for line in lines:
        for name, value in variables.items():
            line = line.replace(f"${name}", value)
        if not line.startswith("segctl "):
            continue
        assert "$" not in line, line
        done = run(*shlex.split(line)[1:], cwd=folder)
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"


def test_the_steps_for_github_run_as_printed(shop: Path) -> None:
    job = GITHUB["jobs"]["check"]
    steps = job["steps"]
    base = job["env"]["BASE"].replace("${{ github.base_ref }}", "main")

    called([step["run"] for step in steps if "run" in step], shop, BASE=base)

    (upload,) = [step["with"]["sarif_file"] for step in steps if "upload-sarif" in step.get("uses", "")]
    assert json.loads((shop / upload).read_text())["version"] == "2.1.0"
    assert (shop / "plan.md").stat().st_size
    # `on` is a truth value in YAML 1.1; GitHub reads YAML 1.2.
    assert GITHUB[True] == ["pull_request"]


def test_the_job_for_gitlab_runs_as_printed(shop: Path) -> None:
    job = GITLAB["segments"]
    base = job["variables"]["BASE"].replace("$CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main")

    called(job["script"], shop, BASE=base)

    reports = job["artifacts"]["reports"]
    assert json.loads((shop / reports["codequality"]).read_text()) == []
    assert (shop / reports["junit"]).read_text().startswith("<?xml")
    assert all((shop / path).exists() for path in job["artifacts"]["paths"])


def test_the_line_for_cron_runs_and_prints_nothing(shop: Path) -> None:
    line = re.search(r"^  15 5 (.*?)\n\n", TEXT, re.MULTILINE | re.DOTALL)
    assert line is not None
    commands = [part.strip() for part in " ".join(line[1].split()).split("&&")][1:]

    for command in commands:
        command, _, kept = command.partition(" > ")
        done = run(*shlex.split(command)[1:], cwd=shop)
        assert (done.returncode, done.stdout if not kept else "") == (0, ""), f"{command}\n{done.stdout}\n{done.stderr}"

    assert [command.split()[1] for command in commands] == ["lint", "test", "ingest", "plan", "apply"]


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_a_hook_runs_and_looks_at_the_right_files(hook: dict[str, Any], shop: Path) -> None:
    assert set(hook) == {"id", "name", "description", "entry", "language", "files", "pass_filenames"}
    assert hook["pass_filenames"] is False
    assert re.search(hook["files"], "crm/segments/eu/rich.yaml")
    assert not re.search(hook["files"], "README.md")

    called([hook["entry"]], shop)


def test_the_hooks_that_are_printed_exist() -> None:
    (repository,) = PRE_COMMIT["repos"]

    assert {hook["id"] for hook in repository["hooks"]} <= {hook["id"] for hook in HOOKS}


def test_a_fault_ends_every_pipeline(shop: Path) -> None:
    (shop / "segments/rich.yaml").write_text("segment: rich\nwhere: {trait: pionts, at_least: 100}\n")
    first = [step["run"] for step in GITHUB["jobs"]["check"]["steps"] if "lint -f github" in step.get("run", "")]
    first += [line for line in GITLAB["segments"]["script"] if "lint" in line] + [HOOKS[0]["entry"]]

    assert len(first) == 3
    assert [run(*shlex.split(line)[1:], cwd=shop).returncode for line in first] == [1, 1, 1]


def test_every_verb_of_the_recipes_exists() -> None:
    verbs = set(re.findall(r"(?:^|[ `])segctl ([a-z]+)\b", TEXT))

    assert verbs - {"with"} <= set(COMMANDS)
    assert {"lint", "test", "plan", "apply"} <= verbs
