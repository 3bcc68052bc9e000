"""Binding of secrets: only where they stand is declared, never what they are."""

from __future__ import annotations

from dataclasses import replace

from segctl.compile.source import ListNode, Mapping, Node, Scalar
from segctl.compile.source_nodes import Reader
from segctl.model.secrets import Secret, Text, remember

FORMS = ("env", "file", "command")
_HINT = "write where it stands: `{env: NAME}`, `{file: path}` or `{command: [program, …]}`"


def bind_secret(node: Node | None, what: str, reader: Reader, *, around: Node | None = None) -> Secret | None:
    """A secret by reference.

    Args:
        node: What stands there.
        what: Its key, for messages.
        reader: Notes what is wrong; a secret that is written out is masked before anybody can print it.
        around: Where it is missing, when it may be.
    """
    if node is None:
        if around is not None:
            reader.error("SEG300", around, f"{what} is missing", hint=_HINT)
        return None
    if isinstance(node, Scalar):
        if node.is_null:
            reader.error("SEG300", node, f"{what} is empty", hint=_HINT)
        else:
            refuse_written(node, node.text, what, reader)
        return None
    found = reader.mapping(node, what, FORMS)
    if found is None or len(found.entries) != 1:
        if found is not None:
            reader.error("SEG300", node, f"{what} is one of {', '.join(FORMS)}", hint=_HINT)
        return None
    key, value = found.entries[0]
    if key.text not in FORMS:
        return None
    words = reader.texts(value, f"`{key.text}`")
    if not words or not words[0] or (key.text != "command" and isinstance(value, ListNode)):
        reader.error("SEG300", value, f"`{key.text}` names nothing", hint=_HINT)
        return None
    form = key.text
    return Secret("env" if form == "env" else "file" if form == "file" else "command", words)


def bind_text(node: Node | None, what: str, reader: Reader) -> Text | None:
    """A text that may be written out, or a secret."""
    if isinstance(node, Mapping):
        return bind_secret(node, what, reader)
    return reader.text(node, what)


def refuse_written(node: Node, text: str, what: str, reader: Reader) -> None:
    """Notes a secret that stands in the declaration, so that its excerpt shows a mask."""
    remember(text)
    # Its length is nobody's business either.
    reader.error("SEG370", replace(node.location, length=1), f"{what}: a secret stands in the declaration", hint=_HINT)
