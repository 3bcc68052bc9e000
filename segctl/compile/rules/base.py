"""What a lint rule is, what it gets to look at, and what it gives."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from datetime import date
from typing import Protocol

from segctl.compile.definition_files import DefinitionFile
from segctl.compile.references import References, references
from segctl.compile.source import ListNode, Node, Scalar, walk
from segctl.compile.source import Mapping as MappingNode
from segctl.model.conditions import All, AnyOf, ComputedTrait, Condition, NoneOf, Not, SegmentDefinition
from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import Location
from segctl.model.lint import Level, Setting
from segctl.model.project import Definitions
from segctl.model.sources import Source

_PLAIN = re.compile(r"[^\W\d_](?:[\w -]*\w)?")
"""Texts that need no quotes wherever they stand: they begin with a letter, and have no signs of YAML."""


class Facts(Protocol):
    """What is known about the data, for rules that compare definitions with it."""

    def trait_values(self, trait: str) -> Mapping[str, int] | None:
        """Texts of a stored trait, or of the elements of a list, with the number of profiles that have them.

        None when the trait was never ingested, is private, or has too many different values to say.
        """

    def property_values(self, event: str, name: str) -> Mapping[str, int] | None:
        """Texts of an event's property with the number of events; None as above."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A safe change of a file's text.

    Attributes:
        location: Where the old text begins.
        old: What must stand there, else nothing is changed; may go over several lines.
        new: What stands there afterwards.
    """

    location: Location
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found; code and severity come from the rule and the project's settings.

    Attributes:
        message: One sentence without a full stop, user's own words in backticks.
        location: Exact place in a file of the project.
        hint: What to do, best with the mended words.
        why: The reason, when the message does not say it.
        edits: Changes that mend it and cannot change who is a member, for `--fix`.
        is_private: What stands at the place is never printed.
    """

    message: str
    location: Location
    hint: str
    why: str | None = None
    edits: tuple[Edit, ...] = ()
    is_private: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """One lint rule.

    Attributes:
        code: Such as ``SEG700``.
        name: As in `lint: {rules: {NAME: error}}` and in waivers; also the name of the rule's module.
        level: Unless the project says otherwise.
        title: The problem in a few words, without the user's names.
        why: One or two sentences.
        remedy: One or two sentences.
        check: Gives every finding; asked once for the whole project.
        bad: Files that fire it. Parts begin with a comment line that names the file (``# segments/a.yaml``); without
            one the text is a single segment, traits or project file. Lines with a finding end with ``# here``.
        good: The same, mended: nothing of this rule is found.
        options: Defaults of what the project may set for this rule, with the words that explain each.
        is_fixable: Some findings carry edits.
        data: What the data of the examples hold, for rules that look at data.
    """

    code: str
    name: str
    level: Level
    title: str
    why: str
    remedy: str
    check: Callable[[Subject], Iterable[Finding]]
    bad: str
    good: str
    options: tuple[tuple[str, Setting, str], ...] = ()
    is_fixable: bool = False
    data: Facts | None = None


@dataclass(frozen=True, slots=True)
class Leaf:
    """A condition without conditions below it, and the way to it.

    Attributes:
        segment: Whose `where` it stands in.
        condition: The leaf.
        above: Conditions around it, outermost first.
    """

    segment: SegmentDefinition
    condition: Condition
    above: tuple[Condition, ...]

    @property
    def is_negated(self) -> bool:
        """An odd number of `not` and `none` stands around it."""
        return sum(isinstance(around, Not | NoneOf) for around in self.above) % 2 == 1


