"""Case folding is Python's, never an engine's: tests of folded text become tests against the texts that occur.

Every distinct value of the column is folded once; what fits is asked for by name. Only where both sides are
columns does a value's folded form stand in a table beside it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from dataclasses import fields, replace
from functools import cache
from typing import TypeVar, cast

import narwhals.stable.v2 as nw
import polars as pl

from segctl.compile import ir
from segctl.compile.plan import Node, Output, Plan, walk
from segctl.compile.plan import plan as planned
from segctl.engines.base import EngineInput
from segctl.engines.elements import taken_apart
from segctl.engines.expressions import evaluated, to_expr
from segctl.engines.polars_reader import PolarsReader
from segctl.engines.reading import Reader, Scan, Subjects
from segctl.engines.scope import Scope
from segctl.model.dataclass import dataclass
from segctl.model.types import TEXT, ValueType

_EVERYBODY = Subjects(-(2**31), 2**31 - 1)


@dataclass(frozen=True, slots=True)
class Folded:
    """A text in folded form, by a table of those that differ from it."""

    of: ir.Expression
    originals: tuple[str, ...]
    folds: tuple[str, ...]

    @property
    def type(self) -> ValueType:
        """Text."""
        return TEXT


@evaluated.register
def _(node: Folded, scope: Scope) -> nw.Expr:
    value = to_expr(node.of, scope)
    if not node.originals:
        return value
    return value.replace_strict(node.originals, node.folds, default=value, return_dtype=nw.String)


def without_folding(
    plan: Plan, profiles: pl.DataFrame, reader: Reader, scope: Scope, *, listed: tuple[int, ...] | None = None
) -> Plan:
    """The same plan without tests that fold, for everybody or for listed profiles."""
    asked = [segment.where for segment in plan.segments] + [output.ask for output in plan.outputs]
    asked += [segment.keep.by for segment in plan.segments if segment.keep is not None]
    if not any(_folds(node) for root in asked for node in walk(root)):
        return plan
    subjects = _EVERYBODY if listed is None else Subjects(_EVERYBODY.first, _EVERYBODY.last, listed)
    unfold = _Unfolding(profiles, reader, scope, subjects)
    segments = [
        replace(
            segment,
            where=unfold.node(segment.where),
            keep=None if segment.keep is None else unfold.node(segment.keep),
            leaves=(),
        )
        for segment in plan.segments
    ]
    return planned(segments, [Output(output.name, unfold.node(output.ask)) for output in plan.outputs])


def _folds(node: Node) -> bool:
    return isinstance(node, ir.FoldedIn) or (isinstance(node, ir.TextTest) and node.ignore_case)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a node stands: event kinds, and the lists whose elements are tested, the outermost first."""

    kinds: tuple[str, ...] = ()
    lists: tuple[ir.Expression, ...] = ()


_NOWHERE = _Place()
T = TypeVar("T", bound=Hashable)


