"""Segment: an audience is a trait of its people that is true or false, an event when they enter and leave, or both.

The service says that it received a batch, not what it made of it, and a wrong region takes everything and keeps
nothing: so the region must be named. A message has the same id on every try, by which Segment knows a repetition.
Fields become traits of the person.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from segctl.connectors.destinations import mailing
from segctl.connectors.destinations.base import Abilities, Around, Batch, Member, Remote, Row, Sent
from segctl.connectors.destinations.clients import client
from segctl.connectors.destinations.jobs import left_out
from segctl.connectors.destinations.mailing import Json
from segctl.connectors.destinations.values import plain
from segctl.connectors.sources.base import Probe
from segctl.model.destinations import Destination, Option

if TYPE_CHECKING:
    from segctl.connectors.http.client import Client

MOST_BYTES, MOST_EVENT_BYTES = 500_000, 32_000
ABILITIES = Abilities(
    identifiers=("external_id", "anonymous_id"),
    channel="web",
    batch_rows=1000,
    batch_bytes=MOST_BYTES,
    recipient="webhook",
    parallel=4,
)
WRITE_KEY = Option("write_key", "secret", "write key of a source", required=True)
DELIVER = Option("deliver", "choice", "a trait that is true or false, an event at entry and exit, or both",
                 default="traits", choices=("traits", "events", "both"))  # fmt: skip
USER_ID = Option("user_id", "choice", "identifier that is the user's id there", default="external_id",
                 choices=("external_id", "email", "phone"))  # fmt: skip
OPTIONS = (
    WRITE_KEY,
    Option("region", "choice", "where the workspace is; a wrong one takes everything and keeps nothing", required=True,
           choices=("us", "eu")),
    DELIVER,
    USER_ID,
    Option("base_url", "url", "another address of the service"),
)  # fmt: skip
ADDRESSES = {"us": "https://api.segment.io", "eu": "https://events.eu1.segmentapis.com"}
EVENTS = {"add": "Audience Entered", "remove": "Audience Exited"}
_NOBODY = "there is neither a user's id nor an anonymous one"
_LARGE = f"what is told of the person is larger than {MOST_EVENT_BYTES // 1000} KB"


def abilities(destination: Destination) -> Abilities:
    """Known by the identifier that is the user's id there."""
    user_id = destination.options.get("user_id", "external_id")
    return replace(ABILITIES, identifiers=(user_id, "anonymous_id"))


def connect(destination: Destination, around: Around) -> Tracking:
    """Its connector."""
    own = ADDRESSES[destination.options["region"]]
    return Tracking(destination, around, destination.options.get("base_url") or own, own=own)


def message_id(batch: Batch, row: Row, kind: str) -> str:
    """The same for a row on every try of its batch, also after a crash; below 100 signs."""
    said = f"{batch.id}\n{batch.segment}\n{batch.audience}\n{batch.action}\n{kind}\n{row.key}"
    return f"segctl-{hashlib.sha256(said.encode()).hexdigest()[:40]}"


def who(row: Row, user_id: str) -> dict[str, str]:
    """Ids that the service knows a person by; empty when there is none."""
    names = {"userId": user_id, "anonymousId": "anonymous_id"}
    return {name: row.identifiers[kind] for name, kind in names.items() if row.identifiers.get(kind)}


