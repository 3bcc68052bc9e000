"""A plan as Markdown for merge requests: the numbers first, definitions as a difference, no person unless asked for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from segctl.cli.plan_view import definition_rows, effect_rows, outcome_of, reason_rows

if TYPE_CHECKING:
    from segctl.model.project import Language
    from segctl.operations.plan.plan import Plan, SegmentPlan

MOST_ROWS = 100
"""Comments of forges end at 65,536 characters; whoever needs every row takes JSON."""


def page(plan: Plan, facts: dict[str, Any], *, language: Language, zone: str) -> str:
    """The whole plan as one text."""
    shown = [segment for segment in plan.segments if not segment.is_quiet]
    quiet = len(plan.segments) - len(shown)
    blocks = ["## segctl plan", _summary(plan, facts, len(shown), quiet)]
    blocks += [f"> **Refused:** {_text(s.refused)}" for s in shown if s.refused]
    blocks += [f"> **Cannot be evaluated:** `{s.segment}`: {_text(s.reason)}" for s in shown if s.reason]
    blocks += _segments(shown, is_counted=plan.profiles is not None)
    blocks += _definitions(plan)
    blocks += _effects(shown)
    blocks += _reasons(plan, language, zone)
    return "\n\n".join(blocks) + "\n"


def _segments(shown: Sequence[SegmentPlan], *, is_counted: bool) -> list[str]:
    rows = [
        (f"`{s.segment}`", s.change, _number(s.before), _signed(s.entered, "+"), _signed(s.left, "−"),
         _number(s.after), outcome_of(s))
        for s in shown
    ]  # fmt: skip
    heads = ("segment", "definition", "before", "enter", "leave", "after", "outcome")
    wide = len(heads) if is_counted else 2
    return [_table(heads[:wide], [row[:wide] for row in rows], "llrrrrl"[:wide])] if rows else []


def _effects(shown: Sequence[SegmentPlan]) -> list[str]:
    rows = [(f"`{row[0]}`", *map(_number, row[1:5]), _pair(*row[5:7]), _pair(*row[7:9])) for row in effect_rows(shown)]
    heads = (
        "segment", "old rule, old data", "old rule, new data", "new rule, old data", "new rule, new data",
        "by the rule", "by the data",
    )  # fmt: skip
    return ["### What the rule does, and what data and time do", _table(heads, rows, "lrrrrrr")] if rows else []


def _reasons(plan: Plan, language: Language, zone: str) -> list[str]:
    rows = [
        (f"`{segment}`", change, cause, _number(profiles), ", ".join(examples))
        for segment, change, cause, profiles, examples in reason_rows(plan, language, zone, first=False)
    ]
    heads = ("segment", "change", "cause", "profiles", "for example")
    # Without examples the last column would be empty.
    wide = 5 if any(row[4] for row in rows) else 4
    return ["### Why", _table(heads[:wide], [row[:wide] for row in rows], "lllrl"[:wide])] if rows else []


def _summary(plan: Plan, facts: dict[str, Any], changed: int, quiet: int) -> str:
    at = facts["as_of"]
    when = at.isoformat(sep=" ", timespec="minutes") if isinstance(at, datetime) else str(at)
    said = f"{changed:,} {'segment changes' if changed == 1 else 'segments change'}, {quiet:,} stay as they are"
    moves = f"{facts['would_enter']:,} enter, {facts['would_leave']:,} leave" if plan.profiles is not None else None
    about = f"Environment `{facts['environment']}`, as of {when}, compared with {facts['compared_with']}."
    return f"**{said}{f'; {moves}' if moves else ''}.**\n{about}"


def _definitions(plan: Plan) -> list[str]:
    blocks: list[str] = []
    for segment in plan.segments:
        lines = []
        for _, _, before, after in definition_rows([segment]):
            lines += [f"- {_line(before)}"] if before is not None else []
            lines += [f"+ {_line(after)}"] if after is not None else []
        if lines:
            blocks.append(f"`{segment.segment}`\n\n```diff\n" + "\n".join(lines) + "\n```")
    return ["### Changed definitions", *blocks] if blocks else []


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], align: str) -> str:
    signs = ["---:" if sign == "r" else "---" for sign in align]
    lines = [heads, signs, *([_text(cell) for cell in row] for row in rows[:MOST_ROWS])]
    text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return (
        text if len(rows) <= MOST_ROWS else f"{text}\n\n… and {len(rows) - MOST_ROWS:,} more; `-f json` has them all."
    )


def _text(value: str | None) -> str:
    """Text that neither ends a cell nor becomes markup of the page; names in backticks stay so."""
    return " ".join((value or "").replace("|", "\\|").replace("<", "&lt;").split())


def _line(text: str) -> str:
    return " ".join(text.replace("```", "'''").split())


def _number(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"


def _signed(value: int, sign: str) -> str:
    return f"{sign}{value:,}" if value else "0"


def _pair(entered: int | None, left: int | None) -> str:
    return "–" if entered is None or left is None else f"+{entered:,} −{left:,}"
