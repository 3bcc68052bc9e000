"""A table that is read in place: what of its newest version is new, and what becomes of the rows that came before."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segctl.model.dataclass import dataclass
from segctl.model.errors import Refused, UsageError
from segctl.model.fetching_table import TableFetch
from segctl.operations.ingest.inputs import InputFile, Reading, refuse_other_people

if TYPE_CHECKING:
    from segctl.connectors.tables.base import Table, TableFile
    from segctl.model.sources import Source
    from segctl.operations.ingest.fetch import Wishes
    from segctl.operations.ingest.source import SourceRun
    from segctl.state.inputs import IngestedInput

NOTE = "table"
"""Word under which the ledger keeps what was read of a table."""
MENDED = "mended"
"""Word of inputs that hold rows mended in quarantine: they lie in no table."""


@dataclass(frozen=True, slots=True)
class Known:
    """What of a table stands in the workspace.

    Attributes:
        identity: Of the table.
        version: The newest that was read.
        marks: Of the files whose rows are there.
        declaration: Digest of the declaration they were read by.
    """

    identity: str
    version: str
    marks: frozenset[str]
    declaration: str


def run_table(run: SourceRun, wishes: Wishes) -> None:
    """Read what is new in a table and commit it, or raise why not; what happened stands in the run's result.

    Raises:
        SegctlError: Nothing of the source was taken.
    """
    from segctl.connectors.tables import open_table

    source, fetch = run.source, run.source.fetch
    assert isinstance(fetch, TableFetch)
    _refuse_wishes(source, wishes)
    with run.workspace.lock(f"ingest/{source.name}"):
        table = open_table(fetch, Path(run.project.root), source.name)
        run.read(_reading(run, table))


def _refuse_wishes(source: Source, wishes: Wishes) -> None:
    if wishes.since is not None or wishes.limit is not None:
        hint = "an ingest reads what was added; `version:` in the declaration reads an older state"
        raise UsageError("SEG384", f"`{source.name}` is a table: it takes no `--since` and no `--limit`", hint=hint)


def _reading(run: SourceRun, table: Table) -> Reading:
    from segctl.state.inputs import inputs

    source = run.source
    earlier = [entry for entry in inputs(run.workspace, source.name) if "superseded" not in entry.note]
    if not run.full:
        refuse_other_people(source, earlier)
    known = known_of(earlier)
    is_same = known is not None and (known.identity, known.declaration) == (table.identity, source.digest)
    if known is not None and is_same and known.version == table.version and not run.full:
        return Reading((), skipped=1)
    files = table.files()
    fresh = added(files, known) if known is not None and is_same and not run.full else None
    if fresh == ():
        return Reading((), skipped=1)
    if fresh is not None and _takes_additions(source):
        reason = f"version {table.version}: {_counted(fresh)} added since version {known.version if known else ''}"
        return Reading((_input(table, fresh, is_whole=False),), notes=(reason,))
    whole = _input(table, files, is_whole=True)
    reason = _why(known, table, fresh, is_same=is_same, full=run.full)
    # Rows of profiles that were written over are an older state of the person, which is history.
    is_afresh = bool(earlier) and (run.full or not source.holds_profiles)
    if is_afresh and not source.holds_profiles:
        _refuse_nothing(run, files, earlier)
    mended = frozenset(entry.id for entry in earlier if MENDED in entry.note)
    return Reading(
        (whole,), is_afresh=is_afresh, kept=mended, is_everything=True, notes=(f"version {table.version}: {reason}",)
    )


def known_of(earlier: Sequence[IngestedInput]) -> Known | None:
    """What the ledger says of the table, from its last whole reading on; None when rows came from elsewhere too."""
    marks: set[str] = set()
    earlier = [entry for entry in earlier if MENDED not in entry.note]
    for entry in reversed(earlier):
        note = entry.note.get(NOTE)
        if note is None:
            return None
        marks.update(note["files"])
        if note["whole"]:
            last = earlier[-1].note
            return Known(last[NOTE]["identity"], last[NOTE]["version"], frozenset(marks), last["declaration"])
    return None


def added(files: Sequence[TableFile], known: Known) -> tuple[TableFile, ...] | None:
    """The files that came to those that are known; None when known ones are no longer there as they were."""
    if not known.marks <= {file.mark for file in files}:
        return None
    return tuple(file for file in files if file.mark not in known.marks)


def _takes_additions(source: Source) -> bool:
    """Whether the rows of new files can be taken alone.

    A full picture is one whole. Events without an id are told apart by how often a row comes in one reading, so
    they are read together: which rows share a file is no fact about people.
    """
    if source.holds_profiles:
        return source.picture == "log"
    return all(rule.identity for rule in source.events)


def _input(table: Table, files: tuple[TableFile, ...], *, is_whole: bool) -> InputFile:
    from segctl.connectors.tables.base import TablePart

    part = TablePart(table, files)
    note = {"identity": table.identity, "version": table.version, "whole": is_whole,
            "files": sorted(file.mark for file in files)}  # fmt: skip
    words = f"{table.identity} {table.version} {'' if is_whole else note['files']}"
    digest = hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()
    shown = f"{table.shown} version {table.version}"
    return InputFile(Path(table.shown), shown, digest, part.size, None, rows=part, note={NOTE: note})


def _why(known: Known | None, table: Table, fresh: tuple[TableFile, ...] | None, *, is_same: bool, full: bool) -> str:
    if full or known is None:
        return "all of it was read"
    if not is_same:
        is_other = known.identity != table.identity
        what = "it is another table than before" if is_other else "the declaration has changed"
        return f"{what}, so all of it was read again"
    if fresh is None:
        return f"rows of version {known.version} were changed, deleted or moved, so all of it was read again"
    return "all of it was read again"


def _refuse_nothing(run: SourceRun, files: Sequence[TableFile], earlier: Sequence[IngestedInput]) -> None:
    rows = sum(entry.good or 0 for entry in earlier)
    if not rows or run.accepts_empty or any(file.rows is None or file.rows for file in files):
        return
    raise Refused(
        "SEG665",
        f"the table of `{run.source.name}` is empty: all events that came from it would be gone; nothing was changed",
        hint="look at the table; if it is meant so, repeat with `--yes`",
    )


def _counted(files: Sequence[Any]) -> str:
    return "1 data file" if len(files) == 1 else f"{len(files):,} data files"
