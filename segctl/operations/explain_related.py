"""The related rows and the colleagues that decided one person's answer."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from segctl.compile import ir
from segctl.compile.plan import Output, walk
from segctl.compile.trace_rows import NO_TIME, EventRow
from segctl.model.project import RELATED
from segctl.operations.evaluation import evaluate, table_rows

if TYPE_CHECKING:
    from segctl.engines.base import EngineInput
    from segctl.operations.session import Session

_LINEAGE = ("subject", "ts", "source", "event_id", "file_id", "line")


def related_rows(
    session: Session, tables: Iterable[str], data: EngineInput, subject: int, *, as_of: datetime, snapshot: int
) -> tuple[list[EventRow], dict[tuple[str, str], str]]:
    """The rows of a person in some tables at as_of, and the file and line of each by its source and key.

    ``ts`` of a row is from when its version holds, `NO_TIME` from the beginning.
    """
    import polars as pl

    from segctl.operations.profile import Places

    places, found, stood = Places(session), [], {}
    for table in tables:
        rows = table_rows(session, table, data.canonical, as_of=as_of, snapshot=snapshot, lineage=True)
        for row in rows.filter(pl.col("subject") == subject).sort("source", "event_id").iter_rows(named=True):
            values = {name: value for name, value in row.items() if name not in _LINEAGE and value is not None}
            found.append(EventRow(RELATED + table, row["ts"], row["source"], row["event_id"], values))
            place = places.name(row["file_id"], row["line"])
            if place is not None:
                stood[row["source"], row["event_id"]] = place
    return found, stood


def counted_colleagues(
    session: Session,
    segment: ir.LoweredSegment,
    data: EngineInput,
    subject: int,
    *,
    as_of: datetime,
    snapshot: int,
) -> dict[ir.Colleagues, tuple[EventRow, ...]]:
    """Who counts in each number of colleagues that a segment asks for, by profile id."""
    import polars as pl

    nodes = tuple(dict.fromkeys(node for node in walk(segment.where) if isinstance(node, ir.Colleagues)))
    if not nodes:
        return {}
    outputs = [Output(f"shared:{i}", node.shared) for i, node in enumerate(nodes)]
    outputs += [Output(f"met:{i}", node.where or ir.Constant(True)) for i, node in enumerate(nodes)]
    names = [part.segment for node in nodes for part in walk(node) if isinstance(part, ir.IsMember)]
    found = evaluate(session, names, as_of=as_of, snapshot=snapshot, outputs=outputs, data=data).frame
    frame = found.join(data.profiles.select("subject", "profile_id"), on="subject", how="left")
    own = frame.filter(pl.col("subject") == subject)
    counted = {}
    for i, node in enumerate(nodes):
        alike = frame.filter(pl.col(f"met:{i}") & (pl.col(f"shared:{i}") == own[f"shared:{i}"][0]))
        alike = alike.filter(pl.col("subject") != subject) if node.others_only else alike
        ids = sorted(alike["profile_id"])
        counted[node] = tuple(EventRow(f"{RELATED}colleagues", NO_TIME, "", one, {"profile_id": one}) for one in ids)
    return counted
