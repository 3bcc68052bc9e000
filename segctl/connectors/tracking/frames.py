"""Messages as a frame that typing reads: one row per message, one column per name that the declaration wants."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

from segctl.connectors.files.json_columns import column
from segctl.connectors.tracking.base import Message

Getter = Callable[[Message], Any]
ROOTS = ("record", "properties", "traits")


def frame_of(messages: Sequence[Message], names: Sequence[str]) -> pl.DataFrame:
    """One column for each name, typed where all values agree; a name nobody knows gives nulls."""
    columns = {}
    for name in names:
        get = getter(name)
        columns[name] = column([get(message) for message in messages])
    return pl.DataFrame(columns)


def getter(name: str) -> Getter:
    """How a column's value is read: a field of the message, else a property or trait; a path where it has dots."""
    root, _, rest = name.partition(".")
    if root in ROOTS and rest:
        return _at(root, rest.split("."))
    if name == "properties":
        return _left_over
    if "." in name:
        return _at("properties", name.split("."))

    def get(message: Message) -> Any:  # noqa: ANN401 - a value of any type
        found = message.get(name)
        if found is None:
            inner = message.get("properties") or message.get("traits")
            return inner.get(name) if inner else None
        return found

    return get


def _left_over(message: Message) -> str | None:
    """All properties as JSON text."""
    properties = message.get("properties")
    return json.dumps(properties, ensure_ascii=False, default=str, sort_keys=True) if properties else None


def _at(root: str, path: list[str]) -> Getter:
    def get(message: Message) -> Any:  # noqa: ANN401 - a value of any type
        found = message.get(root)
        for part in path:
            if not isinstance(found, dict):
                return None
            found = found.get(part)
        return found

    return get
