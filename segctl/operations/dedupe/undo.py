"""Taking back what `dedupe` did: a whole run, or one profile; the decision keeps it so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from segctl.model.errors import UsageError
from segctl.operations.dedupe.decisions import left_by_undo

if TYPE_CHECKING:
    import polars as pl

    from segctl.model.project import Project
    from segctl.state.identity import IdentityRun
    from segctl.state.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Undone:
    """What was taken back.

    Attributes:
        run: The run that records it; None for a dry run.
        what: The run or profile that was undone.
        subjects: Identifiers that are where they were before.
        profiles: Profiles there are more; None where only recognising again would tell.
        decisions: Pairs that are decided from now on.
        kept_apart: Pairs among them that only the undone profiles held back.
        changed_since: Profiles of the run that later runs have changed, so that no row can be put back.
    """

    run: IdentityRun | None
    what: str
    subjects: int
    profiles: int | None
    decisions: int
    kept_apart: int = 0
    changed_since: int = 0

    @property
    def is_exact(self) -> bool:
        """The profiles are again what they were, row by row."""
        return not self.changed_since


@dataclass(frozen=True, slots=True)
class _Undoing:
    """What undoing goes by: the arguments of `undo`, once."""

    project: Project
    workspace: Workspace
    now: datetime
    who: str | None
    why: str | None
    dry_run: bool


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

    Rows are put back: everybody stands where they stood. Where later runs have changed the profiles of an earlier
    one, what that run joined is decided apart instead, and everybody is recognised again.

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
        undoing = _Undoing(project, workspace, now, who, why, dry_run)
        if run is None:
            return _undo_profile(undoing, what)
        if run.kind == "undo":
            raise _nothing(what, "it is an undo itself; `segctl dedupe together A B` joins people again")
        return _undo_run(undoing, run, is_newest=run.number == runs[0].number)


def _undo_run(undoing: _Undoing, run: IdentityRun, *, is_newest: bool) -> Undone:
    from segctl.state.identity import canonical

    now = canonical(undoing.workspace)
    if now is None:
        raise _nothing(run.id, "it changed no profile")
    merged = restored = now
    for number, changed in _backwards(undoing.workspace):
        merged, restored = restored, restored.clone().scatter(changed["subject"], changed["before"])
        if number == run.number:
            break
    else:
        raise _nothing(run.id, "it changed no profile")
    array, changed_since = put_back(now, merged, restored)
    if changed_since:
        return _undo_again(undoing, run, merged, restored, changed_since)
    evidence = _evidence_before(undoing.workspace, run) if is_newest else None
    return _put(undoing, now, array, run.id, evidence)


def put_back(now: pl.Series, merged: pl.Series, restored: pl.Series) -> tuple[pl.Series, int]:
    """The array with the profiles of one run as they were before it, and how many of them stand in the way.

    Args:
        now: Subject → owner of its profile, as it is.
        merged: The same right after the run; `restored` right before.
        restored: As long as `now`, like `merged`.
    """
    import polars as pl

    frame = pl.DataFrame({"now": now, "merged": merged, "restored": restored}).with_row_index("subject")
    moved = frame.filter(pl.col("merged") != pl.col("restored"))
    touched = pl.concat([moved["merged"], moved["restored"]]).unique().implode()
    is_near = pl.col("merged").is_in(touched) | pl.col("restored").is_in(touched)
    near, others = frame.filter(is_near), frame.filter(~is_near)
    joined = others.filter(pl.col("now").is_in(near["now"].unique().implode()))["now"].unique().implode()
    later = near.filter((pl.col("now") != pl.col("merged")) | pl.col("now").is_in(joined))
    return now.clone().scatter(near["subject"], near["restored"]), later["merged"].n_unique()


@dataclass(frozen=True, slots=True)
class _EvidenceThen:
    """Links that counted and links that were held at a past run, and what was known of likeness."""

    edges: pl.DataFrame | None
    held: pl.DataFrame | None
    likeness: dict[str, Any] | None


def _evidence_before(workspace: Workspace, run: IdentityRun) -> _EvidenceThen:
    from segctl.state.identity import EDGES, HELD, likeness, stored

    now = {name: stored(workspace, name) for name in (EDGES, HELD)}
    then = {name: _earlier(workspace, name, run.commit - 1) for name in now}
    kept = {name: frame.clear() if then[name] is None and frame is not None else then[name]
            for name, frame in now.items()}  # fmt: skip
    known = None if then[EDGES] is None else likeness(workspace, run.commit - 1)
    return _EvidenceThen(kept[EDGES], kept[HELD], known)


def _evidence_now(workspace: Workspace, array: pl.Series) -> _EvidenceThen:
    """The links on record, without those that led through what is undone."""
    from segctl.state.identity import EDGES, likeness, stored

    edges = stored(workspace, EDGES)
    if edges is not None:
        edges = edges.filter(array.gather(edges["left"]) == array.gather(edges["right"]))
    return _EvidenceThen(edges, None, likeness(workspace))


def _put(
    undoing: _Undoing, before: pl.Series, array: pl.Series, what: str, evidence: _EvidenceThen | None = None
) -> Undone:
    """Record the array as it was, and the decisions that keep it so."""
    from segctl.operations.dedupe.freed import freed
    from segctl.state.identity import decisions, record_identity

    workspace, why = undoing.workspace, undoing.why or f"undo of {what}"
    pairs = left_by_undo(before, array, decisions(workspace), why, undoing.who)
    apart = [(a, b, "cannot", undoing.who, why) for a, b in
             freed(undoing.project, workspace, before, array, pairs, now=undoing.now)]  # fmt: skip
    moved, recorded = int((array != before).sum()), None
    if not undoing.dry_run:
        of = evidence or _evidence_now(workspace, array)
        recorded = record_identity(
            workspace, array, kind="undo", at=undoing.now, counts={"subjects": moved}, undone=what,
            decisions=[*pairs, *apart], edges=of.edges, held=of.held, likeness=of.likeness,
        )  # fmt: skip
    profiles = array.n_unique() - before.n_unique()
    return Undone(recorded, what, moved, profiles, len(pairs) + len(apart), len(apart))


def _earlier(workspace: Workspace, dataset: str, snapshot: int) -> pl.DataFrame | None:
    """The version of a past snapshot; None when there was none, or it was vacuumed."""
    from segctl.state.identity import stored

    try:
        return stored(workspace, dataset, snapshot)
    except UsageError:
        return None


def _undo_again(
    undoing: _Undoing, run: IdentityRun, merged: pl.Series, restored: pl.Series, changed_since: int
) -> Undone:
    """Decide apart what a run joined and recognise everybody again."""
    from segctl.operations.dedupe.dedupe import dedupe
    from segctl.state.identity import decisions, insert_decisions

    workspace, why = undoing.workspace, undoing.why or f"undo of {run.id}"
    pairs = left_by_undo(merged, restored, decisions(workspace), why, undoing.who, both=False)
    moved = int((merged != restored).sum())
    if undoing.dry_run:
        return Undone(None, run.id, moved, None, len(pairs), changed_since=changed_since)
    with workspace.transaction() as db:
        insert_decisions(db, pairs, undoing.now)
    found = dedupe(undoing.project, workspace, now=undoing.now, kind="undo", undone=run.id)
    return Undone(found.run, run.id, moved, found.after - found.before, len(pairs), changed_since=changed_since)


def _backwards(workspace: Workspace) -> Iterator[tuple[int, pl.DataFrame]]:
    """The number of each run with what it moved, newest first."""
    from segctl.state.identity import changes

    every = changes(workspace)
    for number in every["run"].unique().sort(descending=True):
        yield number, every.filter(every["run"] == number)


def _undo_profile(undoing: _Undoing, what: str) -> Undone:
    from segctl.operations.people import find_person
    from segctl.state.identity import canonical

    workspace = undoing.workspace
    owner, members = find_person(workspace, what)
    before = canonical(workspace)
    parts = None if before is None else _before_last_merge(workspace, before, members)
    if before is None or parts is None:
        raise _nothing(what, "it was never merged, or that was undone already")
    owners = {subject: identity if identity in group else group[0]
              for identity, group in parts.items() for subject in group}  # fmt: skip
    return _put(undoing, before, before.clone().scatter(list(owners), list(owners.values())), owner.profile_id)


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


def _nothing(what: str, why: str) -> UsageError:
    return UsageError(
        "SEG478", f"nothing of `{what}` can be undone", why=why, hint="`segctl dedupe runs` lists the runs"
    )
