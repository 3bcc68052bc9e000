"""Rules changed as text: a further condition, a longer window, one condition less; comments and order stay as they are.

Each function gives the file's new text, or None where that cannot be done safely.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from segctl.compile.edits import edited
from segctl.compile.rules.base import Edit
from segctl.compile.source import ListNode, Mapping, Node, Scalar, compose

_LENGTH = re.compile(r"(?P<amount>[1-9][0-9]{0,5})(?P<blank> +)(?P<unit>(?:calendar +)?[a-z]+)")
_DAYS = {"day": 1, "week": 7, "month": 30, "year": 365, "hour": 1 / 24, "minute": 1 / 1440}
_NEGATIVE = ("not", "none", "then_not")


def narrowed(text: str, condition: str) -> str | None:
    """The rule with a condition in YAML's flow style that must be true as well."""
    where = _where(text)
    if where is None:
        return None
    key, value = where
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    end = _end(lines, key.location.line)
    items = value.get("all") if len(value.entries) == 1 else None
    if isinstance(items, ListNode) and _is_block(lines, items):
        indent = " " * (items.items[-1].location.column - 3)
        return _checked("".join([*lines[:end], f"{indent}- {condition}\n", *lines[end:]]))
    body = _wrapped(lines, key, value, end)
    return None if body is None else _checked(
        "".join([*lines[: key.location.line - 1], *body, f"    - {condition}\n", *lines[end:]])
    )  # fmt: skip


def widened(text: str) -> tuple[str, str, str] | None:
    """The rule with its shortest window of the past twice as long, with the window before and after."""
    where = _where(text)
    windows = [] if where is None else sorted(_windows(where[1]), key=lambda one: one[0])
    if not windows:
        return None
    _, scalar, longer = windows[0]
    content, made = edited(text.encode(), [Edit(scalar.location, scalar.text, longer)])
    found = _checked(content.decode()) if made else None
    return None if found is None else (found, scalar.text, longer)


def without(text: str, line: int) -> str | None:
    """The rule without the condition that begins on a line, where it is one of several in a list of its own lines."""
    where = _where(text)
    if where is None:
        return None
    lines = text.splitlines(keepends=True)
    for node in _lists(where[1]):
        if len(node.items) < 2 or not _is_block(lines, node):
            continue
        for place, item in enumerate(node.items):
            if item.location.line == line:
                following = node.items[place + 1].location.line - 1 if place + 1 < len(node.items) else None
                until = _item_end(lines, item) if following is None else following
                return _checked("".join([*lines[: line - 1], *lines[until:]]))
    return None


def swapped(text: str, section: str, first: str, second: str) -> str | None:
    """The file with two names exchanged in each list of a section that has both."""
    root, findings = compose(text, "segctl.yaml")
    block = root.get(section) if isinstance(root, Mapping) and not findings else None
    edits = []
    for _, value in block.entries if isinstance(block, Mapping) else ():
        names = (
            {item.text: item for item in value.items if isinstance(item, Scalar)} if isinstance(value, ListNode) else {}
        )
        if first in names and second in names:
            edits += [Edit(names[first].location, first, second), Edit(names[second].location, second, first)]
    content, made = edited(text.encode(), edits)
    return content.decode() if edits and len(made) == len(edits) else None


# --- Parts ------------------------------------------------------------------------------------------------
def _where(text: str) -> tuple[Scalar, Mapping] | None:
    """The key and the value of `where` in the file of one segment."""
    root, findings = compose(text, "segment.yaml")
    if findings or not isinstance(root, Mapping) or root.get("for_each") is not None:
        return None
    key, value = root.key("where"), root.get("where")
    return (key, value) if key is not None and isinstance(value, Mapping) and key.location.column == 1 else None


def _checked(text: str) -> str | None:
    return text if _where(text) is not None else None


def _end(lines: list[str], line: int) -> int:
    """Index of the line after the block that a key on a line begins, without blank lines and comments at its end."""
    end = line
    for number in range(line, len(lines)):
        written = lines[number]
        if written.strip() and not written.startswith((" ", "\t", "#", "-")):
            break
        if written.strip() and not written.startswith("#"):
            end = number + 1
    return end


def _is_block(lines: list[str], node: ListNode) -> bool:
    """Every item stands on a line of its own behind a dash."""
    return all(
        lines[item.location.line - 1][: item.location.column - 1].strip() == "-"
        and lines[item.location.line - 1][item.location.column - 3 : item.location.column - 1] == "- "
        for item in node.items
    )


def _wrapped(lines: list[str], key: Scalar, value: Mapping, end: int) -> list[str] | None:
    """The lines of `where` as the first item of a list under `all`."""
    begin, first = key.location.line - 1, value.location
    if first.line == key.location.line:
        head = lines[begin][: first.column - 1]
        if head.strip() != "where:":
            return None
        rest = [f"      {line}" for line in lines[begin + 1 : end]]
        return ["where:\n", "  all:\n", f"    - {lines[begin][first.column - 1 :]}", *rest]
    indent = first.column - 1
    body = ["where:\n", "  all:\n"]
    for number in range(begin + 1, end):
        line = lines[number]
        inner = line[indent:] if line[:indent].strip() == "" else line.lstrip()
        mark = "    - " if number == first.line - 1 else "      "
        body.append(f"{mark}{inner}" if line.strip() else line)
    return body


def _windows(node: Node, *, is_negated: bool = False) -> Iterator[tuple[float, Scalar, str]]:
    """Length in days, place, and the doubled text of each `within_last` that makes a rule wider when it is longer."""
    if isinstance(node, ListNode):
        for item in node.items:
            yield from _windows(item, is_negated=is_negated)
    if not isinstance(node, Mapping) or _is_upper(node):
        return
    for key, value in node.entries:
        found = _LENGTH.fullmatch(value.text) if isinstance(value, Scalar) else None
        if key.text == "within_last" and found is not None and isinstance(value, Scalar) and not is_negated:
            unit = found["unit"].split()[-1].rstrip("s")
            plural = found["unit"] if found["unit"].endswith("s") else f"{found['unit']}s"
            longer = f"{2 * int(found['amount'])}{found['blank']}{plural}"
            if unit in _DAYS:
                yield int(found["amount"]) * _DAYS[unit], value, longer
        yield from _windows(value, is_negated=is_negated != (key.text in _NEGATIVE))


def _is_upper(node: Mapping) -> bool:
    """A condition that more events make false, such as ``count: {at_most: 0}``."""
    bounds = {"at_most", "below", "equals", "between"}
    return any(
        (isinstance(value, Mapping) and bounds & set(value.names))
        or (key.text == "count" and isinstance(value, Scalar))
        for key, value in node.entries
        if key.text != "where"
    )


def _lists(node: Node) -> Iterator[ListNode]:
    """Lists of conditions under `all`, wherever they stand."""
    if isinstance(node, Mapping):
        for key, value in node.entries:
            if key.text == "all" and isinstance(value, ListNode):
                yield value
            yield from _lists(value)
    elif isinstance(node, ListNode):
        for item in node.items:
            yield from _lists(item)


def _item_end(lines: list[str], item: Node) -> int:
    """Index of the line after the last one of a list's last item."""
    dash, end = item.location.column - 3, item.location.line
    for number in range(item.location.line, len(lines)):
        line = lines[number]
        if line.strip() and len(line) - len(line.lstrip()) <= dash:
            break
        if line.strip():
            end = number + 1
    return end
