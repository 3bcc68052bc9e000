"""What the project file declares: identifiers, stored traits, events with their properties."""

from __future__ import annotations

from collections.abc import Mapping as Lookup
from typing import cast

from segctl.compile.bind import forms
from segctl.compile.bind.scope import Scope
from segctl.compile.bind.types import WORDS, bind_type
from segctl.compile.source import Mapping, Node, Scalar
from segctl.model.project import EventKind, IdentifierClass, IdentifierType, StoredTrait
from segctl.model.types import ValueType

CLASSES = ("known", "anonymous")
RESERVED_TRAITS = frozenset({"profile_id", "subject"})
RESERVED_SEGMENTS = frozenset({"subject"})
RESERVED_PROPERTIES = frozenset({"time", "parent", "subject", "ts", "source", "event_id", "kind"})


def identifiers(node: Mapping, scope: Scope) -> tuple[IdentifierType, ...]:
    """The declared identifiers that are right, in order of priority."""
    bound = [_identifier(name, of, scope) for name, of in entries_of(node, "identifiers", scope)]
    return tuple(found for found in bound if found is not None)


def stored_traits(node: Mapping, scope: Scope) -> tuple[StoredTrait, ...]:
    """The declared traits that are right."""
    bound = [_trait(name, of, scope) for name, of in entries_of(node, "traits", scope)]
    return tuple(found for found in bound if found is not None)


def events(node: Mapping, scope: Scope) -> tuple[EventKind, ...]:
    """The declared events, with those of their properties that are right."""
    bound = [_event(name, of, scope) for name, of in entries_of(node, "events", scope)]
    return tuple(found for found in bound if found is not None)


def entries_of(node: Mapping, key: str, scope: Scope) -> tuple[tuple[Scalar, Node], ...]:
    """Names and what is declared under them, below one key of a mapping; none without it."""
    declared = node.get(key)
    if declared is None or (isinstance(declared, Scalar) and declared.is_null and declared.comment is None):
        return ()
    found = forms.mapping(declared, scope, f"`{key}`")
    entries = found.entries if found is not None else ()
    return tuple((name, of) for name, of in entries if forms.name(name, scope, f"a name under `{key}`") is not None)


def _identifier(name: Scalar, node: Node, scope: Scope) -> IdentifierType | None:
    what = f"the identifier `{name.text}`"
    hint = "write `{class: known}` or `{class: anonymous}`"
    found = forms.mapping(node, scope, what, hint=hint)
    if found is None or not forms.check_keys(found, ("class", "personal"), scope, what):
        return None
    class_node, personal_node = found.get("class"), found.get("personal")
    chosen = forms.choice(class_node, CLASSES, scope, "class of identifiers") if class_node is not None else "known"
    personal = forms.flag(personal_node, scope, "`personal`") if personal_node is not None else False
    if chosen is None or personal is None:
        return None
    return IdentifierType(name.text, cast("IdentifierClass", chosen), personal)


def words_of(node: Node, scope: Scope, what: str) -> Lookup[str, str | None]:
    """Title and description of a declaration, where it has them."""
    if not isinstance(node, Mapping):
        return {}
    return {
        key: forms.text(value, scope, f"`{key}` of {what}") for key in WORDS if (value := node.get(key)) is not None
    }


def _trait(name: Scalar, node: Node, scope: Scope) -> StoredTrait | None:
    what = f"the trait `{name.text}`"
    if isinstance(node, Mapping) and (node.get("event") is not None or node.get("formula") is not None):
        hint = f"move `{name.text}` to a file in `traits/`"
        scope.error("SEG262", "computed traits do not stand in the project file", name.location, hint=hint)
        return None
    if is_reserved(name.text, name, scope, RESERVED_TRAITS):
        return None
    of = bind_type(node, scope, what, extra=frozenset({"sensitive", "personal"}))
    flags = {}
    for key in ("sensitive", "personal"):
        value = node.get(key) if isinstance(node, Mapping) else None
        flags[key] = forms.flag(value, scope, f"`{key}`") if value is not None else False
    words = words_of(node, scope, what)
    if of is None:
        return None
    return StoredTrait(
        name.text, of, words.get("title"), words.get("description"), bool(flags["sensitive"]), bool(flags["personal"]),
        name.location,
    )  # fmt: skip


def _event(name: Scalar, node: Node, scope: Scope) -> EventKind | None:
    what = f"the event `{name.text}`"
    if isinstance(node, Scalar) and node.is_null and node.comment is None:
        return EventKind(name.text, location=name.location)
    found = forms.mapping(node, scope, what, hint="write `{properties: {value: {type: money, unit: EUR}}}`, or `{}`")
    if found is None:
        return None
    forms.check_keys(found, (*WORDS, "properties"), scope, what)
    words = words_of(found, scope, what)
    properties = properties_of(found, scope)
    return EventKind(name.text, properties, words.get("title"), words.get("description"), name.location)


def properties_of(event: Mapping, scope: Scope) -> tuple[tuple[str, ValueType], ...]:
    """The declared properties of events or rows, with their types."""
    bound = []
    for name, node in entries_of(event, "properties", scope):
        if is_reserved(name.text, name, scope, RESERVED_PROPERTIES):
            continue
        of = bind_type(node, scope, f"the property `{name.text}`")
        if of is not None:
            bound.append((name.text, of))
    return tuple(bound)


def is_reserved(name: str, node: Node, scope: Scope, reserved: frozenset[str]) -> bool:
    """True for a name that segctl needs itself, which is reported."""
    if name in reserved:
        scope.error("SEG126", f"the name `{name}` is taken by segctl", node.location, hint="choose another name")
    return name in reserved
