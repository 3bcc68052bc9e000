"""Which segments a command means: names, globs and properties, united, intersected and excluded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Protocol

from segctl.model.diagnostics import Location
from segctl.model.errors import UsageError


class Selectable(Protocol):
    """What a selection asks of a segment: a definition has it, and so has the head of its file."""

    @property
    def tags(self) -> tuple[str, ...]:
        """Words to select by."""
        ...

    @property
    def owner(self) -> str | None:
        """Who answers for it."""
        ...

    @property
    def status(self) -> str:
        """draft, active or paused."""
        ...

    @property
    def location(self) -> Location | None:
        """Where it stands."""
        ...


_BY_PROPERTY: dict[str, Callable[[Selectable, str], bool]] = {
    "tag": lambda segment, wanted: any(fnmatchcase(tag, wanted) for tag in segment.tags),
    "owner": lambda segment, wanted: fnmatchcase(segment.owner or "", wanted),
    "status": lambda segment, wanted: segment.status == wanted,
    "path": lambda segment, wanted: (
        segment.location is not None
        and (segment.location.file.startswith(wanted.rstrip("/") + "/") or fnmatchcase(segment.location.file, wanted))
    ),
}


def select(
    segments: Mapping[str, Selectable], select: Iterable[str] = (), exclude: Iterable[str] = ()
) -> tuple[str, ...]:
    """Names of the selected segments, sorted.

    Args:
        segments: All segments by name.
        select: Expressions united; nothing selects every segment that is not a draft. An expression is a name, a
            glob (``win*``) or ``tag:``, ``owner:``, ``status:``, ``path:`` with a value or glob; parts joined by
            commas must all fit; blanks separate expressions.
        exclude: Expressions taken away, last.

    Raises:
        UsageError: A part selects nothing, which is almost always a typing mistake.
    """
    select = tuple(select)
    wanted = [part for expression in select for part in expression.split() if part.strip(",")]
    if select and not wanted:
        raise UsageError("SEG402", "an empty selection selects no segment", hint="leave `--select` out to mean all")
    unwanted = [part for expression in exclude for part in expression.split() if part.strip(",")]
    chosen = (
        {name for part in wanted for name in _matching(segments, part)}
        if wanted
        else {name for name, segment in segments.items() if segment.status != "draft"}
    )
    dropped = {name for part in unwanted for name in _matching(segments, part)}
    return tuple(sorted(chosen - dropped))


def _matching(segments: Mapping[str, Selectable], expression: str) -> set[str]:
    found = set(segments)
    for part in filter(None, expression.split(",")):
        found &= _part(segments, part)
    return found


def _part(segments: Mapping[str, Selectable], part: str) -> set[str]:
    key, colon, value = part.partition(":")
    if colon:
        test = _BY_PROPERTY.get(key)
        if test is None:
            raise UsageError(
                "SEG401",
                f"`{key}:` is no property to select by",
                hint=f"use one of {', '.join(f'`{name}:`' for name in _BY_PROPERTY)}",
            )
        found = {name for name, segment in segments.items() if test(segment, value)}
    else:
        found = {name for name in segments if fnmatchcase(name, part)}
    if not found:
        nearest = get_close_matches(part, segments, n=1)
        raise UsageError(
            "SEG402",
            f"`{part}` selects no segment",
            hint=f"did you mean `{nearest[0]}`?" if nearest else "`segctl ls segments` lists them all",
        )
    return found


def with_references(names: Iterable[str], references: Callable[[str], Iterable[str]]) -> tuple[str, ...]:
    """The names and everything they refer to, directly or not, sorted.

    Args:
        names: Where to start.
        references: Names one definition refers to.
    """
    todo, seen = list(names), set[str]()
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo.extend(references(name))
    return tuple(sorted(seen))
