"""A small project in which tests of segments are written."""

from __future__ import annotations

from pathlib import Path

from segctl.compile.selection import Selection
from segctl.operations.testing.testing import Outcome, Suite, load_suite, run_tests

PROJECT = """
segctl: 1
name: small
timezone: Europe/Berlin
identifiers:
  customer_id: {class: known}
traits:
  country: {type: text}
  tier: {type: text}
  points: {type: integer}
  born: {type: date}
  seen_at: {type: time}
  tags: {type: list, of: text}
  address: {type: struct, fields: {city: text}}
  company: {type: text}
  order: {type: text}
events:
  order:
    properties: {value: {type: money, unit: EUR}, coupon: text}
  view:
    properties: {page: text}
related:
  tickets: {properties: {status: text, level: integer}}
  colleagues: {same: company, others_only: true}
"""
SEGMENTS = {
    "buyers": "where: {event: view, within_last: 30 days, count: {at_least: 2}}",
    "germans": "where: {trait: country, equals: DE}",
    "german_buyers": "where: {all: [{segment: buyers}, {segment: germans}]}",
    "best": "where: {trait: country, exists: true}\nkeep: {top: 1, by: points}",
    "best_per_country": "where: {trait: points, at_least: 0}\nkeep: {top: 1, by: points, per: country}",
    "strict": "where: {trait: points, at_least: 5, missing: error}",
    "climbers": "where: {trait: tier, changed: {to: gold, within_last: 30 days}}",
    "listed": "where: {list: lists/staff.csv, column: customer_id, identifier: customer_id}",
    "open_tickets": "where: {related: tickets, where: {status: open}}",
    "in_firms": "where: {related: colleagues, where: {trait: country, equals: DE}}",
    "tenth": "where: {sample: {percent: 10}}",
}


def write_project(folder: Path, tests: str = "", **segments: str) -> Path:
    """The project, with one test file and further segments."""
    (folder / "segctl.yaml").write_text(PROJECT, "utf-8")
    for name in ("segments", "tests", "lists"):
        (folder / name).mkdir(exist_ok=True)
    (folder / "lists" / "staff.csv").write_text("customer_id\n001\n", "utf-8")
    for name, text in (SEGMENTS | segments).items():
        (folder / "segments" / f"{name}.yaml").write_text(f"segment: {name}\n{text}\n", "utf-8")
    if tests:
        (folder / "tests" / "all.yaml").write_text(tests, "utf-8")
    return folder


def suite_of(folder: Path, tests: str, *names: str, **segments: str) -> Suite:
    """The cases of a test file, of some segments or all."""
    return load_suite(write_project(folder, tests, **segments), selection=Selection(names))


def outcome_of(folder: Path, tests: str, **segments: str) -> Outcome:
    """What running a test file finds."""
    return run_tests(suite_of(folder, tests, **segments), leaves=True)


def wrong(outcome: Outcome) -> list[tuple[str | None, str, str]]:
    """Profile, expected and found of every mismatch."""
    return [(m.profile, m.expected, m.found) for result in outcome.failed for m in result.mismatches]
