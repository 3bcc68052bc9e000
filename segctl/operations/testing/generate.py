"""Boundary cases of one segment, proposed: for each leaf, worlds on both sides of its bounds in which it decides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import field, replace
from datetime import UTC, datetime
from itertools import islice, product

from segctl.compile.boundaries import Clock, middle
from segctl.compile.boundary_leaves import leaf_candidates
from segctl.compile.boundary_specs import Ground, Spec
from segctl.compile.lower import leaves_of
from segctl.compile.words import describe
from segctl.compile.zones import DAY, from_us, offset_at, to_us
from segctl.model import conditions as c
from segctl.model.dataclass import dataclass
from segctl.model.errors import UsageError
from segctl.model.project import Definitions
from segctl.model.times import Window
from segctl.operations.lists import ProjectLists
from segctl.operations.testing.populations import population_cases, ranked_at_all
from segctl.operations.testing.proposals import Answers, Proposal, answers_of, noticed_by
from segctl.operations.testing.segments import usual_as_of

MOST_CONTEXTS, MOST_ALTERNATIVES, MOST_SAMPLES, MOST_PROFILES = 24, 4, 6, 16


@dataclass(slots=True)
class _Search:
    """One segment's leaves with what can be given for each.

    Attributes:
        leaves: In reading order.
        ties: For each leaf the properties that the surrounding `all` ties.
        candidates: For each leaf its labelled specs, by the instant where events lie.
        truths: For each leaf and candidate, in the same order, what the leaf says of it alone.
    """

    definition: c.SegmentDefinition
    ground: Ground
    lists: ProjectLists
    leaves: list[tuple[str, c.Condition]]
    ties: list[tuple[str, ...]]
    candidates: list[list[tuple[int, str, Spec]]] = field(default_factory=list)
    truths: list[list[bool | None]] = field(default_factory=list)


def propose_cases(name: str, definitions: Definitions, lists: ProjectLists, *, brief: bool = False) -> list[Proposal]:
    """Cases around the bounds of a segment, what they expect computed from it as it stands.

    Args:
        name: Of the segment.
        definitions: All bound.
        lists: Values of list files.
        brief: Only profiles without which some change of the definition would not be noticed.

    Raises:
        UsageError: Nothing was found that the segment holds for.
    """
    definition = definitions.segments[name]
    zone = definitions.project.timezone
    search = _searched(definition, definitions, lists, Clock(usual_as_of(zone, [definition]), zone))
    proposals, context = [], None
    for number in range(len(search.leaves)):
        found = _leaf_case(search, number)
        if found is not None:
            proposals.append(found[0])
            context = context or found[1]
    if context is None:
        hint = "write the first case by hand: `segctl help tests`"
        raise UsageError("SEG535", f"no world was found that `{name}` has a member in", hint=hint)
    proposals += population_cases(definition, search.ground, lists, context)
    proposals += _calendar_cases(search, definitions, lists)
    return noticed_by(definition, definitions, lists, proposals, most=MOST_PROFILES, brief=brief)


# --- What can be given ------------------------------------------------------------------------------------
def _searched(definition: c.SegmentDefinition, definitions: Definitions, lists: ProjectLists, clock: Clock) -> _Search:
    leaves = list(leaves_of(definition.where))
    ties = list(_ties(definition.where))
    search = _Search(definition, Ground(definitions, lists, clock), lists, leaves, ties)
    for number, (_, leaf) in enumerate(leaves):
        found: dict[str, tuple[int, str, Spec]] = {}
        for place, base in enumerate(_bases(search, number)):
            for label, spec in leaf_candidates(leaf, search.ground, base=base, same=ties[number]):
                found.setdefault(repr(spec), (place, label, spec))
        search.candidates.append(list(found.values()))
    everything = [spec for listed in search.candidates for _, _, spec in listed]
    answers = answers_of(definition, definitions, lists, clock, everything)
    start = 0
    for number, listed in enumerate(search.candidates):
        search.truths.append(answers.leaves[number][start : start + len(listed)])
        start += len(listed)
    return search


def _ties(condition: c.Condition, same: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    match condition:
        case c.All(items, own):
            for item in items:
                yield from _ties(item, own or same)
        case c.AnyOf(items) | c.NoneOf(items):
            for item in items:
                yield from _ties(item, same)
        case c.Not(item):
            yield from _ties(item, same)
        case _:
            yield same if isinstance(condition, c.EventCondition) else ()


def _bases(search: _Search, number: int) -> list[int]:
    """Instants at which events may lie: inside the windows of the definition, the leaf's own first."""
    clock = search.ground.clock
    own = [middle(window, clock) for window in windows_of(search.leaves[number][1])]
    others = [middle(w, clock) for n, (_, leaf) in enumerate(search.leaves) if n != number for w in windows_of(leaf)]
    found = [us for us in [*own, *others] if us is not None]
    # What must follow an event needs room before as_of.
    further = [clock.now - DAY, clock.now - 400 * DAY]
    further = further[::-1] if _looks_ahead(search.leaves[number][1]) else further
    return list(dict.fromkeys([*found, *further]))[:5]


