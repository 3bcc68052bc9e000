"""The picture of a workflow: as Mermaid text, and as SVG that says in words what it shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import wrap

from segctl.cli.validation_page import plain
from segctl.compile.words_workflows import exit_words, say, step_words, trigger_words, way_words
from segctl.model.dataclass import dataclass
from segctl.model.project import Language
from segctl.model.workflows import END, START, Act, Branch, Node, Split, Stop, Wait, WaitFor, WaitUntil, Workflow

_WIDE, _LANE, _LINE, _PAD, _GAP, _BETWEEN, _MARGIN = 232, 90, 16, 10, 54, 40, 16
_LETTERS, _MOST_LINES, _LABEL = 32, 4, 22
_ASIDE, _LETTER = 8, 6.5
"""How far a label stands from its line, and the width of a letter in it."""
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1a1a1a}.box{fill:#f4f4f2;stroke:#555;stroke-width:1.2}"
    ".act{fill:#dcebdc;stroke:#2f6b2f}.wait{fill:#e4eaf5;stroke:#34568b}.choice{fill:#f6ecd2;stroke:#7a5c10}"
    ".edge{fill:none;stroke:#555;stroke-width:1.4}.way{font-size:12px;fill:#333}.halo{stroke:#fff;stroke-width:4;"
    "paint-order:stroke}@media(prefers-color-scheme:dark){text{fill:#eee}.box{fill:#2b2b2b;stroke:#aaa}"
    ".act{fill:#1f3a1f;stroke:#8fc98f}.wait{fill:#1f2c42;stroke:#9db8e6}.choice{fill:#3d3210;stroke:#d9bd6a}"
    ".edge{stroke:#bbb}.way{fill:#ddd}.halo{stroke:#1b1b1b}.paper{fill:#1b1b1b}}"
)


@dataclass(frozen=True, slots=True)
class _Box:
    key: str
    text: str
    look: str


@dataclass(frozen=True, slots=True)
class _Edge:
    start: str
    end: str
    text: str


def mermaid(workflow: Workflow, language: Language) -> str:
    """A flowchart in the language that Git hosts and wikis draw."""
    boxes, edges = _graph(workflow, language)
    names = {box.key: f"n{number}" for number, box in enumerate(boxes)}
    lines = ["flowchart TD"]
    for box in boxes:
        left, right = _SHAPES[box.look]
        lines.append(f'  {names[box.key]}{left}"{_quoted(box.text)}"{right}')
    for edge in edges:
        label = f'|"{_quoted(edge.text)}"|' if edge.text else ""
        lines.append(f"  {names[edge.start]} -->{label} {names[edge.end]}")
    lines += [f"  %% {text}" for text in exit_words(workflow, language)]
    return "\n".join(lines) + "\n"


_SHAPES = {
    "start": ("([", "])"), "act": ("[", "]"), "wait": ("[/", "/]"), "choice": ("{{", "}}"), "end": ("([", "])"),
}  # fmt: skip


def _quoted(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")


def svg(workflow: Workflow, language: Language) -> str:
    """One drawing, from top to bottom, readable alone and inside a page."""
    boxes, edges = _graph(workflow, language)
    notes = [*exit_words(workflow, language)]
    if workflow.control:
        notes.append(say("control", language, f"{(workflow.control * 100).normalize():f}"))
    layout = _laid_out(boxes, edges)
    width = max(layout.width, 2 * _MARGIN + 7.5 * max(map(len, notes), default=0))
    height = layout.height + 20 * len(notes)
    along = [(edge, layout.lanes[number]) for number, edge in enumerate(edges)]
    parts = [_edge(edge, lane, layout.places) for edge, lane in along]
    parts += [_drawn(box, layout.places[box.key]) for box in boxes]
    parts += [_label(edge, lane, layout.places, width) for edge, lane in along if edge.text]
    for number, note in enumerate(notes):
        y = height - 20 * (len(notes) - number)
        parts.append(f'<text x="{_MARGIN}" y="{y:g}">{plain(note, 200)}</text>')
    title = plain(workflow.title or workflow.name, 200)
    told = plain(". ".join(_told(boxes, edges) + notes), 4_000)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="wf-t wf-d" viewBox="0 0 {width:g}'
        f' {height:g}" width="{width:g}" height="{height:g}"><title id="wf-t">{title}</title>'
        f'<desc id="wf-d">{told}</desc><style>{_STYLE}</style><defs><marker id="wf-a" viewBox="0 0 8 8" refX="7"'
        ' refY="4" markerWidth="8" markerHeight="8" orient="auto"><path class="edge" d="M1 1 7 4 1 7"/></marker></defs>'
        f'<rect class="paper" width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>\n'
    )


def _told(boxes: Sequence[_Box], edges: Sequence[_Edge]) -> list[str]:
    """The flow in sentences, for those who do not see it."""
    texts = {box.key: box.text for box in boxes}
    return [
        f"{texts[edge.start]} → {edge.text + ': ' if edge.text else ''}{texts[edge.end]}" for edge in edges
    ]  # fmt: skip


# --- The graph ----------------------------------------------------------------------------------------------
def _graph(workflow: Workflow, language: Language) -> tuple[list[_Box], list[_Edge]]:
    boxes = [_Box(START, trigger_words(workflow.trigger, language), "start")]
    edges = [_Edge(START, workflow.first, "")]
    for node in workflow.nodes:
        words = node.title or step_words(node.body, language)
        # Reports call a step by its name, so the picture shows it; a place such as `3.then.1` says nothing here.
        is_place = any(part.isdigit() for part in node.id.split("."))
        named = words if is_place or node.title else f"{node.id}: {words}"
        boxes.append(_Box(node.id, named, _look(node)))
        edges += _ways(node, language)
    if any(edge.end == END for edge in edges):
        boxes.append(_Box(END, say("end", language), "end"))
    return boxes, edges


def _ways(node: Node, language: Language) -> list[_Edge]:
    if isinstance(node.body, Stop):
        return []
    if isinstance(node.body, WaitFor) and node.way("reached") == node.way("timeout"):
        return [_Edge(node.id, node.way("timeout"), "")]
    # In a split by weights everybody has an arm.
    without = ("else",) if isinstance(node.body, Split) and node.body.experiment is None else ()
    return [_Edge(node.id, end, way_words(node, way, language)) for way, end in node.ways if way not in without]


def _look(node: Node) -> str:
    match node.body:
        case Act():
            return "act"
        case Wait() | WaitUntil() | WaitFor():
            return "wait"
        case Branch() | Split():
            return "choice"
        case _:
            return "end"


# --- Where things stand -------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Place:
    x: float
    y: float
    wide: float
    lines: tuple[str, ...]

    @property
    def high(self) -> float:
        return 2 * _PAD + _LINE * len(self.lines)

    @property
    def middle(self) -> float:
        return self.x + self.wide / 2


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where boxes stand, and which points each edge goes through, by its place in the list."""

    places: Mapping[str, _Place]
    lanes: Mapping[int, tuple[str, ...]]
    width: float
    height: float


