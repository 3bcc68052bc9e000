"""The form of nodes: mapping, list, text, name, whole number; each check reports and gives None when it fails."""

from __future__ import annotations

import re
from collections.abc import Collection
from collections.abc import Mapping as Lookup
from dataclasses import replace

from segctl.compile import source
from segctl.compile.bind.scope import Scope, shown
from segctl.compile.source import ListNode, Mapping, Node, Scalar
from segctl.compile.suggest import as_name, one_of

NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_DIGITS = re.compile(r"\d+")
_NUMBER = re.compile(r"-?\d+")


def kind_of(node: Node) -> str:
    """What a node is, in the user's words."""
    if isinstance(node, Mapping):
        return "a mapping"
    if isinstance(node, ListNode):
        return "a list"
    return "empty" if node.is_null else shown(node.text)


def mapping(node: Node, scope: Scope, what: str, *, hint: str | None = None) -> Mapping | None:
    """The node as a mapping."""
    if isinstance(node, Mapping):
        return node
    wrong_form(node, scope, f"{what} is a mapping of keys and values", hint=hint)
    return None


def items(node: Node, scope: Scope, what: str, *, hint: str | None = None, least: int = 1) -> tuple[Node, ...] | None:
    """The items of a list with at least `least` of them."""
    if not isinstance(node, ListNode):
        wrong_form(node, scope, f"{what} is a list", hint=hint)
        return None
    if len(node.items) < least:
        wanted = "is empty" if least == 1 else f"has {len(node.items)} of at least {least} items"
        scope.error("SEG212", f"{what} {wanted}", node.location)
        return None
    return node.items


def text(node: Node, scope: Scope, what: str) -> str | None:
    """The text of a scalar that is not empty."""
    if isinstance(node, Scalar) and not node.is_null and node.text.strip():
        return node.text.strip()
    wrong_form(node, scope, f"{what} is a text")
    return None


def name(node: Node, scope: Scope, what: str) -> str | None:
    """A name of the language: small letters, digits and `_`."""
    written = text(node, scope, what)
    if written is None or NAME.fullmatch(written):
        return written
    mended = as_name(written)
    hint = (
        f"write `{mended[:63]}`"
        if NAME.fullmatch(mended[:63])
        else "begin with a small letter; then letters, digits, `_`"
    )
    message = f"{shown(written)} is not a name; names have small letters a–z, digits and `_`"
    scope.error("SEG217", message, node.location, hint=hint)
    return None


def names(node: Node, scope: Scope, what: str) -> tuple[Scalar, ...] | None:
    """A list of texts, each once."""
    if isinstance(node, Scalar) and not node.is_null:
        wrong_form(node, scope, f"{what} is a list", hint=f"write `[{node.text.strip()[:60]}]`")
        return None
    found = items(node, scope, what)
    if found is None:
        return None
    texts = [item for item in found if text(item, scope, f"an item of {what}") is not None]
    unique = {item.text.strip(): item for item in texts if isinstance(item, Scalar)}
    return tuple(unique.values()) if len(texts) == len(found) else None


def count(node: Node, scope: Scope, what: str, *, least: int = 0) -> int | None:
    """A whole number, not in quotes."""
    if isinstance(node, Scalar) and node.is_plain and _NUMBER.fullmatch(node.text) and len(node.text) < 18:
        value = int(node.text)
        if value >= least:
            return value
        scope.error("SEG230", f"{what} is at least {least}, not {value}", node.location)
        return None
    if isinstance(node, Scalar) and not node.is_null:
        scope.error(
            "SEG230", f"{shown(node.text)} is not a whole number", node.location, hint=f"{what} is a whole number"
        )
        return None
    wrong_form(node, scope, f"{what} is a whole number")
    return None


def flag(node: Node, scope: Scope, what: str) -> bool | None:
    """`true` or `false`."""
    if isinstance(node, Scalar) and node.is_plain and node.text.lower() in ("true", "false"):
        return node.text.lower() == "true"
    wrong_form(node, scope, f"{what} is `true` or `false`")
    return None


def choice(node: Node, options: Collection[str], scope: Scope, what: str) -> str | None:
    """One word of a few."""
    written = text(node, scope, what)
    if written is None or written in options:
        return written
    message = f"{shown(written)} is not a {what}"
    known = one_of(sorted(options), "or")
    scope.error("SEG212", message, node.location, hint=scope.meant(written, options, otherwise=f"write {known}"))
    return None


def wrong_form(node: Node, scope: Scope, expected: str, *, hint: str | None = None) -> None:
    """Report a node of the wrong form; an empty value behind which a comment stands gets its own words."""
    if isinstance(node, Scalar) and node.is_null:
        if node.comment is not None:
            scope.error(
                "SEG208",
                "the value is empty: `#` starts a comment",
                node.location,
                hint=f'write `"{node.comment[:60]}"` if that is the value',
            )
            return
        scope.error("SEG212", f"the value is empty; {expected}", node.location, hint=hint)
        return
    scope.error("SEG212", f"{expected}, not {kind_of(node)}", node.location, hint=hint)


def check_keys(
    node: Mapping,
    allowed: Collection[str],
    scope: Scope,
    what: str,
    *,
    synonyms: Lookup[str, str] | None = None,
    code: str = "SEG210",
) -> bool:
    """Report keys that do not belong; True when all do."""
    ok = True
    previous: source.Node | None = None
    for key, value in node.entries:
        if key.text not in allowed:
            ok = False
            if not _decimal_comma(key, value, previous, scope):
                hint = scope.meant(key.text, tuple(allowed), synonyms)
                message = f"{shown(key.text)} is not a key of {what}"
                scope.error(code, message, key.location, hint=hint)
        previous = value
    return ok


def _decimal_comma(key: Scalar, value: Node, previous: Node | None, scope: Scope) -> bool:
    """`{at_least: 99,90}` reads as the key `90` without a value."""
    if not (isinstance(value, Scalar) and value.is_null and isinstance(previous, Scalar)):
        return False
    cents = _DIGITS.match(key.text)
    if cents is None or not previous.is_plain or not _NUMBER.fullmatch(previous.text):
        return False
    written, mended = f"{previous.text},{key.text}", f"{previous.text}.{key.text}"
    place, end = previous.location, key.location
    if place.line == end.line:
        place = replace(place, length=end.column + end.length - place.column)
    scope.error("SEG231", f"{shown(written)} has a decimal comma", place, hint=f"write `{mended[:60]}`")
    return True


def required(node: Mapping, key: str, scope: Scope, what: str, *, example: str | None = None) -> Node | None:
    """The value of a key that must be there."""
    found = node.get(key)
    if found is None:
        scope.error("SEG211", f"{what} has no `{key}`", node.location, hint=f"add `{example}`" if example else None)
    return found
