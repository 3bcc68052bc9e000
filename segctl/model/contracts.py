"""What a source promises: a contract for each row, and checks of the whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Literal

from segctl.model.diagnostics import Location

CheckKind = Literal[
    "rows",
    "unique",
    "refers",
    "nulls",
    "values",
    "range",
    "quantile",
    "fresh",
    "monotone",
    "sums",
    "drift",
    "new_values",
]
CheckSeverity = Literal["error", "warn"]
RULE_KEYWORDS = (
    "type", "enum", "const", "format", "pattern", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum",
    "exclusiveMaximum", "multipleOf", "required", "additionalProperties", "unevaluatedProperties", "propertyNames",
    "minProperties", "maxProperties", "minItems", "maxItems", "uniqueItems", "contains", "unevaluatedItems", "anyOf",
    "oneOf", "not", "false",
)  # fmt: skip
"""Rules of a contract by the keyword that reports give them."""


@dataclass(frozen=True, slots=True)
class ContractDeclaration:
    """A JSON Schema that every row of a source keeps.

    Attributes:
        schema: JSON text.
        formats: `format` asserts.
        empty_is_null: An empty cell is JSON null everywhere, not only where the contract allows null.
        only_told: Rules whose breach is counted and told, while the row is taken: JSON Pointer into the row, and the
            keyword or None for all rules of the place.
        keeps_new_columns: A property that `additionalProperties: false` forbids is told, but its rows are kept.
        places: JSON pointer into the schema → where it is written.
    """

    schema: str
    formats: bool = True
    empty_is_null: bool = False
    keeps_new_columns: bool = False
    only_told: tuple[tuple[str, str | None], ...] = field(default=(), repr=False)
    places: Mapping[str, Location] = field(default_factory=dict, compare=False, repr=False)

    def place(self, pointer: str) -> Location | None:
        """Where a part of the schema is written; the nearest part around it when it has no place of its own."""
        while pointer and pointer not in self.places:
            pointer = pointer.rpartition("/")[0]
        return self.places.get(pointer)


@dataclass(frozen=True, slots=True)
class Check:
    """One check of all rows of a source together.

    Attributes:
        kind: What is looked at.
        columns: Columns it is about.
        low: Inclusive lower bound; a share stands as 0-1.
        high: Inclusive upper bound.
        change: Largest relative change since the last run, as 0-1.
        values: Allowed values, as text.
        quantile: Which one, in (0, 1).
        within: Largest age of the newest time.
        other: The source and column that hold the keys.
        total: Columns whose sum must be the same.
        severity: `error` refuses the source, `warn` only tells.
    """

    kind: CheckKind
    columns: tuple[str, ...] = ()
    low: Decimal | None = None
    high: Decimal | None = None
    change: Decimal | None = None
    values: tuple[str, ...] = ()
    quantile: Decimal | None = None
    within: timedelta | None = None
    other: tuple[str, str] | None = None
    total: tuple[str, ...] = ()
    severity: CheckSeverity = "error"
    location: Location | None = field(default=None, compare=False, repr=False)

    @property
    def name(self) -> str:
        """What it is called in reports, and in what is remembered for the next run."""
        parts = [*self.columns, *([f"q{self.quantile}"] if self.quantile is not None else [])]
        parts += [f"-> {self.other[0]}.{self.other[1]}"] if self.other else []
        return f"{self.kind} {', '.join(parts)}".strip()
