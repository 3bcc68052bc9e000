"""How many different values each of a few profiles has: pairs of profile and value, numbered once and marked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST = 2**63 - 1
_LEAST = -(2**63)
_MOST_VALUES = 1_000_000
"""Wider ranges of values are numbered first, so that a pair fits 64 bits."""
_ROOM = 100_000
"""Pairs that may be thought of without being there: marking beats sorting as long as there are not many more."""

Pairs = tuple["NDArray[np.int64]", "NDArray[np.int64]"]


def paired(values: NDArray[np.int64], places: NDArray[np.int64], height: int) -> Pairs:
    """The number of each row's pair of profile and value, and the profile of each pair.

    Args:
        values: One for each row.
        places: Of each row's profile, from 0.
        height: How many profiles there are.
    """
    least, most = int(values.min(initial=_MOST)), int(values.max(initial=_LEAST))
    if most - least > _MOST_VALUES:
        different, values = np.unique(values, return_inverse=True)
        least, most = 0, len(different) - 1
    width = max(1, most - least + 1)
    pairs = places * width + (values - least)
    if height * width <= _ROOM + 4 * len(pairs):
        return pairs, np.repeat(np.arange(height), width)
    different, found = np.unique(pairs, return_inverse=True)
    return found, different // width


def distinct(pairs: Pairs, chosen: NDArray[Any] | None, height: int) -> NDArray[np.int64]:
    """How many values each profile has among chosen rows (numbers or a mask; None: all), which are only marked."""
    of_rows, profiles = pairs
    is_there = np.zeros(len(profiles), np.bool_)
    is_there[of_rows if chosen is None else of_rows[chosen]] = True
    return np.bincount(profiles[is_there], minlength=height)
