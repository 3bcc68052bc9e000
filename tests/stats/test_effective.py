"""How many units a mean rests on."""

from __future__ import annotations

import pytest

from segctl.stats.effective import effective_units
from segctl.stats.moments import nothing, of_counts, of_rows
from segctl.stats.values import Counts


def test_of_conversions_it_is_their_number() -> None:
    assert effective_units(of_counts(Counts(1_000, 37))) == pytest.approx(37)


def test_a_big_spender_makes_many_units_few() -> None:
    even, uneven = (
        of_rows({"value": [10.0] * 60 + [0.0] * 940}),
        of_rows({"value": [10.0] * 59 + [5_000.0] + [0.0] * 940}),
    )

    assert effective_units(even) == pytest.approx(60)
    assert effective_units(uneven) == pytest.approx((590 + 5_000) ** 2 / (5_900 + 25_000_000))


def test_nothing_rests_on_nothing() -> None:
    assert effective_units(nothing(0)) is None
    assert effective_units(nothing(50)) is None
