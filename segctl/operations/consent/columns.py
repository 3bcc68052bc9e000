"""Columns of files about consent: their names, the words in them, and the row of the ledger that a row becomes."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from segctl.model.consent import (
    BASES,
    CHANNELS,
    DENYING,
    GIVEN,
    KINDS,
    KINDS_OF_CHANNEL,
    SOFT_OPT_IN_FACTS,
    ConsentEvent,
    Purpose,
)  # fmt: skip
from segctl.model.dataclass import dataclass
from segctl.model.project import Project

TEXTS = (
    "brand", "recipient_class", "legal_basis", "notice_id", "notice_version", "notice_hash", "language",
    "jurisdiction", "source", "capture_method", "proof_ref", "proof_hash", "actor", "supersedes", "reason",
)  # fmt: skip
SIGNALS = ("ad_storage", "analytics_storage", "ad_user_data", "ad_personalization")
COLUMNS = (
    *KINDS, "at", "action", "purpose", "channel", "event_id", "is_confirmed", "expires_at", *TEXTS,
    *SOFT_OPT_IN_FACTS, *SIGNALS, "tcf", "gcs", "gcd",
)  # fmt: skip
SYNONYMS = {
    "e_mail": "email", "email_address": "email", "e_mail_address": "email", "mail": "email", "e_mail_adresse": "email",
    "phone_number": "phone", "telefon": "phone", "telefonnummer": "phone", "mobile": "phone", "handy": "phone",
    "timestamp": "at", "time": "at", "date": "at", "datum": "at", "zeitpunkt": "at", "event_time": "at",
    "consent_time": "at", "optin_time": "at", "confirm_time": "at", "zeit": "at",
    "zweck": "purpose", "kanal": "channel", "status": "action", "aktion": "action", "event": "action",
    "state": "action", "type": "action", "typ": "action", "basis": "legal_basis", "rechtsgrundlage": "legal_basis",
    "proof": "proof_ref", "nachweis": "proof_ref", "notice": "notice_id", "hinweis": "notice_id",
    "hinweis_version": "notice_version", "id": "event_id", "confirmed": "is_confirmed", "bestaetigt": "is_confirmed",
    "bestätigt": "is_confirmed", "double_opt_in": "is_confirmed", "doi": "is_confirmed", "expires": "expires_at",
    "ablauf": "expires_at", "quelle": "source", "marke": "brand", "sprache": "language", "grund": "reason",
    "tc_string": "tcf", "tcstring": "tcf",
}  # fmt: skip
_WORDS = {
    "grant": "granted opt_in optin subscribed subscribe yes true ja 1 einwilligung erteilt angemeldet import_assert",
    "confirm": "confirmed bestaetigt bestätigt",
    "request": "requested pending angefragt unconfirmed",
    "withdraw": "withdrawn unsubscribed unsubscribe opt_out optout abgemeldet widerruf widerrufen revoked",
    "deny": "denied no false nein 0 abgelehnt declined",
    "expire": "expired abgelaufen",
    "object_marketing": "objected objection widerspruch werbewiderspruch widersprochen",
    "erase": "erased forget geloescht gelöscht",
    "restrict": "restricted eingeschraenkt eingeschränkt",
    "suppress": "suppressed blocked blocklisted gesperrt",
    "complaint": "complained complaint spam spam_report spamreport abuse beschwerde",
    "bounce": "bounced hard_bounce hardbounce hard cleaned soft_bounce softbounce soft",
}
_ACTION_OF = {word: action for action, words in _WORDS.items() for word in words.split()}
_SOFT = ("soft_bounce", "softbounce", "soft")
NOT_FROM_FILES = ("lift", "unrestrict", "correct")
"""No list lifts what somebody has demanded."""
_YES = frozenset({"1", "true", "yes", "ja", "y", "x", "confirmed", "bestätigt", "wahr"})
_GERMAN = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?:[ T,]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?")
_DAY = re.compile(r"\d{1,2}\.\d{1,2}\.\d{4}|\d{4}-\d{2}-\d{2}|\d{8}|\d{4}-?W\d{2}-?\d")
_SIGN = re.compile(r"[^a-z0-9äöüß]+")


class BadRow(ValueError):  # noqa: N818 - what it says of the row
    """A row that cannot be taken; the message says why, without anybody's data."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What rows are read with.

    Attributes:
        columns: Header → column of ours.
        fixed: Column → value for every row that has none of its own.
        token: Exact and wide token of a contact point, None for what is none.
        source: For rows that name none.
    """

    project: Project
    columns: Mapping[str, str]
    fixed: Mapping[str, str]
    token: Callable[[str, str], tuple[bytes, bytes] | None]
    id_token: Callable[[str, str], bytes | None]
    key_id: str
    source: str
    now: datetime

    @property
    def purposes(self) -> Mapping[str, Purpose]:
        """Declared purposes by name."""
        return {purpose.name: purpose for purpose in self.project.purposes}


def header_name(written: str) -> str:
    """A header in the form that names of columns have."""
    return _SIGN.sub("_", written.strip().lower()).strip("_")


def column_of(written: str, mapped: Mapping[str, str]) -> str | None:
    """Our column for a header; None for one that is not read."""
    if written in mapped:
        return mapped[written]
    name = header_name(written)
    name = SYNONYMS.get(name, name)
    return name if name in COLUMNS else None


def events_of(row: Mapping[str, str], reading: Reading) -> list[ConsentEvent]:
    """The rows of the ledger that a row of a file stands for: one for each contact point in it.

    Args:
        row: Our column → text; without empty ones.
        reading: How.

    Raises:
        BadRow: Something is missing or wrong.
    """
    row = {**reading.fixed, **row}
    action, reason, facts = _action(row, reading)
    purpose, channel = _purpose_and_channel(row, action, reading)
    at, is_dated = _time(row.get("at"), action, reading)
    expires = row.get("expires_at")
    legal_basis = row.get("legal_basis")
    if legal_basis is not None and legal_basis not in BASES:
        raise BadRow("the legal basis is unknown")
    texts: dict[str, Any] = {name: row.get(name) for name in TEXTS}
    texts["source"] = row.get("source", reading.source)
    if reason is not None:
        texts["reason"] = reason
    if row.get("tcf") and texts["proof_hash"] is None:
        texts["proof_hash"] = hashlib.sha256(row["tcf"].encode()).hexdigest()
    said = texts | {
        "at": at, "action": action, "purpose": purpose, "channel": channel, "facts": facts,
        "is_confirmed": row.get("is_confirmed", "").lower() in _YES,
        "expires_at": None if expires is None else _instant(expires, reading, what="expiry"),
    }  # fmt: skip
    return [_of_point(said, kind, row, reading, is_dated=is_dated) for kind in _kinds(row, action, channel)]


def _of_point(
    said: Mapping[str, Any], kind: str, row: Mapping[str, str], reading: Reading, *, is_dated: bool
) -> ConsentEvent:
    pair = reading.token(kind, row[kind])
    # Ids of events outlive the newest key, so they are made with the oldest.
    oldest = reading.id_token(kind, row[kind])
    if pair is None or oldest is None:
        raise BadRow(f"the contact point in `{kind}` is malformed")
    given = row.get("event_id")
    if given is not None and sum(one in row for one in KINDS) > 1:
        given = f"{given}:{kind}"
    return ConsentEvent(
        event_id=given or _digest(said, kind, oldest, is_dated=is_dated), kind=kind, exact=pair[0], wide=pair[1],
        key_id=reading.key_id, origin="import", **said,
    )  # fmt: skip


def _digest(said: Mapping[str, Any], kind: str, token: bytes, *, is_dated: bool) -> str:
    """An id made of all that the row says, so that the same file twice changes nothing."""
    expires = said["expires_at"]
    parts = [
        kind, token.hex(), said["at"].isoformat() if is_dated else "", said["is_confirmed"],
        None if expires is None else expires.isoformat(), sorted(said["facts"].items()),
        *(said[name] for name in ("action", "purpose", "channel", *TEXTS) if name != "source"),
    ]  # fmt: skip
    return "row-" + hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()[:40]


# --- The parts of a row -------------------------------------------------------------------------------------
def _action(row: Mapping[str, str], reading: Reading) -> tuple[str, str | None, dict[str, str]]:
    """Action, reason and facts; strings of consent platforms decide the action themselves."""
    facts = {name: row[name] for name in SOFT_OPT_IN_FACTS if name in row}
    signals, broken = _signals(row)
    if signals:
        facts["signals"] = " ".join(sorted(signals))
    if "tcf" in row:
        refused = _refused_by_tcf(row, reading)
        return ("deny", refused, facts) if refused else ("grant", None, facts)
    written = row.get("action")
    if written is not None:
        action, reason = action_of(written), row.get("reason")
        if action == "bounce" and header_name(written) in _SOFT:
            reason = "soft"
        return action, reason or ("hard" if action == "bounce" else None), facts
    purpose = reading.purposes.get(row.get("purpose", ""))
    if signals is None or purpose is None or not purpose.signals:
        raise BadRow("the action is missing")
    return ("grant" if not broken and set(purpose.signals) <= signals else "deny"), None, facts


def action_of(written: str) -> str:
    """The action that a word means.

    Raises:
        BadRow: None does, or one that no file may say.
    """
    word = header_name(written)
    action = word if word in (*GIVEN, *DENYING, "used") else _ACTION_OF.get(word)
    if word in NOT_FROM_FILES:
        raise BadRow(f"`{word}` is never taken from a file")
    if action is None:
        raise BadRow("the action is unknown")
    return action


def _signals(row: Mapping[str, str]) -> tuple[frozenset[str] | None, bool]:
    """The granted signals, None when the row has none, and whether any of them is malformed."""
    from segctl.consent.signals import MalformedSignals, parse_gcd, parse_gcs, parse_named

    parts: list[frozenset[str]] = []
    try:
        if any(name in row for name in SIGNALS):
            parts.append(parse_named(row))
        if "gcd" in row:
            parts.append(parse_gcd(row["gcd"]))
        elif "gcs" in row:
            parts.append(parse_gcs(row["gcs"]))
    except MalformedSignals:
        return frozenset(), True
    return (frozenset.intersection(*parts) if parts else None), False


def _refused_by_tcf(row: Mapping[str, str], reading: Reading) -> str | None:
    from segctl.consent.tcf import MalformedTcf, parse_tcf

    purpose = reading.purposes.get(row.get("purpose", ""))
    if purpose is None or not purpose.tcf_purposes:
        raise BadRow("the purpose says no `tcf`, so a TC string says nothing about it")
    try:
        allowed = parse_tcf(row["tcf"]).allows(purpose.tcf_vendor, purpose.tcf_purposes)
    except MalformedTcf:
        return "tcf_malformed"
    return None if allowed else "tcf_denied"


def _purpose_and_channel(row: Mapping[str, str], action: str, reading: Reading) -> tuple[str | None, str | None]:
    purposes = reading.purposes
    purpose, channel = row.get("purpose"), row.get("channel")
    if purpose is not None and purpose not in purposes:
        raise BadRow("the purpose is not declared")
    if channel is not None and channel not in CHANNELS:
        raise BadRow("the channel is unknown")
    if action in ("bounce", "complaint") and channel is None and "email" in row:
        # What a mailbox refused says nothing about other ways to reach its owner.
        channel = "email"
    if action not in (*GIVEN, "used"):
        return purpose, channel
    if purpose is None:
        raise BadRow("the purpose is missing")
    if channel is None and len(purposes[purpose].channels) == 1:
        channel = purposes[purpose].channels[0]
    if channel is None:
        raise BadRow("the channel is missing")
    return purpose, channel


def _kinds(row: Mapping[str, str], action: str, channel: str | None) -> Sequence[str]:
    there = [kind for kind in KINDS if kind in row]
    if channel is not None:
        there = [kind for kind in there if kind in KINDS_OF_CHANNEL.get(channel, KINDS)]
    if not there:
        raise BadRow("no contact point" if channel is None else "no contact point for its channel")
    return there[:1] if action == "confirm" and len(there) > 1 else there


def _time(written: str | None, action: str, reading: Reading) -> tuple[datetime, bool]:
    """When it happened. A denial is never refused for want of a time: it holds from now on."""
    try:
        at = _past(written, reading)
    except BadRow:
        if action in DENYING:
            return reading.now, False
        raise
    if action in DENYING and written is not None and _DAY.fullmatch(written.strip()):
        # It may have come at the end of that day, after consent of the same day. Before it is over, arrival counts.
        at = at.replace(hour=23, minute=59, second=59, microsecond=999_999)
    return at, True


def _past(written: str | None, reading: Reading) -> datetime:
    if written is None:
        raise BadRow("the time is missing")
    at = _instant(written, reading, what="time")
    if at > reading.now:
        raise BadRow("the time lies ahead")
    return at


def _instant(written: str, reading: Reading, *, what: str) -> datetime:
    zone = ZoneInfo(reading.project.timezone)
    text = written.strip()
    try:
        german = _GERMAN.fullmatch(text)
        if german is not None:
            day, month, year, hour, minute, second = (int(part or 0) for part in german.groups())
            found = datetime(year, month, day, hour, minute, second, tzinfo=zone)
        elif len(text) == 10 and text.isdecimal():
            found = datetime.fromtimestamp(int(text), tz=zone)
        elif len(text) == 10:
            found = datetime.combine(date.fromisoformat(text), time(), tzinfo=zone)
        else:
            found = datetime.fromisoformat(text.replace(" UTC", "+00:00"))
    except (ValueError, OverflowError, OSError):
        raise BadRow(f"the {what} cannot be read; write 2026-11-21T09:30:00+01:00") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=zone)
