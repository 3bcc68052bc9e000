"""Cells of text, decoded by the contract: number, truth, nothing, or the text itself where it reads as none of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

import polars as pl

from segctl.quality.schema_cells import TextForm, numbers_in, standing_cells, truths_in, without_groups
from segctl.quality.schema_numbers import exact_number
from segctl.quality.schema_refs import pointer
from segctl.quality.schema_slots import EXACT_FLOAT, Alternative, NullMeaning, Slot
from segctl.quality.schema_truth import Truth

_NUMBER, _TRUTH, _TEXT, _NESTED = "\x00number:", "\x00truth:", "\x00text:", "\x00nested:"


@dataclass(frozen=True, slots=True)
class TextColumns:
    """Decoding of text columns by the types that the contract mentions.

    Attributes:
        types: As `mentioned_types` gives them, by pointer.
        form: How cells are written.
        formatted: Places of which a `format` is wanted: blanks around a cell there are no part of its value, as they
            are none of an identifier, a number or a time.
    """

    types: dict[str, frozenset[str]]
    form: TextForm
    formatted: frozenset[str] = frozenset()

    def wanted(self, name: str) -> frozenset[str]:
        """Types mentioned for a column; only text without any."""
        return self.types.get(pointer(name), frozenset({"string"}))

    def meaning(self, name: str) -> NullMeaning:
        """What an empty cell of a column is."""
        return "null" if self.form.empty_is_null or "null" in self.wanted(name) else "absent"

    def decode(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame with decoded columns beside those of text, in which blank cells are null."""
        columns = [part for name in frame.columns for part in self._decoded(name, frame[name])]
        return pl.DataFrame(columns)

    def _decoded(self, name: str, text: pl.Series) -> list[pl.Series]:
        cells = standing_cells(text, self.form)
        if pointer(name) in self.formatted:
            cells = cells.str.strip_chars()
        found, taken = [cells], []
        numbers = numbers_in(cells, self.form) if self._reads(name, "number") else None
        if numbers is not None:
            found.append(numbers.alias(_NUMBER + name))
            taken.append(numbers.is_not_null())
        if self._reads(name, "boolean"):
            truths = truths_in(cells, numbers)
            found.append(truths.alias(_TRUTH + name))
            taken.append(truths.is_not_null())
        if self._reads(name, "array", "object"):
            nested = cells.str.contains(r"^\s*[\[{]").fill_null(value=False)
            found.append(nested.alias(_NESTED + name))
            taken.append(nested)
        if taken:
            rest = cells.set(reduce(or_, taken), None)
            found.append(rest.alias(_TEXT + name))
        return found

    def _reads(self, name: str, *types: str) -> bool:
        wanted = self.wanted(name)
        return bool(wanted & set(types)) or ("number" in types and "integer" in wanted)

    def slot(self, name: str, decoded: pl.DataFrame) -> Slot:
        """The slot of a decoded column."""
        cell = pl.col(name)
        kinds: list[Alternative] = []
        doubt: Truth = False
        if _NUMBER + name in decoded.columns:
            number = pl.col(_NUMBER + name)
            kinds.append(Alternative("number", number.is_not_null(), number))
            doubt = (number.abs() >= EXACT_FLOAT).fill_null(value=False)
        if _TRUTH + name in decoded.columns:
            kinds.append(Alternative("boolean", pl.col(_TRUTH + name).is_not_null(), pl.col(_TRUTH + name)))
        if _NESTED + name in decoded.columns:
            nested = pl.col(_NESTED + name)
            doubt = nested if doubt is False else doubt | nested
        text = pl.col(_TEXT + name if _TEXT + name in decoded.columns else name)
        kinds.append(Alternative("string", text.is_not_null(), text))
        present: Truth = cell.is_not_null()
        if self.meaning(name) == "null":
            kinds.append(Alternative("null", cell.is_null()))
            present = True
        return Slot(present, tuple(kinds), doubt, cell)

    def instances(self, decoded: pl.DataFrame, names: list[str], rows: pl.Series) -> list[dict[str, Any]]:
        """The rows as JSON objects: what the contract is about."""
        part = decoded[rows]
        columns = {name: self._values(name, part) for name in names}
        return [{name: values[i][0] for name, values in columns.items() if values[i]} for i in range(part.height)]

    def _values(self, name: str, part: pl.DataFrame) -> list[tuple[Any, ...]]:
        """One tuple per row: the value, or nothing where the property is absent."""
        nothing: tuple[Any, ...] = (None,) if self.meaning(name) == "null" else ()
        is_number = part[_NUMBER + name].is_not_null() if _NUMBER + name in part.columns else None
        truths = part[_TRUTH + name] if _TRUTH + name in part.columns else None
        is_nested = part[_NESTED + name] if _NESTED + name in part.columns else None
        found: list[tuple[Any, ...]] = []
        for i, text in enumerate(part[name].to_list()):
            if text is None:
                found.append(nothing)
            elif is_number is not None and is_number[i]:
                found.append((self._exact(text),))
            elif truths is not None and truths[i] is not None:
                found.append((truths[i],))
            elif is_nested is not None and is_nested[i]:
                found.append((self._json(name, text),))
            else:
                found.append((text,))
        return found

    def _exact(self, text: str) -> Any:  # noqa: ANN401 - JSON
        bare = text.strip()
        if self.form.thousands is not None:
            bare = str(without_groups(pl.Series([bare]), self.form)[0])
        return exact_number(bare.replace(self.form.decimal, "."))

    def _json(self, name: str, text: str) -> Any:  # noqa: ANN401 - JSON
        try:
            value = json.loads(text, parse_float=exact_number, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            return text
        wanted = "array" if isinstance(value, list) else "object"
        return value if wanted in self.wanted(name) else text


def _no_constant(name: str) -> object:
    raise ValueError(name)
