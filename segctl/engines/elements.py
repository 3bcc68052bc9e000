"""Tests of list elements: lists are taken apart, their elements tested, and the answer joined back to the row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import narwhals.stable.v2 as nw

from segctl.compile import ir
from segctl.compile.plan import Node, parts
from segctl.engines.expressions import to_expr
from segctl.engines.frames import Frame
from segctl.engines.predicates import to_predicate
from segctl.engines.reading import Reader
from segctl.engines.scope import Scope


def with_elements(frame: Frame, nodes: Iterable[Node], scope: Scope, reader: Reader) -> tuple[Frame, Scope]:
    """The frame with a column for each `AnyElement` in the nodes, and a scope that knows them.

    Tests inside `HasCommonValue` and metrics are left to those who evaluate these.
    """
    tests = list(dict.fromkeys(test for node in nodes for test in _tests(node)))
    if not tests:
        return frame, scope
    level = sum(1 for column in scope.known.values() if column.startswith("row:"))
    row = f"row:{level}"
    frame = reader.numbered(frame, row)
    known: dict[Node, str] = {}
    for number, test in enumerate(tests):
        column = f"element:{level}:{number}"
        frame = _joined(frame, test, column, row, scope, reader)
        known[test] = column
    return frame, scope.knowing(known)


def _tests(node: Node) -> Iterator[ir.AnyElement]:
    if isinstance(node, ir.AnyElement):
        yield node
    elif not isinstance(node, ir.MetricValue | ir.HasSequence | ir.HasCommonValue | ir.Score):
        for part in parts(node):
            yield from _tests(part)


def _joined(frame: Frame, test: ir.AnyElement, column: str, row: str, scope: Scope, reader: Reader) -> Frame:
    elements, inner = taken_apart(frame, test.value, scope)
    # The number of levels above is kept in the scope, so rows of inner lists get numbers of their own.
    inner = inner.knowing({ir.IsMember(row): row})
    elements, inner = with_elements(elements, [test.item], inner, reader)
    found = elements.filter(to_predicate(test.item, inner)).select(row).unique().with_columns(nw.lit(1).alias(column))
    joined = frame.join(found, on=row, how="left")
    answer = nw.when(~to_expr(test.value, scope).is_null()).then(~nw.col(column).is_null())
    return joined.with_columns(answer.alias(column))


def taken_apart(frame: Frame, of: ir.Expression, scope: Scope) -> tuple[Frame, Scope]:
    """A row for each element of a list, in the column ``element``, and a scope that knows it."""
    element_type = of.type.element
    if element_type is None:
        raise TypeError("only lists have elements")
    lists = frame.with_columns(to_expr(of, scope).alias("element")).filter(~nw.col("element").is_null())
    elements = lists.filter(nw.col("element").list.len() > 0).explode("element")
    return elements, scope.knowing({ir.Element(element_type): "element"})
