"""Every lint rule fires on its bad example, in the lines that it marks, and not at all on its good one."""

from __future__ import annotations

from pathlib import Path

import pytest
from rule_examples import findings, parts

from segctl.cli.commands.help import code_text
from segctl.compile.rules import RULES, load_rule, rule_names
from segctl.model import catalogue
from segctl.model.lint import LEVELS

PACKAGE = Path(__file__).resolve().parents[2] / "segctl" / "compile" / "rules"
NO_RULES = {"__init__", "base", "texts"}


def marked(text: str) -> list[tuple[str, int]]:
    """File and line of every ``# here``."""
    return [
        (path, number)
        for path, content in parts(text).items()
        for number, line in enumerate(content.splitlines(), start=1)
        if line.endswith("# here")
    ]


@pytest.mark.parametrize("code", RULES)
def test_the_bad_example_is_found_in_the_lines_it_marks(code: str) -> None:
    rule = load_rule(code)

    found = findings(code, rule.bad)

    places = {(d.location.file, d.location.line) for d in found if d.location is not None}
    assert marked(rule.bad), "the bad example marks no line"
    assert sorted(places) == sorted(marked(rule.bad))


@pytest.mark.parametrize("code", RULES)
def test_the_good_example_has_no_finding(code: str) -> None:
    rule = load_rule(code)

    assert findings(code, rule.good) == []
    assert marked(rule.good) == []


@pytest.mark.parametrize("code", RULES)
def test_a_finding_says_what_and_what_to_do(code: str) -> None:
    for found in findings(code, load_rule(code).bad):
        assert found.message
        assert not found.message.endswith(".")
        assert found.hint
        assert len(found.hint) > 10


@pytest.mark.parametrize("code", RULES)
def test_a_rule_is_named_like_its_file_and_explained(code: str) -> None:
    rule = load_rule(code)
    name = RULES[code].partition(":")[0].rpartition(".")[2]
    page = code_text(code, catalogue.entries()[code])

    assert (rule.code, rule.name) == (code, name)
    assert rule.level in LEVELS
    assert "Better:" in page
    assert rule.bad.strip("\n").splitlines()[0] in page
    assert f"`{name}`" in page


def test_every_file_is_in_the_table_and_names_are_unique() -> None:
    files = {path.stem for path in PACKAGE.glob("*.py")} - NO_RULES

    assert files == set(rule_names())
    assert len(rule_names()) == len(RULES)


def test_codes_are_in_order() -> None:
    assert list(RULES) == sorted(RULES)


def test_what_is_wrong_with_sister_segments_is_told_once() -> None:
    text = """
segment: fans_{tier}
for_each: {tier: [gold, silver]}
where: {not: {trait: tier, equals: "{tier}"}}
"""

    places = [str(found.location) for code in ("SEG700", "SEG701", "SEG713") for found in findings(code, text)]

    assert places == ["segments/fans_.yaml:1:10", "segments/fans_.yaml:1:10", "segments/fans_.yaml:3:22"]
