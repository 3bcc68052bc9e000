"""Which window passed over a profile, and at which instant.

The condition is the one whose answer is another one at the two instants. Where all its windows have exact lengths,
the instants at which a profile's answer can change are known: an event's time, plus a window's length. If there is
only one such instant between the two evaluations, that is it. Otherwise the row evaluator of `explain` looks for it,
for as many profiles as there is time for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from segctl.compile import ir
from segctl.compile.plan import HISTORY, Output, plan, roots, walk
from segctl.compile.trace_rows import EventRow, ProfileRow
from segctl.compile.trace_times import next_change
from segctl.engines.scope import list_column
from segctl.model.project import RELATED
from segctl.model.times import EXACT_SECONDS, Between, Duration, OlderThan, RelativeTime, Window, WithinLast
from segctl.model.types import stored_column
from segctl.operations.cause_replay import State
from segctl.operations.cause_rows import EVENTS, RECORDS, Part, rows_of
from segctl.operations.cause_words import cause

if TYPE_CHECKING:
    import polars as pl

    from segctl.operations.cause_chain import Side
    from segctl.operations.cause_rows import Scratch

MOST_ASKED = 20_000
"""For so many profiles the condition is looked for where several could be it, and the instant."""
MOST_TRACED = 200
"""For so many pairs the instant is looked for where several could be it."""
_MOST_FLIPS = 20
_CLOCKED = (ir.DaysSince, ir.YearsSince, ir.InWindow)
_PLAIN = ("subject", "ts", "source", "event_id", "kind", "dataset", "file_id", "line")


def clocked(
    pairs: pl.DataFrame, files: Scratch, then: Side, now: Side, raw: Callable[[pl.Series], pl.Series]
) -> pl.DataFrame:
    """``segment``, ``subject``, ``cause``, ``effective`` of pairs that the clock moved.

    Args:
        pairs: ``segment``, ``subject``, ``entered``.
        files: For rows.
        then: What the earlier evaluation knew.
        now: What the later one knew.
        raw: Identifiers of profiles.
    """
    import polars as pl

    workspace = now.rules.session.workspace
    lowered = {str(name): now.rules.lowered(str(name)) for name in pairs["segment"].unique().sort()}
    segments = {name: one for name, one in lowered.items() if one is not None and clock_leaves(one)}
    few = pairs["subject"].unique().sort().head(MOST_ASKED)
    asked = pairs.filter(pl.col("subject").is_in(few.implode()) & pl.col("segment").is_in(list(segments)))
    leaves = {(name, s): clock_leaves(segments[name])[0] for name, s, _ in _rows(asked) if _is_single(segments[name])}
    at: dict[tuple[str, int], datetime] = {}
    if asked.height:
        subjects = raw(few)
        events = rows_of(workspace, EVENTS, now.snapshot, subjects, columns_of(segments.values()))
        records = rows_of(workspace, RECORDS, now.snapshot, subjects)
        part = Part(files.events(events), files.records(records))
        states = [
            State(now.rules, now.owners, part, side.as_of, side.snapshot, now.snapshot, subjects, side.members)
            for side in (then, now)
        ]
        unknown = {name: one for name, one in segments.items() if not _is_single(one)}
        leaves |= flipped(asked, unknown, states[0], states[1])
        if now.owners is not None:
            events = events.with_columns(now.owners.gather(events["subject"]).alias("subject"))
        at = _instants(asked, leaves, events, then.as_of, now.as_of)
        at |= _traced(asked, segments, at, events, states)
    rows = []
    for name, subject, _ in _rows(pairs):
        leaf = leaves.get((name, subject))
        if leaf is None and name in segments and _is_single(segments[name]):
            leaf = clock_leaves(segments[name])[0]
        line = cause("time_passed", leaf.text if leaf is not None else "")
        rows.append((name, subject, line, at.get((name, subject), now.as_of)))
    schema = {"segment": pl.String, "subject": pl.Int32, "cause": pl.String, "effective": pl.Datetime("us", "UTC")}
    return pl.DataFrame(rows, schema=schema, orient="row")


def columns_of(segments: Iterable[ir.LoweredSegment]) -> set[str]:
    """Columns of event files that segments read."""
    nodes = {node for segment in segments for root in roots(segment) for node in walk(root)}
    return {*_PLAIN, *(stored_column(n.name, n.type) for n in nodes if isinstance(n, ir.EventProperty)),
            *(stored_column(name, of) for n in nodes if isinstance(n, ir.HasCommonValue | ir.Sequence | ir.Followed)
              for name, of in n.same)}  # fmt: skip


def _rows(pairs: pl.DataFrame) -> Iterator[tuple[str, int, bool]]:
    return pairs.select("segment", "subject", "entered").iter_rows()  # type: ignore[return-value]  # three columns


def _is_single(segment: ir.LoweredSegment) -> bool:
    return len(clock_leaves(segment)) == 1


def _instants(
    pairs: pl.DataFrame,
    leaves: Mapping[tuple[str, int], ir.Leaf],
    events: pl.DataFrame,
    since: datetime,
    until: datetime,
) -> dict[tuple[str, int], datetime]:
    by_leaf: dict[tuple[str, ir.Leaf], list[int]] = {}
    for name, subject, _ in _rows(pairs):
        leaf = leaves.get((name, subject))
        if leaf is not None:
            by_leaf.setdefault((name, leaf), []).append(subject)
    return {
        (name, subject): at
        for (name, leaf), subjects in by_leaf.items()
        for subject, at in only_instants(events, leaf, subjects, since, until).items()
    }


def _traced(
    pairs: pl.DataFrame,
    segments: Mapping[str, ir.LoweredSegment],
    known: Mapping[tuple[str, int], datetime],
    events: pl.DataFrame,
    states: Sequence[State],
) -> dict[tuple[str, int], datetime]:
    """The instants that the row evaluator finds, for the first pairs that have none yet."""
    import polars as pl

    left = [row for row in _rows(pairs) if row[:2] not in known and _is_traceable(segments[row[0]])][:MOST_TRACED]
    if not left:
        return {}
    then, now = states
    outputs = [Output(f"where:{name}", segments[name].where) for name in sorted({name for name, _, _ in left})]
    profiles = then.read(plan((), outputs)).profiles
    subjects = sorted({subject for _, subject, _ in left})
    rows = _event_rows(events.filter(pl.col("subject").is_in(subjects)))
    people = {row["subject"]: row for row in profiles.filter(pl.col("subject").is_in(subjects)).iter_rows(named=True)}
    found = {}
    for name, subject, entered in left:
        if subject in people:
            at = _flip(segments[name], people[subject], rows.get(subject, []), entered, then, now)
            if at is not None:
                found[name, subject] = at
    return found


def _is_traceable(segment: ir.LoweredSegment) -> bool:
    nodes = list(walk(segment.where))
    kinds = [kind for node in nodes if isinstance(node, ir.Metric | ir.Step) for kind in node.kinds]
    return not any(isinstance(n, ir.IsMember | ir.Colleagues | ir.Score) for n in nodes) and not any(":" in kind for kind in kinds)


def _flip(
    segment: ir.LoweredSegment,
    person: Mapping[str, Any],
    events: Sequence[EventRow],
    entered: bool,
    then: State,
    now: State,
) -> datetime | None:
    """The last instant at which the answer became the new one."""
    lists = [node for node in walk(segment.where) if isinstance(node, ir.InList)]
    traits = {name: value for name, value in person.items() if value is not None and ":" not in name}
    row = ProfileRow(person["profile_id"], traits, {node: bool(person[list_column(node)]) for node in lists})
    zone, since, found = now.rules.session.project.timezone, then.as_of, None
    for _ in range(_MOST_FLIPS):
        change = next_change(segment, row, events, as_of=since, zone=zone, members={}, until=now.as_of)
        if change is None or not change.is_exact:
            return found if change is None else None
        since = change.at
        found = change.at if (change.answer is True) == entered else found
    return None


def _event_rows(events: pl.DataFrame) -> dict[int, list[EventRow]]:
    found: dict[int, list[EventRow]] = {}
    for row in events.iter_rows(named=True):
        values = {name: value for name, value in row.items() if name not in _PLAIN and value is not None}
        event = EventRow(row["kind"], row["ts"], row["source"], row["event_id"], values)
        found.setdefault(row["subject"], []).append(event)
    return found


def moves_with_time(node: object) -> bool:
    """The node's answer can change while nothing happens."""
    if isinstance(node, ir.Metric | ir.Step):
        return node.window is not None or (isinstance(node, ir.Step) and node.negative)
    return isinstance(node, _CLOCKED)


