"""What is really at a destination, against the ledger: who is missing, who is foreign, which audiences are orphaned."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from segctl.compile.suggest import nearest
from segctl.model.dataclass import dataclass
from segctl.model.errors import TemporaryError, UsageError
from segctl.operations.progress import Progress, Silent
from segctl.operations.reconcile_workflows import Filled, filled

if TYPE_CHECKING:
    from segctl.connectors.destinations.base import Abilities, Connector, Member
    from segctl.model.destinations import Destination
    from segctl.operations.session import Session
    from segctl.state.deliveries import LedgerAudience


@dataclass(frozen=True, slots=True)
class Missing:
    """Somebody whom the destination accepted and who is not there.

    Attributes:
        profile_id: None when the ledger does not know it.
    """

    key: str
    profile_id: str | None


@dataclass(frozen=True, slots=True)
class Drift:
    """One audience as the ledger has it and as it is there; counts are people.

    Attributes:
        state: ``ok``, ``drift``, ``gone`` (the audience itself is not there) or ``orphaned`` (no segment goes to it).
        remote: Id of the audience there.
        ledger: Accepted there, as far as is known.
        there: Members that were read.
        open: Rows whose last call has no certain outcome; the next push settles them.
        missing: Accepted, and not there.
        foreign: There, and never accepted.
        by_workflow: Workflows fill it, under the name in `segment`; no push does.
    """

    segment: str
    state: str
    remote: str | None
    number: int
    ledger: int
    there: int
    open: int
    missing: tuple[Missing, ...] = ()
    foreign: tuple[Member, ...] = ()
    by_workflow: bool = False

    @property
    def has_drift(self) -> bool:
        """Something is otherwise than the ledger says."""
        return self.state != "ok"


@dataclass(frozen=True, slots=True)
class Compared:
    """One destination, read.

    Attributes:
        audiences: By segment.
        unknown: Audiences there that no push made: id, name, size.
    """

    destination: str
    audiences: tuple[Drift, ...]
    unknown: tuple[tuple[str, str, int | None], ...] = ()

    @property
    def has_drift(self) -> bool:
        """Some audience is otherwise than the ledger says."""
        return any(one.has_drift for one in self.audiences)


def compare(session: Session, name: str, *, now: datetime, progress: Progress | None = None) -> Compared:
    """Read every audience of a destination that a push made, and compare it with the ledger; nothing is changed.

    Raises:
        UsageError: No such destination, or one that cannot be read.
        TemporaryError: It does not answer now.
    """
    from segctl.state.deliveries import ledger_audiences

    listener = progress or Silent()
    with readable(session, name, now) as connector:
        ledger = ledger_audiences(session.workspace, name)
        listener.start(f"read {name}", total=len(ledger), unit="audiences")
        try:
            remotes = {remote.id: remote for remote in connector.audiences()}
            by_workflows = filled(session, name, list(remotes.values()), now=now)
            of_workflows = {one.remote: one for one in by_workflows if one.remote is not None}
            found, pushed = [], set[str]()
            for one in ledger:
                beside = [other for other in ledger if other.remote == one.remote and other.id != one.id]
                if one.remote is not None and not _is_settled(session, one, beside):
                    is_there, also = _is_there(connector, one.remote, remotes), of_workflows.get(one.remote)
                    found.append(_compared(session, connector, one, beside, also, is_there=is_there))
                    pushed.add(one.remote)
                listener.advance(1)
            found += [_filled(connector, one) for one in by_workflows if one.remote is None or one.remote not in pushed]
        finally:
            listener.finish()
        known = {one.remote for one in ledger} | {one.remote for one in by_workflows}
        others = tuple((r.id, r.name, r.size) for r in remotes.values() if r.id not in known)
        shown = sorted(found, key=lambda one: one.segment)
        return Compared(name, tuple(shown), tuple(sorted(others)))


@contextmanager
def readable(session: Session, name: str, now: datetime) -> Iterator[Connector]:
    """The connector of a destination that tells what is there.

    Raises:
        UsageError: No such destination, or one that cannot be read.
        TemporaryError: It does not answer now.
    """
    from segctl.connectors.destinations import connected
    from segctl.connectors.destinations.base import Around, BatchRefusedError, NotNowError, UnknownOutcomeError

    destination, can = known_destination(session, name)
    if not can.reads_back:
        raise UsageError(
            "SEG855", f"`{name}` cannot be read: its kind `{destination.kind}` does not tell who is there",
            hint="look there by hand; the ledger shows what it accepted: `segctl status`",
        )  # fmt: skip
    connector = connected(destination, Around(name, session.root, now))
    try:
        yield connector
    except (NotNowError, UnknownOutcomeError, BatchRefusedError) as error:
        raise TemporaryError(
            "SEG856", f"`{name}` does not tell who is there now: {error}", hint="run the same again later"
        ) from error
    finally:
        connector.close()


def known_destination(session: Session, name: str) -> tuple[Destination, Abilities]:
    """A destination and what it can do.

    Raises:
        UsageError: There is none of that name.
    """
    from segctl.connectors.destinations import abilities

    known = session.definitions.destinations
    if name not in known:
        near = nearest(name, known)
        raise UsageError(
            "SEG854", f"there is no destination `{name}`",
            hint=f"did you mean `{near}`?" if near else "destinations are declared in `destinations/NAME.yaml`",
        )  # fmt: skip
    return known[name], abilities(known[name])


def is_sent_there(session: Session, segment: str, destination: str) -> bool:
    """True if a segment of that name, or one that was called so, goes to the destination today."""
    segments = session.definitions.segments
    today = segments.get(segment) or next((s for s in segments.values() if segment in s.formerly), None)
    return today is not None and destination in today.send_to


def _is_there(connector: Connector, audience: str, remotes: Collection[str]) -> bool:
    from segctl.connectors.destinations.base import Findable

    known = connector.has(audience) if isinstance(connector, Findable) else None
    return audience in remotes if known is None else known


def _is_settled(session: Session, one: LedgerAudience, beside: Iterable[LedgerAudience]) -> bool:
    """A list that was left with nobody on it, or one that another audience of today has: there is nothing to compare.

    Who is on it then is not for this one to say.
    """
    from segctl.state.deliveries import audience_size
    from segctl.state.deliveries_moved import former_name

    if is_sent_there(session, one.segment, one.destination):
        return False
    if any(is_sent_there(session, other.segment, other.destination) for other in beside):
        return True
    return one.segment == former_name(one.remote) and not audience_size(session.workspace, one.id)


def _compared(
    session: Session,
    connector: Connector,
    one: LedgerAudience,
    beside: Iterable[LedgerAudience],
    also: Filled | None,
    *,
    is_there: bool,
) -> Drift:
    """What is otherwise. `beside` are others in the same list, `also` is whom workflows put into it."""
    from segctl.connectors.destinations.base import Row
    from segctl.state.deliveries import delivered

    rows = delivered(session.workspace, one.destination, one.segment)
    there = list(connector.members(str(one.remote))) if is_there else []
    seen = _Seen(there)
    missing, open_rows = [], 0
    for key, profile_id, state, _, known_as, identifiers in rows.iter_rows():
        is_found = seen.take(_seen_as(connector, key, identifiers, known_as), known_as)
        if state != "accepted":
            open_rows += 1
        elif not is_found:
            missing.append(Missing(key, profile_id))
    for other in beside:
        for key, _, _, _, known_as, identifiers in delivered(
            session.workspace, other.destination, other.segment
        ).iter_rows():
            seen.take(_seen_as(connector, key, identifiers, known_as), known_as)
    for told in also.people.values() if also is not None else ():
        seen.take(connector.seen_as(Row(told.key, told.identifiers)), None)
    foreign = tuple(seen.rest())
    is_wanted = is_sent_there(session, one.segment, one.destination)
    state = "ok" if not missing and not foreign else "drift"
    if not is_wanted:
        state = "orphaned" if is_there and (rows.height or there) else "ok"
    elif not is_there and rows.height:
        state = "gone"
    return Drift(
        segment=one.segment, state=state, remote=str(one.remote), number=one.id, ledger=rows.height - open_rows,
        there=len(there), open=open_rows, missing=tuple(missing), foreign=foreign,
    )  # fmt: skip


def _filled(connector: Connector, one: Filled) -> Drift:
    """What is otherwise in an audience that only workflows fill."""
    from segctl.connectors.destinations.base import Row

    there = list(connector.members(one.remote)) if one.remote is not None else []
    seen = _Seen(there)
    missing = [
        Missing(told.key, profile)
        for profile, told in one.people.items()
        if not seen.take(connector.seen_as(Row(told.key, told.identifiers)), None)
    ]
    foreign = tuple(seen.rest())
    state = "drift" if missing or foreign else "ok"
    if one.remote is None and one.people:
        state = "gone"
    return Drift(
        segment=one.audience, state=state, remote=one.remote, number=0, ledger=len(one.people), there=len(there),
        open=one.open, missing=tuple(missing), foreign=foreign, by_workflow=True,
    )  # fmt: skip


def _seen_as(connector: Connector, key: str, identifiers: str, known_as: str | None) -> Mapping[str, str]:
    from segctl.connectors.destinations.base import Row

    return connector.seen_as(Row(key, json.loads(identifiers), {}, known_as))


class _Seen:
    """Members that were read, by what they can be recognised by."""

    def __init__(self, members: Iterable[Member]) -> None:
        self._members = list(members)
        self._places: dict[tuple[str, str], int] = {}
        self._is_ours = [False] * len(self._members)
        for place, member in enumerate(self._members):
            for pair in member.identifiers.items():
                self._places.setdefault(pair, place)
            if member.known_as is not None:
                self._places.setdefault(("", member.known_as), place)

    def take(self, identifiers: Mapping[str, str], known_as: str | None) -> bool:
        """True if a member is known by any of them; that one is ours then."""
        pairs = [*identifiers.items(), *([("", known_as)] if known_as is not None else [])]
        places = {place for pair in pairs if (place := self._places.get(pair)) is not None}
        for place in places:
            self._is_ours[place] = True
        return bool(places)

    def rest(self) -> Iterator[Member]:
        """Those whom nobody took."""
        return (member for member, ours in zip(self._members, self._is_ours, strict=True) if not ours)
