"""Columns of a frame in memory as arrays, made when they are first asked for and continued when the frame has grown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FEW = 200
"""So few values are gone through one by one: filling is a query of its own."""


class Growing:
    """An array with room for more.

    Attributes:
        length: How much of it counts.
    """

    def __init__(self, dtype: Any) -> None:  # noqa: ANN401 - what arrays are made of
        self._room: NDArray[Any] = np.zeros(0, dtype)
        self.length = 0

    def add(self, more: NDArray[Any]) -> None:
        """Takes further values."""
        needed = self.length + len(more)
        if needed > len(self._room):
            # What stays as it is needs no room for more.
            room = np.zeros(2 * needed if self.length else needed, self._room.dtype)
            room[: self.length] = self._room[: self.length]
            self._room = room
        self._room[self.length : needed] = more
        self.length = needed

    def of(self, rows: NDArray[np.int64]) -> NDArray[Any]:
        """Values at positions."""
        found: NDArray[Any] = self._room[rows]
        return found


class Texts:
    """Texts with a code each; 0 is none."""

    def __init__(self) -> None:
        self.texts: list[str | None] = [None]
        self._codes: dict[str | None, int] = {None: 0}

    def codes(self, values: pl.Series) -> NDArray[np.int64]:
        """The codes of some texts; new ones get the next."""
        if len(values) < _FEW:
            return np.array([self._code(value) for value in values.to_list()], np.int64)
        different = values.unique()
        codes = pl.Series([self._code(value) for value in different.to_list()], dtype=pl.Int64)
        return values.replace_strict(different, codes, return_dtype=pl.Int64).to_numpy()

    def _code(self, text: str | None) -> int:
        code = self._codes.setdefault(text, len(self.texts))
        if code == len(self.texts):
            self.texts.append(text)
        return code


class FrameColumns:
    """Columns of a frame that only ever grows at its end."""

    def __init__(self) -> None:
        self._numbers: dict[str, tuple[Growing, Growing]] = {}
        self._missing: dict[str, bool] = {}
        self._coded: dict[str, tuple[Growing, Texts]] = {}

    def numbers(
        self, frame: pl.DataFrame, name: str, rows: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_] | None]:
        """Whole numbers, days, instants or booleans at positions, and which are there; None for all."""
        values, present = self._numbers.setdefault(name, (Growing(np.int64), Growing(np.bool_)))
        if values.length < frame.height:
            new = frame.get_column(name)[values.length :].to_physical().cast(pl.Int64)
            self._missing[name] = bool(new.null_count()) or self._missing.get(name, False)
            for array, more in zip((values, present), _filled(new), strict=True):
                array.add(more)
        return values.of(rows), present.of(rows) if self._missing[name] else None

    def codes(
        self, frame: pl.DataFrame, name: str, rows: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], list[str | None]]:
        """Codes of texts at positions, and the texts by code."""
        codes, texts = self._coded.setdefault(name, (Growing(np.int64), Texts()))
        if codes.length < frame.height:
            codes.add(texts.codes(frame.get_column(name)[codes.length :]))
        return codes.of(rows), texts.texts


def _filled(values: pl.Series) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Numbers with 0 for what is missing, and which are there."""
    if not values.null_count():
        return values.to_numpy(), np.ones(len(values), np.bool_)
    if len(values) < _FEW:
        known = values.to_list()
        return np.array([value or 0 for value in known], np.int64), np.array([value is not None for value in known])
    return values.fill_null(0).to_numpy(), values.is_not_null().to_numpy()
