"""Joining clusters under limits: what may never stand in one profile keeps two clusters apart.

Edges are taken from the strongest to the weakest, so where a limit would be broken it is the weakest link that is
left out. Only components that break something are gone through edge by edge; all others are joined at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segctl.identity.components import components

DECIDED = "decided apart"


@dataclass(frozen=True, slots=True)
class Constraint:
    """At most so many different labels in one cluster.

    Attributes:
        name: For people, such as ``limit of customer_id``.
        most: Different labels that one cluster may have.
        nodes: A node of each label; a node may have several.
        labels: UInt64, as long as `nodes`.
    """

    name: str
    most: int
    nodes: NDArray[np.int64]
    labels: NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Edges:
    """Links between nodes.

    Attributes:
        left: One end.
        right: The other.
        kind: Number of the key, or −1 for a decision.
        weight: Strength for the order: the higher comes first.
    """

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    kind: NDArray[np.int16]
    weight: NDArray[np.float64]

    def taken(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> Edges:
        """Some of the edges."""
        return Edges(self.left[which], self.right[which], self.kind[which], self.weight[which])

    @classmethod
    def of(cls, left: NDArray[np.int64], right: NDArray[np.int64], kind: int, weight: float) -> Edges:
        """Edges of one kind and weight."""
        return cls(left, right, np.full(len(left), kind, np.int16), np.full(len(left), weight))

    @classmethod
    def together(cls, parts: Sequence[Edges]) -> Edges:
        """All edges of several."""
        if not parts:
            nothing = np.empty(0, dtype=np.int64)
            return cls(nothing, nothing, nothing.astype(np.int16), nothing.astype(np.float64))
        return cls(
            np.concatenate([p.left for p in parts]),
            np.concatenate([p.right for p in parts]),
            np.concatenate([p.kind for p in parts]),
            np.concatenate([p.weight for p in parts]),
        )


@dataclass(frozen=True, slots=True)
class Joined:
    """What became of edges.

    Attributes:
        labels: Smallest node of each node's cluster.
        accepted: Edges that count.
        reasons: For each refused edge, in the order of the input, the constraint it would break.
    """

    labels: NDArray[np.int64]
    accepted: NDArray[np.bool_]
    reasons: list[str] = field(default_factory=list)


def join(
    labels: NDArray[np.int64],
    edges: Edges,
    constraints: Sequence[Constraint] = (),
    cannot: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None,
    previous: NDArray[np.int64] | None = None,
) -> Joined:
    """Join clusters over edges, as far as the constraints allow.

    Args:
        labels: Smallest node of each node's cluster so far, position = node.
        edges: Between nodes.
        constraints: Hold for the clusters as they come in.
        cannot: Pairs of nodes that must not come together.
        previous: Identity of each node before: links inside one come before links between two, so that profiles
            last; None when there is none.
    """
    if not len(edges.left):
        return Joined(labels, np.empty(0, dtype=np.bool_))
    left, right = labels[edges.left], labels[edges.right]
    roots = components(len(labels), left, right)
    joined = roots[labels]
    broken = _broken(labels, joined, constraints, cannot)
    accepted = np.ones(len(left), dtype=np.bool_)
    if not broken.any():
        return Joined(joined, accepted)
    open_edges = np.flatnonzero(broken[joined[edges.left]])
    order = _order(edges.taken(open_edges), previous)
    places = _Places(labels, joined, broken, constraints, cannot)
    reasons: dict[int, str] = {}
    for edge in open_edges[order].tolist():
        reason = places.unite(int(left[edge]), int(right[edge]))
        if reason:
            reasons[edge] = reason
    accepted[list(reasons)] = False
    return Joined(places.labels(joined), accepted, [reasons[edge] for edge in sorted(reasons)])


def crowded(
    groups: NDArray[np.int64],
    clusters: NDArray[np.int64],
    count: int,
    constraints: Sequence[Constraint],
    labels: NDArray[np.int64],
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Groups whose clusters could not all be joined, with the number of the first constraint that says so.

    Args:
        groups: Group of each row.
        clusters: Cluster of each row.
        count: Number of groups.
        constraints: As in `join`.
        labels: Smallest node of each node's cluster.
    """  # fmt: skip
    found, which = np.zeros(count, dtype=np.bool_), np.full(count, -1, dtype=np.int64)
    rows = pl.DataFrame({"group": groups, "cluster": clusters}).unique()
    for number, constraint in enumerate(constraints):
        told = pl.DataFrame({"cluster": labels[constraint.nodes], "label": constraint.labels}).lazy().unique()
        over = (
            rows.lazy().join(told, on="cluster").group_by("group").agg(pl.col("label").n_unique())
            .filter(pl.col("label") > constraint.most).select("group").collect()
        )["group"].to_numpy()  # fmt: skip
        which[over[~found[over]]] = number
        found[over] = True
    return found, which


