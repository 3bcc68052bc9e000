"""Which records were seen before: 64-bit keys in sorted runs, in memory and on disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from segctl.connectors.fingerprints import Words, mixed

Rows = npt.NDArray[np.int64]
Truths = npt.NDArray[np.bool_]

NEW, DUPLICATE, CONFLICT = 0, 1, 2
_NUMBER = np.uint64(0xA24BAED4963EE407)


class SortedKeys:
    """Keys with a word each, in sorted runs of growing size; the newest word of a key counts."""

    def __init__(self, stored: Sequence[Words] = ()) -> None:
        """Starts from runs of shape (2, n): sorted keys, and their words; in the order they were stored."""
        self._stored = list(stored)
        self._runs: list[tuple[Words, Words]] = []

    def look_up(self, keys: Words) -> tuple[Truths, Words]:
        """Whether each key is there, and its word; the keys should be sorted, for speed."""
        is_there = np.zeros(len(keys), dtype=bool)
        words = np.zeros(len(keys), dtype=np.uint64)
        for run_keys, run_words in [*reversed(self._runs), *((run[0], run[1]) for run in reversed(self._stored))]:
            if not len(run_keys):
                continue
            at = np.minimum(np.searchsorted(run_keys, keys), len(run_keys) - 1)
            hit = (run_keys[at] == keys) & ~is_there
            if hit.any():
                is_there |= hit
                words[hit] = run_words[at[hit]]
        return is_there, words

    def add(self, keys: Words, words: Words) -> None:
        """Adds keys, each at most once per call."""
        order = np.argsort(keys, kind="stable")
        run = (keys[order], words[order])
        # Runs of like size are merged, so that there are never more than a few to search.
        while self._runs and len(self._runs[-1][0]) <= 2 * len(run[0]):
            run = _merged(run, self._runs.pop())
        self._runs.append(run)

    def added(self) -> Words:
        """All keys added since the start as one run of shape (2, n)."""
        run: tuple[Words, Words] = (np.empty(0, np.uint64), np.empty(0, np.uint64))
        for older in reversed(self._runs):
            run = _merged(run, older)
        return np.stack(run)

    def everything(self) -> Words:
        """Stored and added keys as one run."""
        run = (added := self.added())[0], added[1]
        for stored in reversed(self._stored):
            run = _merged(run, (stored[0], stored[1]))
        return np.stack(run)


def _merged(newer: tuple[Words, Words], older: tuple[Words, Words]) -> tuple[Words, Words]:
    keys = np.concatenate((newer[0], older[0]))
    words = np.concatenate((newer[1], older[1]))
    order = np.argsort(keys, kind="stable")
    keys, words = keys[order], words[order]
    first = np.ones(len(keys), dtype=bool)
    first[1:] = keys[1:] != keys[:-1]
    return (keys, words) if first.all() else (keys[first], words[first])


def classify(index: SortedKeys, keys: Words, contents: Words, *, replaces: bool = False) -> npt.NDArray[np.uint8]:
    """A code for each row: NEW, DUPLICATE or CONFLICT; rows that count are added to the index.

    Args:
        index: Keys of earlier rows with the fingerprint of their content.
        keys: What identifies each row.
        contents: Fingerprint of the rest of it: same key with other content is a conflict.
        replaces: A conflicting row takes the place of the earlier one, and the last of a batch counts.
    """
    order = np.argsort(keys, kind="stable")
    ordered, content = keys[order], contents[order]
    first = np.ones(len(keys), dtype=bool)
    first[1:] = ordered[1:] != ordered[:-1]
    group = np.cumsum(first) - 1
    counted = np.flatnonzero(first)
    if replaces and len(counted):
        counted = np.append(counted[1:], len(keys)) - 1
    known, known_content = index.look_up(ordered[counted])
    codes = np.where(content == content[counted][group], DUPLICATE, CONFLICT).astype(np.uint8)
    same = (known_content == content[counted]) | (known_content == 0)
    codes[counted] = np.where(~known, NEW, np.where(same, DUPLICATE, CONFLICT))
    # Rows beside the one that counts are compared with what the index will hold.
    if not replaces and known.any():
        held = np.where(known, known_content, content[counted])
        is_same = (content == held[group]) | (held[group] == 0)
        codes = np.where(known[group], np.where(is_same, DUPLICATE, CONFLICT), codes).astype(np.uint8)
    enters = counted[~known | (replaces & ~same)]
    index.add(ordered[enters], content[enters])
    found = np.empty(len(keys), dtype=np.uint8)
    found[order] = codes
    if replaces:
        losers = np.ones(len(keys), dtype=bool)
        losers[order[counted]] = False
        found[losers & (found == CONFLICT)] = DUPLICATE
    return found


class Occurrences:
    """Numbers equal rows of one file: 0 for the first of them, 1 for the second, and so on."""

    def __init__(self) -> None:
        self._seen = SortedKeys()

    def number(self, contents: Words) -> Rows:
        """The number of each row's occurrence in the file so far."""
        order = np.argsort(contents, kind="stable")
        ordered = contents[order]
        first = np.ones(len(ordered), dtype=bool)
        first[1:] = ordered[1:] != ordered[:-1]
        starts = np.flatnonzero(first)
        group = np.cumsum(first) - 1
        _, before = self._seen.look_up(ordered[starts])
        sizes = np.diff(np.append(starts, len(ordered)))
        self._seen.add(ordered[starts], before + sizes.astype(np.uint64))
        numbers = np.arange(len(ordered)) - starts[group] + before[group].astype(np.int64)
        found = np.empty(len(ordered), dtype=np.int64)
        found[order] = numbers
        return found


def occurrence_keys(contents: Words, numbers: Rows) -> Words:
    """Keys of numbered rows; the first occurrence has its content as key."""
    keys: Words = contents
    later = numbers > 0
    if later.any():
        keys = contents.copy()
        keys[later] = mixed(contents[later] + numbers[later].astype(np.uint64) * _NUMBER)
    return keys


def load(files: Sequence[tuple[Path, bool]]) -> list[Words]:
    """Stored runs, mapped and not read.

    Args:
        files: Each with whether its words can be compared; words that cannot are 0, which equals every word.
    """
    runs = []
    for path, is_comparable in files:
        run: Words = np.load(path, mmap_mode="r", allow_pickle=False)
        runs.append(run if is_comparable else np.stack((run[0], np.zeros_like(run[0]))))
    return runs


def save(path: Path, run: Words) -> None:
    """Writes one run."""
    with path.open("wb") as file:
        np.save(file, run, allow_pickle=False)
