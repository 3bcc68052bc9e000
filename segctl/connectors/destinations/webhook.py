"""Webhooks: who entered and who left is told to an address of one's own, signed as Standard Webhooks 1.0.0 says.

The message's id is the batch's, the same on every try, so a receiver knows a repetition. Its bytes are the same too:
nothing in the body but what the batch holds.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from dataclasses import replace
from json import JSONEncoder
from typing import TYPE_CHECKING, Any

from segctl.connectors.destinations.base import (
    Abilities,
    Around,
    Batch,
    BatchRefusedError,
    GoneError,
    Member,
    Remote,
    Row,
    Sent,
)
from segctl.connectors.destinations.clients import ALLOW_HTTP, CA_BUNDLE, client
from segctl.connectors.destinations.values import plain
from segctl.connectors.sources.base import Probe
from segctl.model.destinations import Destination, Option
from segctl.model.errors import SegctlError, UsageError
from segctl.model.secrets import MASK, Secret, Text

if TYPE_CHECKING:
    from segctl.connectors.http.client import Client

MOST_ROWS = 1000
SHORTEST_KEY, LONGEST_KEY = 24, 64
"""Bytes of a signing secret."""
ABILITIES = Abilities(
    identifiers=("email", "phone", "external_id"),
    channel="email",
    batch_rows=MOST_ROWS,
    recipient="webhook",
    parallel=4,
)
OPTIONS = (
    Option("url", "url", "address that is told; only https", required=True),
    Option("secret", "secret", "signing secret, `whsec_` and base64, as in Standard Webhooks"),
    Option("previous_secret", "secret", "the one before, while receivers change over"),
    Option("token", "secret", "sent as `Authorization: Bearer …`, for receivers that check no signature"),
    Option("per", "choice", "one message for many people, or one for each", default="batch",
           choices=("batch", "person")),
    Option("timeout_s", "integer", "seconds to wait for an answer", default=20),
    CA_BUNDLE,
    ALLOW_HTTP,
    Option("allow_private", "boolean", "the address may lead into a private network", default=False),
)  # fmt: skip
TYPES = {"add": "segment.entered", "update": "segment.updated", "remove": "segment.left"}
_JSON = JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_GONE = 410
_ANSWERS_TO_HEAD = frozenset({*range(400, 500), 501}) - {401, 403, 410}
"""A receiver that takes nothing but POST says so in many ways."""


def abilities(destination: Destination) -> Abilities:
    """Every identifier that the declaration names; one person a message where that is wanted."""
    rows = 1 if destination.options.get("per") == "person" else MOST_ROWS
    names = tuple(name for name, _ in destination.identify)
    return replace(ABILITIES, batch_rows=rows, identifiers=names or ABILITIES.identifiers)


def connect(destination: Destination, around: Around) -> Webhook:
    """Its connector."""
    return Webhook(destination, around)


class Webhook:
    """One address."""

    def __init__(self, destination: Destination, around: Around) -> None:
        self.destination, self.around, self.options = destination, around, destination.options
        self._client: Client | None = None
        self._keys: tuple[bytes, ...] | None = None

    @property
    def client(self) -> Client:
        """Made with the first message."""
        if self._client is None:
            from segctl.model.fetching_rest import Bearer

            token = self.options.get("token")
            self._client = client(
                self.destination,
                self.around,
                self.options["url"],
                auth=None if token is None else Bearer(token),
                read_s=float(self.options.get("timeout_s", 20)),
                allow_private=bool(self.options.get("allow_private", False)),
                takes_text=True,
                connections=ABILITIES.parallel,
            )
        return self._client

    def check(self) -> tuple[Probe, ...]:
        """Asks for the head of the address, which tells nothing to anybody, and reads the secrets."""
        try:
            count = len(self._signing_keys())
        except SegctlError as error:
            return (Probe("credentials", "problem", error.message, error.hint),)
        probes = self.client.check("HEAD", self.options["url"], accept=_ANSWERS_TO_HEAD)
        if any(probe.status == "problem" for probe in probes):
            return probes
        reachable = probes[:1]
        if count:
            return (*reachable, Probe("credentials", "ok", f"signs with {count} secret{'s' * (count > 1)}"))
        hint = "a `secret` lets the receiver know that a message is yours"
        return (*reachable, Probe("credentials", "note", "messages are not signed", hint))

    def audience(self, segment: str, name: str) -> str:  # noqa: ARG002 - what every connector is asked
        """The name itself: the receiver decides what it means."""
        return name

    def send(self, batch: Batch) -> Sent:
        """One message."""
        if self.options.get("per") == "person" and len(batch.rows) > 1:
            raise BatchRefusedError("one message tells of one person", is_size=True)
        body = _JSON.encode(message(batch, is_single=self.options.get("per") == "person")).encode()
        sent_at = int(self.client.now().timestamp())
        headers = {
            "Content-Type": "application/json",
            "webhook-id": batch.id,
            "webhook-timestamp": str(sent_at),
            **self._signature(batch.id, sent_at, body),
        }
        answer = self.client.request(
            "POST", self.options["url"], data=body, headers=headers.items(), rows=batch.rows, accept=(_GONE,)
        )
        if answer.status == _GONE:
            raise gone(self.destination.name)
        return Sent()

    def poll(self, job: str) -> Sent:  # noqa: ARG002 - what every connector is asked
        """Nothing goes on there."""
        return Sent()

    def seen_as(self, row: Row) -> Mapping[str, str]:
        """As they are."""
        return row.identifiers

    def members(self, audience: str) -> Iterator[Member]:  # noqa: ARG002 - what every connector is asked
        """Nobody: an address cannot be asked."""
        return iter(())

    def audiences(self) -> Iterator[Remote]:
        """None: an address cannot be asked."""
        return iter(())

    def close(self) -> None:
        """Lets go of connections."""
        if self._client is not None:
            self._client.close()

    def _signature(self, message_id: str, at: int, body: bytes) -> dict[str, str]:
        secrets = [name for name in ("secret", "previous_secret") if self.options.get(name)]
        if not secrets:
            return {}
        if self.around.record is not None:
            return {"webhook-signature": " ".join(f"v1,{MASK}" for _ in secrets)}
        return {"webhook-signature": " ".join(signed(key, message_id, at, body) for key in self._signing_keys())}

    def _signing_keys(self) -> tuple[bytes, ...]:
        if self._keys is None:
            given = [self.options.get("secret"), self.options.get("previous_secret")]
            self._keys = tuple(self._key(secret) for secret in given if secret is not None)
        return self._keys

    def _key(self, secret: Text | Secret) -> bytes:
        from segctl.connectors.http.secrets import revealed

        text = revealed(secret, self.around.root)
        try:
            key = base64.b64decode(text.removeprefix("whsec_"), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if not SHORTEST_KEY <= len(key) <= LONGEST_KEY:
            raise UsageError(
                "SEG902",
                f"`{self.destination.name}`: `{secret}` is no signing secret",
                why=f"it is `whsec_` and the base64 of {SHORTEST_KEY} to {LONGEST_KEY} bytes",
                hint="`python3 -c \"import base64, os; print('whsec_' + base64.b64encode(os.urandom(32)).decode())\"`"
                " makes one",
            )
        return key


def message(batch: Batch, *, is_single: bool = False) -> dict[str, Any]:
    """The body: what happened, when the push began, and to whom."""
    people = [
        {
            "key": row.key,
            "identifiers": dict(row.identifiers),
            "fields": {name: plain(value) for name, value in row.fields.items()},
        }
        for row in batch.rows
    ]
    data: dict[str, Any] = {
        "segment": batch.segment,
        "audience": batch.audience,
        "purpose": batch.purpose,
        "granted": sorted(batch.granted),
        **dict(sorted(batch.context.items())),
    }
    data |= {"person": people[0]} if is_single else {"people": people}
    return {"type": TYPES[batch.action], "timestamp": batch.at.isoformat(), "data": data}


def signed(key: bytes, message_id: str, at: int, body: bytes) -> str:
    """One entry of the header `webhook-signature`.

    Args:
        key: The secret, decoded.
        message_id: The same on every try.
        at: Seconds since 1970, of this try.
        body: The very bytes that are sent.

    Source:
        Standard Webhooks 1.0.0, symmetric signatures.

    >>> key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    >>> signed(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """
    digest = hmac.new(key, b".".join((message_id.encode(), str(at).encode(), body)), hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def gone(destination: str) -> GoneError:
    """410: the receiver wants nothing more, ever."""
    return GoneError(
        "SEG903",
        f"`{destination}`: the receiver says that the address is gone for good (410)",
        why="nothing more is sent there",
        hint=f"correct `url`, or take `{destination}` out of `send_to` and delete its declaration; "
        f"if it was a mistake of the receiver: `segctl push --to {destination} --retry-failed`",
    )
