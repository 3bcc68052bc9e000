"""What a push would do after `apply`: waterfall, additions, updates and removals for each audience, cost, and limits.

Nothing is sent and nothing written. A saved plan keeps a digest of each audience's changes, so `push` can tell whether
it would do exactly that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from math import ceil
from typing import TYPE_CHECKING, Any

from segctl.model.audience import Step
from segctl.model.dataclass import dataclass
from segctl.model.errors import Refused
from segctl.operations.apply import NOTHING_ALLOWED, Allowed
from segctl.operations.audience.audience import EVERYTHING

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

    from segctl.compile.selection import Selection
    from segctl.connectors.destinations.base import Abilities
    from segctl.model.project import Language
    from segctl.operations.audience.audience import Audience
    from segctl.operations.evaluation import Answers
    from segctl.operations.gate import Gate
    from segctl.operations.push.work import Part
    from segctl.operations.session import Session
    from segctl.state.recording import Outcome
    from segctl.state.workspace import Workspace

_REMEMBERED = 20
"""Pushes that tell how long a call takes."""


@dataclass(frozen=True, slots=True)
class FormerList:
    """A list that an audience leaves.

    Attributes:
        name: What it is called in the ledger afterwards.
        removed: People who are taken out of it.
        calls: To the destination, beside those of the audience.
    """

    name: str
    removed: int
    calls: int


@dataclass(frozen=True, slots=True)
class AudiencePlan:
    """What a push would do for one audience; counts are people.

    Attributes:
        waterfall: Steps until ``change``.
        removed: Leave because they are no longer in the audience, or because they may not be there any more.
        withdrawn: Of these the ones who may not be there any more.
        calls: To the destination.
        minutes: Of these calls by the speed of earlier pushes; None when there were none.
        irreversible: What cannot be taken back, in words.
        refused: The guard that keeps anybody from being told.
        paused: Why nobody is told now.
        digest: Of who would be added, updated and taken out.
        former: The list that the audience leaves, since it has another name there now.
    """

    segment: str
    destination: str
    mode: str
    purpose: str | None
    channel: str
    waterfall: tuple[Step, ...]
    added: int
    updated: int
    removed: int
    withdrawn: int
    calls: int
    minutes: float | None
    irreversible: tuple[str, ...]
    refused: str | None
    paused: str | None
    digest: str
    former: FormerList | None = None

    @property
    def is_quiet(self) -> bool:
        """Nothing would be sent, and nothing keeps it from being sent: what is allowed is there already."""
        left = {step.name: step.left for step in self.waterfall}
        kept_out = left["members"] > 0 and left["priority"] == 0
        is_left = self.former is not None and self.former.removed > 0
        return not (self.added or self.updated or self.removed or self.refused or kept_out or is_left)


def plan_push(
    session: Session,
    *,
    now: datetime,
    selection: Selection = EVERYTHING,
    allowed: Allowed = NOTHING_ALLOWED,
    members: Mapping[str, pl.Series] | None = None,
    language: Language = "en",
) -> tuple[AudiencePlan, ...]:
    """What a push would do, by segment and destination.

    Args:
        session: Open project and workspace.
        now: When it would begin; aware.
        selection: Which segments.
        allowed: What guards allow this once.
        members: Segment → subjects, where `apply` would bring others into force.
        language: Of sentences.

    Raises:
        UsageError: A holdout that has never been evaluated.
        IntegrityError: The key of the consent ledger is gone.
    """
    from segctl.operations.audience.audience import audiences
    from segctl.operations.gate import Gate

    if not session.definitions.destinations:
        return ()
    gate = Gate.open(session, now=now)
    speed = _seconds_a_call(session.workspace)
    found = [
        _planned(session, one, part_of(session, gate, one, allowed=allowed), speed, language)
        for one in audiences(session, gate, selection=selection, now=now, members=members)
    ]
    return tuple(sorted(found, key=lambda one: (one.segment, one.destination)))


def part_of(session: Session, gate: Gate, audience: Audience, *, allowed: Allowed = NOTHING_ALLOWED) -> Part:
    """What an audience needs, within guards; the ledger is only read."""
    from segctl.connectors.destinations import abilities
    from segctl.operations.audience.ledger import ledger_row
    from segctl.operations.push.limits import limit
    from segctl.operations.push.moved import foresee
    from segctl.operations.push.needed import needed

    to, can = audience.destination, abilities(audience.destination)
    found = needed(session, gate, audience, to, ledger_row(session, to, audience.segment), can)
    limit(session, found, to, allowed)
    foresee(session.workspace, found, can)
    return found


def _planned(
    session: Session, audience: Audience, part: Part, speed: Mapping[str, float], language: Language
) -> AudiencePlan:
    from segctl.connectors.destinations import abilities

    can, delta, told = abilities(audience.destination), part.delta, part.tells
    added = len(delta.adds) if delta is not None and told else 0
    updated = len(delta.updates) if delta is not None and told else 0
    former = _former(session, part, can)
    # Who leaves an audience that is another list now is taken out of the former one.
    removed = part.removals if former is None else 0
    calls = sum(ceil(rows / can.batch_rows) for rows in (added, updated, removed))
    seconds = speed.get(audience.destination.name)
    return AudiencePlan(
        segment=audience.segment,
        destination=audience.destination.name,
        mode=part.mode,
        purpose=audience.purpose,
        channel=audience.channel,
        waterfall=part.waterfall,
        added=added,
        updated=updated,
        removed=removed,
        withdrawn=len(part.withdrawals) if former is None else 0,
        calls=calls,
        minutes=None if seconds is None else round(calls * seconds / 60, 2),
        irreversible=irreversible(audience.destination.name, can, added, part.stuck, language),
        refused=part.refused,
        paused=part.paused,
        digest=part_digest(part),
        former=former,
    )


def _former(session: Session, part: Part, can: Abilities) -> FormerList | None:
    from segctl.operations.push.moved import left_list

    found = left_list(session.workspace, part, can)
    return None if found is None else FormerList(found.segment, found.removals, ceil(found.removals / can.batch_rows))


def irreversible(to: str, can: Abilities, added: int, stuck: int, language: Language) -> tuple[str, ...]:
    """What a push does that no later one undoes, in words."""
    german, found = language == "de", []
    if added and can.recipient != "file":
        found.append(
            f"was `{to}` den {added:,} neuen Personen schickt oder über sie weitergibt, lässt sich nicht zurückholen"
            if german
            else f"what `{to}` sends to the {added:,} new people, or passes on about them, cannot be called back"
        )
    if added and can.removal == "none":
        found.append(
            f"aus `{to}` kann segctl niemanden wieder entfernen"
            if german
            else f"segctl cannot take anybody out of `{to}` again"
        )
    if stuck:
        found.append(
            f"{stuck:,} Personen haben widerrufen und bleiben in `{to}`, bis sie dort von Hand entfernt werden"
            if german
            else f"{stuck:,} people withdrew and stay at `{to}` until they are taken out there by hand"
        )
    return tuple(found)


def part_digest(part: Part) -> str:
    """SHA-256 (hex) of who is added and updated, with what, and who is taken out."""
    made = hashlib.sha256()
    if part.delta is not None and part.tells:
        for action, indexes in (("add", part.delta.adds), ("update", part.delta.updates)):
            rows = part.delta.rows.select("key", "digest")[indexes]
            made.update(f"{action} {rows.height}\n".encode())
            made.update("".join((rows["key"] + rows["digest"]).to_list()).encode())
    for word, keys in (("leave", part.leavers), ("withdraw", part.withdrawals)):
        made.update(f"\n{word} {' '.join(sorted(keys))}".encode())
    return made.hexdigest()


def saved_pushes(planned: Iterable[AudiencePlan]) -> list[dict[str, Any]]:
    """What a plan file keeps of a push."""
    return [
        {
            "segment": one.segment, "destination": one.destination, "added": one.added, "updated": one.updated,
            "removed": one.removed, "digest": one.digest,
        }
        for one in planned
    ]  # fmt: skip


def refuse_other_push(saved: Sequence[Mapping[str, Any]], parts: Iterable[Part]) -> None:
    """Do nothing, if the parts do exactly what a saved plan says.

    Parts that only take out who withdrew, of audiences that the plan does not know, are never held against it.

    Raises:
        Refused: Somebody else would be told or taken out; all audiences that differ are told.
    """
    now = {(part.segment, part.destination): part for part in parts if part.delta is not None}
    then = {(str(one["segment"]), str(one["destination"])): one for one in saved}
    found = []
    for pair in sorted(now.keys() | then.keys()):
        part, one = now.get(pair), then.get(pair)
        if part is None:
            found.append(f"`{pair[0]}` has no membership in force that goes to `{pair[1]}`")
        elif one is None:
            found.append(f"`{pair[0]}` to `{pair[1]}` is not in the plan")
        elif part_digest(part) != one["digest"]:
            found.append(
                f"`{pair[0]}` to `{pair[1]}`: {_counts(one)} were planned, {_counts(_counted(part))} it is now"
            )
    if found:
        raise Refused(
            "SEG851", "the plan is stale; nothing was sent", why="; ".join(found),
            hint="if its memberships are not in force yet, `segctl apply` it first; else make a new plan",
        )  # fmt: skip


def _counted(part: Part) -> Mapping[str, int]:
    delta = part.delta
    adds, updates = (len(delta.adds), len(delta.updates)) if delta is not None and part.tells else (0, 0)
    return {"added": adds, "updated": updates, "removed": part.removals}


def _counts(one: Mapping[str, Any]) -> str:
    return f"{one['added']:,} added, {one['updated']:,} updated, {one['removed']:,} removed"


def members_after(outcome: Outcome, answers: Answers, refused: Iterable[str]) -> dict[str, pl.Series]:
    """Segment → subjects of those that `apply` would bring into force."""
    found = {}
    kept = set(refused)
    for movement in outcome.movements:
        name = movement.segment.name
        if movement.state.value == "in_force" and name not in kept and name in answers.frame.columns:
            found[name] = answers.frame["subject"].filter(answers.frame[name].fill_null(value=False))
    return found


def _seconds_a_call(workspace: Workspace) -> dict[str, float]:
    """Destination → seconds that a call took there in the last pushes."""
    from segctl.state.deliveries_log import pushes

    calls: dict[str, float] = {}
    seconds: dict[str, float] = {}
    for push in pushes(workspace, limit=_REMEMBERED):
        for part in push.parts:
            calls[part.destination] = calls.get(part.destination, 0) + float(part.counts.get("calls", 0))
            seconds[part.destination] = seconds.get(part.destination, 0) + float(part.counts.get("seconds", 0))
    return {name: seconds[name] / count for name, count in calls.items() if count}
