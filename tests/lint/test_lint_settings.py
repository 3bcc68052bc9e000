"""What a project says about lint rules: levels, options, and mistakes in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from segctl.compile.project import bind_project_text
from segctl.model.diagnostics import Diagnostic
from segctl.model.lint import LintSettings


def settings(rules: str) -> tuple[LintSettings, list[Diagnostic]]:
    project, problems = bind_project_text(f"segctl: 1\nlint: {{rules: {rules}}}\n", Path("/nowhere/shop"))
    return project.lint, problems


def test_rules_are_named_by_name_or_code() -> None:
    found, problems = settings("{missing_owner: off, seg701: {level: error}}")

    assert problems == []
    assert [(rule.code, rule.level) for rule in found.rules] == [("SEG700", "off"), ("SEG701", "error")]
    assert found.of("SEG700").level == "off"
    assert found.of("SEG799").level is None


@pytest.mark.parametrize(
    ("rules", "code", "words"),
    [
        ("{missing_ownr: off}", "SEG128", "did you mean `missing_owner`?"),
        ("{qqq: off}", "SEG128", "segctl help rules"),
        ("{missing_owner: fatal}", "SEG129", "`error`, `warning`, `note` or `off`"),
        ("{missing_owner: warn}", "SEG129", "write `warning`"),
        ("{missing_owner: false}", "SEG129", "write `off`"),
        ("{missing_owner: [off]}", "SEG129", "write `error`"),
        ("{missing_owner: {most: 3}}", "SEG130", "there is `level`"),
        ("[missing_owner]", "SEG212", "rules: {missing_owner: error}"),
    ],
)
def test_a_mistake_is_told_with_what_was_meant(rules: str, code: str, words: str) -> None:
    found, problems = settings(rules)

    assert [problem.code for problem in problems] == [code]
    assert words in (problems[0].hint or "")
    assert problems[0].location is not None
    assert problems[0].location.line == 2
    assert all(rule.level is None for rule in found.rules)


def test_an_unknown_key_names_the_nearest() -> None:
    _, problems = bind_project_text("segctl: 1\nlint: {rule: {}}\n", Path("/nowhere/shop"))

    assert [problem.code for problem in problems] == ["SEG210"]
    assert problems[0].hint == "did you mean `rules`?"