def _looks_ahead(leaf: c.Condition) -> bool:
    is_followed = isinstance(leaf, c.EventCondition) and isinstance(leaf.measure, c.Count) and leaf.measure.followed_by
    return isinstance(leaf, c.SequenceCondition) or bool(is_followed)


def windows_of(leaf: c.Condition) -> Iterator[Window]:
    """The windows that a leaf asks events, changes or a time to lie in."""
    match leaf:
        case c.EventCondition(selection, _, test):
            if selection.window is not None:
                yield selection.window
            if not isinstance(test, c.ValueTest):
                yield test
        case c.SequenceCondition(steps):
            if steps[0].window is not None:
                yield steps[0].window
        case c.ChangedCondition(window=window) if window is not None:
            yield window
        case c.TraitCondition(test=test) if not isinstance(test, c.ValueTest):
            yield test


# --- In which world a leaf decides ------------------------------------------------------------------------
def _leaf_case(search: _Search, number: int) -> tuple[Proposal, Spec] | None:
    """The leaf's candidates in a world where it decides the most, and a spec of a member."""
    tried = [(base, context) for context in _contexts(search, number) for base in _places(search, number)]
    if not tried:
        return None
    samples = [_samples(search, number, base) for base, _ in tried]
    specs = [spec.over(context) for (_, context), some in zip(tried, samples, strict=True) for spec, _ in some]
    answers = _asked(search, specs)
    best, start = None, 0
    steps = search.leaves[number][0].split(".")
    is_negated = sum(step == "not" or step.startswith("none[") for step in steps) % 2 == 1
    for (base, context), some in zip(tried, samples, strict=True):
        roots = [root is True for root in answers.matched[start : start + len(some)]]
        start += len(some)
        # Below a `not` the answer goes against the leaf.
        wanted = [(truth is True) != is_negated for _, truth in some]
        score = (_dependence(roots, wanted), -context.size)
        if best is None or score > best[0]:
            best = (score, base, context)
    if best is None or best[0][0] == 0:
        return None
    return _proposal(search, number, best[1], best[2])


def _dependence(roots: Sequence[bool], wanted: Sequence[bool]) -> float:
    """How far the answers are as wanted, up to 1; 0 where they are all the same."""
    if len(set(roots)) < 2:
        return 0.0
    return sum(root == want for root, want in zip(roots, wanted, strict=True)) / len(roots)


def _proposal(search: _Search, number: int, base: int, context: Spec) -> tuple[Proposal, Spec] | None:
    path, leaf = search.leaves[number]
    chosen: dict[str, Spec] = {}
    for wanted in (base, 0):
        for place, label, spec in search.candidates[number]:
            if place == wanted:
                chosen.setdefault(label, spec.over(context))
    roots = _asked(search, list(chosen.values())).matched
    member = next((spec for spec, root in zip(chosen.values(), roots, strict=True) if root is True), None)
    if member is None:
        return None
    title = f"{path or 'where'}: {describe(leaf)}"
    return Proposal(title, search.ground.clock.as_of, chosen), member


def _places(search: _Search, number: int) -> list[int]:
    """Positions of the instants at which the leaf can be both true and not."""
    return sorted({place for place, _, _ in search.candidates[number]})


def _samples(search: _Search, number: int, base: int) -> list[tuple[Spec, bool | None]]:
    """Some candidates for which the leaf holds and some for which it does not, those at its bounds first."""
    listed = list(zip(search.candidates[number], search.truths[number], strict=True))
    here = [(label, spec, truth) for (place, label, spec), truth in listed if place == base]
    here = here if len({truth is True for _, _, truth in here}) > 1 else [(a, b, t) for (_, a, b), t in listed]
    ordered = sorted(here, key=lambda one: "bound" not in one[0] and "_event" not in one[0])
    true = [(spec, truth) for _, spec, truth in ordered if truth is True]
    other = [(spec, truth) for _, spec, truth in ordered if truth is not True]
    return [*true[:MOST_SAMPLES], *other[:MOST_SAMPLES]]


