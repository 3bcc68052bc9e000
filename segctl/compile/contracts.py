"""Binding of `contract:` and `checks:`: YAML to a JSON Schema with its places, and to checks."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

from segctl.compile.source import ListNode, Mapping, Node, Scalar, compose_file
from segctl.compile.source_nodes import Reader, nearest
from segctl.model.contracts import Check, CheckKind, CheckSeverity, ContractDeclaration
from segctl.model.diagnostics import Location, Severity

KEYS = ("contract", "contract_options", "checks")
_OPTIONS = ("formats", "empty", "new_columns")
_INTEGER = re.compile(r"[-+]?(?:0|[1-9]\d*)\Z")
_NUMBER = re.compile(r"[-+]?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?\Z")
_MOST_DIGITS = 1000
_AMOUNT = re.compile(r"\s*(-?\d{1,15}(?:\.\d{1,9})?)\s*(%)?\s*\Z")
_SPAN = re.compile(r"\s*(\d{1,5})\s*(m|min|minutes?|h|hours?|d|days?|w|weeks?)\s*\Z")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_CHECK_KEYS: dict[str, tuple[str, ...]] = {
    "rows": ("at_least", "at_most", "change"),
    "unique": (),
    "refers": ("column", "to", "at_least"),
    "nulls": ("column", "at_most"),
    "values": ("column", "in", "at_least"),
    "range": ("column", "min", "max"),
    "quantile": ("column", "q", "at_least", "at_most"),
    "fresh": ("column", "within"),
    "monotone": ("column",),
    "sums": ("columns", "equal", "at_most"),
    "drift": ("column", "at_most"),
    "new_values": ("column",),
}
_NEEDED: dict[str, tuple[tuple[str, ...], ...]] = {
    "rows": (("at_least", "at_most", "change"),),
    "refers": (("to",),),
    "nulls": (("at_most",),),
    "values": (("in",),),
    "range": (("min", "max"),),
    "quantile": (("q",), ("at_least", "at_most")),
    "fresh": (("within",),),
    "sums": (("equal",),),
}
"""Of each group a check needs one."""


def bind_contract(root: Mapping, reader: Reader, folder: Path) -> ContractDeclaration | None:
    """The contract of a declaration: inline, or in a file of the project."""
    node = root.get("contract")
    options = reader.mapping(root.get("contract_options"), "`contract_options`", _OPTIONS)
    if node is None:
        if options is not None:
            reader.error("SEG430", options, "`contract_options` stand without a `contract`")
        return None
    found = _read(node, reader, folder) if isinstance(node, Scalar) and not _is_truth(node) else _inline(node)
    if found is None:
        return None
    schema, places = found
    get = (options or Mapping((), node.location)).get
    return ContractDeclaration(
        schema=json.dumps(schema, ensure_ascii=False),
        formats=reader.truth(get("formats"), "`formats`") is not False,
        empty_is_null=reader.choice(get("empty"), "`empty`", ("absent", "null"), "absent") == "null",
        keeps_new_columns=reader.choice(get("new_columns"), "`new_columns`", ("reject", "warn"), "reject") == "warn",
        places=places,
    )


def _is_truth(node: Scalar) -> bool:
    return node.is_plain and node.text in ("true", "false")


def _inline(node: Node) -> tuple[Any, dict[str, Location]]:
    places: dict[str, Location] = {}
    return _json(node, "", places), places


def _read(node: Scalar, reader: Reader, folder: Path) -> tuple[Any, dict[str, Location]] | None:
    path = folder / node.text
    if not path.is_file():
        reader.error("SEG431", node, f"the contract `{node.text}` is not there", hint="paths start at the project")
        return None
    found = schema_file(path, node.text)
    if isinstance(found, str):
        reader.error("SEG431", node, found)
        return None
    return found


def schema_file(path: Path, shown: str) -> tuple[Any, dict[str, Location]] | str:
    """A contract in a file of its own with the places of its parts, or why it cannot be read."""
    if path.suffix == ".json":
        try:
            found = json.loads(path.read_text("utf-8-sig"), object_pairs_hook=_once, parse_int=_whole)
            return found, {"": Location(shown)}
        except RecursionError:
            return f"the contract `{shown}` is nested too deep"
        except (OSError, ValueError) as error:
            return f"the contract `{shown}` is not JSON: {error}"
    node, findings = compose_file(path, shown)
    if node is None or any(finding.severity is Severity.ERROR for finding in findings):
        why = findings[0].message if findings else "it is empty"
        return f"the contract `{shown}` cannot be read: {why}"
    return _inline(node)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON; of a key that stands there twice one would be forgotten in silence."""
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key `{next(key for key in keys if keys.count(key) > 1)}` stands there twice")
    return found


def _whole(text: str) -> int | float:
    """A whole number; one of thousands of digits is beyond all numbers."""
    return int(text) if len(text) < _MOST_DIGITS else float(text)


