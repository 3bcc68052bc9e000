"""All definitions of a project together: references, cycles, computed traits, digests."""

from __future__ import annotations

import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from builders import TRAITS, a_project, definitions, definitions_of

from segctl.compile.definitions import bind_segment_text, load_definitions
from segctl.compile.files import definition_files
from segctl.compile.lower import lower_trait
from segctl.compile.project import load_project
from segctl.compile.references import cycle_in, references
from segctl.model.conditions import Aggregate, Call, EventSelection, Number, PropertyTest, TraitValue, ValueTest
from segctl.model.diagnostics import has_errors
from segctl.model.times import Duration, WithinLast
from segctl.model.types import INTEGER, TEXT, TIME, Kind, ValueType

LEAF = "{trait: country, equals: DE}"


def trait_problems(text: str) -> list[tuple[str, str]]:
    return [(d.code, d.hint or "") for d in definitions_of({}, f"traits:\n  tested: {text}")[1]]


def test_a_segment_cannot_have_the_name_of_the_column_of_people() -> None:
    found, problems = definitions_of({"subject": f"where: {LEAF}"}, "traits: {}")

    assert [d.code for d in problems if d.location.file == "segments/subject.yaml"] == ["SEG126"]
    assert "subject" not in found.segments


@pytest.mark.parametrize("name", ["subject", "profile_id"])
def test_a_computed_trait_cannot_have_the_name_of_a_column_of_people(name: str) -> None:
    problems = definitions_of({}, f"traits:\n  {name}: {{event: order_completed, count: {{}}}}")[1]

    assert [d.code for d in problems] == ["SEG126"]


# --- Computed traits ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("written", "of"),
    [
        ("{event: order_completed, count: {}}", INTEGER),
        ("{event: order_completed, days: {}}", INTEGER),
        ("{event: order_completed, distinct: {of: channel}}", INTEGER),
        ("{event: order_completed, sum: {of: value}}", ValueType(Kind.MONEY, 2, "EUR")),
        ("{event: order_completed, max: {of: value}}", ValueType(Kind.MONEY, 2, "EUR")),
        ("{event: order_completed, average: {of: value}}", ValueType(Kind.REAL, unit="EUR")),
        ("{event: order_completed, average: {of: value}, unit: EUR}", ValueType(Kind.REAL, unit="EUR")),
        ("{event: order_completed, share: {where: {is_gift: true}}}", ValueType(Kind.REAL, unit="share")),
        ("{event: order_completed, first: time}", TIME),
        ("{event: order_completed, last_value: {of: channel}}", TEXT),
        ("{event: order_completed, most_frequent: {of: shipping.city}}", TEXT),
        ("{event: order_completed, gap: last}", ValueType(Kind.REAL, unit="days")),
        ("{event: order_completed, count: {}, unit: orders}", ValueType(Kind.INTEGER, unit="orders")),
        ("{formula: balance + credit_limit}", ValueType(Kind.REAL, unit="EUR")),
        ("{formula: 'max(balance, 0) - 5'}", ValueType(Kind.REAL, unit="EUR")),
        ("{formula: balance / credit_limit, unit: share}", ValueType(Kind.REAL, unit="share")),
        ("{formula: balance / credit_limit, unit: ratio}", ValueType(Kind.REAL, unit="ratio")),
        ("{formula: balance / points}", ValueType(Kind.REAL, unit="EUR/points")),
        ("{formula: years_since(birth_date)}", ValueType(Kind.REAL, unit="years")),
        ("{formula: days_since(trial_ends_at) / 7}", ValueType(Kind.REAL, unit="days")),
        ("{formula: visits * 2, unit: steps}", ValueType(Kind.REAL, unit="steps")),
    ],
)
def test_the_type_of_a_computed_trait(written: str, of: ValueType) -> None:
    found = definitions({}, f"{TRAITS}  tested: {written}")

    assert found.computed["tested"].type == of


