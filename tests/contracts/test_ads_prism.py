"""Google, Meta, SendGrid, RudderStack and listmonk against their API descriptions.

The stand-ins of the quick tests stand behind Prism, which checks each request of a connector and each answer of the
stand-in; so both agree with what the vendor documents. A wrong request beside them shows that it really looks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from destination_suite import NOW, PLANTED, ROWS, SECRET, VARIABLE, World, batch, finished
from fakes.google import Google
from fakes.listmonk import Listmonk
from fakes.meta import Meta
from fakes.sendgrid import SendGrid
from fakes.server import Fake, serving
from fakes.tracking import Tracking
from prism import guarded, mocked

from segctl.connectors.destinations import kind
from segctl.connectors.destinations.base import BatchRefusedError
from segctl.model.destinations import Destination
from segctl.model.errors import SegctlError
from segctl.model.secrets import forget

pytestmark = pytest.mark.slow
ASCII = tuple(replace(row, identifiers={**row.identifiers, "email": f"p{n}@example.com"}) for n, row in enumerate(ROWS))
PEOPLE = (ASCII[0], replace(ASCII[1], fields={"FN": "Jörg", "city": "Köln"}), ASCII[2])


@dataclass(frozen=True)
class Case:
    """One vendor: how its stand-in is made, how a connector reaches it, and a request that its description refuses."""

    kind: str
    description: str
    fake: Any
    options: Any
    wrong: tuple[str, str, Any]
    upstream: str = ""


CASES = (
    Case(
        "google_ads",
        "google-data-manager/datamanager-v1.openapi.json",
        lambda: Google(),
        lambda url, direct: {
            "account_id": "123-456-7890", "terms_accepted": True, "client_id": SECRET, "client_secret": SECRET,
            "refresh_token": SECRET, "base_url": url, "token_url": f"{direct}/token", "country": "DE",
        },
        ("POST", "/v1/audienceMembers:remove", {"destinations": [], "audienceMembers": [], "consent": {}}),
    ),
    Case(
        "meta",
        "meta/meta-custom-audience.openapi.json",
        lambda: Meta(PLANTED),
        lambda url, direct: {"ad_account_id": "123456", "access_token": SECRET, "base_url": url,
                             "customer_consent": True},
        ("POST", "/77/users", {"schema": ["EMAIL"], "data": []}),
    ),
    Case(
        "sendgrid",
        "sendgrid/sendgrid-marketing.json",
        lambda: SendGrid(PLANTED),
        lambda url, direct: {"api_key": SECRET, "base_url": url},
        ("PUT", "/v3/marketing/contacts", {"list_ids": ["no uuid"], "contacts": [{"email": "a@example.com"}]}),
    ),
    Case(
        "rudderstack",
        "rudderstack/rudderstack-http-v1.json",
        lambda: Tracking(PLANTED, in_context=True),
        lambda url, direct: {"write_key": SECRET, "data_plane": url, "deliver": "both"},
        ("POST", "/v1/batch", {"batch": {}}),
    ),
    Case(
        "listmonk",
        "listmonk/listmonk.json",
        lambda: Listmonk("segctl", PLANTED),
        lambda url, direct: {"base_url": url, "user": "segctl", "token": SECRET},
        ("PUT", "/subscribers/lists", {"ids": [1], "action": "subscribe", "target_list_ids": [1]}),
        upstream="/api",
    ),
)  # fmt: skip


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(VARIABLE, PLANTED)
    monkeypatch.setenv("NO_PROXY", "*")
    yield
    forget()


@contextmanager
def connected(case: Case, url: str, direct: str, tmp_path: Path) -> Iterator[Any]:
    declared = Destination("tested", case.kind, options=case.options(url, direct), allowed_hosts=("127.0.0.1",))
    world = World(tmp_path)
    with closing(kind(case.kind).connect(declared, world.around())) as connector:
        yield connector


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.kind)
def test_connector_and_stand_in_agree_with_the_description(shared: Path, tmp_path: Path, case: Case) -> None:
    fake: Fake = case.fake()
    with (
        serving(fake) as direct,
        guarded(shared / "contracts" / case.description, f"{direct}{case.upstream}") as url,
        connected(case, url, direct, tmp_path) as connector,
    ):
        audience = connector.audience("winback", "winback")
        for number, action in enumerate(("add", "add", "update", "remove")):
            sent = finished(connector, batch(PEOPLE, action, audience=audience, id=f"batch-{number}"))
            assert sent.troubles == {}, (action, sent)
        probes = connector.check()
        known = list(connector.audiences())
        members = list(connector.members(audience))
        found = audience if case.kind == "rudderstack" else connector.audience("winback", "winback")
        method, path, body = case.wrong
        with pytest.raises((BatchRefusedError, SegctlError)):
            connector.client.request(method, path, json=body)

    assert fake.wrong == []
    assert [probe.status for probe in probes if probe.status == "problem"] == []
    assert found == audience
    assert members == []
    assert bool(known) is (case.kind != "rudderstack")


@pytest.mark.parametrize("case", [CASES[1], CASES[3]], ids=lambda case: case.kind)
def test_the_description_s_own_examples_are_understood(shared: Path, tmp_path: Path, case: Case) -> None:
    """Of those whose examples need no state: what the vendor shows as an answer is read without complaint."""
    with (
        mocked(shared / "contracts" / case.description) as url,
        connected(case, url, url, tmp_path) as connector,
    ):
        sent = connector.send(batch(PEOPLE, audience="1202"))
        gone = connector.send(batch(PEOPLE, "remove", audience="1202"))

    assert {trouble.state for one in (sent, gone) for trouble in one.troubles.values()} <= {"rejected", "invalid"}
    assert NOW.tzinfo is not None
