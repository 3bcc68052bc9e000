from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from builders import bound, bound_segment
from hypothesis import given
from hypothesis import strategies as st

from segctl.compile.words import describe, describe_segment
from segctl.compile.words_times import window_words
from segctl.model.conditions import TraitCondition, ValueTest
from segctl.model.times import Before, Duration, During, Instant, LocalTime, NamedPeriod, OlderThan, Since, WithinLast


@pytest.mark.parametrize(
    ("condition", "english", "german"),
    [
        ("{trait: country, in: [DE, AT]}", "country is one of DE, AT", "country ist eines von DE, AT"),
        ("{trait: balance, above: 99.90 EUR}", "balance above 99.90", "balance über 99,90"),
        (
            "{trait: points, at_least: 5, missing: match}",
            "points at least 5, missing counts",
            "points mindestens 5, fehlend zählt",
        ),
        ("{trait: address.city, exists: false}", "address.city is missing", "address.city fehlt"),
        (
            "{trait: city, starts_with: Bad, ignore_case: true}",
            "city starts with Bad (any case)",
            "city beginnt mit Bad (groß oder klein)",
        ),
        (
            "{trait: devices, any_element: {year: {above: 2020}, primary: true}}",
            "devices has an element: year above 2020 and primary is true",
            "devices hat ein Element: year über 2020 und primary ist wahr",
        ),
        (
            "{event: order_completed, within_last: 90 days}",
            "order_completed, in the last 90 days",
            "order_completed, in den letzten 90 Tagen",
        ),
        (
            "{event: order_completed, count: 0, within_last: 1 month}",
            "no order_completed, in the last month",
            "kein order_completed, im letzten Monat",
        ),
        (
            "{event: order_completed, where: {value: {above: 50}}, latest: 5, sum: {of: value, at_least: 500}}",
            "order_completed, where value above 50, newest 5: sum of value at least 500",
            "order_completed, mit value über 50, die neuesten 5: Summe von value mindestens 500",
        ),
        (
            "{event: order_completed, gap: {of: average, above: 30 days}}",
            "order_completed: average gap above 30 days",
            "order_completed: mittlerer Abstand über 30 Tagen",
        ),
        (
            "{event: order_completed, last: {older_than: 6 months}}",
            "order_completed: the last at least 6 months ago",
            "order_completed: das letzte vor mindestens 6 Monaten",
        ),
        (
            "{event: email_delivered, count: {followed_by: {event: email_opened, same: [mailing_id], within: 1 week}}}",
            "email_delivered, followed by email_opened same mailing_id within 1 week",
            "email_delivered, gefolgt von email_opened gleiche mailing_id innerhalb von 1 Woche",
        ),
        (
            "{trait: tier, changed: {from: silver, to: gold, within_last: 30 days}}",
            "tier changed from silver to gold in the last 30 days",
            "tier geändert von silver auf gold in den letzten 30 Tagen",
        ),
        ("{segment: good_customers}", "in segment good_customers", "im Segment good_customers"),
        (
            "{not: {any: [{segment: good_customers}, {trait: staff, equals: true}]}}",
            "not (any of (in segment good_customers; staff is true))",
            "nicht (eines von (im Segment good_customers; staff ist wahr))",
        ),
    ],
)
def test_one_line_for_each_condition(condition: str, english: str, german: str) -> None:
    assert describe(bound(condition)) == english
    assert describe(bound(condition), "de") == german


def test_a_segment_is_told_line_by_line() -> None:
    definition = bound_segment(
        """where:
  all:
    - sequence:
        - {event: product_added, between: [1 day ago, 2 hours ago]}
        - then_not: {event: order_completed, within: 2 hours}
      same: [cart_id]
    - any: [{trait: country, equals: DE}, {trait: staff, equals: true}]
      at_least: 2
    - not: {segment: good_customers}
keep: {top: 10 %, by: balance, per: country}
"""
    )

    assert describe_segment(definition) == [
        (0, "all of:"),
        (1, "product_added between 1 day ago and 2 hours ago, then no order_completed within 2 hours, same cart_id"),
        (1, "at least 2 of:"),
        (2, "country is DE"),
        (2, "staff is true"),
        (1, "not:"),
        (2, "in segment good_customers"),
        (0, "keep the top 10 % by balance for each country"),
    ]
    assert describe_segment(definition, "de")[-1] == (0, "behalte die besten 10 % nach balance je country")


@pytest.mark.parametrize(
    ("window", "english", "german"),
    [
        (WithinLast(Duration(1, "days", True)), "in the last calendar day", "im letzten Kalendertag"),
        (OlderThan(Duration(2, "weeks", True)), "before the last 2 calendar weeks", "vor den letzten 2 Kalenderwochen"),
        (OlderThan(Duration(1, "weeks", True)), "before the last calendar week", "vor der letzten Kalenderwoche"),
        (OlderThan(Duration(1, "months", True)), "before the last calendar month", "vor dem letzten Kalendermonat"),
        (During(NamedPeriod("week", date(2025, 12, 29))), "in 2026-W01", "in 2026-W01"),
        (During(NamedPeriod("quarter", date(2026, 10, 1))), "in 2026-Q4", "in 2026-Q4"),
        (During(NamedPeriod("day", date(2026, 11, 21))), "on 2026-11-21", "am 2026-11-21"),
        (
            Since(Instant(datetime(2026, 1, 1, 9, tzinfo=UTC))),
            "since 2026-01-01 09:00 UTC",
            "seit 2026-01-01 09:00 UTC",
        ),
        (Before(LocalTime(datetime(2026, 1, 1, 9))), "before 2026-01-01 09:00", "früher als 2026-01-01 09:00"),  # noqa: DTZ001 - local times have no zone
    ],
)
def test_windows_in_words(window: WithinLast, english: str, german: str) -> None:
    assert (window_words(window, "en"), window_words(window, "de")) == (english, german)


def test_periods_relative_to_now() -> None:
    texts = {
        "previous month": "im vorigen Monat",
        "this week": "in dieser Woche",
        "next quarter": "im nächsten Quartal",
        "this year": "in diesem Jahr",
        "yesterday": "gestern",
    }

    for period, german in texts.items():
        condition = bound(f"{{trait: paid_until, during: {period}}}")
        assert describe(condition, "de") == f"paid_until {german}"
    assert describe(bound("{trait: paid_until, during: previous month}")) == "paid_until in the previous month"


def test_long_lists_are_counted() -> None:
    condition = TraitCondition("country", ValueTest("in", tuple("ABCDEFGH")))

    assert describe(condition) == "country is one of A, B, C, D, E, F … (8)"


@given(st.text(max_size=80))
def test_any_text_stays_on_one_line(text: str) -> None:
    line = describe(TraitCondition("city", ValueTest("equals", (text,))))

    assert len(line.splitlines()) == 1
    assert line.isprintable()
