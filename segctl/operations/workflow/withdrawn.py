"""Who withdraws, objects or is suppressed leaves the audiences that workflows have put them into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import TYPE_CHECKING

from segctl.model.workflows import END, Act, Node
from segctl.operations.workflow.gate import known_there, passed
from segctl.operations.workflow.holding import inside
from segctl.operations.workflow.troubles import IN_A_ROW, in_order, troubled
from segctl.operations.workflow.world import Doing, Someone
from segctl.state.workflows import Effect, Settled, effect_key
from segctl.state.workflows_facts import fact, remember

if TYPE_CHECKING:
    from segctl.operations.session import Session
    from segctl.operations.workflow.gate import Told
    from segctl.operations.workflow.live import LiveWorld
    from segctl.operations.workflow.world import Result
    from segctl.state.workflows import Books, Troubled

SUFFIX = ".withdrawn"
"""Stands behind the step that put somebody in, where they are taken out for what they said."""
_SAID_NO = ("consent:", "suppression:")
_ASKED, _HOUR_US = "withdrawn asked", 3_600_000_000


def take_out(world: LiveWorld, books: Books, *, now: int) -> list[tuple[str, str, str]]:
    """Takes out who is in an audience and may not be told there any more.

    Nobody is asked about again as long as nothing is new that an answer rests on, and the hour is the same.

    Returns:
        Workflow, step and state of each removal.
    """
    basis, workspace = _basis(world.session, now), world.session.workspace
    if fact(workspace, _ASKED) == basis:
        return []
    done, is_over = list[tuple[str, str, str]](), True
    effects = books.effects("action IN ('add', 'remove')")
    there = inside(effects, world.roots({one.subject for one in effects}))
    for name in sorted({one.destination or "" for one in there}):
        # No pause stands against a withdrawal, as none does in a push.
        if name in world.session.definitions.destinations:
            of, is_settled = _of_destination(world, books, [one for one in there if one.destination == name], now)
            done += of
            is_over &= is_settled
    if is_over:
        remember(workspace, _ASKED, basis)
    return done


def _basis(session: Session, now: int) -> str:
    """What the gate's answers rest on: the ledger, who people are and how they are reached, the rules, the hour."""
    from segctl.state.consents import head

    workspace, project = session.workspace, session.project
    files = workspace.query(
        "SELECT max(id), max(removed) FROM files WHERE dataset LIKE 'records/%' OR dataset = 'identity'"
    )
    rules = (
        project.purposes, project.consent, project.contact_points, project.identity, project.identifiers,
        project.traits, tuple(session.definitions.destinations.values()),
    )  # fmt: skip
    digest = blake2b(repr(rules).encode(), digest_size=16).hexdigest()
    return f"{head(workspace)} {files[0][0]} {files[0][1]} {digest} {now // _HOUR_US}"


def _of_destination(
    world: LiveWorld, books: Books, here: list[Effect], now: int
) -> tuple[list[tuple[str, str, str]], bool]:
    """Removals, and whether none is left to be tried again."""
    roots = world.roots({one.subject for one in here})
    removals = {(removal := _removal(one, now)).key: removal for one in _leaving(world, here, roots, now)}
    open_ = [key for key in removals if key not in books.settled(removals)]
    troubles = books.troubles(open_)
    due, _ = in_order(open_, troubles, now)
    if not due:
        return [], not open_
    destination = world.session.definitions.destinations[here[0].destination or ""]
    told = known_there(world.session, destination, {roots[removals[key].subject] for key in due}, now=now)
    done, in_a_row = [], 0
    nobody = [key for key in due if roots[removals[key].subject] not in told]
    for key in due:
        removal = removals[key]
        if key in nobody:
            continue  # nobody knows any more by what the destination knows them
        books.write(intended=[removal])
        result = _taken_out(world, removal, told[roots[removal.subject]], roots[removal.subject], now)
        state = _written(books, key, result, troubles.get(key), now)
        done.append((removal.workflow, removal.step, state))
        in_a_row = in_a_row + 1 if state == "sending" else 0
        if in_a_row and (not result.is_personal or in_a_row >= IN_A_ROW):
            break
    return done, len(done) + len(nobody) == len(open_) and all(state != "sending" for _, _, state in done)


def _leaving(world: LiveWorld, here: Sequence[Effect], roots: Mapping[int, int], now: int) -> list[Effect]:
    """Whoever may not be told there, for none of the purposes for which they were put in."""
    destination, gate = world.session.definitions.destinations[here[0].destination or ""], world.gate(now)
    refused: dict[str | None, Mapping[int, str]] = {}
    for purpose in {one.purpose for one in here}:
        people = [roots[one.subject] for one in here if one.purpose == purpose]
        found = passed(world.session, gate, destination, purpose, people, (), now=now, counts=False)
        refused[purpose] = found.allowed.refused
    staying, leaving = set[tuple[str | None, int]](), []
    for one in here:
        if refused[one.purpose].get(roots[one.subject], "").startswith(_SAID_NO):
            leaving.append(one)
        else:
            staying.add((one.audience, roots[one.subject]))
    return [one for one in leaving if (one.audience, roots[one.subject]) not in staying]


def _taken_out(world: LiveWorld, removal: Effect, told: Told, root: int, now: int) -> Result:
    act = Act("remove", removal.destination, audience=removal.audience, purpose=removal.purpose)
    doing = Doing(removal.key, Someone(root, removal.profile), removal.entry, now)
    node = Node(removal.step, act, (("next", END),))
    return world.take_out(removal.workflow, node, act, {removal.key: told}, doing, now)


def _written(books: Books, key: str, result: Result, before: Troubled | None, now: int) -> str:
    """What came of a removal: what did not work stays an intent, and is tried again later; never what cannot work."""
    if result.outcome in ("done", "invalid"):
        reason = "withdrawn" if result.outcome == "done" else result.reason
        books.write(settled=[Settled(key, "done" if result.outcome == "done" else "invalid", now, reason)])
        return result.outcome
    tried = troubled(key, before, result, now)
    if isinstance(tried, Settled):
        books.write(settled=[tried])
        return tried.state
    books.write(troubled=[tried])
    return "sending"


def _removal(one: Effect, now: int) -> Effect:
    step = f"{one.step}{SUFFIX}"
    return replace(
        one, key=effect_key(one.workflow, one.profile, one.entry, step), step=step, action="remove", state="sending",
        reason=None, intended=now, settled=None, is_contact=False,
    )  # fmt: skip
