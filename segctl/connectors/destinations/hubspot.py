"""HubSpot: an audience is a static list; people are upserted as contacts, whose record ids go on the list.

Being on a list changes no subscription: communication preferences are another API, which is not used here.

Fields are properties of contacts; where there is no value, what is there is cleared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from urllib.parse import quote

from segctl.connectors.destinations import mailing
from segctl.connectors.destinations.base import (
    Abilities,
    Around,
    Batch,
    Member,
    Remote,
    Row,
    Sent,
    Trouble,
)
from segctl.connectors.destinations.clients import client
from segctl.connectors.destinations.mailing import Json, compared, listed, within
from segctl.connectors.destinations.values import text
from segctl.connectors.http.reasons import words_of
from segctl.connectors.sources.base import Probe
from segctl.model.destinations import Destination, Option
from segctl.model.fetching_rest import Bearer

CONTACTS = "0-1"
MEMBERS_ON_A_PAGE, READ_AT_ONCE = 250, 100
WRITABLE = ("MANUAL", "SNAPSHOT")
ABILITIES = Abilities(
    identifiers=("email", "external_id"),
    channel="email",
    batch_rows=100,
    parallel=2,
    recipient="crm",
    reads_back=True,
)
OPTIONS = (
    Option("token", "secret", "access token of a private app with the scopes of contacts and lists", required=True),
    Option("base_url", "url", "another address of the service", default="https://api.hubapi.com"),
    Option("lists_path", "text", "path of the lists API", default="/crm/v3/lists"),
    Option("contacts_path", "text", "path of the contacts API", default="/crm/v3/objects/contacts"),
    Option("id_property", "text", "unique property of contacts; `external_id` fills any but `email`", default="email"),
    Option("requests_per_10_s", "integer", "requests in ten seconds, as the account's plan allows", default=100),
    Option("create_audiences", "boolean", "make a list where there is none of that name", default=True),
)  # fmt: skip
_OURS = frozenset({"VALIDATION_ERROR", "CONFLICT", "OBJECT_NOT_FOUND"})
"""Categories of errors that the same row would meet again."""


def abilities(destination: Destination) -> Abilities:
    """People are known by one property: who has no value for it cannot be told of."""
    return replace(ABILITIES, identifiers=(known_by(destination),))


def known_by(destination: Destination) -> str:
    """The identifier that fills the property."""
    return "email" if destination.options.get("id_property", "email") == "email" else "external_id"


def properties(row: Row) -> dict[str, str]:
    """A contact's properties: text all of them; an empty one clears what is there."""
    return {name: text(value) for name, value in row.fields.items()}


def upsert(groups: Mapping[str, Sequence[Row]], id_property: str) -> Json:
    """The body of a batch upsert.

    Args:
        groups: Value of the property → rows with it; HubSpot refuses a batch that names a contact twice.
        id_property: What contacts are known by.
    """
    return {
        "inputs": [
            {
                "id": value,
                "idProperty": id_property,
                "properties": {id_property: value} | properties(rows[0]),
                "objectWriteTraceId": str(index),
            }
            for index, (value, rows) in enumerate(groups.items())
        ]
    }


def upserted(
    answer: Json, values: Sequence[str], id_property: str, kind: str = "email"
) -> tuple[dict[str, str], dict[str, Trouble]]:
    """What became of each contact, from a 200 or 207: neither says that all is well.

    Returns:
        Value → record id, and value → trouble; every value is in one of them.
    """
    ids: dict[str, str] = {}
    troubles: dict[str, Trouble] = {}
    others = []
    for error in listed(answer, "errors"):
        named = [values[index] for index in _traces(within(error, "context", "objectWriteTraceId"), len(values))]
        if not named:
            others.append(error)
        troubles |= dict.fromkeys(named, _trouble(error))
    for result in listed(answer, "results"):
        traced = _traces([within(result, "objectWriteTraceId")], len(values))
        value = values[traced[0]] if traced else compared(kind, within(result, "properties", id_property) or "")
        if value in values and within(result, "id") and value not in troubles:
            ids[value] = str(result["id"])
    if others:
        rest = Trouble("rejected", words_of(others[0]), within(others[0], "category"))
    else:
        rest = Trouble("unknown", "the answer does not say what became of the contact", "unnamed")
    return ids, {value: rest for value in values if value not in ids} | troubles


