"""What tests of segments miss, and boundary cases that are proposed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from operations.segment_tests_project import suite_of, write_project, wrong

from segctl.compile.mutate import changed_words
from segctl.compile.selection import Selection
from segctl.model.errors import UsageError
from segctl.operations.lists import ProjectLists
from segctl.operations.session import bound_definitions
from segctl.operations.testing.generate import propose_cases
from segctl.operations.testing.mutants import Score, mutation_scores
from segctl.operations.testing.proposals import file_text
from segctl.operations.testing.testing import load_suite, run_tests

WEAK = """
cases:
  - {case: weak, given: {anna: {view: [1 day ago, 2 days ago]}, ben: }, expect: {buyers: {members: [anna]}}}
"""
STRONG = """
cases:
  - case: strong
    given:
      just: {view: [1 day ago, 30 days ago + 1 second]}
      late: {view: [1 day ago, 30 days ago]}
      three: {view: [1 day ago, 1 day ago, 1 day ago]}
      one: {view: 1 day ago}
    expect: {buyers: {members: [just, three]}}
"""
CONDITIONS = {
    "value": "where: {event: order, within_last: 60 days, sum: {of: value, at_least: 99.90}}",
    "filtered": "where: {event: order, where: {coupon: {in: [A, B]}, value: {above: 10}}, count: {at_least: 2}}",
    "text": "where: {trait: country, starts_with: DE}",
    "struct": "where: {trait: address.city, in: [Bonn, Köln]}",
    "many": "where: {trait: tags, any_of: [x, y]}",
    "birthday": "where: {trait: born, anniversary: {within_next: 7 calendar days}}",
    "seen": "where: {trait: seen_at, within_last: 2 hours}",
    "nested": (
        "where: {all: [{trait: country, in: [DE, AT]}, {any: [{event: view, count: 0}, {trait: points, above: 5}]},"
        " {not: {segment: buyers}}]}"
    ),
    "sequence": "where: {sequence: [{event: view, within_last: 7 days}, {then_not: {event: order, within: 1 day}}]}",
    "same": ("where: {all: [{event: view, count: {at_least: 2}}, {event: view, within_last: 2 days}], same: [page]}"),
    "ranked": "where: {event: view}\nkeep: {top: 2, by: points}",
    "none": "where: {none: [{trait: tier, equals: gold}, {event: order, within_last: 1 days}]}",
    "weekend": "where: {event: order, where: {time.weekday: [6, 7]}}",
    "gap": "where: {event: order, gap: {average: , at_most: 10 days}}",
    "rows": "where: {related: tickets, where: {level: {at_least: 2}}, count: {at_least: 2}}",
    "firm": "where: {related: colleagues, where: {event: order}, count: {at_least: 2}}",
    "strict_one": "where: {trait: points, between: [5, 9], missing: error}",
}


def score_of(folder: Path, tests: str, name: str, **segments: str) -> Score:
    (score,) = mutation_scores(suite_of(folder, tests, name, **segments))
    return score


def test_changes_that_no_case_notices_are_named_with_their_place(tmp_path: Path) -> None:
    score = score_of(tmp_path, WEAK, "buyers")

    words = {mutant.words for mutant in score.survivors}
    assert "view, in the last 30 days: count → the last 29 days: count" in words
    assert {str(mutant.location) for mutant in score.survivors} == {"segments/buyers.yaml:2:8"}
    assert score.share < 0.7


def test_cases_at_the_bounds_notice_every_change(tmp_path: Path) -> None:
    score = score_of(tmp_path, STRONG, "buyers")

    assert (score.survivors, score.share) == ((), 1.0)
    assert score.mutants > 6


def test_without_any_case_nothing_is_noticed(tmp_path: Path) -> None:
    score = score_of(tmp_path, WEAK, "germans")

    assert (score.cases, len(score.survivors), score.share) == (0, score.mutants, 0.0)


def test_changes_that_mean_the_same_do_not_count(tmp_path: Path) -> None:
    score = score_of(tmp_path, WEAK, "never", never="where: {event: view, count: 0}")

    assert score.same > 0
    assert "count at most 0" not in "".join(m.words for m in score.survivors)


def test_a_case_in_which_the_segment_fails_notices_that_it_no_longer_does(tmp_path: Path) -> None:
    missing = "cases: [{case: missing, given: {ben: }, expect: {strict: {fails: true}}}]"
    bound = "cases: [{case: bound, given: {ben: {points: 5}}, expect: {strict: {members: [ben]}}}]"

    by_missing, by_bound = score_of(tmp_path, missing, "strict"), score_of(tmp_path, bound, "strict")

    assert any("missing does not count" in words for words in words_of(by_bound))
    assert not any("missing does not count" in words for words in words_of(by_missing))
    assert any("at least 6" in words for words in words_of(by_missing))
    assert not any("at least 6" in words for words in words_of(by_bound))


def words_of(score: Score) -> set[str]:
    return {mutant.words for mutant in score.survivors}


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("a in the last 30 days", "a in the last 29 days", "a in the last 30 days → the last 29 days"),
        ("x above 1", "x at least 1", "x above 1 → x at least 1"),
    ],
)
def test_a_change_is_told_by_what_differs(before: str, after: str, words: str) -> None:
    assert changed_words(before, after) == words


@pytest.mark.parametrize("name", [name for name in CONDITIONS if name != "gap"])
def test_proposed_cases_hold_and_notice_nearly_every_change(tmp_path: Path, name: str) -> None:
    write_project(tmp_path, **{name: CONDITIONS[name]})
    definitions, _ = bound_definitions(tmp_path)

    proposals = propose_cases(name, definitions, ProjectLists(tmp_path))
    text = file_text(proposals, definitions.segments[name], definitions)
    (tmp_path / "tests" / "proposed.yaml").write_text(text, "utf-8")
    suite = load_suite(tmp_path, selection=Selection((name,)))
    found = run_tests(suite)

    assert wrong(found) == []
    (score,) = mutation_scores(suite)
    assert score.share >= 0.8, [m.words for m in score.survivors]


def test_bounds_missing_values_ties_and_the_calendar_are_among_the_proposals(tmp_path: Path) -> None:
    write_project(tmp_path)
    definitions, _ = bound_definitions(tmp_path)

    text = file_text(
        propose_cases("buyers", definitions, ProjectLists(tmp_path)), definitions.segments["buyers"], definitions
    )

    document: Any = yaml.safe_load(text)
    names = {name for case in document["cases"] for name in case["given"]}
    assert {"no_events", "at_one_instant", "in_the_future"} <= names
    assert {"from_bound", "from_bound_less_1s", "from_bound_plus_1s"} <= names
    assert [case.get("as_of") for case in document["cases"]][1:] == ["2026-03-29 15:00", "2028-02-29 12:00"]
    assert "30 days ago + 1 second" in text


def test_nothing_is_proposed_where_nobody_can_belong(tmp_path: Path) -> None:
    write_project(tmp_path, never="where: {all: [{trait: points, above: 5}, {trait: points, below: 5}]}")
    definitions, _ = bound_definitions(tmp_path)

    with pytest.raises(UsageError) as raised:
        propose_cases("never", definitions, ProjectLists(tmp_path))

    assert raised.value.code == "SEG535"
