"""Lets go of what workflows did long ago, as far as nothing rests on it any more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from segctl.compile.windows import span
from segctl.compile.zones import to_us
from segctl.model.dataclass import dataclass
from segctl.model.errors import UsageError
from segctl.model.times import WithinLast
from segctl.operations.workflow.holding import inside
from segctl.operations.workflow.workflow import LOCK, unknown_workflow, version_of
from segctl.state import workflows_forgetting as state
from segctl.state.workflows import Books, Effect

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from segctl.model.workflows import Workflow
    from segctl.operations.session import Session
    from segctl.state.workflows import Database

COMMIT = "workflow_forget"
Roots = Callable[[Iterable[int]], Mapping[int, int]]
"""Subjects → the subjects of their profiles today."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What went of one workflow, or would go.

    Attributes:
        ways: Entries of people that are over; everybody's first and last one stay.
        effects: What was done to them, or was not.
        versions: Former texts of the file that nobody went by any more.
    """

    workflow: str
    ways: int
    effects: int
    versions: int


def forget(
    session: Session,
    names: Sequence[str] = (),
    *,
    keep: timedelta,
    now: datetime,
    agree: Callable[[Sequence[Forgotten]], None],
    dry_run: bool = False,
) -> list[Forgotten]:
    """Deletes ways that ended longer ago than `keep`, with their effects.

    What stays, however old: who is on the way; effects of unknown outcome; what caps count; who is in an audience;
    and everybody's first and last entry, so that nobody begins or gets anything twice.

    Args:
        session: Open project and workspace.
        names: Workflows, also those that have no file any more; all when empty.
        keep: How far back everything stays.
        now: Wall clock.
        agree: Asked with what would go, if anything would; raises when the answer is no.
        dry_run: Only count.

    Raises:
        UsageError: An unknown name, or a cap that looks back further.
        TemporaryError: Workflows run just now.
    """
    from segctl.operations.content.values import owners_of

    workspace, before = session.workspace, to_us(now - keep)
    books = Books(workspace)
    chosen = _chosen(session, books, names)
    _refuse_caps(session, books, chosen, before=before, now=now)
    declared = session.definitions.workflows
    current = {name: declared[name].digest for name in chosen if name in declared}
    with workspace.lock(LOCK):
        parts = forgettable(
            workspace, chosen, before=before, current=current,
            roots=lambda subjects: owners_of(session, subjects, workspace.snapshot()),
        )  # fmt: skip
        found = [Forgotten(one.workflow, len(one.ways), len(one.effects), len(one.versions)) for one in parts]
        if dry_run or not any(one.ways or one.effects or one.versions for one in found):
            return found
        agree(found)
        note = {one.workflow: {"ways": one.ways, "effects": one.effects} for one in found}
        workspace.commit(COMMIT, within=deletion(parts), note=note)
    return found


@dataclass(frozen=True, slots=True)
class Part:
    """What nothing rests on any more, of one workflow.

    Attributes:
        ways: Ids of instances.
        effects: Keys.
        versions: Digests.
    """

    workflow: str
    ways: tuple[int, ...]
    effects: tuple[str, ...]
    versions: tuple[str, ...]


def forgettable(
    db: Database, workflows: Iterable[str], *, before: int, current: Mapping[str, str], roots: Roots
) -> list[Part]:
    """What may go of some workflows.

    Args:
        db: With the books.
        workflows: Names.
        before: What ended earlier; microseconds since 1970.
        current: Workflow → digest of its version of today.
        roots: Gives the subjects of profiles.
    """
    over = {name: {one.id for one in state.over(db, name, before)} for name in workflows}
    effects = {name: Books(db).effects("workflow = ?", (name,)) for name in over}
    uncounted = state.uncounted(db)
    keys = {
        one.key
        for name, of in effects.items()
        for one in of
        if one.instance in over[name] and state.is_settled(one, before) and one.key not in uncounted
    }
    keys -= _kept_audiences(db, keys, roots)
    parts = []
    for name, of in effects.items():
        ways = over[name] - {one.instance for one in of if one.key not in keys} - state.edges(db, name)
        versions = state.old_versions(db, name, gone=ways, current=current.get(name))
        gone = tuple(sorted(one.key for one in of if one.key in keys))
        parts.append(Part(name, tuple(sorted(ways)), gone, tuple(versions)))
    return parts


def _kept_audiences(db: Database, keys: set[str], roots: Roots) -> set[str]:
    """Keys of additions and removals that stay: without one of them the others would tell another story."""
    effects = Books(db).effects("action IN ('add', 'remove')")
    owners = roots({one.subject for one in effects})

    def place(one: Effect) -> tuple[str | None, str | None, int]:
        return one.destination, one.audience, owners[one.subject]

    there = {place(one) for one in inside(effects, owners)} | {place(one) for one in effects if one.key not in keys}
    return {one.key for one in effects if place(one) in there}


def deletion(parts: Sequence[Part]) -> Callable[[sqlite3.Connection], None]:
    """What takes them out of the books, within a transaction."""
    return state.deletion(
        [number for one in parts for number in one.ways],
        [key for one in parts for key in one.effects],
        [(one.workflow, digest) for one in parts for digest in one.versions],
    )


# --- What is asked for --------------------------------------------------------------------------------------
def _chosen(session: Session, books: Books, names: Sequence[str]) -> list[str]:
    known = sorted({*books.places(), *session.definitions.workflows})
    for name in names:
        if name not in known:
            raise unknown_workflow(name, known)
    return list(dict.fromkeys(names)) or sorted(books.places())


def _refuse_caps(session: Session, books: Books, names: Iterable[str], *, before: int, now: datetime) -> None:
    """A cap that counts what would go would let more through afterwards."""
    zone, version = session.project.timezone, version_of(session, books)
    waiting = {(one.workflow, one.version) for one in books.active(list(names))}
    bound = [version(*one) for one in sorted(waiting)]
    declared: Mapping[str, Workflow] = session.definitions.workflows
    for workflow in [*(declared[name] for name in names if name in declared), *(one for one in bound if one)]:
        for cap in workflow.caps:
            since = span(WithinLast(cap.within_last), now, zone, clip=True).lo
            if since is None or since < before:
                message = f"the cap `{cap.name}` of `{workflow.name}` counts what is older than that"
                raise UsageError("SEG694", message, hint=f"keep at least {cap.within_last}")