def clock_leaves(segment: ir.LoweredSegment) -> list[ir.Leaf]:
    """The conditions of a segment that the clock can change."""
    return [leaf for leaf in segment.leaves if any(moves_with_time(node) for node in walk(leaf.predicate))]


def flipped(
    pairs: pl.DataFrame, segments: dict[str, ir.LoweredSegment], then: State, now: State
) -> dict[tuple[str, int], ir.Leaf]:
    """(segment, subject) → the condition that the clock changed; pairs where none is found are left out."""
    import polars as pl

    outputs = [
        Output(f"leaf:{name}:{at}", leaf.predicate)
        for name, segment in segments.items()
        for at, leaf in enumerate(clock_leaves(segment))
    ]
    asking = plan((), outputs)
    before, after = (state.ask_again(asking, state.read(asking)).frame for state in (then, now))
    found: dict[tuple[str, int], ir.Leaf] = {}
    for name, segment in segments.items():
        mine = pairs.filter(pl.col("segment") == name).select("subject")
        for at, leaf in enumerate(clock_leaves(segment)):
            column = f"leaf:{name}:{at}"
            both = mine.join(before.select("subject", then=column), on="subject")
            both = both.join(after.select("subject", now=column), on="subject")
            for subject in both.filter(pl.col("then").ne_missing(pl.col("now")))["subject"]:
                found.setdefault((name, subject), leaf)
    return found


