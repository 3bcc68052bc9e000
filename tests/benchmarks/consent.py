"""Seconds that the gate takes for a million contact points: reading the ledger, tokens, decisions.

    python tests/benchmarks/consent.py [--people 1000000]

Eight of ten people have consent on record, one of four by request and confirmation; one of twenty withdrew.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from segctl.consent.tokens import Keyring
from segctl.model.consent import ConsentEvent, Purpose, Use
from segctl.model.project import Definitions, Project
from segctl.operations.consent.keys import keyring_for_writing
from segctl.operations.gate import Gate
from segctl.operations.session import Session
from segctl.state import consents
from segctl.state.workspace import Workspace

NOW = datetime(2026, 11, 22, tzinfo=UTC)
USE = Use("newsletter", "email")


def main() -> None:
    """Print one line a step: seconds on the clock, and CPU."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1_000_000)
    people = parser.parse_args().people
    with tempfile.TemporaryDirectory() as folder, Workspace.open(Path(folder) / "ws", create=True) as workspace:
        project = Project(folder, "benchmark", purposes=(Purpose("newsletter", channels=("email",)),))
        session = Session(Definitions(project, {}, {}), workspace, None)
        mails = [f"person.{n}@post{n % 97}.example" for n in range(people)]
        ring = keyring_for_writing(project, workspace, now=NOW)
        with step("write"):
            consents.append(workspace, history(ring, mails), recorded=NOW)
        with step("the gate"):
            with step("  read the ledger"):
                gate = Gate.open(session, now=NOW)
            with step("  tokens"):
                tokens = gate.tokens("email", mails)
            with step("  decide"):
                decisions = gate.decide(list(zip(tokens, strict=True)), USE)
        batches = [[(token,) for token in tokens[at : at + 1_000]] for at in range(0, min(people, 100_000), 1_000)]
        with step(f"{len(batches)} batches of 1,000"):
            for batch in batches:
                gate.decide(batch, USE)
        with step("refresh without news"):
            gate.refresh()
        print(gate.head, "rows;", Counter(decision.reason for decision in decisions))  # noqa: T201 - the report
        print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:,.0f} MB")  # noqa: T201 - likewise


class step:  # noqa: N801 - reads as a statement
    """Prints how long its block took."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        self.clock, self.cpu = time.perf_counter(), time.process_time()

    def __exit__(self, *_: object) -> None:
        clock, cpu = time.perf_counter() - self.clock, time.process_time() - self.cpu
        print(f"{self.name:24} {clock:8.2f} s, {cpu:6.2f} s CPU", flush=True)  # noqa: T201 - likewise


def history(ring: Keyring, mails: list[str]) -> Iterator[ConsentEvent]:
    """Rows of the ledger of eight people of ten."""
    for n, mail in enumerate(mails[: len(mails) * 8 // 10]):
        pair = ring.newest_pair("email", mail)
        assert pair is not None
        asked, given = NOW - timedelta(days=9), {"purpose": "newsletter", "channel": "email", "proof_ref": "form"}
        first = "grant" if n % 4 else "request"
        common = ("email", *pair, ring.newest[0])
        yield ConsentEvent(f"{n}", asked, *common, first, is_confirmed=bool(n % 4), **given)
        if first == "request":
            yield ConsentEvent(f"{n}c", NOW - timedelta(days=8), *common, "confirm", **given)
        if n % 20 == 0:
            yield ConsentEvent(f"{n}w", NOW - timedelta(days=7), *common, "withdraw")


if __name__ == "__main__":
    main()
