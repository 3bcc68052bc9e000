"""Running tests of segments: who belongs, who does not, what is unknown, and why."""

from __future__ import annotations

from pathlib import Path

import pytest
from operations.segment_tests_project import outcome_of, suite_of, write_project, wrong

from segctl.cli.testing_formats import diagnostic
from segctl.compile.lower import SAMPLE_RANGE
from segctl.compile.trace_eval import place_in_sample
from segctl.model.errors import UsageError
from segctl.operations.lists import ProjectLists
from segctl.operations.session import bound_definitions
from segctl.operations.testing.generate import propose_cases
from segctl.operations.testing.testing import load_suite, run_tests

ONE = """
cases:
  - case: one
    given:
      anna: {country: DE}
      ben: {country: FR}
      cleo:
    expect: {germans: {%s}}
"""


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        ("members: [anna], non_members: [ben], unknown: [cleo]", []),
        ("members: [anna]", []),
        ("members: []", [("anna", "not a member, or unknown", "a member")]),
        ("members: [anna, ben]", [("ben", "a member", "not a member")]),
        ("members: [anna], non_members: [cleo]", [("cleo", "not a member", "unknown")]),
        ("members: [anna], unknown: [ben]", [("ben", "unknown", "not a member")]),
        ("members: [anna, cleo]", [("cleo", "a member", "unknown")]),
        ("fails: true", [(None, "that it fails", "it can be decided")]),
    ],
)
def test_whoever_is_given_and_not_named_must_not_belong(tmp_path: Path, expected: str, found: list[object]) -> None:
    assert wrong(outcome_of(tmp_path, ONE % expected)) == found


def test_each_case_is_a_population_of_its_own(tmp_path: Path) -> None:
    tests = """
cases:
  - case: alone
    given: {weak: {country: DE, points: 1}}
    expect: {best: {members: [weak]}, best_per_country: {members: [weak]}}
  - case: beside a better one
    given: {weak: {country: DE, points: 1}, strong: {country: DE, points: 2}, other: {country: FR, points: 0}}
    expect:
      best: {members: [strong], non_members: [weak, other], because: {weak: keep}}
      best_per_country: {members: [strong, other]}
  - case: of one firm
    given: {anna: {company: a, country: DE}, ben: {company: a, country: FR}}
    expect: {in_firms: {members: [ben], because: {ben: colleagues}}}
  - case: of the same firm elsewhere
    given: {ben: {company: a, country: FR}}
    expect: {in_firms: {non_members: [ben]}}
"""
    assert wrong(outcome_of(tmp_path, tests)) == []


def test_a_score_decides_among_those_of_its_case(tmp_path: Path) -> None:
    tests = """
cases:
  - case: three
    given: {low: {points: 1, country: DE}, high: {points: 9, country: DE}, abroad: {points: 9, country: FR}}
    expect: {leaders: {members: [high], because: {high: points_score, low: points_score, abroad: country}}}
  - case: nobody is ranked
    given: {anna: {country: DE}}
    expect: {leaders: {unknown: [anna], because: {anna: points_score}}}
"""
    (tmp_path / "traits").mkdir()
    scores = "traits:\n  points_score: {score: points, groups: 3, best: high}\n"
    (tmp_path / "traits" / "all.yaml").write_text(scores, "utf-8")
    leaders = "where: {all: [{trait: country, equals: DE}, {trait: points_score, at_least: 2}]}"

    assert wrong(outcome_of(tmp_path, tests, leaders=leaders)) == []


def test_other_segments_are_evaluated_or_given(tmp_path: Path) -> None:
    tests = """
cases:
  - case: evaluated
    given: {anna: {country: DE, view: [1 day ago, 2 days ago]}, ben: {country: DE}}
    expect: {german_buyers: {members: [anna], because: {ben: buyers}}}
  - case: given
    given: {anna: {country: DE, view: [1 day ago, 2 days ago]}, ben: {country: DE}}
    memberships: {buyers: [ben]}
    expect: {german_buyers: {members: [ben], because: {anna: buyers}}}
  - case: the given one itself elsewhere
    given: {anna: {view: [1 day ago, 2 days ago]}, ben: }
    expect: {buyers: {members: [anna]}}
"""
    assert wrong(outcome_of(tmp_path, tests)) == []


