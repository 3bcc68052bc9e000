"""Connected components of a graph of millions of nodes, in NumPy.

Nodes are numbers from 0. Everything here is exact and does not depend on the order of the edges.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Nodes = NDArray[np.int64]


def components(size: int, left: NDArray[np.integer], right: NDArray[np.integer]) -> Nodes:
    """The smallest node of each node's component, position = node.

    Smaller labels are hooked onto larger ones and pointers jump until nothing moves: a few rounds for stars, and
    for a path as many as its length has binary digits.

    Args:
        size: Number of nodes.
        left: One end of each edge.
        right: The other end.
    """
    label = np.arange(size, dtype=np.int64)
    a, b = np.asarray(left, dtype=np.int64), np.asarray(right, dtype=np.int64)
    while len(a):
        # Work on roots only: an edge inside a component has nothing more to say.
        a, b = label[a], label[b]
        apart = a != b
        a, b = a[apart], b[apart]
        if not len(a):
            break
        low, high = np.minimum(a, b), np.maximum(a, b)
        np.minimum.at(label, high, low)
        label = _jumped(label)
        a, b = low, high
    return label


def _jumped(label: Nodes) -> Nodes:
    """Every node at its root."""
    while True:
        further = label[label]
        if np.array_equal(further, label):
            return label
        label = further


def star_edges(groups: NDArray[np.integer], nodes: NDArray[np.integer]) -> tuple[Nodes, Nodes, Nodes]:
    """Edges from the smallest node of each group to each of its others, once each.

    Pairs would be quadratic in the size of a group; a star is as connected, and linear.

    Args:
        groups: The group of each row; equal numbers are one group.
        nodes: The node of each row.

    Returns:
        The smallest node, the other node, and the position of a row that has both the group and the other node.
    """
    if not len(groups):
        nothing = np.empty(0, dtype=np.int64)
        return nothing, nothing, nothing
    node = np.asarray(nodes, dtype=np.int64)
    # One number to sort by is several times quicker than two.
    order = np.argsort(groups * (int(node.max()) + 1) + node)
    group, node = groups[order], node[order]
    is_first = np.empty(len(group), dtype=np.bool_)
    is_first[0] = True
    is_first[1:] = group[1:] != group[:-1]
    hub = node[np.flatnonzero(is_first)][np.cumsum(is_first) - 1]
    is_edge = node != hub
    # A node that stands in its group twice needs one edge.
    is_edge[1:] &= (node[1:] != node[:-1]) | is_first[1:]
    return hub[is_edge], node[is_edge], order[is_edge]
