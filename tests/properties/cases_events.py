"""Event windows, filters, measures and sequences, answered by hand."""

from __future__ import annotations

from decimal import Decimal

from case_tools import (
    Case,
    at,
    count,
    days,
    euro,
    event,
    formula,
    hours,
    last,
    measured,
    metric,
    no,
    passes,
    person,
    sequence,
    step,
    trait,
    where,
)
from oracle_data import Profile

from segctl.model import conditions as c
from segctl.model import times as t
from segctl.model.types import INTEGER, REAL, TIME

NOW = "2026-11-21 12:00"
ONE_DAY, TWO_HOURS = days(1), hours(2)


def orders(whose: str, *values: str | None, **more: str) -> tuple[c.Value, ...]:
    """One order a day, the last one yesterday, oldest first."""
    first = 21 - len(values)
    return tuple(
        event(whose, "order", f"2026-11-{first + i:02} 10:00", value=None if v is None else euro(v), **more)
        for i, v in enumerate(values)
    )


def visits(whose: str, *when: str, **properties: str) -> tuple[object, ...]:
    """Visits at local times."""
    return tuple(event(whose, "visit", w, **properties) for w in when)


def at_least(number: object) -> c.ValueTest:
    """The commonest test."""
    return passes("at_least", number)


MEASURES = [
    Case("no events is a fact: count 0", count("order", "equals", 0), {"a": True, "b": False}, events=orders("b", "1")),
    Case("sum of none is 0", measured("order", c.Aggregate("sum", "value"), passes("at_most", euro("0"))), {"a": True}),
    Case(
        "distinct of none is 0",
        measured("order", c.Aggregate("distinct", "category"), passes("equals", 0)),
        {"a": True},
    ),
    Case("days of none are 0", measured("order", c.Periods("days"), passes("equals", 0)), {"a": True}),
    *(
        Case(f"{name} of none is missing", measured("order", of, passes), {"a": None})
        for name, of, passes in [
            ("average", c.Aggregate("average", "value"), at_least(euro("0"))),
            ("min", c.Aggregate("min", "value"), at_least(euro("0"))),
            ("max", c.Aggregate("max", "value"), at_least(euro("0"))),
            ("first", c.EdgeTime("first"), last(9)),
            ("last", c.EdgeTime("last"), last(9)),
            ("first_value", c.EdgeValue("first", "category"), passes("equals", "x")),
            ("last_value", c.EdgeValue("last", "category"), passes("equals", "x")),
            ("most_frequent", c.MostFrequent("category"), passes("equals", "x")),
            ("share", c.Share(where(category="x")), at_least(Decimal("0.5"))),
            ("gap", c.Gap("average"), at_least(days(1))),
        ]
    ),
    Case(
        "sum is exact and skips missing",
        measured("order", c.Aggregate("sum", "value"), passes("equals", euro("0.30"))),
        {"a": True},
        events=orders("a", "0.10", None, "0.20"),
    ),
    Case(
        "average skips missing",
        measured("order", c.Aggregate("average", "value"), passes("equals", Decimal("0.15"))),
        {"a": True},
        events=orders("a", "0.10", None, "0.20"),
    ),
    Case(
        "min and max skip missing",
        c.All(
            (
                measured("order", c.Aggregate("min", "value"), passes("equals", euro("1"))),
                measured("order", c.Aggregate("max", "value"), passes("equals", euro("3"))),
            )
        ),
        {"a": True, "b": None},
        events=(*orders("a", "3", None, "1"), *orders("b", None)),
    ),
    Case(
        "distinct skips missing",
        measured("order", c.Aggregate("distinct", "value"), passes("equals", 2)),
        {"a": True},
        events=orders("a", "3", None, "1", "3.00"),
    ),
    Case(
        "sums do not wrap",
        measured("order", c.Aggregate("sum", "quantity"), passes("above", 2**62)),
        {"a": True},
        events=tuple(event("a", "order", f"2026-11-2{i} 10:00", quantity=2**62) for i in (0, 1)),
    ),
    Case(
        "days are local days",
        measured("visit", c.Periods("days"), passes("equals", 1)),
        {"a": True, "b": False},
        events=(
            *visits("a", "2026-11-19 00:00", "2026-11-19 23:59"),
            *visits("b", "2026-11-19 23:59", "2026-11-20 00:00"),
        ),
    ),
    Case(
        "weeks begin on Monday",
        measured("visit", c.Periods("weeks"), passes("equals", 2)),
        {"a": True, "b": False},
        events=(
            *visits("a", "2026-11-15 12:00", "2026-11-16 12:00"),
            *visits("b", "2026-11-16 12:00", "2026-11-19 12:00"),
        ),
    ),
    Case(
        "months of different years differ",
        measured("visit", c.Periods("months"), passes("equals", 2)),
        {"a": True},
        events=visits("a", "2025-11-20 12:00", "2026-11-20 12:00"),
    ),
    Case(
        "years are local",
        measured("visit", c.Periods("years"), passes("equals", 2)),
        {"a": True},
        events=visits("a", "2025-12-31 23:59", "2026-01-01 00:00"),
    ),
    Case(
        "share is of the selected events",
        measured("visit", c.Share(where(page="home")), at_least(Decimal("0.6"))),
        {"a": True, "b": False},
        events=(
            *visits("a", *(f"2026-11-0{i} 10:00" for i in (1, 2, 3)), page="home"),
            *visits("a", "2026-11-05 10:00", "2026-11-06 10:00"),
            *visits("b", "2026-11-01 10:00", page="home"),
            *visits("b", "2026-11-05 10:00"),
        ),
    ),
    Case(
        "the value of the last event, even if missing",
        measured("order", c.EdgeValue("last", "category"), passes("equals", "shoe")),
        {"a": None, "b": True},
        events=(
            event("a", "order", "2026-11-01 10:00", category="shoe"),
            event("a", "order", "2026-11-02 10:00"),
            event("b", "order", "2026-11-01 10:00"),
            event("b", "order", "2026-11-02 10:00", category="shoe"),
        ),
    ),
    Case(
        "of equal times the later source, then event id, is last",
        measured("order", c.EdgeValue("last", "category"), passes("equals", "last")),
        {"a": True, "b": True},
        events=(
            event("a", "order", "2026-11-01 10:00", source="b", event_id="1", category="last"),
            event("a", "order", "2026-11-01 10:00", source="a", event_id="2", category="first"),
            event("b", "order", "2026-11-01 10:00", event_id="B", category="first"),
            event("b", "order", "2026-11-01 10:00", event_id="a", category="last"),
        ),
    ),
    Case(
        "most frequent: ties go to the latest",
        measured("visit", c.MostFrequent("page"), passes("equals", "x")),
        {"a": True, "b": False, "c": None},
        events=(
            *visits("a", "2026-11-01 10:00", "2026-11-04 10:00", page="x"),
            *visits("a", "2026-11-02 10:00", "2026-11-03 10:00", page="y"),
            *visits("b", "2026-11-01 10:00", page="x"),
            *visits("b", "2026-11-02 10:00", page="y"),
            *visits("c", "2026-11-01 10:00"),
        ),
    ),
    Case(
        "gaps between neighbours",
        c.All(
            (
                measured("visit", c.Gap("average"), passes("equals", days(2))),
                measured("visit", c.Gap("max"), passes("equals", days(3))),
                measured("visit", c.Gap("last"), passes("equals", days(1))),
            )
        ),
        {"a": True, "b": None},
        events=(
            *visits("a", "2026-11-01 10:00", "2026-11-04 10:00", "2026-11-05 10:00"),
            *visits("b", "2026-11-01 10:00"),
        ),
    ),
    Case(
        "events after as_of do not exist",
        count("visit", window=t.Since(t.RelativeDay(0))),
        {"a": False, "b": True},
        events=(event("a", "visit", "2026-11-21 12:01"), event("b", "visit", NOW)),
    ),
    Case(
        "windows select first, then the measure runs",
        measured("order", c.EdgeValue("first", "category"), passes("equals", "in"), window=last(30)),
        {"a": True},
        events=(
            event("a", "order", "2026-01-01 10:00", category="out"),
            event("a", "order", "2026-11-01 10:00", category="in"),
        ),
    ),
    Case(
        "latest takes the newest after where",
        measured(
            "order", c.Aggregate("sum", "value"), passes("equals", euro("5")), where=where(category="x"), latest=2
        ),
        {"a": True},
        events=(
            *(event("a", "order", f"2026-11-0{i} 10:00", value=euro(str(i)), category="x") for i in (1, 2, 3)),
            event("a", "order", "2026-11-04 10:00", value=euro("9"), category="y"),
        ),
    ),
    Case(
        "unknown in where is no match, not_equals too",
        count("order", where=where(category=passes("not_equals", "x"))),
        {"a": False, "b": True},
        events=(event("a", "order", "2026-11-01 10:00"), event("b", "order", "2026-11-01 10:00", category="y")),
    ),
    Case(
        "where exists false finds missing properties",
        count("order", where=where(coupon=passes("exists", False))),
        {"a": True, "b": False},
        events=(event("a", "order", "2026-11-01 10:00"), event("b", "order", "2026-11-01 10:00", coupon="")),
    ),
    Case(
        "where on local time parts",
        count("visit", where=where(time_month=11, time_weekday=1, time_hour=0)),
        {"a": True, "b": False},
        events=(event("a", "visit", "2026-11-01 23:30Z"), event("b", "visit", "2026-11-01 22:30Z")),
    ),
    Case(
        "several kinds; a star is every kind",
        c.All((count("order visit", "equals", 2), count("*", "equals", 3))),
        {"a": True},
        events=tuple(event("a", k, "2026-11-01 10:00") for k in ("order", "visit", "cart")),
    ),
    Case(
        "a property that a kind does not declare is missing",
        measured("order visit", c.Aggregate("sum", "value"), passes("equals", euro("2"))),
        {"a": True},
        events=(*orders("a", "2"), *visits("a", "2026-11-01 10:00")),
    ),
    Case(
        "followed_by counts events that are followed",
        count("mail_sent", "equals", 1, followed_by=c.FollowedBy(("mail_opened",), same=("mailing",), within=days(7))),
        {"a": True},
        events=(
            event("a", "mail_sent", "2026-11-01 10:00", mailing="x"),
            event("a", "mail_sent", "2026-11-02 10:00", mailing="y"),
            event("a", "mail_opened", "2026-11-08 10:00", mailing="x"),
            event("a", "mail_opened", "2026-11-09 10:01", mailing="y"),
        ),
    ),
    Case(
        "followed_by: missing ties with nothing",
        count("mail_sent", followed_by=c.FollowedBy(("mail_opened",), same=("mailing",))),
        {"a": False},
        events=(event("a", "mail_sent", "2026-11-01 10:00"), event("a", "mail_opened", "2026-11-08 10:00")),
    ),
    Case(
        "followed_by may look beyond the window, never after as_of",
        count(
            "visit",
            "equals",
            1,
            window=t.Before(t.LocalDay(at("2026-11-02 12:00").date())),
            followed_by=c.FollowedBy(("order",)),
        ),
        {"a": True, "b": False},
        events=(
            *visits("a", "2026-11-01 10:00"),
            event("a", "order", "2026-11-20 10:00"),
            *visits("b", "2026-11-01 10:00"),
            event("b", "order", "2026-11-22 10:00"),
        ),
    ),
]

