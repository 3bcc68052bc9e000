"""Which subjects are one person: a small versioned array, applied when events are read.

Datasets: ``identity`` holds the array (one file, replaced by each version). ``identity/changes`` grows: which subject
came to which profile with which run, so that a run can be undone for ever. ``identity/edges`` and ``identity/held``
are replaced by each run: the links that count, and those that a limit keeps from joining. No identifier's value
stands in them but in ``held``, which a person has to judge.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from segctl.model.dataclass import dataclass
from segctl.state import problems

if TYPE_CHECKING:
    import polars as pl

    from segctl.state.files import NewFile
    from segctl.state.workspace import Workspace

DATASET = "identity"
CHANGES = "identity/changes"
EDGES = "identity/edges"
HELD = "identity/held"
LOCK = "identity"


@dataclass(frozen=True, slots=True)
class IdentityRun:
    """One run of `dedupe` that changed something, or an undo.

    Attributes:
        number: Ascending, from 1.
        id: ``i`` and the number.
        kind: ``dedupe`` or ``undo``.
        counts: What it did, by name.
        undone: The run or profile that it undid, or None.
        commit: First snapshot that sees it.
    """

    number: int
    id: str
    kind: str
    at: datetime
    counts: dict[str, Any]
    undone: str | None
    commit: int


def canonical(workspace: Workspace, snapshot: int | None = None) -> pl.Series | None:
    """Subject → subject of its profile, Int32, position = subject; None when every subject is its own profile.

    Subjects that came after the array was made stand for themselves.
    """
    files = workspace.files(DATASET, snapshot)
    if not files:
        return None
    import polars as pl

    from segctl.state.subjects import subject_count

    merged = pl.read_parquet(files[-1].path)["canonical"]
    later = pl.int_range(merged.len(), subject_count(workspace, snapshot), dtype=pl.Int32, eager=True)
    return merged.append(later)


def stored_canonical(workspace: Workspace, snapshot: int | None = None) -> pl.Series:
    """The array as it was written: subjects that came later are missing; empty before the first run."""
    import polars as pl

    files = workspace.files(DATASET, snapshot)
    return pl.read_parquet(files[-1].path)["canonical"] if files else pl.Series("canonical", [], dtype=pl.Int32)


def write_canonical(workspace: Workspace, array: pl.Series) -> tuple[NewFile, list[int]]:
    """A new version of the array, and the ids of the files it replaces, for `Workspace.commit`."""
    import polars as pl

    new = workspace.write(DATASET, pl.DataFrame({"canonical": array.cast(pl.Int32)}))
    return new, [file.id for file in workspace.files(DATASET)]


def record_identity(
    workspace: Workspace,
    array: pl.Series,
    *,
    kind: str,
    at: datetime,
    counts: Mapping[str, Any],
    edges: pl.DataFrame | None = None,
    held: pl.DataFrame | None = None,
    undone: str | None = None,
    decisions: Sequence[tuple[int, int, str, str | None, str | None]] = (),
    likeness: Mapping[str, Any] | None = None,
) -> IdentityRun:
    """A new version of the array and all that belongs to it, in one commit; call it under the lock.

    Args:
        workspace: Where.
        array: Subject → subject of its profile.
        kind: ``dedupe`` or ``undo``.
        at: Present time, aware.
        counts: What it did.
        edges: Links that count: ``left``, ``right`` Int32, ``key``; None keeps those there are.
        held: Links that do not: ``key``, ``value``, ``left``, ``right``, ``reason``; likewise.
        undone: What is undone.
        decisions: Two subjects, verdict, who, why: recorded with it.
        likeness: What is known of likeness with these edges: see `likeness`.
    """
    number = int(workspace.query("SELECT coalesce(max(number), 0) + 1 FROM identity_runs")[0][0])
    new, replaced = write_canonical(workspace, array)
    add = [new, workspace.write(CHANGES, _changes(workspace, array, number), {"run": number})]
    for dataset, frame in ((EDGES, edges), (HELD, held)):
        if frame is not None:
            add.append(workspace.write(dataset, frame, dict(likeness or {}) if dataset == EDGES else None))
            replaced += [file.id for file in workspace.files(dataset)]

    def rows(db: sqlite3.Connection) -> None:
        db.execute(
            "INSERT INTO identity_runs (number, id, kind, at, counts, undone, seq)"
            " VALUES (?, ?, ?, ?, ?, ?, (SELECT max(seq) FROM commits))",
            (number, f"i{number}", kind, _text(at), json.dumps(dict(counts), sort_keys=True), undone),
        )
        insert_decisions(db, decisions, at)

    workspace.commit("identity", add, replaced, within=rows, note={"run": f"i{number}", "kind": kind})
    return identity_runs(workspace)[0]


def record_links(
    workspace: Workspace, *, edges: pl.DataFrame, held: pl.DataFrame, likeness: Mapping[str, Any] | None = None
) -> None:
    """New evidence that changes no profile: links that count and links that are held, without a run of their own."""
    add = [workspace.write(EDGES, edges, dict(likeness or {})), workspace.write(HELD, held)]
    replaced = [file.id for dataset in (EDGES, HELD) for file in workspace.files(dataset)]
    workspace.commit("identity", add, replaced)


def insert_decisions(
    db: sqlite3.Connection, decisions: Sequence[tuple[int, int, str, str | None, str | None]], at: datetime
) -> None:
    """Record what people decided about pairs of subjects; a later word about a pair takes the place of an earlier."""
    db.executemany(
        "INSERT OR REPLACE INTO decisions (subject_a, subject_b, verdict, who, at, why) VALUES (?, ?, ?, ?, ?, ?)",
        [(min(a, b), max(a, b), verdict, who, _text(at), why) for a, b, verdict, who, why in decisions if a != b],
    )


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody decided about two subjects.

    Attributes:
        verdict: ``must`` (one person) or ``cannot`` (two).
    """

    subject_a: int
    subject_b: int
    verdict: str
    who: str | None
    at: str
    why: str | None


