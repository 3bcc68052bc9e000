"""Several p-values at once: against SciPy, against closed testing, with gaps."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from segctl.stats.multiplicity import adjust, benjamini_hochberg, holm, simultaneous_confidence

PS = st.lists(st.floats(0, 1), min_size=1, max_size=8)
METHODS = ("holm", "hochberg", "bonferroni", "bh", "by")


@given(PS)
def test_false_discovery_is_as_scipy(ps: list[float]) -> None:
    assert benjamini_hochberg(ps) == pytest.approx(tuple(stats.false_discovery_control(ps, method="bh")))
    assert adjust(ps, "by").p == pytest.approx(tuple(stats.false_discovery_control(ps, method="by")))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holm_is_bonferroni_closed_over_all_subsets(ps: list[float]) -> None:
    places = range(len(ps))
    subsets = [set(s) for size in range(1, len(ps) + 1) for s in combinations(places, size)]
    closed = [max(min(1.0, len(s) * min(ps[i] for i in s)) for s in subsets if place in s) for place in places]

    assert holm(ps) == pytest.approx(tuple(closed))


@given(PS, st.sampled_from(METHODS), st.randoms(use_true_random=False))
def test_the_order_of_the_family_does_not_matter(ps: list[float], method: str, random: object) -> None:
    places = list(range(len(ps)))
    random.shuffle(places)

    assert [adjust(ps, method).p[i] for i in places] == pytest.approx(list(adjust([ps[i] for i in places], method).p))


@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=8), st.sampled_from(METHODS))
def test_missing_p_stay_missing_and_do_not_count(ps: list[float | None], method: str) -> None:
    found = adjust(ps, method)

    known = [p for p in ps if p is not None]
    assert [p for p in found.p if p is not None] == list(adjust(known, method).p)
    assert [p is None for p in found.p] == [p is None for p in ps]
    assert found.family == len(known)


@given(PS, st.sampled_from(METHODS))
def test_adjusted_p_are_no_smaller_keep_the_order_and_stay_below_one(ps: list[float], method: str) -> None:
    found = adjust(ps, method).p

    assert all(p <= q + 1e-15 and q <= 1 for p, q in zip(ps, found, strict=True))
    order = np.argsort(ps, kind="stable")
    assert all(found[a] <= found[b] + 1e-15 for a, b in pairwise(order))


@given(PS)
def test_stronger_methods_reject_no_less(ps: list[float]) -> None:
    by_method = {method: adjust(ps, method).p for method in METHODS}

    for weaker, stronger in (("bonferroni", "holm"), ("holm", "hochberg"), ("hochberg", "bh"), ("by", "bh")):
        assert all(b <= a + 1e-12 for a, b in zip(by_method[weaker], by_method[stronger], strict=True))


def test_not_a_number_is_missing_and_nothing_is_a_family_of_none() -> None:
    assert adjust([float("nan"), 0.02], "holm").p == (None, 0.02)
    assert adjust([], "bh").p == ()
    assert adjust([0.2, 0.3], "none").p == (0.2, 0.3)
    assert adjust([0.05, None, 0.01], "bonferroni").rejected(0.05) == (2,)


def test_simultaneous_intervals_share_the_error() -> None:
    assert simultaneous_confidence(0.95, 3) == pytest.approx(1 - 0.05 / 3)
    assert simultaneous_confidence(0.95, 0) == 0.95
