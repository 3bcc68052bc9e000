"""Scores among all profiles: sentences with hand-made answers."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from case_tools import Case, count, euro, event, passes, person, trait

from segctl.model import conditions as c
from segctl.model.types import INTEGER, REAL, TIME


def score(name: str, of: str, best: Any = "high", groups: int = 5, beside: str | None = None) -> c.ComputedTrait:
    """A computed trait that scores another one."""
    other = None if beside is None else c.TraitValue(beside)
    return c.ComputedTrait(name, INTEGER, formula=c.Score(c.TraitValue(of), groups, best, other))


def points(*values: int | None) -> tuple:
    """People a, b, c … with so many points."""
    return tuple(person(chr(97 + i), points=value) for i, value in enumerate(values))


def answers(letters: str) -> dict[str, bool | None]:
    """+ true, - false, ? unknown, for people a, b, c …"""
    return {chr(97 + i): {"+": True, "-": False, "?": None}[x] for i, x in enumerate(letters)}


def having(name: str, value: int, letters: str, people: tuple, *computed: c.ComputedTrait) -> Case:
    """Who has this value of the trait `x`."""
    return Case(name, trait("x", "equals", value), answers(letters), people, computed=computed)


X = score("x", "points")
ORDERS = c.ComputedTrait("orders", INTEGER, c.EventSelection(("order",)), c.Count())
LAST = c.ComputedTrait("last", TIME, c.EventSelection(("order",)), c.EdgeTime("last"))
BUYERS = (
    event("a", "order", "2026-11-20 10:00", value=euro("10.00")),
    event("b", "order", "2026-11-01 10:00", value=euro("20.00")),
    event("b", "order", "2026-11-02 10:00", value=euro("20.00")),
)
CASES = [
    having("five people fill five groups", 5, "----+", points(10, 20, 30, 40, 50), X),
    having("the worst has the score 1", 1, "+----", points(10, 20, 30, 40, 50), X),
    having("ten people are two a group", 3, "----++----", points(*range(10)), X),
    # 1 + 5 * 0 // 4 = 1, 1 + 5 * 1 // 4 = 2, 1 + 5 * 2 // 4 = 3, 1 + 5 * 3 // 4 = 4
    having("fewer people than groups leave the best one empty", 4, "---+", points(1, 2, 3, 4), X),
    having("low can be best", 5, "+----", points(10, 20, 30, 40, 50), score("x", "points", "low")),
    having("equal values have equal scores, by those that are worse", 1, "+++--", points(7, 7, 7, 8, 9), X),
    having("and jump over the scores of the others", 4, "---+-", points(7, 7, 7, 8, 9), X),
    having("missing has no score and does not count", 3, "?-+", points(None, 1, 2), X),
    having("one person alone has the score 1", 1, "+", points(3), X),
    having("dates are ranked", 2, "-+", (person("a", born=date(1990, 1, 1)), person("b", born=date(1990, 1, 2))),
           score("x", "born", groups=2)),
    Case("a score among those who ordered", trait("x", "equals", 3), answers("-+?"), points(1, 2, 3), BUYERS,
         computed=(ORDERS, LAST, score("x", "orders", beside="last"))),
    Case("without that those who did not are the worst", trait("x", "equals", 1), answers("--+"), points(1, 2, 3),
         BUYERS, computed=(ORDERS, score("x", "orders"))),
    Case("scores add up", trait("sum", "equals", 31), answers("-+"), points(1, 2), (),
         computed=(X, c.ComputedTrait("sum", REAL, formula=c.Call("+", (
             c.Call("*", (c.Number(Decimal(10)), c.TraitValue("x"))), c.Number(Decimal(1))))))),
    Case("the best of each score", c.Not(c.SegmentCondition("nobody")), answers("+++"), points(1, 2, 3), (),
         computed=(X,), keep=c.Keep("top", "x", 1), members="c",
         segments=(c.SegmentDefinition("nobody", trait("x", "above", 9)),)),
    Case("events may be tested against a score", count("order", where=(
        c.PropertyTest("quantity", passes("at_least", c.TraitOperand("x"))),)), answers("+-"), points(1, 2),
         (event("a", "order", "2026-11-20 10:00", quantity=1), event("b", "order", "2026-11-20 10:00", quantity=2)),
         computed=(X,)),
]  # fmt: skip
