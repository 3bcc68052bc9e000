"""Where a function of one variable crosses zero."""

from __future__ import annotations

from collections.abc import Callable


def root(function: Callable[[float], float], low: float, high: float, *, tolerance: float = 1e-12) -> float:
    """The x between `low` and `high` at which a continuous function is 0.

    Args:
        function: Its signs at the two ends differ, or one of them is 0.
        low: One end.
        high: The other end.
        tolerance: Width of the bracket at the end, relative to its ends' size and absolute below 1.

    Raises:
        ValueError: The function has the same sign at both ends.

    Source:
        Chandrupatla, Advances in Engineering Software 28 (1997) 145: inverse quadratic steps where they are safe,
        halving elsewhere.

    >>> round(root(lambda x: x * x - 2, 0, 2), 9)
    1.414213562
    """
    a, b = high, low
    value_a, value_b = function(a), function(b)
    if value_a * value_b > 0:
        raise ValueError(f"no change of sign between {low} and {high}")
    c, value_c = a, value_a
    step = 0.5
    for _ in range(200):
        best = a if abs(value_a) < abs(value_b) else b
        width = abs(b - a)
        near = tolerance * max(1.0, abs(best)) * 0.5
        if not value_a or not value_b or width <= near * 2:
            return best
        limit = near / width
        tried = a + min(max(step, limit), 1 - limit) * (b - a)
        value = function(tried)
        if (value > 0) == (value_a > 0) and value != 0:
            c, value_c = a, value_a
        else:
            c, b, value_c, value_b = b, a, value_b, value_a
        a, value_a = tried, value
        step = _step(a, b, c, value_a, value_b, value_c)
    return a if abs(value_a) < abs(value_b) else b


def _step(a: float, b: float, c: float, value_a: float, value_b: float, value_c: float) -> float:
    """The part of the bracket to go: inverse quadratic where that stays inside, else one half."""
    if value_c in (value_a, value_b) or value_a == value_b or c == b:
        return 0.5
    place, height = (a - b) / (c - b), (value_a - value_b) / (value_c - value_b)
    if not (height * height < place and (1 - height) ** 2 < 1 - place):
        return 0.5
    first = value_a / (value_b - value_a) * value_c / (value_b - value_c)
    second = (c - a) / (b - a) * value_a / (value_c - value_a) * value_b / (value_c - value_b)
    return first + second
