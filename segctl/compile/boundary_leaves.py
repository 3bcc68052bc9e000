"""What one profile is given on both sides of the bounds of one leaf, for proposed tests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import islice, product

from segctl.compile.boundaries import Clock, Written, around, default, fitting, instants, moved, other_than
from segctl.compile.boundary_consents import consent_candidates
from segctl.compile.boundary_events import Events, event_candidates
from segctl.compile.boundary_places import near_candidates
from segctl.compile.boundary_rows import related_candidates
from segctl.compile.boundary_sequences import sequence_candidates
from segctl.compile.boundary_specs import OWN, Candidate, Ground, Spec
from segctl.compile.lower import SAMPLE_RANGE
from segctl.compile.mutate_leaves import trait_type
from segctl.compile.zones import DAY, SECOND, local_day, shifted_day
from segctl.model import conditions as c
from segctl.model.project import Definitions
from segctl.model.types import INTEGER, Kind

MOST_OF_A_GRID = 240
__all__ = ["Candidate", "Ground", "Spec", "leaf_candidates"]


def leaf_candidates(leaf: c.Condition, ground: Ground, *, base: int, same: Sequence[str] = ()) -> Iterator[Candidate]:
    """What to give a profile so that a leaf is at each side of its bounds; each label once a leaf.

    Args:
        leaf: Any leaf; of a kind that cannot be made up nothing is given.
        ground: Definitions, lists, clock.
        base: Where events lie that need no particular time.
        same: Properties that the surrounding `all` ties.
    """
    match leaf:
        case c.TraitCondition():
            yield from _of_trait(leaf, ground, base)
        case c.ChangedCondition():
            yield from _of_change(leaf, ground, base)
        case c.EventCondition(selection, measure, test):
            found = event_candidates(selection, measure, test, ground.definitions, ground.clock, base=base, same=same)
            yield from _with_events(found)
            yield from _local_times(leaf, ground)
        case c.SequenceCondition():
            yield from _with_events(sequence_candidates(leaf, ground.definitions, ground.clock, base=base))
        case c.SegmentCondition(segment):
            yield "member", Spec(members={segment: True})
            yield "no_member", Spec(members={segment: False})
        case c.RelatedCondition():
            yield from related_candidates(leaf, ground)
        case c.ColleaguesCondition():
            yield from _of_colleagues(leaf, ground, base)
        case c.NearCondition():
            yield from near_candidates(leaf, ground)
        case c.ConsentCondition():
            yield from consent_candidates(leaf, ground.clock)
        case c.SampleCondition(percent, salt):
            yield from _of_sample(percent, salt)
        case c.ListCondition():
            yield from _of_list(leaf, ground)


def _of_colleagues(leaf: c.ColleaguesCondition, ground: Ground, base: int) -> Iterator[Candidate]:
    """So many others of the same value as needed, one fewer and one more; others that do not meet the condition."""
    bound = fitting(leaf.test, INTEGER, ground.clock)
    number = bound if isinstance(bound, int) and not isinstance(bound, bool) else 1
    inner = _meeting(leaf.where, ground, base)
    shared = Spec(traits={leaf.trait: OWN})
    for label, mine in (("", Spec()), ("meeting_", inner)):
        for many in sorted({max(number - 1, 0), number, number + 1, max(number - 2, 0)}):
            mates = tuple(inner.over(shared) for _ in range(many))
            yield f"{label}with_{many}", replace(mine.over(shared), mates=mates)
    yield "others_do_not", replace(shared, mates=tuple(shared for _ in range(number)))
    yield "without_value", Spec()
    if leaf.where is not None:
        for label, spec in leaf_candidates(leaf.where, ground, base=base):
            mates = (*(inner.over(shared) for _ in range(number - 1)), spec.over(shared))
            yield f"mate_{label}", replace(shared, mates=mates)


def _meeting(where: c.Condition | None, ground: Ground, base: int) -> Spec:
    """What meets a lone leaf that is asked of others, as far as it can be told without asking: the second candidate."""
    if where is None:
        return Spec()
    found = [spec for label, spec in leaf_candidates(where, ground, base=base) if label != "no_events"]
    return found[0] if found else Spec()


def _with_events(found: Iterator[tuple[str, Events]]) -> Iterator[Candidate]:
    return ((label, Spec(events=events)) for label, events in found)


# --- Traits -----------------------------------------------------------------------------------------------
def _of_trait(leaf: c.TraitCondition, ground: Ground, base: int) -> Iterator[Candidate]:
    computed = ground.definitions.computed.get(leaf.trait)
    if computed is None:
        yield from _of_stored(leaf, ground)
    elif isinstance(computed.selection, c.EventSelection) and computed.measure is not None:
        selection, measure = computed.selection, computed.measure
        found = event_candidates(selection, measure, leaf.test, ground.definitions, ground.clock, base=base)
        yield from _with_events(found)
    elif computed.formula is not None:
        yield from _grid(leaf, computed.formula, ground, base)


def _of_stored(leaf: c.TraitCondition, ground: Ground) -> Iterator[Candidate]:
    of = trait_type(leaf, ground.definitions)
    operands = leaf.test.operands if isinstance(leaf.test, c.ValueTest) else ()
    if any(isinstance(operand, c.TraitOperand) for operand in operands):
        yield from _beside_trait(leaf, ground)
        return
    for operand in operands:
        if isinstance(operand, c.ListOperand):
            listed = sorted(ground.lists[operand.name, None])
            yield from ((f"listed_{n + 1}", _nested(leaf, text)) for n, text in enumerate(listed[:1]))
            yield "not_listed", _nested(leaf, other_than(list(listed), of))
            yield "missing", Spec()
            return
    for label, value in around(leaf.test, of, ground.clock):
        yield label, Spec() if value is None else _nested(leaf, value)


def _nested(leaf: c.TraitCondition, value: Written) -> Spec:
    for name in reversed(leaf.path):
        value = {name: value}
    return Spec(traits={leaf.trait: value})


def _beside_trait(leaf: c.TraitCondition, ground: Ground) -> Iterator[Candidate]:
    """Both values: the tested one below, at and above the other."""
    assert isinstance(leaf.test, c.ValueTest)
    other = next(o.trait for o in leaf.test.operands if isinstance(o, c.TraitOperand))
    of = trait_type(leaf, ground.definitions)
    value = default(of, ground.clock)
    for label, step in (("less", -1), ("equal", 0), ("more", 1)):
        mine = moved(value, step, of) if step else value
        yield label, Spec(traits={leaf.trait: mine, other: value})
    yield "missing", Spec(traits={other: value})
    yield "other_missing", Spec(traits={leaf.trait: value})


def _of_change(leaf: c.ChangedCondition, ground: Ground, base: int) -> Iterator[Candidate]:
    trait, clock = leaf.trait, ground.clock
    of = ground.definitions.project.trait(trait)
    elsewhere = (
        other_than([v for v in (leaf.old, leaf.new) if isinstance(v, str | int | Decimal)] or ["x"], of.type)
        if of
        else "x"
    )
    old: Written = leaf.old if isinstance(leaf.old, str | int | Decimal) else elsewhere
    new: Written = leaf.new if isinstance(leaf.new, str | int | Decimal) else f"new_{elsewhere}"

    def changed(at: int, before: Written = old, after: Written = new) -> Spec:
        return Spec(traits={trait: before}, records=({"at": clock.text(at), trait: after},))

    yield "unchanged", Spec(traits={trait: new})
    yield "changed", changed(base)
    yield "changed_long_ago", changed(clock.now - 3000 * DAY)
    yield (
        "changed_back",
        Spec(
            traits={trait: old},
            records=({"at": clock.text(base - DAY), trait: new}, {"at": clock.text(base), trait: old}),
        ),
    )
    if leaf.old is not None:
        yield "from_another", changed(base, elsewhere)
    if leaf.new is not None:
        yield "to_another", changed(base, old, elsewhere if elsewhere != old else "yet_another")
    if leaf.window is not None:
        for label, us in instants(leaf.window, clock):
            yield label, changed(us)
        yield "changed_early", changed(clock.now - 400 * DAY)


# --- Samples and lists ------------------------------------------------------------------------------------
def _of_sample(percent: Decimal, salt: str) -> Iterator[Candidate]:
    """Places just inside and just outside the share, and far outside."""

    def place(of: Decimal) -> int:
        return min(SAMPLE_RANGE, max(0, int(Fraction(of) * SAMPLE_RANGE / 100)))

    bound = place(percent)
    yield "last_in_sample", Spec(places={salt: (place(percent - 1), bound)})
    yield "first_out_of_sample", Spec(places={salt: (bound, place(percent + 1))})
    yield "in_sample", Spec(places={salt: (0, bound)})
    yield "out_of_sample", Spec(places={salt: (bound, SAMPLE_RANGE)})


def _of_list(leaf: c.ListCondition, ground: Ground) -> Iterator[Candidate]:
    listed = sorted(ground.lists[leaf.name, leaf.column])
    if listed:
        yield "listed", Spec(identifiers={leaf.identifier: listed[0]})
    yield "not_listed", Spec(identifiers={leaf.identifier: "not_in_the_list"})
    yield "without_identifier", Spec()


# --- Local times in `where` -------------------------------------------------------------------------------
def _local_times(leaf: c.EventCondition, ground: Ground) -> Iterator[Candidate]:
    """Events at the first instant of months, weekdays and hours and a second before, where a filter asks for them."""
    parts = [entry for entry in leaf.selection.where if entry.property.startswith("time.")]
    if not parts:
        return
    clock = ground.clock
    step = 3600 * SECOND if any(entry.property == "time.hour" for entry in parts) else DAY
    start = clock.now - clock.now % DAY if step == DAY else clock.now - clock.now % step
    from segctl.compile.boundary_events import _Maker, template

    plain = template(leaf.selection.events[0], leaf.selection.where, ground.definitions, clock)
    make = _Maker(leaf.selection, leaf.measure, leaf.test, ground.definitions, clock, clock.now, plain)
    known: dict[object, int] = {}
    for number in range(1, 420):
        us = start - number * step
        day = local_day(us, clock.zone)
        key = (day.month, day.isoweekday(), us // step % 24 if step != DAY else 0)
        known.setdefault(key[0] if len(parts) == 1 and parts[0].property == "time.month" else key, us)
    for n, us in enumerate(islice(known.values(), 40)):
        yield f"local_time_{n + 1}", Spec(events=make.at([us - k * 60 * SECOND for k in range(make.enough)]))


# --- Formulas ---------------------------------------------------------------------------------------------
def _grid(leaf: c.TraitCondition, formula: c.Formula, ground: Ground, base: int) -> Iterator[Candidate]:
    """Worlds around a formula's bound: a grid over the traits and events that it reads."""
    bound = next((Decimal(o) for o in getattr(leaf.test, "operands", ()) if isinstance(o, int | Decimal)), Decimal(1))
    axes = [list(_axis(name, bound, ground, base)) for name in dict.fromkeys(_stored_in(formula, ground.definitions))]
    yield "nothing_given", Spec()
    for number, specs in enumerate(islice(product(*axes), MOST_OF_A_GRID)):
        whole = Spec()
        for spec in specs:
            whole = spec.over(whole)
        yield f"values_{number + 1}", whole


