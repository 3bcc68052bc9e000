"""The deterministic pipeline: keys in, clusters out.

Values that are no identifiers go; strong keys join whoever has them; weak keys join where nothing speaks against
it; what a limit keeps apart is held for a person to look at. Decisions come before every rule.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segctl.identity import junk
from segctl.identity.components import star_edges
from segctl.identity.guards import DECIDED, Constraint, Edges, crowded, join
from segctl.identity.keys import Groups, KeyValues, shared, value_labels
from segctl.model.identity import IdentityRules

DECISION = -1
HELD = {"key": pl.String, "value": pl.String, "left": pl.Int64, "right": pl.Int64, "reason": pl.String}


@dataclass(frozen=True, slots=True)
class Decisions:
    """What people have decided, as pairs of nodes.

    Attributes:
        must: One person.
        cannot: Two people.
    """

    must: tuple[tuple[int, int], ...] = ()
    cannot: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Resolution:
    """Who is who.

    Attributes:
        labels: Smallest node of each node's cluster, position = node.
        edges: Links that count; `kind` is the position of the key in the rules, or −1 for a decision.
        junk: Values that were left out: ``key``, ``value``, ``identities``, ``reason``.
        held: Links that a limit keeps from joining: ``key``, ``value``, ``left``, ``right``, ``reason``.
        invalid: Key → rows whose value is none of its kind.
        constraints: Those that hold for every further join.
        cannot: Pairs decided apart.
    """

    labels: NDArray[np.int64]
    edges: Edges
    junk: pl.DataFrame
    held: pl.DataFrame
    invalid: dict[str, int] = field(default_factory=dict)
    constraints: tuple[Constraint, ...] = ()
    cannot: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None


def resolve(
    size: int,
    rules: IdentityRules,
    keys: Sequence[KeyValues],
    *,
    decisions: Decisions | None = None,
    exclusive: Sequence[Constraint] = (),
    given_names: tuple[NDArray[np.int64], pl.Series] | None = None,
    previous: NDArray[np.int64] | None = None,
    advance: Callable[[int], None] | None = None,
) -> Resolution:
    """Clusters of nodes 0 … `size` − 1.

    Args:
        size: Number of nodes.
        rules: In order of priority.
        keys: What is known, at most one for each rule.
        decisions: Win over every rule.
        exclusive: Further constraints, such as sources that are unique by themselves.
        given_names: Nodes with their given name in comparable form: a weak key never joins different ones.
        previous: Identity of each node before, so that profiles last where there is a choice.
        advance: Told after each key how many of its values were gone through.
    """
    run = _Run(size, rules, decisions or Decisions(), tuple(exclusive), previous)
    by_name = {part.rule.name: part for part in keys}
    run.take(by_name, advance or (lambda _values: None))
    run.join_strong()
    # The addresses of desks come last: people's own keys say more.
    for rule in sorted(rules.keys, key=lambda rule: rule.strength == "strong"):
        if rule.name in by_name:
            run.join_weak(rule.name, by_name, given_names)
    return run.result()


class _Run:
    """One pass of the pipeline."""

    def __init__(
        self,
        size: int,
        rules: IdentityRules,
        decisions: Decisions,
        exclusive: tuple[Constraint, ...],
        previous: NDArray[np.int64] | None,
    ) -> None:
        self.rules = rules
        self.previous = previous
        self.constraints = exclusive
        self.labels: NDArray[np.int64] = np.arange(size, dtype=np.int64)
        self.numbers = {rule.name: number for number, rule in enumerate(rules.keys)}
        self.must = _pairs(decisions.must)
        self.cannot = _pairs(decisions.cannot) if decisions.cannot else None
        self.strong: list[Edges] = []
        self.strong_values: list[tuple[int, pl.Series]] = []
        self.weak: dict[str, Groups] = {}
        self.accepted: list[Edges] = []
        self.junk: list[pl.DataFrame] = []
        self.held: list[pl.DataFrame] = []
        self.invalid: dict[str, int] = {}
        self.banned: dict[str, pl.Series] = {}

    def take(self, keys: dict[str, KeyValues], advance: Callable[[int], None]) -> None:
        """Groups of every key, without what identifies nobody."""
        for name, part in keys.items():
            if part.invalid:
                self.invalid[name] = part.invalid
            groups, left_out = junk.dropped(part.rule, shared(part))
            self.junk.append(left_out)
            self.banned[name] = left_out["value"]
            if part.rule.limit is not None:
                self.constraints += (self._limit(part),)
            self._sort_out(part.rule.strength == "strong", name, groups)
            advance(len(part.nodes))

    def _sort_out(self, is_strong: bool, name: str, groups: Groups) -> None:
        if not is_strong:
            self.weak[name] = groups
            return
        if groups.weak.any():
            self.weak[name] = groups.without(~groups.weak)
            groups = groups.without(groups.weak)
        number = self.numbers[name]
        left, right, rows = star_edges(groups.groups, groups.nodes)
        of = groups.groups[rows]
        # Among links of one key the rarer value is the better evidence.
        weight = 1_000.0 - number + 1.0 / groups.sizes[of]
        self.strong.append(Edges(left, right, np.full(len(left), number, np.int16), weight))
        self.strong_values.append((number, groups.values.gather(of)))

    def _limit(self, part: KeyValues) -> Constraint:
        rule = part.rule
        kept = ~part.values.is_in(self.banned[rule.name].implode()).to_numpy()
        labels = value_labels(part.values)
        return Constraint(f"limit of {rule.name}", rule.limit or 1, part.nodes[kept], labels[kept])

    def join_strong(self) -> None:
        """Decisions and strong keys."""
        must = Edges.of(*self.must, DECISION, 1e6)
        # No limit counts here: who says that two are one has seen what speaks against it.
        self.labels = join(self.labels, must, (), self.cannot, self.previous).labels
        edges = Edges.together([must, *self.strong])
        found = join(self.labels, edges, self.constraints, self.cannot, self.previous)
        self.labels = found.labels
        self.accepted.append(edges.taken(found.accepted))
        refused = np.flatnonzero(~found.accepted)
        if len(refused):
            values = pl.concat(
                [pl.Series([None], dtype=pl.String).new_from_index(0, len(must.left)),
                 *(of.alias("") for _, of in self.strong_values)]
            )  # fmt: skip
            self._hold(edges.taken(refused), values.gather(refused), pl.Series(found.reasons, dtype=pl.String))
        self.strong, self.strong_values = [], []

    def join_weak(
        self, name: str, keys: dict[str, KeyValues], given_names: tuple[NDArray[np.int64], pl.Series] | None
    ) -> None:
        """One weak key: a value whose holders cannot all be one person joins nobody."""
        rule = keys[name].rule
        groups = self.weak.get(name)
        if rule.strength == "never" or groups is None or not len(groups.nodes):
            return
        clusters = self.labels[groups.nodes]
        apart = (name,) if rule.strength == "strong" else rule.apart
        guards = (*self.constraints, *self._apart(apart, keys), *self._given(given_names))
        crowd, which = crowded(groups.groups, clusters, len(groups.sizes), guards, self.labels)
        left, right, rows = star_edges(groups.groups, clusters)
        of = groups.groups[rows]
        number = self.numbers[name]
        edges = Edges(left, right, np.full(len(left), number, np.int16), 1.0 / groups.sizes[of])
        self._hold_crowded(edges, groups, of, crowd, which, guards)
        free = ~crowd[of]
        edges, of = edges.taken(free), of[free]
        found = join(self.labels, edges, guards, self.cannot, self.previous)
        self.labels = found.labels
        # Links name the identities that have the value, not the clusters they were in.
        hubs, others, at = star_edges(groups.groups, groups.nodes)
        counts = ~crowd[groups.groups[at]] & (self.labels[hubs] == self.labels[others])
        self.accepted.append(Edges.of(hubs[counts], others[counts], number, 0.0))
        refused = np.flatnonzero(~found.accepted)
        if len(refused):
            self._hold(edges.taken(refused), groups.values.gather(of[refused]), pl.Series(found.reasons))

    def _hold_crowded(
        self,
        edges: Edges,
        groups: Groups,
        of: NDArray[np.int64],
        crowd: NDArray[np.bool_],
        which: NDArray[np.int64],
        guards: Sequence[Constraint],
    ) -> None:
        rows = np.flatnonzero(crowd[of])
        if len(rows):
            names = pl.Series([guard.name for guard in guards], dtype=pl.String)
            self._hold(edges.taken(rows), groups.values.gather(of[rows]), names.gather(which[of[rows]]))

    def _apart(self, kinds: Sequence[str], keys: dict[str, KeyValues]) -> list[Constraint]:
        """Two clusters that both have such a key are two people to a weak one."""
        found = []
        for kind in kinds:
            if kind not in keys:
                continue
            part = keys[kind]
            kept = ~part.values.is_in(self.banned[kind].implode()).to_numpy()
            if part.weak is not None:
                kept &= ~part.weak
            has_one = np.zeros(len(self.labels), dtype=np.bool_)
            has_one[self.labels[part.nodes[kept]]] = True
            clusters = np.flatnonzero(has_one)
            found.append(Constraint(f"both have {kind}", 1, clusters, clusters.astype(np.uint64)))
        return found

    def _given(self, given_names: tuple[NDArray[np.int64], pl.Series] | None) -> list[Constraint]:
        if given_names is None or not len(given_names[0]):
            return []
        frame = pl.DataFrame({"cluster": self.labels[given_names[0]], "label": given_names[1].hash()}).unique()
        # A cluster with several given names (Anne, Anne Marie) says nothing.
        sole = frame.group_by("cluster").agg(pl.len(), pl.col("label").first()).filter(pl.col("len") == 1)
        return [Constraint(RELATED, 1, sole["cluster"].to_numpy(), sole["label"].to_numpy())]

    def _hold(self, edges: Edges, values: pl.Series, reasons: pl.Series) -> None:
        names = pl.Series([*(rule.name for rule in self.rules.keys), "decision"], dtype=pl.String)
        kinds = np.where(edges.kind < 0, len(self.rules.keys), edges.kind)
        self.held.append(
            pl.DataFrame(
                {"key": names.gather(kinds), "value": values, "left": edges.left, "right": edges.right,
                 "reason": reasons}, schema_overrides=HELD,
            )
        )  # fmt: skip

    def result(self) -> Resolution:
        """All that was found, in an order of its own."""
        held = pl.concat(self.held) if self.held else pl.DataFrame(schema=HELD)
        left_out = pl.concat(self.junk) if self.junk else pl.DataFrame(schema=junk.SCHEMA)
        left_out = left_out.sort("identities", "key", "value", descending=[True, False, False])
        # What joined after all over another link is no longer doubtful.
        still = self.labels[held["left"].to_numpy()] != self.labels[held["right"].to_numpy()]
        held = held.filter(pl.Series(still)).sort("key", "value", "left", "right")
        return Resolution(
            self.labels, Edges.together(self.accepted), left_out, held, self.invalid, self.constraints, self.cannot
        )


RELATED = "different given names"


def further(found: Resolution, links: Edges, previous: NDArray[np.int64] | None = None) -> Resolution:
    """The resolution after further links, such as those of the fuzzy engine, under the same limits."""
    # What keys have joined already needs no likeness.
    links = links.taken(found.labels[links.left] != found.labels[links.right])
    joined = join(found.labels, links, found.constraints, found.cannot, previous)
    accepted = Edges.together([found.edges, links.taken(joined.accepted)])
    refused = links.taken(~joined.accepted)
    held = pl.DataFrame(
        {"key": "fuzzy", "value": None, "left": refused.left, "right": refused.right, "reason": joined.reasons},
        schema=HELD,
    )
    return replace(found, labels=joined.labels, edges=accepted, held=pl.concat([found.held, held]))


def _pairs(pairs: Sequence[tuple[int, int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    table = np.asarray(pairs, dtype=np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


__all__ = ["DECIDED", "DECISION", "RELATED", "Decisions", "Resolution", "further", "resolve"]
