"""How segments do: sizes over the runs on record, what members did, whom they reach, and where buyers stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

from segctl.model.dataclass import dataclass
from segctl.model.errors import IntegrityError, UsageError
from segctl.model.reports import ReportSettings
from segctl.operations.health import measures as measure
from segctl.operations.health.record import Record
from segctl.operations.segment_report import buyers
from segctl.operations.segment_report.alike import Alike, Crowd
from segctl.operations.segment_report.proposal import proposal
from segctl.operations.segment_report.scan import PERIODS, Doings
from segctl.operations.segment_report.values import (
    Basis,
    Cohorts,
    Figures,
    Lifecycle,
    Neighbour,
    Point,
    RfmCell,
    SegmentFigures,
    SegmentsReport,
    Stage,
)
from segctl.operations.selection import chosen

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from segctl.compile.selection import Selection
    from segctl.operations.health.measures import Seen
    from segctl.operations.segment_report.values import Reach
    from segctl.operations.session import Session

RUNS, NEIGHBOURS = 30, 5


@dataclass(frozen=True, slots=True)
class Asked:
    """What of the report is wanted.

    Attributes:
        last: Newest runs of each segment.
        since: Only runs whose as_of is not before it.
        with_reach: Ask the gate for every member; the part that costs most.
    """

    last: int = RUNS
    since: datetime | None = None
    with_reach: bool = True


def segment_report(
    session: Session, selection: Selection, *, now: datetime, asked: Asked | None = None
) -> SegmentsReport:
    """The selected segments and all buyers; evaluates nothing.

    Args:
        session: Open project and workspace.
        selection: Which segments; otherwise every one that is not a draft.
        now: Wall clock, for consent and caps.
        asked: What is wanted of it.

    Raises:
        UsageError: A selection that fits nothing, or nothing was ever evaluated.
    """
    asked = asked or Asked()
    names = chosen(session.definitions, selection)
    record = Record(session, names)
    if not record.seen:
        raise UsageError(
            "SEG978", "no run is on record, so there is nothing to report", hint="`segctl apply` makes one"
        )
    return Making(session, names, record, now, asked, selection).report()


class Making:
    """One report in the making."""

    def __init__(
        self, session: Session, names: Sequence[str], record: Record, now: datetime, asked: Asked, selection: Selection
    ) -> None:
        self.session, self.names, self.record = session, names, record
        self.now, self.asked, self.selection = now, asked, selection
        self.settings = session.project.reports or ReportSettings()
        self.as_of = record.newest_in_force
        self.doings = Doings(session, self.settings, self.as_of)
        self._states: dict[int | None, pl.DataFrame] = {}

    @property
    def declared(self) -> tuple[str, ...]:
        """Which of the three figures the project declares."""
        return tuple(name for name in ("conversion", "revenue", "engagement") if getattr(self.settings, name))

    def report(self) -> SegmentsReport:
        """All of it."""
        from segctl.operations.segment_report.lift import lifts
        from segctl.operations.segment_report.reach import contacts

        reached, unreached = self._reach()
        told = contacts(self.doings, self.settings, now=max(self.now, self.as_of))
        measured = lifts(self.session, frozenset(self.names), as_of=self.now)
        members = {name: self._members(name) for name in self.record.seen}
        cohorts, lifecycle, cells, standing = self._buyers(members)
        windows = self._windows(members)
        near = _neighbours(members)
        segments = tuple(
            replace(
                self._segment(name, windows.get(name)),
                reach=reached.get(name, ()),
                contacts=told.get(name),
                lifts=measured.get(name, ()),
                neighbours=near.get(name, ()),
                stages=standing.get(name),
            )
            for name in self.names
        )
        return SegmentsReport(
            as_of=self.as_of,
            window=self.settings.window,
            since=self.doings.since,
            unit=self.settings.unit,
            declared=self.declared,
            profiles=len(self.doings.profiles),
            everybody=self.doings.figures(self.doings.then) if self.declared else None,
            segments=segments,
            cohorts=cohorts,
            lifecycle=lifecycle,
            rfm=cells,
            proposal=None if self.declared else proposal(self.session.project),
            unreached=unreached,
        )

    def _reach(self) -> tuple[dict[str, tuple[Reach, ...]], str | None]:
        """Whom segments reach, or why nobody can say so, which keeps nothing else from being told."""
        from segctl.operations.segment_report.reach import reach

        if not self.asked.with_reach:
            return {}, None
        try:
            return reach(self.session, self.selection, now=self.now), None
        except (UsageError, IntegrityError) as error:
            return {}, error.message

    def _segment(self, name: str, windows: Windows | None) -> SegmentFigures:
        seen = self.record.seen.get(name, [])
        looked = [one for one in seen if self.asked.since is None or one.as_of >= self.asked.since][-self.asked.last :]
        definition = self.session.definitions.segments[name]
        size = seen[-1].size if seen else None
        everybody = len(self.doings.profiles)
        return SegmentFigures(
            segment=name,
            title=definition.title,
            size=size,
            share=None if size is None or not everybody else size / everybody,
            points=tuple(self._point(one) for one in looked),
            entered=sum(one.entered for one in looked[1:]),
            left=sum(one.left for one in looked[1:]),
            per_run=measure.volatility(looked),
            per_day=measure.volatility_per_day(looked),
            basis="before" if windows is None else windows.basis,
            window=None if windows is None else windows.newest,
            earlier=() if windows is None else windows.earlier,
            is_same_rule=windows is None or windows.is_same_rule,
            alike=None if windows is None else windows.alike,
        )

    def _point(self, one: Seen) -> Point:
        return Point(self.record.runs[one.run].id, one.as_of, one.day, one.size, one.entered, one.left)

    # --- Members ------------------------------------------------------------------------------------------
    def _members(self, name: str, run: int | None = None) -> NDArray[np.bool_]:
        """By subject: members in force after a run, or now."""
        if run not in self._states:
            self._states[run] = self._state(run)
        return self.doings.owned(self._states[run][name])

    def _state(self, run: int | None) -> pl.DataFrame:
        """A Boolean column for each segment that had been evaluated by then; row number = subject."""
        from segctl.state.memberships import memberships

        number = max(self.record.runs) if run is None else run
        names = [name for name, seen in self.record.seen.items() if seen[0].run <= number]
        recorded = {self.record.recorded[name]: name for name in names}
        at = None if run is None else self.record.runs[run]
        return memberships(self.session.workspace, at, list(recorded)).rename(recorded)

    def _windows(self, members: Mapping[str, NDArray[np.bool_]]) -> dict[str, Windows]:
        """Segment → what its members did in each window."""
        if not self.declared:
            return {}
        return {name: self._window(name, now) for name, now in members.items()}

    def _window(self, name: str, now: NDArray[np.bool_]) -> Windows:
        seen = self.record.seen[name]
        found: list[Figures] = []
        for period in range(PERIODS):
            begin = self.doings.begin(period)
            before = [one for one in seen if one.as_of <= begin]
            if not before:
                break
            there = self._members(name, before[-1].run) & self.doings.now
            found.append(self.doings.figures(there, period))
            if not period:
                beside, is_same_rule = self._alike(there), before[-1].digest == seen[-1].digest
        if not found:
            return Windows("before", self.doings.figures(now & self.doings.now))
        return Windows("after", found[0], tuple(found[1:]), is_same_rule, beside)

    def _alike(self, there: NDArray[np.bool_]) -> Alike | None:
        return self._crowd.beside(there)

    @cached_property
    def _crowd(self) -> Crowd:
        newest = self.doings.newest
        return Crowd(self.doings.then, self._by_subject("then"), newest.converted, newest.revenue)

    def _by_subject(self, when: Literal["now", "then"]) -> NDArray[np.int8]:
        """Stages by subject; 0 for those who have not bought."""
        import numpy as np

        found = np.zeros(self.doings.length, dtype=np.int8)
        if self._standing is not None:
            found[self._standing.bought.subjects] = getattr(self._standing, when)
        return found

    # --- Buyers -------------------------------------------------------------------------------------------
    def _buyers(
        self, members: Mapping[str, NDArray[np.bool_]]
    ) -> tuple[Cohorts | None, Lifecycle | None, tuple[RfmCell, ...] | None, dict[str, Mapping[Stage, int]]]:
        import numpy as np

        known = self._standing
        if known is None:
            return None, None, None, {}
        has_revenue, today = self.settings.revenue is not None, self._local(self.as_of).date()
        made = buyers.cohorts(known.bought, self.doings.revenues, today, has_revenue=has_revenue)
        cycle = buyers.lifecycle(known.now, known.then, known.limits, profiles=len(self.doings.profiles))
        cells = buyers.rfm_grid(self._scores(known.bought), has_revenue=has_revenue)
        codes = self._by_subject("now")
        # To count who is in both of two sets of flags takes a tenth of the time of picking members out.
        inside = {stage: codes == code for stage, code in buyers.CODES.items()}
        standing: dict[str, Mapping[Stage, int]] = {
            name: {stage: int(np.count_nonzero(flags & of)) for stage, of in inside.items()}
            for name, flags in members.items()
        }
        return made, cycle, cells, standing

    @cached_property
    def _standing(self) -> Standing | None:
        if self.settings.purchase is None or self.doings.purchases.is_empty():
            return None
        bought = buyers.history(self.doings.purchases)
        today, then = (buyers.day_number(self._local(at)) for at in (self.as_of, self.doings.since))
        limits = buyers.limits_of(bought, (self.settings.active_days, self.settings.lost_days))
        return Standing(bought, limits, buyers.stages(bought, limits, today), buyers.stages(bought, limits, then))

    def _scores(self, bought: buyers.History) -> buyers.Scores:
        from segctl.operations.segment_report.rfm import trait_scores

        declared = trait_scores(self.session, as_of=self.as_of, snapshot=self.doings.snapshot)
        return buyers.rfm_scores(bought, self.doings.revenues) if declared is None else declared

    def _local(self, at: datetime) -> datetime:
        return at.astimezone(ZoneInfo(self.session.project.timezone))


@dataclass(frozen=True, slots=True)
class Standing:
    """Stages of buyers now, and when the window began, as `buyers.stages` gives them."""

    bought: buyers.History
    limits: buyers.Limits
    now: NDArray[np.int8]
    then: NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Windows:
    """What the members of a segment did, newest window first."""

    basis: Basis
    newest: Figures
    earlier: tuple[Figures, ...] = ()
    is_same_rule: bool = True
    alike: Alike | None = None


def _neighbours(members: Mapping[str, NDArray[np.bool_]]) -> dict[str, tuple[Neighbour, ...]]:
    """Segment → those that it has most members in common with."""
    from segctl.operations.overlap import pairs

    found: dict[str, list[Neighbour]] = {name: [] for name in members}
    sizes = {name: int(flags.sum()) for name, flags in members.items()}
    names = sorted(members)
    for pair in pairs([members[name] for name in names], names):
        if not pair.both:
            continue
        for one, other in ((pair.first, pair.second), (pair.second, pair.first)):
            found[one].append(Neighbour(other, pair.both, pair.both / sizes[one], pair.jaccard or 0.0))
    return {
        name: tuple(sorted(several, key=lambda one: (-one.both, one.segment))[:NEIGHBOURS])
        for name, several in found.items()
    }