def test_a_computed_trait_selects_events_as_conditions_do() -> None:
    text = "{event: order_completed, within_last: 90 days, where: {channel: shop}, latest: 5, sum: {of: value}}"
    found = definitions({}, f"{TRAITS}  tested: {text}").computed["tested"]

    where = (PropertyTest("channel", ValueTest("equals", ("shop",))),)
    assert found.selection == EventSelection(("order_completed",), WithinLast(Duration(90, "days")), where, 5)
    assert found.measure == Aggregate("sum", "value")


def test_a_formula_is_a_tree() -> None:
    found = definitions({}, f"{TRAITS}  tested: {{formula: 2 * visits - limit}}").computed["tested"]

    assert found.formula == Call("-", (Call("*", (Number(Decimal(2)), TraitValue("visits"))), TraitValue("limit")))


def test_traits_may_be_computed_from_traits_in_any_order() -> None:
    text = """traits:
  c: {formula: b * 2}
  b: {formula: a + 1}
  a: {event: logged_in, count: {}}
"""
    assert list(definitions_of({}, text)[0].computed) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("written", "code", "hint"),
    [
        ("{event: order_completed, sum: {of: value}, unit: USD}", "SEG261", "unit: EUR"),
        ("{event: order_completed, last: time, unit: days}", "SEG261", "delete"),
        ("{formula: balance + points}", "SEG261", ""),
        ("{formula: balance + discount}", "SEG261", ""),
        ("{formula: balance + balance_usd}", "SEG261", ""),
        ("{formula: balance - 5, unit: share}", "SEG261", "unit: EUR"),
        ("{formula: country + 1}", "SEG261", ""),
        ("{formula: days_since(points)}", "SEG261", ""),
        ("{formula: blance + 1}", "SEG204", "`balance`"),
        ("{formula: balance +}", "SEG260", ""),
        ("{formula: 'sqrt(balance)'}", "SEG260", ""),
        ("{formula: balance, event: logged_in}", "SEG262", ""),
        ("{title: x}", "SEG262", ""),
        ("{type: text}", "SEG262", "segctl.yaml"),
        ("{event: order_completed}", "SEG215", "count: {}"),
        ("{event: order_completed, count: {}, days: {}}", "SEG215", "one trait for each"),
        ("{event: order_completed, count: {at_least: 3}}", "SEG262", "segment"),
        ("{event: order_completed, count: 0}", "SEG212", "count: {}"),
        ("{event: order_completed, last: value}", "SEG212", "`time`"),
        ("{event: order_completed, gap: mean}", "SEG212", "`average`"),
        ("{event: order_completed, sum: {of: value}, missing: match}", "SEG210", ""),
        ("{event: [order_completed, order_us], sum: {of: value}}", "SEG237", ""),
        ("{event: order_complet, count: {}}", "SEG220", "`order_completed`"),
        ("x", "SEG212", ""),
    ],
)
def test_a_computed_trait_that_is_wrong(written: str, code: str, hint: str) -> None:
    found = trait_problems(written)

    assert [problem for problem, _ in found] == [code]
    assert hint in found[0][1]


def test_a_unit_error_points_into_the_formula() -> None:
    _, problems = definitions_of({}, "traits:\n  tested: {formula: 1 + blance}")

    assert [(d.location.line, d.location.column, d.location.length) for d in problems if d.location] == [(2, 25, 6)]


def test_a_cycle_of_traits_is_printed() -> None:
    text = "traits:\n  a: {formula: b + 1}\n  b: {formula: c + 1}\n  c: {formula: a + 1}\n  d: {formula: a}"
    found, problems = definitions_of({}, text)

    assert [(d.code, d.message) for d in problems] == [("SEG224", "the trait `a` refers to itself: a → b → c → a")]
    assert found.computed == {}


