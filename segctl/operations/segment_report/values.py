"""What a report on segments tells: counts and sums of people, no prose and nobody's name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Literal

from segctl.model.dataclass import dataclass
from segctl.operations.segment_report.alike import Alike

Basis = Literal["after", "before"]
"""`after`: those who were members when the window began, and what they did since; `before`: those who are members now,
and what they did until now, which a rule over the same events decides itself."""
Stage = Literal["new", "active", "back", "at_risk", "lost"]
STAGES: tuple[Stage, ...] = ("new", "active", "back", "at_risk", "lost")
GROUPS = 5
"""Scores of recency and of frequency."""


@dataclass(frozen=True, slots=True)
class Point:
    """A segment after one run.

    Attributes:
        at: as_of of the run.
        day: Local day of it.
        entered: Profiles; likewise the next.
    """

    run: str
    at: datetime
    day: date
    size: int
    entered: int
    left: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What a group of people did in one window.

    Attributes:
        people: In the group.
        converted: People with a conversion; None where nobody said what that is, as with the next two.
        revenue: Of all of them together.
        squares: Sum of the squares of each one's revenue.
        engaged: People with an event of engagement.
    """

    people: int
    converted: int | None = None
    revenue: float | None = None
    squares: float | None = None
    engaged: int | None = None

    @property
    def conversion(self) -> float | None:
        """Share that converted."""
        return None if self.converted is None or not self.people else self.converted / self.people

    @property
    def per_person(self) -> float | None:
        """Revenue per person."""
        return None if self.revenue is None or not self.people else self.revenue / self.people

    @property
    def engagement(self) -> float | None:
        """Share that reacted."""
        return None if self.engaged is None or not self.people else self.engaged / self.people

    def without(self, part: Figures) -> Figures:
        """Those of the group who are not in a part of it."""
        return Figures(
            self.people - part.people,
            _less(self.converted, part.converted),
            _less(self.revenue, part.revenue),
            _less(self.squares, part.squares),
            _less(self.engaged, part.engaged),
        )


def _less(whole: Any, part: Any) -> Any:  # noqa: ANN401 - whole and real numbers, or None
    return None if whole is None or part is None else max(whole - part, 0)


@dataclass(frozen=True, slots=True)
class Reach:
    """How many members may be told at one destination.

    Attributes:
        allowed: After identifiers, consent and suppression.
        reachable: After caps, holdouts, experiments and priority too.
        reasons: (step, reason, detail) → people who fall out there.
    """

    destination: str
    channel: str
    members: int
    allowed: int
    reachable: int
    reasons: Mapping[tuple[str, str, str | None], int]


@dataclass(frozen=True, slots=True)
class Contacts:
    """Whom pushes told since the window began, up to the moment of the report, for a segment.

    Attributes:
        messages: By destination, as accepted.
        people: Different ones.
        reacted: Of them, those with an event of engagement after it; None where nobody said what that is, and where
            no event on record is newer than the messages.
        cost: None where no destination has a declared cost.
        heard: Of the people, those told before the newest event on record, whose reaction would be known.
        others: Different people told for other segments alone, likewise before the newest event.
        others_reacted: Of them, those with an event of engagement after the first message.
    """

    messages: Mapping[str, int]
    people: int
    reacted: int | None
    cost: float | None
    heard: int
    others: int = 0
    others_reacted: int = 0

    @property
    def reaction(self) -> float | None:
        """Share of those whose reaction would be known that reacted."""
        return None if self.reacted is None or not self.heard else self.reacted / self.heard


