"""The golden record: for each trait the value that survives, and the record it comes from.

Rows are plain dictionaries of one profile's valid records; the engine has the same rules as column expressions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from segctl.model.identity import LATEST, Survivorship


@dataclass(frozen=True, slots=True)
class Survivor:
    """The value of one trait.

    Attributes:
        value: A list of all elements for the rule `all`.
        record: Position of the record it comes from; of the first one for `all`.
        others: Different values that did not survive.
    """

    value: Any
    record: int
    others: int


def golden_record(
    records: Sequence[Mapping[str, Any]], traits: Sequence[str], rules: Mapping[str, Survivorship]
) -> dict[str, Survivor]:
    """What survives of each trait; traits without any value have no entry.

    Args:
        records: The valid records of one profile, oldest first, each with ``source`` and its traits by name.
        traits: Those wanted.
        rules: Trait → rule; without one the latest record with a value wins.
    """
    found = {}
    for trait in traits:
        survivor = survives([(r["source"], r.get(trait)) for r in records], rules.get(trait, LATEST))
        if survivor is not None:
            found[trait] = survivor
    return found


def survives(values: Sequence[tuple[str, Any]], rule: Survivorship) -> Survivor | None:
    """The value that survives of (source, value) pairs, oldest first; None when there is no value."""
    present = [(at, source, value) for at, (source, value) in enumerate(values) if value is not None]
    if not present:
        return None
    trusted = next((s for s in rule.sources if any(source == s for _, source, _ in present)), None)
    if trusted is not None:
        present = [row for row in present if row[1] == trusted]
    if rule.rule == "all" and len(present) > 1:
        elements = list(dict.fromkeys(element for _, _, value in present for element in value))
        return Survivor(elements, present[0][0], 0)
    at, value = _CHOICES.get(rule.rule, _latest)([(at, value) for at, _, value in present], rule)
    return Survivor(value, at, len({repr(other) for _, _, other in present} - {repr(value)}))


Values = list[tuple[int, Any]]


def _latest(values: Values, _rule: Survivorship) -> tuple[int, Any]:
    return values[-1]


def _first(values: Values, _rule: Survivorship) -> tuple[int, Any]:
    return values[0]


def _most_frequent(values: Values, _rule: Survivorship) -> tuple[int, Any]:
    """Of equally frequent ones the latest."""
    counts = Counter(repr(value) for _, value in values)
    return max(values, key=lambda row: (counts[repr(row[1])], row[0]))


def _longest(values: Values, _rule: Survivorship) -> tuple[int, Any]:
    """Of equally long ones the latest."""
    return max(values, key=lambda row: (len(row[1]), row[0]))


def _least_permissive(values: Values, rule: Survivorship) -> tuple[int, Any]:
    """The smallest value, or the one that stands first in `order`; of equal ones the latest.

    A value that `order` does not name permits nothing that anybody knows of, so it comes before all others.
    """

    def permits(value: Any) -> Any:  # noqa: ANN401 - any comparable value
        if rule.order:
            return rule.order.index(value) if value in rule.order else -1
        return value

    least = min(permits(value) for _, value in values)
    return max((row for row in values if permits(row[1]) == least), key=lambda row: row[0])


_CHOICES = {
    "latest": _latest,
    "first": _first,
    "most_frequent": _most_frequent,
    "longest": _longest,
    "least_permissive": _least_permissive,
}
