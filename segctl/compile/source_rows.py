"""Binding of `related` in a source: the table its rows are of, what names a row, where its properties come from."""

from __future__ import annotations

from segctl.compile.source import ListNode, Mapping, Node
from segctl.compile.source_nodes import nearest
from segctl.compile.source_rules import Surroundings, bind_expression, bind_target
from segctl.model.project import RelatedTable
from segctl.model.sources import Expression, RowsRule, Target

KEYS = ("table", "id", "properties")
_EXAMPLE = "write `{table: tickets, id: Nr, properties: {status: Status}}`"


def bind_rows_rule(node: Node | None, around: Surroundings) -> RowsRule | None:
    """The value of `related`; None without it, or when its table is not known."""
    if node is None:
        return None
    reader = around.reader
    found = reader.mapping(node, "`related`", KEYS)
    if found is None:
        return None
    table = _table(found, around)
    identity = _identity(found, around)
    if table is None:
        return None
    return RowsRule(table.name, identity, _properties(found.get("properties"), table, around))


def _table(node: Mapping, around: Surroundings) -> RelatedTable | None:
    value = node.get("table")
    if value is None:
        around.reader.error("SEG300", node, "`related` has no `table`", hint=_EXAMPLE)
        return None
    name = around.reader.text(value, "`table`") or ""
    table = around.project.table(name)
    if table is None:
        hint = nearest(name, [one.name for one in around.project.related])
        around.reader.error("SEG301", value, f"`{name}` is not a declared related table", hint=hint)
    return table


def _identity(node: Mapping, around: Surroundings) -> tuple[Expression, ...]:
    value = node.get("id")
    if value is None:
        around.reader.error("SEG300", node, "`related` has no `id`", hint="name the column that names a row: `id: Nr`")
        return ()
    items = value.items if isinstance(value, ListNode) else (value,)
    bound = [bind_expression(item, around.reader) for item in items]
    return tuple(expression for expression in bound if expression is not None)


def _properties(node: Node | None, table: RelatedTable, around: Surroundings) -> tuple[Target, ...]:
    declared = dict(table.properties)
    targets = []
    for name, value in around.reader.named(node, "`properties`"):
        if name.text not in declared:
            hint = nearest(name.text, list(declared))
            message = f"`{name.text}` is not a declared property of `{table.name}`"
            around.reader.error("SEG301", name, message, hint=hint)
            continue
        target = bind_target(name, value, declared[name.text], around)
        if target is not None:
            targets.append(target)
    return tuple(targets)
