"""Pairs that belong to one household rather than to one person."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from segctl.identity.comparisons import Comparison, Levels

SAME_ADDRESS = "same address and surname, another given name"
SAME_PHONE = "same phone, another given name"


def household_reasons(comparisons: tuple[Comparison, ...], levels: Levels) -> NDArray[np.int8]:
    """For each pair or pattern: 0 no household, 1 `SAME_ADDRESS`, 2 `SAME_PHONE`.

    Given names must both be there and be different, not merely misspelt, shortened to an initial or swapped with
    the surname. Missing parts of an address neither make nor break it, but a street is needed. One day of birth (or
    nearly) speaks for one person with two given names rather than for twins, unless the gender differs too.
    """
    rows = dict(zip((comparison.field for comparison in comparisons), levels, strict=True))
    equal = {comparison.field: comparison.equal for comparison in comparisons}
    reasons = np.zeros(levels.shape[1], np.int8)
    if "given" not in rows:
        return reasons

    def same(field: str) -> NDArray[np.bool_]:
        return rows[field] == equal[field] if field in rows else np.zeros(len(reasons), bool)

    def not_other(field: str) -> NDArray[np.bool_]:
        return (rows[field] != 0) if field in rows else np.ones(len(reasons), bool)

    born_together = np.isin(rows.get("birth_date", reasons), (_TYPO, _TYPO + 1))
    other_gender = rows["gender"] == 0 if "gender" in rows else np.zeros(len(reasons), bool)
    another = (rows["given"] == 0) & (~born_together | other_gender)
    where = same("postcode") | same("city")
    number = same("house_number") if "house_number" in rows else np.ones(len(reasons), bool)
    address = same("surname") & same("street") & number & where & not_other("postcode")
    reasons[another & same("phone")] = 2
    reasons[another & address] = 1
    return reasons


def may_be_household(same: Mapping[str, NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """Whether `household_reasons` may find one, from the fields on which pairs are equal."""
    nowhere = np.zeros(len(next(iter(same.values()))), bool)
    phone, surname, street = (same.get(field, nowhere) for field in ("phone", "surname", "street"))
    found: NDArray[np.bool_] = phone | (surname & street)
    return found


_TYPO = 3
REASONS = ("", SAME_ADDRESS, SAME_PHONE)
