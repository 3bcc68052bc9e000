"""What the project file says under `priority`, `caps` and `holdout`."""

from __future__ import annotations

from segctl.compile.bind import forms
from segctl.compile.bind.scope import Scope, shown
from segctl.compile.bind.times import duration
from segctl.compile.source import Mapping, Node, Scalar
from segctl.model.audience import Cap, Holdout, PriorityList
from segctl.model.consent import CHANNELS, Purpose

CAP_KEYS = ("at_most", "within_last", "channel", "purpose")
_SYNONYMS = {
    "limit": "at_most",
    "max": "at_most",
    "within": "within_last",
    "window": "within_last",
    "per": "within_last",
}
_CAP = "write `mails_a_week: {channel: email, at_most: 3, within_last: 7 days}`"
_LIST = "write `mailings: [cart_abandoners, winback]`"


def priority_lists(node: Mapping, scope: Scope) -> tuple[PriorityList, ...]:
    """The lists that are right; whether their segments exist is known once those are bound."""
    found = []
    for key, value in _entries(node, "priority", _LIST, scope):
        segments = forms.names(value, scope, f"the priority list `{key.text}`")
        if segments is not None and len(segments) < 2:
            message = f"the priority list `{key.text}` has one segment, so nothing comes before anything"
            scope.error("SEG845", message, value.location, hint=_LIST)
        elif segments is not None:
            found.append(PriorityList(key.text, tuple(one.text.strip() for one in segments), value.location))
    return tuple(found)


def caps(node: Mapping, purposes: tuple[Purpose, ...], scope: Scope) -> tuple[Cap, ...]:
    """The frequency caps that are right."""
    bound = (_cap(key.text, value, purposes, scope) for key, value in _entries(node, "caps", _CAP, scope))
    return tuple(cap for cap in bound if cap is not None)


def holdouts(node: Mapping, scope: Scope) -> tuple[Holdout, ...]:
    """Segments whose members are kept out; whether they exist is known once they are bound."""
    declared = node.get("holdout")
    if declared is None:
        return ()
    found = forms.names(declared, scope, "`holdout`") or ()
    return tuple(Holdout(one.text.strip(), one.location) for one in found)


def _cap(name: str, node: Node, purposes: tuple[Purpose, ...], scope: Scope) -> Cap | None:
    what = f"the cap `{name}`"
    found = forms.mapping(node, scope, what, hint=_CAP)
    if found is None or not forms.check_keys(found, CAP_KEYS, scope, what, synonyms=_SYNONYMS):
        return None
    most = forms.required(found, "at_most", scope, what, example="at_most: 3")
    length = forms.required(found, "within_last", scope, what, example="within_last: 7 days")
    at_most = forms.count(most, scope, "`at_most`", least=1) if most is not None else None
    within = duration(length, scope) if length is not None else None
    channel_node, purpose_node = found.get("channel"), found.get("purpose")
    channel = None if channel_node is None else forms.choice(channel_node, CHANNELS, scope, "channel")
    purpose = None if purpose_node is None else _purpose(purpose_node, purposes, scope)
    if at_most is None or within is None or (purpose_node is not None and purpose is None):
        return None
    return Cap(name, at_most, within, channel, purpose, node.location)


def _purpose(node: Node, purposes: tuple[Purpose, ...], scope: Scope) -> str | None:
    written = forms.text(node, scope, "a purpose")
    known = tuple(purpose.name for purpose in purposes)
    if written is None or written in known:
        return written
    hint = scope.meant(written, known, otherwise="declare it under `purposes`")
    scope.error("SEG846", f"{shown(written)} is not a declared purpose", node.location, hint=hint)
    return None


def _entries(node: Mapping, key: str, example: str, scope: Scope) -> tuple[tuple[Scalar, Node], ...]:
    declared = node.get(key)
    if declared is None:
        return ()
    block = forms.mapping(declared, scope, f"`{key}`", hint=example)
    entries = block.entries if block is not None else ()
    return tuple((name, of) for name, of in entries if forms.name(name, scope, f"a name under `{key}`") is not None)
