"""`any_element` in nested structs and lists: dotted fields, lists inside elements, times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from builders import bound, diagnostics_of
from test_schemas import problems

from segctl.compile import ir
from segctl.compile.trace import ProfileRow
from segctl.compile.trace_times import next_change
from segctl.compile.words import describe
from segctl.model import conditions as c
from segctl.model import times as t
from segctl.model.types import TIME, Kind, ValueType

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
GERMAN = c.ValueTest("equals", ("DE",))


def elements(*tests: tuple[str, c.Test]) -> c.TraitCondition:
    return c.TraitCondition("machines", c.ValueTest("any_element", element=tests))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("{maker.country: DE}", elements(("maker.country", GERMAN))),
        ("{bought: {within_last: 7 days}}", elements(("bought", t.WithinLast(t.Duration(7, "days"))))),
        (
            "{maker.country: DE, parts: {any_element: {sku: {starts_with: A}}}}",
            elements(
                ("maker.country", GERMAN),
                ("parts", c.ValueTest("any_element", element=(("sku", c.ValueTest("starts_with", ("A",))),))),
            ),
        ),
        (
            "{parts: {any_element: {tags: {any_of: [x]}}}}",
            elements(("parts", c.ValueTest("any_element", element=(("tags", c.ValueTest("any_of", ("x",))),)))),
        ),
        ("{maker: {exists: true}}", elements(("maker", c.ValueTest("exists", (True,))))),
    ],
)
def test_tests_reach_into_elements(written: str, meant: c.TraitCondition) -> None:
    condition = f"{{trait: machines, any_element: {written}}}"

    assert bound(condition) == meant
    assert problems("segment", f"segment: tested\nwhere: {condition}") == []
    assert describe(meant)


@pytest.mark.parametrize(
    ("written", "message", "hint"),
    [
        ("{maker.contry: DE}", "`contry` is not a field of `maker`", "did you mean `country`?"),
        ("{makr.country: DE}", "`makr` is not a field of the elements", "did you mean `maker`?"),
        ("{parts.sku: A}", "`sku` is not a field of `parts`", "write `parts: {any_element: {sku: …}}`"),
    ],
)
def test_a_wrong_field_is_named(written: str, message: str, hint: str) -> None:
    (found,) = diagnostics_of(f"{{trait: machines, any_element: {written}}}")

    assert (found.code, found.message, found.hint) == ("SEG222", message, hint)


def test_the_next_change_of_a_window_inside_a_list_is_exact() -> None:
    element = ValueType(Kind.STRUCT, fields=(("at", TIME),))
    value = ir.StoredTrait("calls", ValueType(Kind.LIST, element=element))
    window = ir.InWindow(ir.StructField(ir.Element(element), "at", TIME), t.WithinLast(t.Duration(7, "days")))
    segment = ir.LoweredSegment("tested", ir.AnyElement(value, window))
    calls = [{"at": NOON - timedelta(days=3)}, {"at": NOON - timedelta(days=6)}, {"at": None}]

    found = next_change(segment, ProfileRow("a", {"calls": calls}), (), as_of=NOON, zone="UTC", members={})

    assert found is not None
    assert (found.at, found.answer, found.is_exact) == (NOON + timedelta(days=4), False, True)
