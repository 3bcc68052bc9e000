"""How many people may be contacted, by purpose and channel, and why the others may not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from segctl.model.consent import KINDS_OF_CHANNEL, Decision, Use
from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    import polars as pl

    from segctl.compile.selection import Selection
    from segctl.operations.gate import Gate
    from segctl.operations.session import Session

REFUSALS = frozenset({"objected_marketing", "objected_profiling", "objected_general", "denied", "withdrawn"})
"""The person said no, not only that nobody has said yes."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """One group of people for one purpose and channel.

    Attributes:
        segment: None for the whole population.
        people: In the group.
        allowed: May be contacted.
        reasons: Reason code → people who may not, the most frequent first.
    """

    segment: str | None
    purpose: str
    channel: str
    people: int
    allowed: int
    reasons: Mapping[str, int]


def coverage(session: Session, selection: Selection | None, *, now: datetime) -> Iterator[Coverage]:
    """For each group, purpose and channel of the project how many people may be contacted.

    Args:
        session: With definitions, when segments are selected.
        selection: Segments, by their members in force; None for the whole population.
        now: Present time.

    Raises:
        UsageError: A selection that fits nothing.
        IntegrityError: A key of the ledger is gone.
    """
    from segctl.operations.gate import Gate

    gate = Gate.open(session, now=now)
    for name, profiles, owners in _groups(session, selection, now):
        points = _Points(session, gate, profiles, owners, now)
        for purpose in session.project.purposes:
            for channel in purpose.channels:
                decisions = points.decided(Use(purpose.name, channel))
                found = Counter(decision.reason for decision in decisions)
                allowed = found.pop(None, 0)
                reasons = {str(code): count for code, count in found.most_common()}
                yield Coverage(name, purpose.name, channel, len(profiles), allowed, reasons)


def _groups(
    session: Session, selection: Selection | None, now: datetime
) -> Iterator[tuple[str | None, pl.Series, pl.Series | None]]:
    from segctl.operations.audience.targets import Present
    from segctl.operations.selection import chosen
    from segctl.state.identity import canonical

    owners = canonical(session.workspace)
    if selection is None:
        yield None, _everybody(session, owners), owners
        return
    present = Present(session, now, owners, None)
    for name in chosen(session.definitions, selection):
        members = present.members(name)
        if members is not None:
            yield name, members, owners


def _everybody(session: Session, owners: pl.Series | None) -> pl.Series:
    """Profiles with an identifier of a class that counts, ascending."""
    import polars as pl

    from segctl.state.subjects import Subjects

    classes = list(session.project.population)
    table = Subjects(session.workspace).table()
    found = table.filter(pl.col("identifier_class").is_in(classes)).select("subject").collect()["subject"]
    return (found if owners is None else owners.gather(found)).unique().sort().cast(pl.Int32)


class _Points:
    """Tokens of a group of people by kind, each made once."""

    def __init__(
        self, session: Session, gate: Gate, profiles: pl.Series, owners: pl.Series | None, now: datetime
    ) -> None:
        from segctl.operations.audience.contacts import Contacts

        self._contacts = Contacts(session, profiles, owners, now=now)
        self._names = dict(session.project.contact_points)
        self._gate, self._count = gate, len(profiles)
        self._known: dict[str, list[list[bytes | None]]] = {}

    def decided(self, use: Use) -> list[Decision]:
        """One decision a person: where a channel has several kinds of contact points, one that is allowed is enough."""
        kinds = [kind for kind in KINDS_OF_CHANNEL.get(use.channel, ()) if kind in self._names]
        asked = [self._gate.decide(self._of(kind), use) for kind in kinds]
        if not asked:
            return self._gate.decide([[]] * self._count, use)
        return [_best(several) for several in zip(*asked, strict=True)] if len(asked) > 1 else asked[0]

    def _of(self, kind: str) -> list[list[bytes | None]]:
        if kind not in self._known:
            every = self._contacts.points(kind, self._names[kind])
            rows: list[list[bytes | None]] = [[] for _ in range(self._count)]
            tokens = self._gate.tokens(kind, every["value"].to_list())
            for row, token in zip(every["row"].to_list(), tokens, strict=True):
                rows[row].append(token)
            self._known[kind] = rows
        return self._known[kind]


def _best(decisions: tuple[Decision, ...]) -> Decision:
    refused = next((one for one in decisions if one.consent in REFUSALS or one.suppression is not None), None)
    if refused is not None:
        return refused
    there = [one for one in decisions if one.consent != "no_point"] or list(decisions)
    return next((one for one in there if one.is_allowed), there[0])
