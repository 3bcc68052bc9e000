"""The picture of a workflow: as Mermaid text, and as SVG that says in words what it shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import wrap

from segctl.cli.validation_page import plain
from segctl.compile.words_workflows import exit_words, say, step_words, trigger_words, way_words
from segctl.model.dataclass import dataclass
from segctl.model.project import Language
from segctl.model.workflows import END, START, Act, Branch, Node, Split, Stop, Wait, WaitFor, WaitUntil, Workflow

_WIDE, _LINE, _PAD, _GAP, _BETWEEN, _MARGIN = 232, 16, 10, 54, 40, 16
_LETTERS, _MOST_LINES, _LABEL = 32, 4, 22
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
    places, width, height = _laid_out(boxes, edges)
    height += 20 * len(notes)
    parts = [_edge(edge, places) for edge in edges]
    parts += [_drawn(box, places[box.key]) for box in boxes]
    parts += [_label(edge, places) for edge in edges if edge.text]
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
        boxes.append(_Box(node.id, node.title or step_words(node.body, language), _look(node)))
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
    lines: tuple[str, ...]

    @property
    def high(self) -> float:
        return 2 * _PAD + _LINE * len(self.lines)


def _laid_out(boxes: Sequence[_Box], edges: Sequence[_Edge]) -> tuple[dict[str, _Place], float, float]:
    """Each box below all that lead to it, those of one height side by side; and how large it all is."""
    depth = dict.fromkeys((box.key for box in boxes), 0)
    for _ in boxes:
        for edge in edges:
            depth[edge.end] = max(depth[edge.end], depth[edge.start] + 1)
    rows: dict[int, list[_Box]] = {}
    for box in boxes:
        rows.setdefault(depth[box.key], []).append(box)
    widest = max(map(len, rows.values()))
    width = 2 * _MARGIN + widest * _WIDE + (widest - 1) * _BETWEEN
    places, y = dict[str, _Place](), float(_MARGIN)
    for level in sorted(rows):
        row = rows[level]
        x = (width - len(row) * _WIDE - (len(row) - 1) * _BETWEEN) / 2
        for number, box in enumerate(row):
            places[box.key] = _Place(x + number * (_WIDE + _BETWEEN), y, _lines(box.text, _LETTERS, _MOST_LINES))
        y += max(places[box.key].high for box in row) + _GAP
    return places, width, y - _GAP + 2 * _MARGIN


def _lines(text: str, letters: int, most: int) -> tuple[str, ...]:
    found = wrap(text, letters) or [""]
    return (*found[: most - 1], f"{found[most - 1][: letters - 1]}…") if len(found) > most else tuple(found)


def _drawn(box: _Box, place: _Place) -> str:
    round_ = place.high / 2 if box.look in ("start", "end") else 4
    texts = "".join(
        f'<text x="{place.x + _WIDE / 2:g}" y="{place.y + _PAD + _LINE * (number + 0.8):g}" text-anchor="middle">'
        f"{plain(line, 200)}</text>"
        for number, line in enumerate(place.lines)
    )
    return (
        f'<g><title>{plain(box.text, 500)}</title><rect class="box {box.look}" x="{place.x:g}" y="{place.y:g}"'
        f' width="{_WIDE}" height="{place.high:g}" rx="{min(round_, 20):g}"/>{texts}</g>'
    )


def _edge(edge: _Edge, places: Mapping[str, _Place]) -> str:
    (x1, y1), (x2, y2) = _ends(edge, places)
    middle = y2 - _GAP / 2
    curve = f"M{x1:g} {y1:g}C{x1:g} {middle:g} {x2:g} {middle:g} {x2:g} {y2:g}"
    return f'<path class="edge" marker-end="url(#wf-a)" d="{curve}"/>'


def _label(edge: _Edge, places: Mapping[str, _Place]) -> str:
    (x1, y1), (x2, _) = _ends(edge, places)
    lines = _lines(edge.text, _LABEL, 2)
    x = x1 + (x2 - x1) * 0.3
    return "".join(
        f'<text class="way halo" x="{x:g}" y="{y1 + 18 + 13 * number:g}" text-anchor="middle">{plain(line, 100)}</text>'
        for number, line in enumerate(lines)
    )


def _ends(edge: _Edge, places: Mapping[str, _Place]) -> tuple[tuple[float, float], tuple[float, float]]:
    start, end = places[edge.start], places[edge.end]
    return (start.x + _WIDE / 2, start.y + start.high), (end.x + _WIDE / 2, end.y)
