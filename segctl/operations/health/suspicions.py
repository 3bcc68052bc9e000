"""What may be wrong with segments, by what their members do: numbers, and how likely chance alone shows as much.

A suspicion becomes a finding when it survives Benjamini and Hochberg over all that were looked into, so that a project
in which nothing is wrong stays silent however many segments it has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from math import log, sqrt
from typing import TYPE_CHECKING, Any

from segctl.model.dataclass import dataclass
from segctl.operations.segment_report.values import SegmentFigures, SegmentsReport

if TYPE_CHECKING:
    from segctl.operations.health.measures import Seen
    from segctl.operations.segment_report.alike import Estimate

MARGIN = 0.1
"""Members that do less than 10 % more than others of the same stage do not pay; 10 % either way is alike."""
REACTION = 0.8
"""Members that react less than 80 % as often as others who were told do not react."""
FALSE_SHARE = 0.05
"""Of all findings, at most this share is expected to be by chance."""
FEWEST_PEOPLE, FEWEST_EVENTS, FEWEST_WEEKS = 200, 10, 6
_MOST_OF_ALL, _HALF = 0.9, 0.5
_SHRUNK = 0.3
_LASTING = 3
"""Runs in which a segment is too small, one after another."""


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Something that may be wrong.

    Attributes:
        kind: Machine word, such as ``not_paying``.
        values: Numbers behind it.
        p: That chance alone shows as much; None where nothing is left to chance.
        matters: False where chance is out but the change is too small to speak of; it counts among those looked into.
    """

    segment: str
    kind: str
    values: Mapping[str, Any]
    p: float | None = None
    matters: bool = True


def suspicions(
    report: SegmentsReport,
    seen: Mapping[str, Sequence[Seen]],
    *,
    sent: frozenset[str],
    smallest: int,
) -> Iterator[Suspicion]:
    """Everything that was looked into, whether it turns out or not.

    Args:
        report: Figures of the segments.
        seen: Segment → its runs in force, oldest first.
        sent: Segments that go to a destination; of others nobody expects that they pay, or that somebody reacts.
        smallest: Members below which a segment is too small.
    """
    for one in report.segments:
        runs = seen.get(one.segment, ())
        yield from _dying(one.segment, runs)
        if one.segment not in sent or one.size is None:
            continue
        yield from _size(one, runs, smallest)
        yield from _value(one)
        yield from _measured(one)
        yield from _reaction(one)


def found(looked_into: Sequence[Suspicion]) -> tuple[Suspicion, ...]:
    """Those that chance does not explain, with the adjusted probability."""
    from segctl.stats.multiplicity import benjamini_hochberg

    adjusted = benjamini_hochberg([one.p for one in looked_into])
    return tuple(
        Suspicion(one.segment, one.kind, one.values, p)
        for one, p in zip(looked_into, adjusted, strict=True)
        if one.matters and (p is None or p <= FALSE_SHARE)
    )


# --- Size -------------------------------------------------------------------------------------------------
def _size(one: SegmentFigures, runs: Sequence[Seen], smallest: int) -> Iterator[Suspicion]:
    newest = [run.size for run in runs[-_LASTING:]]
    if len(newest) == _LASTING and all(0 < size < smallest for size in newest):
        yield Suspicion(one.segment, "too_small", {"size": one.size, "smallest": smallest, "runs": len(newest)})
    if one.share is not None and one.share >= _MOST_OF_ALL:
        yield Suspicion(one.segment, "too_broad", {"size": one.size, "share": one.share})


def _dying(name: str, runs: Sequence[Seen]) -> Iterator[Suspicion]:
    """Weekly growth over the time that the rule has been the same, by Student's t.

    Growth of one week is not that of another, so neither a wave nor a walk at random looks like a trend, as it would if
    a line were drawn through the sizes.
    """
    from segctl.stats.special import t_p

    same = [run for run in runs if run.digest == runs[-1].digest]
    weeks = _weekly(same)
    if len(weeks) < FEWEST_WEEKS + 1 or weeks[0][1] < FEWEST_PEOPLE:
        return
    # Over a gap of several weeks there is one growth of them all: it says as much of their mean, and less of a spread.
    growth = [(after[0] - before[0], log((after[1] + 1) / (before[1] + 1))) for before, after in pairwise(weeks)]
    count, length = len(growth), sum(gap for gap, _ in growth)
    mean = sum(change for _, change in growth) / length
    spread = sqrt(sum(gap * (change / gap - mean) ** 2 for gap, change in growth) / (count - 1))
    (_, first), (_, last) = weeks[0], weeks[-1]
    # Sizes that shrink by the very same share each week have no spread; counting alone has some.
    error = max(spread, 1 / sqrt(last + 1)) / sqrt(length)
    two_sided = t_p(mean / error, count - 1)
    shrunk = 1 - last / first
    values = {"before": first, "after": last, "shrunk": shrunk, "weeks": length, "per_week": mean}
    p = two_sided / 2 if mean < 0 else 1 - two_sided / 2
    yield Suspicion(name, "dying", values, p, matters=shrunk >= _SHRUNK)


