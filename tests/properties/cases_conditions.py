"""Kleene logic, operators on traits, missing rules, `same`, references, samples, history and keep, by hand."""

from __future__ import annotations

from decimal import Decimal

from case_tools import (
    MONEY,
    Case,
    at,
    count,
    euro,
    event,
    formula,
    last,
    measured,
    metric,
    passes,
    person,
    trait,
    where,
)
from oracle_data import Profile, Record

from segctl.model import conditions as c
from segctl.model.times import Since, TraitTime
from segctl.model.types import INTEGER, TIME

YES, NO_, UNKNOWN = trait("vip", "exists", False), trait("vip", "exists", True), trait("vip", "equals", True)


def logic(name: str, where_: c.Condition, answer: bool | None) -> Case:
    """One person without traits: YES is true, NO_ false, UNKNOWN unknown."""
    return Case(name, where_, {"a": answer})


LOGIC = [
    logic("a comparison on a missing value is unknown", UNKNOWN, None),
    logic("not of unknown is unknown", c.Not(UNKNOWN), None),
    logic("all: false wins over unknown", c.All((UNKNOWN, NO_)), False),
    logic("all: unknown wins over true", c.All((UNKNOWN, YES)), None),
    logic("any: true wins over unknown", c.AnyOf((UNKNOWN, YES)), True),
    logic("any: unknown wins over false", c.AnyOf((UNKNOWN, NO_)), None),
    logic("none: no one of a list", c.NoneOf((NO_, NO_)), True),
    logic("none: unknown stays", c.NoneOf((NO_, UNKNOWN)), None),
    logic("none: one true is enough to fail", c.NoneOf((YES, UNKNOWN)), False),
    logic("at_least n true", c.AnyOf((YES, YES, UNKNOWN), 2), True),
    logic("at_least n: true plus unknown are fewer", c.AnyOf((YES, NO_, NO_), 2), False),
    logic("at_least n: unknown could decide", c.AnyOf((YES, UNKNOWN, NO_), 2), None),
    logic("missing match turns unknown into true", trait("vip", "equals", True, missing="match"), True),
    logic("missing turns before the surrounding not", c.Not(trait("vip", "equals", True, missing="match")), False),
    logic("missing no_match", c.Not(trait("vip", "equals", True, missing="no_match")), True),
    logic(
        "missing on a measure that can be missing",
        measured("order", c.Aggregate("max", "value"), passes("above", euro("1")), missing="match"),
        True,
    ),
    logic("a comparison with a missing operand is unknown", trait("points", "above", c.TraitOperand("points")), None),
]


def texts(name: str, condition: c.Condition, yes: list[str | None], no: list[str | None]) -> Case:
    """Names that pass and names that do not."""
    people = tuple(person(chr(97 + i), name=text) for i, text in enumerate([*yes, *no]))
    return Case(name, condition, {p.profile_id: i < len(yes) for i, p in enumerate(people)}, people)


def one(name: str, condition: c.Condition, answers: str, *people: Profile) -> Case:
    """Answers as letters: + true, - false, ? unknown."""
    letters = {"+": True, "-": False, "?": None}
    return Case(name, condition, {p.profile_id: letters[x] for p, x in zip(people, answers, strict=True)}, people)


