"""Priority lists and holdouts against the segments that there are: unknown names, renames, lists that contradict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from segctl.compile.suggest import did_you_mean
from segctl.model.audience import PriorityList
from segctl.model.conditions import SegmentDefinition
from segctl.model.diagnostics import Diagnostic, Location, Severity
from segctl.model.project import Definitions


def with_audiences(definitions: Definitions) -> tuple[Definitions, list[Diagnostic]]:
    """The definitions, their priority lists and holdouts by the names of today, and what is wrong with those."""
    project = definitions.project
    if not project.priority and not project.holdout:
        return definitions, []
    names = _Names(definitions.segments)
    lists = [
        replace(one, segments=tuple(dict.fromkeys(names.today(name, one.location) for name in one.segments)))
        for one in project.priority
    ]
    held = tuple(names.today(one.name, one.location) for one in project.holdout)
    found = [*names.found, *_contradictions(lists)]
    today = replace(
        project,
        priority=tuple(
            replace(one, segments=tuple(n for n in one.segments if n in definitions.segments)) for one in lists
        ),
        holdout=tuple(replace(one, name=name) for one, name in zip(project.holdout, held, strict=True)
                      if name in definitions.segments),
    )  # fmt: skip
    return replace(definitions, project=today), found


class _Names:
    """Segments by the names that the project file may call them."""

    def __init__(self, segments: Mapping[str, SegmentDefinition]) -> None:
        self._segments = segments
        self._former = {old: name for name, segment in segments.items() for old in segment.formerly}
        self.found: list[Diagnostic] = []

    def today(self, name: str, location: Location | None) -> str:
        """What a segment is called now; a name that nobody has or had is reported."""
        if name in self._segments:
            return name
        if name in self._former:
            return self._former[name]
        hint = did_you_mean(name, self._segments) or "`segctl ls` lists the segments"
        self.found.append(Diagnostic("SEG847", Severity.ERROR, f"there is no segment `{name}`", location, hint=hint))
        return name


def _contradictions(lists: Iterable[PriorityList]) -> Iterator[Diagnostic]:
    """Two segments of which each comes before the other, in one list or along several."""
    lists = tuple(lists)
    after: dict[str, set[str]] = {}
    for one in lists:
        for at, name in enumerate(one.segments):
            after.setdefault(name, set()).update(one.segments[at + 1 :])
    for one in lists:
        for first, second in zip(one.segments, one.segments[1:], strict=False):
            if first in _reached(after, second):
                yield Diagnostic(
                    "SEG848", Severity.ERROR,
                    f"`{first}` comes before `{second}` in `{one.name}`, and after it by another list", one.location,
                    why="then nobody can say which of them a profile goes to",
                    hint="put them in the same order in every list",
                )  # fmt: skip
                return


def _reached(after: Mapping[str, set[str]], name: str) -> set[str]:
    found, todo = set[str](), list(after.get(name, ()))
    while todo:
        one = todo.pop()
        if one not in found:
            found.add(one)
            todo.extend(after.get(one, ()))
    return found
