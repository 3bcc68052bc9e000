"""The world of a workspace: recorded changes, today's people, the gate, and destinations that are told for real."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING

from segctl.compile.zones import from_us
from segctl.connectors.destinations import abilities
from segctl.model.errors import SegctlError, UsageError
from segctl.operations.workflow.asking import ask, existing, instants_of
from segctl.operations.workflow.effects import Effects, is_repeatable, run_command
from segctl.operations.workflow.gate import Passed, Told, is_still_allowed, known_there, passed, target_of
from segctl.operations.workflow.world import (
    CONTACTS,
    Allowed,
    Change,
    Contact,
    Doing,
    Happened,
    Known,
    Question,
    Result,
    Someone,
)

if TYPE_CHECKING:
    from segctl.engines.base import EventPart
    from segctl.model.conditions import Condition, EventSelection
    from segctl.model.workflows import Act, Node, Split, Workflow
    from segctl.operations.gate import Gate
    from segctl.operations.session import Session
    from segctl.state.workflows import Place

_REPEATABLE = ("set",)
_UNDO = "unmerge"
_EDITS = (
    "first_run", "definition_new", "definition_changed", "definition_removed", "expired", "zone_changed",
    "tool_changed",
)  # fmt: skip


class LiveWorld:
    """A workspace as it is now.

    Args:
        session: Open project and workspace.
    """

    def __init__(self, session: Session) -> None:
        self.session, self.zone = session, session.project.timezone
        self.effects = Effects(session)
        self._gate: Gate | None = None
        self._passed: Passed | None = None
        self._asked_at = 0
        self._begun = monotonic()
        self._there: tuple[tuple[int, int], dict[int, str | None]] | None = None

    # --- Who, and what happened ----------------------------------------------------------------------------
    def now_there(self) -> tuple[str, int]:
        """The end of the feed, and the newest snapshot."""
        from segctl.state.change_feed import newest_position

        return str(newest_position(self.session.workspace)), self.session.workspace.snapshot()

    def changes(self, feed: str, segments: Collection[str], now: int) -> tuple[list[Change], str]:  # noqa: ARG002 - changes are there once they are committed
        """Changes of recorded runs and of a running stream."""
        from segctl.state.change_feed import Position, changes_since

        frame, until = changes_since(self.session.workspace, Position.parse(feed), segments)
        rows = frame.with_columns(frame["effective"].to_physical()).iter_rows()
        return [
            Change(segment, subject, entered, effective, _is_edit(cause), sequence, _is_undo(cause))
            for segment, subject, entered, effective, cause, sequence in rows
        ], str(until)

    def happened(self, selection: EventSelection, place: Place, now: int) -> list[Happened]:
        """Events that came since, or that were ahead of the clock before."""
        from segctl.operations.evaluation import event_part

        new = self._new_parts(place)
        files = self.session.workspace.files("events")
        late = [event_part(file) for file in files if (file.meta.get("max_ts") or 0) > place.at]
        ahead = [part for part in late if part.path not in {one.path for one in new}]
        found = instants_of(self.session, selection, new, now=now, snapshot=self._snapshot)
        found |= instants_of(self.session, selection, ahead, now=now, snapshot=self._snapshot, after=place.at)
        return [Happened(root, at) for root, at in sorted(found)]

    def _new_parts(self, place: Place) -> list[EventPart]:
        """Event files that came with data since a place; what `compact` made of older ones is not new."""
        from segctl.operations.evaluation import event_part

        workspace = self.session.workspace
        rows = workspace.query(
            "SELECT DISTINCT f.added FROM files f JOIN commits c ON c.seq = f.added WHERE f.dataset = 'events'"
            " AND f.added > ? AND c.kind <> 'compact' ORDER BY f.added",
            (place.snapshot,),
        )
        commits = [row[0] for row in rows]
        return [event_part(file) for seq in commits for file in workspace.files("events", seq) if file.added == seq]

    def members(self, segment: str, now: int) -> list[int]:  # noqa: ARG002 - membership is what the last run found
        """Members in force."""
        from segctl.state.memberships import members

        try:
            return members(self.session.workspace, segment).to_list()
        except UsageError:
            return []  # never evaluated

    def people(self, subjects: Iterable[int], now: int) -> dict[int, Someone]:
        """Those of the population, by any subject that was merged into them."""
        subjects = set(subjects)
        if not subjects:
            return {}
        roots = self.roots(subjects)
        there = self._profiles(set(roots.values()), now)
        return {
            subject: Someone(root, profile) for subject, root in roots.items() if (profile := there[root]) is not None
        }

    def roots(self, subjects: Iterable[int]) -> dict[int, int]:
        """Subject → subject of its profile."""
        from segctl.operations.content.values import owners_of

        return owners_of(self.session, subjects, self._snapshot)

    def subjects(self, roots: Collection[int]) -> Collection[int]:
        """All subjects of some profiles."""
        import polars as pl

        from segctl.state.identity import canonical

        owners = canonical(self.session.workspace, self._snapshot)
        if owners is None or not roots:
            return roots
        wanted = pl.Series(list(roots), dtype=pl.Int32)
        found: list[int] = owners.is_in(wanted.implode()).arg_true().to_list()
        return found

    def _profiles(self, roots: Collection[int], now: int) -> Mapping[int, str | None]:
        """Ids of profiles, None for those that are not there now; of these people alone something is read."""
        key = (now, self._snapshot)
        if self._there is None or self._there[0] != key:
            self._there = (key, {})
        known = self._there[1]
        asked = [root for root in roots if root not in known]
        if asked:
            found = dict(existing(self.session, asked, now=from_us(now), snapshot=key[1]).iter_rows())
            known |= {root: found.get(root) for root in asked}
        return known

    @property
    def _snapshot(self) -> int:
        return self.session.workspace.snapshot()

    def ask(
        self,
        questions: Mapping[Question, Condition | EventSelection],
        zones: Collection[str],
        roots: Sequence[int],
        now: int,
    ) -> Known:
        """Answers of the engine that evaluates segments."""
        return ask(self.session, questions, zones, roots, now=now, snapshot=self._snapshot)

    # --- Who may be told -----------------------------------------------------------------------------------
    def arms(self, workflow: Workflow, node: Node, split: Split, roots: Sequence[int], now: int) -> Allowed:  # noqa: ARG002 - others tell arms by workflow
        """Arms of an experiment, on record before anybody is told."""
        from segctl.operations.workflow.arms import arms_of

        assert split.experiment is not None
        return arms_of(self.session, split.experiment, roots, now=now)

    def allow(
        self,
        workflow: Workflow,  # noqa: ARG002 - others tell people by workflow
        node: Node,  # noqa: ARG002 - likewise
        act: Act,
        people: Sequence[Someone],
        contacts: Sequence[Contact],
        now: int,
    ) -> Allowed:
        """The gate of pushes; what leaves nobody's house needs none."""
        self._passed = None
        if act.destination is None:
            return Allowed()
        held = self.paused(act.destination)
        if held is not None:
            return Allowed(held=held)
        destination, roots = self.session.definitions.destinations[act.destination], [one.root for one in people]
        if act.kind == "remove":
            told = known_there(self.session, destination, roots, now=now)
            use = target_of(destination, act.purpose).use
            refused = {root: "identifier:missing" for root in roots if root not in told}
            self._passed = Passed(Allowed(refused, channel=use.channel), use, told, ())
            return self._passed.allowed
        gate = self.gate(now)
        self._asked_at = gate.head
        found = passed(
            self.session, gate, destination, act.purpose, roots, contacts, now=now, counts=act.kind in CONTACTS
        )
        self._write_down(found, now)
        self._passed = found
        if act.kind == "mail" and found.told:
            try:
                self.effects.load(act, sorted(found.told), now)
            except SegctlError as error:
                return replace(found.allowed, held=f"{error.code}: {error.message}")
        return found.allowed

    def _write_down(self, found: Passed, now: int) -> None:
        from segctl.operations.experiment.record import record_decided
        from segctl.state.experiments import records

        if found.decided:
            workspace = self.session.workspace
            record_decided(workspace, found.decided, records(workspace), exposed=from_us(now))

    def paused(self, destination: str) -> str | None:
        """Why nothing goes to a destination now; None when it does."""
        from segctl.operations.pauses import paused_now

        stopped = paused_now(self.session.workspace, {})
        if stopped.everything is not None:
            return "everything is paused"
        return f"`{destination}` is paused" if destination in stopped.destinations else None

    def since(self, now: int) -> int:
        """The clock goes on while many are told."""
        return now + int((monotonic() - self._begun) * 1_000_000)

    def stopped(self, workflow: str, act: Act) -> str | None:
        """Whether somebody has pressed the button meanwhile."""
        from segctl.state.pauses import paused

        found = paused(self.session.workspace)
        if ("workflow", workflow) in found:
            return f"`{workflow}` is paused"
        if ("all", "") in found:
            return "everything is paused"
        return f"`{act.destination}` is paused" if ("destination", act.destination) in found else None

    def gate(self, now: int) -> Gate:
        """The gate with all that is known now."""
        if self._gate is None:
            from segctl.operations.gate import Gate

            self._gate = Gate.open(self.session, now=from_us(now))
        self._gate.now = from_us(now)
        self._gate.refresh()
        return self._gate

    def take_out(
        self, workflow: str, node: Node, act: Act, told: Mapping[str, Told], one: Doing, now: int
    ) -> Result:  # fmt: skip
        """Takes one person out of an audience, whatever became of the workflow."""
        return self.effects.send(workflow, node, act, told, [one], now)[one.key]

    # --- Effects -------------------------------------------------------------------------------------------
    def is_declared(self, workflow: str) -> bool:
        """In the files of now, a draft too."""
        return workflow in self.session.definitions.workflows

    def is_repeatable(self, destination: str | None, action: str) -> bool:
        """What a destination says of itself; setting a trait twice sets it once."""
        if destination is None:
            return action in _REPEATABLE
        declared = self.session.definitions.destinations.get(destination)
        return declared is not None and is_repeatable(declared, action)

    def at_once(self, act: Act) -> int:
        """Audiences are told of many people in one call, everybody else one by one."""
        if act.kind not in ("add", "remove") or act.destination is None:
            return 1
        return abilities(self.session.definitions.destinations[act.destination]).batch_rows

    def perform(self, workflow: Workflow, node: Node, act: Act, doing: Sequence[Doing], now: int) -> dict[str, Result]:
        """Has the effects, after a last look at consent."""
        if act.kind == "set":
            from segctl.operations.workflow.traits import set_trait

            set_trait(self.session, act, [one.someone.root for one in doing], now=now)
            return {one.key: Result("done") for one in doing}
        if act.kind == "command":
            return {one.key: run_command(self.session, workflow, node, act, one, now) for one in doing}
        assert self._passed is not None
        refused = self._refused_since(act, doing)
        left = [one for one in doing if one.key not in refused]
        if not left:
            return refused
        told = {one.key: self._passed.told[one.someone.root] for one in left}
        return refused | self.effects.send(workflow.name, node, act, told, left, now)

    def _refused_since(self, act: Act, doing: Sequence[Doing]) -> dict[str, Result]:
        """Who said no since the gate was asked, perhaps while others were told."""
        if act.kind == "remove" or self._gate is None or self._passed is None:
            return {}
        self._gate.refresh()
        if self._gate.head == self._asked_at:
            return {}
        use, told = self._passed.use, self._passed.told
        return {
            one.key: Result("refused", "consent:withdrawn")
            for one in doing
            if not is_still_allowed(self._gate, told[one.someone.root], use)
        }

    def close(self) -> None:
        """Lets go of connections."""
        self.effects.close()


def _is_undo(cause: str | None) -> bool:
    """Whether a change came of telling people apart again."""
    from segctl.operations.causes.words import kind_of

    return cause is not None and kind_of(cause) == _UNDO


def _is_edit(cause: str | None) -> bool:
    """Whether a change came of a definition, not of a person."""
    from segctl.operations.causes.words import kind_of

    return cause is not None and kind_of(cause) in _EDITS
