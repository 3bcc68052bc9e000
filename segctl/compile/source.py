"""YAML text to nodes with positions: strict, bounded, and with scalars kept as the text that was written.

Nothing is interpreted here: `NO`, `012` and `1:30` stay text until a schema says what they are. Whatever
the input is, the answer comes in time proportional to a small limit and never as an exception.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from dataclasses import field
from pathlib import Path
from typing import Any

import yaml

from segctl.compile import yaml_errors
from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import Diagnostic, Location, Severity

MAX_BYTES = 2_000_000
MAX_NODES = 100_000
MAX_DEPTH = 50

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
# Beyond YAML's own rule, the line separators that editors do not count as lines are refused: positions stay true.
# The class of what is allowed would take ten times as long to compile.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_CUT_BY_COMMENT = re.compile(r"[ \t]+#[ \t]?\d+[ \t]*(?=[\r\n]|$)")
_COMMENT = re.compile(r"[ \t]*(#[^\r\n]*)")


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value as text.

    Attributes:
        text: What was written, without quotes.
        is_plain: Written without quotes and not as a block: only then may it mean a number, a date or nothing.
        location: Where it stands.
        comment: The comment right behind an empty value, which was perhaps meant as the value.
    """

    text: str
    is_plain: bool
    location: Location
    comment: str | None = None

    @property
    def is_null(self) -> bool:
        """True when nothing was written, or YAML's word for nothing."""
        return self.is_plain and self.text in _NULLS


@dataclass(frozen=True, slots=True)
class ListNode:
    """A list of nodes."""

    items: tuple[Node, ...]
    location: Location


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys and values in the order written; every key stands once."""

    entries: tuple[tuple[Scalar, Node], ...]
    location: Location

    def get(self, name: str) -> Node | None:
        """The value under a key, None when the key is absent."""
        for key, value in self.entries:
            if key.text == name:
                return value
        return None

    def key(self, name: str) -> Scalar | None:
        """The key itself, for its position."""
        for key, _ in self.entries:
            if key.text == name:
                return key
        return None

    @property
    def names(self) -> tuple[str, ...]:
        """All keys as text."""
        return tuple(key.text for key, _ in self.entries)


Node = Scalar | ListNode | Mapping


def compose(text: str | bytes, file: str) -> tuple[Node | None, list[Diagnostic]]:
    """Read one YAML document.

    Args:
        text: Content of the file; bytes must be UTF-8.
        file: Name for positions, relative to the project.

    Returns:
        The root node, None when there is none to be had, and what is wrong. A node may come with errors
        (duplicate keys: the first holds).
    """
    decoded = _decode(text, file)
    if isinstance(decoded, Diagnostic):
        return None, [decoded]
    refused = _refuse_characters(decoded, file)
    if refused is not None:
        return None, [refused]
    composer = _Composer(decoded, file)
    try:
        root = composer.document()
    except _Refused as refusal:
        return None, [*composer.diagnostics, refusal.diagnostic]
    except yaml.YAMLError as error:
        return None, [*composer.diagnostics, yaml_errors.explain(error, decoded, file)]
    if root is None or (isinstance(root, Scalar) and root.is_null):
        empty = Diagnostic("SEG206", Severity.ERROR, "the file is empty", Location(file), hint="write or delete it")
        return None, [*composer.diagnostics, empty]
    return root, composer.diagnostics


def compose_file(path: Path, file: str) -> tuple[Node | None, list[Diagnostic]]:
    """`compose` for a file on disk; an unreadable or huge one gives a diagnostic."""
    content = read_bytes(path, file)
    return (None, [content]) if isinstance(content, Diagnostic) else compose(content, file)


def read_bytes(path: Path, file: str) -> bytes | Diagnostic:
    """The content of a file on disk, or why it is not to be had."""
    try:
        found = path.stat()
        # Reading a named pipe would wait for ever.
        if not stat.S_ISREG(found.st_mode):
            return Diagnostic("SEG200", Severity.ERROR, "this is not a regular file", Location(file))
        if found.st_size > MAX_BYTES:
            return _too_large(found.st_size, file)
        return path.read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        return Diagnostic("SEG200", Severity.ERROR, f"the file cannot be read: {reason}", Location(file))


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it, in reading order, keys included."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        if isinstance(current, ListNode):
            stack.extend(reversed(current.items))
        elif isinstance(current, Mapping):
            stack.extend(part for entry in reversed(current.entries) for part in reversed(entry))


# --- Text -------------------------------------------------------------------------------------------------
def _too_large(size: int, file: str) -> Diagnostic:
    return Diagnostic(
        "SEG205",
        Severity.ERROR,
        f"the file has {size:,} bytes, limit {MAX_BYTES:,}",
        Location(file),
        hint="keep long lists of values in a file of their own and name it with `{list: name}`",
    )


def _decode(text: str | bytes, file: str) -> str | Diagnostic:
    if len(text) > MAX_BYTES:
        return _too_large(len(text), file)
    if isinstance(text, str):
        return text.removeprefix("\ufeff")
    if text.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Diagnostic(
            "SEG200", Severity.ERROR, "the file is UTF-16, not UTF-8", Location(file), hint="save it as UTF-8"
        )
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = text[: error.start].decode("utf-8-sig", errors="replace")
        line, column = _position(before, len(before))
        return Diagnostic(
            "SEG200",
            Severity.ERROR,
            f"the file is not UTF-8: byte 0x{text[error.start]:02x}",
            Location(file, line, column),
            hint="save it as UTF-8; older Windows programs write cp1252",
        )


def _position(text: str, index: int) -> tuple[int, int]:
    lines = re.split(r"\r\n|\r|\n", text[:index])
    return len(lines), len(lines[-1]) + 1


def _refuse_characters(text: str, file: str) -> Diagnostic | None:
    found = _FORBIDDEN.search(text)
    if found is None:
        return None
    line, column = _position(text, found.start())
    character = ord(found.group())
    name = "a NUL byte" if character == 0 else f"the control character U+{character:04X}"
    return Diagnostic(
        "SEG200", Severity.ERROR, f"{name} stands in the file", Location(file, line, column), hint="delete it"
    )


# --- Nodes ------------------------------------------------------------------------------------------------
class _Refused(Exception):  # noqa: N818 - never leaves this module
    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not come yet; a mapping's parts are key, value, key, value."""

    event: Any
    anchor: str | None
    parts: list[Node] = field(default_factory=list)
    size: int = 1


