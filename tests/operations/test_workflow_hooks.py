"""Audiences and tasks of workflows at a webhook: what it is told, with which id, and who is taken out again."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from workflow_shop import NOON, Shop, copied, later

from segctl.operations.session import open_session
from segctl.state.workflows import Books

HEAD = "purpose: news\ntrigger: {entered: full_cart}\n"


class Hook:
    """An address that remembers what it was told; `answers` are given first, then 200; some people never pass."""

    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.answers: list[int] = []
        self.never: dict[str, int] = {}

    def answer(self, body: dict[str, Any]) -> int:
        never = [self.never[one] for one in people(body) if one in self.never]
        return never[0] if never else self.answers.pop(0) if self.answers else 200


@pytest.fixture
def hook() -> Iterator[tuple[Hook, int]]:
    found = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found.told.append((self.headers["webhook-id"], body))
            self.send_response(found.answer(body))
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield found, server.server_port
    server.shutdown()
    server.server_close()


def shop_with(folder: Path, port: int, steps: str) -> Shop:
    shop = copied(folder)
    shop.write(
        "destinations/hook.yaml",
        f"destination: hook\nkind: webhook\npurposes: [news]\nurl: http://127.0.0.1:{port}/hook\nallow_private: true\n"
        "identify: {email: email}\n",
    )
    shop.workflow(f"{HEAD}steps:\n{steps}")
    for one in (0, 1):
        shop.says(one, "grant", "news")
    shop.events((0, "added", NOON), (1, "added", NOON), (2, "added", NOON), at=later(minutes=10))
    return shop


def people(body: dict[str, Any]) -> list[str]:
    return sorted(one["identifiers"]["email"] for one in body["data"]["people"])


def test_who_withdraws_leaves_the_audience_that_a_workflow_put_them_into(
    tmp_path: Path, hook: tuple[Hook, int]
) -> None:  # fmt: skip
    shop = shop_with(tmp_path, hook[1], "- {add: carts, to: hook, name: put}\n")

    shop.run(later(minutes=20))
    before = shop.run(later(minutes=30))
    shop.says(1, "withdraw", "news")
    ran = shop.run(later(minutes=40))
    again = shop.run(later(minutes=50))

    assert [(body["data"]["audience"], people(body)) for _, body in hook[0].told] == [
        ("carts", ["p0@example.org", "p1@example.org"]), ("carts", ["p1@example.org"]),
    ]  # fmt: skip
    assert hook[0].told[0][1]["type"] != hook[0].told[1][1]["type"]
    assert before.handled.is_empty
    assert ran.handled.effects == {("cart", "put.withdrawn", "done"): 1}
    assert again.handled.is_empty


def test_a_task_has_its_effects_key_as_id_and_is_repeated_with_it(tmp_path: Path, hook: tuple[Hook, int]) -> None:
    shop = shop_with(tmp_path, hook[1], "- {task: Call back, to: hook, name: call, fields: {priority: high}}\n")
    shop.run(later(minutes=20))
    with open_session(shop.folder) as session:
        effects = Books(session.workspace).effects("state = 'done'")
        with session.workspace.transaction() as db:  # as if the process had ended before the answer of the first
            db.execute("UPDATE workflow_effects SET state = 'sending' WHERE key = ?", (effects[0].key,))
            db.execute("UPDATE workflow_instances SET state = 'active', step = 'call' WHERE id = ?",
                       (effects[0].instance,))  # fmt: skip

    shop.run(later(minutes=30))

    ids = [name for name, _ in hook[0].told]
    assert ids == [effects[0].key, effects[1].key, effects[0].key]
    data = hook[0].told[0][1]["data"]
    assert (data["title"], data["priority"], data["workflow"], data["step"]) == ("Call back", "high", "cart", "call")
    with open_session(shop.folder) as session:
        assert {one.state for one in Books(session.workspace).effects()} == {"done", "refused"}


CALL = "- {task: Call back, to: hook, name: call}\n"


@pytest.mark.parametrize("status", [500, 503])
def test_whom_the_receiver_fails_keeps_nobody_else_waiting(tmp_path: Path, hook: tuple[Hook, int], status: int) -> None:
    hook[0].never = {"p0@example.org": status}
    shop = shop_with(tmp_path, hook[1], CALL)

    first = shop.run(later(minutes=20))
    soon = shop.run(later(minutes=20, seconds=30))
    second = shop.run(later(minutes=22))
    hook[0].never = {}
    third = shop.run(later(minutes=23))
    last = shop.run(later(minutes=25))

    told = [people(body)[0][:2] for _, body in hook[0].told]
    assert told == ["p0", "p1", "p0", "p0"]
    assert first.handled.effects == {("cart", "call", "done"): 1, ("cart", "call", "refused"): 1}
    assert all(one.handled.held[("cart", "call")].count(str(status)) == 1 for one in (first, soon, second, third))
    assert last.handled.effects == {("cart", "call", "done"): 1}
    assert len({name for name, body in hook[0].told if people(body) == ["p0@example.org"]}) == 1


def test_a_receiver_that_fails_everybody_is_asked_for_five_and_by_turns(
    tmp_path: Path, hook: tuple[Hook, int]
) -> None:  # fmt: skip
    shop = shop_with(tmp_path, hook[1], CALL)
    shop.write("crm.csv", "nr,land,mail\n" + "".join(f"{n},DE,p{n}@example.org\n" for n in range(9)))
    for one in range(2, 9):
        shop.events((one, "added", NOON))
        shop.says(one, "grant", "news")
    shop.apply(later(minutes=11))
    hook[0].never = {f"p{one}@example.org": 500 for one in range(6)}

    shop.run(later(minutes=20))
    shop.run(later(minutes=21))

    told = [people(body)[0][:2] for _, body in hook[0].told]
    assert told[:5] == ["p0", "p1", "p2", "p3", "p4"]
    # Who was not tried comes before who has failed.
    assert told[5:9] == ["p5", "p6", "p7", "p8"]


@pytest.mark.parametrize(("status", "state"), [(503, "invalid"), (500, "unknown")])
def test_after_five_days_somebody_is_given_up(tmp_path: Path, hook: tuple[Hook, int], status: int, state: str) -> None:
    hook[0].never = {"p0@example.org": status}
    shop = shop_with(tmp_path, hook[1], CALL)
    for days in (0, 2, 4.9):
        shop.run(later(minutes=20, days=days))
    with open_session(shop.folder) as session:
        waiting = [one.profile for one in Books(session.workspace).active()]

    ran = shop.run(later(minutes=20, days=5))

    assert len(waiting) == 1
    assert ran.handled.effects == {("cart", "call", state): 1}
    with open_session(shop.folder) as session:
        (one,) = Books(session.workspace).effects(f"state = '{state}'")
        assert one.reason is not None
        assert one.reason.startswith("given up after 4 tries: ")
        assert Books(session.workspace).troubles([one.key]) == {}


def test_of_a_call_that_is_refused_only_those_are_invalid_whom_it_was_refused_for(
    tmp_path: Path, hook: tuple[Hook, int]
) -> None:
    hook[0].never = {"p0@example.org": 422}
    shop = shop_with(tmp_path, hook[1], "- {add: carts, to: hook, name: put}\n")

    ran = shop.run(later(minutes=20))

    assert [people(body) for _, body in hook[0].told] == [
        ["p0@example.org", "p1@example.org"], ["p0@example.org"], ["p1@example.org"],
    ]  # fmt: skip
    assert len({name for name, _ in hook[0].told}) == 3
    assert ran.handled.effects[("cart", "put", "done")] == 1
    assert ran.handled.effects[("cart", "put", "invalid")] == 1