def _asked(search: _Search, specs: Sequence[Spec]) -> Answers:
    return answers_of(search.definition, search.ground.definitions, search.lists, search.ground.clock, specs)


def _contexts(search: _Search, number: int) -> Iterator[Spec]:
    """What else to give so that all depends on one leaf: the leaves beside it hold where all must, else they do not."""
    wanted = _wanted(search.definition.where, number)
    alternatives = [_alternatives(search, n, want) for n, want in wanted.items()]
    # The first alternatives of all leaves, then those that differ from them in little, wherever that is.
    combinations = islice(product(*(range(len(some)) for some in alternatives)), 100 * MOST_CONTEXTS)
    for places in sorted(combinations, key=sum)[:MOST_CONTEXTS]:
        context = ranked_at_all(search.definition, search.ground)
        for number, some in zip(places, alternatives, strict=True):
            context = some[number].over(context)
        yield context


def _alternatives(search: _Search, number: int, want: bool) -> list[Spec]:
    listed = zip(search.candidates[number], search.truths[number], strict=True)
    fitting: dict[int, list[Spec]] = {}
    for (place, _, spec), truth in listed:
        if truth is want:
            fitting.setdefault(place, []).append(spec)
    # The smallest at each instant: what lies at another instant may disturb a leaf less.
    found = [min(specs, key=lambda spec: spec.size) for specs in fitting.values()]
    more = [spec for specs in fitting.values() for spec in sorted(specs, key=lambda spec: spec.size)[1:2]]
    return [*found[:MOST_ALTERNATIVES], *more[:1], Spec()][: MOST_ALTERNATIVES + 1]


def _wanted(condition: c.Condition, target: int) -> dict[int, bool]:
    """For every other leaf, what it should say so that the target decides."""
    counter = iter(range(10_000))
    numbers: dict[int, list[int]] = {}

    def number(node: c.Condition) -> list[int]:
        if isinstance(node, c.All | c.AnyOf | c.NoneOf):
            found = [n for item in node.items for n in number(item)]
        elif isinstance(node, c.Not):
            found = number(node.item)
        else:
            found = [next(counter)]
        numbers[id(node)] = found
        return found

    number(condition)
    wanted: dict[int, bool] = {}

    def visit(node: c.Condition, want: bool | None) -> None:
        # `want` is None on the way to the target.
        inside = numbers[id(node)]
        match node:
            case c.Not(item):
                visit(item, None if want is None else not want)
            case c.All(items) | c.AnyOf(items) | c.NoneOf(items):
                is_all = isinstance(node, c.All)
                for item in items:
                    here = target in numbers[id(item)] and want is None
                    visit(item, None if here else is_all if want is None else _of_item(node, want))
            case _:
                if want is not None:
                    wanted[inside[0]] = want

    visit(condition, None)
    return wanted


def _of_item(node: c.All | c.AnyOf | c.NoneOf, want: bool) -> bool:
    return not want if isinstance(node, c.NoneOf) else want


# --- The calendar -----------------------------------------------------------------------------------------
def _calendar_cases(search: _Search, definitions: Definitions, lists: ProjectLists) -> Iterator[Proposal]:
    """The first leaf with a window once more, around a clock change and around 29 February."""
    zone = search.ground.clock.zone
    numbers = [n for n, (_, leaf) in enumerate(search.leaves) if any(True for _ in windows_of(leaf))]
    for title, as_of in _special_days(zone):
        if not numbers:
            return
        other = _searched(search.definition, definitions, lists, Clock(as_of, zone))
        found = _leaf_case(other, numbers[0])
        if found is not None:
            bounds = {k: v for k, v in found[0].profiles.items() if "bound" in k or "day" in k or "29" in k}
            if bounds:
                yield replace(found[0], title=f"{title}: {found[0].title}", profiles=bounds)


def _special_days(zone: str) -> Iterator[tuple[str, datetime]]:
    change = _clock_change(zone)
    if change is not None:
        yield "after a clock change", from_us(change + DAY // 2)
    noon = to_us(datetime(2028, 2, 29, 12, tzinfo=UTC))
    yield "on 29 February", from_us(noon - offset_at(noon, zone) * 1_000_000)


def _clock_change(zone: str) -> int | None:
    """The first hour of 2026 after which the zone's clocks show another offset, None where they never change."""
    start = to_us(datetime(2026, 1, 1, tzinfo=UTC))
    for hour in range(365 * 24):
        us = start + hour * 3_600_000_000
        if offset_at(us, zone) != offset_at(us - 3_600_000_000, zone):
            return us
    return None