def test_what_rests_on_a_broken_trait_is_left_out_without_further_findings() -> None:
    found, problems = definitions_of(
        {"uses": "where: {trait: a, above: 1}", "free": f"where: {LEAF}"},
        "traits:\n  a: {formula: +}\n  b: {formula: a}",
    )

    assert [d.code for d in problems] == ["SEG260"]
    assert (list(found.segments), list(found.computed)) == (["free"], [])


# --- Segments among one another ----------------------------------------------------------------------------
def test_a_cycle_of_segments_is_printed_once() -> None:
    found, problems = definitions_of(
        {
            "a": "where: {segment: b}",
            "b": f"where: {{all: [{LEAF}, {{not: {{segment: c}}}}]}}",
            "c": "where: {segment: a}",
            "d": "where: {segment: a}",
            "e": f"where: {LEAF}",
        }
    )

    assert [(d.code, d.message) for d in problems] == [("SEG224", "the segment `a` refers to itself: a → b → c → a")]
    assert problems[0].location is not None
    assert problems[0].location.file == "segments/a.yaml"
    assert list(found.segments) == ["e"]


def test_a_segment_that_refers_to_a_broken_one_is_left_out() -> None:
    found, problems = definitions_of({"a": "where: {segment: b}", "b": "where: {trait: contry, equals: DE}"})

    assert [d.code for d in problems] == ["SEG204"]
    assert found.segments == {}


def test_former_names_belong_to_one_segment() -> None:
    _, problems = definitions_of(
        {
            "a": f"formerly: [old]\nwhere: {LEAF}",
            "b": f"formerly: [old]\nwhere: {LEAF}",
            "c": f"formerly: [a]\nwhere: {LEAF}",
        }
    )

    assert [d.code for d in problems] == ["SEG219", "SEG219"]


@pytest.mark.parametrize(
    ("header", "code", "hint"),
    [
        ("owner: [a]", "SEG212", ""),
        ("titel: x", "SEG210", "`title`"),
        ("beschreibung: x", "SEG210", "`description`"),
        ("status: on", "SEG212", "`active`"),
        ("tags: daily", "SEG212", "[daily]"),
        ("tags: [a b]", "SEG217", ""),
        ("purpose: News Letter", "SEG217", "`news_letter`"),
        ("title: # 1", "SEG208", '"# 1"'),
        ("send_to: klaviyo", "SEG212", "[klaviyo]"),
        ("guards: {max_removed: 20}", "SEG256", "20 %"),
        ("guards: {max_removed: 120 %}", "SEG254", ""),
        ("guards: {min_size: 9, max_size: 5}", "SEG256", ""),
        ("guards: {min_size: -1}", "SEG230", ""),
        ("guards: {max_lost: 3 %}", "SEG210", "`max_size`"),
        ("fresh: {order_complete: 1 hour}", "SEG220", "`order_completed`"),
        ("fresh: {shop_order: 1 hour}", "SEG220", "`shop_orders`"),
        ("fresh: {order_completed: soon}", "SEG233", ""),
        ("keep: {top: 5, by: country}", "SEG255", ""),
        ("keep: {top: 5, by: nothing}", "SEG204", ""),
        ("keep: {top: 5, by: points, per: interests}", "SEG255", ""),
        ("keep: {top: 5, by: points, missing: keep}", "SEG255", "delete"),
        ("keep: {top: 5, bottom: 5, by: points}", "SEG255", ""),
        ("keep: {by: points}", "SEG255", "top: 500"),
        ("keep: {top: 5}", "SEG211", "by: lifetime_value"),
        ("keep: {top: 0, by: points}", "SEG230", ""),
        ("keep: {top: 0 %, by: points}", "SEG254", ""),
        ("keep: 500", "SEG212", "top: 500"),
    ],
)
def test_a_header_that_is_wrong(header: str, code: str, hint: str) -> None:
    found, problems = definitions_of({"tested": f"{header}\nwhere: {LEAF}"})

    assert [d.code for d in problems] == [code]
    assert hint in (problems[0].hint or ""), problems
    assert "tested" not in found.segments


