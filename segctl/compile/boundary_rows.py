"""Rows of related tables on both sides of the bounds of a condition, for proposed tests."""

from __future__ import annotations

from collections.abc import Iterator

from segctl.compile.boundaries import Written, around, fitting
from segctl.compile.boundary_events import Event
from segctl.compile.boundary_specs import Candidate, Ground, Spec
from segctl.compile.mutate_leaves import property_type
from segctl.model import conditions as c
from segctl.model.project import RELATED
from segctl.model.types import INTEGER


def related_candidates(leaf: c.RelatedCondition, ground: Ground) -> Iterator[Candidate]:
    """Just enough rows, one fewer, one more; each part of the filter at its bounds; values around the bound."""
    table, where = leaf.selection.table, leaf.selection.where
    kinds = (RELATED + table,)
    plain: Event = {}
    for entry in where:
        plain[entry.property] = fitting(entry.test, property_type(entry, kinds, ground.definitions), ground.clock)

    def rows(number: int, **change: Written) -> Spec:
        first: Event = {k: v for k, v in {**plain, **change}.items() if v is not None}
        return Spec(rows={table: (first, *(dict(plain) for _ in range(number - 1)))})

    enough = _enough(leaf, ground)
    yield "no_rows", Spec()
    for number in sorted({max(enough - 1, 1), enough, enough + 1, 1}):
        yield f"{number}_row{'s' if number > 1 else ''}", rows(number)
    for entry in where:
        of = property_type(entry, kinds, ground.definitions)
        for label, value in around(entry.test, of, ground.clock):
            yield f"{entry.property}_{label}", rows(enough, **{entry.property: value})
    name = getattr(leaf.measure, "of", None)
    if isinstance(name, str):
        of = property_type(c.PropertyTest(name, leaf.test), kinds, ground.definitions)
        for label, value in around(leaf.test, of, ground.clock):
            yield f"value_{label}", rows(1, **{name: value})


def _enough(leaf: c.RelatedCondition, ground: Ground) -> int:
    if not isinstance(leaf.measure, c.Count):
        return 1
    found = fitting(leaf.test, INTEGER, ground.clock)
    return min(max(found, 1), 40) if isinstance(found, int) and not isinstance(found, bool) else 1