def _broken(
    labels: NDArray[np.int64],
    joined: NDArray[np.int64],
    constraints: Sequence[Constraint],
    cannot: tuple[NDArray[np.int64], NDArray[np.int64]] | None,
) -> NDArray[np.bool_]:
    """Joined clusters, by their smallest node, that break something and were not one cluster before."""
    is_new = np.zeros(len(labels), dtype=np.bool_)
    is_new[joined[joined != labels]] = True
    broken = np.zeros(len(labels), dtype=np.bool_)
    for constraint in constraints:
        cluster = joined[constraint.nodes]
        inside = is_new[cluster]
        pairs = pl.DataFrame({"cluster": cluster[inside], "label": constraint.labels[inside]}).unique()
        over = pairs.group_by("cluster").len().filter(pl.col("len") > constraint.most)["cluster"].to_numpy()
        broken[over] = True
    if cannot is not None:
        a, b = joined[cannot[0]], joined[cannot[1]]
        broken[a[(a == b) & is_new[a]]] = True
    return broken


def _order(edges: Edges, previous: NDArray[np.int64] | None) -> NDArray[np.int64]:
    """Strongest first; decisions before all, links inside a previous identity before others of their strength."""
    low, high = np.minimum(edges.left, edges.right), np.maximum(edges.left, edges.right)
    crossing = np.zeros(len(low), dtype=np.bool_)
    if previous is not None:
        crossing = previous[edges.left] != previous[edges.right]
    return np.lexsort((high, low, -edges.weight, crossing, edges.kind >= 0))


class _Places:
    """Clusters of the broken components while they are put together again, edge by edge."""

    def __init__(
        self,
        labels: NDArray[np.int64],
        joined: NDArray[np.int64],
        broken: NDArray[np.bool_],
        constraints: Sequence[Constraint],
        cannot: tuple[NDArray[np.int64], NDArray[np.int64]] | None,
    ) -> None:
        self._before = labels
        self._parent: dict[int, int] = {}
        self._names = [constraint.name for constraint in constraints]
        self._most = [constraint.most for constraint in constraints]
        self._held: list[dict[int, set[int]]] = []
        for constraint in constraints:
            held: dict[int, set[int]] = {}
            inside = broken[joined[constraint.nodes]]
            clusters, marks = labels[constraint.nodes[inside]].tolist(), constraint.labels[inside].tolist()
            for cluster, mark in zip(clusters, marks, strict=True):
                held.setdefault(cluster, set()).add(mark)
            self._held.append(held)
        self._enemies: dict[int, set[int]] = {}
        if cannot is not None:
            for a, b in zip(labels[cannot[0]].tolist(), labels[cannot[1]].tolist(), strict=True):
                self._enemies.setdefault(a, set()).add(b)
                self._enemies.setdefault(b, set()).add(a)
        self._inside = broken[joined]

    def find(self, cluster: int) -> int:
        """The cluster that this one belongs to now."""
        parent = self._parent
        root = cluster
        while parent.get(root, root) != root:
            root = parent[root]
        while parent.get(cluster, cluster) != root:
            parent[cluster], cluster = root, parent[cluster]
        return root

    def unite(self, left: int, right: int) -> str | None:
        """Put two clusters together, or say what speaks against it."""
        a, b = sorted((self.find(left), self.find(right)))
        if a == b:
            return None
        enemies, others = self._enemies.get(a, set()), self._enemies.get(b, set())
        if any(self.find(e) == b for e in enemies):
            return DECIDED
        for name, most, held in zip(self._names, self._most, self._held, strict=True):
            ours, theirs = held.get(a), held.get(b)
            if ours and theirs and len(ours | theirs) > most:
                return name
        self._parent[b] = a
        if others:
            self._enemies[a] = enemies | others
        for held in self._held:
            if b in held:
                held[a] = held.get(a, set()) | held[b]
        return None

    def labels(self, joined: NDArray[np.int64]) -> NDArray[np.int64]:
        """Smallest node of each node's cluster, everywhere."""
        result = joined.copy()
        result[self._inside] = self._before[self._inside]
        roots = np.unique(result[self._inside])
        table = np.arange(len(result))
        table[roots] = [self.find(root) for root in roots.tolist()]
        return table[result]
