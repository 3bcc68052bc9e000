"""Segments that work against each other: one takes who another gives, two tell the same people, or they take turns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from segctl.operations.health.suspicions import Suspicion
from segctl.operations.segment_report.values import SegmentsReport

if TYPE_CHECKING:
    from segctl.model.project import Definitions
    from segctl.operations.health.record import Record

_DISPLACED, _SAME, _TURNS, _TAKEN = 0.5, 0.8, 2, 0.05
"""Half of the members go to another segment; of all members of either, 80 % are in both; twice forth and twice back;
by 5 % of the smaller segment."""


def fights(
    report: SegmentsReport, definitions: Definitions, record: Record, *, last: int, smallest: int
) -> Iterator[Suspicion]:
    """Whatever two segments do to one another; nothing here is left to chance.

    Args:
        report: Figures of the segments.
        definitions: Where they are sent, and in which order they decide.
        record: Runs on record.
        last: Newest runs that are looked at.
        smallest: Fewer people are nothing to speak of.
    """
    yield from _displaced(report, smallest)
    yield from _same_people(report, definitions, smallest)
    yield from _turns(report, definitions, record, last, smallest)


def _displaced(report: SegmentsReport, smallest: int) -> Iterator[Suspicion]:
    """Most of the members go to a segment before it in a priority list."""
    for one in report.segments:
        worst: dict[str, int] = {}
        for place in one.reach:
            for (step, reason, detail), people in place.reasons.items():
                if step == "priority" and reason == "displaced" and detail is not None:
                    worst[detail] = max(worst.get(detail, 0), people)
        taker = max(worst, key=lambda name: (worst[name], name), default=None)
        if taker is None or not one.size:
            continue
        if worst[taker] >= max(_DISPLACED * one.size, smallest):
            values = {"other": taker, "people": worst[taker], "size": one.size, "share": worst[taker] / one.size}
            yield Suspicion(one.segment, "displaced", values)


def _same_people(report: SegmentsReport, definitions: Definitions, smallest: int) -> Iterator[Suspicion]:
    """Two segments tell nearly the same people over one destination, and no priority list says which."""
    segments, lists = definitions.segments, definitions.project.priority
    for one in report.segments:
        for near in one.neighbours:
            other = segments.get(near.segment)
            if other is None or near.segment < one.segment or near.jaccard < _SAME or near.both < smallest:
                continue
            mine = segments[one.segment]
            common = sorted(set(mine.send_to) & set(other.send_to))
            is_ordered = any({one.segment, near.segment} <= set(each.segments) for each in lists)
            if not common or is_ordered or "draft" in (mine.status, other.status):
                continue
            kind = "opposite" if mine.purpose != other.purpose else "same_people"
            values = {
                "other": near.segment, "people": near.both, "share": near.jaccard, "destination": common[0],
                "purpose": mine.purpose or "-", "other_purpose": other.purpose or "-",
            }  # fmt: skip
            yield Suspicion(one.segment, kind, values)


def _turns(
    report: SegmentsReport, definitions: Definitions, record: Record, last: int, smallest: int
) -> Iterator[Suspicion]:
    """People who go from one segment to another and back, run after run, at one destination."""
    segments = definitions.segments
    sent = {one.segment: set(segments[one.segment].send_to) for one in report.segments}
    pairs = [(a, b) for a, b in combinations(sorted(sent), 2) if sent[a] & sent[b]]
    if not pairs:
        return
    counts = taking_turns(record, sorted({name for pair in pairs for name in pair}), last)
    for first, second in pairs:
        people = counts.get((first, second), 0)
        size = min(len_of(report, name) for name in (first, second))
        if people >= max(_TAKEN * size, smallest):
            destination = min(sent[first] & sent[second])
            yield Suspicion(first, "turns", {"other": second, "people": people, "destination": destination})


def len_of(report: SegmentsReport, name: str) -> int:
    """Members of a segment; 0 before the first run."""
    return report.segment(name).size or 0


def taking_turns(record: Record, names: Sequence[str], last: int) -> Mapping[tuple[str, str], int]:
    """(segment, segment) in order of name → profiles that changed over twice each way in the newest runs."""
    import polars as pl

    from segctl.state.changes import read_changes

    ids = {number: name for number, name in record.ids.items() if name in names}
    starts = {number: record.seen[name][-last:][0].run for number, name in ids.items() if record.seen.get(name)}
    if len(starts) < 2:
        return {}
    newest = max(record.seen[ids[number]][-1].run for number in starts)
    changes = read_changes(record.session.workspace, min(starts.values()), newest, segments=list(starts))
    first = pl.col("segment").replace_strict(starts, return_dtype=pl.Int32, default=0)
    moves = changes.filter(pl.col("run") > first).select("segment", "subject", "run", "entered")
    left = moves.filter(~pl.col("entered")).drop("entered")
    came = moves.filter("entered").drop("entered")
    over = left.join(came, on=["subject", "run"], suffix="_to").filter(pl.col("segment") != pl.col("segment_to"))
    times = over.group_by("segment", "segment_to", "subject").len().filter(pl.col("len") >= _TURNS)
    back = times.rename({"segment": "segment_to", "segment_to": "segment"}).drop("len")
    both = times.join(back, on=["segment", "segment_to", "subject"], how="semi")
    return {
        (ids[a], ids[b]): count
        for a, b, count in both.group_by("segment", "segment_to").len().iter_rows()
        if ids[a] < ids[b]
    }
