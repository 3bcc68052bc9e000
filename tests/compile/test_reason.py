"""What follows from two conditions: examples of what must be proved, and of what must not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from builders import definitions as bound
from oracle_windows import first_day_of, first_instant, local_day, periods_later, shifted

from segctl.compile.reason.cuts import Cut, ends, is_at_or_before
from segctl.compile.reason.formulas import negated
from segctl.compile.reason.theory import Theory
from segctl.compile.reason.variables import Reader
from segctl.compile.windows import span
from segctl.compile.zones import to_us
from segctl.model import times as t

ORDERS = "{event: order_completed, %s}"
CASES = [
    # Counts over windows
    ("within_last: 7 days, count: {at_least: 3}", "within_last: 30 days, count: {at_least: 3}", "implies"),
    ("within_last: 7 days, count: {at_least: 3}", "within_last: 30 days, count: {at_least: 4}", "open"),
    ("within_last: 30 days, count: 0", "within_last: 7 days, count: 0", "implies"),
    ("within_last: 30 days, count: {at_most: 2}", "within_last: 7 days, count: {at_least: 3}", "apart"),
    ("within_last: 7 calendar days", "within_last: 10 days", "implies"),
    ("within_last: 7 calendar days", "within_last: 7 days", "open"),
    ("within_last: 1 month", "within_last: 31 days", "open"),
    ("within_last: 1 month", "within_last: 40 days", "implies"),
    ("within_last: 12 months", "within_last: 1 year", "same"),
    ("during: this month", "during: this year", "implies"),
    ("during: this week", "during: this year", "open"),
    ("during: today", "within_last: 2 calendar days", "implies"),
    ("during: 2025-11", "during: 2025", "implies"),
    ("between: [30 days ago, 10 days ago]", "older_than: 9 days", "implies"),
    # Other measures
    ("within_last: 7 days, days: {at_least: 2}", "within_last: 30 days, count: {at_least: 2}", "implies"),
    ("distinct: {of: coupon, at_least: 2}", "count: {at_least: 2}", "implies"),
    ("months: {at_least: 3}", "days: {at_least: 3}", "implies"),
    ("max: {of: value, at_least: 100}", "max: {of: value, above: 50}", "implies"),
    ("within_last: 7 days, max: {of: value, at_least: 100}", "max: {of: value, at_least: 100}", "implies"),
    ("min: {of: value, at_least: 100}", "max: {of: value, below: 50}", "open"),
    ("sum: {of: value, at_least: 100}", "count: {at_least: 1}", "open"),
    ("share: {where: {coupon: {exists: true}}, at_least: 50 %}", "count: {at_least: 1}", "implies"),
    ("gap: {of: average, at_most: 9 days}", "count: {at_least: 2}", "implies"),
    ("latest: 3, count: {at_least: 2}", "count: {at_least: 2}", "implies"),
    ("last: {within_last: 30 days}", "within_last: 30 days, count: {at_least: 1}", "same"),
    ("last: {older_than: 30 days}", "within_last: 30 days, count: 0", "implies"),
    ("first: {within_last: 30 days}", "older_than: 30 days, count: {at_least: 1}", "apart"),
    ("first: {within_last: 30 days}", "within_last: 60 days, count: {at_least: 1}", "implies"),
    # Filters
    ("where: {value: {at_least: 100}}", "where: {value: {above: 50}}", "implies"),
    ("where: {channel: web, value: {at_least: 100}}", "where: {channel: [web, store]}", "implies"),
    ("where: {channel: web}, count: {at_least: 2}", "count: 0", "apart"),
    ("where: {coupon: {starts_with: SUMMER}}", "where: {coupon: {contains: MER}}", "implies"),
]
TRAITS = [
    ("points, above: 4", "points, at_least: 5", "same"),
    ("score, above: 4", "score, at_least: 5", "implied"),
    ("points, between: [3, 5]", "points, in: [3, 4, 5]", "same"),
    ("points, not_in: [1, 2]", "points, equals: 3", "implied"),
    ("country, equals: DE", "country, in: [DE, AT]", "implies"),
    ("country, equals: DE", "country, equals: de", "apart"),
    ("country, equals: DE", "country, equals: de, ignore_case: true", "implies"),
    ("country, equals: de, ignore_case: true", "country, equals: DE", "implied"),
    ("city, starts_with: Bad, ignore_case: true", "city, contains: ba, ignore_case: true", "implies"),
    ("city, starts_with: Bad", "city, starts_with: Bar", "apart"),
    ("city, ends_with: burg", "city, ends_with: g", "implies"),
    ("city, starts_with: B", "city, starts_with: Bad", "implied"),
    ("city, equals: Hamburg", "city, matches: '^H.*g$'", "implies"),
    ("birth_date, within_last: 7 days", "birth_date, older_than: 7 days", "apart"),
    ("birth_date, anniversary: {within_next: 7 days}", "birth_date, anniversary: {within_next: 2 weeks}", "implies"),
    ("interests, any_of: [a]", "interests, size: {at_least: 1}", "implies"),
    ("interests, all_of: [a, b]", "interests, size: {at_least: 2}", "implies"),
    ("interests, none_of: [a, b]", "interests, any_of: [b]", "apart"),
    ("limit, above: {trait: visits}", "limit, at_most: {trait: visits}", "apart"),
    ("limit, above: {trait: visits}", "limit, at_least: {trait: visits}", "implies"),
    ("tier, changed: {to: gold, within_last: 7 days}", "tier, changed: {within_last: 30 days}", "implies"),
    ("points, below: 5, missing: match", "points, exists: true", "open"),
    ("points, not_equals: 5", "points, exists: true", "implies"),
]
WHOLE = [
    ("{not: {trait: points, below: 50}}", "{trait: points, at_least: 50}", "same"),
    ("{not: {trait: points, below: 50, missing: no_match}}", "{trait: points, at_least: 50}", "implied"),
    ("{segment: staff_members}", "{none: [{segment: staff_members}]}", "apart"),
    ("{sample: {percent: 10, salt: a}}", "{sample: {percent: 20, salt: a}}", "implies"),
    ("{sample: {percent: 10, salt: a}}", "{sample: {percent: 20, salt: b}}", "open"),
    (
        "{any: [{trait: points, equals: 1}, {trait: points, equals: 2}, {trait: visits, equals: 3}], at_least: 2}",
        "{trait: visits, equals: 3}",
        "implies",
    ),
    (
        "{sequence: [{event: product_added, within_last: 7 days}, {then: {event: order_completed}}]}",
        "{event: product_added, within_last: 30 days, count: {at_least: 1}}",
        "implies",
    ),
    (
        "{sequence: [{event: product_added}, {then: {event: order_completed, within: 1 day}}]}",
        "{sequence: [{event: product_added}, {then: {event: order_completed, within: 2 days}}]}",
        "implies",
    ),
    (
        "{sequence: [{event: product_added}, {then_not: {event: order_completed, within: 1 day}}]}",
        "{sequence: [{event: product_added}, {then_not: {event: order_completed, within: 2 days}}]}",
        "open",
    ),
    (
        "{sequence: [{event: product_added}, {then: {event: logged_in, within: 1 day}}], start: first}",
        "{sequence: [{event: product_added, within_last: 9 days}, {then: {event: logged_in}}], start: first}",
        "open",
    ),
    (
        "{sequence: [{event: product_added}, {then_not: {event: [order_completed, logged_in], within: 1 day}}]}",
        "{sequence: [{event: product_added}, {then_not: {event: order_completed, within: 1 day}}]}",
        "implies",
    ),
]
EVERY = [
    *((ORDERS % one, ORDERS % other, relation) for one, other, relation in CASES),
    *((f"{{trait: {one}}}", f"{{trait: {other}}}", relation) for one, other, relation in TRAITS),
    *WHOLE,
]


def relation(first: str, second: str) -> str:
    definitions = bound({"one": f"where: {first}", "other": f"where: {second}"})
    theory = Theory(Reader(definitions))
    one, other = (theory.member(definitions.segments[name]) for name in ("one", "other"))
    inner, outer = theory.implies(one, other), theory.implies(other, one)
    if inner and outer:
        return "same"
    return "implies" if inner else "implied" if outer else "apart" if theory.never(one, other) else "open"


@pytest.mark.parametrize(("first", "second", "expected"), EVERY)
def test_what_follows_is_proved_and_nothing_else(first: str, second: str, expected: str) -> None:
    assert relation(first, second) == expected


def test_the_opposite_of_a_formula_leaves_nothing_over_and_nothing_out() -> None:
    definitions = bound({"one": "where: {any: [{trait: points, above: 5}, {trait: visits, below: 3}]}"})
    theory = Theory(Reader(definitions))
    member = theory.member(definitions.segments["one"])

    assert theory.can_be(member)
    assert theory.can_be(negated(member))
    assert theory.never(member, negated(member))


# --- Ends of windows ----------------------------------------------------------------------------------------
def place(cut: Cut, as_of: datetime, zone: ZoneInfo) -> int:
    """Where a cut lies at one instant, by the oracle's calendar."""
    match cut.base:
        case "instant":
            return cut.steps + cut.plus
        case "now":
            return to_us(as_of) + cut.steps + cut.plus
        case "months":
            sign = 1 if cut.steps >= 0 else -1
            return to_us(shifted(as_of, t.Duration(abs(cut.steps), "months"), sign, zone)) + cut.plus
    first = periods_later(cut.base, first_day_of(cut.base, local_day(as_of, zone)), cut.steps)
    return to_us(first_instant(first, zone)) + cut.plus


