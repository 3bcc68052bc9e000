"""Record what a person has said about being contacted: one call, one person, no lock and no approval."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from segctl.compile.timewords import Problem, parse_as_of
from segctl.model.consent import BASES, CHANNELS, GIVEN, KINDS_OF_CHANNEL, ConsentEvent
from segctl.model.dataclass import dataclass
from segctl.model.errors import UsageError
from segctl.operations.consent.keys import keyring_for_writing
from segctl.operations.consent.people import Asked, ContactPoint, asked_about

if TYPE_CHECKING:
    from segctl.consent.tokens import Keyring
    from segctl.operations.session import Session

OBJECT_TO_ALL = "object_all"
OBJECTIONS = {"marketing": "object_marketing", "profiling": "object_profiling", "all": OBJECT_TO_ALL}
_ALL = ("object_marketing", "object_profiling", "object_general")
"""What an objection to all is recorded as: the law's general one alone stops only what rests on no consent."""
_FREE = ("bounce",)
"""Lifted with a reason alone: that a mailbox works again is no matter of what its owner wants."""


@dataclass(frozen=True, slots=True)
class Said:
    """What is to be recorded.

    Attributes:
        action: One of `model.consent.ACTIONS`, or `OBJECT_TO_ALL`.
        at: When it was said, as written; now when None.
        is_own: The person herself did it.
        is_confirmed: She confirmed it by double opt-in.
    """

    action: str
    purpose: str | None = None
    channel: str | None = None
    at: str | None = None
    legal_basis: str | None = None
    proof: str | None = None
    notice: str | None = None
    notice_version: str | None = None
    source: str | None = None
    reason: str | None = None
    actor: str | None = None
    is_own: bool = True
    is_confirmed: bool = False
    expires_at: str | None = None
    facts: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was recorded.

    Attributes:
        asked: Whom it is about.
        rows: Contact point, action, and number of its row in the ledger; 0 in a dry run.
        at: When it was said.
    """

    asked: Asked
    said: Said
    rows: tuple[tuple[ContactPoint, str, int], ...]
    at: datetime


def record(session: Session, who: str, said: Said, *, now: datetime, dry_run: bool = False) -> Recorded:
    """Add a row for each contact point that it is about.

    Raises:
        UsageError: Nobody is known by `who`, a word is missing or wrong, or the time lies ahead.
        IntegrityError: A key of the ledger is gone.
    """
    from segctl.operations.gate import Gate
    from segctl.state.consents import append

    said = _completed(session, said)
    at = _instant(said.at, "--at", session, now)
    if at > now:
        raise UsageError("SEG808", f"`--at {said.at}` lies ahead", hint="record it when it has happened")
    expires = None if said.expires_at is None else _instant(said.expires_at, "--expires", session, now)
    ring = keyring_for_writing(session.project, session.workspace, now=now)
    asked = asked_about(session, Gate(session, ring, now=now), who, now=now)
    points = _meant(asked, said)
    each = [(point, one) for point in points for one in _spelled_out(said)]
    events = [_event(point, one, ring, at, expires) for point, one in each]
    numbers = [0] * len(events) if dry_run else append(session.workspace, events, recorded=now)
    rows = tuple((point, one.action, number) for (point, one), number in zip(each, numbers, strict=True))
    return Recorded(asked, said, rows, at)


def _spelled_out(said: Said) -> list[Said]:
    """An objection to all, or its lifting, as the rows that it takes; anything else is one."""
    from dataclasses import replace

    if said.action == OBJECT_TO_ALL:
        return [replace(said, action=action) for action in _ALL]
    facts = said.facts or {}
    if said.action == "lift" and facts.get("target") == OBJECT_TO_ALL:
        return [replace(said, facts={**facts, "target": action}) for action in _ALL]
    return [said]


def _meant(asked: Asked, said: Said) -> tuple[ContactPoint, ...]:
    """The contact points that it is about: a declaration is made for a channel's own, a denial for all."""
    if said.action not in GIVEN and said.channel is None:
        return asked.points
    kinds = KINDS_OF_CHANNEL.get(said.channel or "", ())
    found = tuple(point for point in asked.points if point.kind in kinds)
    if not found:
        message = f"the channel `{said.channel}` reaches nobody by {' or '.join(p.kind for p in asked.points)}"
        raise UsageError("SEG809", message, hint=f"it needs a contact point of kind {' or '.join(kinds) or 'account'}")
    return found


