"""What of the rules is another one than a run had: definitions, lists, settings, zone data, the program itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from segctl import __version__
from segctl.compile.digest import segment_digest, trait_digest
from segctl.compile.project import FILE
from segctl.compile.references import references
from segctl.model.dataclass import dataclass
from segctl.operations.causes.replay import Rules
from segctl.operations.kept_definitions import NOTE, says_the_same, session_of_run, settings_digest
from segctl.operations.lists import ProjectLists
from segctl.operations.provenance import former_names, origin_of, origin_today

if TYPE_CHECKING:
    from segctl.model.conditions import SegmentDefinition
    from segctl.model.project import Definitions
    from segctl.operations.session import Session
    from segctl.state.runs import Run


@dataclass(frozen=True, slots=True)
class Changed:
    """What of one segment's rules is another one.

    Attributes:
        definition: What of it, in a few words; None for nothing, and where only segments it refers to changed.
        lists: Names of list files.
        machine: ``zone_changed`` or ``tool_changed``, when the same rules can give another answer now.
    """

    definition: str | None = None
    lists: tuple[str, ...] = ()
    machine: str | None = None

    def __bool__(self) -> bool:
        return self.definition is not None or bool(self.lists) or self.machine is not None


def rules_then(session: Session, run: Run, names: Iterable[str], given: frozenset[str]) -> Rules | None:
    """The rules as the run had them; None when they were not kept.

    Where nothing about them is another one they are those of today, of the very same session.
    """
    from segctl.state.runs import runs

    asked = {*names, *given}
    if _are_todays(session, run, asked):
        return Rules(session, {name: name for name in asked}, given)
    then = session_of_run(session, run)
    if then is None:
        return None
    recorded = runs(session.workspace)
    there = then.definitions.segments
    found = {}
    for name in asked:
        old = next((old for old in former_names(name, session.definitions, recorded) if old in there), None)
        if old is not None:
            found[name] = old
    return Rules(then, found, given)


def _are_todays(session: Session, run: Run, names: Iterable[str]) -> bool:
    """Files and meanings are as the run had them; where lists decide, they may be others."""
    segments = session.definitions.segments
    is_same = all(name in segments and run.definitions.get(name) == segments[name].digest for name in names)
    return is_same and not run.note.get("lists") and says_the_same(session, run)


def changed_rules(session: Session, run: Run, then: Rules | None, names: Iterable[str]) -> dict[str, Changed]:
    """What is another one for each segment."""
    from segctl.state.runs import runs

    recorded = runs(session.workspace)
    settings = _settings(session, run)
    found = {}
    for name in names:
        before, today = origin_of(run, name, session.definitions, recorded), origin_today(session, name)
        parts = before.changes_to(today)
        definition = _definition(session, then, name) if "definition" in parts else None
        machine = "zone_changed" if "zone data" in parts else None
        if machine is None and run.tool_version != __version__:
            machine = "tool_changed"
        lists = tuple(part for part in parts if part not in ("definition", "zone data"))
        found[name] = Changed(definition if definition is not None else settings, lists, machine)
    return found


def with_old_lists(rules: Rules, then: Rules | None, names: Iterable[str]) -> Rules:
    """The rules with some lists as they were."""
    old = frozenset(names)
    if then is None or not old:
        return rules
    lists = _SomeOldLists(rules.session.lists, then.session.lists, old)
    return Rules(replace(rules.session, lists=lists), rules.names, rules.given)


class _SomeOldLists(ProjectLists):
    """Lists of today, but for some."""

    def __init__(self, today: ProjectLists, then: ProjectLists, old: frozenset[str]) -> None:
        super().__init__(Path())
        self._today, self._then, self._old = today, then, old

    def __missing__(self, key: tuple[str, str | None]) -> tuple[str, ...]:
        self[key] = values = (self._then if key[0] in self._old else self._today)[key]
        return values


def _settings(session: Session, run: Run) -> str | None:
    """The name of the project file, where it says something else now."""
    before = settings_digest(session.workspace, run.note.get(NOTE))
    if before is None:
        return None
    try:
        content = (Path(session.project.root) / FILE).read_bytes()
    except OSError:
        return None
    from segctl.state.texts import text_digest

    return FILE if text_digest(content) != before else None


def _definition(session: Session, then: Rules | None, name: str) -> str | None:
    """What of a definition with another digest is another one; an empty text for its own condition."""
    today = session.definitions.segments[name]
    if then is None or name not in then.names:
        return ""
    before, there = then.session.definitions.segments[then.names[name]], then.session.definitions
    same = {old: new for new, old in then.names.items()}
    if _own(before, there, same) != _own(today, session.definitions, {}):
        return ""
    traits = sorted(
        trait
        for trait in _computed(session.definitions, today)
        if _formula(session.definitions, trait) != _formula(there, trait)
    )
    return f"trait {', '.join(traits)}" if traits else None


def _own(segment: SegmentDefinition, definitions: Definitions, names: Mapping[str, str]) -> str:
    """Digest of a segment's own condition and rank; what it refers to counts by its name of today."""
    used = references(segment.where, segment.keep).segments
    return segment_digest(
        segment, definitions.project, segments={name: names.get(name, name) for name in used}, computed={}
    )


def _computed(definitions: Definitions, segment: SegmentDefinition) -> set[str]:
    todo, found = list(references(segment.where, segment.keep).traits), set[str]()
    while todo:
        name = todo.pop()
        trait = definitions.computed.get(name)
        if trait is not None and name not in found:
            found.add(name)
            todo += references(trait.selection, trait.measure, trait.formula).traits
    return found


def _formula(definitions: Definitions, name: str) -> str | None:
    trait = definitions.computed.get(name)
    return None if trait is None else trait_digest(trait, definitions.project, computed={})