def _json(node: Node, at: str, places: dict[str, Location]) -> Any:  # noqa: ANN401 - JSON
    places[at] = node.location
    if isinstance(node, ListNode):
        return [_json(item, f"{at}/{i}", places) for i, item in enumerate(node.items)]
    if isinstance(node, Mapping):
        found = {}
        for key, value in node.entries:
            inner = f"{at}/{key.text.replace('~', '~0').replace('/', '~1')}"
            found[key.text] = _json(value, inner, places)
            places[inner] = key.location
        return found
    return _scalar(node)


def _scalar(node: Scalar) -> Any:  # noqa: ANN401 - JSON
    """A value as JSON would read it; only `true` and `false` are truths, and a country `NO` stays one."""
    if not node.is_plain:
        return node.text
    if node.is_null:
        return None
    if node.text in ("true", "false"):
        return node.text == "true"
    if _INTEGER.match(node.text):
        return _whole(node.text)
    return float(node.text) if _NUMBER.match(node.text) else node.text


def bind_checks(node: Node | None, reader: Reader) -> tuple[Check, ...]:
    """The items of `checks`."""
    if node is None:
        return ()
    if not isinstance(node, ListNode):
        reader.error("SEG432", node, "`checks` is a list", hint="write `- unique: [order_no]` below it")
        return ()
    found = [_check(item, reader) for item in node.items]
    return tuple(check for check in found if check is not None)


def _check(node: Node, reader: Reader) -> Check | None:
    hint = f"checks: {', '.join(_CHECK_KEYS)}"
    if not isinstance(node, Mapping):
        reader.error("SEG432", node, "a check is its name with what it wants", hint=hint)
        return None
    kinds = [key for key, _ in node.entries if key.text != "severity"]
    if len(kinds) != 1 or kinds[0].text not in _CHECK_KEYS:
        name = next((key for key in kinds if key.text not in _CHECK_KEYS), None)
        said = f"`{name.text}` is no check" if name else "one item holds one check"
        reader.error("SEG432", name or node, said, hint=nearest(name.text, _CHECK_KEYS) if name else hint)
        return None
    kind = kinds[0].text
    value = cast("Node", node.get(kind))
    severity = reader.choice(node.get("severity"), "`severity`", ("error", "warn"), "error")
    if kind == "unique":
        columns = reader.texts(value, "`unique`")
        return Check("unique", columns, severity=cast("CheckSeverity", severity), location=node.location)
    settings = reader.mapping(value, f"`{kind}`", _CHECK_KEYS[kind])
    return None if settings is None else _with_settings(kind, settings, severity, node, reader)


def _with_settings(kind: str, settings: Mapping, severity: str, node: Mapping, reader: Reader) -> Check | None:
    column = reader.texts(settings.get("column") or settings.get("columns"), "a column")
    other = reader.text(settings.get("to"), "`to`")
    if not column and kind != "rows":
        reader.error("SEG432", settings, f"`{kind}` needs a column", hint=f"write `{kind}: {{column: …}}`")
        return None
    if other is not None and "." not in other:
        reader.error("SEG432", settings, f"`{other}` is no source with a column", hint="write `to: customers.id`")
        return None
    for group in _NEEDED.get(kind, ()):
        if not any(settings.get(name) is not None for name in group):
            reader.error("SEG432", settings, f"`{kind}` needs {' or '.join(f'`{name}`' for name in group)}")
            return None
    source, _, key = (other or ".").partition(".")
    return Check(
        kind=cast("CheckKind", kind),
        columns=column,
        low=_amount(settings.get("at_least") or settings.get("min"), reader),
        high=_amount(settings.get("at_most") or settings.get("max"), reader),
        change=_amount(settings.get("change"), reader),
        values=reader.texts(settings.get("in"), "a value"),
        quantile=_share(settings.get("q"), reader),
        within=_span(settings.get("within"), reader),
        other=(source, key) if other else None,
        total=reader.texts(settings.get("equal"), "`equal`"),
        severity=cast("CheckSeverity", severity),
        location=node.location,
    )


def _amount(node: Node | None, reader: Reader) -> Decimal | None:
    text = reader.text(node, "an amount")
    if text is None or node is None:
        return None
    found = _AMOUNT.match(text)
    if found is None:
        reader.error("SEG432", node, f"`{text}` is no amount", hint="write a number (`20`) or a share (`1 %`)")
        return None
    return Decimal(found[1]) / 100 if found[2] else Decimal(found[1])


def _share(node: Node | None, reader: Reader) -> Decimal | None:
    found = _amount(node, reader)
    if node is None or found is None or 0 <= found <= 1:
        return found
    reader.error("SEG432", node, "`q` is from 0 to 1", hint="write `q: 0.99`, or `q: 99 %`")
    return None


def _span(node: Node | None, reader: Reader) -> timedelta | None:
    text = reader.text(node, "`within`")
    if text is None or node is None:
        return None
    found = _SPAN.match(text)
    if found is None:
        reader.error("SEG432", node, f"`{text}` is no span of time", hint="write `36 h` or `2 days`")
        return None
    return timedelta(**{_UNITS[found[2][0]]: int(found[1])})
