"""Who withdraws, objects or is suppressed leaves the audiences that workflows have put them into."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from segctl.model.workflows import END, Act, Node
from segctl.operations.workflow.gate import known_there, passed
from segctl.operations.workflow.world import Doing, Someone
from segctl.state.workflows import Effect, Settled, effect_key

if TYPE_CHECKING:
    from segctl.operations.workflow.live import LiveWorld
    from segctl.state.workflows import Books

SUFFIX = ".withdrawn"
"""Stands behind the step that put somebody in, where they are taken out for what they said."""
_SAID_NO = ("consent:", "suppression:")


def take_out(world: LiveWorld, books: Books, *, now: int) -> list[tuple[str, str, str]]:
    """Takes out who is in an audience and may not be told there any more.

    Returns:
        Workflow, step and state of each removal.
    """
    done = []
    there = inside(books.effects("action IN ('add', 'remove')"))
    for key in sorted({(one.destination or "", one.purpose or "") for one in there}):
        here = [one for one in there if (one.destination or "", one.purpose or "") == key]
        if key[0] in world.session.definitions.destinations and world.paused(key[0]) is None:
            done += _of_destination(world, books, here, now)
    return done


def inside(effects: Iterable[Effect]) -> list[Effect]:
    """The last addition of everybody who was not taken out since."""
    found: dict[tuple[str | None, str | None, str], Effect] = {}
    for one in effects:
        place = (one.destination, one.audience, one.profile)
        if one.action == "add" and one.state in ("done", "unknown", "sending"):
            found[place] = one
        elif one.action == "remove" and one.state == "done":
            found.pop(place, None)
    return list(found.values())


def _of_destination(world: LiveWorld, books: Books, here: list[Effect], now: int) -> list[tuple[str, str, str]]:
    destination = world.session.definitions.destinations[here[0].destination or ""]
    roots = world.roots({one.subject for one in here})
    gate = world.gate(now)
    found = passed(world.session, gate, destination, here[0].purpose, list(roots.values()), (), now=now, counts=False)
    leaving = [one for one in here if found.allowed.refused.get(roots[one.subject], "").startswith(_SAID_NO)]
    if not leaving:
        return []
    told = known_there(world.session, destination, {roots[one.subject] for one in leaving}, now=now)
    done = []
    for one in leaving:
        if roots[one.subject] not in told:
            continue  # nobody knows any more by what the destination knows them
        removal = _removal(one, now)
        books.write(intended=[removal])
        act = Act("remove", one.destination, audience=one.audience, purpose=one.purpose)
        doing = Doing(removal.key, Someone(roots[one.subject], one.profile), one.entry, now)
        node = Node(removal.step, act, (("next", END),))
        result = world.take_out(one.workflow, node, act, {removal.key: told[roots[one.subject]]}, doing, now)
        # What did not work stays an intent, and is tried again with the next run.
        state = "done" if result.outcome == "done" else "sending"
        if state == "done":
            books.write(settled=[Settled(removal.key, "done", now, "withdrawn")])
        done.append((one.workflow, removal.step, state))
    return done


def _removal(one: Effect, now: int) -> Effect:
    step = f"{one.step}{SUFFIX}"
    return replace(
        one, key=effect_key(one.workflow, one.profile, one.entry, step), step=step, action="remove", state="sending",
        reason=None, intended=now, settled=None, is_contact=False,
    )  # fmt: skip
