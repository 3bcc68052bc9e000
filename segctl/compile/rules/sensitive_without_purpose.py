"""A segment that rests on health, religion or the like, and does not say what for."""

from __future__ import annotations

from collections.abc import Iterator

from segctl.compile.rules.base import Finding, Rule, Subject
from segctl.model.conditions import SegmentDefinition


def _check(subject: Subject) -> Iterator[Finding]:
    known: dict[str, str | None] = {}
    for segment in subject.segments:
        trait = _sensitive(segment, subject, known)
        if trait is not None and segment.purpose is None:
            yield Finding(
                f"the segment `{segment.name}` rests on the sensitive trait `{trait}` and names no purpose",
                subject.header(segment),
                hint="add `purpose:` with the word that consent to this use is stored under, or leave the trait out",
                why="special categories of personal data may be used only for a purpose that people have consented to",
            )


def _sensitive(segment: SegmentDefinition, subject: Subject, known: dict[str, str | None]) -> str | None:
    """The first sensitive trait that membership tells something about, also through other segments."""
    if segment.name not in known:
        known[segment.name] = None
        used = subject.references(segment)
        names = [*used.traits, *used.histories]
        found = next((n for n in names if (t := subject.definitions.trait(n)) is not None and t.sensitive), None)
        others = (subject.definitions.segments.get(name) for name in used.segments)
        further = (_sensitive(other, subject, known) for other in others if other is not None)
        known[segment.name] = found or next((name for name in further if name is not None), None)
    return known[segment.name]


RULE = Rule(
    "SEG707",
    "sensitive_without_purpose",
    "error",
    title="A sensitive trait is used without a purpose",
    why="Traits that are declared `sensitive` are special categories of personal data (GDPR, article 9), and so is the "
    "membership of a segment that rests on them, directly or through other segments.",
    remedy="Name the purpose that people have consented to, or leave the trait out.",
    check=_check,
    bad="""
segment: allergy_news   # here
where: {trait: allergy, equals: gluten}
# segctl.yaml
segctl: 1
traits:
  allergy: {type: text, sensitive: true}
""",
    good="""
segment: allergy_news
purpose: allergy_newsletter
where: {trait: allergy, equals: gluten}
# segctl.yaml
segctl: 1
traits:
  allergy: {type: text, sensitive: true}
""",
)