FOLD = {"ignore_case": True}
TRAITS = [
    texts("text is compared exactly", trait("name", "equals", "Straße"), ["Straße"], ["STRASSE", "straße", ""]),
    texts(
        "ignore_case folds by Unicode", trait("name", "equals", "STRASSE", **FOLD), ["Straße", "strasse"], ["Strase"]
    ),
    texts("the dotted capital I folds to two letters", trait("name", "contains", "i̇s", **FOLD), ["İs"], ["is", "IS"]),
    texts("contains takes % and _ as letters", trait("name", "contains", "5%_"), ["15%_x"], ["155x", "5%x"]),
    texts("an empty text is contained in all", trait("name", "contains", ""), ["", "x"], []),
    texts(
        "starts_with and ends_with",
        c.All((trait("name", "starts_with", "Ä"), trait("name", "ends_with", "'\\"))),
        ["Äö'\\"],
        ["ä'\\"],
    ),
    texts("matches is unanchored", trait("name", "matches", "b+c$"), ["abbc"], ["abbcd", "bbc\n"]),
    texts("not_in", trait("name", "not_in", "a", "b"), ["c", "A"], ["a", "b"]),
    texts("in of a list file", trait("name", "in", "x"), ["x"], ["y"]),
    one("not_equals on missing is unknown", trait("name", "not_equals", "x"), "+?", person("a", name="y"), person("b")),
    one("exists is never unknown", trait("name", "exists", True), "+-", person("a", name=""), person("b")),
    one(
        "between includes both ends",
        trait("points", "between", 1, 3),
        "++-?",
        person("a", points=1),
        person("b", points=3),
        person("c", points=4),
        person("d"),
    ),
    one(
        "money is exact",
        trait("balance", "equals", euro("0.30")),
        "+-",
        person("a", balance=euro("0.30")),
        person("b", balance=euro("0.31")),
    ),
    one(
        "between with a missing end is decided by the other",
        trait("points", "between", 5, c.TraitOperand("points")),
        "?",
        person("a"),
    ),
    Case(
        "between with a missing bound is decided by the other one",
        trait("points", "between", 5, c.TraitOperand("x")),
        {"a": False, "b": None},
        (person("a", points=1), person("b", points=7)),
        computed=(metric("x", MONEY, "order", c.Aggregate("max", "value")),),
    ),
    Case(
        "in with a missing operand is true where another fits",
        trait("balance", "in", euro("1"), c.TraitOperand("x")),
        {"a": True, "b": None},
        (person("a", balance=euro("1")), person("b", balance=euro("2"))),
        computed=(metric("x", MONEY, "order", c.Aggregate("max", "value")),),
    ),
    one(
        "any_of, also of an empty list",
        trait("interests", "any_of", "a", "b"),
        "+--?",
        person("a", interests=["b"]),
        person("b", interests=["c"]),
        person("c", interests=[]),
        person("d"),
    ),
    one(
        "all_of",
        trait("interests", "all_of", "a", "b"),
        "+-?",
        person("a", interests=["b", "a"]),
        person("b", interests=["a"]),
        person("c"),
    ),
    one(
        "an empty list fulfils none_of",
        trait("interests", "none_of", "a"),
        "+-?",
        person("a", interests=[]),
        person("b", interests=["a"]),
        person("c"),
    ),
    one(
        "a path into a struct",
        trait("address.city", "equals", "Ulm"),
        "+-??",
        person("a", address={"city": "Ulm", "zip": "1"}),
        person("b", address={"city": "Bonn", "zip": "1"}),
        person("c", address={"city": None, "zip": "1"}),
        person("d"),
    ),
    one(
        "size of a list",
        c.TraitCondition("interests", c.ValueTest("size", element=(("", passes("equals", 0)),))),
        "+-?",
        person("a", interests=[]),
        person("b", interests=["x"]),
        person("c"),
    ),
    one(
        "any_element: all on the same element; unknown elements do not match",
        c.TraitCondition(
            "items",
            c.ValueTest("any_element", element=(("sku", passes("equals", "x")), ("quantity", passes("above", 1)))),
        ),
        "+--?",
        person("a", items=[{"sku": "x", "quantity": 2}]),
        person("b", items=[{"sku": "x", "quantity": 1}, {"sku": "y", "quantity": 2}]),
        person("c", items=[{"sku": "x", "quantity": None}]),
        person("d"),
    ),
]


def versions(name: str, *records: tuple[str | None, str | None], gone: str | None = None) -> Profile:
    """A profile with versions of `tier` at local times, None from the beginning."""
    subject = ord(name) - ord("a")
    made = [
        Record("crm", i + 1, {"tier": tier}, at(when) if when else None, subject=subject)
        for i, (when, tier) in enumerate(records)
    ]
    if gone:
        made.append(Record("crm", 99, {}, at(gone), gone=True, subject=subject))
    return Profile(name, (subject,), tuple(made))


