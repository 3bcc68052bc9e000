"""A report on segments in words, for terminal, page and Markdown: sizes, doings, reach, retention, lifecycle, grid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from segctl.cli.charts import spark
from segctl.cli.report_document import Block, Curve, Document, Grid, Heat, Lead, Section, Words
from segctl.cli.report_numbers import MISSING, Numbers
from segctl.cli.segment_words import words
from segctl.cli.small_segments import EVERYBODY, SmallSegments, small_segments
from segctl.cli.svg_charts import Series
from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    from datetime import datetime

    from segctl.model.project import Language
    from segctl.operations.segment_report.values import (
        Cohort,
        Cohorts,
        Contacts,
        Figures,
        Lifecycle,
        RfmCell,
        SegmentFigures,
        SegmentsReport,
        Stage,
    )

_COHORTS, _LINES, _POINTS, _FEWEST = 12, 6, 60, 30
_STAGES: tuple[Stage, ...] = ("new", "active", "back", "at_risk", "lost")


def document(
    report: SegmentsReport, language: Language, zone: str, *, least: int = 0, with_curves: bool = False
) -> Document:
    """The whole report.

    Args:
        report: What was found.
        language: Of the words.
        zone: Of the project, for days.
        least: Counts of fewer people are not told.
        with_curves: Draw sizes as small curves inside the table, where it is seen.
    """
    told = _Telling(report, language, ZoneInfo(zone), small_segments(report, least), with_curves)
    return Document(
        title=told.w["title"],
        language=language,
        facts=tuple(told.facts()),
        lead=tuple(told.lead()),
        sections=tuple(section for section in told.sections() if section.blocks),
        foot=tuple(told.foot()),
    )


@dataclass(frozen=True)
class _Telling:
    report: SegmentsReport
    language: Language
    zone: ZoneInfo
    small: SmallSegments
    with_curves: bool

    @property
    def w(self) -> dict[str, str]:
        return words(self.language)

    @property
    def n(self) -> Numbers:
        return Numbers(self.language)

    def day(self, at: datetime) -> str:
        return self.n.day(at.astimezone(self.zone))

    def count(self, people: int | None, is_hidden: bool = False) -> str:
        """A count: small ones as ``<5``, others that are hidden as such."""
        if self.small.hides(people):
            return f"<{self.small.least}"
        return self.unless(is_hidden, self.n.count(people))

    def money(self, value: float | None) -> str:
        unit = f" {self.report.unit}" if self.report.unit and value is not None else ""
        return f"{self.n.decimal(value, 2)}{unit}"

    def unless(self, is_hidden: bool, told: str) -> str:
        return self.w["hidden"] if is_hidden else told

    def heads(self, *names: str) -> tuple[str, ...]:
        return tuple(self.w[name] for name in names)

    # --- Above --------------------------------------------------------------------------------------------
    def facts(self) -> Iterator[str]:
        yield self.w["as_of"].format(at=self.day(self.report.as_of))
        yield self.w["people"].format(n=self.count(self.report.profiles, self.small.profiles()))
        if self.report.declared:
            since, at = self.day(self.report.since), self.day(self.report.as_of)
            yield self.w["window"].format(since=since, at=at)

    def lead(self) -> Iterator[Block]:
        if not self.report.declared:
            if self.report.proposal is None:
                yield Lead("warn", self.w["undeclared_bare"])
                return
            lines = self.report.proposal.rstrip("\n").split("\n")
            yield Lead("warn", self.w["undeclared"], tuple(f"`{line}`" for line in lines))
            return
        found = [*self._best(), *self._buyers()]
        if found:
            yield Lead("none", found[0], tuple(found[1:]))

    def _best(self) -> Iterator[str]:
        every = self.report.everybody
        known = [(one, one.window) for one in self.report.segments if one.window is not None and one.basis == "after"]
        rated = [(one, of) for one, of in known if of.conversion is not None and not self._hides(one, of)]
        if rated and every is not None:
            one, of = max(rated, key=lambda pair: (pair[1].conversion or 0.0, pair[0].segment))
            yield self.w["best"].format(
                segment=one.segment, rate=self.n.share(of.conversion), all=self.n.share(every.conversion)
            )
        paid = [(one, of) for one, of in known if of.per_person is not None and not self._hides(one, of)]
        if paid and every is not None:
            one, of = max(paid, key=lambda pair: (pair[1].per_person or 0.0, pair[0].segment))
            yield self.w["most"].format(
                segment=one.segment, each=self.money(of.per_person), all=self.money(every.per_person)
            )

    def _hides(self, one: SegmentFigures, of: Figures) -> bool:
        # The highest of many small rates is chance.
        return of.people < _FEWEST or self.small.converted(one.segment) or self.small.converted(EVERYBODY)

    def _buyers(self) -> Iterator[str]:
        cycle = self.report.lifecycle
        if cycle is not None:
            yield self.w["lost"].format(
                lost=self._stage(cycle, "lost"), risk=self._stage(cycle, "at_risk"), back=self._stage(cycle, "back"),
                all=self.unless(self.small.never(), self.n.count(sum(cycle.now.values()))),
            )  # fmt: skip

    def _stage(self, cycle: Lifecycle, stage: Stage) -> str:
        return self.unless(self.small.now(stage), self.n.count(cycle.now[stage]))

    # --- Parts --------------------------------------------------------------------------------------------
    def sections(self) -> Iterator[Section]:
        every, w = self.report.segments, self.w
        yield Section("sizes", w["sizes"], (self._sizes(every),))
        yield Section("doings", w["doings"], tuple(self._doings(every)))
        yield Section("reach", w["reach"], tuple(self._reach(every)))
        yield Section("lift", w["lift"], tuple(self._lift(every)))
        yield Section("lifecycle", w["lifecycle"], tuple(self._lifecycle(self.report.lifecycle)))
        yield Section("rfm", w["rfm"], tuple(self._rfm(self.report.rfm)))
        yield Section("cohorts", w["cohorts"], tuple(self._cohorts(self.report.cohorts)))
        yield Section("time", w["over_time"], tuple(self._over_time(every)), is_detail=True)
        yield Section("overlap", w["overlap"], tuple(self._overlap(every)), is_detail=True)

    def _sizes(self, every: Sequence[SegmentFigures]) -> Grid:
        rows = []
        for one in every:
            name, small = one.segment, self.small
            moves, by_run, is_hidden = small.moves(name), small.by_run(one), small.size(name)
            members = self.count(one.size, is_hidden)
            if self.with_curves and len(one.points) > 1 and not small.least:
                members = f"{spark([point.size for point in one.points[-12:]])} {members}"
            rows.append(
                (name, members, self.unless(is_hidden, self.n.share(one.share)),
                 self.unless(moves, self.n.count(one.entered)), self.unless(moves, self.n.count(one.left)),
                 self.unless(by_run, self.n.share(one.per_run)))
            )  # fmt: skip
        heads = self.heads("segment", "members", "share", "entered", "left", "per_run")
        return Grid(self.w["sizes_caption"], heads, tuple(rows), (1, 2, 3, 4, 5))

    def _doings(self, every: Sequence[SegmentFigures]) -> Iterator[Block]:
        declared = self.report.declared
        if not declared:
            return
        heads = ["segment", "people_head"]
        heads += ["conversion"] if "conversion" in declared else []
        heads += ["each"] if "revenue" in declared else []
        heads += ["engagement"] if "engagement" in declared else []
        heads += ["others"] if self._compares else []
        rows = [self._did(one.segment + ("*" if one.basis == "before" else ""), one.window, one) for one in every
                if one.window is not None]  # fmt: skip
        if self.report.everybody is not None:
            rows.append(self._did(self.w["everybody"], self.report.everybody, None))
        yield Grid(self.w["doings_caption"], self.heads(*heads), tuple(rows), tuple(range(1, len(heads))))
        if any(one.basis == "before" and one.window is not None for one in every):
            yield Words((self.w["looking_back"],), soft=True)
        if self._compares:
            yield Words((self.w["alike_note"],), soft=True)

    @property
    def _compares(self) -> bool:
        return any(one.alike is not None and one.alike.conversion_of_others is not None for one in self.report.segments)

    def _did(self, name: str, of: Figures, one: SegmentFigures | None) -> tuple[str, ...]:
        segment = EVERYBODY if one is None else one.segment
        bought, reacted = self.small.converted(segment), self.small.engaged(segment)
        cells = [name, self.count(of.people, self.small.people(segment))]
        if "conversion" in self.report.declared:
            cells.append(self.unless(bought, self.n.share(of.conversion)))
        if "revenue" in self.report.declared:
            cells.append(self.unless(bought, self.money(of.per_person)))
        if "engagement" in self.report.declared:
            cells.append(self.unless(reacted, self.n.share(of.engagement)))
        if self._compares:
            beside = None if one is None else one.alike
            others = None if beside is None else beside.conversion_of_others
            cells.append(
                MISSING
                if beside is None or others is None
                else self.unless(self.small.others(segment, beside), self.n.share(others.value))
            )
        return tuple(cells)

    def _reach(self, every: Sequence[SegmentFigures]) -> Iterator[Block]:
        if self.report.unreached is not None:
            yield Words((self.w["unreached"].format(why=self.report.unreached),))
        rows = []
        for one in every:
            told, name = one.contacts, one.segment
            messages = {} if told is None else dict(told.messages)
            rows += [
                (name, f"{place.destination} ({place.channel})",
                 self.count(place.members, self.small.members(name, place)),
                 self.unless(self.small.reached(name, place), self.n.count(place.allowed)),
                 self.unless(self.small.reached(name, place), self.n.count(place.reachable)),
                 self._sent(name, place.destination, messages.pop(place.destination, None)))
                for place in one.reach
            ]  # fmt: skip
            rows += [(name, at, MISSING, MISSING, MISSING, self._sent(name, at, sent)) for at, sent in messages.items()]
        if rows:
            heads = self.heads("segment", "destination", "members", "allowed", "reachable", "told")
            yield Grid(self.w["reach_caption"], heads, tuple(rows), (2, 3, 4, 5))
        answered = [self._answered(one, told) for one in every if (told := one.contacts) is not None]
        if answered:
            heads = self.heads("segment", "people_head", "reacted", "reaction", "cost")
            yield Grid(self.w["told_caption"], heads, tuple(answered), (1, 2, 3, 4))
        if any(one.contacts is not None and one.contacts.heard < one.contacts.people for one in every):
            yield Words((self.w["unheard"],), soft=True)

    def _sent(self, segment: str, destination: str, sent: int | None) -> str:
        return self.count(sent, self.small.messages(segment, destination))

    def _answered(self, one: SegmentFigures, told: Contacts) -> tuple[str, ...]:
        is_hidden = self.small.reacted(one.segment)
        return (
            one.segment, self.count(told.people, self.small.told(one.segment)), self.count(told.reacted, is_hidden),
            self.unless(is_hidden, self.n.share(told.reaction)),
            self.unless(self.small.costs(one), self.money(told.cost)),
        )  # fmt: skip

    def _lift(self, every: Sequence[SegmentFigures]) -> Iterator[Block]:
        rows = []
        for one in every:
            for lift in one.lifts:
                ends = (lift.estimate, lift.low, lift.high)
                shown = [MISSING if end is None else self.n.decimal(100 * end, 1, sign=True) for end in ends]
                told = (f"{shown[0]} ({shown[1]} … {shown[2]}) %", self.n.p(lift.p))
                is_hidden = self.small.hides(*lift.counts)
                rows.append((one.segment, lift.experiment, lift.metric, lift.arm,
                             *(self.unless(is_hidden, cell) for cell in told)))  # fmt: skip
        if rows:
            heads = self.heads("segment", "experiment", "metric", "arm", "lift_head", "p")
            yield Grid(self.w["lift_caption"], heads, tuple(rows), (4, 5))

    def _lifecycle(self, cycle: Lifecycle | None) -> Iterator[Block]:
        if cycle is None:
            return
        names = dict(zip(_STAGES, self.heads("new", "active", "back", "at_risk", "stage_lost"), strict=True))
        total = sum(cycle.now.values())
        rows = []
        for stage in _STAGES:
            came = {(old, new): n for (old, new), n in cycle.moved.items() if new == stage != old}
            went = {(old, new): n for (old, new), n in cycle.moved.items() if old == stage != new}
            is_hidden = self.small.now(stage) or self.small.never()
            rows.append(
                (names[stage], self._stage(cycle, stage),
                 self.unless(is_hidden, self.n.share(cycle.now[stage] / total if total else None)),
                 ", ".join(f"{names[key[0]] if key[0] else self.w['never']} {self._moved(key, n)}"
                           for key, n in came.items()),
                 ", ".join(f"{names[key[1]]} {self._moved(key, n)}" for key, n in went.items()))
            )  # fmt: skip
        never = self.unless(self.small.never(), self.n.count(cycle.never))
        rows.append((self.w["never"], never, "", "", ""))
        heads = self.heads("stage", "now", "of_buyers", "came_from", "went_to")
        yield Grid(self.w["lifecycle_caption"], heads, tuple(rows), (1, 2))
        limits = self.w[f"lifecycle_{cycle.source}"].format(active=cycle.active_days, lost=cycle.lost_days)
        yield Words((limits,), soft=True)

    def _moved(self, key: tuple[Stage | None, Stage], people: int) -> str:
        return self.unless(self.small.moved(key), self.n.count(people))

    def _rfm(self, cells: tuple[RfmCell, ...] | None) -> Iterator[Block]:
        if not cells:
            return
        known = {(one.recency, one.frequency): one for one in cells
                 if not self.small.cell(one.recency, one.frequency)}  # fmt: skip
        grid = [[known.get((r, f)) for f in range(1, 6)] for r in range(5, 0, -1)]
        people = tuple(tuple(None if one is None else float(one.people) for one in row) for row in grid)
        names, columns = tuple(str(r) for r in range(5, 0, -1)), tuple(str(f) for f in range(1, 6))
        w = self.w
        yield Heat("rfm-people", w["rfm_people"], w["rfm_caption"], names, columns, people, w["recency"], self.n.count,
                   w["frequency"])  # fmt: skip
        if any(one.revenue is not None for one in cells):
            revenue = tuple(tuple(None if one is None else one.revenue for one in row) for row in grid)
            unit = f", {self.report.unit}" if self.report.unit else ""
            yield Heat("rfm-revenue", w["rfm_revenue"] + unit, w["rfm_revenue_text"], names, columns, revenue,
                       w["recency"], self.n.count, w["frequency"])  # fmt: skip

    def _cohorts(self, found: Cohorts | None) -> Iterator[Block]:
        if found is None:
            return
        shown = found.rows[-_COHORTS:]
        wide = min(max((len(one.active) for one in shown), default=1), _COHORTS)
        values = tuple(
            tuple(
                one.active[age] / one.people
                if age < len(one.active) and not self.small.active(one.month, age)
                else None
                for age in range(1, wide)
            )
            for one in shown
        )
        names = tuple(f"{one.month:%Y-%m} ({self._cohort(one)})" for one in shown)
        w = self.w
        if wide > 1:
            yield Heat("retention", w["again"], w["cohorts_caption"], names, tuple(map(str, range(1, wide))), values,
                       w["month"], lambda value: self.n.decimal(100 * value, 0), w["later"] + ", %")  # fmt: skip
        if not found.is_complete:
            yield Words((w["cohorts_open"],), soft=True)

    def _cohort(self, one: Cohort) -> str:
        return self.unless(self.small.month(one.month), self.n.count(one.people))

    def _over_time(self, every: Sequence[SegmentFigures]) -> Iterator[Block]:
        drawn = sorted((one for one in every if len(one.points) > 1), key=lambda one: -(one.size or 0))[:_LINES]
        moments = sorted({point.at for one in drawn for point in one.points})[-_POINTS:]
        w = self.w
        if len(moments) > 1:
            series = []
            for one in drawn:
                sizes = {point.at: float(point.size) for point in one.points
                         if not self.small.point(one.segment, point.run)}  # fmt: skip
                series.append(Series(one.segment, [sizes.get(at) for at in moments]))
            yield Curve("sizes-time", w["size_over_time"], w["size_over_time_text"],
                        tuple(self.day(at) for at in moments), tuple(series), w["run"], self.n.count)  # fmt: skip
        rated = [one for one in drawn if one.basis == "after" and one.earlier and one.window is not None]
        count = max((1 + len(one.earlier) for one in rated), default=0)
        if count > 1 and "conversion" in self.report.declared:
            labels = tuple(self.day(self.report.as_of - ago * self.report.window) for ago in range(count - 1, -1, -1))
            lines = tuple(Series(one.segment, self._rates(one, count)) for one in rated)
            yield Curve("conversion-time", w["over_time"], w["over_time_text"], labels, lines, w["ago"],
                        self.n.share)  # fmt: skip

    def _rates(self, one: SegmentFigures, count: int) -> list[float | None]:
        known = enumerate((one.window, *one.earlier))
        rates = [None if of is None or self.small.converted(one.segment, ago) else of.conversion for ago, of in known]
        return [*[None] * (count - len(rates)), *reversed(rates)]

    def _overlap(self, every: Sequence[SegmentFigures]) -> Iterator[Block]:
        rows = []
        for one in every:
            for near in one.neighbours:
                is_hidden = self.small.both(one.segment, near.segment)
                told = (self.n.count(near.both), self.n.share(near.share), self.n.share(near.jaccard))
                rows.append((one.segment, near.segment, *(self.unless(is_hidden, cell) for cell in told)))
        if rows:
            heads = self.heads("segment", "other", "both", "of_members", "jaccard")
            yield Grid(self.w["overlap_caption"], heads, tuple(rows), (2, 3, 4))

    def foot(self) -> Iterator[str]:
        yield self.w["method"]
        if self.small.least:
            yield self.w["small"].format(k=self.small.least)
