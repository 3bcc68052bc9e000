"""The commonest sequence in arrays: one event, then (not) another of a different kind, by one search."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from segctl.compile import ir
from segctl.compile.zones import SECOND
from segctl.engines.array_rows import RowArrays, ranks_of
from segctl.engines.arrays import NUMBER, TEXT, Column, form_of
from segctl.model.dataclass import dataclass
from segctl.model.times import EXACT_SECONDS, Anniversary
from segctl.model.types import stored_column

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from segctl.engines.array_metrics import Chosen, MetricRows


@dataclass(frozen=True, slots=True)
class Pair:
    """A sequence of two steps.

    Attributes:
        first: Number of the kinds, and the choice, of the first.
        second: Likewise of the second, which is of other kinds.
        is_denied: The second must not follow.
        within: How long after the first the second may come, in microseconds; None for ever.
        tied: Values that are the same in both, of which a missing one is like no other.
    """

    first: tuple[int, Chosen]
    second: tuple[int, Chosen]
    is_denied: bool
    within: int | None
    tied: tuple[Callable[[RowArrays], Column], ...]


def has_room(sequence: ir.Sequence) -> bool:
    """True if a sequence is of this form, the conditions of its steps aside."""
    if len(sequence.steps) != 2 or sequence.start != "any":
        return False
    first, second = sequence.steps
    plain = not any(step.bounds or isinstance(step.window, Anniversary) for step in sequence.steps)
    ends = second.within is None or second.within.unit in EXACT_SECONDS
    tied = all(form_of(of) in (NUMBER, TEXT) for _, of in sequence.same)
    return plain and ends and tied and not first.negative and set(first.kinds).isdisjoint(second.kinds)


def length(second: ir.Step) -> int | None:
    """How long after the first the second may come, in microseconds; None for ever."""
    within = second.within
    return None if within is None else within.amount * EXACT_SECONDS[within.unit] * SECOND


def ties(sequence: ir.Sequence) -> tuple[Callable[[RowArrays], Column], ...]:
    """How the values are read that tie both events together."""
    return tuple(_reading(stored_column(name, of), form_of(of) == TEXT) for name, of in sequence.same)


def _reading(name: str, is_text: bool) -> Callable[[RowArrays], Column]:
    return lambda rows: rows.texts(name) if is_text else rows.numbers(name)


def matching(pair: Pair, first: MetricRows, second: MetricRows, height: int, now: int) -> NDArray[np.bool_]:
    """Which profiles have a match."""
    found = np.zeros(height, np.bool_)
    starts, others = _numbers(first, pair.first[1]), _numbers(second, pair.second[1])
    ts = first.rows.ts[starts]
    if pair.is_denied and pair.within is not None:
        # Before its time has passed nobody knows whether the other will come.
        starts = starts[ts <= now - pair.within]
        ts = first.rows.ts[starts]
    if not len(starts):
        return found
    group, other_group = _groups(pair, first.rows, starts, second.rows, others)
    limit = np.full(len(ts), now) if pair.within is None else ts + pair.within
    follows = _follow(pair, (first.rows, starts, group, limit), (second.rows, others, other_group))
    found[first.rows.places[starts[~follows if pair.is_denied else follows]]] = True
    return found


def _numbers(rows: MetricRows, chosen: Chosen) -> NDArray[np.int64]:
    mask, _ = rows.chosen(chosen)
    return np.arange(len(rows.rows)) if mask is None else np.flatnonzero(mask)


def _groups(
    pair: Pair, rows: RowArrays, starts: NDArray[np.int64], other: RowArrays, others: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Numbers of who and what an event belongs to, the same for those that can follow each other; -1 for none."""
    count = len(starts)
    group = np.concatenate([rows.places[starts], other.places[others]])
    for read in pair.tied:
        one, two = read(rows), read(other)
        second = two.values[others]
        if one.codes is not None and two.codes is not None:
            second = _recoded(two.codes, one.codes)[second]
        values = np.concatenate([one.values[starts], second])
        _, number = np.unique(values, return_inverse=True)
        group = np.where(group < 0, -1, group * (int(number.max(initial=0)) + 1) + number)
        for column, chosen, place in ((one, starts, slice(count)), (two, others, slice(count, None))):
            if column.present is not None:
                group[place][~column.present[chosen]] = -1
        known, group = np.unique(group, return_inverse=True)
        group = group - 1 if len(known) and known[0] < 0 else group
    return group[:count], group[count:]


def _recoded(codes: Mapping[str, int], into: Mapping[str, int]) -> NDArray[np.int64]:
    """By code the code of the same text among others; a number of its own where it has none there."""
    found = np.zeros(len(codes) + 1, np.int64)
    for text, code in codes.items():
        found[code] = into.get(text, len(into) + code)
    return found


def _follow(
    pair: Pair,
    starts: tuple[RowArrays, NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
    others: tuple[RowArrays, NDArray[np.int64], NDArray[np.int64]],
) -> NDArray[np.bool_]:
    """Whether after each first event a second of its group comes in time."""
    rows, chosen, group, limit = starts
    other, other_chosen, other_group = others
    at, other_at = rows.ts[chosen], other.ts[other_chosen]
    if not pair.is_denied and np.isin(at, other_at).any():
        # At one instant the order of events decides.
        ranks, other_ranks = ranks_of([rows, other])
        return _next((group, ranks[chosen], limit), (other_group, other_ranks[other_chosen], other_at))
    instants = np.unique(np.concatenate([at, other_at]))
    number, other_number = np.searchsorted(instants, at), np.searchsorted(instants, other_at)
    return _next((group, number, limit), (other_group, other_number, other_at))


def _next(
    starts: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
    others: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
) -> NDArray[np.bool_]:
    """Whether at each number of a group, or behind, the next of the others of that group comes in time."""
    group, number, limit = starts
    other_group, other_number, other_at = others
    order = np.lexsort((other_number, other_group))
    width = int(max(number.max(initial=0), other_number.max(initial=0))) + 1
    place = np.searchsorted(other_group[order] * width + other_number[order], group * width + number)
    found = np.zeros(len(group), np.bool_)
    some = np.flatnonzero((place < len(order)) & (group >= 0))
    following = order[place[some]]
    found[some] = (other_group[following] == group[some]) & (other_at[following] <= limit[some])
    return found
