"""States and ages of consents in evaluations: random ledgers, over real workspaces, against a slow replay."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from segctl.model.consent import ConsentEvent
from segctl.operations.consent.keys import keyring_for_writing
from segctl.operations.evaluation import evaluate
from segctl.operations.ingest.ingest import ingest, sources_of
from segctl.operations.session import Session, open_session
from segctl.state.consents import append

DAY = timedelta(days=1)
START = datetime(2026, 1, 1, 12, tzinfo=UTC)
PROJECT = """segctl: 1
name: world
timezone: Europe/Berlin
identifiers: {nr: {class: known}, email: {class: known, personal: true}}
traits:
  mail: {type: text, personal: true}
  other: {type: text, personal: true}
  phone: {type: text, personal: true}
  person: text
events: {}
contact_points: {email: [email, mail, other], phone: phone}
identity: {country: DE}
consent: {double_opt_in: [email], confirm_within: 7 days}
purposes:
  news: {basis: consent, channels: [email, sms], stale_after: 60 days}
  news.sale: {basis: consent, channels: [email]}
  service: {basis: contract, channels: [email]}
"""
CRM = (
    "source: crm\npath: crm.csv\nkey: {nr: nr, email: email}\nrecord_time: since\n"
    "profiles: {mail: mail, other: other, phone: phone, person: person}\n"
)
USES = (("news", "email"), ("news", "sms"), ("news.sale", "email"), ("service", "email"))
STATUSES = ("confirmed", "requested", "withdrawn", "objected", "expired", "denied", "none")


@dataclass
class Row:
    """One word of one contact point, as the slow replay reads it."""

    point: str
    action: str
    purpose: str | None
    channel: str | None
    at: datetime
    confirmed: bool = False
    expires: datetime | None = None


@dataclass
class Person:
    """Contact points with the instants since when each stands in a record; None is from the beginning.

    A later address takes the place of the one before; the other address stands beside it at all times.
    """

    nr: str
    other: str = ""
    emails: dict[str, datetime | None] = field(default_factory=dict)
    phones: dict[str, datetime | None] = field(default_factory=dict)


# --- The slow replay ----------------------------------------------------------------------------------------
def spelling(point: str) -> str:
    """All spellings of an address reach one person."""
    name, at, host = point.partition("@")
    if not at:
        return point
    return name.partition("+")[0] + at + host


def state(point: str, purpose: str, channel: str, rows: list[Row], at: datetime) -> tuple[str, datetime | None]:
    """State of one contact point, and since when: replayed row by row, nothing shared with the product."""
    heard = sorted((r for r in rows if r.at <= at), key=lambda r: r.at)
    mine = [r for r in heard if spelling(r.point) == spelling(point)]
    ends = [
        r
        for r in mine
        if r.action in ("withdraw", "deny")
        and r.channel in (None, channel)
        and (r.purpose is None or r.purpose == purpose or purpose.startswith(f"{r.purpose}."))
    ]
    ended = max((r.at for r in ends), default=None)
    said = [r for r in heard if r.point == point and (r.purpose, r.channel) == (purpose, channel)]
    alive = [r for r in said if ended is None or r.at > ended]
    given: list[tuple[datetime, datetime | None]] = []
    lifts: list[tuple[datetime, datetime, datetime | None]] = []
    asked: datetime | None = None
    last: Row | None = None
    for row in alive:
        if row.action == "grant" and (row.confirmed or channel != "email"):
            given.append((row.at, row.expires))
            lifts += [(row.at, row.at, row.expires)] if row.confirmed else []
        elif row.action in ("request", "grant"):
            asked, last = row.at, row
        elif row.action == "confirm" and last is not None and row.at - last.at <= 7 * DAY:
            ends_at = min((e for e in (last.expires, row.expires) if e is not None), default=None)
            given.append((row.at, ends_at))
            lifts.append((last.at, row.at, ends_at))
    stale = timedelta(days=60) if purpose == "news" else None
    sound = [s for s, e in given if (e is None or e > at) and (stale is None or s > at - stale)]
    objected = max((r.at for r in mine if r.action == "object_marketing"), default=None)
    if objected is not None and purpose != "service":  # what a contract needs is no marketing
        # Only the person herself, confirmed and later, takes an objection back.
        later = [b for b, s, e in lifts if (e is None or e > at) and (stale is None or s > at - stale)]
        if not any(began > objected for began in later):
            return "objected", objected
    if sound and purpose != "service":
        return "confirmed", max(sound)
    if purpose == "service" and ended is None:
        return "confirmed", None
    if given and purpose != "service":
        # Over since the last of what was given ran out.
        return "expired", max(min(e or at, s + stale if stale else at) for s, e in given)
    if asked is not None and purpose != "service":
        return ("requested", asked) if asked > at - 7 * DAY else ("expired", asked + 7 * DAY)
    if any(row.action == "confirm" for row in alive):
        return "none", None  # a confirmation of nothing proves nothing
    if ended is not None:
        newest = [r.action for r in ends if r.at == ended]
        return ("denied" if "deny" in newest else "withdrawn"), ended
    return "none", None


ORDER = ("objected", "denied", "withdrawn", "expired", "none", "requested", "confirmed")


def of_person(
    points: list[str], purpose: str, channel: str, rows: list[Row], at: datetime
) -> tuple[str, datetime | None]:
    """The least permissive of all contact points."""
    found = [state(point, purpose, channel, rows, at) for point in points]
    if not found:
        return "none", None
    worst = min((s for s, _ in found), key=ORDER.index)
    since = [at for s, at in found if s == worst and at is not None]
    if not since:
        return worst, None
    return worst, (max(since) if worst == "confirmed" else min(since))


# --- Random worlds ------------------------------------------------------------------------------------------
def people(random: Random) -> list[Person]:
    made = []
    for n in range(6):
        person = Person(f"c{n}")
        for m in range(random.choice((0, 1, 1, 2))):
            name = f"p{n}.{m}" if random.random() < 0.8 else f"p{n}+tag{m}"
            # The newest record of a source wins, so an older address is one no more.
            person.emails = {f"{name}@post.example": None} if m == 0 else person.emails
            if m:
                person.emails = {f"{name}@post.example": START + random.randint(5, 60) * DAY}
        person.other = f"q{n}@post.example" if random.random() < 0.4 else ""
        if random.random() < 0.6:
            person.phones[f"+4930123450{n}"] = None
        made.append(person)
    return made


def ledger(random: Random, points: list[str]) -> list[Row]:
    rows = []
    taken: set[datetime] = set()
    for _ in range(random.randint(0, 40)):
        point = random.choice(points)
        if "@" in point and random.random() < 0.2:
            point = random.choice((spelling(point), spelling(point).replace("@", "+x@")))
        at = START + timedelta(minutes=random.randint(0, 120 * 1440))
        while at in taken:
            at += timedelta(minutes=1)
        taken.add(at)
        action = random.choice(
            ("grant", "grant", "request", "confirm", "withdraw", "deny", "object_marketing", "grant")
        )
        if action == "object_marketing" and random.random() < 0.7:
            action = "confirm"
        purpose, channel = random.choice(USES[:3])
        if action in ("withdraw", "deny"):
            purpose, channel = random.choice(((purpose, channel), (None, channel), (purpose, None)))
        elif action == "object_marketing":
            purpose = channel = None
        if (channel == "email") != ("@" in point) and channel is not None:
            continue
        expires = at + random.randint(1, 30) * DAY if action in ("grant", "confirm") and random.random() < 0.2 else None
        rows.append(Row(point, action, purpose, channel, at, random.random() < 0.6, expires))
    return rows


def written(session: Session, rows: list[Row], *, recorded: datetime) -> None:
    ring = keyring_for_writing(session.project, session.workspace, now=recorded)
    events = []
    for number, row in enumerate(rows):
        kind = "email" if "@" in row.point else "phone"
        exact, wide = ring.newest_pair(kind, row.point) or (b"", b"")
        events.append(
            ConsentEvent(
                f"e{recorded.isoformat()}{number}", row.at, kind, exact, wide, ring.newest[0], row.action, row.purpose,
                row.channel, origin="command", proof_ref="p", is_own=True, is_confirmed=row.confirmed,
                expires_at=row.expires,
            )
        )  # fmt: skip
    append(session.workspace, events, recorded=recorded)


def project(root: Path, persons: list[Person]) -> None:
    for name, text in (("segctl.yaml", PROJECT), ("sources/crm.yaml", CRM)):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    lines = ["nr,email,since,mail,other,phone,person"]
    for person in persons:
        phone = next(iter(person.phones), "")
        lines.append(f"{person.nr},,2025-01-01,,{person.other},{phone},{person.nr}")
        for address, since in person.emails.items():
            lines.append(
                f"{person.nr},,{(since or START - 99 * DAY).isoformat()},{address},{person.other},{phone},{person.nr}"
            )
    (root / "crm.csv").write_text("\n".join([*lines, ""]))
    (root / "segments").mkdir(exist_ok=True)
    for purpose, channel in USES:
        for status in STATUSES:
            name = f"{purpose.replace('.', '_')}_{channel}_{status}"
            where = f"{{consent: {purpose}, channel: {channel}, status: {status}}}"
            (root / f"segments/{name}.yaml").write_text(f"segment: {name}\nwhere: {where}\n")
            if status != "none":
                lately = where.replace("}", ", within_last: 20 days}")
                (root / f"segments/{name}_lately.yaml").write_text(f"segment: {name}_lately\nwhere: {lately}\n")


def answers(session: Session, as_of: datetime, engine: str) -> dict[str, set[str]]:
    names = sorted(session.definitions.segments)
    from segctl.compile import ir
    from segctl.compile.plan import Output
    from segctl.model.types import TEXT

    person = Output("value:person", ir.StoredTrait("person", TEXT))
    frame = evaluate(
        session, names, as_of=as_of, snapshot=session.workspace.snapshot(), engine=engine, outputs=[person]
    ).frame
    return {name: set(frame.filter(frame[name])["value:person"]) for name in names} | {"": set(frame["value:person"])}


def check(root: Path, seed: int, engines: tuple[str, ...] = ("polars", "duckdb")) -> int:
    random = Random(seed)
    persons = people(random)
    project(root, persons)
    every = [p for person in persons for p in (*person.emails, *filter(None, [person.other]), *person.phones)]
    rows = ledger(random, every or ["nobody@post.example"])
    compared = 0
    with open_session(root, create=True) as session:
        ingest(session.project, session.workspace, sources_of(session.project).values(), now=START)
        written(session, rows, recorded=START + 300 * DAY)
        for engine in engines:
            # One instant anywhere, and one exactly where something begins or runs out.
            edge = random.choice(rows).at if rows else START
            edge += random.choice((0, 7, 20, 60)) * DAY + random.choice((0, 0, -1)) * timedelta(microseconds=1)
            for as_of in (START + timedelta(minutes=random.randint(1, 200_000)), edge):
                found = answers(session, as_of, engine)
                for person in persons:
                    emails = [a for a, since in person.emails.items() if since is None or since <= as_of][-1:]
                    emails += [person.other] if person.other else []
                    for purpose, channel in USES:
                        points = emails if channel == "email" else list(person.phones)
                        status, since = of_person(points, purpose, channel, rows, as_of)
                        base = f"{purpose.replace('.', '_')}_{channel}_"
                        told = [s for s in STATUSES if person.nr in found[base + s]]
                        assert told == [status], (seed, person, purpose, channel, as_of, status, told)
                        lately = since is not None and since > as_of - 20 * DAY
                        if status != "none":
                            is_lately = person.nr in found[f"{base}{status}_lately"]
                            assert is_lately == lately, (seed, person, purpose, channel, as_of, status, since)
                        compared += 1
    return compared


@pytest.mark.parametrize("seed", range(4))
def test_states_and_ages_are_those_of_a_slow_replay(tmp_path: Path, seed: int) -> None:
    assert check(tmp_path, seed) > 0


@pytest.mark.slow
def test_states_and_ages_are_those_of_a_slow_replay_many_times(tmp_path: Path) -> None:
    start, many = (
        int(os.environ.get("SEGCTL_PROPERTY_START", "0")),
        int(os.environ.get("SEGCTL_PROPERTY_EXAMPLES", "200")),
    )
    for seed in range(start, start + many):
        check(tmp_path / str(seed), seed)
