"""Values of a list in no order."""

from __future__ import annotations

from collections.abc import Iterator

from segctl.compile.definition_files import DefinitionFile
from segctl.compile.rules.base import Edit, Finding, Rule, Subject, value_lists
from segctl.compile.source import ListNode, Scalar
from segctl.model.diagnostics import Location

_OPERATORS = frozenset({"in", "not_in", "any_of", "all_of", "none_of", "tags"})


def _check(subject: Subject) -> Iterator[Finding]:
    for path, file in subject.files.items():
        if not path.startswith(("segments/", "traits/")):
            continue
        for key, values in value_lists(file):
            if key.text not in _OPERATORS:
                continue
            texts = [item.text for item in values.items if isinstance(item, Scalar)]
            ordered = sorted(texts, key=_order)
            if texts != ordered:
                at = next(n for n, pair in enumerate(zip(texts, ordered, strict=True)) if pair[0] != pair[1])
                yield Finding(
                    f"the values of `{key.text}` are not in order",
                    values.items[at].location,
                    hint=f"`{ordered[at][:60]}` comes before `{texts[at][:60]}`",
                    edits=_sorted(file, values),
                )


def _order(text: str) -> tuple[bool, int, str]:
    is_number = text.isascii() and text.isdigit()
    return not is_number, int(text) if is_number else 0, text.casefold()


def _sorted(file: DefinitionFile, values: ListNode) -> tuple[Edit, ...]:
    """Each place gets the value that belongs there, as it was written, so that nothing else moves."""
    lines = file.content.decode("utf-8-sig", errors="replace").splitlines()
    items = [item for item in values.items if isinstance(item, Scalar)]
    written = []
    for item in items:
        start = item.location.column - 1
        text = lines[item.location.line - 1][start : start + item.location.length]
        if item.text not in text:
            return ()
        written.append((_order(item.text), text))
    ordered = [text for _, text in sorted(written)]
    return tuple(
        Edit(Location(file.path, item.location.line, item.location.column), old, new)
        for item, (_, old), new in zip(items, written, ordered, strict=True)
        if old != new
    )


RULE = Rule(
    "SEG719",
    "unsorted_values",
    "off",
    title="Values of a list are in no order",
    why="In a sorted list a missing or doubled value is seen at once, and two people who add values do not collide.",
    remedy="Sort the values.",
    check=_check,
    is_fixable=True,
    bad="""
segment: neighbours
where: {trait: country, in: [DE, AT, CH]}   # here
""",
    good="""
segment: neighbours
where: {trait: country, in: [AT, CH, DE]}
""",
)
