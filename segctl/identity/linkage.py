"""Average linkage: a component of links falls apart where its parts do not belong together on average.

Two records that look alike may join two persons through a chain. Within a component all pairs are scored, also
those no blocking rule proposed, and clusters are merged while the mean weight between them is above a cut.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Weights = NDArray[np.float64]
Labels = NDArray[np.int64]

# Beyond every sum of weights: kept together, and (stronger still) kept apart.
TOGETHER = 1e9
APART = -1e12


def average_linkage(weights: Weights, cut: float) -> Labels:
    """Cluster of each record, numbered by its first member.

    Args:
        weights: Symmetric, one row and column per record; the diagonal does not count.
        cut: Two clusters are merged while the mean weight of their pairs is at least this.

    Source:
        The chain of nearest neighbours: F. Murtagh, A survey of recent advances in hierarchical clustering
        algorithms, The Computer Journal 26, 1983; average linkage is reducible, so the order of merges is free.
    """
    mean = weights.astype(np.float64, copy=True)
    np.fill_diagonal(mean, -np.inf)
    size = np.ones(len(mean))
    labels = np.arange(len(mean))
    alive = np.ones(len(mean), dtype=bool)
    chain: list[int] = []
    while alive.any():
        if not chain:
            chain.append(int(np.argmax(alive)))
        last = chain[-1]
        nearest = int(np.argmax(mean[last]))
        strength = mean[last, nearest]
        if strength < cut:
            # Its best partner is too far, and means with merged clusters are never better than the best part.
            _retire(mean, alive, last)
            chain.pop()
        elif len(chain) > 1 and mean[last, chain[-2]] >= strength:
            other = chain[-2]
            del chain[-2:]
            labels[labels == max(last, other)] = min(last, other)
            _merge(mean, size, min(last, other), max(last, other))
            alive[max(last, other)] = False
        else:
            chain.append(nearest)
    return labels


def _merge(mean: Weights, size: Weights, kept: int, gone: int) -> None:
    both = (size[kept] * mean[kept] + size[gone] * mean[gone]) / (size[kept] + size[gone])
    size[kept] += size[gone]
    mean[kept] = mean[:, kept] = both
    mean[kept, kept] = -np.inf
    mean[gone] = mean[:, gone] = -np.inf


def _retire(mean: Weights, alive: NDArray[np.bool_], at: int) -> None:
    alive[at] = False
    mean[at] = mean[:, at] = -np.inf