class _Unfolding:
    """Rewrites nodes, remembering the distinct texts of each expression."""

    def __init__(self, profiles: pl.DataFrame, reader: Reader, scope: Scope, subjects: Subjects) -> None:
        self._profiles = profiles
        self._subjects = subjects
        self._reader = reader
        self._scope = scope
        self._texts: dict[tuple[ir.Expression, _Place], list[str]] = {}

    def node(self, node: T, place: _Place = _NOWHERE) -> T:
        """The node without tests that fold."""
        if isinstance(node, ir.FoldedIn):
            return cast("T", self._in(node.value, place, lambda folded: folded in node.options))
        if isinstance(node, ir.TextTest) and node.ignore_case:
            return cast("T", self._text_test(node, place))
        inner = place
        if isinstance(node, ir.Metric | ir.Followed | ir.Step):
            inner = _Place(node.kinds)
        elif isinstance(node, ir.AnyElement):
            inner = _Place(place.kinds, (*(place.lists if _has_element(node.value) else ()), node.value))
        changed = {}
        for name in _fields(type(node)):
            old = getattr(node, name)
            new = self._value(old, inner if name != "value" else place)
            if new is not old:
                changed[name] = new
        return replace(node, **changed) if changed else node  # type: ignore[type-var]  # nodes are dataclasses; T says only that they can be hashed

    def _value(self, value: object, place: _Place) -> object:
        if isinstance(value, tuple):
            new = tuple(self._value(item, place) for item in value)
            return value if all(a is b for a, b in zip(new, value, strict=True)) else new
        return self.node(value, place) if type(value).__module__.startswith(ir.__name__) else value

    def _text_test(self, test: ir.TextTest, place: _Place) -> ir.Predicate:
        if isinstance(test.pattern, ir.Literal):
            return self._in(test.value, place, _matcher(test.op, str(test.pattern.value)))
        value, pattern = self._folded(test.value, place), self._folded(test.pattern, place)
        return ir.TextTest(test.op, value, pattern)

    def _in(self, value: ir.Expression, place: _Place, fits: Callable[[str], bool]) -> ir.In:
        texts = self._distinct(value, place)
        return ir.In(self.node(value, place), tuple(text for text in texts if fits(text.casefold())))

    def _folded(self, value: ir.Expression, place: _Place) -> ir.Expression:
        if isinstance(value, ir.Literal):
            return ir.Literal(str(value.value).casefold(), value.type)
        different = [text for text in self._distinct(value, place) if text.casefold() != text]
        return cast(
            "ir.Expression",
            Folded(self.node(value, place), tuple(different), tuple(text.casefold() for text in different)),
        )

    def _distinct(self, value: ir.Expression, place: _Place) -> list[str]:
        """The texts an expression can give, in order."""
        if (value, place) not in self._texts:
            self._texts[value, place] = sorted(text for text in self._read(value, place) if text is not None)
        return self._texts[value, place]

    def _read(self, value: ir.Expression, place: _Place) -> list[str | None]:
        if isinstance(value, ir.OfProfile):
            return list(self._distinct(value.of, _NOWHERE))
        if isinstance(value, ir.MetricValue):
            of = value.metric.measure.of
            return [] if of is None else list(self._distinct(of, _Place(value.metric.kinds)))
        lists = place.lists if _has_element(value) else ()
        read = [node for root in (*lists, value) for node in walk(root)]
        properties = {(n.name, n.type): None for n in read if isinstance(n, ir.EventProperty)}
        reader: Reader
        if properties:
            wish = Scan(place.kinds, tuple(properties), self._subjects, None, self._scope.now)
            reader, frame = self._reader, self._reader.scan(wish).frame
        else:
            reader = PolarsReader(EngineInput(self._profiles, ()))
            frame = reader.table(self._profiles)
        scope = self._scope
        for elements_of in lists:
            frame, scope = taken_apart(frame, elements_of, scope)
        found = frame.select(to_expr(value, scope).alias("text"))
        return reader.collect(found.unique()).get_column("text").to_list()


def _has_element(value: ir.Expression) -> bool:
    return any(isinstance(node, ir.Element) for node in walk(value))


def _matcher(op: str, pattern: str) -> Callable[[str], bool]:
    folded = pattern.casefold()
    tests: dict[str, Callable[[str], bool]] = {
        "eq": lambda text: text == folded,
        "contains": lambda text: folded in text,
        "starts_with": lambda text: text.startswith(folded),
        "ends_with": lambda text: text.endswith(folded),
    }
    if op != "matches":
        return tests[op]
    # The pattern keeps its own case: folding would change classes such as `\S`.
    compiled = re.compile(re.sub(r"(?<!\\)\$", r"\\Z", pattern), re.ASCII | re.IGNORECASE)
    return lambda text: compiled.search(text) is not None


@cache
def _fields(kind: type) -> tuple[str, ...]:
    skipped = ("type", "window", "within", "options", "same", "kinds")
    return tuple(field.name for field in fields(kind) if field.name not in skipped)
