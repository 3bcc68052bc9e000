"""Pushes as events: whoever was put into an audience was `contacted`, and segments and caps can say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segctl.model.contacted import CONTACTED, CONTACTED_SOURCE, PROPERTIES
from segctl.model.types import TEXT, stored_column

if TYPE_CHECKING:
    import polars as pl

    from segctl.state.workspace import Workspace

COMMIT = "contacted"
_LOCK = "contacted"


def record(workspace: Workspace) -> int:
    """Write an event for every addition that a destination has accepted and that is no event yet.

    Called after each audience of a push, and before anything that reads events: what a crash left behind comes then.
    The event's id is made of push, audience and row, so it is the same however often it is tried.

    Returns:
        Events written.
    """
    from segctl.operations.ingest.events import write_events
    from segctl.state.contacts import contacts_due, has_contacts_due, no_longer_due

    written = _record_of_workflows(workspace)
    if not has_contacts_due(workspace):
        return written
    with workspace.moment(_LOCK):
        due = contacts_due(workspace)
        if due.is_empty():
            return written
        events = _events(workspace, due)
        files = [write_events(workspace, events)] if events.height else []
        last = int(due["id"].max())  # type: ignore[arg-type]  # whole numbers, and there are some
        workspace.commit(COMMIT, add=files, within=no_longer_due(last), note={"events": events.height})
    return written + events.height


def _record_of_workflows(workspace: Workspace) -> int:
    """Likewise for what workflows did; an effect of which nobody knows whether it happened counts."""
    from segctl.operations.ingest.events import write_events
    from segctl.state.workflows_contacts import are_events, has_workflow_contacts, workflow_contacts

    if not has_workflow_contacts(workspace):
        return 0
    import polars as pl

    with workspace.moment(_LOCK):
        due = workflow_contacts(workspace)
        if due.is_empty():
            return 0
        properties = {stored_column(name, TEXT): pl.col(name) for name in PROPERTIES}
        events = due.select(
            "subject",
            pl.col("at").cast(pl.Datetime("us", "UTC")).alias("ts"),
            pl.lit(CONTACTED_SOURCE).alias("source"),
            pl.concat_str(pl.lit("workflow."), "key").alias("event_id"),
            pl.lit(CONTACTED).alias("kind"),
            pl.lit(None, pl.Int32).alias("file_id"),
            pl.lit(None, pl.Int64).alias("line"),
            **properties,
        )
        files, keys = [write_events(workspace, events)], due["key"].to_list()
        workspace.commit(COMMIT, add=files, within=are_events(keys), note={"events": events.height})
    return events.height


def _events(workspace: Workspace, due: pl.DataFrame) -> pl.DataFrame:
    """The rows of an event file; who is not known any more has none."""
    import polars as pl

    from segctl.state.subjects import Subjects

    wanted = due.select(pl.col("profile").alias("profile_id")).unique()
    subjects = (
        Subjects(workspace).table().select("profile_id", "subject").join(wanted.lazy(), on="profile_id").collect()
    )
    found = due.join(subjects, left_on="profile", right_on="profile_id", maintain_order="left")
    properties = {stored_column(name, TEXT): pl.col(name) for name in PROPERTIES}
    return found.select(
        "subject",
        pl.col("at").str.to_datetime("%+", time_unit="us", time_zone="UTC").alias("ts"),
        pl.lit(CONTACTED_SOURCE).alias("source"),
        pl.concat_str("push", pl.col("audience").cast(pl.String), "key", separator=".").alias("event_id"),
        pl.lit(CONTACTED).alias("kind"),
        pl.lit(None, pl.Int32).alias("file_id"),
        pl.lit(None, pl.Int64).alias("line"),
        **properties,
    ).unique("event_id", keep="first", maintain_order=True)
