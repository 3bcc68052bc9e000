"""What other commands commit while a stream is running, at any moment: nothing of it is passed over."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from operations.streaming import PROJECT, SEGMENTS, SOURCE, Shop, line, write_project

from segctl.model.consent import ConsentEvent
from segctl.operations.consent.keys import keyring_for_writing
from segctl.operations.ingest.ingest import ingest, sources_of
from segctl.operations.session import open_session
from segctl.operations.stream.checkpoint import checkpoint
from segctl.operations.stream.world import World
from segctl.state.consents import append

VIEWERS = {"viewers": SEGMENTS["viewers"]}
READERS = {
    "readers": "where:\n  all:\n    - {event: view, count: {at_least: 1}}\n    - {consent: news, channel: email}",
    "viewers": SEGMENTS["viewers"],
    "gold": "where: {trait: tier, equals: gold}",
}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A shop with a second source of events."""
    return with_others(Shop(write_project(tmp_path / "shop", VIEWERS)))


def with_others(shop: Shop) -> Shop:
    """The shop, with files that other commands ingest."""
    other = SOURCE.replace("source: web", "source: other").replace("data/", "other/")
    (shop.folder / "sources" / "other.yaml").write_text(other)
    (shop.folder / "other").mkdir()
    return shop


def others_ingest(shop: Shop, *lines: bytes, source: str = "other", folder: str = "other") -> None:
    """Another process stores lines."""
    number = len(list((shop.folder / folder).iterdir()))
    (shop.folder / folder / f"{number}.ndjson").write_bytes(b"".join(one + b"\n" for one in lines))
    with open_session(shop.folder, create=True) as session:
        chosen = [sources_of(session.project)[source]]
        for result in ingest(session.project, session.workspace, chosen, now=shop.now).sources:
            if result.error is not None:
                raise result.error


def others_consent(shop: Shop, who: str, action: str) -> None:
    """Another process writes into the ledger of consent."""
    with open_session(shop.folder) as session:
        ring = keyring_for_writing(session.project, session.workspace, now=shop.now)
        exact, tokens = ring.newest_pair("email", f"{who}@example.com")
        number = session.workspace.query("SELECT count(*) FROM consent_events")[0][0]
        word = ConsentEvent(
            f"w{number}", shop.now, "email", exact, tokens, ring.newest[0], action, "news", "email",
            origin="command", proof_ref="p", is_own=True, is_confirmed=True, expires_at=None,
        )  # fmt: skip
        append(session.workspace, [word], recorded=shop.now)


def with_consent(folder: Path) -> Shop:
    """A shop that knows addresses, tiers and consent of ann and bob; its sources are `web`, `other` and `crm`."""
    shop = with_others(Shop(write_project(folder, READERS)))
    (folder / "segctl.yaml").write_text(
        PROJECT + "traits: {mail: {type: text, personal: true}, tier: text}\ncontact_points: {email: mail}\n"
        "consent: {double_opt_in: [], confirm_within: 7 days}\npurposes: {news: {basis: consent, channels: [email]}}\n"
    )
    (folder / "sources" / "crm.yaml").write_text(
        "source: crm\nkind: file\npath: crm/*.ndjson\nkey: {customer_id: nr}\nprofiles: {mail: mail, tier: tier}\n"
    )
    (folder / "crm").mkdir()
    others_ingest(shop, *(card(who) for who in ("ann", "bob")), source="crm", folder="crm")
    return shop


def card(who: str, tier: str = "plain") -> bytes:
    """What the CRM says of somebody."""
    return json.dumps({"nr": who, "mail": f"{who}@example.com", "tier": tier}).encode()


def test_what_others_store_between_a_look_and_a_checkpoint_counts(shop: Shop) -> None:
    with shop.stream() as stream:
        shop.at(10)
        shop.write(line("b0", "bob", 2))
        stream.turn()
        checkpoint(stream.state)
        others_ingest(shop, line("b1", "bob", 6))
        checkpoint(stream.state)
        in_force = shop.members()

    assert in_force == shop.heard.members() == {"viewers": {"bob"}}


def test_what_others_store_while_everybody_is_asked_counts(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    start = World.start

    def slow(world: World) -> object:
        moved = start(world)
        monkeypatch.setattr(World, "start", start)
        others_ingest(shop, line("b1", "bob", 6))
        return moved

    shop.at(10)
    others_ingest(shop, line("b0", "bob", 2))
    monkeypatch.setattr(World, "start", slow)
    with shop.stream() as stream:
        stream.turn()

    assert shop.members() == shop.heard.members() == {"viewers": {"bob"}}


def test_somebody_whom_only_another_command_has_met_counts(shop: Shop) -> None:
    with shop.stream() as stream:
        shop.at(10)
        shop.write(line(1, "ann", 5))
        stream.turn()
        others_ingest(shop, line(2, "bob", 5), line(3, "bob", 6))
        stream.turn()

    assert shop.heard.members() == {"viewers": {"bob"}}


def test_somebody_new_in_a_batch_with_a_correction_counts(tmp_path: Path) -> None:
    shop = Shop(write_project(tmp_path / "shop", VIEWERS, source=SOURCE + "corrections: replace\n"))
    with shop.stream() as stream:
        shop.at(10)
        shop.write(line(1, "ann", 5))
        stream.turn()
        shop.write(line(1, "ann", 4), line(2, "bob", 6), line(3, "bob", 7))
        stream.turn()

    assert shop.heard.members() == {"viewers": {"bob"}}


def test_consent_that_is_withdrawn_before_a_checkpoint_counts(tmp_path: Path) -> None:
    shop = with_consent(tmp_path / "shop")
    others_consent(shop, "ann", "grant")
    with shop.stream() as stream:
        shop.at(10)
        shop.write(line(1, "ann", 5))
        stream.turn()
        before = shop.heard.members()
        shop.at(11)
        others_consent(shop, "ann", "withdraw")
        checkpoint(stream.state)
        in_force = shop.members()

    assert before == {"readers": {"ann"}}
    assert in_force == shop.heard.members() == {}


def test_consent_that_is_withdrawn_while_everybody_is_asked_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = with_consent(tmp_path / "shop")
    others_consent(shop, "ann", "grant")
    others_ingest(shop, line(1, "ann", -5))
    start = World.start

    def slow(world: World) -> object:
        moved = start(world)
        monkeypatch.setattr(World, "start", start)
        others_consent(shop, "ann", "withdraw")
        return moved

    monkeypatch.setattr(World, "start", slow)
    with shop.stream() as stream:
        before = shop.members()
        shop.now += timedelta(minutes=1)
        stream.turn()

    assert before == {"readers": {"ann"}}
    assert [(change.profile, change.entered) for change in shop.heard.changes] == [("ann", False)]
    assert shop.members() == {}
