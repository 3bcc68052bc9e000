from __future__ import annotations

from decimal import Decimal

import pytest
from builders import TRAITS, a_project, bound_segment, definitions

from segctl.compile import ir
from segctl.compile.lower import lower_segment, lower_trait
from segctl.model.conditions import All, AnyOf, SampleCondition, SegmentCondition, SegmentDefinition
from segctl.model.times import Anniversary, Before, Duration, Since, TraitTime, WithinLast
from segctl.model.types import BOOLEAN, DATE, INTEGER, REAL, TEXT, TIME, Kind, ValueType

DEFINITIONS = definitions({})
EUR = ValueType(Kind.MONEY, 2, "EUR")
EUR_REAL = ValueType(Kind.REAL, unit="EUR")
DAYS = ValueType(Kind.REAL, unit="days")
COUNTRY = ir.StoredTrait("country", TEXT)
POINTS = ir.StoredTrait("points", ValueType(Kind.INTEGER, unit="points"))
BALANCE = ir.StoredTrait("balance", EUR)
ONE = ir.Literal(1, INTEGER)


def segment(condition: str, header: str = "") -> ir.LoweredSegment:
    text = f"where: {condition.strip()}\n{header}" if "\n" not in condition else f"where:\n{condition}\n{header}"
    return lower_segment(bound_segment(text), DEFINITIONS)


def where(condition: str) -> ir.Predicate:
    return segment(condition).where


def euros(cents: int) -> ir.Literal:
    return ir.Literal(cents, EUR)


def orders(**more: object) -> ir.Metric:
    asked: dict[str, object] = {"kinds": ("order_completed",), "measure": ir.Measure("count"), "type": INTEGER, **more}
    return ir.Metric(**asked)


def some(metric: ir.Metric) -> ir.Predicate:
    return ir.Compare("ge", ir.MetricValue(metric), ONE)


# --- Values ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("{trait: country, equals: DE}", ir.Compare("eq", COUNTRY, ir.Literal("DE", TEXT))),
        ("{trait: country, not_equals: DE}", ir.Not(ir.Compare("eq", COUNTRY, ir.Literal("DE", TEXT)))),
        ("{trait: country, in: [DE, AT]}", ir.In(COUNTRY, ("AT", "DE"))),
        ("{trait: country, not_in: [DE, AT]}", ir.Not(ir.In(COUNTRY, ("AT", "DE")))),
        ("{trait: country, exists: true}", ir.Exists(COUNTRY)),
        ("{trait: country, exists: false}", ir.Not(ir.Exists(COUNTRY))),
        ("{trait: country, not_contains: D}", ir.Not(ir.TextTest("contains", COUNTRY, ir.Literal("D", TEXT)))),
        ("{trait: country, starts_with: D}", ir.TextTest("starts_with", COUNTRY, ir.Literal("D", TEXT))),
        (r"{trait: country, matches: '^\d'}", ir.TextTest("matches", COUNTRY, ir.Literal("^[0-9]", TEXT))),
        ("{trait: balance, above: 99.90 EUR}", ir.Compare("gt", BALANCE, euros(9990))),
        ("{trait: balance, at_most: 5}", ir.Compare("le", BALANCE, euros(500))),
        (
            "{trait: balance, between: [1, 2.5]}",
            ir.And((ir.Compare("ge", BALANCE, euros(100)), ir.Compare("le", BALANCE, euros(250)))),
        ),
        (
            "{trait: balance, above: {trait: credit_limit}}",
            ir.Compare("gt", BALANCE, ir.StoredTrait("credit_limit", EUR)),
        ),
        (
            "{trait: country, in: [DE, {trait: tier}]}",
            ir.Or((ir.In(COUNTRY, ("DE",)), ir.Compare("eq", COUNTRY, ir.StoredTrait("tier", TEXT)))),
        ),
        ("{trait: staff, equals: true}", ir.Compare("eq", ir.StoredTrait("staff", BOOLEAN), ir.Literal(True, BOOLEAN))),
    ],
)
def test_operators_on_values(condition: str, expected: ir.Predicate) -> None:
    assert where(condition) == expected


def test_ignore_case_folds_literals_by_unicode() -> None:
    assert where("{trait: city, equals: STRASSE, ignore_case: true}") == ir.TextTest(
        "eq", ir.StoredTrait("city", TEXT), ir.Literal("strasse", TEXT), True
    )
    assert where("{trait: city, in: [Straße, STRASSE], ignore_case: true}") == ir.FoldedIn(
        ir.StoredTrait("city", TEXT), ("strasse",)
    )


