"""Assignments of a push on record, before anybody is told: all arms alike, those that are told nothing too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

    from segctl.operations.audience.experiments import Decided
    from segctl.operations.push.work import Part
    from segctl.state.experiments import ExperimentRecord
    from segctl.state.workspace import Workspace


def write_down(
    workspace: Workspace,
    parts: Iterable[Part],
    seen: Mapping[str, ExperimentRecord],
    *,
    at: datetime,
    push: str | None,
) -> bool:
    """Write what the audiences decided that are told now; their people are exposed from this instant.

    An audience that a guard or a pause keeps from being told exposes nobody, neither the arms that are sent nothing.

    Args:
        workspace: Open.
        parts: Of a push, within guards.
        seen: Every `ExperimentRecord` as it was before the audiences were made.
        at: When the push began; aware.
        push: Its id; None when it has nothing to send.

    Returns:
        False when something has changed since, so that the audiences have to be made again; nothing was written.
    """
    told = [one for part in parts if part.tells and part.stopped is None for one in part.decided]
    if not told:
        return True
    return record_decided(workspace, told, seen, exposed=at, push=push)


def record_decided(
    workspace: Workspace,
    decided: Iterable[Decided],
    seen: Mapping[str, ExperimentRecord],
    *,
    exposed: datetime | None,
    push: str | None = None,
) -> bool:
    """Write assignments with their epochs, exposed or not; returns as `write_down`."""
    import polars as pl

    from segctl.state.assignments import record_assignments
    from segctl.state.experiments import add_epochs, records

    frames: dict[str, list[pl.DataFrame]] = {}
    epochs = {}
    for one in decided:
        frames.setdefault(one.name, []).append(one.rows)
        if one.epoch is not None:
            epochs[one.name] = one.epoch
    when = pl.lit(exposed).cast(pl.Datetime("us", "UTC")).alias("exposed_at")
    rows = {
        name: pl.concat(ones).unique("profile_id", keep="first", maintain_order=True)
        .with_columns(when, pl.lit(push, pl.String).alias("push"))
        for name, ones in frames.items()
    }  # fmt: skip
    return record_assignments(
        workspace,
        rows,
        within=add_epochs(epochs) if epochs else None,
        is_still_so=lambda: records(workspace) == dict(seen),
    )