def _loader(text: str) -> Any:  # noqa: ANN401 - PyYAML's loaders have no common type
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)


class _Composer:
    """Turns PyYAML's events into nodes, without recursion."""

    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file
        self.diagnostics: list[Diagnostic] = []
        self._has_comments = "#" in text
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._root: Node | None = None
        self._documents = 0
        self._count = 0

    def document(self) -> Node | None:
        """The first and only document's root."""
        loader = _loader(self.text)
        try:
            while True:
                event = loader.get_event()
                if event is None or type(event) is yaml.StreamEndEvent:
                    return self._root
                self._take(event)
        finally:
            loader.dispose()

    def _take(self, event: Any) -> None:  # noqa: ANN401 - see _loader
        kind = type(event)
        if kind is yaml.ScalarEvent:
            self._refuse_tag(event)
            self._add(self._scalar(event), 1, event.anchor)
        elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            self._refuse_tag(event)
            if len(self._open) >= MAX_DEPTH:
                self._refuse("SEG205", event, f"nested deeper than {MAX_DEPTH} levels", "flatten it")
            self._open.append(_Open(event, event.anchor))
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            self._close(event)
        elif kind is yaml.AliasEvent:
            self._alias(event)
        elif kind is yaml.DocumentStartEvent:
            self._documents += 1
            if self._documents > 1:
                self._refuse("SEG203", event, "a second document starts here", "keep one document a file; delete `---`")

    def _refuse(self, code: str, event: Any, message: str, hint: str | None = None) -> None:  # noqa: ANN401 - see _loader
        raise _Refused(Diagnostic(code, Severity.ERROR, message, self._location(event), hint=hint))

    def _refuse_tag(self, event: Any) -> None:  # noqa: ANN401 - see _loader
        if event.tag is not None:
            shown = event.tag.replace("tag:yaml.org,2002:", "!!")[:40]
            hint = "write the value plainly; a text that starts with `!` needs quotes"
            self._refuse("SEG203", event, f"the tag `{shown}` is not allowed", hint)

    def _location(self, event: Any) -> Location:  # noqa: ANN401 - see _loader
        start, end = event.start_mark, event.end_mark
        length = end.column - start.column if end.line == start.line else 1
        return Location(self.file, start.line + 1, start.column + 1, length if length > 0 else 1)

    def _scalar(self, event: Any) -> Scalar:  # noqa: ANN401 - see _loader
        is_plain = event.style is None or event.style == ""
        location = self._location(event)
        if not (self._has_comments and is_plain):
            return Scalar(event.value, is_plain, location)
        end = event.end_mark.index
        if event.value == "":
            comment = _COMMENT.match(self.text, end)
            return Scalar("", True, location, comment.group(1).rstrip() if comment else None)
        if not event.value.isascii() or any(letter.isalpha() for letter in event.value):
            self._warn_of_cut(event, end)
        return Scalar(event.value, True, location)

    def _warn_of_cut(self, event: Any, end: int) -> None:  # noqa: ANN401 - see _loader
        cut = _CUT_BY_COMMENT.match(self.text, end)
        if cut is None:
            return
        whole = event.value + cut.group().rstrip()
        self.diagnostics.append(
            Diagnostic(
                "SEG208",
                Severity.WARNING,
                f"`{cut.group().strip()}` is read as a comment, so the value is `{event.value}`",
                self._location(event),
                hint=f'write `"{whole}"` if the number belongs to it',
            )
        )

    def _alias(self, event: Any) -> None:  # noqa: ANN401 - see _loader
        known = self._anchors.get(event.anchor)
        if known is None:
            name = str(event.anchor)[:40]
            hint = f'a text that starts with `*` needs quotes: `"*{name}"`'
            self._refuse("SEG203", event, f"`*{name}` refers to nothing", hint)
        else:
            self._add(known[0], known[1], None)

    def _add(self, node: Node, size: int, anchor: str | None) -> None:
        self._count += size
        if self._count > MAX_NODES:
            message = f"more than {MAX_NODES:,} values, with every repetition through `*` counted"
            hint = "keep long lists of values in a file of their own and name it with `{list: name}`"
            raise _Refused(Diagnostic("SEG205", Severity.ERROR, message, node.location, hint=hint))
        if anchor is not None:
            self._anchors[anchor] = (node, size)
        if self._open:
            self._open[-1].parts.append(node)
            self._open[-1].size += size
        else:
            self._root = node

    def _close(self, end: Any) -> None:  # noqa: ANN401 - see _loader
        opened = self._open.pop()
        start = opened.event.start_mark
        length = 1
        if opened.event.flow_style and end.end_mark.line == start.line:
            length = max(1, end.end_mark.column - start.column)
        elif opened.parts and isinstance(opened.parts[0], Scalar):
            length = opened.parts[0].location.length
        location = Location(self.file, start.line + 1, start.column + 1, length)
        node: Node
        if type(opened.event) is yaml.SequenceStartEvent:
            node = ListNode(tuple(opened.parts), location)
        else:
            node = Mapping(self._entries(opened.parts), location)
        self._add_closed(node, opened)

    def _add_closed(self, node: Node, opened: _Open) -> None:
        # The parts were counted when they came; only the collection itself is new.
        self._count -= opened.size - 1
        self._add(node, opened.size, opened.anchor)

    def _entries(self, parts: list[Node]) -> tuple[tuple[Scalar, Node], ...]:
        entries: dict[str, tuple[Scalar, Node]] = {}
        for key, value in zip(parts[::2], parts[1::2], strict=True):
            if not isinstance(key, Scalar):
                raise _Refused(yaml_errors.bad_key(key.location))
            if key.is_plain and key.text == "<<":
                message = "merging with `<<` is not allowed"
                raise _Refused(Diagnostic("SEG203", Severity.ERROR, message, key.location, hint="write the keys out"))
            first = entries.get(key.text)
            if first is None:
                entries[key.text] = (key, value)
                continue
            where = first[0].location
            shown = key.text if len(key.text) <= 40 else key.text[:37] + "..."
            self.diagnostics.append(
                Diagnostic(
                    "SEG202",
                    Severity.ERROR,
                    f"the key `{shown}` stands twice",
                    key.location,
                    why=f"it stands already in line {where.line}",
                    hint="keep one of them",
                )
            )
        return tuple(entries.values())
