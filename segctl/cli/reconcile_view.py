"""`reconcile` as a result: one row per audience, and the people in question by profile id."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from segctl.cli import output
from segctl.model.exits import ExitCode

if TYPE_CHECKING:
    from segctl.cli.context import Context
    from segctl.operations.reconcile import Compared, Drift

COLUMNS = (
    output.Column("segment"),
    output.Column("state"),
    output.Column("ledger", type="integer"),
    output.Column("there", type="integer"),
    output.Column("missing", type="integer"),
    output.Column("foreign", type="integer"),
    output.Column("open", type="integer"),
    output.Column("repair"),
)
FURTHER = (output.Column("remote"), output.Column("by_workflow", type="boolean"))
MISSING = (output.Column("segment"), output.Column("profile_id"), output.Column("key"))
UNKNOWN = (output.Column("id"), output.Column("name"), output.Column("size", type="integer"))


def result(ctx: Context, compared: Compared, *, remove_foreign: bool, exit_code: ExitCode) -> output.Result:
    """What was found; as ids, the profiles that are missing."""
    if ctx.format == "ids":
        rows = [(m.profile_id,) for one in compared.audiences for m in one.missing if m.profile_id is not None]
        return output.Result("segctl/reconcile-missing/1", MISSING[1:2], rows, noun="profiles",
                             ids_column="profile_id", exit=exit_code)  # fmt: skip
    is_table = ctx.format == "table"
    columns = COLUMNS if is_table else (*COLUMNS, *FURTHER)
    return output.Result(
        "segctl/reconcile/1",
        columns,
        [_row(one, remove_foreign=remove_foreign)[: len(columns)] for one in compared.audiences],
        noun="audiences",
        facts={"destination": compared.destination},
        sections=tuple(_sections(compared, is_table=is_table)),
        run={"at": ctx.now, "dry_run": ctx.dry_run},
        is_report=True,
        exit=exit_code,
        reason="drift" if compared.has_drift else None,
    )


def with_repair(pushed: output.Result, compared: Compared) -> output.Result:
    """The result of the repairing push, with what was found before."""
    rows = [_row(one, remove_foreign=False)[: len(COLUMNS) - 1] for one in compared.audiences if one.has_drift]
    drift = output.Section("drift", "found before the repair", COLUMNS[:-1], rows)
    return replace(pushed, schema="segctl/reconcile-repair/1", sections=(drift, *pushed.sections))


def repair_words(one: Drift, *, remove_foreign: bool) -> str:
    """What the repair would do for an audience."""
    if one.state == "ok":
        return ""
    if one.by_workflow:
        return "look there: workflows tell each person once"
    if one.state == "orphaned":
        ours = one.ledger + one.open
        words = [f"take {ours:,} out"] if ours or not one.foreign else []
    else:
        words = [f"tell {len(one.missing):,} again, if they may be told"] if one.missing else []
    if one.foreign:
        words.append(f"take {len(one.foreign):,} out" if remove_foreign else f"leave {len(one.foreign):,} foreign")
    return ", ".join(words) or "make it anew"


def _row(one: Drift, *, remove_foreign: bool) -> tuple[Any, ...]:
    counts = (one.ledger, one.there, len(one.missing), len(one.foreign), one.open)
    return (
        one.segment,
        one.state,
        *counts,
        repair_words(one, remove_foreign=remove_foreign),
        one.remote,
        one.by_workflow,
    )


def _sections(compared: Compared, *, is_table: bool) -> list[output.Section]:
    found = []
    if not is_table:
        rows = [(one.segment, m.profile_id, m.key) for one in compared.audiences for m in one.missing]
        found.append(output.Section("missing", "accepted once, and not there", MISSING, rows))
    if compared.unknown or not is_table:
        found.append(
            output.Section(
                "unknown", "audiences there that neither a push nor a workflow made", UNKNOWN, list(compared.unknown)
            )
        )
    return found
