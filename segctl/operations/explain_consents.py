"""What `explain` says of one person's consents: when they change by themselves, and why nobody may be evaluated."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segctl.compile.consents import Consent
    from segctl.engines.base import EngineInput
    from segctl.operations.session import Session


def later_consents(
    session: Session,
    asked: Sequence[Consent],
    profile: int,
    subjects: Sequence[int],
    data: EngineInput,
    *,
    as_of: datetime,
    snapshot: int,
) -> list[tuple[datetime, dict[str, object]]]:
    """The instants ahead at which consents run out or begin if nothing else happens, with their values from then on.

    Args:
        session: Open project and workspace.
        asked: Purposes and channels.
        profile: Subject of the profile.
        subjects: All its identifiers.
        data: What was evaluated.
        as_of: The instant asked about.
        snapshot: What is known.
    """
    import polars as pl

    from segctl.operations.consent.gate import known_of
    from segctl.operations.consent.states import coming_changes, consent_columns

    mine = pl.Series("subject", sorted(subjects), dtype=pl.Int32)
    known = known_of(session, mine, data.canonical, snapshot=snapshot)
    person = pl.Series("subject", [profile], dtype=pl.Int32)
    found = []
    for at in coming_changes(session, asked, known, after=as_of):
        row = consent_columns(session, asked, person, known, as_of=at).drop("subject").row(0, named=True)
        found.append((at, row))
    return found


def why_outside(session: Session, subjects: Sequence[int], *, snapshot: int) -> str | None:
    """Why nobody may evaluate a person: ``objected_profiling``, ``restricted`` or ``erased``; None if they may."""
    import polars as pl

    from segctl.operations.consent.gate import known_of, outside
    from segctl.operations.consent.states import held_points
    from segctl.operations.gate import Gate, Use

    mine = pl.Series("subject", sorted(subjects), dtype=pl.Int32)
    if not outside(session, snapshot).is_in(mine.implode()).any():
        return None
    known = known_of(session, mine, None, snapshot=snapshot)
    points = [
        point
        for kind in known.points.kinds
        for point in held_points(known, kind, datetime.max.replace(tzinfo=UTC))["point"].drop_nulls().to_list()
    ]
    gate = Gate.open(session, now=datetime(1970, 1, 1, tzinfo=UTC), until=known.head, only=points)
    decisions = gate.decide([[point] for point in points], Use(None, ""))
    codes = [code for one in decisions for code in (one.suppression, one.consent)]
    order = ("erased", "restricted", "objected_profiling")
    return next((code for code in order if code in codes), "objected_profiling")
