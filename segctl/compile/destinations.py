"""Binding of `destinations/*.yaml`: what all kinds have in common; the settings of a kind wait as nodes.

Kinds belong to the connectors, which are not in reach here. `operations.destinations` checks the settings that are
left as `Written` against the kind's own options.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from collections.abc import Mapping as Lookup
from pathlib import Path
from typing import cast, get_args

from segctl.compile.bind import forms
from segctl.compile.bind.scope import Scope
from segctl.compile.bind.segments import bind_guards
from segctl.compile.definition_files import DefinitionFile
from segctl.compile.fetching_secrets import FORMS
from segctl.compile.files import misnamed_files
from segctl.compile.source import ListNode, Mapping, Node, Scalar
from segctl.compile.suggest import did_you_mean
from segctl.model.dataclass import dataclass
from segctl.model.destinations import Destination, Mode
from segctl.model.diagnostics import Diagnostic, Severity
from segctl.model.experiments import ARM
from segctl.model.project import Definitions

FOLDER = "destinations"
KEYS = (
    "destination", "kind", "title", "description", "owner", "purposes", "channel", "mode", "identify", "fields",
    "audiences", "guards", "allowed_hosts", "recipient",
)  # fmt: skip
"""What a destination of any kind may say; beside it stand the settings of its kind."""
OF_KIND = ("kind", "mode", "identify", "recipient")
"""Of these the kind has its say."""
RECIPIENT_KEYS = ("class", "country", "transfer", "name")
_MODES: tuple[Mode, ...] = get_args(Mode)


@dataclass(frozen=True, slots=True)
class Written:
    """A setting of a kind as it stands in the file, not yet checked."""

    key: Scalar
    value: Node


@dataclass(frozen=True, slots=True)
class _Names:
    """What destinations may speak of; `former` leads from names that segments had to those of today."""

    values: frozenset[str]
    segments: frozenset[str]
    purposes: frozenset[str]
    former: Lookup[str, str]


def bind_destinations(
    definitions: Definitions, files: Lookup[str, DefinitionFile]
) -> tuple[dict[str, Destination], list[Diagnostic]]:
    """The destinations of a project, and everything that is wrong with their files and with `send_to`.

    Args:
        definitions: Segments and traits, bound.
        files: Every file of the project by path; those of `destinations/` and `segments/` are looked at.

    Returns:
        Destinations by name, in order of name, whose `options` are `Written`, those keys of `OF_KIND` included
        that are there, and the findings.
    """
    scope = Scope(definitions.project)
    found: dict[str, Destination] = {}
    declared: set[str] = set()
    for path, file in files.items():
        if not path.startswith(f"{FOLDER}/") or file.root is None:
            continue
        # One with a mistake is declared all the same: `send_to` should not be blamed as well.
        declared.add(_name_of(file.root) or Path(path).stem)
        bound = _bind(file.root, scope, _names(definitions, files))
        if bound is None:
            continue
        if bound.name in found and bound.location is not None:
            other = found[bound.name].location
            why = f"it stands already in {other.file}" if other is not None else None
            scope.error("SEG890", f"the destination `{bound.name}` is declared twice", bound.location, why=why)
            continue
        found[bound.name] = bound
    findings = [*misnamed_files(definitions.project, FOLDER), *scope.diagnostics]
    if declared:
        findings += _unknown_targets(definitions, files, declared)
    return dict(sorted(found.items())), findings


def _names(definitions: Definitions, files: Lookup[str, DefinitionFile]) -> _Names:
    project = definitions.project
    values = {
        *(trait.name for trait in project.traits),
        *(one.name for one in project.identifiers),
        *definitions.computed,
    }
    # A segment with a mistake has a name too.
    stems = {Path(path).stem for path in files if path.startswith("segments/")}
    purposes = frozenset(purpose.name for purpose in project.purposes)
    former = {old: name for name, segment in definitions.segments.items() for old in segment.formerly}
    return _Names(frozenset(values), frozenset(definitions.segments) | stems, purposes, former)


def _name_of(root: Node) -> str | None:
    name = root.get("destination") if isinstance(root, Mapping) else None
    return name.text.strip() if isinstance(name, Scalar) and not name.is_null else None


def _bind(node: Node, scope: Scope, names: _Names) -> Destination | None:
    """One file; None without name or kind. Where something else is wrong, that is left out."""
    root = forms.mapping(node, scope, "a destination", hint="begin with `destination: NAME`")
    if root is None:
        return None
    name, kind = _name(root, scope), _kind(root, scope)
    if name is None or kind is None:
        return None
    mode_node = root.get("mode")
    mode = None if mode_node is None else forms.choice(mode_node, _MODES, scope, "mode")
    return Destination(
        name=name,
        kind=kind,
        purposes=_known(root.get("purposes"), names.purposes, scope, "`purposes`", "purpose"),
        channel=_text(root, "channel", scope),
        mode=cast("Mode", mode or "mirror"),
        identify=_pairs(root.get("identify"), scope, "`identify`", names.values, "trait or identifier"),
        fields=_pairs(root.get("fields"), scope, "`fields`", names.values | {ARM}, "trait or identifier"),
        audiences=_audiences(root.get("audiences"), scope, names),
        options={
            key.text: Written(key, value) for key, value in root.entries if key.text in OF_KIND or key.text not in KEYS
        },
        allowed_hosts=_texts(root.get("allowed_hosts"), scope, "`allowed_hosts`"),
        recipient=_recipient(root.get("recipient"), scope),
        guards=bind_guards(root.get("guards"), scope),
        title=_text(root, "title", scope),
        description=_text(root, "description", scope),
        owner=_text(root, "owner", scope),
        location=root.location,
    )


def _name(root: Mapping, scope: Scope) -> str | None:
    node = root.get("destination")
    if node is None:
        stem = Path(root.location.file).stem
        message = "the destination has no `destination`, which is its name"
        scope.error("SEG890", message, root.location, hint=f"add `destination: {stem}`")
        return None
    name = forms.name(node, scope, "a destination's name")
    if name is not None and Path(node.location.file).stem != name:
        message = f"the destination `{name}` stands in a file of another name"
        scope.warn("SEG218", message, node.location, hint=f"rename the file to `{name}.yaml`")
    return name


def _kind(root: Mapping, scope: Scope) -> str | None:
    node = root.get("kind")
    if node is None:
        hint = "add `kind: webhook`, `kind: file` …; `segctl help destinations` lists the kinds"
        scope.error("SEG890", "the destination has no `kind`", root.location, hint=hint)
        return None
    return forms.text(node, scope, "`kind`")


def _text(root: Mapping, key: str, scope: Scope) -> str | None:
    node = root.get(key)
    return None if node is None else forms.text(node, scope, f"`{key}`")


def _texts(node: Node | None, scope: Scope, what: str) -> tuple[str, ...]:
    found = () if node is None else forms.names(node, scope, what)
    return tuple(item.text.strip() for item in found or ())


def _known(node: Node | None, known: Collection[str], scope: Scope, what: str, one: str) -> tuple[str, ...]:
    """A list of names that the project has."""
    if node is None:
        return ()
    for item in node.items if isinstance(node, ListNode) else ():
        if isinstance(item, Scalar) and item.text.strip() and item.text.strip() not in known:
            _unknown(item, one, known, scope)
    return _texts(node, scope, what)


def _pairs(node: Node | None, scope: Scope, what: str, known: Collection[str], one: str) -> tuple[tuple[str, str], ...]:
    """Names there with names that the project has."""
    found = None if node is None else forms.mapping(node, scope, what, hint="write `name_there: name_here`")
    pairs = []
    for key, value in found.entries if found is not None else ():
        text = forms.text(value, scope, f"`{key.text}`")
        if text is not None and text not in known:
            _unknown(value, one, known, scope)
        elif text is not None:
            pairs.append((key.text, text))
    return tuple(pairs)


def _audiences(node: Node | None, scope: Scope, names: _Names) -> tuple[tuple[str, str], ...]:
    """Segments with the names or ids of their audiences there."""
    found = None if node is None else forms.mapping(node, scope, "`audiences`", hint="write `segment: Name there`")
    pairs: list[tuple[str, str]] = []
    for key, value in found.entries if found is not None else ():
        if key.text not in names.segments:
            now = names.former.get(key.text)
            _unknown(key, "segment", names.segments, scope, hint=now and f"it is called `{now}` now")
        text = forms.text(value, scope, f"`{key.text}`")
        if text is not None:
            _warn_shared(value, key.text, text, pairs, scope)
            pairs.append((key.text, text))
    return tuple(pairs)


def _warn_shared(node: Node, segment: str, text: str, pairs: Iterable[tuple[str, str]], scope: Scope) -> None:
    """Each segment has a ledger of its own, so neither knows that the other still wants somebody there."""
    other = next((name for name, there in pairs if there == text), None)
    if other is not None:
        message = (
            f"`{other}` and `{segment}` go to the same audience `{text[:60]}`: who leaves one of them is taken out of "
            "it, also while in the other"
        )
        scope.warn("SEG895", message, node.location, hint="make one segment of both, or name two audiences")


def _recipient(node: Node | None, scope: Scope) -> tuple[tuple[str, str], ...]:
    found = None if node is None else forms.mapping(node, scope, "`recipient`", hint="write `{country: US}`")
    if found is None or not forms.check_keys(found, RECIPIENT_KEYS, scope, "`recipient`"):
        return ()
    texts = [(key.text, forms.text(value, scope, f"`{key.text}`")) for key, value in found.entries]
    return tuple((name, text) for name, text in texts if text is not None)


def _unknown(node: Node, one: str, known: Collection[str], scope: Scope, hint: str | None = None) -> None:
    text = node.text.strip() if isinstance(node, Scalar) else ""
    hint = hint or did_you_mean(text, known) or ("none are declared" if not known else None)
    scope.error("SEG893", f"there is no {one} `{text[:60]}`", node.location, hint=hint)


def _unknown_targets(
    definitions: Definitions, files: Lookup[str, DefinitionFile], declared: Collection[str]
) -> Iterator[Diagnostic]:
    """`send_to` of destinations that nobody has declared."""
    places = {
        (path, item.text.strip()): item.location
        for path, file in files.items()
        if path.startswith("segments/")
        for item in _targets(file.root)
    }
    for segment in definitions.segments.values():
        for name in segment.send_to:
            if name in declared or segment.location is None:
                continue
            message = f"`{segment.name}` is sent to `{name}`, which is no destination"
            hint = did_you_mean(name, sorted(declared)) or f"declare it in `destinations/{name}.yaml`"
            place = places.get((segment.location.file, name), segment.location)
            yield Diagnostic("SEG894", Severity.ERROR, message, place, hint=hint)


def _targets(root: Node | None) -> Iterable[Scalar]:
    node = root.get("send_to") if isinstance(root, Mapping) else None
    return (item for item in node.items if isinstance(item, Scalar)) if isinstance(node, ListNode) else ()


def is_reference(node: Node) -> bool:
    """Whether a node says where a secret stands."""
    return isinstance(node, Mapping) and len(node.entries) == 1 and node.entries[0][0].text in FORMS
