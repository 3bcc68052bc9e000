"""What moved, in words: the changes of one step with their causes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass
from segctl.operations.causes.words import cause
from segctl.operations.causes.words import moment as written
from segctl.operations.stream.clock import moment
from segctl.state.stream_log import Change

if TYPE_CHECKING:
    import polars as pl

    from segctl.operations.stream.members import Moved


@dataclass(frozen=True, slots=True)
class Why:
    """What made a profile be asked again.

    Attributes:
        cause: As `cause_words` writes it.
        event_time: Of its newest event; None when no event came.
        since: Microseconds since 1970 from which the latency counts.
    """

    cause: str
    event_time: int | None
    since: int


def whys_of(
    moved: Iterable[Moved], events: Sequence[pl.DataFrame], profile_of: pl.Series | None, *, since: int, last: int
) -> dict[int, Why]:
    """Subject of a profile that moved → why it was asked again, by its newest event.

    Args:
        moved: Who moved; the others need no words.
        events: New events in stored form.
        profile_of: Subject → subject of its profile; None when each is its own.
        since: When they arrived, in microseconds since 1970.
        last: as_of of the last run; what happened before it comes late.
    """
    import polars as pl

    wanted = ("subject", "ts", "kind", "source", "event_id")
    asked = {subject for subject, _, _ in moved}
    frames = [frame.select(wanted) for frame in events if frame.height]
    if not frames or not asked:
        return {}
    rows = pl.concat(frames).filter(pl.col("subject").is_not_null())
    if profile_of is not None:
        rows = rows.with_columns(profile_of.gather(rows["subject"]).alias("subject"))
    rows = rows.filter(rows["subject"].is_in(pl.Series(list(asked), dtype=pl.Int32).implode()))
    newest = rows.sort("ts", maintain_order=True).unique("subject", keep="last", maintain_order=True)
    return {
        subject: Why(event_cause(kind, at, source, event_id, is_late=at <= last), at, since)
        for subject, at, kind, source, event_id in newest.with_columns(pl.col("ts").to_physical()).iter_rows()
    }


def event_cause(kind: str, at: int, source: str, event_id: str, *, is_late: bool) -> str:
    """The cause of a change that an event made; `at` in microseconds since 1970."""
    origin = source if event_id.startswith("~") else f"{source} #{event_id}"
    return cause("late_event" if is_late else "event_arrived", f"{kind} {written(moment(at))}", origin)


def changes_of(
    moved: Iterable[Moved],
    profiles: Sequence[str],
    whys: Mapping[int, Why],
    otherwise: Why,
    *,
    effective: int,
    now: int,
) -> list[Change]:
    """The changes of one evaluation.

    Args:
        moved: Subject, segment, whether it entered.
        profiles: Profile id by subject.
        whys: Subject → why it was asked again.
        otherwise: Why the others were.
        effective: Valid time, microseconds since 1970.
        now: Wall clock, likewise.
    """
    found = []
    for subject, segment, entered in moved:
        why = whys.get(subject, otherwise)
        latency = max(0, now - why.since)
        found.append(
            Change(segment, subject, profiles[subject], entered, effective, why.event_time, latency, why.cause)
        )
    return found
