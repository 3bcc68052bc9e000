"""Scores and `rfm` in traits files: what is read, and every mistake once, with its place."""

from __future__ import annotations

import pytest
from builders import a_project

from segctl.compile.definitions import bind_definitions
from segctl.compile.source import compose
from segctl.model.conditions import Aggregate, ComputedTrait, Count, EdgeTime, Score, TraitValue
from segctl.model.diagnostics import Diagnostic
from segctl.model.types import INTEGER, Kind


def read(text: str) -> tuple[dict[str, ComputedTrait], list[Diagnostic]]:
    root, problems = compose(f"traits:\n{text}", "traits/tested.yaml")
    assert root is not None
    definitions, found = bind_definitions(a_project(), [], [root])
    return definitions.computed, [*problems, *found]


def test_a_score_ranks_by_a_trait() -> None:
    traits, problems = read("  x: {score: points, groups: 4, best: low, with: balance, title: Punkte}\n")

    assert problems == []
    assert traits["x"].formula == Score(TraitValue("points"), 4, "low", TraitValue("balance"))
    assert (traits["x"].type, traits["x"].title) == (INTEGER, "Punkte")


def test_rfm_declares_eight_traits() -> None:
    text = "  best: {title: RFM, rfm: {event: order_completed, value: value, within_last: 365 days, groups: 4}}\n"

    traits, problems = read(text)

    assert problems == []
    assert sorted(traits) == [
        "best", "best_count", "best_days", "best_frequency", "best_last_at", "best_monetary", "best_recency",
        "best_value",
    ]  # fmt: skip
    beside = TraitValue("best_last_at")
    assert traits["best_recency"].formula == Score(TraitValue("best_days"), 4, "low", beside)
    assert traits["best_frequency"].formula == Score(TraitValue("best_count"), 4, "high", beside)
    assert traits["best_monetary"].formula == Score(TraitValue("best_value"), 4, "high", beside)
    assert traits["best_last_at"].measure == EdgeTime("last")
    assert traits["best_count"].measure == Count()
    assert traits["best_value"].measure == Aggregate("sum", "value")
    assert traits["best_value"].type.unit == "EUR"
    assert traits["best_value"].selection == traits["best_count"].selection
    assert (traits["best"].type.kind, traits["best"].title) == (Kind.REAL, "RFM")
    assert all(trait.location is not None and trait.location.line == 2 for trait in traits.values())


@pytest.mark.parametrize(
    ("text", "code", "hint"),
    [
        ("  x: {score: city, best: high}", "SEG248", None),
        ("  x: {score: address.floor, best: high}", "SEG248", None),
        ("  x: {score: point, best: high}", "SEG204", "`points`"),
        ("  x: {score: points}", "SEG211", "best: high"),
        ("  x: {score: points, best: highest}", "SEG212", "`high`"),
        ("  x: {score: points, best: high, groups: 1}", "SEG230", None),
        ("  x: {score: points, best: high, groups: 101}", "SEG248", None),
        ("  x: {score: points, best: high, by: points}", "SEG210", None),
        ("  x: {score: points, best: high, formula: points}", "SEG262", None),
        ("  x: {score: x, best: high}", "SEG224", None),
        ("  x: {rfm: order_completed}", "SEG212", "value: value"),
        ("  x: {rfm: {event: order_completed}}", "SEG211", "value: value"),
        ("  x: {rfm: {event: order_complete, value: value}}", "SEG220", "`order_completed`"),
        ("  x: {rfm: {event: order_completed, value: worth}}", "SEG221", None),
        ("  x: {rfm: {event: order_completed, value: value, groups: 10}}", "SEG248", None),
        ("  x: {rfm: {event: order_completed, value: value, within: 3 days}}", "SEG210", None),
        ("  x: {rfm: {event: order_completed, value: value, within_last: 3 Tage}}", "SEG233", "3 days"),
        (f"  {'x' * 51}: {{rfm: {{event: order_completed, value: value}}}}", "SEG249", None),
        ("  x: {rfm: {event: order_completed, value: value}}\n  x_days: {formula: points}", "SEG219", None),
    ],
)
def test_a_mistake_is_told_once(text: str, code: str, hint: str | None) -> None:
    _, problems = read(f"{text}\n")

    assert [p.code for p in problems] == [code], problems
    assert hint is None or hint in (problems[0].hint or ""), problems[0].hint
