"""A small shop that lives on step by step: rows come, people merge, rules and lists change, the clock goes on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
from oracle import answers
from oracle_data import Event, Profile, Record, World
from oracle_related import Row as TicketRow

from segctl.model.consent import ConsentEvent
from segctl.operations.apply import Applied, apply
from segctl.operations.compact import compact
from segctl.operations.consent.keys import keyring_for_writing
from segctl.operations.hot_columns import build_copies, wanted_columns
from segctl.operations.ingest.ingest import ingest, sources_of
from segctl.operations.session import Session, open_session
from segctl.state.consents import append
from segctl.state.identity import canonical, record_identity
from segctl.state.runs import run_segments, runs
from segctl.state.subjects import Subjects, subject_count

START = datetime(2026, 3, 24, 9, tzinfo=UTC)
PEOPLE = 14
PROJECT = """segctl: 1
name: world
timezone: Europe/Berlin
identifiers: {nr: {class: known}}
traits: {country: text, tier: text, born: date, mail: {type: text, personal: true}}
events: {order: {properties: {value: integer}}, visit: {properties: {value: integer}}}
related:
  tickets: {properties: {status: text}}
  countrymen: {same: country, others_only: true}
"""
WIDE = """
contact_points: {email: mail}
consent: {double_opt_in: [], confirm_within: 7 days}
purposes: {news: {basis: consent, channels: [email], stale_after: 9 days}}
"""
CRM = """source: crm
path: crm*.csv
key: {nr: nr}
record_time: since
profiles: {country: country, tier: tier, born: born, mail: mail}
"""
SHOP = (
    "source: shop\npath: shop*.csv\nkey: {nr: nr}\ncorrections: replace\n"
    "events: [{event: {column: what}, time: at, id: id, properties: {value: value}}]\n"
)
DESK = """source: desk
path: desk.csv
key: {nr: nr}
picture: full
related: {table: tickets, id: ticket, properties: {status: status}}
"""
CALLS = """source: calls
path: calls*.csv
key: {nr: nr}
record_time: since
related: {table: tickets, id: ticket, properties: {status: status}}
"""
TRAITS = """traits:
  spend: {event: order, sum: {of: value}}
  age: {formula: years_since(born)}
  recent: {event: order, within_last: 5 days, count: {}}
  spend_score: {score: spend, groups: 3, best: high}
