"""How workflows go: who waits where, what was done, what ended how."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass
from segctl.operations.workflow.workflow import find_workflows, paused_workflows
from segctl.state.workflows import ACTIVE, Books

if TYPE_CHECKING:
    from segctl.operations.session import Session


@dataclass(frozen=True, slots=True)
class WorkflowStatus:
    """One workflow; counts are people, or effects.

    Attributes:
        state: ``running``, ``new`` (never handled), ``paused``, ``draft``, ``deleted``.
        steps: Step, arm, and how many stand there.
        effects: Step, state, and how many.
    """

    workflow: str
    title: str | None
    state: str
    waiting: int
    done: int
    exited: int
    gone: int
    sent: int
    refused: int
    control: int
    unknown: int
    steps: tuple[tuple[str, str, int], ...]
    effects: tuple[tuple[str, str, int], ...]


def status(session: Session, names: Sequence[str] = ()) -> list[WorkflowStatus]:
    """Workflows of the project, and those that are gone while people are on the way in them.

    Raises:
        UsageError: An unknown name.
    """
    books, declared = Books(session.workspace), session.definitions.workflows
    find_workflows(session, [name for name in names if name in declared or not _is_on_record(books, name)])
    known = [*declared, *sorted({row[0] for row in books.states()} - declared.keys())]
    return [_of(session, books, name) for name in known if not names or name in names]


def _is_on_record(books: Books, name: str) -> bool:
    return name in books.places()


def _of(session: Session, books: Books, name: str) -> WorkflowStatus:
    states = [row[1:] for row in books.states() if row[0] == name]
    effects = tuple(row[1:] for row in books.counts() if row[0] == name)
    declared = session.definitions.workflows.get(name)

    def people(*wanted: str) -> int:
        return sum(number for _, state, _, number in states if state in wanted)

    def had(*wanted: str) -> int:
        return sum(number for _, state, number in effects if state in wanted)

    return WorkflowStatus(
        workflow=name,
        title=None if declared is None else declared.title,
        state=_state(session, books, name),
        waiting=people(ACTIVE),
        done=people("done"),
        exited=people("exited"),
        gone=people("gone", "merged"),
        sent=had("done"),
        refused=had("refused", "invalid", "failed"),
        control=had("control"),
        unknown=had("unknown", "sending"),
        steps=tuple((step, arm, number) for arm, state, step, number in states if state == ACTIVE),
        effects=effects,
    )


def _state(session: Session, books: Books, name: str) -> str:
    one = session.definitions.workflows.get(name)
    if one is None:
        return "deleted"
    if one.status == "draft":
        return "draft"
    if name in paused_workflows(session, {name: one}):
        return "paused"
    return "running" if name in books.places() else "new"
