"""What a case expects of segments: members, non-members, unknown, and which leaves decided."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from collections.abc import Mapping as Lookup

from segctl.compile.bind import forms
from segctl.compile.bind.scope import Scope, shown
from segctl.compile.lower import leaves_of
from segctl.compile.source import ListNode, Node, Scalar
from segctl.compile.suggest import did_you_mean
from segctl.compile.testing import ENDS, KEEP, LONE, SAME, Expectation, Named, Reasons
from segctl.model import conditions as c
from segctl.model.project import Definitions

KEYS = ("members", "non_members", "unknown", "because", "fails")
_SYNONYMS = {"member": "members", "in": "members", "out": "non_members", "not_members": "non_members", "why": "because"}


def bind_stubs(node: Node | None, scope: Scope, known: Collection[str] | None) -> dict[str, frozenset[str]]:
    """Members that are given instead of evaluated, by segment.

    Args:
        node: ``{x: [anna]}``.
        scope: Where problems go.
        known: Names of the given profiles; None where they are not known yet.
    """
    if node is None:
        return {}
    found = forms.mapping(node, scope, "`memberships`", hint="write `{staff: [anna]}`")
    stubs: dict[str, frozenset[str]] = {}
    for key, listed in found.entries if found is not None else ():
        if _is_segment(key, scope):
            names = _names(listed, scope, f"the members of `{key.text}`", known)
            stubs[key.text] = frozenset(one.name for one in names)
    return stubs


def bind_expectations(
    node: Node, scope: Scope, definitions: Definitions, known: Collection[str], stubs: Lookup[str, object]
) -> tuple[Expectation, ...]:
    """What is expected of each segment."""
    found = forms.mapping(node, scope, "`expect`", hint="write `{SEGMENT: {members: [anna]}}`")
    bound = []
    for key, value in found.entries if found is not None else ():
        if not _is_segment(key, scope):
            continue
        if key.text in stubs:
            message = f"{shown(key.text)} is expected, and its members are given"
            scope.error("SEG558", message, key.location, hint="take it out of `memberships`")
        definition = definitions.segments.get(key.text)
        one = _expectation(key, value, scope, definition, known)
        bound += [] if one is None else [one]
    if found is not None and not found.entries:
        scope.error("SEG558", "the case expects nothing", node.location, hint="write `{SEGMENT: {members: [anna]}}`")
    return tuple(bound)


def _is_segment(key: Scalar, scope: Scope) -> bool:
    if key.text in scope.segments:
        return True
    hint = scope.meant(key.text, tuple(scope.segments), otherwise="`segctl ls segments` lists them all")
    scope.error("SEG551", f"{shown(key.text)} is not a segment", key.location, hint=hint)
    return False


def _expectation(
    key: Scalar, node: Node, scope: Scope, definition: c.SegmentDefinition | None, known: Collection[str]
) -> Expectation | None:
    hint = "write `{members: [anna], non_members: [ben]}`"
    found = forms.mapping(node, scope, "an expectation", hint=hint)
    if found is None or not forms.check_keys(found, KEYS, scope, "an expectation", synonyms=_SYNONYMS):
        return None
    if not found.entries:
        scope.error("SEG558", f"nothing is expected of `{key.text}`", node.location, hint=hint)
    members, non_members, unknown = (
        () if (listed := found.get(word)) is None else _names(listed, scope, f"`{word}`", known) for word in KEYS[:3]
    )
    _report_twice([*members, *non_members, *unknown], scope)
    fails_node, because_node = found.get("fails"), found.get("because")
    fails = None if fails_node is None else forms.flag(fails_node, scope, "`fails`")
    if fails and len(found.entries) > 1:
        scope.error("SEG558", "a segment that fails has no members", key.location, hint="write `{fails: true}` alone")
    because = () if because_node is None else tuple(_because(because_node, scope, definition, known))
    return Expectation(
        key.text, members, non_members, unknown, because=because, fails=bool(fails), location=key.location
    )


def _names(node: Node, scope: Scope, what: str, known: Collection[str] | None) -> tuple[Named, ...]:
    if isinstance(node, ListNode) and not node.items:
        return ()
    listed = forms.names(node, scope, what) or ()
    return tuple(Named(one.text.strip(), one.location) for one in listed if _is_given(one, scope, known))


def _is_given(node: Scalar, scope: Scope, known: Collection[str] | None) -> bool:
    if known is None or node.text.strip() in known:
        return True
    hint = did_you_mean(node.text.strip(), known) or "add the profile under `given`"
    scope.error("SEG553", f"{shown(node.text)} is not given", node.location, hint=hint)
    return False


def _report_twice(names: list[Named], scope: Scope) -> None:
    seen: set[str] = set()
    for one in names:
        if one.name in seen:
            scope.error("SEG554", f"{shown(one.name)} is expected twice", one.location, hint="name each profile once")
        seen.add(one.name)


# --- Which leaf decided -----------------------------------------------------------------------------------
def _because(
    node: Node, scope: Scope, definition: c.SegmentDefinition | None, known: Collection[str]
) -> Iterator[Reasons]:
    found = forms.mapping(node, scope, "`because`", hint="write `{ben: newsletter}`")
    for key, value in found.entries if found is not None else ():
        if not _is_given(key, scope, known):
            continue
        written = [value] if isinstance(value, Scalar) else forms.items(value, scope, "what decided") or ()
        texts = [text for item in written if (text := forms.text(item, scope, "a leaf's name")) is not None]
        if definition is not None:
            for item, text in zip(written, texts, strict=False):
                _check_leaf(text, item, scope, definition)
        yield Reasons(key.text.strip(), tuple(texts), value.location)


def _check_leaf(text: str, node: Node, scope: Scope, definition: c.SegmentDefinition) -> None:
    names = leaf_names(definition)
    if any(text in said for said in names.values()):
        return
    all_names = [name for said in names.values() for name in said]
    hint = did_you_mean(text, list(dict.fromkeys(all_names))) or f"there is {', '.join(f'`{p}`' for p in names)}"
    message = f"{shown(text)} is no condition of `{definition.name}`"
    scope.error("SEG557", message, node.location, hint=hint)


def leaf_names(definition: c.SegmentDefinition) -> dict[str, tuple[str, ...]]:
    """How a leaf may be called, by its place: the place itself, and what it reads."""
    found = {path or LONE: (path or LONE, *_read_by(leaf)) for path, leaf in leaves_of(definition.where)}
    found |= {SAME: (SAME,)} if _has_same(definition.where) else {}
    found |= {ENDS: (ENDS,)} if definition.expires is not None else {}
    return found if definition.keep is None else {**found, KEEP: (KEEP, definition.keep.by)}


def _has_same(condition: c.Condition) -> bool:
    match condition:
        case c.All(items, same):
            return bool(same) or any(map(_has_same, items))
        case c.AnyOf(items) | c.NoneOf(items):
            return any(map(_has_same, items))
        case c.Not(item):
            return _has_same(item)
    return False


def _read_by(leaf: c.Condition) -> tuple[str, ...]:
    match leaf:
        case c.TraitCondition(trait) | c.ChangedCondition(trait):
            return (trait,)
        case c.EventCondition(selection):
            return selection.events
        case c.SequenceCondition(steps):
            return ("sequence", *(kind for step in steps for kind in step.events))
        case c.SegmentCondition(segment):
            return (segment,)
        case c.SampleCondition():
            return ("sample",)
        case c.ListCondition(name):
            return (name,)
        case c.RelatedCondition(selection):
            return (selection.table,)
        case c.ColleaguesCondition():
            return (leaf.group,)
        case c.ConsentCondition(purpose):
            return ("consent", purpose)
        case c.NearCondition():
            return ("near", *((leaf.places,) if leaf.places else ()))
    return ()
