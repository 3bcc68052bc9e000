"""The newest events of people, as templates see them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from segctl.model.content import ContentTemplate, RecentEvents
from segctl.model.types import ValueType, stored_column
from segctl.operations.dictionary import shown

if TYPE_CHECKING:
    import polars as pl

    from segctl.operations.session import Session


def events_of(
    session: Session,
    template: ContentTemplate,
    names: frozenset[str],
    people: Sequence[int],
    *,
    as_of: datetime,
    snapshot: int,
) -> dict[int, dict[str, Any]]:
    """Subject of a profile → the lists of events that the template asks for, and its `event`.

    `event` is the newest of the template's trigger, for those who set it off without one, as a segment does.
    """
    asked = [one for one in template.recent if one.name in names]
    if template.trigger is not None and "event" in names:
        asked.append(RecentEvents("event", template.trigger, at_most=1))
    if not asked:
        return {}
    kinds = {one.event for one in asked} | {one.after for one in asked if one.after}
    rows = {kind: kind_rows(session, kind, people, as_of=as_of, snapshot=snapshot) for kind in sorted(kinds)}
    found: dict[int, dict[str, Any]] = {subject: {} for subject in people}
    for one in asked:
        chosen = _chosen(rows[one.event], rows.get(one.after or ""), one, session)
        for subject in people:
            own = chosen.get(subject, [])
            found[subject][one.name] = (own[0] if own else None) if one.name == "event" else own
    return found


def kind_rows(
    session: Session,
    kind: str,
    people: Sequence[int] | None,
    *,
    as_of: datetime,
    snapshot: int,
    since: datetime | None = None,
    only: Collection[str] | None = None,
) -> pl.DataFrame:
    """Events of one kind up to as_of: the subject of the profile, ``ts``, and every declared property, in event order.

    Args:
        session: Open project and workspace.
        kind: Of the events.
        people: Subjects of profiles; None for everybody.
        as_of: Later events are left out.
        snapshot: Which files are seen.
        since: Earlier events are left out.
        only: Properties wanted; None for all.
    """
    import polars as pl

    from segctl.state.identity import canonical

    declared = session.project.event(kind)
    columns = [
        stored_column(name, of)
        for name, of in (() if declared is None else declared.properties)
        if only is None or name in only
    ]
    owners = canonical(session.workspace, snapshot)
    parts = [pl.DataFrame(schema={"subject": pl.Int32, "ts": pl.Datetime("us", "UTC"), "source": pl.String,
                                  "event_id": pl.String})]  # fmt: skip
    wanted = None
    if people is not None:
        of = pl.Series(list(people), dtype=pl.Int32)
        wanted = of if owners is None else owners.is_in(of.implode()).arg_true().cast(pl.Int32)
    for file in session.workspace.files("events", snapshot):
        if kind not in file.meta["kinds"]:
            continue
        rows = pl.scan_parquet(file.path).filter(pl.col("ts") <= as_of)
        if since is not None:
            rows = rows.filter(pl.col("ts") > since)
        if len(file.meta["kinds"]) > 1:
            rows = rows.filter(pl.col("kind") == kind)
        if wanted is not None:
            rows = rows.filter(pl.col("subject").is_in(wanted.implode()))
        there = [column for column in columns if column in file.meta["columns"]]
        parts.append(rows.select("subject", "ts", "source", "event_id", *there).collect())
    found = pl.concat(parts, how="diagonal_relaxed")
    if owners is not None and found.height:
        found = found.with_columns(subject=owners.gather(found["subject"]))
    lacking = [pl.lit(None).alias(column) for column in columns if column not in found.columns]
    return found.with_columns(lacking).sort("subject", "ts", "source", "event_id", maintain_order=True)


def _chosen(
    rows: pl.DataFrame, ends: pl.DataFrame | None, one: RecentEvents, session: Session
) -> dict[int, list[dict[str, Any]]]:
    """The newest events of everybody, newest first."""
    import polars as pl

    if ends is not None and ends.height:
        last = ends.group_by("subject").agg(end=pl.col("ts").max())
        rows = rows.join(last, on="subject", how="left").filter(
            pl.col("end").is_null() | (pl.col("ts") > pl.col("end"))
        )
    rows = rows.reverse()
    declared = session.project.event(one.event)
    properties = () if declared is None else declared.properties
    types = dict(properties)
    if one.per is not None and one.per in types:
        key = stored_column(one.per, types[one.per])
        rows = rows.unique(["subject", key], keep="first", maintain_order=True)
    rows = rows.group_by("subject", maintain_order=True).head(one.at_most)
    zone = ZoneInfo(session.project.timezone)
    found: dict[int, list[dict[str, Any]]] = {}
    for row in rows.iter_rows(named=True):
        values = {name: natural(row[stored_column(name, of)], of) for name, of in properties}
        found.setdefault(row["subject"], []).append(values | {"time": row["ts"].astimezone(zone)})
    return found


def natural(value: Any, of: ValueType) -> Any:  # noqa: ANN401 - a value of any declared type
    """A stored property as templates see it."""
    from segctl.content.values import Amount, clean

    told = clean(shown(value, of))
    if of.is_numeric and told is not None and (of.unit is not None or of.scale):
        return Amount.of(Decimal(str(told)), of.unit)
    return told
