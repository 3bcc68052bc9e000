"""Whether a profile's place is near others: decided in one way for all engines and for `explain`."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from segctl.compile.places.distance import Point, point, reach
from segctl.compile.places.postal import PostalCodes, country_code
from segctl.model.types import ValueType

if TYPE_CHECKING:
    from segctl.compile import ir


def is_near(node: ir.Near, values: Sequence[object]) -> bool | None:
    """Whether the place lies within the radius of one of the places; None where it is missing or not known.

    Args:
        node: The question.
        values: What its `place` expressions give, in their order and in working form.
    """
    at = place_of(node, values)
    return None if at is None else reach(node.targets, node.radius_mm).holds(at)


def distance(node: ir.Near, values: Sequence[object]) -> tuple[int, str] | None:
    """Metres to the nearest of the places, and what that is called."""
    at = place_of(node, values)
    return None if at is None else reach(node.targets, node.radius_mm).nearest(at)


def place_of(node: ir.Near, values: Sequence[object]) -> Point | None:
    """Where a profile is, None where it is missing or not known."""
    if node.codes is None:
        return _from_degrees(values, [expression.type for expression in node.place])
    code, country = (*values, None)[:2]
    if code is None:
        return None
    return _of_code(node.codes, str(code), None if country is None else str(country), node.default_country)


@lru_cache(maxsize=1 << 16)
def _of_code(codes: PostalCodes, code: str, country: str | None, default_country: str | None) -> Point | None:
    named = default_country
    if country is not None and country.strip():
        named = country_code(country)
        if named is None:
            return None
    key = codes.find(code, named)
    return None if key is None else codes.point(key)


def _from_degrees(values: Sequence[object], types: Sequence[ValueType]) -> Point | None:
    if None in values:
        return None
    north, east = (_degrees(value, of) for value, of in zip(values, types, strict=True))
    return point(north, east)


def _degrees(value: object, of: ValueType) -> Decimal:
    return Decimal(value).scaleb(-of.scale) if of.scale else Decimal(value)  # type: ignore[arg-type]  # numbers, by their declared type
