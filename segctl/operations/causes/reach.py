"""How far back in time conditions look, so that a replay need not read what no condition can see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from segctl.compile import ir
from segctl.compile.plan import walk
from segctl.compile.windows import span
from segctl.compile.zones import MIN_US, from_us
from segctl.model.times import Anniversary, Window
from segctl.model.types import stored_column

if TYPE_CHECKING:
    import polars as pl

    from segctl.operations.causes.rows import Delta

Reach = Mapping[str, datetime | None]
"""Event kind → the first instant that matters; None for all of its events. Kinds that nothing reads are left out."""
ALWAYS = datetime.min.replace(tzinfo=UTC)
"""Before every event."""
# Zone data may be others for the two evaluations, so a bound by local days may lie some hours earlier.
_MARGIN = timedelta(days=2)


def reach(nodes: Iterable[object], instants: Sequence[datetime], zone: str) -> dict[str, datetime | None]:
    """What nodes can see at any instant from the first to the last of some.

    Args:
        nodes: Everything that is asked, with all that is inside.
        instants: As_of of the evaluations.
        zone: The project's.
    """
    found: dict[str, datetime | None] = {}
    known_windows: dict[Window | None, datetime | None] = {}
    for kinds, window in _windows(nodes):
        if window not in known_windows:
            known_windows[window] = _earliest(window, instants, zone)
        lo = known_windows[window]
        for kind in kinds:
            known = found.get(kind, lo)
            found[kind] = None if lo is None or known is None else min(lo, known)
    return found


def needed(pairs: pl.DataFrame, seen: Mapping[str, Reach], identifiers: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Event kind → whose events can matter and since when: ``subject``, ``since``, unique by subject.

    Args:
        pairs: ``segment`` and ``subject`` of its profile.
        seen: What each segment can see.
        identifiers: ``subject`` and ``profile``: whose events a profile's are.
    """
    import polars as pl

    instant = pl.Datetime("us", "UTC")
    rows = [(name, kind, lo or ALWAYS) for name, of in seen.items() for kind, lo in of.items()]
    kinds = pl.DataFrame(rows, schema={"segment": pl.String, "kind": pl.String, "since": instant}, orient="row")
    profiles = pairs.select("segment", profile="subject").join(kinds, on="segment")
    profiles = profiles.group_by("kind", "profile").agg(pl.col("since").min())
    found = profiles.join(identifiers, on="profile").group_by("kind", "subject").agg(pl.col("since").min())
    return {str(key[0]): part for key, part in found.partition_by("kind", as_dict=True, include_key=False).items()}


def columns_read(nodes: Iterable[object]) -> dict[str, set[str]]:
    """Event kind → columns of its files that nodes read, besides those of every event."""
    found: dict[str, set[str]] = {}
    for node in nodes:
        if isinstance(node, ir.Metric | ir.Sequence | ir.HasCommonValue):
            inside = set(walk(node))
            for kind in kinds_of(inside):
                found.setdefault(kind, set()).update(_columns(inside))
    return found


def kinds_of(nodes: Iterable[object]) -> frozenset[str]:
    """Event kinds that nodes read."""
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ir.Metric | ir.Followed | ir.Step):
            found.update(node.kinds)
    return frozenset(found)


def needing_events(subjects: pl.Series, records: pl.DataFrame, deltas: Sequence[Delta], first: datetime) -> pl.Series:
    """Those of the subjects who might not be there but for their events, or of whom an event went.

    Args:
        subjects: Ascending.
        records: Their record versions of the later snapshot.
        deltas: What came and went of events and of records.
        first: The earlier of the two instants.
    """
    import polars as pl

    events, versions = deltas
    unsure = [events.removed["subject"], versions.added["subject"], versions.removed["subject"]]
    if records.height:
        unsure.append(records.filter("gone")["subject"])
        was_there = pl.col("valid_from").is_null() | (pl.col("valid_from") <= first)
        records = records.filter(was_there)
    there = records.filter(~pl.col("subject").is_in(pl.concat(unsure).unique().implode()))["subject"]
    return subjects.filter(~subjects.is_in(there.unique().implode()))


def _columns(nodes: Iterable[object]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ir.EventProperty):
            yield stored_column(node.name, node.type)
        elif isinstance(node, ir.HasCommonValue | ir.Sequence | ir.Followed):
            yield from (stored_column(name, of) for name, of in node.same)


def _windows(nodes: Iterable[object]) -> Iterator[tuple[tuple[str, ...], Window | None]]:
    for node in nodes:
        if isinstance(node, ir.Metric):
            followed = () if node.measure.followed is None else node.measure.followed.kinds
            yield (*node.kinds, *followed), node.window
        elif isinstance(node, ir.Sequence):
            # Nothing before the first step can take part.
            yield tuple(kind for step in node.steps for kind in step.kinds), node.steps[0].window


def _earliest(window: Window | None, instants: Iterable[datetime], zone: str) -> datetime | None:
    if window is None or isinstance(window, Anniversary):
        return None
    spans = [span(window, at, zone, clip=True) for at in instants]
    lows = [one.lo for one in spans if one.lo is not None and not one.is_empty]
    # What is empty at one end need not be so in between.
    if len(lows) < len(spans) or min(lows) - MIN_US < _MARGIN.total_seconds() * 1_000_000:
        return None
    return from_us(min(lows)) - _MARGIN