AND_NOT = sequence(step("cart"), no("order", TWO_HOURS))
SEQUENCES = [
    Case(
        "then_not within is true only once that time has passed",
        AND_NOT,
        {"a": True, "b": False, "c": False, "d": True},
        events=(
            event("a", "cart", "2026-11-21 10:00"),
            event("b", "cart", "2026-11-21 10:01"),
            event("c", "cart", "2026-11-20 10:00"),
            event("c", "order", "2026-11-20 12:00"),
            event("d", "cart", "2026-11-20 10:00"),
            event("d", "order", "2026-11-20 12:01"),
        ),
    ),
    Case(
        "then_not counts events at the same instant, whatever their id",
        AND_NOT,
        {"a": False},
        events=(
            event("a", "cart", "2026-11-20 10:00", event_id="2"),
            event("a", "order", "2026-11-20 10:00", event_id="1"),
        ),
    ),
    Case(
        "then at the same instant needs a later event id",
        sequence(step("cart"), step("order")),
        {"a": False, "b": True},
        events=(
            event("a", "cart", "2026-11-20 10:00", event_id="2"),
            event("a", "order", "2026-11-20 10:00", event_id="1"),
            event("b", "cart", "2026-11-20 10:00", event_id="1"),
            event("b", "order", "2026-11-20 10:00", event_id="2"),
        ),
    ),
    Case(
        "within is included at its end",
        sequence(step("cart"), step("order", TWO_HOURS)),
        {"a": True, "b": False},
        events=(
            event("a", "cart", "2026-11-20 10:00"),
            event("a", "order", "2026-11-20 12:00"),
            event("b", "cart", "2026-11-20 10:00"),
            event("b", "order", "2026-11-20 12:00:00.000001"),
        ),
    ),
    Case(
        "then_not without within as the last step: none up to as_of",
        sequence(step("cart", window=t.Between(t.RelativeTime(days(1)), t.RelativeTime(TWO_HOURS))), no("order")),
        {"a": True, "b": False, "c": False},
        events=(
            event("a", "cart", "2026-11-21 10:00"),
            event("b", "cart", "2026-11-21 10:01"),
            event("c", "cart", "2026-11-21 09:00"),
            event("c", "order", NOW),
        ),
    ),
    Case(
        "a later step's event is another event",
        sequence(step("cart"), no("cart order"), start="any"),
        {"a": True, "b": True},
        events=(
            event("a", "cart", "2026-11-20 10:00"),
            event("b", "cart", "2026-11-20 10:00"),
            event("b", "cart", "2026-11-21 10:00"),
        ),
    ),
    Case(
        "start first: the one candidate is the first",
        sequence(step("cart"), no("cart order"), start="first"),
        {"a": True, "b": False},
        events=(
            event("a", "cart", "2026-11-20 10:00"),
            event("b", "cart", "2026-11-20 10:00"),
            event("b", "cart", "2026-11-21 10:00"),
        ),
    ),
    Case(
        "start picks before same and later steps are looked at",
        sequence(step("cart"), step("order"), start="last"),
        {"a": False},
        events=(
            event("a", "cart", "2026-11-19 10:00"),
            event("a", "order", "2026-11-20 10:00"),
            event("a", "cart", "2026-11-21 10:00"),
        ),
    ),
    Case(
        "then_not between two steps: none before the next step's event",
        sequence(step("cart"), no("visit"), step("order")),
        {"a": False, "b": True, "c": True},
        events=(
            event("a", "cart", "2026-11-01 10:00"),
            event("a", "visit", "2026-11-02 10:00"),
            event("a", "order", "2026-11-03 10:00"),
            event("b", "cart", "2026-11-01 10:00"),
            event("b", "order", "2026-11-02 10:00"),
            event("b", "visit", "2026-11-03 10:00"),
            event("c", "visit", "2026-11-01 10:00"),
            event("c", "cart", "2026-11-02 10:00"),
            event("c", "order", "2026-11-03 10:00"),
        ),
    ),
    Case(
        "then_not's own window holds in full even if a later step comes earlier",
        sequence(step("cart"), no("visit", days(2)), step("order")),
        {"a": False},
        events=(
            event("a", "cart", "2026-11-01 10:00"),
            event("a", "order", "2026-11-01 12:00"),
            event("a", "visit", "2026-11-02 10:00"),
        ),
    ),
    Case(
        "after a then_not the next within counts from the last matched event",
        sequence(step("cart"), no("visit", days(2)), step("order", days(3))),
        {"a": True, "b": False},
        events=(
            event("a", "cart", "2026-11-01 10:00"),
            event("a", "order", "2026-11-04 10:00"),
            event("b", "cart", "2026-11-01 10:00"),
            event("b", "order", "2026-11-04 10:01"),
        ),
    ),
    Case(
        "later steps are some fitting event, not the first",
        sequence(step("cart"), step("visit"), step("order", TWO_HOURS)),
        {"a": True},
        events=(
            event("a", "cart", "2026-11-01 10:00"),
            event("a", "visit", "2026-11-02 10:00"),
            event("a", "visit", "2026-11-03 10:00"),
            event("a", "order", "2026-11-03 11:00"),
        ),
    ),
    Case(
        "same ties all steps; missing ties with nothing",
        sequence(step("mail_sent"), step("mail_opened"), same="mailing"),
        {"a": True, "b": False, "c": False},
        events=(
            event("a", "mail_sent", "2026-11-01 10:00", mailing="x"),
            event("a", "mail_opened", "2026-11-02 10:00", mailing="x"),
            event("b", "mail_sent", "2026-11-01 10:00", mailing="x"),
            event("b", "mail_opened", "2026-11-02 10:00", mailing="y"),
            event("c", "mail_sent", "2026-11-01 10:00"),
            event("c", "mail_opened", "2026-11-02 10:00"),
        ),
    ),
    Case(
        "same with then_not: only a tied event prevents, so a missing value is never prevented",
        sequence(step("mail_sent"), no("mail_opened"), same="mailing"),
        {"a": False, "b": True, "c": True},
        events=(
            event("a", "mail_sent", "2026-11-01 10:00", mailing="x"),
            event("a", "mail_opened", "2026-11-02 10:00", mailing="x"),
            event("b", "mail_sent", "2026-11-01 10:00", mailing="x"),
            event("b", "mail_opened", "2026-11-02 10:00", mailing="y"),
            event("c", "mail_sent", "2026-11-01 10:00"),
            event("c", "mail_opened", "2026-11-02 10:00"),
        ),
    ),
    Case(
        "later steps may lie outside step 1's window, never after as_of",
        sequence(step("cart", window=t.Before(t.LocalDay(at("2026-11-02 12:00").date()))), step("order")),
        {"a": True, "b": False},
        events=(
            event("a", "cart", "2026-11-01 10:00"),
            event("a", "order", "2026-11-20 10:00"),
            event("b", "cart", "2026-11-01 10:00"),
            event("b", "order", "2026-11-22 10:00"),
        ),
    ),
    Case(
        "a sequence without events is false, never unknown", c.Not(sequence(step("cart"), step("order"))), {"a": True}
    ),
]

