"""64-bit fingerprints of values, whole columns at a time and the same for ever.

They are stored (record digests, event ids, key indexes), so they must not change with a library's version:
that is why neither polars' nor Python's own hashes serve. Texts are mixed eight bytes at a time.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import polars as pl

from segctl.connectors.fixed_texts import byte_table, pieces, word_at

Words = npt.NDArray[np.uint64]

_MULTIPLY = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_MISSING = np.uint64(0xD6E8FEB86659FD93)
_SHIFT_30, _SHIFT_27, _SHIFT_31, _SHIFT_32 = (np.uint64(n) for n in (30, 27, 31, 32))
_WORD = 8
_SAMPLE = 2_000
_LONG_WORDS = 32
"""Texts beyond 256 bytes are mixed one by one with a library hash: few are, and they would cost a round each."""


def mixed(words: Words) -> Words:
    """Each word scrambled (the finisher of SplitMix64): near numbers give far fingerprints."""
    words = (words ^ (words >> _SHIFT_30)) * _MIX_1
    words = (words ^ (words >> _SHIFT_27)) * _MIX_2
    return words ^ (words >> _SHIFT_31)


def combined(columns: Iterable[pl.Series], rows: int, *, seed: int = 0) -> Words:
    """One fingerprint a row over several columns; order of columns matters, null differs from empty."""
    marks = [fingerprints(column) for column in columns]
    return folded(marks, seed=seed) if marks else np.full(rows, seed, dtype=np.uint64)


def folded(marks: list[Words], *, seed: int) -> Words:
    """Fingerprints of several columns as one; another seed gives another one of the same columns."""
    state = np.full(len(marks[0]), seed, dtype=np.uint64)
    for mark in marks:
        state = mixed(state * _MULTIPLY + mark)
    return state


def fingerprints(column: pl.Series) -> Words:
    """One fingerprint a value."""
    dtype = column.dtype
    if dtype == pl.String:
        words = _of_texts(column)
    elif dtype.is_nested():
        words = _of_nested(column)
    elif dtype == pl.Boolean:
        words = mixed(column.fill_null(value=False).cast(pl.UInt64).to_numpy() + np.uint64(1))
    elif dtype.is_float():
        words = mixed((column.cast(pl.Float64).fill_null(0.0) + 0.0).to_numpy().view(np.uint64))
    elif dtype == pl.UInt64:
        words = mixed(column.fill_null(0).to_numpy())
    else:
        words = mixed(column.to_physical().cast(pl.Int64).fill_null(0).to_numpy().view(np.uint64))
    if column.null_count():
        words = np.where(column.is_null().to_numpy(), _MISSING, words)
    return words


def _of_nested(column: pl.Series) -> Words:
    if isinstance(column.dtype, pl.Struct):
        inner = [column.struct.field(field.name) for field in column.dtype.fields]
        return combined(inner, len(column), seed=len(inner))
    wrapped = column.rename("v").to_frame().to_struct("s")
    return _of_texts(wrapped.struct.json_encode())


def _of_texts(column: pl.Series) -> Words:
    # Looking for repeats costs more than mixing; where the first rows have few, as ids do, nobody looks.
    sample = column.head(_SAMPLE)
    if sample.n_unique() * 2 > len(sample):
        return _mixed_texts(column)
    distinct = column.unique()
    if len(distinct) * 4 > len(column):
        return _mixed_texts(column)
    marks = pl.Series(_mixed_texts(distinct), dtype=pl.UInt64)
    pairs = pl.DataFrame({"text": distinct, "mark": marks})
    found = pl.DataFrame({"text": column}).join(pairs, on="text", how="left", maintain_order="left", nulls_equal=True)
    return found["mark"].to_numpy()


def _mixed_texts(column: pl.Series) -> Words:
    table = byte_table(column)
    return _mixed_ragged(column) if table is None else _mixed_table(table)


def _mixed_table(table: npt.NDArray[np.uint8]) -> Words:
    """What `_mixed_ragged` gives for texts of one length."""
    height, width = table.shape
    found = np.empty(height, dtype=np.uint64)
    begin = mixed(np.full(1, width, dtype=np.uint64) + _MULTIPLY)
    for rows, piece in pieces(table):
        state = begin
        for position in range(0, width, _WORD):
            part = (state ^ word_at(piece, position)) * _MULTIPLY
            state = part ^ (part >> _SHIFT_32)
        found[rows] = mixed(state)
    return found


def _mixed_ragged(column: pl.Series) -> Words:
    lengths = column.str.len_bytes().fill_null(0).cast(pl.Int64).to_numpy()
    joined = str(column.fill_null("").str.join("").item() or "").encode()
    buffer = np.frombuffer(joined + bytes(_WORD), dtype=np.uint8)
    # A view of eight-byte words that starts at every byte: reading one costs a gather, not a copy.
    words = np.ndarray((len(buffer) - _WORD + 1,), dtype="<u8", buffer=buffer, strides=(1,))
    starts = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(lengths)[:-1])) if len(lengths) else lengths
    state = mixed(lengths.astype(np.uint64) + _MULTIPLY)
    least, most = (int(lengths.min()), int(lengths.max())) if len(lengths) else (0, 0)
    active: npt.NDArray[np.int64] | slice = slice(None)
    for position in range(0, min(most, _LONG_WORDS * _WORD), _WORD):
        # While every text goes on, as ids of one form do, nothing has to be picked out.
        if position >= least:
            active = np.flatnonzero(lengths > position)
        remaining = np.minimum(lengths[active] - position, _WORD)
        found = words[starts[active] + position] & _MASKS[remaining]
        part = (state[active] ^ found) * _MULTIPLY
        state[active] = part ^ (part >> _SHIFT_32)
    if most > _LONG_WORDS * _WORD:
        _add_long(state, lengths, starts, joined)
    return mixed(state)


_MASKS = np.array([(1 << (8 * n)) - 1 for n in range(_WORD + 1)], dtype=np.uint64)


def _add_long(state: Words, lengths: npt.NDArray[np.int64], starts: npt.NDArray[np.int64], joined: bytes) -> None:
    from hashlib import blake2b

    for row in np.flatnonzero(lengths > _LONG_WORDS * _WORD).tolist():
        rest = joined[starts[row] + _LONG_WORDS * _WORD : starts[row] + lengths[row]]
        state[row] ^= np.uint64(int.from_bytes(blake2b(rest, digest_size=8).digest(), "little"))
