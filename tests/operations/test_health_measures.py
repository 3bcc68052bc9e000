"""Measures of health: churn, sizes against their own season, conditions that decide nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from segctl.operations.health.measures import (
    Seen,
    dead_leaves,
    definition_since,
    empty_since,
    last_moved,
    size_change,
    volatility,
    volatility_per_day,
)
from segctl.operations.health.words import hidden, said

MONDAY = datetime(2026, 9, 7, 6, tzinfo=UTC)
LEAVES = ({"text": "a", "true": 0, "unknown": 0}, {"text": "b", "true": 10, "unknown": 0})


def seen(sizes: list[int], *, moved: int = 0, digest: str = "d") -> list[Seen]:
    """One run a day from a Monday on, where `moved` profiles entered and left besides."""
    days = [MONDAY + timedelta(days=n) for n in range(len(sizes))]
    return [Seen(n, day, day.date(), size, moved, moved, digest, 10, LEAVES)
            for n, (day, size) in enumerate(zip(days, sizes, strict=True), start=1)]  # fmt: skip


def weeks(number: int) -> list[int]:
    """Weekdays of 1,000 members, weekends of 300."""
    return [1000, 1010, 990, 1000, 1000, 300, 300] * number


def test_a_fall_that_comes_every_saturday_is_usual() -> None:
    found = size_change(seen([*weeks(5), 1000, 1010, 990, 1000, 1000, 300]))

    assert found is not None
    assert found.same_weekday
    assert found.level == "ok"
    assert found.change == pytest.approx(-0.7)


def test_the_same_fall_on_a_tuesday_needs_action() -> None:
    found = size_change(seen([*weeks(5), 1000, 300]))

    assert found is not None
    assert (found.before, found.after, found.compared) == (1000, 300, 5)
    assert found.level == "act"


def test_the_score_is_that_of_a_hand_calculation() -> None:
    # ln(111/101) = 0.09441 against a median of 0; the spread is 1/sqrt(101) = 0.0995: counting alone gives that much.
    found = size_change(seen([100] * 10 + [110]))

    assert found is not None
    assert found.score == pytest.approx(0.9488, abs=1e-3)
    assert not found.same_weekday


def test_few_runs_are_not_judged() -> None:
    assert size_change(seen([100] * 8 + [900])) is None
    assert size_change(seen([100] * 9 + [900])) is not None
    assert size_change([]) is None


def test_of_several_runs_in_a_day_the_last_counts() -> None:
    runs = seen([100] * 10 + [100])
    again = replace(runs[-1], size=900)

    found = size_change([*runs[:-1], again, runs[-1]])

    assert found is not None
    assert found.after == 100


def test_churn_is_a_share_of_the_larger_side() -> None:
    runs = seen([100, 100, 200], moved=10)

    assert volatility(runs) == pytest.approx((20 / 100 + 20 / 200) / 2)
    assert volatility_per_day(runs) == pytest.approx(40 / 2 / (400 / 3))
    assert volatility(runs[:1]) is None
    assert volatility_per_day(runs[:1]) is None


def test_conditions_that_decide_nothing_are_named_from_five_runs_on() -> None:
    runs = seen([5] * 5)

    assert dead_leaves(runs) == [("a", "never"), ("b", "always")]
    assert dead_leaves(runs[:4]) == []
    assert dead_leaves([replace(runs[0], digest="other"), *runs[1:]]) == []


def test_a_condition_that_was_true_once_is_alive() -> None:
    runs = seen([5] * 5)
    alive = [{**LEAVES[0], "true": 1}, {**LEAVES[1], "true": 9}]

    assert dead_leaves([*runs[:2], replace(runs[2], leaves=alive), *runs[3:]]) == []


def test_without_the_population_nothing_is_always_true() -> None:
    runs = [replace(one, profiles=None) for one in seen([5] * 5)]

    assert dead_leaves(runs) == [("a", "never")]


def test_when_things_last_changed() -> None:
    runs = seen([5, 5, 0, 0])
    runs[1] = replace(runs[1], entered=1)
    runs[0] = replace(runs[0], digest="other")

    assert empty_since(runs) == runs[2].day
    assert empty_since(seen([0, 1])) is None
    assert last_moved(runs) == runs[1].day
    assert definition_since(runs) == runs[1].day


@pytest.mark.parametrize(
    ("kind", "values", "english", "german"),
    [
        ("well", {"size": 1010, "runs": 12}, "1,010 members, 12 runs", "1.010 Mitglieder, 12 Läufe"),
        ("well", {"size": 1, "runs": 21}, "1 member, 21 runs", "1 Mitglied, 21 Läufe"),
        (
            "volatile",
            {"share": 1.75},
            "175 % of the members change with a run",
            "175 % der Mitglieder wechseln je Lauf",
        ),
        (
            "size",
            {"change": -0.25, "before": 4000, "after": 3000, "usual": 0.0},
            "size −25 % (4,000 → 3,000), usually +0 %",
            "Größe −25 % (4.000 → 3.000), sonst +0 %",
        ),
        (
            "flapping",
            {"people": 1, "runs": 30},
            "1 came and went 3 times or more in 30 runs",
            "1 Person kam und ging 3-mal oder öfter in 30 Läufen",
        ),
        (
            "expiring",
            {"day": date(2026, 12, 1), "days": 1},
            "expires on 2026-12-01, in 1 day",
            "läuft am 01.12.2026 ab, in 1 Tag",
        ),
    ],
)
def test_findings_are_said_as_each_language_writes_numbers(
    kind: str, values: dict[str, object], english: str, german: str
) -> None:
    assert said(kind, values | {"segment": "vip"}, "en")[0] == english
    assert said(kind, values | {"segment": "vip"}, "de")[0] == german


def test_small_counts_and_what_comes_of_them_are_hidden() -> None:
    values = {"before": 3, "after": 40, "change": 12.3, "usual": 0.01, "segment": "vip"}

    assert hidden(values, 3) == values
    assert hidden({"size": 400, "people": 397, "share": 0.99}, 5) == {"size": "–", "people": "–", "share": "–"}
    assert hidden({"size": 400, "share": 0.5}, 5, size=True) == {"size": "–", "share": "–"}
    assert said("size", hidden(values, 5), "en")[0] == "size – (<5 → 40), usually –"


def test_rates_of_few_who_did_or_did_not_are_hidden_with_what_they_paid() -> None:
    values = {"people": 1100, "others": 2800, "rate": 0.2, "rate_of_others": 0.1, "per_person": 0.05,
              "per_person_of_others": None, "unit": "EUR"}  # fmt: skip
    few = {"rate": "–", "rate_of_others": "–", "per_person": "–"}

    assert hidden(values, 10) == values
    assert hidden(values, 10, figures=True) == values | few
    for rates in ({"rate": 3 / 1100}, {"rate": 1097 / 1100}, {"rate_of_others": 0.4 / 2800}):
        assert hidden(values | rates, 10) == values | few
