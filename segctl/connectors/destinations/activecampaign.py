"""ActiveCampaign: an audience is a tag, the gentlest mark of a segment; nobody is put on a list or taken off one.

The status of a contact on a list is never written: status 1 can bring back who opted out, and 2 opts people out.

Fields are `first_name`, `last_name`, `phone`, and custom fields by their number.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from segctl.connectors.destinations import mailing
from segctl.connectors.destinations.base import (
    Abilities,
    Around,
    Batch,
    BatchRefusedError,
    Member,
    Remote,
    Row,
    Sent,
    Trouble,
    place,
)
from segctl.connectors.destinations.clients import client
from segctl.connectors.destinations.mailing import Json, folded, listed, within
from segctl.connectors.destinations.values import text
from segctl.connectors.http.reasons import words_of
from segctl.connectors.sources.base import Probe
from segctl.model.destinations import Destination, Option
from segctl.model.fetching_rest import ApiKey

MOST_BYTES = 399_999
LEAST_IN_BULK = 10
"""For fewer the service advises single calls."""
ON_A_PAGE = 100
MARK = 8
"""Signs of a digest by which a failing address is found again; a job's text is kept, so it holds no address."""
ABILITIES = Abilities(
    identifiers=("email",),
    channel="email",
    batch_rows=250,
    batch_bytes=MOST_BYTES,
    recipient="esp",
    reads_back=True,
)
OPTIONS = (
    Option("url", "url", "address of the account, such as `https://ACCOUNT.api-us1.com`", required=True),
    Option("api_key", "secret", "key of a user, from Settings → Developer", required=True),
    Option("run_automations", "boolean", "let an import start automations, which may send mail at once", default=False),
    Option("create_audiences", "boolean", "make a tag where there is none of that name", default=True),
)
FIELDS = {"first_name": "firstName", "last_name": "lastName", "phone": "phone"}
"""Field of an import → of a single contact; others are custom fields, named by their number."""
_GOING_ON = frozenset({"waiting", "claimed", "active", "queued", "pending", "processing", "started"})


def custom(row: Row) -> dict[str, str]:
    """Values of custom fields by number."""
    return {name: text(value) for name, value in row.fields.items() if name.isdecimal()}


def in_bulk(row: Row, tag: str | None) -> Json:
    """A contact of an import."""
    found: dict[str, Any] = {"email": row.identifiers["email"]}
    found |= {name: text(row.fields[name]) for name in FIELDS if name in row.fields}
    fields = [{"id": int(number), "value": value} for number, value in custom(row).items()]
    return found | ({"fields": fields} if fields else {}) | ({"tags": [tag]} if tag else {})


def single(row: Row) -> Json:
    """The body that makes or changes one contact."""
    contact: dict[str, Any] = {"email": row.identifiers["email"]}
    contact |= {name: text(row.fields[bulk]) for bulk, name in FIELDS.items() if bulk in row.fields}
    fields = [{"field": number, "value": value} for number, value in custom(row).items()]
    return {"contact": contact | ({"fieldValues": fields} if fields else {})}


def mark(email: str) -> str:
    """A short digest of an address."""
    return hashlib.sha256(folded(email).encode()).hexdigest()[:MARK]


