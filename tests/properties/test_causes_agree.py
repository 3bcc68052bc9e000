"""The cause that a run stores is the one that a slow replay finds, on random worlds between two runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from oracle import answers
from oracle_data import Event, Profile, Record, World

from segctl.model.project import Definitions
from segctl.operations.apply import apply
from segctl.operations.causes.words import kind_of
from segctl.operations.ingest.ingest import ingest, sources_of
from segctl.operations.session import open_session

T0, T1 = datetime(2026, 11, 12, 12, tzinfo=UTC), datetime(2026, 11, 16, 12, tzinfo=UTC)
DAY = timedelta(days=1)
PROJECT = """segctl: 1
name: world
timezone: Europe/Berlin
identifiers: {nr: {class: known}}
traits: {country: text, tier: text}
events: {order: {properties: {value: integer}}, visit: {properties: {value: integer}}}
"""
CRM = "source: crm\npath: crm*.csv\nkey: {nr: nr}\nrecord_time: since\nprofiles: {country: country, tier: tier}\n"
SHOP = (
    "source: shop\npath: shop*.csv\nkey: {nr: nr}\ncorrections: replace\n"
    "events: [{event: {column: what}, time: at, id: id, properties: {value: value}}]\n"
)
LEAVES = (
    "{trait: tier, equals: gold}",
    "{trait: country, in: [DE, AT]}",
    "{event: order, within_last: 5 days}",
    "{event: order, count: {at_least: 2}}",
    "{event: order, sum: {of: value, at_least: 6}}",
    "{event: visit, count: 0, within_last: 3 days}",
    "{event: visit, between: [4 days ago, 1 day ago]}",
    "{event: [order, visit], last: {older_than: 2 days}}",
    "{event: order, last_value: {of: value, above: 4}}",
    "{sequence: [{event: visit, within_last: 6 days}, {then_not: {event: order, within: 1 day}}]}",
)


@dataclass
class Rows:
    """What lies in the files after the first run, and what the second one finds besides."""

    records: list[tuple[str, datetime, str, str]] = field(default_factory=list)
    events: list[tuple[str, str, str, datetime, int]] = field(default_factory=list)

    def write(self, root: Path, number: int) -> None:
        crm = [f"{nr},{at.isoformat()},{country},{tier}" for nr, at, country, tier in self.records]
        shop = [f"{what},{id_},{nr},{at.isoformat()},{value}" for what, id_, nr, at, value in self.events]
        (root / f"crm{number}.csv").write_text("\n".join(["nr,since,country,tier", *crm, ""]))
        (root / f"shop{number}.csv").write_text("\n".join(["what,id,nr,at,value", *shop, ""]))


def condition(random: Random) -> str:
    leaves = [leaf if random.random() < 0.8 else f"{{not: {leaf}}}" for leaf in random.sample(LEAVES, 2)]
    return f"{{{random.choice(['all', 'any'])}: [{', '.join(leaves)}]}}" if random.random() < 0.7 else leaves[0]


def instant(random: Random, first: float, last: float) -> datetime:
    """Between so many days around the first run, on the minute, now and then at the run itself."""
    if random.random() < 0.05:
        return T0 if first <= 0 else T1
    return T0 + timedelta(minutes=round(random.uniform(first, last) * 1440))


def rows(random: Random, *, first: float, last: float, people: list[str], name: str, number: int) -> Rows:
    found = Rows()
    for at in range(number):
        found.events.append(
            (random.choice(["order", "visit"]), f"{name}{at}", random.choice(people), instant(random, first, last),
             random.randint(1, 9))
        )  # fmt: skip
    for nr in people:
        if random.random() < 0.4:
            at = instant(random, first, last)
            found.records.append((nr, at, random.choice(["DE", "AT", "CH"]), random.choice(["gold", "silver"])))
    return found


class Case:
    """One world between two runs, as files and as the oracle sees it."""

    def __init__(self, root: Path, seed: int) -> None:
        self.random, self.root = Random(seed), root
        people = [str(nr) for nr in range(1, 9)]
        self.before = rows(self.random, first=-10, last=0, people=people, name="a", number=25)
        self.after = rows(self.random, first=0, last=4, people=[*people, "9"], name="b", number=12)
        late = rows(self.random, first=-10, last=0, people=people, name="c", number=self.random.choice([0, 4]))
        self.after.events += late.events
        if self.random.random() < 0.5:
            what, id_, nr, at, _ = self.before.events[0]
            self.after.events.append((what, id_, nr, at, 8))

    def run(self) -> Iterator[tuple[str, str, bool, str | None, str | None]]:
        """(segment, profile, entered, stored kind, kind that the slow replay finds)."""
        from segctl.state.memberships import diff
        from segctl.state.runs import runs
        from segctl.state.subjects import Subjects

        for name, text in (("segctl.yaml", PROJECT), ("sources/crm.yaml", CRM), ("sources/shop.yaml", SHOP)):
            (self.root / name).parent.mkdir(exist_ok=True)
            (self.root / name).write_text(text)
        (self.root / "segments").mkdir()
        names = [f"s{at}" for at in range(6)]
        for name in names:
            (self.root / f"segments/{name}.yaml").write_text(f"segment: {name}\nwhere: {condition(self.random)}\n")
        old, was = self._apply(self.before, 1, T0)
        if self.random.random() < 0.4:
            (self.root / "segments/s0.yaml").write_text(f"segment: s0\nwhere: {condition(self.random)}\n")
        new, now = self._apply(self.after, 2, T1)
        with open_session(self.root) as session:
            later, earlier = runs(session.workspace)
            moves = diff(session.workspace, earlier, later).moves
            ids = dict(Subjects(session.workspace).table().select("subject", "profile_id").collect().iter_rows())
        found = {(row[0], ids[row[1]]): (row[2], row[4]) for row in moves.iter_rows()}
        for name in names:
            for nr in sorted(was[name] ^ now[name]):
                entered, line = found.pop((name, nr))
                assert entered == (nr in now[name])
                yield name, nr, entered, kind_of(line), self.expected(old, new, name, nr, entered)
        assert not found

    def _apply(self, more: Rows, number: int, at: datetime) -> tuple[Definitions, dict[str, frozenset[str]]]:
        more.write(self.root, number)
        with open_session(self.root, create=True) as session:
            ingest(session.project, session.workspace, sources_of(session.project).values(), now=at)
            apply(session, as_of=at, started=at)
            definitions = session.definitions
        events = [*self.before.events] if number == 1 else self.known_events({"late", "mended", "fresh"})
        records = self.before.records if number == 1 else [*self.before.records, *self.after.records]
        return definitions, answers(world(definitions, records, events, at)).members

    def known_events(self, parts: set[str]) -> list[tuple[str, str, str, datetime, int]]:
        """Events of the first run with some of what came since."""
        again = {event[1] for event in self.before.events} & {event[1] for event in self.after.events}
        kept = [e for e in self.before.events if e[1] not in again or "mended" not in parts]
        for event in self.after.events:
            part = "mended" if event[1] in again else "late" if event[3] <= T0 else "fresh"
            kept += [event] if part in parts else []
        return kept

    def expected(self, old: Definitions, new: Definitions, name: str, nr: str, entered: bool) -> str | None:
        """The first step, in the fixed order, with which the answer is the new one."""
        for kind, made in self.steps(old, new, nr):
            if (nr in answers(made).members[name]) == entered:
                return kind
        return None

    def steps(self, old: Definitions, new: Definitions, nr: str) -> Iterator[tuple[str, World]]:
        yield from self.steps_at(T0, new, nr)
        yield "time_passed", world(old, self.before.records, self.known_events(set()), T1)
        yield from self.steps_at(T1, new, nr)

    def steps_at(self, at: datetime, new: Definitions, nr: str) -> Iterator[tuple[str, World]]:
        """What becomes known one after the other, asked at one instant."""
        records, more = self.before.records, self.after.records
        more = [(n, min(since, T0) if at == T0 and since <= T1 else since, c, t) for n, since, c, t in more]
        parts: set[str] = set()

        def made(known: list[tuple[str, datetime, str, str]]) -> World:
            events = self.known_events(parts)
            return world(new, known, early(events, nr) if at == T0 else events, at)

        yield "definition_changed", made(records)
        yield "profile_new", with_ghost(made(records), nr)
        for part, kind in (("mended", "event_replaced"), ("late", "late_event")):
            parts.add(part)
            yield kind, with_ghost(made(records), nr)
        yield "trait_changed", with_ghost(made([*records, *more]), nr)
        parts.add("fresh")
        yield "event_arrived", with_ghost(made([*records, *more]), nr)


def early(events: list[tuple[str, str, str, datetime, int]], nr: str) -> list[tuple[str, str, str, datetime, int]]:
    """New events of one person as if they had come right before the first run."""
    fresh = sorted((e for e in events if e[2] == nr and T0 < e[3] <= T1), key=lambda e: (e[3], e[1]))
    moved = {e[1]: T0 - timedelta(microseconds=len(fresh) - 1 - at) for at, e in enumerate(fresh)}
    return [(what, id_, who, moved.get(id_, at), value) for what, id_, who, at, value in events]


def world(
    definitions: Definitions,
    records: list[tuple[str, datetime, str, str]],
    events: list[tuple[str, str, str, datetime, int]],
    as_of: datetime,
) -> World:
    people = [str(nr) for nr in range(1, 10)]
    profiles = tuple(
        Profile(
            nr,
            (int(nr),),
            tuple(
                Record("crm", arrival, {"country": c, "tier": t}, at, subject=int(nr))
                for arrival, (who, at, c, t) in enumerate(records)
                if who == nr
            ),
            (("nr", nr),),
        )
        for nr in people
    )
    found = tuple(Event(int(nr), what, at, "shop", id_, {"value": value}) for what, id_, nr, at, value in events)
    return World(definitions, profiles, found, as_of)


def with_ghost(of: World, nr: str) -> World:
    """The world in which somebody is there, with nothing known."""
    return replace(of, events=(*of.events, Event(int(nr), "ghost", T0 - timedelta(microseconds=1), "", "")))


def check(folder: Path, seed: int) -> int:
    """How many moves were confirmed."""
    folder.mkdir()
    moves = list(Case(folder, seed).run())
    wrong = [move for move in moves if move[3] != move[4]]
    assert wrong == [], f"seed {seed}"
    return len(moves)


@pytest.mark.parametrize("seed", range(6))
def test_the_stored_cause_is_the_one_a_slow_replay_finds(tmp_path: Path, seed: int) -> None:
    assert check(tmp_path / "world", seed) > 0


@pytest.mark.slow
def test_many_more_worlds(tmp_path: Path) -> None:
    for seed in range(100, 400):
        check(tmp_path / str(seed), seed)
