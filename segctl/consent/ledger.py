"""The ledger in memory, found by tokens: what gives consent by the exact one, what denies it by the wide one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segctl.consent.shapes import Shape
from segctl.consent.tokens import SIZE
from segctl.model.consent import DENYING

Ints = NDArray[np.int64]
NEVER = np.iinfo(np.int64).max
_SHAPE_AT = 5
_MOST_TAIL = 20_000
"""So many new rows are looked up apart from the old ones before both are laid together."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of the ledger that concern points that were asked about; equal lengths, in no order.

    Attributes:
        points: Which of the points, by position.
        at: Effective time in microseconds.
        expires: Likewise; `NEVER` for most.
        codes: Position of the row's shape in `Ledger.shapes`.
    """

    points: Ints
    at: Ints
    expires: Ints
    codes: Ints


@dataclass(slots=True)
class _Half:
    """Rows under one kind of token: rows of slot i stand at ``starts[i]`` to ``starts[i + 1]``."""

    slots: dict[bytes, int]
    starts: Ints
    seq: Ints
    at: Ints
    expires: Ints
    codes: Ints

    def find(self, tokens: Sequence[bytes]) -> tuple[Ints, Ints]:
        """Positions of tokens and of their rows."""
        get = self.slots.get
        slots = np.fromiter((get(token, -1) for token in tokens), np.int64, len(tokens))
        known = np.flatnonzero(slots >= 0)
        begins = self.starts[slots[known]]
        lengths = self.starts[slots[known] + 1] - begins
        total = int(lengths.sum())
        shift = np.repeat(begins - np.concatenate(([0], np.cumsum(lengths)[:-1])), lengths) if total else lengths[:0]
        return np.repeat(known, lengths), shift + np.arange(total)


@dataclass(slots=True)
class Ledger:
    """All rows that were read, and the shapes that they have.

    Attributes:
        shapes: Each distinct one.
        head: Number of the newest row.
    """

    shapes: list[Shape] = field(default_factory=list)
    head: int = 0
    _codes: dict[tuple[Any, ...], int] = field(default_factory=dict)
    _tail: list[tuple[Any, ...]] = field(default_factory=list)
    _halves: list[tuple[_Half, int]] = field(default_factory=list)
    _tail_halves: list[tuple[_Half, int]] = field(default_factory=list)
    _void: set[int] = field(default_factory=set)

    def add(self, rows: Iterable[Sequence[Any]], void: Iterable[int] = ()) -> set[bytes]:
        """Rows as `state.consents.states` gives them, newer than all before.

        Args:
            rows: By number.
            void: Numbers of rows that are taken back, all of them, also of earlier calls.

        Returns:
            The exact and wide tokens that they concern.
        """
        codes, fresh, tokens = self._codes, [], set()
        for row in rows:
            values = tuple(row)
            code = codes.setdefault(values[_SHAPE_AT:], len(codes))
            fresh.append((*values[:_SHAPE_AT], code))
            tokens.add(values[3])
            tokens.add(values[4])
        self.shapes.extend(Shape(*shape) for shape in list(codes)[len(self.shapes) :])
        if fresh:
            self.head = max(self.head, fresh[-1][0])
        newly_void = set(void) - self._void
        self._void |= newly_void
        self._tail += fresh
        if newly_void or not self._halves or len(self._tail) > _MOST_TAIL:
            self._lay_together()
        elif fresh:
            self._tail_halves = self._built(self._tail)
        return tokens

    def rows(self, points: Sequence[bytes]) -> Rows:
        """All rows about some points, whatever their use and time."""
        found: list[tuple[Ints, _Half, Ints]] = []
        for position in range(0, max(map(len, points), default=0), 2 * SIZE):
            for half, offset in (*self._halves, *self._tail_halves):
                if half.slots:
                    start = position + offset
                    which, rows = half.find([point[start : start + SIZE] for point in points])
                    found.append((which, half, rows))
        empty = np.empty(0, np.int64)
        return Rows(
            np.concatenate([empty, *(which for which, _, _ in found)]),
            np.concatenate([empty, *(half.at[rows] for _, half, rows in found)]),
            np.concatenate([empty, *(half.expires[rows] for _, half, rows in found)]),
            np.concatenate([empty, *(half.codes[rows] for _, half, rows in found)]),
        )

    def wides(self, codes: Iterable[int]) -> set[bytes]:
        """Wide tokens of the rows that have one of some shapes."""
        wanted = np.array(sorted(codes), np.int64)
        found: set[bytes] = set()
        for half, offset in (*self._halves, *self._tail_halves):
            if offset and len(wanted):
                slots = np.searchsorted(half.starts, np.flatnonzero(np.isin(half.codes, wanted)), side="right") - 1
                chosen = set(slots.tolist())
                found |= {token for token, slot in half.slots.items() if slot in chosen}
        return found

    def _lay_together(self) -> None:
        parts = [*self._halves, *self._built(self._tail)]
        self._tail, self._tail_halves = [], []
        merged = []
        for offset in (0, SIZE):
            of_kind = [half for half, at in parts if at == offset]
            merged.append((_merged(of_kind, self._void), offset))
        self._halves = merged

    def _built(self, rows: Sequence[tuple[Any, ...]]) -> list[tuple[_Half, int]]:
        is_denying = [self.shapes[row[5]].action in DENYING for row in rows]
        given = [row for row, denies in zip(rows, is_denying, strict=True) if not denies]
        taken = [row for row, denies in zip(rows, is_denying, strict=True) if denies]
        return [(_half(given, 3), 0), (_half(taken, 4), SIZE)]


def _half(rows: Sequence[tuple[Any, ...]], token: int) -> _Half:
    slots: dict[bytes, int] = {}
    owner = np.fromiter((slots.setdefault(row[token], len(slots)) for row in rows), np.int64, len(rows))
    order = np.argsort(owner, kind="stable")

    def column(position: int) -> Ints:
        values = (NEVER if row[position] is None else row[position] for row in rows)
        return np.fromiter(values, np.int64, len(rows))[order]

    starts = np.concatenate(([0], np.cumsum(np.bincount(owner, minlength=len(slots))))).astype(np.int64)
    return _Half(slots, starts, column(0), column(1), column(2), column(5))


def _merged(halves: Sequence[_Half], void: set[int]) -> _Half:
    slots: dict[bytes, int] = {}
    owners, columns = [], []
    for half in halves:
        renamed = np.fromiter((slots.setdefault(token, len(slots)) for token in half.slots), np.int64, len(half.slots))
        owners.append(np.repeat(renamed, np.diff(half.starts)))
        columns.append(np.stack([half.seq, half.at, half.expires, half.codes]))
    owner, column = np.concatenate(owners), np.concatenate(columns, axis=1)
    kept = ~np.isin(column[0], np.fromiter(void, np.int64, len(void)))
    owner, column = owner[kept], column[:, kept]
    order = np.argsort(owner, kind="stable")
    starts = np.concatenate(([0], np.cumsum(np.bincount(owner, minlength=len(slots))))).astype(np.int64)
    return _Half(slots, starts, *(values[order] for values in column))