LENGTHS = [
    *(t.Duration(n, unit) for n in (1, 2, 7, 30) for unit in ("hours", "days", "weeks", "months", "years")),
    *(t.Duration(n, unit, True) for n in (1, 2, 7) for unit in ("days", "weeks", "months", "years")),
]
WINDOWS: list[t.Window] = [
    *(make(length) for length in LENGTHS for make in (t.WithinLast, t.OlderThan, t.WithinNext)),
    *(t.During(t.RelativePeriod(u, n)) for u in ("day", "week", "month", "quarter", "year") for n in (-1, 0, 1)),
    *(t.Between(t.RelativeTime(length, -1), t.RelativeDay(0)) for length in LENGTHS if not length.calendar),
    t.Between(t.RelativeDay(-1), t.RelativeTime(None)),
    t.Since(t.LocalDay(datetime(2025, 3, 30, tzinfo=UTC).date())),
]


def instants() -> list[tuple[datetime, str]]:
    """Instants anywhere, and around changes of clocks and months."""
    dice = Random(7)
    found = []
    for zone in ("Europe/Berlin", "UTC", "America/Santiago", "Australia/Lord_Howe", "Pacific/Apia"):
        for edge in (
            "2025-03-30 01:00",
            "2025-12-31 23:00",
            "2024-02-29 12:00",
            "2011-12-30 10:00",
            "2026-08-31 22:30",
        ):
            at = datetime.fromisoformat(edge).replace(tzinfo=UTC)
            found += [(at + timedelta(seconds=dice.randint(-90_000, 90_000)), zone) for _ in range(3)]
    return found


