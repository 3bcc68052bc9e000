"""Names in definitions resolved against what the project declares: traits, event kinds, properties, struct fields."""

from __future__ import annotations

from segctl.compile.bind import forms
from segctl.compile.bind.scope import Disagreement, Scope, describe_type, shown
from segctl.compile.source import ListNode, Mapping, Node, Scalar
from segctl.compile.suggest import one_of
from segctl.model.dataclass import dataclass
from segctl.model.project import RELATED
from segctl.model.types import DATE, INTEGER, Kind, ValueType

TIME_PARTS = {
    "time.month": INTEGER,
    "time.weekday": INTEGER,
    "time.hour": INTEGER,
    "time.date": DATE,
}
TIME_PART_BOUNDS = {"time.month": (1, 12), "time.weekday": (1, 7), "time.hour": (0, 23)}


@dataclass(frozen=True, slots=True)
class Resolved:
    """A value in reach: its name, the way into a struct, and its type."""

    name: str
    path: tuple[str, ...]
    type: ValueType


def find_trait(node: Node, scope: Scope) -> Resolved | None:
    """A declared or computed trait, perhaps with a dotted path into a struct."""
    written = forms.text(node, scope, "a trait")
    if written is None:
        return None
    head, _, rest = written.partition(".")
    of = scope.traits.get(head)
    if of is None and head in scope.computed:
        of = scope.computed_type(head)
        if of is None:
            return None
    if of is None:
        hint = scope.meant(head, scope.trait_names)
        declare = f"declare {shown(head)} under `traits`"
        both = f"{hint} Or {declare}" if hint else declare
        scope.error("SEG204", f"{shown(head)} is not a declared trait", node.location, hint=both)
        return None
    return _into(Resolved(head, (), of), rest, node, scope)


def find_operand(node: Mapping, scope: Scope) -> tuple[str, ValueType] | None:
    """The trait of `{trait: x}` in the place of a literal."""
    if not forms.check_keys(node, ("trait",), scope, "an operand"):
        return None
    value = forms.required(node, "trait", scope, "an operand", example="trait: NAME")
    found = find_trait(value, scope) if value is not None else None
    if found is None or value is None:
        return None
    if found.path:
        message = f"{shown(found.name + '.' + '.'.join(found.path))} lies inside a struct; a whole trait stands here"
        scope.error("SEG226", message, value.location)
        return None
    return found.name, found.type


def find_kinds(node: Node, scope: Scope) -> tuple[str, ...] | None:
    """Event kinds: a name, a list of names, or ``"*"`` for every declared kind."""
    if isinstance(node, Scalar) and node.text.strip() == "*":
        if not scope.project.events:
            scope.error("SEG220", "the project declares no events", node.location, hint="declare them under `events`")
            return None
        return ("*",)
    listed = (node,) if isinstance(node, Scalar) else forms.items(node, scope, "`event`")
    if listed is None:
        return None
    found = [_kind(item, scope) for item in listed]
    return tuple(dict.fromkeys(kind for kind in found if kind)) if all(found) else None


def _kind(node: Node, scope: Scope) -> str | None:
    if isinstance(node, ListNode | Mapping):
        forms.wrong_form(node, scope, "an event's name stands here")
        return None
    written = forms.text(node, scope, "an event's name")
    if written is None or written in scope.events:
        return written
    if written == "*":
        scope.error("SEG220", "`*` stands alone, not in a list", node.location, hint='write `event: "*"`')
        return None
    hint = scope.meant(written, tuple(scope.events))
    declare = f"declare {shown(written)} under `events`"
    both = f"{hint} Or {declare}" if hint else declare
    scope.error("SEG220", f"{shown(written)} is not a declared event", node.location, hint=both)
    return None


def find_property(node: Node, kinds: tuple[str, ...], scope: Scope, *, time_parts: bool = False) -> Resolved | None:
    """A property that the kinds declare with one and the same type, perhaps with a path into a struct.

    Args:
        node: The name.
        kinds: Event kinds read together.
        scope: Where problems go.
        time_parts: ``time.month`` and its like are allowed.
    """
    written = forms.text(node, scope, "a property")
    if written is None:
        return None
    if time_parts and written.startswith("time.") and "time" not in scope.properties(kinds):
        return _time_part(written, node, scope)
    head, _, rest = written.partition(".")
    known = scope.properties(kinds)
    of = known.get(head)
    if of is None:
        owner = (
            one_of(kind.removeprefix(RELATED) for kind in scope.kinds(kinds)[:4]) if kinds != ("*",) else "any event"
        )
        names = (*known, *TIME_PARTS) if time_parts else tuple(known)
        scope.error(
            "SEG221", f"{shown(head)} is not a property of {owner}", node.location, hint=scope.meant(head, names)
        )
        return None
    if isinstance(of, Disagreement):
        _report_disagreement(head, of, node, scope)
        return None
    return _into(Resolved(head, (), of), rest, node, scope)


def _time_part(written: str, node: Node, scope: Scope) -> Resolved | None:
    of = TIME_PARTS.get(written)
    if of is None:
        hint = scope.meant(written, tuple(TIME_PARTS))
        scope.error("SEG221", f"{shown(written)} is not a part of an event's time", node.location, hint=hint)
        return None
    return Resolved(written, (), of)


def _report_disagreement(name: str, found: Disagreement, node: Node, scope: Scope) -> None:
    first, second = describe_type(found.first), describe_type(found.second)
    message = f"{shown(name)} is {first} in `{found.first_kind}` and {second} in `{found.second_kind}`"
    if found.first.kind == found.second.kind and found.first.unit != found.second.unit:
        why, hint = "values in different units are never put together", "ask for each event on its own"
        scope.error("SEG237", message, node.location, why=why, hint=hint)
        return
    scope.error("SEG238", message, node.location, hint="ask for each event on its own")


def _into(start: Resolved, rest: str, node: Node, scope: Scope) -> Resolved | None:
    """Follow a dotted path into structs."""
    found = start
    for part in rest.split(".") if rest else ():
        here = ".".join((found.name, *found.path))
        if found.type.kind is not Kind.STRUCT:
            hint = "use `any_element` to look into a list" if found.type.kind is Kind.LIST else None
            message = f"{shown(here)} is {describe_type(found.type)}; it has no field {shown(part)}"
            scope.error("SEG226", message, node.location, hint=hint)
            return None
        fields = dict(found.type.fields)
        inner = fields.get(part)
        if inner is None:
            hint = scope.meant(part, tuple(fields))
            scope.error("SEG222", f"{shown(part)} is not a field of {shown(here)}", node.location, hint=hint)
            return None
        found = Resolved(found.name, (*found.path, part), inner)
    return found
