"""`lint --fix` mends what is certain, in place, and leaves everything else as it was."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from segctl.compile.edits import edited
from segctl.compile.reason.tested_texts import ExampleFacts
from segctl.compile.rules.base import Edit
from segctl.model.diagnostics import Location
from segctl.operations.lint import rules as lint_rules
from segctl.operations.lint.fix import Fixed, fixed, write
from segctl.operations.lint.lint import lint

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PROJECT = """segctl: 1
traits: {country: text, balance: {type: money, unit: EUR}, birth_date: date, newsletter: boolean, discount: number}
events: {visited: {}}
"""
HEAD = "segment: a\ndescription: People.\nowner: crm@shop.example\n"


def repaired(folder: Path, text: str, *, project: str = PROJECT) -> Fixed:
    (folder / "segments").mkdir(exist_ok=True)
    (folder / "segctl.yaml").write_text(project)
    (folder / "segments/a.yaml").write_bytes(text.encode())
    return fixed(lambda contents: lint(folder, now=NOW, contents=contents))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("titel: A\nwhere: {trait: country, equals: DE}", "title: A\nwhere: {trait: country, equals: DE}"),
        ("title: Winter: zwei  # x", 'title: "Winter: zwei"  # x'),
        ("where: {tait: country, equals: DE}", "where: {trait: country, equals: DE}"),
        ("where: {trait: country, equal: DE}", "where: {trait: country, equals: DE}"),
        ("where: {trait: balance, at_least: 99,90}", "where: {trait: balance, at_least: 99.90}"),
        ('where: {trait: balance, at_least: "99,90"}', "where: {trait: balance, at_least: 99.90}"),
        ("where: {trait: birth_date, since: 01.11.2026}", "where: {trait: birth_date, since: 2026-11-01}"),
        ("where: {event: visited, within_last: 7 Tage}", "where: {event: visited, within_last: 7 days}"),
        ("where: {event: visited, during: KW 47/2026}", "where: {event: visited, during: 2026-W47}"),
        ("where: {trait: newsletter, equals: ja}", "where: {trait: newsletter, equals: true}"),
        ("where: {trait: country, in: [DE, AT, DE]}", "where: {trait: country, in: [DE, AT]}"),
        ("where:\n  trait: country\n  in:\n    - DE\n    - DE", "where:\n  trait: country\n  in:\n    - DE"),
        ("filter: {trait: country, equal: DE}", "where: {trait: country, equals: DE}"),
    ],
)  # fmt: skip
def test_what_is_certain_is_mended(tmp_path: Path, before: str, after: str) -> None:
    rest = "" if "where" in after else "where: {trait: country, equals: DE}\n"

    found = repaired(tmp_path, f"{HEAD}{before}\n{rest}")

    assert [change.after.decode() for change in found.changes] == [f"{HEAD}{after}\n{rest}"]
    assert found.result.diagnostics == ()


@pytest.mark.parametrize(
    "text",
    [
        "where: {trait: contry, equals: DE}",  # another name is another meaning
        "where: {trait: balance, at_least: 1.000}",  # one, or a thousand
        "where: {event: visited, during: KW 47}",  # of which year
        "where: {trait: balance, at_least: 500 USD}",
        "where: {event: vsited}",
        "where: {trait: discount, above: 40, below: 3}",
        "where: {trait: country, equals: DE}\nwhere: {trait: country, equals: AT}",
        "where: {trait: country, eqals: DE, equals: AT}",  # the mended key would stand twice
    ],
)
def test_what_could_mean_two_things_is_left(tmp_path: Path, text: str) -> None:
    found = repaired(tmp_path, f"{HEAD}{text}\n")

    assert found.changes == ()
    assert found.result.diagnostics


def test_comments_order_line_ends_and_the_mark_at_the_beginning_stay(tmp_path: Path) -> None:
    text = "\ufeff# über alle\r\nsegment: a   # Name\r\nowner: x\r\nbeschreibung: Größe 🙂\r\nwhere:\r\n"
    text += "  any:   # eins\r\n    - {trait: country, equals: DE}\r\n    - {trait: newsletter, equals: ja}"

    found = repaired(tmp_path, text)

    assert found.changes[0].after.decode() == text.replace("beschreibung", "description").replace("ja}", "true}")


def test_a_rule_that_is_asked_for_sorts_values(tmp_path: Path) -> None:
    project = PROJECT + "lint: {rules: {unsorted_values: warning}}\n"
    text = f'{HEAD}where: {{trait: country, in: [DE, "AT", DE, CH]}}\n'

    found = repaired(tmp_path, text, project=project)

    assert found.changes[0].after.decode() == f'{HEAD}where: {{trait: country, in: ["AT", CH, DE]}}\n'


def test_the_case_of_a_value_follows_the_data_where_they_know_one_only(tmp_path: Path) -> None:
    text = f'{HEAD}where: {{trait: country, in: ["de", at, fr]}}\n'
    facts = ExampleFacts(traits={"country": {"DE": 5, "At": 1, "AT": 3, "fr": 2}})
    whole = lint_rules.subject_of

    def with_facts(*arguments: Any, **options: Any) -> Any:
        subject = whole(*arguments, **options)
        subject.load_facts = lambda: facts
        return subject

    with patch("segctl.operations.lint.lint.subject_of", with_facts):
        found = repaired(tmp_path, text)

    assert found.changes[0].after.decode() == text.replace('"de"', '"DE"')


def test_nothing_is_written_over_a_file_that_was_changed_meanwhile(tmp_path: Path) -> None:
    found = repaired(tmp_path, f"{HEAD}titel: A\nwhere: {{trait: country, equals: DE}}\n")
    (tmp_path / "segments/a.yaml").write_text("segment: a\n")

    assert write(tmp_path, found.changes) == []
    assert (tmp_path / "segments/a.yaml").read_text() == "segment: a\n"


def test_permissions_and_links_stay(tmp_path: Path) -> None:
    found = repaired(tmp_path, f"{HEAD}titel: A\nwhere: {{trait: country, equals: DE}}\n")
    real = tmp_path / "real.yaml"
    (tmp_path / "segments/a.yaml").rename(real)
    (tmp_path / "segments/a.yaml").symlink_to(real)
    real.chmod(0o640)

    assert [change.path for change in write(tmp_path, found.changes)] == ["segments/a.yaml"]
    assert (tmp_path / "segments/a.yaml").is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert "title: A" in real.read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["real.yaml", "segctl.yaml", "segments"]


def test_an_edit_needs_its_old_text_and_a_place_of_its_own() -> None:
    def edit(line: int, column: int, old: str, new: str) -> Edit:
        return Edit(Location("a", line, column), old, new)

    content, made = edited(
        "ä: b\nc: d\n".encode(),
        [
            edit(1, 4, "b", "x"),
            edit(2, 1, "q", "y"),
            edit(1, 4, "b\nc", "z"),
            edit(9, 1, "a", "b"),
            edit(2, 4, "d", ""),
        ],
    )

    assert content.decode() == "ä: x\nc: \n" or content.decode() == "ä: z: \n"
    assert edit(2, 4, "d", "") in made
    assert len(made) == 2


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    code = "from segctl.cli.main import main; raise SystemExit(main())"
    return subprocess.run(
        [sys.executable, "-c", code, "lint", *arguments],
        cwd=cwd, capture_output=True, text=True, check=False, timeout=60, encoding="utf-8",
    )  # fmt: skip


def test_the_command_shows_mends_and_tells(tmp_path: Path) -> None:
    text = f"{HEAD}titel: A\nwhere: {{trait: country, equals: DE}}\n"
    repaired(tmp_path, text)
    file = tmp_path / "segments/a.yaml"

    diff, dry = run("--diff", cwd=tmp_path), run("--fix", "--dry-run", cwd=tmp_path)
    assert (diff.returncode, dry.returncode) == (1, 1)
    assert "-titel: A\n+title: A\n" in diff.stdout
    assert "would mend segments/a.yaml:4: `titel` → `title`" in dry.stderr
    assert file.read_text() == text

    done = run("--fix", cwd=tmp_path)
    assert (done.returncode, run("--diff", cwd=tmp_path).returncode) == (0, 0)
    assert "mended segments/a.yaml:4: `titel` → `title`" in done.stderr
    assert file.read_text() == text.replace("titel", "title")
    assert run("--fix", "--diff", cwd=tmp_path).returncode == 2


def test_the_exit_code_follows_the_mildest_level_asked_for(tmp_path: Path) -> None:
    repaired(tmp_path, "segment: a\nwhere: {trait: country, equals: DE}\n")

    codes = [run(*options, cwd=tmp_path).returncode for options in (
        (), ("--fail-on", "warning"), ("--fail-on", "note"), ("--fail-on", "warning", "--exit-zero"),
    )]  # fmt: skip

    assert codes == [0, 1, 1, 0]