def test_a_window_is_what_lies_between_its_cuts() -> None:
    for as_of, zone in instants():
        for window in WINDOWS:
            found = ends(window, zone)
            assert found is not None
            start, end = (None if cut is None else place(cut, as_of, ZoneInfo(zone)) for cut in found)
            inside = span(window, as_of, zone)
            if not inside.is_empty:
                assert (start, None if end is None else end - 1) == (inside.lo, inside.hi), (window, as_of, zone)


def test_cuts_that_are_said_to_be_ordered_are_so_at_every_instant() -> None:
    cuts = list(dict.fromkeys(cut for window in WINDOWS for cut in ends(window, "UTC") or () if cut is not None))
    ordered = [(one, other) for one in cuts for other in cuts if one != other and is_at_or_before(one, other)]
    fixed = [cut for cut in cuts if cut.base == "instant"]
    assert len(ordered) > len(cuts) * len(cuts) / 4

    for as_of, zone in instants():
        places = {cut: place(cut, as_of, ZoneInfo(zone)) for cut in cuts}
        from_now_on = [(a, b) for a in fixed for b in cuts if is_at_or_before(a, b, to_us(as_of))]
        wrong = [(one, other) for one, other in (*ordered, *from_now_on) if places[one] > places[other]]
        assert wrong == [], (as_of, zone)
