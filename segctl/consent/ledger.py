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
Words = NDArray[np.uint64]
NEVER = np.iinfo(np.int64).max
_BATCH = 50_000
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


@dataclass(frozen=True, slots=True)
class Block:
    """Rows of the ledger by columns, by number; equal lengths.

    Attributes:
        seq: Numbers.
        at: Effective times in microseconds.
        expires: Likewise; `NEVER` for most.
        exact: Exact tokens, one behind another.
        wide: Wide tokens likewise.
        shapes: Texts of `Shape`.
    """

    seq: Ints
    at: Ints
    expires: Ints
    exact: bytes
    wide: bytes
    shapes: Sequence[str]


@dataclass(slots=True)
class _Half:
    """Rows under one kind of token: rows of ``tokens[i]`` stand at ``starts[i]`` to ``starts[i + 1]``.

    Tokens are pairs of words, each once, ascending by the hashes beside them: a million of them cost no objects.
    """

    hashes: Words
    tokens: Words
    starts: Ints
    seq: Ints
    at: Ints
    expires: Ints
    codes: Ints

    def find(self, tokens: Words) -> tuple[Ints, Ints]:
        """Positions of tokens and of their rows."""
        slots = self._slots(tokens)
        known = np.flatnonzero(slots >= 0)
        begins = self.starts[slots[known]]
        lengths = self.starts[slots[known] + 1] - begins
        total = int(lengths.sum())
        shift = np.repeat(begins - np.concatenate(([0], np.cumsum(lengths)[:-1])), lengths) if total else lengths[:0]
        return np.repeat(known, lengths), shift + np.arange(total)

    def _slots(self, tokens: Words) -> Ints:
        """Position of each token in `tokens`, -1 for those that are not there."""
        hashes, found = _hashes(tokens), np.full(len(tokens), -1)
        asked = np.argsort(hashes)  # Neighbours are found in memory that is at hand.
        places = np.searchsorted(self.hashes, hashes[asked])
        while len(asked):
            inside = places < len(self.hashes)
            asked, places = asked[inside], places[inside]
            same = self.hashes[places] == hashes[asked]
            asked, places = asked[same], places[same]
            equal = (self.tokens[places] == tokens[asked]).all(axis=1)
            found[asked[equal]] = places[equal]
            # Another token may have the same hash.
            asked, places = asked[~equal], places[~equal] + 1
        return found


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
        tokens, coming, blocks = set[bytes](), iter(rows), []
        while batch := list(islice(coming, _BATCH)):
            seq, at, expires, exact, wide, texts = zip(*batch, strict=True)
            tokens.update(exact, wide)
            blocks.append(Block(np.array(seq), np.array(at), _ends(expires), b"".join(exact), b"".join(wide), texts))
        self.load(blocks, void)
        return tokens

    def load(self, blocks: Iterable[Block], void: Iterable[int] = ()) -> None:
        """`add` of rows by columns."""
        is_first, read = not self.head, [self._read(block) for block in blocks]
        newly_void = set(void) - self._void
        self._void |= newly_void
        parts = [self._tail]
        if read:
            values = np.concatenate([columns for columns, _, _ in read], axis=1)
            denies = np.array([shape.action in DENYING for shape in self.shapes])[values[3]]
            exact, wide = (np.concatenate([block[i] for block in read]) for i in (1, 2))
            parts.append((_laid(exact[~denies], values[:, ~denies]), _laid(wide[denies], values[:, denies])))
            self.head = max(self.head, int(values[0, -1]))
        if is_first or newly_void or sum(len(half.at) for part in parts for half in part) > _MOST_TAIL:
            self._base = self._merged([self._base, *parts])
            self._tail = (_empty(), _empty())
        elif len(parts) > 1:
            self._tail = self._merged(parts)

    def rows(self, points: Sequence[bytes]) -> Rows:
        """All rows about some points of one size, whatever their use and time."""
        if not points:
            return Rows(*(np.empty(0, np.int64) for _ in range(4)))
        if len(set(map(len, points))) > 1:
            raise ValueError("points of several keyrings")
        found: list[tuple[Ints, _Half, Ints]] = []
        words = _words(b"".join(points)).reshape(len(points), -1, 2)
        for part in (self._base, self._tail):
            for number, half in enumerate(part):
                for place in range(number, words.shape[1], 2):
                    if len(half.tokens):
                        which, rows = half.find(words[:, place])
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
            found |= {token.tobytes() for token in half.tokens[np.unique(slots)]}
        return found

    def _read(self, block: Block) -> tuple[Ints, Words, Words]:
        """Columns (number, time, expiry, code), exact and wide tokens of a block."""
        columns = np.stack([block.seq, block.at, block.expires, self._coded(block.shapes)])
        return columns, _words(block.exact), _words(block.wide)

    def _coded(self, texts: Sequence[str]) -> Ints:
        """Numbers of shapes; a new one is remembered."""
        known = self._codes
        for text in dict.fromkeys(texts):
            known.setdefault(text, len(known))
        codes = np.fromiter(map(known.__getitem__, texts), np.int64, len(texts))
        self.shapes.extend(parse_shape(text) for text in list(islice(known, len(self.shapes), None)))
        return codes

    def _merged(self, parts: Sequence[tuple[_Half, _Half]]) -> tuple[_Half, _Half]:
        return _merged([given for given, _ in parts], self._void), _merged([taken for _, taken in parts], self._void)


