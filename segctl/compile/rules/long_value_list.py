"""A list of values that has outgrown its definition."""

from __future__ import annotations

from collections.abc import Iterator

from segctl.compile.rules.base import Finding, Rule, Subject
from segctl.compile.source import ListNode, Mapping, walk

_OPERATORS = ("in", "not_in", "any_of", "none_of", "all_of")


def _check(subject: Subject) -> Iterator[Finding]:
    most = subject.number("most")
    for path, file in subject.files.items():
        # So many values have nearly as many commas or lines between them.
        is_long = file.content.count(b",") + file.content.count(b"\n") >= most
        if file.root is None or not is_long or not path.startswith(("segments/", "traits/")):
            continue
        for node in walk(file.root):
            for key, value in node.entries if isinstance(node, Mapping) else ():
                if isinstance(value, ListNode) and len(value.items) > most and key.text in (*_OPERATORS, "where"):
                    yield Finding(
                        f"`{key.text}` has {len(value.items):,} values, more than {most:,}",
                        key.location,
                        hint=f"put them into a file, one a line, and write `{key.text}: {{list: lists/NAME.csv}}`",
                        why="nobody reviews a list of this length inside of a condition",
                    )


RULE = Rule(
    "SEG711",
    "long_value_list",
    "warning",
    title="A long list of values inside of a definition",
    why="Hundreds of values hide the condition around them. A file below `lists/` can be kept, sorted and compared by "
    "those who own the values, and a change of it is named as the cause of changed members.",
    remedy="Put the values into a file and name it with `{list: …}`.",
    check=_check,
    options=(("most", 100, "how many values may stand in a definition"),),
    bad=f"""
segment: region
where:
  trait: city
  in:   # here
    [{", ".join(f"town_{number}" for number in range(101))}]
""",
    good="""
segment: region
where: {trait: city, in: {list: lists/towns.csv}}
""",
)