def test_decomposed_text_becomes_nfc() -> None:
    assert where("{trait: city, equals: 'Ko\u0308ln'}") == ir.Compare(
        "eq", ir.StoredTrait("city", TEXT), ir.Literal("K\u00f6ln", TEXT)
    )


def test_numbers_of_different_scales_meet_as_real_numbers() -> None:
    score, visits = ir.StoredTrait("score", ValueType(Kind.NUMBER, 6)), ir.StoredTrait("visits", INTEGER)

    assert where("{trait: score, above: {trait: visits}}") == ir.Compare("gt", ir.Real(score), ir.Real(visits))


def test_paths_lead_into_structs() -> None:
    address = a_project().trait("address")
    assert address is not None

    assert where("{trait: address.city, equals: Köln}") == ir.Compare(
        "eq", ir.StructField(ir.StoredTrait("address", address.type), "city", TEXT), ir.Literal("Köln", TEXT)
    )


def test_arrays() -> None:
    interests = ir.StoredTrait("interests", ValueType(Kind.LIST, element=TEXT))

    assert where("{trait: interests, any_of: [b, a]}") == ir.ArrayTest("any", interests, ("a", "b"))
    assert where("{trait: interests, none_of: [a]}") == ir.ArrayTest("none", interests, ("a",))
    assert where("{trait: interests, size: {at_least: 2}}") == ir.Compare(
        "ge", ir.Size(interests), ir.Literal(2, INTEGER)
    )
    assert where("{trait: interests, any_element: {starts_with: s}}") == ir.AnyElement(
        interests, ir.TextTest("starts_with", ir.Element(TEXT), ir.Literal("s", TEXT))
    )


def test_any_element_tests_fields_of_one_and_the_same_struct() -> None:
    found = where("{trait: devices, any_element: {model: X, year: {above: 2020}}}")

    assert isinstance(found, ir.AnyElement)
    element = found.value.type.element
    assert element is not None
    here = ir.Element(element)
    assert found.item == ir.And(
        (
            ir.Compare("eq", ir.StructField(here, "model", TEXT), ir.Literal("X", TEXT)),
            ir.Compare("gt", ir.StructField(here, "year", INTEGER), ir.Literal(2020, INTEGER)),
        )
    )


def test_time_operators_keep_their_window_and_carry_its_traits() -> None:
    trial = ir.StoredTrait("trial_ends_at", TIME)

    assert where("{trait: birth_date, anniversary: {within_next: 7 calendar days}}") == ir.InWindow(
        ir.StoredTrait("birth_date", DATE), Anniversary(Duration(7, "days", calendar=True))
    )
    assert where("{trait: paid_until, since: {trait: trial_ends_at}}") == ir.InWindow(
        ir.StoredTrait("paid_until", TIME), Since(TraitTime("trial_ends_at")), (("trial_ends_at", trial),)
    )


# --- Missing values (language §3.2) ------------------------------------------------------------------------
@pytest.mark.parametrize(("rule", "then"), [("match", True), ("no_match", False), ("error", None)])
def test_missing_decides_at_the_leaf_before_a_surrounding_not(rule: str, then: bool | None) -> None:
    found = where(f"{{not: {{trait: points, above: 5, missing: {rule}}}}}")

    assert found == ir.Not(ir.IfMissing(ir.Compare("gt", POINTS, ir.Literal(5, POINTS.type)), then))


def test_without_a_rule_unknown_stays_unknown() -> None:
    assert where("{not: {trait: points, above: 5}}") == ir.Not(ir.Compare("gt", POINTS, ir.Literal(5, POINTS.type)))


# --- Events (language §3.1, §3.3) --------------------------------------------------------------------------
def test_an_event_without_a_measure_is_at_least_one() -> None:
    window = WithinLast(Duration(90, "days"))

    assert where("{event: order_completed, within_last: 90 days}") == some(orders(window=window))


def test_a_list_of_events_and_the_star_are_kinds_in_order_of_name() -> None:
    every = tuple(sorted(event.name for event in a_project().events))

    assert where("{event: [product_viewed, order_completed]}") == some(
        orders(kinds=("order_completed", "product_viewed"))
    )
    assert where('{event: "*"}') == some(orders(kinds=every))


