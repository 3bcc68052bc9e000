"""listmonk: an audience is a list; people are put on it and taken off it, and nothing is said of subscriptions.

An addition carries no status: listmonk then leaves an opt-out as it is and calls what is new unconfirmed, which lists
with a single opt-in are mailed to. `unsubscribe` and `preconfirm_subscriptions` are not used at all. Whoever is on the
blocklist or has left the list stays out, and is told as such. Fields are `name` and attributes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from segctl.connectors.destinations import mailing
from segctl.connectors.destinations.base import Abilities, Around, Batch, Member, Remote, Row, Sent, Trouble
from segctl.connectors.destinations.clients import ALLOW_HTTP, CA_BUNDLE, client
from segctl.connectors.destinations.mailing import Json, folded, listed, within
from segctl.connectors.destinations.values import plain, text
from segctl.connectors.http.reasons import words_of
from segctl.connectors.sources.base import Probe
from segctl.model.destinations import Destination, Option

LONGEST_QUERY = 3000
"""Signs of a query before it is encoded: proxies refuse addresses of more than 8 KB."""
PAGE = 1000
ABILITIES = Abilities(identifiers=("email",), channel="email", batch_rows=500, recipient="esp", reads_back=True)
OPTIONS = (
    Option("base_url", "url", "address of the API, `https://lists.example.com/api`", required=True),
    Option("user", "text", "name of the API user", required=True),
    Option("token", "secret", "its token", required=True),
    Option("create_people", "boolean", "make subscribers that listmonk does not know; else they are refused",
           default=True),
    Option("create_audiences", "boolean", "make a list where there is none of that name", default=True),
    Option("list_type", "choice", "of lists that are made", default="private", choices=("private", "public")),
    Option("optin", "choice", "of lists that are made; with `double` nobody is mailed before confirming to listmonk",
           default="single", choices=("single", "double")),
    CA_BUNDLE,
    ALLOW_HTTP,
)  # fmt: skip
_NAME = "name"
"""The only field that is no attribute there."""


def connect(destination: Destination, around: Around) -> Listmonk:
    """Its connector."""
    return Listmonk(destination, around)


def condition(emails: Sequence[str]) -> str:
    """SQL that finds subscribers by address; the addresses come from people, so quotes are doubled."""
    quoted = ",".join("'" + email.replace("'", "''") + "'" for email in emails)
    return f"subscribers.email IN ({quoted})"


def parts(emails: Sequence[str]) -> Iterator[list[str]]:
    """The addresses in parts that fit into a query."""
    part: list[str] = []
    for email in emails:
        if part and len(condition([*part, email])) > LONGEST_QUERY:
            yield part
            part = []
        part.append(email)
    if part:
        yield part


def told(row: Row) -> tuple[str, dict[str, Json]]:
    """Name and attributes of a row; an empty name leaves what is there."""
    fields = dict(row.fields)
    name = text(fields.pop(_NAME, None))
    return name, {field: plain(value) for field, value in fields.items()}


class Listmonk:
    """One installation."""

    def __init__(self, destination: Destination, around: Around) -> None:
        from segctl.model.fetching_rest import Basic

        self.destination, self.around, self.options = destination, around, destination.options
        auth = Basic(self.options["user"], self.options["token"])
        self.client = client(destination, around, self.options["base_url"], auth=auth)

    def check(self) -> tuple[Probe, ...]:
        """Asks for one list."""
        return self.client.check("GET", "/lists", params=[("per_page", "1")])

    def audience(self, segment: str, name: str) -> str:
        """Id of the list of that name or id; made where it is missing."""
        lists = self._lists()
        found = [item for item in lists if within(item, "name") == name] or [
            item for item in lists if str(within(item, "id")) == name
        ]
        if len(found) > 1:
            raise mailing.ambiguous(self.destination.name, name, "lists")
        if found:
            if within(found[0], "optin") == "double":
                self.around.note(f"{self.destination.name}: the list `{name}` mails only who confirms to listmonk")
            return str(found[0]["id"])
        if not self.options.get("create_audiences", True) and self.around.record is None:
            raise mailing.not_made(self.destination.name, name, "list")
        body = {
            "name": name,
            "type": self.options.get("list_type", "private"),
            "optin": self.options.get("optin", "single"),
            "description": f"segctl: {segment}",
        }
        made = self.client.request("POST", "/lists", json=body, stand_in={"data": {"id": 0}})
        return mailing.id_within(made.value, "data", "id")

    def send(self, batch: Batch) -> Sent:
        """Looks up who is there, makes and changes who is told of, then puts all on the list or takes them off."""
        rows = {folded(row.identifiers.get("email", "")): row for row in batch.rows}
        missing = Trouble("invalid", "there is no e-mail address to know the person by", "missing")
        troubles = {row.key: missing for email, row in rows.items() if "@" not in email}
        rows = {email: row for email, row in rows.items() if "@" in email}
        there = self._there(list(rows))
        known: dict[str, int] = {}
        for email, row in rows.items():
            found = there.get(email)
            if batch.action == "remove":
                outcome: int | Trouble | None = None if found is None else int(found["id"])
            elif found is None:
                outcome = self._made(row, email) if batch.action == "add" else unknown()
            else:
                outcome = self._changed(row, found, batch.audience)
            if isinstance(outcome, Trouble):
                troubles[row.key] = outcome
            elif outcome is not None:
                known[row.key] = outcome
        is_dry = self.around.record is not None
        if batch.action != "update" and (known or is_dry):
            action = "remove" if batch.action == "remove" else "add"
            ids = list(known.values())
            body = {"ids": ids, "action": action, "target_list_ids": [int(batch.audience)]}
            self.client.request("PUT", "/subscribers/lists", json=body, rows=batch.rows)
        return Sent(troubles, {} if is_dry else {key: str(number) for key, number in known.items()})

    def poll(self, job: str) -> Sent:  # noqa: ARG002 - the same shape at every destination
        """Nothing goes on there."""
        return Sent()

    def seen_as(self, row: Row) -> Mapping[str, str]:
        """The address in small letters."""
        return {"email": folded(row.identifiers["email"])} if row.identifiers.get("email") else {}

    def members(self, audience: str) -> Iterator[Member]:
        """Everybody on a list, those who have opted out of it included: they are on it still."""
        page, seen = 1, 0
        while True:
            params = [("list_id", audience), ("page", str(page)), ("per_page", str(PAGE))]
            answer = self.client.request("GET", "/subscribers", params=params).value
            found = listed(answer, "data", "results")
            for item in found:
                yield Member({"email": folded(within(item, "email"))}, str(within(item, "id")))
            page, seen = page + 1, seen + len(found)
            if not found or seen >= int(within(answer, "data", "total") or 0):
                return

    def audiences(self) -> Iterator[Remote]:
        """Every list."""
        for item in self._lists():
            size = within(item, "subscriber_count")
            yield Remote(str(within(item, "id")), str(within(item, "name") or ""), size)

    def close(self) -> None:
        """Lets go of connections."""
        self.client.close()

    def _lists(self) -> list[Json]:
        answer = self.client.request("GET", "/lists", params=[("per_page", "all")])
        return listed(answer.value, "data", "results")

    def _there(self, emails: Sequence[str]) -> dict[str, Json]:
        """Address → subscriber, of those that listmonk knows."""
        found: dict[str, Json] = {}
        for part in parts(emails):
            # Addresses of requests are shown in a dry run, bodies only to who may see people.
            query = f"subscribers.email IN ({len(part)} addresses)" if self.around.record else condition(part)
            params = [("query", query), ("per_page", str(len(part)))]
            answer = self.client.request("GET", "/subscribers", params=params)
            found |= {folded(within(item, "email")): item for item in listed(answer.value, "data", "results")}
        return found

    def _made(self, row: Row, email: str) -> int | Trouble:
        """Id of a subscriber who is made, on no list yet, or why not."""
        if not self.options.get("create_people", True):
            return unknown()
        name, attributes = told(row)
        body = {
            "email": email,
            "name": name or email.partition("@")[0],
            "status": "enabled",
            "lists": [],
            "attribs": {field: value for field, value in attributes.items() if value is not None},
        }
        stand_in = {"data": {"id": 0}}
        answer = self.client.request(
            "POST", "/subscribers", json=body, rows=[row], accept=(400, 409), stand_in=stand_in
        )
        if answer.status == 400:
            return Trouble("invalid", words_of(answer.value, [row]), "400")
        if answer.status == 409:
            # Made by somebody else since it was looked up.
            found = self._there([email]).get(email)
            return (
                Trouble("rejected", "the address is taken, and nobody has it", "409") if found is None else found["id"]
            )
        return int(mailing.id_within(answer.value, "data", "id"))

    def _changed(self, row: Row, found: Json, audience: str) -> int | Trouble:
        """Id of a subscriber who is there, with name and attributes as told, or why they stay out."""
        if within(found, "status") == "blocklisted":
            return Trouble("invalid", "the person is on listmonk's blocklist", "blocklisted")
        for item in listed(found, "lists"):
            if str(within(item, "id")) == audience and within(item, "subscription_status") == "unsubscribed":
                return Trouble("invalid", "the person has unsubscribed from this list", "unsubscribed")
        name, attributes = told(row)
        before = within(found, "attribs") or {}
        after = {field: value for field, value in {**before, **attributes}.items() if value is not None}
        if (name and name != within(found, "name")) or after != before:
            # A change replaces everything, so what is there goes along: memberships and status stay as they are.
            body = {
                "email": within(found, "email"),
                "name": name or within(found, "name"),
                "status": within(found, "status"),
                "lists": [within(item, "id") for item in listed(found, "lists")],
                "attribs": after,
            }
            self.client.request("PUT", f"/subscribers/{int(found['id'])}", json=body, rows=[row])
        return int(found["id"])


def unknown() -> Trouble:
    """Nobody there has the address, and nobody is made."""
    return Trouble("rejected", "listmonk does not know the person", "unknown_person")