def test_colleagues_belong_to_the_given_segments_also_where_it_is_explained(tmp_path: Path) -> None:
    tests = """
cases:
  - case: given
    given: {anna: {company: a, country: DE}, ben: {company: a, country: DE}}
    memberships: {buyers: [ben]}
    expect: {lively: {members: [anna], because: {ben: colleagues, anna: country}}}
"""
    lively = "where: {all: [{trait: country, equals: DE}, {related: colleagues, where: {segment: buyers}}]}"

    assert wrong(outcome_of(tmp_path, tests, lively=lively)) == []


def test_a_segment_that_fails_in_one_case_is_decided_in_the_others(tmp_path: Path) -> None:
    tests = """
cases:
  - {case: whole, given: {anna: {points: 5}, ben: {points: 4}}, expect: {strict: {members: [anna]}}}
  - {case: missing, given: {anna: {points: 5}, ben: }, expect: {strict: {fails: true}}}
  - {case: missing too, given: {ben: }, expect: {strict: {members: []}}}
"""
    found = outcome_of(tmp_path, tests)

    assert [r.case.name for r in found.failed] == ["missing too"]
    assert found.failed[0].mismatches[0].code == "SEG539"


def test_history_lists_rows_and_samples_can_be_given(tmp_path: Path) -> None:
    tests = """
cases:
  - case: history
    given:
      climbed: {tier: silver, records: [{at: 29 days ago, tier: gold}]}
      long_ago: {tier: silver, records: [{at: 31 days ago, tier: gold}]}
      always: {tier: gold}
      first_known: {records: [{at: 1 day ago, tier: gold}]}
      future: {tier: silver, records: [{at: in 1 day, tier: gold}]}
    expect: {climbers: {members: [climbed]}}
  - case: lists
    given: {anna: {customer_id: "001"}, ben: {customer_id: "1"}, cleo: }
    expect: {listed: {members: [anna], non_members: [ben, cleo]}}
  - case: rows
    given: {anna: {tickets: [{status: closed}, {status: open, level: 2}]}, ben: {tickets: {status: closed}}}
    expect: {open_tickets: {members: [anna], because: {ben: tickets}}}
  - case: samples go by the name
    given: {anna: , p3: }
    expect: {tenth: {members: [SAMPLED]}}
"""
    inside = next(f"p{n}" for n in range(99) if place_in_sample("tenth", f"p{n}") < SAMPLE_RANGE // 10)

    found = outcome_of(tmp_path, tests.replace("p3", inside).replace("SAMPLED", inside))

    assert wrong(found) == []


def test_bounds_hold_to_the_second_in_the_zone_of_the_project(tmp_path: Path) -> None:
    tests = """
cases:
  - case: thirty days
    given:
      everyone: {view: [{at: 1 day ago}, {at: 2 days ago}]}
      inside: {view: [1 day ago, 30 days ago + 1 second]}
      outside: {view: [1 day ago, 30 days ago]}
      future: {view: [1 day ago, in 1 second]}
      now: {view: [1 day ago, now]}
    expect: {buyers: {members: [inside, now], because: {outside: view}}}
  - case: over the clock change
    as_of: 2026-03-29 12:00
    given:
      exact: {view: ["2026-02-27 11:00:01", 1 day ago]}
      too_early: {view: ["2026-02-27 11:00:00", 1 day ago]}
    expect: {buyers: {members: [exact], non_members: [too_early]}}
"""
    assert wrong(outcome_of(tmp_path, tests)) == []


def test_the_leaf_that_decided_must_be_the_one_named(tmp_path: Path) -> None:
    where = (
        "where: {all: [{trait: country, equals: DE}, {any: [{trait: points, above: 5}, {trait: tier, equals: gold}]}]}"
    )
    tests = """
cases:
  - case: reasons
    given:
      in: {country: DE, points: 6, tier: silver}
      no_tier: {country: DE, points: 1, tier: silver}
      abroad: {country: FR, points: 6, tier: silver}
    expect:
      nested:
        members: [in]
        because: {in: points, no_tier: [points, "all[1].any[1]"], abroad: "all[0]"}
  - case: wrong reasons
    given: {abroad: {country: FR, points: 6}, in: {country: DE, points: 6, tier: silver}}
    expect: {nested: {members: [in], because: {abroad: points, in: tier}}}
"""
    found = outcome_of(tmp_path, tests, nested=where)

    assert [(m.code, m.profile, m.found) for r in found.failed for m in r.mismatches] == [
        ("SEG531", "abroad", "`all[0]` decided"),
        ("SEG531", "in", "`all[0]` and `all[1].any[0]` decided"),
    ]


def test_coverage_counts_the_answers_of_each_leaf(tmp_path: Path) -> None:
    found = outcome_of(tmp_path, ONE % "members: [anna]")

    assert found.leaves == {"germans": [[True, False, None]]}


def test_the_first_failure_can_end_the_run(tmp_path: Path) -> None:
    tests = """
cases:
  - {case: a, given: {anna: }, expect: {germans: {members: [anna]}}}
  - {case: b, given: {anna: }, expect: {germans: {members: [anna]}}}
"""
    assert len(run_tests(suite_of(tmp_path, tests), first=True).results) == 1


def test_a_selection_leaves_other_expectations_out(tmp_path: Path) -> None:
    tests = """
cases:
  - {case: both, given: {anna: {country: DE}}, expect: {germans: {members: [anna]}, buyers: {members: [anna]}}}
  - {case: other, given: {anna: }, expect: {buyers: {members: [anna]}}}
"""
    found = run_tests(suite_of(tmp_path, tests, "germans"))

    assert [(r.case.name, r.mismatches) for r in found.results] == [("both", ())]


PROBLEMS = [
    ("anna: {contry: DE}", "germans: {members: []}", "SEG550", "did you mean `country`?"),
    ("anna: {points: many}", "germans: {members: []}", "SEG230", None),
    ("anna: {born: 30.02.2020}", "germans: {members: []}", "SEG232", None),
    ("anna: {view: yesterday noon}", "germans: {members: []}", "SEG232", None),
    ("anna: {view: {at: now, pages: x}}", "germans: {members: []}", "SEG221", "did you mean `page`?"),
    ("anna: {view: {page: x}}", "germans: {members: []}", "SEG211", "add `at: 3 days ago`"),
    ("anna: {view: {at: now, page: [1]}}", "germans: {members: []}", "SEG212", None),
    ("anna: {order: now}", "germans: {members: []}", "SEG559", 'write `"trait:order"` or `"event:order"`'),
    ("anna: {address: {town: x}}", "germans: {members: []}", "SEG210", "there is `city`"),
    ("anna: {tickets: {state: x}}", "germans: {members: []}", "SEG221", "did you mean `status`?"),
    ("anna: {records: [{tier: gold}]}", "germans: {members: []}", "SEG211", "add `at: 3 days ago`"),
    ("an na: {}", "germans: {members: []}", "SEG217", None),
    ("anna:", "german: {members: []}", "SEG551", "did you mean `germans`?"),
    ("anna:", "germans: {members: [ana]}", "SEG553", "did you mean `anna`?"),
    ("anna:", "germans: {members: [anna], unknown: [anna]}", "SEG554", None),
    ("anna:", "germans: {member: [anna]}", "SEG210", "did you mean `members`?"),
    ("anna:", "germans: {members: anna}", "SEG212", "write `[anna]`"),
    ("anna:", "germans: {}", "SEG558", None),
    ("anna:", "germans: {because: {anna: contry}}", "SEG557", "did you mean `country`?"),
    ("anna:", "germans: {fails: true, members: [anna]}", "SEG558", None),
]


@pytest.mark.parametrize(("given", "expect", "code", "hint"), PROBLEMS)
def test_mistakes_in_test_files_are_told_with_place_and_remedy(
    tmp_path: Path, given: str, expect: str, code: str, hint: str | None
) -> None:
    tests = f"cases:\n  - case: one\n    given:\n      {given}\n    expect: {{{expect}}}\n"

    with pytest.raises(UsageError) as raised:
        suite_of(tmp_path, tests)

    (found, *_) = [d for d in raised.value.diagnostics if d.severity == "error"]
    assert raised.value.code == "SEG534"
    assert found.code == code
    assert found.location is not None
    assert found.location.line in (4, 5)
    assert hint is None or hint in (found.hint or "")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("as_of: today\ncases: [{case: a, expect: {germans: {members: []}}}]", "SEG552"),
        ("cases: []", "SEG212"),
        ("tests: []", "SEG210"),
        ("cases: [{case: a, expect: {}}]", "SEG558"),
        ("cases: [{expect: {germans: {members: []}}}]", "SEG211"),
        ("cases: [{case: a}]", "SEG211"),
        ("cases: [{case: a, memberships: {germans: []}, expect: {germans: {members: []}}}]", "SEG558"),
        (
            "cases:\n- {case: a, expect: {germans: {members: []}}}\n- {case: a, expect: {germans: {members: []}}}",
            "SEG555",
        ),
    ],
)
def test_mistakes_around_cases_are_told(tmp_path: Path, text: str, code: str) -> None:
    with pytest.raises(UsageError) as raised:
        suite_of(tmp_path, text)

    assert code in {d.code for d in raised.value.diagnostics}


