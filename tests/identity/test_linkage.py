"""Average linkage against SciPy's, and what must or cannot be together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segctl.identity.linkage import APART, TOGETHER, average_linkage


def random_weights(size: int, seed: int) -> np.ndarray:
    weights = np.random.default_rng(seed).normal(0, 10, (size, size))
    return (weights + weights.T) / 2


def same(labels: np.ndarray) -> np.ndarray:
    """Whether each two are in one cluster: comparable between numberings."""
    return labels[:, None] == labels


@settings(max_examples=200, deadline=None)
@given(st.integers(2, 14), st.integers(0, 10**6), st.floats(-12, 12))
def test_clusters_are_those_of_scipy(size: int, seed: int, cut: float) -> None:
    hierarchy = pytest.importorskip("scipy.cluster.hierarchy")
    from scipy.spatial.distance import squareform

    weights = random_weights(size, seed)
    distances = 500 - weights
    np.fill_diagonal(distances, 0)
    tree = hierarchy.linkage(squareform(distances), "average")

    expected = hierarchy.fcluster(tree, 500 - cut, "distance")

    assert (same(average_linkage(weights, cut)) == same(expected)).all()


def test_a_cluster_has_the_number_of_its_first_member() -> None:
    weights = np.full((4, 4), -50.0)
    weights[1, 3] = weights[3, 1] = 20

    assert average_linkage(weights, -4).tolist() == [0, 1, 2, 1]


def test_a_chain_falls_apart_at_its_weakest_place() -> None:
    # a – b and c – d are alike, b – c a little; a and d have nothing in common.
    weights = np.array([[0, 20, -30, -40], [20, 0, 5, -30], [-30, 5, 0, 20], [-40, -30, 20, 0]], float)

    assert average_linkage(weights, -4).tolist() == [0, 0, 2, 2]


def test_what_is_apart_stays_apart_and_what_is_together_stays_together() -> None:
    weights = np.full((60, 60), 40.0)
    weights[0, 59] = weights[59, 0] = APART
    weights[1, 2] = weights[2, 1] = TOGETHER

    labels = average_linkage(weights, -4)

    assert labels[0] != labels[59]
    assert labels[1] == labels[2]
    assert len(set(labels.tolist())) == 2


def test_one_record_is_a_cluster() -> None:
    assert average_linkage(np.zeros((1, 1)), -4).tolist() == [0]


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 12), st.integers(0, 10**6))
def test_a_higher_cut_never_joins_more(size: int, seed: int) -> None:
    weights = random_weights(size, seed)

    assert (same(average_linkage(weights, 3.0)) <= same(average_linkage(weights, -3.0))).all()
