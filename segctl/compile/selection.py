"""Which segments a command means: names, properties, neighbours, state and results, united, intersected, excluded."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from fnmatch import fnmatchcase
from typing import Protocol

from segctl.compile.suggest import nearest, one_of
from segctl.model.dataclass import dataclass
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
    def send_to(self) -> tuple[str, ...]:
        """Destinations."""
        ...

    @property
    def location(self) -> Location | None:
        """Where it stands."""
        ...


@dataclass(frozen=True, slots=True)
class Selection:
    """What was asked for on the command line.

    Attributes:
        select: Expressions, united; none means every segment that is not a draft.
        exclude: Expressions taken away, last.
        state: What `state:` compares with: a run, a file or a Git revision; None is the last run.
        allow_empty: Patterns and properties that fit nothing are no mistake.
    """

    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    state: str | None = None
    allow_empty: bool = False

    def __bool__(self) -> bool:
        return bool(self.select or self.exclude)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a selection may ask beyond the segments' own files; `needs` says which of it an expression asks for.

    Attributes:
        uses: Segment → segments it refers to directly.
        kinds: Segment → kinds of conditions in it, such as ``sequence``.
        digests: Segment → digest of its meaning today.
        before: The same as it was in the state compared with.
        results: Segment → what its newest run meant for it: ``ok``, ``what_if`` or ``failed``.
    """

    uses: Mapping[str, Iterable[str]] = field(default_factory=dict)
    kinds: Mapping[str, Iterable[str]] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    before: Mapping[str, str] = field(default_factory=dict)
    results: Mapping[str, str] = field(default_factory=dict)


STATES = ("new", "modified", "unmodified")
RESULTS = ("ok", "what_if", "failed")
STATUSES = ("draft", "active", "paused")
METHODS = ("tag", "owner", "path", "destination", "kind", "status", "state", "result")
_CHOICES = {"state": STATES, "result": RESULTS, "status": STATUSES}
_GRAPH = re.compile(r"(?:(?P<up>\d*)\+)?(?P<part>[^+].*?)(?:\+(?P<down>\d*))?")
_EVERYTHING = Facts()


def select(
    segments: Mapping[str, Selectable],
    select: Iterable[str] = (),
    exclude: Iterable[str] = (),
    *,
    facts: Facts = _EVERYTHING,
    allow_empty: bool = False,
) -> tuple[str, ...]:
    """Names of the selected segments, sorted.

    Args:
        segments: All segments by name.
        select: Expressions united; nothing selects every segment that is not a draft. An expression is a name, a
            glob (``win*``) or a method with a value or glob (``tag:daily``); ``+`` before it adds what it refers to,
            ``+`` behind it what refers to it, a number bounds how far; parts joined by commas must all fit; blanks
            separate expressions.
        exclude: Expressions taken away, last.
        facts: What `state:`, `result:`, `kind:` and ``+`` ask.
        allow_empty: A pattern or property that fits nothing is no mistake; an unknown name still is.

    Raises:
        UsageError: A part selects nothing, which is almost always a typing mistake.
    """
    select = tuple(select)
    wanted, unwanted = tuple(_parts(select)), tuple(_parts(exclude))
    if select and not wanted:
        raise UsageError("SEG402", "an empty selection selects no segment", hint="leave `--select` out to mean all")
    choice = _Choice(segments, facts, allow_empty)
    chosen = (
        {name for part in wanted for name in choice.matching(part)}
        if wanted
        else {name for name, segment in segments.items() if segment.status != "draft"}
    )
    dropped = {name for part in unwanted for name in choice.matching(part)}
    return tuple(sorted(chosen - dropped))


def needs(*expressions: Iterable[str]) -> frozenset[str]:
    """Which `Facts` expressions ask for: ``uses``, ``kinds``, ``state``, ``results``."""
    asked = set()
    for part in (p for some in expressions for expression in _parts(some) for p in expression.split(",") if p):
        up, method, _, down = _read(part)
        asked |= {"uses"} if up is not None or down is not None else set()
        asked |= {{"state": "state", "result": "results", "kind": "kinds"}.get(method, "")} - {""}
    return frozenset(asked)


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


def _parts(expressions: Iterable[str]) -> Iterator[str]:
    return (part for expression in expressions for part in expression.split() if part.strip(","))


def _read(part: str) -> tuple[int | None, str, str, int | None]:
    """Steps upwards, method (empty for names), value, steps downwards; no step is None, no bound is −1.

    Raises:
        UsageError: Only signs of a direction.
    """
    found = _GRAPH.fullmatch(part)
    if found is None:
        raise UsageError("SEG402", f"`{part}` selects no segment", hint="write a name between the `+` signs")
    up, down = (None if (steps := found[side]) is None else int(steps or -1) for side in ("up", "down"))
    method, colon, value = found["part"].partition(":")
    return (up, method, value, down) if colon else (up, "", found["part"], down)


