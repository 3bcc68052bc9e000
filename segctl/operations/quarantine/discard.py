"""Rows of the quarantine that nobody wants: they go, and the log of commits tells how many and which."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segctl.operations.quarantine.rows import Filter, files_of, rows_of, without

if TYPE_CHECKING:
    from segctl.state.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Discarded:
    """What went.

    Attributes:
        rows: Rows that are no longer in quarantine.
        files: Input files they stood in.
        left: Entries that stay.
        commit: Number of the commit; None when nothing went, or in a dry run.
    """

    rows: int
    files: tuple[str, ...]
    left: int
    commit: int | None = None


def discard(
    workspace: Workspace,
    source: str,
    wanted: Filter,
    *,
    known: Iterable[str],
    agree: Callable[[int, int], None],
    dry_run: bool = False,
) -> Discarded:
    """Drop the rows that are meant, in one commit, under the lock of the source's ingest.

    Args:
        workspace: Open.
        source: Whose rows.
        wanted: Which of them.
        known: Declared sources.
        agree: Asked with the number of rows and of files before anything goes; raises when the answer is no.
        dry_run: Only count.

    Raises:
        UsageError: No such source.
    """
    with workspace.lock(f"ingest/{source}"):
        files = files_of(workspace, source, known)
        everything = sum(file.rows for file in files)
        gone = rows_of(files, wanted) if files else None
        if gone is None or gone.is_empty():
            return Discarded(0, (), everything)
        shown = tuple(gone["file"].unique().sort())
        if dry_run:
            return Discarded(gone.height, shown, everything - gone.height)
        agree(gone.height, len(shown))
        add, stale = without(workspace, files, gone)
        note = {"source": source, "rows": gone.height, "files": list(shown), "where": wanted.words()}
        commit = workspace.commit("discard", add, stale, note=note)
        went = sum(file.rows for file in files if file.id in set(stale)) - sum(file.rows for file in add)
        return Discarded(gone.height, shown, everything - went, commit)
