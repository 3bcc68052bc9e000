"""Which segments go to which destinations, in the order in which they decide who goes where."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from segctl.compile.selection import Selection
from segctl.model.audience import Cap, PriorityList
from segctl.model.consent import Use
from segctl.model.dataclass import dataclass
from segctl.model.errors import UsageError
from segctl.operations.expiry import expired
from segctl.operations.pauses import paused_now
from segctl.operations.selection import chosen

if TYPE_CHECKING:
    import polars as pl

    from segctl.model.conditions import SegmentDefinition
    from segctl.model.destinations import Destination
    from segctl.operations.session import Session


@dataclass(frozen=True, slots=True)
class Target:
    """One segment for one destination.

    Attributes:
        identifiers: Kinds by which the destination can know people, best first.
        is_asked: Selected; the others are decided only because a selected one comes after them.
        is_paused: Nobody new goes there now.
    """

    segment: str
    destination: Destination
    use: Use
    identifiers: tuple[str, ...]
    is_asked: bool
    is_paused: bool


@dataclass(frozen=True, slots=True)
class Targets:
    """What a push is about.

    Attributes:
        order: Segments in the order in which they decide.
        members: Segment → subjects of its members' profiles, ascending.
        holdouts: Held-out segment → likewise.
        profiles: Every profile of any of the segments, ascending, Int32.
        owners: Subject → subject of its profile; None when each is its own.
        unevaluated: Selected segments that no run has brought into force.
    """

    targets: tuple[Target, ...]
    order: tuple[str, ...]
    members: Mapping[str, pl.Series]
    holdouts: Mapping[str, pl.Series]
    profiles: pl.Series
    owners: pl.Series | None
    priority: tuple[PriorityList, ...]
    caps: tuple[Cap, ...]
    unevaluated: tuple[str, ...] = ()

    def of_segment(self, segment: str) -> Iterator[Target]:
        """Where a segment goes, by name of the destination."""
        return (target for target in self.targets if target.segment == segment)

    def before(self, segment: str) -> tuple[str, ...]:
        """Segments that win over this one, list by list, the first of each list first."""
        return earlier(self.priority, segment)

    @property
    def listed(self) -> frozenset[str]:
        """Segments that stand in a priority list."""
        return frozenset(name for one in self.priority for name in one.segments)

    def caps_of(self, target: Target) -> tuple[Cap, ...]:
        """Caps that count what goes there."""
        return tuple(cap for cap in self.caps if applies(cap, target.use.channel, target.use.purpose))


def applies(cap: Cap, channel: str | None, purpose: str | None) -> bool:
    """True if a contact over that channel and for that purpose counts."""
    return cap.channel in (None, channel) and cap.purpose in (None, purpose)


def earlier(lists: Iterable[PriorityList], segment: str) -> tuple[str, ...]:
    """Segments that stand before this one in any of the lists."""
    found: dict[str, None] = {}
    for one in lists:
        if segment in one.segments:
            found |= dict.fromkeys(one.segments[: one.segments.index(segment)])
    return tuple(found)


def targets(
    session: Session,
    selection: Selection,
    *,
    destinations: Collection[str] | None = None,
    now: datetime,
    members: Mapping[str, pl.Series] | None = None,
) -> Targets:
    """What a push of these segments is about; arguments as of `audience.audiences`.

    Raises:
        UsageError: A selection that fits nothing, or a holdout that has never been evaluated.
    """
    from segctl.state.identity import canonical

    project, segments = session.project, session.definitions.segments
    asked = [name for name in chosen(session.definitions, selection) if _is_sent(segments[name])]
    order = decided_order([name for name in _with_earlier(project.priority, asked) if name in segments
                           and _is_sent(segments[name])], project.priority)  # fmt: skip
    owners = canonical(session.workspace)
    there = Present(session, now, owners, members)
    found = {name: subjects for name in order if (subjects := there.members(name)) is not None}
    order = tuple(name for name in order if name in found)
    everyone = _targets(session, order, frozenset(asked), destinations)
    return Targets(
        targets=everyone,
        order=tuple(name for name in order if any(target.segment == name for target in everyone)),
        members=found,
        holdouts={one.name: there.held_out(one.name) for one in project.holdout} if everyone else {},
        profiles=_union([found[name] for name in dict.fromkeys(target.segment for target in everyone)]),
        owners=owners,
        priority=project.priority,
        caps=project.caps,
        unevaluated=tuple(name for name in asked if name not in found),
    )


def decided_order(names: Collection[str], lists: Iterable[PriorityList]) -> tuple[str, ...]:
    """The names so that in every list the earlier come first; what no list orders, by name.

    Lists that contradict each other are an error of the project file; of such the first list wins here.
    """
    lists = tuple(lists)
    waiting, found = sorted(names), list[str]()
    while waiting:
        ahead = {name: set(earlier(lists, name)) & set(waiting) for name in waiting}
        free = next((name for name in waiting if not ahead[name] - {name}), waiting[0])
        found.append(free)
        waiting.remove(free)
    return tuple(found)


def _with_earlier(lists: tuple[PriorityList, ...], asked: Iterable[str]) -> set[str]:
    """The names and all that may take profiles from them, directly or not."""
    found, todo = set[str](), list(asked)
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo.extend(earlier(lists, name))
    return found


def _is_sent(segment: SegmentDefinition) -> bool:
    return bool(segment.send_to) and segment.status != "draft"


def _targets(
    session: Session, order: Iterable[str], asked: Collection[str], destinations: Collection[str] | None
) -> tuple[Target, ...]:
    from segctl.connectors.destinations import abilities

    segments, known = session.definitions.segments, session.definitions.destinations
    stopped = paused_now(session.workspace, segments)
    found = []
    for name in order:
        segment = segments[name]
        for to in sorted(set(segment.send_to) & known.keys()):
            destination, able = known[to], abilities(known[to])
            recipient = {"class": able.recipient, **dict(destination.recipient)}
            channel = destination.channel or able.channel
            found.append(
                Target(
                    segment=name,
                    destination=destination,
                    use=Use(segment.purpose, channel, to, tuple(sorted(recipient.items()))),
                    identifiers=able.identifiers,
                    is_asked=name in asked and (destinations is None or to in destinations),
                    is_paused=segment.status == "paused" or name in stopped.segments or to in stopped.destinations,
                )
            )
    return tuple(found)


class Present:
    """Members in force, or those that are given instead, by profile as of now.

    Args:
        session: Open project and workspace.
        now: Nobody belongs to a segment that has ended by then.
        owners: Subject → subject of its profile; None when each is its own.
        members: Segment → subjects, where other members are meant.
    """

    def __init__(
        self, session: Session, now: datetime, owners: pl.Series | None, members: Mapping[str, pl.Series] | None
    ) -> None:
        from segctl.state.memberships import sizes

        self.session, self.now, self.owners, self.given = session, now, owners, members or {}
        self.in_force = sizes(session.workspace)

    def members(self, name: str) -> pl.Series | None:
        """Subjects of a segment's profiles, ascending; None when it has never been evaluated."""
        import polars as pl

        from segctl.state.memberships import members

        segments = self.session.definitions.segments
        if expired(segments, [name], self.now, self.session.project.timezone):
            return pl.Series("subject", [], dtype=pl.Int32)
        if name in self.given:
            return self._profiles(self.given[name])
        names = (name, *reversed(segments[name].formerly))
        recorded = next((one for one in names if one in self.in_force), None)
        return None if recorded is None else self._profiles(members(self.session.workspace, recorded))

    def held_out(self, name: str) -> pl.Series:
        """The same of a holdout; a person is held out as soon as one of those merged into them is.

        Raises:
            UsageError: Nobody knows who is held out, so nobody may be told.
        """
        found = self.members(name)
        if found is None:
            raise UsageError(
                "SEG850", f"`{name}` holds people out, but it has never been evaluated",
                why="nobody knows who must be kept out, so nothing may be sent", hint="`segctl apply` evaluates it",
            )  # fmt: skip
        return found

    def _profiles(self, subjects: pl.Series) -> pl.Series:
        import polars as pl

        if self.owners is None:
            return subjects.cast(pl.Int32)
        return self.owners.gather(subjects).cast(pl.Int32).unique().sort()


def _union(parts: list[pl.Series]) -> pl.Series:
    import polars as pl

    if not parts:
        return pl.Series("subject", [], dtype=pl.Int32)
    return parts[0] if len(parts) == 1 else pl.concat([one.alias("subject") for one in parts]).unique().sort()
