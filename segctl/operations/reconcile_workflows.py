"""Audiences that workflows fill, as their effects say who is in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from segctl.compile.zones import to_us
from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    from datetime import datetime

    from segctl.connectors.destinations.base import Remote
    from segctl.operations.session import Session
    from segctl.operations.workflow.gate import Told


@dataclass(frozen=True, slots=True)
class Filled:
    """An audience at a destination that workflows fill.

    Attributes:
        audience: What workflows call it.
        remote: Its id there; None where there is none of that name.
        people: Profile id → what the destination knows them by.
        open: People of whom nobody knows whether they were put in, or whom nobody can be told by any more.
    """

    audience: str
    remote: str | None
    people: Mapping[str, Told]
    open: int


def filled(session: Session, destination: str, remotes: Iterable[Remote], *, now: datetime) -> list[Filled]:
    """Audiences of a destination that workflows fill, by name."""
    from segctl.operations.workflow.gate import known_there
    from segctl.operations.workflow.holding import inside
    from segctl.state.identity import canonical
    from segctl.state.workflows import Books

    effects = Books(session.workspace).effects("action IN ('add', 'remove') AND destination = ?", (destination,))
    if not effects:
        return []
    owners = canonical(session.workspace)
    roots = {one.subject: one.subject if owners is None else int(owners[one.subject]) for one in effects}
    there = inside(effects, roots)
    told = known_there(session, session.definitions.destinations[destination], roots.values(), now=to_us(now))
    ids = {remote.id: remote.id for remote in remotes} | {remote.name: remote.id for remote in remotes}
    found = []
    for audience in sorted({one.audience or "" for one in there}):
        mine = [one for one in there if (one.audience or "") == audience]
        known = {one.profile: told[roots[one.subject]] for one in mine if roots[one.subject] in told}
        sure = {one.profile: known[one.profile] for one in mine if one.state == "done" and one.profile in known}
        found.append(Filled(audience, ids.get(audience), sure, len(mine) - len(sure)))
    return found
