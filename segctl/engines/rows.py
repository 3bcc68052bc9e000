"""Event rows made ready for conditions: profile values joined on, list elements tested, masks built."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property

import narwhals.stable.v2 as nw
import polars as pl

from segctl.compile import ir
from segctl.compile.plan import Node, parts, walk
from segctl.compile.windows import Span
from segctl.engines.elements import with_elements
from segctl.engines.expressions import to_expr
from segctl.engines.frames import Frame
from segctl.engines.predicates import to_predicate, trait_tests
from segctl.engines.reading import Reader, Scan, Subjects
from segctl.engines.scope import Scope
from segctl.model.dataclass import dataclass
from segctl.model.times import Anniversary, Window
from segctl.model.types import DATE, ValueType, stored_column

ORDER = ("source", "event_id")
_EVENT_NODES = (ir.EventProperty, ir.EventTime, ir.EventTimePart, ir.Element)
_PROFILE_NODES = (ir.StoredTrait, ir.MetricValue, ir.Score)
_TODAY = ir.EventTimePart("date", DATE)


@dataclass(frozen=True)
class Reading:
    """What every step of one evaluation shares.

    Attributes:
        scope: Of event rows: `known` is empty.
        profile_values: Gives values of profile-level nodes: one row per profile, `subject` and the columns named.
        sum_is_safe: True if the sum of a property over these kinds is proven to fit 64 bits.
    """

    reader: Reader
    subjects: Subjects
    scope: Scope
    profile_values: Callable[[dict[Node, str]], pl.DataFrame]
    sum_is_safe: Callable[[tuple[str, ...], str], bool]

    @cached_property
    def now(self) -> int:
        """The last instant that counts."""
        return self.scope.now


@dataclass(frozen=True, slots=True)
class Prepared:
    """Event rows that conditions can be asked of.

    Attributes:
        frame: One row per event.
        scope: Knows the helper columns.
        lo: All rows are at or after it; None when open.
        in_order: As in `Rows`.
    """

    frame: Frame
    scope: Scope
    lo: int | None
    in_order: bool

    def filtered(self, mask: nw.Expr | None) -> Prepared:
        """Only rows where the mask is true."""
        return self if mask is None else replace(self, frame=self.frame.filter(mask))


@dataclass(frozen=True, slots=True)
class Selection:
    """Which events count: window and condition of a metric or step."""

    window: Window | None
    bounds: tuple[tuple[str, ir.Expression], ...]
    where: ir.Predicate | None

    @staticmethod
    def of(asked: ir.Metric | ir.Step) -> Selection:
        """Of a metric or a step."""
        return Selection(asked.window, asked.bounds, asked.where)

    def span(self, scope: Scope) -> Span:
        """Its instants, nothing after as_of."""
        # An anniversary has days of any year.
        window = None if isinstance(self.window, Anniversary) else self.window
        return scope.span(window, clip=True)

    def nodes(self) -> tuple[Node, ...]:
        """What it reads."""
        return tuple(value for _, value in self.bounds) + (() if self.where is None else (self.where,))

    def mask(self, rows: Prepared) -> nw.Expr | None:
        """The test of a row; None if all rows fit; unknown is no match."""
        inside = self.span(rows.scope)
        ts = nw.col("ts")
        tests: list[nw.Expr] = []
        if inside.lo is not None and inside.lo != rows.lo:
            tests.append(ts >= rows.scope.moving(inside.lo, "event", self.window, "lo"))
        # A prepared plan has a row later than as_of for each profile, lest any be missing among its answers.
        if rows.scope.bounds is not None:
            tests.append(ts <= rows.scope.instant())
        if inside.hi is not None and inside.hi != rows.scope.now:
            tests.append(ts <= rows.scope.moving(inside.hi, "event", self.window, "hi"))
        tests += trait_tests(ts, self.window, dict(self.bounds), rows.scope)
        if isinstance(self.window, Anniversary):
            tests.append(to_predicate(ir.InWindow(ir.EventTime(), self.window), rows.scope))
        if self.where is not None:
            tests.append(to_predicate(self.where, rows.scope))
        if len(tests) < 2:
            return tests[0] if tests else None
        return nw.all_horizontal(*tests, ignore_nulls=False)


def prepare(
    reading: Reading,
    kinds: tuple[str, ...],
    nodes: Iterable[Node],
    spans: Sequence[Span],
    *,
    same: tuple[tuple[str, ValueType], ...] = (),
    order: bool = False,
    kind: bool = False,
) -> Prepared:
    """Rows of some kinds with all that the nodes need.

    Args:
        reading: What the evaluation shares.
        kinds: Event kinds, or one trait's history.
        nodes: Conditions and values that will be asked of the rows.
        spans: Instants wanted; the rows cover the widest.
        same: Properties that must be columns although no node names them.
        order: Also the columns that break ties in time.
        kind: Also the column `kind`.
    """
    asked = tuple(nodes)
    wish = wish_for(reading, kinds, asked, spans, same=same, order=order, kind=kind)
    lo, rows = wish.lo, reading.reader.scan(wish)
    scope = replace(reading.scope, dialect=reading.reader.dialect, lo=max(reading.scope.lo, lo or reading.scope.lo))
    prepared = Prepared(rows.frame, scope, lo, rows.in_order)
    prepared = _with_profile_values(prepared, asked, reading)
    prepared = _with_days(prepared, asked)
    frame, scope = with_elements(prepared.frame, asked, prepared.scope, reading.reader)
    return Prepared(frame, scope, lo, prepared.in_order and frame is prepared.frame)


def wish_for(
    reading: Reading,
    kinds: tuple[str, ...],
    nodes: Iterable[Node],
    spans: Sequence[Span],
    *,
    same: tuple[tuple[str, ValueType], ...] = (),
    order: bool = False,
    kind: bool = False,
) -> Scan:
    """What `prepare` reads; for the arguments see there."""
    properties = {(node.name, node.type): None for root in nodes for node in _properties(root)}
    lo, hi = _widest(spans, reading.now) if reading.scope.bounds is None else (None, reading.now)
    return Scan(kinds, tuple(properties | dict.fromkeys(same)), reading.subjects, lo, hi, order=order, kind=kind)


def day_column(rows: Prepared) -> nw.Expr:
    """The local day of a row."""
    return to_expr(_TODAY, rows.scope)


def profile_nodes(node: Node) -> Iterable[Node]:
    """The largest nodes inside that ask of the profile alone."""
    below = list(walk(node))
    if not any(isinstance(part, _PROFILE_NODES) for part in below):
        return
    is_value = not isinstance(node, ir.Metric | ir.Measure | ir.Followed | ir.Step | ir.Sequence)
    if isinstance(node, _PROFILE_NODES) or (is_value and not any(isinstance(part, _EVENT_NODES) for part in below)):
        yield node
        return
    for part in parts(node):
        yield from profile_nodes(part)


def _properties(node: Node) -> Iterator[ir.EventProperty]:
    # What a profile's own metric reads is answered already; its events may be of other kinds.
    if isinstance(node, ir.EventProperty):
        yield node
    if not isinstance(node, ir.MetricValue | ir.HasSequence | ir.Score):
        for part in parts(node):
            yield from _properties(part)


def _widest(spans: Sequence[Span], now: int) -> tuple[int | None, int]:
    known = [inside for inside in spans if not inside.is_empty]
    if not known:
        return now + 1, now
    lows = [inside.lo for inside in known if inside.lo is not None]
    return (min(lows) if len(lows) == len(known) else None), max(now if s.hi is None else s.hi for s in known)


def _with_profile_values(rows: Prepared, nodes: Sequence[Node], reading: Reading) -> Prepared:
    wanted = dict.fromkeys(found for node in nodes for found in profile_nodes(node))
    if not wanted:
        return rows
    names = {node: f"profile:{number}" for number, node in enumerate(wanted)}
    values = reading.reader.table(reading.profile_values(names))
    frame = rows.frame.join(values, on="subject", how="inner")
    return Prepared(frame, rows.scope.knowing(names), rows.lo, in_order=False)


def _with_days(rows: Prepared, nodes: Sequence[Node]) -> Prepared:
    """The local day once, where several conditions read it."""
    periods = ("days", "weeks", "months", "years")
    uses = [
        node
        for root in nodes
        for node in walk(root)
        if (isinstance(node, ir.EventTimePart) and node.part != "hour")
        or (isinstance(node, ir.Measure) and node.function in periods)
    ]
    if not uses:
        return rows
    frame = rows.frame.with_columns(to_expr(_TODAY, rows.scope).alias("local_day"))
    return replace(rows, frame=frame, scope=rows.scope.knowing({_TODAY: "local_day"}))


def same_columns(same: tuple[tuple[str, ValueType], ...]) -> list[str]:
    """Columns of the properties that tie events together."""
    return [stored_column(name, of) for name, of in same]