@dataclass(frozen=True, slots=True)
class _Choice:
    """Expressions looked up among the segments of a project."""

    segments: Mapping[str, Selectable]
    facts: Facts
    allow_empty: bool

    def matching(self, expression: str) -> set[str]:
        found = set(self.segments)
        parts = [part for part in expression.split(",") if part]
        for part in parts:
            found &= self._part(part)
        if not found and not self.allow_empty:
            raise UsageError(
                "SEG403",
                f"no segment is all of {one_of(parts)}",
                hint="separate them by a blank for either; `--allow-empty` permits it",
            )
        return found

    def _part(self, part: str) -> set[str]:
        up, method, value, down = _read(part)
        found = self._by_method(method, value) if method else self._by_name(value)
        if not found and not (self.allow_empty and (method or _is_glob(value))):
            raise self._nothing(part, method, value)
        used: Mapping[str, Iterable[str]] = self.facts.uses
        further = set()
        if up is not None:
            further |= _neighbours(found, used, up)
        if down is not None:
            further |= _neighbours(found, _reversed(used), down)
        return found | (further & set(self.segments))

    def _by_name(self, pattern: str) -> set[str]:
        return {name for name in self.segments if fnmatchcase(name, pattern)}

    def _by_method(self, method: str, value: str) -> set[str]:
        if method not in METHODS:
            near = nearest(method, METHODS)
            others = f"use one of {', '.join(f'`{name}:`' for name in METHODS)}"
            hint = f"did you mean `{near}:`?" if near else others
            raise UsageError("SEG401", f"`{method}:` is no property to select by", hint=hint)
        choices = _CHOICES.get(method)
        if choices is not None and value not in choices:
            near = nearest(value, choices)
            hint = f"did you mean `{method}:{near}`?" if near else f"use one of {one_of(choices, last='or')}"
            raise UsageError("SEG404", f"`{value}` is no value of `{method}:`", hint=hint)
        return {name for name, segment in self.segments.items() if self._is(method, value, name, segment)}

    def _is(self, method: str, value: str, name: str, segment: Selectable) -> bool:
        match method:
            case "path":
                return segment.location is not None and _stands_in(segment.location.file, value)
            case "owner" | "status":
                return fnmatchcase(getattr(segment, method) or "", value)
            case "state":
                return self._state(name) == value or (value == "modified" and self._state(name) == "new")
            case "result":
                return self.facts.results.get(name) == value
            case _:
                return any(fnmatchcase(word, value) for word in self._words(method, name, segment))

    def _words(self, method: str, name: str, segment: Selectable) -> Iterable[str]:
        if method == "kind":
            return self.facts.kinds.get(name, ())
        return segment.tags if method == "tag" else segment.send_to

    def _state(self, name: str) -> str:
        before = self.facts.before.get(name)
        if before is None:
            return "new"
        return "unmodified" if before == self.facts.digests.get(name) else "modified"

    def _nothing(self, part: str, method: str, value: str) -> UsageError:
        known: set[str] = set(self.segments)
        if method in ("tag", "destination", "kind"):
            known = {word for name, one in self.segments.items() for word in self._words(method, name, one)}
        elif method == "owner":
            known = {one.owner for one in self.segments.values() if one.owner}
        elif method == "path":
            known = {path for one in self.segments.values() if one.location for path in _folders(one.location.file)}
        if not method and value.endswith(".json"):
            hint = f"a plan that was saved is carried out by `segctl apply {value}`; here names of segments are meant"
            return UsageError("SEG402", f"`{part}` selects no segment", hint=hint)
        near = None if method in _CHOICES else nearest(value, known)
        lead = f"{method}:" if method else ""
        hint = f"did you mean `{lead}{near}`?" if near else _WAYS_OUT.get(method, "`segctl ls segments` lists them all")
        return UsageError("SEG402", f"`{part}` selects no segment", hint=hint)


_WAYS_OUT = {
    "state": "nothing has changed since; `--allow-empty` permits that",
    "result": "no newest run of a segment ended so; `--allow-empty` permits that",
    "status": "`--allow-empty` permits that",
}


def _is_glob(value: str) -> bool:
    return any(sign in value for sign in "*?[")


def _stands_in(file: str, wanted: str) -> bool:
    return file.startswith(wanted.rstrip("/") + "/") or fnmatchcase(file, wanted)


def _folders(file: str) -> Iterator[str]:
    """The file and every folder above it."""
    parts = file.split("/")
    return ("/".join(parts[:depth]) for depth in range(1, len(parts) + 1))


def _reversed(graph: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, others in graph.items():
        for other in others:
            found.setdefault(other, []).append(name)
    return found


def _neighbours(names: set[str], graph: Mapping[str, Iterable[str]], steps: int) -> set[str]:
    """Everything that can be reached in at most so many steps; −1 is any number."""
    seen, edge = set(names), set(names)
    while edge and steps:
        edge = {other for name in edge for other in graph.get(name, ())} - seen
        seen |= edge
        steps -= 1
    return seen - names
