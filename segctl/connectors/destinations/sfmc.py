"""Salesforce Marketing Cloud: an audience is a data extension whose rows say in a column who belongs, or a journey.

Rows cannot be deleted by this way, so whoever leaves keeps a row with the flag off: journeys and mailings must look at
the column. The subdomain becomes part of a host name that is sent the credentials, so its form is checked, and the
address that a token's answer names is not used.

Fields are columns. Without `columns` people are told as `SubscriberKey`, `EmailAddress` and `MobileNumber`. With
`entry: journey` the name under `audiences` is the key of an entry event; nobody is taken out, and a repetition may
enter somebody twice, so an outcome that nobody knows is not repeated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from segctl.connectors.destinations import mailing
from segctl.connectors.destinations.base import (
    Abilities,
    Around,
    Batch,
    Connector,
    Member,
    Remote,
    Row,
    Sent,
    Trouble,
    UnknownOutcomeError,
    place,
)
from segctl.connectors.destinations.jobs import Job, left_out
from segctl.connectors.destinations.mailing import Json, folded, listed, within
from segctl.connectors.destinations.sfmc_account import columns_of, item, open_client
from segctl.connectors.destinations.sfmc_journey import Journey
from segctl.connectors.destinations.ways_in import missing_audience
from segctl.connectors.http.reasons import words_of
from segctl.connectors.sources.base import Probe
from segctl.model.destinations import Destination, Option

MOST_BYTES, MOST_ROWS, MOST_MEMBERS = 5_000_000, 28_000, 100
PAGE = 500
ABILITIES = Abilities(
    identifiers=("external_id", "email", "phone"),
    channel="email",
    batch_rows=MOST_ROWS,
    batch_bytes=MOST_BYTES,
    recipient="esp",
    removal="flag",
    reads_back=True,
)
OPTIONS = (
    Option("subdomain", "text", "of the account's addresses, `mc563885gzs27c5t9-63k636ttgm`", required=True),
    Option("client_id", "secret", "of an installed package, server to server", required=True),
    Option("client_secret", "secret", "of the package", required=True),
    Option("account_id", "text", "number (MID) of the business unit"),
    Option("entry", "choice", "rows of a data extension, or the entry into a journey", default="rows",
           choices=("rows", "journey")),
    Option("columns", "mapping", "column or contact attribute for `external_id`, `email` and `phone`"),
    Option("flag_column", "text", "truth that says who belongs", default="InSegment"),
    Option("segment_column", "text", "part of the primary key, where several segments share a data extension"),
    Option("base_url", "url", "another address of the service"),
    Option("auth_url", "url", "another address of its token service"),
)  # fmt: skip
GOES_ON = frozenset({None, "", "Pending", "Executing", "Queued"})
NOT_FOUND_YET = "AsyncRequestStatusNotFound"
DEADLOCK = "Rerun the transaction."
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_NOBODY = "there is no value for the data extension's key"
_OF = "|"
"""Stands between external key and segment in the id of an audience that shares its data extension."""
_TRUE = frozenset({"true", "1", "yes"})


def abilities(destination: Destination) -> Abilities:
    """A journey is entered a hundred at a time, and neither left nor entered twice without harm."""
    if destination.options.get("entry") != "journey":
        return ABILITIES
    return replace(
        ABILITIES, batch_rows=MOST_MEMBERS, batch_bytes=None, removal="none", modes=("add",), is_repeatable=False,
        reads_back=False,
    )  # fmt: skip


def connect(destination: Destination, around: Around) -> Connector:
    """Its connector."""
    if destination.options.get("entry") == "journey":
        return Journey(destination, around)
    return DataExtension(destination, around)


def outcome(word: Json, items: list[Json], job: Job) -> dict[str, Trouble]:
    """Place → trouble of a request that has ended.

    Args:
        word: Its last status.
        items: Results in the order the rows were sent; they name no row.
        job: The request.
    """
    (places,) = job.places()
    troubles = job.troubles()
    for at, found in zip(places, items, strict=False):
        if within(found, "status") != "OK":
            message = str(within(found, "message") or "")
            # The words quote values, and which rows they are about is not known here.
            reason = words_of(_QUOTED.sub("…", message))
            state: Any = "rejected" if message.rstrip().endswith(DEADLOCK) else "invalid"
            code = within(found, "errorCode")
            troubles[place(at)] = Trouble(state, reason, None if code in (None, "") else str(code))
    untold = places[len(items) :]
    if word == "Complete":
        lost = Trouble("unknown", "the service does not say what became of the row", "not_told")
    else:
        lost = Trouble("rejected", f"the request ended as `{word}`", str(word))
    return {**troubles, **{place(at): lost for at in untold}}


class DataExtension:
    """Data extensions of one business unit."""

    def __init__(self, destination: Destination, around: Around) -> None:
        self.destination, self.around, self.options = destination, around, destination.options
        self.columns = columns_of(destination)
        self.flag = str(self.options.get("flag_column", "InSegment"))
        self.shared_by = self.options.get("segment_column")
        self.client = open_client(destination, around)

    def check(self) -> tuple[Probe, ...]:
        """Asks for the state of a request that nobody made."""
        nobody = "00000000-0000-0000-0000-000000000000"
        return self.client.check("GET", f"/data/v1/async/{nobody}/status", accept=(400, 404))

    def audience(self, segment: str, name: str) -> str:
        """The external key, if there is such a data extension; none is made, for its columns are yours."""
        if not self._is_there(name):
            raise missing_audience(self.destination, name, "data extension with the external key")
        return f"{name}{_OF}{segment}" if self.shared_by else name

    def send(self, batch: Batch) -> Sent:
        """An asynchronous upsert, whose state is asked later."""
        key, segment = self._parts(batch.audience)
        more: dict[str, Json] = {self.shared_by: segment} if self.shared_by else {}
        if batch.action != "update":
            more[self.flag] = batch.action == "add"
        out = {
            at: _NOBODY for at, row in enumerate(batch.rows) if not any(row.identifiers.get(k) for k in self.columns)
        }
        rows = [row for at, row in enumerate(batch.rows) if at not in out]
        troubles = left_out(batch.rows, out)
        if not rows:
            return Sent(troubles)
        told = [replace(row, fields={}) for row in rows] if batch.action == "remove" else rows
        body = {"items": [item(row, self.columns, **more) for row in told]}
        mailing.within_bytes(body, MOST_BYTES)
        path = f"/data/v1/async/dataextensions/key:{_quoted(key)}/rows"
        answer = self.client.request("PUT", path, json=body, rows=rows).value
        if self.around.record is not None:
            return Sent(troubles)
        name = within(answer, "requestId")
        if not name:
            raise UnknownOutcomeError("the answer names no request")
        return Sent(troubles, job=str(Job(((str(name), len(rows)),), out)), wait_s=2.0)

    def poll(self, job: str) -> Sent:
        """How far a request is; its results come in the order of the rows."""
        asked = Job.of(job)
        ((name, _),) = asked.parts
        value = self.client.request("GET", f"/data/v1/async/{name}/status").value
        codes = {within(one, "resultCode") or within(one, "code") for one in listed(value, "resultMessages")}
        word = within(value, "status", "requestStatus")
        if NOT_FOUND_YET in codes or NOT_FOUND_YET in str(listed(value, "resultMessages")) or word in GOES_ON:
            return Sent(asked.troubles(), job=job, wait_s=5.0)
        if word == "Complete" and within(value, "status", "hasErrors") is False:
            return Sent(asked.troubles())
        return Sent(outcome(word, list(self._pages(f"/data/v1/async/{name}/results")), asked))

    def seen_as(self, row: Row) -> Mapping[str, str]:
        """As given; addresses in small letters."""
        found = {kind: row.identifiers[kind] for kind in self.columns if row.identifiers.get(kind)}
        return {kind: folded(value) if kind == "email" else value for kind, value in found.items()}

    def members(self, audience: str) -> Iterator[Member]:
        """Everybody whose flag is on; names of columns come back in small letters."""
        names = {kind: name.lower() for kind, name in self.columns.items()}
        key, segment = self._parts(audience)
        for found in self._pages(self._rowset(key)):
            told = {str(k).lower(): v for part in ("keys", "values") for k, v in (within(found, part) or {}).items()}
            if str(told.get(self.flag.lower())).lower() not in _TRUE:
                continue
            if self.shared_by and told.get(str(self.shared_by).lower()) != segment:
                continue
            known = {kind: str(told[name]) for kind, name in names.items() if told.get(name)}
            yield Member({kind: folded(value) if kind == "email" else value for kind, value in known.items()})

    def audiences(self) -> Iterator[Remote]:
        """Those that the declaration names: the service lists none this way."""
        for segment, name in self.destination.audiences:
            yield Remote(f"{name}{_OF}{segment}" if self.shared_by else name, name)

    def has(self, audience: str) -> bool:
        """Whether its data extension is there, whatever the declaration names today."""
        return self._is_there(self._parts(audience)[0])

    def close(self) -> None:
        """Lets go of connections."""
        self.client.close()

    def _is_there(self, key: str) -> bool:
        return self.client.request("GET", self._rowset(key), params=_page(1, 1), accept=(400, 404)).status < 400

    def _parts(self, audience: str) -> tuple[str, str]:
        """External key and segment of an audience's id."""
        key, _, segment = audience.rpartition(_OF) if self.shared_by else (audience, "", "")
        return key, segment

    def _rowset(self, key: str) -> str:
        return f"/data/v1/customobjectdata/key/{_quoted(key)}/rowset"

    def _pages(self, path: str) -> Iterator[Json]:
        """Items over all pages; the service may give smaller ones than were asked for."""
        page, seen = 1, 0
        while True:
            answer = self.client.request("GET", path, params=_page(page, PAGE)).value
            found = listed(answer, "items")
            yield from found
            page, seen = page + 1, seen + len(found)
            if not found or seen >= int(within(answer, "count") or 0):
                return


def _page(number: int, size: int) -> list[tuple[str, str]]:
    return [("$page", str(number)), ("$pageSize", str(size))]


def _quoted(key: str) -> str:
    from urllib.parse import quote

    return quote(key, safe="")
