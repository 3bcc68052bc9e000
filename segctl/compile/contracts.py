"""Binding of `contract:`: YAML to a JSON Schema with its places."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from segctl.compile.source import ListNode, Mapping, Node, Scalar, compose_file
from segctl.compile.source_nodes import Reader, nearest
from segctl.model.contracts import RULE_KEYWORDS, ContractDeclaration
from segctl.model.diagnostics import Location, Severity

KEYS = ("contract", "contract_options", "checks")
_OPTIONS = ("formats", "empty", "new_columns", "warn")
_INTEGER = re.compile(r"[-+]?(?:0|[1-9]\d*)\Z")
_NUMBER = re.compile(r"[-+]?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?\Z")
_MOST_DIGITS = 1000


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
        only_told=_only_told(get("warn"), reader),
        places=places,
    )


def _only_told(node: Node | None, reader: Reader) -> tuple[tuple[str, str | None], ...]:
    """Rules whose breach is told only: place in the row and keyword; None for all of the place."""
    found: list[tuple[str, str | None]] = []
    for column, value in reader.named(node, "`warn`"):
        # A column as it is called, or a place inside of it as a JSON Pointer.
        place = column.text
        if place and not place.startswith("/"):
            place = f"/{place.replace('~', '~0').replace('/', '~1')}"
        for keyword in value.items if isinstance(value, ListNode) else (value,):
            name = reader.text(keyword, f"`{column.text}`")
            if name == "all":
                found.append((place, None))
            elif name in RULE_KEYWORDS:
                found.append((place, name))
            elif name is not None:
                hint = nearest(name, (*RULE_KEYWORDS, "all"))
                reader.error("SEG416", keyword, f"`{name}` is no rule of a contract", hint=hint)
    return tuple(found)


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