def shifts(leaf: ir.Leaf) -> list[tuple[tuple[str, ...], timedelta]] | None:
    """Event kinds, and how long after an event a window's bound passes it; None where not all are that simple."""
    found: list[tuple[tuple[str, ...], timedelta]] = []
    for node in walk(leaf.predicate):
        if isinstance(node, ir.InWindow) and isinstance(node.value, ir.MetricValue) and not node.bounds:
            lengths = _lengths(node.window)
            if lengths is None or node.value.metric.measure.function not in ("first_time", "last_time"):
                return None
            found += [(node.value.metric.kinds, length) for length in lengths]
            continue
        if isinstance(node, (ir.Step, ir.HasCommonValue, ir.Followed, *_CLOCKED)):
            return None
        if isinstance(node, ir.Metric):
            lengths = None if node.bounds else _lengths(node.window)
            if lengths is None or any(kind.startswith((HISTORY, RELATED)) for kind in node.kinds):
                return None
            found += [(node.kinds, length) for length in lengths]
    return found


def only_instants(
    events: pl.DataFrame, leaf: ir.Leaf, subjects: Sequence[int], since: datetime, until: datetime
) -> dict[int, datetime]:
    """Subject → the one instant at which the condition can have changed; those with several are left out."""
    import polars as pl

    moved = shifts(leaf)
    if not moved:
        return {}
    mine = events.filter(pl.col("subject").is_in(list(subjects)))
    # An event that was known before its time changes the answer when its time comes.
    moved += [(kinds, timedelta(0)) for kinds, _ in moved]
    passed = [
        mine.filter(pl.col("kind").is_in(list(kinds))).select("subject", at=pl.col("ts") + length)
        for kinds, length in moved
    ]
    at = pl.concat(passed).filter((pl.col("at") > since) & (pl.col("at") <= until)).unique()
    return dict(at.filter(pl.len().over("subject") == 1).iter_rows())


def _lengths(window: Window | None) -> list[timedelta] | None:
    match window:
        case None:
            return []
        case WithinLast(length) | OlderThan(length):
            return _exact([length])
        case Between(RelativeTime(start, -1), RelativeTime(end, -1)):
            return _exact([one for one in (start, end) if one is not None]) if start and end else None
    return None


def _exact(lengths: Sequence[Duration]) -> list[timedelta] | None:
    if any(length.calendar or length.unit not in EXACT_SECONDS for length in lengths):
        return None
    return [timedelta(seconds=length.amount * EXACT_SECONDS[length.unit]) for length in lengths]
