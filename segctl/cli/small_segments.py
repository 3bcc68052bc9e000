"""What a report on segments hides: its counts, and how they are made of one another, for the rule of `small_counts`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from segctl.cli.small_counts import Ledger, Unit, is_small
from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    from datetime import date

    from segctl.operations.segment_report.alike import Alike
    from segctl.operations.segment_report.values import (
        Figures,
        Lifecycle,
        Reach,
        SegmentFigures,
        SegmentsReport,
        Stage,
    )

EVERYBODY = "*"
"""Stands for the name of a segment; no segment can be called so."""
_BARRED = ("identifier", "consent", "suppression")
"""Steps of reach before those that are left are allowed."""
_FURTHEST = 2000
"""Steps of the search for segments that together are everybody."""


@dataclass(frozen=True, slots=True)
class SmallSegments:
    """What is not told; all questions are about the report that it was made for.

    Attributes:
        least: Counts from here on are told, and 0; 0 tells all.
        units: What is hidden.
    """

    least: int = 0
    units: frozenset[Unit] = frozenset()

    def hides(self, *counts: int | None) -> bool:
        """Whether one of the counts is too small."""
        return is_small(self.least, *counts)

    def profiles(self) -> bool:
        """Whether it is hidden how many there are."""
        return "profiles" in self.units

    def size(self, segment: str) -> bool:
        """Whether it is hidden how many members there are."""
        return ("size", segment) in self.units

    def point(self, segment: str, run: str) -> bool:
        """Likewise after a run."""
        return ("point", segment, run) in self.units

    def moves(self, segment: str, run: str | None = None) -> bool:
        """Whether entries and exits are hidden, of a run or of all together."""
        return ("moves", segment, run) in self.units

    def by_run(self, one: SegmentFigures) -> bool:
        """Whether those of any run are, so that nothing usual is told of a run."""
        return any(self.moves(one.segment, point.run) or self.point(one.segment, point.run) for point in one.points)

    def people(self, segment: str, ago: int = 0) -> bool:
        """Whether it is hidden of how many people figures are."""
        return ("people", segment, ago) in self.units

    def converted(self, segment: str, ago: int = 0) -> bool:
        """Whether it is hidden how many of them converted, and for how much."""
        return self.people(segment, ago) or ("converted", segment, ago) in self.units

    def others(self, segment: str, beside: Alike) -> bool:
        """Whether it is hidden what others of the same stages did: they with the members are all who did it."""
        if self.hides(beside.people, beside.others) or self.converted(segment) or self.converted(EVERYBODY):
            return True
        for rate, people in ((beside.conversion, beside.people), (beside.conversion_of_others, beside.others)):
            did = 0 if rate is None else round(rate.value * people)
            # Less than half a person is somebody as well, as the others are weighed by stage.
            if rate is not None and self.hides(max(did, int(rate.value > 0)), max(people - did, int(rate.value < 1))):
                return True
        return False

    def engaged(self, segment: str, ago: int = 0) -> bool:
        """Whether it is hidden how many of them reacted."""
        return self.people(segment, ago) or ("engaged", segment, ago) in self.units

    def members(self, segment: str, place: Reach) -> bool:
        """Whether members are hidden where it is told whom a destination reaches."""
        return ("members", segment, place.destination) in self.units

    def reached(self, segment: str, place: Reach) -> bool:
        """Whether it is hidden how many of the members a destination reaches."""
        return ("reach", segment, place.destination) in self.units

    def reason(self, segment: str, place: Reach, key: tuple[str, str, str | None]) -> bool:
        """Whether it is hidden how many are not reached for a reason; alike at all places of a channel."""
        return ("reason", segment, place.channel, key) in self.units

    def told(self, segment: str) -> bool:
        """Whether it is hidden how many people were told."""
        return ("told", segment) in self.units

    def reacted(self, segment: str) -> bool:
        """Whether it is hidden how many of them reacted."""
        return self.told(segment) or ("reacted", segment) in self.units

    def messages(self, segment: str, destination: str) -> bool:
        """Whether the messages of a destination are hidden."""
        return ("messages", segment, destination) in self.units

    def costs(self, one: SegmentFigures) -> bool:
        """Whether the cost is hidden, which is so much for each message."""
        sent = () if one.contacts is None else one.contacts.messages
        return self.told(one.segment) or any(self.messages(one.segment, name) for name in sent)

    def both(self, one: str, other: str) -> bool:
        """Whether members in common are hidden, and their shares."""
        return ("both", *sorted((one, other))) in self.units or self.size(one) or self.size(other)

    def stage(self, segment: str, stage: str) -> bool:
        """Whether members in a stage are hidden."""
        return ("stage", segment, stage) in self.units

    def now(self, stage: str) -> bool:
        """Whether buyers in a stage are hidden."""
        return ("stage", EVERYBODY, stage) in self.units

    def never(self) -> bool:
        """Whether it is hidden who never bought, and so how many did."""
        return "buyers" in self.units

    def moved(self, key: tuple[Stage | None, Stage]) -> bool:
        """Whether a move between stages is hidden."""
        return ("moved", *key) in self.units

    def month(self, month: date) -> bool:
        """Whether first buyers of a month are hidden, and all that they did."""
        return ("month", month) in self.units

    def active(self, month: date, age: int) -> bool:
        """Whether it is hidden how many of them bought so many months later."""
        return self.month(month) or ("active", month, age) in self.units

    def cell(self, recency: int, frequency: int) -> bool:
        """Whether a cell of the grid is hidden."""
        return ("cell", recency, frequency) in self.units


def small_segments(report: SegmentsReport, least: int) -> SmallSegments:
    """What a report hides when counts of fewer people than `least` are small; 0 hides nothing."""
    if not least:
        return SmallSegments()
    to = Ledger(least)
    to.told("profiles", report.profiles, rank=9)
    _buyers(to, report)
    everybody = report.everybody
    if everybody is not None:
        _figures(to, EVERYBODY, 0, everybody, rank=8)
        to.sum("profiles", ("people", EVERYBODY, 0))
    for one in report.segments:
        _sizes(to, one)
        _doings(to, one)
        _reach(to, one)
        _contacts(to, one)
        _stages(to, one, report.lifecycle)
    _overlap(to, report.segments)
    return SmallSegments(least, to.hidden())


# --- One segment ----------------------------------------------------------------------------------------------
def _sizes(to: Ledger, one: SegmentFigures) -> None:
    name, runs = one.segment, one.points
    to.told(("size", name), one.size, rank=5)
    to.sum("profiles", ("size", name), rest=("outside", name))
    _moves(to, name, None, one.entered, one.left)
    for age, point in enumerate(reversed(runs)):
        to.told(("point", name, point.run), point.size, rank=2 - age / 1000)
        _moves(to, name, point.run, point.entered, point.left)
    if runs:
        to.balance({("size", name): 1, ("point", name, runs[-1].run): -1})
    for before, point in pairwise(runs):
        to.balance({
            ("point", name, before.run): 1, ("entered", name, point.run): 1, ("left", name, point.run): -1,
            ("point", name, point.run): -1,
        })  # fmt: skip
    for way in ("entered", "left"):
        to.sum((way, name, None), *((way, name, point.run) for point in runs[1:]))


def _moves(to: Ledger, segment: str, run: str | None, entered: int, left: int) -> None:
    unit = ("moves", segment, run)
    to.told(("entered", segment, run), entered, unit=unit, rank=0 if run else 1)
    to.told(("left", segment, run), left, unit=unit, rank=0 if run else 1)


def _doings(to: Ledger, one: SegmentFigures) -> None:
    name = one.segment
    for ago, of in enumerate((one.window, *one.earlier)):
        if of is not None:
            _figures(to, name, ago, of, rank=3 - ago / 1000)
    whole, part = ("people", EVERYBODY, 0), ("people", name, 0)
    to.sum(whole, part, rest=("others", name))
    # What was done splits members and others alike, so that two of the four give the other two away.
    for did in ("converted", "engaged"):
        to.sum((did, EVERYBODY, 0), (did, name, 0), rest=(did, "others", name))
        to.sum(("without", did, EVERYBODY, 0), ("without", did, name, 0), rest=("without", did, "others", name))
        to.sum(("others", name), (did, "others", name), ("without", did, "others", name))
    if one.window is not None and one.size is not None:
        # Those who were members when the window began, and those who are now: few more, or few less.
        if one.size >= one.window.people:
            to.sum(("size", name), part)
        else:
            to.sum(part, ("size", name))


def _figures(to: Ledger, segment: str, ago: int, of: Figures, *, rank: float) -> None:
    people = ("people", segment, ago)
    to.told(people, of.people, rank=rank + 1)
    for did, count in (("converted", of.converted), ("engaged", of.engaged)):
        if count is not None:
            to.told((did, segment, ago), count, rank=rank)
            to.sum(people, (did, segment, ago), rest=("without", did, segment, ago))


def _reach(to: Ledger, one: SegmentFigures) -> None:
    name = one.segment
    for place in one.reach:
        at = place.destination
        names = {key: ("reason at", name, at, key) for key in place.reasons}
        members, allowed, reachable = ("members", name, at), ("allowed", name, at), ("reachable", name, at)
        to.told(members, place.members, rank=4)
        to.balance({("size", name): 1, members: -1})
        to.told(allowed, place.allowed, unit=("reach", name, at), rank=2)
        to.told(reachable, place.reachable, unit=("reach", name, at), rank=2)
        to.sum(members, allowed, rest=("barred", name, at))
        to.sum(allowed, reachable, rest=("later", name, at))
        for key, people in place.reasons.items():
            to.told(names[key], people, unit=("reason", name, place.channel, key))
        to.sum(("barred", name, at), *(names[key] for key in names if key[0] in _BARRED))
        to.sum(("later", name, at), *(names[key] for key in names if key[0] not in _BARRED))


def _contacts(to: Ledger, one: SegmentFigures) -> None:
    name, told = one.segment, one.contacts
    if told is None:
        return
    people, heard = ("told", name), ("heard", name)
    to.told(people, told.people, rank=4)
    to.sum("profiles", people)
    to.told(heard, told.heard, unit=("reacted", name), rank=2)
    to.sum(people, heard)
    if told.reacted is not None:
        to.told(("reacting", name), told.reacted, unit=("reacted", name), rank=2)
        to.sum(heard, ("reacting", name))
    places = [("messages", name, at) for at in told.messages]
    for place in places:
        to.told(place, told.messages[place[2]], rank=3)
    if len(places) == 1:  # Who got more than one message.
        to.sum(places[0], people)


def _stages(to: Ledger, one: SegmentFigures, cycle: Lifecycle | None) -> None:
    name = one.segment
    stages: dict[str, int] = dict((one.stages or {}).items())
    for stage, people in stages.items():
        to.told(("stage", name, stage), people)
    if stages:
        never = ("stage", name, "never")
        to.sum(("size", name), *(("stage", name, stage) for stage in stages), rest=never)
        for stage in () if cycle is None else stages:
            to.sum(("stage", EVERYBODY, stage), ("stage", name, stage))
        to.sum("never", never)


# --- All together ---------------------------------------------------------------------------------------------
def _buyers(to: Ledger, report: SegmentsReport) -> None:
    cycle, cohorts = report.lifecycle, report.cohorts
    if cycle is not None:
        to.told("buyers", sum(cycle.now.values()), rank=8)
        to.told("never", cycle.never, unit="buyers", rank=8)
        to.sum("profiles", "buyers", "never")
        for now, people in cycle.now.items():
            to.told(("stage", EVERYBODY, now), people, rank=1)
        _make_up(to, [("stage", EVERYBODY, stage) for stage in cycle.now])
        for key, people in cycle.moved.items():
            to.told(("moved", *key), people)
        for stage in cycle.now:
            to.sum(("stage", EVERYBODY, stage), *(("moved", *key) for key in cycle.moved if key[1] == stage))
    for one in report.rfm or ():
        to.told(("cell", one.recency, one.frequency), one.people)
    _make_up(to, [("cell", one.recency, one.frequency) for one in report.rfm or ()])
    for month in () if cohorts is None else cohorts.rows:
        to.told(("month", month.month), month.people, rank=1)
        for age, people in enumerate(month.active):
            to.told(("active", month.month, age), people)
            to.sum(("month", month.month), ("active", month.month, age))
    _make_up(to, [("month", one.month) for one in (() if cohorts is None else cohorts.rows)])


def _make_up(to: Ledger, parts: Sequence[Unit]) -> None:
    """Parts make up the buyers, and with those who never bought everybody."""
    if parts:
        to.sum("buyers", *parts)
        to.sum("profiles", *parts, "never")


def _overlap(to: Ledger, every: Sequence[SegmentFigures]) -> None:
    sizes = {one.segment: one.size for one in every if one.size}
    common = {(min(pair), max(pair)): near.both for one in every for near in one.neighbours
              for pair in ((one.segment, near.segment),)}  # fmt: skip
    for (one, other), both in common.items():
        name = ("both", one, other)
        to.told(name, both)
        to.sum(("size", one), name, rest=("alone", one, other))
        to.sum(("size", other), name, rest=("alone", other, one))
        to.sum(("outside", one), ("alone", other, one))
    within: dict[str, list[str]] = {"": sorted(sizes)}
    for (one, other), both in common.items():
        for inner, outer in ((one, other), (other, one)):
            if inner in sizes and outer in sizes and both == sizes[inner] < sizes[outer]:
                within.setdefault(outer, []).append(inner)
    profiles = to.people("profiles")
    for outer, names in within.items():
        whole = sizes[outer] if outer else profiles
        for parts in _filled(whole or 0, [(name, sizes[name] or 0) for name in names], common, to.least):
            to.sum(("size", outer) if outer else "profiles", *(("size", name) for name in parts))


def _filled(
    whole: int, parts: Sequence[tuple[str, int]], common: Mapping[tuple[str, str], int], least: int
) -> Iterator[tuple[str, ...]]:
    """Segments without a member in common that are the whole together, or all of it but a few."""
    steps = 0
    waiting: list[tuple[int, int, tuple[str, ...]]] = [(0, 0, ())]
    while waiting and steps < _FURTHEST:
        steps += 1
        at, people, taken = waiting.pop()
        if len(taken) > 1 and 0 <= whole - people < least:
            yield taken
        for further in range(at, len(parts)):
            name, size = parts[further]
            is_apart = all((min(name, one), max(name, one)) not in common for one in taken)
            if is_apart and people + size <= whole:
                waiting.append((further + 1, people + size, (*taken, name)))
