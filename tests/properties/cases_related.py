"""Cases of related rows and colleagues."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from case_tools import Case, at, euro, event, passes, person, trait, where
from oracle_data import World
from oracle_related import Row

from segctl.model import conditions as c
from segctl.model import times as t
from segctl.model.project import Colleagues, RelatedTable
from segctl.model.types import INTEGER, TEXT, TIME, Kind, ValueType

MONEY = ValueType(Kind.MONEY, scale=2, unit="EUR")
TICKETS = RelatedTable(
    "tickets", (("status", TEXT), ("level", INTEGER), ("opened_at", TIME), ("fee", MONEY), ("product", TEXT))
)
GROUPS = (Colleagues("same_country", "country"), Colleagues("others", "country", others_only=True))


@dataclass(frozen=True)
class RelatedCase(Case):
    """A case with rows of the table `tickets`."""

    rows: tuple[Row, ...] = ()

    def world(self) -> World:
        """The case as the oracle reads it."""
        world = super().world()
        project = replace(world.project, related=(TICKETS,), colleagues=GROUPS)
        return replace(world, definitions=replace(world.definitions, project=project), rows=self.rows)


def row(whose: str, key: str, since: str | None = None, **properties: Any) -> Row:
    """A version of a row, from the beginning or since an instant; only keys with a ``#`` stand for the same row of two."""
    gone, source = properties.pop("gone", False), properties.pop("source", "desk")
    arrival = properties.pop("arrival", 0)
    valid_from = at(since) if since else None
    key = key if key.startswith("#") else whose + key
    return Row("tickets", source, key, ord(whose) - ord("a"), arrival, properties, valid_from, gone)


def rows(measure: c.Measure, test: c.Test, missing: c.Missing | None = None, **tests: Any) -> c.RelatedCondition:
    """A measure of tickets that pass tests."""
    return c.RelatedCondition(c.RelatedSelection("tickets", where(**tests)), measure, test, missing)


def counted(operator: c.ValueOperator = "at_least", number: int = 1, **tests: Any) -> c.RelatedCondition:
    """A number of tickets."""
    return rows(c.Count(), passes(operator, number), **tests)


def colleagues(number: int, asked: c.Condition | None = None, *, others: bool = False) -> c.ColleaguesCondition:
    """At least so many profiles of the same country."""
    return c.ColleaguesCondition("country", passes("at_least", number), asked, others, "others" if others else "")


def germans(*names: str, **traits: Mapping[str, Any]) -> tuple[Any, ...]:
    """Profiles of one country, each with traits of its own."""
    return tuple(person(name, country="DE", **traits.get(name, {})) for name in names)


