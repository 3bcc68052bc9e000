"""Three kinds of drift between ledger and destination, found and repaired."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from audience_shop import NOW, FakeGate, offer, shop

from segctl.connectors.destinations.base import Abilities, Batch, Member, NotNowError, Remote, Row, Sent
from segctl.model.errors import TemporaryError, UsageError
from segctl.operations import gate as gates
from segctl.operations.contacted import record
from segctl.operations.push.push import Asked, push
from segctl.operations.push.result import Pushed
from segctl.operations.reconcile import Compared, compare
from segctl.operations.reconcile_repair import repair
from segctl.operations.session import Session
from segctl.state.deliveries_log import pushes

ABILITIES = Abilities(("email",), "email", 100, "esp", reads_back=True)


class Service:
    """Lists of addresses that know what they were told; small letters become capitals there."""

    def __init__(self) -> None:
        self.lists: dict[str, dict[str, Mapping[str, Any]]] = {}
        self.is_down = False
        self.called: dict[str, str] = {}

    def audience(self, segment: str, name: str) -> str:
        assert segment
        self.lists.setdefault(f"list-{name}", {})
        return f"list-{name}"

    def send(self, batch: Batch) -> Sent:
        there = self.lists[batch.audience]
        for row in batch.rows:
            address = row.identifiers["email"].upper()
            if batch.action == "remove":
                there.pop(address, None)
            else:
                there[address] = row.fields
        return Sent()

    def seen_as(self, row: Row) -> Mapping[str, str]:
        return {kind: value.upper() for kind, value in row.identifiers.items()}

    def members(self, audience: str) -> Iterator[Member]:
        if self.is_down:
            raise NotNowError("the service is down")
        return (Member({"email": address}) for address in self.lists[audience])

    def audiences(self) -> Iterator[Remote]:
        return (Remote(id_, self.called.get(id_, id_), len(there)) for id_, there in self.lists.items())

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    found = Service()
    offer(ABILITIES)
    monkeypatch.setattr(sys.modules["fake_destination"], "connect", lambda *_: found, raising=False)
    monkeypatch.setattr(gates.Gate, "open", classmethod(lambda *_, **__: OpenGate()))
    return found


class OpenGate(FakeGate):
    def refresh(self) -> frozenset[bytes]:
        return frozenset()


@pytest.fixture
def session(service: Service, tmp_path: Path) -> Session:
    people = [{"email": f"p{i}@post.example"} for i in range(6)]
    made = shop(tmp_path, people, {"winback": range(4), "vip": [4, 5]}, abilities=ABILITIES)
    module: Any = sys.modules["fake_destination"]
    module.connect = lambda *_: service
    push(made, Asked(), now=NOW)
    return made


def states(found: Compared) -> dict[str, tuple[str, int, int]]:
    return {one.segment: (one.state, len(one.missing), len(one.foreign)) for one in found.audiences}


def mended(session: Session, **more: Any) -> Pushed:
    return repair(session, compare(session, "mail", now=NOW), now=NOW, agree=lambda _: None, **more)


def test_what_was_pushed_is_there(session: Session) -> None:
    found = compare(session, "mail", now=NOW)

    assert not found.has_drift
    assert states(found) == {"winback": ("ok", 0, 0), "vip": ("ok", 0, 0)}


def test_missing_people_are_told_again_without_a_new_contact(session: Session, service: Service) -> None:
    record(session.workspace)
    del service.lists["list-winback"]["P2@POST.EXAMPLE"]

    found = compare(session, "mail", now=NOW)
    assert states(found)["winback"] == ("drift", 1, 0)
    assert [one.profile_id for audience in found.audiences for one in audience.missing] == ["c2"]
    mended(session)

    assert "P2@POST.EXAMPLE" in service.lists["list-winback"]
    assert not compare(session, "mail", now=NOW).has_drift
    assert record(session.workspace) == 0


def test_foreign_people_stay_unless_it_is_said_otherwise(session: Session, service: Service) -> None:
    service.lists["list-winback"]["FREMD@POST.EXAMPLE"] = {}

    assert states(compare(session, "mail", now=NOW))["winback"] == ("drift", 0, 1)
    mended(session)
    assert "FREMD@POST.EXAMPLE" in service.lists["list-winback"]

    mended(session, remove_foreign=True)
    assert sorted(service.lists["list-winback"]) == [f"P{i}@POST.EXAMPLE" for i in range(4)]
    assert not compare(session, "mail", now=NOW).has_drift


def test_an_audience_that_is_gone_is_made_again(session: Session, service: Service) -> None:
    del service.lists["list-winback"]

    assert states(compare(session, "mail", now=NOW))["winback"] == ("gone", 4, 0)
    mended(session)

    assert len(service.lists["list-winback"]) == 4


def test_an_orphaned_audience_is_emptied(session: Session, service: Service) -> None:
    segments = dict(session.definitions.segments)
    segments["vip"] = replace(segments["vip"], send_to=())
    now_without = replace(session, definitions=replace(session.definitions, segments=segments))

    assert states(compare(now_without, "mail", now=NOW))["vip"] == ("orphaned", 0, 0)
    done = mended(now_without)

    assert done.id == pushes(now_without.workspace)[0].id
    assert service.lists["list-vip"] == {}
    assert states(compare(now_without, "mail", now=NOW))["vip"] == ("ok", 0, 0)
    assert len(service.lists["list-winback"]) == 4


def test_an_audience_that_no_push_made_is_named(session: Session, service: Service) -> None:
    service.lists["by hand"] = {"X@POST.EXAMPLE": {}}

    assert compare(session, "mail", now=NOW).unknown == (("by hand", "by hand", 1),)


def test_a_service_that_is_down_changes_nothing(session: Session, service: Service) -> None:
    service.is_down = True

    with pytest.raises(TemporaryError) as caught:
        compare(session, "mail", now=NOW)

    assert caught.value.code == "SEG856"


def test_a_destination_that_cannot_be_read_says_so(session: Session) -> None:
    offer(replace(ABILITIES, reads_back=False))

    with pytest.raises(UsageError) as caught:
        compare(session, "mail", now=NOW)

    assert caught.value.code == "SEG855"


def put_in(session: Session, audience: str, *subjects: int, state: Any = "done") -> None:
    """As a workflow does."""
    from segctl.state.workflows import Books, Effect, effect_key

    Books(session.workspace).write(
        intended=[
            Effect(
                effect_key("care", f"c{one}", "x", audience), one, "care", "v", one, f"c{one}", "x", "put", "add",
                "mail", audience, None, "email", state, None, 1, 2,
            )
            for one in subjects
        ]
    )  # fmt: skip


def test_whom_workflows_put_into_audiences_is_looked_for_and_nobody_is_foreign_for_it(
    session: Session, service: Service
) -> None:
    put_in(session, "carts", 0, 1)
    put_in(session, "carts", 2, state="unknown")
    put_in(session, "winback", 5)
    put_in(session, "lost", 3)
    service.lists["list-carts"] = {"P0@POST.EXAMPLE": {}, "FREMD@POST.EXAMPLE": {}}
    service.lists["list-winback"]["P5@POST.EXAMPLE"] = {}
    service.called = {"list-carts": "carts", "list-winback": "winback"}

    found = compare(session, "mail", now=NOW)

    assert states(found) == {
        "carts": ("drift", 1, 1), "lost": ("gone", 1, 0), "vip": ("ok", 0, 0), "winback": ("ok", 0, 0),
    }  # fmt: skip
    carts = next(one for one in found.audiences if one.segment == "carts")
    assert [one.profile_id for one in carts.missing] == ["c1"]
    assert (carts.ledger, carts.there, carts.open, carts.by_workflow) == (2, 2, 1, True)
    assert found.unknown == ()


def test_a_repair_leaves_alone_what_workflows_fill(session: Session, service: Service) -> None:
    put_in(session, "carts", 0, 1)
    put_in(session, "winback", 5)
    service.lists["list-carts"] = {"FREMD@POST.EXAMPLE": {}}
    service.lists["list-winback"]["P5@POST.EXAMPLE"] = {}
    service.called = {"list-carts": "carts", "list-winback": "winback"}

    mended(session, remove_foreign=True)

    assert sorted(service.lists["list-carts"]) == ["FREMD@POST.EXAMPLE"]
    assert "P5@POST.EXAMPLE" in service.lists["list-winback"]


def test_a_list_that_another_segment_took_over_is_that_ones_alone(session: Session, service: Service) -> None:
    mail = replace(session.definitions.destinations["mail"], audiences=(("winback", "vip"), ("vip", "winback")))
    swapped = replace(session, definitions=replace(session.definitions, destinations={"mail": mail}))
    push(swapped, Asked(), now=NOW)

    assert states(compare(swapped, "mail", now=NOW)) == {"winback": ("ok", 0, 0), "vip": ("ok", 0, 0)}
    mended(swapped, remove_foreign=True)
    assert [len(service.lists[name]) for name in ("list-vip", "list-winback")] == [4, 2]
