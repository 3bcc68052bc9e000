"""Mautic: an audience is a segment; contacts are made or changed in bulk, then put in by their ids, out one by one.

Only fields are told of a contact, by their aliases. What decides whether somebody is mailed (`doNotContact` and its
routes) is not touched, and cannot be mapped to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from segctl.connectors.destinations import mailing
from segctl.connectors.destinations.base import Abilities, Around, Batch, Member, Remote, Row, Sent, Trouble
from segctl.connectors.destinations.clients import ALLOW_HTTP, CA_BUNDLE, client
from segctl.connectors.destinations.mailing import Json, folded, within
from segctl.connectors.destinations.values import plain
from segctl.connectors.destinations.ways_in import way_in
from segctl.connectors.http.reasons import words_of
from segctl.connectors.sources.base import Probe
from segctl.model.destinations import Destination, Option

if TYPE_CHECKING:
    from segctl.model.fetching_rest import Auth

MOST_CONTACTS = 200
"""Of a batch, as Mautic is set up; `batch_limit` tells another number."""
PAGE = 200
ABILITIES = Abilities(
    identifiers=("email",), channel="email", batch_rows=MOST_CONTACTS, recipient="esp", reads_back=True
)
OPTIONS = (
    Option("base_url", "url", "address of the API, `https://mautic.example.com/api`", required=True),
    Option("user", "text", "name of a user, where basic authentication is switched on; with `password`"),
    Option("password", "secret", "of the user"),
    Option("client_id", "secret", "of an OAuth 2 client; with `client_secret`"),
    Option("client_secret", "secret", "of the client"),
    Option("batch_limit", "integer", "contacts of a call, `api_batch_max_limit` there", default=MOST_CONTACTS),
    Option("create_audiences", "boolean", "make a segment where there is none of that name", default=True),
    CA_BUNDLE,
    ALLOW_HTTP,
)
WAYS = {"user": ("user", "password"), "client": ("client_id", "client_secret")}
UNTOUCHED = frozenset(
    {"id", "email", "doNotContact", "dnc", "tags", "owner", "isPublished", "overwriteWithBlank", "ipAddress", "stage"}
)
"""Parameters that are no fields of a contact; a mapping to one would do more than tell a fact."""


def abilities(destination: Destination) -> Abilities:
    """As many contacts in a call as the installation allows."""
    return replace(ABILITIES, batch_rows=max(1, int(destination.options.get("batch_limit", MOST_CONTACTS))))


def connect(destination: Destination, around: Around) -> Mautic:
    """Its connector."""
    return Mautic(destination, around)


def contact(row: Row) -> Json:
    """A contact as told; a field without a value leaves what is there."""
    told = {name: plain(value) for name, value in row.fields.items() if value is not None and name not in UNTOUCHED}
    return {"email": row.identifiers["email"].strip(), **told}


def numbered(value: Json) -> dict[str, Json]:
    """What PHP sends as a list or as an object, by number as text; nothing is an empty list there."""
    if isinstance(value, Mapping):
        return {str(name): item for name, item in value.items()}
    return {str(at): item for at, item in enumerate(value)} if isinstance(value, list) else {}


def email_of(item: Json) -> str:
    """The address of a contact in an answer, in small letters; empty where it says none."""
    found = within(item, "fields", "all", "email") or within(item, "fields", "core", "email", "value")
    return folded(found or "")


def made(answer: Json, rows: Sequence[Row]) -> tuple[dict[str, str], dict[str, Trouble]]:
    """Row's key → id of the contact, and row's key → trouble, from the answer to a batch.

    Args:
        answer: `contacts` and `errors` by place; contacts say their address as well, which tells more surely.
        rows: Those sent, in order.
    """
    contacts, errors = numbered(within(answer, "contacts")), numbered(within(answer, "errors"))
    by_email = {email_of(item): item for item in contacts.values() if email_of(item)}
    known, troubles = {}, {}
    for at, row in enumerate(rows):
        item = by_email.get(folded(row.identifiers["email"]))
        if item is None and not email_of(contacts.get(str(at))):
            item = contacts.get(str(at))
        error = errors.get(str(at))
        if error is not None:
            code = within(error, "code")
            troubles[row.key] = Trouble("invalid", words_of(error, [row]), None if code is None else str(code))
        elif (number := within(item, "id")) is None:
            troubles[row.key] = Trouble("rejected", "Mautic does not say what became of the contact", "not_told")
        else:
            known[row.key] = str(number)
    return known, troubles


class Mautic:
    """One installation."""

    def __init__(self, destination: Destination, around: Around) -> None:
        self.destination, self.around, self.options = destination, around, destination.options
        for name, _ in destination.fields:
            if name in UNTOUCHED:
                raise mailing.unfit(
                    destination.name, name, "it is no field of a contact", "map the trait to a field, by its alias"
                )
        self.client = client(destination, around, self.options["base_url"], auth=self._auth())

    def check(self) -> tuple[Probe, ...]:
        """Asks for one segment."""
        return self.client.check("GET", "/segments", params=[("limit", "1")])

    def audience(self, segment: str, name: str) -> str:
        """Id of the segment of that name, alias or id; made where it is missing."""
        segments = list(self._pages("/segments", "lists"))
        for what in ("name", "alias", "id"):
            found = [item for item in segments if str(within(item, what)) == name]
            if len(found) > 1:
                raise mailing.ambiguous(self.destination.name, name, "segments")
            if found:
                if within(found[0], "filters"):
                    self.around.note(f"{self.destination.name}: the segment `{name}` has filters of its own there")
                return str(found[0]["id"])
        if not self.options.get("create_audiences", True) and self.around.record is None:
            raise mailing.not_made(self.destination.name, name, "segment")
        body = {"name": name, "isPublished": True, "description": f"segctl: {segment}"}
        answer = self.client.request("POST", "/segments/new", json=body, stand_in={"list": {"id": 0}})
        return mailing.id_within(answer.value, "list", "id")

    def send(self, batch: Batch) -> Sent:
        """Makes and changes contacts, then puts them into the segment; or takes them out, one call each."""
        mailing.named(batch.rows, "email")
        if batch.action == "remove":
            return self._left(batch)
        body = [contact(row) for row in batch.rows]
        answer = self.client.request("POST", "/contacts/batch/new", json=body, rows=batch.rows).value
        is_dry = self.around.record is not None
        known, troubles = ({row.key: "0" for row in batch.rows}, {}) if is_dry else made(answer, batch.rows)
        if batch.action == "add" and known:
            ids = {"ids": [int(number) for number in known.values()]}
            path = f"/segments/{batch.audience}/contacts/add"
            details = numbered(within(self.client.request("POST", path, json=ids).value, "details"))
            refused = Trouble("rejected", "Mautic did not put the contact into the segment", "not_added")
            outside = {key for key, number in known.items() if within(details.get(number), "success") is False}
            troubles |= dict.fromkeys(outside, refused)
        return Sent(troubles, {} if is_dry else known)

    def poll(self, job: str) -> Sent:  # noqa: ARG002 - the same shape at every destination
        """Nothing goes on there."""
        return Sent()

    def seen_as(self, row: Row) -> Mapping[str, str]:
        """The address in small letters."""
        return {"email": folded(row.identifiers["email"])} if row.identifiers.get("email") else {}

    def members(self, audience: str) -> Iterator[Member]:
        """Everybody in a segment; it is searched by its alias."""
        answer = self.client.request("GET", f"/segments/{audience}")
        alias = within(answer.value, "list", "alias")
        for item in self._pages("/contacts", "contacts", [("search", f"segment:{alias}")]):
            email = email_of(item)
            yield Member({"email": email} if email else {}, str(within(item, "id")))

    def audiences(self) -> Iterator[Remote]:
        """Every segment; Mautic does not say their sizes."""
        for item in self._pages("/segments", "lists"):
            yield Remote(str(within(item, "id")), str(within(item, "name") or ""))

    def close(self) -> None:
        """Lets go of connections."""
        self.client.close()

    def _left(self, batch: Batch) -> Sent:
        """Takes people out; whoever is not there any more needs no taking out."""

        def act(row: Row) -> None:
            # An id goes when two contacts are merged; the address tells the one that stays.
            if row.known_as is None or not self._is_out(batch.audience, row.known_as, row):
                for number in self._numbers(row):
                    self._is_out(batch.audience, number, row)

        return mailing.one_by_one(batch.rows, act)

    def _is_out(self, segment: str, number: str, row: Row) -> bool:
        """Takes a contact out; false when there is no such contact."""
        path = f"/segments/{segment}/contact/{number}/remove"
        return self.client.request("POST", path, rows=[row], accept=(404,)).status != 404

    def _numbers(self, row: Row) -> list[str]:
        """Ids of all contacts with the person's address."""
        if self.around.record is not None:
            return ["0"]
        email = folded(row.identifiers["email"])
        found = self._pages("/contacts", "contacts", [("search", f"email:{email}")])
        # The search finds whatever contains the text.
        return [str(within(item, "id")) for item in found if email_of(item) == email]

    def _pages(self, path: str, name: str, params: Sequence[tuple[str, str]] = ()) -> Iterator[Json]:
        start = 0
        while True:
            asked = [*params, ("start", str(start)), ("limit", str(PAGE)), ("orderBy", "id"), ("orderByDir", "asc")]
            answer: Any = self.client.request("GET", path, params=asked).value
            found = list(numbered(within(answer, name)).values())
            yield from found
            start += len(found)
            if not found or start >= int(within(answer, "total") or 0):
                return

    def _auth(self) -> Auth:
        from segctl.model.fetching_rest import Basic, ClientCredentials

        if way_in(self.destination, WAYS) == "user":
            return Basic(self.options["user"], self.options["password"])
        site = self.options["base_url"].rstrip("/").removesuffix("/api")
        return ClientCredentials(f"{site}/oauth/v2/token", self.options["client_id"], self.options["client_secret"])
