"""Reading the nodes of a source declaration: each helper takes a node, gives a value and notes what is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from zoneinfo import ZoneInfo

from segctl.compile.source import ListNode, Mapping, Node, Scalar
from segctl.model.diagnostics import Diagnostic, Location, Severity

NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
_TRUE = frozenset({"true", "yes", "on"})
_FALSE = frozenset({"false", "no", "off"})


class Reader:
    """Collects diagnostics while values are read; every method answers with something usable."""

    def __init__(self) -> None:
        self.diagnostics: list[Diagnostic] = []

    def error(self, code: str, node: Node | Location, message: str, *, hint: str | None = None) -> None:
        """Note an error at a node."""
        location = node if isinstance(node, Location) else node.location
        self.diagnostics.append(Diagnostic(code, Severity.ERROR, message, location, hint=hint))

    def mapping(self, node: Node | None, what: str, keys: Sequence[str]) -> Mapping | None:
        """A mapping whose keys are all known; unknown ones are noted with the nearest."""
        if node is None:
            return None
        if not isinstance(node, Mapping):
            self.error("SEG300", node, f"{what} must be keys with values", hint=f"known keys: {', '.join(keys)}")
            return None
        for key, _ in node.entries:
            if key.text not in keys:
                self.error("SEG300", key, f"`{key.text}` is no key of {what}", hint=nearest(key.text, keys))
        return node

    def named(self, node: Node | None, what: str) -> tuple[tuple[Scalar, Node], ...]:
        """The entries of a mapping whose keys are names."""
        if node is None:
            return ()
        if not isinstance(node, Mapping):
            self.error("SEG300", node, f"{what} must be names with columns", hint="write `name: Column`, one a line")
            return ()
        return node.entries

    def text(self, node: Node | None, what: str) -> str | None:
        """A text, None when absent or no text."""
        if node is None:
            return None
        if not isinstance(node, Scalar) or node.is_null:
            self.error("SEG300", node, f"{what} must be a text")
            return None
        return node.text

    def texts(self, node: Node | None, what: str) -> tuple[str, ...]:
        """A text or a list of texts."""
        if isinstance(node, ListNode):
            found = [self.text(item, what) for item in node.items]
            return tuple(text for text in found if text is not None)
        text = self.text(node, what)
        return () if text is None else (text,)

    def choice(self, node: Node | None, what: str, choices: Sequence[str], default: str) -> str:
        """One of a few words."""
        text = self.text(node, what)
        if text is None or node is None:
            return default
        if text not in choices:
            hint = f"{what} is {' or '.join(f'`{choice}`' for choice in choices)}"
            self.error("SEG304", node, f"`{text}` is no {what}", hint=hint)
            return default
        return text

    def truth(self, node: Node | None, what: str) -> bool | None:
        """True or false."""
        text = self.text(node, what)
        if text is None or node is None:
            return None
        if text.lower() not in _TRUE | _FALSE:
            self.error("SEG304", node, f"`{text}` is neither true nor false")
            return None
        return text.lower() in _TRUE

    def whole(self, node: Node | None, what: str) -> int | None:
        """A whole number, at least 0."""
        text = self.text(node, what)
        if text is None or node is None:
            return None
        if not text.isascii() or not text.isdigit() or len(text) > 12:
            self.error("SEG304", node, f"{what} must be a whole number, not `{text}`")
            return None
        return int(text)

    def sign(self, node: Node | None, what: str, *, names: dict[str, str]) -> str | None:
        """One character, or a word for it such as ``tab``."""
        text = self.text(node, what)
        if text is None or node is None:
            return None
        found = names.get(text, text)
        if len(found) != 1:
            self.error("SEG304", node, f"{what} must be one character, not `{text}`")
            return None
        return found

    def zone(self, node: Node | None, default: str) -> str:
        """An IANA zone that this machine knows."""
        text = self.text(node, "`zone`")
        if text is None or node is None:
            return default
        try:
            ZoneInfo(text)
        except (KeyError, ValueError, OSError):
            hint = "zones are written as `Europe/Berlin` or `UTC`"
            self.error("SEG306", node, f"`{text}` is no known time zone", hint=hint)
            return default
        return text


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint with the nearest known name, or all of them when few."""
    names = list(known)
    folded = {candidate.casefold(): candidate for candidate in names}
    close = get_close_matches(name.casefold(), folded, n=1, cutoff=0.7)
    if close:
        return f"did you mean `{folded[close[0]]}`?"
    if not names:
        return "none are declared in segctl.yaml"
    shown = ", ".join(f"`{candidate}`" for candidate in names[:12])
    return f"known: {shown}" + (" …" if len(names) > 12 else "")
