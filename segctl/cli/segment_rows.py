"""A report on segments as rows for machines: JSON with a section a table, CSV with every number on a row of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from segctl.cli.results import Column, Result, Section
from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    from segctl.operations.segment_report_values import Figures, SegmentFigures, SegmentsReport

SCHEMA = "segctl/report-segments/1"
_FIGURES = (
    Column("people", type="integer"), Column("converted", type="integer"), Column("conversion", type="share"),
    Column("revenue", type="number"), Column("per_person", type="number"), Column("engaged", type="integer"),
    Column("engagement", type="share"),
)  # fmt: skip
COLUMNS = (
    Column("segment"), Column("title"), Column("members", type="integer"), Column("share", type="share"),
    Column("entered", type="integer"), Column("left", type="integer"), Column("per_run", type="share"),
    Column("per_day", type="share"), Column("basis"), Column("same_rule", type="boolean"), *_FIGURES,
    Column("conversion_of_others", type="share"), Column("per_person_of_others", type="number"),
    Column("told", type="integer"), Column("reacted", type="integer"), Column("cost", type="number"),
    Column("heard", type="integer"), Column("reaction", type="share"),
)  # fmt: skip
SEGMENT = Column("segment")
SECTIONS: dict[str, tuple[Column, ...]] = {
    "runs": (SEGMENT, Column("run"), Column("as_of", type="time"), Column("members", type="integer"),
             Column("entered", type="integer"), Column("left", type="integer")),
    "windows": (SEGMENT, Column("windows_ago", type="integer"), *_FIGURES),
    "reach": (SEGMENT, Column("destination"), Column("channel"), Column("members", type="integer"),
              Column("allowed", type="integer"), Column("reachable", type="integer"),
              Column("reasons", type="object")),
    "messages": (SEGMENT, Column("destination"), Column("messages", type="integer")),
    "lift": (SEGMENT, Column("experiment"), Column("metric"), Column("arm"), Column("lift", type="share"),
             Column("low", type="share"), Column("high", type="share"), Column("p", type="number")),
    "overlap": (SEGMENT, Column("other"), Column("both", type="integer"), Column("share", type="share"),
                Column("jaccard", type="share")),
    "stages": (SEGMENT, Column("stage"), Column("people", type="integer")),
    "moves": (Column("before"), Column("now"), Column("people", type="integer")),
    "cohorts": (Column("month", type="date"), Column("months_later", type="integer"),
                Column("people", type="integer"), Column("share", type="share"), Column("revenue", type="number")),
    "rfm": (Column("recency", type="integer"), Column("frequency", type="integer"),
            Column("people", type="integer"), Column("revenue", type="number")),
}  # fmt: skip
LONG = (
    Column("part"), SEGMENT, Column("key"), Column("figure"), Column("value"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Small:
    """Counts of few people are not told, and nothing that is reckoned from them.

    Attributes:
        least: Counts from here on are told, and 0; 0 tells all.
    """

    least: int = 0

    def hides(self, *counts: int | None) -> bool:
        """One of the counts is of so few people that somebody might be known by it."""
        return any(count is not None and 0 < count < self.least for count in counts)

    def count(self, people: int | None) -> int | None:
        """The count, None when it is too small to be told."""
        return None if self.hides(people) else people

    def of(self, value: Any, *counts: int | None) -> Any:  # noqa: ANN401 - whatever is reckoned from counts
        """A value that is reckoned from counts of people, None when one of those is too small."""
        return None if self.hides(*counts) else value


def result(report: SegmentsReport, *, least: int = 0) -> Result:
    """The report as data; `least` as in `Small`."""
    small = Small(least)
    parts = dict(_sections(report, small))
    facts = {
        "as_of": report.as_of,
        "since": report.since,
        "window_days": report.window.total_seconds() / 86_400,
        "declared": list(report.declared),
        "unit": report.unit,
        "profiles": report.profiles,
        "everybody": None if report.everybody is None else dict(
            zip((one.name for one in _FIGURES), _figures(report.everybody, small), strict=True)
        ),
        "lifecycle": None if report.lifecycle is None else {
            "active_days": report.lifecycle.active_days, "lost_days": report.lifecycle.lost_days,
            "source": report.lifecycle.source, "never": small.count(report.lifecycle.never),
        },
        "suppressed_below": least or None,
        "unreached": report.unreached,
    }  # fmt: skip
    return Result(
        SCHEMA,
        COLUMNS,
        [_segment(one, small) for one in report.segments],
        noun="segments",
        facts=facts,
        sections=tuple(Section(name, name, SECTIONS[name], rows) for name, rows in parts.items()),
        ids_column="segment",
    )


def long_result(report: SegmentsReport, *, least: int = 0) -> Result:
    """The same as one table: part, segment, key within it, figure, value."""
    whole = result(report, least=least)
    rows = [row for values in whole.rows for row in _long("segments", COLUMNS, values, keys=0)]
    for section in whole.sections:
        keys = _KEYS[section.name]
        for values in section.rows:
            rows += _long(section.name, section.columns, values, keys=keys)
    return Result(SCHEMA, LONG, rows)


_KEYS = {
    "runs": 2, "windows": 1, "reach": 2, "messages": 1, "lift": 3, "overlap": 1, "stages": 1, "moves": 2,
    "cohorts": 2, "rfm": 2,
}  # fmt: skip
"""How many columns, after the segment where there is one, say which row it is."""


def _long(part: str, columns: tuple[Column, ...], values: Any, *, keys: int) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401 - a row
    row = tuple(values)
    has_segment = columns[0] is SEGMENT or columns[0].name == "segment"
    first = 1 if has_segment else 0
    key = "/".join("-" if one is None else str(one) for one in row[first : first + keys]) or None
    for column, value in zip(columns[first + keys :], row[first + keys :], strict=True):
        if value is not None:
            yield part, row[0] if has_segment else None, key, column.name, value


def _segment(one: SegmentFigures, small: Small) -> tuple[Any, ...]:
    beside, told = one.alike, one.contacts
    figures = (None,) * len(_FIGURES) if one.window is None else _figures(one.window, small)
    rate = None if beside is None or beside.conversion_of_others is None else beside.conversion_of_others.value
    each = None if beside is None or beside.per_person_of_others is None else beside.per_person_of_others.value
    compared = () if beside is None else (beside.people, beside.others)
    return (
        one.segment, one.title, small.count(one.size), small.of(one.share, one.size), small.count(one.entered),
        small.count(one.left), small.of(one.per_run, one.size, one.entered, one.left),
        small.of(one.per_day, one.size, one.entered, one.left), one.basis, one.is_same_rule, *figures,
        small.of(rate, *compared), small.of(each, *compared),
        None if told is None else small.count(told.people),
        None if told is None else small.of(told.reacted, told.people, told.reacted),
        None if told is None else small.of(told.cost, told.people),
        None if told is None else small.count(told.heard),
        None if told is None else small.of(told.reaction, told.heard, told.reacted),
    )  # fmt: skip


def _figures(of: Figures, small: Small) -> tuple[Any, ...]:
    return (
        small.count(of.people), small.count(of.converted), small.of(of.conversion, of.people, of.converted),
        small.of(_money(of.revenue), of.people, of.converted),
        small.of(_money(of.per_person), of.people, of.converted), small.count(of.engaged),
        small.of(of.engagement, of.people, of.engaged),
    )  # fmt: skip


def _money(value: float | None) -> float | None:
    """Sums of hundredths have no more digits than that."""
    return None if value is None else round(value, 6)


def _sections(report: SegmentsReport, small: Small) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    every = report.segments
    yield "runs", [
        (s.segment, p.run, p.at, small.count(p.size), small.count(p.entered), small.count(p.left))
        for s in every for p in s.points
    ]  # fmt: skip
    yield "windows", [
        (s.segment, ago, *_figures(of, small)) for s in every for ago, of in enumerate((s.window, *s.earlier))
        if of is not None
    ]  # fmt: skip
    yield "reach", [
        (s.segment, r.destination, r.channel, small.count(r.members), small.count(r.allowed),
         small.count(r.reachable), {"/".join(k for k in key if k): small.count(n) for key, n in r.reasons.items()})
        for s in every for r in s.reach
    ]  # fmt: skip
    yield "messages", [
        (s.segment, name, small.count(count)) for s in every if s.contacts is not None
        for name, count in s.contacts.messages.items()
    ]  # fmt: skip
    yield "lift", [
        (s.segment, one.experiment, one.metric, one.arm, one.estimate, one.low, one.high, one.p)
        for s in every for one in s.lifts
    ]  # fmt: skip
    yield "overlap", [
        (s.segment, n.segment, small.count(n.both), small.of(n.share, n.both, s.size), small.of(n.jaccard, n.both))
        for s in every for n in s.neighbours
    ]  # fmt: skip
    now = {} if report.lifecycle is None else report.lifecycle.now
    yield "stages", [
        *((s.segment, stage, small.count(n)) for s in every for stage, n in (s.stages or {}).items()),
        *((None, stage, small.count(n)) for stage, n in now.items()),
    ]  # fmt: skip
    moved = {} if report.lifecycle is None else report.lifecycle.moved
    yield "moves", [(old, new, small.count(n)) for (old, new), n in moved.items()]
    yield "cohorts", [
        (c.month, age, small.count(n), small.of(n / c.people, n, c.people),
         small.of(_money(c.revenue[age]), n, c.people) if c.revenue else None)
        for c in (() if report.cohorts is None else report.cohorts.rows) for age, n in enumerate(c.active)
    ]  # fmt: skip
    yield "rfm", [
        (c.recency, c.frequency, small.count(c.people), small.of(_money(c.revenue), c.people))
        for c in report.rfm or ()
    ]  # fmt: skip