# --- Files -------------------------------------------------------------------------------------------------
@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "segctl.yaml").write_text("segctl: 1\ntraits: {country: text}\nevents: {visited: {}}\n")
    for name in ("segments/eu", "traits", "sources", "segments/.hidden"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "segments/eu/german.yaml").write_text(f"segment: german\nwhere: {LEAF}\n")
    (tmp_path / "segments/.hidden/x.yaml").write_text("broken: [")
    return tmp_path


def test_files_are_found_in_folders_below(folder: Path) -> None:
    (folder / "traits/visits.yaml").write_text("traits: {visits: {event: visited, count: {}}}")
    project, _ = load_project(folder)

    found, problems = load_definitions(project)

    assert problems == []
    assert (list(found.segments), list(found.computed)) == (["german"], ["visits"])
    assert found.segments["german"].location is not None
    assert str(found.segments["german"].location) == "segments/eu/german.yaml:1:10"
    assert definition_files(project, "segments") == ["segments/eu/german.yaml"]


def test_names_of_files_and_segments(folder: Path) -> None:
    (folder / "segments/other.yaml").write_text("segment: german\nwhere: {trait: country, equals: AT}\n")
    (folder / "segments/third.yaml").write_text(f"segment: fourth\nwhere: {LEAF}\n")
    (folder / "segments/fifth.yml").write_text("broken: [")
    (folder / "traits/a.yaml").write_text("traits: {country: {event: visited, count: {}}}")

    found, problems = load_definitions(load_project(folder)[0])

    assert [(d.code, d.location.file) for d in problems if d.location] == [
        ("SEG207", "segments/fifth.yml"),
        ("SEG219", "segments/other.yaml"),
        ("SEG218", "segments/third.yaml"),
        ("SEG219", "traits/a.yaml"),
    ]
    assert list(found.segments) == ["fourth", "german"]
    assert found.segments["german"].location is not None
    assert found.segments["german"].location.file == "segments/eu/german.yaml"


def test_problems_of_all_files_come_at_once(folder: Path) -> None:
    (folder / "segments/a.yaml").write_text("segment: a\nwhere: [")
    (folder / "segments/b.yaml").write_bytes(b"segment: b\nwhere: \xff")
    (folder / "segments/c.yaml").write_text("segment: c\nwhere: {trait: contry, equals: x}")
    (folder / "segments/d.yaml").write_text("")
    (folder / "traits/t.yaml").write_text("trait: {}")

    _, problems = load_definitions(load_project(folder)[0])

    assert [d.code for d in problems] == ["SEG201", "SEG200", "SEG204", "SEG206", "SEG210", "SEG211"]


@pytest.mark.parametrize(
    "name", ["lists/eu.txt", "eu.csv", "lists", "../eu.csv", "/etc/hostname", "lists/../../eu.csv"]
)
def test_a_list_that_is_no_file_of_the_project_is_found_before_a_run(folder: Path, name: str) -> None:
    (folder / "lists").mkdir()
    (folder / "lists/eu.csv").write_text("DE\n")
    (folder.parent / "eu.csv").write_text("DE\n")
    (folder / "segments/a.yaml").write_text(f"segment: a\nwhere: {{trait: country, in: {{list: {name}}}}}")

    _, problems = load_definitions(load_project(folder)[0])

    assert [d.code for d in problems] == ["SEG227"]
    assert "lists/eu.csv" in (problems[0].hint or "")
    assert str(problems[0].location) == "segments/a.yaml:1:10"


def test_a_list_of_the_project_is_no_problem(folder: Path) -> None:
    (folder / "lists").mkdir()
    (folder / "lists/eu.csv").write_text("DE\n")
    (folder / "segments/a.yaml").write_text("segment: a\nwhere: {trait: country, in: {list: lists/eu.csv}}")

    assert load_definitions(load_project(folder)[0])[1] == []


