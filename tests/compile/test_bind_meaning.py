"""What conditions mean once bound: names resolved, literals in the domain of their type."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from builders import bound, bound_segment

from segctl.compile.bind.same import holds_for_zero
from segctl.model.conditions import (
    Aggregate,
    All,
    AnyOf,
    ChangedCondition,
    ConsentCondition,
    Count,
    EdgeTime,
    EdgeValue,
    EventCondition,
    EventSelection,
    FollowedBy,
    Gap,
    Guards,
    Keep,
    ListCondition,
    ListOperand,
    MostFrequent,
    NoneOf,
    Not,
    Periods,
    PropertyTest,
    SampleCondition,
    SegmentCondition,
    SequenceCondition,
    Share,
    Step,
    TraitCondition,
    TraitOperand,
    ValueTest,
)
from segctl.model.times import (
    Anniversary,
    Before,
    Between,
    Duration,
    During,
    LocalDay,
    NamedPeriod,
    OlderThan,
    RelativeDay,
    RelativePeriod,
    RelativeTime,
    Since,
    TraitTime,
    WithinLast,
    WithinNext,
)

DE = TraitCondition("country", ValueTest("equals", ("DE",)))
ORDERS = EventSelection(("order_completed",))
ONE = ValueTest("at_least", (1,))


def is_one(operator: str, *operands: object) -> ValueTest:
    return ValueTest(operator, operands)


@pytest.mark.parametrize(
    ("written", "test"),
    [
        ("country, equals: DE", is_one("equals", "DE")),
        ("country, equals: NO", is_one("equals", "NO")),
        ("country, equals: 012", is_one("equals", "012")),
        ("country, equals: 1:30", is_one("equals", "1:30")),
        ("country, equals: true", is_one("equals", "true")),
        ('country, equals: ""', is_one("equals", "")),
        ("country, equals: 'null'", is_one("equals", "null")),
        ("city, equals: Köln", is_one("equals", "K\u00f6ln")),
        ('city, equals: "Ko\u0308ln"', is_one("equals", "K\u00f6ln")),
        ("city, equals: KÖLN, ignore_case: true", ValueTest("equals", ("KÖLN",), ignore_case=True)),
        ("city, equals: KÖLN, ignore_case: false", is_one("equals", "KÖLN")),
        ("city, not_equals: {trait: home_city}", is_one("not_equals", TraitOperand("home_city"))),
        ("country, in: [DE, AT, DE]", is_one("in", "DE", "AT")),
        ("country, in: [DE, {trait: tier}]", is_one("in", "DE", TraitOperand("tier"))),
        ("country, not_in: {list: lists/eu.csv}", is_one("not_in", ListOperand("lists/eu.csv"))),
        ("country, contains: E", is_one("contains", "E")),
        ("country, not_contains: E", is_one("not_contains", "E")),
        ("country, starts_with: {trait: tier}", is_one("starts_with", TraitOperand("tier"))),
        ("country, ends_with: E", is_one("ends_with", "E")),
        ("country, matches: '^D\\w$'", is_one("matches", "^D\\w$")),
        ("country, exists: false", is_one("exists", False)),
        ("points, equals: 5", is_one("equals", 5)),
        ("points, equals: -5", is_one("equals", -5)),
        ("points, at_least: 500 points", is_one("at_least", 500)),
        ("points, between: [1, 9]", is_one("between", 1, 9)),
        ("visits, below: {trait: limit}", is_one("below", TraitOperand("limit"))),
        ("visits, between: [{trait: limit}, 9]", is_one("between", TraitOperand("limit"), 9)),
        ("visits, at_least: {trait: order_count}", is_one("at_least", TraitOperand("order_count"))),
        ("score, above: 1.5", is_one("above", Decimal("1.5"))),
        ("score, not_in: [1, 2.5]", is_one("not_in", Decimal(1), Decimal("2.5"))),
        ("balance, at_least: 99.90", is_one("at_least", Decimal("99.90"))),
        ("balance, at_least: 99.90 EUR", is_one("at_least", Decimal("99.90"))),
        ("balance, at_most: {trait: lifetime_value}", is_one("at_most", TraitOperand("lifetime_value"))),
        ("discount, above: 15 %", is_one("above", Decimal("0.15"))),
        ("discount, above: 0.15", is_one("above", Decimal("0.15"))),
        ("return_rate, above: 12.5 %", is_one("above", Decimal("0.125"))),
        ("order_gap, at_least: 30 days", is_one("at_least", Decimal(30))),
        ("age, between: [18, 29]", is_one("between", Decimal(18), Decimal(29))),
        ("newsletter, equals: true", is_one("equals", True)),
        ("newsletter, not_equals: False", is_one("not_equals", False)),
        ("birth_date, equals: 1990-02-28", is_one("equals", date(1990, 2, 28))),
        ("birth_date, in: [1990-02-28, 1991-01-01]", is_one("in", date(1990, 2, 28), date(1991, 1, 1))),
        ("paid_until, equals: 2026-07-01 14:30", is_one("equals", datetime(2026, 7, 1, 12, 30, tzinfo=UTC))),
        ("paid_until, equals: 2026-07-01T14:30:00Z", is_one("equals", datetime(2026, 7, 1, 14, 30, tzinfo=UTC))),
        ("paid_until, equals: {trait: last_order_at}", is_one("equals", TraitOperand("last_order_at"))),
        ("paid_until, within_last: 7 days", WithinLast(Duration(7, "days"))),
        ("paid_until, within_last: 1 day", WithinLast(Duration(1, "days"))),
        ("paid_until, older_than: 2 calendar weeks", OlderThan(Duration(2, "weeks", calendar=True))),
        ("paid_until, within_next: 3 months", WithinNext(Duration(3, "months"))),
        (
            "paid_until, between: [2026-01-01, 2 hours ago]",
            Between(LocalDay(date(2026, 1, 1)), RelativeTime(Duration(2, "hours"))),
        ),
        (
            "paid_until, between: [{trait: customer_since}, now]",
            Between(TraitTime("customer_since"), RelativeTime(None)),
        ),
        ("birth_date, since: yesterday", Since(RelativeDay(-1))),
        ("birth_date, before: {trait: last_order_at}", Before(TraitTime("last_order_at"))),
        ("birth_date, during: 2026-W47", During(NamedPeriod("week", date(2026, 11, 16)))),
        ("birth_date, during: 2025", During(NamedPeriod("year", date(2025, 1, 1)))),
        ("birth_date, during: previous month", During(RelativePeriod("month", -1))),
        (
            "birth_date, anniversary: {within_next: 7 calendar days}",
            Anniversary(Duration(7, "days", calendar=True)),
        ),
        ("birth_date, anniversary: {within_last: 1 week}", Anniversary(Duration(1, "weeks"), "within_last")),
        ("interests, any_of: [Ski, Golf]", is_one("any_of", "Ski", "Golf")),
        ("lucky_numbers, all_of: [3, 7]", is_one("all_of", 3, 7)),
        ("interests, none_of: [Ski]", is_one("none_of", "Ski")),
        ("interests, exists: true", is_one("exists", True)),
        ("interests, size: {at_least: 2}", ValueTest("size", element=(("", is_one("at_least", 2)),))),
        (
            "interests, any_element: {starts_with: S, ignore_case: true}",
            ValueTest("any_element", element=(("", ValueTest("starts_with", ("S",), ignore_case=True)),)),
        ),
        (
            "devices, any_element: {model: A1, year: {above: 2020}, primary: true}",
            ValueTest(
                "any_element",
                element=(
                    ("model", is_one("equals", "A1")),
                    ("year", is_one("above", 2020)),
                    ("primary", is_one("equals", True)),
                ),
            ),
        ),
    ],
)
def test_traits(written: str, test: object) -> None:
    found = bound(f"{{trait: {written}}}")

    assert isinstance(found, TraitCondition)
    assert found.trait == written.partition(",")[0]
    assert found.test == test
    if isinstance(found.test, ValueTest):
        assert [type(value) for value in found.test.operands] == [type(value) for value in test.operands]


def test_dotted_paths_and_missing_rules() -> None:
    assert bound("{trait: address.city, equals: Ulm, missing: match}") == TraitCondition(
        "address", is_one("equals", "Ulm"), ("city",), "match"
    )
    assert bound("{trait: address.since, older_than: 1 year, missing: error}") == TraitCondition(
        "address", OlderThan(Duration(1, "years")), ("since",), "error"
    )


def test_changes_of_stored_traits() -> None:
    week = WithinLast(Duration(7, "days"))
    assert bound("{trait: tier, changed: {to: gold, within_last: 7 days}}") == ChangedCondition(
        "tier", None, "gold", week
    )
    assert bound("{trait: points, changed: {from: 1, to: 2}}") == ChangedCondition("points", 1, 2, None)
    assert bound("{trait: tier, changed: {}}") == ChangedCondition("tier", None, None, None)


def test_combinations() -> None:
    leaf = "{trait: country, equals: DE}"
    assert bound(f"{{all: [{leaf}, {{not: {leaf}}}]}}") == All((DE, Not(DE)))
    assert bound(f"{{any: [{leaf}, {leaf}], at_least: 2}}") == AnyOf((DE, DE), 2)
    assert bound(f"{{any: [{leaf}]}}") == AnyOf((DE,), 1)
    assert bound(f"{{none: [{leaf}, {{segment: staff_members}}]}}") == NoneOf((DE, SegmentCondition("staff_members")))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("count: 0", (Count(), is_one("equals", 0))),
        ("count: {above: 2}", (Count(), is_one("above", 2))),
        ("count: {between: [1, 3]}", (Count(), is_one("between", 1, 3))),
        ("count: {at_least: {trait: visits}}", (Count(), is_one("at_least", TraitOperand("visits")))),
        ("sum: {of: value, at_least: 500 EUR}", (Aggregate("sum", "value"), is_one("at_least", Decimal(500)))),
        ("average: {of: value, below: 12.345}", (Aggregate("average", "value"), is_one("below", Decimal("12.345")))),
        ("min: {of: due, since: 2026-01-01}", (Aggregate("min", "due"), Since(LocalDay(date(2026, 1, 1))))),
        (
            "max: {of: shipping.weight, above: 1.5}",
            (Aggregate("max", "shipping", ("weight",)), is_one("above", Decimal("1.5"))),
        ),
        ("distinct: {of: channel, at_least: 2}", (Aggregate("distinct", "channel"), is_one("at_least", 2))),
        ("weeks: {at_least: 3}", (Periods("weeks"), is_one("at_least", 3))),
        (
            "share: {where: {coupon: {exists: true}}, at_least: 60 %}",
            (Share((PropertyTest("coupon", is_one("exists", True)),)), is_one("at_least", Decimal("0.6"))),
        ),
        ("first: {within_last: 30 days}", (EdgeTime("first"), WithinLast(Duration(30, "days")))),
        ("last: {during: today}", (EdgeTime("last"), During(RelativePeriod("day", 0)))),
        ("first_value: {of: channel, equals: shop}", (EdgeValue("first", "channel"), is_one("equals", "shop"))),
        ("last_value: {of: shipping.city, in: [Ulm]}", (EdgeValue("last", "shipping", ("city",)), is_one("in", "Ulm"))),
        ("most_frequent: {of: channel, not_equals: shop}", (MostFrequent("channel"), is_one("not_equals", "shop"))),
        ("gap: {of: average, at_least: 30 days}", (Gap("average"), is_one("at_least", Duration(30, "days")))),
        (
            "gap: {of: max, between: [1 day, 2 weeks]}",
            (Gap("max"), is_one("between", Duration(1, "days"), Duration(2, "weeks"))),
        ),
        ("gap: {of: last, above: {trait: order_gap}}", (Gap("last"), is_one("above", TraitOperand("order_gap")))),
        (
            (
                "count: {at_least: 3, followed_by: "
                "{event: order_refunded, same: [order_id], within: 7 days, where: {reason: x}}}"
            ),
            (
                Count(
                    FollowedBy(
                        ("order_refunded",),
                        (PropertyTest("reason", is_one("equals", "x")),),
                        ("order_id",),
                        Duration(7, "days"),
                    )
                ),
                is_one("at_least", 3),
            ),
        ),
        ("count: {followed_by: {event: logged_in}}", (Count(FollowedBy(("logged_in",))), ONE)),
    ],
)
def test_measures(written: str, expected: tuple[object, object]) -> None:
    assert bound(f"{{event: order_completed, {written}}}") == EventCondition(ORDERS, *expected)


@pytest.mark.parametrize(
    ("written", "selection"),
    [
        ("event: order_completed", ORDERS),
        (
            "event: [order_completed, order_refunded, order_completed]",
            EventSelection(("order_completed", "order_refunded")),
        ),
        ('event: "*"', EventSelection(("*",))),
        ("event: [logged_in], within_last: 7 days", EventSelection(("logged_in",), WithinLast(Duration(7, "days")))),
        ("event: logged_in, latest: 3", EventSelection(("logged_in",), latest=3)),
        (
            "event: logged_in, since: {trait: customer_since}",
            EventSelection(("logged_in",), Since(TraitTime("customer_since"))),
        ),
    ],
)
def test_selections_ask_for_one_event(written: str, selection: EventSelection) -> None:
    assert bound(f"{{{written}}}") == EventCondition(selection, Count(), ONE)


@pytest.mark.parametrize(
    ("written", "test"),
    [
        ("coupon: SALE", PropertyTest("coupon", is_one("equals", "SALE"))),
        ("coupon: [A, B]", PropertyTest("coupon", is_one("in", "A", "B"))),
        ("coupon: {exists: true}", PropertyTest("coupon", is_one("exists", True))),
        ("coupon: {list: lists/c.csv}", PropertyTest("coupon", is_one("in", ListOperand("lists/c.csv")))),
        ("coupon: {in: {list: lists/c.csv}}", PropertyTest("coupon", is_one("in", ListOperand("lists/c.csv")))),
        ("channel: {trait: tier}", PropertyTest("channel", is_one("equals", TraitOperand("tier")))),
        ("channel: {not_equals: {trait: tier}}", PropertyTest("channel", is_one("not_equals", TraitOperand("tier")))),
        ("value: {above: 50}", PropertyTest("value", is_one("above", Decimal(50)))),
        ("is_gift: true", PropertyTest("is_gift", is_one("equals", True))),
        ("due: {within_next: 3 days}", PropertyTest("due", WithinNext(Duration(3, "days")))),
        ("shipping.city: Ulm", PropertyTest("shipping", is_one("equals", "Ulm"), ("city",))),
        ("tags: {any_of: [a]}", PropertyTest("tags", is_one("any_of", "a"))),
        ("time.month: [11, 12]", PropertyTest("time.month", is_one("in", 11, 12))),
        ("time.weekday: {at_most: 5}", PropertyTest("time.weekday", is_one("at_most", 5))),
        ("time.date: {since: 2026-01-01}", PropertyTest("time.date", Since(LocalDay(date(2026, 1, 1))))),
    ],
)
def test_where(written: str, test: PropertyTest) -> None:
    found = bound(f"{{event: order_completed, where: {{{written}}}}}")

    assert isinstance(found, EventCondition)
    assert found.selection.where == (test,)


def test_a_property_that_only_some_kinds_have_may_be_asked_for() -> None:
    found = bound("{event: [logged_in, order_completed], where: {coupon: X}}")

    assert isinstance(found, EventCondition)
    assert found.selection.events == ("logged_in", "order_completed")


def test_sequences() -> None:
    found = bound(
        """
