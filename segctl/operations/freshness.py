"""How old the inputs of segments are, measured against what `fresh` asks for.

An event kind is as old as its newest event that is not after as_of. A source, and a related table through the sources
that feed it, is as old as the last time that new rows of it were taken in completely, or that a service was asked and
answered in full; a file that is found unchanged is no newer than it was. An input of which nothing is known is stale.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from segctl.compile.zones import from_us, shifted, to_us
from segctl.model.dataclass import dataclass
from segctl.operations.guards import Broken

if TYPE_CHECKING:
    from segctl.model.conditions import SegmentDefinition
    from segctl.model.project import Project
    from segctl.model.times import Duration
    from segctl.operations.session import Session
    from segctl.state.workspace import Workspace

InputKind = Literal["event", "source", "related table"]
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Freshness:
    """What `fresh` finds for an evaluation.

    Attributes:
        refused: Segment → inputs that are too old, where that keeps the segment as it is.
        marked: Segment → sentences on such inputs, where it is only marked.
    """

    refused: Mapping[str, tuple[Broken, ...]]
    marked: Mapping[str, tuple[str, ...]]


def freshness(session: Session, names: Iterable[str], *, as_of: datetime, snapshot: int) -> Freshness:
    """Compare the inputs of segments with what they ask for.

    Args:
        session: Open project and workspace.
        names: Segments that are evaluated.
        as_of: Valid time of the evaluation.
        snapshot: What is known.
    """
    newest = _Newest(session.workspace, session.project, as_of, snapshot)
    refused, marked = {}, {}
    for name in names:
        segment = session.definitions.segments[name]
        found = tuple(
            one for given, limit in segment.fresh if (one := _stale(name, given, limit, newest, session)) is not None
        )
        if found and is_marked(segment, session.project):
            marked[name] = tuple(one.message for one in found)
        elif found:
            refused[name] = found
    return Freshness(refused, marked)


def is_marked(segment: SegmentDefinition, project: Project) -> bool:
    """A stale input only marks the segment."""
    return (segment.stale or project.stale) == "mark"


def _stale(segment: str, name: str, limit: Duration, newest: _Newest, session: Session) -> Broken | None:
    kind, at = newest.of(name)
    oldest = from_us(shifted(to_us(newest.as_of), limit, -1, session.project.timezone))
    asked = Decimal(int((newest.as_of - oldest) / _SECOND))
    of = f"the {kind} `{name}`"
    if at is None:
        text = f"`{segment}` asks for {of} of the last {limit}, and nothing of it is known"
        return Broken("fresh", text, None, asked)
    if at >= oldest:
        return None
    age = newest.as_of - at
    when = session.local(at).isoformat(sep=" ", timespec="seconds")
    text = f"{of} is {age_words(age)} old (newest {when}), and `{segment}` asks for at most {limit}"
    return Broken("fresh", text, Decimal(int(age / _SECOND)), asked)


def age_words(age: timedelta) -> str:
    """For instance ``3 days``, ``2 hours``: rounded down, so that it never is more than what has passed.

    >>> age_words(timedelta(days=3, hours=5)), age_words(timedelta(minutes=61)), age_words(timedelta(seconds=9))
    ('3 days', '61 minutes', '9 seconds')
    """
    seconds = int(age / _SECOND)
    for unit, length in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}s"
    return f"{seconds} second{'' if seconds == 1 else 's'}"


class _Newest:
    """The newest knowledge of each input, looked up once."""

    def __init__(self, workspace: Workspace, project: Project, as_of: datetime, snapshot: int) -> None:
        self.workspace, self.project, self.as_of, self.snapshot = workspace, project, as_of, snapshot
        self._known: dict[str, tuple[InputKind, datetime | None]] = {}

    def of(self, name: str) -> tuple[InputKind, datetime | None]:
        """Kind of an input, and how new it is; None when nothing is known of it."""
        if name not in self._known:
            if self.project.event(name) is not None:
                self._known[name] = ("event", self._event(name))
            elif self.project.table(name) is not None and not self._is_source(name):
                self._known[name] = ("related table", self._table(name))
            else:
                self._known[name] = ("source", self._source(name))
        return self._known[name]

    def _is_source(self, name: str) -> bool:
        return bool(self.workspace.query("SELECT 1 FROM inputs WHERE source = ? LIMIT 1", (name,)))

    def _event(self, kind: str) -> datetime | None:
        import polars as pl

        newest: int | None = None
        until = to_us(self.as_of)
        files = [file for file in self.workspace.files("events", self.snapshot) if kind in file.meta["kinds"]]
        for file in sorted(files, key=lambda f: int(f.meta.get("max_ts") or 0), reverse=True):
            last = file.meta.get("max_ts")
            if last is not None and newest is not None and last <= newest:
                continue
            if last is not None and last <= until and len(file.meta["kinds"]) == 1:
                newest = int(last)
                continue
            rows = pl.scan_parquet(file.path).filter(pl.col("ts") <= self.as_of)
            rows = rows if len(file.meta["kinds"]) == 1 else rows.filter(pl.col("kind") == kind)
            found = rows.select(pl.col("ts").max()).collect().item()
            if found is not None:
                newest = max(to_us(found), newest) if newest is not None else to_us(found)
        return None if newest is None else from_us(newest)

    def _source(self, *names: str) -> datetime | None:
        marks = ", ".join("?" * len(names))
        rows = self.workspace.query(
            f"SELECT max(c.at) AS at FROM inputs i JOIN commits c ON c.seq = i.seq"
            f" WHERE i.source IN ({marks}) AND i.seq <= ?"
            f" UNION ALL SELECT max(at) FROM bookmarks WHERE source IN ({marks})",
            (*names, self.snapshot, *names),
        )
        found = [_instant(row["at"]) for row in rows if row["at"]]
        return max(found, default=None)

    def _table(self, name: str) -> datetime | None:
        prefix = f"related/{name}/"
        sources = [one.removeprefix(prefix) for one in self.workspace.datasets(prefix, self.snapshot)]
        return self._source(*sources) if sources else None


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