def test_a_computed_trait_cannot_be_given(tmp_path: Path) -> None:
    (tmp_path / "traits").mkdir()
    (tmp_path / "traits" / "all.yaml").write_text("traits: {views: {event: view, count: {}}}\n")

    with pytest.raises(UsageError) as raised:
        suite_of(tmp_path, "cases: [{case: a, given: {anna: {views: 2}}, expect: {germans: {members: []}}}]")

    assert [d.code for d in raised.value.diagnostics] == ["SEG556"]


def test_what_everyone_has_lies_under_what_each_has(tmp_path: Path) -> None:
    tests = """
given: {everyone: {country: DE, points: 1}, anna: {points: 2}}
cases:
  - case: laid over one another
    given: {everyone: {points: 3}, ben: {country: FR}, cleo: {points: }}
    expect: {germans: {members: [anna, cleo]}, rich: {members: [anna], non_members: [ben], unknown: [cleo]}}
"""
    found = outcome_of(tmp_path, tests, rich="where: {all: [{trait: points, equals: 2}, {trait: country, equals: DE}]}")

    assert wrong(found) == []


def test_a_segment_that_has_ended_at_as_of_has_no_members(tmp_path: Path) -> None:
    tests = """
cases:
  - case: on its last day
    as_of: 2026-05-31 23:59
    given: {anna: {country: DE}, ben: {country: FR}, cleo: {}}
    expect: {spring: {members: [anna], unknown: [cleo]}, after_spring: {members: [anna]}}
  - case: from its last midnight on, in the project's zone
    as_of: 2026-06-01 00:00
    given: {anna: {country: DE}, ben: {country: FR}, cleo: {}}
    expect:
      spring: {non_members: [anna, ben, cleo], because: {anna: expires, ben: expires}}
      after_spring: {non_members: [anna, cleo], because: {anna: spring}}
      in_spring: {non_members: [anna]}
"""
    segments = {
        "spring": "expires: 2026-06-01\nwhere: {trait: country, equals: DE}",
        "after_spring": "where: {segment: spring}",
        "in_spring": "where: {related: colleagues, where: {segment: spring}}",
    }

    assert wrong(outcome_of(tmp_path, tests, **segments)) == []


