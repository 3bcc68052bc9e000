"""`lint` looks at every file of a project, all problems at once, and touches no data."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from segctl.compile.definitions import load_definitions
from segctl.compile.project import load_project
from segctl.compile.testing_bind import load_tests
from segctl.model.diagnostics import Diagnostic
from segctl.model.errors import UsageError
from segctl.operations.lint.lint import lint

ROOT = Path(__file__).resolve().parents[2]
PROJECT = """segctl: 1
name: shop
identifiers: {customer_id: {class: known}}
traits: {country: text, points: integer}
events: {visited: {}}
"""
GOOD = """segment: good
description: People in Germany.
owner: crm@shop.example
where: {trait: country, equals: DE}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("segments/eu", "traits", "sources"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "segctl.yaml").write_text(PROJECT)
    (tmp_path / "segments/good.yaml").write_text(GOOD)
    (tmp_path / "segments/eu/bad.yaml").write_text("segment: bad\nwhere: {trait: contry, equals: DE}\n")
    (tmp_path / "traits/worse.yaml").write_text("traits:\n  a: {formula: 1 +}\n  b: {event: vsited, count: {}}\n")
    return tmp_path


def found_in(folder: Path, *paths: Path) -> list[tuple[str, str]]:
    return [(d.code, d.location.file) for d in lint(folder, paths=paths).diagnostics if d.location]


def test_all_problems_of_all_files_come_in_reading_order(folder: Path) -> None:
    result = lint(folder)

    assert [(d.code, str(d.location)) for d in result.diagnostics] == [
        ("SEG204", "segments/eu/bad.yaml:2:16"),
        ("SEG260", "traits/worse.yaml:2:18"),
        ("SEG220", "traits/worse.yaml:3:14"),
    ]
    assert result.files == ("segctl.yaml", "segments/eu/bad.yaml", "segments/good.yaml", "traits/worse.yaml")
    assert result.root == folder


def test_a_source_is_looked_at_too(folder: Path) -> None:
    (folder / "sources/shop.yaml").write_text("source: shop\nkind: fax\n")

    assert "sources/shop.yaml" in {file for _, file in found_in(folder)}


def test_paths_choose_findings(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder / "segments")

    assert found_in(folder, Path("eu")) == [("SEG204", "segments/eu/bad.yaml")]
    assert found_in(folder, Path("good.yaml")) == []
    assert found_in(folder, folder / "traits", folder / "segments/eu/bad.yaml")[0] == ("SEG204", "segments/eu/bad.yaml")
    assert len(found_in(folder, folder)) == 3
    assert lint(folder, paths=[Path("good.yaml")]).files == ("segments/good.yaml",)


@pytest.mark.parametrize(
    ("path", "code", "hint"),
    [("segments/goood.yaml", "SEG127", "segments/good.yaml"), ("data", "SEG127", ""), ("lists/x.csv", "SEG127", "")],
)
def test_a_path_without_definitions_is_refused(folder: Path, path: str, code: str, hint: str) -> None:
    (folder / "lists").mkdir()
    (folder / "lists/x.csv").write_text("a")

    with pytest.raises(UsageError) as raised:
        lint(folder, paths=[folder / path])

    assert raised.value.code == code
    assert hint in (raised.value.hint or "")


def test_a_good_project_has_no_findings() -> None:
    assert lint(ROOT / "configs", now=datetime(2026, 11, 22, 12, tzinfo=UTC)).diagnostics == ()


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    code = "from segctl.cli.main import main; raise SystemExit(main())"
    return subprocess.run(
        [sys.executable, "-c", code, "lint", *arguments],
        cwd=cwd, capture_output=True, text=True, check=False, timeout=60, encoding="utf-8",
    )  # fmt: skip


def test_the_command_leaves_with_1_on_errors_and_0_without(folder: Path) -> None:
    bad, good = run(cwd=folder), run("segments/good.yaml", cwd=folder)

    assert (bad.returncode, good.returncode) == (1, 0)
    assert "error[SEG204]: `contry` is not a declared trait" in bad.stdout
    assert "did you mean `country`?" in bad.stdout
    assert "3 errors" in bad.stdout
    assert bad.stderr == good.stderr == ""


def test_the_command_writes_findings_as_data(folder: Path) -> None:
    concise, as_json, github = (run("-f", name, cwd=folder).stdout for name in ("concise", "json", "github"))

    assert concise.splitlines()[0].startswith("segments/eu/bad.yaml:2:16: error SEG204: `contry`")
    assert [found["code"] for found in json.loads(as_json)["diagnostics"]] == ["SEG204", "SEG260", "SEG220"]
    assert "::error file=segments/eu/bad.yaml,line=2,col=16" in github


