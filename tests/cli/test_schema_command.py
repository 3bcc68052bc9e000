"""`segctl schema`, also with the names of a project."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from cli_process import Finished

SHOP = Path(__file__).resolve().parents[2] / "configs"
Run = Callable[..., Finished]


def test_schema_with_the_names_of_the_project(run: Run, tmp_path: Path) -> None:
    target = tmp_path / "segment.json"

    finished = run("schema", "segment", "--project", "-C", str(SHOP), "-o", str(target))

    assert finished.code == 0
    assert finished.err == ""
    assert "lifetime_value" in json.loads(target.read_text("utf-8"))["$defs"]["traitName"]["anyOf"][0]["enum"]


def test_a_schema_without_names_is_refused(run: Run) -> None:
    finished = run("schema", "project", "--project", "-C", str(SHOP))

    assert finished.code == 2
    assert "SEG106" in finished.err
    assert finished.out == ""


def test_names_need_a_project(run: Run, tmp_path: Path) -> None:
    assert "SEG105" in run("schema", "segment", "--project", "-C", str(tmp_path)).err
