"""Conditions on rows of related tables, and on the profiles that share a value with this one."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from segctl.model.conditions.events import Measure, PropertyTest
from segctl.model.conditions.values import Missing, Test, ValueTest
from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import Location

if TYPE_CHECKING:
    # The union of all conditions is made of these classes too.
    from segctl.model.conditions.tree import Condition


@dataclass(frozen=True, slots=True)
class RelatedSelection:
    """Which rows of a related table are measured: those of the profile, valid at as_of, that pass `where`."""

    table: str
    where: tuple[PropertyTest, ...] = ()


@dataclass(frozen=True, slots=True)
class RelatedCondition:
    """A measure over the selected rows passes one test.

    Attributes:
        measure: One that needs no order in time: rows have none.
    """

    selection: RelatedSelection
    measure: Measure
    test: Test
    missing: Missing | None = None
    location: Location | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ColleaguesCondition:
    """The number of profiles of the population that share a trait's value and meet a condition passes a test.

    A profile without a value shares it with nobody, so its number is 0.

    Attributes:
        trait: The stored trait that they share.
        test: On a whole number; never unknown, but for an operand that is missing.
        where: Asked of each of them; None takes all.
        others_only: The profile itself does not count.
        group: Declared name, for people.
    """

    trait: str
    test: ValueTest
    where: Condition | None = None
    others_only: bool = False
    group: str = field(default="", compare=False)
    location: Location | None = field(default=None, compare=False)
