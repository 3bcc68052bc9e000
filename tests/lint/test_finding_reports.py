"""Reports for other programs keep to their formats and say the same as the table, whatever stands in the files."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from format_schemas import GITLAB, SARIF
from jsonschema import Draft202012Validator

from segctl.cli.finding_places import fingerprints, repository_folder
from segctl.cli.finding_report import Report
from segctl.cli.finding_reports import gitlab, junit, sarif
from segctl.model.diagnostics import Diagnostic, Location, Severity
from segctl.model.exits import ExitCode
from segctl.operations.lint.lint import lint

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PROJECT = "segctl: 1\ntraits: {country: text}\nevents: {visited: {}}\n"
FILES = {
    "a.yaml": "segment: a\nwhere: {trait: contry, equals: DE}\n",
    "größe 1.yaml": 'segment: b\ntitle: "<&\\" ]]> 🙂"\nwhere: {event: vsited}\n',
    "c.yaml": "# lint: allow missing_owner until 2026-12-31 because <b>\nsegment: c\ndescription: x\n"
    "where: {trait: country, not_equals: DE}\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    project = tmp_path / "crm"
    (project / "segments").mkdir(parents=True)
    (project / "segctl.yaml").write_text(PROJECT)
    for name, text in FILES.items():
        (project / "segments" / name).write_text(text, encoding="utf-8")
    return project


def report(root: Path, fail_on: Severity = Severity.ERROR) -> Report:
    found = lint(root, now=NOW)
    code = ExitCode.FINDINGS
    return Report(
        "segctl/lint/1", found.diagnostics, len(found.files), root, code, fail_on, found.files, found.accepted
    )


def valid(document: Any, schema: Any) -> Any:
    problems = [f"{error.json_path}: {error.message}" for error in Draft202012Validator(schema).iter_errors(document)]
    assert problems == []
    return document


def test_sarif_keeps_to_its_format_and_holds_everything(root: Path) -> None:
    made = report(root)

    [run] = valid(json.loads(sarif(made)), SARIF)["runs"]

    left = [result for result in run["results"] if "suppressions" not in result]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert [result["ruleId"] for result in left] == [finding.code for finding in made.findings]
    assert all(rules[result["ruleIndex"]] == result["ruleId"] for result in run["results"])
    assert [(r["ruleId"], r["suppressions"][0]["justification"]) for r in run["results"] if "suppressions" in r] == [
        ("SEG700", "<b>")
    ]
    places = {result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in left}
    assert "crm/segments/gr%C3%B6%C3%9Fe%201.yaml" in places
    assert all("text" in rule["help"] for rule in run["tool"]["driver"]["rules"])


def test_code_quality_keeps_to_its_format_and_begins_at_the_repository(root: Path) -> None:
    made = report(root)

    entries = valid(json.loads(gitlab(made)), GITLAB)

    assert [entry["check_name"] for entry in entries] == [finding.code for finding in made.findings]
    assert len({entry["fingerprint"] for entry in entries}) == len(entries)
    assert {entry["location"]["path"].partition("/")[0] for entry in entries} == {"crm"}


@pytest.mark.parametrize(("fail_on", "codes"), [
    (Severity.ERROR, {"SEG204", "SEG220"}), (Severity.WARNING, {"SEG204", "SEG218", "SEG220", "SEG713"}),
])  # fmt: skip
def test_junit_is_red_where_the_exit_code_is(root: Path, fail_on: Severity, codes: set[str]) -> None:
    made = report(root, fail_on)

    suites = ET.fromstring(junit(made))

    red = {
        str(case.get("name")).partition(" ")[0] for case in suites.iter("testcase") if case.find("failure") is not None
    }
    assert red == codes
    assert [suite.get("name") for suite in suites] == sorted(made.paths)
    for element in (suites, *suites):
        assert int(element.get("tests", "")) == len(list(element.iter("testcase")))
        assert int(element.get("failures", "")) == len(list(element.iter("failure")))
    assert all(case.get("classname") and case.get("name") for case in suites.iter("testcase"))


def test_nothing_found_is_a_valid_report_too(tmp_path: Path) -> None:
    empty = Report("segctl/lint/1", (), 1, tmp_path, ExitCode.OK, paths=("segctl.yaml",))

    assert valid(json.loads(sarif(empty)), SARIF)["runs"][0]["results"] == []
    assert valid(json.loads(gitlab(empty)), GITLAB) == []
    assert len(list(ET.fromstring(junit(empty)).iter("testcase"))) == 1


def test_a_finding_without_a_place_is_reported(tmp_path: Path) -> None:
    finding = Diagnostic("SEG121", Severity.ERROR, "no \x00 place\ud800")
    made = Report("segctl/config/1", (finding,), None, tmp_path, ExitCode.FINDINGS)

    assert "locations" not in valid(json.loads(sarif(made)), SARIF)["runs"][0]["results"][0]
    assert valid(json.loads(gitlab(made)), GITLAB)[0]["location"]["path"] == "segctl.yaml"
    assert len(list(ET.fromstring(junit(made)).iter("failure"))) == 1


def test_fingerprints_stay_when_lines_move_and_differ_between_equal_findings(root: Path) -> None:
    file = root / "segments/a.yaml"
    file.write_text(
        "segment: a\nwhere:\n  all:\n    - {trait: contry, equals: DE}\n    - {trait: contry, equals: DE}\n"
    )
    before = fingerprints(lint(root, now=NOW).diagnostics, root)
    file.write_text("# new\n\n" + file.read_text() + "# end\n")
    after = fingerprints(lint(root, now=NOW).diagnostics, root)

    assert before == after
    assert len(set(before)) == len(before) > 3


def test_the_fingerprint_of_a_secret_is_not_made_of_it(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("token: hunter2hunter2\n")
    finding = Diagnostic("SEG706", Severity.ERROR, "a secret", Location("a.yaml", 1, 8), is_private=True)
    before = fingerprints([finding], tmp_path)
    (tmp_path / "a.yaml").write_text("token: other9other9\n")

    assert fingerprints([finding], tmp_path) == before


def test_a_project_without_a_repository_begins_at_itself(tmp_path: Path) -> None:
    assert repository_folder(tmp_path) == ""