def test_count_zero_asks_for_none() -> None:
    assert where("{event: order_completed, count: 0}") == ir.Compare(
        "eq", ir.MetricValue(orders()), ir.Literal(0, INTEGER)
    )


def test_where_is_one_predicate_on_the_event_row_whatever_the_order_of_keys() -> None:
    value, coupon = ir.EventProperty("value", EUR), ir.EventProperty("coupon", TEXT)
    expected = ir.And((ir.Exists(coupon), ir.Compare("gt", value, euros(5000))))

    one = where("{event: order_completed, where: {value: {above: 50}, coupon: {exists: true}}}")
    two = where("{event: order_completed, where: {coupon: {exists: true}, value: {above: 50}}}")

    assert one == two == some(orders(where=expected))


def test_parts_of_the_local_time() -> None:
    assert where("{event: order_completed, where: {time.month: [12, 11]}}") == some(
        orders(where=ir.In(ir.EventTimePart("month", INTEGER), (11, 12)))
    )


def test_an_anniversary_of_events_is_a_test_of_the_row() -> None:
    window = Anniversary(Duration(7, "days", calendar=True))

    assert where("{event: order_completed, anniversary: {within_next: 7 calendar days}}") == some(
        orders(where=ir.InWindow(ir.EventTime(), window))
    )


VALUE = ir.EventProperty("value", EUR)


@pytest.mark.parametrize(
    ("measure", "lowered", "of", "bound"),
    [
        ("sum: {of: value, at_least: 500 EUR}", ir.Measure("sum", VALUE), EUR, 50_000),
        ("max: {of: value, at_least: 500}", ir.Measure("max", VALUE), EUR, 50_000),
        ("average: {of: value, at_least: 99.5}", ir.Measure("average", VALUE), EUR_REAL, 99.5),
        ("distinct: {of: channel, at_least: 2}", ir.Measure("distinct", ir.EventProperty("channel", TEXT)), INTEGER, 2),
        ("weeks: {at_least: 3}", ir.Measure("weeks"), INTEGER, 3),
        ("gap: {of: average, at_least: 36 hours}", ir.Measure("gap_average"), DAYS, 1.5),
        ("gap: {of: last, at_least: 2 weeks}", ir.Measure("gap_last"), DAYS, 14.0),
        ("last_value: {of: value, at_least: 1}", ir.Measure("last_value", VALUE), EUR, 100),
        (
            "share: {where: {coupon: A}, at_least: 60 %}",
            ir.Measure("share", where=ir.Compare("eq", ir.EventProperty("coupon", TEXT), ir.Literal("A", TEXT))),
            ValueType(Kind.REAL, unit="share"),
            0.6,
        ),
    ],
)
def test_measures(measure: str, lowered: ir.Measure, of: ValueType, bound: float) -> None:
    found = where(f"{{event: order_completed, {measure}}}")

    assert isinstance(found, ir.Compare)
    assert found.left == ir.MetricValue(orders(measure=lowered, type=of))
    assert isinstance(found.right, ir.Literal)
    assert (found.op, found.right.value, type(found.right.value)) == ("ge", bound, type(bound))


def test_the_first_and_last_time_are_tested_by_a_window() -> None:
    assert where("{event: order_completed, latest: 3, last: {before: '2026-01-01'}, missing: match}") == ir.IfMissing(
        ir.InWindow(
            ir.MetricValue(orders(measure=ir.Measure("last_time"), type=TIME, latest=3)),
            Before(_day("2026-01-01")),
        ),
        True,
    )


def _day(text: str) -> object:
    from segctl.compile.timewords import parse_time_point

    return parse_time_point(text)


def test_followed_by() -> None:
    follower = "{event: email_opened, same: [mailing_id], within: 7 days}"
    text = f"{{event: email_delivered, count: {{at_least: 2, followed_by: {follower}}}}}"
    followed = ir.Followed(("email_opened",), None, (("mailing_id", TEXT),), Duration(7, "days"))

    assert where(text) == ir.Compare(
        "ge",
        ir.MetricValue(orders(kinds=("email_delivered",), measure=ir.Measure("count", followed=followed))),
        ir.Literal(2, INTEGER),
    )


def test_a_changed_trait_is_a_count_over_its_history() -> None:
    tier = ir.EventProperty("new", TEXT)

    assert where("{trait: tier, changed: {to: gold, within_last: 30 days}}") == some(
        orders(
            kinds=("trait:tier",),
            window=WithinLast(Duration(30, "days")),
            where=ir.Compare("eq", tier, ir.Literal("gold", TEXT)),
        )
    )


