"""Limits that definitions set on their own change: what breaks one, and what is allowed in spite of it this once.

One home for every guard. `broken` judges one segment; `refusals` judges a run, where a segment that refers to a
refused one is refused with it. A guard that asks more than counts (how fresh inputs are) belongs here as well.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from segctl.compile.references import references
from segctl.compile.suggest import nearest, one_of
from segctl.model.conditions import Guards
from segctl.model.dataclass import dataclass
from segctl.model.errors import Refused, UsageError

if TYPE_CHECKING:
    from segctl.model.project import Definitions
    from segctl.state.recording import Movement

GUARDS = ("max_removed", "max_added", "min_size", "max_size")
_SHORT = {"removed": "max_removed", "added": "max_added"}
_ALLOWED = re.compile(
    r"(?:(?P<segment>[a-z][a-z0-9_]*)\.)?(?P<guard>[a-z_]+)\s*=\s*(?P<limit>\d+(?:\.\d+)?)\s*(?P<unit>%?)"
)


@dataclass(frozen=True, slots=True)
class Broken:
    """One guard that a change breaks.

    Attributes:
        guard: ``max_removed``, ``max_added``, ``min_size``, ``max_size`` or ``fresh``.
        message: The whole sentence with its numbers.
        measured: Share of the members before (0–1), or members; seconds for ``fresh``, None when nothing is known.
        limit: Likewise.
    """

    guard: str
    message: str
    measured: Decimal | None
    limit: Decimal


@dataclass(frozen=True, slots=True)
class Allowance:
    """A limit that somebody set for this once.

    Attributes:
        guard: As in `Broken`.
        limit: Share (0–1) or members.
        segment: None for every segment.
    """

    guard: str
    limit: Decimal
    segment: str | None = None

    def __str__(self) -> str:
        value = f"{float(100 * self.limit):g}%" if self.guard in _SHORT.values() else f"{self.limit:f}"
        return f"{f'{self.segment}.' if self.segment else ''}{self.guard}={value}"


def broken(
    segment: str, limits: Guards, *, before: int | None, entered: int, left: int, after: int | None
) -> tuple[Broken, ...]:
    """The guards that a change breaks; a first membership removes and adds nothing.

    Args:
        segment: Its name, for the sentences.
        limits: What its definition says.
        before: Members in force before; None when there were none yet.
        entered: Profiles.
        left: Profiles.
        after: Members it would have.
    """
    found = []
    members, size = before or 0, after or 0
    for guard, word, moved, limit in (
        ("max_removed", "remove", left, limits.max_removed),
        ("max_added", "add", entered, limits.max_added),
    ):
        if limit is not None and members and Decimal(moved) > limit * members:
            said = f"`{segment}` would {word} {moved:,} of {members:,} members ({100 * moved / members:.1f} %)"
            text = f"{said}, limit {float(100 * limit):g} %"
            found.append(Broken(guard, text, Decimal(moved) / members, limit))
    if limits.min_size is not None and size < limits.min_size:
        text = f"`{segment}` would have {size:,} members, at least {limits.min_size:,} are asked for"
        found.append(Broken("min_size", text, Decimal(size), Decimal(limits.min_size)))
    if limits.max_size is not None and size > limits.max_size:
        text = f"`{segment}` would have {size:,} members, at most {limits.max_size:,} are allowed"
        found.append(Broken("max_size", text, Decimal(size), Decimal(limits.max_size)))
    return tuple(found)


def broken_by(movement: Movement, limits: Guards) -> tuple[Broken, ...]:
    """The same for how a run moves a segment; what does not come into force breaks nothing."""
    if movement.state.value != "in_force":
        return ()
    return broken(
        movement.segment.name,
        limits,
        before=None if movement.segment.in_force_as_of is None else movement.before,
        entered=movement.entered,
        left=movement.left,
        after=movement.after,
    )


WAITS = "whose guard refuses the change"
"""How the reason ends of a segment that waits for another one."""


def refusals(
    definitions: Definitions,
    movements: Sequence[Movement],
    allowed: Iterable[Allowance] = (),
    *,
    stale: Mapping[str, Sequence[Broken]] = {},
    expired: Collection[str] = (),
) -> dict[str, str]:
    """Segments that keep their last membership, with the reason.

    What is made from a refused segment is as doubtful as that one, so it waits too.

    Args:
        definitions: With the guards.
        movements: How the run moves every segment.
        allowed: What guards allow this once.
        stale: Segment → its inputs that are too old.
        expired: Segments that have ended, as declared: no guard keeps their members.
    """
    allowed = tuple(allowed)
    found = {}
    for movement in movements:
        segment = definitions.segments.get(movement.segment.name)
        if segment is not None and segment.name not in expired:
            limits = loosened(segment.guards, segment.name, allowed)
            old = stale.get(segment.name, ()) if movement.state.value == "in_force" else ()
            if reasons := [one.message for one in (*old, *broken_by(movement, limits))]:
                found[segment.name] = "; ".join(reasons)
    waiting = {m.segment.name for m in movements if m.state.value == "in_force"} - set(found) - set(expired)
    return found | _dependents(definitions, found, waiting)


def _dependents(definitions: Definitions, refused: Mapping[str, str], waiting: set[str]) -> dict[str, str]:
    """Those of `waiting` that refer to a refused segment, directly or not."""
    uses = {name: references(segment.where).segments for name, segment in definitions.segments.items()}
    found: dict[str, str] = {}
    for name in sorted(waiting):
        todo, seen = list(uses.get(name, ())), set[str]()
        while todo:
            other = todo.pop()
            if other in refused:
                found[name] = f"it refers to `{other}`, {WAITS}"
                break
            if other not in seen:
                seen.add(other)
                todo.extend(uses.get(other, ()))
    return found


def loosened(limits: Guards, segment: str, allowed: Iterable[Allowance]) -> Guards:
    """A definition's guards with what is allowed this once; an allowance never makes one stricter."""
    for one in allowed:
        if getattr(limits, one.guard) is None or one.segment not in (None, segment):
            continue
        match one.guard:
            case "max_removed":
                limits = replace(limits, max_removed=max(limits.max_removed or one.limit, one.limit))
            case "max_added":
                limits = replace(limits, max_added=max(limits.max_added or one.limit, one.limit))
            case "min_size":
                limits = replace(limits, min_size=min(limits.min_size or 0, int(one.limit)))
            case _:
                limits = replace(limits, max_size=max(limits.max_size or 0, int(one.limit)))
    return limits


