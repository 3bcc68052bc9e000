"""Workflows of a project on its workspace: run what is due, stop and go on, what came of it, what nobody knows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Final

from segctl.compile.definitions import scope_of
from segctl.compile.zones import to_us
from segctl.model.dataclass import dataclass
from segctl.model.errors import UsageError
from segctl.operations.workflow_engine import Engine, Handled
from segctl.operations.workflow_live import LiveWorld
from segctl.state.workflows import Books, Effect, Place, Settled

if TYPE_CHECKING:
    from datetime import datetime

    from segctl.model.workflows import Workflow
    from segctl.operations.session import Session
    from segctl.operations.workflow_world import World

LOCK = "workflow"
KIND: Final = "workflow"
"""Of pauses on record."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run did.

    Attributes:
        workflows: That were handled, by name.
        paused: That were not, by name.
        unknown: Effects of which nobody knows whether they happened, and nobody has said since.
    """

    handled: Handled
    workflows: tuple[str, ...]
    paused: tuple[str, ...]
    unknown: tuple[Effect, ...] = ()


def run(session: Session, names: Sequence[str] = (), *, now: datetime, since: datetime | None = None) -> Ran:
    """Handles everything that is due at an instant, and ends.

    Args:
        session: Open project and workspace.
        names: Workflows; all active ones when empty.
        now: The instant, aware.
        since: Workflows that were never handled begin with the changes of runs after it; by default with none.

    Raises:
        UsageError: An unknown name.
        TemporaryError: Another process is at it.
    """
    from segctl.operations.contacted import record as record_contacts

    chosen = find_workflows(session, names)
    paused = paused_workflows(session, chosen)
    with session.workspace.lock(LOCK), closing(LiveWorld(session)) as world:
        handled_by = {name: one for name, one in chosen.items() if name not in paused}
        books = Books(session.workspace)
        _skip_paused(books, world, [chosen[name] for name in paused], to_us(now))
        if since is not None:
            _begin(session, books, handled_by, since)
        handled = Engine(world, books, handled_by, version_of(session, books)).handle(to_us(now))
    record_contacts(session.workspace)
    return Ran(handled, tuple(handled_by), tuple(paused), tuple(unknown_effects(session)))


def find_workflows(session: Session, names: Iterable[str] = ()) -> dict[str, Workflow]:
    """Workflows by name, drafts only when they are named.

    Raises:
        UsageError: There is none of a name.
    """
    known = session.definitions.workflows
    wanted = list(names)
    for name in wanted:
        if name not in known:
            raise unknown_workflow(name, known)
    return {name: one for name, one in known.items() if (name in wanted if wanted else one.status == "active")}


def unknown_workflow(name: str, known: Iterable[str]) -> UsageError:
    """The error for a name that the project does not have."""
    from segctl.compile.suggest import nearest

    near = nearest(name, tuple(known))
    hint = f"did you mean `{near}`?" if near else "`segctl ls workflows` lists them all"
    return UsageError("SEG753", f"there is no workflow `{name}`", hint=hint)


def version_of(session: Session, books: Books) -> Callable[[str, str], Workflow | None]:
    """Finds the versions that people entered with, as far as they still bind."""
    from segctl.compile.workflows import bind_workflow_text

    def found(name: str, digest: str) -> Workflow | None:
        text = books.version(name, digest)
        if text is None:
            return None
        return bind_workflow_text(text, name, session.definitions, scope_of(session.definitions))

    return found


# --- Where a workflow begins to read ------------------------------------------------------------------------
def _begin(session: Session, books: Books, workflows: Mapping[str, Workflow], since: datetime) -> None:
    from segctl.state.runs import runs

    known = books.places()
    before = [run for run in runs(session.workspace) if run.as_of <= since]
    number, snapshot = (before[0].number, before[0].snapshot) if before else (0, 0)
    place = Place(f"{number}.0", snapshot, to_us(since), to_us(since))
    fresh = {name: place for name in workflows if name not in known}
    books.take_in((), fresh, versions={(name, workflows[name].digest): workflows[name].text for name in fresh})


def _skip_paused(books: Books, world: World, workflows: Iterable[Workflow], now: int) -> None:
    """Who would begin while a workflow is paused does not begin later: nobody wants the flood."""
    feed, snapshot = world.now_there()
    known = books.places()
    places = {one.name: Place(feed, snapshot, now, known[one.name].began) for one in workflows if one.name in known}
    books.take_in((), places, versions={})


# --- Stopping and going on ----------------------------------------------------------------------------------
def paused_workflows(session: Session, workflows: Mapping[str, Workflow]) -> dict[str, str]:
    """Workflow → why it does nothing now."""
    from segctl.state.pauses import paused

    found = paused(session.workspace)
    everything = found.get(("all", ""))
    stopped = {name: "`status: paused`" for name, one in workflows.items() if one.status == "paused"}
    for name in workflows:
        press = everything or found.get((KIND, name))
        if press is not None:
            stopped[name] = press.reason or "paused"
    return stopped


# --- What nobody knows --------------------------------------------------------------------------------------
def unknown_effects(session: Session, names: Iterable[str] = ()) -> list[Effect]:
    """Effects of which nobody knows whether they happened."""
    wanted = set(names)
    found = Books(session.workspace).effects("state = 'unknown'")
    return [one for one in found if not wanted or one.workflow in wanted]


def resolve(session: Session, key: str, *, is_sent: bool, now: datetime) -> Effect:
    """Says what became of an effect that nobody knew of; one that did not happen happens no more.

    Raises:
        UsageError: No such effect, or its outcome is known.
    """
    books = Books(session.workspace)
    found = [one for one in books.effects("key LIKE ? AND state = 'unknown'", (f"{key}%",)) if len(key) >= 8]
    if len(found) != 1:
        hint = "`segctl workflow status` lists them"
        raise UsageError("SEG755", f"no effect of unknown outcome is called `{key}`", hint=hint)
    state = "done" if is_sent else "invalid"
    reason = "found afterwards" if is_sent else "did not happen, as was found afterwards"
    books.write(settled=[Settled(found[0].key, state, to_us(now), reason)])  # type: ignore[arg-type]  # two of the states
    return found[0]
