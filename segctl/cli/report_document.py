"""A report in words of one language, before it becomes text, HTML or Markdown: what is told, not how it looks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from segctl.cli.svg_frame import MISSING, Drawing, Say, said
from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    from segctl.cli.svg_charts import Series
    from segctl.cli.svg_forest import Interval
    from segctl.model.project import Language

Look = Literal["good", "bad", "warn", "none"]
"""How something stands; every block says it in words too."""


@dataclass(frozen=True, slots=True)
class Lead:
    """The first sentence and those that go with it: what happened, how sure, what to do."""

    look: Look
    text: str
    more: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Words:
    """Paragraphs; `soft` ones are beside the point."""

    lines: tuple[str, ...]
    soft: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """A line of a list of checks: how it stands in a word, what was checked, what was found."""

    look: Look
    word: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Marks:
    """A list of checks."""

    caption: str
    heads: tuple[str, str, str]
    rows: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """A table.

    Attributes:
        caption: What it holds.
        rows: Texts, as many as heads; the first names the row.
        numbers: Positions of columns at the right edge.
    """

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Links:
    """A table of pages.

    Attributes:
        rows: Address, name, and further texts; as many as heads, without the address.
    """

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def grid(self) -> Grid:
        """As a table without links."""
        return Grid(self.caption, self.heads, tuple(row[1:] for row in self.rows))


@dataclass(frozen=True, slots=True)
class Forest:
    """Intervals on one axis."""

    key: str
    title: str
    description: str
    rows: tuple[Interval, ...]
    heads: tuple[str, str, str, str]
    say: Say
    open_end: str = "∞"
    to: str = "…"

    def drawing(self) -> Drawing:
        """As SVG."""
        from segctl.cli.svg_forest import forest

        return forest(
            self.key, self.title, self.description, self.rows,
            heads=self.heads, say=self.say, open_end=self.open_end, to=self.to,
        )  # fmt: skip

    def grid(self) -> Grid:
        """As a table of the same numbers."""
        rows = []
        for one in self.rows:
            ends = [
                MISSING if one.estimate is None else self.open_end if end is None else self.say(end)
                for end in (one.low, one.high)
            ]
            rows.append((f"{one.label}, {one.note}" if one.note else one.label, said(one.estimate, self.say), *ends))
        return Grid(self.title, self.heads, tuple(rows), (1, 2, 3))


@dataclass(frozen=True, slots=True)
class Curve:
    """Numbers over time as lines."""

    key: str
    title: str
    description: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    head: str
    say: Say
    zero: bool = True
    to: str = "…"

    def drawing(self) -> Drawing:
        """As SVG."""
        from segctl.cli.svg_lines import lines

        return lines(
            self.key, self.title, self.description, self.labels, self.series,
            head=self.head, say=self.say, zero=self.zero, to=self.to,
        )  # fmt: skip

    def grid(self) -> Grid:
        """As a table of the same numbers."""
        return _grid(self.title, self.head, self.labels, self.series, self.say, self.to)


@dataclass(frozen=True, slots=True)
class Stack:
    """Bars made of parts."""

    key: str
    title: str
    description: str
    labels: tuple[str, ...]
    parts: tuple[Series, ...]
    head: str
    say: Say

    def drawing(self) -> Drawing:
        """As SVG."""
        from segctl.cli.svg_charts import stacked

        return stacked(self.key, self.title, self.description, self.labels, self.parts, head=self.head, say=self.say)

    def grid(self) -> Grid:
        """As a table of the same numbers."""
        return _grid(self.title, self.head, self.labels, self.parts, self.say)


@dataclass(frozen=True, slots=True)
class Heat:
    """A grid of numbers, the deeper the more."""

    key: str
    title: str
    description: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: tuple[tuple[float | None, ...], ...]
    head: str
    say: Say
    across: str = ""

    def drawing(self) -> Drawing:
        """As SVG."""
        from segctl.cli.svg_charts import heat

        return heat(
            self.key, self.title, self.description, self.rows, self.columns, self.values,
            head=self.head, say=self.say, across=self.across,
        )  # fmt: skip

    def grid(self) -> Grid:
        """As a table of the same numbers."""
        rows = tuple(
            (name, *(said(value, self.say) for value in row)) for name, row in zip(self.rows, self.values, strict=True)
        )
        return Grid(self.title, (self.head, *self.columns), rows, tuple(range(1, len(self.columns) + 1)))


Plot = Forest | Curve | Stack | Heat
Block = Lead | Words | Marks | Grid | Links | Plot


@dataclass(frozen=True, slots=True)
class Section:
    """A part with a heading.

    Attributes:
        key: Unique in the report; letters, digits, hyphens.
        is_detail: In a terminal only when details are asked for.
    """

    key: str
    title: str
    blocks: tuple[Block, ...]
    is_detail: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report.

    Attributes:
        title: Heading.
        facts: Beside the heading: what, on whom, when.
        lead: What a reader must not miss.
        sections: In order of importance.
        foot: How it was reckoned, and what it is made from.
    """

    title: str
    language: Language
    facts: tuple[str, ...]
    lead: tuple[Block, ...]
    sections: tuple[Section, ...]
    foot: tuple[str, ...] = ()


def _grid(title: str, head: str, labels: Sequence[str], series: Sequence[Series], say: Say, to: str = "…") -> Grid:
    rows = []
    for at, label in enumerate(labels):
        cells = [label]
        for one in series:
            told = said(one.values[at] if at < len(one.values) else None, say)
            low, high = (ends[at] if at < len(ends) else None for ends in (one.lows, one.highs))
            cells.append(f"{told} ({say(low)} {to} {say(high)})" if low is not None and high is not None else told)
        rows.append(tuple(cells))
    return Grid(title, (head, *(one.name for one in series)), tuple(rows), tuple(range(1, len(series) + 1)))