def test_a_thousand_segments_bind_soon() -> None:
    text = """where:
  all:
    - {event: order_completed, within_last: 90 days, where: {channel: shop, value: {above: 50}}, count: {at_least: 2}}
    - {trait: country, in: [DE, AT, CH]}
    - any:
        - {trait: lifetime_value, at_least: 500 EUR}
        - {event: email_opened, within_last: 30 days}
    - not: {segment: staff_members}
"""
    started = time.process_time()
    found = definitions({f"s{number}": text for number in range(1000)})
    elapsed_s = time.process_time() - started

    assert len(found.segments) == 1002
    assert elapsed_s < 3.0  # measured 0.5 s; generous for slow machines


# --- One more definition -----------------------------------------------------------------------------------
def test_a_text_is_bound_beside_a_project() -> None:
    known = definitions({"a": f"where: {LEAF}"})

    bound, problems = bind_segment_text(
        "where: {all: [{segment: a}, {trait: lifetime_value, above: 5}]}", "new.yaml", known
    )

    assert problems == []
    assert bound is not None
    assert bound.name == "new"
    assert len(bound.digest) == 64


def test_a_text_that_replaces_a_segment_may_not_refer_to_itself() -> None:
    known = definitions({"a": f"where: {LEAF}", "b": "where: {segment: a}"})

    bound, problems = bind_segment_text("segment: a\nwhere: {segment: b}", "a.yaml", known)

    assert bound is None
    assert [(d.code, d.message) for d in problems] == [("SEG224", "the segment `a` refers to itself: a → b → a")]


@pytest.mark.parametrize("text", ["", "where: [", "where: {trait: nothing, equals: 1}", "segment: A\nwhere: {}"])
def test_a_broken_text_gives_findings(text: str) -> None:
    bound, problems = bind_segment_text(text, "x.yaml", definitions({}))

    assert bound is None
    assert has_errors(problems)


# --- Digests -----------------------------------------------------------------------------------------------
def digest(text: str, traits: str = TRAITS, other: str = LEAF) -> str:
    return definitions({"tested": text, "other": f"where: {other}"}, traits).segments["tested"].digest


BASE = "where: {all: [{trait: country, in: [DE, AT]}, {event: order_completed, within_last: 7 days}]}"


@pytest.mark.parametrize(
    "text",
    [
        f"# a comment\ntitle: New\ndescription: d\nowner: o\ntags: [x]\nstatus: draft\n{BASE}",
        "where:\n  all:\n    - in: [DE, AT]\n      trait: country\n    - {within_last: 7 days, event: order_completed}",
        "where: {all: [{trait: 'country', in: ['DE', \"AT\"]}, {event: [order_completed], within_last: 7 days}]}",
        f"{BASE}\nguards: {{min_size: 5}}\nformerly: [was]",
    ],
)
def test_words_places_and_the_order_of_keys_do_not_change_a_digest(text: str) -> None:
    assert digest(text) == digest(BASE)


@pytest.mark.parametrize(
    "text",
    [
        BASE.replace("AT", "CH"), BASE.replace("7 days", "8 days"), BASE.replace("within_last", "older_than"),
        BASE.replace("7 days", "7 calendar days"), BASE.replace("all", "any"), f"{BASE}\nkeep: {{top: 5, by: points}}",
        BASE.replace("[DE, AT]", "[DE, AT], missing: match"),
    ],
)  # fmt: skip
def test_another_meaning_has_another_digest(text: str) -> None:
    assert digest(text) != digest(BASE)


def test_a_digest_follows_what_a_segment_refers_to() -> None:
    text = "where: {all: [{segment: other}, {trait: order_overdue, above: 2}]}"

    assert digest(text) == digest(text, other=LEAF.replace("equals", "equals"))
    assert digest(text) != digest(text, other=LEAF.replace("DE", "AT"))
    assert digest(text) != digest(text, TRAITS.replace("gap: average", "gap: max"))
    assert digest(text) == digest(text, TRAITS.replace("return_rate: {", "return_rate: {title: x, "))


