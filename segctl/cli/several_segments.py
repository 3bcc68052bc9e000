"""Several segments in words, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segctl.cli import output

if TYPE_CHECKING:
    from segctl.compile.selection import Selection
    from segctl.operations.session import Session
    from segctl.operations.show import SegmentFacts

COLUMNS = (
    output.Column("segment"),
    output.Column("title"),
    output.Column("status"),
    output.Column("members", type="integer", bar=True),
    output.Column("owner"),
)
_LINES = (output.Column("definition"),)


def result(session: Session, selection: Selection, language: str | None) -> output.Result:
    """One row a segment, and a section each with the lines of its definition.

    Raises:
        UsageError: A part of the selection fits nothing.
    """
    from segctl.operations.selection import chosen
    from segctl.operations.show import segment_facts

    found = [segment_facts(session, name, language=language) for name in chosen(session.definitions, selection)]
    return output.Result(
        "segctl/show-segments/1",
        COLUMNS,
        [
            (f.definition.name, f.definition.title, f.definition.status, f.newest.size if f.newest else None,
             f.definition.owner)
            for f in found
        ],
        noun="segments",
        sections=tuple(_section(one) for one in found),
    )  # fmt: skip


def _section(found: SegmentFacts) -> output.Section:
    lines = [(f"{'  ' * depth}{text}",) for depth, text in found.words]
    return output.Section(found.definition.name, found.definition.name, _LINES, lines)
