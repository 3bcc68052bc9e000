r"""Dotted paths into JSON values: ``data.items``, ``lines.0.id``; a dot in a key is ``\.``."""

from __future__ import annotations

import re
from typing import Any

MISSING = object()
"""Nothing stands there, not even null."""
_DOT = re.compile(r"(?<!\\)\.")


def parts_of(path: str) -> list[str]:
    """The keys of a path."""
    return [part.replace("\\.", ".") for part in _DOT.split(path)] if path else []


def at(value: Any, path: str) -> Any:  # noqa: ANN401 - JSON values
    """What stands at a path, `MISSING` when nothing does; a whole key wins over its reading as a path."""
    if path and isinstance(value, dict) and path in value:
        return value[path]
    for part in parts_of(path):
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return MISSING
    return value


def present(value: Any, path: str) -> Any:  # noqa: ANN401 - JSON values
    """What stands at a path; None when nothing, null or an empty text does."""
    found = at(value, path)
    return None if found is MISSING or found == "" else found


def put(value: Any, path: str, new: Any) -> None:  # noqa: ANN401 - JSON values
    """Puts `new` at a path of nested objects, making those that lack."""
    *above, last = parts_of(path)
    for part in above:
        if not isinstance(value.get(part), dict):
            value[part] = {}
        value = value[part]
    value[last] = new
