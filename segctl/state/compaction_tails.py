"""Compaction that needs no asking: tails of events become small sorted files before they are many or large.

Each ingest leaves a tail behind that every evaluation of a few profiles reads whole. What is merged is only as much as
the tails and the sorted files of about their size, so each row is written a few times in its life; the large files
wait for `compact`.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from typing import TYPE_CHECKING

from segctl.model.errors import TemporaryError
from segctl.state import problems

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from segctl.state.files import NewFile, StoredFile
    from segctl.state.workspace import Workspace

_EVENTS = "events"
MOST_TAILS = 8
MOST_ROWS = 200_000
"""Tails of more files or more rows than this are merged."""
_ROWS_AT_ONCE = 1_000_000


def are_many(workspace: Workspace) -> bool:
    """Whether `compact_tails` would merge anything."""
    return bool(_chosen(workspace.files(_EVENTS), MOST_TAILS, MOST_ROWS))


def compact_tails(
    workspace: Workspace,
    *,
    most_tails: int = MOST_TAILS,
    most_rows: int = MOST_ROWS,
    rows_at_once: int = _ROWS_AT_ONCE,
    before: Callable[[Sequence[NewFile]], None] | None = None,
) -> int:
    """Merges tails of events where it is time to; gives how many files went.

    Nothing is done while somebody else compacts, or when he has replaced the files meanwhile.

    Args:
        workspace: Open.
        most_tails: So many files may lie there.
        most_rows: So many rows.
        rows_at_once: Rows to sort in memory at once.
        before: Called with the new files before their commit.
    """
    if not _chosen(workspace.files(_EVENTS), most_tails, most_rows):
        return 0
    from segctl.state.compaction import LOCK

    try:
        with workspace.lock(LOCK):
            chosen = _chosen(workspace.files(_EVENTS), most_tails, most_rows)
            return _merged(workspace, chosen, rows_at_once, before)
    except TemporaryError:
        return 0


def _chosen(files: Sequence[StoredFile], most_tails: int, most_rows: int) -> list[StoredFile]:
    """Tails, and of each of their kinds the sorted files that are not much larger than what is merged so far."""
    tails = [file for file in files if not _is_sorted(file)]
    if len(tails) <= most_tails and sum(file.rows for file in tails) <= most_rows:
        return []
    rows: dict[str, int] = defaultdict(int)
    for file in tails:
        for kind, number in file.meta["kinds"].items():
            rows[kind] += number
    small = []
    for file in sorted((file for file in files if _is_sorted(file)), key=lambda file: (file.rows, file.id)):
        kind = next(iter(file.meta["kinds"]))
        if kind in rows and file.rows <= 2 * rows[kind]:
            rows[kind] += file.rows
            small.append(file)
    return [*tails, *small]


def _is_sorted(file: StoredFile) -> bool:
    return bool(file.meta.get("sorted")) and len(file.meta["kinds"]) == 1


def _merged(
    workspace: Workspace,
    files: Sequence[StoredFile],
    rows_at_once: int,
    before: Callable[[Sequence[NewFile]], None] | None,
) -> int:
    if not files:
        return 0
    from segctl.state.compaction import SPILL
    from segctl.state.sorting import clear, sort_events

    spill = workspace.folder / SPILL / uuid.uuid4().hex
    with problems.worded(workspace.folder):
        spill.mkdir(parents=True)
        try:
            made, replaced = sort_events(
                files,
                lambda: workspace.new_file(_EVENTS),
                spill,
                rows_at_once=rows_at_once,
                advance=lambda _rows: None,
            )
        finally:
            clear(workspace.folder / SPILL)
    if before is not None:
        before(made)
    workspace.commit("compact", add=made, remove=[file.id for file in replaced], note={"dataset": _EVENTS})
    return len(replaced)
