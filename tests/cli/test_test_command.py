"""`segctl test` as people and pipelines run it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from end_to_end.program import PROGRAM, run
from operations.segment_tests_project import write_project

FAILING = """
cases:
  - case: one that holds
    given: {anna: {country: DE}}
    expect: {germans: {members: [anna]}}
  - case: "one <that> does not"
    given: {anna: {country: DE}, ben: {country: FR, view: [1 day ago, 2 days ago]}}
    expect: {germans: {members: [anna, ben]}}
"""


@pytest.fixture
def failing(tmp_path: Path) -> Path:
    return write_project(tmp_path, FAILING)


def test_a_failure_shows_every_leaf_and_where_it_was_expected(failing: Path) -> None:
    done = run("test", cwd=failing)

    assert done.returncode == 1
    assert done.stdout.startswith(
        "error[SEG530]: one <that> does not: `ben` in `germans` is not a member, expected a member\n"
        "  --> tests/all.yaml:8:40\n"
    )
    assert "   decided  false  where  country is DE " in done.stdout
    assert "FR" in done.stdout.partition("country is DE ")[2]
    assert re.search(r"\n1 of 2 cases failed, 1 segment tested \(\d+\.\d\d s\)\n$", done.stdout)


def test_reports_name_the_cases(failing: Path) -> None:
    junit = ET.fromstring(run("test", "-f", "junit", cwd=failing).stdout)
    found = json.loads(run("test", "--json", cwd=failing).stdout)

    cases = junit.findall(".//testcase")
    assert [(c.get("classname"), c.get("name"), c.get("line"), len(c)) for c in cases] == [
        ("tests.all", "one that holds", "3", 0),
        ("tests.all", "one <that> does not", "6", 1),
    ]
    assert (junit.get("tests"), junit.get("failures")) == ("2", "1")
    assert found["schema"] == "segctl/test/1"
    assert [row["result"] for row in found["data"]] == ["passed", "failed"]
    assert found["data"][1]["failures"][0]["leaves"][0]["answer"] == "false"
    assert found["exit"] == {"code": 1, "name": "findings", "reason": "tests_failed"}


def test_mistakes_end_with_2_and_a_hint(failing: Path) -> None:
    assert run("test", "-k", "nothing", cwd=failing).returncode == 2
    assert run("test", "--generate", "--mutate", "germans", cwd=failing).returncode == 2
    assert "did you mean `germans`?" in run("test", "germani", cwd=failing).stderr


def test_tests_that_are_no_tests_are_annotated_too(failing: Path) -> None:
    (failing / "tests" / "bad.yaml").write_text("cases:\n  - case: x\n    givn: {}\n")

    done = run("test", "-f", "github", cwd=failing)

    assert done.returncode == 2
    assert "::error file=tests/bad.yaml,line=3,col=5,title=SEG210::" in done.stdout
    assert "nothing was tested" in done.stderr


def test_a_proposal_is_written_once_and_never_over_a_file(failing: Path) -> None:
    first = run("test", "--generate", "buyers", "-o", "tests/bounds.yaml", cwd=failing)
    content = (failing / "tests" / "bounds.yaml").read_bytes()
    second = run("test", "--generate", "buyers", "-o", "tests/bounds.yaml", cwd=failing)

    assert (first.returncode, second.returncode) == (0, 4)
    assert "SEG538" in second.stderr
    assert (failing / "tests" / "bounds.yaml").read_bytes() == content
    assert run("test", "buyers", "-q", cwd=failing).returncode == 0


def test_coverage_of_chosen_cases_says_what_it_counts(failing: Path) -> None:
    said = "counts the cases that `-k` chose"

    assert said in run("test", "--coverage", "-k", "a", cwd=failing).stderr
    assert said not in run("test", "--coverage", cwd=failing).stderr


def test_too_low_a_score_ends_with_1(tmp_path: Path) -> None:
    write_project(tmp_path, FAILING.partition('  - case: "one')[0])

    high = run("test", "--mutate", "germans", "--min-score", "90%", cwd=tmp_path)
    low = run("test", "--mutate", "germans", "--min-score", "10%", cwd=tmp_path)

    assert (high.returncode, low.returncode) == (1, 0)
    assert "wanted 90 %" in high.stderr
    assert "segments/germans.yaml:2:8" in high.stdout


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_watching_runs_again_after_a_change_and_ends_with_ctrl_c(tmp_path: Path) -> None:
    write_project(tmp_path, FAILING.partition('  - case: "one')[0])
    out = tmp_path / "out.txt"
    with out.open("w") as stream:
        process = subprocess.Popen([*PROGRAM, "test", "--watch"], cwd=tmp_path, stdout=stream, stderr=stream)
    wait_for(out, "waiting for a change")

    (tmp_path / "segments" / "germans.yaml").write_text("segment: germans\nwhere: {trait: country, equals: AT}\n")
    wait_for(out, "1 of 1 case failed")
    process.send_signal(signal.SIGINT)

    assert process.wait(30) == 130


def wait_for(path: Path, text: str) -> None:
    for _ in range(600):
        if text in path.read_text():
            return
        time.sleep(0.1)
    raise AssertionError(f"{text} was not told: {path.read_text()}")