def test_a_renamed_segment_leaves_its_users_unchanged() -> None:
    one = definitions({"a": f"where: {LEAF}", "user": "where: {segment: a}"}).segments["user"].digest
    other = definitions({"b": f"where: {LEAF}", "user": "where: {segment: b}"}).segments["user"].digest

    assert one == other


def test_the_zone_belongs_to_the_meaning() -> None:
    elsewhere = replace(a_project(), timezone="Asia/Tokyo")

    assert definitions({"tested": BASE}, project=elsewhere).segments["tested"].digest != digest(BASE)


# --- References --------------------------------------------------------------------------------------------
def test_references_are_collected_from_everywhere() -> None:
    found = definitions(
        {
            "tested": """where:
  all:
    - {segment: staff_members}
    - {trait: points, above: 3}
    - {trait: visits, below: {trait: limit}}
    - {trait: tier, changed: {to: gold}}
    - {event: order_completed, since: {trait: paid_until}, count: {at_least: 1, followed_by: {event: order_refunded}}}
    - sequence: [{event: logged_in}, {then: {event: email_opened}}]
    - {trait: country, in: {list: lists/eu.csv}}
    - {list: lists/staff.csv, identifier: email}
keep: {top: 5, by: lifetime_value, per: city}
"""
        }
    ).segments["tested"]

    used = references(found.where, found.keep)

    assert used.segments == ("staff_members",)
    assert used.traits == ("points", "visits", "limit", "paid_until", "country", "lifetime_value", "city")
    assert used.histories == ("tier",)
    assert used.events == ("order_completed", "order_refunded", "logged_in", "email_opened")
    assert used.lists == ("lists/eu.csv", "lists/staff.csv")


def test_cycles_in_a_graph() -> None:
    graph = {"a": ("b",), "b": ("c", "d"), "c": ("b",), "d": (), "e": ("e",), "f": ("nobody",)}

    assert cycle_in(graph) == [("b", "c", "b"), ("e", "e")]
    assert cycle_in({"a": ("b", "c"), "b": ("c",), "c": ()}) == []


# --- What traits add up to ---------------------------------------------------------------------------------
def chain(length: int, formula: str, *, is_reversed: bool = False) -> str:
    rows = ["  t0: {event: logged_in, count: {}}"]
    rows += [f"  t{i}: {{formula: '{formula.replace('_', f't{i - 1}')}'}}" for i in range(1, length)]
    return "\n".join(["traits:", *(reversed(rows) if is_reversed else rows), ""])


@pytest.mark.parametrize("is_reversed", [True, False])
@pytest.mark.parametrize(("length", "formula"), [(2000, "_ + 1"), (60, "_ + _"), (15, "abs(" * 25 + "_" + ")" * 25)])
def test_traits_that_add_up_to_too_much_are_refused_at_once(length: int, formula: str, is_reversed: bool) -> None:
    began = time.perf_counter()

    found = definitions_of({}, chain(length, formula, is_reversed=is_reversed))[1]

    assert {d.code for d in found} == {"SEG260"}
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize("is_reversed", [True, False])
def test_a_chain_of_computed_traits_within_the_limits_is_fine(is_reversed: bool) -> None:
    found, problems = definitions_of({}, chain(30, "max(_, 3) + 1", is_reversed=is_reversed))

    assert problems == []
    assert lower_trait("t29", found)


def test_a_hint_does_not_repeat_a_page() -> None:
    found = definitions_of({"x": f"where: {{event: logged_in, count: {'9' * 50_000}}}"})[1]
    found += definitions_of({"x": f"where: {{trait: points, above: {'9' * 50_000}}}"})[1]

    assert found
    assert max(len(d.message) + len(d.hint or "") for d in found) < 1_000
