"""A computed trait that nothing refers to."""

from __future__ import annotations

from collections.abc import Iterator

from segctl.compile.rules.base import Finding, Rule, Subject


def _check(subject: Subject) -> Iterator[Finding]:
    # A definition with errors is not among the bound ones, and may well use the trait.
    if not subject.is_complete:
        return
    used: set[str] = set()
    for segment in subject.segments:
        used.update(subject.references(segment).traits)
    for trait in subject.definitions.computed.values():
        used.update(subject.references(trait).traits)
    for name, trait in subject.definitions.computed.items():
        if name not in used and trait.location is not None:
            yield Finding(
                f"nothing refers to the computed trait `{name}`",
                trait.location,
                hint="delete it, or use it in a segment, a formula or `keep`",
            )


RULE = Rule(
    "SEG703",
    "unused_trait",
    "note",
    title="Nothing refers to a computed trait",
    why="What nobody uses is still read by everybody who looks for the right trait, and its meaning is never checked.",
    remedy="Delete the trait, or use it.",
    check=_check,
    bad="""
traits:
  orders_this_year: {event: order_completed, since: 2026-01-01, count: {}}   # here
""",
    good="""
traits:
  orders_this_year: {event: order_completed, since: 2026-01-01, count: {}}
# segments/regulars.yaml
segment: regulars
where: {trait: orders_this_year, at_least: 4}
""",
)
