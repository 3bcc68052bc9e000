"""Who would join after an undo only because the undone profile no longer holds them back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import product
from typing import TYPE_CHECKING

from segctl.operations.progress import Silent

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from segctl.identity.resolve import Decisions
    from segctl.model.project import Project
    from segctl.operations.dedupe.decisions import Decided
    from segctl.operations.identity_input import Known
    from segctl.state.workspace import Workspace

_ROUNDS = 20
"""Keeping one apart may free the next; each round recognises everybody once, without recording anything."""


def freed(
    project: Project,
    workspace: Workspace,
    before: pl.Series,
    array: pl.Series,
    pairs: Sequence[Decided],
    *,
    now: datetime,
) -> list[tuple[int, int]]:
    """Pairs of profiles that the next `dedupe` would join although they were held apart before the undo.

    Only links on record as held count: what new rows join is none of the undo's business.

    Args:
        project: With its rules.
        workspace: Open.
        before: Subject → owner of its profile before the undo.
        array: The same after it.
        pairs: What the undo decides anyway.
        now: Records that hold only later do not count.
    """
    from segctl.operations.dedupe.dedupe import decided
    from segctl.operations.identity_input import known

    held = _held_from_undone(workspace, before, array)
    if not held:
        return []
    everything = known(project, workspace, now=now)
    # What would be joined without the undo, too, is due to rows that came since.
    held -= _joined(everything, decided(workspace), before, before, held).keys()
    found: dict[tuple[int, int], None] = {}
    for _ in range(_ROUNDS):
        further: list[Decided] = [*pairs, *((a, b, "cannot", None, None) for a, b in found)]
        joined = _joined(everything, decided(workspace, further), before, array, held)
        fresh = {pair: None for parts in joined.values() for pair in parts if pair not in found}
        if not fresh:
            break
        found |= fresh
    return sorted(found)


def _held_from_undone(workspace: Workspace, before: pl.Series, array: pl.Series) -> set[tuple[int, int]]:
    """Profiles before the undo, two and two, that a limit kept from joining; one of them is undone."""
    import polars as pl

    from segctl.state.identity import HELD, stored

    held = stored(workspace, HELD)
    if held is None or not held.height:
        return set()
    undone = before.filter(before != array).unique().implode()
    ends = pl.DataFrame({end: before.gather(held[end]) for end in ("left", "right")})
    ends = ends.filter(
        (pl.col("left") != pl.col("right")) & (pl.col("left").is_in(undone) | pl.col("right").is_in(undone))
    )
    return {(min(row), max(row)) for row in ends.unique().iter_rows()}


def _joined(
    everything: Known, decisions: Decisions, before: pl.Series, array: pl.Series, held: set[tuple[int, int]]
) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """Held pairs whose profiles meet under some decisions, each with those of their parts that do."""
    import polars as pl

    labels = pl.Series(_labels(everything, decisions))
    frame = pl.DataFrame({"was": before, "part": array, "label": labels})
    wanted = {profile for pair in held for profile in pair}
    cells: dict[int, set[tuple[int, int]]] = {}
    for was, part, label in frame.filter(pl.col("was").is_in(list(wanted))).unique().iter_rows():
        cells.setdefault(was, set()).add((part, label))
    met = {
        (a, b): sorted({(min(p, q), max(p, q)) for (p, x), (q, y) in product(cells[a], cells[b]) if x == y})
        for a, b in held
    }
    return {pair: parts for pair, parts in met.items() if parts}


def _labels(everything: Known, decisions: Decisions) -> NDArray[np.int64]:
    """Cluster of each subject, as `dedupe` would find it."""
    from segctl.operations.dedupe.dedupe import resolved
    from segctl.operations.dedupe.fuzzy import with_likely
    from segctl.operations.likeness import chosen

    found = resolved(everything, decisions=decisions)
    if chosen(everything.project, everything.workspace, None).fuzzy:
        found, _ = with_likely(everything, found, Silent())
    return found.labels