sequence:
  - {event: product_added, between: [1 day ago, 2 hours ago], where: {price: {above: 5}}}
  - then: {event: [order_completed, order_us], within: 0 minutes}
  - then_not: {event: product_added}
same: [cart_id]
start: last
""".replace("[order_completed, order_us]", "order_completed")
    )

    added = Step(
        ("product_added",),
        (PropertyTest("price", is_one("above", Decimal(5))),),
        window=Between(RelativeTime(Duration(1, "days")), RelativeTime(Duration(2, "hours"))),
    )
    ordered = Step(("order_completed",), within=Duration(0, "minutes"))
    assert found == SequenceCondition((added, ordered, Step(("product_added",), negative=True)), "last", ("cart_id",))


def test_a_negative_step_may_name_the_first_event_without_a_start() -> None:
    found = bound("{sequence: [{event: logged_in}, {then_not: {event: [logged_in, order_completed]}}]}")

    assert isinstance(found, SequenceCondition)
    assert found.start == "any"


@pytest.mark.parametrize(
    "positive",
    [
        "{event: product_added}",
        "{event: product_added, count: {above: 0}}",
        "{event: product_added, last: {within_last: 3 days}}",
        "{all: [{event: product_added}, {trait: country, equals: DE}]}",
        "{any: [{event: product_added}, {event: product_added}]}",
        "{any: [{event: product_added}, {trait: country, equals: DE}], at_least: 2}",
    ],
)
def test_same_on_all_needs_a_positive_event(positive: str) -> None:
    found = bound(f"{{all: [{positive}, {{event: product_viewed, count: 0}}], same: [product_id]}}")

    assert isinstance(found, All)
    assert found.same == ("product_id",)


@pytest.mark.parametrize(
    ("test", "holds"),
    [
        (is_one("equals", 0), True), (is_one("equals", 1), False), (is_one("not_equals", 0), False),
        (is_one("not_equals", 1), True), (is_one("in", 1, 0), True), (is_one("in", 1, 2), False),
        (is_one("not_in", 1), True), (is_one("not_in", 1, 0), False), (is_one("above", 0), False),
        (is_one("above", -1), True), (is_one("at_least", 0), True), (is_one("at_least", 1), False),
        (is_one("below", 0), False), (is_one("below", 1), True), (is_one("at_most", 0), True),
        (is_one("at_most", -1), False), (is_one("between", 0, 1), True), (is_one("between", 1, 2), False),
        (is_one("between", -2, -1), False), (is_one("at_most", TraitOperand("limit")), False),
    ],
)  # fmt: skip
def test_which_counts_hold_without_any_event(test: ValueTest, holds: bool) -> None:
    assert holds_for_zero(test) is holds


def test_samples_and_lists() -> None:
    assert bound("{sample: {percent: 10}}") == SampleCondition(Decimal(10), "tested")
    assert bound("{sample: {percent: 0.5 %, salt: spring}}") == SampleCondition(Decimal("0.5"), "spring")
    assert bound("{list: lists/x.csv, identifier: email, column: mail}") == ListCondition(
        "lists/x.csv", "mail", "email"
    )
    assert bound("{list: lists/x.csv, column: customer_id}") == ListCondition(
        "lists/x.csv", "customer_id", "customer_id"
    )


def test_a_renamed_segment_keeps_its_sample() -> None:
    found = bound_segment("formerly: [oldest, old]\nwhere: {sample: {percent: 10}}")

    assert found.where == SampleCondition(Decimal(10), "oldest")
    assert found.formerly == ("oldest", "old")


def test_the_header_is_kept() -> None:
    found = bound_segment(
        """title: Warenkorb
