"""Where audiences are at their destination, and what becomes of a list that its audience has left.

A list is found by its name, so a renamed segment has a new one; so has one whose list somebody deleted. What changed
since the last push is not enough for it: it gets everybody, the former list is emptied. Where telling somebody twice
has its effect twice (a mail, a journey) nothing is kept that could be empty.

Of each list one audience looks after the people on it: when another takes a list over, it takes them over too, and
takes out of it who is not its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field, replace
from typing import TYPE_CHECKING

from segctl.connectors.destinations.base import Findable, Movable
from segctl.model.audience import Step
from segctl.model.dataclass import dataclass
from segctl.operations.push.again import tell_again, tell_keys
from segctl.operations.push.work import Part

if TYPE_CHECKING:
    from segctl.connectors.destinations.base import Abilities, Connector
    from segctl.state.deliveries import LedgerAudience
    from segctl.state.workspace import Workspace


def is_elsewhere(workspace: Workspace, connector: Connector, part: Part, can: Abilities) -> bool:
    """Whether the audience is a new object; one that can be brought along has been."""
    from segctl.state.deliveries_moved import others_there

    former = part.ledger.remote
    if former is None or former == part.remote:
        return False
    # What another audience has too cannot be taken away from it.
    if isinstance(connector, Movable) and not others_there(workspace, part.ledger):
        return not connector.moved(former, part.remote, part.segment) and can.is_repeatable
    return can.is_repeatable


def foresee(workspace: Workspace, part: Part, can: Abilities) -> None:
    """Let a part under a new name tell everybody, before anybody agrees to it; nobody at the destination is asked.

    What only the destination knows (somebody deleted the list) shows when the push begins.
    """
    if leaves(workspace, part, can):
        _tell_all(part)


def leaves(workspace: Workspace, part: Part, can: Abilities) -> bool:
    """Whether an audience is a new object at its destination, as far as it can be known without asking there.

    One that nobody may be told of now stays where it is, so that nobody is on no list in the meantime.
    """
    if not (part.is_renamed and part.tells and can.is_repeatable):
        return False
    return not can.brings_along or _is_shared(workspace, part)


def _is_shared(workspace: Workspace, part: Part) -> bool:
    """Another audience has the same list now, or the name that this one is to have."""
    from segctl.state.deliveries import ledger_audiences
    from segctl.state.deliveries_moved import former_name, others_there

    if others_there(workspace, part.ledger):
        return True
    others = [one for one in ledger_audiences(workspace, part.destination) if one.id != part.ledger.id]
    return any(one.name == part.name and one.segment != former_name(one.remote) for one in others)


def left_list(workspace: Workspace, part: Part, can: Abilities) -> Part | None:
    """The audience that a part under a new name leaves, as far as it can be known without asking there."""
    from segctl.state.deliveries_moved import former_name

    if not leaves(workspace, part, can):
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
    there = told_points(workspace, was.id)
    is_out = pl.col("key").is_in(sorted(part.withdrawals))
    out, staying = there.filter(is_out)["key"].to_list(), there.filter(~is_out)
    leavers = staying["key"].to_list() if part.mode == "mirror" and part.tells else ()
    watched = None if leavers else staying
    return Part(was.segment, was.destination, was, part.mode, part.purpose, part.use, leavers=leavers,
                withdrawals=out, watched=watched, remote=was.remote or "", is_over=True)  # fmt: skip


def is_there(connector: Connector, audience: str, can: Abilities) -> bool:
    """Whether an audience is at its destination; what cannot be listed is told by name, and is taken to be there."""
    known = connector.has(audience) if isinstance(connector, Findable) else None
    if known is not None:
        return known
    there = [one.id for one in connector.audiences()]
    return audience in there or (not there and not can.reads_back)


@dataclass(frozen=True, slots=True)
class Lists:
    """The lists of one destination in a push.

    Attributes:
        workspace: Where the ledger is.
        connector: Of the destination.
        can: What the destination can do.
        parts: All its audiences in the push; what they leave is added.
        told: Hears why everybody is told.
        is_dry: Nothing is written down.
        stays: No audience goes elsewhere: only what failed is sent again.
        more: Of `parts` those that somebody is taken out of because of where another one is.
    """

    workspace: Workspace
    connector: Connector
    can: Abilities
    parts: list[Part]
    told: Callable[[str], None]
    is_dry: bool = False
    stays: bool = False
    more: list[Part] = field(default_factory=list)

    def find(self, part: Part) -> None:
        """Settle where an audience is, before the first call.

        Raises:
            BatchRefusedError: The destination refuses the audience.
            SegctlError: It cannot be asked; `NotNowError` and `UnknownOutcomeError` where it can later.
        """
        is_told = part.tells and not part.is_over
        if part.ledger.remote is not None and (not is_told or (part.is_renamed and self.stays)):
            # It is where it was last, whatever it is called today.
            part.remote = part.ledger.remote
            if not is_told and not self.is_dry:
                self._look_after(part)
            return
        part.remote = self.connector.audience(part.segment, part.name)
        if self.is_dry:
            self._foresee(part)
        elif (part.remote, part.name) != (part.ledger.remote, part.ledger.name):
            if is_elsewhere(self.workspace, self.connector, part, self.can):
                self._move(part)
            else:
                self._keep(part)

    def _foresee(self, part: Part) -> None:
        left = left_list(self.workspace, part, self.can)
        if left is not None:
            part.leavers, part.withdrawals = (), ()
            self._add(left)

    def _keep(self, part: Part) -> None:
        from segctl.state.deliveries import keep_remote

        keep_remote(self.workspace, part.ledger.id, part.remote, part.name)

    def _move(self, part: Part) -> None:
        """The audience is a new object: it is told everybody, and who is on the former one is taken out there."""
        from segctl.state.deliveries_batches import open_batches
        from segctl.state.deliveries_moved import move

        if open_batches(self.workspace, [part.ledger.id]):
            part.paused = "an earlier call has not ended there, so the audience stays where it is until it has"
            part.remote, part.leavers = part.ledger.remote or "", ()
            return
        former = part.ledger.remote
        left = former if former is not None and is_there(self.connector, former, self.can) else None
        self.told(f"{part.destination}: `{part.segment}` is another audience there now, so everybody is told again")
        self._doubt_shared(part)
        gone = [*part.leavers, *part.withdrawals]
        was = move(self.workspace, part.ledger.id, part.remote, part.name, left=left, gone=gone)
        out = None if was is None else emptied(self.workspace, part, was, self.can)
        # A service that knows a call by its key would take it for the one to the former list.
        part.leavers, part.withdrawals, part.repeated = (), (), ()
        part.ledger = replace(part.ledger, remote=part.remote, name=part.name)
        _tell_all(part)
        for other in [one for one in self.parts if one.is_over and one.ledger.remote == part.remote]:
            self._give(other, part.ledger)
        if out is not None:
            self._add(out)
            self._hand_over(out)

    def _look_after(self, part: Part) -> None:
        """An audience that nobody is told of in this push: people are taken out of what is there, if it is."""
        from segctl.state.deliveries_moved import forget_list

        if not is_there(self.connector, part.remote, self.can):
            part.leavers, part.withdrawals = (), ()
            if part.is_over:
                forget_list(self.workspace, part.ledger.id)
                part.delta = None
        elif part.is_over:
            self._hand_over(part)

    def _hand_over(self, part: Part) -> None:
        from segctl.state.deliveries_moved import others_there

        there = others_there(self.workspace, part.ledger)
        here = {one.ledger.id for one in self.parts if not one.is_over}
        if there:
            self._give(part, next((one for one in there if one.id in here), there[0]))

    def _give(self, part: Part, owner: LedgerAudience) -> None:
        """People on a list that another audience has now are looked after there; it takes out who is not its own."""
        from segctl.state.deliveries_batches import keep_in_doubt
        from segctl.state.deliveries_moved import forget_double, give

        to = next((one for one in self.parts if one.ledger.id == owner.id), None)
        own = self._own(part, owner, to)
        if to is None:
            forget_double(self.workspace, part.ledger.id, owner.id)
            part.leavers, part.withdrawals = (
                [key for key in keys if key not in own] for keys in (part.leavers, part.withdrawals)
            )
            return
        give(self.workspace, part.ledger.id, owner.id)
        _take_on(to, part, own)
        to.remote = to.remote or owner.remote or ""
        tell_again(self.workspace, to, self.can)
        keep_in_doubt(self.workspace, to.ledger.id, to.again)
        self._add(to)

    def _doubt_shared(self, part: Part) -> None:
        """Whom another audience has too on a list that a part leaves, it tells again: the last word was the part's."""
        from segctl.state.deliveries import told_points
        from segctl.state.deliveries_batches import keep_in_doubt
        from segctl.state.deliveries_moved import others_there

        for other in others_there(self.workspace, part.ledger):
            ours = set(told_points(self.workspace, part.ledger.id)["key"])
            both = sorted(ours.intersection(told_points(self.workspace, other.id)["key"]))
            keep_in_doubt(self.workspace, other.id, both)
            for to in (one for one in self.parts if one.ledger.id == other.id):
                tell_keys(to, both)
                to.remote = to.remote or other.remote or ""
                self._add(to)

    def _own(self, part: Part, owner: LedgerAudience, to: Part | None) -> set[str]:
        """Keys of people who stay on a list, whoever leaves it: those that it is for today, as far as is known."""
        from segctl.state.deliveries import told_points
        from segctl.state.deliveries_moved import others_there

        found: set[str] = set()
        for one in others_there(self.workspace, part.ledger):
            if to is None or one.id != owner.id:
                found.update(told_points(self.workspace, one.id)["key"])
        if to is None:
            return found
        if to.delta is None or to.refused is not None:
            found.update(told_points(self.workspace, owner.id)["key"])
            found.difference_update(to.withdrawals)
        return found.union(() if to.delta is None else to.delta.rows["key"])

    def _add(self, part: Part) -> None:
        for parts in (self.parts, self.more):
            if not any(one is part for one in parts):
                parts.append(part)


def _take_on(to: Part, part: Part, own: set[str]) -> None:
    """Let one part take out whom another would have, but for its own people, and watch whom that watches."""
    import polars as pl

    to.withdrawals = sorted({*to.withdrawals, *part.withdrawals} - own)
    to.leavers = sorted({*to.leavers, *part.leavers} - {*to.withdrawals, *own})
    if part.watched is not None:
        kept = part.watched.filter(~pl.col("key").is_in(sorted(own)))
        to.watched = kept if to.watched is None else pl.concat([to.watched, kept]).unique("key")
    part.delta, part.leavers, part.withdrawals, part.watched = None, (), (), None


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
