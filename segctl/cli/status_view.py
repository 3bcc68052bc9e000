"""`status` as a result: facts, one row per destination, and what to do next."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from segctl.cli import output

if TYPE_CHECKING:
    from datetime import datetime

    from segctl.cli.context import Context
    from segctl.operations.session import Session
    from segctl.operations.status import DestinationStatus, Status
    from segctl.operations.status_live import CollectorStatus, WorkflowsStatus
    from segctl.operations.stream.status import StreamStatus

COLUMNS = (
    output.Column("destination"),
    output.Column("status"),
    output.Column("pushed_at", "last push"),
    output.Column("people", type="integer"),
    output.Column("failed", type="integer"),
    output.Column("removals_waiting", "to remove", type="integer"),
    output.Column("behind"),
)
FURTHER = (
    output.Column("push"),
    output.Column("behind_s", type="number"),
    output.Column("audiences", type="integer"),
    output.Column("invalid", type="integer"),
    output.Column("rejected", type="integer"),
    output.Column("unknown", type="integer"),
    output.Column("waiting_since"),
    output.Column("withdrawals", type="integer"),
    output.Column("withdrawal_p50_s", type="number"),
    output.Column("withdrawal_p95_s", type="number"),
    output.Column("withdrawal_max_s", type="number"),
    output.Column("reason"),
    output.Column("paused"),
)
WITHDRAWALS = (
    output.Column("destination"),
    output.Column("withdrawals", type="integer"),
    output.Column("p50"),
    output.Column("p95"),
    output.Column("max"),
)
STEPS = (output.Column("command"), output.Column("why"))
SEGMENTS = (output.Column("segment"), output.Column("why"))
_MOST_PAUSED = 5


def result(ctx: Context, session: Session, found: Status) -> output.Result:
    """Everything on one screen; whole as JSON."""
    is_table = ctx.format == "table"
    rows = [_row(session, one, is_table=is_table) for one in found.destinations]
    return output.Result(
        "segctl/status/1",
        COLUMNS if is_table else (*COLUMNS, *FURTHER),
        rows,
        noun="destinations",
        facts=_facts(session, found),
        sections=tuple(_sections(found, is_table=is_table)),
        run={"at": found.now},
        document={
            "members": dict(found.members),
            "delivered": [
                {"destination": to, "segment": name, "people": people}
                for (to, name), people in sorted(found.delivered.items())
            ],
            "stream": None if found.stream is None else found.stream.document,
            "workflows": None if found.workflows is None else found.workflows.document,
            "collector": None if found.collector is None else found.collector.document,
        },
        is_report=True,
    )


def duration_words(seconds: float) -> str:
    """``40 s``, ``12 min``, ``3 h`` or ``2 days``; below a second with a digit."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    for unit, length in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def _facts(session: Session, found: Status) -> dict[str, Any]:
    run = found.run
    facts: dict[str, Any] = {"environment": session.project.environment}
    if run is None:
        return {**facts, "last_run": "none"}
    ago = duration_words(max(0.0, (found.now - run.finished).total_seconds()))
    facts["last_run"] = f"{run.id}, {run.status.value}, {ago} ago"
    facts["segments"] = f"{len(found.members):,} in force"
    if found.failed_segments:
        facts["segments"] += f", {len(found.failed_segments):,} kept their members at the last run"
    if found.everything_paused:
        facts["paused"] = f"everything: {found.everything_paused}"
    elif found.paused:
        names = list(found.paused)
        more = f" and {len(names) - _MOST_PAUSED} more" if len(names) > _MOST_PAUSED else ""
        facts["paused"] = ", ".join(names[:_MOST_PAUSED]) + more
    if found.stream is not None:
        facts["stream"] = _stream_words(found.stream, found.now)
    if found.workflows is not None:
        facts["workflows"] = _workflow_words(found.workflows, found.now)
    if found.collector is not None:
        facts["collector"] = _collector_words(found.collector, found.now)
    return facts


def _workflow_words(one: WorkflowsStatus, now: datetime) -> str:
    if one.at is None:
        return "none was run yet: `segctl workflow run`"
    words = [f"{one.running:,} running"]
    words += [f"{one.stopped:,} paused"] if one.stopped else []
    words.append(f"{one.waiting:,} people on the way")
    words += [f"{one.troubled:,} tried again"] if one.troubled else []
    words += [f"{one.unknown:,} effects unknown"] if one.unknown else []
    return f"{', '.join(words)}, looked at {_ago(one.at, now)} ago"


def _collector_words(one: CollectorStatus, now: datetime) -> str:
    state = "running" if one.is_running else "stopped"
    if one.at is None:
        return f"{state}, nothing has come yet"
    return f"{state}, {one.bytes / 1e6:,.1f} MB kept, last written {_ago(one.at, now)} ago"


def _ago(at: datetime, now: datetime) -> str:
    return duration_words(max(0.0, (now - at).total_seconds()))


def _stream_words(stream: StreamStatus, now: datetime) -> str:
    ago = _ago(stream.at, now)
    if not stream.is_running:
        left = f", and {stream.waiting_lines:,} lines wait for its next start" if stream.waiting_lines else ""
        return f"stopped {ago} ago after change {stream.changes:,}{left}"
    return (
        f"running, {stream.lines_per_s:,.0f} lines/s, p50 {stream.p50_ms:,.0f} ms, p99 {stream.p99_ms:,.0f} ms,"
        f" {stream.changes:,} changes"
    )


def _row(session: Session, one: DestinationStatus, *, is_table: bool) -> tuple[Any, ...]:
    at = None if one.at is None else session.local(one.at)
    word = f"{one.status}, paused" if is_table and one.paused and one.status != "paused" else one.status
    behind = duration_words(one.behind_s) if one.behind_s else None
    shown = at.strftime("%Y-%m-%d %H:%M") if is_table and at is not None else at
    row = (one.destination, word, shown, one.people, one.failed, one.removals_waiting, behind)
    if is_table:
        return row
    w = one.withdrawals
    times = (0, None, None, None) if w is None else (w.count, *(round(s, 3) for s in (w.p50, w.p95, w.most)))
    return (
        *row, one.push, round(one.behind_s, 3), one.audiences, one.invalid, one.rejected, one.unknown,
        one.waiting_since, *times, one.reason, one.paused,
    )  # fmt: skip


def _sections(found: Status, *, is_table: bool) -> Iterable[output.Section]:
    timed = [
        (one.destination, w.count, *(duration_words(s) for s in (w.p50, w.p95, w.most)))
        for one in found.destinations if (w := one.withdrawals) is not None
    ]  # fmt: skip
    if timed and is_table:
        yield output.Section("withdrawals", "from a withdrawal to its acknowledged removal", WITHDRAWALS, timed)
    if found.failed_segments or not is_table:
        rows = sorted(found.failed_segments.items())
        yield output.Section("failed_segments", "kept their members at the last run", SEGMENTS, rows)
    if not is_table:
        paused = sorted(found.paused.items())
        yield output.Section("paused", "paused", SEGMENTS, paused)
    if found.next_steps or not is_table:
        yield output.Section("next", "next", STEPS, list(found.next_steps))
