"""How many profiles each kind of cause moved, so that `diff` and `history` can tell without opening a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from segctl.operations.causes.words import KINDS, kind_words

if TYPE_CHECKING:
    import polars as pl

    from segctl.model.project import Language

NOTE = "causes"
"""Where a run keeps the counts: segment → ``entered`` or ``left`` → kind → profiles."""
Counts = Mapping[str, Mapping[str, Mapping[str, int]]]


def kind_column(line: str = "cause") -> pl.Expr:
    """The machine word of each line of a column; ``unexplained`` for none."""
    import polars as pl

    kind = pl.lit("unexplained")
    # Longer beginnings are looked for first, so they are wrapped last.
    for name, (words, _) in sorted(KINDS.items(), key=lambda pair: len(pair[1][0])):
        is_it = (pl.col(line) == words) | pl.col(line).str.contains(rf"^{words}[ :(]")
        kind = pl.when(is_it).then(pl.lit(name)).otherwise(kind)
    return kind.alias("cause_kind")


def counted(moves: pl.DataFrame) -> dict[str, dict[str, dict[str, int]]]:
    """Profiles by segment, direction and kind.

    Args:
        moves: ``segment`` (name), ``entered`` and ``cause``.
    """
    found: dict[str, dict[str, dict[str, int]]] = {}
    rows = moves.with_columns(kind_column()).group_by("segment", "entered", "cause_kind").len()
    for segment, entered, kind, number in rows.sort("len", "cause_kind", descending=[True, False]).iter_rows():
        found.setdefault(segment, {}).setdefault("entered" if entered else "left", {})[kind] = number
    return found


def counts_of(note: Mapping[str, object], segment: str, *, entered: int, left: int) -> dict[str, dict[str, int]] | None:
    """A run's counts for one segment, if they are of these moves; None when they are not."""
    kept = note.get(NOTE)
    found = kept.get(segment, {}) if isinstance(kept, dict) else {}
    sums = {change: sum(of.values()) for change, of in found.items()}
    if (sums.get("entered", 0), sums.get("left", 0)) != (entered, left):
        return None
    return {change: _in_order(of) for change, of in found.items()}


def in_words(counts: Mapping[str, int], language: Language = "en") -> str:
    """For instance ``380 event arrived, 32 time passed``."""
    return ", ".join(f"{number:,} {kind_words(kind, language)}" for kind, number in _in_order(counts).items())


def _in_order(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
