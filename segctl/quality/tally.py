"""Bad rows counted by rule over many batches: what a report of a whole source is made from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import polars as pl

from segctl.quality.contract import Verdict

EXAMPLES = 3
MOST_GROUPS = 10_000
RuleKey = tuple[str, str, str]
"""Pointer, keyword, what is expected."""


@dataclass(frozen=True, slots=True)
class Example:
    """One row that breaks a rule."""

    file: str
    line: int
    value: str | None


@dataclass(frozen=True, slots=True)
class RuleCount:
    """A rule with its bad rows.

    Attributes:
        rows: Rows that break it.
        examples: The first of them.
    """

    pointer: str
    keyword: str
    expected: str
    rows: int
    examples: tuple[Example, ...]


@dataclass(slots=True)
class Tally:
    """Counts of one source; examples are the first three, and nothing else of a row is kept.

    Attributes:
        rows: Rows judged.
        bad: Rows that break the contract.
        exact: Rows that the reference decided, by (pointer, keyword) that made it necessary.
        exact_rows: Rows that the reference decided in all.
    """

    rows: int = 0
    bad: int = 0
    exact: dict[tuple[str, str], int] = field(default_factory=dict)
    exact_rows: int = 0
    _counts: dict[RuleKey, int] = field(default_factory=dict)
    _examples: dict[RuleKey, list[Example]] = field(default_factory=dict)
    _told: dict[RuleKey, int] = field(default_factory=dict)
    _told_examples: dict[RuleKey, list[Example]] = field(default_factory=dict)
    _together: dict[tuple[tuple[str, str], ...], int] = field(default_factory=dict)

    def count(self, rows: int) -> None:
        """Rows without a contract."""
        self.rows += rows

    def add(self, verdict: Verdict, lines: pl.Series, file: str, rows: int) -> None:
        """Take the verdict about a batch whose rows stand on these lines."""
        self.rows += rows
        self.bad += int(verdict.bad.sum())
        self.exact_rows += verdict.exact_rows
        for key, left in verdict.exact.items():
            self.exact[key] = self.exact.get(key, 0) + left
        if verdict.reasons.is_empty():
            return
        _count(verdict.reasons, lines, file, self._counts, self._examples)
        self._group(verdict.reasons)

    def add_told(self, reasons: pl.DataFrame, lines: pl.Series, file: str) -> None:
        """Breaches that make no row bad."""
        if reasons.height:
            _count(reasons, lines, file, self._told, self._told_examples)

    def add_unread(self, records: Iterable[tuple[int, str, str]], file: str = "") -> None:
        """Records that are no rows: line, what is wrong and what is expected."""
        for line, said, expected in records:
            self.rows += 1
            self.bad += 1
            key = ("", "readable", f"{expected} ({said})")
            self._counts[key] = self._counts.get(key, 0) + 1
            known = self._examples.setdefault(key, [])
            if len(known) < EXAMPLES:
                known.append(Example(file, line, None))

    def add_typed(self, bad: pl.DataFrame, file: str) -> None:
        """Bad rows with the reasons of contract and types: ``row``, ``line``, ``reasons``; those of types are new."""
        if bad.is_empty():
            return
        flat = bad.select("row", "line", reason="reasons").explode("reason").unnest("reason")
        broken = flat.filter(pl.col("keyword").is_not_null())["row"].n_unique()
        self.bad += bad.height - broken
        # What the contract says about a cell is not said again.
        said = flat.filter(pl.col("keyword").is_not_null()).select("row", "column")
        new = flat.filter(pl.col("keyword").is_null()).join(said, on=["row", "column"], how="anti", nulls_equal=True)
        new = new.select("row", "line", "expected", "value", pointer="/" + pl.col("column"), keyword=pl.lit("fits"))
        if new.height:
            positions = new.with_columns(row=pl.int_range(pl.len(), dtype=pl.Int64))
            _count(positions, new["line"], file, self._counts, self._examples)

    def _group(self, reasons: pl.DataFrame) -> None:
        rule = pl.struct("pointer", "keyword").unique().sort()
        groups = reasons.group_by("row").agg(rules=rule).group_by("rules").agg(rows=pl.len())
        for rules, rows in groups.iter_rows():
            key = tuple((rule["pointer"], rule["keyword"]) for rule in rules)
            if key in self._together or len(self._together) < MOST_GROUPS:
                self._together[key] = self._together.get(key, 0) + rows

    def rules(self) -> list[RuleCount]:
        """Broken rules, those with most rows first."""
        return _ordered(self._counts, self._examples)

    def told(self) -> list[RuleCount]:
        """Broken rules that are told only, likewise."""
        return _ordered(self._told, self._told_examples)

    def together(self) -> list[tuple[tuple[tuple[str, str], ...], int]]:
        """Groups of rules that fail in the same rows, as (pointer, keyword), the most frequent first."""
        several = [(key, rows) for key, rows in self._together.items() if len(key) > 1]
        return sorted(several, key=lambda item: (-item[1], item[0]))


def _count(
    reasons: pl.DataFrame, lines: pl.Series, file: str, counts: dict[RuleKey, int], known: dict[RuleKey, list[Example]]
) -> None:
    """Add reasons to counts and first examples."""
    first = pl.struct("row", "value").head(EXAMPLES)
    counted = reasons.group_by("pointer", "keyword", "expected", maintain_order=True).agg(
        rows=pl.col("row").n_unique(), first=first
    )
    for pointer, keyword, expected, rows, examples in counted.iter_rows():
        key = (pointer, keyword, expected)
        counts[key] = counts.get(key, 0) + rows
        shown = known.setdefault(key, [])
        for each in examples[: EXAMPLES - len(shown)]:
            shown.append(Example(file, int(lines[each["row"]]), each["value"]))


def _ordered(counts: dict[RuleKey, int], examples: dict[RuleKey, list[Example]]) -> list[RuleCount]:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [RuleCount(*key, rows, tuple(examples[key])) for key, rows in ordered]
