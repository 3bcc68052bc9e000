"""What moved, in words: the changes of one step with their causes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from segctl.model.dataclass import dataclass
from segctl.operations.causes.words import cause
from segctl.operations.causes.words import moment as written
from segctl.operations.stream.clock import moment
from segctl.operations.stream.deciding import decided
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
    tried_at: int | None = None,
) -> dict[tuple[int, str], Why]:
    """Subject and segment of who moved → why, where it was an event or that there is somebody at all.

    The event is one of a kind that the segment reads: the one that decided where that is tried, else the newest.

    Args:
        moved: Who moved; the others need no words.
        events: New events in stored form.
        world: What has just been asked.
        since: When they arrived, in microseconds since 1970.
        tried_at: Valid time of the question; None when it is not tried which event decided.
    """
    import polars as pl

    # By brackets: `select` is a query of its own.
    frames = [frame[["subject", "ts", "kind", "source", "event_id"]] for frame in events if frame.height]
    if not frames or not moved:
        return {}
    rows = pl.concat(frames)
    rows = rows.filter(pl.col("subject").is_not_null()) if rows["subject"].null_count() else rows
    if world.profile_of is not None:
        rows = rows.with_columns(world.profile_of.gather(rows["subject"]).alias("subject"))
    # Many segments read the same kinds, so that what is asked for is asked once for all of them.
    numbers = {kinds: number for number, kinds in enumerate(dict.fromkeys(world.kinds.values()))}
    reads = {segment: numbers[kinds] for segment, kinds in world.kinds.items()}
    some = _candidates({(who, reads[segment]) for who, segment, _ in moved if segment in reads}, rows, list(numbers))
    newest = some.unique(["subject", "reads"], keep="last", maintain_order=True)
    whys = {(who, read): _why(event, world.as_of, since) for who, read, *event in _said(newest)}
    there = dict(_newest_of(world.appeared, rows))
    found = {}
    for who, segment, entered in moved:
        why = whys.get((who, reads.get(segment, -1)))
        if why is None and entered and who in there:
            why = Why(cause("profile_new"), there[who], since)
        if why is not None:
            found[who, segment] = why
    if tried_at is not None and newest.height < some.height:
        for who, segment, *event in decided(world, moved, reads, some, tried_at):
            found[who, segment] = _why(event, world.as_of, since)
    return found


def _candidates(
    asked: Collection[tuple[int, int]], rows: pl.DataFrame, kinds: Sequence[frozenset[str]]
) -> pl.DataFrame:
    """Events that can have moved a profile: ``subject``, ``reads``, and the event's columns, in event order.

    Args:
        asked: Subjects, each with the number of the kinds that matter.
        rows: New events.
        kinds: By number.
    """
    import polars as pl

    of_number = [(number, kind) for number, some in enumerate(kinds) for kind in some]
    read = pl.DataFrame(of_number, schema={"reads": pl.Int64, "kind": pl.String}, orient="row")
    own = pl.DataFrame(list(asked), schema={"subject": pl.Int32, "reads": pl.Int64}, orient="row")
    found = rows.join(own, on="subject").join(read, on=["reads", "kind"], how="semi")
    return found.sort("subject", "reads", "ts", "source", "event_id")


def _newest_of(appeared: Collection[int], rows: pl.DataFrame) -> list[tuple[int, int]]:
    """Subjects that are somebody now, and when their newest event was."""
    import polars as pl

    if not appeared:
        return []
    own = rows.filter(pl.col("subject").is_in(pl.Series(list(appeared), dtype=pl.Int32).implode()))
    return own.group_by("subject").agg(pl.col("ts").max().to_physical()).rows()


def _said(rows: pl.DataFrame) -> Iterable[tuple[int, int, int, str, str, str]]:
    import polars as pl

    return rows.select("subject", "reads", pl.col("ts").to_physical(), "kind", "source", "event_id").iter_rows()


def _why(event: Sequence[Any], last: int, since: int) -> Why:
    at, kind, source, event_id = event
    return Why(event_cause(kind, at, source, event_id, is_late=at <= last), at, since)


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
