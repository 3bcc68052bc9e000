"""`--quiet`: a scheduler hears of trouble only, and whoever asks for data gets it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cli_process import Finished

Run = Callable[..., Finished]


@pytest.fixture
def project(run: Run, tmp_path: Path) -> Path:
    """A project with data and a run."""
    folder = tmp_path / "shop"
    run("init", str(folder), "--template", "minimal")
    run("ingest", "--project", str(folder))
    run("apply", "--project", str(folder))
    return folder


@pytest.mark.parametrize("verb", ["ingest", "apply", "compact", "lint", "doctor", "config validate"])
def test_success_prints_nothing_on_either_stream(run: Run, project: Path, verb: str) -> None:
    done = run(*verb.split(), "--quiet", "--project", str(project))

    assert (done.code, done.out, done.err) == (0, "", "")


def test_a_quiet_init_prints_nothing(run: Run, tmp_path: Path) -> None:
    done = run("init", str(tmp_path / "new"), "-q")

    assert (done.code, done.out, done.err) == (0, "", "")


@pytest.mark.parametrize("asked", [["--json"], ["-f", "csv"], ["-o", "-"]], ids=" ".join)
def test_data_that_is_asked_for_comes_from_a_quiet_call_too(run: Run, project: Path, asked: list[str]) -> None:
    assert "buyers" in run("apply", "-q", *asked, "--project", str(project)).out


def test_a_question_is_answered_by_a_quiet_call_too(run: Run, project: Path) -> None:
    assert "buyers" in run("ls", "-q", "--project", str(project)).out


def test_findings_are_told_by_a_quiet_check(run: Run, project: Path) -> None:
    (project / "segments" / "broken.yaml").write_text("segment: broken\n", encoding="utf-8")

    done = run("lint", "-q", "--project", str(project))

    assert done.code == 1
    assert "the segment has no `where`" in done.out
