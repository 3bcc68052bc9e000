"""What the README prints works as printed, in an empty folder."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml
from end_to_end.program import run, run_anew

from segctl.cli.table import COMMANDS

README = (Path(__file__).resolve().parents[2] / "README.md").read_text("utf-8")
_BEFORE, _, _REST = README.partition("## Many systems, one set of people\n")
SYSTEMS, _, _AFTER = _REST.partition("\n## ")
"""Needs services, so tests/end_to_end/test_all_sources.py runs its commands."""
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", _BEFORE + "## " + _AFTER, re.DOTALL)
NOT_RUN = ("pip ", "cd ")
MAY_FIND = {"diff --guards --exit-code": (0, 1, 4), "consent import data/consents.csv": (3,)}


def commands() -> list[str]:
    """Every line of the shell blocks, without remarks."""
    lines = [line.split("  #")[0].strip() for kind, text in BLOCKS if kind == "sh" for line in text.splitlines()]
    return [line for line in lines if line]


def test_every_command_of_the_readme_runs_in_order(tmp_path: Path) -> None:
    here = tmp_path
    for line in commands():
        if line.startswith("cd "):
            here = here / line.removeprefix("cd ")
            continue
        words = shlex.split(line.partition("|")[0])
        if words[0] != "segctl" or words[1] == "completion":
            continue
        done = run_anew(*words[1:], cwd=here)
        allowed = MAY_FIND.get(" ".join(words[1:]), (0,))
        assert done.returncode in allowed, f"{line}\n{done.stdout}\n{done.stderr}"


def test_the_yaml_of_the_readme_is_that_of_the_project() -> None:
    root = Path(__file__).resolve().parents[2] / "configs"
    shown = [yaml.safe_load(text) for kind, text in BLOCKS if kind == "yaml"]

    assert shown
    for document in shown:
        if "cases" in document:
            cases = yaml.safe_load((root / "tests" / "winback.yaml").read_text("utf-8"))["cases"]
            assert all(case in cases for case in document["cases"])
            continue
        name = next(iter(document))
        path = root / f"{name}s" / f"{document[name]}.yaml"
        if name == "destination" and not path.exists():
            continue
        real = yaml.safe_load(path.read_text("utf-8"))
        assert {key: real[key] for key in document if key in real} == {k: v for k, v in document.items() if k in real}


def test_the_declarations_of_many_systems_have_no_errors(tmp_path: Path) -> None:
    for text in re.findall(r"```yaml\n(.*?)```", SYSTEMS, re.DOTALL):
        document = yaml.safe_load(text)
        path = tmp_path / ("segctl.yaml" if "segctl" in document else f"sources/{document['source']}.yaml")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")

    done = run("lint", cwd=tmp_path)

    assert (done.returncode, done.stdout.strip()) == (0, "0 errors in 4 files"), done.stdout


def test_the_destinations_of_the_readme_suit_the_shop(tmp_path: Path) -> None:
    run("init", ".", "--template", "shop", cwd=tmp_path)
    written = []
    for text in (text for kind, text in BLOCKS if kind == "yaml" and "\ndestination: " in text):
        name = yaml.safe_load(text)["destination"]
        (tmp_path / "destinations" / f"{name}.yaml").write_text(text, "utf-8")
        written.append(name)
    segment = tmp_path / "segments" / "winback.yaml"
    goes = f"send_to: [{', '.join(written)}]"
    segment.write_text(segment.read_text("utf-8").replace("send_to: [mailing_files]", goes), "utf-8")

    done = run("lint", "--fail-on", "warning", cwd=tmp_path)

    assert len(written) == 3
    assert goes in segment.read_text("utf-8")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("topic", ["push", "consent", "destinations", "waterfall", "audiences"])
def test_topics_about_pushes_are_there(topic: str) -> None:
    assert (Path(__file__).resolve().parents[2] / "segctl" / "help" / f"{topic}.md").exists()


@pytest.mark.parametrize("verb", COMMANDS)
def test_every_verb_is_named_in_the_readme(verb: str) -> None:
    assert f"`{verb}`" in README
