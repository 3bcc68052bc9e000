"""When the tests of rows can change as time goes on: windows of values, ages, elements of lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeGuard

import narwhals.stable.v2 as nw
import numpy as np
import polars as pl

from segctl.compile import ir
from segctl.compile.moving_bounds import moving_bounds
from segctl.compile.plan import Node, parts
from segctl.compile.trace_flips import FOREVER
from segctl.engines.elements import taken_apart
from segctl.engines.expressions import instant, local_day_of, to_expr
from segctl.engines.frames import Frame, polars_of
from segctl.engines.next_change_ages import AGEING, Values, has_ages, stays_until
from segctl.engines.next_change_times import anniversary_flips, window_flips
from segctl.engines.scope import Scope
from segctl.model.times import Anniversary, Window

if TYPE_CHECKING:
    from segctl.engines.next_change_times import Us

_OFF = pl.QueryOptFlags.none()
_PRESENT = "present:"
_ANSWERED = (ir.MetricValue, ir.HasSequence, ir.HasCommonValue, ir.Score)
_TESTS = (ir.Compare, ir.In, ir.Exists, ir.TextTest, ir.FoldedIn, ir.Near)
Atom = ir.InWindow | ir.AnyElement | ir.Compare | ir.In | ir.Exists | ir.TextTest | ir.FoldedIn | ir.Near


def moving_atoms(node: Node) -> Iterator[Atom]:
    """The tests below a node whose answers move with time while all values stay; not those inside metrics."""
    if is_moving_atom(node):
        yield node
    elif not isinstance(node, _ANSWERED):
        for part in parts(node):
            yield from moving_atoms(part)


def is_moving_atom(node: Node) -> TypeGuard[Atom]:
    """True for a test that moves with time by itself."""
    if isinstance(node, ir.InWindow):
        return moves(node.window)
    if isinstance(node, ir.AnyElement):
        return next(moving_atoms(node.item), None) is not None
    return isinstance(node, _TESTS) and has_ages(node)


def moves(window: Window | None) -> bool:
    """A window with a side that moves as time goes on."""
    return isinstance(window, Anniversary) or moving_bounds(window) != (None, None)


def values_of(atom: Node) -> Iterator[ir.Expression]:
    """What an atom's answer is made of and does not move: the values that its rows must have."""
    if isinstance(atom, ir.InWindow | ir.AnyElement):
        yield atom.value
    elif isinstance(atom, AGEING):
        yield atom.of
    else:
        for part in parts(atom):
            if has_ages(part):
                yield from values_of(part)
            else:
                yield part  # type: ignore[misc]  # below a test of ages there are only expressions


class Moving:
    """Tests and values that may be others as time goes on; made once, asked of any rows at any instant."""

    def __init__(self, asked: Iterable[Node]) -> None:
        self._asked = tuple(dict.fromkeys(asked))
        self._last: _Columns | None = None

    @property
    def asked(self) -> tuple[Node, ...]:
        """What they are."""
        return self._asked

    def due(self, frame: pl.DataFrame, scope: Scope) -> Us:
        """For each row the first instant after as_of at which one of the tests or values may be another.

        Args:
            frame: Rows with the columns that `scope` knows.
            scope: Of these rows.
        """
        found = np.full(frame.height, FOREVER)
        if not self._asked:
            return found
        if self._last is None or not self._last.serves(frame, scope):
            self._last = _Columns(frame, scope, self._asked)
        columns = self._last.read(frame)
        for node in self._asked:
            found = np.minimum(found, _due(frame, node, scope, columns))
        return np.asarray(found)


