"""What is asked of a plan: segments with their leaves and what is kept of the matched."""

from __future__ import annotations

from typing import Literal as OneOf

from segctl.compile.ir.expressions import Expression
from segctl.compile.ir.predicates import Predicate
from segctl.model.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Keep:
    """Rank the matched by a value and keep the best, in each group if `per` is given."""

    best: OneOf["top", "bottom"]
    by: Expression
    count: int | None
    percent: str | None
    per: Expression | None
    keep_missing_group: bool


@dataclass(frozen=True, slots=True)
class Leaf:
    """One condition of a segment as people see it.

    Attributes:
        path: Position in the tree, such as ``all[0].not``.
        text: The condition in one short line.
        predicate: Its own three-valued answer.
        line: Line in the definition file, None for definitions without one.
    """

    path: str
    text: str
    predicate: Predicate
    line: int | None = None


@dataclass(frozen=True, slots=True)
class LoweredSegment:
    """A segment ready to plan.

    Attributes:
        leaves: In reading order.
        digest: Of the definition it comes from.
    """

    name: str
    where: Predicate
    keep: Keep | None = None
    leaves: tuple[Leaf, ...] = ()
    digest: str = ""
