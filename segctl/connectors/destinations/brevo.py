"""Brevo: an audience is a list; contacts are imported into it, or added to it when they are there already.

`emailBlacklisted` and `smsBlacklisted` are never sent, so who opted out stays opted out. Fields are attributes, in
capitals; an import ignores those that the account does not have.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
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
from segctl.connectors.destinations.values import plain
from segctl.connectors.http.reasons import words_of
from segctl.connectors.sources.base import Probe
from segctl.model.destinations import Destination, Option
from segctl.model.fetching_rest import ApiKey

MOST_BYTES = 8_000_000
"""The service takes 10 MB and advises 8."""
IN_A_CALL, UPDATED_AT_ONCE = 150, 100
"""Contacts that a list is changed by, and that are updated, in a call; of the second no limit is published."""
LEAST_IN_IMPORT = 20
"""Fewer people are told of one by one: an import's end must be asked for, and that may be 100 times an hour."""
POLL_S = 36.0
ABILITIES = Abilities(
    identifiers=("email", "external_id"),
    channel="email",
    batch_rows=5000,
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


def abilities(destination: Destination) -> Abilities:
    """Few people in a batch where mails go out: a batch that must be repeated asks some of them twice."""
    asks = destination.options.get("new_contacts") == "double_opt_in"
    return replace(ABILITIES, batch_rows=IN_A_CALL) if asks else ABILITIES


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
        "listIds": [_number(audience)],
        "updateExistingContacts": True,
        "disableNotification": True,
    }
    clears = any(value is None for row in rows for value in row.fields.values())
    return body | ({"emptyContactsAttributes": True} if clears else {})


def _number(audience: str) -> Json:
    """The id of a list, a number but for the stand-in of a dry run."""
    return int(audience) if audience.isdecimal() else audience


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
        return mailing.id_within(made.value, "id")

    def send(self, batch: Batch) -> Sent:
        """An import of many, or calls for few, that create and add; or calls that only touch contacts who are there."""
        if batch.action == "remove":
            left, troubles = self._changed(batch, "remove")
            return Sent(self._looked_at(left, batch.audience, wanted=False) | troubles)
        if batch.action == "add" and self.new == "create":
            if len(batch.rows) >= LEAST_IN_IMPORT:
                return self._import(batch)
            return mailing.one_by_one(batch.rows, lambda row: self._single(row, batch.audience))
        # Updates only, and says nothing about single contacts.
        for part in mailing.pieces([row for row in batch.rows if row.fields], UPDATED_AT_ONCE):
            body = {"contacts": [contact(row) for row in part]}
            self.client.request("POST", "/contacts/batch", json=body, rows=part)
        return self._enter(batch) if batch.action == "add" else Sent()

    def poll(self, job: str) -> Sent:
        """How far an import is; `job` is its id, the list's and the number of its rows."""
        process, audience, count = job.split("/")
        answer = self.client.request("GET", f"/processes/{process}")
        status = within(answer.value, "status")
        if status in _GOING_ON:
            return Sent(job=job, wait_s=POLL_S)
        rows = self._imports.pop(job, None)
        if status != "completed":
            ended = Trouble("unknown", f"the service ended the import as `{status}`", str(status))
            return Sent(troubles={place(index): ended for index in range(int(count))})
        if not any((within(answer.value, "info", "import") or {}).values()):
            return Sent()
        if rows is None:
            unnamed = Trouble("unknown", "some people of the import were refused, and not who", "unnamed")
            return Sent(troubles={place(index): unnamed for index in range(int(count))})
        places = {row.key: place(index) for index, row in enumerate(rows)}
        return Sent(
            troubles={places[key]: found for key, found in self._looked_at(rows, audience, wanted=True).items()}
        )

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
        return Sent(job=job, wait_s=5.0)

    def _single(self, row: Row, audience: str) -> Trouble | str | None:
        """Makes or changes one contact and adds it to the list."""
        body = contact(row) | {"listIds": [_number(audience)], "updateEnabled": True}
        answer = self.client.request("POST", "/contacts", json=body, rows=(row,))
        number = within(answer.value, "id")
        return None if number is None else str(number)

    def _looked_at(self, rows: Sequence[Row], audience: str, *, wanted: bool) -> dict[str, Trouble]:
        """Troubles of those who are not as wanted: each asked for, or the list read where that is fewer calls."""
        if len(rows) <= IN_A_CALL:
            return mailing.looked_at(rows, lambda row: self._open_end(row, audience, wanted=wanted))
        try:
            inside = {told for member in self.members(audience) for told in member.identifiers.items()}
        except NotNowError as error:
            # The list was changed before, so nobody may be told that nothing was taken.
            return {row.key: Trouble("unknown", f"what became of it cannot be read: {error}", "unread") for row in rows}
        wrong = [row.key for row in rows if any(told in inside for told in self.seen_as(row).items()) is not wanted]
        why = (
            ("not on the list, nor known as a contact", "no_contact")
            if wanted
            else ("the list was not changed", "list")
        )
        return dict.fromkeys(wrong, Trouble("rejected", *why))

    def _enter(self, batch: Batch) -> Sent:
        """Adds contacts who are there; who was not added is on the list already, or no contact."""
        left, troubles = self._changed(batch, "add")
        looked = self._looked_at(left, batch.audience, wanted=True)
        if self.new != "double_opt_in":
            return Sent(looked | troubles)
        missing = [row for row in left if row.key in looked and looked[row.key].code == "no_contact"]
        asked = mailing.one_by_one(missing, lambda row: self._ask_to_confirm(row, batch.audience), has_begun=True)
        number = len(missing) - len(asked.troubles)
        note = f"{number} were asked by mail to confirm; they are on the list once they do" if number else None
        kept = {key: found for key, found in looked.items() if found.code != "no_contact"}
        return Sent({**kept, **asked.troubles, **troubles}, note=note)

    def _changed(self, batch: Batch, verb: str) -> tuple[list[Row], dict[str, Trouble]]:
        """Changes the list by each identifier; rows that were not changed, and troubles of those not sent."""
        left: list[Row] = []
        troubles: dict[str, Trouble] = {}
        has_begun = False
        for kind, name in BODIES.items():
            told = [row for row in batch.rows if known_by(row) == kind and row.identifiers.get(kind)]
            for rows in mailing.pieces(told, IN_A_CALL):
                values = list(dict.fromkeys(row.identifiers[kind] for row in rows))
                try:
                    done = self._change(batch.audience, verb, {name: values}, rows)
                except (BatchRefusedError, NotNowError, UnknownOutcomeError) as error:
                    if not has_begun:
                        raise
                    is_unknown = isinstance(error, UnknownOutcomeError)
                    failed = Trouble("unknown" if is_unknown else "rejected", f"not sent: {error}", "not_sent")
                    troubles |= {row.key: failed for row in rows}
                    continue
                has_begun = True
                changed = {compared(kind, value) for value in done}
                left += [
                    row for row in rows if compared(kind, row.identifiers[kind]) not in changed and not self.is_dry
                ]
        return left, troubles

    def _change(self, audience: str, verb: str, body: Json, rows: Sequence[Row]) -> set[str]:
        """Changes the list; identifiers of those who were changed."""
        path = f"{LISTS}/{audience}/contacts/{verb}"
        answer = self.client.request("POST", path, json=body, rows=rows, accept=(400,))
        if answer.status == 400 and within(answer.value, "code") not in NONE_CHANGED:
            raise BatchRefusedError(words_of(answer.value, rows), code=str(within(answer.value, "code") or 400))
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
            "includeListIds": [_number(audience)],
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