ACTIVE = trait("vip", "equals", True)
# ruff: noqa: E501 - a case reads as one sentence with its data behind it
CASES: list[Case] = [
    RelatedCase("no rows is a fact: the count is 0", counted("equals", 0), {"a": True, "b": False}, rows=(row("b", "1"),)),
    RelatedCase(
        "a row in an older version that fits does not count", counted(status="open"), {"a": False},
        rows=(row("a", "1", status="open"), row("a", "1", "2026-11-20 10:00", status="closed", arrival=1)),
    ),
    RelatedCase(
        "as of an earlier time the older version counts", counted(status="open"), {"a": True},
        rows=(row("a", "1", status="open"), row("a", "1", "2026-11-22 10:00", status="closed", arrival=1)),
    ),
    RelatedCase(
        "of two versions of one instant the last to arrive counts", counted(status="open"), {"a": True},
        rows=(row("a", "1", "2026-11-01 10:00", status="open", arrival=2), row("a", "1", "2026-11-01 10:00", status="x", arrival=1)),
    ),
    RelatedCase(
        "a row that is gone does not count", counted(), {"a": False},
        rows=(row("a", "1", status="open"), row("a", "1", "2026-11-20 10:00", gone=True, arrival=1)),
    ),
    RelatedCase(
        "a row that moved belongs to its new profile alone", counted(), {"a": False, "b": True},
        rows=(row("a", "#1"), row("b", "#1", "2026-11-20 10:00", arrival=1)),
    ),
    RelatedCase(
        "keys are those of a source", counted("equals", 2), {"a": True},
        rows=(row("a", "1"), row("a", "1", source="crm")),
    ),
    RelatedCase(
        "a version of the future is not there yet", counted(), {"a": False}, rows=(row("a", "1", "2026-11-22 10:00"),),
    ),
    RelatedCase(
        "a time of the row may lie ahead", counted(opened_at=t.WithinNext(t.Duration(3, "days"))), {"a": True, "b": False},
        rows=(row("a", "1", opened_at=at("2026-11-23 10:00")), row("b", "1", opened_at=at("2026-11-25 10:00"))),
    ),
    RelatedCase(
        "a missing property is no match, nor is its opposite", counted(status=passes("not_equals", "open")), {"a": False},
        rows=(row("a", "1"),),
    ),
    RelatedCase(
        "a sum of none is 0, an average of none is missing", c.All((rows(c.Aggregate("sum", "fee"), passes("equals", 0)), rows(c.Aggregate("average", "fee"), passes("below", 5)))),
        {"a": None, "b": True}, rows=(row("b", "1", fee=euro("1.00")), row("b", "2", fee=euro("-1.00")), row("b", "3")),
    ),
    RelatedCase(
        "missing decides at the leaf", rows(c.Aggregate("max", "level"), passes("above", 1), "match"), {"a": True, "b": False},
        rows=(row("b", "1", level=1),),
    ),
    RelatedCase(
        "the newest time is the max of a time property", rows(c.Aggregate("max", "opened_at"), t.WithinLast(t.Duration(7, "days"))),
        {"a": True, "b": False, "c": None},
        rows=(
            row("a", "1", opened_at=at("2026-11-20 10:00")), row("a", "2", opened_at=at("2026-01-20 10:00")),
            row("b", "1", opened_at=at("2026-01-20 10:00")),
        ),
    ),
    RelatedCase(
        "a share of none is missing", rows(c.Share(where(status="open")), passes("at_least", 1)), {"a": None, "b": True, "c": False},
        rows=(row("b", "1", status="open"), row("c", "1", status="open"), row("c", "2")),
    ),
    RelatedCase(
        "a test may compare with a trait of the profile", counted(level=passes("above", c.TraitOperand("points"))),
        {"a": True, "b": False, "c": False}, people=(person("a", points=1), person("b", points=2), person("c")),
        rows=(row("a", "1", level=2), row("b", "1", level=2), row("c", "1", level=2)),
    ),
    RelatedCase(
        "rows stand beside a tied value and are not tied themselves",
        c.All((c.EventCondition(c.EventSelection(("cart",)), c.Count(), passes("at_least", 2)), counted(product="p")), same=("product",)),
        {"a": True, "b": False}, rows=(row("a", "1", product="p"), row("b", "1", product="q")),
        events=tuple(event(who, "cart", f"2026-11-0{n} 10:00", product="q") for who in "ab" for n in (1, 2)),
    ),
    RelatedCase(
        "a computed trait measures rows", trait("load", "at_least", 3), {"a": True, "b": False},
        computed=(c.ComputedTrait("load", INTEGER, c.RelatedSelection("tickets", where(status="open")), c.Aggregate("sum", "level")),),
        rows=(row("a", "1", status="open", level=2), row("a", "2", status="open", level=1), row("b", "1", status="x", level=9)),
    ),
    RelatedCase(
        "colleagues share the value, oneself among them", colleagues(3), {"a": True, "b": True, "c": True, "d": False},
        people=(*germans("a", "b", "c"), person("d", country="AT")),
    ),
    RelatedCase(
        "others alone", colleagues(1, others=True), {"a": True, "b": True, "d": False},
        people=(*germans("a", "b"), person("d", country="AT")),
    ),
    RelatedCase("a missing value is shared with nobody", colleagues(1), {"a": False, "b": False}, people=(person("a", vip=True),)),
    RelatedCase(
        "each colleague meets the condition", colleagues(2, ACTIVE), {"a": True, "b": True, "c": True, "d": False},
        people=(*germans("a", "b", "c", a={"vip": True}, b={"vip": True}), person("d", country="AT", vip=True)),
    ),
    RelatedCase(
        "an unknown answer of a colleague does not count, nor its opposite", colleagues(1, c.Not(ACTIVE)), {"a": False},
        people=germans("a"),
    ),
    RelatedCase(
        "colleagues may be members of a segment with a ranking", colleagues(1, c.SegmentCondition("best"), others=True),
        {"a": True, "b": False, "c": True}, people=germans("a", "b", "c", a={"points": 1}, b={"points": 3}, c={"points": 2}),
        segments=(c.SegmentDefinition("best", trait("points", "above", 0), c.Keep("top", "points", 1)),),
    ),
    RelatedCase(
        "colleagues of colleagues", c.All((colleagues(2, colleagues(2, ACTIVE)), c.Not(ACTIVE))), {"a": False, "b": False, "c": True},
        people=germans("a", "b", "c", a={"vip": True}, b={"vip": True}, c={"vip": False}),
    ),
    RelatedCase(
        "more colleagues than a number of their own", c.ColleaguesCondition("country", passes("above", c.TraitOperand("points"))),
        {"a": True, "b": False, "c": None}, people=germans("a", "b", "c", a={"points": 2}, b={"points": 3}),
    ),
]  # fmt: skip
