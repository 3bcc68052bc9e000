"""Related tables and colleagues: what is declared, what binds to what, and what is wrong."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from builders import bound, definitions, definitions_of, diagnostics_of
from test_schemas import problems as schema_problems

from segctl.compile.project import bind_project_text
from segctl.compile.references import references
from segctl.compile.words import describe
from segctl.model import conditions as c
from segctl.model import times as t

SOME = c.ValueTest("at_least", (1,))
LAST_WEEK = t.WithinLast(t.Duration(7, "days"))
OPEN = c.PropertyTest("status", c.ValueTest("equals", ("open",)))
HALF = c.ValueTest("at_least", (Decimal("0.5"),))


def test_a_table_is_declared_with_typed_properties() -> None:
    project, found = bind_project_text(
        "segctl: 1\nrelated: {devices: {title: Geräte, properties: {os: text}}}", Path("/x")
    )

    assert found == []
    (table,) = project.related
    assert (table.name, table.title, table.property_type("os").kind.value) == ("devices", "Geräte", "text")


def test_a_group_is_declared_by_what_its_profiles_share() -> None:
    text = "segctl: 1\ntraits: {company: text}\nrelated: {peers: {same: company, others_only: true}}"

    project, found = bind_project_text(text, Path("/x"))

    assert found == []
    assert [(g.name, g.same, g.others_only) for g in project.colleagues] == [("peers", "company", True)]


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("{peers: {same: compny}}", "SEG294"),
        ("{peers: {same: vip}}", "SEG294"),
        ("{peers: {same: company, properties: {a: text}}}", "SEG210"),
        ("{peers: {others_only: true}}", "SEG211"),
        ("{peers: {same: company, others_only: maybe}}", "SEG212"),
        ("{tickets: {propertys: {a: text}}}", "SEG210"),
        ("{tickets: {properties: {a: string}}}", "SEG125"),
        ("{tickets: {properties: {source: text}}}", "SEG126"),
        ("{Tickets: {}}", "SEG217"),
        ("{tickets: text}", "SEG212"),
    ],
)
def test_a_wrong_declaration_is_named(written: str, code: str) -> None:
    text = f"segctl: 1\ntraits: {{company: text, vip: boolean}}\nrelated: {written}"

    assert [d.code for d in bind_project_text(text, Path("/x"))[1]] == [code]


def test_rows_are_selected_and_measured_like_events() -> None:
    found = bound("{related: tickets, where: {status: open, priority: {at_least: 2}}, count: {at_least: 3}}")

    where = (
        c.PropertyTest("status", c.ValueTest("equals", ("open",))),
        c.PropertyTest("priority", c.ValueTest("at_least", (2,))),
    )
    assert found == c.RelatedCondition(c.RelatedSelection("tickets", where), c.Count(), c.ValueTest("at_least", (3,)))


@pytest.mark.parametrize(
    ("written", "measure", "test"),
    [
        ("", c.Count(), SOME),
        (", count: 0", c.Count(), c.ValueTest("equals", (0,))),
        (", sum: {of: fee, above: 50 EUR}", c.Aggregate("sum", "fee"), c.ValueTest("above", (Decimal(50),))),
        (", average: {of: effort, below: 2}", c.Aggregate("average", "effort"), c.ValueTest("below", (Decimal(2),))),
        (", max: {of: opened_at, within_last: 7 days}", c.Aggregate("max", "opened_at"), LAST_WEEK),
        (
            ", distinct: {of: product.sku, at_least: 2}",
            c.Aggregate("distinct", "product", ("sku",)),
            c.ValueTest("at_least", (2,)),
        ),
        (", share: {where: {status: open}, at_least: 50 %}", c.Share((OPEN,)), HALF),
    ],
)
def test_measures_of_rows(written: str, measure: c.Measure, test: c.Test) -> None:
    assert bound(f"{{related: tickets{written}}}") == c.RelatedCondition(c.RelatedSelection("tickets"), measure, test)


def test_a_time_of_a_row_is_tested_in_where() -> None:
    found = bound("{related: subscriptions, where: {renews_on: {within_next: 30 days}}}")

    test = c.PropertyTest("renews_on", t.WithinNext(t.Duration(30, "days")))
    assert found == c.RelatedCondition(c.RelatedSelection("subscriptions", (test,)), c.Count(), SOME)


def test_colleagues_meet_a_condition() -> None:
    found = bound("{related: colleagues, where: {segment: good_customers}, count: {at_least: 3}}")

    assert found == c.ColleaguesCondition(
        "company", c.ValueTest("at_least", (3,)), c.SegmentCondition("good_customers")
    )
    assert references(found).segments == ("good_customers",)
    assert references(found).traits == ("company",)


def test_others_may_be_meant_alone() -> None:
    found = bound("{related: other_colleagues}")

    assert found == c.ColleaguesCondition("company", SOME, others_only=True)


IN_WHERE = "test a time in `where`: `where: {opened_at: {within_last: 30 days}}`"
TIMELESS = (
    "use one of `count`, `sum`, `average`, `min`, `max`, `distinct` and `share`; `max` of a time property is the latest"
)
PROBLEMS = [
    ("{related: tikets}", "SEG258", "did you mean `tickets`? Or declare `tikets` under `related` in segctl.yaml"),
    ("{related: tickets, within_last: 7 days}", "SEG259", IN_WHERE),
    ("{related: tickets, latest: 3}", "SEG259", IN_WHERE),
    ("{related: tickets, last: {within_last: 7 days}}", "SEG259", TIMELESS),
    ("{related: tickets, months: {at_least: 2}}", "SEG259", TIMELESS),
    ("{related: tickets, count: {followed_by: {event: logged_in}}}", "SEG259", "leave it out"),
    ("{related: tickets, where: {time.month: 3}}", "SEG221", None),
    ("{related: tickets, where: {state: open}}", "SEG221", None),
    ("{related: tickets, where: {status: 3, priority: high}}", "SEG230", None),
    (
        "{related: tickets, count: 0, sum: {of: fee, above: 1}}",
        "SEG215",
        "use one; put others into conditions of their own under `all`",
    ),
    ("{related: tickets, count: {at_least: 1}, missing: match}", "SEG245", "delete it"),
    ("{related: tickets, same: [sku]}", "SEG210", None),
    ("{related: colleagues, sum: {of: points, above: 3}}", "SEG295", "write `count: {at_least: 3}`"),
    ("{related: colleagues, where: {tier: gold}}", "SEG213", "write `{trait: tier, …}`"),
    ("{related: colleagues, count: {at_least: 3}, missing: match}", "SEG245", "delete it"),
    ("{related: colleagues, within_last: 7 days}", "SEG259", IN_WHERE),
]


@pytest.mark.parametrize(("condition", "code", "hint"), PROBLEMS)
def test_a_wrong_condition_is_named(condition: str, code: str, hint: str | None) -> None:
    (found,) = diagnostics_of(condition)

    assert found.code == code
    assert hint is None or found.hint == hint


@pytest.mark.parametrize(
    "condition",
    [row[0] for row in PROBLEMS if row[1] in ("SEG259", "SEG215", "SEG210") and "colleagues" not in row[0]],
)
def test_the_schema_knows_mistakes_of_form(condition: str) -> None:
    assert schema_problems("segment", f"segment: tested\nwhere: {condition}")


@pytest.mark.parametrize(
    "condition",
    [
        "{related: tickets}",
        "{related: tickets, where: {opened_at: {within_last: 30 days}, status: [open, waiting]}, count: 0}",
        "{related: tickets, share: {where: {status: open}, at_least: 50 %}}",
        "{related: colleagues, where: {any: [{segment: good_customers}, {related: tickets}]}, count: {at_most: 2}}",
    ],
)
def test_the_schema_allows_what_binds(condition: str) -> None:
    assert diagnostics_of(condition) == []
    assert schema_problems("segment", f"segment: tested\nwhere: {condition}") == []


def test_a_computed_trait_measures_rows() -> None:
    text = "traits:\n  open_tickets: {related: tickets, where: {status: open}, count: {}}"

    found, diagnostics = definitions_of({"tested": "where: {trait: open_tickets, above: 2}"}, text)

    assert diagnostics == []
    where = (c.PropertyTest("status", c.ValueTest("equals", ("open",))),)
    assert found.computed["open_tickets"].selection == c.RelatedSelection("tickets", where)
    assert schema_problems("traits", text) == []


@pytest.mark.parametrize(
    ("trait", "code"),
    [
        ("{related: colleagues, count: {}}", "SEG295"),
        ("{related: tickets, gap: average}", "SEG259"),
        ("{related: tickets}", "SEG215"),
        ("{related: tickets, event: logged_in, count: {}}", "SEG262"),
    ],
)
def test_a_wrong_computed_trait_is_named(trait: str, code: str) -> None:
    assert [d.code for d in definitions_of({}, f"traits:\n  tested: {trait}")[1]] == [code]


@pytest.mark.parametrize(
    ("condition", "english", "german"),
    [
        ("{related: tickets, where: {status: open}}", "tickets, where status is open", "tickets, mit status ist open"),
        ("{related: tickets, count: 0}", "no tickets", "kein tickets"),
        (
            "{related: colleagues, where: {segment: staff_members}, count: {at_least: 3}}",
            "colleagues (same company), where (in segment staff_members): count at least 3",
            "colleagues (gleiche Angabe: company), mit (im Segment staff_members): Anzahl mindestens 3",
        ),
        (
            "{related: other_colleagues}",
            "other_colleagues (others, same company)",
            "other_colleagues (andere, gleiche Angabe: company)",
        ),
    ],
)
def test_words(condition: str, english: str, german: str) -> None:
    assert (describe(bound(condition)), describe(bound(condition), "de")) == (english, german)


def test_the_name_of_a_group_is_no_part_of_the_meaning() -> None:
    one = definitions({"tested": "where: {related: colleagues, where: {trait: tier, equals: gold}}"}).segments["tested"]
    other = definitions({"tested": "where: {related: colleagues, where: {trait: tier, equals: silver}}"}).segments[
        "tested"
    ]

    assert one.digest != other.digest
    assert one.where == c.ColleaguesCondition(
        "company", SOME, c.TraitCondition("tier", c.ValueTest("equals", ("gold",))), group="x"
    )
