"""Mailing services in bad weather: after any history of faults and a quiet end, who is there is who should be.

A small push of our own stands for the engine: it repeats what it is not sure of, halves what is refused, never waits,
and keeps a ledger. What a connector calls accepted, rejected or unknown must agree with what the stand-in really did.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from destination_suite import PLANTED, SECRET, VARIABLE, World, batch
from fakes.activecampaign import FakeActiveCampaign
from fakes.brevo import FakeBrevo
from fakes.cleverreach import GROUP, FakeCleverReach
from fakes.hubspot import FakeHubSpot
from fakes.klaviyo import FakeKlaviyo
from fakes.mailchimp import LIST, FakeMailchimp
from fakes.server import Fake, Fault, serving

from segctl.connectors.destinations import abilities, kind
from segctl.connectors.destinations.base import (
    Action,
    BatchRefusedError,
    Connector,
    NotNowError,
    Row,
    Sent,
    UnknownOutcomeError,
    by_key,
)
from segctl.model.destinations import Destination

PEOPLE = tuple(Row(f"{n:032}", {"email": f"p{n}@example.com"}, {"first_name": f"P{n}"}) for n in range(30))
FAULTS: tuple[Fault, ...] = (
    "lost_before", "lost_after", "truncated", "error_after", "too_many", "unavailable", "broken", "too_large",
)  # fmt: skip
OPTIONS: dict[str, Callable[[str], dict[str, Any]]] = {
    "activecampaign": lambda url: {"url": url, "api_key": SECRET},
    "brevo": lambda url: {"base_url": f"{url}/v3", "api_key": SECRET},
    "cleverreach": lambda url: {
        "base_url": f"{url}/v3", "client_id": SECRET, "client_secret": SECRET, "group": GROUP,
        "new_receivers": "inactive",
    },
    "hubspot": lambda url: {"base_url": url, "token": SECRET},
    "klaviyo": lambda url: {"base_url": url, "api_key": SECRET},
    "mailchimp": lambda url: {
        "base_url": f"{url}/3.0", "api_key": SECRET, "list": LIST, "new_members": "transactional",
    },
}  # fmt: skip
FAKES: dict[str, type[Fake]] = {
    "activecampaign": FakeActiveCampaign, "brevo": FakeBrevo, "cleverreach": FakeCleverReach,
    "hubspot": FakeHubSpot, "klaviyo": FakeKlaviyo, "mailchimp": FakeMailchimp,
}  # fmt: skip


@dataclass
class Ledger:
    """What is known of a destination: who was accepted, and who may be there.

    Attributes:
        accepted: Key → id there.
        open: Keys of whom nobody knows.
    """

    accepted: dict[str, str | None] = field(default_factory=dict)
    open: set[str] = field(default_factory=set)

    def settle(self, rows: tuple[Row, ...], action: Action, sent: Sent, *, was_open: set[str]) -> None:
        """Writes down what became of a batch."""
        for row in rows:
            trouble = sent.troubles.get(row.key)
            if trouble is None:
                self.open.discard(row.key)
                if action == "add":
                    self.accepted[row.key] = sent.known_as.get(row.key, self.accepted.get(row.key))
                else:
                    self.accepted.pop(row.key, None)
            elif trouble.state == "unknown" or row.key in was_open:
                self.open.add(row.key)


def push(connector: Connector, ledger: Ledger, wanted: set[str], audience: str, *, size: int) -> None:
    """Removals and then additions, each tried a few times."""
    rows = {row.key: row for row in PEOPLE}
    leaving = sorted((ledger.accepted.keys() | ledger.open) - wanted)
    told = [replace(rows[key], known_as=ledger.accepted.get(key)) for key in leaving]
    entering = [rows[key] for key in sorted(wanted - ledger.accepted.keys() | (wanted & ledger.open))]
    for action, people in (("remove", told), ("add", entering)):
        for start in range(0, len(people), size):
            _send(connector, ledger, tuple(people[start : start + size]), action, audience, tries=3)  # type: ignore[arg-type]  # two actions


def _send(
    connector: Connector, ledger: Ledger, rows: tuple[Row, ...], action: Action, audience: str, *, tries: int
) -> None:
    was_open = ledger.open & {row.key for row in rows}
    for _ in range(tries):
        try:
            sent = connector.send(batch(rows, action, audience=audience))
            for _ in range(60):
                if sent.job is None:
                    break
                try:
                    sent = connector.poll(sent.job)
                except NotNowError:
                    continue
            sent = by_key(sent, [row.key for row in rows])
        except NotNowError:
            continue
        except UnknownOutcomeError:
            ledger.open |= {row.key for row in rows}
            was_open = {row.key for row in rows}
            continue
        except BatchRefusedError:
            if len(rows) > 1:
                for half in (rows[: len(rows) // 2], rows[len(rows) // 2 :]):
                    _send(connector, ledger, half, action, audience, tries=tries)
            return
        ledger.settle(rows, action, sent, was_open=was_open)
        return


def inside(fake: Any, audience: str) -> set[str]:
    """Addresses that are really there."""
    if isinstance(fake, FakeKlaviyo):
        return {fake.profiles[one]["email"] for one in fake.members[audience]}
    if isinstance(fake, FakeHubSpot):
        return {fake.contacts[one]["email"] for one in fake.members[audience]}
    if isinstance(fake, FakeMailchimp):
        return {fake.members[one]["email_address"] for one in fake.inside[audience]}
    found: set[str] = fake.inside(audience)
    return found


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", sorted(FAKES))
def test_after_all_faults_who_is_there_is_who_should_be(
    name: str, seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weather(name, seed, tmp_path, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(FAKES))
def test_many_histories_end_so(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(100, 200):
        weather(name, seed, tmp_path, monkeypatch)


def weather(name: str, seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One history: pushes of changing audiences while the service fails, and a quiet one at the end."""
    monkeypatch.setenv(VARIABLE, PLANTED)
    random, fake, ledger = Random(f"{name}{seed}"), FAKES[name](PLANTED), Ledger()  # type: ignore[call-arg]  # all take one
    can_fail = fake.can_fail
    # Faults fall between the calls of a batch as well as on the first one.
    fake.can_fail = lambda asked: can_fail(asked) and random.random() < 0.3
    with serving(fake) as url:
        declared = Destination("tested", name, options=OPTIONS[name](url), allowed_hosts=("127.0.0.1",))
        with closing(kind(name).connect(declared, World(tmp_path).around())) as connector:
            audience = connector.audience("winback", "winback")
            emails = {row.key: row.identifiers["email"] for row in PEOPLE}
            size = min(abilities(declared).batch_rows, 25)
            for _ in range(4):
                wanted = set(random.sample(sorted(emails), random.randrange(5, 28)))
                if isinstance(fake, FakeHubSpot):
                    fake.is_reversed, fake.traces_results = random.random() < 0.5, random.random() < 0.5
                fake.faults.extend(random.choices(FAULTS, k=random.randrange(6)))
                push(connector, ledger, wanted, audience, size=size)
                there = inside(fake, audience)
                # Nobody is there whom the ledger knows nothing of, and whom it calls accepted is there.
                assert there <= {emails[key] for key in ledger.accepted.keys() | ledger.open}
                assert {emails[key] for key in ledger.accepted.keys() - ledger.open} <= there
            fake.faults.clear()
            push(connector, ledger, wanted, audience, size=size)

            assert inside(fake, audience) == {emails[key] for key in wanted}
            assert (ledger.accepted.keys(), ledger.open) == (wanted, set())
            assert {member.identifiers["email"] for member in connector.members(audience)} == inside(fake, audience)
    assert fake.wrong == []
