"""Binding of what makes a source no file: its `kind`, and the settings under the key of that name."""

from __future__ import annotations

import json
from importlib import import_module
from typing import TYPE_CHECKING, Any

from segctl.compile.source import ListNode, Mapping, Node, Scalar
from segctl.compile.source_nodes import nearest
from segctl.model.fetching import Fetch, ForeignFetch

if TYPE_CHECKING:
    from segctl.compile.source_rules import Surroundings

BINDERS: dict[str, str] = {
    "rest": "segctl.compile.fetching_rest:bind_rest",
    "database": "segctl.compile.fetching_database:bind_database",
    "singer": "segctl.compile.fetching_singer:bind_singer",
    "table": "segctl.compile.fetching_table:bind_table",
    "collector": "segctl.compile.fetching_collector:bind_collector",
}
"""Kind → ``module:function``, called with the mapping under the key of that name (None when it is not there), the
whole declaration and the surroundings; it notes what is wrong and gives the declaration, or None."""
FILE_KEYS = ("path", "format", "csv", "json", "sheet")
"""Keys that say something about files."""
_GROUP = "segctl.connectors"


def kind_of(root: Mapping, around: Surroundings) -> str:
    """The source's kind; an unknown one is noted, and is no text at all, so that nothing else is said of it."""
    reader = around.reader
    node = root.get("kind")
    kind = reader.text(node, "`kind`") or "file"
    if kind == "file" or kind in BINDERS or node is None or kind in _foreign_kinds():
        return kind
    known = ("file", *BINDERS, *_foreign_kinds())
    reader.error("SEG304", node, f"`{kind}` is no kind of source", hint=nearest(kind, known))
    return ""


def bind_fetch(kind: str, root: Mapping, around: Surroundings) -> Fetch | None:
    """The fetch declaration of a source of this kind; None for files, and when it is wrong."""
    reader = around.reader
    if not kind:
        return None
    for other in BINDERS:
        key = root.key(other)
        if key is not None and other != kind:
            hint = f"add `kind: {other}`" if kind == "file" else "delete it"
            reader.error("SEG303", key, f"`{other}` is for sources of kind `{other}`", hint=hint)
    if kind == "file":
        return None
    for name in FILE_KEYS:
        key = root.key(name)
        if key is not None:
            reader.error("SEG303", key, f"`{name}` is for files; this source is of kind `{kind}`")
    block = root.get(kind)
    if block is not None and not isinstance(block, Mapping):
        reader.error("SEG300", block, f"`{kind}` must be keys with values")
        return None
    if kind in BINDERS:
        module, _, function = BINDERS[kind].partition(":")
        found: Fetch | None = getattr(import_module(module), function)(block, root, around)
        return found
    return ForeignFetch(kind, json.dumps({} if block is None else plain(block), sort_keys=True))


def plain(node: Node) -> Any:  # noqa: ANN401 - a JSON value
    """The values of a node as written: texts, None, lists, mappings."""
    if isinstance(node, Scalar):
        return None if node.is_null else node.text
    if isinstance(node, ListNode):
        return [plain(item) for item in node.items]
    return {key.text: plain(value) for key, value in node.entries}


def foreign_keys(root: Mapping) -> tuple[str, ...]:
    """The key under which the settings of a kind of another package stand."""
    node = root.get("kind")
    return (node.text,) if isinstance(node, Scalar) and node.text not in BINDERS else ()


def _foreign_kinds() -> list[str]:
    from importlib.metadata import entry_points

    return sorted(point.name for point in entry_points(group=_GROUP))