HISTORY = [
    one(
        "a trait has the value that was valid at as_of",
        trait("tier", "equals", "silver"),
        "++",
        versions("a", (None, "gold"), ("2026-11-01 00:00", "silver"), ("2026-11-22 00:00", "gold")),
        versions("b", (None, "gold"), ("2026-11-21 12:00", "silver")),
    ),
    one(
        "the latest by record time, whatever arrived later",
        trait("tier", "equals", "new"),
        "+",
        versions("a", ("2026-11-02 00:00", "new"), ("2026-11-01 00:00", "old")),
    ),
    one(
        "a later record's missing value is missing",
        trait("tier", "exists", False),
        "+",
        versions("a", (None, "gold"), ("2026-11-01 00:00", None)),
    ),
    Case(
        "a row gone from a full picture ends its traits; the profile lives while it has events",
        trait("tier", "exists", False),
        {"a": True},
        (versions("a", (None, "gold"), gone="2026-11-01 00:00"),),
        (event("a", "visit", "2026-11-01 10:00"),),
    ),
    one(
        "changed from to in the window",
        c.ChangedCondition("tier", "silver", "gold", last(30)),
        "+---",
        versions("a", (None, "silver"), ("2026-11-01 00:00", "gold")),
        versions("b", (None, "silver"), ("2026-10-01 00:00", "gold")),
        versions("c", (None, "bronze"), ("2026-11-01 00:00", "gold")),
        versions("d", (None, "silver"), ("2026-11-22 00:00", "gold")),
    ),
    Case(
        "changed since a time that events tell",
        c.ChangedCondition("tier", None, "gold", Since(TraitTime("x"))),
        {"a": True, "b": False, "c": False},
        (
            versions("a", (None, "silver"), ("2026-11-01 00:00", "gold")),
            versions("b", (None, "silver"), ("2026-10-01 00:00", "gold")),
            versions("c", (None, "silver"), ("2026-11-01 00:00", "gold")),
        ),
        tuple(event(p, "visit", "2026-09-01 10:00", until=at("2026-10-15 00:00")) for p in "ab"),
        computed=(metric("x", TIME, "visit", c.EdgeValue("first", "until")),),
    ),
    one(
        "changed to: what a profile begins with is no change, from missing is one",
        c.ChangedCondition("tier", None, "gold", None),
        "--+",
        versions("a", (None, "gold")),
        versions("b", ("2026-11-01 00:00", "gold")),
        versions("c", (None, None), ("2026-11-01 00:00", "gold")),
    ),
    one(
        "a record that repeats the value is no change",
        c.ChangedCondition("tier", None, None, None),
        "-",
        versions("a", (None, "gold"), ("2026-11-01 00:00", "gold")),
    ),
]


def bought(whose: str, kind: str, product: str | None, when: str = "2026-11-01 10:00", **more: object) -> c.Condition:
    """A cart or order of a product (`order_id` plays the product of an order)."""
    return event(whose, kind, when, event_id=f"{kind}{product}{when}", order_id=product, category=product, **more)


SAME = [
    Case(
        "same on all: one and the same value",
        c.All(
            (count("order", where=where(value=euro("1"))), count("order", where=where(value=euro("2")))),
            same=("category",),
        ),
        {"a": True, "b": False, "c": False, "d": False},
        events=(
            bought("a", "order", "x", value=euro("1")),
            bought("a", "order", "x", "2026-11-02 10:00", value=euro("2")),
            bought("b", "order", "x", value=euro("1")),
            bought("b", "order", "y", value=euro("2")),
            bought("c", "order", None, value=euro("1")),
            bought("c", "order", None, "2026-11-02 10:00", value=euro("2")),
        ),
    ),
    Case(
        "same on all with a negative leaf: that value was never returned",
        c.All(
            (count("order", where=where(quantity=1)), count("order", "equals", 0, where=where(quantity=2))),
            same=("category",),
        ),
        {"a": True, "b": False},
        events=(
            bought("a", "order", "x", quantity=1),
            bought("a", "order", "y", "2026-11-02 10:00", quantity=1),
            bought("a", "order", "y", "2026-11-03 10:00", quantity=2),
            bought("b", "order", "y", "2026-11-02 10:00", quantity=1),
            bought("b", "order", "y", "2026-11-03 10:00", quantity=2),
        ),
    ),
    Case(
        "same restricts event leaves only: traits are the profile's own",
        c.All((count("order"), trait("x", "equals", 2)), same=("category",)),
        {"a": True, "b": False},
        computed=(metric("x", INTEGER, "order", c.Count()),),
        events=(bought("a", "order", "x"), bought("a", "order", "y"), bought("b", "order", "x")),
    ),
    Case(
        "same restricts event leaves, not the computed traits that they are compared with",
        c.All(
            (c.EventCondition(c.EventSelection(("order",)), c.Count(), passes("equals", c.TraitOperand("x"))),),
            same=("category",),
        ),
        {"a": False, "b": True},
        tuple(person(p) for p in "ab"),
        (
            bought("a", "order", None),
            bought("a", "order", None, "2026-11-02 10:00"),
            event("a", "order", "2026-11-03 10:00", category="shoes"),
            event("b", "order", "2026-11-03 10:00", category="shoes"),
        ),
        computed=(metric("x", INTEGER, "order", c.Count()),),
    ),
    Case(
        "same: a computed trait may be a constant",
        c.All(
            (c.EventCondition(c.EventSelection(("order",)), c.Count(), passes("above", c.TraitOperand("x"))),),
            same=("category",),
        ),
        {"a": True, "b": False},
        tuple(person(p) for p in "ab"),
        (
            bought("a", "order", "x", "2026-11-01 10:00"),
            bought("a", "order", "x", "2026-11-02 10:00"),
            bought("b", "order", "x"),
        ),
        computed=(formula("x", c.Number(Decimal(1))),),
    ),
    Case(
        "same: latest is counted among that value's events",
        c.All((measured("order", c.Aggregate("sum", "quantity"), passes("equals", 3), latest=2),), same=("category",)),
        {"a": True},
        events=(
            bought("a", "order", "x", "2026-11-01 10:00", quantity=1),
            bought("a", "order", "x", "2026-11-02 10:00", quantity=2),
            bought("a", "order", "y", "2026-11-03 10:00", quantity=9),
        ),
    ),
    Case(
        "same: a measure that is missing for a seen value is unknown",
        c.All(
            (count("order"), measured("order", c.Aggregate("max", "value"), passes("above", euro("1")))),
            same=("category",),
        ),
        {"a": None, "b": False},
        events=(bought("a", "order", "x"),),
    ),
]

