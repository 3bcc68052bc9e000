"""The settings of a destination's kind: what is written against the options that the kind has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from segctl.compile.destinations import KEYS, Written, is_reference
from segctl.compile.fetching_auth import checked_url
from segctl.compile.fetching_secrets import bind_secret
from segctl.compile.source import ListNode, Node, Scalar
from segctl.compile.source import Mapping as MappingNode
from segctl.compile.source_nodes import Reader
from segctl.compile.suggest import did_you_mean, one_of
from segctl.model.destinations import Destination, Option
from segctl.model.diagnostics import Diagnostic, Location

_CODE = "SEG892"
_INTEGER = re.compile(r"[+-]?\d{1,15}\Z")
_NUMBER = re.compile(r"[+-]?\d{1,15}(?:\.\d{1,15})?\Z")
_TRUTHS = {"true": True, "false": False, "yes": True, "no": False, "on": True, "off": False}
_FORM = {
    "text": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "`true` or `false`",
    "url": "an address",
    "choice": "one of a few words",
    "list": "a list",
    "mapping": "a mapping of keys and values",
}


def bind_options(destination: Destination, options: Iterable[Option]) -> tuple[dict[str, Any], list[Diagnostic]]:
    """The settings by name, defaults included, and what is wrong with them.

    Args:
        destination: As bound, its `options` still `Written`.
        options: Of its kind.
    """
    reader, known = Reader(), {option.name: option for option in options}
    found: dict[str, Any] = {name: option.default for name, option in known.items() if option.default is not None}
    written: Mapping[str, Written] = {name: one for name, one in destination.options.items() if name not in KEYS}
    # Whether plain HTTP is allowed is asked of any address, wherever the key stands.
    plain_http = _truth(written.get("allow_http")) is True
    for name, one in written.items():
        option = known.get(name)
        if option is None:
            message = f"`{name[:60]}` is not a key of a destination of the kind `{destination.kind}`"
            hint = did_you_mean(name, (*KEYS, *known)) or f"`segctl help destination-{destination.kind}` lists them"
            reader.error(_CODE, one.key, message, hint=hint)
            continue
        value = _value(one, option, reader, plain_http=plain_http)
        if value is not None:
            found[name] = value
    place = destination.location or Location("")
    for name, option in known.items():
        if option.required and name not in written:
            example = "{env: NAME}" if option.type == "secret" else option.choices[0] if option.choices else "…"
            message = f"a destination of the kind `{destination.kind}` needs `{name}`"
            reader.error(_CODE, place, f"{message}: {option.help}", hint=f"add `{name}: {example}`")
    return found, reader.diagnostics


def _value(written: Written, option: Option, reader: Reader, *, plain_http: bool) -> Any:  # noqa: ANN401 - by its type
    node, name = written.value, option.name
    if option.type == "secret":
        return bind_secret(node, f"`{name}`", reader)
    if option.type == "list":
        return _list(node, name, reader)
    if option.type == "mapping":
        if isinstance(node, MappingNode):
            return {key.text: free(value) for key, value in node.entries}
        return _unfit(written, option, reader)
    if not isinstance(node, Scalar) or node.is_null or not node.text.strip():
        return _unfit(written, option, reader)
    text = node.text.strip()
    if option.type == "url":
        return checked_url(text, node, reader, plain_http=plain_http)
    if option.type == "choice":
        if text in option.choices:
            return text
        hint = did_you_mean(text, option.choices) or f"write {one_of(option.choices, 'or')}"
        reader.error(_CODE, node, f"`{name}` cannot be `{text[:60]}`", hint=hint)
        return None
    value = _plain(text, option.type)
    return _unfit(written, option, reader) if value is None else value


def _plain(text: str, type_: str) -> Any:  # noqa: ANN401 - by its type
    """The value of a scalar, None when it is none of the type."""
    if type_ == "integer":
        return int(text) if _INTEGER.match(text) else None
    if type_ == "number":
        return float(text) if _NUMBER.match(text) else None
    if type_ == "boolean":
        return _TRUTHS.get(text.lower())
    return text


def _list(node: Node, name: str, reader: Reader) -> tuple[str, ...] | None:
    items = node.items if isinstance(node, ListNode) else (node,)
    if any(not isinstance(item, Scalar) or item.is_null for item in items):
        reader.error(_CODE, node, f"`{name}` is a list of texts", hint=f"write `{name}: [one, another]`")
        return None
    return tuple(item.text.strip() for item in items if isinstance(item, Scalar))


def free(node: Node) -> Any:  # noqa: ANN401 - what YAML holds
    """A value below a mapping: numbers, truths and texts as YAML means them, secrets as references."""
    if isinstance(node, MappingNode):
        if is_reference(node):
            return bind_secret(node, "`secret`", Reader())
        return {key.text: free(value) for key, value in node.entries}
    if isinstance(node, ListNode):
        return tuple(free(item) for item in node.items)
    if node.is_null:
        return None
    if not node.is_plain:
        return node.text
    text = node.text.strip()
    if _INTEGER.match(text) and not re.match(r"[+-]?0\d", text) and not text.startswith("+"):
        return int(text)
    if _NUMBER.match(text) and "." in text and not text.startswith("+"):
        return float(text)
    return {"true": True, "false": False}.get(text.lower(), node.text)


def _unfit(written: Written, option: Option, reader: Reader) -> None:
    reader.error(_CODE, written.value, f"`{option.name}` is {_FORM[option.type]}", hint=option.help)


def _truth(written: Written | None) -> bool | None:
    is_scalar = written is not None and isinstance(written.value, Scalar)
    return _TRUTHS.get(written.value.text.strip().lower()) if is_scalar else None  # type: ignore[union-attr]  # it is one
