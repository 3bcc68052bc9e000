"""A template laid flat: its text with a mark for every value, and the line that each piece comes from.

Both branches of an `if` are kept, a loop's body once, and what is included or extended stands in its place.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from jinja2 import nodes
from jinja2.visitor import NodeVisitor

MARK, END = "\ue000", "\ue001"
_OURS = frozenset({"offers", "recommendations", "values", "unsubscribe_url", "language"})
"""What the project itself says: people cannot choose it."""


@dataclass(frozen=True, slots=True)
class Value:
    """A value that is written.

    Attributes:
        name: Variable that it comes from; ``""`` where it comes from none.
        filters: Applied last to it.
        is_ours: It is a text of the project, or made from none of a person's.
    """

    name: str
    filters: tuple[str, ...]
    is_ours: bool


@dataclass(slots=True)
class Skeleton:
    """The flat text.

    Attributes:
        text: With ``MARK number END`` for each value.
        values: By their numbers.
    """

    text: str = ""
    values: list[Value] = field(default_factory=list)
    _starts: list[int] = field(default_factory=list)
    _places: list[tuple[str, int]] = field(default_factory=list)

    def add(self, text: str, path: str, line: int) -> None:
        """More text, which begins at a line of a file."""
        self._starts.append(len(self.text))
        self._places.append((path, line))
        self.text += text

    def add_value(self, value: Value, path: str, line: int) -> None:
        """A value."""
        self.values.append(value)
        self.add(f"{MARK}{len(self.values) - 1}{END}", path, line)

    def place(self, offset: int) -> tuple[str, int]:
        """File and line of a position in the text."""
        at = bisect_right(self._starts, offset) - 1
        if at < 0:
            return "", 1
        path, line = self._places[at]
        return path, line + self.text.count("\n", self._starts[at], offset)

    def marked(self, text: str) -> list[Value]:
        """The values in a piece of the text."""
        found = []
        for part in text.split(MARK)[1:]:
            number, end, _ = part.partition(END)
            if end and number.isdigit() and int(number) < len(self.values):
                found.append(self.values[int(number)])
        return found


Parse = Callable[[str], tuple[str, nodes.Template] | None]
"""Name that a file asks for → path and syntax of it."""


def skeleton(path: str, tree: nodes.Template, parse: Parse) -> Skeleton:
    """The template laid flat.

    Args:
        path: Of the file.
        tree: Its syntax.
        parse: Gives the files that it takes in, which are known to be there and to take in none that takes them in.
    """
    found = Skeleton()
    _lay(found, path, tree, parse, {})
    return found


def _lay(
    found: Skeleton, path: str, tree: nodes.Template, parse: Parse, blocks: dict[str, tuple[str, nodes.Block]]
) -> None:
    parent = next(iter(tree.find_all(nodes.Extends)), None)
    if parent is not None and isinstance(parent.template, nodes.Const):
        own = {block.name: (path, block) for block in tree.find_all(nodes.Block)}
        above = parse(str(parent.template.value))
        if above is not None:
            _lay(found, *above, parse, own | blocks)
        return
    _Layer(found, path, parse, blocks).visit(tree)


class _Layer(NodeVisitor):
    def __init__(self, found: Skeleton, path: str, parse: Parse, blocks: dict[str, tuple[str, nodes.Block]]) -> None:
        self._found, self._path, self._parse, self._blocks = found, path, parse, blocks

    def visit_Output(self, node: nodes.Output) -> None:  # noqa: N802 - name of a node
        """Texts and values, in order."""
        for one in node.nodes:
            if isinstance(one, nodes.TemplateData):
                self._found.add(one.data, self._path, one.lineno)
            elif isinstance(one, nodes.Const):
                self._found.add(str(one.value), self._path, one.lineno)
            else:
                self._found.add_value(_value(one), self._path, one.lineno)

    def visit_Block(self, node: nodes.Block) -> None:  # noqa: N802 - name of a node
        """The block of the file that extends this one, otherwise its own."""
        path, block = self._blocks.get(node.name, (self._path, node))
        _Layer(self._found, path, self._parse, self._blocks).generic_visit(block)

    def visit_Include(self, node: nodes.Include) -> None:  # noqa: N802 - name of a node
        """The file in its place."""
        name = node.template.value if isinstance(node.template, nodes.Const) else None
        above = self._parse(str(name)) if name is not None else None
        if above is not None:
            _lay(self._found, *above, self._parse, {})

    def visit_Macro(self, node: nodes.Macro) -> None:  # noqa: N802 - name of a node
        """Its text too, though it is written elsewhere."""
        self.generic_visit(node)


def _value(node: nodes.Expr) -> Value:
    filters: list[str] = []
    inner: nodes.Node = node
    while isinstance(inner, nodes.Filter) and inner.node is not None:
        filters.append(inner.name)
        inner = inner.node
    names = list(_roots(node))
    is_ours = all(name in _OURS for name in names) or "urlencode" in filters[:1]
    return Value(names[0] if names else "", tuple(filters), is_ours)


def _roots(node: nodes.Node) -> Iterator[str]:
    """Variables that an expression is made of."""
    if isinstance(node, nodes.Name):
        yield node.name
    for child in node.iter_child_nodes():
        yield from _roots(child)
