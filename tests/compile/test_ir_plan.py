"""The planner: equal things once, segments after those they refer to, and all that is needed."""

from __future__ import annotations

import time

from segctl.compile import ir
from segctl.compile.plan import Output, plan, references
from segctl.model.times import Duration, Since, TraitTime, WithinLast
from segctl.model.types import INTEGER, TEXT, TIME

TRUE = ir.Constant(value=True)


def count(*kinds: str, where: ir.Predicate | None = None, days: int | None = None) -> ir.MetricValue:
    window = None if days is None else WithinLast(Duration(days, "days"))
    return ir.MetricValue(ir.Metric(kinds, ir.Measure("count"), INTEGER, window, where))


def some(value: ir.Expression, number: int = 1) -> ir.Compare:
    return ir.Compare("ge", value, ir.Literal(number, INTEGER))


def segment(name: str, where: ir.Predicate = TRUE, keep: ir.Keep | None = None) -> ir.LoweredSegment:
    return ir.LoweredSegment(name, where, keep)


def test_equal_metrics_are_planned_once_and_grouped_by_kinds() -> None:
    found = plan(
        [
            segment("a", ir.Or((some(count("order")), some(count("visit"))))),
            segment("b", ir.Not(some(count("order"), 5))),
        ],
        [Output("n", count("order", days=7))],
    )

    assert found.metrics == (
        (("order",), (count("order").metric, count("order", days=7).metric)),
        (("visit",), (count("visit").metric,)),
    )


def test_segments_stand_after_those_they_refer_to() -> None:
    keep = ir.Keep("top", count("order"), 3, None, None, keep_missing_group=False)
    found = plan([segment("c", ir.Not(ir.IsMember("b"))), segment("a"), segment("b", ir.IsMember("a"), keep)])

    assert [one.name for one in found.segments] == ["a", "b", "c"]
    assert references(found.segments[2]) == ("b",)
    assert found.metrics == ((("order",), (count("order").metric,)),)


def test_needs_are_found_in_conditions_bounds_and_keep() -> None:
    where = ir.Compare("eq", ir.EventProperty("item", TEXT), ir.StoredTrait("favourite", TEXT))
    since = Since(TraitTime("seen"))
    bound = ir.Metric(
        ("order",), ir.Measure("count"), INTEGER, since, where, None, (("seen", ir.StoredTrait("seen", TIME)),)
    )
    listed = ir.InList("vips.csv", None, "email")
    keep = ir.Keep(
        "top", ir.StoredTrait("points", INTEGER), 1, None, ir.StoredTrait("city", TEXT), keep_missing_group=True
    )
    found = plan(
        [segment("a", ir.And((some(ir.MetricValue(bound)), listed, ir.InSample("s", 1))), keep)],
        [Output("changed", some(count("trait:tier")))],
    )

    assert found.traits == ("city", "favourite", "points", "seen")
    assert (found.samples, found.lists, found.histories) == (("s",), (listed,), ("tier",))


def test_metrics_of_a_common_value_are_not_metrics_of_the_profile() -> None:
    inner = count("view", where=ir.Compare("eq", ir.EventProperty("n", INTEGER), count("login")))
    common = ir.HasCommonValue((("item", TEXT),), some(inner))
    sequence = ir.Sequence((ir.Step(("view",), None, False, None, None),), "any", ())
    found = plan([segment("a", ir.And((common, ir.HasSequence(sequence), common)))])

    # What a condition inside asks of the profile is one, though.
    assert found.metrics == ((("login",), (count("login").metric,)),)
    assert (found.commons, found.sequences) == ((common,), (sequence,))


def test_many_segments_plan_in_well_under_a_tenth_of_a_second() -> None:
    segments = [
        segment(f"s{i}", ir.And(tuple(some(count(f"kind{i % 15}", days=1 + (i + j) % 40), j) for j in range(4))))
        for i in range(500)
    ]

    start = time.process_time()
    plan(segments)

    assert time.process_time() - start < 0.5
