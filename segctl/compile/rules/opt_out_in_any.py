"""An exclusion inside an `any`: whoever meets another branch is in all the same."""

from __future__ import annotations

import re
from collections.abc import Iterator

from segctl.compile.rules.base import Finding, Rule, Subject, children
from segctl.model.conditions import (
    All,
    AnyOf,
    Condition,
    ListCondition,
    NoneOf,
    Not,
    SegmentCondition,
    SegmentDefinition,
    TraitCondition,
    ValueTest,
)

_OPT_OUT = re.compile(
    r"(?:^|_)(?:opt(?:ed)?_?out|unsubscribed?|suppress(?:ed|ion)?|do_not_\w+|no_(?:mail|email|call|ads|marketing)|blocked"
    r"|blacklist(?:ed)?|blocklist(?:ed)?|robinson(?:liste)?|objection|objected|widerspruch|widersprochen|abgemeldet"
    r"|werbesperre|gesperrt|sperrliste|complained|bounced|staff|employees?|mitarbeiter|test_?(?:accounts?|users?))(?:_|$)"
)
_WHERE = "put it beside the `any`, both under one `all`"


def _check(subject: Subject) -> Iterator[Finding]:
    for segment in subject.segments:
        yield from _below(segment.where, segment, subject, ())


def _below(
    condition: Condition, segment: SegmentDefinition, subject: Subject, kept: tuple[Condition, ...]
) -> Iterator[Finding]:
    """Findings in a condition; `kept` are exclusions that hold around it anyway."""
    if isinstance(condition, Not | NoneOf):
        return
    if isinstance(condition, AnyOf) and condition.at_least == 1:
        for item in condition.items:
            if item not in kept and _is_lost(item, condition):
                yield Finding(
                    f"{_words(item)} is excluded in one branch of `any` only, so other branches let it in",
                    subject.place(item.location or segment.location),
                    hint=_WHERE,
                    why="one true branch is enough for `any`, and an exclusion alone lets nearly everybody in",
                )
    own = tuple(item for item in children(condition) if _is_exclusion(item)) if isinstance(condition, All) else ()
    for child in children(condition):
        yield from _below(child, segment, subject, (*kept, *own))


def _is_lost(item: Condition, around: AnyOf) -> bool:
    others = [other for other in around.items if other is not item]
    return bool(others) and _is_exclusion(item) and any(not _is_exclusion(other) for other in others)


def _is_exclusion(condition: Condition) -> bool:
    """Nobody of a list or segment, or an opt-out that is not set."""
    if isinstance(condition, Not):
        return _names_people(condition.item)
    if isinstance(condition, NoneOf):
        return any(_names_people(item) for item in condition.items)
    if isinstance(condition, TraitCondition) and isinstance(condition.test, ValueTest):
        is_no = condition.test.operator == "equals" and condition.test.operands == (False,)
        is_no = is_no or (condition.test.operator == "exists" and condition.test.operands == (False,))
        is_no = is_no or (condition.test.operator == "not_equals" and condition.test.operands == (True,))
        return is_no and bool(_OPT_OUT.search(condition.trait))
    return False


def _names_people(condition: Condition) -> bool:
    if isinstance(condition, TraitCondition):
        return bool(_OPT_OUT.search(condition.trait))
    return isinstance(condition, SegmentCondition | ListCondition)


def _words(condition: Condition) -> str:
    inner = condition.items[0] if isinstance(condition, NoneOf) else condition
    inner = inner.item if isinstance(inner, Not) else inner
    if isinstance(inner, SegmentCondition):
        return f"the segment `{inner.segment}`"
    if isinstance(inner, ListCondition):
        return f"the list `{inner.name}`"
    return f"`{inner.trait}`" if isinstance(inner, TraitCondition) else "somebody"


RULE = Rule(
    "SEG712",
    "opt_out_in_any",
    "warning",
    title="An exclusion is lost behind an `any`",
    why="One true branch is enough for `any`. Who objected, unsubscribed or belongs to the staff is a member as soon "
    "as another branch holds, and the exclusion alone lets in everybody who is not excluded.",
    remedy="Put the exclusion beside the `any`, both under one `all`.",
    check=_check,
    bad="""
segment: spring_mail
where:
  any:
    - {event: order_completed, within_last: 90 days}
    - not: {segment: staff_members}   # here
""",
    good="""
segment: spring_mail
where:
  all:
    - any:
        - {event: order_completed, within_last: 90 days}
        - {trait: newsletter, equals: true}
    - not: {segment: staff_members}
""",
)
