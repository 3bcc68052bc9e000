"""Brevo: an audience is a list; contacts are imported into it, or added to it when they are there already.

`emailBlacklisted` and `smsBlacklisted` are never sent, so who opted out stays opted out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from segctl.connectors.destinations import mailing
from segctl.connectors.destinations.base import (
    Abilities,
    Around,
    Batch,
    BatchRefusedError,
    Member,
    NotNowError,
    Remote,
    Row,
    Sent,
    Trouble,
    UnknownOutcomeError,
    place,
)
from segctl.connectors.destinations.clients import client
from segctl.connectors.destinations.mailing import Json, compared, folded, listed, within
from segctl.connectors.destinations.reasons import words_of
from segctl.connectors.destinations.values import plain
from segctl.connectors.sources.base import Probe
from segctl.model.destinations import Destination, Option
from segctl.model.fetching_rest import ApiKey

MOST_BYTES = 8_000_000
"""The service takes 10 MB and advises 8."""
ABILITIES = Abilities(
    identifiers=("email", "external_id"),
    channel="email",
    batch_rows=150,
    batch_bytes=MOST_BYTES,
    parallel=2,
    recipient="esp",
    reads_back=True,
)
OPTIONS = (
    Option("api_key", "secret", "key of the API, version 3", required=True),
    Option("base_url", "url", "another address of the service", default="https://api.brevo.com/v3"),
    Option("folder", "integer", "id of the folder in which lists are made; the first one without it"),
    Option(
        "new_contacts",
        "choice",
        "people who are no contacts yet: `create` them, `never`, or `double_opt_in` asks them to confirm by mail",
        default="create",
        choices=("create", "never", "double_opt_in"),
    ),
    Option("template", "integer", "template of the mail that asks to confirm, with `double_opt_in`"),
    Option("redirect_url", "url", "page to which the confirming link leads, with `double_opt_in`"),
    Option("create_audiences", "boolean", "make a list where there is none of that name", default=True),
)
LISTS = "/contacts/lists"
BODIES = {"email": "emails", "external_id": "extIds"}
"""Identifier → name of the array that lists are changed by."""
NAMES = {"email": "email", "external_id": "ext_id"}
NONE_CHANGED = ("invalid_parameter", "document_not_found")
"""Codes of a 400 that may mean no more than that all are on the list already, or no contacts."""
_GOING_ON = frozenset({"queued", "in_process", "processing"})


def known_by(row: Row) -> str:
    """The identifier that a row goes by."""
    return "email" if row.identifiers.get("email") else "external_id"


def attributes(row: Row) -> dict[str, Any]:
    """Attributes by name, in capitals as the service has them."""
    return {name.upper(): "" if value is None else plain(value) for name, value in row.fields.items()}


def contact(row: Row) -> dict[str, Any]:
    """A contact with its identifiers and attributes."""
    told = {NAMES[kind]: value for kind, value in row.identifiers.items() if kind in NAMES}
    found = attributes(row)
    return told | ({"attributes": found} if found else {})


def imported(rows: Sequence[Row], audience: str) -> Json:
    """The body that imports people into a list, with empty values clearing only where there are any."""
    body = {
        "jsonBody": [{"attributes": {}} | contact(row) for row in rows],
        "listIds": [int(audience) if audience.isdecimal() else audience],
        "updateExistingContacts": True,
        "disableNotification": True,
    }
    clears = any(value is None for row in rows for value in row.fields.values())
    return body | ({"emptyContactsAttributes": True} if clears else {})


class Brevo:
    """One account."""

    def __init__(self, destination: Destination, around: Around) -> None:
        options = destination.options
        self.name, self.options, self.is_dry = destination.name, options, around.record is not None
        self.new = str(options.get("new_contacts", "create"))
        if self.new == "double_opt_in" and not (options.get("template") and options.get("redirect_url")):
            why = "the mail that asks to confirm needs a template and a page to lead to"
            raise mailing.unfit(self.name, "double_opt_in", why, "write `template:` and `redirect_url:` as well")
        self._imports: dict[str, tuple[Row, ...]] = {}
        self.client = client(
            destination,
            around,
            options.get("base_url", "https://api.brevo.com/v3"),
            auth=ApiKey("header", "api-key", options["api_key"]),
            own=() if "base_url" in options else ("api.brevo.com",),
            # 36,000 contact calls an hour, which is ten a second, all day long.
            requests=10,
            per_s=1.0,
        )

    def check(self) -> tuple[Probe, ...]:
        """Asks for the account."""
        return self.client.check("GET", "/account")

    def audience(self, segment: str, name: str) -> str:  # noqa: ARG002 - the same shape at every destination
        """Id of the list of that name or id; made in a folder where it is missing."""
        remotes = list(self.audiences())
        found = [remote.id for remote in remotes if remote.name == name]
        found = found or [remote.id for remote in remotes if remote.id == name]
        if len(found) > 1:
            raise mailing.ambiguous(self.name, name, "lists")
        if found:
            return found[0]
        if not self.options.get("create_audiences", True) and not self.is_dry:
            raise mailing.not_made(self.name, name, "list")
        body = {"name": name, "folderId": self.options.get("folder") or self._folder(name)}
        made = self.client.request("POST", LISTS, json=body, stand_in={"id": f"<{name}>"})
        return str(made.value["id"])

    def send(self, batch: Batch) -> Sent:
        """An import that creates and adds; or calls that only touch contacts who are there."""
        if batch.action == "remove":
            return self._leave(batch)
        if batch.action == "add" and self.new == "create":
            return self._import(batch)
        told = [contact(row) for row in batch.rows if row.fields]
        if told:
            # Updates only, and says nothing about single contacts.
            self.client.request("POST", "/contacts/batch", json={"contacts": told}, rows=batch.rows)
        return self._enter(batch) if batch.action == "add" else Sent()

    def poll(self, job: str) -> Sent:
        """How far an import is; `job` is its id, the list's and the number of its rows."""
        process, audience, count = job.split("/")
        answer = self.client.request("GET", f"/processes/{process}")
        status = within(answer.value, "status")
        if status in _GOING_ON:
            return Sent(job=job, wait_s=3.0)
        rows = self._imports.pop(job, None)
        if status != "completed":
            ended = Trouble("rejected", f"the service ended the import as `{status}`", str(status))
            return Sent(troubles={place(index): ended for index in range(int(count))})
        if not any((within(answer.value, "info", "import") or {}).values()):
            return Sent()
        if rows is None:
            unnamed = Trouble("unknown", "some people of the import were refused, and not who", "unnamed")
            return Sent(troubles={place(index): unnamed for index in range(int(count))})
        sent = mailing.one_by_one(rows, lambda row: self._open_end(row, audience, wanted=True), has_begun=True)
        places = {row.key: place(index) for index, row in enumerate(rows)}
        return Sent(troubles={places[key]: found for key, found in sent.troubles.items()})

    def seen_as(self, row: Row) -> Mapping[str, str]:
        """The identifier that a row goes by; addresses in small letters."""
        kind = known_by(row)
        value = row.identifiers.get(kind, "")
        return {kind: compared(kind, value)} if value else {}

    def members(self, audience: str) -> Iterator[Member]:
        """Everybody on a list."""
        for item in self._pages(f"{LISTS}/{audience}/contacts", "contacts", 500):
            told = {"email": folded(within(item, "email") or ""), "external_id": str(within(item, "extId") or "")}
            yield Member({kind: value for kind, value in told.items() if value}, str(item["id"]))

    def audiences(self) -> Iterator[Remote]:
        """Every list."""
        for item in self._pages(LISTS, "lists", 50):
            size = within(item, "uniqueSubscribers")
            yield Remote(str(item["id"]), str(within(item, "name") or ""), size if isinstance(size, int) else None)

    def close(self) -> None:
        """Lets go of connections."""
        self.client.close()

    def _import(self, batch: Batch) -> Sent:
        body = imported(batch.rows, batch.audience)
        mailing.within_bytes(body, MOST_BYTES)
        answer = self.client.request("POST", "/contacts/import", json=body, rows=batch.rows)
        process = within(answer.value, "processId")
        if process is None:
            return Sent()
        job = f"{process}/{batch.audience}/{len(batch.rows)}"
        self._imports[job] = batch.rows
        return Sent(job=job, wait_s=2.0)

    def _enter(self, batch: Batch) -> Sent:
        """Adds contacts who are there; who was not added is on the list already, or no contact."""
        asked: list[str] = []

        def look(row: Row) -> Trouble | None:
            found = self._open_end(row, batch.audience, wanted=True)
            if found is not None and found.code == "no_contact" and self.new == "double_opt_in":
                found = self._ask_to_confirm(row, batch.audience)
                asked.extend([] if found else [row.key])
            return found

        sent = mailing.one_by_one(self._changed(batch, "add"), look, has_begun=True)
        note = f"{len(asked)} were asked by mail to confirm; they are on the list once they do" if asked else None
        return Sent(sent.troubles, note=note)

    def _leave(self, batch: Batch) -> Sent:
        """Takes contacts off the list, and nothing else."""
        left = self._changed(batch, "remove")
        return mailing.one_by_one(left, lambda row: self._open_end(row, batch.audience, wanted=False), has_begun=True)

    def _changed(self, batch: Batch, verb: str) -> list[Row]:
        """Changes the list by each identifier; the rows that were not changed."""
        left: list[Row] = []
        has_begun = False
        for kind, name in BODIES.items():
            rows = [row for row in batch.rows if known_by(row) == kind and row.identifiers.get(kind)]
            values = {row.identifiers[kind]: None for row in rows}
            try:
                done = self._change(batch, verb, {name: list(values)}) if values else set()
            except (BatchRefusedError, NotNowError, UnknownOutcomeError):
                if not has_begun:
                    raise
                done = set()
            has_begun = has_begun or bool(values)
            changed = {compared(kind, value) for value in done}
            left += [row for row in rows if compared(kind, row.identifiers[kind]) not in changed and not self.is_dry]
        return left

    def _change(self, batch: Batch, verb: str, body: Json) -> set[str]:
        """Changes the list; identifiers of those who were changed."""
        path = f"{LISTS}/{batch.audience}/contacts/{verb}"
        answer = self.client.request("POST", path, json=body, rows=batch.rows, accept=(400,))
        if answer.status == 400 and within(answer.value, "code") not in NONE_CHANGED:
            raise BatchRefusedError(words_of(answer.value, batch.rows), code=str(within(answer.value, "code") or 400))
        return set(map(str, listed(answer.value, "contacts", "success")))

    def _open_end(self, row: Row, audience: str, *, wanted: bool) -> Trouble | None:
        """Whether somebody is on the list, asked for; None when that is as wanted."""
        kind = known_by(row)
        params = [("identifierType", f"{NAMES[kind]}" if kind != "email" else "email_id")]
        path = f"/contacts/{quote(row.identifiers[kind], safe='')}"
        answer = self.client.request("GET", path, params=params, accept=(400, 404))
        if answer.status != 200:
            return (
                Trouble("rejected", f"no contact there: {words_of(answer.value, (row,))}", "no_contact")
                if wanted
                else None
            )
        lists = {str(number) for number in listed(answer.value, "listIds")}
        if (audience in lists) is wanted:
            return None
        return Trouble("rejected", "the list was not changed", "list")

    def _ask_to_confirm(self, row: Row, audience: str) -> Trouble | None:
        """Sends the mail that asks somebody to confirm."""
        body = {
            "email": row.identifiers.get("email", ""),
            "includeListIds": [int(audience)],
            "templateId": self.options["template"],
            "redirectionUrl": self.options["redirect_url"],
        } | ({"attributes": attributes(row)} if row.fields else {})
        answer = self.client.request("POST", "/contacts/doubleOptinConfirmation", json=body, rows=(row,), accept=(400,))
        if answer.status == 400:
            return Trouble("invalid", words_of(answer.value, (row,)), within(answer.value, "code"))
        return None

    def _folder(self, name: str) -> Json:
        """The first folder, since a list must stand in one."""
        answer = self.client.request("GET", "/contacts/folders", params=[("limit", "1"), ("offset", "0")])
        found = listed(answer.value, "folders")
        if not found and not self.is_dry:
            why = "a list stands in a folder, and there is none"
            raise mailing.unfit(self.name, name, why, "make a folder there, or a list of that name")
        return found[0]["id"] if found else 1

    def _pages(self, path: str, what: str, size: int) -> Iterator[Json]:
        offset = 0
        while True:
            params = [("limit", str(size)), ("offset", str(offset)), ("sort", "asc")]
            answer = self.client.request("GET", path, params=params)
            found = listed(answer.value, what)
            yield from found
            offset += len(found)
            if not found or offset >= int(within(answer.value, "count") or 0):
                return


def connect(destination: Destination, around: Around) -> Brevo:
    """The connector of an account."""
    return Brevo(destination, around)
