"""Mailchimp: an audience is a static segment (a tag) of one list; nobody's status on the list is ever changed.

Nobody who is there is sent with a `status` or with `update_existing`: either could bring back who opted out. Fields are
merge tags, such as `FNAME`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from segctl.connectors.destinations import mailing
from segctl.connectors.destinations.base import (
    Abilities,
    Around,
    Batch,
    Member,
    NotNowError,
    Remote,
    Row,
    Sent,
    Trouble,
)
from segctl.connectors.destinations.clients import client
from segctl.connectors.destinations.mailing import Json, folded, listed, within
from segctl.connectors.destinations.values import plain
from segctl.connectors.http.reasons import words_of
from segctl.connectors.sources.base import Probe
from segctl.model.destinations import Destination, Option
from segctl.model.errors import UsageError
from segctl.model.fetching_rest import Basic

if TYPE_CHECKING:
    from segctl.connectors.http.client import Client
    from segctl.connectors.http.exchange import Answer

ABILITIES = Abilities(
    identifiers=("email",),
    channel="email",
    batch_rows=500,
    parallel=4,
    recipient="esp",
    reads_back=True,
)
OPTIONS = (
    Option("api_key", "secret", "key of the account, with its data centre behind the last `-`", required=True),
    Option("list", "text", "id of the list (Mailchimp says audience) whose members are tagged", required=True),
    Option("server", "text", "data centre, such as `us19`; the key's without it"),
    Option("base_url", "url", "another address of the service, up to `/3.0`"),
    Option(
        "new_members",
        "choice",
        "status of people who are not on the list yet: `never` leaves them out, `pending` asks them to confirm",
        default="never",
        choices=("never", "pending", "subscribed", "transactional"),
    ),
    Option("create_audiences", "boolean", "make a static segment where there is none of that name", default=True),
)
ON_A_PAGE = 1000
EVERYBODY = (("include_cleaned", "true"), ("include_transactional", "true"), ("include_unsubscribed", "true"))
"""Without these a segment shows only who is subscribed."""
OPTED_OUT = ("compliance state", "forgotten email", "permanently deleted")
"""Words of errors about people whom nobody but themselves can bring back."""


def subscriber_hash(email: str) -> str:
    """How a member is named in a path: an identifier, no protection."""
    return hashlib.md5(email.strip().lower().encode(), usedforsecurity=False).hexdigest()


def merge_fields(row: Row) -> dict[str, Any]:
    """Fields by merge tag; an empty text clears one."""
    return {name: plain(value) if value is not None else "" for name, value in row.fields.items()}


def new_members(groups: Mapping[str, Sequence[Row]], status: str) -> Json:
    """The body that puts people on the list who are not there; who is there stays as he is."""
    members = []
    for rows in groups.values():
        member = {"email_address": rows[0].identifiers["email"], "status": status}
        fields = merge_fields(rows[0])
        members.append(member | ({"merge_fields": fields} if fields else {}))
    return {"members": members, "update_existing": False, "sync_tags": False}


class Mailchimp:
    """One list of an account."""

    def __init__(self, destination: Destination, around: Around) -> None:
        self.destination, self.around, self.options = destination, around, destination.options
        self.name, self.is_dry = destination.name, around.record is not None
        self.new = str(self.options.get("new_members", "never"))
        self.list = f"/lists/{self.options['list']}"
        self._client: Client | None = None

    @property
    def client(self) -> Client:
        """Made when it is used first, since the key says where the account lives."""
        if self._client is None:
            self._client = client(
                self.destination,
                self.around,
                self._address(),
                auth=Basic("segctl", self.options["api_key"]),
                own=() if "base_url" in self.options else ("*.api.mailchimp.com",),
                # The service hangs up on its own after 120 s; ten connections at a time are the most of a key.
                read_s=120.0,
                connections=8,
            )
        return self._client

    def check(self) -> tuple[Probe, ...]:
        """Asks for the list."""
        try:
            found = self.client.check("GET", self.list, params=[("fields", "id,name,double_optin,stats.member_count")])
        except UsageError as error:
            return (Probe("credentials", "problem", error.message, error.hint),)
        hint = "a wrong data centre is refused like a wrong key: compare `server` with the end of the key"
        return tuple(Probe(p.name, p.status, p.detail, hint) if p.name == "credentials" and p.status == "problem" else p
                     for p in found)  # fmt: skip

    def audience(self, segment: str, name: str) -> str:  # noqa: ARG002 - the same shape at every destination
        """Id of the static segment of that name or id; made where it is missing."""
        remotes = list(self.audiences())
        found = [remote.id for remote in remotes if remote.name == name]
        found = found or [remote.id for remote in remotes if remote.id == name]
        if len(found) > 1:
            raise mailing.ambiguous(self.name, name, "static segments")
        if found:
            return found[0]
        if not self.options.get("create_audiences", True) and not self.is_dry:
            raise mailing.not_made(self.name, name, "static segment")
        body = {"name": name, "static_segment": []}
        made = self._ask("POST", f"{self.list}/segments", json=body, stand_in={"id": f"<{name}>"})
        return mailing.id_within(made.value, "id")

    def send(self, batch: Batch) -> Sent:
        """Fields and new people first, then the segment; a removal is the segment alone."""
        if batch.action != "remove":
            mailing.named(batch.rows, "email")
        groups = mailing.by_value([row for row in batch.rows if row.identifiers.get("email")], "email")
        if batch.action == "remove":
            return Sent(mailing.shared(groups, self._leave(batch, list(groups))))
        troubles = self._told(batch, groups)
        if batch.action == "add":
            troubles |= self._enter(batch, [value for value in groups if value not in troubles])
        return Sent(mailing.shared(groups, troubles))

    def poll(self, job: str) -> Sent:  # noqa: ARG002 - every call is done when it answers
        """Nothing goes on there."""
        return Sent()

    def seen_as(self, row: Row) -> Mapping[str, str]:
        """The address in small letters."""
        email = row.identifiers.get("email")
        return {"email": folded(email)} if email else {}

    def members(self, audience: str) -> Iterator[Member]:
        """Everybody in a static segment, whatever their status."""
        fields = ("fields", "members.id,members.email_address,total_items")
        for item in self._pages(f"{self.list}/segments/{audience}/members", "members", (fields, *EVERYBODY)):
            yield Member({"email": folded(item["email_address"])}, str(item["id"]))

    def audiences(self) -> Iterator[Remote]:
        """Every static segment of the list."""
        asked = (("type", "static"), ("fields", "segments.id,segments.name,segments.member_count,total_items"))
        for item in self._pages(f"{self.list}/segments", "segments", asked):
            yield Remote(str(item["id"]), str(within(item, "name") or ""), within(item, "member_count"))

    def close(self) -> None:
        """Lets go of connections."""
        if self._client is not None:
            self._client.close()

    def _told(self, batch: Batch, groups: Mapping[str, list[Row]]) -> dict[str, Trouble]:
        """Puts new people on the list where that is wanted, and writes the fields of the others."""
        troubles: dict[str, Trouble] = {}
        there = dict(groups)
        if batch.action == "add" and self.new != "never":
            answer = self._ask("POST", self.list, json=new_members(groups, self.new), rows=batch.rows)
            failed = {folded(within(error, "email_address") or ""): error for error in listed(answer.value, "errors")}
            exists = {value for value, error in failed.items() if within(error, "error_code") == "ERROR_CONTACT_EXISTS"}
            troubles = {
                value: refused(failed[value], batch.rows) for value in groups if value in failed.keys() - exists
            }
            there = {value: rows for value, rows in groups.items() if value in exists}
        told = [rows[0] for rows in there.values() if rows[0].fields]
        sent = mailing.one_by_one(told, self._write)
        return troubles | {
            folded(row.identifiers["email"]): sent.troubles[row.key] for row in told if row.key in sent.troubles
        }

    def _write(self, row: Row) -> Trouble | None:
        """Writes the fields of somebody on the list; PATCH makes nobody a member and changes no status."""
        path = f"{self.list}/members/{subscriber_hash(row.identifiers['email'])}"
        answer = self._ask("PATCH", path, json={"merge_fields": merge_fields(row)}, rows=(row,), accept=(400, 404))
        if answer.status == 404:
            return not_on_list()
        return refused(answer.value, (row,)) if answer.status == 400 else None

    def _enter(self, batch: Batch, values: Sequence[str]) -> dict[str, Trouble]:
        """Puts people into the segment; who was not put there may be in it already, or not be on the list."""
        if not values:
            return {}
        answer = self._change(batch, "members_to_add", values)
        added = {folded(within(item, "email_address") or "") for item in listed(answer.value, "members_added")}
        return {} if self.is_dry else self._looked_at(batch, [v for v in values if v not in added], answer, wanted=True)

    def _leave(self, batch: Batch, values: Sequence[str]) -> dict[str, Trouble]:
        """Takes people out of the segment; they stay on the list as they are."""
        if not values:
            return {}
        answer = self._change(batch, "members_to_remove", values)
        named = {
            folded(email) for error in listed(answer.value, "errors") for email in listed(error, "email_addresses")
        }
        return self._looked_at(batch, [value for value in values if value in named], answer, wanted=False)

    def _change(self, batch: Batch, what: str, values: Sequence[str]) -> Answer:
        return self._ask("POST", f"{self.list}/segments/{batch.audience}", json={what: list(values)}, rows=batch.rows)

    def _looked_at(self, batch: Batch, values: Sequence[str], answer: Answer, *, wanted: bool) -> dict[str, Trouble]:
        """Troubles of those whom the answer leaves open, each asked for."""
        reasons = {
            folded(email): words_of(within(error, "error"), batch.rows)
            for error in listed(answer.value, "errors")
            for email in listed(error, "email_addresses")
        }

        def look(row: Row) -> Trouble | None:
            value = folded(row.identifiers["email"])
            params = [("fields", "status,tags")]
            found = self._ask("GET", f"{self.list}/members/{subscriber_hash(value)}", params=params, accept=(404,))
            if found.status == 404:
                return not_on_list() if wanted else None
            tags = {str(within(tag, "id")) for tag in listed(found.value, "tags")}
            if (batch.audience in tags) is wanted:
                return None
            return Trouble("rejected", reasons.get(value, "the segment was not changed"), "segment")

        asked = {folded(row.identifiers["email"]): row for row in batch.rows if row.identifiers.get("email")}
        troubles = mailing.looked_at([asked[value] for value in values], look)
        return {value: troubles[asked[value].key] for value in values if asked[value].key in troubles}

    def _ask(self, method: str, path: str, **options: Any) -> Answer:  # noqa: ANN401 - those of `Client.request`
        """A request; a bare 403 means too many connections, which is no matter of rights."""
        accept = (*options.pop("accept", ()), 403)
        answer = self.client.request(method, path, accept=accept, **options)
        if answer.status == 403:
            if answer.value is None:
                raise NotNowError("answered 403 without a reason, as it does when too many connections are open")
            from segctl.connectors.http.outcomes import forbidden

            raise forbidden(self.name, answer.url, 403, words_of(answer.value, options.get("rows", ())))
        return answer

    def _pages(self, path: str, what: str, params: Sequence[tuple[str, str]]) -> Iterator[Json]:
        offset = 0
        while True:
            asked = [("count", str(ON_A_PAGE)), ("offset", str(offset)), *params]
            answer = self._ask("GET", path, params=asked)
            found = listed(answer.value, what)
            yield from found
            offset += len(found)
            if not found or offset >= int(within(answer.value, "total_items") or 0):
                return

    def _address(self) -> str:
        if "base_url" in self.options:
            return str(self.options["base_url"])
        server = self.options.get("server") or ("<server>" if self.is_dry else self._server())
        return f"https://{server}.api.mailchimp.com/3.0"

    def _server(self) -> str:
        """The data centre in the key; it becomes part of a host's name, so it is looked at first."""
        from segctl.connectors.http.secrets import revealed

        server = revealed(self.options["api_key"], self.around.root).rpartition("-")[2]
        if not (server.isascii() and server.isalnum() and len(server) <= 8):
            hint = "write it as `server:`; it stands in the address of the account, such as `us19`"
            raise mailing.unfit(self.name, "api_key", "the key does not end with a data centre", hint)
        return server


def not_on_list() -> Trouble:
    """Somebody whom Mailchimp does not know."""
    return Trouble("rejected", "not on the list; `new_members` says whether people are put there", "not_on_list")


def refused(error: Json, rows: Sequence[Row]) -> Trouble:
    """What an error of one person says."""
    words = words_of(error, rows)
    whole = f"{within(error, 'title') or ''} {words}".lower()
    code = str(within(error, "error_code") or within(error, "title") or "") or None
    if any(word in whole for word in OPTED_OUT):
        return Trouble("invalid", f"opted out there, and only the person can come back: {words}", "opted_out")
    return Trouble("invalid", words, code)


def connect(destination: Destination, around: Around) -> Mailchimp:
    """The connector of a list."""
    return Mailchimp(destination, around)
