"""Bound conditions to IR: no name unresolved, no missing-value rule open, every literal in physical form."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from itertools import product

from segctl.compile import ir
from segctl.compile.consents import lower_consent
from segctl.compile.lower_events import Lists, Lowering
from segctl.compile.lower_near import lower_near
from segctl.compile.lower_tests import Names, conjunction, inside, lower_test, negation
from segctl.compile.references import references
from segctl.compile.windows import trait_bounds
from segctl.compile.words import describe
from segctl.model import conditions as c
from segctl.model.project import Definitions, Language
from segctl.model.types import INTEGER, ValueType

SAMPLE_RANGE = 2**63
_RULES = {"match": True, "no_match": False, "error": None}


def lower_segment(
    definition: c.SegmentDefinition,
    definitions: Definitions,
    *,
    lists: Lists | None = None,
    language: Language = "en",
) -> ir.LoweredSegment:
    """A segment ready to plan, with its leaves in reading order.

    Args:
        definition: Bound; it need not belong to the project's segments.
        definitions: Everything it may refer to.
        lists: Texts of the list files that stand under `in`, by (name, None).
        language: Of the leaves' texts.

    Raises:
        KeyError: A list file it needs is not in `lists`.
    """
    lowering = Lowering(definitions, {} if lists is None else lists)
    found = tuple(
        ir.Leaf(
            path, describe(leaf, language), _predicate(leaf, lowering), leaf.location.line if leaf.location else None
        )
        for path, leaf in leaves_of(definition.where)
    )
    keep = None if definition.keep is None else _keep(definition.keep, lowering)
    return ir.LoweredSegment(definition.name, _predicate(definition.where, lowering), keep, found, definition.digest)


def lower_trait(name: str, definitions: Definitions, *, lists: Lists | None = None) -> ir.Expression:
    """The expression of a stored or computed trait."""
    return Lowering(definitions, {} if lists is None else lists).trait(name)


def leaves_of(condition: c.Condition, path: str = "") -> Iterator[tuple[str, c.Condition]]:
    """The leaves with their paths, such as ``all[0].not``, in reading order; a lone leaf has the path ``""``."""
    prefix = f"{path}." if path else ""
    match condition:
        case c.All(items):
            word = "all"
        case c.AnyOf(items):
            word = "any"
        case c.NoneOf(items):
            word = "none"
        case c.Not(item):
            yield from leaves_of(item, f"{prefix}not")
            return
        case _:
            yield path, condition
            return
    for number, item in enumerate(items):
        yield from leaves_of(item, f"{prefix}{word}[{number}]")


def _predicate(condition: c.Condition, lowering: Lowering) -> ir.Predicate:
    match condition:
        case c.All(items, ()):
            return conjunction([_predicate(item, lowering) for item in items])
        case c.All():
            return _all_same(condition, lowering)
        case c.AnyOf(items, at_least):
            return _any([_predicate(item, lowering) for item in items], at_least)
        case c.NoneOf(items):
            return conjunction([negation(_predicate(item, lowering)) for item in items])
        case c.Not(item):
            return negation(_predicate(item, lowering))
        case _:
            return _leaf(condition, lowering)


def _any(items: list[ir.Predicate], at_least: int) -> ir.Predicate:
    if at_least == 1:
        return items[0] if len(items) == 1 else ir.Or(tuple(items))
    return ir.AtLeast(tuple(items), at_least)


def _leaf(leaf: c.Condition, lowering: Lowering) -> ir.Predicate:
    match leaf:
        case c.TraitCondition(trait, test, path, missing):
            return _ruled(lower_test(inside(lowering.trait(trait), path), test, lowering.names), missing)
        case c.EventCondition():
            return _event_leaf(leaf, lowering, lowering.names)
        case c.ChangedCondition():
            # Having no such change is a fact, so there is nothing unknown for `missing` to decide.
            return ir.Compare("ge", ir.MetricValue(lowering.changes(leaf)), ir.Literal(1, INTEGER))
        case c.SequenceCondition():
            return ir.HasSequence(lowering.sequence(leaf))
        case c.RelatedCondition(selection, measure, test, missing):
            value = ir.MetricValue(lowering.rows_metric(selection, measure))
            return _ruled(lower_test(value, test, lowering.names), missing)
        case c.ColleaguesCondition(trait, test, where, others_only):
            inner = None if where is None else _predicate(where, lowering)
            return lower_test(ir.Colleagues(lowering.trait(trait), inner, others_only), test, lowering.names)
        case c.NearCondition():
            return _ruled(lower_near(leaf, lowering), leaf.missing)
        case c.SegmentCondition(segment):
            return ir.IsMember(segment)
        case c.SampleCondition(percent, salt):
            return ir.InSample(salt, _threshold(percent))
        case c.ListCondition(name, column, identifier):
            return ir.InList(name, column, identifier)
        case c.ConsentCondition():
            return lower_consent(leaf, lowering.names)
        case _:
            raise TypeError(f"{type(leaf).__name__} is no leaf")


def _event_leaf(leaf: c.EventCondition, lowering: Lowering, names: Names) -> ir.Predicate:
    value = ir.MetricValue(lowering.metric(leaf.selection, leaf.measure))
    return _ruled(lower_test(value, leaf.test, names), leaf.missing)


def _ruled(predicate: ir.Predicate, missing: c.Missing | None) -> ir.Predicate:
    """`missing` decides at the leaf, before any surrounding `not`."""
    return predicate if missing is None else ir.IfMissing(predicate, _RULES[missing])


def _threshold(percent: Decimal) -> int:
    """How many of the 2**63 places a percentage holds."""
    return min(SAMPLE_RANGE, max(0, int(Fraction(percent) * SAMPLE_RANGE / 100)))


def _keep(keep: c.Keep, lowering: Lowering) -> ir.Keep:
    return ir.Keep(
        best=keep.best,
        by=lowering.trait(keep.by),
        count=keep.count,
        percent=None if keep.percent is None else format(keep.percent.normalize(), "f"),
        per=None if keep.per is None else lowering.trait(keep.per),
        keep_missing_group=keep.keep_missing_group,
    )


# --- One and the same value --------------------------------------------------------------------------------
def _all_same(condition: c.All, lowering: Lowering) -> ir.Predicate:
    """The event leaves under a common value; what does not depend on the value stands outside.

    An `and` passes through an `or` over the values, so a condition on the profile means the same outside.
    """
    items = list(_flattened(condition))
    tied = [item for item in items if any(True for _ in _event_leaves(item))]
    apart = [_predicate(item, lowering) for item in items if item not in tied]
    if not tied:
        return conjunction(apart)
    first = next(_event_leaves(tied[0]))
    same = lowering.same(condition.same, lowering.kinds(first.selection.events))
    return conjunction([*apart, _common(same, tied, lowering)])


def _flattened(condition: c.All) -> Iterator[c.Condition]:
    for item in condition.items:
        if isinstance(item, c.All) and not item.same:
            yield from _flattened(item)
        else:
            yield item


def _event_leaves(item: c.Condition) -> Iterator[c.EventCondition]:
    """Event leaves at any depth that the surrounding `same` ties; one inside has its own."""
    match item:
        case c.EventCondition():
            yield item
        case c.All(items, ()) | c.AnyOf(items) | c.NoneOf(items):
            for inner in items:
                yield from _event_leaves(inner)
        case c.Not(inner):
            yield from _event_leaves(inner)


def _common(same: tuple[tuple[str, ValueType], ...], tied: list[c.Condition], lowering: Lowering) -> ir.Predicate:
    """The items for one value; conditions on the profile that read events of their own are decided outside.

    Inside, a metric would see only the events of one value, so such a condition is replaced by each of its
    three answers in turn, and the answer it really has picks the case.
    """
    lifted = list(
        dict.fromkeys(leaf for item in tied for leaf in _profile_leaves(item) if _reads_events(leaf, lowering))
    )
    cases: list[ir.Predicate] = []
    for answers in product((True, False, None), repeat=len(lifted)):
        known = dict(zip(lifted, answers, strict=True))
        inner = conjunction([_with_answers(item, known, lowering) for item in tied])
        chosen = [_has_answer(_predicate(leaf, lowering), answer) for leaf, answer in known.items()]
        cases.append(conjunction([*chosen, ir.HasCommonValue(same, inner)]))
    return cases[0] if len(cases) == 1 else ir.Or(tuple(cases))


def _profile_leaves(item: c.Condition) -> Iterator[c.Condition]:
    """What lies below an item and is no event leaf of its own: leaves on the profile, and inner `same`."""
    match item:
        case c.EventCondition():
            return
        case c.All(items, ()) | c.AnyOf(items) | c.NoneOf(items):
            for inner in items:
                yield from _profile_leaves(inner)
        case c.Not(inner):
            yield from _profile_leaves(inner)
        case _:
            yield item


def _reads_events(leaf: c.Condition, lowering: Lowering) -> bool:
    match leaf:
        case c.TraitCondition(trait):
            return trait in lowering.computed or _names_computed(leaf.test, lowering)
        case c.NearCondition():
            return any(trait in lowering.computed for trait in references(leaf.place).traits)
        case c.ConsentCondition(window=window):
            return any(bound.trait in lowering.computed for bound in trait_bounds(window))
        case c.ChangedCondition() | c.SequenceCondition() | c.All() | c.RelatedCondition() | c.ColleaguesCondition():
            return True
        case _:
            return False


def _names_computed(test: c.Test, lowering: Lowering) -> bool:
    if not isinstance(test, c.ValueTest):
        return any(bound.trait in lowering.computed for bound in trait_bounds(test))
    return any(isinstance(operand, c.TraitOperand) and operand.trait in lowering.computed for operand in test.operands)


def _with_answers(item: c.Condition, known: dict[c.Condition, bool | None], lowering: Lowering) -> ir.Predicate:
    if item in known:
        return ir.Constant(known[item])
    match item:
        case c.All(items, ()):
            return conjunction([_with_answers(inner, known, lowering) for inner in items])
        case c.AnyOf(items, at_least):
            return _any([_with_answers(inner, known, lowering) for inner in items], at_least)
        case c.NoneOf(items):
            return conjunction([negation(_with_answers(inner, known, lowering)) for inner in items])
        case c.Not(inner):
            return negation(_with_answers(inner, known, lowering))
        case c.EventCondition():
            return _event_leaf(item, lowering, Names(lambda name: _of_profile(name, lowering), lowering.texts))
        case _:
            return _predicate(item, lowering)


def _of_profile(trait: str, lowering: Lowering) -> ir.Expression:
    """A trait beside a metric of one common value: a computed one reads all events, as everywhere."""
    value = lowering.trait(trait)
    return ir.OfProfile(value) if trait in lowering.computed else value


def _has_answer(predicate: ir.Predicate, answer: bool | None) -> ir.Predicate:
    """True or false, never unknown: whether the predicate has this answer."""
    is_true, is_false = ir.IfMissing(predicate, False), ir.IfMissing(negation(predicate), False)
    if answer is None:
        return ir.Not(ir.Or((is_true, is_false)))
    return is_true if answer else is_false
