"""The same value twice in one list."""

from __future__ import annotations

from collections.abc import Iterator

from segctl.compile.definition_files import DefinitionFile
from segctl.compile.rules.base import Edit, Finding, Rule, Subject, value_lists
from segctl.compile.source import ListNode, Scalar
from segctl.model.diagnostics import Location


def _check(subject: Subject) -> Iterator[Finding]:
    for path, file in subject.files.items():
        if path.startswith(("segments/", "traits/")):
            for key, values in value_lists(file):
                # Twice the same bound is one value, or one day.
                if key.text != "between":
                    yield from _in_list(file, key, values)


def _in_list(file: DefinitionFile, key: Scalar, values: ListNode) -> Iterator[Finding]:
    seen: dict[tuple[str, bool], Scalar] = {}
    before: Scalar | None = None
    for item in values.items:
        assert isinstance(item, Scalar)
        first = seen.setdefault((item.text, item.is_plain), item)
        if first is not item and before is not None:
            yield Finding(
                f"`{item.text[:60]}` stands twice under `{key.text}`",
                item.location,
                hint="delete it here"
                if first.location.line == item.location.line
                else f"delete it here; it stands already in line {first.location.line}",
                edits=_without(file, before, item),
            )
        before = item


def _without(file: DefinitionFile, before: Scalar, item: Scalar) -> tuple[Edit, ...]:
    """The edit that takes an item out; none where the list does not lie in the file in a simple way."""
    lines = file.content.decode("utf-8-sig", errors="replace").splitlines(keepends=True)
    line = lines[item.location.line - 1]
    start, end = item.location.column - 1, item.location.column - 1 + item.location.length
    if before.location.line == item.location.line:
        left = before.location.column - 1 + before.location.length
        if line[left:start].strip() == ",":
            return (Edit(Location(file.path, item.location.line, left + 1), line[left:end], ""),)
    elif line[:start].strip() == "-" and not line[end:].strip():
        return (Edit(Location(file.path, item.location.line, 1), line, ""),)
    return ()


RULE = Rule(
    "SEG718",
    "duplicate_values",
    "warning",
    title="A value stands twice in a list",
    why="The second one changes nothing, and often another value was meant.",
    remedy="Delete one of them, or write the value that was meant.",
    check=_check,
    is_fixable=True,
    bad="""
segment: neighbours
tags: [daily, eu, daily]   # here
where:
  trait: country
  in:
    - DE
    - AT
    - DE   # here
""",
    good="""
segment: neighbours
tags: [daily, eu]
where:
  trait: country
  in:
    - DE
    - AT
    - CH
""",
)