def _traces(found: Json, count: int) -> list[int]:
    names = found if isinstance(found, list) else [found]
    return [int(name) for name in names if str(name).isdecimal() and int(name) < count]


def _trouble(error: Json) -> Trouble:
    category = str(within(error, "category") or "")
    return Trouble("invalid" if category in _OURS else "rejected", words_of(error), category or None)


class HubSpot:
    """One portal."""

    def __init__(self, destination: Destination, around: Around) -> None:
        options = destination.options
        self.name, self.is_dry = destination.name, around.record is not None
        self.may_create = options.get("create_audiences", True)
        self.lists = str(options.get("lists_path", "/crm/v3/lists")).rstrip("/")
        self.contacts = str(options.get("contacts_path", "/crm/v3/objects/contacts")).rstrip("/")
        self.id_property = str(options.get("id_property", "email"))
        self.kind = known_by(destination)
        self.client = client(
            destination,
            around,
            options.get("base_url", "https://api.hubapi.com"),
            auth=Bearer(options["token"]),
            own=() if "base_url" in options else ("api.hubapi.com",),
            requests=int(options.get("requests_per_10_s", 100)),
            per_s=10.0,
        )

    def check(self) -> tuple[Probe, ...]:
        """Asks for one contact."""
        return self.client.check("GET", self.contacts, params=[("limit", "1"), ("properties", self.id_property)])

    def audience(self, segment: str, name: str) -> str:  # noqa: ARG002 - the same shape at every destination
        """Id of the static list of that name or id; made where it is missing."""
        found = self._list(name)
        if found is not None:
            return found
        if not self.may_create and not self.is_dry:
            raise mailing.not_made(self.name, name, "list")
        body = {"name": name, "objectTypeId": CONTACTS, "processingType": "MANUAL"}
        stand_in = {"list": {"listId": f"<{name}>"}}
        answer = self.client.request("POST", self.lists, json=body, accept=(400,), stand_in=stand_in)
        made = within(answer.value, "list", "listId") or within(answer.value, "listId")
        if made is None:
            # Names are unique, whatever their case: somebody else was faster, or the list was out of sight.
            made = self._list(name)
        if made is None:
            raise mailing.unfit(self.name, name, words_of(answer.value), "choose another name for the list")
        return str(made)

    def send(self, batch: Batch) -> Sent:
        """An upsert, and then the list; or the list alone."""
        if batch.action == "remove":
            return self._leave(batch)
        mailing.named(batch.rows, self.kind)
        groups = mailing.by_value(batch.rows, self.kind)
        answer = self.client.request(
            "POST", f"{self.contacts}/batch/upsert", json=upsert(groups, self.id_property), rows=batch.rows
        )
        ids, troubles = upserted(answer.value, list(groups), self.id_property, self.kind)
        if self.is_dry:
            ids, troubles = {value: f"<id of {index}>" for index, value in enumerate(groups)}, {}
        if batch.action == "add" and ids:
            missing = self._change(batch, "add", sorted(ids.values()))
            gone = Trouble("rejected", "the list does not know the contact yet", "recordIdsMissing")
            troubles |= {value: gone for value, record in ids.items() if record in missing}
        known = {row.key: ids[value] for value, rows in groups.items() if value in ids for row in rows}
        return Sent(mailing.shared(groups, troubles), {} if self.is_dry else known)

    def poll(self, job: str) -> Sent:  # noqa: ARG002 - every call is done when it answers
        """Nothing goes on there."""
        return Sent()

    def seen_as(self, row: Row) -> Mapping[str, str]:
        """The property that contacts are known by."""
        value = row.identifiers.get(self.kind)
        return {self.kind: compared(self.kind, value)} if value else {}

    def members(self, audience: str) -> Iterator[Member]:
        """Everybody on a list; its records are asked for what they are known by."""
        after: str | None = None
        while True:
            params = [("limit", str(MEMBERS_ON_A_PAGE)), *([("after", after)] if after else [])]
            answer = self.client.request("GET", f"{self.lists}/{audience}/memberships", params=params)
            ids = [str(item["recordId"]) for item in listed(answer.value, "results") if within(item, "recordId")]
            known = {record: value for value, record in self._read(ids, None).items()}
            yield from (Member({self.kind: known[name]} if name in known else {}, name) for name in ids)
            before, after = after, within(answer.value, "paging", "next", "after")
            if not after or after == before:
                return

    def audiences(self) -> Iterator[Remote]:
        """Lists that can be written to."""
        offset = 0
        while True:
            body = {"count": 100, "offset": offset, "processingTypes": list(WRITABLE),
                    "additionalProperties": ["hs_list_size"]}  # fmt: skip
            answer = self.client.request("POST", f"{self.lists}/search", json=body, reads=True)
            found = listed(answer.value, "lists")
            for item in found:
                size = within(item, "additionalProperties", "hs_list_size")
                is_number = str(size).isdecimal()
                yield Remote(str(item["listId"]), str(within(item, "name") or ""), int(size) if is_number else None)
            if not found or not within(answer.value, "hasMore"):
                return
            offset += len(found)

    def close(self) -> None:
        """Lets go of connections."""
        self.client.close()

    def _list(self, name: str) -> str | None:
        """Id of a list by name or id."""
        paths = [f"{self.lists}/object-type-id/{CONTACTS}/name/{quote(name, safe='')}"]
        for path in (*paths, *([f"{self.lists}/{name}"] if name.isdecimal() else [])):
            answer = self.client.request("GET", path, accept=(404,))
            found = within(answer.value, "list") or answer.value
            if answer.status != 404 and within(found, "listId"):
                if within(found, "processingType") not in (None, *WRITABLE):
                    why = "the service computes who is on this list; only a static one can be filled from outside"
                    raise mailing.unfit(self.name, name, why, "name a static list under `audiences:`")
                return str(found["listId"])
        return None

    def _change(self, batch: Batch, verb: str, ids: Sequence[str]) -> set[str]:
        """Puts records on a list or takes them off; those that it does not know."""
        path = f"{self.lists}/{batch.audience}/memberships/{verb}"
        answer = self.client.request("PUT", path, json=list(ids), rows=batch.rows)
        return {str(record) for record in listed(answer.value, "recordIdsMissing")}

    def _leave(self, batch: Batch) -> Sent:
        """Takes contacts off the list; who is no contact is on none."""
        known = {row.known_as: row for row in batch.rows if row.known_as}
        named = [row for row in batch.rows if not row.known_as]
        missing = self._change(batch, "remove", sorted(known)) if known else set()
        # A record goes when two contacts become one; the address leads to the one that stays.
        named += [known[record] for record in sorted(missing) if record in known]
        named = [row for row in named if row.identifiers.get(self.kind)]
        ids = set(self._read(list(mailing.by_value(named, self.kind)), self.id_property).values())
        if ids:
            self._change(batch, "remove", sorted(ids))
        return Sent()

    def _read(self, names: Sequence[str], id_property: str | None) -> dict[str, str]:
        """What contacts are known by → record id, of record ids or of values of a property; not all may be there."""
        found: dict[str, str] = {}
        for part in mailing.pieces(names, READ_AT_ONCE):
            body = {"properties": [self.id_property], "inputs": [{"id": name} for name in part]}
            body |= {"idProperty": id_property} if id_property else {}
            answer = self.client.request("POST", f"{self.contacts}/batch/read", json=body, reads=True)
            for item in listed(answer.value, "results"):
                value = within(item, "properties", self.id_property)
                if value:
                    found[compared(self.kind, value)] = str(item["id"])
        return found


def connect(destination: Destination, around: Around) -> HubSpot:
    """The connector of a portal."""
    return HubSpot(destination, around)