class _Columns:
    """The values that some tests and expressions are made of, all read at once; none of them moves."""

    def __init__(self, frame: pl.DataFrame, scope: Scope, asked: Iterable[Node]) -> None:
        self.unreachable = {id(node) for node in asked if not isinstance(node, ir.AnyElement)
                            and _is_out_of_reach(node, scope)}  # fmt: skip
        within = (node for node in asked if not isinstance(node, ir.AnyElement) and id(node) not in self.unreachable)
        wishes = [wish for node in within for wish in _wishes(node)]
        names = {wish: f"due:{number}" for number, wish in enumerate(dict.fromkeys(wishes))}
        # A value is found by its place in memory: comparing whole trees costs more than reading them.
        self._names = {(id(of), form): names[of, form] for of, form in wishes}
        self._scope, self._schema, self._current = scope, frame.schema, frame
        values = [_FORMS[form](of, scope).alias(names[of, form]) for of, form in names]
        there = [pl.col(name).is_not_null().alias(_PRESENT + name) for name in names.values()]
        number = [pl.col(name).fill_null(0) for name in names.values()]
        # Built once: turning these into expressions of the engine costs more than the rows of a few profiles.
        read: Frame = nw.from_native(pl.defer(lambda: self._current, schema=dict(frame.schema)))
        self._read = polars_of(read.with_columns(*values)).select(*number, *there) if values else None
        self._found = frame

    def serves(self, frame: pl.DataFrame, scope: Scope) -> bool:
        """True if what was built fits other rows."""
        mine = self._scope
        return (
            scope.known is mine.known
            and (scope.zone, scope.lo, scope.hi) == (mine.zone, mine.lo, mine.hi)
            and frame.schema == self._schema
        )

    def read(self, frame: pl.DataFrame) -> _Columns:
        """The same columns of these rows."""
        self._current = self._found = frame
        if self._read is not None:
            self._found = self._read.collect(engine="in-memory", optimizations=_OFF)
        self._current = frame.clear()
        return self

    def of(self, value: ir.Expression, form: str) -> Values:
        """Values in the form of `_FORMS`."""
        name = self._names[id(value), form]
        return Values(self._found.get_column(name).to_numpy(), self._found.get_column(_PRESENT + name).to_numpy())


_FORMS: dict[str, Callable[[ir.Expression, Scope], nw.Expr]] = {
    "real": to_expr, "instant": instant, "day": local_day_of,
}  # fmt: skip


def _wishes(node: Node) -> Iterator[tuple[ir.Expression, str]]:
    """Values that an atom or an expression is made of, with the form it needs them in."""
    if isinstance(node, ir.InWindow):
        yield node.value, "day" if isinstance(node.window, Anniversary) else "instant"
    elif isinstance(node, AGEING):
        yield node.of, "instant" if isinstance(node, ir.DaysSince) else "day"
    else:
        for part in parts(node):
            if has_ages(part):
                yield from _wishes(part)
            else:
                yield part, "real"  # type: ignore[misc]  # below a test of ages there are only expressions


def _due(frame: pl.DataFrame, atom: Node, scope: Scope, columns: _Columns) -> Us:
    if isinstance(atom, ir.AnyElement):
        return _elements_due(frame, atom, scope)
    if id(atom) in columns.unreachable:
        return np.full(frame.height, scope.now + 1)
    if not isinstance(atom, ir.InWindow):
        return stays_until(atom, columns.of, frame.height, scope.now, scope.zone)  # type: ignore[arg-type]  # tests and expressions alone are asked
    if isinstance(atom.window, Anniversary):
        days = columns.of(atom.value, "day")
        found = anniversary_flips(atom.window, days.number, scope.now, scope.zone)
        return np.where(days.present, found, FOREVER)
    times = columns.of(atom.value, "instant")
    return np.where(times.present, window_flips(atom.window, times.number, scope.now, scope.zone), FOREVER)


def _is_out_of_reach(atom: Node, scope: Scope) -> bool:
    """Ages whose parts no row has: beside elements of lists, and of all events beside those of one value."""
    if isinstance(atom, ir.InWindow):
        return False
    if isinstance(atom, ir.OfProfile | ir.Element):
        return has_ages(atom) or isinstance(atom, ir.Element)
    return atom not in scope.known and any(_is_out_of_reach(part, scope) for part in parts(atom))


def _elements_due(frame: pl.DataFrame, atom: ir.AnyElement, scope: Scope) -> Us:
    level = sum(1 for column in scope.known.values() if column.startswith("due:row:"))
    row = f"due:row:{level}"
    numbered: Frame = nw.from_native(frame.with_row_index(row).lazy())
    elements, inner = taken_apart(numbered, atom.value, scope)
    rows = polars_of(elements).collect()
    # Inner lists are told apart from these by the number of levels that the scope knows.
    due = Moving(moving_atoms(atom.item)).due(rows, inner.knowing({ir.IsMember(row): row}))
    found = np.full(frame.height, FOREVER)
    np.minimum.at(found, rows.get_column(row).to_numpy(), due)
    return found
