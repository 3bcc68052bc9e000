"""`segctl validate`: what a person sees first, the machine formats and the exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from cli_process import Finished

PROJECT = """
segctl: 1
name: shop
identifiers: {customer_id: {class: known}}
traits: {city: text, points: integer}
"""
SOURCE = """
source: crm
path: crm.csv
key: {customer_id: id}
profiles: {city: ort, points: punkte}
max_bad_rows: 50 %
contract:
  required: [id]
  properties: {id: {type: integer}, ort: {enum: [Bonn]}, punkte: {type: integer, maximum: 100}}
checks:
  - unique: [id]
    severity: warn
"""
Run = Callable[..., Finished]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "sources").mkdir()
    (tmp_path / "segctl.yaml").write_text(PROJECT)
    (tmp_path / "sources" / "crm.yaml").write_text(SOURCE)
    (tmp_path / "crm.csv").write_text("id,ort,punkte\n1,Bonn,5\n1,Rom,999\n3,Bonn,6\n")
    return tmp_path


def test_the_first_screen_says_it_all(run: Run, project: Path) -> None:
    done = run("validate", cwd=project)

    assert done.code == 0
    assert "crm        3    1  33.3 %  50 %   within the limit" in done.out
    assert "crm ort one of Bonn 1 3" in " ".join(done.out.split())
    assert "crm        1  ort (enum), punkte (maximum)" in done.out
    assert "unique id" in done.out
    assert "Rom" not in done.out
    assert "segctl quarantine show" in done.out


def test_values_are_shown_on_request(run: Run, project: Path) -> None:
    assert "Rom" in run("validate", "crm", "--show-personal", cwd=project).out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("validate", "crm"), 0),
        (("validate", "crm", "--max-bad-rows", "0"), 1),
        (("validate", "crm", "--max-bad-rows", "10%"), 1),
        (("validate", "crm", "--max-bad-rows", "many"), 2),
        (("validate", "nobody"), 2),
        (("validate", "other.csv"), 2),
        (("validate", "other.csv", "--contract", "good.json"), 1),
        (("validate", "other.csv", "--contract", "wrong.json"), 2),
        (("validate", "other.csv", "--contract", "nowhere.json"), 2),
        (("validate", "crm.csv"), 0),
        (("validate", "broken.parquet", "--contract", "good.json"), 3),
    ],
)
def test_exit_codes(run: Run, project: Path, arguments: tuple[str, ...], code: int) -> None:
    (project / "other.csv").write_text("a\n1\nx\n")
    (project / "good.json").write_text('{"properties": {"a": {"type": "integer"}}}')
    (project / "wrong.json").write_text('{"properties": {"a": {"type": "int"}}}')
    (project / "broken.parquet").write_bytes(b"PAR1 and no more")

    done = run(*arguments, cwd=project)

    assert done.code == code, done.err
    assert "Traceback" not in done.err


def test_errors_in_definitions_are_findings(run: Run, project: Path) -> None:
    (project / "sources" / "crm.yaml").write_text(SOURCE.replace("type: integer,", "type: int,"))

    done = run("validate", cwd=project)

    assert done.code == 1
    assert "`type` cannot be `int`" in done.err
    assert "sources/crm.yaml:9:" in done.err


def test_json_holds_every_rule_with_its_place(run: Run, project: Path) -> None:
    found = json.loads(run("validate", "crm", "-f", "json", "--max-bad-rows", "0", cwd=project).out)

    assert found["data"][0] | {"share": 0} == {
        "source": "crm", "rows": 3, "bad": 1, "share": 0, "limit": "0 rows", "verdict": "too many bad rows",
    }  # fmt: skip
    assert {(rule["pointer"], rule["keyword"], rule["rows"]) for rule in found["sections"]["rules"]} == {
        ("/ort", "enum", 1), ("/punkte", "maximum", 1),
    }  # fmt: skip
    assert found["exit"] == {"code": 1, "name": "findings", "reason": "findings"}


def test_csv_has_a_row_for_each_rule(run: Run, project: Path) -> None:
    lines = run("validate", "crm", "-f", "csv", cwd=project).out.splitlines()

    assert lines[0] == "source,where,expected,rows,lines,keyword,pointer"
    assert lines[1:] == ["crm,ort,one of Bonn,1,3,enum,/ort", "crm,punkte,at most 100,1,3,maximum,/punkte"]


def test_findings_have_file_and_line_for_editors(run: Run, project: Path) -> None:
    done = run("validate", "crm", "-f", "concise", "--max-bad-rows", "0", cwd=project)

    assert "crm.csv:3:1: error SEG436: `ort`: expected one of Bonn; 1 row (`enum`)" in done.out


def test_junit_is_xml_with_a_case_for_each_rule(run: Run, project: Path) -> None:
    root = ET.fromstring(run("validate", "crm", "-f", "junit", "--max-bad-rows", "0", cwd=project).out)

    assert root.attrib == {"name": "segctl validate", "tests": "4", "failures": "3", "errors": "0"}
    assert [case.attrib["name"] for case in root.iter("testcase")][1:] == ["ort: enum", "punkte: maximum", "unique id"]


def test_bad_rows_go_to_a_file_whole_and_with_every_reason(run: Run, project: Path) -> None:
    run("validate", "crm", "--bad-rows", "bad.ndjson", cwd=project)

    found = [json.loads(line) for line in (project / "bad.ndjson").read_text().splitlines()]
    assert [(row["file"], row["line"], json.loads(row["raw"])["ort"]) for row in found] == [("crm.csv", 3, "Rom")]
    assert [reason["pointer"] for reason in found[0]["reasons"]] == ["/ort", "/punkte"]


def test_nothing_is_changed(run: Run, project: Path) -> None:
    before = sorted(path.name for path in project.iterdir())

    run("validate", cwd=project)

    assert sorted(path.name for path in project.iterdir() if path.name != ".local") == before


def test_what_is_told_only_stands_apart_and_refuses_nothing(run: Run, project: Path) -> None:
    (project / "sources" / "crm.yaml").write_text(
        SOURCE.replace("50 %", "0") + "contract_options: {warn: {ort: all, punkte: [maximum]}}\n"
    )

    done = run("validate", cwd=project)
    found = json.loads(run("validate", "-f", "json", cwd=project).out)

    assert done.code == 0
    assert "crm        3    0" in done.out
    assert "Broken rules that are told only; their rows are taken" in done.out
    assert [(rule["where"], rule["rows"]) for rule in found["sections"]["told"]] == [("ort", 1), ("punkte", 1)]
    assert found["sections"].get("rules", []) == []
    warned = run("validate", "-f", "github", cwd=project).out.splitlines()
    assert len([line for line in warned if line.startswith("::warning") and "SEG436" in line]) == 2


def test_a_bound_of_hundreds_of_digits_is_told_in_short(run: Run, project: Path) -> None:
    (project / "sources" / "crm.yaml").write_text(SOURCE.replace("maximum: 100", "maximum: -1" + "0" * 400))

    done = run("validate", cwd=project)

    assert "at most about -1.000e+400" in done.out
    assert max(map(len, done.out.splitlines())) < 120


def test_a_column_that_is_not_there_is_found(run: Run, project: Path) -> None:
    (project / "crm.csv").write_text("id,ort,puntke\n1,Bonn,5\n")

    done = run("validate", "crm", cwd=project)

    assert (done.code, "cannot be read" in done.out) == (3, True)
    assert "SEG310" in done.err
    assert "`punkte`" in done.err