def _laid_out(boxes: Sequence[_Box], edges: Sequence[_Edge]) -> _Layout:
    """Each box below all that lead to it, those of one height side by side; long edges have lanes of their own."""
    depth = dict.fromkeys((box.key for box in boxes), 0)
    for _ in boxes:
        for edge in edges:
            depth[edge.end] = max(depth[edge.end], depth[edge.start] + 1)
    rows: dict[int, list[_Box]] = {}
    for box in boxes:
        rows.setdefault(depth[box.key], []).append(box)
    lanes: dict[int, tuple[str, ...]] = {}
    for number, edge in enumerate(edges):
        passed = range(depth[edge.start] + 1, depth[edge.end])
        lanes[number] = tuple(f"lane {number} {level}" for level in passed)
        for level, key in zip(passed, lanes[number], strict=True):
            rows[level].append(_Box(key, "", "lane"))
    width = max(sum(map(_wide, row)) + _BETWEEN * (len(row) - 1) for row in rows.values()) + 2 * _MARGIN
    places, y = dict[str, _Place](), float(_MARGIN)
    for level in sorted(rows):
        row = rows[level]
        x = (width - sum(map(_wide, row)) - _BETWEEN * (len(row) - 1)) / 2
        for box in row:
            places[box.key] = _Place(x, y, _wide(box), _lines(box.text, _LETTERS, _MOST_LINES))
            x += _wide(box) + _BETWEEN
        y += max(places[box.key].high for box in row) + _GAP
    return _Layout(places, lanes, width, y - _GAP + 2 * _MARGIN)


def _wide(box: _Box) -> int:
    return _LANE if box.look == "lane" else _WIDE


def _lines(text: str, letters: int, most: int) -> tuple[str, ...]:
    found = wrap(text, letters) or [""]
    return (*found[: most - 1], f"{found[most - 1][: letters - 1]}…") if len(found) > most else tuple(found)


def _drawn(box: _Box, place: _Place) -> str:
    radius = place.high / 2 if box.look in ("start", "end") else 4
    texts = "".join(
        f'<text x="{place.middle:g}" y="{place.y + _PAD + _LINE * (number + 0.8):g}" text-anchor="middle">'
        f"{plain(line, 200)}</text>"
        for number, line in enumerate(place.lines)
    )
    return (
        f'<g><title>{plain(box.text, 500)}</title><rect class="box {box.look}" x="{place.x:g}" y="{place.y:g}"'
        f' width="{place.wide:g}" height="{place.high:g}" rx="{min(radius, 20):g}"/>{texts}</g>'
    )


def _points(edge: _Edge, lane: Sequence[str], places: Mapping[str, _Place]) -> list[tuple[float, float]]:
    """From the foot of a box through its lane to the head of another."""
    start, end = places[edge.start], places[edge.end]
    passed = [(places[key].middle, places[key].y) for key in lane]
    return [(start.middle, start.y + start.high), *passed, (end.middle, end.y)]


def _edge(edge: _Edge, lane: Sequence[str], places: Mapping[str, _Place]) -> str:
    points = _points(edge, lane, places)
    x, y = points[0]
    curve = [f"M{x:g} {y:g}"]
    for x2, y2 in points[1:]:
        middle = y2 - _GAP / 2
        curve.append(f"C{x:g} {middle:g} {x2:g} {middle:g} {x2:g} {y2:g}")
        x, y = x2, y2
    return f'<path class="edge" marker-end="url(#wf-a)" d="{"".join(curve)}"/>'


def _label(edge: _Edge, lane: Sequence[str], places: Mapping[str, _Place], width: float) -> str:
    """What is said of a way, beside its line and above the first box or lane that it leads to."""
    (before, _), (x, y) = _points(edge, lane, places)[:2]
    lines = _lines(edge.text, _LABEL, 2)
    long = _ASIDE + _LETTER * max(map(len, lines))
    # On the side that the line does not come from, where there is room.
    is_left = x - long >= 0 if before > x else x + long > width
    x, anchor = (x - _ASIDE, "end") if is_left else (x + _ASIDE, "start")
    return "".join(
        f'<text class="way halo" x="{x:g}" y="{y - 10 - 13 * (len(lines) - 1 - number):g}" text-anchor="{anchor}">'
        f"{plain(line, 100)}</text>"
        for number, line in enumerate(lines)
    )
