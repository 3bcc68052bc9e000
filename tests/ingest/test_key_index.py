"""Keys in memory and on disk give the answers of a plain dictionary."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from segctl.connectors import key_index
from segctl.connectors.fingerprints import combined, fingerprints, mixed
from segctl.connectors.key_index import CONFLICT, DUPLICATE, NEW, Occurrences, Run, Sieve, SortedKeys, classify

import polars as pl  # isort: skip


def naive(known: dict[int, int], keys: list[int], contents: list[int], *, replaces: bool) -> list[int]:
    """Row by row; with `replaces` only the last row of a key in a batch counts."""
    codes = []
    for i, (key, content) in enumerate(zip(keys, contents, strict=True)):
        if replaces and key in keys[i + 1 :]:
            codes.append(DUPLICATE)
        elif key not in known:
            known[key] = content
            codes.append(NEW)
        elif known[key] == content:
            codes.append(DUPLICATE)
        else:
            codes.append(CONFLICT)
            if replaces:
                known[key] = content
    return codes


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("replaces", [False, True])
def test_codes_are_those_of_a_dictionary_however_often_memory_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, replaces: bool
) -> None:
    monkeypatch.setattr(key_index, "MEMORY_KEYS", 40)
    monkeypatch.setattr(key_index, "SIEVE_ROWS", 20 if seed % 2 else 10**9)
    monkeypatch.setattr(key_index, "SIEVE_ASKED", 10)
    rng = np.random.default_rng(seed)
    numbers = itertools.count()
    index = SortedKeys(new_path=lambda: tmp_path / f"{next(numbers)}.keys")
    known: dict[int, int] = {}
    for _ in range(30):
        keys = mixed(rng.integers(0, 400, 25).astype(np.uint64))
        contents = rng.integers(1, 3, 25).astype(np.uint64)

        codes = classify(index, keys, contents, replaces=replaces)

        expected = naive(known, keys.tolist(), contents.tolist(), replaces=replaces)
        same = [int(code) for code in codes]
        if replaces:  # rows that lose inside a batch are duplicates whatever they say
            same = [
                DUPLICATE if key in keys.tolist()[i + 1 :] else code
                for i, (key, code) in enumerate(zip(keys.tolist(), same, strict=True))
            ]
        assert same == expected
    assert len(index.spilled) > 2


def test_a_stored_run_is_found_again_and_old_words_compare_with_everything(tmp_path: Path) -> None:
    keys = np.sort(mixed(np.arange(1000, dtype=np.uint64)))
    key_index.save(tmp_path / "a.keys", Run(keys, keys | np.uint64(1)))
    fresh = key_index.load(tmp_path / "a.keys", 1000)
    old = key_index.load(tmp_path / "a.keys", 1000, is_comparable=False)
    other = np.full(10, 7, dtype=np.uint64)

    assert set(classify(SortedKeys([fresh]), keys[:10].copy(), other).tolist()) == {CONFLICT}
    assert set(classify(SortedKeys([old]), keys[:10].copy(), other).tolist()) == {DUPLICATE}


def test_a_correction_counts_where_old_words_cannot_be_compared(tmp_path: Path) -> None:
    keys, word = np.array([5], dtype=np.uint64), np.array([7], dtype=np.uint64)
    key_index.save(tmp_path / "a.keys", Run(keys, word))
    index = SortedKeys([key_index.load(tmp_path / "a.keys", 1, is_comparable=False)])

    assert [classify(index, keys, word, replaces=True)[0] for _ in range(2)] == [CONFLICT, DUPLICATE]


def test_a_sieve_never_loses_a_key_and_lets_few_strangers_through() -> None:
    keys = np.sort(mixed(np.arange(200_000, dtype=np.uint64)))
    strangers = np.sort(mixed(np.arange(10**6, 10**6 + 100_000, dtype=np.uint64)))

    sieve = Sieve.of([Run(keys, keys)])

    assert sieve.may_hold(keys).all()
    assert sieve.may_hold(strangers).mean() < 0.02


def test_a_sieve_keeps_within_its_bytes_and_still_loses_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_index, "SIEVE_BYTES", 64 * 1024)
    keys = np.sort(mixed(np.arange(200_000, dtype=np.uint64)))

    sieve = Sieve.of([Run(keys, keys)])

    assert sieve._words.nbytes == 64 * 1024
    assert not sieve.is_full
    assert sieve.may_hold(keys).all()


def test_a_fuller_sieve_is_made_when_the_old_one_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("MEMORY_KEYS", 2000), ("SIEVE_ROWS", 1000), ("SIEVE_ASKED", 100)):
        monkeypatch.setattr(key_index, name, value)
    numbers = itertools.count()
    index = SortedKeys(new_path=lambda: tmp_path / f"{next(numbers)}.keys")
    together: list[object] = []
    original = Sieve.of

    def of(runs: Sequence[Run], *, room: int = 0) -> Sieve:
        if any(run.path for run in runs):
            together.append(getattr(index, "_sieve", None))
        return original(runs, room=room)

    monkeypatch.setattr(Sieve, "of", of)

    for start in range(0, 60_000, 1500):
        keys = mixed(np.arange(start, start + 1500, dtype=np.uint64))
        assert (classify(index, keys, keys) == NEW).all()

    assert len(together) > 2
    assert set(together) == {None}


def test_runs_in_memory_are_merged_once_they_are_searched_a_lot() -> None:
    index = SortedKeys()
    batches = [mixed(np.arange(start, start + 1000, dtype=np.uint64)) for start in range(0, 30_000, 1000)]
    for batch in batches:
        assert (classify(index, batch, batch) == NEW).all()
    apart = len(index._runs)

    for batch in batches[:3]:
        assert (classify(index, batch, batch) == DUPLICATE).all()

    assert (apart, len(index._runs)) == (30, 1)
    assert all((classify(index, batch, batch) == DUPLICATE).all() for batch in batches)


def test_occurrences_go_on_across_batches_and_spills(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_index, "MEMORY_KEYS", 5)
    numbers = itertools.count()
    occurrences = Occurrences(lambda: tmp_path / f"{next(numbers)}.keys")
    rng = np.random.default_rng(3)
    seen: dict[int, int] = {}
    for _ in range(20):
        contents = mixed(rng.integers(0, 9, 7).astype(np.uint64))

        found = occurrences.number(contents).tolist()

        for content, number in zip(contents.tolist(), found, strict=True):
            assert number == seen.get(content, 0)
            seen[content] = number + 1
    occurrences.discard()
    assert not list(tmp_path.iterdir())


def test_fingerprints_are_the_same_for_ever_and_do_not_depend_on_the_batch() -> None:
    texts = pl.Series(["", "a", "ä", "x" * 8, "x" * 9, "y" * 300, None])

    whole = fingerprints(texts)
    single = [int(fingerprints(texts.slice(i, 1))[0]) for i in range(len(texts))]

    assert whole.tolist() == single
    # Stored keys are made of these; if this test fails, every known event would come again.
    assert whole[1] == 16911080020468111772
    assert whole[2] == 11348068763301382316
    repeated = pl.Series(["a", "b"] * 50)  # takes the way through distinct values
    assert fingerprints(repeated).tolist() == [int(fingerprints(pl.Series([t]))[0]) for t in repeated]


def test_fingerprints_tell_null_from_empty_and_columns_apart() -> None:
    rows = pl.DataFrame({"a": ["", None, "x", "xy"], "b": ["x", "x", "y", ""]})

    words = combined(rows.get_columns(), 4)

    assert len(set(words.tolist())) == 4
    assert len(set(fingerprints(pl.Series([f"p{i}" for i in range(100_000)])).tolist())) == 100_000
