"""Events on both sides of the bounds of event conditions and sequences, for proposed tests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from segctl.compile.boundaries import Clock, Written, around, fitting, instants
from segctl.compile.boundary_times import fits_time, fitting_time, local_part
from segctl.compile.mutate_leaves import measure_type, property_type
from segctl.compile.windows import span
from segctl.compile.zones import DAY, SECOND, shifted
from segctl.model import conditions as c
from segctl.model.project import Definitions
from segctl.model.times import Duration
from segctl.model.types import INTEGER, Kind, ValueType

Event = dict[str, Written]
Events = dict[str, list[Event]]
"""Kind to its events, each with `at`."""
Candidate = tuple[str, Events]
_HOUR = 3600 * SECOND


def event_candidates(
    selection: c.EventSelection,
    measure: c.Measure,
    test: c.Test,
    definitions: Definitions,
    clock: Clock,
    *,
    base: int,
    same: Sequence[str] = (),
) -> Iterator[Candidate]:
    """Lists of events around each bound of a measure over selected events.

    Args:
        selection: Which events.
        measure: What of them.
        test: The operator on it.
        definitions: Where types are.
        clock: The case's instant.
        base: Where events lie that need no particular time.
        same: Properties that surrounding leaves share.
    """
    plain = template(selection.events[0], selection.where, definitions, clock)
    plain |= {name: plain.get(name) or "x1" for name in same}
    make = _Maker(selection, measure, test, definitions, clock, base, plain)
    yield "no_events", {}
    yield from make.counted()
    yield from make.valued()
    yield from make.timed()
    yield from make.filtered()
    for name in same:
        number = make.enough
        yield (
            f"different_{name}",
            make.at([base - n * _HOUR for n in range(number)], [{name: f"x{n}"} for n in range(number)]),
        )


class _Maker:
    """Makes lists of events for one condition."""

    def __init__(
        self,
        selection: c.EventSelection,
        measure: c.Measure,
        test: c.Test,
        definitions: Definitions,
        clock: Clock,
        base: int,
        plain: Event,
    ) -> None:
        self.selection, self.measure, self.test = selection, measure, test
        self.definitions, self.clock, self.plain = definitions, clock, plain
        kinds = list(definitions.project.events) if selection.events == ("*",) else []
        self.kinds = tuple(kind.name for kind in kinds) or selection.events
        self.base = fitting_time(selection.where, self._latest(base), clock)
        self.enough = self._enough()

    def _latest(self, base: int) -> int:
        """The base; the end of the window, where the local time decides, so that there is room before it."""
        if not any(entry.property.startswith("time.") for entry in self.selection.where):
            return base
        window = self.selection.window
        inside = None if window is None else span(window, self.clock.as_of, self.clock.zone, clip=True)
        return base if inside is None or inside.hi is None else inside.hi // SECOND * SECOND

    def _enough(self) -> int:
        """How many events the measure needs to pass, where that is a count."""
        wanted = 1
        is_distinct = isinstance(self.measure, c.Aggregate) and self.measure.function == "distinct"
        if (is_distinct or isinstance(self.measure, c.Count | c.Periods)) and isinstance(self.test, c.ValueTest):
            found = fitting(self.test, INTEGER, self.clock)
            wanted = found if isinstance(found, int) and not isinstance(found, bool) else 1
        if isinstance(self.measure, c.Gap):
            wanted = 2
        return min(max(wanted, 1), 40)

    def passing(self, number: int) -> Event:
        """The measured property with a value that passes, of the event of that number."""
        if not isinstance(self.measure, c.Aggregate | c.EdgeValue | c.MostFrequent) or self.measure.path:
            return {}
        name = self.measure.of
        if isinstance(self.measure, c.Aggregate) and self.measure.function == "distinct":
            return {name: f"x{number}"}
        of = property_type(c.PropertyTest(name, self.test), self.kinds, self.definitions)
        return {name: fitting(self.test, of, self.clock)}

    def at(self, times: Sequence[int], changes: Sequence[Event] = (), *, kind: str | None = None) -> Events:
        """Events of the template at some instants, each with changes of its own."""
        found: list[Event] = []
        for number, us in enumerate(times):
            change = {**self.passing(number), **(changes[number] if number < len(changes) else {})}
            found.append(
                {"at": self.clock.text(us), **{k: v for k, v in {**self.plain, **change}.items() if v is not None}}
            )
        return self._followed({kind or self.kinds[0]: found}, times)

    def _followed(self, events: Events, times: Sequence[int]) -> Events:
        """With followers, where the measure counts only events that another one follows."""
        if not isinstance(self.measure, c.Count) or self.measure.followed_by is None:
            return events
        followed = self.measure.followed_by
        follower = template(followed.events[0], followed.where, self.definitions, self.clock)
        ties = {name: f"tie{n}" for n in range(1) for name in followed.same}
        result = {kind: list(listed) for kind, listed in events.items()}
        for n, us in enumerate(times):
            tie = {name: f"{value}_{n}" for name, value in ties.items()}
            for listed in events.values():
                if n < len(listed):
                    listed[n] |= tie
            result.setdefault(followed.events[0], []).append({"at": self.clock.text(us + _HOUR), **follower, **tie})
        return result

    def spaced(self, number: int) -> list[int]:
        """Instants of so many events, a period apart for periods, else an hour, the newest at the base."""
        apart = {"days": DAY, "weeks": 7 * DAY, "months": 31 * DAY, "years": 366 * DAY}
        step = apart[self.measure.unit] if isinstance(self.measure, c.Periods) else _HOUR
        return [self.base - n * step for n in range(number)]

    def counted(self) -> Iterator[Candidate]:
        """One event fewer than needed, just enough, one more; all at one instant."""
        for number in sorted({max(self.enough - 1, 1), self.enough, self.enough + 1, 1, 2}):
            yield f"{number}_event{'s' if number > 1 else ''}", self.at(self.spaced(number))
        yield "at_one_instant", self.at([self.base] * max(self.enough, 2))
        for kind in self.kinds[1:5]:
            yield f"as_{kind}", self.at(self.spaced(self.enough), kind=kind)

    def timed(self) -> Iterator[Candidate]:
        """The oldest needed event at each bound of the window; the tested time at each bound; one in the future."""
        windows = [self.selection.window, self.test if isinstance(self.measure, c.EdgeTime) else None]
        rest = self.spaced(self.enough)[: self.enough - 1]
        for number, window in enumerate(windows):
            if window is None or isinstance(window, c.ValueTest):
                continue
            for label, us in instants(window, self.clock):
                yield f"{'tested_' if number else ''}{label}", self.at([*rest, us])
        long_ago = self.clock.now - 800 * DAY
        yield "long_ago_too", self.at([*self.spaced(self.enough), long_ago])
        yield "only_long_ago", self.at([long_ago - n * _HOUR for n in range(self.enough)])
        yield "in_the_future", self.at([*rest, self.clock.now + DAY])
        if isinstance(self.measure, c.Gap):
            yield from self._gaps()
        if isinstance(self.measure, c.Count) and self.measure.followed_by is not None:
            yield from self._followers(self.measure.followed_by)

    def _gaps(self) -> Iterator[Candidate]:
        operands = self.test.operands if isinstance(self.test, c.ValueTest) else ()
        for operand in operands:
            if isinstance(operand, Duration):
                for step in (-SECOND, 0, SECOND):
                    gap = self.base - shifted(self.base, operand, -1, self.clock.zone) + step
                    label = {-SECOND: "less_1s", 0: "exact", SECOND: "plus_1s"}[step]
                    yield f"gap_{label}", self.at([self.base, self.base - gap])
                    yield f"gaps_{label}_and_short", self.at([self.base, self.base - gap, self.base - gap - _HOUR])

    def _followers(self, followed: c.FollowedBy) -> Iterator[Candidate]:
        """One event's follower at the end of its time, of another tie, absent."""
        times = self.spaced(self.enough)
        whole = self.at(times)
        kind = followed.events[0]

        def with_last(change: Event | None) -> Events:
            listed = whole[kind]
            return {**whole, kind: [*listed[:-1], *([] if change is None else [{**listed[-1], **change}])]}

        yield "not_followed", with_last(None)
        yield "followed_before", with_last({"at": self.clock.text(times[-1] - _HOUR)})
        if followed.within is not None:
            end = shifted(times[-1], followed.within, 1, self.clock.zone)
            for label, us in (("end", end), ("end_less_1s", end - SECOND), ("end_plus_1s", end + SECOND)):
                yield f"followed_at_{label}", with_last({"at": self.clock.text(us)})
            yield "followed_late", with_last({"at": self.clock.text(end + DAY // 2)})
        for name in followed.same:
            yield f"followed_by_other_{name}", with_last({name: "another"})
        for entry in followed.where:
            of = property_type(entry, followed.events, self.definitions)
            for label, value in around(entry.test, of, self.clock):
                yield f"follower_{entry.property}_{label}", with_last({entry.property: value})

    def valued(self) -> Iterator[Candidate]:
        """Values of the measured property around the bound: on one event, and shared by two."""
        if not isinstance(self.measure, c.Aggregate | c.EdgeValue | c.MostFrequent) or self.measure.path:
            if isinstance(self.measure, c.Share):
                yield from self._shares(self.measure)
            return
        name = self.measure.of
        of = measure_type(self.measure, self.kinds, self.definitions)
        declared = property_type(c.PropertyTest(name, self.test), self.kinds, self.definitions)
        if isinstance(self.measure, c.Aggregate) and self.measure.function == "distinct":
            yield from self._distinct(name)
            return
        values = list(around(self.test, of if of.kind is not Kind.REAL else declared, self.clock))
        for label, value in values:
            yield f"value_{label}", self.at([self.base], [{name: value}])
        yield from self._two_values(name, [value for _, value in values if value is not None])

    def _two_values(self, name: str, values: list[Written]) -> Iterator[Candidate]:
        """Two events whose order and sum matter."""
        times = [self.base, self.base - _HOUR]
        if len(values) > 1:
            yield "newer_first_value", self.at(times, [{name: values[0]}, {name: values[-1]}])
            yield "newer_other_value", self.at(times, [{name: values[-1]}, {name: values[0]}])
            three = [self.base, self.base - _HOUR, self.base - 2 * _HOUR]
            yield "twice_and_once", self.at(three, [{name: values[-1]}, {name: values[0]}, {name: values[0]}])
            yield "once_and_twice", self.at(three, [{name: values[0]}, {name: values[-1]}, {name: values[-1]}])
            yield (
                "one_of_each",
                self.at(times, [{name: values[0]}, {name: "another_value"}])
                if isinstance(values[0], str)
                else self.at(times, [{name: values[0]}, {name: values[0]}]),
            )
        if values and isinstance(values[0], int | Decimal) and not isinstance(values[0], bool):
            half = values[0] // 2 if isinstance(values[0], int) else (values[0] / 2).quantize(Decimal("0.01"))
            parts: list[Event] = [{name: half}, {name: values[0] - half}]
            yield "value_in_two_parts", self.at(times, parts)

    def _distinct(self, name: str) -> Iterator[Candidate]:
        bound = fitting(self.test, INTEGER, self.clock)
        number = bound if isinstance(bound, int) else 1
        for many in sorted({max(number - 1, 1), number, number + 1}):
            times = [self.base - n * _HOUR for n in range(many)]
            yield f"{many}_different", self.at(times, [{name: f"x{n}"} for n in range(many)])
        times = [self.base - n * _HOUR for n in range(number + 1)]
        yield "twice_the_same", self.at(times, [{name: "x1"} for _ in times])

    def _shares(self, measure: c.Share) -> Iterator[Candidate]:
        """So many of some events fit, on both sides of the bound."""
        if any(entry.property.startswith("time.") for entry in measure.where):
            yield from self._shares_of_times(measure)
            return
        fit = template(self.kinds[0], measure.where, self.definitions, self.clock)
        names = {entry.property for entry in measure.where}
        bound = fitting(self.test, ValueType(Kind.REAL), self.clock)
        share = float(bound) if isinstance(bound, int | Decimal) else 0.5
        for many in (2, 10, 100 if 0.005 < share < 0.995 else 10):
            for step in (-1, 0, 1):
                good = round(share * many) + step
                if 0 <= good <= many:
                    changes: list[Event] = [fit if n < good else dict.fromkeys(names) for n in range(many)]
                    yield f"{good}_of_{many}", self.at([self.base - n * _HOUR for n in range(many)], changes)

    def _shares_of_times(self, measure: c.Share) -> Iterator[Candidate]:
        """The same, where the local time of an event decides whether it fits."""
        bound = fitting(self.test, ValueType(Kind.REAL), self.clock)
        share = float(bound) if isinstance(bound, int | Decimal) else 0.5
        days = [self.base - n * DAY for n in range(400)]
        fit = [us for us in days if fits_time(measure.where, us, self.clock)]
        others = [us for us in days if not fits_time(measure.where, us, self.clock)]
        for many in (2, 3, 5, 10):
            for good in sorted({round(share * many) + step for step in (-1, 0, 1)}):
                if 0 <= good <= many and len(fit) >= good and len(others) >= many - good:
                    yield f"{good}_of_{many}", self.at([*fit[:good], *others[: many - good]])
        kinds: dict[object, int] = {}
        for us in fit:
            kinds.setdefault(tuple(local_part(entry, us, self.clock) for entry in measure.where), us)
        for number, us in enumerate(kinds.values()):
            yield f"all_at_local_time_{number + 1}", self.at([us - n * 60 * SECOND for n in range(5)])

    def filtered(self) -> Iterator[Candidate]:
        """Each entry of `where` at its bounds on one event, the others as they should be."""
        times = self.spaced(self.enough)
        wheres = [*self.selection.where, *(self.measure.where if isinstance(self.measure, c.Share) else ())]
        for entry in wheres:
            if entry.property.startswith("time.") or entry.path:
                continue
            of = property_type(entry, self.kinds, self.definitions)
            for label, value in around(entry.test, of, self.clock):
                changes: list[Event] = [{entry.property: value}, *({} for _ in times[1:])]
                yield f"{entry.property}_{label}", self.at(times, changes)
        if self.selection.latest is not None and isinstance(self.measure, c.Count) and self.measure.followed_by:
            yield from self._newest(self.selection.latest, self.measure.followed_by)
        elif self.selection.latest is not None:
            older = [self.base - (n + 1) * DAY for n in range(self.selection.latest)]
            for entry in self.selection.where[:1]:
                yield f"newest_{entry.property}", self.at([self.base, *older])
            yield "more_than_the_newest", self.at([self.base, *older, older[-1] - DAY])

    def _newest(self, latest: int, followed: c.FollowedBy) -> Iterator[Candidate]:
        """Followers of the oldest that still count, and of those that do not."""
        times = [self.base - n * DAY for n in range(latest + 2)]
        for many in (latest - 1, latest, latest + 1, latest + 2):
            whole = self.at(times[:many])
            for label, first in (("oldest", many - self.enough), ("newest", 0)):
                some = whole[followed.events[0]][first : first + self.enough]
                yield f"{label}_of_{many}_followed", {**whole, followed.events[0]: some}


def template(kind: str, where: Sequence[c.PropertyTest], definitions: Definitions, clock: Clock) -> Event:
    """Properties with which an event passes a filter."""
    found: Event = {}
    for entry in where:
        if entry.property.startswith("time.") or entry.path:
            continue
        of = property_type(entry, (kind,), definitions)
        found[entry.property] = fitting(entry.test, of, clock)
    return {name: value for name, value in found.items() if value is not None}
