"""Where the ledger keeps an audience, also after its segment was renamed; whom the gate denies, who is held out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from segctl.model.destinations import Destination
    from segctl.operations.audience.audience import Audience
    from segctl.operations.session import Session
    from segctl.state.deliveries import LedgerAudience


def ledger_number(session: Session, destination: str, segment: str) -> int:
    """Number of an audience in the ledger; of a renamed segment that of its last name there. 0 when never pushed."""
    from segctl.state.deliveries import audience_number

    names = [segment, *reversed(former_names(session, segment))]
    return next((found for name in names if (found := audience_number(session.workspace, destination, name))), 0)


def ledger_row(session: Session, destination: Destination, segment: str) -> LedgerAudience:
    """An audience in the ledger as it was last told, so under its last name; number 0 when it was never pushed."""
    from segctl.state.deliveries import LedgerAudience, ledger_audiences

    there = {one.segment: one for one in ledger_audiences(session.workspace, destination.name)}
    names = [segment, *reversed(former_names(session, segment))]
    found = next((there[name] for name in names if name in there), LedgerAudience(0, destination.name, segment))
    if found.remote is not None and found.name is None:
        return replace(found, name=called(destination, found.segment))
    return found


def former_names(session: Session, segment: str) -> list[str]:
    """Names that a segment had, oldest first, and that no other has now."""
    segments = session.definitions.segments
    return [name for name in segments[segment].formerly if name not in segments] if segment in segments else []


def called(destination: Destination, segment: str) -> str:
    """What an audience is called at a destination."""
    return dict(destination.audiences).get(segment, segment)


def denied_profiles(session: Session, audience: Audience) -> pl.Series:
    """Ids of the profiles that consent or suppression left out, and of all that were merged into them."""
    import polars as pl

    return _profiles(session, audience.dropped.filter(pl.col("step").is_in(["consent", "suppression"])))


def held_profiles(session: Session, audience: Audience) -> pl.Series:
    """Likewise of those who are held out: by the universal holdout, a segment, or an arm that is told nothing."""
    import polars as pl

    is_held = (pl.col("step") == "holdout") & (pl.col("reason") != "not_enrolled")
    return _profiles(session, audience.dropped.filter(is_held))


def _profiles(session: Session, out: pl.DataFrame) -> pl.Series:
    import polars as pl

    from segctl.state.identity import canonical
    from segctl.state.subjects import Subjects

    owners = canonical(session.workspace)
    if owners is None or out.is_empty():
        return out["profile_id"]
    every = Subjects(session.workspace).table().select("profile_id").collect()["profile_id"]
    subjects = owners.head(len(every)).is_in(out["subject"].unique().implode())
    return pl.concat([out["profile_id"], every.head(len(subjects)).filter(subjects)]).unique()
