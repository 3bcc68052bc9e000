"""A push as a result: one row per destination and segment, its waterfall, what was not accepted, and requests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from segctl.cli import output
from segctl.model.audience import STEPS

if TYPE_CHECKING:
    from segctl.cli.context import Context
    from segctl.operations.push_result import Outcome, Pushed
    from segctl.operations.session import Session
    from segctl.state.deliveries import Failure

COLUMNS = (
    output.Column("destination"),
    output.Column("segment"),
    output.Column("status"),
    output.Column("added", type="integer"),
    output.Column("updated", type="integer"),
    output.Column("removed", type="integer"),
    output.Column("unchanged", type="integer"),
    output.Column("invalid", type="integer"),
    output.Column("rejected", type="integer"),
    output.Column("unknown", type="integer"),
    output.Column("calls", type="integer"),
    output.Column("seconds", type="number", digits=1),
)
FURTHER = (
    *(output.Column(name, type="integer", extra=True)
      for name in ("waiting", "denied", "overtaken", "withdrawn", "held", "stuck", "before")),
    output.Column("mode", extra=True),
    output.Column("purpose", extra=True),
    output.Column("reason", extra=True),
)  # fmt: skip
WATERFALL = (
    output.Column("destination"),
    output.Column("segment"),
    *(output.Column(step, type="integer") for step in STEPS),
)
DROPPED = (
    output.Column("destination"),
    output.Column("segment"),
    output.Column("step"),
    output.Column("reason"),
    output.Column("people", type="integer"),
)
NOT_ACCEPTED = (
    output.Column("destination"),
    output.Column("segment"),
    output.Column("reason"),
    output.Column("rows", type="integer"),
)
REQUESTS = (
    output.Column("destination"),
    output.Column("calls", type="integer"),
    output.Column("rows", type="integer"),
    output.Column("minutes", type="number", digits=2),
)
EXAMPLES = (
    output.Column("destination"),
    output.Column("request"),
    output.Column("rows", type="integer"),
    output.Column("body"),
)
FAILURES = (
    output.Column("destination"),
    output.Column("segment"),
    output.Column("profile_id"),
    output.Column("action"),
    output.Column("state"),
    output.Column("reason"),
    output.Column("code"),
    output.Column("tries", type="integer"),
    output.Column("first_at", type="text"),
    output.Column("last_at", type="text"),
    output.Column("key", extra=True),
)


def result(ctx: Context, session: Session, pushed: Pushed, *, show_personal: bool) -> output.Result:
    """The result of a push or of a dry run."""
    is_table = ctx.format == "table"
    shown = [one for one in pushed.outcomes if not is_table or _is_shown(one)]
    return output.Result(
        "segctl/push/1",
        COLUMNS if is_table else (*COLUMNS, *FURTHER),
        [_row(one, further=not is_table) for one in shown],
        noun="audiences",
        facts={
            "push": pushed.id or ("none (dry run)" if ctx.dry_run else "none (nothing to send)"),
            "environment": session.project.environment,
        },
        sections=tuple(_sections(pushed, shown, show_personal=show_personal)),
        run={"id": pushed.id, "at": ctx.now, "dry_run": ctx.dry_run, "seconds": pushed.seconds},
        document={"errors": {name: {"code": error.code, "message": error.message}
                             for name, error in sorted(pushed.errors.items())},
                  "unevaluated": list(pushed.unevaluated), "notes": list(pushed.notes)},
        is_report=True,
        exit=pushed.exit,
        reason=_reason(pushed),
    )  # fmt: skip


def failures(ctx: Context, found: Sequence[Failure]) -> output.Result:
    """Rows that were not accepted, for `--preview`."""
    rows: list[tuple[Any, ...]] = [
        (
            f.destination,
            f.segment,
            f.profile,
            f.action,
            f.state,
            f.reason,
            f.code,
            f.tries,
            f.first_at,
            f.last_at,
            f.key,
        )
        for f in found
    ]
    columns = FAILURES[:-1] if ctx.format == "table" else FAILURES
    shown = [row[: len(columns)] for row in rows]
    return output.Result("segctl/push-failures/1", columns, shown, noun="rows", run={"at": ctx.now})


def _is_shown(one: Outcome) -> bool:
    """An audience of another segment is worth a row only when somebody was taken out of it."""
    return bool(one.waterfall) or any(one.counts[name] for name in ("removed", "waiting", "calls")) or bool(one.stuck)


def _row(one: Outcome, *, further: bool) -> tuple[Any, ...]:
    count = one.counts
    names = ("added", "updated", "removed", "unchanged", "invalid", "rejected", "unknown", "calls")
    row = (one.destination, one.segment, one.status, *(count[name] for name in names), one.seconds)
    if not further:
        return row
    more = ("waiting", "denied", "overtaken", "withdrawn", "held")
    return (*row, *(count[name] for name in more), one.stuck, count["before"], one.mode, one.purpose, one.reason)


def _sections(pushed: Pushed, shown: Sequence[Outcome], *, show_personal: bool) -> Iterable[output.Section]:
    with_steps = [one for one in shown if one.waterfall]
    if with_steps:
        rows = [(one.destination, one.segment, *_left(one)) for one in with_steps]
        yield output.Section("waterfall", "People left after each step", WATERFALL, rows)
        out = [
            (one.destination, one.segment, step.name, reason, people)
            for one in with_steps for step in one.waterfall for reason, people in sorted(step.reasons.items())
            if people and step.name not in ("accepted", "change")
        ]  # fmt: skip
        if out:
            yield output.Section("dropped", "Who may not be told, and why", DROPPED, out)
    reasons = [(one.destination, one.segment, why, rows) for one in shown for why, rows in one.reasons.items()]
    if reasons:
        yield output.Section("not_accepted", "Not accepted", NOT_ACCEPTED, reasons)
    if pushed.recordings:
        costs = [(one.destination, one.calls, one.rows, one.minutes) for one in pushed.recordings]
        yield output.Section("requests", "Requests that a push would make", REQUESTS, costs)
        examples = [
            (one.destination, what.what if show_personal else _bare(what.what), what.rows, what.body)
            for one in pushed.recordings for what in one.examples
        ]  # fmt: skip
        columns = EXAMPLES if show_personal else EXAMPLES[:-1]
        rows = [row if show_personal else row[:-1] for row in examples]
        yield output.Section("examples", "The first of them", columns, rows)


def _bare(what: str) -> str:
    """A request without its query, where people may be searched for by their addresses, and without these in a path."""
    parts = what.partition("?")[0].split("/")
    return "/".join("…" if "@" in part or "%40" in part else part for part in parts)


def _left(one: Outcome) -> list[int | None]:
    left = {step.name: step.left for step in one.waterfall}
    return [left.get(name) for name in STEPS]


def _reason(pushed: Pushed) -> str | None:
    found = {one.status for one in pushed.outcomes}
    return next((word for word in ("refused", "stopped", "partial") if word in found), None) if pushed.exit else None
