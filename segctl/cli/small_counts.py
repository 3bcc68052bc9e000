"""Which counts of few people a report hides, so that no other number of it brings them back.

A count is small when it is of somebody and of fewer people than asked for. A small count that is hidden alone comes
back by subtraction wherever the sum and the other parts are told. So one more part is hidden with it, or the sum; and
the rest that two told numbers leave (members who are not in the other segment, people who did not buy) is a count too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import date

    from segctl.operations.segment_report.values import (
        Contacts,
        Figures,
        Lifecycle,
        Neighbour,
        Reach,
        SegmentFigures,
        SegmentsReport,
        Stage,
    )

    Move = tuple[Stage | None, Stage]


Part = TypeVar("Part")


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

    # --- Sums -------------------------------------------------------------------------------------------------
    def among(self, parts: Mapping[Part, int], also: Collection[Part] = ()) -> frozenset[Part]:
        """Keys of the parts of a sum that is told which must be hidden together, those of `also` among them.

        At least two, so that none is what the others leave; together no small count themselves, and not all 1.

        >>> sorted(Small(5).among({"new": 3, "active": 40, "lost": 9}))
        ['lost', 'new']
        """
        hidden = [key for key, people in parts.items() if self.hides(people) or key in also]
        others = sorted((key for key in parts if key not in hidden), key=lambda key: (not parts[key], parts[key]))
        while hidden and others and not self._covers([parts[key] for key in hidden]):
            hidden.append(others.pop(0))
        return frozenset(hidden)

    def _covers(self, hidden: Sequence[int]) -> bool:
        return len(hidden) > 1 and sum(hidden) >= self.least and sum(hidden) > len(hidden)

    # --- Segments ---------------------------------------------------------------------------------------------
    def moves(self, one: SegmentFigures) -> bool:
        """Whether entries and exits are hidden: one brings the other back, and sizes by what they moved from or to."""
        sizes = [one.size, *(point.size for point in one.points)]
        return self.hides(one.entered, one.left, *sizes)

    def moves_by_run(self, one: SegmentFigures) -> bool:
        """Whether those of single runs are; what all runs together moved would leave that of a single hidden one."""
        return self.moves(one) or any(self.hides(point.entered, point.left) for point in one.points[1:])

    def converted(self, of: Figures, everybody: Figures | None = None) -> bool:
        """Whether who converted is hidden, or who did not, or who did so of everybody else."""
        return self._did(of, of.converted, everybody, None if everybody is None else everybody.converted)

    def engaged(self, of: Figures, everybody: Figures | None = None) -> bool:
        """Likewise of who reacted."""
        return self._did(of, of.engaged, everybody, None if everybody is None else everybody.engaged)

    def _did(self, of: Figures, did: int | None, everybody: Figures | None, all_did: int | None) -> bool:
        outside = None if everybody is None else everybody.people - of.people
        return self.hides(of.people, did, _rest(of.people, did), outside, _rest(all_did, did))

    def reached(self, place: Reach) -> bool:
        """Whether it is hidden how many of the members a destination reaches."""
        steps = (place.members, place.allowed, place.reachable)
        return self.hides(*steps, place.members - place.allowed, place.allowed - place.reachable)

    def reasons(self, place: Reach) -> frozenset[tuple[str, str, str | None]]:
        """Reasons that are hidden; the sum of all is what was not reached."""
        return frozenset(place.reasons) if self.reached(place) else self.among(place.reasons)

    def reacted(self, told: Contacts) -> bool:
        """Whether who reacted is hidden, or who did not."""
        rests = (_rest(told.heard, told.reacted), told.people - told.heard)
        return self.hides(told.people, told.reacted, told.heard, *rests)

    def costs(self, told: Contacts) -> bool:
        """Whether the cost is hidden, which is so much for each message."""
        return self.hides(told.people, *told.messages.values())

    def overlap(self, one: SegmentFigures, near: Neighbour, other: SegmentFigures | None) -> bool:
        """Whether members in common are hidden, or those who are in one of the two alone."""
        sizes = (one.size, None if other is None else other.size)
        return self.hides(near.both, *sizes, *(_rest(size, near.both) for size in sizes))

    def stages(self, one: SegmentFigures, cycle: Lifecycle | None = None) -> frozenset[str]:
        """Stages that are hidden; all members together are known, who has not bought by what the stages leave of them.

        Of everybody's stages those of the members leave other people, who may be few.
        """
        parts: dict[str, int] = dict((one.stages or {}).items())
        if self.hides(one.size):
            return frozenset(parts)
        whole: dict[str, int] = {} if cycle is None else {"never": cycle.never, **dict(cycle.now.items())}
        parts |= {} if one.size is None or not parts else {"never": max(one.size - sum(parts.values()), 0)}
        few = [stage for stage, people in parts.items() if self.hides(max(whole.get(stage, 0) - people, 0))]
        return self.among(parts, few)


def _rest(whole: int | None, part: int | None) -> int | None:
    return None if whole is None or part is None else whole - part


@dataclass(frozen=True, slots=True)
class SmallReport:
    """What of a whole report on segments is hidden beyond its small counts.

    Attributes:
        now: Stages, and ``never`` for those who have not bought.
        moved: Moves (stage before, stage now); those of a hidden stage all are.
        months: Of cohorts.
        cells: (recency, frequency) of the grid.
    """

    now: frozenset[str]
    moved: frozenset[Move]
    months: frozenset[date]
    cells: frozenset[tuple[int, int]]


def of_report(report: SegmentsReport, small: Small) -> SmallReport:
    """What is hidden of the parts that all buyers together are made of."""
    cycle, cohorts = report.lifecycle, report.cohorts
    stages: dict[str, int] = {} if cycle is None else {"never": cycle.never, **dict(cycle.now.items())}
    months = {} if cohorts is None else {one.month: one.people for one in cohorts.rows}
    cells = {(one.recency, one.frequency): one.people for one in report.rfm or ()}
    now = small.among(stages)
    moved: frozenset[Move] = frozenset() if cycle is None else _moved(cycle, small, now)
    return SmallReport(now, moved, small.among(months), small.among(cells))


def _moved(cycle: Lifecycle, small: Small, now: frozenset[str]) -> frozenset[Move]:
    hidden: set[Move] = set()
    stages: dict[Stage, dict[Move, int]] = {}
    for key, people in cycle.moved.items():
        stages.setdefault(key[1], {})[key] = people
    for stage, parts in stages.items():
        hidden |= set(parts) if stage in now else small.among(parts)
    return frozenset(hidden)