def _stored_in(formula: c.Formula, definitions: Definitions) -> Iterator[str]:
    """What a formula rests on: ``trait:NAME`` and ``event:NAME of a computed trait``."""
    match formula:
        case c.TraitValue(name):
            computed = definitions.computed.get(name)
            if computed is not None and computed.formula is not None:
                yield from _stored_in(computed.formula, definitions)
            elif computed is not None and isinstance(computed.selection, c.EventSelection):
                yield f"event:{computed.selection.events[0]}:{_property_of(computed.measure)}"
            else:
                yield f"trait:{name}"
        case c.Call(_, operands):
            for operand in operands:
                yield from _stored_in(operand, definitions)


def _property_of(measure: c.Measure | None) -> str:
    return measure.of if isinstance(measure, c.Aggregate | c.EdgeValue) else ""


def _axis(name: str, bound: Decimal, ground: Ground, base: int) -> Iterator[Spec]:
    kind, _, rest = name.partition(":")
    clock = ground.clock
    if kind == "trait":
        trait = ground.definitions.project.trait(rest)
        of = trait.type if trait else None
        if of is not None and of.kind in (Kind.DATE, Kind.TIME):
            yield from (Spec(traits={rest: text}) for text in _dates(bound, clock))
        elif of is not None:
            yield from (Spec(traits={rest: value}) for value in _numbers(bound, of.kind is Kind.INTEGER))
        yield Spec()
        return
    event, _, of_property = rest.partition(":")
    yield Spec()
    if of_property:
        kind_of = ground.definitions.project.event(event)
        of = kind_of.property_type(of_property) if kind_of else None
        for value in _numbers(bound, of is not None and of.kind is Kind.INTEGER):
            yield Spec(events={event: ({"at": clock.text(base), of_property: value},)})
        return
    gap = 10 * DAY
    last = int(bound * gap)
    for newest in (last, last - SECOND, last + SECOND, last - DAY // 2, last - 2 * DAY, last + 2 * DAY):
        for many in (2, 3, 1):
            times = [clock.now - newest - n * gap for n in range(many)]
            yield Spec(events={event: tuple({"at": clock.text(us)} for us in times)})


def _numbers(bound: Decimal, whole: bool) -> Iterator[Written]:
    for value in (Decimal(100), bound * 100, bound * 100 + 1, bound * 100 - 1, bound, Decimal(1), Decimal(0)):
        found = value.quantize(Decimal(1)) if whole else value.quantize(Decimal("0.01"))
        yield int(found) if found == int(found) else found


def _dates(bound: Decimal, clock: Clock) -> Iterator[Written]:
    """Days so many years, and so many days, before today, and the days beside them."""
    years = shifted_day(clock.today, -12 * int(bound)) if bound < 200 else None
    for day in (years, local_day(clock.now - int(bound) * DAY, clock.zone)):
        if day is not None:
            for step in (0, -1, 1):
                yield str(local_day(0, "UTC").fromordinal(day.toordinal() + step))
