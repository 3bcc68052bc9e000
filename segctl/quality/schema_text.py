"""Cells of text, decoded by the contract: number, truth, nothing, or the text itself where it reads as none of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import polars as pl

from segctl.quality.schema_numbers import exact_number
from segctl.quality.schema_refs import pointer
from segctl.quality.schema_slots import EXACT_FLOAT, Alternative, NullMeaning, Slot
from segctl.quality.schema_truth import Truth

TRUE_WORDS = ("true", "t", "yes", "y", "ja", "j", "1", "wahr", "on", "x")
FALSE_WORDS = ("false", "f", "no", "n", "nein", "0", "falsch", "off")
_NUMBER, _TRUTH, _TEXT, _NESTED = "\x00number:", "\x00truth:", "\x00text:", "\x00nested:"


@dataclass(frozen=True, slots=True)
class TextForm:
    """How text columns are written.

    Attributes:
        decimal: The decimal sign.
        thousands: The sign between groups of three digits, None when there is none.
        empty: Texts that stand for an empty cell; a blank cell always does.
        empty_is_null: An empty cell is JSON null everywhere, not only where the contract allows null.
    """

    decimal: str = "."
    thousands: str | None = None
    empty: tuple[str, ...] = ()
    empty_is_null: bool = False


@dataclass(frozen=True, slots=True)
class TextColumns:
    """Decoding of text columns by the types that the contract mentions.

    Attributes:
        types: As `mentioned_types` gives them, by pointer.
        form: How cells are written.
    """

    types: dict[str, frozenset[str]]
    form: TextForm

    def wanted(self, name: str) -> frozenset[str]:
        """Types mentioned for a column; only text without any."""
        return self.types.get(pointer(name), frozenset({"string"}))

    def meaning(self, name: str) -> NullMeaning:
        """What an empty cell of a column is."""
        return "null" if self.form.empty_is_null or "null" in self.wanted(name) else "absent"

    def decode(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame with decoded columns beside those of text, in which blank cells are null."""
        cells = frame.select(self._cell(name).alias(name) for name in frame.columns)
        numbers = cells.select(
            self._number(pl.col(name)).alias(_NUMBER + name) for name in cells.columns if self._reads(name, "number")
        )
        cells = cells.with_columns(numbers.get_columns())
        truths = cells.select(
            self._truth(name, cells.columns).alias(_TRUTH + name)
            for name in frame.columns
            if self._reads(name, "boolean")
        )
        cells = cells.with_columns(truths.get_columns())
        nested = cells.select(
            pl.col(name).str.contains(r"^\s*[\[{]").fill_null(value=False).alias(_NESTED + name)
            for name in frame.columns
            if self._reads(name, "array", "object")
        )
        cells = cells.with_columns(nested.get_columns())
        texts = [self._rest(name, cells.columns) for name in frame.columns]
        return cells.with_columns(text for text in texts if text is not None)

    def _reads(self, name: str, *types: str) -> bool:
        wanted = self.wanted(name)
        return bool(wanted & set(types)) or ("number" in types and "integer" in wanted)

    def _cell(self, name: str) -> pl.Expr:
        text = pl.col(name).cast(pl.String)
        bare = text.str.strip_chars()
        stands = bare != ""
        if self.form.empty:
            stands &= ~bare.is_in(self.form.empty)
        return pl.when(stands).then(text)

    def _number(self, cell: pl.Expr) -> pl.Expr:
        text = cell.str.strip_chars()
        if self.form.thousands is not None:
            text = _without_groups(text, self.form)
        if self.form.decimal != ".":
            has_point = text.str.contains(".", literal=True)
            text = pl.when(~has_point).then(text.str.replace(self.form.decimal, ".", literal=True))
        number = text.cast(pl.Float64, strict=False)
        return pl.when(number.is_finite()).then(number)

    def _truth(self, name: str, columns: list[str]) -> pl.Expr:
        word = pl.col(name).str.strip_chars().str.to_lowercase()
        free = pl.col(_NUMBER + name).is_null() if _NUMBER + name in columns else pl.lit(value=True)
        is_true, is_false = word.is_in(TRUE_WORDS), word.is_in(FALSE_WORDS)
        return pl.when(free & (is_true | is_false)).then(is_true)

    def _rest(self, name: str, columns: list[str]) -> pl.Expr | None:
        """Cells that stay text; None when the whole column does."""
        taken = [pl.col(part + name).is_not_null() for part in (_NUMBER, _TRUTH) if part + name in columns]
        taken += [pl.col(_NESTED + name)] if _NESTED + name in columns else []
        return pl.when(~pl.any_horizontal(taken)).then(pl.col(name)).alias(_TEXT + name) if taken else None

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
            bare = str(pl.select(_without_groups(pl.lit(bare), self.form)).item())
        return exact_number(bare.replace(self.form.decimal, "."))

    def _json(self, name: str, text: str) -> Any:  # noqa: ANN401 - JSON
        try:
            value = json.loads(text, parse_float=exact_number, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            return text
        wanted = "array" if isinstance(value, list) else "object"
        return value if wanted in self.wanted(name) else text


def _without_groups(text: pl.Expr, form: TextForm) -> pl.Expr:
    sign = "\\" + (form.thousands or "") if form.thousands in (".", "'") else form.thousands or ""
    point = "\\." if form.decimal == "." else form.decimal
    grouped = text.str.contains(rf"^[-+]?\d{{1,3}}(?:{sign}\d{{3}})+(?:{point}\d*)?$")
    return pl.when(grouped).then(text.str.replace_all(form.thousands or "", "", literal=True)).otherwise(text)


def _no_constant(name: str) -> object:
    raise ValueError(name)
