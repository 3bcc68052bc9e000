"""Entry into a journey of Salesforce Marketing Cloud: an event for each person, which nothing takes back.

The service does not know a repetition: whoever is told twice may enter twice. So an outcome that nobody knows is left
unknown, and nothing is sent for people who leave the segment or change.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from segctl.connectors.destinations.base import (
    Around,
    Batch,
    Member,
    Remote,
    Row,
    Sent,
    Trouble,
    UnknownOutcomeError,
)
from segctl.connectors.destinations.jobs import left_out
from segctl.connectors.destinations.mailing import Json, listed, within
from segctl.connectors.destinations.sfmc_account import columns_of, item, open_client
from segctl.connectors.http.reasons import words_of
from segctl.connectors.sources.base import Probe
from segctl.model.destinations import Destination
from segctl.model.errors import UsageError

CONTACT_KEYS = ("external_id", "email", "phone")
_EVENT = re.compile(r"[^.\s]+")
_NOBODY = "there is no key that the contact could have"


def contact_key(row: Row) -> str | None:
    """What a contact is known by: the first identifier that the row has."""
    return next((row.identifiers[kind] for kind in CONTACT_KEYS if row.identifiers.get(kind)), None)


def entered(answer: Json, rows: Mapping[str, Row]) -> dict[str, Trouble]:
    """Row's key → trouble, from an answer that names contacts in whatever order.

    Args:
        answer: Body.
        rows: By contact key.
    """
    told = {str(within(one, "contactKey")): one for one in listed(answer, "members")}
    troubles = {}
    for name, row in rows.items():
        one = told.get(name)
        code = within(one, "errorcode")
        if one is None:
            troubles[row.key] = Trouble("unknown", "the service does not say whether the person entered", "not_told")
        elif code not in (None, "", 0, "0") or not within(one, "eventInstanceId"):
            troubles[row.key] = Trouble("invalid", words_of(one, [row]), None if code is None else str(code))
    return troubles


class Journey:
    """Journeys of one business unit, by the keys of their entry events."""

    def __init__(self, destination: Destination, around: Around) -> None:
        self.destination, self.around = destination, around
        self.columns = columns_of(destination)
        self.client = open_client(destination, around)

    def check(self) -> tuple[Probe, ...]:
        """Asks for the state of a request that nobody made."""
        nobody = "00000000-0000-0000-0000-000000000000"
        return self.client.check("GET", f"/data/v1/async/{nobody}/status", accept=(400, 404))

    def audience(self, segment: str, name: str) -> str:  # noqa: ARG002 - the same shape at every destination
        """The key of the entry event; a full stop in it is refused there."""
        if _EVENT.fullmatch(name):
            return name
        raise UsageError(
            "SEG933",
            f"`{self.destination.name}`: `{name}` is no key of an entry event",
            why="it holds a full stop or a blank",
            hint="copy the event definition key from the journey's entry source, and name it under `audiences`",
            location=self.destination.location,
        )

    def send(self, batch: Batch) -> Sent:
        """One event for each person who entered the segment; nothing for others."""
        if batch.action != "add":
            return Sent()
        keys = [contact_key(row) for row in batch.rows]
        out = {at: _NOBODY for at, key in enumerate(keys) if key is None}
        rows = {key: row for key, row in zip(keys, batch.rows, strict=True) if key is not None}
        troubles = left_out(batch.rows, out)
        if not rows:
            return Sent(troubles)
        members = [{"contactKey": key, "data": item(row, self.columns)} for key, row in rows.items()]
        body = {"eventDefinitionKey": batch.audience, "members": members}
        answer = self.client.request("POST", "/interaction/v1/async/events", json=body, rows=batch.rows).value
        if self.around.record is not None:
            return Sent(troubles)
        if not isinstance(answer, dict):
            raise UnknownOutcomeError("the answer does not say who entered")
        return Sent({**troubles, **entered(answer, rows)})

    def poll(self, job: str) -> Sent:  # noqa: ARG002 - the same shape at every destination
        """Nothing goes on that could be asked for."""
        return Sent()

    def seen_as(self, row: Row) -> Mapping[str, str]:
        """The contact key."""
        key = contact_key(row)
        return {} if key is None else {"external_id": key}

    def members(self, audience: str) -> Iterator[Member]:  # noqa: ARG002 - the same shape at every destination
        """Nobody: a journey does not say who is in it."""
        return iter(())

    def audiences(self) -> Iterator[Remote]:
        """None: journeys are not listed this way."""
        return iter(())

    def close(self) -> None:
        """Lets go of connections."""
        self.client.close()
