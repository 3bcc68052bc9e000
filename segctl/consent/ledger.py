"""The ledger in memory, found by tokens: what gives consent by the exact one, what denies it by the wide one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segctl.consent.shapes import Shape, parse_shape
from segctl.consent.tokens import SIZE
from segctl.model.consent import DENYING

Ints = NDArray[np.int64]
NEVER = np.iinfo(np.int64).max
_BATCH = 1_000_000
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
    _codes: dict[str, int] = field(default_factory=dict)
    _base: tuple[_Half, _Half] = field(default_factory=lambda: (_empty(), _empty()))
    _tail: tuple[_Half, _Half] = field(default_factory=lambda: (_empty(), _empty()))
    _void: set[int] = field(default_factory=set)

    def add(self, rows: Iterable[Sequence[Any]], void: Iterable[int] = ()) -> set[bytes]:
        """Rows as `state.consents.states` gives them, newer than all before.

        Args:
            rows: By number.
            void: Numbers of rows that are taken back, all of them, also of earlier calls.

        Returns:
            The exact and wide tokens that they concern.
        """
        is_first, tokens, coming = not self.head, set[bytes](), iter(rows)
        parts = [self._tail]
        while batch := list(islice(coming, _BATCH)):
            seq, at, expires, exact, wide, texts = zip(*batch, strict=True)
            codes = self._coded(texts)
            values = np.stack([np.array(seq), np.array(at), _ends(expires), codes])
            denies = np.array([shape.action in DENYING for shape in self.shapes])[codes]
            given = _half([exact[i] for i in np.flatnonzero(~denies).tolist()], values[:, ~denies])
            taken = _half([wide[i] for i in np.flatnonzero(denies).tolist()], values[:, denies])
            parts.append((given, taken))
            self.head = max(self.head, seq[-1])
            tokens.update(exact, wide)
        newly_void = set(void) - self._void
        self._void |= newly_void
        if is_first or newly_void or sum(len(half.at) for part in parts for half in part) > _MOST_TAIL:
            self._base = self._merged([self._base, *parts])
            self._tail = (_empty(), _empty())
        elif len(parts) > 1:
            self._tail = self._merged(parts)
        return tokens

    def rows(self, points: Sequence[bytes]) -> Rows:
        """All rows about some points, whatever their use and time."""
        found: list[tuple[Ints, _Half, Ints]] = []
        size = max(map(len, points), default=0)
        for part in (self._base, self._tail):
            for number, half in enumerate(part):
                for start in range(number * SIZE, size, 2 * SIZE):
                    if half.slots:
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
        """Wide tokens of the denying rows that have one of some shapes."""
        wanted = np.array(sorted(codes), np.int64)
        found: set[bytes] = set()
        for half in (self._base[1], self._tail[1]):
            slots = np.searchsorted(half.starts, np.flatnonzero(np.isin(half.codes, wanted)), side="right") - 1
            chosen = set(slots.tolist())
            found |= {token for token, slot in half.slots.items() if slot in chosen}
        return found

    def _coded(self, texts: Sequence[str]) -> Ints:
        """Numbers of shapes; a new one is remembered."""
        known = self._codes
        codes = np.fromiter((known.setdefault(text, len(known)) for text in texts), np.int64, len(texts))
        self.shapes.extend(parse_shape(text) for text in list(islice(known, len(self.shapes), None)))
        return codes

    def _merged(self, parts: Sequence[tuple[_Half, _Half]]) -> tuple[_Half, _Half]:
        return _merged([given for given, _ in parts], self._void), _merged([taken for _, taken in parts], self._void)


def _ends(expires: Sequence[int | None]) -> Ints:
    if not any(expires):
        return np.full(len(expires), NEVER)
    return np.array([NEVER if one is None else one for one in expires], np.int64)


def _half(tokens: Sequence[bytes], values: Ints) -> _Half:
    slots: dict[bytes, int] = {}
    owner = np.fromiter((slots.setdefault(token, len(slots)) for token in tokens), np.int64, len(tokens))
    return _laid(slots, owner, values)


def _empty() -> _Half:
    return _half((), np.empty((4, 0), np.int64))


def _merged(halves: Sequence[_Half], void: set[int]) -> _Half:
    if sum(bool(half.slots) for half in halves) == 1 and not void:
        return next(half for half in halves if half.slots)
    slots: dict[bytes, int] = {}
    owners, columns = [], []
    for half in halves:
        renamed = np.fromiter((slots.setdefault(token, len(slots)) for token in half.slots), np.int64, len(half.slots))
        owners.append(np.repeat(renamed, np.diff(half.starts)))
        columns.append(np.stack([half.seq, half.at, half.expires, half.codes]))
    owner, column = np.concatenate(owners), np.concatenate(columns, axis=1)
    if void:
        kept = ~np.isin(column[0], np.fromiter(void, np.int64, len(void)))
        owner, column = owner[kept], column[:, kept]
    return _laid(slots, owner, column)


def _laid(slots: dict[bytes, int], owner: Ints, values: Ints) -> _Half:
    """Rows side by side that have one owner; `values` are seq, time, expiry and code."""
    if (np.diff(owner) < 0).any():
        order = np.argsort(owner, kind="stable")
        values = values[:, order]
    starts = np.concatenate(([0], np.cumsum(np.bincount(owner, minlength=len(slots))))).astype(np.int64)
    return _Half(slots, starts, *values)
