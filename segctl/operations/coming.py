"""What of profiles changes by itself beside windows and events: records, rows of tables, consents, ends of segments.

Engines ask for it where they are asked for next changes; `engines/next_change.py` knows all that windows and events do.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from segctl.compile.moving_bounds import moving_bounds
from segctl.compile.zones import to_us
from segctl.model.times import OlderThan

if TYPE_CHECKING:
    import polars as pl

    from segctl.compile.plan import Plan
    from segctl.engines.profiles import RecordFile
    from segctl.model.times import Duration
    from segctl.operations.consent.states import Known
    from segctl.operations.evaluation import StoredRows
    from segctl.operations.session import Session


def coming(
    session: Session,
    asking: Plan,
    records: Sequence[RecordFile],
    owners: pl.Series | None,
    profiles: pl.Series,
    *,
    as_of: datetime,
    snapshot: int,
    stored: StoredRows,
) -> pl.DataFrame:
    """``subject`` (of profiles, also of those that come to be), ``due`` (microseconds after as_of): the first instant.

    Args:
        session: Open project and workspace.
        asking: What is evaluated.
        records: Files of record versions.
        owners: Subject → subject of its profile; None when each is its own.
        profiles: Subjects of the profiles that are there.
        as_of: The instant asked about.
        snapshot: Whose files and consents are known.
        stored: What is given instead.
    """
    import polars as pl

    from segctl.engines.next_change_records import Ahead
    from segctl.operations.consent.gate import known_consents
    from segctl.operations.evaluation import row_files

    tables = snapshot if stored.tables is None else stored.tables
    ahead = Ahead(owners, as_of)
    found = [ahead.records(records)]
    found += [ahead.rows(row_files(session.workspace, table, tables)) for table in asking.tables]
    if asking.consents:
        known = known_consents(session, records, owners, snapshot=snapshot, stored=stored)
        found.append(_consents(session, asking, profiles, known, as_of))
    found.append(_ends(session, asking, profiles, as_of))
    return pl.concat(found).group_by("subject").agg(pl.col("due").min())


def _ends(session: Session, asking: Plan, profiles: pl.Series, as_of: datetime) -> pl.DataFrame:
    """The first end of a segment after as_of, for everybody."""
    import polars as pl

    from segctl.operations.expiry import expired_at

    segments, zone = session.definitions.segments, session.project.timezone
    ends = [expired_at(segments[one.name], zone) for one in asking.segments if one.name in segments]
    first = min((to_us(at) for at in ends if at is not None and at > as_of), default=None)
    subjects = profiles.cast(pl.Int32).alias("subject").to_frame()
    return (subjects if first is not None else subjects.clear()).with_columns(pl.lit(first, pl.Int64).alias("due"))


def _consents(session: Session, asking: Plan, profiles: pl.Series, known: Known, as_of: datetime) -> pl.DataFrame:
    """The next instant at which a row of the ledger about a profile's contact points begins, ends or grows stale."""
    import polars as pl

    from segctl.operations.consent.states import OfKind

    purposes = {purpose.name: purpose for purpose in session.project.purposes}
    rules = session.project.consent
    stale = {p.stale_after or rules.stale_after for name, _ in asking.consents if (p := purposes.get(name)) is not None}
    lengths = [rules.confirm_within, *(length for length in stale if length is not None)]
    of_kind = OfKind(session, profiles, known, as_of)
    parts = [pl.DataFrame(schema={"subject": pl.Int32, "due": pl.Int64})]
    for kind in known.points.kinds if known.head else ():
        held = of_kind.held(kind).drop_nulls("point")
        rows = of_kind.rows(held["point"].unique())
        due = first_of(rows, lengths, session.project.timezone, as_of)
        parts.append(held.join(due, on="point").select("subject", "due"))
    return pl.concat(parts)


def first_of(rows: pl.DataFrame, lengths: Sequence[Duration], zone: str, as_of: datetime) -> pl.DataFrame:
    """``point``, ``due``: the first instant after as_of at which one of a point's rows begins, ends or grows stale.

    Args:
        rows: Of the ledger: ``point``, ``at``, ``expires``, in microseconds.
        lengths: After which a row no longer counts.
        zone: The project's.
        as_of: The instant asked about.
    """
    import numpy as np
    import polars as pl

    from segctl.engines.next_change_times import next_midnight, passings

    now, at, expires = to_us(as_of), rows["at"].to_numpy(), rows["expires"].to_numpy()
    never = np.iinfo(np.int64).max
    instants = [np.where(at > now, at, never), np.where(expires > now, expires, never)]
    for length in lengths:
        bound = moving_bounds(OlderThan(length))[1]
        if bound is not None:
            instants.append(np.where(at <= now, passings(bound, at, now, zone), never))
            # Between a request and its confirmation lies a length that the calendar changes.
            instants += [] if bound.is_even else [np.full(len(at), next_midnight(now, zone))]
    due = rows.select("point").with_columns(pl.Series("due", np.minimum.reduce(instants), dtype=pl.Int64))
    return due.group_by("point").agg(pl.col("due").min())