def test_sequences() -> None:
    found = where(
        """
  sequence:
    - {event: product_added, within_last: 7 days, where: {price: {above: 10}}}
    - then: {event: page_viewed, within: 0 minutes}
    - then_not: {event: [product_added, order_completed], within: 2 hours}
  start: last"""
    )

    assert found == ir.HasSequence(
        ir.Sequence(
            (
                ir.Step(
                    ("product_added",), ir.Compare("gt", ir.EventProperty("price", EUR), euros(1000)), False,
                    WithinLast(Duration(7, "days")), None,
                ),
                ir.Step(("page_viewed",), None, False, None, Duration(0, "minutes")),
                ir.Step(("order_completed", "product_added"), None, True, None, Duration(2, "hours")),
            ),
            "last",
            (),
        )
    )  # fmt: skip


# --- Combinations ------------------------------------------------------------------------------------------
DE = ir.Compare("eq", COUNTRY, ir.Literal("DE", TEXT))
RICH = ir.Compare("ge", BALANCE, euros(100))


def test_combinations() -> None:
    leaves = "[{trait: country, equals: DE}, {trait: balance, at_least: 1}]"

    assert where(f"{{all: {leaves}}}") == ir.And((DE, RICH))
    assert where(f"{{any: {leaves}}}") == ir.Or((DE, RICH))
    assert where(f"{{any: {leaves}, at_least: 2}}") == ir.AtLeast((DE, RICH), 2)
    assert where(f"{{none: {leaves}}}") == ir.And((ir.Not(DE), ir.Not(RICH)))


def test_single_items_and_double_negations_are_simplified() -> None:
    assert where("{all: [{any: [{trait: country, equals: DE}]}]}") == DE
    assert where("{not: {trait: country, not_equals: DE}}") == DE


def test_empty_all_is_true_and_empty_any_false() -> None:
    empty = [lower_segment(SegmentDefinition("a", of), DEFINITIONS).where for of in (All(()), AnyOf(()))]

    assert empty == [ir.And(()), ir.Or(())]


def test_segments_and_lists() -> None:
    assert where("{segment: good_customers}") == ir.IsMember("good_customers")
    assert where("{list: lists/vip.csv, column: Mail, identifier: email}") == ir.InList(
        "lists/vip.csv", "Mail", "email"
    )


@pytest.mark.parametrize(
    ("percent", "threshold"),
    [("100", 2**63), ("50", 2**62), ("10", 922337203685477580), ("0.1", 9223372036854775), ("0", 0)],
)
def test_a_sample_is_a_share_of_2_to_the_63(percent: str, threshold: int) -> None:
    definition = SegmentDefinition("a", SampleCondition(Decimal(percent), "salt"))

    assert lower_segment(definition, DEFINITIONS).where == ir.InSample("salt", threshold)


# --- One and the same value --------------------------------------------------------------------------------
SAME = (("product_id", TEXT),)
VIEWED, ADDED = some(orders(kinds=("product_viewed",))), some(orders(kinds=("product_added",)))
BOUGHT_VALUE = orders(measure=ir.Measure("sum", VALUE), type=EUR)
WORTH = ir.Compare("ge", ir.MetricValue(BOUGHT_VALUE), euros(10_000))


def test_same_ties_the_event_leaves_and_leaves_the_profile_outside() -> None:
    found = where(
        "{all: [{event: product_viewed}, {trait: country, equals: DE}, {all: [{not: {event: product_added}}]}],"
        " same: [product_id]}"
    )

    assert found == ir.And((DE, ir.HasCommonValue(SAME, ir.And((VIEWED, ir.Not(ADDED))))))


def test_a_stored_trait_beside_events_under_any_stays_inside() -> None:
    found = where(
        "{all: [{event: product_viewed}, {any: [{event: product_added}, {trait: country, equals: DE}]}],"
        " same: [product_id]}"
    )

    assert found == ir.HasCommonValue(SAME, ir.And((VIEWED, ir.Or((ADDED, DE)))))


