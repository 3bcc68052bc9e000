"""Advertising, tracking and self-hosted mailing services in bad weather, as `test_mailing_chaos` does it for others."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
import test_mailing_chaos
from destination_suite import PLANTED, SECRET, VARIABLE, World
from fakes.google import Google
from fakes.listmonk import Listmonk
from fakes.mautic import Mautic
from fakes.meta import Meta
from fakes.sendgrid import SendGrid
from fakes.server import serving
from fakes.sfmc import Sfmc
from fakes.tracking import Tracking
from test_mailing_chaos import FAULTS, Ledger, push

from segctl.connectors.destinations import kind
from segctl.connectors.destinations.base import Batch, Row, Sent
from segctl.model.destinations import Destination

PEOPLE = tuple(
    Row(f"{n:032}", {"external_id": f"C-{n}", "email": f"p{n}@example.com"}, {"first_name": f"P{n}"}) for n in range(30)
)


@dataclass(frozen=True)
class Service:
    """How a kind is reached, and who is in an audience there, each by the value under one identifier of `seen_as`."""

    fake: Callable[[], Any]
    options: Callable[[str], dict[str, Any]]
    inside: Callable[[Any, str], set[str]]
    by: str = "email"
    has_tokens: bool = False


def _members(fake: Any, audience: str) -> set[str]:
    return {value for one in fake.people[audience] for value in (one.values() if isinstance(one, dict) else one)}


SERVICES: dict[str, Service] = {
    "google_ads": Service(
        Google,
        lambda url: {"account_id": "1234567890", "terms_accepted": True, "client_id": SECRET, "client_secret": SECRET,
                     "refresh_token": SECRET, "base_url": url, "token_url": f"{url}/token"},
        _members, has_tokens=True),
    "meta": Service(
        lambda: Meta(PLANTED),
        lambda url: {"ad_account_id": "123456", "access_token": SECRET, "base_url": url}, _members),
    "sendgrid": Service(
        lambda: SendGrid(PLANTED), lambda url: {"api_key": SECRET, "base_url": url},
        lambda fake, audience: {fake.contacts[n]["email"] for name, n in fake.inside if name == audience}),
    "segment": Service(
        lambda: Tracking(PLANTED, in_context=False),
        lambda url: {"write_key": SECRET, "region": "eu", "base_url": url, "deliver": "both"},
        lambda fake, audience: {name for name, told in fake.traits.items() if told.get(audience) is True},
        by="external_id"),
    "listmonk": Service(
        lambda: Listmonk("segctl", PLANTED),
        lambda url: {"base_url": f"{url}/api", "user": "segctl", "token": SECRET},
        lambda fake, audience: {
            fake.subscribers[n]["email"] for n, name in fake.subscriptions if name == int(audience)
        }),
    "mautic": Service(
        lambda: Mautic("segctl", PLANTED),
        lambda url: {"base_url": f"{url}/api", "client_id": SECRET, "client_secret": SECRET},
        lambda fake, audience: {fake.contacts[n]["email"] for name, n in fake.inside if name == int(audience)},
        has_tokens=True),
    "sfmc": Service(
        lambda: Sfmc(PLANTED),
        lambda url: {"subdomain": "mc", "client_id": SECRET, "client_secret": SECRET, "base_url": url, "auth_url": url},
        lambda fake, audience: {
            row["EmailAddress"] for row in fake.rows[audience].values() if row["InSegment"] is True
        },
        has_tokens=True),
}  # fmt: skip


class Numbered:
    """A connector whose batches have ids of their own, the same on every try, as those of a push have."""

    def __init__(self, connector: Any) -> None:
        self.connector, self.push = connector, 0

    def send(self, told: Batch) -> Sent:
        """With an id of push, action and rows."""
        rows = tuple(row.key for row in told.rows)
        found: Sent = self.connector.send(replace(told, id=f"{self.push}-{told.action}-{hash(rows)}"))
        return found

    def poll(self, job: str) -> Sent:
        """As it is."""
        found: Sent = self.connector.poll(job)
        return found


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", sorted(SERVICES))
def test_after_all_faults_who_is_there_is_who_should_be(
    name: str, seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weather(name, seed, tmp_path, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SERVICES))
def test_many_histories_end_so(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(100, 200):
        weather(name, seed, tmp_path, monkeypatch)


def weather(name: str, seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One history: pushes of changing audiences while the service fails, and a quiet one at the end."""
    monkeypatch.setenv(VARIABLE, PLANTED)
    monkeypatch.setattr(test_mailing_chaos, "PEOPLE", PEOPLE)
    service, random, ledger = SERVICES[name], Random(f"{name}{seed}"), Ledger()
    fake = service.fake()
    # Faults fall on looking up, making and changing people as well.
    fake.can_fail = lambda asked: asked.method != "GET" and "token" not in asked.path and random.random() < 0.3
    with serving(fake) as url:
        fake.url = url
        declared = Destination("tested", name, options=service.options(url), allowed_hosts=("127.0.0.1",))
        with closing(kind(name).connect(declared, World(tmp_path).around())) as plain:
            connector = Numbered(plain)
            audience = plain.audience("winback", "winback")
            names = {row.key: dict(plain.seen_as(row))[service.by] for row in PEOPLE}
            for number in range(4):
                connector.push = number
                wanted = set(random.sample(sorted(names), random.randrange(5, 28)))
                if name in ("mautic", "sfmc"):
                    fake.is_reversed = random.random() < 0.5
                fake.faults.extend(random.choices(FAULTS, k=random.randrange(6)))
                if service.has_tokens and "expired" not in fake.faults:
                    fake.faults.append("expired")
                push(connector, ledger, wanted, audience, size=25)  # type: ignore[arg-type]  # all that it needs of one
                there = service.inside(fake, audience) & set(names.values())
                # Nobody is there whom the ledger knows nothing of, and whom it calls accepted is there.
                assert there <= {names[key] for key in ledger.accepted.keys() | ledger.open}
                assert {names[key] for key in ledger.accepted.keys() - ledger.open} <= there
            fake.faults.clear()
            connector.push += 1
            push(connector, ledger, wanted, audience, size=25)  # type: ignore[arg-type]  # all that it needs of one

            assert service.inside(fake, audience) & set(names.values()) == {names[key] for key in wanted}
            assert (ledger.accepted.keys(), ledger.open) == (wanted, set())
    assert fake.wrong == []
