"""What moved, in words: the changes of one step with their causes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass
from segctl.operations.causes.words import cause
from segctl.operations.causes.words import moment as written
from segctl.operations.stream.clock import moment
from segctl.state.stream_log import Change

if TYPE_CHECKING:
    import polars as pl

    from segctl.operations.stream.members import Moved
    from segctl.operations.stream.world import World


@dataclass(frozen=True, slots=True)
class Why:
    """What made a profile be asked again.

    Attributes:
        cause: As `cause_words` writes it.
        event_time: Of the event that is named, of its newest where none is; None when no event came.
        since: Microseconds since 1970 from which the latency counts.
    """

    cause: str
    event_time: int | None
    since: int


def whys_of(
    moved: Sequence[Moved],
    events: Sequence[pl.DataFrame],
    world: World,
    *,
    since: int,
    tried: Callable[[pl.DataFrame, pl.DataFrame], pl.DataFrame] | None = None,
) -> dict[tuple[int, str], Why]:
    """Subject and segment of who moved → why, where it was an event or that there is somebody at all.

    The event is one of a kind that the segment reads: the one that decided where that is tried, else the newest.

    Args:
        moved: Who moved; the others need no words.
        events: New events in stored form.
        world: What has just been asked.
        since: When they arrived, in microseconds since 1970.
        tried: Of the moves (``pair``, ``subject``, ``segment``, ``entered``) and their candidates (``pair``, ``rank``,
            and the event), the ``pair`` and ``rank`` of those that decided.
    """
    import polars as pl

    wanted = ("subject", "ts", "kind", "source", "event_id")
    frames = [frame.select(wanted) for frame in events if frame.height]
    if not frames or not moved:
        return {}
    rows = pl.concat(frames).filter(pl.col("subject").is_not_null())
    if world.profile_of is not None:
        rows = rows.with_columns(world.profile_of.gather(rows["subject"]).alias("subject"))
    types = {"subject": pl.Int32, "segment": pl.String, "entered": pl.Boolean}
    pairs = pl.DataFrame(moved, schema=types, orient="row").with_row_index("pair")
    some = _candidates(pairs, rows, world.kinds)
    newest = some.unique("pair", keep="last", maintain_order=True)
    if tried is not None and newest.height < some.height:
        decided = some.join(tried(pairs, some), on=["pair", "rank"], how="semi")
        newest = pl.concat([newest.join(decided, on="pair", how="anti"), decided])
    new = pl.col("subject").is_in(list(world.appeared)) & pl.col("entered")
    last = rows.group_by("subject").agg(pl.col("ts").max().to_physical())
    found = {
        (subject, segment): Why(cause("profile_new"), at, since)
        for subject, segment, at in pairs.filter(new)
        .join(last, on="subject")
        .select(*types, "ts")
        .drop("entered")
        .rows()
    }
    said = pairs.join(newest, on="pair").with_columns(pl.col("ts").to_physical())
    for subject, segment, at, kind, source, event_id in said.select("subject", "segment", *wanted[1:]).iter_rows():
        line = event_cause(kind, at, source, event_id, is_late=at <= world.as_of)
        found[subject, segment] = Why(line, at, since)
    return found


def _candidates(pairs: pl.DataFrame, rows: pl.DataFrame, kinds: Mapping[str, frozenset[str]]) -> pl.DataFrame:
    """Events that can have moved each pair, in event order: ``pair``, ``rank`` from 0, and the event's columns."""
    import polars as pl

    read = [(name, kind) for name in pairs["segment"].unique() for kind in sorted(kinds.get(name, ()))]
    types = {"segment": pl.String, "kind": pl.String}
    of_segment = pl.DataFrame(read, schema=types, orient="row")
    own = pairs.select("pair", "subject", "segment").join(of_segment, on="segment").join(rows, on=["subject", "kind"])
    ordered = own.drop("subject", "segment").sort("pair", "ts", "source", "event_id")
    return ordered.with_columns(pl.int_range(pl.len(), dtype=pl.Int64).over("pair").alias("rank"))


def event_cause(kind: str, at: int, source: str, event_id: str, *, is_late: bool) -> str:
    """The cause of a change that an event made; `at` in microseconds since 1970."""
    origin = source if event_id.startswith("~") else f"{source} #{event_id}"
    return cause("late_event" if is_late else "event_arrived", f"{kind} {written(moment(at))}", origin)


def changes_of(
    moved: Iterable[Moved],
    profiles: Sequence[str],
    whys: Mapping[tuple[int, str], Why],
    otherwise: Why,
    *,
    effective: int,
    now: int,
) -> list[Change]:
    """The changes of one evaluation.

    Args:
        moved: Subject, segment, whether it entered.
        profiles: Profile id by subject.
        whys: Subject and segment → why it was asked again.
        otherwise: Why the others were.
        effective: Valid time, microseconds since 1970.
        now: Wall clock, likewise.
    """
    found = []
    for subject, segment, entered in moved:
        why = whys.get((subject, segment), otherwise)
        latency = max(0, now - why.since)
        found.append(
            Change(segment, subject, profiles[subject], entered, effective, why.event_time, latency, why.cause)
        )
    return found
