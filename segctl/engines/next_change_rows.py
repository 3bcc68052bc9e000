"""When the tests of rows can change as time goes on: windows of values, ages, elements of lists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
from segctl.engines.frames import polars_of
from segctl.engines.next_change_ages import AGEING, Values, has_ages, stays_until
from segctl.engines.next_change_times import anniversary_flips, window_flips
from segctl.engines.scope import Scope
from segctl.model.times import Anniversary, Window

if TYPE_CHECKING:
    from segctl.engines.next_change_times import Us

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


def atoms_due(frame: pl.DataFrame, atoms: Iterable[Atom], scope: Scope) -> Us:
    """For each row the first instant after as_of at which one of some tests may answer otherwise.

    Args:
        frame: Rows with the columns that `scope` knows.
        atoms: As `moving_atoms` gives them.
        scope: Of these rows.
    """
    found = np.full(frame.height, FOREVER)
    for atom in dict.fromkeys(atoms):
        found = np.minimum(found, _due(frame, atom, scope))
    return np.asarray(found)


def expression_due(frame: pl.DataFrame, node: ir.Expression, scope: Scope) -> Us:
    """For each row the first instant at which a value with ages in it is another one."""
    return np.full(frame.height, FOREVER) if not has_ages(node) else _ages_due(frame, node, scope)


def _due(frame: pl.DataFrame, atom: Atom, scope: Scope) -> Us:
    if isinstance(atom, ir.InWindow):
        return _window_due(frame, atom, scope)
    if isinstance(atom, ir.AnyElement):
        return _elements_due(frame, atom, scope)
    if _is_out_of_reach(atom, scope):
        return np.full(frame.height, scope.now + 1)
    return _ages_due(frame, atom, scope)


def _ages_due(frame: pl.DataFrame, node: ir.Predicate | ir.Expression, scope: Scope) -> Us:
    def column(of: ir.Expression, form: str) -> Values:
        forms = {"instant": instant, "day": local_day_of}
        return _values(_column(frame, forms.get(form, to_expr)(of, scope)))

    return stays_until(node, column, frame.height, scope.now, scope.zone)


def _is_out_of_reach(atom: Node, scope: Scope) -> bool:
    """Ages whose parts no row has: of elements of lists, and of all events beside those of one value."""
    if isinstance(atom, ir.OfProfile | ir.Element):
        return has_ages(atom) or isinstance(atom, ir.Element)
    return atom not in scope.known and any(_is_out_of_reach(part, scope) for part in parts(atom))


def _window_due(frame: pl.DataFrame, atom: ir.InWindow, scope: Scope) -> Us:
    if isinstance(atom.window, Anniversary):
        days = _values(_column(frame, local_day_of(atom.value, scope)))
        found = anniversary_flips(atom.window, days.number, scope.now, scope.zone)
        return np.where(days.present, found, FOREVER)
    times = _values(_column(frame, instant(atom.value, scope)))
    return np.where(times.present, window_flips(atom.window, times.number, scope.now, scope.zone), FOREVER)


def _elements_due(frame: pl.DataFrame, atom: ir.AnyElement, scope: Scope) -> Us:
    level = sum(1 for column in scope.known.values() if column.startswith("due:row:"))
    row = f"due:row:{level}"
    numbered: nw.LazyFrame[pl.LazyFrame] = nw.from_native(frame.with_row_index(row).lazy())
    elements, inner = taken_apart(numbered, atom.value, scope)
    rows = polars_of(elements).collect()
    # Inner lists are told apart from these by the number of levels that the scope knows.
    due = atoms_due(rows, moving_atoms(atom.item), inner.knowing({ir.IsMember(row): row}))
    found = np.full(frame.height, FOREVER)
    np.minimum.at(found, rows.get_column(row).to_numpy(), due)
    return found


def _column(frame: pl.DataFrame, value: nw.Expr) -> pl.Series:
    # Beside the other columns a constant has as many rows as they.
    asked = nw.from_native(frame.lazy()).with_columns(value.alias("due:value")).select("due:value")
    return polars_of(asked).collect().get_column("due:value")


def _values(column: pl.Series) -> Values:
    present = column.is_not_null().to_numpy()
    filled = column.fill_null(0)
    return Values(filled.to_numpy(), present)
