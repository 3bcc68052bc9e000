"""Definitions changed in one place each: what a test that deserves the name would notice.

Every mutant differs from its definition by one small step a person might get wrong: a bound, an operator, a
window, `all` for `any`, a negation, a leaf left out, a missing rule, an entry of `where`, a step, what `keep` keeps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from segctl.compile.mutate_leaves import leaf_variants
from segctl.compile.words import describe
from segctl.model import conditions as c
from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import Location
from segctl.model.project import Definitions


@dataclass(frozen=True, slots=True)
class Mutant:
    """A definition with one change.

    Attributes:
        words: The change, such as ``count at least 2 → count at least 3``.
        location: Where the changed part stands in the definition's file.
    """

    definition: c.SegmentDefinition
    words: str
    location: Location | None


Variant = tuple[c.Condition, str, Location | None]


def mutants(definition: c.SegmentDefinition, definitions: Definitions) -> Iterator[Mutant]:
    """The definition with each change in turn, in reading order; some may mean the same as it."""
    for where, words, location in _variants(definition.where, definitions, tied=False):
        yield Mutant(replace(definition, where=where, digest=""), words, location or definition.location)
    if definition.keep is not None:
        for keep, words in _keep_variants(definition.keep):
            yield Mutant(replace(definition, keep=keep, digest=""), words, definition.location)


def _variants(condition: c.Condition, definitions: Definitions, *, tied: bool) -> Iterator[Variant]:
    match condition:
        case c.All(items, same):
            yield from _in_items(condition, items, definitions, tied=tied or bool(same))
            yield from _of_all(condition)
        case c.AnyOf(items):
            yield from _in_items(condition, items, definitions, tied=tied)
            yield from _of_any(condition)
        case c.NoneOf(items):
            yield from _in_items(condition, items, definitions, tied=tied)
            if not tied:
                yield c.AnyOf(items, location=condition.location), "none → any", condition.location
        case c.Not(item):
            for inner, words, location in _variants(item, definitions, tied=tied):
                yield replace(condition, item=inner), words, location
            if not tied:
                yield item, f"without `not`: {describe(item)}", condition.location
        case _:
            place = getattr(condition, "location", None)
            if isinstance(condition, c.ColleaguesCondition) and condition.where is not None:
                for inner, words, location in _variants(condition.where, definitions, tied=False):
                    yield replace(condition, where=inner), words, location or place
                yield replace(condition, where=None), f"without: {describe(condition.where)}", place
            for leaf in leaf_variants(condition, definitions):
                yield leaf, changed_words(describe(condition), describe(leaf)), place
            if not tied:
                yield c.Not(condition, place), f"`not` before: {describe(condition)}", place


def changed_words(before: str, after: str) -> str:
    """What differs between two lines, with what it is about: ``email_opened …: 90 days → 89 days``."""
    old, new = before.split(" "), after.split(" ")
    least = min(len(old), len(new))
    start = next((i for i in range(least) if old[i] != new[i]), least)
    end = next((i for i in range(least - start) if old[-1 - i] != new[-1 - i]), least - start)
    # A word on each side makes the difference readable: `in the last 90 days`, not `90`.
    left, right = max(0, start - 2), max(0, end - 2)
    parts = [" ".join(words[left : len(words) - right]) for words in (old, new)]
    about = "" if left == 0 else f"{' '.join(old[: min(left, 2)])}{' …' if left > 2 else ''} "
    return f"{about}{parts[0]} → {parts[1]}"


def _in_items(
    group: c.All | c.AnyOf | c.NoneOf, items: tuple[c.Condition, ...], definitions: Definitions, *, tied: bool
) -> Iterator[Variant]:
    """The group with one item changed, and with one left out."""
    for number, item in enumerate(items):
        for inner, words, location in _variants(item, definitions, tied=tied):
            yield replace(group, items=(*items[:number], inner, *items[number + 1 :])), words, location
    positives = sum(not isinstance(item, c.Not) for item in items)
    for number, item in enumerate(items if len(items) > 1 else ()):
        rest = (*items[:number], *items[number + 1 :])
        # Under `same` the binder wants something positive, so what would be left alone stays.
        if tied and (positives < 2 or not any(isinstance(one, c.EventCondition) for one in rest)):
            continue
        place = getattr(item, "location", None) or group.location
        yield _smaller(group, rest), f"without: {describe(item)}", place


def _smaller(group: c.All | c.AnyOf | c.NoneOf, items: tuple[c.Condition, ...]) -> c.Condition:
    if isinstance(group, c.AnyOf):
        return replace(group, items=items, at_least=min(group.at_least, len(items)))
    return replace(group, items=items)


def _of_all(group: c.All) -> Iterator[Variant]:
    if group.same:
        yield replace(group, same=()), f"without `same: [{', '.join(group.same)}]`", group.location
    elif len(group.items) > 1:
        yield c.AnyOf(group.items, location=group.location), "all → any", group.location


def _of_any(group: c.AnyOf) -> Iterator[Variant]:
    many = len(group.items)
    if many > 1 and group.at_least < many:
        yield c.All(group.items, location=group.location), f"at least {group.at_least} → all", group.location
    for n in (group.at_least - 1, group.at_least + 1):
        if 1 <= n < many:
            yield replace(group, at_least=n), f"at least {group.at_least} → at least {n}", group.location


# --- keep -------------------------------------------------------------------------------------------------
def _keep_variants(keep: c.Keep) -> Iterator[tuple[c.Keep | None, str]]:
    yield None, "without `keep`"
    other: c.Keep = replace(keep, best="bottom" if keep.best == "top" else "top")
    yield other, f"keep {keep.best} → {other.best}"
    for step in (-1, 1):
        if keep.count is not None and keep.count + step >= 1:
            yield replace(keep, count=keep.count + step), f"keep {keep.count} → {keep.count + step}"
        if keep.percent is not None and 0 < keep.percent + step <= Decimal(100):
            percent = keep.percent + step
            yield replace(keep, percent=percent), f"keep {keep.percent} % → {percent} %"
    if keep.per is not None:
        yield replace(keep, per=None, keep_missing_group=False), f"without `per: {keep.per}`"
        other = replace(keep, keep_missing_group=not keep.keep_missing_group)
        yield other, "`missing: keep` added" if other.keep_missing_group else "without `missing: keep`"
