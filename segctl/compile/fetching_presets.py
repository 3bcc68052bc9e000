"""Presets: declarations of well-known services that ship with segctl; what a user writes goes before them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from segctl.compile.source import ListNode, Mapping, Node, Scalar, compose
from segctl.compile.source_nodes import Reader, nearest
from segctl.model.project import Project

_FOLDER = Path(__file__).parent / "presets"
_DEEP = ("rest", "with", "params", "headers", "pages", "cursor", "limits", "key", "profiles")
"""Mappings that are completed key by key; all others are taken whole from whoever says them."""
_EITHER_OR = {"profiles": ("events",), "events": ("profiles", "record_time")}


@dataclass(frozen=True, slots=True)
class Preset:
    """A declaration that ships with segctl.

    Attributes:
        asks: Words that the user must give under `rest: {with: …}`, with what they are.
        env: Environment variables in which it looks for credentials.
        root: Its declaration.
    """

    name: str
    title: str
    asks: tuple[tuple[str, str], ...]
    env: tuple[str, ...]
    root: Mapping


def preset_names() -> tuple[str, ...]:
    """Names of all presets, sorted."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.yaml")))


@cache
def preset(name: str) -> Preset:
    """A preset by a name of `preset_names`."""
    node, problems = compose((_FOLDER / f"{name}.yaml").read_text(encoding="utf-8"), f"preset {name}")
    assert isinstance(node, Mapping), problems
    title, asks = node.get("title"), node.get("asks")
    words = asks.entries if isinstance(asks, Mapping) else ()
    asked = tuple((key.text, value.text) for key, value in words if isinstance(value, Scalar))
    return Preset(name, title.text if isinstance(title, Scalar) else name, asked, tuple(_variables(node)), node)


def with_preset(root: Mapping, reader: Reader, project: Project) -> Mapping:
    """A declaration completed by the preset it names; without `preset` the declaration as it is.

    Identifiers, traits, events and properties that the project does not declare are left out of the preset's part.
    """
    node = root.get("preset")
    if node is None:
        return root
    name = reader.text(node, "`preset`")
    if name is None:
        return root
    if name not in preset_names():
        reader.error("SEG383", node, f"there is no preset `{name}`", hint=nearest(name, preset_names()))
        return root
    shipped = preset(name).root
    own = set(root.names) & _EITHER_OR.keys()
    dropped = {other for key in own for other in _EITHER_OR[key]} | {"title", "asks"}
    entries = tuple((key, value) for key, value in shipped.entries if key.text not in dropped)
    declared = _declared(Mapping(entries, shipped.location), project, reader, root)
    if root.get("kind") is None:
        kind = Scalar("rest", is_plain=True, location=node.location)
        root = Mapping((*root.entries, (Scalar("kind", is_plain=True, location=node.location), kind)), root.location)
    return _merged(root, declared)


def _merged(given: Mapping, shipped: Mapping) -> Mapping:
    """Keys of both; where both have one, the given value, completed where that makes sense."""
    entries: list[tuple[Scalar, Node]] = []
    for key, value in given.entries:
        other = shipped.get(key.text)
        if isinstance(value, Mapping) and isinstance(other, Mapping) and key.text in _DEEP:
            entries.append((key, _merged(value, other)))
        elif not (other is not None and isinstance(value, Scalar) and value.is_null):
            entries.append((key, value))
    names = set(given.names)
    entries += [(key, value) for key, value in shipped.entries if key.text not in names]
    return Mapping(tuple(entries), given.location)


def _declared(shipped: Mapping, project: Project, reader: Reader, root: Mapping) -> Mapping:
    """The preset's part without names that the project lacks."""
    identifiers = {identifier.name for identifier in project.identifiers}
    traits = {trait.name for trait in project.traits}
    entries: list[tuple[Scalar, Node]] = []
    for key, value in shipped.entries:
        if key.text == "key" and isinstance(value, Mapping):
            kept = _only(value, identifiers)
            if not kept.entries and root.get("key") is None:
                hint = f"declare one of them in segctl.yaml: {', '.join(f'`{name}`' for name in value.names)}"
                reader.error("SEG301", root, "the project declares no identifier that this preset gives", hint=hint)
            entries.append((key, kept))
        elif key.text == "profiles" and isinstance(value, Mapping):
            entries.append((key, _only(value, traits)))
        elif key.text == "events" and isinstance(value, ListNode):
            entries.append((key, _events(value, project, reader, root)))
        else:
            entries.append((key, value))
    return Mapping(tuple(entries), shipped.location)


def _events(rules: ListNode, project: Project, reader: Reader, root: Mapping) -> ListNode:
    kept: list[Node] = []
    known: list[str] = []
    for rule in rules.items:
        event = rule.get("event") if isinstance(rule, Mapping) else None
        if not isinstance(rule, Mapping) or not isinstance(event, Scalar):
            continue
        known.append(event.text)
        kind = project.event(event.text)
        if kind is not None:
            declared = {name for name, _ in kind.properties}
            entries = ((k, _only(v, declared) if k.text == "properties" else v) for k, v in rule.entries)
            kept.append(Mapping(tuple(entries), rule.location))
    if not kept:
        hint = f"declare `{known[0]}` under `events` in segctl.yaml, or write `events:` for your own"
        reader.error("SEG301", root, "the project declares no event that this preset gives", hint=hint)
    return ListNode(tuple(kept), rules.location)


def _only(node: Node, names: set[str]) -> Mapping:
    assert isinstance(node, Mapping)
    return Mapping(tuple((key, value) for key, value in node.entries if key.text in names), node.location)


def _variables(node: Node) -> list[str]:
    """Names of all environment variables that a declaration reads."""
    if isinstance(node, Mapping):
        return [
            name
            for key, value in node.entries
            for name in ([value.text] if key.text == "env" and isinstance(value, Scalar) else _variables(value))
        ]
    return [name for item in node.items for name in _variables(item)] if isinstance(node, ListNode) else []
