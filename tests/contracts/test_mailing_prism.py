"""Klaviyo and ActiveCampaign against their API descriptions: what is sent is what the vendor documents.

A description has no state and answers the same example each time, so first each call is made against it alone; then the
stand-in of the quick tests stands behind Prism, which checks what is asked and what the stand-in answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from destination_suite import NOW, PLANTED, ROWS, SECRET, VARIABLE, batch, finished
from fakes.activecampaign import FakeActiveCampaign
from fakes.klaviyo import FakeKlaviyo
from fakes.server import serving
from prism import guarded, mocked

from segctl.connectors.destinations import kind
from segctl.connectors.destinations.base import Around, BatchRefusedError, Connector, Row
from segctl.connectors.destinations.klaviyo import IMPORTS, import_job, profile
from segctl.model.destinations import Destination
from segctl.model.errors import SegctlError

pytestmark = pytest.mark.slow
KLAVIYO = "klaviyo/klaviyo-2026-07-15.json"
ACTIVECAMPAIGN = "activecampaign/activecampaign-v3.json"
ASCII = tuple(replace(row, identifiers={"email": f"p{n}@example.com"}) for n, row in enumerate(ROWS))
MANY = (*ASCII, *(Row(f"{n:032}", {"email": f"m{n}@example.com"}, {"7": "x"}) for n in range(9)))


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, PLANTED)
    monkeypatch.setenv("NO_PROXY", "*")


@contextmanager
def connected(name: str, tmp_path: Path, **options: Any) -> Iterator[Connector]:
    declared = Destination("tested", name, options={"api_key": SECRET, **options})
    with closing(
        kind(name).connect(declared, Around("tested", tmp_path, NOW, sleep=lambda seconds: None))
    ) as connector:
        yield connector


def test_klaviyos_description_takes_what_is_sent(shared: Path, tmp_path: Path) -> None:
    rows = tuple(replace(row, known_as=f"01GDDKASAP8TKDDA2GRZDSVP4{n}") for n, row in enumerate(ROWS))
    rich = replace(ROWS[0], fields={"first_name": None, "location.city": "Köln", "clv": 12.5, "tags": ["a"]})
    with mocked(shared / "contracts" / KLAVIYO) as url, connected("klaviyo", tmp_path, base_url=url) as connector:
        audience = connector.audience("winback", "winback")
        job = connector.send(batch((rich, *ROWS[1:]), audience=audience)).job
        assert job is not None
        # The description's example of a job is a cancelled one: an end.
        ended = connector.poll(job)
        removed = connector.send(batch(rows, "remove", audience=audience))
        updated = connector.send(batch(ROWS, "update", audience=audience))
        members, lists = list(connector.members(audience)), list(connector.audiences())
        probes = connector.check()
        nobody = connector.send(batch((replace(rich, fields={}),), "remove", audience=audience))
        # That the description is really looked at:
        bare = import_job([profile(rich)], audience)
        bare["data"]["attributes"]["profiles"] = bare["data"]["attributes"]["profiles"]["data"]
        with pytest.raises(BatchRefusedError):
            connector.client.request("POST", IMPORTS, json=bare)  # type: ignore[attr-defined]  # of this connector

    assert [told.code for told in ended.troubles.values()] == ["cancelled"] * 3
    assert removed.troubles == nobody.troubles == {}
    assert updated.job is not None
    assert members
    assert lists
    assert [probe.status for probe in probes] == ["ok"] * len(probes)


def test_klaviyo_and_its_stand_in_agree_with_the_description(shared: Path, tmp_path: Path) -> None:
    fake = FakeKlaviyo(PLANTED)
    fake.failing = {"p1@example.com"}
    with (
        serving(fake) as upstream,
        guarded(shared / "contracts" / KLAVIYO, upstream) as url,
        connected("klaviyo", tmp_path, base_url=url) as connector,
    ):
        audience = connector.audience("winback", "winback")
        sent = finished(connector, batch(ASCII, audience=audience))
        there = [member.identifiers["email"] for member in connector.members(audience)]
        finished(connector, batch(ASCII[:1], "remove", audience=audience))
        left = [member.identifiers["email"] for member in connector.members(audience)]

    assert fake.wrong == []
    assert list(sent.troubles) == [ASCII[1].key]
    assert there == ["p0@example.com", "p2@example.com"]
    assert left == ["p2@example.com"]


def test_activecampaigns_description_takes_what_is_sent(shared: Path, tmp_path: Path) -> None:
    with (
        mocked(shared / "contracts" / ACTIVECAMPAIGN) as url,
        connected("activecampaign", tmp_path, url=url) as connector,
    ):
        # Tags themselves are not in the description; their associations are.
        connector._tags["20"] = "winback"  # type: ignore[attr-defined]  # of this connector
        # The id of its example contact is no number, so it cannot be tagged; the stand-in's can.
        single = connector.send(batch(ASCII[:1], "update", audience="20"))
        bulk = connector.send(batch(MANY, audience="20"))
        assert bulk.job is not None
        polled = connector.poll(bulk.job)
        found = next(connector.members("20"))
        probes = connector.check()
        with pytest.raises(SegctlError) as nowhere:
            connector.audience("winback", "winback")

    assert single.troubles == {}
    assert polled.job is None
    assert found.known_as
    assert [probe.status for probe in probes] == ["ok"] * len(probes)
    assert nowhere.value.code == "SEG901"


def test_activecampaign_and_its_stand_in_agree_with_the_description(shared: Path, tmp_path: Path) -> None:
    fake = FakeActiveCampaign(PLANTED)
    fake.tags["20"], fake.failing = "winback", {"m3@example.com"}
    with (
        serving(fake) as upstream,
        guarded(shared / "contracts" / ACTIVECAMPAIGN, upstream) as url,
        connected("activecampaign", tmp_path, url=url) as connector,
    ):
        connector._tags["20"] = "winback"  # type: ignore[attr-defined]  # of this connector
        single = finished(connector, batch(ASCII, audience="20"))
        bulk = finished(connector, batch(MANY, audience="20"))
        there = {member.identifiers["email"] for member in connector.members("20")}

    assert fake.wrong == []
    assert single.troubles == {}
    assert len(bulk.troubles) == 1
    assert there == {row.identifiers["email"] for row in MANY} - {"m3@example.com"}
