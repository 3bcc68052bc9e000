"""Comments accept findings in one line, with a reason and up to a day; nothing else does."""

from __future__ import annotations

from datetime import date

import pytest
from rule_examples import subject

from segctl.compile.definition_files import DefinitionFile
from segctl.compile.waivers import comments_in, waivers_in
from segctl.operations.lint.rules import judge
from segctl.operations.lint.waivers import Waived, waive

TODAY = date(2026, 11, 22)
WAIVER = "# lint: allow missing_owner until 2026-12-31 because the team is being founded"


def waived(text: str, today: date = TODAY, *, is_complete: bool = True) -> Waived:
    """What is left of the missing owner and description of one segment file."""
    looked_at, problems = subject(text)
    assert not problems
    own = [file for path, file in looked_at.files.items() if path == "segments/tested.yaml"]
    found = [judged for judged in judge(looked_at, ["SEG700", "SEG701"]) if "`tested`" in judged.diagnostic.message]
    return waive(found, own, today, is_complete=is_complete)


def codes(found: Waived) -> list[str]:
    return [judged.diagnostic.code for judged in found.left] + [d.code for d in found.problems]


@pytest.mark.parametrize(
    "text",
    [f"{WAIVER}\nsegment: tested\n", f"segment: tested  {WAIVER}\n", f"{WAIVER}\n# about it\n\nsegment: tested\n"],
    ids=["above", "behind", "above with another comment"],
)
def test_a_waiver_speaks_about_its_line_or_the_one_below(text: str) -> None:
    found = waived(text + "where: {trait: country, equals: DE}\n")

    assert codes(found) == ["SEG701"]
    assert [reason for _, reason in found.accepted] == ["the team is being founded"]


def test_several_rules_share_a_waiver() -> None:
    text = "# lint: allow missing_owner, SEG701 until 2026-12-31 because it is a draft\nsegment: tested\n"

    assert codes(waived(text + "where: {trait: country, equals: DE}\n")) == []


def test_the_last_day_belongs_to_it_and_afterwards_both_are_told() -> None:
    text = f"{WAIVER}\nsegment: tested\nwhere: {{trait: country, equals: DE}}\n"

    assert codes(waived(text, date(2026, 12, 31))) == ["SEG701"]
    assert codes(waived(text, date(2027, 1, 1))) == ["SEG700", "SEG701", "SEG132"]


def test_a_waiver_without_a_finding_is_one_itself() -> None:
    text = f"{WAIVER}\nsegment: tested\nowner: crm@shop.example\nwhere: {{trait: country, equals: DE}}\n"

    assert codes(waived(text)) == ["SEG701", "SEG133"]
    assert codes(waived(text, is_complete=False)) == ["SEG701"]


def test_a_waiver_of_another_line_changes_nothing() -> None:
    text = f"segment: tested\nwhere: {{trait: country, equals: DE}}  {WAIVER}\n"

    assert codes(waived(text)) == ["SEG700", "SEG701", "SEG133"]


@pytest.mark.parametrize(
    ("comment", "code", "words"),
    [
        ("# lint: allow missing_owner", "SEG131", "no last day"),
        ("# lint: allow missing_owner until 2026-12-31", "SEG131", "no reason"),
        ("# lint: allow missing_owner until 2026-12-31 because", "SEG131", "no reason"),
        ("# lint: allow missing_owner until 31.12.2026 because x", "SEG131", "until 2026-12-31"),
        ("# lint: allow missing_owner until 2026-02-30 because x", "SEG131", "is no day"),
        ("# lint: allow until 2026-12-31 because x", "SEG131", "names the rule"),
        ("# lint: missing_owner", "SEG131", "names the rule"),
        ("# lint: allow missing_ownr until 2026-12-31 because x", "SEG128", "did you mean `missing_owner`"),
        ("# lint: allow SEG204 until 2026-12-31 because x", "SEG128", "no lint rule"),
    ],
)
def test_what_a_waiver_lacks_is_told(comment: str, code: str, words: str) -> None:
    waivers, problems = waivers_in(DefinitionFile("a.yaml", f"{comment}\na: b\n".encode(), None))

    assert waivers == []
    assert [problem.code for problem in problems] == [code]
    assert words in f"{problems[0].message} {problems[0].hint}"


TEXTS = """
title: "a # lint: allow x"   # one
note: 'b # no'
path: a#b
url: http://shop.example/#top
block: |
  # lint: allow y
  text # no
folded: >-
  # no
list: [a, "#", b]  # two
  # three
last: c
"""


def test_a_sign_inside_of_a_text_begins_no_comment() -> None:
    found = list(comments_in(DefinitionFile("a.yaml", TEXTS.encode(), None)))

    assert [(comment.text, comment.location.line, comment.line) for comment in found] == [
        ("# one", 2, 2), ("# two", 11, 11), ("# three", 12, 13),
    ]  # fmt: skip


def test_a_file_that_is_no_yaml_has_no_waivers() -> None:
    assert waivers_in(DefinitionFile("a.yaml", f'{WAIVER}\na: "\n'.encode(), None)) == ([], [])