class ActiveCampaign:
    """One account."""

    def __init__(self, destination: Destination, around: Around) -> None:
        self.name, self.options, self.is_dry = destination.name, destination.options, around.record is not None
        strange = [there for there, _ in destination.fields if there not in FIELDS and not there.isdecimal()]
        if strange:
            why = f"known are {', '.join(FIELDS)}, and custom fields by their number"
            raise mailing.unfit(self.name, strange[0], why, "write the number of the field, such as `7: city`")
        self._tags: dict[str, str] = {}
        base_url = f"{str(self.options['url']).rstrip('/').removesuffix('/api/3')}/api/3"
        auth = ApiKey("header", "Api-Token", self.options["api_key"])
        self.client = client(destination, around, base_url, auth=auth, requests=5, connections=1)
        # Imports have a pace of their own: 100 a minute.
        self.imports = client(destination, around, base_url, auth=auth, requests=100, per_s=60.0, connections=1)

    def check(self) -> tuple[Probe, ...]:
        """Asks for one contact."""
        return self.client.check("GET", "/contacts", params=[("limit", "1")])

    def audience(self, segment: str, name: str) -> str:  # noqa: ARG002 - the same shape at every destination
        """Id of the tag of that name or id; made where it is missing."""
        self._tags |= {remote.id: remote.name for remote in self._found(name)}
        known = [number for number, tag in self._tags.items() if folded(tag) == folded(name)]
        if not known and name.isdecimal() and self._tag(name) is not None:
            known = [name]
        if known:
            return known[0]
        if not self.options.get("create_audiences", True) and not self.is_dry:
            raise mailing.not_made(self.name, name, "tag")
        body = {"tag": {"tag": name, "tagType": "contact", "description": ""}}
        made = self.client.request("POST", "/tags", json=body, stand_in={"tag": {"id": f"<{name}>"}})
        number = mailing.id_within(made.value, "tag", "id")
        self._tags[number] = name
        return number

    def send(self, batch: Batch) -> Sent:
        """An import of many, or single calls for few; a removal takes the tag off each."""
        if batch.action == "remove":
            return mailing.one_by_one(batch.rows, lambda row: self._untag(row, batch.audience))
        mailing.named(batch.rows, "email")
        if batch.action == "update" and not any(row.fields for row in batch.rows):
            return Sent()
        if len(batch.rows) >= LEAST_IN_BULK:
            return self._import(batch)
        audience = batch.audience if batch.action == "add" else None
        return mailing.one_by_one(batch.rows, lambda row: self._single(row, audience))

    def poll(self, job: str) -> Sent:
        """How far an import is; `job` is its id and the marks of its addresses, in order."""
        number, _, signs = job.partition("/")
        marks = [signs[at : at + MARK] for at in range(0, len(signs), MARK)]
        answer = self.client.request("GET", "/import/info", params=[("batchId", number)])
        status = str(within(answer.value, "status") or "").lower()
        if status in _GOING_ON:
            return Sent(job=job, wait_s=5.0)
        failed = {mark(str(email)) for email in listed(answer.value, "failure")}
        refused = Trouble("invalid", "the service could not import the contact", "failure")
        found = {place(index): refused for index, sign in enumerate(marks) if sign in failed}
        if status != "completed":
            ended = Trouble("unknown", f"the service ended the import as `{status}`", status or None)
            found = {place(index): ended for index in range(len(marks))} | found
        return Sent(troubles=found)

    def seen_as(self, row: Row) -> Mapping[str, str]:
        """The address in small letters."""
        email = row.identifiers.get("email")
        return {"email": folded(email)} if email else {}

    def members(self, audience: str) -> Iterator[Member]:
        """Everybody with the tag."""
        for item in self._pages("/contacts", "contacts", [("tagid", audience), ("orders[id]", "ASC")]):
            yield Member({"email": folded(within(item, "email") or "")}, str(item["id"]))

    def audiences(self) -> Iterator[Remote]:
        """Every tag of contacts."""
        yield from self._found(None)

    def close(self) -> None:
        """Lets go of connections."""
        self.client.close()
        self.imports.close()

    def _import(self, batch: Batch) -> Sent:
        tag = self._tag(batch.audience) if batch.action == "add" else None
        if batch.action == "add" and tag is None:
            raise mailing.not_made(self.name, batch.audience, "tag")
        contacts = [in_bulk(row, tag) for row in batch.rows]
        body = {"contacts": contacts, "exclude_automations": not self.options.get("run_automations", False)}
        mailing.within_bytes(body, MOST_BYTES)
        answer = self.imports.request("POST", "/import/bulk_import", json=body, rows=batch.rows, accept=(400,))
        if answer.status == 400 or within(answer.value, "Success") in (0, "0", False):
            raise not_imported(answer.value, batch.rows)
        number = within(answer.value, "batchId")
        marks = "".join(mark(row.identifiers["email"]) for row in batch.rows)
        return Sent(job=None if number is None else f"{number}/{marks}", wait_s=2.0)

    def _single(self, row: Row, audience: str | None) -> Trouble | str | None:
        """Makes or changes a contact, and tags it."""
        stand_in = {"contact": {"id": "<id>"}}
        body = single(row)
        answer = self.client.request("POST", "/contact/sync", json=body, rows=(row,), accept=(422,), stand_in=stand_in)
        if answer.status == 422:
            return Trouble("invalid", words_of(answer.value, (row,)), _code(answer.value))
        number = mailing.id_within(answer.value, "contact", "id")
        if audience is not None:
            body = {"contactTag": {"contact": number, "tag": audience}}
            self.client.request("POST", "/contactTags", json=body, rows=(row,))
        return None if self.is_dry else number

    def _untag(self, row: Row, audience: str) -> Trouble | str | None:
        """Takes the tag off a contact: what is deleted is the association, which has an id of its own."""
        if row.known_as is None or not self._untag_contact(row, row.known_as, audience):
            for number in self._ids(row):
                self._untag_contact(row, number, audience)
        return None

    def _untag_contact(self, row: Row, number: str, audience: str) -> bool:
        """Whether there is such a contact, without the tag now."""
        answer = self.client.request("GET", f"/contacts/{number}/contactTags", rows=(row,), accept=(404,))
        for item in listed(answer.value, "contactTags"):
            if str(within(item, "tag")) == audience:
                self.client.request("DELETE", f"/contactTags/{item['id']}", rows=(row,), accept=(404,))
        return answer.status != 404

    def _ids(self, row: Row) -> list[str]:
        email = row.identifiers.get("email")
        if not email:
            return []
        answer = self.client.request("GET", "/contacts", params=[("email", email)], rows=(row,))
        return [str(item["id"]) for item in listed(answer.value, "contacts")]

    def _found(self, name: str | None) -> Iterator[Remote]:
        """Tags of contacts, those that a name is part of."""
        for item in self._pages("/tags", "tags", [] if name is None else [("search", name)]):
            if within(item, "tagType") in (None, "contact"):
                count = str(within(item, "subscriber_count"))
                size = int(count) if count.isdecimal() else None
                yield Remote(str(item["id"]), str(within(item, "tag") or ""), size)

    def _tag(self, number: str) -> str | None:
        """Name of a tag, which an import wants instead of its id."""
        if number not in self._tags and self.is_dry:
            return f"<name of {number}>"
        if number not in self._tags:
            answer = self.client.request("GET", f"/tags/{number}", accept=(404,))
            found = within(answer.value, "tag", "tag")
            if found is None:
                return None
            self._tags[number] = str(found)
        return self._tags[number]

    def _pages(self, path: str, what: str, params: Sequence[tuple[str, str]]) -> Iterator[Json]:
        offset = 0
        while True:
            asked = [("limit", str(ON_A_PAGE)), ("offset", str(offset)), *params]
            answer = self.client.request("GET", path, params=asked)
            found = listed(answer.value, what)
            yield from found
            offset += len(found)
            # The total is a text there.
            if not found or offset >= int(within(answer.value, "meta", "total") or 0):
                return


def not_imported(answer: Json, rows: Sequence[Row]) -> BatchRefusedError:
    """A refusal of a whole import, with the rows that it names by their place."""
    named = {}
    for reason in listed(answer, "failureReasons"):
        index = str(within(reason, "contact"))
        if index.isdecimal() and int(index) < len(rows):
            row = rows[int(index)]
            named[row.key] = words_of(within(reason, "failureReason"), (row,))
    return BatchRefusedError(words_of(answer, rows), code="bulk_import", rows=named)


def _code(answer: Json) -> str | None:
    errors = listed(answer, "errors")
    return str(within(errors[0], "code") or "") or None if errors else None


def connect(destination: Destination, around: Around) -> ActiveCampaign:
    """The connector of an account."""
    return ActiveCampaign(destination, around)