def parse_allowances(written: Iterable[str], segments: Iterable[str]) -> tuple[Allowance, ...]:
    """What `--allow` says: ``removed=30%``, or ``winback.min_size=10`` for one segment.

    Raises:
        UsageError: Not of that form, or no such guard or segment.
    """
    return tuple(_allowance(text, tuple(segments)) for text in written)


def _allowance(text: str, segments: Sequence[str]) -> Allowance:
    found = _ALLOWED.fullmatch(text.strip())
    if found is None:
        raise UsageError(
            "SEG545", f"`--allow {text}` is not a guard with a limit",
            hint="write `removed=30%`, or `SEGMENT.min_size=10` for one segment",
        )  # fmt: skip
    guard = _SHORT.get(found["guard"], found["guard"])
    if guard not in GUARDS:
        near = nearest(guard, (*GUARDS, *_SHORT))
        hint = f"did you mean `{near}`?" if near else f"use one of {one_of((*_SHORT, 'min_size', 'max_size'))}"
        raise UsageError("SEG545", f"there is no guard `{guard}`", hint=hint)
    is_share = guard in _SHORT.values()
    if is_share != (found["unit"] == "%") or (not is_share and "." in found["limit"]):
        right = f"{found['guard']}={found['limit']}%" if is_share else f"{found['guard']}=50"
        why = "a share ends in %" if is_share else "a size is a whole number"
        raise UsageError("SEG545", f"`--allow {text}`: {why}", hint=f"write `{right}`")
    segment = found["segment"]
    if segment is not None and segment not in segments:
        near = nearest(segment, segments)
        raise UsageError("SEG510", f"there is no segment `{segment}`", hint=f"did you mean `{near}`?" if near else None)
    return Allowance(guard, Decimal(found["limit"]) / (100 if is_share else 1), segment)


def refusal(segment: str, message: str) -> Refused:
    """What is told of one broken guard, with the two ways on."""
    return Refused(
        "SEG519", message, hint=f"see who with `segctl diff {segment} --moves`; if it is right, change its `guards`"
    )
