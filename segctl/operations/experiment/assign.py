"""Assign people to an experiment without a push, and say who is in which arm: for those who send by other means."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from segctl.compile.selection import Selection
from segctl.model.dataclass import dataclass
from segctl.model.errors import Refused, TemporaryError
from segctl.operations.experiment.run import recorded_experiment
from segctl.operations.experiment.running import experiments_now
from segctl.operations.provenance import recorded_as

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

    from segctl.operations.audience.experiments import Decided
    from segctl.operations.session import Session
    from segctl.state.experiments import ExperimentRecord

_TRIES = 5


@dataclass(frozen=True, slots=True)
class Assigned:
    """Who is in which arm.

    Attributes:
        name: On record.
        silent: Arms that are sent nothing.
        people: One row per profile: ``profile_id``, ``arm``, ``unit``, ``stratum``, ``assigned_at``, ``exposed_at``,
            ``epoch``; sorted by profile id. Units and strata that are values of a personal trait are left out.
        new: Profiles that were not on record before.
        exposed: Profiles whose exposure is on record since.
    """

    name: str
    silent: tuple[str, ...]
    people: pl.DataFrame
    new: int
    exposed: int


def assign(
    session: Session, name: str, *, now: datetime, is_sent: bool = False, arm: str | None = None, dry_run: bool = False
) -> Assigned:
    """Assign the members of an experiment's segment who are not on record yet.

    Who may be told at none of the segment's destinations is not assigned; a segment without destinations assigns all
    its members. Somebody in the universal holdout is in no arm.

    Args:
        session: Open project and workspace.
        name: Of the experiment.
        now: When they are assigned; aware.
        is_sent: They are told now by other means, so their exposure begins.
        arm: Only its people are given back.
        dry_run: Write nothing, and give back who is on record.

    Raises:
        UsageError: No such experiment, or its segment has never been evaluated.
        Refused: It does not run, or was changed since it started.
        TemporaryError: Others assign at the same time.
    """
    from segctl.operations.experiment.record import record_decided
    from segctl.state.experiments import assignments, records

    record = recorded_experiment(session, name)
    before = assignments(session.workspace, record.name)
    for _ in range(_TRIES):
        seen = records(session.workspace)
        decided = _decided(session, record, name, now)
        if dry_run or record_decided(session.workspace, decided, seen, exposed=now if is_sent else None):
            return _assigned(session, record, before, arm, decided if dry_run else None)
    raise TemporaryError(
        "SEG962", f"other commands assign people to `{name}`; nothing was written", hint="try again when they are done"
    )


def _decided(session: Session, record: ExperimentRecord, name: str, now: datetime) -> list[Decided]:
    from segctl.operations.audience.audience import audiences
    from segctl.operations.gate import Gate
    from segctl.state.experiments import UNIVERSAL

    found = experiments_now(session, now=now)
    running = [one for ones in found.running.values() for one in ones if one.record.name == record.name]
    if not running:
        raise _not_running(record, name, [str(one) for ones in found.troubles.values() for one in ones
                                          if one.name == record.name])  # fmt: skip
    segment = running[0].experiment.segment
    if not any(to in session.definitions.destinations for to in session.definitions.segments[segment].send_to):
        made = _without_destination(session, segment, now)
    else:
        made = [one for audience in audiences(session, Gate.open(session, now=now),
                                              selection=Selection((segment,)), now=now)
                for one in audience.decided]  # fmt: skip
    return [one for one in made if one.rows.height and (one.name == record.name or one.name.startswith(UNIVERSAL))]


def _without_destination(session: Session, segment: str, now: datetime) -> list[Decided]:
    from segctl.operations.audience.contacts import Contacts
    from segctl.operations.audience.experiments import Holding
    from segctl.operations.audience.targets import Present
    from segctl.state.identity import canonical
    from segctl.state.memberships import members

    there = Present(session, now, canonical(session.workspace), None)
    people = there.members(segment)
    if people is None:
        people = members(session.workspace, segment)  # says that it was never evaluated
    contacts = Contacts(session, people, there.owners, now=now)
    rows = contacts.rows_of(people)
    for one in session.project.holdout:
        rows = rows.filter(~rows.is_in(contacts.rows_of(there.held_out(one.name)).implode()))
    return Holding(session, contacts, there).assigned(segment, rows)


def _assigned(
    session: Session, record: ExperimentRecord, before: pl.DataFrame, arm: str | None, planned: list[Decided] | None
) -> Assigned:
    import polars as pl

    from segctl.state.experiments import assignments

    after = assignments(session.workspace, record.name)
    if planned is not None:
        new = [one.rows for one in planned if one.name == record.name]
        after = pl.concat([before, *new]).unique("profile_id", keep="first", maintain_order=True)
    exposed = [frame["exposed_at"].count() for frame in (before, after)]
    columns = ("profile_id", "arm", "unit", "stratum", "assigned_at", "exposed_at", "epoch")
    made_of = {"unit": [record.definition.get("same")], "stratum": record.definition.get("strata", [])}
    hidden = [name for name, traits in made_of.items() if is_personal(session, traits)]
    after = after.with_columns(pl.lit(None, pl.String).alias(name) for name in hidden)
    people = after.filter(pl.col("arm") == arm) if arm is not None else after
    return Assigned(
        name=record.name,
        silent=tuple(one["name"] for one in record.definition["arms"] if not one.get("is_sent", True)),
        people=people.select(columns).sort("profile_id"),
        new=after.height - before.height,
        exposed=exposed[1] - exposed[0],
    )


def is_evaluated(session: Session, segment: str) -> bool:
    """True if a run has evaluated a segment, so that a push of it has somebody to tell."""
    from segctl.state.memberships import in_force

    return in_force(session.workspace, recorded_as(session, segment)) is not None


def is_personal(session: Session, traits: Iterable[str | None]) -> bool:
    """True if one of these stored traits is personal, so that its values stand in no list and no message."""
    private = {trait.name for trait in session.project.traits if trait.is_private}
    return not private.isdisjoint(traits)


def _not_running(record: ExperimentRecord, name: str, troubles: list[str]) -> Refused:
    if record.stopped is not None:
        return Refused(
            "SEG960", f"the experiment `{name}` does not run: it was stopped",
            hint=f"`segctl experiment assign {name} --check` looks at who is on record",
        )  # fmt: skip
    return Refused("SEG957", f"nobody is assigned to `{name}`: {'; '.join(troubles)}")