FORMULAS: list[Case] = []


def computed(
    name: str, of: c.ComputedTrait | c.Formula, passes: c.Test, answer: object, *people: Profile, **more: object
) -> Case:
    """A computed trait `x` passes a test."""
    made = of if isinstance(of, c.ComputedTrait) else formula("x", of)
    answers = answer if isinstance(answer, dict) else {"a": answer}
    base = more.pop("base", ())
    return Case(name, c.TraitCondition("x", passes), answers, people, computed=(*base, made), **more)


def nested(function: str, depth: int, of: c.Formula) -> c.Formula:
    """The function of the function of … of a formula."""
    return nested(function, depth - 1, c.Call(function, (of,))) if depth else of


POINTS, VALUE = c.TraitValue("points"), c.TraitValue("balance")
number = lambda text: c.Number(Decimal(text))  # noqa: E731 - reads as a word in formulas
FORMULAS += [
    computed(
        "computed traits are metrics",
        metric("x", INTEGER, "order", c.Count()),
        passes("equals", 2),
        True,
        events=orders("a", "1", "2"),
    ),
    computed(
        "a gap as a trait is days",
        metric("x", REAL, "order", c.Gap("average")),
        passes("equals", Decimal(1)),
        True,
        events=orders("a", "1", "2", "3"),
    ),
    computed(
        "last time as a trait",
        metric("x", TIME, "order", c.EdgeTime("last")),
        last(3),
        {"a": True, "b": None},
        events=orders("a", "1"),
    ),
    computed(
        "division by zero is missing",
        c.Call("/", (number("1"), c.Call("-", (POINTS, POINTS)))),
        passes("exists", False),
        True,
        person("a", points=3),
    ),
    computed(
        "a formula is as long as it is written, however often its functions read their operands",
        nested("round", 40, c.Call("/", (VALUE, number("3")))),
        passes("equals", Decimal(4)),
        True,
        person("a", balance=euro("10.75")),
    ),
    computed(
        "coalesce takes the first present",
        c.Call("coalesce", (POINTS, number("7"))),
        passes("equals", Decimal(7)),
        True,
    ),
    computed("missing in, missing out", c.Call("+", (POINTS, number("7"))), passes("equals", Decimal(7)), None),
    computed("min and max skip nothing", c.Call("max", (POINTS, number("7"))), passes("equals", Decimal(7)), None),
    computed(
        "round is half away from zero",
        c.Call("round", (VALUE,)),
        passes("equals", Decimal(-3)),
        {"a": True, "b": False},
        person("a", balance=euro("-2.50")),
        person("b", balance=euro("-2.49")),
    ),
    computed(
        "days_since is a real number",
        c.Call("days_since", (c.TraitValue("seen"),)),
        passes("equals", Decimal("1.5")),
        True,
        person("a", seen=at("2026-11-20 00:00")),
    ),
    computed(
        "years_since are completed years",
        c.Call("years_since", (c.TraitValue("born"),)),
        passes("equals", Decimal(30)),
        {"a": True, "b": False},
        person("a", born=at("1996-11-21 12:00").date()),
        person("b", born=at("1996-11-22 12:00").date()),
    ),
    computed(
        "who is born on 29 February is a year older on 28 February",
        c.Call("years_since", (c.TraitValue("born"),)),
        passes("equals", Decimal(30)),
        True,
        person("a", born=at("1996-02-29 12:00").date()),
        as_of=at("2026-02-28 12:00"),
    ),
    computed(
        "formulas over computed traits",
        c.Call("/", (c.Call("days_since", (c.TraitValue("l"),)), c.TraitValue("g"))),
        passes("at_least", Decimal(1)),
        True,
        base=(metric("l", TIME, "order", c.EdgeTime("last")), metric("g", REAL, "order", c.Gap("average"))),
        events=orders("a", "1", "2", "3"),
    ),
    Case(
        "an operand may be a trait",
        trait("points", "above", c.TraitOperand("x")),
        {"a": True, "b": False, "c": None},
        (person("a", points=3), person("b", points=2)),
        computed=(metric("x", INTEGER, "order", c.Count()),),
        events=(*orders("a", "1", "2"), *orders("b", "1", "2")),
    ),
]

CASES = [*MEASURES, *SEQUENCES, *FORMULAS]
