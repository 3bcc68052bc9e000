"""The oracle on survivorship: which value of a trait stays when a profile's records differ, said in plain Python.

Written from `segctl help identity` and the words of `Survivorship`, without the product's own rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from segctl.model.identity import Survivorship


def survives(said: Sequence[tuple[str, Any]], rule: Survivorship) -> Any:
    """What survives of (source, value) pairs, oldest first; None when nobody says anything."""
    values = [value for _, value in trusted([pair for pair in said if pair[1] is not None], rule.sources)]
    if not values:
        return None
    match rule.rule:
        case "first":
            return values[0]
        case "most_frequent":
            return latest_of(values, [values.count(value) for value in values])
        case "longest":
            return latest_of(values, [len(value) for value in values])
        case "least_permissive" if rule.order:
            # What the order does not name permits nothing, so it comes before its first word.
            return latest_of(values, [-places(rule.order, value) for value in values])
        case "least_permissive":
            return min(values)
        case "all" if len(values) > 1:
            return once_each([element for value in values for element in value])
    return values[-1]


def trusted(said: Sequence[tuple[str, Any]], sources: Sequence[str]) -> Sequence[tuple[str, Any]]:
    """What the first source says that says anything; without one, what all say."""
    for source in sources:
        own = [pair for pair in said if pair[0] == source]
        if own:
            return own
    return said


def latest_of(values: Sequence[Any], ranks: Sequence[int]) -> Any:
    """The value with the highest rank; of equals the latest."""
    best = 0
    for at in range(len(values)):
        if ranks[at] >= ranks[best]:
            best = at
    return values[best]


def places(order: Sequence[str], value: str) -> int:
    """The place of a word; −1 for one that nobody named."""
    return order.index(value) if value in order else -1


def once_each(elements: Sequence[Any]) -> list[Any]:
    """The elements in the order they came, each once; they may be lists or records."""
    found: list[Any] = []
    for element in elements:
        if element not in found:
            found.append(element)
    return found
