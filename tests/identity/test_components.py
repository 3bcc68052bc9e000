"""Connected components and stars."""

from __future__ import annotations

import numpy as np
import pytest

from segctl.identity.components import components, star_edges


def test_a_path_of_a_million_nodes_is_one_component_in_any_order() -> None:
    size = 1_000_000
    path = np.random.default_rng(3).permutation(size)

    assert not components(size, path[:-1], path[1:]).any()
    assert not components(size, np.arange(size - 1), np.arange(1, size)).any()


def test_labels_are_the_smallest_nodes_as_scipy_finds_them() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    random = np.random.default_rng(5)
    for _ in range(200):
        size, edges = int(random.integers(1, 60)), int(random.integers(0, 80))
        left, right = random.integers(0, size, edges), random.integers(0, size, edges)

        found = components(size, left, right)

        graph = sparse.coo_matrix((np.ones(edges), (left, right)), shape=(size, size))
        count, other = sparse.csgraph.connected_components(graph, directed=False)
        smallest = np.full(count, size)
        np.minimum.at(smallest, other, np.arange(size))
        assert found.tolist() == smallest[other].tolist()


def test_no_edges_leave_everybody_alone() -> None:
    nothing = np.empty(0, dtype=np.int64)

    assert components(3, nothing, nothing).tolist() == [0, 1, 2]
    assert [part.tolist() for part in star_edges(nothing, nothing)] == [[], [], []]


def test_a_star_joins_the_smallest_node_with_each_other_once() -> None:
    groups, nodes = np.array([1, 0, 1, 1, 0, 1]), np.array([7, 2, 3, 7, 2, 9])

    hubs, others, rows = star_edges(groups, nodes)

    assert list(zip(hubs.tolist(), others.tolist(), strict=True)) == [(3, 7), (3, 9)]
    assert [(groups[row], nodes[row]) for row in rows] == [(1, 7), (1, 9)]