description: |
  two
  lines
owner: crm@shop.example
purpose: newsletter
tags: [recovery, daily]
status: paused
send_to: [klaviyo]
guards: {max_removed: 20 %, max_added: 0 %, min_size: 50, max_size: 1000}
fresh: {product_added: 1 hour, shop_orders: 1 day}
where: {trait: country, equals: DE}
keep: {top: 5 %, by: lifetime_value, per: country, missing: keep}
"""
    )

    assert (found.name, found.title, found.description) == ("tested", "Warenkorb", "two\nlines")
    assert (found.owner, found.purpose, found.status) == ("crm@shop.example", "newsletter", "paused")
    assert (found.tags, found.send_to) == (("recovery", "daily"), ("klaviyo",))
    assert found.guards == Guards(Decimal("0.2"), Decimal(0), 50, 1000)
    assert found.fresh == (("product_added", Duration(1, "hours")), ("shop_orders", Duration(1, "days")))
    assert found.keep == Keep("top", "lifetime_value", None, Decimal(5), "country", keep_missing_group=True)
    assert found.where == DE


@pytest.mark.parametrize(
    ("written", "keep"),
    [
        ("{top: 500, by: lifetime_value}", Keep("top", "lifetime_value", 500)),
        (
            "{bottom: 12.5 %, by: birth_date, per: newsletter}",
            Keep("bottom", "birth_date", None, Decimal("12.5"), "newsletter"),
        ),
        ("{top: 1, by: last_order_at}", Keep("top", "last_order_at", 1)),
    ],
)
def test_keep(written: str, keep: Keep) -> None:
    assert bound_segment(f"where: {{trait: country, equals: DE}}\nkeep: {written}").keep == keep


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("{consent: newsletter, channel: email}", ConsentCondition("newsletter", "email")),
        ("{consent: newsletter.sale}", ConsentCondition("newsletter.sale", "email")),
        ("{consent: newsletter, channel: sms, status: none}", ConsentCondition("newsletter", "sms", "none")),
        (
            "{consent: newsletter, channel: email, status: withdrawn, within_last: 30 days}",
            ConsentCondition("newsletter", "email", "withdrawn", WithinLast(Duration(30, "days"))),
        ),
        (
            "{consent: newsletter, channel: email, since: {trait: customer_since}}",
            ConsentCondition("newsletter", "email", "confirmed", Since(TraitTime("customer_since"))),
        ),
    ],
)
def test_consents(written: str, meant: ConsentCondition) -> None:
    assert bound(written) == meant
