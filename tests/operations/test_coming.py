"""What changes of profiles by itself, over real workspaces: records, rows of tables, consents, ends of segments."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import polars as pl
import pytest
from test_consent_states import DAY, START, STATUSES, USES, Person, Row, ledger, of_person, people, written
from test_consent_states import project as consent_project

from segctl.compile import ir
from segctl.compile.plan import Output
from segctl.model.times import Duration
from segctl.model.types import TEXT
from segctl.operations.coming import first_of
from segctl.operations.evaluation import evaluate, load_input, lowered_segments
from segctl.operations.evaluation import plan as planned
from segctl.operations.ingest.ingest import ingest, sources_of
from segctl.operations.session import Session, open_session

NEVER = 2**63 - 1
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
FILES = {
    "segctl.yaml": """segctl: 1
name: shop
timezone: Europe/Berlin
identifiers: {nr: {class: known}}
traits: {tier: text, nr_again: text}
events: {}
related:
  tickets: {properties: {status: text}}
""",
    "sources/crm.yaml": "source: crm\npath: crm.csv\nkey: {nr: nr}\nrecord_time: since\n"
    "profiles: {tier: tier, nr_again: again}\n",
    "sources/tickets.yaml": "source: tickets\npath: tickets.csv\nkey: {nr: nr}\nrecord_time: since\n"
    "related: {table: tickets, id: id, properties: {status: status}}\n",
    "segments/gold.yaml": "segment: gold\nwhere: {trait: tier, equals: gold}\n",
    "segments/open.yaml": "segment: open\nwhere: {related: tickets, where: {status: open}}\n",
    "segments/ending.yaml": "segment: ending\nexpires: 2026-06-01\nwhere: {trait: tier, exists: true}\n",
    # Who is there from the beginning, whose tier comes to be another, and who comes to be.
    "crm.csv": "nr,since,tier,again\n"
    "a,2026-01-01,gold,a\nb,2026-01-01,iron,b\nb,2026-04-05T10:00:00Z,gold,b\nc,2026-01-01,iron,c\nd,2026-01-01,iron,d\n",
    # A ticket that is settled, and one that comes to be another's.
    "tickets.csv": "id,nr,since,status\n"
    "1,c,2026-01-01,open\n1,c,2026-03-20T10:00:00Z,settled\n2,d,2026-01-01,open\n2,a,2026-03-25T10:00:00Z,open\n",
}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    with open_session(tmp_path, create=True) as session:
        ingest(session.project, session.workspace, sources_of(session.project).values(), now=NOW)
    return tmp_path


def due_of(session: Session, names: list[str], as_of: datetime, trait: str) -> dict[str, int]:
    asked = Output("value:who", ir.StoredTrait(trait, TEXT))
    snapshot = session.workspace.snapshot()
    found = evaluate(session, names, as_of=as_of, snapshot=snapshot, due=True, outputs=[asked])
    assert found.due is not None
    return dict(zip(found.frame["value:who"], found.due, strict=True))


def us(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1_000_000)


def test_versions_dated_ahead_are_waited_for(shop: Path) -> None:
    with open_session(shop) as session:
        found = due_of(session, ["gold"], NOW, "nr_again")

        assert found == {"a": NEVER, "b": us("2026-04-05T10:00:00+00:00"), "c": NEVER, "d": NEVER}
        assert due_of(session, ["gold"], datetime(2026, 4, 6, tzinfo=UTC), "nr_again") == dict.fromkeys("abcd", NEVER)


def test_whoever_had_a_row_and_whoever_comes_to_have_it_waits(shop: Path) -> None:
    with open_session(shop) as session:
        found = due_of(session, ["open"], NOW, "nr_again")

        moves = us("2026-03-25T10:00:00+00:00")
        assert (found["a"], found["c"], found["d"]) == (moves, us("2026-03-20T10:00:00+00:00"), moves)


def test_the_end_of_a_segment_is_everybody_s(shop: Path) -> None:
    with open_session(shop) as session:
        found = due_of(session, ["ending", "gold"], NOW, "nr_again")

        assert {found[who] for who in "acd"} == {us("2026-05-31T22:00:00+00:00")}
        assert due_of(session, ["ending"], datetime(2026, 6, 1, tzinfo=UTC), "nr_again")["a"] == NEVER


def test_profiles_that_come_to_be_are_named(shop: Path) -> None:
    with (shop / "crm.csv").open("a") as file:
        file.write("e,2026-08-01T00:00:00Z,gold,e\n")
    with open_session(shop) as session:
        # A first version holds from the beginning unless its time is declared to be its own.
        ingest(session.project, session.workspace, sources_of(session.project).values(), now=NOW)
        snapshot = session.workspace.snapshot()
        data = load_input(session, planned(lowered_segments(session, ["gold"])), as_of=NOW, snapshot=snapshot)

        assert data.later is not None
        ahead = data.later()
        unborn = ahead.join(data.profiles, on="subject", how="anti")
        assert unborn["due"].to_list() == [us("2026-08-01T00:00:00+00:00")]


@pytest.mark.parametrize(
    ("at", "expires", "length", "due"),
    [
        ("2026-03-08", "2026-03-12", Duration(7, "days"), "2026-03-12"),
        ("2026-03-08", "2026-04-12", Duration(7, "days"), "2026-03-15"),
        ("2026-02-01", "2026-03-01", Duration(7, "days"), None),
        ("2026-03-11", "2026-04-12", Duration(7, "days"), "2026-03-11"),
        # How long a month is depends on the day that asks.
        ("2026-02-20", "2026-04-12", Duration(1, "months"), "2026-03-11"),
    ],
)
def test_a_word_of_consent_begins_ends_and_grows_stale(at: str, expires: str, length: Duration, due: str) -> None:
    rows = pl.DataFrame({"point": [b"x"], "at": [us(f"{at}T00:00+00:00")], "expires": [us(f"{expires}T00:00+00:00")]})

    (found,) = first_of(rows, [length], "UTC", NOW)["due"]

    assert found == (NEVER if due is None else us(f"{due}T00:00+00:00"))


def check_consents(root: Path, seed: int) -> int:
    """How many answers, all of them before the next change told, were the same as at first."""
    random = Random(seed)
    persons = people(random)
    consent_project(root, persons)
    points = [p for person in persons for p in (*person.emails, *filter(None, [person.other]), *person.phones)]
    rows = ledger(random, points or ["nobody@post.example"])
    compared = 0
    with open_session(root, create=True) as session:
        ingest(session.project, session.workspace, sources_of(session.project).values(), now=START)
        written(session, rows, recorded=START + 300 * DAY)
        as_of = START + timedelta(minutes=random.randint(1, 200_000))
        names = [f"{p.replace('.', '_')}_{channel}_{status}" for p, channel in USES for status in STATUSES]
        found = due_of(session, names, as_of, "person")
        end = int((as_of + 200 * DAY).timestamp() * 1_000_000)
        for person in persons:
            before = statuses(person, rows, as_of)
            last = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=min(found[person.nr], end) - 1)
            span = last - as_of
            edges = [row.at + n * DAY for row in rows for n in (0, 7, 60)]
            edges += [row.expires for row in rows if row.expires is not None]
            instants = [at for at in edges if as_of < at <= last]
            for at in [last, *instants, *(as_of + span * random.random() for _ in range(5))]:
                assert statuses(person, rows, at) == before, (seed, person, as_of, at)
                compared += 1
    return compared


def statuses(person: Person, rows: list[Row], at: datetime) -> list[str]:
    """The states of all consents, by the slow replay."""
    emails = [a for a, since in person.emails.items() if since is None or since <= at][-1:]
    emails += [person.other] if person.other else []
    phones = list(person.phones)
    return [of_person(emails if c == "email" else phones, p, c, rows, at)[0] for p, c in USES]


@pytest.mark.parametrize("seed", range(3))
def test_no_consent_changes_before_it_is_told(tmp_path: Path, seed: int) -> None:
    assert check_consents(tmp_path, seed) > 0


@pytest.mark.slow
def test_no_consent_changes_before_it_is_told_many_times(tmp_path: Path) -> None:
    start, many = (int(os.environ.get(f"SEGCTL_PROPERTY_{n}", d)) for n, d in (("START", "0"), ("EXAMPLES", "200")))
    for seed in range(start, start + many):
        check_consents(tmp_path / str(seed), seed)