def _completed(session: Session, said: Said) -> Said:
    """With what follows from the project, and without words that it does not know."""
    from dataclasses import replace

    project = session.project
    declared = {purpose.name: purpose for purpose in project.purposes}
    if said.purpose is not None and said.purpose not in declared:
        raise _unknown("purpose", said.purpose, tuple(declared), said)
    if said.channel is not None and said.channel not in CHANNELS:
        raise _unknown("channel", said.channel, CHANNELS, said)
    if said.legal_basis is not None and said.legal_basis not in BASES:
        raise _unknown("legal basis", said.legal_basis, BASES, said)
    if said.action not in (*GIVEN, "used"):
        return said
    if said.purpose is None:
        if len(declared) != 1:
            hint = f"`--purpose {next(iter(declared), 'newsletter')}`"
            raise UsageError("SEG809", "consent is given for a purpose, and none is named", hint=hint)
        said = replace(said, purpose=next(iter(declared)))
    channels = declared[said.purpose or ""].channels
    if said.channel is None:
        if len(channels) != 1:
            message = f"`{said.purpose}` uses {len(channels)} channels, and none is named"
            raise UsageError("SEG809", message, hint=f"`--channel {channels[0] if channels else 'email'}`")
        said = replace(said, channel=channels[0])
    return said


def _unknown(what: str, word: str, known: Sequence[str], said: Said) -> UsageError:
    from segctl.compile.suggest import did_you_mean

    why = None
    if what == "purpose" and said.action not in GIVEN:
        why = "without `--purpose` a withdrawal holds for every purpose"
    hint = did_you_mean(word, known) or f"known: {', '.join(known) or 'none is declared in segctl.yaml'}"
    return UsageError("SEG809", f"`{word}` is no {what} of the project", why=why, hint=hint)


def _instant(text: str | None, option: str, session: Session, now: datetime) -> datetime:
    if text is None:
        return now
    found = parse_as_of(text, now, session.project.timezone)
    if isinstance(found, Problem):
        raise UsageError("SEG808", f"`{option} {text}`: {found.message}", hint=found.hint)
    # A day means its end, which today has not come yet.
    return min(found, now) if option == "--at" and len(text.strip()) == 10 and found.date() == now.date() else found


def _event(point: ContactPoint, said: Said, ring: Keyring, at: datetime, expires: datetime | None) -> ConsentEvent:
    # A point holds tokens under every key; the newest key's stand last.
    exact, wide = point.token[-32:-16], point.token[-16:]
    return ConsentEvent(
        event_id=f"cmd-{uuid.uuid4().hex}",
        at=at,
        kind=point.kind,
        exact=exact,
        wide=wide,
        key_id=ring.newest[0],
        action=said.action,
        purpose=said.purpose,
        channel=said.channel,
        legal_basis=said.legal_basis,
        notice_id=said.notice,
        notice_version=said.notice_version,
        origin="command",
        source=said.source or "command line",
        proof_ref=said.proof,
        actor=said.actor,
        is_own=said.is_own,
        is_confirmed=said.is_confirmed,
        expires_at=expires,
        reason=said.reason,
        facts=said.facts or {},
    )


def refuse_weak_lift(said: Said) -> None:
    """Do nothing, unless a block would be lifted without what that takes.

    Raises:
        UsageError: No reason, or no proof of the person's own later word.
    """
    target = (said.facts or {}).get("target", "")
    if not (said.reason or "").strip():
        raise UsageError("SEG810", "lifting needs a reason, which is kept on record", hint='add `--reason "…"`')
    if target not in _FREE and not (said.proof and said.is_confirmed):
        raise UsageError(
            "SEG810",
            "only the person herself lifts that, by a later confirmed word that can be proved",
            why="an old list or a new import never does, lest an objection is forgotten",
            hint="`--proof REF --confirmed --at TIME` of her new declaration",
        )
