"""Which conditions and traits can be unknown: the places where Kleene's third value comes in."""

from __future__ import annotations

from segctl.model.conditions import (
    Aggregate,
    Call,
    Condition,
    Count,
    Formula,
    Measure,
    NearCondition,
    Number,
    Periods,
    Score,
    TraitCondition,
    TraitValue,
    ValueTest,
)
from segctl.model.project import Definitions


def measure_can_be_missing(measure: Measure | None) -> bool:
    """True for measures that have no value where there are no events."""
    if isinstance(measure, Aggregate):
        return measure.function not in ("sum", "distinct")
    return not isinstance(measure, Count | Periods)


def trait_can_be_missing(name: str, definitions: Definitions) -> bool:
    """True for stored traits, and for computed ones that some profiles have no value of."""
    trait = definitions.computed.get(name)
    if trait is None:
        return True
    if trait.formula is not None:
        return _formula_can_be_missing(trait.formula, definitions)
    return measure_can_be_missing(trait.measure)


def leaf_can_be_unknown(condition: Condition, definitions: Definitions) -> bool:
    """True when a leaf says nothing about profiles without the value that it asks for."""
    if getattr(condition, "missing", None) is not None:
        return False
    if isinstance(condition, TraitCondition):
        is_exists = isinstance(condition.test, ValueTest) and condition.test.operator == "exists"
        return not is_exists and (bool(condition.path) or trait_can_be_missing(condition.trait, definitions))
    if isinstance(condition, NearCondition):
        return True
    measure = getattr(condition, "measure", None)
    return measure is not None and measure_can_be_missing(measure)


def _formula_can_be_missing(formula: Formula, definitions: Definitions) -> bool:
    if isinstance(formula, Number):
        return False
    if isinstance(formula, TraitValue):
        return trait_can_be_missing(formula.trait, definitions)
    if isinstance(formula, Score):
        return any(trait_can_be_missing(x.trait, definitions) for x in (formula.of, formula.beside) if x is not None)
    return _call_can_be_missing(formula, definitions)


def _call_can_be_missing(call: Call, definitions: Definitions) -> bool:
    if call.function == "coalesce":
        return all(_formula_can_be_missing(operand, definitions) for operand in call.operands)
    by_zero = call.function == "/" and not (isinstance(call.operands[1], Number) and call.operands[1].value)
    return by_zero or any(_formula_can_be_missing(operand, definitions) for operand in call.operands)
