"""`for_each`: sister segments written out from one file, one for each item of a list.

Placeholders such as `{category}` stand in values. One that is the whole value is replaced by the item's own node, so a
number stays a number and a list a list; inside a longer text it is replaced by the item's text.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from segctl.compile.bind import forms
from segctl.compile.bind.scope import Scope, shown
from segctl.compile.files import is_inside
from segctl.compile.source import ListNode, Mapping, Node, Scalar
from segctl.compile.suggest import as_name, nearest
from segctl.model.dataclass import dataclass

MOST_SISTERS = 1_000
_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([a-z][a-z0-9_]*)\}")
_WHOLE = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_EXAMPLE = "write `for_each: {category: [Sneaker, Stiefel]}`, or a list of mappings"


@dataclass(frozen=True, slots=True)
class Sister:
    """One segment of a file.

    Attributes:
        node: As if it stood in a file of its own.
        is_written_out: It comes from `for_each`.
    """

    node: Node
    is_written_out: bool = False


Item = dict[str, Node]


def sisters(root: Node, scope: Scope) -> list[Sister]:
    """The segments of a file: itself, or with `for_each` one for each item; none where that is wrong."""
    if not isinstance(root, Mapping) or root.key("for_each") is None:
        return [Sister(root)]
    value = root.get("for_each")
    items = _items(value, scope) if value is not None else None
    name = root.get("segment")
    if items is None:
        return []
    if not isinstance(name, Scalar) or name.is_null:
        forms.required(root, "segment", scope, "the file", example="segment: buyers_of_{category}")
        return []
    if not items or len(items) > MOST_SISTERS:
        message = f"`for_each` makes {len(items):,} segments; it makes 1 to {MOST_SISTERS:,}"
        scope.error("SEG265", message, (root.key("for_each") or name).location)
        return []
    if not _PLACEHOLDER.search(name.text):
        first = next(iter(items[0]))
        message = "all segments of this file have the same name"
        scope.error("SEG265", message, name.location, hint=f"write `segment: {name.text.strip()[:40]}_{{{first}}}`")
        return []
    body = Mapping(tuple((key, of) for key, of in root.entries if key.text != "for_each"), root.location)
    before = len(scope.diagnostics)
    _check_placeholders(body, items[0], scope)
    if len(scope.diagnostics) > before:
        return []
    found = (_sister(body, item, scope) for item in items)
    return [Sister(node, is_written_out=True) for node in found if node is not None]


def list_files(roots: Iterable[Node]) -> tuple[str, ...]:
    """Files of the project that `for_each` reads its items from."""
    found: dict[str, None] = {}
    for root in roots:
        value = root.get("for_each") if isinstance(root, Mapping) else None
        inner = [value, *(of for _, of in value.entries)] if isinstance(value, Mapping) else []
        for node in inner:
            name = node.get("list") if isinstance(node, Mapping) else None
            if isinstance(name, Scalar) and is_inside(name.text.strip()):
                found[name.text.strip()] = None
    return tuple(found)


# --- Items ------------------------------------------------------------------------------------------------
def _items(node: Node, scope: Scope) -> list[Item] | None:
    if isinstance(node, ListNode):
        return _mappings(node, scope)
    found = forms.mapping(node, scope, "`for_each`", hint=_EXAMPLE)
    if found is None:
        return None
    if found.key("list") is not None:
        return _rows(found, scope)
    if len(found.entries) != 1:
        hint = "write a list of mappings: `- {category: Sneaker, minimum: 3}`"
        scope.error("SEG265", "`for_each` has one name with a list of values", found.location, hint=hint)
        return None
    key, values = found.entries[0]
    if forms.name(key, scope, "a placeholder") is None:
        return None
    if isinstance(values, Mapping):
        listed = _file(values, scope)
        return None if listed is None else [{key.text: _from_file(text, key)} for text in listed[1]]
    items = forms.items(values, scope, f"`{key.text}`", hint=_EXAMPLE)
    return None if items is None else [{key.text: item} for item in items]


def _mappings(node: ListNode, scope: Scope) -> list[Item] | None:
    """Items with several fields; all have the same ones."""
    found: list[Item] = []
    for item in node.items:
        fields = forms.mapping(item, scope, "an item of `for_each`", hint="write `- {category: Sneaker, minimum: 3}`")
        if fields is None or any(forms.name(key, scope, "a placeholder") is None for key, _ in fields.entries):
            return None
        found.append({key.text: of for key, of in fields.entries})
    for values, item in zip(found, node.items, strict=True):
        differing = sorted(values.keys() ^ found[0].keys())
        if differing:
            message = f"not every item of `for_each` has `{differing[0][:60]}`"
            scope.error("SEG265", message, item.location, hint="give all items the same fields")
            return None
    return found


def _rows(node: Mapping, scope: Scope) -> list[Item] | None:
    """Items from a CSV file: a field for every column."""
    listed = _file(node, scope, with_columns=True)
    if listed is None:
        return None
    head, lines = listed
    names = [as_name(cell) for cell in head]
    place = node.key("list") or Scalar("list", is_plain=True, location=node.location)
    if len(set(names)) < len(names) or not all(forms.NAME.fullmatch(name) for name in names):
        message = "the first line of the file does not name its columns"
        scope.error("SEG268", message, place.location, hint="write names such as `category` there, each once")
        return None
    cells = (line.split("\x1f") for line in lines)
    return [dict(zip(names, (_from_file(cell, place) for cell in row), strict=True)) for row in cells]


def _from_file(text: str, place: Scalar) -> Scalar:
    """A cell as if it were written where the file is named; it may mean a number."""
    return Scalar(text, is_plain=True, location=place.location)


def _file(node: Mapping, scope: Scope, *, with_columns: bool = False) -> tuple[list[str], list[str]] | None:
    """First line and values of a list file; with columns, the cells of each line joined."""
    keys = ("list",) if with_columns else ("list", "column")
    if not forms.check_keys(node, keys, scope, "a list of `for_each`"):
        return None
    name_node = forms.required(node, "list", scope, "the list", example="list: lists/categories.csv")
    name = forms.text(name_node, scope, "the list's file") if name_node is not None else None
    column_node = node.get("column")
    column = forms.text(column_node, scope, "`column`") if column_node is not None else None
    if name is None or name_node is None or (column_node is not None and column is None):
        return None
    if not is_inside(name):
        message = f"the list {shown(name)} is not a file of the project"
        scope.error("SEG268", message, name_node.location, hint="copy it into the project")
        return None
    try:
        text = (Path(scope.project.root) / name).read_text(encoding="utf-8-sig")
        return _read(text, column, with_columns=with_columns)
    except _NoColumnError as missing:
        near = nearest(missing.name, missing.head)
        hint = f"did you mean `{near}`?" if near else None
        scope.error("SEG268", f"the list `{name}` has no column {shown(missing.name)}", name_node.location, hint=hint)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        why = (error.strerror or "it cannot be opened") if isinstance(error, OSError) else "it is no CSV in UTF-8"
        scope.error("SEG268", f"the list {shown(name)} cannot be read: {why}", name_node.location)
    return None


class _NoColumnError(Exception):
    def __init__(self, name: str, head: list[str]) -> None:
        self.name, self.head = name, head
        super().__init__(name)


def _read(text: str, column: str | None, *, with_columns: bool) -> tuple[list[str], list[str]]:
    delimiter = ";" if ";" in text.partition("\n")[0] else ","
    rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True) if any(row)]
    head = [cell.strip() for cell in rows[0]] if rows else []
    if with_columns:
        full = (([*row, *([""] * len(head))])[: len(head)] for row in rows[1:])
        return head, ["\x1f".join(cell.strip() for cell in row) for row in full]
    if column is None and len(head) < 2:
        values = [row[0].strip() for row in rows]
    else:
        if column is not None and column not in head:
            raise _NoColumnError(column, head)
        at = 0 if column is None else head.index(column)
        values = [row[at].strip() for row in rows[1:] if len(row) > at]
    return head, list(dict.fromkeys(filter(None, values)))


# --- Placeholders -----------------------------------------------------------------------------------------
def _check_placeholders(node: Node, item: Item, scope: Scope) -> None:
    """Every placeholder is a field of the items, and stands in quotes."""
    if isinstance(node, ListNode):
        for inner in node.items:
            _check_placeholders(inner, item, scope)
    elif isinstance(node, Mapping):
        only = node.entries[0] if len(node.entries) == 1 else None
        if only is not None and isinstance(only[1], Scalar) and only[1].is_null and only[0].text in item:
            message = f"`{{{only[0].text}}}` without quotes is a mapping"
            scope.error("SEG266", message, node.location, hint=f'write `"{{{only[0].text}}}"`')
            return
        for key, value in node.entries:
            if any(name in item for name in _names(key.text)):
                scope.error("SEG266", f"a placeholder stands in a key: {shown(key.text)}", key.location)
            _check_placeholders(value, item, scope)
    else:
        for name in _names(node.text):
            if name not in item:
                hint = scope.meant(name, tuple(item), otherwise="write `{{` and `}}` for braces in a text")
                scope.error("SEG266", f"`{{{name[:60]}}}` is no field of `for_each`", node.location, hint=hint)


def _names(text: str) -> Iterator[str]:
    return (found[1] for found in _PLACEHOLDER.finditer(text) if found[1] is not None)


def _sister(body: Mapping, item: Item, scope: Scope) -> Node | None:
    name = body.get("segment")
    if not isinstance(name, Scalar):
        return None
    place = next((of.location for field, of in item.items() if field in set(_names(name.text))), name.location)
    own = _text(name, item, scope, as_name)
    if own is None:
        return None
    if not forms.NAME.fullmatch(own):
        message = f"{shown(own)} is not a name; names have small letters a–z, digits and `_`, 63 characters at most"
        scope.error("SEG267", message, place, hint="give the items a field of their own for the name")
        return None
    named = Scalar(own, is_plain=True, location=place)
    entries = [(key, named if key.text == "segment" else _filled(of, item, scope)) for key, of in body.entries]
    if any(of is None for _, of in entries):
        return None
    return Mapping(tuple((key, of) for key, of in entries if of is not None), body.location)


def _filled(node: Node, item: Item, scope: Scope) -> Node | None:
    """A node with its placeholders replaced; None where an item does not fit into a text."""
    if isinstance(node, ListNode):
        items = tuple(_filled(inner, item, scope) for inner in node.items)
        return None if None in items else ListNode(tuple(x for x in items if x is not None), node.location)
    if isinstance(node, Mapping):
        entries = tuple((key, _filled(of, item, scope)) for key, of in node.entries)
        if any(of is None for _, of in entries):
            return None
        return Mapping(tuple((key, of) for key, of in entries if of is not None), node.location)
    whole = _WHOLE.fullmatch(node.text)
    if whole is not None:
        return item[whole[1]]
    if not _PLACEHOLDER.search(node.text):
        return node
    text = _text(node, item, scope, lambda text: text)
    return None if text is None else Scalar(text, node.is_plain, node.location, node.comment)


def _text(node: Scalar, item: Item, scope: Scope, spelled: Callable[[str], str]) -> str | None:
    """A text with the texts of an item in place of the placeholders."""
    values: dict[str, str] = {}
    for name in _names(node.text):
        value = item[name]
        if not isinstance(value, Scalar):
            what = forms.kind_of(value)
            scope.error("SEG266", f"`{name}` is {what}; inside a text stands a single value", value.location)
            return None
        values[name] = spelled(value.text)

    def replaced(found: re.Match[str]) -> str:
        return values[found[1]] if found[1] is not None else found[0][0]

    return _PLACEHOLDER.sub(replaced, node.text)


def no_sisters(root: Node, scope: Scope) -> bool:
    """True for a file of one segment; one with `for_each` is reported where one segment is asked for."""
    key = root.key("for_each") if isinstance(root, Mapping) else None
    if key is None:
        return True
    hint = "name one of its segments, as `segctl ls segments` lists them"
    scope.error("SEG269", "the file makes several segments", key.location, hint=hint)
    return False
