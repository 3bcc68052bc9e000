"""Sixty faults, planted one at a time into a clean project, are caught in the right line with a hint that helps."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import yaml

from segctl.compile.reason.tested_texts import ExampleFacts
from segctl.model.diagnostics import Diagnostic
from segctl.operations.lint import rules as lint_rules
from segctl.operations.lint.lint import lint

HERE = Path(__file__).parent / "planted"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PROJECT: dict[str, str] = yaml.safe_load((HERE / "project.yaml").read_text(encoding="utf-8"))
FORM: list[dict[str, Any]] = yaml.safe_load((HERE / "form.yaml").read_text(encoding="utf-8"))
MEANING: list[dict[str, Any]] = yaml.safe_load((HERE / "meaning.yaml").read_text(encoding="utf-8"))


def found_in(folder: Path, files: dict[str, str], values: dict[str, dict[str, int]] | None = None) -> list[Diagnostic]:
    """What lint finds in a project of these files, with these values of traits in the data."""
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    facts = ExampleFacts(traits=values) if values is not None else None
    whole = lint_rules.subject_of

    def with_facts(*arguments: Any, **options: Any) -> Any:
        subject = whole(*arguments, **options)
        subject.load_facts = lambda: facts
        return subject

    with patch("segctl.operations.lint.lint.subject_of", with_facts):
        return list(lint(folder, now=NOW).diagnostics)


def test_the_project_is_clean_before(tmp_path: Path) -> None:
    assert found_in(tmp_path, PROJECT) == []


def test_there_are_thirty_of_each_kind_and_no_two_alike() -> None:
    assert len(FORM) == len(MEANING) == 30
    assert len({fault["fault"] for fault in FORM + MEANING}) == 60
    assert len({fault["text"] for fault in FORM + MEANING}) == 60


@pytest.mark.parametrize("fault", [pytest.param(fault, id=fault["fault"]) for fault in FORM + MEANING])
def test_a_fault_is_caught_in_its_line_with_a_hint(fault: dict[str, Any], tmp_path: Path) -> None:
    path = fault.get("path", "segments/tested.yaml")
    files = PROJECT | fault.get("also", {}) | {path: fault["text"]}

    found = found_in(tmp_path, files, fault.get("values"))

    lines = [n for n, line in enumerate(fault["text"].splitlines(), start=1) if line.endswith("# here")]
    place = (fault.get("file", path), *(lines or [fault.get("line")]))
    own = [d for d in found if d.code == fault["code"]]
    assert [(d.location.file, d.location.line) for d in own if d.location][:1] == [place[:2]], found
    told = " ".join(filter(None, (own[0].message, own[0].why, own[0].hint)))
    assert [word for word in fault["words"] if word not in told] == [], told
    assert own[0].hint


@pytest.mark.parametrize("fault", [pytest.param(fault, id=fault["fault"]) for fault in FORM + MEANING])
def test_a_fault_is_not_drowned_in_others(fault: dict[str, Any], tmp_path: Path) -> None:
    path = fault.get("path", "segments/tested.yaml")

    found = found_in(tmp_path, PROJECT | fault.get("also", {}) | {path: fault["text"]}, fault.get("values"))

    assert len({(d.code, d.location) for d in found}) <= fault.get("at_most", 1), found
