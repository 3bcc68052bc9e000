"""Binding of `consents:` in a source: which columns, or parts of tracking records, feed the consent ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segctl.compile.source import ListNode, Mapping, Node, Scalar
from segctl.compile.source_nodes import nearest
from segctl.compile.source_rules import bind_expression
from segctl.model.consent import CHANNELS, KINDS, SOFT_OPT_IN_FACTS
from segctl.model.sources import Column, ConsentRule, Expression
from segctl.model.tracking import CONSENT_PATHS

if TYPE_CHECKING:
    from segctl.compile.source_rules import Surroundings

LEDGER_COLUMNS = (
    *KINDS, "at", "action", "purpose", "channel", "event_id", "is_confirmed", "expires_at", "brand",
    "recipient_class", "legal_basis", "notice_id", "notice_version", "notice_hash", "language", "jurisdiction",
    "source", "capture_method", "proof_ref", "proof_hash", "actor", "supersedes", "reason", *SOFT_OPT_IN_FACTS,
    "ad_storage", "analytics_storage", "ad_user_data", "ad_personalization", "tcf", "gcs", "gcd",
)  # fmt: skip
"""The columns of `segctl consent import`."""
_KEYS = ("purpose", "channel", "columns", "set", "words", "categories")
_EXAMPLE = "write `- {purpose: newsletter, channel: email, columns: {email: E-Mail, action: Newsletter, at: Stand}}`"


def bind_consents(node: Node | None, around: Surroundings, shape: Node | None) -> tuple[ConsentRule, ...]:
    """The rules of a source; of tracking records with what their shape is known to say.

    Args:
        node: A mapping, or a list of them.
        around: Where problems go, and what the project declares.
        shape: The shape of tracking records; None for others.
    """
    if node is None:
        return ()
    shaped = shape.text if isinstance(shape, Scalar) else None
    items = node.items if isinstance(node, ListNode) else (node,)
    found = (_rule(item, around, shaped) for item in items)
    return tuple(rule for rule in found if rule is not None)


def _rule(node: Node, around: Surroundings, shape: str | None) -> ConsentRule | None:
    reader = around.reader
    root = reader.mapping(node, "`consents`", _KEYS)
    if root is None:
        return None
    fixed = dict(_texts(root.get("set"), "`set`", around))
    for key in ("purpose", "channel"):
        written = reader.text(root.get(key), f"`{key}`")
        fixed |= {} if written is None else {key: written}
    _check_known(root, fixed, around)
    columns = {} if shape is None else {name: Column(path) for name, path in CONSENT_PATHS.get(shape, ())}
    own = dict(_columns(root.get("columns"), around))
    categories = _categories(root.get("categories"), around, shape)
    rule = ConsentRule(
        tuple((columns | own).items()),
        tuple(fixed.items()),
        tuple(_pairs(root.get("words"), "`words`", around)),
        categories,
    )
    _check_whole(rule, root, around, is_tracking=shape is not None)
    return rule


def _columns(node: Node | None, around: Surroundings) -> list[tuple[str, Expression]]:
    found = []
    for name, value in around.reader.named(node, "`columns`"):
        if name.text not in LEDGER_COLUMNS:
            hint = nearest(name.text, LEDGER_COLUMNS)
            around.reader.error("SEG834", name, f"`{name.text}` is no column of the consent ledger", hint=hint)
            continue
        expression = bind_expression(value, around.reader)
        if expression is not None:
            found.append((name.text, expression))
    return found


def _texts(node: Node | None, what: str, around: Surroundings) -> list[tuple[str, str]]:
    """Texts for columns of the ledger."""
    found = _pairs(node, what, around)
    for name, _ in found:
        if name not in LEDGER_COLUMNS and node is not None:
            hint = nearest(name, LEDGER_COLUMNS)
            around.reader.error("SEG834", node, f"`{name}` is no column of the consent ledger", hint=hint)
    return [pair for pair in found if pair[0] in LEDGER_COLUMNS]


def _pairs(node: Node | None, what: str, around: Surroundings) -> list[tuple[str, str]]:
    found = []
    for name, value in around.reader.named(node, what):
        # An empty word says that nothing is said.
        is_empty = isinstance(value, Scalar) and value.is_null
        written = "" if is_empty else around.reader.text(value, f"`{name.text}`")
        found += [] if written is None else [(name.text, written)]
    return found


def _categories(node: Node | None, around: Surroundings, shape: str | None) -> tuple[tuple[str, str], ...]:
    if node is None:
        return ()
    if shape is None:
        hint = "name the columns instead: `columns: {action: Newsletter}`"
        around.reader.error("SEG835", node, "`categories` are for tracking records", hint=hint)
        return ()
    purposes = tuple(purpose.name for purpose in around.project.purposes)
    found = _pairs(node, "`categories`", around)
    for _, purpose in found:
        if purpose not in purposes:
            hint = nearest(purpose, purposes) or "declare it under `purposes` in segctl.yaml"
            around.reader.error("SEG830", node, f"`{purpose}` is not a declared purpose", hint=hint)
    return tuple(found)


def _check_known(root: Mapping, fixed: dict[str, str], around: Surroundings) -> None:
    purposes = tuple(purpose.name for purpose in around.project.purposes)
    for key, known, code, what in (
        ("purpose", purposes, "SEG830", "a declared purpose"),
        ("channel", CHANNELS, "SEG831", "a channel"),
    ):
        if key in fixed and fixed[key] not in known:
            place = root.get(key) or root
            hint = nearest(fixed[key], known) or ", ".join(known) or None
            around.reader.error(code, place, f"`{fixed[key]}` is not {what}", hint=hint)


def _check_whole(rule: ConsentRule, root: Mapping, around: Surroundings, *, is_tracking: bool) -> None:
    """A rule must say who, what and when."""
    told = {name for name, _ in (*rule.columns, *rule.fixed)} | ({"purpose", "action"} if rule.categories else set())
    if is_tracking:
        told.add("at")
    lacking = [name for name in ("purpose", "channel", "at") if name not in told]
    if not told & {"action", "tcf", "gcs", "gcd", "ad_storage", "ad_user_data"}:
        lacking.append("action")
    if not told & set(KINDS):
        lacking.append("a contact point such as `email`")
    if lacking:
        named = ", ".join(name if " " in name else f"`{name}`" for name in lacking)
        around.reader.error("SEG835", root, f"`consents` says nothing of {named}", hint=_EXAMPLE)
