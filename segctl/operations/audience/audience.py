"""Audiences: of the members in force those who may be told to a destination, and why the others may not.

Members → a valid identifier → consent → not suppressed → under the caps → not held out (by the universal holdout, by
segments, by experiments) → won their priority lists → new or changed at the destination. Segments are decided in the
order of the priority lists, so that who goes to which does not depend on what else is pushed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from segctl.compile.selection import Selection
from segctl.model.audience import Step
from segctl.model.dataclass import dataclass
from segctl.operations.audience.caps import Contacted
from segctl.operations.audience.contacts import Contacts
from segctl.operations.audience.experiments import Decided, Holding
from segctl.operations.audience.gate import Asking, Gate, Gated
from segctl.operations.audience.rows import Rows
from segctl.operations.audience.targets import Present, Target, Targets, targets

if TYPE_CHECKING:
    import polars as pl

    from segctl.model.consent import Use
    from segctl.model.destinations import Destination
    from segctl.operations.session import Session

EVERYTHING = Selection()


@dataclass(frozen=True, slots=True)
class Audience:
    """One segment for one destination.

    Attributes:
        use: What the gate was asked for every row; a batch asks it again.
        rows: Those who may be told, one row per profile, sorted by ``key``: ``subject`` Int32, ``profile_id``,
            ``key`` and ``digest`` String, ``points`` List[Binary] (tokens of the contact points that the gate
            decided on), ``id:KIND`` String for each kind of identifier, ``field:NAME`` for each field there; where
            there are such, ``others`` List[Binary]: tokens of points that must only not be refused.
        dropped: The other members: ``subject``, ``profile_id``, ``step``, ``reason``, ``detail`` String.
        waterfall: Steps until ``change``; the engine adds what was accepted.
        there: What the ledger held when this was decided, as `state.deliveries_told.told`.
        places: Where each of `rows` stands in it, UInt32; null for those who are not there.
        decided: Assignments to experiments that are to be written before anybody is told.
        troubled: Why nobody is told: an experiment that cannot go on.
    """

    segment: str
    destination: Destination
    purpose: str | None
    channel: str
    use: Use
    rows: pl.DataFrame
    dropped: pl.DataFrame
    waterfall: tuple[Step, ...]
    there: pl.DataFrame | None = None
    places: pl.Series | None = None
    decided: tuple[Decided, ...] = ()
    troubled: str | None = None


def audiences(
    session: Session,
    gate: Gate,
    *,
    selection: Selection = EVERYTHING,
    destinations: Collection[str] | None = None,
    now: datetime,
    members: Mapping[str, pl.Series] | None = None,
) -> Iterator[Audience]:
    """The audience of each selected segment for each destination it is sent to, in the order in which they decide.

    Args:
        session: Open project and workspace.
        gate: Decides on consent and suppression.
        selection: Which segments; otherwise every one with destinations that is no draft.
        destinations: Only these; None for all.
        now: When people would be told; aware.
        members: Segment → subjects, instead of the members in force: what would be so after `apply`.

    Raises:
        UsageError: A selection that fits nothing, or a holdout that has never been evaluated.
    """
    found = targets(session, selection, destinations=destinations, now=now, members=members)
    if found.order:
        there = Present(session, now, found.owners, members)
        yield from map(_audience, _Deciding(session, gate, found, there).decided())


@dataclass(frozen=True, slots=True)
class Counted:
    """The waterfall of one segment at one destination, without the people."""

    segment: str
    destination: str
    purpose: str | None
    channel: str
    waterfall: tuple[Step, ...]


def counted(session: Session, gate: Gate, *, selection: Selection = EVERYTHING, now: datetime) -> Iterator[Counted]:
    """What `audiences` would give, as counts; arguments and errors as there."""
    found = targets(session, selection, now=now)
    there = Present(session, now, found.owners, None)
    for rows in _Deciding(session, gate, found, there).decided() if found.order else ():
        target = rows.target
        yield Counted(target.segment, target.destination.name, target.use.purpose, target.use.channel, rows.waterfall())


class _Deciding:
    """One pass over all segments, with what each leaves to the next."""

    def __init__(self, session: Session, gate: Gate, found: Targets, there: Present) -> None:
        self.session, self.gate, self.found, now = session, gate, found, there.now
        self.contacts = Contacts(session, found.profiles, found.owners, now=now)
        self.asking = Asking(session, gate, self.contacts)
        self.members = {name: self.contacts.rows_of(subjects) for name, subjects in found.members.items()}
        self.contacted = Contacted(session, self.contacts, now=now)
        self.held_out = {name: self.contacts.rows_of(subjects) for name, subjects in found.holdouts.items()}
        holding = Holding(session, self.contacts, there)
        self.holding = holding if holding.is_needed else None
        self.winners: dict[str, pl.Series] = {}
        self._gated: dict[tuple[str, str | None], Gated] = {}

    def decided(self) -> Iterator[Rows]:
        """Those that are asked for; the others are decided for the sake of priority."""
        for segment in self.found.order:
            won = []
            for target in self.found.of_segment(segment):
                rows = self._decided(target)
                won.append(rows.winning())
                if target.is_asked:
                    self.contacted.count(rows.fresh(), target)
                    yield rows
            self._keep_winners(segment, won)

    def _decided(self, target: Target) -> Rows:
        rows = Rows(self.session, self.contacts, self._gate(target), target, self.members[target.segment])
        rows.drop_gated()
        for cap in self.found.caps_of(target):
            rows.drop_capped(cap, self.contacted.counts(cap))
        if self.holding is not None:
            self.holding.drop_universal(rows)
        for name, held in self.held_out.items():
            rows.drop(held, "holdout", "held_out", name)
        before = [winner for winner in self.found.before(target.segment) if winner in self.winners]
        if self.holding is not None:
            self.holding.drop_experiments(rows, [self.winners[winner] for winner in before])
        for winner in before:
            rows.drop(self.winners[winner], "priority", "displaced", winner)
        return rows

    def _gate(self, target: Target) -> Gated:
        """What the gate says of everybody in any segment with this purpose at this destination, asked once."""
        key = (target.destination.name, target.use.purpose)
        if key not in self._gated:
            same = [one.segment for one in self.found.targets if (one.destination.name, one.use.purpose) == key]
            everyone = _union([self.members[name] for name in dict.fromkeys(same)])
            self._gated[key] = self.asking.gated(target, everyone)
        return self._gated[key]

    def _keep_winners(self, segment: str, won: Iterable[pl.Series]) -> None:
        if segment in self.found.listed:
            self.winners[segment] = _union(list(won))


def _union(parts: list[pl.Series]) -> pl.Series:
    import polars as pl

    return parts[0] if len(parts) == 1 else pl.concat([one.alias("row") for one in parts]).unique().sort()


def _audience(rows: Rows) -> Audience:
    target = rows.target
    frame, places = rows.frame()
    return Audience(
        segment=target.segment,
        destination=target.destination,
        purpose=target.use.purpose,
        channel=target.use.channel,
        use=target.use,
        rows=frame,
        dropped=rows.dropped(),
        waterfall=rows.waterfall(),
        there=rows.there,
        places=places,
        decided=tuple(rows.decided),
        troubled=rows.troubled,
    )
