from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segctl.compile.formula import formula_type, parse_formula, traits_of
from segctl.compile.timewords import Problem
from segctl.model.conditions import Call, Formula, Number, TraitValue
from segctl.model.types import DATE, INTEGER, TEXT, TIME, Kind, ValueType

A, B, C = TraitValue("a"), TraitValue("b"), TraitValue("c")
TYPES = {
    "a": INTEGER,
    "revenue": ValueType(Kind.MONEY, 2, "EUR"),
    "costs": ValueType(Kind.MONEY, 2, "EUR"),
    "dollars": ValueType(Kind.MONEY, 2, "USD"),
    "points": ValueType(Kind.INTEGER, unit="points"),
    "rate": ValueType(Kind.REAL, unit="share"),
    "gap": ValueType(Kind.REAL, unit="days"),
    "last_order_at": TIME,
    "birth_date": DATE,
    "country": TEXT,
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", A),
        ("0.50", Number(Decimal("0.50"))),
        ("a + b * c", Call("+", (A, Call("*", (B, C))))),
        ("(a + b) * c", Call("*", (Call("+", (A, B)), C))),
        ("a - b - c", Call("-", (Call("-", (A, B)), C))),
        ("a / b / c", Call("/", (Call("/", (A, B)), C))),
        ("-a * b", Call("*", (Call("neg", (A,)), B))),
        ("a - -b", Call("-", (A, Call("neg", (B,))))),
        ("min(a, b, c)", Call("min", (A, B, C))),
        (" days_since( a )/b ", Call("/", (Call("days_since", (A,)), B))),
        ("min / max", Call("/", (TraitValue("min"), TraitValue("max")))),
        ("coalesce(a, 0)", Call("coalesce", (A, Number(Decimal(0))))),
    ],
)
def test_precedence_is_that_of_school(text: str, expected: Formula) -> None:
    assert parse_formula(text) == expected


@pytest.mark.parametrize(
    ("text", "start", "part"),
    [
        ("a +", 2, "ends too early"),
        ("", 0, "ends too early"),
        ("a + * b", 4, "`*`"),
        ("(a + b", 0, "never closed"),
        ("a b", 2, "`b`"),
        ("a)", 1, "`)`"),
        ("a ^ 2", 2, "`^`"),
        ("a + 1,5", 5, "`,`"),
        ("1.2.3", 0, "`1.2.3`"),
        ("2a", 0, "`2a`"),
        ("avg(a, b)", 0, "`avg`"),
        ("abs(a, b)", 0, "one operand"),
        ("min(a)", 0, "2 to 20"),
        ("a; b", 1, "`;`"),
        ("round()", 6, "`)`"),
    ],
)
def test_errors_name_the_place(text: str, start: int, part: str) -> None:
    found = parse_formula(text)

    assert isinstance(found, Problem)
    assert (found.start, part in found.message) == (start, True), found


def test_a_decimal_comma_gets_a_hint() -> None:
    found = parse_formula("a * 1,5")

    assert isinstance(found, Problem)
    assert found.hint == "decimals have a point: `0.5`"


@pytest.mark.parametrize("text", ["(" * 10_000, "-" * 500 + "a", "(" * 31 + "a" + ")" * 31, "+".join(["a"] * 101)])
def test_hostile_depth_and_length_are_refused(text: str) -> None:
    assert isinstance(parse_formula(text), Problem)


@given(st.text(alphabet="ab01.,+-*/() minaxcoles_", max_size=30))
def test_every_text_gives_a_tree_or_a_place_in_it(text: str) -> None:
    found = parse_formula(text)

    if isinstance(found, Problem):
        assert 0 <= found.start <= max(0, len(text) - 1)


@given(st.recursive(
    st.integers(0, 9).map(str),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*"), inner).map(" ".join),
        inner.map("({})".format),
        inner.map("-{}".format),
    ),
    max_leaves=12,
))  # fmt: skip
def test_arithmetic_agrees_with_python(text: str) -> None:
    def value(formula: Formula) -> Decimal:
        match formula:
            case Number(number):
                return number
            case Call("neg", (operand,)):
                return -value(operand)
            case Call(sign, (left, right)):
                return {"+": Decimal.__add__, "-": Decimal.__sub__, "*": Decimal.__mul__}[sign](
                    value(left), value(right)
                )
        raise AssertionError(formula)

    parsed = parse_formula(text)

    assert not isinstance(parsed, Problem)
    assert value(parsed) == eval(text)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("a + 1", None),
        ("revenue - costs", "EUR"),
        ("coalesce(revenue, 0)", "EUR"),
        ("revenue / costs", "share"),
        ("a / a", None),
        ("revenue / a", "EUR"),
        ("revenue / points", "EUR/points"),
        ("revenue / points * points", "EUR"),
        ("revenue / points / points", "EUR/points/points"),
        ("revenue * rate", "EUR"),
        ("1 / revenue", "1/EUR"),
        ("revenue * (1 / revenue)", None),
        ("-round(revenue)", "EUR"),
        ("days_since(last_order_at)", "days"),
        ("days_since(last_order_at) / gap", "share"),
        ("years_since(birth_date)", "years"),
        ("max(gap, days_since(birth_date))", "days"),
    ],
)
def test_units_follow_the_calculation(text: str, unit: str | None) -> None:
    formula = parse_formula(text)
    assert not isinstance(formula, Problem)

    assert formula_type(formula, TYPES) == ValueType(Kind.REAL, unit=unit)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("revenue + points", "`EUR` and `points` cannot be added"),
        ("revenue - dollars", "`EUR` and `USD` cannot be subtracted"),
        ("min(revenue, gap)", "`EUR` and `days`"),
        ("revenue + revenue / points", "`EUR` and `EUR/points`"),
        ("country * 2", "`country` is text"),
        ("last_order_at - 1", "outside `days_since`"),
        ("days_since(points)", "needs a time or a date"),
        ("days_since(a + 1)", "one trait"),
        ("revenu / 2", "`revenu` is not a declared trait"),
    ],
)
def test_units_and_types_that_do_not_fit_are_refused(text: str, part: str) -> None:
    formula = parse_formula(text)
    assert not isinstance(formula, Problem)

    found = formula_type(formula, TYPES)

    assert isinstance(found, Problem)
    assert part in found.message


def test_traits_are_named_once_in_reading_order() -> None:
    formula = parse_formula("days_since(b) / coalesce(a, b, 3)")
    assert not isinstance(formula, Problem)

    assert traits_of(formula) == ("b", "a")
