"""A report on segments as rows for machines: JSON with a section a table, CSV with every number on a row of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from segctl.cli.results import Column, Result, Section
from segctl.cli.small_segments import EVERYBODY, SmallSegments, small_segments

if TYPE_CHECKING:
    from segctl.operations.segment_report.values import (
        Cohort,
        Contacts,
        Figures,
        Reach,
        SegmentFigures,
        SegmentsReport,
    )

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


def result(report: SegmentsReport, *, least: int = 0) -> Result:
    """The report as data; `least` as in `small_segments`."""
    small = small_segments(report, least)
    parts = dict(_sections(report, small))
    facts = {
        "as_of": report.as_of,
        "since": report.since,
        "window_days": report.window.total_seconds() / 86_400,
        "declared": list(report.declared),
        "unit": report.unit,
        "profiles": None if small.profiles() else report.profiles,
        "everybody": None if report.everybody is None else dict(
            zip((one.name for one in _FIGURES), _figures(report.everybody, small, EVERYBODY, 0), strict=True)
        ),
        "lifecycle": None if report.lifecycle is None else {
            "active_days": report.lifecycle.active_days, "lost_days": report.lifecycle.lost_days,
            "source": report.lifecycle.source,
            "never": None if small.never() else report.lifecycle.never,
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


def _segment(one: SegmentFigures, small: SmallSegments) -> tuple[Any, ...]:
    beside, name = one.alike, one.segment
    figures = (None,) * len(_FIGURES) if one.window is None else _figures(one.window, small, name, 0)
    rate = None if beside is None or beside.conversion_of_others is None else beside.conversion_of_others.value
    each = None if beside is None or beside.per_person_of_others is None else beside.per_person_of_others.value
    is_alone = beside is not None and small.others(name, beside)
    moves, by_run = small.moves(name), small.by_run(one)
    size = (None, None) if small.size(name) else (one.size, one.share)
    return (
        name, one.title, *size, None if moves else one.entered, None if moves else one.left,
        None if by_run else one.per_run, None if by_run else one.per_day, one.basis, one.is_same_rule, *figures,
        None if is_alone else rate, None if is_alone else each,
        *((None,) * 5 if one.contacts is None else _told(one, one.contacts, small)),
    )  # fmt: skip


def _told(one: SegmentFigures, told: Contacts, small: SmallSegments) -> tuple[Any, ...]:
    is_hidden = small.reacted(one.segment)
    return (
        None if small.told(one.segment) else told.people, None if is_hidden else told.reacted,
        None if small.costs(one) else told.cost, None if is_hidden else told.heard,
        None if is_hidden else told.reaction,
    )  # fmt: skip


def _figures(of: Figures, small: SmallSegments, segment: str, ago: int) -> tuple[Any, ...]:
    bought, reacted = small.converted(segment, ago), small.engaged(segment, ago)
    return (
        None if small.people(segment, ago) else of.people, None if bought else of.converted,
        None if bought else of.conversion, None if bought else _money(of.revenue),
        None if bought else _money(of.per_person), None if reacted else of.engaged,
        None if reacted else of.engagement,
    )  # fmt: skip


def _money(value: float | None) -> float | None:
    """Sums of hundredths have no more digits than that."""
    return None if value is None else round(value, 6)


def _sections(report: SegmentsReport, small: SmallSegments) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    every = report.segments
    yield "runs", [row for s in every for row in _runs(s, small)]
    yield "windows", [
        (s.segment, ago, *_figures(of, small, s.segment, ago))
        for s in every for ago, of in enumerate((s.window, *s.earlier)) if of is not None
    ]  # fmt: skip
    yield "reach", [(s.segment, *_reach(s.segment, r, small)) for s in every for r in s.reach]
    yield "messages", [
        (s.segment, name, None if small.messages(s.segment, name) else count)
        for s in every if s.contacts is not None for name, count in s.contacts.messages.items()
    ]  # fmt: skip
    yield "lift", [
        (s.segment, one.experiment, one.metric, one.arm,
         *((None,) * 4 if small.hides(*one.counts) else (one.estimate, one.low, one.high, one.p)))
        for s in every for one in s.lifts
    ]  # fmt: skip
    yield "overlap", [row for s in every for row in _overlap(s, small)]
    now = {} if report.lifecycle is None else report.lifecycle.now
    yield "stages", [
        *((s.segment, stage, None if small.stage(s.segment, stage) else n) for s in every
          for stage, n in (s.stages or {}).items()),
        *((None, stage, None if small.now(stage) else n) for stage, n in now.items()),
    ]  # fmt: skip
    moved = {} if report.lifecycle is None else report.lifecycle.moved
    yield "moves", [(*key, None if small.moved(key) else n) for key, n in moved.items()]
    yield "cohorts", [
        row for c in (() if report.cohorts is None else report.cohorts.rows) for row in _cohort(c, small)
    ]  # fmt: skip
    yield "rfm", [
        (c.recency, c.frequency,
         *((None, None) if small.cell(c.recency, c.frequency) else (c.people, _money(c.revenue))))
        for c in report.rfm or ()
    ]  # fmt: skip


def _runs(one: SegmentFigures, small: SmallSegments) -> Iterator[tuple[Any, ...]]:
    for point in one.points:
        size = None if small.point(one.segment, point.run) else point.size
        moves = (None, None) if small.moves(one.segment, point.run) else (point.entered, point.left)
        yield one.segment, point.run, point.at, size, *moves


def _reach(segment: str, place: Reach, small: SmallSegments) -> tuple[Any, ...]:
    reasons = {
        "/".join(k for k in key if k): None if small.reason(segment, place, key) else n
        for key, n in place.reasons.items()
    }
    members = None if small.members(segment, place) else place.members
    counts = (None, None) if small.reached(segment, place) else (place.allowed, place.reachable)
    return place.destination, place.channel, members, *counts, reasons


def _overlap(one: SegmentFigures, small: SmallSegments) -> Iterator[tuple[Any, ...]]:
    for near in one.neighbours:
        is_hidden = small.both(one.segment, near.segment)
        yield one.segment, near.segment, *((None,) * 3 if is_hidden else (near.both, near.share, near.jaccard))


def _cohort(of: Cohort, small: SmallSegments) -> Iterator[tuple[Any, ...]]:
    for age, people in enumerate(of.active):
        if small.active(of.month, age):
            yield of.month, age, None, None, None
        else:
            yield of.month, age, people, people / of.people, _money(of.revenue[age]) if of.revenue else None
