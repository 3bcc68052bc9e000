"""Links → clusters: components, all pairs of each, and what must or cannot be together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segctl.identity.components import components
from segctl.identity.evidence import Scored, Scorer, joined
from segctl.identity.fields import Codes
from segctl.identity.linkage import APART, TOGETHER, average_linkage

Labels = NDArray[np.int64]
_PAIRS_AT_ONCE = 1_000_000


@dataclass(frozen=True, slots=True)
class Known:
    """What is known about the records, by position.

    Attributes:
        group: Records with one number are one person already; -1 for none.
        one_each: In each row, two records with one number are two persons; -1 for none.
        must_agree: In each row, two records with different numbers are two persons; -1 for none.
        cannot: Pairs of two persons as `left * records + right`, left < right, sorted.
    """

    group: Codes
    one_each: NDArray[np.int32]
    must_agree: NDArray[np.int32]
    cannot: NDArray[np.int64]

    def together(self, left: Codes, right: Codes) -> NDArray[np.bool_]:
        """Whether the records of each pair are known to be one person."""
        together: NDArray[np.bool_] = (self.group[left] == self.group[right]) & (self.group[left] >= 0)
        return together

    def apart(self, left: Codes, right: Codes) -> NDArray[np.bool_]:
        """Whether the records of each pair are known to be two persons."""
        apart: NDArray[np.bool_] = np.zeros(len(left), bool)
        for row in self.one_each:
            apart |= (row[left] == row[right]) & (row[left] >= 0)
        for row in self.must_agree:
            apart |= (row[left] != row[right]) & (row[left] >= 0) & (row[right] >= 0)
        unless_known: NDArray[np.bool_] = apart & ~self.together(left, right)
        return unless_known | self.decided_apart(left, right)

    def decided_apart(self, left: Codes, right: Codes) -> NDArray[np.bool_]:
        """Whether somebody said of each pair that they are two persons."""
        if not len(self.cannot):
            return np.zeros(len(left), bool)
        pairs = left.astype(np.int64) * len(self.group) + right
        place = np.minimum(np.searchsorted(self.cannot, pairs), len(self.cannot) - 1)
        return np.asarray(self.cannot[place] == pairs, bool)


@dataclass(frozen=True, slots=True)
class Clusters:
    """Who is one person.

    Attributes:
        labels: For each record the position of the first record of its cluster.
        links: Pairs that hold each cluster together: for every record but the first, its strongest pair with an
            earlier one.
        parted: Pairs with positive weight that the linkage put into different clusters.
    """

    labels: Labels
    links: Scored
    parted: Scored


def refined(scorer: Scorer, links: Scored, known: Known, *, cut: float, max_component: int) -> Clusters:
    """Clusters by average linkage within the components of the links.

    Args:
        scorer: Weighs the pairs that no blocking rule proposed.
        links: Candidate pairs strong enough to be links, without those known to be apart.
        known: What wins over every score.
        cut: Mean weight down to which parts are merged.
        max_component: Larger components are split at higher weights first.
    """
    label = _bounded_components(links, known, max_component)
    order = np.argsort(label, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(label[order]) != 0]) if len(order) else np.zeros(0, np.int64)
    sizes = np.diff(np.r_[starts, len(order)])
    held, parted = _group_links(scorer, order, starts, sizes, max_component), []
    for left, right, ends in _all_pairs(order, starts, np.where(sizes > max_component, 0, sizes)):
        scored = scorer.score(left, right)
        apart = known.apart(left, right) | ((scored.household > 0) & ~known.together(left, right))
        similarity = np.where(known.together(left, right), TOGETHER, scored.bits)
        similarity[apart] = APART
        _cut(label, left, right, similarity, ends, cut)
        inside = label[left] == label[right]
        held.append(_spanning(scored.where(inside)))
        parted.append(scored.where(~inside & (scored.bits >= 0)))
    return Clusters(label, joined(held), joined(parted))


def _bounded_components(links: Scored, known: Known, largest: int) -> Labels:
    """Components of the links and known groups; links of a component that is too large must be stronger."""
    left, right, bits = links.left, links.right, links.bits
    number = len(known.group)
    grouped = np.flatnonzero(known.group >= 0)
    first = np.full(number, -1)
    first[known.group[grouped][::-1]] = grouped[::-1]
    hub = first[known.group[grouped]]
    least = 0.0
    while True:
        label = components(number, np.concatenate([hub, left]), np.concatenate([grouped, right]))
        too_large = (np.bincount(label, minlength=number)[label] > largest)[left]
        if not too_large.any():
            # What is still too large is a known group, which likeness has no say in.
            return label
        least += 2
        stays = ~too_large | (bits >= least)
        left, right, bits = left[stays], right[stays], bits[stays]


def _group_links(scorer: Scorer, order: Labels, starts: Labels, sizes: Labels, largest: int) -> list[Scored]:
    """Links from the first record of each known group that is too large to look at all pairs."""
    found = []
    for at in np.flatnonzero(sizes > largest):
        members = order[starts[at] : starts[at] + sizes[at]].astype(np.int32)
        found.append(scorer.score(np.repeat(members[:1], len(members) - 1), members[1:]))
    return found


def _all_pairs(order: Labels, starts: Labels, sizes: Labels) -> Iterator[tuple[Codes, Codes, Labels]]:
    """All pairs of the components, in batches of whole ones: positions, and where each component's pairs end."""
    several = np.flatnonzero(sizes > 1)
    pairs = sizes[several] * (sizes[several] - 1) // 2
    batch = np.cumsum(pairs) // _PAIRS_AT_ONCE
    for number in np.unique(batch):
        chosen = several[batch == number]
        members = np.concatenate([np.arange(starts[at], starts[at] + sizes[at]) for at in chosen])
        end = np.repeat(starts[chosen] + sizes[chosen], sizes[chosen])
        partners = end - members - 1
        first = np.repeat(members, partners)
        second = first + 1 + np.arange(len(first)) - np.repeat(np.cumsum(partners) - partners, partners)
        yield order[first].astype(np.int32), order[second].astype(np.int32), np.cumsum(pairs[batch == number])


def _cut(label: Labels, left: Codes, right: Codes, similarity: NDArray[np.float64], ends: Labels, cut: float) -> None:
    """Write the clusters of each component into `label`."""
    begins = np.r_[0, ends[:-1]]
    # Where every pair is above the cut, so is every mean: most components need no linkage.
    for at in np.flatnonzero(np.minimum.reduceat(similarity, begins) < cut):
        mine = slice(begins[at], ends[at])
        size = int((1 + np.sqrt(1 + 8 * (ends[at] - begins[at]))) // 2)
        rows, columns = np.triu_indices(size, 1)
        weights = np.zeros((size, size))
        weights[rows, columns] = weights[columns, rows] = similarity[mine]
        members = np.r_[left[mine][:1], right[mine][: size - 1]]
        label[members] = members[average_linkage(weights, cut)]


def _spanning(pairs: Scored) -> Scored:
    """For each record its strongest pair with an earlier one."""
    order = np.lexsort((pairs.left, -pairs.bits, pairs.right))
    first = np.r_[True, np.diff(pairs.right[order]) != 0][: len(order)]
    return pairs.where(np.isin(np.arange(len(order)), order[first]))
