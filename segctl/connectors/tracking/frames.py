"""Messages as a frame that typing reads: one row per message, one column per name that the declaration wants."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

from segctl.connectors.files.json_columns import column
from segctl.connectors.tracking.base import Message
from segctl.connectors.tracking.masking import masked_record
from segctl.model.tracking import FIELDS, IP

Getter = Callable[[Message], Any]
_ROOTS = ("record", "properties", "traits")
_FIELDS = frozenset({*FIELDS, IP})
_NOTHING: Message = {}


def frame_of(messages: Sequence[Message], names: Sequence[str]) -> pl.DataFrame:
    """One column for each name, typed where all values agree; a name nobody knows gives nulls."""
    inner = [message.get("properties") or message.get("traits") or _NOTHING for message in messages]
    return pl.DataFrame({name: column(_values(name, messages, inner)) for name in names})


def _values(name: str, messages: Sequence[Message], inner: Sequence[Message]) -> list[Any]:
    """A column's values: a field of the message, else a property or trait of that name; a path where it has dots."""
    get = _path(name)
    if get is not None:
        return [get(message) for message in messages]
    if name not in _FIELDS:
        return [of.get(name) for of in inner]
    values = [message.get(name) for message in messages]
    if None in values:
        return [of.get(name) if value is None else value for value, of in zip(values, inner, strict=True)]
    return values


def _path(name: str) -> Getter | None:
    root, _, rest = name.partition(".")
    if root in _ROOTS and rest:
        return _at(root, rest.split("."))
    if name == "properties":
        return _left_over
    return _at("properties", name.split(".")) if "." in name else None


def _left_over(message: Message) -> str | None:
    """All properties as JSON text; whoever wants an address maps it by name."""
    properties = message.get("properties")
    return masked_record(properties) if properties else None


def _at(root: str, path: list[str]) -> Getter:
    def get(message: Message) -> Any:  # noqa: ANN401 - a value of any type
        found = message.get(root)
        for part in path:
            if not isinstance(found, dict):
                return None
            found = found.get(part)
        return found

    return get
