"""What a run was made from besides its snapshot: definitions under the names they had then, lists, zone data."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import TZPATH

from segctl.compile.references import references
from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    from segctl.model.project import Definitions
    from segctl.operations.session import Session
    from segctl.state.runs import Run


def run_note(session: Session, names: Iterable[str], select: Iterable[str], exclude: Iterable[str]) -> dict[str, Any]:
    """What a run records of its inputs, after its segments were evaluated.

    Keys, each only where there is something to say: ``lists`` (segment → list file → digest), ``zone`` and
    ``zone_data`` (digest of the rules), ``select``, ``exclude``, ``formerly`` (segment → names it had before).
    """
    segments = session.definitions.segments
    note = {
        "lists": {name: found for name in names if (found := list_digests(session, name))},
        "zone": session.project.timezone,
        "zone_data": zone_digest(session.project.timezone),
        "select": list(select),
        "exclude": list(exclude),
        "formerly": {name: list(segment.formerly) for name, segment in segments.items() if segment.formerly},
    }
    return {key: value for key, value in note.items() if value}


def list_digests(session: Session, segment: str) -> dict[str, str]:
    """Digests of the list files that decide a segment, as far as they have been read."""
    known = session.lists.digests
    return {name: known[name] for name in sorted(lists_of(session.definitions, segment)) if name in known}


def lists_of(definitions: Definitions, segment: str) -> set[str]:
    """Files that a segment, or anything it refers to, reads."""
    todo, seen, found = [("segment", segment)], set[tuple[str, str]](), set[str]()
    while todo:
        kind, name = todo.pop()
        if (kind, name) in seen:
            continue
        seen.add((kind, name))
        if kind == "segment" and name in definitions.segments:
            definition = definitions.segments[name]
            used = references(definition.where, definition.keep)
        elif kind == "trait" and name in definitions.computed:
            trait = definitions.computed[name]
            used = references(trait.selection, trait.measure, trait.formula)
        else:
            continue
        found |= set(used.lists)
        todo += [*(("segment", other) for other in used.segments), *(("trait", other) for other in used.traits)]
    return found


def zone_digest(zone: str) -> str | None:
    """Beginning of the SHA-256 of a zone's rules as this machine has them; None where they cannot be read."""
    for folder in TZPATH:
        path = Path(folder, zone)
        if path.is_file():
            return _short(path.read_bytes())
    try:
        return _short(files("tzdata.zoneinfo").joinpath(zone).read_bytes())
    except (ImportError, OSError):
        return None


def _short(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Origin:
    """What one run made a segment's answer from.

    Attributes:
        definition: Digest of the meaning; None when the run did not evaluate the segment.
        lists: List file → digest; None for a run that did not record them.
        zone_data: Zone and digest of its rules; likewise.
    """

    definition: str | None
    lists: Mapping[str, str] | None
    zone_data: tuple[str, str] | None

    def changes_to(self, later: Origin) -> tuple[str, ...]:
        """What differs: ``definition``, names of list files, ``zone data``; what is not on record is no change."""
        found = []
        if None not in (self.definition, later.definition) and self.definition != later.definition:
            found.append("definition")
        if self.lists is not None and later.lists is not None:
            both = self.lists.keys() & later.lists.keys()
            found += sorted(name for name in both if self.lists[name] != later.lists[name])
        if self.zone_data and later.zone_data and self.zone_data[0] == later.zone_data[0]:
            found += ["zone data"] if self.zone_data != later.zone_data else []
        return tuple(found)


def origin_today(session: Session, segment: str) -> Origin:
    """What an evaluation now makes the answer from; lists as far as they have been read."""
    definition, zone = session.definitions.segments.get(segment), session.project.timezone
    digest = zone_digest(zone)
    return Origin(
        definition.digest if definition is not None else None,
        list_digests(session, segment),
        (zone, digest) if digest is not None else None,
    )


def origin_of(run: Run, segment: str, definitions: Definitions, recorded: Iterable[Run]) -> Origin:
    """What a run made a segment's answer from, under whatever name the segment had then.

    Args:
        run: The run.
        segment: Its name today; of a removed one, the last.
        definitions: Of today.
        recorded: All runs on record, newest first; looked at only where the segment had another name.
    """
    name: str | None = segment
    if segment not in run.definitions:
        name = next((old for old in former_names(segment, definitions, recorded) if old in run.definitions), None)
    zone, rules = run.note.get("zone"), run.note.get("zone_data")
    return Origin(
        definition=run.definitions[name] if name is not None else None,
        lists=run.note.get("lists", {}).get(name, {}) if rules is not None else None,
        zone_data=(zone, rules) if zone and rules else None,
    )


def recorded_as(session: Session, segment: str) -> str:
    """What runs call a segment: by its name, or by a former one while no run has seen it under the new one."""
    from segctl.state.recording import known_segments

    segments, known = session.definitions.segments, known_segments(session.workspace)
    alive = {name for name, one in known.items() if one.alive}
    if segment in alive or segment not in segments:
        return segment
    former = (old for old in reversed(segments[segment].formerly) if old in alive and old not in segments)
    return next(former, segment)


def former_names(segment: str, definitions: Definitions, recorded: Iterable[Run]) -> tuple[str, ...]:
    """Names from before, newest first: those its file tells, and those it told when a run was made."""
    today = definitions.segments.get(segment)
    names = dict.fromkeys((segment, *(today.formerly if today is not None else ())))
    for run in recorded:
        for name in tuple(names):
            names |= dict.fromkeys(run.note.get("formerly", {}).get(name, ()))
    return tuple(names)