def _weekly(runs: Sequence[Seen]) -> list[tuple[int, int]]:
    """Week and last size in it, of seven days each, counted back from the newest run; only weeks that have a run."""
    if not runs:
        return []
    last: dict[int, int] = {}
    for run in runs:
        last[(runs[-1].day - run.day).days // 7] = run.size
    return [(-week, last[week]) for week in sorted(last, reverse=True)]


# --- Value ------------------------------------------------------------------------------------------------
def _value(one: SegmentFigures) -> Iterator[Suspicion]:
    beside = one.alike
    if one.basis != "after" or not one.is_same_rule or beside is None or beside.people < FEWEST_PEOPLE:
        return
    pairs = [(beside.conversion, beside.conversion_of_others), (beside.per_person, beside.per_person_of_others)]
    known = [(mine, others) for mine, others in pairs if mine is not None and others is not None]
    expected = 0.0 if beside.conversion_of_others is None else beside.conversion_of_others.value * beside.people
    if not known or expected < FEWEST_EVENTS:
        return
    values = {
        "people": beside.people,
        "others": beside.others,
        "rate": None if beside.conversion is None else beside.conversion.value,
        "rate_of_others": None if beside.conversion_of_others is None else beside.conversion_of_others.value,
        "per_person": None if beside.per_person is None else beside.per_person.value,
        "per_person_of_others": None if beside.per_person_of_others is None else beside.per_person_of_others.value,
    }
    # Both must be ruled out, so the weaker of the two decides; what an experiment has shown counts for more.
    below = max(_p_below(mine, others, 1 + MARGIN) for mine, others in known)
    if not any(lift.is_won for lift in one.lifts):
        yield Suspicion(one.segment, "not_paying", values, below)
    share = one.share or 0.0
    if _HALF <= share < _MOST_OF_ALL and beside.conversion is not None and beside.conversion_of_others is not None:
        mine, others = beside.conversion, beside.conversion_of_others
        alike = max(_p_below(mine, others, 1 + MARGIN), _p_above(mine, others, 1 - MARGIN))
        yield Suspicion(one.segment, "like_everybody", values | {"share": share}, alike)


def _measured(one: SegmentFigures) -> Iterator[Suspicion]:
    """An experiment has shown that an arm does harm; its own report has corrected for chance."""
    for lift in one.lifts:
        if lift.is_lost:
            values = {"experiment": lift.experiment, "lift": lift.estimate, "low": lift.low, "high": lift.high}
            if None not in values.values():
                yield Suspicion(one.segment, "lift_negative", values)


def _reaction(one: SegmentFigures) -> Iterator[Suspicion]:
    from segctl.operations.segment_report.alike import Estimate

    told = one.contacts
    if told is None or told.reacted is None or told.heard < FEWEST_PEOPLE:
        return
    people, reacted = told.others, told.others_reacted
    if people < FEWEST_PEOPLE or reacted / people * told.heard < FEWEST_EVENTS:
        return
    mine = Estimate(told.reacted / told.heard, _rate_se(told.reacted, told.heard))
    beside = Estimate(reacted / people, _rate_se(reacted, people))
    values = {"people": told.heard, "reacted": told.reacted, "rate": mine.value, "rate_of_others": beside.value}
    yield Suspicion(one.segment, "no_reaction", values, _p_below(mine, beside, REACTION))


def _rate_se(events: int, people: int) -> float:
    shrunk = (events + 1) / (people + 2)
    return sqrt(shrunk * (1 - shrunk) / people)


def _p_below(mine: Estimate, others: Estimate, ratio: float) -> float:
    """One-sided p of "members do at least `ratio` times what others do": small when they clearly do less."""
    from segctl.stats.special import normal_sf

    error = sqrt(mine.se**2 + (ratio * others.se) ** 2)
    return normal_sf((ratio * others.value - mine.value) / error) if error else 1.0


def _p_above(mine: Estimate, others: Estimate, ratio: float) -> float:
    from segctl.stats.special import normal_sf

    error = sqrt(mine.se**2 + (ratio * others.se) ** 2)
    return normal_sf((mine.value - ratio * others.value) / error) if error else 1.0
