"""Taking back what `dedupe` did: a whole run, or one profile; the decision keeps it so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from segctl.model.errors import UsageError
from segctl.operations.dedupe_decisions import left_by_undo

if TYPE_CHECKING:
    import polars as pl

    from segctl.model.identity import IdentityRules
    from segctl.model.project import Project
    from segctl.state.identity import Decision, IdentityRun
    from segctl.state.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Undone:
    """What was taken back.

    Attributes:
        run: The run that records it; None for a dry run.
        subjects: Identifiers that are where they were before.
        profiles: Profiles there are more.
        decisions: Pairs that are decided from now on.
    """

    run: IdentityRun | None
    what: str
    subjects: int
    profiles: int
    decisions: int


def undo(
    project: Project,
    workspace: Workspace,
    what: str,
    *,
    now: datetime,
    who: str | None = None,
    why: str | None = None,
    dry_run: bool = False,
) -> Undone:
    """Restore the profiles as they were before a run, or one profile as it was before its last merge.

    The newest run is taken back row by row. Of an earlier run its merges are decided apart, and everybody is
    recognised again.

    Args:
        project: With its rules.
        workspace: Open.
        what: Id of a run, ``last``, a profile id or any identifier.
        now: Present time, aware.
        who: Who decided so.
        why: Recorded with the decisions; otherwise what was undone.
        dry_run: Only say what would be.

    Raises:
        UsageError: No such run or person, or nothing to undo.
    """
    from segctl.state.identity import LOCK, identity_runs

    with workspace.lock(LOCK):
        runs = identity_runs(workspace)
        run = next((r for r in runs if what in (r.id, "last")), None)
        if run is None and what == "last":
            raise _nothing(what, "nobody was recognised yet; `segctl dedupe` begins")
        if run is None:
            return _undo_profile(workspace, what, now, who, why, dry_run=dry_run)
        if run.kind == "undo":
            raise _nothing(what, "it is an undo itself; `segctl dedupe together A B` joins people again")
        if run.number == runs[0].number:
            return _undo_newest(workspace, run, now, who, why, dry_run=dry_run)
        return _undo_earlier(project, workspace, run, now, who, why, dry_run=dry_run)


def _undo_newest(
    workspace: Workspace, run: IdentityRun, now: datetime, who: str | None, why: str | None, *, dry_run: bool
) -> Undone:
    from segctl.state.identity import EDGES, HELD, changes, decisions, likeness, record_identity, stored

    moved = changes(workspace, run.number)
    array, before = _restored(workspace, moved)
    pairs = left_by_undo(before, array, decisions(workspace), why or f"undo of {run.id}", who)
    recorded = None
    if not dry_run:
        empty = {name: frame.clear() for name in (EDGES, HELD) if (frame := stored(workspace, name)) is not None}
        then = {name: _earlier(workspace, name, run.commit - 1) for name in empty}
        is_there = then.get(EDGES) is not None
        kept = {name: then[name] if then[name] is not None else empty[name] for name in empty}
        recorded = record_identity(
            workspace, array, kind="undo", at=now, counts={"subjects": moved.height}, undone=run.id, decisions=pairs,
            edges=kept.get(EDGES), held=kept.get(HELD),
            likeness=likeness(workspace, run.commit - 1) if is_there else None,
        )  # fmt: skip
    return Undone(recorded, run.id, moved.height, array.n_unique() - before.n_unique(), len(pairs))


def _earlier(workspace: Workspace, dataset: str, snapshot: int) -> pl.DataFrame | None:
    """The version of a past snapshot; None when there was none, or it was vacuumed."""
    from segctl.state.identity import stored

    try:
        return stored(workspace, dataset, snapshot)
    except UsageError:
        return None


def _undo_earlier(
    project: Project,
    workspace: Workspace,
    run: IdentityRun,
    now: datetime,
    who: str | None,
    why: str | None,
    *,
    dry_run: bool,
) -> Undone:
    from segctl.operations.dedupe import dedupe
    from segctl.state.identity import canonical, decisions, insert_decisions

    array = canonical(workspace)
    if array is None:
        raise _nothing(run.id, "it changed no profile")
    merged = restored = array
    moved = 0
    for number, changed in _backwards(workspace):
        merged, restored = restored, restored.clone().scatter(changed["subject"], changed["before"])
        moved = changed.height
        if number == run.number:
            break
    pairs = left_by_undo(merged, restored, decisions(workspace), why or f"undo of {run.id}", who, both=False)
    if dry_run:
        return Undone(None, run.id, moved, 0, len(pairs))
    with workspace.transaction() as db:
        insert_decisions(db, pairs, now)
    found = dedupe(project, workspace, now=now, kind="undo", undone=run.id)
    return Undone(found.run, run.id, moved, found.after - found.before, len(pairs))


def _backwards(workspace: Workspace) -> Iterator[tuple[int, pl.DataFrame]]:
    """The number of each run with what it moved, newest first."""
    from segctl.state.identity import changes

    every = changes(workspace)
    for number in every["run"].unique().sort(descending=True):
        yield number, every.filter(every["run"] == number)


def _undo_profile(
    workspace: Workspace, what: str, now: datetime, who: str | None, why: str | None, *, dry_run: bool
) -> Undone:
    from segctl.operations.people import find_person
    from segctl.state.identity import canonical, decisions, record_identity

    owner, members = find_person(workspace, what)
    before = canonical(workspace)
    parts = None if before is None else _before_last_merge(workspace, before, members)
    if before is None or parts is None:
        raise _nothing(what, "it was never merged, or that was undone already")
    owners = {subject: identity if identity in group else group[0]
              for identity, group in parts.items() for subject in group}  # fmt: skip
    array = before.clone().scatter(list(owners), list(owners.values()))
    moved = int((array != before).sum())
    pairs = left_by_undo(before, array, decisions(workspace), why or f"undo of {owner.profile_id}", who)
    recorded = None
    if not dry_run:
        recorded = record_identity(
            workspace, array, kind="undo", at=now, counts={"subjects": moved}, undone=owner.profile_id, decisions=pairs
        )
    return Undone(recorded, owner.profile_id, moved, array.n_unique() - before.n_unique(), len(pairs))


def _before_last_merge(workspace: Workspace, array: pl.Series, members: tuple[int, ...]) -> dict[int, list[int]] | None:
    """The identities that became one profile, each with its members; None when it never was several."""
    of = dict(zip(members, array.gather(list(members)).to_list(), strict=True))
    for _, changed in _backwards(workspace):
        of |= dict(changed.filter(changed["subject"].is_in(list(members))).select("subject", "before").iter_rows())
        # A run that split it off from others, or renamed it, merged nothing.
        if len(set(of.values())) > 1:
            found: dict[int, list[int]] = {}
            for subject, identity in of.items():
                found.setdefault(identity, []).append(subject)
            return found
    return None


def _restored(workspace: Workspace, moved: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
    """The array with some changes taken back, and as it is."""
    from segctl.state.identity import canonical

    now = canonical(workspace)
    if now is None or not moved.height:
        raise _nothing("it", "it changed no profile")
    return now.clone().scatter(moved["subject"], moved["before"]), now


def _nothing(what: str, why: str) -> UsageError:
    return UsageError(
        "SEG478", f"nothing of `{what}` can be undone", why=why, hint="`segctl dedupe runs` lists the runs"
    )


def decide(
    workspace: Workspace,
    a: str,
    b: str,
    verdict: str,
    *,
    now: datetime,
    who: str | None = None,
    why: str | None = None,
    dry_run: bool = False,
    rules: IdentityRules | None = None,
) -> tuple[str, str]:
    """Record that two identifiers are one person (`must`) or two (`cannot`); the next `dedupe` goes by it.

    Returns:
        The profile ids that the two stand under now.

    Raises:
        UsageError: Nobody is known by one of them, or both are one identifier.
    """
    from segctl.operations.people import find_person, find_subject
    from segctl.state.identity import insert_decisions

    left, right = (find_subject(workspace, end, rules=rules) for end in (a, b))
    if left.subject == right.subject:
        raise UsageError("SEG480", "both are one identifier", hint="name two")
    if not dry_run:
        with workspace.transaction() as db:
            insert_decisions(db, [(left.subject, right.subject, verdict, who, why)], now)
    names = [find_person(workspace, end, rules=rules)[0].profile_id for end in (a, b)]
    return names[0], names[1]


def all_decisions(workspace: Workspace) -> list[Decision]:
    """Decisions in force, oldest first."""
    from segctl.state.identity import decisions

    return decisions(workspace)
