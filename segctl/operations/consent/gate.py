"""The gate before evaluation: who objects to profiling is not there, and the consents that segments ask for.

Who objects to profiling, is restricted or erased belongs to no population: neither traits nor memberships are computed
of them, and nothing counts them. It does not depend on the instant asked about, only on what is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

    from segctl.compile.plan import Plan
    from segctl.engines.profiles import RecordFile
    from segctl.operations.consent.points import ContactPoints
    from segctl.operations.consent.states import Known
    from segctl.operations.evaluation import StoredRows
    from segctl.operations.session import Session


def with_consents(
    session: Session,
    profiles: pl.DataFrame,
    asking: Plan,
    records: Sequence[RecordFile],
    owners: pl.Series | None,
    *,
    as_of: datetime,
    snapshot: int,
    stored: StoredRows,
) -> pl.DataFrame:
    """The profiles that may be evaluated, with the consents that are asked for.

    Args:
        session: Open project and workspace.
        profiles: As the records tell them.
        asking: What is evaluated.
        records: Files that are evaluated.
        owners: Subject → subject of its profile; None when each is its own.
        as_of: The instant asked about.
        snapshot: Whose identifiers and ledger are known.
        stored: What is given instead.
    """
    import polars as pl

    out = outside(session, snapshot) if stored.outside is None else stored.outside
    if len(out):
        gone = out if owners is None else owners.gather(out).unique()
        profiles = profiles.filter(~pl.col("subject").is_in(gone.implode()))
    if not asking.consents:
        return profiles
    from segctl.operations.consent.states import consent_columns

    known = known_consents(session, records, owners, snapshot=snapshot, stored=stored)
    columns = consent_columns(
        session, asking.consents, profiles["subject"], known, as_of=as_of, aged=asking.consent_ages
    )
    return profiles.hstack(columns.drop("subject").get_columns())


def known_consents(
    session: Session, records: Sequence[RecordFile], owners: pl.Series | None, *, snapshot: int, stored: StoredRows
) -> Known:
    """What an evaluation knows of consents; for the arguments see `with_consents`."""
    from segctl.operations.consent.states import Known
    from segctl.state.consents import head_at

    head = head_at(session.workspace, snapshot if stored.ledger is None else stored.ledger)
    return Known(contact_points(session, snapshot), records, owners, stored.subjects, head)


def outside(session: Session, snapshot: int, *, ledger: int | None = None) -> pl.Series:
    """Subjects (raw, ascending) that nothing is evaluated for, whatever the instant; almost always nobody.

    Args:
        session: Open project and workspace.
        snapshot: Whose contact points are known.
        ledger: Snapshot whose consents are known; the same by default.
    """
    import polars as pl

    from segctl.state import consents

    workspace = session.workspace
    head = consents.head_at(workspace, snapshot if ledger is None else ledger)
    if not consents.outside(workspace, until=head):
        return pl.Series("subject", [], dtype=pl.Int32)
    from segctl.operations.consent import states as consent_states
    from segctl.operations.evaluation import record_files

    return consent_states.outside(contact_points(session, snapshot), record_files(workspace, snapshot), head)


def concerned(session: Session, snapshot: int, since: int) -> pl.Series:
    """Subjects (raw, ascending) that the ledger says something new about since another snapshot."""
    import polars as pl

    from segctl.state.consents import head_at

    workspace = session.workspace
    before, after = head_at(workspace, since), head_at(workspace, snapshot)
    if before == after:
        return pl.Series("subject", [], dtype=pl.Int32)
    from segctl.operations.consent import states as consent_states
    from segctl.operations.evaluation import record_files

    return consent_states.concerned(contact_points(session, snapshot), record_files(workspace, snapshot), before, after)


def known_of(session: Session, subjects: pl.Series, owners: pl.Series | None, *, snapshot: int) -> Known:
    """What a snapshot knows of the consents of a few people.

    Args:
        session: Open project and workspace.
        subjects: All their identifiers, ascending.
        owners: Subject → subject of its profile.
        snapshot: Whose files and ledger are known.
    """
    from segctl.operations.consent.states import Known
    from segctl.operations.evaluation import record_files
    from segctl.state.consents import head_at

    records = record_files(session.workspace, snapshot)
    head = head_at(session.workspace, snapshot)
    return Known(contact_points(session, snapshot), records, owners, subjects, head)


def contact_points(session: Session, snapshot: int) -> ContactPoints:
    """The contact points that a snapshot knows, under the keys of the ledger."""
    from segctl.operations.consent.keys import keyring
    from segctl.operations.consent.points import ContactPoints

    return ContactPoints(session, keyring(session.project, session.workspace), snapshot)
