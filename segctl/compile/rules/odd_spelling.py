"""A tag, owner or purpose that is spelled nearly like one that others have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from segctl.compile.rules.base import Finding, Rule, Subject
from segctl.compile.source import ListNode
from segctl.compile.suggest import edits
from segctl.model.conditions import SegmentDefinition
from segctl.model.diagnostics import Location


def _check(subject: Subject) -> Iterator[Finding]:
    least = subject.number("least")
    for key in ("tags", "owner", "purpose"):
        used = Counter(word for segment in subject.segments for word in _words(segment, key))
        common = [word for word, times in used.items() if times >= least]
        odd = {word: near for word, times in used.items() if times == 1 and (near := _near(word, common)) is not None}
        for segment in subject.segments if odd else ():
            for word in _words(segment, key):
                if word in odd:
                    yield Finding(
                        f"`{word[:60]}` is spelled nearly like `{odd[word][:60]}` of {used[odd[word]]} segments",
                        _place(subject, segment, key, word),
                        hint=f"did you mean `{odd[word][:60]}`?",
                        why="selections and consents go by the exact word",
                    )


def _words(segment: SegmentDefinition, key: str) -> tuple[str, ...]:
    found = getattr(segment, key)
    return found if isinstance(found, tuple) else () if found is None else (found,)


def _near(word: str, common: list[str]) -> str | None:
    """A common word one slip away; numbers and short words differ on purpose."""
    return next((near for near in common if _is_slip(word, near)), None)


def _is_slip(word: str, near: str) -> bool:
    # The two sides of an address are words of their own: hr@ is no slip of crm@.
    pairs = [(one, two) for one, two in zip(word.split("@"), near.split("@"), strict=False) if one != two]
    if len(pairs) != 1 or word.count("@") != near.count("@"):
        return False
    one, two = pairs[0]
    limit = 1 if len(one) < 9 else 2
    has_other_number = [sign for sign in one if sign.isdigit()] != [sign for sign in two if sign.isdigit()]
    return len(one) >= 5 and not has_other_number and edits(one, two, limit) <= limit


def _place(subject: Subject, segment: SegmentDefinition, key: str, word: str) -> Location:
    root = subject.root(subject.header(segment))
    node = root.get(key) if root is not None else None
    items = node.items if isinstance(node, ListNode) else ()
    found = (item.location for item in items if getattr(item, "text", "").strip() == word)
    return next(found, subject.header(segment, key))


RULE = Rule(
    "SEG721",
    "odd_spelling",
    "warning",
    title="A word spelled nearly like one that others have",
    why="A tag, owner or purpose with a slip is a word of its own: the segment is missing wherever the right one is "
    "asked for, and its consent is never found.",
    remedy="Use the word that the others have.",
    check=_check,
    options=(("least", 3, "how many segments must have the other word"),),
    bad="""
segment: a
tags: [nightly]
where: {trait: country, equals: DE}
# segments/b.yaml
segment: b
tags: [nightly]
where: {trait: country, equals: AT}
# segments/c.yaml
segment: c
tags: [nightly]
where: {trait: country, equals: CH}
# segments/d.yaml
segment: d
tags: [nightyl]   # here
where: {trait: country, equals: FR}
""",
    good="""
segment: a
tags: [nightly]
where: {trait: country, equals: DE}
# segments/b.yaml
segment: b
tags: [nightly]
where: {trait: country, equals: AT}
# segments/c.yaml
segment: c
tags: [nightly]
where: {trait: country, equals: CH}
# segments/d.yaml
segment: d
tags: [nightly, q1]
where: {trait: country, equals: FR}
""",
)
