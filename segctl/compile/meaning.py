"""What two definitions of one segment mean differently, line by line in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import Literal

from segctl.compile.prune import leaves
from segctl.compile.references import compared_fields, references
from segctl.compile.words import describe, describe_segment
from segctl.model.conditions import ComputedTrait, Condition, Guards, SegmentDefinition, ValueTest
from segctl.model.dataclass import dataclass
from segctl.model.project import Definitions, Language

Part = Literal["condition", "trait", "segment", "zone", "events", "setting"]
_ALIKE = 0.6
_LISTED = 6


@dataclass(frozen=True, slots=True)
class MeaningChange:
    """One difference.

    Attributes:
        part: A line of the definition, something that it rests on, or a setting that does not change its meaning.
        before: In words; None for what was added.
        after: In words; None for what was removed.
    """

    part: Part
    before: str | None
    after: str | None


def meaning_changes(
    name: str, before: Definitions, after: Definitions, language: Language = "en", *, former: str | None = None
) -> tuple[MeaningChange, ...]:
    """Everything that is different about a segment that both have.

    Args:
        name: Segment, as it is called in `after`.
        before: Earlier definitions.
        after: Later definitions.
        language: Of the words.
        former: What it was called in `before`, when otherwise.
    """
    old, new = before.segments[former or name], after.segments[name]
    found = [*_lines(old, new, language), *_rests(old, new, before, after)]
    if not found and old.digest != new.digest:
        found.append(MeaningChange("condition", None, "differs in a detail that words leave out"))
    return (*found, *_settings(old, new))


def _lines(old: SegmentDefinition, new: SegmentDefinition, language: Language) -> Iterator[MeaningChange]:
    """Differences of condition and `keep`, as lines of their words."""
    if (old.where, old.keep) == (new.where, new.keep):
        return
    before, after = (_indented(describe_segment(one, language)) for one in (old, new))
    found = False
    for tag, a0, a1, b0, b1 in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag != "equal":
            found = True
            yield from _paired(before[a0:a1], after[b0:b1])
    if not found:
        yield from _hidden(leaves(old.where), leaves(new.where), language)


def _indented(said: Sequence[tuple[int, str]]) -> list[str]:
    """The lines with their indentation; what is negated stands on the line of its `not:`."""
    found: list[str] = []
    for indent, text in said:
        if found and found[-1].strip() in ("not:", "nicht:") and not text.endswith(":"):
            found[-1] += f" {text}"
        else:
            found.append(f"{'  ' * indent}{text}")
    return found


def _paired(old: Sequence[str], new: Sequence[str]) -> Iterator[MeaningChange]:
    """Lines that took the place of others: those that are alike are one change."""
    waiting = list(new)
    for line in old:
        alike = max(waiting, key=lambda other: _likeness(line, other), default=None)
        if alike is not None and _likeness(line, alike) >= _ALIKE:
            position = waiting.index(alike)
            yield from (MeaningChange("condition", None, other.strip()) for other in waiting[:position])
            yield MeaningChange("condition", line.strip(), alike.strip())
            waiting = waiting[position + 1 :]
        else:
            yield MeaningChange("condition", line.strip(), None)
    yield from (MeaningChange("condition", None, other.strip()) for other in waiting)


def _likeness(old: str, new: str) -> float:
    # Two headings of combinations are always one change: `all of:` became `any of:`.
    if old.endswith(":") and new.endswith(":"):
        return 1.0
    return 0.0 if old.endswith(":") or new.endswith(":") else SequenceMatcher(None, old.strip(), new.strip()).ratio()


def _hidden(old: Sequence[Condition], new: Sequence[Condition], language: Language) -> Iterator[MeaningChange]:
    """Leaves whose words are the same: long lists and long texts are cut in words."""
    for before, after in zip(old, new, strict=True):
        if before != after:
            said = describe(after, language)
            gone, come = _values(before, after), _values(after, before)
            yield MeaningChange(
                "condition",
                f"{said}: {_listed(gone)}" if gone else said,
                f"{said}: {_listed(come)}" if come else f"{said}, with other details",
            )


def _values(of: Condition, without: Condition) -> list[str]:
    """Values that only one of two leaves names."""
    mine, others = ([str(v) for v in _operands(one)] for one in (of, without))
    return sorted(set(mine) - set(others))


def _operands(node: object) -> Iterator[object]:
    if isinstance(node, ValueTest):
        yield from node.operands
    elif isinstance(node, tuple):
        for item in node:
            yield from _operands(item)
    else:
        for name in compared_fields(type(node)):
            yield from _operands(getattr(node, name))


def _listed(values: Sequence[str]) -> str:
    shown = ", ".join(value if len(value) <= 40 else f"{value[:39]}…" for value in values[:_LISTED])
    return shown if len(values) <= _LISTED else f"{shown} … ({len(values)})"


# --- What a definition rests on ---------------------------------------------------------------------------
def _rests(
    old: SegmentDefinition, new: SegmentDefinition, before: Definitions, after: Definitions
) -> Iterator[MeaningChange]:
    used = references(new.where, new.keep)
    shared = references(old.where, old.keep)
    for trait in (t for t in used.traits if t in shared.traits):
        if _trait_differs(trait, before, after):
            yield MeaningChange("trait", f"`{trait}` as computed before", f"`{trait}` is computed otherwise")
    for other in (s for s in used.segments if s in shared.segments):
        there = before.segments.get(other), after.segments.get(other)
        if there[0] is not None and there[1] is not None and there[0].digest != there[1].digest:
            yield MeaningChange("segment", f"`{other}` as it was", f"`{other}` means something else")
    if before.project.timezone != after.project.timezone:
        yield MeaningChange("zone", before.project.timezone, after.project.timezone)
    if "*" in used.events and "*" in shared.events:
        events = [", ".join(sorted(event.name for event in one.project.events)) for one in (before, after)]
        if events[0] != events[1]:
            yield MeaningChange("events", events[0], events[1])


def _trait_differs(name: str, before: Definitions, after: Definitions) -> bool:
    """True when a computed trait, or one that it is computed from, is defined otherwise."""
    todo, seen = [name], set[str]()
    while todo:
        trait = todo.pop()
        if trait in seen:
            continue
        seen.add(trait)
        old, new = before.computed.get(trait), after.computed.get(trait)
        if old is None and new is None:
            continue
        if old is None or new is None or _way(old) != _way(new):
            return True
        todo += references(*_way(new)).traits
    return False


def _way(trait: ComputedTrait) -> tuple[object, object, object]:
    return trait.selection, trait.measure, trait.formula


# --- Settings ---------------------------------------------------------------------------------------------
def _settings(old: SegmentDefinition, new: SegmentDefinition) -> Iterator[MeaningChange]:
    """What changes no meaning and yet what is done with the members."""
    for key, before, after in (
        ("status", old.status, new.status),
        ("purpose", old.purpose or "none", new.purpose or "none"),
        ("send_to", _joined(old.send_to), _joined(new.send_to)),
        ("guards", _guards(old.guards), _guards(new.guards)),
    ):
        if before != after:
            yield MeaningChange("setting", f"{key}: {before}", f"{key}: {after}")


def _joined(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"


def _guards(guards: Guards) -> str:
    shares = [
        f"{key} {float(100 * value):g} %"
        for key, value in (("max_removed", guards.max_removed), ("max_added", guards.max_added))
        if value is not None
    ]
    sizes = [f"{key} {v}" for key, v in (("min_size", guards.min_size), ("max_size", guards.max_size)) if v is not None]
    return _joined((*shares, *sizes))
