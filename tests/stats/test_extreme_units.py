"""Single units that decide, and caps that are the same for all arms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segctl.stats.moments import nothing, of_rows
from segctl.stats.outliers import capped, outlier, pooled_percentile

VALUES = st.lists(st.floats(-100, 1_000), max_size=30)


@given(VALUES, st.integers(0, 40), st.floats(0, 100))
def test_a_pooled_percentile_counts_units_without_events_as_zeros(values: list[float], zeros: int, at: float) -> None:
    found = pooled_percentile(values, at, zeros=zeros)

    if not values and not zeros:
        assert found is None
    else:
        assert found == pytest.approx(np.percentile([*values, *[0.0] * zeros], at), rel=1e-9, abs=1e-9)


@given(VALUES, st.floats(0, 500))
def test_a_cap_cuts_and_drops_nobody(values: list[float], cap: float) -> None:
    found, cut = capped(values, cap)

    assert len(found) == len(values)
    assert cut == sum(value > cap for value in values)
    assert all(a == min(b, cap) for a, b in zip(found, values, strict=True))


@pytest.mark.parametrize(
    ("rows", "extreme", "dominates"),
    [
        pytest.param([1.0, 1.1] * 50, 1.1, False, id="everybody alike"),
        pytest.param([1.0, 2.0] * 50 + [30.0], 30.0, True, id="a sixth of the sum"),
        pytest.param([10.0, 10.1] * 50 + [25.0], 25.0, True, id="small share of the sum, nearly all of the variance"),
        pytest.param([10.0, 10.1] * 50 + [-25.0], -25.0, True, id="one return that is nearly all of the variance"),
        pytest.param([0.0] * 9, 0.0, False, id="nobody bought"),
    ],
)
def test_one_unit_dominates_by_its_share_of_the_sum_or_of_the_variance(
    rows: list[float], extreme: float, dominates: bool
) -> None:
    found = outlier(of_rows({"value": rows}), extreme)

    assert found.dominates is dominates


def test_shares_of_one_unit_by_hand() -> None:
    # Mean 2, squared distances 1 + 1 + 1 + 9 = 12.
    found = outlier(of_rows({"value": [1.0, 1.0, 1.0, 5.0]}), 5.0)

    assert (found.of_sum, found.of_variance) == (pytest.approx(5 / 8), pytest.approx(9 / 12))
    assert (outlier(nothing(0), 0.0).of_sum, outlier(nothing(0), 0.0).of_variance) == (None, None)
