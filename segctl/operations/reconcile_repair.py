"""Repair what `reconcile` found: the ledger learns what is there, and a push does the rest."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from segctl.compile.selection import Selection
from segctl.operations.apply import NOTHING_ALLOWED, Allowed
from segctl.operations.audience.contacts import row_keys
from segctl.operations.reconcile import Compared, Drift, is_sent_there, known_destination

if TYPE_CHECKING:
    from segctl.connectors.destinations.base import Member
    from segctl.operations.progress import Progress
    from segctl.operations.push.push import Agree
    from segctl.operations.push.result import Outcome, Pushed
    from segctl.operations.push.work import Part
    from segctl.operations.session import Session


def repair(
    session: Session,
    compared: Compared,
    *,
    now: datetime,
    agree: Agree,
    remove_foreign: bool = False,
    allowed: Allowed = NOTHING_ALLOWED,
    progress: Progress | None = None,
) -> Pushed:
    """Bring a destination back to what its audiences are.

    Of those who are missing the ledger is no longer sure, so the push tells them again if they may be told. Foreign
    members are taken out only when that is asked for. Orphaned audiences are emptied.

    Args:
        session: Open project and workspace.
        compared: What was found, a moment ago.
        now: When the repair began; aware.
        agree: Asked before anything is sent.
        remove_foreign: Also take out people whom no push put there.
        allowed: What guards allow this once.
        progress: Hears what is going on.

    Raises:
        Refused: `agree` says no.
        TemporaryError: A push has the destination.
    """
    from segctl.operations.push.push import Asked, push

    name = compared.destination
    with session.workspace.lock(f"push to {name}"):
        # Whom a workflow told is told once; nobody is told again because they are missing there.
        for one in (one for one in compared.audiences if not one.by_workflow):
            _learn(session, one, remove_foreign=remove_foreign)
    orphans = [one for one in compared.audiences if one.state == "orphaned"]
    emptied = _empty(session, name, orphans, now=now, agree=agree, progress=progress) if orphans else (None, ())
    names = tuple(segment.name for segment in session.definitions.segments.values() if name in segment.send_to)
    asked = Asked(selection=Selection(names), to=(name,), allowed=allowed, is_everything=False)
    done = push(session, asked, now=now, agree=agree, progress=progress)
    return _together(done, *emptied)


def _learn(session: Session, one: Drift, *, remove_foreign: bool) -> None:
    """The ledger doubts who is not there, and notes who is."""
    from segctl.state.deliveries_repair import doubt, note_found

    doubt(session.workspace, one.number, [missing.key for missing in one.missing])
    if remove_foreign and one.foreign:
        keys = _keys(one.foreign)
        rows = ((key, m.identifiers, m.known_as) for key, m in zip(keys, one.foreign, strict=True))
        note_found(session.workspace, one.number, rows)


def _keys(members: Sequence[Member]) -> list[str]:
    """Keys as an audience has them, so that a foreign member who belongs there is recognised."""
    import polars as pl

    kinds = sorted({kind for member in members for kind in member.identifiers})
    if not kinds:
        kinds = [""]
    told = {kind: pl.Series([m.identifiers.get(kind) if kind else m.known_as for m in members], dtype=pl.String)
            for kind in kinds}  # fmt: skip
    return row_keys(told).to_list()


def _empty(
    session: Session,
    name: str,
    orphans: Sequence[Drift],
    *,
    now: datetime,
    agree: Agree,
    progress: Progress | None,
) -> tuple[str | None, tuple[Outcome, ...]]:
    """Everybody leaves the audiences that no segment is sent to any more: id of the push, what became of each."""
    from segctl.operations.progress import Silent
    from segctl.operations.push.result import outcome, recorded_counts, status
    from segctl.operations.push.stations import station
    from segctl.state.deliveries_log import begin_part, begin_push, end_part

    workspace, destination = session.workspace, known_destination(session, name)[0]
    with workspace.lock(f"push to {name}"):
        to = station(session, destination, now=now, dry_run=False, progress=progress or Silent())
        try:
            to.settle_open()
            parts = [part for one in orphans if (part := _orphan(session, name, one)) is not None]
            if not parts:
                return None, ()
            agree(parts)
            made = begin_push(workspace, now, {"reconcile": name})
            for part in parts:
                begin_part(workspace, made.number, part.ledger.id)
            to.send(parts, made.number, made.id)
            outcomes = tuple(outcome(part) for part in parts)
            for part, one in zip(parts, outcomes, strict=True):
                end_part(workspace, made.number, part.ledger.id, status(part), finished=to.world.now(),
                         counts=recorded_counts(one), reason=one.reason)  # fmt: skip
            return made.id, outcomes
        finally:
            to.close()


def _orphan(session: Session, name: str, one: Drift) -> Part | None:
    from segctl.operations.push.work import Part
    from segctl.state.deliveries import ledger_audiences
    from segctl.state.deliveries_told import told

    ledger = next(a for a in ledger_audiences(session.workspace, name) if a.id == one.number)
    keys = told(session.workspace, one.number)["key"].to_list()
    if not keys or is_sent_there(session, one.segment, name):
        return None
    return Part(one.segment, name, ledger, "mirror", ledger.purpose, None, leavers=keys)


def _together(done: Pushed, push: str | None, emptied: Sequence[Outcome]) -> Pushed:
    from dataclasses import replace

    return replace(done, id=done.id or push, outcomes=(*done.outcomes, *emptied)) if emptied else done