@dataclass(frozen=True, slots=True)
class Lift:
    """What an experiment on the segment has measured.

    Attributes:
        estimate: Relative change of the arm's figure against the control; likewise its limits.
        p: Adjusted; None when undefined.
        better: Which direction is wanted.
        counts: People that it rests on, in both arms: all, those who did something, those who did not.
    """

    experiment: str
    metric: str
    arm: str
    estimate: float | None
    low: float | None
    high: float | None
    confidence: float
    p: float | None
    better: Literal["higher", "lower"] = "higher"
    counts: tuple[int, ...] = ()

    @property
    def is_won(self) -> bool:
        """The whole interval lies on the side that is wanted."""
        end = self.low if self.better == "higher" else self.high
        return end is not None and (end > 0 if self.better == "higher" else end < 0)

    @property
    def is_lost(self) -> bool:
        """The whole interval lies on the other side."""
        end = self.high if self.better == "higher" else self.low
        return end is not None and (end < 0 if self.better == "higher" else end > 0)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another segment with members in common.

    Attributes:
        share: Of the segment's own members, those who are in the other one too.
        jaccard: Members of both by members of either.
    """

    segment: str
    both: int
    share: float
    jaccard: float


@dataclass(frozen=True, slots=True)
class SegmentFigures:
    """One segment.

    Attributes:
        size: Members in force; None before the first run.
        share: Of everybody.
        points: Runs looked at, oldest first.
        entered: In these runs, the first of which is only where they begin; likewise `left`.
        per_run: Median share of members that enter or leave with a run; `per_day` in a day.
        window: What members did in the newest window; None when there are none, or nothing is declared.
        earlier: The same of windows before, newest first; only those that began with a run on record.
        is_same_rule: The rule was the same when the window began.
        alike: Members beside others who stood where they stood when the window began; None where that is not known.
        reach: By destination, in order of name.
    """

    segment: str
    title: str | None
    size: int | None
    share: float | None
    points: tuple[Point, ...]
    entered: int
    left: int
    per_run: float | None
    per_day: float | None
    basis: Basis
    window: Figures | None
    earlier: tuple[Figures, ...] = ()
    is_same_rule: bool = True
    alike: Alike | None = None
    reach: tuple[Reach, ...] = ()
    contacts: Contacts | None = None
    lifts: tuple[Lift, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()
    stages: Mapping[Stage, int] | None = None


@dataclass(frozen=True, slots=True)
class Cohort:
    """Those whose first purchase was in one month.

    Attributes:
        active: Different people with a purchase, this month first, then each later one.
        revenue: Likewise; empty where no revenue is declared.
    """

    month: date
    people: int
    active: tuple[int, ...]
    revenue: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Cohorts:
    """Retention by month of the first purchase.

    Attributes:
        is_complete: The last month is over; otherwise the last number of every row is still growing.
    """

    rows: tuple[Cohort, ...]
    is_complete: bool


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """Where buyers stand, and how they moved in the window.

    Attributes:
        active_days: Who bought within these days is new, active or back.
        lost_days: Who last bought longer ago is lost; who bought again after so long is back.
        source: Where the two come from: declared, the project's own gaps, or neither of both (too few gaps).
        now: Buyers in each stage.
        never: Others of the population.
        moved: (stage at the window's begin, stage now) → buyers; None stands for those who had not bought yet.
    """

    active_days: int
    lost_days: int
    source: Literal["declared", "gaps", "default"]
    now: Mapping[Stage, int]
    never: int
    moved: Mapping[tuple[Stage | None, Stage], int]


@dataclass(frozen=True, slots=True)
class RfmCell:
    """Buyers with the same two scores.

    Attributes:
        recency: 1 to 5, 5 is the newest; likewise `frequency`, 5 is the most often.
        revenue: Of all time; None where no revenue is declared.
    """

    recency: int
    frequency: int
    people: int
    revenue: float | None


@dataclass(frozen=True, slots=True)
class SegmentsReport:
    """Everything about segments.

    Attributes:
        as_of: Of the newest run in force; windows end there.
        since: Begin of the window.
        unit: Of revenue.
        declared: Which of conversion, revenue and engagement the project declares.
        profiles: Everybody now.
        everybody: What everybody who was there at the window's begin did in it; None where nothing is declared.
        proposal: Lines for segctl.yaml, where nothing is declared.
        unreached: Why nobody can say whom segments reach; None when it is told.
    """

    as_of: datetime
    window: timedelta
    since: datetime
    unit: str | None
    declared: tuple[str, ...]
    profiles: int
    everybody: Figures | None
    segments: tuple[SegmentFigures, ...]
    cohorts: Cohorts | None
    lifecycle: Lifecycle | None
    rfm: tuple[RfmCell, ...] | None
    proposal: str | None = None
    unreached: str | None = None

    def segment(self, name: str) -> SegmentFigures:
        """The figures of a segment of the report."""
        return next(one for one in self.segments if one.segment == name)
