"""A regular expression where a plain operator says the same."""

from __future__ import annotations

import re
from collections.abc import Iterator

from segctl.compile.rules.base import Finding, Rule, Subject, scalars
from segctl.compile.source import Mapping, walk
from segctl.model.diagnostics import Location

_PLAIN = re.compile(
    r"(?P<start>\^?)(?P<before>(?:\.\*)?)(?P<text>[^\\^$.|?*+()\[\]{}]+)(?P<after>(?:\.\*)?)(?P<end>\$?)"
)


def _check(subject: Subject) -> Iterator[Finding]:
    for path, file in subject.files.items():
        if file.root is None or b"matches" not in file.content or path.startswith("sources/"):
            continue
        for node in walk(file.root):
            if isinstance(node, Mapping) and (written := node.get("matches")) is not None:
                yield from (
                    found for _, scalar in scalars(written) if (found := _finding(scalar.text, scalar.location))
                )


def _finding(pattern: str, place: Location) -> Finding | None:
    parts = _PLAIN.fullmatch(pattern)
    # Between an anchor and `.*` stands a line without its end, which no plain operator says.
    if parts is None or (parts["start"] and parts["before"]) or (parts["after"] and parts["end"]):
        # A `.*` at an end changes nothing about whether there is a match somewhere.
        if not pattern.startswith(".*") or len(pattern) < 3:
            return None
        return Finding(
            "`.*` at the beginning of a regular expression changes nothing", place,
            hint="leave it out: the expression may match anywhere in the text",
            why="each position of each text is tried again",
        )  # fmt: skip
    is_start = bool(parts["start"]) and not parts["before"]
    is_end = bool(parts["end"]) and not parts["after"]
    operator = {(True, True): "equals", (True, False): "starts_with", (False, True): "ends_with"}.get(
        (is_start, is_end), "contains"
    )
    shown = parts["text"] if re.fullmatch(r"[A-Za-zÄÖÜäöüß0-9 _-]+", parts["text"]) else f'"{parts["text"]}"'
    return Finding(
        f"the regular expression is only the text `{parts['text'][:60]}`", place, hint=f"write `{operator}: {shown}`",
        why="a plain operator is quicker, and everybody can read it",
    )  # fmt: skip


RULE = Rule(
    "SEG710",
    "plain_regex",
    "warning",
    title="A regular expression that a plain operator says better",
    why="Regular expressions are tried at every position of every text. Where only a text is looked for, `contains`, "
    "`starts_with`, `ends_with` or `equals` mean the same and are quicker to run and to read.",
    remedy="Write the operator that the hint names.",
    check=_check,
    bad="""
segment: capital
where:
  any:
    - {trait: city, matches: ^Berlin}   # here
    - {trait: home_city, matches: .*Berlin (Mitte|Pankow)}   # here
""",
    good="""
segment: capital
where:
  any:
    - {trait: city, starts_with: Berlin}
    - {trait: home_city, matches: Berlin (Mitte|Pankow)}
""",
)
