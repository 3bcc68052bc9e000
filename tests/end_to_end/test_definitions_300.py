"""What a pipeline does for a change of 300 definitions over real data: lint, tests and plan, annotated, in seconds."""

from __future__ import annotations

import re
import resource
import shutil
from pathlib import Path

import pytest
from end_to_end.definitions_300 import AS_OF, DEFINITIONS, commit, git, repository
from end_to_end.program import ok, run

LINT = ("lint", "-f", "github", "--fail-on", "warning")
TEST = ("test", "-f", "github")
PLAN = ("plan", "--against", "main", "--as-of", AS_OF, "-f", "markdown")
MOST_CPU_S = 20.0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("git") is None, reason="compares revisions of Git"),
]


@pytest.fixture(scope="module")
def main(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository with its data read; on a branch of its own."""
    folder = repository(shared, tmp_path_factory.mktemp("ci") / "shop")
    ok("ingest", "-q", cwd=folder)
    git(folder, "checkout", "-q", "-b", "change")
    return folder


@pytest.fixture
def branch(main: Path) -> Path:
    """The branch as `main` is."""
    git(main, "reset", "-q", "--hard", "main")
    return main


def changed(folder: Path, name: str, before: str, after: str) -> None:
    """Replace words of a definition, and commit it."""
    path = folder / "segments" / f"{name}.yaml"
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after), "utf-8")
    commit(folder, f"change {name}")


def children_cpu_s() -> float:
    """CPU seconds of all processes that were started and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def annotations(text: str) -> list[tuple[str, str, int, str]]:
    """Level, file, line and code of every annotation."""
    found = re.findall(r"^::(\w+) file=([^,]+),line=(\d+),.*?title=(\w+)::", text, re.MULTILINE)
    return [(level, file, int(line), code) for level, file, line, code in found]


def test_the_job_passes_a_good_change_in_twenty_seconds(branch: Path) -> None:
    changed(branch, "fans_of_85123a", "180 days", "120 days")
    began = children_cpu_s()

    linted, tested, planned = ok(*LINT, cwd=branch), ok(*TEST, cwd=branch), ok(*PLAN, cwd=branch)

    assert children_cpu_s() - began < MOST_CPU_S
    assert len(list((branch / "segments").glob("*.yaml"))) == DEFINITIONS
    assert {level for level, *_ in annotations(linted)} == {"notice"}
    assert annotations(tested) == []
    assert f"**1 segment changes, {DEFINITIONS - 1} stay as they are;" in planned
    assert "`fans_of_85123a` | changed |" in planned


def test_a_bad_definition_is_annotated_in_its_line(branch: Path) -> None:
    changed(branch, "fans_of_22423", "count: {at_least: 3}", "count: {at_least: 3, at_most: 2}")
    changed(branch, "spenders_in_france", 'country: "France"', 'country: "france"')

    done = run(*LINT, cwd=branch)

    assert done.returncode == 1
    assert [(level, file, line) for level, file, line, _ in annotations(done.stdout) if level != "notice"] == [
        ("error", "segments/fans_of_22423.yaml", 4),
        ("warning", "segments/spenders_in_france.yaml", 4),
    ]


def test_a_change_that_a_case_does_not_expect_is_annotated_at_the_case(branch: Path) -> None:
    changed(branch, "buyers_in_germany", "at_least: 2", "at_least: 4")

    done = run(*TEST, cwd=branch)

    assert done.returncode == 1
    assert [place[:3] for place in annotations(done.stdout)] == [("error", "tests/buyers_in_germany.yaml", 7)]
    assert "`enough` in `buyers_in_germany` is not a member, expected a member" in done.stdout