def test_a_computed_trait_beside_events_under_any_is_decided_for_the_whole_profile() -> None:
    found = where(
        "{all: [{event: product_viewed}, {any: [{event: product_added}, {trait: lifetime_value, at_least: 100}]}],"
        " same: [product_id]}"
    )

    def case(answer: bool | None) -> ir.Predicate:
        return ir.HasCommonValue(SAME, ir.And((VIEWED, ir.Or((ADDED, ir.Constant(answer))))))

    is_true, is_false = ir.IfMissing(WORTH, False), ir.IfMissing(ir.Not(WORTH), False)
    assert found == ir.Or(
        (
            ir.And((is_true, case(True))),
            ir.And((is_false, case(False))),
            ir.And((ir.Not(ir.Or((is_true, is_false))), case(None))),
        )
    )


def test_an_inner_same_is_tied_on_its_own() -> None:
    found = where(
        "{all: [{event: product_viewed}, {all: [{event: product_added}], same: [cart_id]}], same: [product_id]}"
    )

    inner = ir.HasCommonValue((("cart_id", TEXT),), ADDED)
    assert found == ir.And((inner, ir.HasCommonValue(SAME, VIEWED)))


# --- Traits ------------------------------------------------------------------------------------------------
def test_computed_traits_are_metrics_or_arithmetic() -> None:
    last_order = ir.MetricValue(orders(measure=ir.Measure("last_time"), type=TIME))
    gap = ir.MetricValue(orders(measure=ir.Measure("gap_average"), type=DAYS))

    assert lower_trait("country", DEFINITIONS) == COUNTRY
    assert lower_trait("lifetime_value", DEFINITIONS) == ir.MetricValue(BOUGHT_VALUE)
    assert lower_trait("order_overdue", DEFINITIONS) == ir.Arithmetic("/", (ir.DaysSince(last_order), gap))
    assert lower_trait("age", DEFINITIONS) == ir.YearsSince(ir.StoredTrait("birth_date", DATE))


def test_exact_traits_enter_a_formula_as_real_numbers() -> None:
    found = definitions({}, TRAITS + "  half: {formula: 'coalesce(balance, 0) / 2'}\n")

    assert lower_trait("half", found) == ir.Arithmetic(
        "/",
        (ir.Arithmetic("coalesce", (ir.Real(BALANCE), ir.Literal(0.0, REAL))), ir.Literal(2.0, REAL)),
    )


def test_a_trait_and_a_leaf_that_ask_the_same_share_one_metric() -> None:
    found = where(
        "{all: [{trait: lifetime_value, at_least: 100}, {event: order_completed, sum: {of: value, at_least: 100}}]}"
    )

    assert found == ir.And((WORTH, WORTH))


# --- The segment -------------------------------------------------------------------------------------------
def test_leaves_come_in_reading_order_with_path_and_line() -> None:
    found = segment(
        """  all:
    - any:
        - {trait: country, equals: DE}
        - not: {segment: good_customers}
    - none:
        - {event: order_refunded}"""
    )

    assert [(leaf.path, leaf.line) for leaf in found.leaves] == [
        ("all[0].any[0]", 5),
        ("all[0].any[1].not", 6),
        ("all[1].none[0]", 8),
    ]
    assert [leaf.predicate for leaf in found.leaves] == [
        DE,
        ir.IsMember("good_customers"),
        some(orders(kinds=("order_refunded",))),
    ]
    assert found.leaves[0].text == "country is DE"


def test_keep() -> None:
    top = segment(
        "{trait: country, equals: DE}", "keep: {top: 2.50 %, by: lifetime_value, per: country, missing: keep}"
    )
    bottom = segment("{trait: country, equals: DE}", "keep: {bottom: 5, by: balance}")

    assert top.keep == ir.Keep("top", ir.MetricValue(BOUGHT_VALUE), None, "2.5", COUNTRY, True)
    assert bottom.keep == ir.Keep("bottom", BALANCE, 5, None, None, False)


def test_texts_of_a_list_file_are_given_in() -> None:
    definition = bound_segment("where: {trait: country, not_in: {list: lists/eu.csv}}")

    found = lower_segment(definition, DEFINITIONS, lists={("lists/eu.csv", None): ["FR", "DE", "FR"]})

    assert found.where == ir.Not(ir.In(COUNTRY, ("DE", "FR")))
    with pytest.raises(KeyError):
        lower_segment(definition, DEFINITIONS)


def test_a_segment_that_belongs_to_no_project_is_lowered_too() -> None:
    definition = SegmentDefinition("tried", SegmentCondition("good_customers"), digest="d")

    assert lower_segment(definition, DEFINITIONS).digest == "d"
