"""The segments of a project as tests ask them: variants beside them, and none that has ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from segctl.compile import ir
from segctl.compile.lower import lower_segment
from segctl.compile.plan import references
from segctl.compile.selection import with_references
from segctl.compile.testing_times import DEFAULT_AS_OF, fixed_as_of
from segctl.compile.timewords import Problem
from segctl.model.conditions import SegmentDefinition
from segctl.model.project import Definitions, Language
from segctl.operations.expiry import expired, expired_at
from segctl.operations.lists import ProjectLists


class Segments:
    """The segments of a project, and variants of them, lowered when first asked for.

    Args:
        definitions: All bound.
        lists: Values of list files.
        variants: Further segments by a name of their own, such as mutants.
        as_of: When they are asked; segments that have ended by then have no members. None for whenever.
    """

    def __init__(
        self,
        definitions: Definitions,
        lists: ProjectLists,
        variants: Mapping[str, SegmentDefinition] | None = None,
        *,
        as_of: datetime | None = None,
    ) -> None:
        self.definitions, self.lists, self._as_of = definitions, lists, as_of
        self._variants = variants or {}
        self._lowered: dict[str, ir.LoweredSegment] = {}

    @property
    def language(self) -> Language:
        """Of conditions and values in words."""
        return "de" if self.definitions.project.language == "de" else "en"

    def at(self, as_of: datetime) -> Segments:
        """The same segments, asked at an instant."""
        if all(s.expires is None for s in (*self.definitions.segments.values(), *self._variants.values())):
            return self
        return Segments(self.definitions, self.lists, self._variants, as_of=as_of)

    def has_ended(self, name: str, as_of: datetime) -> bool:
        """Whether a segment has ended by then."""
        definition = self._variants.get(name) or self.definitions.segments[name]
        return bool(expired({name: definition}, [name], as_of, self.definitions.project.timezone))

    def lowered(self, name: str) -> ir.LoweredSegment:
        """A segment of that name, its leaves in words of the project's language."""
        if name not in self._lowered:
            definition = self._variants.get(name) or self.definitions.segments[name]
            found = lower_segment(definition, self.definitions, lists=self.lists, language=self.language)
            if self._as_of is not None and self.has_ended(name, self._as_of):
                found = replace(found, where=ir.Constant(value=False), keep=None)
            self._lowered[name] = replace(found, name=name)
        return self._lowered[name]

    def needed(self, names: Iterable[str]) -> list[ir.LoweredSegment]:
        """The named segments and all they refer to."""
        return [self.lowered(name) for name in with_references(names, lambda name: references(self.lowered(name)))]


def usual_as_of(zone: str, segments: Iterable[SegmentDefinition]) -> datetime:
    """The instant of tests that name none; the last day of segments that have ended by then."""
    found = fixed_as_of(DEFAULT_AS_OF, zone)
    assert not isinstance(found, Problem)  # a constant of ours
    ends = [end for one in segments if (end := expired_at(one, zone)) is not None]
    return min([found, *(end - timedelta(hours=12) for end in ends)])
