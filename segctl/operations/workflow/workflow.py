"""Workflows of a project on its workspace: run what is due, stop and go on, what came of it, what nobody knows."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Final, Literal

from segctl.compile.definitions import scope_of
from segctl.compile.zones import to_us
from segctl.model.dataclass import dataclass
from segctl.model.errors import UsageError
from segctl.operations.workflow.engine import Engine, Handled
from segctl.operations.workflow.intake import Intake
from segctl.operations.workflow.live import LiveWorld
from segctl.operations.workflow.watched import Watched
from segctl.operations.workflow.withdrawn import take_out
from segctl.state.workflows import Books, Effect, Place, Settled

if TYPE_CHECKING:
    from datetime import datetime

    from segctl.model.errors import SegctlError
    from segctl.model.workflows import Workflow
    from segctl.operations.session import Session
    from segctl.operations.workflow.world import World

LOCK = "workflow"
KIND: Final = "workflow"
"""Of pauses on record."""
_FILES_S = 5.0
"""Each time a stream is asked for its events it writes files, so not every second."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run did.

    Attributes:
        workflows: That were handled, by name.
        paused: That were not, by name.
        unknown: Effects of which nobody knows whether they happened, and nobody has said since.
        is_behind: The newest events of a running stream could not be read yet.
    """

    handled: Handled
    workflows: tuple[str, ...]
    paused: tuple[str, ...]
    unknown: tuple[Effect, ...] = ()
    is_behind: bool = False


def run(
    session: Session,
    names: Sequence[str] = (),
    *,
    now: datetime,
    since: datetime | None = None,
    asks_stream: bool = True,
) -> Ran:
    """Handles everything that is due at an instant, and ends.

    Args:
        session: Open project and workspace.
        names: Workflows; all active ones when empty.
        now: The instant, aware.
        since: Workflows that were never handled begin with the changes of runs after it; by default with none.
        asks_stream: A running stream makes files of its events first, so that an order of a moment ago is known.

    Raises:
        UsageError: An unknown name.
        TemporaryError: Another process is at it.
    """
    from segctl.operations.contacted import record as record_contacts
    from segctl.operations.stream.handover import files_made

    chosen = find_workflows(session, names)
    paused = paused_workflows(session, chosen)
    is_behind = asks_stream and not files_made(session)
    with session.workspace.lock(LOCK), closing(LiveWorld(session)) as world:
        handled_by = {name: one for name, one in chosen.items() if name not in paused}
        books = Books(session.workspace)
        _pass_over(session, books, world, handled_by, to_us(now))
        if since is not None:
            _begin(session, books, handled_by, since)
        pauses = _past_pauses(session, handled_by)
        handled = Engine(world, books, handled_by, version_of(session, books), pauses).handle(to_us(now))
        for workflow, step, state in take_out(world, books, now=to_us(now)):
            handled.count(workflow, step, state)
    record_contacts(session.workspace)
    return Ran(handled, tuple(handled_by), tuple(paused), tuple(unknown_effects(session)), is_behind)


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
    return UsageError("SEG683", f"there is no workflow `{name}`", hint=hint)


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


def _pass_over(session: Session, books: Books, world: World, handled_by: Container[str], now: int) -> None:
    """Who would begin while a workflow is paused, a draft or deleted does not begin later: nobody wants the flood."""
    declared = session.definitions.workflows
    paused = paused_workflows(session, declared)
    idle = {name for name, one in declared.items() if one.status != "active" or name in paused}
    Intake(world, books, {name: declared[name] for name in idle if name not in handled_by}).pass_over(now)
    gone = {name: place for name, place in books.places().items() if name not in declared}
    if gone:
        feed, snapshot = world.now_there()
        waiting = [(one.workflow, one.subject) for one in books.pending() if one.workflow in gone]
        places = {name: Place(feed, snapshot, now, place.began) for name, place in gone.items()}
        books.take_in((), places, versions={}, dropped=waiting)


def _past_pauses(session: Session, names: Iterable[str]) -> dict[str, list[tuple[int, int]]]:
    """Workflow → spans in which it was paused, alone or with everything."""
    from segctl.state.pauses import pause_log

    begun: dict[tuple[str, str], int] = {}
    found: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for one in pause_log(session.workspace):
        key = (one.kind, one.name)
        if one.action == "pause":
            begun[key] = to_us(one.at)
        elif key in begun:
            found.setdefault(key, []).append((begun.pop(key), to_us(one.at)))
    return {name: [*found.get(("all", ""), ()), *found.get((KIND, name), ())] for name in names}


def pass_over_paused(session: Session, *, now: datetime) -> None:
    """To be called before anything is resumed: whoever would have begun meanwhile does not, even without a `run`."""
    with closing(LiveWorld(session)) as world:
        _pass_over(session, Books(session.workspace), world, (), to_us(now))


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
        raise UsageError("SEG685", f"no effect of unknown outcome is called `{key}`", hint=hint)
    state = "done" if is_sent else "invalid"
    reason = "found afterwards" if is_sent else "did not happen, as was found afterwards"
    books.write(settled=[Settled(found[0].key, state, to_us(now), reason)])  # type: ignore[arg-type]  # two of the states
    return found[0]


# --- Going on ------------------------------------------------------------------------------------------------
def follow(
    session: Session,
    names: Sequence[str] = (),
    *,
    now: datetime,
    since: datetime | None = None,
    every_s: float = 1.0,
    told: Callable[[SegctlError | None], None] = lambda _: None,
) -> Iterator[tuple[datetime, Ran]]:
    """Handles what is due again and again, until the caller ends it; arguments and errors as of `run`.

    Looks every `every_s` seconds, and does something when there are new changes or data, when somebody's wait is
    over, or a minute has passed. Definitions that change hold from the next look. Those that do not bind, as when a
    file is half saved, leave the last good ones in force; `told` hears why, once, and None when they are whole again.
    A running stream is asked for its events every `_FILES_S` seconds at most.
    """
    from segctl.operations.push.courier import world_from
    from segctl.state.stream_log import waiting_lines

    clock, books = world_from(now), Books(session.workspace)
    seen: tuple[object, ...] = ()
    asked, watched = float("-inf"), Watched(session, lambda one: find_workflows(one, names), told)
    while True:
        at = clock.now()
        if watched.has_changed(clock.sleep):
            session, seen = watched.session, ()
        asks = clock.clock() - asked >= _FILES_S and bool(waiting_lines(session.workspace))
        due = session.workspace.query(
            "SELECT count(*) FROM workflow_instances WHERE state = 'active' AND wake <= ?", (to_us(at),)
        )[0][0]
        what = (*_newest(session), due and at.replace(microsecond=0), at.replace(second=0, microsecond=0))
        if what != seen or (asks and _is_listening(session, books, names)):
            asked = clock.clock() if asks else asked
            # What comes while it is at it, its own commits too, is looked at the next time.
            seen = what
            yield at, run(session, names, now=at, since=since, asks_stream=asks)
        since = None if books.places() else since
        clock.sleep(every_s)


def _is_listening(session: Session, books: Books, names: Sequence[str]) -> bool:
    """Whether an event of somebody may begin a workflow, or move somebody on."""
    chosen = find_workflows(session, names)
    return any(one.trigger.kind == "event" for one in chosen.values()) or bool(books.active(chosen))


def _newest(session: Session) -> tuple[object, ...]:
    from segctl.state.change_feed import newest_position

    return str(newest_position(session.workspace)), session.workspace.snapshot()


def press(
    session: Session, action: Literal["pause", "resume"], names: Sequence[str], *, reason: str | None, now: datetime
) -> list[tuple[str, bool]]:
    """Stops workflows or lets them go on; name, and whether it was not so before.

    Raises:
        UsageError: An unknown name, none at all, or a pause without a reason.
    """
    import getpass

    from segctl.state.pauses import Pause, record_pauses

    said = (reason or "").strip() or None
    if action == "pause" and said is None:
        raise UsageError("SEG581", "`pause` needs a reason, which is kept on record", hint='add `--reason "…"`')
    if not names:
        raise UsageError("SEG683", f"`{action}` takes workflows", hint="`segctl pause --all` stops everything")
    find_workflows(session, names)
    if action == "resume":
        pass_over_paused(session, now=now)
    wanted = [Pause(KIND, name, action, now, getpass.getuser(), said) for name in dict.fromkeys(names)]
    done = {one.name for one in record_pauses(session.workspace, wanted)}
    return [(one.name, one.name in done) for one in wanted]