def decisions(workspace: Workspace) -> list[Decision]:
    """All decisions in force, oldest first."""
    rows = workspace.query("SELECT * FROM decisions ORDER BY at, subject_a, subject_b")
    return [
        Decision(*(row[name] for name in ("subject_a", "subject_b", "verdict", "who", "at", "why"))) for row in rows
    ]


def identity_runs(workspace: Workspace) -> list[IdentityRun]:
    """Runs that changed something, newest first."""
    return [
        IdentityRun(
            row["number"], row["id"], row["kind"], datetime.fromisoformat(row["at"]), json.loads(row["counts"]),
            row["undone"], row["seq"],
        )
        for row in workspace.query("SELECT * FROM identity_runs ORDER BY number DESC")
    ]  # fmt: skip


def changes(workspace: Workspace, number: int | None = None) -> pl.DataFrame:
    """Which subject moved: ``run``, ``subject``, ``before``, ``after`` (Int32); of one run, or of all."""
    import polars as pl

    files = [f for f in workspace.files(CHANGES) if number is None or f.meta["run"] == number]
    if not files:
        return pl.DataFrame(schema=dict.fromkeys(("run", "subject", "before", "after"), pl.Int32))
    return pl.concat([pl.read_parquet(file.path) for file in files])


def stored(workspace: Workspace, dataset: str, snapshot: int | None = None) -> pl.DataFrame | None:
    """The newest `EDGES` or `HELD`; None before the first run."""
    import polars as pl

    files = workspace.files(dataset, snapshot)
    return pl.read_parquet(files[-1].path) if files else None


def likeness(workspace: Workspace, snapshot: int | None = None) -> dict[str, Any]:
    """What stands beside the newest links: ``fuzzy`` (likeness was used) and ``model`` (what was learnt, or None).

    Empty before the first run, and where an undo went back before it.
    """
    files = workspace.files(EDGES, snapshot)
    return dict(files[-1].meta) if files else {}


def find_identity_run(workspace: Workspace, words: str) -> IdentityRun:
    """The run of that id, or the newest one for ``last``.

    Raises:
        UsageError: There is none.
    """
    known = identity_runs(workspace)
    for run in known:
        if words in (run.id, "last"):
            return run
    raise problems.unknown_identity_run(words, [run.id for run in known])


def _changes(workspace: Workspace, array: pl.Series, number: int) -> pl.DataFrame:
    import polars as pl

    before = stored_canonical(workspace)
    before = before.append(pl.int_range(before.len(), array.len(), dtype=pl.Int32, eager=True))
    frame = pl.DataFrame(
        {"subject": pl.int_range(array.len(), dtype=pl.Int32, eager=True), "before": before, "after": array}
    ).filter(pl.col("before") != pl.col("after"))
    return frame.select(pl.lit(number, dtype=pl.Int32).alias("run"), pl.all())


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
