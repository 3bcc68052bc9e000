"""Rules of today over past dates: how large their segments would have been, and how many came and went.

Every date is evaluated with all that is known today about that time; what was known then only runs remember.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from segctl.compile.timewords import Problem, parse_as_of, parse_duration
from segctl.compile.zones import from_us, instant_of, shifted_day, to_us, wall_clock
from segctl.model.dataclass import dataclass
from segctl.model.errors import UsageError
from segctl.model.times import Duration
from segctl.operations.evaluation import evaluate
from segctl.operations.progress import Progress, Silent

if TYPE_CHECKING:
    import polars as pl

    from segctl.operations.evaluation import Answers
    from segctl.operations.session import Session

MOST_DATES = 1000
DATES = 12
"""How many steps back a test begins where nobody says."""


@dataclass(frozen=True, slots=True)
class DateSize:
    """One segment at one date; profiles throughout.

    Attributes:
        members: None where it cannot be decided.
        entered: Members who were none at the date before; None at the first.
        left: Members of the date before who are none now; likewise.
        churn: Those who left as a share of the members before, 0–1; None where there were none.
    """

    segment: str
    as_of: datetime
    members: int | None
    entered: int | None
    left: int | None
    churn: float | None


@dataclass(frozen=True, slots=True)
class Summary:
    """One segment over all dates.

    Attributes:
        sizes: Members by date.
        ever: Profiles that were members at some date.
        always: Profiles that were members at every date.
        returned: Profiles that left and came back.
        churn: Mean share that left from one date to the next, 0–1; None without two dates.
    """

    segment: str
    sizes: tuple[int | None, ...]
    ever: int
    always: int
    returned: int
    churn: float | None


@dataclass(frozen=True, slots=True)
class Backtest:
    """What rules would have given.

    Attributes:
        dates: Ascending, UTC.
        rows: By segment, then date.
        failed: Segment → why it cannot be decided at some date.
    """

    dates: tuple[datetime, ...]
    rows: tuple[DateSize, ...]
    summaries: tuple[Summary, ...]
    failed: dict[str, str] = field(default_factory=dict)


def backtest(
    session: Session,
    names: Sequence[str],
    dates: Sequence[datetime],
    *,
    engine: str = "polars",
    progress: Progress | None = None,
) -> Backtest:
    """Evaluate segments as of each date.

    Args:
        session: Open project and workspace.
        names: Segments.
        dates: Ascending, aware.
        engine: What evaluates.
        progress: Hears what is going on.
    """
    listener = progress or Silent()
    snapshot = session.workspace.snapshot()
    tracks = {name: _Track(name) for name in names}
    failed: dict[str, str] = {}
    listener.start("evaluate", total=len(dates), unit="dates")
    with session.workspace.lease(snapshot):
        for date in dates:
            answers = evaluate(session, names, as_of=date, snapshot=snapshot, engine=engine)
            failed |= {name: reason for name, reason in answers.failed.items() if name in tracks}
            for track in tracks.values():
                track.add(date, _flags(answers, track.segment))
            listener.advance(1)
    listener.finish()
    return Backtest(
        tuple(dates),
        tuple(row for track in tracks.values() for row in track.rows),
        tuple(track.summary() for track in tracks.values()),
        failed,
    )


def _flags(answers: Answers, name: str) -> pl.Series | None:
    """Truth by subject, dense from 0; None where it cannot be decided."""
    from segctl.state.changes import grown, nobody

    frame = answers.frame
    if name not in frame.columns:
        return None
    members = frame["subject"].filter(frame[name].fill_null(value=False)).sort()
    flags = grown(nobody(), int(members[-1]) + 1 if len(members) else 0)
    return flags.clone().scatter(members, values=True) if len(members) else flags


class _Track:
    """One segment from date to date; what is kept is four truths a profile."""

    def __init__(self, segment: str) -> None:
        from segctl.state.changes import nobody

        self.segment = segment
        self.rows: list[DateSize] = []
        self._is_first = True
        self._before = self._ever = self._always = self._left = self._returned = nobody()

    def add(self, date: datetime, now: pl.Series | None) -> None:
        """The members as of a later date."""
        if now is None:
            self.rows.append(DateSize(self.segment, date, None, None, None, None))
            return
        if self._is_first:
            self._is_first, self._before, self._ever, self._always = False, now, now, now
            self.rows.append(DateSize(self.segment, date, int(now.sum()), None, None, None))
            return
        now, before, ever, always, left, returned = _aligned(
            now, self._before, self._ever, self._always, self._left, self._returned
        )
        entered, gone, members = int((now & ~before).sum()), int((before & ~now).sum()), int(before.sum())
        self._ever, self._always, self._returned = ever | now, always & now, returned | (now & left)
        self._left, self._before = left | (before & ~now), now
        churn = gone / members if members else None
        self.rows.append(DateSize(self.segment, date, int(now.sum()), entered, gone, churn))

    def summary(self) -> Summary:
        """All dates together."""
        shares = [row.churn for row in self.rows if row.churn is not None]
        return Summary(
            self.segment,
            tuple(row.members for row in self.rows),
            int(self._ever.sum()),
            int(self._always.sum()),
            int(self._returned.sum()),
            sum(shares) / len(shares) if shares else None,
        )


def _aligned(*flags: pl.Series) -> Iterator[pl.Series]:
    """All as long as the longest; those added do not belong."""
    from segctl.state.changes import grown

    length = max(len(one) for one in flags)
    return (grown(one, length) for one in flags)


# --- Dates ------------------------------------------------------------------------------------------------
def dates_of(
    first: str | None, last: str | None, every: str, *, now: datetime, zone: str
) -> tuple[tuple[datetime, ...], Duration]:
    """The dates that ``--from``, ``--to`` and ``--every`` name, and the step between them.

    Args:
        first: A time as in `--as-of`; twelve steps before the last when None.
        last: Likewise; now when None.
        every: A duration, or its unit alone: ``week``, ``2 weeks``, ``month``.
        now: For relative words.
        zone: The project's; steps keep its clock.

    Raises:
        UsageError: A word that makes no sense, nothing between the two, or too many dates.
    """
    step = _step(every)
    until = now if last is None else _point("--to", last, now, zone)
    start = _stepped(until, step, -(DATES - 1), zone) if first is None else _point("--from", first, now, zone)
    if start > until:
        raise UsageError("SEG576", "`--from` lies after `--to`", hint="exchange them")
    found: list[datetime] = []
    while (date := _stepped(start, step, len(found), zone)) <= until:
        if len(found) == MOST_DATES:
            raise UsageError(
                "SEG577", f"more than {MOST_DATES:,} dates lie between the two",
                hint=f"choose a longer step than `--every {every}`",
            )  # fmt: skip
        found.append(date)
    return tuple(found), step


def _step(every: str) -> Duration:
    text = every.strip()
    found = parse_duration(text if text[:1].isdigit() else f"1 {text}")
    if isinstance(found, Problem) or found.calendar or found.unit in ("seconds", "minutes"):
        hint = "write `day`, `week`, `2 weeks` or `month`"
        raise UsageError("SEG576", f"`--every {every}` is no step between dates", hint=hint)
    return found


def _point(option: str, text: str, now: datetime, zone: str) -> datetime:
    found = parse_as_of(text, now, zone)
    if isinstance(found, Problem):
        raise UsageError("SEG501", f"`{option} {text}`: {found.message}", hint=found.hint)
    return found


def _stepped(start: datetime, step: Duration, times: int, zone: str) -> datetime:
    """So many steps later by the clock of the zone; months are counted from the start, so that none drifts."""
    amount = step.amount * times
    if step.unit == "hours":
        return start + timedelta(hours=amount)
    wall = wall_clock(to_us(start), zone)
    if step.unit in ("days", "weeks"):
        moved = wall + timedelta(days=amount * (7 if step.unit == "weeks" else 1))
    else:
        day = shifted_day(wall.date(), amount * (12 if step.unit == "years" else 1))
        if day is None:
            raise UsageError("SEG576", "these dates lie outside the years 1 to 9999", hint="choose a shorter step")
        moved = datetime.combine(day, wall.time())
    return from_us(instant_of(moved, zone))
