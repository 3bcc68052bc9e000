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


SHARE, ROWS = "a share from 0 to 100 %", "a whole number of rows"


@pytest.mark.parametrize(
    ("check", "place", "message", "hint"),
    [
        ("rows: {at_least: -1}", 17, f"`at_least` of `rows` is {ROWS}, not `-1`", "1000"),
        ("rows: {at_most: 5 %}", 16, f"`at_most` of `rows` is {ROWS}, not `5 %`", "1000"),
        ("rows: {at_most: 1.5}", 16, f"`at_most` of `rows` is {ROWS}, not `1.5`", "1000"),
        ("rows: {change: -5 %}", 15, "`change` of `rows` is 0 or more, not `-5 %`", "30 %"),
        ("rows: {at_least: 9, at_most: 1}", 6, "nothing is at least 9 and at most 1", "swap"),
        ("nulls: {column: city, at_most: 700 %}", 31, f"`at_most` of `nulls` is {SHARE}, not `700 %`", "5 %"),
        ("nulls: {column: city, at_most: 7}", 31, f"`at_most` of `nulls` is {SHARE}, not `7`", "did you mean `7 %`?"),
        ("values: {column: city, in: [a], at_least: -1}", 42, f"`at_least` of `values` is {SHARE}, not `-1`", "5 %"),
        ("refers: {column: city, to: a.b, at_least: 2}", 42, f"`at_least` of `refers` is {SHARE}, not `2`", "`2 %`"),
        ("range: {column: city, min: 5, max: 1}", 7, "nothing is at least 5 and at most 1", "swap"),
        ("sums: {columns: [a], equal: [b], at_most: -1}", 42, "`at_most` of `sums` is 0 or more, not `-1`", "0.3"),
        ("drift: {column: city, at_most: -1}", 31, "`at_most` of `drift` is 0 or more, not `-1`", "0.3"),
        ("fresh: {column: city, within: 0 days}", 30, "no time is that new: `within` is longer than nothing", "36 h"),
        ("range: {column: city, min: 1" + "0" * 400 + "}", 27, "`1" + "0" * 400 + "` is no amount", "20"),
    ],
)
def test_a_bound_that_nothing_can_keep_or_break_is_refused_at_its_place(
    check: str, place: int, message: str, hint: str
) -> None:
    declared, _ = bind_project_text(PROJECT, Path("."))
    assert declared is not None
    _, (found,) = bind_source_text(f"{SOURCE}checks:\n  - {check}\n", "sources/crm.yaml", declared)

    assert (found.code, found.message) == ("SEG432", message)
    assert found.location is not None
    assert (found.location.line, found.location.column) == (6, place + 5)
    assert hint in (found.hint or "")


def test_rules_that_are_told_only_are_known_by_their_keyword() -> None:
    told = "contract: {type: object}\ncontract_options: {warn: {city: %s}}\n"

    assert findings(told % "[format, all]") == []
    assert findings(told % "[fromat]") == [("SEG416", "`fromat` is no rule of a contract")]


def test_checks_that_say_enough_are_taken() -> None:
    checks = (
        "rows: {at_least: 1, at_most: 1, change: 300 %}", "quantile: {column: city, q: 99 %, at_most: -5}",
        "drift: {column: city}", "nulls: {column: city, at_most: 0}", "range: {column: city, min: -5, max: -5}",
        "values: {column: city, in: [a], at_least: 100 %}",
    )  # fmt: skip

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
