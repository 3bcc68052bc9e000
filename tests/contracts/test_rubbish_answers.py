"""Successes with rubbish in them: whatever a service says with a 200, a push understands how a call ended."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing, suppress
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import pytest
from destination_suite import PLANTED, VARIABLE, World, batch
from fakes.server import Asked, Fake, Reply, serving
from test_ads_chaos import PEOPLE, SERVICES
from test_mailing_chaos import OPTIONS

from segctl.connectors.destinations import connected
from segctl.connectors.destinations.base import (
    BatchRefusedError,
    Connector,
    Member,
    NotNowError,
    Remote,
    Row,
    Sent,
    UnknownOutcomeError,
)
from segctl.model.destinations import Destination
from segctl.model.errors import SegctlError

ENDS = (BatchRefusedError, NotNowError, UnknownOutcomeError, SegctlError)
WORDS = ("data", "id", "errors", "items", "members", "lists", "contacts", "results", "result", "status", "state",
         "attributes", "list", "total", "job_id", "requestId", "error_count", "paging", "links", "next")  # fmt: skip
KINDS = {**OPTIONS, **{name: service.options for name, service in SERVICES.items()}}


def rubbish(random: Random, depth: int = 0) -> Any:
    """A JSON value of any shape, with words in it that services use."""
    plain = [None, True, False, 0, -1, 3.5, 10**30, "", "x", "done", "http://127.0.0.1:9/", "\ufffd", "ä" * 200]
    choice = random.random()
    if depth > 3 or choice < 0.35:
        return random.choice(plain)
    if choice < 0.6:
        return [rubbish(random, depth + 1) for _ in range(random.randrange(4))]
    return {word: rubbish(random, depth + 1) for word in random.sample(WORDS, random.randrange(1, 7))}


class Rubbish(Fake):
    """Gives tokens to whoever asks, and rubbish to everything else."""

    def __init__(self, random: Random) -> None:
        super().__init__()
        self.random = random

    def answer(self, asked: Asked) -> Reply:
        """A success."""
        if "token" in asked.path:
            return Reply(200, {"access_token": "t", "expires_in": 3600, "token_type": "Bearer"})
        choice = self.random.random()
        if choice < 0.1:
            return Reply(200, raw=b"<html>log in</html>", headers={"Content-Type": "text/html"})
        if choice < 0.2:
            return Reply(self.random.choice((200, 204)), raw=b"")
        if choice < 0.3:
            return Reply(200, raw=b'{"data": [', headers={"Content-Type": "application/json"})
        return Reply(self.random.choice((200, 201, 202, 207)), rubbish(self.random))


def asked(connector: Connector) -> tuple[tuple[Callable[[], Any], type], ...]:
    """Everything that a push asks a connector, and what it gives back."""
    rows = tuple(Row(one.key, one.identifiers, one.fields, known_as="7") for one in PEOPLE[:3])
    return (
        (lambda: connector.audience("winback", "winback"), str),
        *((lambda action=action: connector.send(batch(rows, action, audience="7")), Sent)
          for action in ("add", "update", "remove")),
        (lambda: list(islice(connector.members("7"), 50)), list),
        (lambda: list(islice(connector.audiences(), 50)), list),
        (connector.check, tuple),
    )  # fmt: skip


@pytest.mark.parametrize("name", sorted(KINDS))
def test_a_success_with_rubbish_ends_as_a_push_understands_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, PLANTED)
    with serving(Rubbish(Random(name))) as url:
        declared = Destination("tested", name, options=KINDS[name](url), allowed_hosts=("127.0.0.1",))
        for _ in range(6):
            with closing(connected(declared, World(tmp_path).around())) as connector:
                for ask, shape in asked(connector):
                    with suppress(*ENDS):
                        found = ask()
                        assert isinstance(found, shape)
                        assert found not in ("None", "True", "False", "")
                        if isinstance(found, list):
                            assert all(isinstance(one, Member | Remote) for one in found)
                        if isinstance(found, Sent) and found.job is not None:
                            assert isinstance(connector.poll(found.job), Sent)
