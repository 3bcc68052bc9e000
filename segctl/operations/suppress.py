"""The suppression list: contact points that get nothing, whatever anybody imports.

It is part of the consent ledger: rows of suppressions, bounces, complaints and erasures, by keyed tokens that hold for
every spelling, so whoever stands on it stays on it when her address comes again with a new list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass
from segctl.model.errors import UsageError
from segctl.operations.consent.check import history
from segctl.operations.consent.columns import header_name
from segctl.operations.consent.record import Recorded, Said, record, refuse_weak_lift

if TYPE_CHECKING:
    from segctl.operations.consent.importing import Shape
    from segctl.operations.session import Session
    from segctl.state.consents import StoredConsent

KINDS = ("suppress", "bounce", "complaint", "erase")
"""What keeps a contact point on the list."""
SOFT = "soft"
_EMAIL = ("email", "email_address", "e_mail", "e_mail_address", "mail", "address", "recipient", "to", "empfaenger",
          "empfänger", "subscriber_email", "kontakt")  # fmt: skip
_TIME = ("clean_time", "unsub_time", "bounced_at", "bouncedat", "blocked_at", "created", "created_at", "timestamp",
         "time", "date", "datum", "event_time", "ts", "at", "bounced", "complained_at")  # fmt: skip
_WORD = ("bounce_type", "event", "suppression_reason", "type", "record_type", "action", "status", "reason", "error")
_REASON = ("reason", "description", "details", "error", "clean_campaign_title", "unsub_reason")
_WORDS = (
    (re.compile(r"spam|complain|abuse|beschwerde|feedback"), "complaint"),
    (re.compile(r"soft|transient|tempor|defer|mailbox.?full|quota|^4\.\d"), "soft_bounce"),
    (re.compile(r"hard|perman|bounce|invalid|undeliver|clean|does not exist|unknown user|^5\.\d"), "hard_bounce"),
    (re.compile(r"unsub|opt.?out|abgemeldet|widerruf"), "withdraw"),
    (re.compile(r"suppress|block|manual|admin|gesperrt|drop"), "suppress"),
)
AS = ("suppress", "bounce", "complaint", "unsubscribe")
_OF_AS = {"bounce": "hard_bounce", "unsubscribe": "withdraw"}


@dataclass(frozen=True, slots=True)
class Suppressed:
    """One contact point on the list.

    Attributes:
        label: Names the contact point without saying whose it is.
        action: What put it there; `channel` None means every channel.
        rows: Rows that say so.
        is_lifted: It was taken off again for the spelling that the last row is about.
    """

    label: str
    action: str
    channel: str | None
    since: datetime
    source: str | None
    reason: str | None
    rows: int
    is_lifted: bool


def suppress(
    session: Session,
    who: str,
    *,
    channel: str | None,
    reason: str | None,
    source: str | None = None,
    at: str | None = None,
    now: datetime,
    dry_run: bool = False,
) -> Recorded:
    """Put the contact points of somebody on the list, for a channel or for all."""
    said = Said("suppress", channel=channel, reason=reason, source=source, at=at, is_own=False)
    return record(session, who, said, now=now, dry_run=dry_run)


def lift(
    session: Session,
    who: str,
    *,
    channel: str | None,
    reason: str | None,
    proof: str | None,
    is_confirmed: bool,
    at: str | None,
    now: datetime,
    dry_run: bool = False,
) -> tuple[Recorded, ...]:
    """Take somebody off the list, each cause for itself.

    A bounce is lifted with a reason; everything else only by the person's own confirmed word, with proof, that is
    later than what it lifts.

    Raises:
        UsageError: Not on the list, or not enough to lift it.
    """
    _, rows = history(session, who, now=now)
    there = {row.stored.event.action: row.stored for row in rows if row.stored.event.action in KINDS}
    if not there:
        raise UsageError("SEG815", "that contact point is not on the suppression list", hint="`segctl suppress ls`")
    said = [
        Said(
            "lift", channel=channel, at=at, proof=proof, reason=reason, is_own=True, is_confirmed=is_confirmed,
            facts={"target": action},
        )
        for action in there
    ]  # fmt: skip
    for one in said:
        refuse_weak_lift(one)
    done = [record(session, who, one, now=now, dry_run=True) for one in said]
    late = next((s for d, s in zip(done, there.values(), strict=True) if d.at <= s.event.at), None)
    if late is not None:
        raise UsageError(
            "SEG810",
            "the new word is not later than what it would lift",
            why=f"it stands on the list since {session.local(late.event.at):%Y-%m-%d %H:%M}",
            hint="`--at TIME` says when she gave it; an older word never lifts a suppression",
        )
    return tuple(done if dry_run else [record(session, who, one, now=now) for one in said])


def listed(session: Session, *, channel: str | None = None) -> list[Suppressed]:
    """Everybody on the list, by time; with a channel those that it concerns."""
    from segctl.state.consents import suppression_rows

    found: dict[tuple[bytes, str, str | None], list[StoredConsent]] = {}
    lifts: list[StoredConsent] = []
    for row in suppression_rows(session.workspace, KINDS):
        event = row.event
        if event.action == "lift":
            lifts.append(row)
        elif channel is None or event.channel in (None, channel):
            found.setdefault((event.wide, event.action, event.channel), []).append(row)
    listed = [_listed(session, rows, lifts) for rows in found.values()]
    return sorted(listed, key=lambda one: (one.since, one.label))


def _listed(session: Session, rows: list[StoredConsent], lifts: list[StoredConsent]) -> Suppressed:
    last, first = rows[-1].event, rows[0].event
    lifted = any(
        row.event.exact == last.exact and row.event.facts.get("target") == last.action and row.event.at > last.at
        and row.event.channel in (None, last.channel)
        for row in lifts
    )  # fmt: skip
    action = f"{last.action} ({last.reason})" if last.action == "bounce" and last.reason == SOFT else last.action
    return Suppressed(
        f"{last.kind}:{last.wide[:4].hex()}", action, last.channel, session.local(first.at), last.source, last.reason,
        len(rows), lifted,
    )  # fmt: skip


def shaper(word: str | None) -> Shape:
    """Makes our columns of the rows that mailing services export.

    Args:
        word: What every row is, one of `AS`; None lets each row say so, and what says nothing is suppressed.
    """

    def shaped(values: Mapping[str, str]) -> dict[str, str]:
        named = {header_name(header): text for header, text in values.items() if text}
        found = {"action": _OF_AS.get(word, word) if word is not None else _action(named)}
        for column, names in (("email", _EMAIL), ("at", _TIME), ("reason", _REASON)):
            text = next(_of(named, names), None)
            if text is not None:
                found[column] = text
        for column in ("phone", "channel", "event_id", "source"):
            if column in named:
                found[column] = named[column]
        if found["action"].endswith("bounce"):
            found["reason"] = SOFT if found["action"] == "soft_bounce" else "hard"
        elif found["action"] == "withdraw" and "email" in found:
            found.setdefault("channel", "email")
        return found

    return shaped


def _of(named: Mapping[str, str], names: tuple[str, ...]) -> Iterator[str]:
    return (named[name] for name in names if name in named)


def _action(named: Mapping[str, str]) -> str:
    if "clean_time" in named:
        return "hard_bounce"
    if "unsub_time" in named:
        return "withdraw"
    for text in _of(named, _WORD):
        for pattern, action in _WORDS:
            if pattern.search(text.lower()):
                return action
    return "suppress"
