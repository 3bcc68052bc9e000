"""The heads of segment files: what a list needs, without binding any condition."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from pathlib import Path

from segctl.compile.bind.for_each import sisters
from segctl.compile.bind.scope import Scope
from segctl.compile.files import definition_files
from segctl.compile.kinds import kinds_written, segments_written
from segctl.compile.source import ListNode, Mapping, Node, Scalar, compose_file
from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import Location
from segctl.model.project import Project


@dataclass(frozen=True, slots=True)
class SegmentHeader:
    """What stands above the condition of a segment file, unchecked: `lint` is who checks.

    Attributes:
        status: draft, active or paused, as written.
        send_to: Destinations.
        uses: Segments that its condition refers to.
        kinds: Kinds of conditions in it, such as ``sequence``.
        expires: Day from which nobody belongs to it; None without one, or when it is no day.
        formerly: Former names, the oldest first.
    """

    name: str
    title: str | None
    status: str
    owner: str | None
    tags: tuple[str, ...]
    location: Location
    send_to: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    kinds: frozenset[str] = frozenset()
    expires: date | None = None
    formerly: tuple[str, ...] = ()


def segment_headers(project: Project) -> tuple[dict[str, SegmentHeader], int]:
    """The heads by name, in order of name, and how many files gave none."""
    found: dict[str, SegmentHeader] = {}
    unreadable = 0
    for path in definition_files(project, "segments"):
        node, _ = compose_file(Path(project.root) / path, path)
        written = [] if node is None else sisters(node, Scope(project))
        headers = [header for sister in written if (header := _header(sister.node, path)) is not None]
        unreadable += not headers
        for header in headers:
            found.setdefault(header.name, header)
    return dict(sorted(found.items())), unreadable


def _header(node: Node | None, file: str) -> SegmentHeader | None:
    if not isinstance(node, Mapping):
        return None
    name = _text(node.get("segment"))
    if name is None:
        return None
    where = node.get("where")
    return SegmentHeader(
        name=name,
        title=_text(node.get("title")),
        status=_text(node.get("status")) or "active",
        owner=_text(node.get("owner")),
        tags=_texts(node.get("tags")),
        location=Location(file, node.location.line, node.location.column),
        send_to=_texts(node.get("send_to")),
        uses=segments_written(where),
        kinds=frozenset(kind for kind, _ in kinds_written(where)),
        expires=_day(_text(node.get("expires"))),
        formerly=_texts(node.get("formerly")),
    )


def _day(text: str | None) -> date | None:
    with suppress(ValueError):
        return None if text is None else date.fromisoformat(text)
    return None


def _texts(node: Node | None) -> tuple[str, ...]:
    return tuple(text for item in node.items if (text := _text(item))) if isinstance(node, ListNode) else ()


def _text(node: Node | None) -> str | None:
    return node.text.strip() or None if isinstance(node, Scalar) and not node.is_null else None
