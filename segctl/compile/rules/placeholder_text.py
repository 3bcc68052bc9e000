"""A title, description or owner that was never written."""

from __future__ import annotations

import re
from collections.abc import Iterator

from segctl.compile.rules.base import Finding, Rule, Subject
from segctl.compile.suggest import as_name

_PLACEHOLDER = re.compile(
    r"(?:to-?do|tbd|fixme|tba|wip)\b.*|x{3,}|\.{2,}|…|-+|\?+|n/?a|none|lorem ipsum.*|asdf.*|foo|bar|baz"
    r"|(?:a |my |the )?(?:description|title|owner|name|text|test|example|segment)|beschreibung|titel|platzhalter",
    re.IGNORECASE | re.DOTALL,
)


def _check(subject: Subject) -> Iterator[Finding]:
    for segment in subject.segments:
        for key in ("title", "description", "owner"):
            text = getattr(segment, key)
            if text is None:
                continue
            if _PLACEHOLDER.fullmatch(text.strip()):
                said = f"`{key}: {text.strip()[:40]}` of `{segment.name}` is a placeholder"
            elif key == "description" and as_name(text) in (segment.name, as_name(segment.title or segment.name)):
                said = f"the description of `{segment.name}` only repeats its name"
            else:
                continue
            hint = "name the team that answers for it" if key == "owner" else "write in one sentence who is meant"
            yield Finding(said, subject.header(segment, key), hint=hint)


RULE = Rule(
    "SEG720",
    "placeholder_text",
    "warning",
    title="A text that was never written",
    why="A placeholder looks as if somebody had thought about it, and keeps other rules from asking.",
    remedy="Write the text, or delete the key.",
    check=_check,
    bad="""
segment: big_spenders
title: Big spenders
description: TODO   # here
owner: crm@shop.example
where: {trait: lifetime_value, at_least: 500}
""",
    good="""
segment: big_spenders
title: Big spenders
description: Bought goods for 500 EUR or more.
owner: crm@shop.example
where: {trait: lifetime_value, at_least: 500}
""",
)
