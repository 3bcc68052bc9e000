"""A plan as a result: one row a segment, and behind it definitions, effects, reasons and guards."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from segctl.cli import output, plan_pushes

if TYPE_CHECKING:
    from segctl.cli.context import Context
    from segctl.model.project import Language
    from segctl.operations.plan.plan import Plan, SegmentPlan

COLUMNS = (
    output.Column("segment"),
    output.Column("definition"),
    output.Column("before", type="integer"),
    output.Column("entered", type="integer"),
    output.Column("left", type="integer"),
    output.Column("after", type="integer"),
    output.Column("outcome"),
)
FURTHER = (output.Column("inputs", type="list"), output.Column("refused"), output.Column("reason"))
DEFINITIONS = (
    output.Column("segment"),
    output.Column("part"),
    output.Column("before"),
    output.Column("after"),
)
EFFECTS = (
    output.Column("segment"),
    output.Column("old_old", "old/old", type="integer"),
    output.Column("old_new", "old/new", type="integer"),
    output.Column("new_old", "new/old", type="integer"),
    output.Column("new_new", "new/new", type="integer"),
    output.Column("rule_entered", "rule +", type="integer"),
    output.Column("rule_left", "rule −", type="integer"),
    output.Column("data_entered", "data +", type="integer"),
    output.Column("data_left", "data −", type="integer"),
)
REASONS = (
    output.Column("segment"),
    output.Column("change"),
    output.Column("cause"),
    output.Column("profiles", type="integer"),
    output.Column("examples", type="list"),
)
GUARDS = (
    output.Column("segment"),
    output.Column("guard"),
    output.Column("measured", type="number"),
    output.Column("limit", type="number"),
    output.Column("message"),
)
MOVES = (
    output.Column("segment"),
    output.Column("profile_id"),
    output.Column("change"),
    output.Column("cause"),
)


_FIRST = ("first_run", "definition_new")


def result(
    ctx: Context, plan: Plan, facts: dict[str, Any], *, language: Language, zone: str, everything: bool
) -> output.Result:
    """The plan for a format of the call.

    Args:
        ctx: The call.
        plan: What would happen.
        facts: Above the table.
        language: Of causes.
        zone: Of instants in them.
        everything: Also show people the segments that stay as they are.
    """
    is_json = ctx.format == "json"
    shown = [s for s in plan.segments if everything or ctx.format != "table" or not s.is_quiet]
    quiet = len(plan.segments) - len(shown)
    sections = [
        output.Section("definitions", "changed definitions", DEFINITIONS, list(definition_rows(shown))),
        output.Section(
            "effects",
            "members under old/new rule on old/new data, and who moves by which",
            EFFECTS,
            list(effect_rows(shown)),
        ),
        output.Section("reasons", "why", REASONS, list(reason_rows(plan, language, zone, first=is_json))),
    ]
    if is_json:
        sections.append(output.Section("guards", "guards", GUARDS, list(guard_rows(shown))))
    if plan.pushes:
        sections += plan_pushes.sections(plan.pushes, language, is_json=is_json, everything=everything)
    notes = [f"{quiet:,} other {'segment stays' if quiet == 1 else 'segments stay'} as they are"] if quiet else []
    columns = (*COLUMNS, *FURTHER) if ctx.format != "table" else COLUMNS if plan.profiles is not None else COLUMNS[:2]
    rows = [segment_row(segment, is_counted=plan.profiles is not None)[: len(columns)] for segment in shown]
    return output.Result(
        "segctl/plan/1",
        columns if shown or ctx.format != "table" else (),
        rows,
        noun="segments",
        facts=facts,
        text=() if shown else ("nothing would change",),
        # An empty list still is an answer to a program; to people it says nothing.
        sections=tuple(s for s in sections if is_json or s.rows),
        notes=notes,
        ids_column=None,
    )


def segment_row(segment: SegmentPlan, *, is_counted: bool = True) -> tuple[Any, ...]:
    """One segment in the order of `COLUMNS` and `FURTHER`; without data nobody was counted."""
    return (
        segment.segment,
        segment.change,
        segment.before,
        segment.entered if is_counted else None,
        segment.left if is_counted else None,
        segment.after,
        outcome_of(segment),
        list(segment.inputs),
        segment.refused,
        segment.reason,
    )


def outcome_of(segment: SegmentPlan) -> str:
    """What would become of it, in one word."""
    return "refused" if segment.refused else segment.state


def definition_rows(segments: Iterable[SegmentPlan]) -> Iterable[tuple[Any, ...]]:
    """What definitions mean otherwise."""
    for segment in segments:
        for change in segment.meaning:
            yield segment.segment, change.part, change.before, change.after
        for name in segment.inputs:
            yield segment.segment, "zone data" if name == "zone data" else "list", name, f"{name}, another one"


def effect_rows(segments: Iterable[SegmentPlan]) -> Iterable[tuple[Any, ...]]:
    """Two rules by two data, and the moves that each makes."""
    for segment in segments:
        e = segment.effects
        if e is not None:
            sizes = (e.old_old, e.old_new, e.new_old, e.new_new)
            yield segment.segment, *sizes, e.rule_entered, e.rule_left, e.data_entered, e.data_left


def reason_rows(plan: Plan, language: Language, zone: str, *, first: bool) -> Iterable[tuple[Any, ...]]:
    """Causes with their counts and examples.

    Args:
        plan: What would happen.
        language: Of the words.
        zone: Of instants.
        first: Also of segments that are new, where everybody has the same cause.
    """
    from segctl.operations.causes.words import KINDS, say

    for reason in plan.reasons:
        if reason.kind in _FIRST and not first:
            continue
        words = KINDS[reason.kind][language == "de"] if reason.kind in KINDS else reason.kind
        own_words = plan.words.get(reason.segment, {})
        said = [say(line, zone=zone, language=language, said=own_words) or "" for _, line in reason.examples]
        details = [line.removeprefix(words).lstrip(": ") for line in said]
        # What is the same for all of them is said once.
        common = details[0] if len(set(details)) == 1 else ""
        cause = f"{words}: {common}" if common else words
        own = ["" if common else detail for detail in details]
        examples = [f"{who} ({one})" if one else who for (who, _), one in zip(reason.examples, own, strict=True)]
        yield reason.segment, reason.change, cause, reason.profiles, examples


def guard_rows(segments: Iterable[SegmentPlan]) -> Iterable[tuple[Any, ...]]:
    """Guards that refuse."""
    for segment in segments:
        for one in segment.broken:
            measured = None if one.measured is None else round(float(one.measured), 6)
            yield segment.segment, one.guard, measured, float(one.limit), one.message
