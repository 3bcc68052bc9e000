"""Contracts and checks that no one can mean are found when they are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from segctl.compile.contracts import schema_file
from segctl.compile.project import bind_project_text
from segctl.compile.sources import bind_source_text

PROJECT = "segctl: 1\nname: shop\nidentifiers: {customer_id: {class: known}}\ntraits: {city: text}\nevents: {}\n"
SOURCE = "source: crm\npath: crm.csv\nkey: {customer_id: id}\nprofiles: {city: city}\n"


def findings(body: str) -> list[tuple[str, str]]:
    declared, _ = bind_project_text(PROJECT, Path("."))
    assert declared is not None
    _, found = bind_source_text(SOURCE + body, "sources/crm.yaml", declared)
    return [(finding.code, finding.message) for finding in found]


@pytest.mark.parametrize(
    ("check", "message"),
    [
        ("rows: {}", "`rows` needs `at_least` or `at_most` or `change`"),
        ("refers: {column: city}", "`refers` needs `to`"),
        ("nulls: {column: city}", "`nulls` needs `at_most`"),
        ("values: {column: city}", "`values` needs `in`"),
        ("range: {column: city}", "`range` needs `min` or `max`"),
        ("quantile: {column: city, at_most: 5}", "`quantile` needs `q`"),
        ("quantile: {column: city, q: 0.5}", "`quantile` needs `at_least` or `at_most`"),
        ("quantile: {column: city, q: 2, at_most: 5}", "`q` is from 0 to 1"),
        ("fresh: {column: city}", "`fresh` needs `within`"),
        ("sums: {columns: [city]}", "`sums` needs `equal`"),
    ],
)
def test_a_check_says_what_it_lacks(check: str, message: str) -> None:
    assert findings(f"checks:\n  - {check}\n") == [("SEG432", message)]


def test_checks_that_say_enough_are_taken() -> None:
    checks = "rows: {at_least: 1}", "quantile: {column: city, q: 99 %, at_most: 5}", "drift: {column: city}"

    assert findings("".join(f"  - {check}\n" for check in checks).join(("checks:\n", ""))) == []


def test_a_number_without_end_is_left_to_the_judge_of_the_schema() -> None:
    assert findings("contract: {properties: {id: {minimum: " + "9" * 5000 + "}}}\n") == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"allOf":[' * 9000 + "{}" + "]}" * 9000, "nested too deep"),
        ('{"type": "object", "properties": {"a": true, "a": false}}', "the key `a` stands there twice"),
        ('{"minimum": 1,}', "not JSON"),
    ],
)
def test_a_file_that_is_no_contract_says_why(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "c.json"
    path.write_text(text, "utf-8")

    found = schema_file(path, "c.json")

    assert isinstance(found, str)
    assert why in found
