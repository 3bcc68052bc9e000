"""`universal_holdout` of the project file: generations in order of time, never two at once."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import test_schemas

from segctl.compile.project import bind_project_text
from segctl.model.experiments import UniversalHoldout

HEAD = "segctl: 1\ntimezone: Europe/Berlin\nuniversal_holdout:"
NEW_YEAR = datetime(2025, 12, 31, 23, tzinfo=UTC)
JULY = datetime(2026, 6, 30, 22, tzinfo=UTC)
ONE = "{share: 5 %, from: 2026-01-01, to: 2026-07-01}"


def bound(text: str) -> tuple[tuple[UniversalHoldout, ...], list[tuple[str, int | None, str | None]]]:
    project, found = bind_project_text(f"{HEAD} {text}", Path("/nowhere"))
    return project.universal_holdouts, [(one.code, one.location and one.location.line, one.hint) for one in found]


def test_days_begin_in_the_zone_of_the_project() -> None:
    found, problems = bound(f"{{2026-h1: {ONE}}}")

    assert problems == []
    assert found == (UniversalHoldout("2026-h1", Decimal("0.05"), NEW_YEAR, JULY),)
    assert found[0].location is not None


def test_generations_stand_in_order_of_time_and_the_last_is_open() -> None:
    found, problems = bound(f"\n  b: {{share: 0.1, from: 2026-07-01}}\n  a: {ONE}\n")

    assert problems == []
    assert [(one.name, one.begin, one.end) for one in found] == [("a", NEW_YEAR, JULY), ("b", JULY, None)]


def test_one_without_an_end_lasts_until_the_next() -> None:
    found, problems = bound("\n  a: {share: 5 %, from: 2026-01-01}\n  b: {share: 5 %, from: 2026-07-01}\n")

    assert problems == []
    assert [one.end for one in found] == [JULY, None]


def test_a_gap_between_generations_is_allowed() -> None:
    found, problems = bound(f"\n  a: {ONE}\n  b: {{share: 5 %, from: 2026-08-01}}\n")

    assert problems == []
    assert found[0].end == JULY


@pytest.mark.parametrize(
    ("text", "code", "word"),
    [
        (f"\n  a: {ONE}\n  b: {{share: 5 %, from: 2026-06-01}}\n", "SEG952", "to: 2026-06-01"),
        (f"\n  a: {ONE}\n  b: {ONE}\n", "SEG952", "begin later"),
        ("{a: {share: 5 %, from: 2026-07-01, to: 2026-01-01}}", "SEG952", "exchange"),
        ("{a: {share: 100 %, from: 2026-07-01}}", "SEG952", "5 %"),
        ("{a: {share: 0 %, from: 2026-07-01}}", "SEG952", ""),
        ("{a: {share: 120 %, from: 2026-07-01}}", "SEG952", ""),
        ("{H1 2026: {share: 5 %, from: 2026-07-01}}", "SEG952", "2026-h1"),
        ("{a: {share: 5 %}}", "SEG211", "from: 2026-01-01"),
        ("{a: {from: 2026-07-01}}", "SEG211", "share: 5 %"),
        ("{a: {share: 5 %, form: 2026-07-01, from: 2026-07-01}}", "SEG210", "`from`?"),
        ("{a: {share: 5 %, from: today}}", "SEG232", "2026-12-31"),
        ("{a: 5 %}", "SEG212", "share"),
        ("5 %", "SEG212", "share"),
    ],
)
def test_what_is_wrong_is_told(text: str, code: str, word: str) -> None:
    _, problems = bound(text)

    assert [one[0] for one in problems] == [code]
    assert problems[0][1] is not None
    assert word in str(problems[0][2])


def test_the_shipped_schema_agrees() -> None:
    assert test_schemas.problems("project", f"{HEAD} {{2026-h1: {ONE}}}") == []
    assert test_schemas.problems("project", f"{HEAD} {{2026-h1: {{share: 5 %}}}}") != []
    assert test_schemas.problems("project", f"{HEAD} {{H1: {ONE}}}") != []