def test_the_command_loads_no_engine(folder: Path) -> None:
    code = (
        "import sys\nsys.argv = ['segctl', 'lint']\nfrom segctl.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'polars', 'numpy', 'duckdb', 'narwhals', 'jsonschema', 'requests', 'rich', 'sqlite3'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )

    assert done.stderr.strip() == "[]"


def test_sources_lie_where_other_definitions_may_lie(folder: Path) -> None:
    (folder / "sources/eu").mkdir()
    (folder / "sources/eu/shop.yaml").write_text("source: shop\nkind: fax\n")
    (folder / "sources/crm.yml").write_text("source: crm\n")

    found = found_in(folder)

    assert "sources/eu/shop.yaml" in {file for _, file in found}
    assert ("SEG207", "sources/crm.yml") in found


TESTS = """cases:
  - case: one
    given: {anna: {country: DE}, ben: {contry: DE}}
    expect: {god: {members: [anna]}, good: {members: [cleo]}}
  - case: one
    given: {anna: {country: 7 days}}
"""


def test_the_form_of_tests_is_looked_at_once_definitions_are_right(folder: Path) -> None:
    (folder / "tests/eu").mkdir(parents=True)
    (folder / "tests/eu/cases.yaml").write_text(TESTS)
    (folder / "tests/broken.yaml").write_text("cases: [\n")
    (folder / "tests/other.yml").write_text("cases: []\n")
    in_tests = [one for one in found_in(folder) if one[1].startswith("tests/")]
    assert in_tests == [("SEG201", "tests/broken.yaml"), ("SEG207", "tests/other.yml")]

    (folder / "segments/eu/bad.yaml").unlink()
    (folder / "traits/worse.yaml").unlink()
    (folder / "tests/broken.yaml").unlink()
    found = lint(folder).diagnostics

    assert [(d.code, str(d.location)) for d in found if str(d.location).startswith("tests/eu/")] == [
        (d.code, str(d.location)) for d in bound_tests_of(folder)
    ]
    assert len([d for d in found if d.location and d.location.file == "tests/eu/cases.yaml"]) == 5
    assert found_in(folder, folder / "tests/eu") == [(d.code, "tests/eu/cases.yaml") for d in bound_tests_of(folder)]
    assert "tests/eu/cases.yaml" in lint(folder).files


def test_what_tests_say_of_people_breaks_no_rule_of_practice(folder: Path) -> None:
    (folder / "segments/eu/bad.yaml").unlink()
    (folder / "traits/worse.yaml").unlink()
    (folder / "tests").mkdir()
    case = 'case: anna@example.org, given: {anna: {customer_id: "7"}}, expect: {good: {non_members: [anna]}}'
    (folder / "tests/people.yaml").write_text(f"cases: [{{{case}}}]\n")

    found = lint(folder, now=datetime(2026, 11, 22, tzinfo=UTC))

    assert [d for d in found.diagnostics if d.location and d.location.file.startswith("tests/")] == []


def bound_tests_of(folder: Path) -> list[Diagnostic]:
    """What `segctl test` says of the files."""
    definitions, _ = load_definitions(load_project(folder)[0])
    return [d for d in load_tests(definitions)[1] if d.location and d.location.file.startswith("tests/eu/")]


def test_a_segment_that_is_renamed_is_missed_everywhere_at_once(folder: Path) -> None:
    for name in ("segments/eu/bad.yaml", "traits/worse.yaml"):
        (folder / name).unlink()
    for name in ("experiments", "destinations", "tests"):
        (folder / name).mkdir()
    (folder / "segctl.yaml").write_text(PROJECT + "priority: {mailings: [good, gone]}\n")
    (folder / "experiments/mail.yaml").write_text(
        "experiment: mail\nsegment: gone\narms: {mail: 50 %, control: 50 %}\n"
    )
    (folder / "destinations/files.yaml").write_text(
        "destination: files\nkind: file\nfolder: out\nidentify: {customer_id: customer_id}\naudiences: {gone: there}\n"
    )
    (folder / "tests/gone.yaml").write_text(TESTS.replace("good", "gone"))

    found = lint(folder).diagnostics

    missed = {str(d.location.file) for d in found if d.location and "gone" in d.message}
    assert missed == {"segctl.yaml", "experiments/mail.yaml", "destinations/files.yaml", "tests/gone.yaml"}
