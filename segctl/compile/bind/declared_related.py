"""What the project file declares under `related`: tables of rows, and groups of profiles that share a value."""

from __future__ import annotations

from segctl.compile.bind import forms
from segctl.compile.bind.declarations import entries_of, properties_of, words_of
from segctl.compile.bind.scope import Scope, describe_type, shown
from segctl.compile.source import Mapping, Node, Scalar
from segctl.model.project import Colleagues, RelatedTable, StoredTrait
from segctl.model.types import Kind

TABLE_KEYS = ("title", "description", "properties")
COLLEAGUES_KEYS = ("title", "description", "same", "others_only")
_SHAREABLE = (Kind.TEXT, Kind.INTEGER)
_EXAMPLE = "write `{properties: {status: text}}` for a table, `{same: company}` for profiles that share a value"


def related(
    node: Mapping, traits: tuple[StoredTrait, ...], scope: Scope
) -> tuple[tuple[RelatedTable, ...], tuple[Colleagues, ...]]:
    """The declared tables and groups that are right.

    Args:
        node: The project file.
        traits: Stored traits, one of which a group shares.
        scope: Where problems go.
    """
    tables: list[RelatedTable] = []
    groups: list[Colleagues] = []
    for name, of in entries_of(node, "related", scope):
        what = f"the related table `{name.text}`"
        found = forms.mapping(of, scope, what, hint=_EXAMPLE)
        if found is None:
            continue
        if found.get("same") is not None or found.get("others_only") is not None:
            group = _colleagues(name, found, traits, scope)
            groups += [group] if group is not None else []
        elif forms.check_keys(found, TABLE_KEYS, scope, what):
            words = words_of(found, scope, what)
            properties = properties_of(found, scope)
            tables.append(
                RelatedTable(name.text, properties, words.get("title"), words.get("description"), name.location)
            )
    return tuple(tables), tuple(groups)


def _colleagues(name: Scalar, node: Mapping, traits: tuple[StoredTrait, ...], scope: Scope) -> Colleagues | None:
    what = f"the group `{name.text}`"
    ok = forms.check_keys(node, COLLEAGUES_KEYS, scope, what)
    same_node = forms.required(node, "same", scope, what, example="same: company")
    same = _shared(same_node, traits, scope) if same_node is not None else None
    others = node.get("others_only")
    others_only = forms.flag(others, scope, "`others_only`") if others is not None else False
    words = words_of(node, scope, what)
    if same is None or others_only is None or not ok:
        return None
    return Colleagues(name.text, same, others_only, words.get("title"), words.get("description"), name.location)


def _shared(node: Node, traits: tuple[StoredTrait, ...], scope: Scope) -> str | None:
    written = forms.text(node, scope, "`same`")
    if written is None:
        return None
    trait = next((t for t in traits if t.name == written), None)
    if trait is None:
        hint = scope.meant(written, tuple(t.name for t in traits))
        scope.error("SEG294", f"{shown(written)} is not a declared trait", node.location, hint=hint)
        return None
    if trait.type.kind not in _SHAREABLE:
        message = f"profiles share a text or a whole number; `{written}` is {describe_type(trait.type)}"
        scope.error("SEG294", message, node.location)
        return None
    return written
