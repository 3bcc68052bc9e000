"""Which records were seen before: 64-bit keys in sorted runs, in memory and on disk."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from segctl.connectors.fingerprints import Words, mixed

Rows = npt.NDArray[np.int64]
Truths = npt.NDArray[np.bool_]

NEW, DUPLICATE, CONFLICT = 0, 1, 2
MEMORY_KEYS = 4_000_000
"""Keys that stay in memory (16 bytes each); beyond, a run goes to disk."""
SIEVE_ROWS = 2_000_000
SIEVE_ASKED = 500_000
"""A sieve costs one reading of all runs on disk, so it waits for that many questions about that many keys."""
SIEVE_BYTES = 384 * 1024 * 1024
"""Enough for 268 million keys with one in a hundred looked up in vain."""
_SIEVE_BITS = 12
_SLICE = 1 << 20
_NUMBER = np.uint64(0xA24BAED4963EE407)


@dataclass(slots=True)
class Run:
    """Keys in ascending order with a word each.

    Attributes:
        path: Its file, None while it is in memory only.
        is_comparable: Whether the words mean the same as those made today; else each comes as 0.
        mapping: The mapped file, whose pages can be given back.
    """

    keys: Words
    words: Words
    path: Path | None = None
    is_comparable: bool = True
    mapping: mmap.mmap | None = None

    def release(self) -> None:
        """Give the mapped pages back, so that looking through a large file does not fill the memory."""
        if self.mapping is not None and hasattr(self.mapping, "madvise"):
            self.mapping.madvise(mmap.MADV_DONTNEED)


class SortedKeys:
    """Keys with a word each, in sorted runs; the newest word of a key counts.

    Most keys asked for are new, and one sieve says so of all runs. Runs that were stored before are in it once they
    were asked for often enough to pay for the reading. Runs in memory are merged only once searching them one by one
    has cost as much as merging does.

    Args:
        stored: Runs on disk, in the order they were stored.
        new_path: Where runs go that outgrow memory; None keeps all in memory.
    """

    def __init__(self, stored: Sequence[Run] = (), new_path: Callable[[], Path] | None = None) -> None:
        self._stored = list(stored)
        self._spilled: list[Run] = []
        self._new_path = new_path
        self._asked = 0
        self._runs: list[Run] = []
        self._aside: list[Run] = []
        self._aside_at = 0
        self._searched = 0
        self._knows_stored = not any(len(run.keys) for run in self._stored)
        # Its room is asked for at once: memory that nothing is written to costs nothing, and growing costs every key.
        self._sieve = Sieve(MEMORY_KEYS)

    def look_up(self, keys: Words) -> tuple[Truths, Words]:
        """Whether each key is there, and its word (0 when it cannot be compared); `keys` are sorted."""
        is_there = np.zeros(len(keys), dtype=bool)
        words = np.zeros(len(keys), dtype=np.uint64)
        self._asked += len(keys)
        self._take_stored()
        chosen = np.flatnonzero(self._sieve.may_hold(keys))
        self._searched += len(chosen) * max(len(self._runs) - 1, 0)
        if self._searched > sum(len(run.keys) for run in self._runs):
            self._runs, self._searched = [self.in_memory()], 0
        for run in reversed(self._runs):
            _search(run, keys, chosen, is_there, words)
        for run in reversed(self._spilled[self._aside_at :]):
            _search(run, keys, chosen, is_there, words, is_on_disk=True)
        for run in reversed(self._aside):
            _search(run, keys, chosen, is_there, words)
        for run in reversed(self._spilled[: self._aside_at]):
            _search(run, keys, chosen, is_there, words, is_on_disk=True)
        if not self._knows_stored:
            chosen = np.arange(len(keys))
        for run in reversed(self._stored):
            _search(run, keys, chosen, is_there, words, is_on_disk=True)
        return is_there, words

    def _take_stored(self) -> None:
        """Put the stored runs into the sieve when that is worth reading them."""
        if self._knows_stored or self._asked <= SIEVE_ASKED:
            return
        if sum(len(run.keys) for run in self._stored) > SIEVE_ROWS:
            self._knows_stored = True
            self._renew_sieve()

    def _renew_sieve(self) -> None:
        # First the old one goes: both together would be the largest thing in memory.
        del self._sieve
        stored = self._stored if self._knows_stored else []
        self._sieve = Sieve.of([*stored, *self._spilled, *self._aside, *self._runs], room=MEMORY_KEYS)

    def add(self, keys: Words, words: Words) -> None:
        """Adds keys, each at most once per call."""
        if not len(keys):
            return
        if not (keys[1:] > keys[:-1]).all():
            order = np.argsort(keys)
            keys, words = keys[order], words[order]
        self._runs.append(Run(keys, words))
        self._sieve.add(keys)
        if self._sieve.is_full:
            self._renew_sieve()
        if self._new_path is not None and sum(len(run.keys) for run in self._runs) >= MEMORY_KEYS:
            self._spill()

    def know_stored(self) -> None:
        """Puts the stored runs into the sieve now, for one who will ask few at a time but for long."""
        if not self._knows_stored:
            self._knows_stored = True
            self._renew_sieve()

    def set_aside(self) -> list[Run]:
        """What is in memory, the oldest first, for somebody who puts it on disk; until `placed` it is known here."""
        self._aside, self._aside_at = self._runs, len(self._spilled)
        self._runs, self._searched = [], 0
        return self._aside

    def placed(self, runs: Sequence[Run], instead_of: Collection[Path] = ()) -> None:
        """What was set aside is on disk now.

        Args:
            runs: On disk.
            instead_of: Of earlier runs that these hold as well; no other was set on disk after them.
        """
        if instead_of:
            self.know_stored()
        before = [run for run in self._spilled[: self._aside_at] if run.path not in instead_of]
        self._stored = [run for run in self._stored if run.path not in instead_of]
        self._spilled = [*before, *runs, *self._spilled[self._aside_at :]]
        self._aside, self._aside_at = [], 0

    def _spill(self) -> None:
        assert self._new_path is not None, "only runs with a place are spilled"
        path = self._new_path()
        run = self.in_memory()
        save(path, run)
        self._runs, self._searched = [], 0
        self._spilled.append(load(path, len(run.keys)))

    def in_memory(self) -> Run:
        """What was added and is on no disk yet, as one run."""
        return merged(reversed(self._runs))

    @property
    def spilled(self) -> list[Run]:
        """Runs that outgrew memory, each with its file."""
        return self._spilled

    def discard(self) -> None:
        """Deletes the files of spilled runs, for keys that are of no use later."""
        for run in self._spilled:
            if run.path is not None:
                run.path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Keys, which words of the sieve are theirs, their bits in them, and what stands there."""

    keys: Words
    places: Words
    bits: Words
    found: Words


