"""How segments do, from the runs on record: what fails, is stale, paused, ends, jumps, flaps or decides nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

from segctl.model.dataclass import dataclass
from segctl.operations.causes.words import translated
from segctl.operations.expiry import days_left
from segctl.operations.health import measures as measure
from segctl.operations.health.record import Record
from segctl.operations.health.words import said
from segctl.operations.pauses import in_words, paused_now
from segctl.operations.selection import chosen

if TYPE_CHECKING:
    from datetime import date

    from segctl.compile.selection import Selection
    from segctl.model.conditions import SegmentDefinition
    from segctl.model.project import Language
    from segctl.operations.health.suspicions import Suspicion
    from segctl.operations.pauses import Paused
    from segctl.operations.segment_report.values import SegmentsReport
    from segctl.operations.session import Session

Level = Literal["ok", "watch", "act"]
RUNS = 30
_VOLATILE, _FLAPPING, FEWEST_FLAPPING = 0.5, 0.01, 5
_EMPTY_DAYS, _QUIET_DAYS, _QUIET_RUNS = 14, 30, 10


@dataclass(frozen=True, slots=True)
class HealthFinding:
    """One thing to know of a segment.

    Attributes:
        kind: Machine word, such as ``failed`` or ``never_true``.
        level: ``watch`` or ``act``; ``ok`` where there is nothing.
        reason: In words; likewise what to do.
        values: Numbers behind it.
        p: That chance alone shows as much, adjusted for all that was looked into; None where it has no part.
    """

    kind: str
    level: Level
    reason: str
    action: str
    values: Mapping[str, Any] = field(default_factory=dict)
    p: float | None = None


@dataclass(frozen=True, slots=True)
class SegmentHealth:
    """How one segment does.

    Attributes:
        findings: The gravest first; one that says ``ok`` when there is none.
        members: In force; None before the first run.
        per_run: Median share of members that enter or leave with a run.
        per_day: The same for a day.
        flapping: Profiles that entered and left three times or more in the runs looked at; None where it is not told.
        size: The newest size against what is usual; None when there are too few runs.
        runs: Looked at.
        definition_since: Day of the first run with this definition.
        last_moved: Day of the last run that moved somebody.
    """

    segment: str
    findings: tuple[HealthFinding, ...]
    members: int | None
    per_run: float | None
    per_day: float | None
    flapping: int | None
    size: measure.SizeChange | None
    runs: int
    definition_since: date | None
    last_moved: date | None

    @property
    def level(self) -> Level:
        """Of the gravest finding."""
        return self.findings[0].level


@dataclass(frozen=True, slots=True)
class Examined:
    """How segments do.

    Attributes:
        report: Figures that suspicions come from; None when nobody looked at them.
        looked_into: Suspicions that were tested, whether they turned out or not.
    """

    segments: tuple[SegmentHealth, ...]
    report: SegmentsReport | None = None
    looked_into: int = 0


def examined(
    session: Session,
    selection: Selection,
    *,
    now: datetime,
    last: int = RUNS,
    language: Language = "en",
    with_doings: bool = True,
) -> Examined:
    """How the selected segments do, those that need action first, then by name; evaluates nothing.

    Args:
        session: Open project and workspace.
        selection: Which segments; otherwise every one that is not a draft.
        now: Wall clock.
        last: Newest runs of each segment that are looked at; size is compared with all.
        language: Of the words.
        with_doings: Also look at what members did, whom they reach and what segments do to one another.

    Raises:
        UsageError: A selection that fits nothing.
    """
    names = chosen(session.definitions, selection)
    record = Record(session, names)
    doings = _Doings(session, record, selection, now, last) if with_doings and record.seen else None
    stopped = paused_now(session.workspace, session.definitions.segments)
    flaps = record.flaps(last)
    segments = session.definitions.segments
    found = [
        _Judging(session, segments[name], record, stopped, now, last, language).health(
            flaps.get(name, 0), doings.found.get(name, ()) if doings is not None else ()
        )
        for name in names
    ]
    ordered = tuple(sorted(found, key=lambda one: ("act", "watch", "ok").index(one.level)))
    if doings is None:
        return Examined(ordered)
    return Examined(ordered, doings.report, doings.looked_into)


class _Doings:
    """What members' doings, and those of other segments, give away.

    Attributes:
        found: By segment.
        looked_into: How many suspicions were tested.
        report: Figures of the segments.
    """

    def __init__(self, session: Session, record: Record, selection: Selection, now: datetime, last: int) -> None:
        from segctl.operations.health.fights import fights
        from segctl.operations.health.suspicions import found, suspicions
        from segctl.operations.segment_report.segment_report import Asked, Making

        segments = session.definitions.segments
        making = Making(session, tuple(record.seen), record, now, Asked(last), selection)
        self.report, smallest = making.report(), making.settings.smallest
        sent = frozenset(name for name in record.seen if segments[name].send_to and segments[name].status == "active")
        tested = [*suspicions(self.report, record.seen, sent=sent, smallest=smallest)]
        tested += fights(self.report, session.definitions, record, last=last, smallest=smallest)
        self.found: dict[str, list[Suspicion]] = {}
        for one in found(tested):
            self.found.setdefault(one.segment, []).append(one)
        self.looked_into = len(tested)


class _Judging:
    """One segment with its runs."""

    def __init__(
        self,
        session: Session,
        segment: SegmentDefinition,
        record: Record,
        stopped: Paused,
        now: datetime,
        last: int,
        language: Language,
    ) -> None:
        self.session, self.segment, self.stopped, self.now = session, segment, stopped, now
        self.language = language
        self.all = record.seen.get(segment.name, [])
        self.seen = self.all[-last:]
        self.newest = record.newest.get(segment.name)
        self.zone = session.project.timezone
        self.today = now.astimezone(ZoneInfo(self.zone)).date()

    def health(self, flapping: int, suspicions: Sequence[Suspicion] = ()) -> SegmentHealth:
        """The measures and what follows from them."""
        size = measure.size_change(self.all)
        found = [*self._state(), *self._size(size), *self._behaviour(flapping)]
        if not self._is_over:
            found += [replace(self._finding(one.kind, "watch", one.values), p=one.p) for one in suspicions]
        if not found:
            values = {"size": self.seen[-1].size if self.seen else 0, "runs": len(self.seen)}
            found = [self._finding("well" if size is not None else "few", "ok", values)]
        return SegmentHealth(
            self.segment.name,
            tuple(sorted(found, key=lambda one: one.level != "act")),
            self.seen[-1].size if self.seen else None,
            measure.volatility(self.seen),
            measure.volatility_per_day(self.seen),
            flapping,
            size,
            len(self.seen),
            measure.definition_since(self.all),
            measure.last_moved(self.all),
        )

    def _finding(self, kind: str, level: Level, values: Mapping[str, Any]) -> HealthFinding:
        reason, action = said(kind, {"segment": self.segment.name, **values}, self.language)
        return HealthFinding(kind, level, reason, action, values)

    def _state(self) -> Iterator[HealthFinding]:
        """What is so whatever the numbers say."""
        name = self.segment.name
        press = self.stopped.segments.get(name)
        if press is not None:
            day = str(self.session.local(press.at).date())
            words = {"words": in_words(press, day), "day": day, "why": press.reason or ""}
            yield self._finding("paused", "watch", words)
        elif self.segment.status == "paused":
            yield self._finding("status_paused", "watch", {})
        days = days_left(self.segment.expires, self.now, self.zone)
        if days is not None and days <= 0:
            yield self._finding("expired", "act", {"day": self.segment.expires})
        elif days is not None:
            yield self._finding("expiring", "watch", {"day": self.segment.expires, "days": days})
        if self.newest is None:
            if press is None and self.segment.status != "paused" and (days is None or days > 0):
                yield self._finding("never", "watch", {})
            return
        state, reason, run = self.newest
        marks = run.note.get("stale", {}).get(name, ())
        if state == "failed":
            is_stale = bool(self.segment.fresh) and " asks for " in (reason or "")
            yield self._finding("stale" if is_stale else "failed", "act", {"reason": reason or ""})
        elif marks:
            yield self._finding("marked", "watch", {"reason": "; ".join(marks)})

    @property
    def _is_over(self) -> bool:
        days = days_left(self.segment.expires, self.now, self.zone)
        return days is not None and days <= 0

    def _size(self, size: measure.SizeChange | None) -> Iterator[HealthFinding]:
        since = measure.empty_since(self.all)
        if self._is_over:
            return
        if since is not None and len(self.all) >= measure.FEWEST_RUNS:
            level: Level = "act" if (self.today - since).days >= _EMPTY_DAYS else "watch"
            yield self._finding("empty", level, {"day": since})
        elif size is not None and size.level != "ok":
            values = {"change": size.change, "before": size.before, "after": size.after, "usual": size.usual}
            yield self._finding("size", size.level, values)

    def _behaviour(self, flapping: int) -> Iterator[HealthFinding]:
        if not self.seen or self._is_over:
            return
        words = translated(self.session, self.segment.name, self.language)
        for text, how in measure.dead_leaves(self.seen):
            yield self._finding(f"{how}_true", "watch", {"text": words.get(text, text), "written": text})
        # One person who comes and goes is no reason to change a rule for all.
        if flapping >= FEWEST_FLAPPING and flapping > _FLAPPING * self.seen[-1].size:
            yield self._finding("flapping", "watch", {"people": flapping, "runs": len(self.seen)})
        share = measure.volatility(self.seen)
        if share is not None and share > _VOLATILE and len(self.seen) > measure.FEWEST_RUNS:
            yield self._finding("volatile", "watch", {"share": share})
        moved = measure.last_moved(self.all)
        newest = self.all[-1].day
        if moved is not None and len(self.all) >= _QUIET_RUNS and (newest - moved).days >= _QUIET_DAYS:
            yield self._finding("quiet", "watch", {"day": moved})