GOOD = c.SegmentDefinition("good", trait("points", "at_least", 5), c.Keep("top", "points", count=1))
PEOPLE = (person("a", points=7), person("b", points=9), person("c", points=1), person("d"))


def kept(name: str, rule: c.Keep, members: str, *people: Profile) -> Case:
    """Who stays of those with points."""
    answers = {p.profile_id: None if p.records[0].traits.get("points") is None else True for p in people}
    return Case(name, trait("points", "above", -99), answers, people, keep=rule, members=members)


RANKED = (person("a", points=3, country="DE"), person("b", points=3, country="AT"), person("c", points=1, country="DE"),
          person("d", points=2), person("e", points=5, balance=euro("1")))  # fmt: skip
REFERENCES = [
    Case(
        "a reference is never unknown and comes after its keep",
        c.SegmentCondition("good"),
        {"a": False, "b": True, "c": False, "d": False},
        PEOPLE,
        segments=(GOOD,),
    ),
    Case(
        "not a member, though the leaf itself would be unknown",
        c.Not(c.SegmentCondition("good")),
        {"d": True, "b": False},
        (PEOPLE[1], PEOPLE[3]),
        segments=(GOOD,),
    ),
    # sha256("s" 0x1f "a") starts with 0x11, of "b" with 0x26 (computed with coreutils' sha256sum)
    Case(
        "sample: first 64 bits of SHA-256(salt, 0x1F, profile_id) as a share",
        c.SampleCondition(Decimal(10), "s"),
        {"a": True, "b": False},
    ),
    Case(
        "a list looks an identifier up",
        c.ListCondition("vips", "mail", "email"),
        {"a": True, "b": False, "c": False},
        (person("a", identifiers=(("email", "a@x"),)), person("b", identifiers=(("customer_id", "a@x"),)), person("c")),
        lists={("vips", "mail"): frozenset({"a@x"})},
    ),
    Case(
        "in and not_in of a list",
        c.All((trait("country", "in", c.ListOperand("eu")), c.Not(trait("country", "not_in", c.ListOperand("eu"))))),
        {"a": True, "b": False, "c": None},
        (person("a", country="DE"), person("b", country="US"), person("c")),
        lists={("eu", None): frozenset({"DE", "AT"})},
    ),
    kept("keep the top two; ties by profile id", c.Keep("top", "points", count=2), "ea", *RANKED),
    kept("keep the bottom two", c.Keep("bottom", "points", count=2), "cd", *RANKED),
    kept("a percent is rounded up", c.Keep("top", "points", percent=Decimal(21)), "ea", *RANKED),
    kept("a percent keeps at least one", c.Keep("top", "points", percent=Decimal("0.1")), "e", *RANKED),
    kept("in each group; a missing group drops", c.Keep("top", "points", count=1, per="country"), "ab", *RANKED),
    kept(
        "in each group; a missing group may be one of its own",
        c.Keep("top", "points", count=1, per="country", keep_missing_group=True),
        "abe",
        *RANKED,
    ),
    kept("missing by is never kept", c.Keep("bottom", "balance", count=9), "e", *RANKED),
    Case(
        "those who do not match are no competition",
        trait("points", "below", 3),
        {"a": False, "b": False, "c": True, "d": True, "e": False},
        RANKED,
        keep=c.Keep("top", "points", count=1),
        members="d",
    ),
]

CASES = [*LOGIC, *TRAITS, *HISTORY, *SAME, *REFERENCES]