class Sieve:
    """Says of most keys that they are not there: a Bloom filter with one word of 64 bits for each key.

    Sorted keys go through it in order, so even a sieve of hundreds of megabytes is read like a tape. It never takes
    more than `SIEVE_BYTES`; beyond what that is made for, it lets ever more through.
    """

    def __init__(self, capacity: int) -> None:
        words = min(max(1024, capacity * _SIEVE_BITS // 64), SIEVE_BYTES // 8)
        self._words = np.zeros(words, dtype=np.uint64)
        self._size = np.uint64(words)
        self._room = words * 64 // _SIEVE_BITS
        self._may_grow = words < SIEVE_BYTES // 8
        self._asked: _Asked | None = None

    @classmethod
    def of(cls, runs: Sequence[Run], *, room: int = 0) -> Sieve:
        """A sieve of all their keys, with room for twice as many again, or for `room` if that is more."""
        sieve = cls(max(room, 3 * sum(len(run.keys) for run in runs)))
        for run in runs:
            for start in range(0, len(run.keys), _SLICE):
                sieve.add(np.array(run.keys[start : start + _SLICE]))
                run.release()
        return sieve

    @property
    def is_full(self) -> bool:
        """More keys are in it than it was made for, and a larger one would do better."""
        return self._may_grow and self._room < 0

    def add(self, keys: Words) -> None:
        """Adds sorted keys."""
        if not len(keys):
            return
        # Most keys that are added were asked for just before.
        asked, self._asked = self._asked, None
        if asked is None or asked.keys is not keys:
            asked = self._look(keys)
        places = asked.places
        starts = np.flatnonzero(np.concatenate(([True], places[1:] != places[:-1])))
        if len(starts) == len(keys):
            self._words[places] = asked.found | asked.bits
        else:
            self._words[places[starts]] = asked.found[starts] | np.bitwise_or.reduceat(asked.bits, starts)
        self._room -= len(keys)

    def may_hold(self, keys: Words) -> Truths:
        """False for keys that were surely never added."""
        self._asked = self._look(keys)
        found: Truths = (self._asked.found & self._asked.bits) == self._asked.bits
        return found

    def _look(self, keys: Words) -> _Asked:
        places, bits = self._places(keys), _sieve_bits(keys)
        return _Asked(keys, places, bits, self._words[places])

    def _places(self, keys: Words) -> Words:
        # Sorted keys get sorted places, for any number of words.
        half = np.uint64(32)
        places: Words = ((keys >> half) * self._size) >> half
        return places


def _sieve_bits(keys: Words) -> Words:
    """Three bits of each key's word, made in two arrays: fresh ones would cost more than the arithmetic."""
    one, low, six = np.uint64(1), np.uint64(63), np.uint64(6)
    part: Words = keys & low
    bits: Words = one << part
    for shift in (six, six + six):
        np.right_shift(keys, shift, out=part)
        part &= low
        np.left_shift(one, part, out=part)
        bits |= part
    return bits


def _search(run: Run, keys: Words, chosen: Rows, is_there: Truths, words: Words, *, is_on_disk: bool = False) -> None:
    """Fill in the chosen keys that a run holds and no newer one did."""
    chosen = chosen[~is_there[chosen]]
    wanted = keys[chosen]
    if not len(run.keys) or not len(wanted):
        return
    at = np.minimum(np.searchsorted(run.keys, wanted), len(run.keys) - 1)
    hit = run.keys[at] == wanted
    if hit.any():
        found = chosen[hit]
        is_there[found] = True
        words[found] = run.words[at[hit]] if run.is_comparable else 0
    if is_on_disk:
        run.release()


def merged(runs: Iterable[Run]) -> Run:
    """One run of several, the newest first."""
    parts = list(runs)
    if not parts:
        return Run(np.empty(0, np.uint64), np.empty(0, np.uint64))
    if len(parts) == 1 and parts[0].is_comparable:
        return Run(np.asarray(parts[0].keys), np.asarray(parts[0].words))
    keys = np.concatenate([run.keys for run in parts])
    words = np.concatenate([run.words if run.is_comparable else np.zeros_like(run.words) for run in parts])
    order = _sorting(keys)
    keys, words = keys[order], words[order]
    first = np.ones(len(keys), dtype=bool)
    first[1:] = keys[1:] != keys[:-1]
    return Run(keys, words) if first.all() else Run(keys[first], words[first])


def classify(index: SortedKeys, keys: Words, contents: Words, *, replaces: bool = False) -> npt.NDArray[np.uint8]:
    """A code for each row: NEW, DUPLICATE or CONFLICT; rows that count are added to the index.

    Args:
        index: Keys of earlier rows with the fingerprint of their content.
        keys: What identifies each row.
        contents: Fingerprint of the rest of it: same key with other content is a conflict.
        replaces: A conflicting row takes the place of the earlier one, and the last of a batch counts.
    """
    order = _sorting(keys)
    ordered, content = keys[order], contents[order]
    if bool((ordered[1:] > ordered[:-1]).all()):
        known, known_content = index.look_up(ordered)
        if not known.any():
            index.add(ordered, content)
            return np.full(len(keys), NEW, dtype=np.uint8)
    first = np.ones(len(keys), dtype=bool)
    first[1:] = ordered[1:] != ordered[:-1]
    group = np.cumsum(first) - 1
    counted = np.flatnonzero(first)
    if replaces and len(counted):
        counted = np.append(counted[1:], len(keys)) - 1
    known, known_content = index.look_up(ordered[counted])
    codes = np.where(content == content[counted][group], DUPLICATE, CONFLICT).astype(np.uint8)
    # Of a content that cannot be compared the known row stays, unless newer rows are meant to count.
    same = (known_content == content[counted]) | ((known_content == 0) & (not replaces))
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


def _sorting(keys: Words) -> Rows:
    """Positions in order of keys; equal keys stay in the order of their rows."""
    order = np.argsort(keys)
    ordered = keys[order]
    # Sorting without that promise is several times faster, and most batches have no equal keys.
    return order if (ordered[1:] > ordered[:-1]).all() else np.argsort(keys, kind="stable")


class Occurrences:
    """Numbers equal rows of one file: 0 for the first of them, 1 for the second, and so on."""

    def __init__(self, new_path: Callable[[], Path] | None = None) -> None:
        self._seen = SortedKeys(new_path=new_path)

    def discard(self) -> None:
        """Deletes what was spilled."""
        self._seen.discard()

    def number(self, contents: Words) -> Rows:
        """The number of each row's occurrence in the file so far."""
        order = _sorting(contents)
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


def load(path: Path, rows: int, *, is_comparable: bool = True) -> Run:
    """A stored run, mapped and not read."""
    with path.open("rb") as file:
        mapping = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    both: Words = np.frombuffer(mapping, dtype="<u8")
    return Run(both[:rows], both[rows:], path, is_comparable, mapping)


def save(path: Path, run: Run) -> None:
    """Writes one run: its keys, then its words."""
    with path.open("wb") as file:
        file.write(np.ascontiguousarray(run.keys, dtype="<u8").data)
        file.write(np.ascontiguousarray(run.words, dtype="<u8").data)