@dataclass(slots=True)
class Subject:
    """Everything a rule may look at.

    Attributes:
        definitions: Bound segments and computed traits; what has errors is not among them.
        sources: Declared sources by name.
        files: The project's YAML files by path, as text and as nodes.
        today: The day of the call in the project's zone.
        is_complete: Nothing has errors, so what is not referred to is really unused.
        load_facts: Reads what is known about the data, None without data.
        settings: Options of the rule that is asked just now.
    """

    definitions: Definitions
    sources: Mapping[str, Source]
    files: Mapping[str, DefinitionFile]
    today: date
    is_complete: bool = True
    load_facts: Callable[[], Facts | None] = lambda: None
    settings: Mapping[str, Setting] = field(default_factory=dict)
    _facts: list[Facts | None] = field(default_factory=list)
    _leaves: dict[str, tuple[Leaf, ...]] = field(default_factory=dict)
    _references: dict[tuple[str, str], References] = field(default_factory=dict)
    _nodes: dict[str, dict[tuple[int, int], MappingNode]] = field(default_factory=dict)

    @property
    def facts(self) -> Facts | None:
        """What is known about the data, read when first asked for; None without data."""
        if not self._facts:
            self._facts.append(self.load_facts())
        return self._facts[0]

    def number(self, option: str) -> int:
        """The value of an option that is a whole number."""
        found = self.settings[option]
        assert isinstance(found, int), option
        return found

    def words(self, option: str) -> tuple[str, ...]:
        """The value of an option that is a list of words."""
        found = self.settings[option]
        assert isinstance(found, tuple), option
        return found

    @property
    def segments(self) -> Iterable[SegmentDefinition]:
        """All segments that are right, in order of name."""
        return self.definitions.segments.values()

    def leaves(self, segment: SegmentDefinition) -> tuple[Leaf, ...]:
        """The leaves of a segment's `where`, in reading order."""
        found = self._leaves.get(segment.name)
        if found is None:
            found = self._leaves[segment.name] = tuple(_leaves(segment, segment.where, ()))
        return found

    def references(self, of: SegmentDefinition | ComputedTrait) -> References:
        """What a segment (its `keep` included) or a computed trait refers to directly."""
        key = (type(of).__name__, of.name)
        found = self._references.get(key)
        if found is None:
            if isinstance(of, SegmentDefinition):
                found = references(of.where, of.keep)
            else:
                found = references(of.selection, of.measure, of.formula)
            self._references[key] = found
        return found

    def replacing(self, at: Location, old: str, new: str) -> tuple[Edit, ...]:
        """The edit that puts another value in the place of one, in quotes where it stands in quotes."""
        file = self.files.get(at.file)
        lines = file.content.decode("utf-8-sig", errors="replace").splitlines() if file is not None else []
        line = lines[at.line - 1] if at.line <= len(lines) else ""
        start = line.find(old, at.column - 1, at.column - 1 + at.length)
        if start < 0 or not _PLAIN.fullmatch(new):
            return ()
        return (Edit(Location(at.file, at.line, start + 1, len(old)), old, new),)

    def root(self, of: Location) -> MappingNode | None:
        """The root of the file that a place lies in."""
        file = self.files.get(of.file)
        return file.root if file is not None and isinstance(file.root, MappingNode) else None

    def header(self, segment: SegmentDefinition, *keys: str) -> Location:
        """The place of the value under keys in a segment's file; of the segment's name when there is none.

        Sister segments share a file, and with it these places.
        """
        place = segment.location or Location("segctl.yaml")
        node: Node | None = self.root(place)
        name = node.get("segment") if isinstance(node, MappingNode) else None
        place = name.location if name is not None else place
        for key in keys:
            node = node.get(key) if isinstance(node, MappingNode) else None
            if node is None:
                break
            place = node.location
        return place

    def node(self, at: Location) -> MappingNode | None:
        """The mapping that begins at a place, such as a condition's location."""
        file = self.files.get(at.file)
        if file is None or file.root is None:
            return None
        known = self._nodes.get(at.file)
        if known is None:
            mappings = (node for node in walk(file.root) if isinstance(node, MappingNode))
            known = self._nodes[at.file] = {(n.location.line, n.location.column): n for n in mappings}
        return known.get((at.line, at.column))

    def place(self, at: Location | None, *keys: str) -> Location:
        """The place of the value under keys, as deep as they go, in the mapping that begins at a place."""
        if at is None:
            return Location("segctl.yaml")
        node: Node | None = self.node(at)
        place = at
        for key in keys:
            inner = node.get(key) if isinstance(node, MappingNode) else None
            if inner is None:
                break
            node, place = inner, inner.location
        return place


def scalars(node: Node, keys: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Scalar]]:
    """Every value below a node with the keys that lead to it; keys are values of their own mapping's keys."""
    if isinstance(node, Scalar):
        yield keys, node
    elif isinstance(node, ListNode):
        for item in node.items:
            yield from scalars(item, keys)
    else:
        for key, value in node.entries:
            yield keys, key
            yield from scalars(value, (*keys, key.text))


def value_lists(file: DefinitionFile) -> Iterator[tuple[Scalar, ListNode]]:
    """Every list of two or more plain values with the key that it stands under."""
    for node in walk(file.root) if file.root is not None else ():
        for key, value in node.entries if isinstance(node, MappingNode) else ():
            if isinstance(value, ListNode) and len(value.items) > 1 and all(isinstance(i, Scalar) for i in value.items):
                yield key, value


def part_of(file: DefinitionFile, scalar: Scalar, text: str) -> Location:
    """The place of a part of a value, when it stands in one line of the file; else the place of the value."""
    lines = file.content.decode("utf-8-sig", errors="replace").splitlines()
    place = scalar.location
    for number, line in enumerate(lines[place.line - 1 :], start=place.line):
        column = line.find(text, place.column - 1 if number == place.line else 0)
        if column >= 0:
            return Location(place.file, number, column + 1, len(text))
    return place


def children(condition: Condition) -> tuple[Condition, ...]:
    """The conditions right below one; none for leaves."""
    if isinstance(condition, All | AnyOf | NoneOf):
        return condition.items
    return (condition.item,) if isinstance(condition, Not) else ()


def _leaves(segment: SegmentDefinition, condition: Condition, above: tuple[Condition, ...]) -> Iterator[Leaf]:
    below = children(condition)
    if not below:
        yield Leaf(segment, condition, above)
    for child in below:
        yield from _leaves(segment, child, (*above, condition))