def test_a_reason_says_that_the_segment_had_ended(tmp_path: Path) -> None:
    tests = "cases: [{case: one, given: {anna: {country: DE}}, expect: {spring: {members: [anna]}}}]"
    spring = "expires: 2026-06-01\nwhere: {trait: country, equals: DE}\nkeep: {top: 1, by: points}"
    outcome = outcome_of(tmp_path, tests, spring=spring)

    assert wrong(outcome) == [("anna", "a member", "not a member")]
    assert diagnostic(outcome.failed[0].mismatches[0]).why == "the segment had ended (`expires`)"


def test_cases_of_a_segment_that_has_ended_are_proposed_for_its_last_day(tmp_path: Path) -> None:
    project = write_project(tmp_path, spring="expires: 2026-06-01\nwhere: {trait: country, equals: DE}")
    definitions, _ = bound_definitions(project)

    proposals = propose_cases("spring", definitions, ProjectLists(project))

    assert {proposal.as_of.isoformat() for proposal in proposals} == {"2026-05-31T10:00:00+00:00"}


def test_a_german_project_says_conditions_and_values_in_german(tmp_path: Path) -> None:
    tests = "cases: [{case: eins, given: {anna: {points: 3}}, expect: {regular: {members: [anna]}}}]"
    project = write_project(tmp_path, tests, regular="where: {event: view, within_last: 30 days, count: {at_least: 2}}")
    file = project / "segctl.yaml"
    found = {}
    for language in ("de", "en"):
        file.write_text(f"{file.read_text('utf-8')}\nlanguage: {language}\n" if language == "de" else
                        file.read_text("utf-8").replace("language: de", "language: en"), "utf-8")  # fmt: skip
        found[language] = diagnostic(run_tests(load_suite(project)).failed[0].mismatches[0]).why or ""

    assert "in den letzten 30 Tagen" in found["de"]
    assert ": 0, nötig ist mindestens 2" in found["de"]
    assert "in the last 30 days" in found["en"]
    assert "nötig" not in found["en"]