"""
LEAVES = (
    "{trait: tier, equals: gold}",
    "{trait: country, in: [DE, AT]}",
    "{trait: tier, changed: {within_last: 2 days}}",
    "{trait: age, at_least: 30}",
    "{event: order, within_last: 5 days}",
    "{event: order, count: {at_least: 2}}",
    "{event: order, sum: {of: value, at_least: 6}}",
    "{event: visit, count: 0, within_last: 3 days}",
    "{event: visit, between: [4 days ago, 1 day ago]}",
    "{event: [order, visit], last: {older_than: 2 days}}",
    "{event: order, last_value: {of: value, above: 4}}",
    "{event: order, within_last: 3 calendar days}",
    "{trait: born, anniversary: {within_next: 2 calendar days}}",
    "{sequence: [{event: visit, within_last: 6 days}, {then_not: {event: order, within: 1 day}}]}",
    "{list: vips.txt, identifier: nr}",
    "{related: tickets, where: {status: open}}",
    "{related: tickets, where: {status: open}}",
    "{related: tickets, count: 0}",
    "{related: tickets, count: {at_least: 2}}",
    "{sample: {percent: 40}}",
    "{trait: spend_score, at_least: 2}",
    "{segment: base}",
    "{segment: best}",
)
WIDER = (
    "{consent: news, channel: email}",
    "{consent: news, channel: email, status: expired}",
    "{consent: news, channel: email, within_last: 4 days}",
    "{related: countrymen, where: {event: order, within_last: 4 days}, count: {at_least: 2}}",
    "{trait: tier, equals: gold, missing: error}",
    "{event: order, last_value: {of: value, above: 4}, missing: error}",
)
KEEPS = (
    "",
    "",
    "keep: {top: 30 %, by: spend}\n",
    "keep: {top: 3, by: spend}\n",
    "keep: {bottom: 50 %, by: recent, per: country}\n",
)
Row = tuple[str, str, str, datetime, int]


def address(nr: str) -> str:
    """Of a person."""
    return f"p{nr}@post.example"


class Shop:
    """The project, its workspace, and all that was told to it.

    Attributes:
        root: Where the project is.
        now: As_of of the next run.
        wide: With consents, colleagues and values that must not be missing, which the oracle is not told of.
    """

    def __init__(self, root: Path, seed: int, *, wide: bool = False) -> None:
        self.random, self.root, self.now, self.wide = Random(seed), root, START, wide
        self.leaves = (*LEAVES, *WIDER, *WIDER) if wide else LEAVES
        self.events: dict[str, Row] = {}
        self.records: list[tuple[str, datetime, str, str, str]] = []
        self.files = self.words = 0
        self.desk: dict[str, tuple[str, str]] = {}
        self.rows: list[tuple[str, str, str, str | None, datetime | None]] = []
        for name, text in (
            ("segctl.yaml", PROJECT + WIDE * wide), ("sources/crm.yaml", CRM), ("sources/shop.yaml", SHOP),
            ("sources/desk.yaml", DESK), ("sources/calls.yaml", CALLS),
            ("traits/all.yaml", TRAITS),
        ):  # fmt: skip
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (root / "segments").mkdir()
        self.vips()
        self.segment("base", refer=False)
        self.segment("best", keep=KEEPS[2], refer=False)
        for at in range(5):
            self.segment(f"s{at}")
        self.more_records(whole=True)
        self.more_events(40, first=-12, last=0)
        self.tickets()
        self.calls()
        self.ingested()

    # --- What happens ---------------------------------------------------------------------------------------
    def happens(self) -> str:
        """One thing or several, and its name."""
        steps: tuple[tuple[str, Callable[[], object]], ...] = (
            ("events", lambda: self.more_events(self.random.randint(1, 5), first=-0.5, last=0)),
            ("late events", lambda: self.more_events(self.random.randint(1, 3), first=-12, last=-3)),
            ("future events", lambda: self.more_events(1, first=0, last=0.9)),
            ("events again", lambda: self.again(other=False)),
            ("corrections", lambda: self.again(other=True)),
            ("records", self.more_records),
            ("tickets", self.tickets),
            ("tickets", self.tickets),
            ("calls", self.calls),
            ("a merge", self.merge),
            ("an unmerge", self.unmerge),
            ("a definition", lambda: self.segment(self.random.choice(["base", "s0", "s1", "s2", "s5"]))),
            ("another keep", lambda: self.segment("best", keep=self.random.choice(KEEPS), refer=False)),
            ("a segment goes", lambda: (self.root / "segments/s5.yaml").unlink(missing_ok=True)),
            ("a list", self.vips),
            ("compaction", self.compacted),
            ("compaction", self.compacted),
            ("nothing", lambda: None),
        )
        more = (("a word", self.word), ("a word", self.word), ("a word", self.word))
        name, step = self.random.choice((*steps, *more) if self.wide else steps)
        step()
        self.ingested()
        self.now += self.random.choice(
            [timedelta(0), timedelta(minutes=1), timedelta(hours=7), timedelta(days=1), timedelta(days=2, hours=5)]
        )
        return name

    def more_events(self, number: int, *, first: float, last: float) -> None:
        for _ in range(number):
            what, nr = self.random.choice(["order", "visit"]), str(self.random.randint(1, PEOPLE + 2))
            at = self.now + timedelta(minutes=round(self.random.uniform(first, last) * 1440))
            self._event((what, f"e{len(self.events)}", nr, at, self.random.randint(1, 9)))

    def again(self, *, other: bool) -> None:
        """Events that come twice, as they were or with another value."""
        for id_ in self.random.sample(sorted(self.events), 2):
            what, _, nr, at, value = self.events[id_]
            self._event((what, id_, nr, at, value + 3 if other else value))

    def more_records(self, *, whole: bool = False) -> None:
        known = len(self.records)
        for nr in range(1, PEOPLE + 1):
            if whole or self.random.random() < 0.2:
                days = -20 if whole else self.random.choice([-5.0, -0.1, 0.0, 0.8])
                self.records.append((
                    str(nr), self.now + timedelta(days=days), self.random.choice(["DE", "AT", "CH"]),
                    self.random.choice(["gold", "silver"]), f"{self.random.randint(1990, 1998)}-03-2{nr % 10}",
                ))  # fmt: skip
        self.files += 1
        lines = (f"{nr},{at.isoformat()},{c},{t},{born},{address(nr)}\n" for nr, at, c, t, born in self.records[known:])
        (self.root / f"crm{self.files:04}.csv").write_text("nr,since,country,tier,born,mail\n" + "".join(lines))

    def tickets(self) -> None:
        """A full picture of the desk's tickets: some come, some change or go over to somebody else, some are gone."""
        for ticket in self.random.sample([f"T{at}" for at in range(8)], 3):
            status, nr = self.random.choice(["open", "done"]), str(self.random.randint(1, PEOPLE + 2))
            before = self.desk.pop(ticket, None)
            if before is None or self.random.random() < 0.5:
                self.desk[ticket] = nr, status
            if before is not None and ticket not in self.desk:
                self.rows.append(("desk", ticket, before[0], None, self.now))
            elif before != self.desk[ticket]:
                # The first version of a row holds from the beginning.
                is_known = any(row[:2] == ("desk", ticket) for row in self.rows)
                self.rows.append(("desk", ticket, nr, status, self.now if is_known else None))
        lines = (f"{ticket},{nr},{status}\n" for ticket, (nr, status) in self.desk.items())
        (self.root / "desk.csv").write_text("ticket,nr,status\n" + "".join(lines))

    def calls(self) -> None:
        """Dated versions of further tickets, also late ones and such of tomorrow."""
        self.files += 1
        rows = []
        for _ in range(2):
            ticket, nr = f"T{self.random.randrange(4)}", str(self.random.randint(1, PEOPLE + 2))
            at = self.now + timedelta(days=self.random.choice([-5, -0.1, 0, 0.8]))
            rows.append(("calls", ticket, nr, self.random.choice(["open", "done"]), at))
            self.rows.append(rows[-1])
        lines = (f"{ticket},{nr},{status},{at.isoformat()}\n" for _, ticket, nr, status, at in rows)
        (self.root / f"calls{self.files:04}.csv").write_text("ticket,nr,status,since\n" + "".join(lines))

    def merge(self) -> None:
        with open_session(self.root) as session:
            owners = self._owners(session)
            one, other = self.random.sample(range(len(owners)), 2)
            owners = [owners[one] if of == owners[other] else of for of in owners]
            self._identity(session, owners)

    def unmerge(self) -> None:
        with open_session(self.root) as session:
            owners = self._owners(session)
            apart = self.random.choice(owners)
            self._identity(session, [at if of == apart else of for at, of in enumerate(owners)])

    def segment(self, name: str, *, keep: str | None = None, refer: bool = True) -> None:
        keep = self.random.choice(KEEPS) if keep is None else keep
        leaves = [leaf for leaf in self.leaves if refer or "segment" not in leaf]
        where = [leaf if self.random.random() < 0.8 else f"{{not: {leaf}}}" for leaf in self.random.sample(leaves, 2)]
        if name == "base":
            keep, where = "", [leaf for leaf in where if "segment" not in leaf] or [LEAVES[0]]
        text = f"{{{self.random.choice(['all', 'any'])}: [{', '.join(where)}]}}"
        (self.root / f"segments/{name}.yaml").write_text(f"segment: {name}\nwhere: {text}\n{keep}")

    def word(self) -> None:
        """Somebody says something about being contacted, or about being evaluated at all."""
        at = self.now - timedelta(days=self.random.choice([0, 0.1, 3, 8.9]))
        action = self.random.choice(["grant", "grant", "grant", "withdraw", "object_profiling", "object_marketing"])
        about = ("news", "email") if action in ("grant", "withdraw") else (None, None)
        ends = at + timedelta(days=self.random.choice([2, 5])) if self.random.random() < 0.4 else None
        with open_session(self.root) as session:
            ring = keyring_for_writing(session.project, session.workspace, now=self.now)
            exact, tokens = ring.newest_pair("email", address(str(self.random.randint(1, PEOPLE)))) or (b"", b"")
            self.words += 1
            event = ConsentEvent(
                f"w{self.words}", at, "email", exact, tokens, ring.newest[0], action, *about, origin="command",
                proof_ref="p", is_own=True, is_confirmed=True, expires_at=ends if action == "grant" else None,
            )  # fmt: skip
            append(session.workspace, [event], recorded=self.now)

    def vips(self) -> None:
        numbers = sorted(self.random.sample(range(1, PEOPLE + 1), 4))
        (self.root / "vips.txt").write_text("".join(f"{nr}\n" for nr in numbers))

    def compacted(self) -> None:
        self.ingested()
        compact(self.root, env=None, now=self.now, vacuum=self.random.random() < 0.3)
        with open_session(self.root) as session:
            build_copies(session.workspace, wanted_columns(session), rows_at_least=1)

    # --- What is asked --------------------------------------------------------------------------------------
    def ingested(self) -> None:
        with open_session(self.root, create=True) as session:
            ingest(session.project, session.workspace, sources_of(session.project).values(), now=self.now)

    def applied(self, *, full: bool = False, root: Path | None = None) -> tuple[Applied, dict[str, Any]]:
        """A run, and everything that it left on record."""
        with open_session(root or self.root) as session:
            done = apply(session, as_of=self.now, started=self.now, full=full)
            run = runs(session.workspace)[0]
            changes = [
                pl.read_parquet(file.path)
                for file in session.workspace.files("changes")
                if file.meta["runs"] == [run.number, run.number]
            ]
            names = {row["id"]: row["name"] for row in session.workspace.query("SELECT id, name FROM segments")}
            return done, {
                "status": run.status.value,
                "note": json.dumps(dict(run.note), sort_keys=True),
                "definitions": run.definitions,
                "profiles": done.profiles,
                "segments": [replace(one, run="") for one in run_segments(session.workspace, run)],
                "changes": sorted(
                    (names[s], subject, entered, str(effective), str(cause))
                    for frame in changes
                    for _, s, subject, entered, effective, cause in frame.iter_rows()
                ),
            }

    def beside(self, root: Path) -> dict[str, Any]:
        """What a full run in a copy of the project leaves on record."""
        shutil.copytree(self.root, root)
        try:
            return self.applied(full=True, root=root)[1]
        finally:
            shutil.rmtree(root)

    def expected(self) -> dict[str, frozenset[str]]:
        """Members by the oracle."""
        with open_session(self.root) as session:
            return answers(self._world(session)).members

    def found(self) -> dict[str, frozenset[str]]:
        """Members in force."""
        from segctl.state.memberships import members, sizes

        with open_session(self.root) as session:
            ids = Subjects(session.workspace).table().select("profile_id").collect()["profile_id"]
            return {
                name: frozenset(ids.gather(members(session.workspace, name)).to_list())
                for name in sizes(session.workspace)
            }

    # --- Behind it ------------------------------------------------------------------------------------------
    def _event(self, row: Row) -> None:
        self.files += 1
        self.events[row[1]] = row
        what, id_, nr, at, value = row
        (self.root / f"shop{self.files:04}.csv").write_text(
            f"what,id,nr,at,value\n{what},{id_},{nr},{at.isoformat()},{value}\n"
        )

    def _identity(self, session: Session, owners: list[int]) -> None:
        array = pl.Series("canonical", owners, dtype=pl.Int32)
        record_identity(session.workspace, array, kind="dedupe", at=self.now, counts={})

    def _owners(self, session: Session) -> list[int]:
        found = canonical(session.workspace)
        return list(range(subject_count(session.workspace))) if found is None else found.to_list()

    def _world(self, session: Session) -> World:
        table = Subjects(session.workspace).table().select("subject", "value", "profile_id").collect()
        owners, numbers, ids = self._owners(session), table["value"].to_list(), table["profile_id"].to_list()
        people = []
        for own in sorted(set(owners)):
            subjects = (own, *(at for at, of in enumerate(owners) if of == own and at != own))
            records = tuple(
                Record("crm", arrival, {"country": c, "tier": t, "born": datetime.fromisoformat(b).date()}, at,
                       subject=numbers.index(nr))
                for arrival, (nr, at, c, t, b) in enumerate(self.records)
                if numbers.index(nr) in subjects
            )  # fmt: skip
            identifiers = tuple(("nr", numbers[at]) for at in subjects)
            people.append(Profile(ids[own], subjects, records, identifiers))
        events = tuple(
            Event(numbers.index(nr), what, at, "shop", id_, {"value": value})
            for what, id_, nr, at, value in self.events.values()
        )
        rows = tuple(
            TicketRow(
                "tickets", source, ticket, numbers.index(nr), arrival, {"status": status}, at, gone=status is None
            )
            for arrival, (source, ticket, nr, status, at) in enumerate(self.rows)
        )
        lists = {("vips.txt", None): frozenset((self.root / "vips.txt").read_text().split())}
        return World(session.definitions, tuple(people), events, self.now, lists, rows)
