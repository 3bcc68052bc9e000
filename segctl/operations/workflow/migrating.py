"""Who waits by an older version of a workflow goes on by today's steps, as far as those can be told apart."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from segctl.model.workflows import START, Act
from segctl.operations.workflow.workflow import LOCK, find_workflows, version_of
from segctl.state.workflows import Books

if TYPE_CHECKING:
    from segctl.model.workflows import Workflow
    from segctl.operations.session import Session
    from segctl.state.workflows import Instance


def migrated(session: Session, names: Sequence[str] = ()) -> tuple[int, int]:
    """Lets those who wait by an older version go on by today's steps, from the step they stand at.

    Steps with a name are the same whatever becomes of them. One that is known by its place alone is the same only if
    it still does the same: otherwise somebody who had the mail in the first place gets it again in the second.

    Returns:
        How many go on, and how many stay, since today's workflow has no such step.
    """
    chosen, books = find_workflows(session, names), Books(session.workspace)
    with session.workspace.lock(LOCK):
        older = [one for one in books.active(chosen) if one.version != chosen[one.workflow].digest]
        version, had = version_of(session, books), _had(books)
        fitting = [
            one
            for one in older
            if _fits(one, version(one.workflow, one.version), chosen[one.workflow], had.get(one.id, ()))
        ]
        versions = {(name, one.digest): one.text for name, one in chosen.items()}
        books.take_in((), {}, versions=versions)
        books.write(moved=[replace(one, version=chosen[one.workflow].digest) for one in fitting])
    return len(fitting), len(older) - len(fitting)


def _had(books: Books) -> dict[int, set[str]]:
    """Of each way that goes on the steps that stand on record, whatever came of them."""
    found: dict[int, set[str]] = {}
    for effect in books.effects("instance IN (SELECT id FROM workflow_instances WHERE state = 'active')"):
        found.setdefault(effect.instance, set()).add(effect.step)
    return found


def _fits(one: Instance, before: Workflow | None, today: Workflow, had: Collection[str]) -> bool:
    stands = one.step == START or _is_same(one.step, before, today)
    return stands and all(not _is_place(step) or _is_same(step, before, today) for step in had)


def _is_place(step: str) -> bool:
    """Whether a step is known by its place, such as ``3.then.1``; names begin with a letter."""
    return step[:1].isdigit()


def _is_same(step: str, before: Workflow | None, today: Workflow) -> bool:
    """Whether a step is there today; without a name it must be of the same kind, and an action the same action."""
    now = today.node(step)
    if now is None or not _is_place(step):
        return now is not None
    then = None if before is None else before.node(step)
    if then is None or type(then.body) is not type(now.body):
        return False
    return not isinstance(now.body, Act) or now.body == then.body