def events(batch: Batch, row: Row, *, user_id: str, deliver: str, in_context: bool) -> list[Json]:
    """What is told of a person: nothing for an update where only events are told.

    Args:
        batch: Gives audience, action and time.
        row: The person.
        user_id: Identifier that is the user's id.
        deliver: Option of that name.
        in_context: Traits stand under ``context.traits``.
    """
    found: list[Json] = []
    common = {**who(row, user_id), "timestamp": batch.at.isoformat()}
    library: dict[str, Any] = {"library": {"name": "segctl"}}
    if deliver != "events":
        traits = {name: plain(value) for name, value in row.fields.items()} if batch.action != "remove" else {}
        if batch.action != "update":
            traits[batch.audience] = batch.action == "add"
        context = {**library, "traits": traits} if in_context else library
        told = {"type": "identify", "messageId": message_id(batch, row, "identify"), **common, "context": context}
        found.append(told if in_context else {**told, "traits": traits})
    if deliver != "traits" and batch.action in EVENTS:
        told = {"type": "track", "messageId": message_id(batch, row, "track"), **common, "context": library}
        properties = {"audience": batch.audience, "segment": batch.segment}
        found.append({**told, "event": EVENTS[batch.action], "properties": properties})
    return found


class Tracking:
    """One source of a tracking service."""

    def __init__(
        self,
        destination: Destination,
        around: Around,
        base_url: str,
        *,
        own: str | None = None,
        in_context: bool = False,
    ) -> None:
        self.destination, self.around = destination, around
        self.user_id = destination.options.get("user_id", "external_id")
        self.deliver = destination.options.get("deliver", "traits")
        self.in_context = in_context
        self.client = self._client(base_url, own)

    def check(self) -> tuple[Probe, ...]:
        """Sends a batch of nothing."""
        probes = self.client.check("POST", "/v1/batch", json={"batch": []}, accept=(400,))
        if any(probe.status == "problem" for probe in probes):
            return probes
        detail = "the service says that it received something, not whether the key and the region are right"
        probes = tuple(probe for probe in probes if probe.name != "credentials")
        return (*probes, Probe("credentials", "note", detail, "look for the people in the service's own pages"))

    def audience(self, segment: str, name: str) -> str:  # noqa: ARG002 - the same shape at every destination
        """The name itself: it becomes a trait's."""
        return name

    def send(self, batch: Batch) -> Sent:
        """One batch of messages."""
        told = [
            events(batch, row, user_id=self.user_id, deliver=self.deliver, in_context=self.in_context)
            for row in batch.rows
        ]
        out = {at: _NOBODY for at, row in enumerate(batch.rows) if not who(row, self.user_id)}
        out |= {at: _LARGE for at, one in enumerate(told) if any(mailing.size(e) > MOST_EVENT_BYTES for e in one)}
        troubles = left_out(batch.rows, out)
        messages = [event for at, one in enumerate(told) if at not in out for event in one]
        if not messages:
            return Sent(troubles)
        body = {"batch": messages}
        mailing.within_bytes(body, MOST_BYTES)
        self.client.request("POST", "/v1/batch", json=body, rows=batch.rows)
        return Sent(troubles)

    def poll(self, job: str) -> Sent:  # noqa: ARG002 - the same shape at every destination
        """Nothing goes on that could be asked for."""
        return Sent()

    def seen_as(self, row: Row) -> Mapping[str, str]:
        """The ids as they are."""
        return {kind: row.identifiers[kind] for kind in (self.user_id, "anonymous_id") if row.identifiers.get(kind)}

    def members(self, audience: str) -> Iterator[Member]:  # noqa: ARG002 - the same shape at every destination
        """Nobody: a write key reads nothing."""
        return iter(())

    def audiences(self) -> Iterator[Remote]:
        """None: a write key reads nothing."""
        return iter(())

    def close(self) -> None:
        """Lets go of connections."""
        self.client.close()

    def _client(self, base_url: str, own: str | None) -> Client:
        from segctl.connectors.http.hosts import host_of
        from segctl.model.fetching_rest import Basic

        hosts = (host_of(own),) if own is not None and base_url == own else ()
        return client(
            self.destination,
            self.around,
            base_url,
            auth=Basic(self.destination.options["write_key"], ""),
            own=hosts,
            # RudderStack answers `OK`, which is no JSON.
            headers=(("Accept", "text/plain, application/json"),) if self.in_context else (),
            takes_text=self.in_context,
        )
