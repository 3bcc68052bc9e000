"""Conditions on consent: in words, lowered, in digests and references, as mutants and at their bounds."""

from __future__ import annotations

from dataclasses import replace

import pytest
import test_catalogue_examples
from builders import a_project, bound, bound_segment, definitions

from segctl.compile import ir
from segctl.compile.boundaries import Clock
from segctl.compile.boundary_leaves import leaf_candidates
from segctl.compile.boundary_specs import Ground
from segctl.compile.kinds import kinds_of
from segctl.compile.lower import lower_segment
from segctl.compile.mutate import mutants
from segctl.compile.plan import plan
from segctl.compile.references import references
from segctl.compile.source_consents import LEDGER_COLUMNS
from segctl.compile.sources import bind_source_text
from segctl.compile.testing_times import fixed_as_of
from segctl.compile.words import describe
from segctl.compile.words_consents import german_consent
from segctl.model.catalogue import entries
from segctl.model.conditions import ConsentCondition
from segctl.model.times import Duration, WithinLast
from segctl.model.types import TEXT, TIME

GIVEN = "{consent: newsletter, channel: email}"
LATELY = "{consent: newsletter, channel: email, status: withdrawn, within_last: 30 days}"


@pytest.mark.parametrize(
    ("written", "english", "german"),
    [
        (GIVEN, "consent to newsletter by email: given", "Einwilligung in newsletter per email: erteilt"),
        (
            LATELY,
            "consent to newsletter by email: withdrawn, in the last 30 days",
            "Einwilligung in newsletter per email: widerrufen, in den letzten 30 Tagen",
        ),
    ],
)
def test_a_consent_is_said_in_one_line(written: str, english: str, german: str) -> None:
    assert describe(bound(written)) == english
    assert describe(bound(written), "de") == german


def test_a_cause_is_said_in_german() -> None:
    line = "consent newsletter by email: confirmed → withdrawn"

    assert german_consent(line) == "Einwilligung newsletter per email: erteilt → widerrufen"


def test_a_consent_is_lowered_to_its_state_and_its_beginning() -> None:
    status, since = (
        ir.StoredTrait("consent:newsletter:email", TEXT),
        ir.StoredTrait("consent:newsletter:email:since", TIME),
    )

    lowered = lower_segment(bound_segment(f"where: {LATELY}"), definitions({}))

    window = ir.InWindow(since, WithinLast(Duration(30, "days")))
    assert lowered.where == ir.And((ir.Compare("eq", status, ir.Literal("withdrawn", TEXT)), window))
    asked = plan([lowered])
    assert (asked.traits, asked.consents) == ((), (("newsletter", "email"),))


def test_a_consent_refers_to_its_purpose() -> None:
    found = bound(f"{{all: [{GIVEN}, {{trait: country, equals: DE}}]}}")

    assert references(found).purposes == ("newsletter",)
    assert "consent" in kinds_of(found)


@pytest.mark.parametrize(
    ("changed", "is_other"),
    [
        ({"stale_after": Duration(6, "months")}, True),
        ({"bases": ("contract",)}, True),
        ({"title": "Rundbrief"}, False),
    ],
)
def test_what_decides_about_a_purpose_is_part_of_the_digest(changed: dict[str, object], is_other: bool) -> None:
    project = a_project()
    purposes = tuple(replace(p, **changed) if p.name == "newsletter" else p for p in project.purposes)  # type: ignore[arg-type]  # by name
    texts = {
        "asks": f"where: {GIVEN}",
        "below": "where: {consent: newsletter.sale}",
        "asks_not": "where: {trait: country, equals: DE}",
    }

    before, after = (definitions(texts, project=p).segments for p in (project, replace(project, purposes=purposes)))

    assert (before["asks"].digest != after["asks"].digest) == is_other
    # A denial of what is above reaches what is below.
    assert (before["below"].digest != after["below"].digest) == is_other
    assert before["asks_not"].digest == after["asks_not"].digest


def test_rules_of_consent_are_part_of_the_digest() -> None:
    project = a_project()
    other = replace(project, consent=replace(project.consent, double_opt_in=()))

    before, after = (definitions({"asks": f"where: {GIVEN}"}, project=p).segments["asks"] for p in (project, other))

    assert before.digest != after.digest


def test_mutants_ask_for_other_states_and_ages() -> None:
    found = [m.definition.where for m in mutants(bound_segment(f"where: {LATELY}"), definitions({}))]

    email = ("newsletter", "email")
    assert ConsentCondition(*email, "objected", WithinLast(Duration(30, "days"))) in found
    assert ConsentCondition(*email, "withdrawn", WithinLast(Duration(29, "days"))) in found
    assert ConsentCondition(*email, "withdrawn") in found


def test_candidates_lie_on_both_sides_of_an_age() -> None:
    as_of = fixed_as_of("2026-06-17 12:00", "UTC")
    clock = Clock(as_of, "UTC")  # type: ignore[arg-type]  # no problem

    specs = dict(leaf_candidates(bound(LATELY), Ground(definitions({}), {}, clock), base=clock.now))

    given = {spec.consents.get(("newsletter", "email")) for spec in specs.values()}
    assert {None, ("withdrawn", "30 days ago"), ("withdrawn", "30 days ago + 1 second"), ("none", None)} - given == {
        ("none", None)
    }
    assert "confirmed" in {one[0] for one in given if one}


@pytest.mark.parametrize("code", [code for code in entries() if code in ("SEG830", "SEG831", "SEG832", "SEG833")])
def test_the_examples_of_the_catalogue_fire(code: str) -> None:
    found = entries()[code]

    assert test_catalogue_examples.fired_by(found.example) == [code]
    assert test_catalogue_examples.fired_by(found.better) == []


@pytest.mark.parametrize("code", ["SEG834", "SEG835"])
def test_the_examples_of_sources_fire(code: str) -> None:
    source, found = bind_source_text(
        entries()[code].example.replace("customer_id: Nr", "customer_id: Nr"), "s.yaml", a_project()
    )

    assert source is None
    assert {one.code for one in found} >= {code}


def test_sources_know_the_columns_of_imports() -> None:
    from segctl.operations.consent.columns import COLUMNS

    assert set(LEDGER_COLUMNS) == set(COLUMNS)