def _ends(expires: Sequence[int | None]) -> Ints:
    if not any(expires):
        return np.full(len(expires), NEVER)
    return np.array([NEVER if one is None else one for one in expires], np.int64)


def _words(tokens: bytes) -> Words:
    """Tokens that stand one behind another as pairs of words."""
    return np.frombuffer(tokens, np.uint64).reshape(-1, SIZE // 8)


def _hashes(tokens: Words) -> Words:
    """One word for each pair: tokens are random already, but nobody should depend on it."""
    found: Words = tokens[:, 0] ^ (tokens[:, 1] * np.uint64(0x9E3779B97F4A7C15))
    return found


def _empty() -> _Half:
    return _laid(_words(b""), np.empty((4, 0), np.int64))


def _merged(halves: Sequence[_Half], void: set[int]) -> _Half:
    filled = [half for half in halves if len(half.tokens)]
    if len(filled) == 1 and not void:
        return filled[0]
    tokens = np.concatenate([np.repeat(half.tokens, np.diff(half.starts), axis=0) for half in halves])
    columns = [np.stack([half.seq, half.at, half.expires, half.codes]) for half in halves]
    column = np.concatenate(columns, axis=1)
    if void:
        kept = ~np.isin(column[0], np.fromiter(void, np.int64, len(void)))
        tokens, column = tokens[kept], column[:, kept]
    return _laid(tokens, column)


def _laid(tokens: Words, values: Ints) -> _Half:
    """Rows side by side that have one token; `values` are seq, time, expiry and code."""
    hashes = _hashes(tokens)
    order = np.argsort(hashes, kind="stable")
    is_new = _differ(hashes[order], tokens[order])
    if (is_new[1:] & (np.diff(hashes[order]) == 0)).any():
        order = np.lexsort((tokens[:, 1], tokens[:, 0], hashes))
        is_new = _differ(hashes[order], tokens[order])
    firsts = np.flatnonzero(is_new)
    starts = np.concatenate((firsts, [len(order)])).astype(np.int64)
    return _Half(hashes[order][firsts], tokens[order][firsts], starts, *values[:, order])


def _differ(hashes: Words, tokens: Words) -> NDArray[np.bool_]:
    """Rows that have another token than the one before; the first always."""
    found = np.ones(len(hashes), np.bool_)
    found[1:] = (hashes[1:] != hashes[:-1]) | (tokens[1:] != tokens[:-1]).any(axis=1)
    return found
