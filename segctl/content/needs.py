"""What a template speaks of, read from its syntax: names with their places, segments, offers and lists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

from jinja2 import nodes
from jinja2.meta import find_undeclared_variables

CATALOGUES = ("offers", "recommendations", "values", "segments")
"""Variables whose entries are looked up by a name that the template writes out."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A name in a template.

    Attributes:
        name: Such as ``first_name``, or ``spring`` of ``offers.spring``.
        of: ``""`` for a variable, otherwise the catalogue or variable that it is looked up in.
        line: Of the file.
    """

    name: str
    of: str
    line: int


@dataclass(slots=True)
class Needs:
    """Everything that one file speaks of.

    Attributes:
        names: Variables that it does not set itself.
        entries: Entries of catalogues, and of other variables.
        loose: Places where a catalogue is used as a whole.
        files: Files that it includes, extends or imports, with their lines.
    """

    names: list[Mention] = field(default_factory=list)
    entries: list[Mention] = field(default_factory=list)
    loose: list[Mention] = field(default_factory=list)
    files: list[tuple[str, int]] = field(default_factory=list)

    def of(self, catalogue: str) -> frozenset[str]:
        """Names that are looked up there."""
        return frozenset(one.name for one in self.entries if one.of == catalogue)

    def merged(self, other: Needs) -> Needs:
        """Of both."""
        return Needs(
            [*self.names, *other.names],
            [*self.entries, *other.entries],
            [*self.loose, *other.loose],
            [*self.files, *other.files],
        )


def needs(source: nodes.Template) -> Needs:
    """What a file speaks of."""
    free = find_undeclared_variables(source)
    found = Needs()
    fetched = set(_entries(source, free, found))
    for node in source.find_all(nodes.Name):
        if node.ctx != "load" or node.name not in free:
            continue
        found.names.append(Mention(node.name, "", node.lineno))
        if node.name in CATALOGUES and id(node) not in fetched:
            found.loose.append(Mention(node.name, "", node.lineno))
    for asked in taking_in(source):
        name = asked.template.value if isinstance(asked.template, nodes.Const) else None
        if isinstance(name, str):
            found.files.append((name, asked.lineno))
    return found


def taking_in(source: nodes.Template) -> Iterator[nodes.Include | nodes.Import | nodes.FromImport | nodes.Extends]:
    """What takes another file in."""
    yield from source.find_all(nodes.Include)
    yield from source.find_all(nodes.Import)
    yield from source.find_all(nodes.FromImport)
    yield from source.find_all(nodes.Extends)


def _entries(source: nodes.Template, free: set[str], found: Needs) -> Iterator[int]:
    """Identities of the names that are only looked into."""
    looked_up: Iterator[nodes.Getattr | nodes.Getitem] = chain(
        source.find_all(nodes.Getattr), source.find_all(nodes.Getitem)
    )
    for node in looked_up:
        if not (isinstance(node.node, nodes.Name) and node.node.name in free):
            continue
        key = node.attr if isinstance(node, nodes.Getattr) else getattr(node.arg, "value", None)
        if isinstance(key, str):
            found.entries.append(Mention(key, node.node.name, node.lineno))
            yield id(node.node)
    _deeper(source, free, found)
    for compare in source.find_all(nodes.Compare):
        left: nodes.Expr = compare.expr
        for operand in compare.ops:
            right = operand.expr
            if (
                operand.op in ("in", "notin")
                and isinstance(left, nodes.Const)
                and isinstance(left.value, str)
                and isinstance(right, nodes.Name)
                and right.name == "segments"
            ):
                found.entries.append(Mention(left.value, "segments", compare.lineno))
                yield id(right)
            left = right


def _deeper(source: nodes.Template, free: set[str], found: Needs) -> None:
    """Keys of an offer, and of the items of a list that a loop goes through."""
    for outer in source.find_all(nodes.Getattr):
        inner = outer.node
        if isinstance(inner, nodes.Getattr) and isinstance(inner.node, nodes.Name) and inner.node.name == "offers":
            found.entries.append(Mention(outer.attr, f"offers.{inner.attr}", outer.lineno))
    for loop in source.find_all(nodes.For):
        of = _listed(loop.iter, free)
        if of is None or not isinstance(loop.target, nodes.Name):
            continue
        for item in loop.find_all(nodes.Getattr):
            if isinstance(item.node, nodes.Name) and item.node.name == loop.target.name:
                found.entries.append(Mention(item.attr, f"each:{of}", item.lineno))


def _listed(node: nodes.Node, free: set[str]) -> str | None:
    """The list that a loop goes through, seen through filters and parts: ``cart``, ``recommendations.for_you``."""
    while isinstance(node, nodes.Filter | nodes.Getitem) and node.node is not None:
        node = node.node
    if isinstance(node, nodes.Name) and node.name in free:
        return node.name
    if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name) and node.node.name == "recommendations":
        return f"recommendations.{node.attr}"
    return None
