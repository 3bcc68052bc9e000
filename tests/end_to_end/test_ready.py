"""A forked call is a call: its streams, folder, environment and code are those of a process of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from end_to_end.program import run, run_anew


@pytest.mark.parametrize("call", [("--version",), ("ls",), ("nope",), ("lint", "--json"), ("help", "windows")])
def test_it_answers_as_a_call_of_its_own(tmp_path: Path, call: tuple[str, ...]) -> None:
    forked, anew = run(*call, cwd=tmp_path), run_anew(*call, cwd=tmp_path)

    assert (forked.returncode, forked.stdout, forked.stderr) == (anew.returncode, anew.stdout, anew.stderr)
