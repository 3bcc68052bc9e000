"""A push as a result: one row per destination and segment, its waterfall, what was not accepted, and requests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from segctl.cli import output
from segctl.model.audience import STEPS

if TYPE_CHECKING:
    from segctl.cli.context import Context
    from segctl.model.project import Language
    from segctl.operations.push.result import Outcome, Pushed
    from segctl.operations.session import Session
    from segctl.state.deliveries import Failure

COLUMNS = (
    output.Column("destination"),
    output.Column("segment"),
    output.Column("status"),
    output.Column("added", type="integer"),
    output.Column("updated", type="integer"),
    output.Column("removed", type="integer"),
    output.Column("unchanged", type="integer", extra=True),
    output.Column("invalid", type="integer"),
    output.Column("rejected", type="integer"),
    output.Column("unknown", type="integer"),
    output.Column("calls", type="integer", extra=True),
    output.Column("seconds", type="number", digits=1, extra=True),
)
_WRONG = ("invalid", "rejected", "unknown")
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
    output.Column("people", type="integer"),
    output.Column("why"),
)
DROPPED_FURTHER = (output.Column("reason"), output.Column("detail"))
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
    columns, rows = _table([_row(one) for one in shown]) if is_table else ((*COLUMNS, *FURTHER), map(_long_row, shown))
    return output.Result(
        "segctl/push/1",
        columns,
        list(rows),
        noun="audiences",
        facts={
            "push": pushed.id or ("none (dry run)" if ctx.dry_run else "none (nothing to send)"),
            "environment": session.project.environment,
        },
        sections=tuple(
            _sections(pushed, shown, session.project.language, is_table=is_table, show_personal=show_personal)
        ),
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


def _row(one: Outcome) -> tuple[Any, ...]:
    names = ("added", "updated", "removed", "unchanged", *_WRONG, "calls")
    return (one.destination, one.segment, one.status, *(one.counts[name] for name in names), one.seconds)


def _long_row(one: Outcome) -> tuple[Any, ...]:
    count = one.counts
    more = ("waiting", "denied", "overtaken", "withdrawn", "held")
    return (*_row(one), *(count[name] for name in more), one.stuck, count["before"], one.mode, one.purpose, one.reason)


def _table(rows: Sequence[tuple[Any, ...]]) -> tuple[tuple[output.Column, ...], list[tuple[Any, ...]]]:
    """Columns and rows without the counts of what went wrong, where nothing did."""
    kept = [i for i, column in enumerate(COLUMNS) if column.name not in _WRONG or any(row[i] for row in rows)]
    return tuple(COLUMNS[i] for i in kept), [tuple(row[i] for i in kept) for row in rows]


def step_columns(columns: Sequence[output.Column], rows: Sequence[Sequence[Any]]) -> tuple[output.Column, ...]:
    """The columns of a waterfall: steps at which nobody falls out give way on narrow terminals."""
    first = next(i for i, column in enumerate(columns) if column.name == STEPS[0])
    is_quiet = [i > first and all(row[i] == row[i - 1] for row in rows) for i in range(len(columns))]
    return tuple(replace(column, extra=quiet) for column, quiet in zip(columns, is_quiet, strict=True))


def _sections(
    pushed: Pushed, shown: Sequence[Outcome], language: Language, *, is_table: bool, show_personal: bool
) -> Iterable[output.Section]:
    with_steps = [one for one in shown if one.waterfall]
    if with_steps:
        rows = [(one.destination, one.segment, *_left(one)) for one in with_steps]
        yield output.Section("waterfall", "People left after each step", step_columns(WATERFALL, rows), rows)
        out = [row for one in with_steps for row in _dropped(one, language)]
        if out:
            wide = DROPPED if is_table else (*DROPPED, *DROPPED_FURTHER)
            yield output.Section("dropped", "Who may not be told, and why", wide, [row[: len(wide)] for row in out])
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
        if rows:
            yield output.Section("examples", "The first of them", columns, rows)


def _dropped(one: Outcome, language: Language) -> Iterable[tuple[Any, ...]]:
    from segctl.operations.audience.words import counted_reasons

    for step in one.waterfall:
        if step.name not in ("accepted", "change"):
            for reason, detail, said, people in counted_reasons(step, language):
                if people:
                    yield one.destination, one.segment, step.name, people, said, reason, detail


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
