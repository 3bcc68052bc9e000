"""Random related tables with versions of their rows, and random conditions on rows and colleagues."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oracle_data import Profile
from oracle_related import Row
from strategies_data import PROPERTY_TYPES, Dice

from segctl.model import conditions as c
from segctl.model.project import Colleagues, Project, RelatedTable
from segctl.model.types import INTEGER, TEXT, Kind, ValueType

if TYPE_CHECKING:
    from strategies import Author

TIMELESS = ("count", "number", "extreme", "distinct", "share")


def tables(dice: Dice) -> tuple[RelatedTable, ...]:
    """One or two tables with a few properties."""
    made = []
    for name in dice.some(("tickets", "devices"), 1, 2):
        properties = {f"q{i}": dice.one(PROPERTY_TYPES) for i in range(dice.random.randint(1, 5))} | {"p0": TEXT}
        made.append(RelatedTable(name, tuple(properties.items())))
    return tuple(made)


def groups(of: Project) -> tuple[Colleagues, ...]:
    """Two groups for every trait that profiles can share: with and without oneself."""
    shared = [x.name for x in of.traits if x.type.kind in (Kind.TEXT, Kind.INTEGER)]
    with_self = [Colleagues(f"same_{name}", name) for name in shared]
    return (*with_self, *(Colleagues(f"others_{name}", name, others_only=True) for name in shared))


def rows(dice: Dice, of: Project, profiles: tuple[Profile, ...]) -> tuple[Row, ...]:
    """Versions of rows: they change, go, come back, and move to another person; some belong to nobody known."""
    made: list[Row] = []
    subjects = [s for p in profiles for s in p.subjects]
    for table in of.related:
        for number in range(dice.random.randint(0, 3 * len(profiles))):
            # Keys come twice: in another source it is another row, in the same one a further version.
            key = number % 4
            source, owner = dice.one(("desk", "desk", "crm")), dice.one((*subjects, max(subjects) + 1))
            for version in range(dice.one((1, 1, 1, 2, 3))):
                owner = dice.one(subjects) if version and dice.chance(0.2) else owner
                values: dict[str, Any] = {name: dice.value(x) for name, x in table.properties if dice.chance(0.95)}
                start = None if version == 0 and dice.chance(0.6) else dice.instant()
                gone = version > 0 and dice.chance(0.2)
                made.append(
                    Row(table.name, source, str(key), owner, len(made), {} if gone else values, start, gone)
                )  # fmt: skip
    dice.random.shuffle(made)
    return tuple(made)


def leaf(author: Author) -> c.Condition:
    """A condition on rows or on colleagues."""
    group = author.dice.one(author.project.colleagues) if author.project.colleagues else None
    if group is not None and author.dice.chance(0.35):
        where = author.condition(depth=2) if author.dice.chance(0.8) else None
        test = author.value_test(author.dice.one(("equals", "at_least", "above", "below", "in", "between")), INTEGER)
        return c.ColleaguesCondition(group.same, test, where, group.others_only, group.name)
    return rows_condition(author)


def rows_condition(author: Author) -> c.RelatedCondition:
    """A measure of rows that passes a test."""
    selection, measure, of = rows_measure(author)
    from strategies import COMPARING, can_be_missing

    if not can_be_missing(measure):
        return c.RelatedCondition(selection, measure, author.number_test(of))
    test = author.value_test(author.dice.one(COMPARING), of) if of.is_numeric else author.test(of)
    exists = isinstance(test, c.ValueTest) and test.operator == "exists"
    return c.RelatedCondition(selection, measure, test, None if exists else author.missing())


def rows_measure(author: Author) -> tuple[c.RelatedSelection, c.Measure, ValueType]:
    """Rows of a table, a measure that needs no time, and the type of what it gives."""
    table = author.dice.one(author.project.related)
    kinds = (f"related:{table.name}",)
    selection = c.RelatedSelection(table.name, author.where(kinds))
    measure, of = author.measure(kinds, TIMELESS)
    return selection, measure, of
