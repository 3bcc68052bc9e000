"""Where segments come from and go to: drawings with a table that says the same."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from segctl.cli.site_drawings import Node, graph
from segctl.cli.site_frame import Frame, text

if TYPE_CHECKING:
    from segctl.operations.site import SegmentPage

_MOST_BOXES = 14
"""Boxes of one column in a segment's neighbourhood; the table below it names all."""
_MOST_SEGMENTS = 40
"""With more of them, the drawing of the whole groups segments by owner."""


def neighbourhood(frame: Frame, one: SegmentPage) -> str:
    """A segment with what it rests on and what rests on it."""
    words, name = frame.words, one.definition.name
    inputs = _inputs(one)
    sources = {source: keys for source, keys in _givers(frame).items() if keys & {key for key, _ in inputs}}
    columns = [
        _cut(frame, [Node(f"source:{source}", source, "source") for source in sources], "a"),
        _cut(frame, [Node(key, text_of, key.partition(":")[0]) for key, text_of in inputs], "b"),
        _cut(frame, [Node(f"segment:{other}", other, "segment") for other in one.refers.segments], "c"),
        [Node(f"segment:{name}", name, "segment self")],
        _cut(
            frame,
            [
                *(Node(f"segment:{other}", other, "segment") for other in one.used_by),
                *(Node(f"destination:{other}", other, "destination") for other in one.definition.send_to),
            ],
            "d",
        ),
    ]
    edges = [(f"source:{source}", key) for source, keys in sources.items() for key in sorted(keys)]
    edges += [(key, f"segment:{name}") for key, _ in inputs]
    edges += [(f"segment:{other}", f"segment:{name}") for other in one.refers.segments]
    edges += [(f"segment:{name}", node.key) for node in columns[4]]
    heads = (words["sources"], words["traits"], words["segments"], words["segment"], words["used_by"])
    return frame.scroll(graph(columns, edges, heads, words["graph_alt"])) + _table(frame, one, sorted(sources))


def _table(frame: Frame, one: SegmentPage, sources: Iterable[str]) -> str:
    rows = [
        ("sources", [frame.thing("source", source) for source in sources]),
        ("traits_only", [frame.thing("trait", name) for name in one.traits]),
        ("events", [frame.thing("event", name) for name in one.events]),
        ("tables", [frame.thing("related", name) for name in one.tables]),
        ("lists", [f"<code>{text(name)}</code>" for name in one.refers.lists]),
        ("segments", [frame.segment(name) for name in one.refers.segments]),
        ("used_by", [frame.segment(name) for name in one.used_by]),
        ("destinations", [text(name) for name in one.definition.send_to]),
        ("experiments", [text(f"{name}: {title}" if title else name) for name, title in one.experiments]),
    ]
    told = [(frame.words[key], frame.several(links, 200)) for key, links in rows if links]
    return frame.table(("what", "names"), told)


def _inputs(one: SegmentPage) -> list[tuple[str, str]]:
    """Key and name of what the segment reads, at any depth."""
    named = (("trait", one.traits), ("event", one.events), ("related", one.tables))
    return [(f"{kind}:{name}", name) for kind, names in named for name in names]


def _givers(frame: Frame) -> dict[str, set[str]]:
    """Source → keys of what it gives."""
    return {
        source.name: {
            *(f"trait:{name}" for name in source.traits),
            *(f"event:{name}" for name in source.events),
            *(f"related:{name}" for name in source.tables),
        }
        for source in frame.site.sources
    }


def _cut(frame: Frame, nodes: list[Node], key: str) -> list[Node]:
    if len(nodes) <= _MOST_BOXES:
        return nodes
    rest = frame.words["more"].format(n=frame.n(len(nodes) - _MOST_BOXES + 1))
    return [*nodes[: _MOST_BOXES - 1], Node(f"more:{key}", rest, "more")]


# --- The whole project ------------------------------------------------------------------------------------
def page(frame: Frame) -> str:
    """Everything in one drawing, segments by owner where they are many, and one table."""
    words = frame.words
    is_grouped = len(frame.site.segments) > _MOST_SEGMENTS
    note = f'<p class="soft">{words["grouped"]}</p>' if is_grouped else ""
    drawing = frame.scroll(_whole(frame, is_grouped=is_grouped)) if frame.site.segments else ""
    givers = _givers(frame)
    rows = [_row(frame, one, givers) for one in frame.site.segments]
    heads = ("segment", "sources", "traits_only", "events", "segments", "used_by", "destinations")
    table = frame.section("all_lineage", frame.table(heads, rows, "wide") if rows else f"<p>{words['no_segments']}</p>")
    return frame.whole(words["lineage"], [note, drawing, table])


def _row(frame: Frame, one: SegmentPage, givers: dict[str, set[str]]) -> list[str]:
    keys = {key for key, _ in _inputs(one)}
    return [
        frame.segment(one.definition.name),
        frame.several([frame.thing("source", source) for source, gives in givers.items() if gives & keys]),
        frame.several([frame.thing("trait", name) for name in one.traits]),
        frame.several(
            [
                *(frame.thing("event", name) for name in one.events),
                *(frame.thing("related", name) for name in one.tables),
            ]
        ),
        frame.several([frame.segment(name) for name in one.refers.segments]),
        frame.several([frame.segment(name) for name in one.used_by]),
        frame.several([text(name) for name in one.definition.send_to]),
    ]


def _whole(frame: Frame, *, is_grouped: bool) -> str:
    words, pages = frame.words, frame.site.segments
    boxes = {one.definition.name: _box_of(frame, one, is_grouped=is_grouped) for one in pages}
    used = dict.fromkeys(pair for one in pages for pair in _inputs(one))
    sources = {source: keys & {key for key, _ in used} for source, keys in _givers(frame).items()}
    destinations = dict.fromkeys(name for one in pages for name in one.definition.send_to)
    edges = {(f"source:{source}", key): None for source, keys in sources.items() for key in sorted(keys)}
    edges |= {(key, boxes[one.definition.name].key): None for one in pages for key, _ in _inputs(one)}
    edges |= {
        (boxes[one.definition.name].key, f"destination:{name}"): None
        for one in pages
        for name in one.definition.send_to
    }
    columns = [
        [Node(f"source:{source}", source, "source") for source in sources],
        [Node(key, name, key.partition(":")[0]) for key, name in used],
        list({node.key: node for node in boxes.values()}.values()),
        [Node(f"destination:{name}", name, "destination") for name in destinations],
    ]
    heads = (words["sources"], words["traits"], words["segments"], words["destinations"])
    return graph(columns, list(edges), heads, words["graph_alt"])


def _box_of(frame: Frame, one: SegmentPage, *, is_grouped: bool) -> Node:
    name = one.definition.name
    if not is_grouped:
        return Node(f"segment:{name}", name, "segment")
    owner = one.definition.owner
    count = sum(other.definition.owner == owner for other in frame.site.segments)
    told = frame.words["owner_of"].format(owner=owner or frame.words["nobody"], n=frame.n(count))
    return Node(f"owner:{owner or ''}", told, "segment")
