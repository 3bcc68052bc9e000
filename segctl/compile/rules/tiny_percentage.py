"""A percentage below one: most likely a share was meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from segctl.compile.rules.base import Finding, Rule, Subject, scalars

_TINY = re.compile(r"(0?\.\d+)\s*%")
_BARE = re.compile(r"0?\.\d+")


def _check(subject: Subject) -> Iterator[Finding]:
    for path, file in subject.files.items():
        if file.root is None or not path.startswith("segments/"):
            continue
        if b"%" not in file.content and b"percent" not in file.content:
            continue
        for keys, scalar in scalars(file.root):
            found = _TINY.fullmatch(scalar.text.strip())
            written = found[1] if found is not None else scalar.text.strip()
            if found is None and not (keys[-1:] == ("percent",) and _BARE.fullmatch(written)):
                continue
            if keys and Decimal(written) > 0 and keys[-1] not in ("title", "description"):
                percent = (Decimal(written) * 100).normalize()
                yield Finding(
                    f"`{written} %` is one in {1 / (Decimal(written) / 100):,.0f}",
                    scalar.location,
                    hint=f"write `{percent:f} %` if {percent:f} of a hundred are meant",
                    why="a share such as 0.4 is written 40 %",
                )


RULE = Rule(
    "SEG717",
    "tiny_percentage",
    "warning",
    title="A percentage far below one",
    why="Shares are written as percentages: 0.4 is 40 %. A percentage below one is mostly a share by mistake.",
    remedy="Write the percentage that is meant; a waiver keeps a really small one.",
    check=_check,
    bad="""
segment: returns
where: {trait: return_rate, above: 0.4 %}   # here
""",
    good="""
segment: returns
where: {trait: return_rate, above: 40 %}
""",
)
