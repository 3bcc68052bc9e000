"""Seconds that planning an audience of a million members takes, by part: gate, audience, delta.

    python tests/benchmarks/audience.py [--people 1000000]

Everybody has consent on record. The destination knows all but 1 % of the people, 1 % with other fields, and 1 % who are
no members any more. A yardstick of plain Python before and after tells a busy machine from slow work.
"""

from __future__ import annotations

import argparse
import gc
import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "operations"))

from audience_shop import NOW, put_in_force, shop, write_records

from segctl.model.consent import ConsentEvent, Decision, Purpose, Use
from segctl.model.destinations import Destination
from segctl.model.types import TEXT, stored_column
from segctl.operations.audience.audience import audiences
from segctl.operations.consent.keys import keyring_for_writing
from segctl.operations.gate import Gate
from segctl.operations.push.parts import Wanted, part
from segctl.operations.session import Session
from segctl.state import consents
from segctl.state.deliveries import ledger_audience
from segctl.state.subjects import Subjects

MAIL = Destination("mail", "fake_service", purposes=("newsletter",), fields=(("first_name", "first_name"),))
MAILS = stored_column("email", TEXT)


class step:  # noqa: N801 - reads as a statement
    """Adds up the CPU seconds of a part under its name, without those of the parts within it."""

    spent: dict[str, float] = {}  # noqa: RUF012 - one report for the process
    within = 0.0

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        self.before, step.within = step.within, 0.0
        self.cpu = time.process_time()

    def __exit__(self, *_: object) -> None:
        cpu = time.process_time() - self.cpu
        self.spent[self.name] = self.spent.get(self.name, 0.0) + cpu - step.within
        step.within = self.before + cpu


class TimedGate:
    """A gate whose seconds count apart."""

    def __init__(self, gate: Gate) -> None:
        self.gate, self.head, self.size = gate, gate.head, gate.size

    def tokens(self, kind: str, values: Sequence[str | None]) -> list[bytes | None]:
        with step("gate: tokens"):
            return self.gate.tokens(kind, values)

    def decide(self, points: Sequence[Sequence[bytes | None]], use: Use) -> list[Decision]:
        with step("gate: decide"):
            return self.gate.decide(points, use)


def main() -> None:
    """Print CPU seconds a part, and memory."""
    gc.set_threshold(400_000, 20, 50)  # as the program does
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1_000_000)
    people = parser.parse_args().people
    with tempfile.TemporaryDirectory() as folder:
        session = filled(Path(folder), people)
        yardstick()
        gate = TimedGate(Gate.open(session, now=NOW))
        (found,) = audiences(session, gate, now=NOW)
        told(session, found.rows)
        step.spent.clear()
        with step("gate: read the ledger"):
            gate = TimedGate(Gate.open(session, now=NOW))
        with step("audience"):
            (found,) = audiences(session, gate, now=NOW)
        ledger = ledger_audience(session.workspace, "mail", "readers")
        wanted = Wanted(
            "readers",
            MAIL,
            "mirror",
            "newsletter",
            found.use,
            found.rows,
            ledger,
            there=found.there,
            places=found.places,
        )
        with step("delta"):
            made = part(session.workspace, gate, wanted)  # type: ignore[arg-type]  # asks for decisions alone
        for name, seconds in step.spent.items():
            print(f"{name:26} {seconds:6.2f} s CPU")  # noqa: T201 - the report
        print(f"{'beyond the gate':26} {step.spent['audience'] + step.spent['delta']:6.2f} s CPU")  # noqa: T201 - likewise
        yardstick()
        print(*(f"{one.name} {one.left} {dict(one.reasons)}" for one in found.waterfall), sep="; ")  # noqa: T201 - likewise
        print(found.rows.height, "told,", made.additions, "new,", made.removals, "gone")  # noqa: T201 - likewise
        print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:,.0f} MB")  # noqa: T201 - likewise


def yardstick() -> None:
    """Seconds of a fixed piece of work."""
    start, counts = time.process_time(), dict[int, int]()
    for i in range(3_000_000):
        counts[i % 1000] = counts.get(i % 1000, 0) + i
    print(f"{'yardstick':26} {time.process_time() - start:6.2f} s CPU")  # noqa: T201 - the report


def declared(folder: Path, to: Destination = MAIL) -> Session:
    """A project with one segment and one destination."""
    session = shop(folder, [{"email": "x@post.example"}], {"readers": []}, destinations=[to])
    project = replace(session.project, purposes=(Purpose("newsletter", channels=("email",)),))
    return Session(replace(session.definitions, project=project), session.workspace, session.lists)


def filled(folder: Path, people: int) -> Session:
    """A workspace with records, consents and members of one segment."""
    session = declared(folder)
    project, workspace, numbers = session.project, session.workspace, pl.Series("n", range(people))
    ids = numbers.cast(pl.String)
    resolver = Subjects(workspace, project.identifiers)
    resolver.resolve(pl.Series(["customer_id"] * people), ids)
    count = people + 1
    subjects = pl.int_range(1, count, dtype=pl.Int32, eager=True).alias("subject")
    frame = pl.select(
        pl.lit(subjects), pl.format("person.{}@post{}.example", numbers, numbers % 97).alias(MAILS),
        pl.format("Anna {}", numbers % 1000).alias(stored_column("first_name", TEXT)),
    )  # fmt: skip
    write_records(workspace, frame, "shop")
    put_in_force(workspace, pl.DataFrame({"subject": pl.int_range(count, dtype=pl.Int32, eager=True),
                                          "readers": pl.int_range(count, eager=True) > 0}))  # fmt: skip
    ring = keyring_for_writing(project, workspace, now=NOW)
    consents.append(workspace, granted(ring, frame[MAILS]), recorded=NOW)
    return session


def granted(ring: object, mails: pl.Series) -> Iterator[ConsentEvent]:
    """One confirmed consent a person."""
    for n, mail in enumerate(mails):
        pair = ring.newest_pair("email", mail)
        yield ConsentEvent(f"{n}", NOW, "email", *pair, ring.newest[0], "grant", purpose="newsletter",
                           channel="email", proof_ref="form", is_confirmed=True)  # fmt: skip


def told(session: Session, rows: pl.DataFrame) -> None:
    """The destination's ledger as an earlier push left it."""
    number = ledger_audience(session.workspace, "mail", "readers", purpose="newsletter", channel="email").id
    place = pl.int_range(pl.len()) % 100
    before = rows.select("key", "digest", "profile_id", "id:email").filter(place != 0)
    gone = before[: len(before) // 100].with_columns(key=pl.lit("f") + pl.col("key").str.slice(1)).unique("key")
    before = pl.concat([before, gone.join(before, on="key", how="anti")])
    before = before.with_columns(digest=pl.when(place == 1).then(pl.lit("other")).otherwise("digest")).sort("key")
    statement = (
        "INSERT INTO delivered (audience, key, profile, state, digest, is_unsure, identifiers, batch)"
        " VALUES (?, ?, ?, 'accepted', ?, 0, ?, 0)"
    )
    with session.workspace.transaction() as db:
        db.executemany(statement, ((number, key, profile, digest, json.dumps({"email": mail}))
                                   for key, digest, profile, mail in before.iter_rows()))  # fmt: skip


if __name__ == "__main__":
    main()
