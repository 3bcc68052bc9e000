"""Event order of rows from several files: by subject and time, and exactly where these are equal.

Rows of one file stand in order. Where rows of several files, or of several subjects of one profile, share an instant,
their sources and ids decide; of an id mostly its first bytes are enough, which the mapped copy holds, and the id
itself is read from the event file only where these are equal too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cmp_to_key
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from segctl.engines.hot_write import TIE
from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from segctl.engines.hot_file import HotFile


@dataclass(frozen=True, slots=True)
class Stored:
    """Rows of one file, or of several that were read together, in event order of their own subjects.

    Attributes:
        frame: Columns of a scan without those that break ties; `subject` is the profile's.
        is_sorted: By the profile's subject, in event order.
        own: Subjects of the file, one per row.
        mapped: The copy, the rows' positions in it, and the event file's path; None for rows that were read.
        ids: Gives ``source`` and ``event_id`` of rows that were read.
    """

    frame: pl.DataFrame
    is_sorted: bool
    own: NDArray[np.int32]
    mapped: tuple[HotFile, NDArray[np.int64], str] | None
    ids: Callable[[], pl.DataFrame] | None = None


@dataclass(frozen=True, slots=True)
class _Key:
    """What is known of a row's source and id.

    Attributes:
        start: The id's bytes, or those it begins with.
        is_whole: They are all.
    """

    source: str
    start: bytes
    is_whole: bool


def event_order(found: Sequence[Stored]) -> tuple[pl.DataFrame, NDArray[np.int64] | None]:
    """All rows, and the positions that put them in event order; None if they stand in it."""
    frame = pl.concat([one.frame for one in found]) if len(found) > 1 else found[0].frame
    if len(found) == 1 and found[0].is_sorted:
        return frame, None
    subject, ts = frame.get_column("subject").to_numpy(), frame.get_column("ts").to_numpy()
    order = _by_time(subject, ts)
    part = np.repeat(np.arange(len(found)), [one.frame.height for one in found])[order]
    own = np.concatenate([one.own for one in found])[order]
    subject, ts = subject[order], ts[order]
    same = (subject[1:] == subject[:-1]) & (ts[1:] == ts[:-1])
    unsure = same & ((part[1:] != part[:-1]) | (own[1:] != own[:-1]))
    if unsure.any():
        begins = np.concatenate([[0], np.flatnonzero(~same) + 1, [len(order)]])
        for at in np.unique(np.searchsorted(begins, np.flatnonzero(unsure), side="right") - 1):
            group = slice(int(begins[at]), int(begins[at + 1]))
            order[group] = _decided(found, order[group])
    return frame, order


def _by_time(subject: NDArray[np.int32], ts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Positions in order of subject and instant, equal ones as they stand."""
    # Numbering subjects takes as many steps as there are subjects, and comparing rows as many as there are rows.
    if len(ts) * 8 > (int(subject.max()) if len(ts) else 0):
        there = np.zeros(int(subject.max()) + 1, np.bool_)
        there[subject] = True
        number = np.cumsum(there) - 1
        first, last = int(ts.min()), int(ts.max())
        span = last - first + 1
        if (int(number[-1]) + 1) * span < 2**63:
            # Of rows in a few ascending runs, one number each, a stable sort only merges the runs.
            found: NDArray[np.int64] = np.argsort(number[subject] * span + (ts - first), kind="stable")
            return found
    by_both: NDArray[np.int64] = np.lexsort((ts, subject))
    return by_both


def _decided(found: Sequence[Stored], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows of one subject and instant by source and id."""
    first = np.cumsum([0, *(one.frame.height for one in found)])
    places = [(int(np.searchsorted(first, row, side="right")) - 1, int(row)) for row in rows]
    keys = {row: _key(found[part], row - int(first[part])) for part, row in places}
    if any(_is_unclear(keys[a], keys[b]) for (_, a), (_, b) in combinations(places, 2)):
        keys = {row: _whole(found[part], row - int(first[part]), keys[row]) for part, row in places}

    def compared(a: int, b: int) -> int:
        left, right = keys[a], keys[b]
        if left.source != right.source:
            return -1 if left.source < right.source else 1
        return (left.start > right.start) - (left.start < right.start)

    return np.asarray(sorted(keys, key=cmp_to_key(compared)), dtype=rows.dtype)


def _key(of: Stored, row: int) -> _Key:
    if of.mapped is None:
        source, event_id = of.ids().row(row) if of.ids is not None else ("", "")
        return _Key(source, event_id.encode(), is_whole=True)
    file, rows, _ = of.mapped
    at = rows[row : row + 1]
    number = int(file.array(TIE, "values")[at][0])
    return _Key(file.series("source", at)[0], file.array(TIE, "prefix").tobytes() + number.to_bytes(8), is_whole=False)


def _is_unclear(a: _Key, b: _Key) -> bool:
    if a.source != b.source or (a.is_whole and b.is_whole):
        return False
    length = min(len(of.start) for of in (a, b) if not of.is_whole)
    return a.start[:length].ljust(length, b"\0") == b.start[:length].ljust(length, b"\0")


def _whole(of: Stored, row: int, known: _Key) -> _Key:
    if of.mapped is None:
        return known
    _, rows, path = of.mapped
    scan = pl.scan_parquet(path, glob=False, hive_partitioning=False).select("event_id")
    event_id: str = scan.slice(int(rows[row]), 1).collect().item()
    return _Key(known.source, event_id.encode(), is_whole=True)
