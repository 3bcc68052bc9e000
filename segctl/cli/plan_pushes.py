"""The push part of a plan: what goes to each destination, who falls out at which step, cost, and what stays done."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from segctl.cli import output
from segctl.cli.push_view import step_columns
from segctl.model.audience import STEPS
from segctl.operations.audience.words import counted_reasons

if TYPE_CHECKING:
    from segctl.model.project import Language
    from segctl.operations.plan.push import AudiencePlan

PUSHES = (
    output.Column("segment"),
    output.Column("destination"),
    output.Column("members", type="integer"),
    output.Column("allowed", type="integer"),
    output.Column("add", type="integer"),
    output.Column("update", type="integer"),
    output.Column("remove", type="integer"),
    output.Column("calls", type="integer", extra=True),
    output.Column("minutes", type="number", digits=2, extra=True),
)
FURTHER = (
    output.Column("withdrawn", type="integer"),
    output.Column("mode"),
    output.Column("purpose"),
    output.Column("channel"),
    output.Column("refused"),
    output.Column("paused"),
    output.Column("digest"),
)
WATERFALL = (
    output.Column("segment"),
    output.Column("destination"),
    *(output.Column(step, type="integer") for step in STEPS[:-1]),
)
DROPPED = (
    output.Column("segment"),
    output.Column("destination"),
    output.Column("step"),
    output.Column("people", type="integer"),
    output.Column("why"),
)
DROPPED_FURTHER = (output.Column("reason"), output.Column("detail"))
LASTING = (output.Column("segment"), output.Column("destination"), output.Column("what"))


def sections(
    pushes: Sequence[AudiencePlan], language: Language, *, is_json: bool, everything: bool
) -> Iterable[output.Section]:
    """The sections behind the table of segments."""
    shown = [one for one in pushes if is_json or everything or not one.is_quiet]
    if not shown:
        return
    columns = (*PUSHES, *FURTHER) if is_json else PUSHES
    yield output.Section(
        "push", "what a push would then send", columns, [row[: len(columns)] for one in shown for row in _rows(one)]
    )
    left = [(one.segment, one.destination, *(step.left for step in one.waterfall)) for one in shown]
    yield output.Section("waterfall", "people left after each step", step_columns(WATERFALL, left), left)
    wide = (*DROPPED, *DROPPED_FURTHER) if is_json else DROPPED
    rows = [row[: len(wide)] for one in shown for row in _dropped(one, language, with_change=is_json)]
    if rows or is_json:
        yield output.Section("dropped", "who may not be told, and why", wide, rows)
    lasting = [(one.segment, one.destination, said) for one in shown for said in one.irreversible]
    if lasting or is_json:
        yield output.Section("irreversible", "what cannot be taken back", LASTING, lasting)


def _rows(one: AudiencePlan) -> Iterable[tuple[Any, ...]]:
    left = {step.name: step.left for step in one.waterfall}
    yield (
        one.segment, one.destination, left["members"], left["priority"], one.added, one.updated, one.removed,
        one.calls, one.minutes, one.withdrawn, one.mode, one.purpose, one.channel, one.refused, one.paused, one.digest,
    )  # fmt: skip
    if one.former is not None:
        nothing = (0, one.mode, one.purpose, one.channel, None, None, None)
        yield (one.former.name, one.destination, None, None, 0, 0, one.former.removed, one.former.calls, None, *nothing)


def _dropped(one: AudiencePlan, language: Language, *, with_change: bool) -> Iterable[tuple[Any, ...]]:
    for step in one.waterfall:
        if step.name != "change" or with_change:
            for reason, detail, said, count in counted_reasons(step, language):
                yield one.segment, one.destination, step.name, count, said, reason, detail
