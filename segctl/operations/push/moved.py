"""An audience that is another object at its destination than before: it gets everybody, the former one is emptied.

A list is found by its name, so a renamed segment has a new one; so has one whose list somebody deleted. What changed
since the last push is not enough for it. Where telling somebody twice has its effect twice (a mail, a journey) nothing
is kept that could be empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from segctl.connectors.destinations.base import Movable
from segctl.model.audience import Step
from segctl.operations.push.work import Part

if TYPE_CHECKING:
    from segctl.connectors.destinations.base import Abilities, Connector
    from segctl.state.deliveries import LedgerAudience
    from segctl.state.workspace import Workspace


def is_elsewhere(connector: Connector, part: Part, can: Abilities) -> bool:
    """Whether the audience is a new object; one that can be brought along has been."""
    former = part.ledger.remote
    if former is None or former == part.remote:
        return False
    if isinstance(connector, Movable) and connector.moved(former, part.remote, part.segment):
        return False
    return can.is_repeatable


def foresee(part: Part, can: Abilities) -> None:
    """Let a part under a new name tell everybody, before anybody agrees to it; nobody at the destination is asked.

    What only the destination knows (somebody deleted the list) shows when the push begins.
    """
    if is_left(part, can):
        _tell_all(part)


def is_left(part: Part, can: Abilities) -> bool:
    """Whether an audience is a new object at its destination, as far as it can be known without asking there."""
    return part.is_renamed and can.is_repeatable and not can.brings_along


def settle_place(
    workspace: Workspace,
    connector: Connector,
    part: Part,
    can: Abilities,
    *,
    told: Callable[[str], None],
    beside: Iterable[Part] = (),
) -> Part | None:
    """Write down where an audience is before the first call; a new object there is told everybody.

    Args:
        workspace: Where the ledger is.
        connector: Of the destination; may be asked.
        part: With the id that the destination gave its audience; nobody was sent yet.
        can: What the destination can do.
        told: Hears why everybody is told.
        beside: Other audiences of the push there: who was to leave a list that the part comes back to leaves the part.

    Returns:
        The former audience, see `emptied`; None where there is none.
    """
    from segctl.state.deliveries import keep_remote

    if (part.remote, part.name) == (part.ledger.remote, part.ledger.name):
        return None
    if is_elsewhere(connector, part, can):
        left = former_left(connector, part, can)
        told(f"{part.destination}: `{part.segment}` is another audience there now, so everybody is told again")
        _take_over(part, beside)
        return tell_everybody(workspace, part, can, left=left)
    keep_remote(workspace, part.ledger.id, part.remote, part.name)
    return None


def _take_over(part: Part, beside: Iterable[Part]) -> None:
    from segctl.state.deliveries_moved import former_name

    for other in beside:
        if other.ledger.segment == former_name(part.remote):
            wanted = set() if part.delta is None else set(part.delta.rows["key"])
            part.withdrawals = sorted({*part.withdrawals, *other.withdrawals})
            leavers = {*part.leavers, *other.leavers} - {*part.withdrawals, *wanted}
            part.leavers, other.leavers, other.withdrawals = sorted(leavers), (), ()


def former_left(connector: Connector, part: Part, can: Abilities) -> str | None:
    """Id of the former audience while it is there; what cannot be listed is told by name, and is taken to be there."""
    there = [one.id for one in connector.audiences()]
    former = part.ledger.remote
    return former if former in there or (not there and not can.reads_back) else None


def tell_everybody(workspace: Workspace, part: Part, can: Abilities, *, left: str | None) -> Part | None:
    """Let a part tell a new audience of everybody, and write that down before the first call.

    Args:
        workspace: Where the ledger is.
        part: Whose audience is elsewhere; nobody was sent yet.
        can: What the destination can do.
        left: See `former_left`.

    Returns:
        The former audience, see `emptied`; None where there is none.
    """
    from segctl.state.deliveries_moved import move

    was = move(workspace, part.ledger.id, part.remote, part.name, left=left)
    _tell_all(part)
    return None if was is None else emptied(workspace, part, was, can)


def left_list(workspace: Workspace, part: Part, can: Abilities) -> Part | None:
    """The audience that a part under a new name leaves, as far as it can be known without asking there."""
    from segctl.state.deliveries_moved import former_name

    if not is_left(part, can):
        return None
    return emptied(workspace, part, replace(part.ledger, segment=former_name(part.ledger.remote)), can)


def emptied(workspace: Workspace, part: Part, was: LedgerAudience, can: Abilities) -> Part | None:
    """The former audience of a part: who is to be taken out of it, and who is watched there; None if nobody can be.

    Args:
        workspace: Where the ledger is.
        part: That tells another audience now.
        was: The former one.
        can: What the destination can do.
    """
    import polars as pl

    from segctl.state.deliveries import told_points

    if can.removal == "none":
        return None
    there, out = told_points(workspace, was.id), sorted(part.withdrawals)
    staying = there.filter(~pl.col("key").is_in(out))
    leavers = staying["key"].to_list() if part.mode == "mirror" and part.tells else ()
    watched = None if leavers else staying
    return Part(was.segment, was.destination, was, part.mode, part.purpose, part.use, leavers=leavers,
                withdrawals=part.withdrawals, watched=watched, remote=was.remote or "")  # fmt: skip


def _tell_all(part: Part) -> None:
    import polars as pl

    found = part.delta
    if found is not None:
        none = found.same.clear()
        everybody = pl.concat([found.adds, found.updates, found.same]).sort()
        adds, updates = (none, everybody) if part.mode == "update" else (everybody, none)
        part.delta = replace(found, adds=adds, updates=updates, same=none)
        part.waterfall = tuple(_without_same(step) if step.name == "change" else step for step in part.waterfall)


def _without_same(step: Step) -> Step:
    """The last step of a waterfall where nobody is as they should be already."""
    reasons = {reason: count for reason, count in step.reasons.items() if reason != "unchanged"}
    same = step.reasons.get("unchanged", 0)
    return replace(step, left=step.left + same, dropped=step.dropped - same, reasons=reasons)
